/* See leat/cond.h.
 *
 * A waiter goes into the queue while its caller still holds the user's lock, then unlocks, then parks: a signal in between finds it not
 * parked and leaves its mark (`signalled`) instead of claiming. (A claim could hit another wait: the user's unlock may block.) A signal
 * passes over one that was parked and cannot be claimed: it is just being cancelled and has not used the signal up.
 *
 * The user's lock may be a spin lock or a thread's: with it held there is no switch here, so a cancelled wait yields before it locks.
 *
 * `n` counts the calls of wait, so that a signal that meets nobody is one load: whoever changed the condition under the user's lock after
 * a waiter gave that up sees its count. `at` is the condition's own address while somebody waits: a copy is recognised by it. */
#include "../runtime/runtime.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include <leat/cond.h>

struct cond {
  struct lock lock;
  _Atomic(uint32_t) n;
  struct queue queue; /* of struct cond_waiter */
  _Atomic(const void *) at;
};
_Static_assert(sizeof(struct cond) <= sizeof(leat_cond), "leat_cond has too little room");

struct cond_waiter {
  struct waiter waiter;
  struct cond *cond;
  leat_locker lock; /* the user's */
  bool parked, signalled;
};

static void must_not_be_a_copy(struct cond *c, const char *operation) {
  if (load_acquire(&c->n) && load_relaxed(&c->at) != c)
    leat_i_panic("%s: the condition at %p is a copy of one that goroutines wait for at %p; they stay there, use that one", operation, (void *)c, load_relaxed(&c->at));
}

/* ---- wait ---- */

/* One that is locked in the same way, and is another. */
static bool is_another(leat_locker a, leat_locker b) { return a.lock == b.lock && a.object != b.object; }

static void enter(struct cond *c, struct cond_waiter *w) {
  store_relaxed(&c->at, c);
  add(&c->n, 1);
  lock_take(&c->lock);
  const struct cond_waiter *first = (struct cond_waiter *)c->queue.first;
  const void *another = first && is_another(first->lock, w->lock) ? first->lock.object : NULL;
  if (!another) queue_push(&c->queue, &w->waiter);
  lock_drop(&c->lock);
  if (likely(!another)) return;
  sub(&c->n, 1);
  leat_i_panic("leat_cond_wait: others wait for the condition at %p with the lock at %p, and not with %p; all who wait use the same one", (void *)c, another, w->lock.object);
}

/* The user's unlock panics: the lock was not locked. */
static void abandon(void *waiter) {
  struct cond_waiter *w = waiter;
  struct cond *c = w->cond;
  lock_take(&c->lock);
  queue_remove(&w->waiter);
  bool signalled = w->signalled;
  lock_drop(&c->lock);
  if (signalled) leat_cond_signal((leat_cond *)c);
  sub(&c->n, 1);
}

static int wait_for_signal(struct cond *c, struct cond_waiter *w, int64_t deadline) {
  lock_take(&c->lock);
  if (w->signalled) {
    lock_drop(&c->lock);
    happens_after(w->waiter.goroutine);
    return LEAT_OK;
  }
  w->parked = true;
  return leat_i_queue_wait(&c->queue, &w->waiter, &(struct queue_wait){.reason = WAIT_COND, .object = c, .lock = &c->lock, .deadline = deadline});
}

int leat_i_cond_wait(leat_cond *cond, leat_locker lock, int64_t deadline) {
  happens_call();
  struct cond *c = (struct cond *)cond;
  struct goroutine *self = leat_i_self();
  must_not_be_a_copy(c, "leat_cond_wait");
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) {
    lock.unlock(lock.object);
  } else {
    struct cond_waiter w = {.waiter.goroutine = self, .cond = c, .lock = lock};
    enter(c, &w);
    struct leat_i_defer guard = {.leat_i_fn = abandon, .leat_i_arg = &w};
    leat_i_defer_enter(&guard);
    lock.unlock(lock.object);
    self->cleanups = guard.cleanup.outer;
    status = wait_for_signal(c, &w, deadline);
    sub(&c->n, 1);
  }
  bool cancelled = status == LEAT_CANCELED || (status == LEAT_DEADLINE && leat_i_scope_interrupts(self->scope));
  if (unlikely(cancelled)) leat_i_yield(self);
  lock.lock(lock.object);
  if (unlikely(cancelled)) leat_i_count_ignored(self, status);
  else self->ignored = 0;
  return status;
}

/* ---- signal ---- */

/* With the lock: takes the first off the queue that the signal means something to; false if there is none. One that is parked goes onto the
 * list. */
static bool signal_first(struct cond *c, struct goroutine **woken) {
  struct waiter *w;
  while ((w = queue_first(&c->queue))) {
    struct cond_waiter *cw = (struct cond_waiter *)w;
    if (!cw->parked) {
      queue_remove(w);
      happens_before(w->goroutine);
      return cw->signalled = true;
    }
    struct goroutine *g = w->goroutine;
    if (!queue_claim(w, LEAT_OK)) continue;
    goroutine_collect(woken, g);
    return true;
  }
  return false;
}

static void signal(leat_cond *cond, const char *operation, bool all) {
  struct cond *c = (struct cond *)cond;
  struct goroutine *woken = NULL;
  not_after_fork();
  if (!load_acquire(&c->n)) return;
  must_not_be_a_copy(c, operation);
  lock_take(&c->lock);
  while (signal_first(c, &woken) && all) {}
  lock_drop(&c->lock);
  leat_i_ready_in_order(woken);
  leat_i_operation(leat_i_self());
}

void leat_cond_signal(leat_cond *c) {
  happens_call();
  signal(c, "leat_cond_signal", false);
}

void leat_cond_broadcast(leat_cond *c) {
  happens_call();
  signal(c, "leat_cond_broadcast", true);
}
