/* See leat/semaphore.h.
 *
 * One word: what is taken, and QUEUED: there may be somebody in the queue. While QUEUED is clear, taking and giving back are one
 * compare-and-swap. While it is set, the word belongs to the holder of the lock. It is set and cleared under the lock only, and whenever the
 * queue is not empty it is set. Who waits is served from the head of the queue, and only there.
 * Who finds the queue empty and too little lets others run for a moment before he queues: else two that take and give back in turn would, once one of them has
 * queued, wait for each other for ever (88 ns a time, and 27).
 *
 * A wait that ends without its share (cancelled, too late) may have been the head that all others waited behind: it looks at the queue again.
 *
 * Memory: after a release that makes others able to take all and to free the semaphore, it is not touched any more. With an empty queue the
 * release is the compare-and-swap, and nothing after it; otherwise those in the queue cannot return before the lock is dropped. */
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include <leat/semaphore.h>

enum { QUEUED = 1 };

struct semaphore {
  _Atomic(int64_t) capacity;
  _Atomic(int64_t) state; /* twice what is taken, and QUEUED */
  struct lock lock;
  struct queue queue;
};
_Static_assert(sizeof(struct semaphore) <= sizeof(leat_semaphore), "leat_semaphore has too little room");
static const int64_t LARGEST = INT64_MAX / 4;

static int64_t capacity_of(struct semaphore *s) {
  int64_t capacity = load_relaxed(&s->capacity);
  return capacity < LARGEST ? capacity : LARGEST;
}

static bool fits(struct semaphore *s, int64_t n, int64_t state) { return n <= capacity_of(s) - state / 2; }

/* With the lock: clears QUEUED if the queue is empty. */
static bool is_queue_empty(struct semaphore *s) {
  if (queue_first(&s->queue)) return false;
  atomic_fetch_and(&s->state, ~(int64_t)QUEUED);
  return true;
}

static bool take(struct semaphore *s, int64_t n) {
  for (int pauses = FIRST_PAUSES;;) {
    int64_t state = load_relaxed(&s->state);
    if (unlikely(state & QUEUED)) {
      lock_take(&s->lock);
      bool empty = is_queue_empty(s);
      lock_drop(&s->lock);
      if (!empty) return false;
    } else {
      if (!fits(s, n, state)) return false;
      if (cas(&s->state, &state, state + 2 * n)) return true;
      back_off(&pauses);
    }
  }
}

/* With the lock: gives those at the head what they wait for. */
static void serve(struct semaphore *s, struct goroutine **woken) {
  struct waiter *w;
  while ((w = queue_first(&s->queue))) {
    int64_t n = (int64_t)w->count;
    bool possible = n <= capacity_of(s);
    if (possible && !fits(s, n, load_relaxed(&s->state))) return;
    if (!queue_claim(w, possible ? LEAT_OK : LEAT_INVALID)) continue;
    if (possible) add(&s->state, 2 * n);
    goroutine_collect(woken, w->goroutine);
  }
  is_queue_empty(s);
}

static void serve_again(struct semaphore *s) {
  struct goroutine *woken = NULL;
  lock_take(&s->lock);
  serve(s, &woken);
  lock_drop(&s->lock);
  leat_i_ready_in_order(woken);
}

/* Before the caller queues. */
static bool take_soon(struct semaphore *s, struct goroutine *self, int64_t n, int64_t deadline) {
  for (int spent = 0, given = 0; !(load_relaxed(&s->state) & QUEUED) && (leat_i_spin(&spent) || leat_i_give_turn(self, &given, deadline));)
    if (take(s, n)) return true;
  return false;
}

static int wait_in_queue(struct semaphore *s, struct goroutine *self, int64_t n, int64_t deadline) {
  lock_take(&s->lock);
  int64_t state = atomic_fetch_or(&s->state, QUEUED);
  bool possible = n <= capacity_of(s);
  if (!possible || (!queue_first(&s->queue) && fits(s, n, state))) { /* meanwhile there is enough, or never will be */
    if (possible) add(&s->state, 2 * n);
    is_queue_empty(s);
    lock_drop(&s->lock);
    return possible ? LEAT_OK : LEAT_INVALID;
  }
  struct waiter w = {.goroutine = self, .count = (size_t)n};
  int status = leat_i_queue_wait(&s->queue, &w, &(struct queue_wait){.reason = WAIT_SEMAPHORE, .object = s, .lock = &s->lock, .deadline = deadline});
  if (status != LEAT_OK) serve_again(s);
  return status;
}

/* What cancellation and arguments have to say about taking n. The operation is counted here, as whose slice is over is not to give up the thread when it has
 * taken what others then wait for. */
static int may_take(struct semaphore *s, struct goroutine *self, int64_t n) {
  leat_i_operation(self);
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  return n < 0 || n > capacity_of(s) ? LEAT_INVALID : LEAT_OK;
}

int leat_semaphore_acquire_until(leat_semaphore *semaphore, int64_t n, int64_t deadline) {
  happens_call();
  struct semaphore *s = (struct semaphore *)semaphore;
  struct goroutine *self = leat_i_self();
  int status = may_take(s, self, n);
  if (unlikely(status)) return status;
  if (unlikely(!take(s, n)) && !take_soon(s, self, n, deadline)) status = wait_in_queue(s, self, n, deadline);
  if (likely(!status)) happens_after(s);
  return wait_answer(self, status);
}

int leat_semaphore_acquire(leat_semaphore *s, int64_t n) {
  happens_call();
  return leat_semaphore_acquire_until(s, n, LEAT_NEVER);
}

int leat_semaphore_try_acquire(leat_semaphore *semaphore, int64_t n) {
  happens_call();
  struct semaphore *s = (struct semaphore *)semaphore;
  struct goroutine *self = leat_i_self();
  int status = may_take(s, self, n);
  if (unlikely(status)) return status;
  status = take(s, n) ? LEAT_OK : LEAT_FULL;
  if (!status) happens_after(s);
  self->ignored = 0;
  return status;
}

void leat_semaphore_release(leat_semaphore *semaphore, int64_t n) {
  happens_call();
  not_after_fork();
  struct semaphore *s = (struct semaphore *)semaphore;
  happens_before(s);
  for (int pauses = FIRST_PAUSES;;) {
    int64_t state = load_relaxed(&s->state);
    if (unlikely(n < 0)) leat_i_panic("leat_semaphore_release(%p, %lld): a negative number; only what is taken can be given back", (void *)s, (long long)n);
    if (unlikely(n > state / 2))
      leat_i_panic("leat_semaphore_release(%p, %lld): only %lld is taken; each acquire that answered LEAT_OK is undone by one release of as much", (void *)s, (long long)n, (long long)(state / 2));
    if (likely(!(state & QUEUED))) {
      if (cas(&s->state, &state, state - 2 * n)) return;
      back_off(&pauses);
      continue;
    }
    struct goroutine *woken = NULL;
    lock_take(&s->lock);
    bool empty = is_queue_empty(s);
    state = load_relaxed(&s->state);
    bool released = !empty && n <= state / 2;
    if (released) {
      sub(&s->state, 2 * n);
      serve(s, &woken);
    }
    lock_drop(&s->lock);
    leat_i_ready_in_order(woken);
    if (released) return;
  }
}

void leat_semaphore_resize(leat_semaphore *semaphore, int64_t capacity) {
  struct semaphore *s = (struct semaphore *)semaphore;
  not_after_fork();
  if (capacity < 0) leat_i_panic("leat_semaphore_resize(%p, %lld): the capacity is negative; with 0 nobody gets anything", (void *)s, (long long)capacity);
  store_relaxed(&s->capacity, capacity);
  serve_again(s);
}

int64_t leat_semaphore_taken(const leat_semaphore *semaphore) { return load_acquire(&((struct semaphore *)semaphore)->state) / 2; }
