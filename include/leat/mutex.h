/* leat/mutex.h - mutual exclusion between goroutines and threads (after Go's sync.Mutex).
 *
 *   struct account { leat_mutex lock; int64_t balance; };      a zeroed mutex is a free one: no init, no destroy, no allocation
 *
 *   leat_locked(&a->lock) a->balance += n;                     unlocked when the statement is left, by any path
 *
 *   leat_mutex_lock(&a->lock);                                 the same by hand
 *   a->balance += n;
 *   leat_mutex_unlock(&a->lock);
 *
 * Waiting blocks the goroutine (a plain thread: the thread). Who holds a mutex may block, and may go on on another thread.
 *
 * Fairness. A mutex that is freed goes to whoever comes first, which need not be one who waits: a goroutine that runs takes it several
 * times in a row without a switch. Those who wait are woken first come, first served; one that has waited for more than 1 ms has the mutex
 * handed over, and nobody overtakes it.
 *
 * Any goroutine or thread may unlock, not only the one that locked. A second lock by the holder waits like any other. A mutex must not be
 * copied while it is in use; its memory may be freed by whoever unlocks it last.
 *
 * Any thread may call any of these. */
#pragma once
#include "defer.h"

typedef struct leat_mutex {
  uint64_t leat_i_space[5];
} leat_mutex;

/* Any lock as a value, for leat_cond_wait and for functions that do not care which (after Go's sync.Locker). lock must not fail. */
typedef struct leat_locker {
  void *object;
  void (*lock)(void *object);
  void (*unlock)(void *object);
} leat_locker;

LEAT_I_BEGIN

/* Cannot fail: neither cancellation nor a deadline reaches it. Keep what is done under such a lock short, or take it by one of the forms
 * below. */
void leat_mutex_lock(leat_mutex *m);

/* Misuse (a panic) if it is not locked. */
void leat_mutex_unlock(leat_mutex *m);

/* True if it was free and is now the caller's; never waits, and does not look at the scope. */
bool leat_mutex_try_lock(leat_mutex *m) __attribute__((__warn_unused_result__));

/* LEAT_OK, and the mutex is the caller's. Else it is not: LEAT_CANCELED or LEAT_DEADLINE when the caller's scope has ended, looked at
 * before the mutex is; LEAT_DEADLINE when the time (leat_now) has come and the mutex was not free; LEAT_NOMEM when there is no memory for a
 * timer. */
int leat_mutex_lock_cancellable(leat_mutex *m) __attribute__((__warn_unused_result__));
int leat_mutex_lock_until(leat_mutex *m, int64_t time) __attribute__((__warn_unused_result__));

/* The mutex as a leat_locker. */
leat_locker leat_mutex_locker(leat_mutex *m);

/* What lock and unlock do where one compare-and-swap does not. */
void leat_i_mutex_lock(leat_mutex *m);
void leat_i_mutex_unlock(leat_mutex *m);
struct leat_i_defer *leat_i_locked_mutex(struct leat_i_defer *guard, leat_mutex *m) __attribute__((__returns_nonnull__));

/* Inline, where that is possible, a lock and its unlock without contention take 13 instead of 20 ns. The first word of a mutex is 0 or says
 * who holds it; what a goroutine puts there lies in a thread-local variable, which no compiler may cache across a switch to another thread,
 * hence the asm. 0 on plain threads, which take the long way. */
#ifdef LEAT_I_INLINE_LOCKS
extern inline __attribute__((__gnu_inline__, __always_inline__)) uint64_t leat_i_lock_as(void) {
  uint64_t word;
  __asm__ volatile("movq leat_i_locks_as@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(word) : : "memory");
  return word;
}
extern inline __attribute__((__gnu_inline__)) void leat_mutex_lock(leat_mutex *m) {
  uint64_t unlocked = 0, me = leat_i_lock_as();
  if (__builtin_expect(!me || !__atomic_compare_exchange_n(&m->leat_i_space[0], &unlocked, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED), 0)) leat_i_mutex_lock(m);
}
extern inline __attribute__((__gnu_inline__)) void leat_mutex_unlock(leat_mutex *m) {
  uint64_t me = leat_i_lock_as();
  if (__builtin_expect(!me || !__atomic_compare_exchange_n(&m->leat_i_space[0], &me, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED), 0)) leat_i_mutex_unlock(m);
}
#endif

LEAT_I_END

/* leat_locked(leat_mutex *m) statement: locks as leat_mutex_lock, and unlocks when the statement is left: at its end, by break (which
 * leaves this statement, not a loop around it), continue, return or goto, and when a panic fails the goroutine. To unlock at the end of
 * the enclosing block instead: leat_mutex_lock(m); leat_defer(leat_mutex_unlock, m); */
#define leat_locked(m) LEAT_I_LOCKED(__COUNTER__, "leat_locked", leat_i_locked_mutex, leat_mutex, m)

#define LEAT_I_LOCKED(N, op, enter, type, lock) \
  for (struct leat_i_defer LEAT_I_CAT(leat_i_g, N) __attribute__((__cleanup__(leat_i_defer_leave))) = {.leat_i_fn = NULL}, \
                           *LEAT_I_CAT(leat_i_o, N) = enter(&LEAT_I_CAT(leat_i_g, N), __extension__({ \
                             __auto_type LEAT_I_CAT(leat_i_l, N) = (lock); \
                             _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_l, N)), type *), op ": the argument is not a pointer to a " #type); \
                             LEAT_I_CAT(leat_i_l, N); \
                           })); \
       LEAT_I_CAT(leat_i_o, N); LEAT_I_CAT(leat_i_o, N) = NULL)
