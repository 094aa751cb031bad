/* leat/rollback.h - changes of shared state that are undone unless they are committed: for work that may be cancelled, or fail, in the middle (the
 * questions are those of the chapter "Timeouts and Cancellation" of Cox-Buday's "Concurrency in Go"; the list of what undoes it is Moss's nested
 * undo log, known as compensation or saga).
 *
 *   leat_rollback(r, LEAT_MS(100));                        a declaration. When its block is left without a commit, by any path, what was
 *   from->balance -= n;                                    noted is undone, last first, in 100 ms
 *   leat_undo(r, deposit, from, n);                        any LEAT_FN or LEAT_FN_ERR function with its arguments, bound now
 *   if ((status = leat_send(log, entry))) return status;   cancelled here: deposit(from, n)
 *   to->balance += n;
 *   leat_undo(r, withdraw, to, n);
 *   return leat_commit(r);                                 LEAT_OK: it stays. Else all has been undone
 *
 * By any path: return, break, goto, a cancelled goroutine that returns, a panic, leat_goexit. Not longjmp, not exit, not a panic of the main goroutine
 * or of a plain thread, which ends the process.
 *
 * Better than undoing is not to have done: what can be put off is only noted, and done by the commit.
 *   leat_at_commit(r, publish, page);                      publish(page), if and when it is committed
 *
 * Time. Undoing runs in a shield: cancellation does not reach it, and it may block, until the time given is over. Then blocking operations in it
 * answer LEAT_DEADLINE; every function is still called. The functions of a commit run likewise, in the same time again.
 *
 * A function that undoes may fail: a status, a panic. The others are called all the same, and the caller's scope fails with the first such
 * failure, since what is shared is no longer as it should be. This is no lock: others see changes as they are made. Hold a lock that covers them,
 * declared before, or see to it that what is seen is right in between.
 *
 * For the one goroutine, or thread, that declared it. */
#pragma once
#include "defer.h"

struct leat_rollback {
  uint64_t leat_i_space[80] __attribute__((__aligned__(16)));
};

/* leat_rollback(name, nanoseconds): declares struct leat_rollback *const name, which may be passed to functions. LEAT_NEVER: however long it takes. */
#define leat_rollback(r, time) \
  __attribute__((__cleanup__(leat_i_rollback_leave), __unused__)) struct leat_rollback *const r = \
    leat_i_rollback_enter(&(struct leat_rollback){{0}}, (time), LEAT_I_HERE)

/* int leat_undo(r, fn, arguments...): call it right behind the change. Allocates nothing for the first ten or so. LEAT_OK; LEAT_NOMEM: it could not be noted,
 * so fn has been called at once, and the change is undone.
 * int leat_at_commit(r, fn, arguments...): LEAT_OK; LEAT_NOMEM: it is not noted. A function that fails makes the commit fail, with its status; it may
 * itself note what undoes it. They are called in the order in which they were noted. */
#define leat_undo(r, ...) LEAT_I_NOTE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_undo", 0, r, __VA_ARGS__)
#define leat_at_commit(r, ...) LEAT_I_NOTE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_at_commit", 1, r, __VA_ARGS__)
#define LEAT_I_NOTE(N, n, op, late, r, ...) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_r, N) = (r); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_r, N)), struct leat_rollback *), op ": the first argument is no leat_rollback"); \
    LEAT_I_CAT(LEAT_I_BIND_, n)(N, op, __VA_ARGS__) \
    LEAT_I_FN_RECORD(N, LEAT_I_FIRST(__VA_ARGS__)) \
    leat_i_note(LEAT_I_CAT(leat_i_r, N), &LEAT_I_CAT(leat_i_fn, N), &LEAT_I_CAT(leat_i_a, N), late); \
  })

LEAT_I_BEGIN
/* Calls what was put off, and forgets what would undo it. LEAT_OK: it is committed; the list is empty, and may be used again. Anything else: it is not, and all has been
 * undone: LEAT_CANCELED or LEAT_DEADLINE when the caller's scope had ended before; the status of a function that was put off. A cancel that comes later
 * than the call does not undo anything. */
int leat_commit(struct leat_rollback *r) __attribute__((__warn_unused_result__));
/* Undoes all now. LEAT_OK, or the first failure of a function that undoes; the scope does not fail with that then. */
int leat_undo_all(struct leat_rollback *r) __attribute__((__warn_unused_result__));

struct leat_rollback *leat_i_rollback_enter(struct leat_rollback *r, int64_t time, const char *birthplace);
void leat_i_rollback_leave(struct leat_rollback *const *r);
int leat_i_note(struct leat_rollback *r, const struct leat_i_fn *fn, const void *args, int late);
LEAT_I_END
