/* See leat/rwmutex.h.
 *
 * One word holds the number of readers and two flags: HELD, a writer has it, and QUEUED, somebody waits, so that readers who come are to
 * wait too. A reader adds itself first and looks at the flags it found: without flags it is in. With one it is a phantom: counted, but not
 * in. It goes to the queue's lock, and there either finds the flags gone, then it is in after all, or takes itself off again and waits.
 *
 * Invariants:
 *   - flags change under the queue's lock, but for 0 -> HELD -> 0 by a writer that meets nobody; as neither happens while somebody is
 *     counted, a phantom with the lock sees flags that do not change;
 *   - when the lock is dropped, QUEUED is set if and only if somebody is in a queue, and then a writer has it or somebody is counted: it is
 *     him who lets the next ones in, when he unlocks, or, a phantom, when he has taken himself off. Who is cancelled in a queue looks as
 *     well, as those behind him may have waited for him only;
 *   - the lock is given to those who wait, who find it theirs when they wake. (As those who come queue up if anybody waits, letting them
 *     compete, as leat_mutex does, would gain nothing for readers.)
 * A writer that unlocks lets in all readers that wait, the last reader the first writer.
 *
 * The writer's number is stored after it has the lock and cleared before it gives it up: what is read there is never another's.
 *
 * Rejected: a counter of readers for each processor. It takes a cache line for each in every lock, and makes writers look at all. */
#define LEAT_I_NO_INLINE
#include "rwmutex.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"

enum { HELD = 1, QUEUED = 2, FLAGS = HELD | QUEUED, READER = 4 };

struct rwmutex {
  _Atomic(uint64_t) state;
  _Atomic(uint64_t) writer;
  struct lock lock;
  struct queue readers, writers;
};
_Static_assert(sizeof(struct rwmutex) <= sizeof(leat_rwmutex), "leat_rwmutex has too little room");

static inline struct rwmutex *rwmutex_of(leat_rwmutex *m) { return (struct rwmutex *)m; }

uint64_t leat_i_rwmutex_writer(const void *rwmutex) { return load_relaxed(&((struct rwmutex *)rwmutex)->writer); }

/* What orders user code (runtime/happens.h): a reader is ordered after all writers, a writer after all readers too. */
#define WRITES(m) (&(m)->state)
#define READS(m) (&(m)->writer)
static inline void read_begins(const struct rwmutex *m) { (void)m, happens_after(WRITES(m)); }
static inline void write_begins(const struct rwmutex *m) {
  (void)m;
  happens_after(WRITES(m));
  happens_after(READS(m));
}

/* ---- who is next ---- */

/* With the queue's lock and HELD, which goes to the first writer that waits; false if none does. */
static bool give_to_writer(struct rwmutex *m, struct goroutine **woken) {
  struct waiter *w = queue_claim_first(&m->writers, LEAT_OK);
  if (!w) return false;
  store_relaxed(&m->writer, w->goroutine->id);
  goroutine_collect(woken, w->goroutine);
  return true;
}

static uint64_t let_readers_in(struct rwmutex *m, struct goroutine **woken) {
  uint64_t n = 0;
  for (struct waiter *w; (w = queue_claim_first(&m->readers, LEAT_OK)); n++) goroutine_collect(woken, w->goroutine);
  return n;
}

/* With the queue's lock: QUEUED is cleared if nobody is left, and the change of the word published. */
static void publish(struct rwmutex *m, uint64_t state, uint64_t change) {
  if (state & QUEUED && !queue_first(&m->readers) && !queue_first(&m->writers)) change -= QUEUED;
  if (change) add(&m->state, change);
}

/* With the queue's lock: somebody has left, who was counted or in a queue. */
static void look(struct rwmutex *m, struct goroutine **woken) {
  uint64_t state = load_acquire(&m->state), change = 0;
  if (!(state & QUEUED)) return;
  if (!(state & HELD)) {
    if (state < READER && give_to_writer(m, woken)) change = HELD;
    else if (!queue_first(&m->writers)) change = let_readers_in(m, woken) * READER;
  }
  publish(m, state, change);
}

static void look_again(struct rwmutex *m) {
  struct goroutine *woken = NULL;
  lock_take(&m->lock);
  look(m, &woken);
  lock_drop(&m->lock);
  leat_i_ready_in_order(woken);
}

/* With the queue's lock, which it drops. Answers LEAT_OK when the lock has been given to the caller. */
static int wait_in(struct rwmutex *m, struct queue *q, struct goroutine *self, enum wait_reason reason, int64_t deadline, bool masked) {
  struct waiter w = {.goroutine = self};
  int status = leat_i_queue_wait(q, &w, &(struct queue_wait){.reason = reason, .object = m, .lock = &m->lock, .deadline = deadline, .masked = masked});
  if (unlikely(status)) look_again(m);
  return status;
}

/* Before the caller queues. Answers whether none of the bits is set. */
static bool clear_soon(struct rwmutex *m, struct goroutine *self, uint64_t bits, int64_t deadline) {
  int spent = 0, given = 0;
  do {
    uint64_t state = load_acquire(&m->state); /* a reader may be in with nothing more */
    if (!(state & bits)) return true;
    if (state & QUEUED) return false;
  } while (leat_i_spin(&spent) || leat_i_give_turn(self, &given, deadline));
  return false;
}

/* ---- to read ---- */

/* With the queue's lock: false if there are no flags any more. */
static bool queue_behind_flags(struct rwmutex *m) {
  uint64_t state = load_relaxed(&m->state);
  while (state & FLAGS)
    if (cas(&m->state, &state, state | QUEUED)) return true;
  return false;
}

/* The caller is counted, and found a flag. */
static __attribute__((noinline)) int rlock_slow(struct rwmutex *m, struct goroutine *self, int64_t deadline, bool masked) {
  do {
    struct goroutine *woken = NULL;
    if (clear_soon(m, self, FLAGS, deadline)) break; /* it is counted */
    lock_take(&m->lock);
    if (!(load_acquire(&m->state) & FLAGS)) {
      lock_drop(&m->lock);
      return LEAT_OK;
    }
    sub(&m->state, READER);
    look(m, &woken);
    if (!woken && queue_behind_flags(m)) return wait_in(m, &m->readers, self, WAIT_READ_LOCK, deadline, masked);
    lock_drop(&m->lock);
    leat_i_ready_in_order(woken);
  } while (add(&m->state, READER) & FLAGS);
  return LEAT_OK;
}

void leat_i_rwmutex_rlock(leat_rwmutex *m) { (void)rlock_slow(rwmutex_of(m), leat_i_self(), LEAT_NEVER, true); /* masked and without a deadline: nothing can fail it */ }

void leat_rwmutex_rlock(leat_rwmutex *rwmutex) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  if (unlikely(add(&m->state, READER) & FLAGS)) leat_i_rwmutex_rlock(rwmutex);
  read_begins(m);
}

bool leat_rwmutex_try_rlock(leat_rwmutex *rwmutex) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  uint64_t state = load_relaxed(&m->state);
  while (!(state & FLAGS))
    if (cas(&m->state, &state, state + READER)) {
      read_begins(m);
      return true;
    }
  return false;
}

int leat_rwmutex_rlock_until(leat_rwmutex *rwmutex, int64_t time) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (unlikely(add(&m->state, READER) & FLAGS)) status = rlock_slow(m, self, time, false);
  if (likely(!status)) read_begins(m);
  return wait_answer(self, status);
}

int leat_rwmutex_rlock_cancellable(leat_rwmutex *m) { return leat_rwmutex_rlock_until(m, LEAT_NEVER); }

void leat_i_rwmutex_runlock(leat_rwmutex *rwmutex, uint64_t before) {
  struct rwmutex *m = rwmutex_of(rwmutex);
  if (before < READER || before & HELD) { /* a reader counted while a writer has it is a phantom */
    add(&m->state, READER);
    look_again(m); /* one who came meanwhile may have found it locked by nobody */
    leat_i_panic("leat_rwmutex_runlock: the lock at %p is not locked to read%s", (void *)m,
                 before & HELD ? ", but to write; leat_rwmutex_unlock undoes that" : "; each rlock is undone by one runlock");
  }
  if (before >= 2 * READER) return;
  look_again(m);
  leat_i_operation(leat_i_self());
}

void leat_rwmutex_runlock(leat_rwmutex *rwmutex) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  happens_before(READS(m));
  uint64_t before = sub(&m->state, READER);
  if (unlikely(before < READER || before & FLAGS)) leat_i_rwmutex_runlock(rwmutex, before);
}

/* ---- to write ---- */

static inline bool take(struct rwmutex *m, const struct goroutine *self) {
  uint64_t free = 0;
  if (!cas(&m->state, &free, HELD)) return false;
  store_relaxed(&m->writer, self->id);
  return true;
}

static __attribute__((noinline)) int lock_slow(struct rwmutex *m, struct goroutine *self, int64_t deadline, bool masked) {
  if (clear_soon(m, self, ~UINT64_C(0), deadline) && take(m, self)) return LEAT_OK;
  lock_take(&m->lock);
  for (uint64_t state = load_relaxed(&m->state);;) {
    if (!cas(&m->state, &state, state ? state | QUEUED : HELD)) continue;
    if (state) return wait_in(m, &m->writers, self, WAIT_WRITE_LOCK, deadline, masked);
    break;
  }
  lock_drop(&m->lock);
  store_relaxed(&m->writer, self->id);
  return LEAT_OK;
}

void leat_rwmutex_lock(leat_rwmutex *rwmutex) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  struct goroutine *self = leat_i_self();
  if (unlikely(!take(m, self))) (void)lock_slow(m, self, LEAT_NEVER, true); /* as in rlock */
  write_begins(m);
}

bool leat_rwmutex_try_lock(leat_rwmutex *rwmutex) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  bool mine = take(m, leat_i_self());
  if (mine) write_begins(m);
  return mine;
}

int leat_rwmutex_lock_until(leat_rwmutex *rwmutex, int64_t time) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (unlikely(!take(m, self))) status = lock_slow(m, self, time, false);
  if (likely(!status)) write_begins(m);
  return wait_answer(self, status);
}

int leat_rwmutex_lock_cancellable(leat_rwmutex *m) { return leat_rwmutex_lock_until(m, LEAT_NEVER); }

static __attribute__((noinline)) void unlock_slow(struct rwmutex *m) {
  struct goroutine *woken = NULL;
  lock_take(&m->lock);
  uint64_t state = load_acquire(&m->state);
  if (!(state & HELD)) {
    lock_drop(&m->lock);
    leat_i_panic("leat_rwmutex_unlock: the lock at %p is not locked to write%s", (void *)m,
                 state ? ", but to read; leat_rwmutex_runlock undoes that" : "; each lock is undone by one unlock");
  }
  uint64_t readers = let_readers_in(m, &woken);
  publish(m, state, readers ? readers * READER - HELD : give_to_writer(m, &woken) ? 0 : -(uint64_t)HELD);
  lock_drop(&m->lock);
  leat_i_ready_in_order(woken);
  leat_i_operation(leat_i_self());
}

void leat_rwmutex_unlock(leat_rwmutex *rwmutex) {
  happens_call();
  struct rwmutex *m = rwmutex_of(rwmutex);
  uint64_t held = HELD;
  happens_before(WRITES(m));
  store_relaxed(&m->writer, 0);
  if (unlikely(!cas(&m->state, &held, 0))) unlock_slow(m);
}

/* ---- as values, and for a statement ---- */

static void lock_any(void *m) { leat_rwmutex_lock(m); }
static void unlock_any(void *m) { leat_rwmutex_unlock(m); }
static void rlock_any(void *m) { leat_rwmutex_rlock(m); }
static void runlock_any(void *m) { leat_rwmutex_runlock(m); }

leat_locker leat_rwmutex_locker(leat_rwmutex *m) { return (leat_locker){m, lock_any, unlock_any}; }
leat_locker leat_rwmutex_rlocker(leat_rwmutex *m) { return (leat_locker){m, rlock_any, runlock_any}; }

static struct leat_i_defer *guard_with(struct leat_i_defer *guard, leat_locker l) {
  l.lock(l.object);
  guard->leat_i_fn = l.unlock;
  guard->leat_i_arg = l.object;
  leat_i_defer_enter(guard);
  return guard;
}

struct leat_i_defer *leat_i_locked_write(struct leat_i_defer *guard, leat_rwmutex *m) { return guard_with(guard, leat_rwmutex_locker(m)); }
struct leat_i_defer *leat_i_locked_read(struct leat_i_defer *guard, leat_rwmutex *m) { return guard_with(guard, leat_rwmutex_rlocker(m)); }
