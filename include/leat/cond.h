/* leat/cond.h - condition variables (after Go's sync.Cond; Hoare's monitors, with Mesa's rule: who wakes looks again).
 *
 *   struct box { leat_mutex lock; leat_cond filled; int n; };          a zeroed condition needs no init, no destroy, no allocation
 *
 *   leat_mutex_lock(&b->lock);                                  who waits
 *   while (!b->n && !(status = leat_cond_wait(&b->filled, &b->lock))) {}
 *   if (!status) b->n--;
 *   leat_mutex_unlock(&b->lock);                                in any case: the wait has locked again, also when it was cancelled
 *
 *   leat_locked(&b->lock) b->n++;                               who changes what is waited for
 *   leat_cond_signal(&b->filled);
 *
 * The condition itself is the program's, and guarded by the lock; leat_cond only wakes. Between the wake and the return others may have had
 * the lock, hence the loop. A wait ends for no other reason than those named below.
 *
 * `lock` is a leat_mutex *, a leat_rwmutex * (its writer's side), or a leat_locker: any lock with a function to lock and one to unlock. All
 * who wait for a condition at the same time use the same lock (another one is misuse, a panic), and hold it when they call.
 *
 * A condition must not be copied or moved while somebody waits for it (misuse, a panic at its next use), nor freed before all calls on it
 * have returned.
 *
 * Any thread may call any of these. */
#pragma once
#include "mutex.h"
#include "rwmutex.h"

typedef struct leat_cond {
  uint64_t leat_i_space[5];
} leat_cond;

/* int leat_cond_wait(leat_cond *c, lock), int leat_cond_wait_until(leat_cond *c, lock, int64_t time): unlocks, waits until signalled, and
 * locks again. The lock is held on every return:
 *   LEAT_OK          it was signalled. A signal that met this wait is not lost to a cancel at the same time: it is answered with LEAT_OK
 *   LEAT_CANCELED    the caller's scope has ended, or LEAT_DEADLINE; looked at before waiting. No signal was used up
 *   LEAT_DEADLINE    the time (leat_now) has come
 *   LEAT_NOMEM       there is no memory for a timer
 * Neither cancellation nor a deadline reaches the locking at the end. To wait whatever happens, do it in a leat_shield. */
#define leat_cond_wait(c, lock) leat_i_cond_wait((c), LEAT_I_AS_LOCKER(__COUNTER__, "leat_cond_wait", lock), LEAT_NEVER)
#define leat_cond_wait_until(c, lock, time) leat_i_cond_wait((c), LEAT_I_AS_LOCKER(__COUNTER__, "leat_cond_wait_until", lock), (time))

#define LEAT_I_AS_LOCKER(N, op, lock) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_l, N) = (lock); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_l, N)), leat_mutex *) || LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_l, N)), leat_rwmutex *) || \
                     LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_l, N)), leat_locker), \
                   op ": the lock is neither a leat_mutex *, nor a leat_rwmutex *, nor a leat_locker"); \
    _Generic(LEAT_I_CAT(leat_i_l, N), leat_mutex *: leat_mutex_locker, leat_rwmutex *: leat_rwmutex_locker, default: leat_i_locker)(LEAT_I_CAT(leat_i_l, N)); \
  })

LEAT_I_BEGIN

/* Wakes the one that has waited longest, if there is one. The caller need not hold the lock, but must have held it, or hold it, when it
 * changed what is waited for. */
void leat_cond_signal(leat_cond *c);

/* Wakes all that wait now. */
void leat_cond_broadcast(leat_cond *c);

int leat_i_cond_wait(leat_cond *c, leat_locker lock, int64_t time) __attribute__((__warn_unused_result__));
static inline leat_locker leat_i_locker(leat_locker l) { return l; }

LEAT_I_END
