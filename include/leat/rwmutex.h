/* leat/rwmutex.h - a lock that many readers or one writer hold (after Go's sync.RWMutex; the problem is Courtois, Heymans and Parnas').
 *
 *   struct table { leat_rwmutex lock; ... };                   zeroed it is free: no init, no destroy, no allocation
 *
 *   leat_read_locked(&t->lock) found = look_up(t, key);        unlocked when the statement is left, by any path
 *   leat_write_locked(&t->lock) insert(t, key, value);
 *
 * Neither side starves: a writer that waits blocks the readers that come after it; a writer that unlocks lets in all readers that wait
 * before the next writer. Writers are served first come, first served. It follows that a goroutine must not lock to read a second time
 * while it does already: if a writer has come in between, both wait for ever.
 *
 * A read lock and its unlock are one atomic operation each, on one word that all readers share: many processors that read at the same time
 * for short pass it round among them. It pays where reading takes long compared to that (some 100 ns) and writing is rare; else a
 * leat_mutex is the better lock.
 *
 * Any goroutine or thread may unlock, not only the one that locked. It must not be copied while it is in use, or freed before all calls on
 * it have returned.
 *
 * Any thread may call any of these. */
#pragma once
#include "mutex.h"

typedef struct leat_rwmutex {
  uint64_t leat_i_space[9];
} leat_rwmutex;

LEAT_I_BEGIN

/* To write. Cannot fail: neither cancellation nor a deadline reaches it. Unlock is misuse (a panic) if no writer holds it. */
void leat_rwmutex_lock(leat_rwmutex *m);
void leat_rwmutex_unlock(leat_rwmutex *m);

/* True if it was free and is now the caller's; never waits, and does not look at the scope. */
bool leat_rwmutex_try_lock(leat_rwmutex *m) __attribute__((__warn_unused_result__));

/* LEAT_OK, and the lock is the caller's. Else it is not: LEAT_CANCELED or LEAT_DEADLINE when the caller's scope has ended, looked at before
 * the lock is; LEAT_DEADLINE when the time (leat_now) has come and the lock was not to be had; LEAT_NOMEM when there is no memory for a
 * timer. */
int leat_rwmutex_lock_cancellable(leat_rwmutex *m) __attribute__((__warn_unused_result__));
int leat_rwmutex_lock_until(leat_rwmutex *m, int64_t time) __attribute__((__warn_unused_result__));

/* To read: the same. The try form fails while a writer waits. Runlock is misuse (a panic) if no reader holds it. */
void leat_rwmutex_rlock(leat_rwmutex *m);
void leat_rwmutex_runlock(leat_rwmutex *m);
bool leat_rwmutex_try_rlock(leat_rwmutex *m) __attribute__((__warn_unused_result__));
int leat_rwmutex_rlock_cancellable(leat_rwmutex *m) __attribute__((__warn_unused_result__));
int leat_rwmutex_rlock_until(leat_rwmutex *m, int64_t time) __attribute__((__warn_unused_result__));

/* Its two sides as a leat_locker. */
leat_locker leat_rwmutex_locker(leat_rwmutex *m);
leat_locker leat_rwmutex_rlocker(leat_rwmutex *m);

struct leat_i_defer *leat_i_locked_write(struct leat_i_defer *guard, leat_rwmutex *m) __attribute__((__returns_nonnull__));
struct leat_i_defer *leat_i_locked_read(struct leat_i_defer *guard, leat_rwmutex *m) __attribute__((__returns_nonnull__));

/* The caller has been counted as a reader, or not any more, and found what needs more than that. */
void leat_i_rwmutex_rlock(leat_rwmutex *m);
void leat_i_rwmutex_runlock(leat_rwmutex *m, uint64_t before);

/* Inline, as with leat_mutex. The two low bits of the first word say whether a writer has the lock and whether anybody waits, the others count
 * the readers. */
#ifdef LEAT_I_INLINE_LOCKS
extern inline __attribute__((__gnu_inline__)) void leat_rwmutex_rlock(leat_rwmutex *m) {
  if (__builtin_expect((__atomic_fetch_add(&m->leat_i_space[0], 4, __ATOMIC_ACQUIRE) & 3) != 0, 0)) leat_i_rwmutex_rlock(m);
}
extern inline __attribute__((__gnu_inline__)) void leat_rwmutex_runlock(leat_rwmutex *m) {
  uint64_t before = __atomic_fetch_sub(&m->leat_i_space[0], 4, __ATOMIC_RELEASE);
  if (__builtin_expect(before < 4 || (before & 3), 0)) leat_i_rwmutex_runlock(m, before);
}
#endif

LEAT_I_END

/* leat_write_locked(leat_rwmutex *m) statement, leat_read_locked(leat_rwmutex *m) statement: as leat_locked. */
#define leat_write_locked(m) LEAT_I_LOCKED(__COUNTER__, "leat_write_locked", leat_i_locked_write, leat_rwmutex, m)
#define leat_read_locked(m) LEAT_I_LOCKED(__COUNTER__, "leat_read_locked", leat_i_locked_read, leat_rwmutex, m)
