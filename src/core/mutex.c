/* See leat/mutex.h.
 *
 * One word says who holds the mutex: 0, or its holder's number with three flags. Without contention a lock and an unlock are one
 * compare-and-swap each, from 0 and back. (Tried: to swap 0 in on unlock saves a nanosecond, but loses the flags for a moment, in which a
 * mutex that is to be handed over could be taken. In the header, inlined, the pair saves 2 ns of 17 if it does not record its holder, and
 * nothing if it does.)
 *
 * Invariants, with the queue's lock:
 *   - flags change under it; the rest of the word only while there are no flags, or under it;
 *   - where somebody is in the queue, WAITING is set, or one who was woken has not looked yet (`woken`): who unlocks need not wake a
 *     second one, and the woken one looks after the queue. It goes back to the head if it finds the mutex taken.
 * A waiter that comes back to the head after more than 1 ms sets HANDOFF: from then on the word goes straight from holder to waiter and is
 * never 0, so that nobody gets in between, until one is served who has waited for less, or is the last.
 *
 * The last that an unlock does to the mutex is to set the word to 0: whoever locks next may free the memory. Therefore flags are cleared
 * first, the queue's lock dropped, and the word then set to 0 in the way without contention.
 *
 * Rejected: handing over always. A holder that goes on would give up its thread at each lock, two switches an operation. */
#define LEAT_I_NO_INLINE
#include "mutex.h"
#include "../runtime/nondet.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"

enum { WAITING = 2, HANDOFF = 4, FLAGS = WAITING | HANDOFF, ID_SHIFT = 3 }; /* 1: locked, see locks_as */
enum { TO_LOOK = LEAT_OK, HANDED = 1 }; /* how a waiter was claimed */
static const int64_t STARVING = LEAT_MS(1);

struct mutex {
  _Atomic(uint64_t) state;
  struct lock lock;
  bool woken;
  struct queue queue; /* of struct mutex_waiter */
};
_Static_assert(sizeof(struct mutex) <= sizeof(leat_mutex), "leat_mutex has too little room");

struct mutex_waiter {
  struct waiter waiter;
  int64_t since;
};

static inline struct mutex *mutex_of(leat_mutex *m) { return (struct mutex *)m; }

uint64_t leat_i_mutex_owner(const void *mutex) { return load_relaxed(&((struct mutex *)mutex)->state) >> ID_SHIFT; }

/* ---- lock ---- */

static inline bool take(struct mutex *m, const struct goroutine *self) {
  uint64_t free = 0;
  return cas(&m->state, &free, locks_as(self));
}

static bool spin(struct mutex *m, const struct goroutine *self) {
  for (int spent = 0;;) {
    uint64_t state = load_relaxed(&m->state);
    if (!state && take(m, self)) return true;
    if (state & HANDOFF || !leat_i_spin(&spent)) return false;
  }
}

/* With the queue's lock: takes the mutex, or sets the flags. */
static bool take_or_flag(struct mutex *m, const struct goroutine *self, uint64_t flags) {
  uint64_t state = load_relaxed(&m->state);
  for (;;) {
    uint64_t next = state ? state | flags : locks_as(self) | (queue_first(&m->queue) ? WAITING : 0);
    if (cas(&m->state, &state, next)) return !state;
  }
}

static __attribute__((noinline)) int lock_slow(struct mutex *m, struct goroutine *self, int64_t deadline, bool masked) {
  if (spin(m, self)) return LEAT_OK;
  struct mutex_waiter w = {.waiter.goroutine = self, .since = leat_i_nondet_clock()};
  struct queue_wait how = {.reason = WAIT_MUTEX, .object = m, .lock = &m->lock, .deadline = deadline, .masked = masked};
  uint64_t flags = WAITING;
  lock_take(&m->lock);
  while (!take_or_flag(m, self, flags)) {
    int status = leat_i_queue_wait(&m->queue, &w.waiter, &how);
    if (status == HANDED) return LEAT_OK;
    if (status != TO_LOOK) return status;
    if (leat_i_nondet_clock() - w.since > STARVING) flags |= HANDOFF;
    how.at_head = true;
    lock_take(&m->lock);
    m->woken = false;
  }
  lock_drop(&m->lock);
  return LEAT_OK;
}

void leat_i_mutex_lock(leat_mutex *mutex) {
  struct mutex *m = mutex_of(mutex);
  struct goroutine *self = leat_i_self();
  if (!take(m, self)) (void)lock_slow(m, self, LEAT_NEVER, true); /* masked and without a deadline: nothing can fail it */
}

void leat_mutex_lock(leat_mutex *m) {
  happens_call();
  leat_i_mutex_lock(m);
  happens_after(m);
}

bool leat_mutex_try_lock(leat_mutex *mutex) {
  happens_call();
  bool mine = take(mutex_of(mutex), leat_i_self());
  if (mine) happens_after(mutex);
  return mine;
}

int leat_mutex_lock_until(leat_mutex *mutex, int64_t time) {
  happens_call();
  struct mutex *m = mutex_of(mutex);
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (unlikely(!take(m, self))) status = lock_slow(m, self, time, false);
  if (likely(!status)) happens_after(m);
  return wait_answer(self, status);
}

int leat_mutex_lock_cancellable(leat_mutex *m) { return leat_mutex_lock_until(m, LEAT_NEVER); }

/* ---- unlock ---- */

/* With the queue's lock and flags set. Answers whether the mutex has been handed to *next; else flags are cleared, and *next may be one
 * who is to look. */
static bool hand_over(struct mutex *m, uint64_t state, struct goroutine **next) {
  struct waiter *w = NULL;
  bool handoff = state & HANDOFF;
  if (handoff || !m->woken) w = queue_claim_first(&m->queue, handoff ? HANDED : TO_LOOK);
  if (w) *next = w->goroutine;
  if (!w || !handoff) {
    if (w) m->woken = true;
    store_release(&m->state, state & ~(uint64_t)FLAGS);
    return false;
  }
  uint64_t flags = queue_first(&m->queue) ? WAITING : 0;
  if (flags && leat_i_nondet_clock() - ((struct mutex_waiter *)w)->since > STARVING) flags |= HANDOFF;
  store_release(&m->state, locks_as(w->goroutine) | flags);
  return true;
}

void leat_i_mutex_unlock(leat_mutex *mutex) {
  struct mutex *m = mutex_of(mutex);
  struct goroutine *self = leat_i_self(), *next = NULL;
  bool handed = false;
  uint64_t state = load_relaxed(&m->state);
  while (!handed) {
    if (unlikely(!state)) {
      if (next) leat_i_ready(next); /* unlocked by another meanwhile: misuse too, but not his */
      leat_i_panic("leat_mutex_unlock: the mutex at %p is not locked; each lock is undone by one unlock", (void *)m);
    }
    if (!(state & FLAGS)) { /* locked by another, or the flags are cleared */
      if (cas(&m->state, &state, 0)) break;
      continue;
    }
    struct goroutine *one = NULL;
    lock_take(&m->lock);
    state = load_relaxed(&m->state);
    if (state & FLAGS) handed = hand_over(m, state, &one);
    lock_drop(&m->lock);
    if (one) next = one; /* at most once: then somebody is woken */
    state = load_relaxed(&m->state);
  }
  if (next) leat_i_ready(next);
  /* Who has been handed the mutex is to run at once, as all others wait for it. */
  if (handed) leat_i_yield(self);
  else leat_i_operation(self);
}

void leat_mutex_unlock(leat_mutex *mutex) {
  happens_call();
  struct mutex *m = mutex_of(mutex);
  uint64_t mine = locks_as(leat_i_self());
  happens_before(m);
  if (unlikely(!cas(&m->state, &mine, 0))) leat_i_mutex_unlock(mutex);
}

/* ---- as a value, and for a statement ---- */

static void lock_any(void *m) { leat_mutex_lock(m); }
static void unlock_any(void *m) { leat_mutex_unlock(m); }

leat_locker leat_mutex_locker(leat_mutex *m) { return (leat_locker){m, lock_any, unlock_any}; }

struct leat_i_defer *leat_i_locked_mutex(struct leat_i_defer *guard, leat_mutex *m) {
  leat_mutex_lock(m);
  guard->leat_i_fn = unlock_any;
  guard->leat_i_arg = m;
  leat_i_defer_enter(guard);
  return guard;
}
