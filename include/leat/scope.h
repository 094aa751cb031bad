/* leat/scope.h - scopes: every goroutine lives in one, and no scope is left before its goroutines have ended.
 *
 *   leat_scope(s);        a declaration. When its block is left, by any path, what still runs in it is cancelled and joined
 *   leat_go(s, work);
 *   int status = leat_wait(s);        lets it finish first, and returns the first failure
 *
 * A scope is a nursery (joins its goroutines: structured concurrency after Smith's Trio and Sustrik), a context (deadline, cancellation
 * with a cause, after Go) and the owner of its channels' memory. Scopes nest: a goroutine's innermost scope governs its blocking
 * operations, cancelling a scope cancels all scopes below it, and nothing flows upwards but failures.
 *
 * Views. `leat_scope(s)` declares `struct leat_scope *const s`: the right to cancel and to wait. Pass scopes down as leat_view (a pointer
 * to const): with it a callee can start goroutines, make channels and ask for the status, but cannot cancel its caller: that does not
 * compile.
 *
 * Cancellation. Every blocking operation answers LEAT_CANCELED or LEAT_DEADLINE in a cancelled scope, before it looks at readiness.
 * From the second in a row on each such answer yields; a goroutine that ignores 1,000 in a row is failed (LEAT_PANIC) with its name, so an unchecked status cannot
 * hang a join.
 *
 * Failure. A goroutine fails by returning a status from a LEAT_FN_ERR function, or by a panic (misuse). The first failure of a scope is
 * kept and cancels the other goroutines, unless leat_keep_going was called. leat_wait returns it. A panic is also reported at once
 * (leat_set_log, stderr); one that no leat_wait returned before the scope is left goes on to the goroutine that owned the scope, and at
 * the top ends the process. */
#pragma once
#include "status.h"

struct leat_scope {
  unsigned char leat_i_space[320] __attribute__((__aligned__(16)));
};
typedef const struct leat_scope *leat_view;

#define leat_scope(s) \
  __attribute__((__cleanup__(leat_i_scope_leave), __unused__)) struct leat_scope *const s = leat_i_scope_enter(&(struct leat_scope){{0}}, LEAT_I_SCOPE_HERE)
/* leat_shield(s): a scope that the cancellation of the scopes around it does not reach, for clean-up that must run to its end. Give it a
 * limit of its own with leat_set_timeout. */
#define leat_shield(s) \
  __attribute__((__cleanup__(leat_i_scope_leave), __unused__)) struct leat_scope *const s = leat_i_shield_enter(&(struct leat_scope){{0}}, LEAT_I_SCOPE_HERE)
#define LEAT_I_SCOPE_HERE __FILE__ ":" LEAT_I_SCOPE_STR(__LINE__)
#define LEAT_I_SCOPE_STR(x) LEAT_I_SCOPE_STR_(x)
#define LEAT_I_SCOPE_STR_(x) #x

/* The first failure of a scope. Strings live as long as the scope. */
typedef struct leat_failure {
  int status;
  const char *message; /* "" if the goroutine gave none */
  uint64_t goroutine;
  const char *name;
  const char *birthplace; /* file:line of the leat_go */
  const struct leat_error *error; /* all that is known: leat/error.h. Borrowed */
} leat_failure;

LEAT_I_BEGIN

/* Waits until all goroutines of the scope have ended, except services, and returns the first failure, LEAT_CANCELED or LEAT_DEADLINE if
 * the scope was cancelled, else LEAT_OK. Before waiting it stops the stage outputs that this block made and did not hand on (to a stage
 * or to a goroutine), so that everything upstream of an abandoned output ends. Only the goroutine that declared the scope may call it,
 * as often as it likes. */
int leat_i_wait(struct leat_scope *s) __attribute__((__warn_unused_result__));
#define leat_wait(s) leat_i_wait(LEAT_I_OWNED(s, "leat_wait"))

/* void leat_cancel(s), or with a cause for leat_cause: leat_cancel_because(s, "no more %s", what). The first cancel counts. Any goroutine
 * or thread may call it that was given the scope itself. */
#define leat_cancel(s) leat_i_cancel(LEAT_I_OWNED(s, "leat_cancel"), NULL)
#define leat_cancel_because(s, ...) leat_i_cancel(LEAT_I_OWNED(s, "leat_cancel_because"), __VA_ARGS__)

/* int leat_set_deadline(s, time), leat_set_timeout(s, duration): cancels the scope (LEAT_DEADLINE) at that time; at once, before it
 * returns, if that has passed. The earliest deadline of the scopes around it counts as well. Setting it again replaces it.
 * leat_set_deadline_because(s, time, format, ...), leat_set_timeout_because: with a cause for leat_cause. LEAT_OK, LEAT_NOMEM. */
#define leat_set_deadline(s, time) leat_i_set_deadline(LEAT_I_OWNED(s, "leat_set_deadline"), (time), NULL)
#define leat_set_timeout(s, duration) leat_i_set_timeout(LEAT_I_OWNED(s, "leat_set_timeout"), (duration), NULL)
#define leat_set_deadline_because(s, time, ...) leat_i_set_deadline(LEAT_I_OWNED(s, "leat_set_deadline_because"), (time), __VA_ARGS__)
#define leat_set_timeout_because(s, duration, ...) leat_i_set_timeout(LEAT_I_OWNED(s, "leat_set_timeout_because"), (duration), __VA_ARGS__)

/* void leat_keep_going(s): a failure does not cancel the other goroutines of the scope. */
#define leat_keep_going(s) leat_i_keep_going(LEAT_I_OWNED(s, "leat_keep_going"))

#define LEAT_I_OWNED(s, op) \
  __extension__({ \
    __auto_type leat_i_owned = (s); \
    _Static_assert(__builtin_types_compatible_p(__typeof__(leat_i_owned), struct leat_scope *), \
                   op ": only the scope itself can do this, a view (leat_view) cannot"); \
    leat_i_owned; \
  })

/* Reading, through any view, from any thread that may use it. */
int leat_scope_status(leat_view s);        /* LEAT_OK, LEAT_CANCELED, LEAT_DEADLINE (LEAT_NOMEM: see leat/context.h); stable once it is not LEAT_OK */
const char *leat_cause(leat_view s);       /* why it was cancelled; NULL while it is not. Lives as long as the scope */
int64_t leat_scope_deadline(leat_view s);  /* the earliest that counts, LEAT_NEVER if there is none */
const leat_failure *leat_failure_of(leat_view s); /* NULL while nothing failed */
size_t leat_scope_goroutines(leat_view s); /* how many are running in it now, services included */
leat_view leat_current_scope(void);        /* the caller's innermost scope, never NULL */

struct leat_scope *leat_i_scope_enter(struct leat_scope *s, const char *where);
struct leat_scope *leat_i_shield_enter(struct leat_scope *s, const char *where);
void leat_i_scope_leave(struct leat_scope *const *s);
void leat_i_cancel(struct leat_scope *s, const char *cause, ...) __attribute__((__format__(__printf__, 2, 3)));
int leat_i_set_deadline(struct leat_scope *s, int64_t time, const char *cause, ...) __attribute__((__format__(__printf__, 3, 4)));
int leat_i_set_timeout(struct leat_scope *s, int64_t duration, const char *cause, ...) __attribute__((__format__(__printf__, 3, 4)));
void leat_i_keep_going(struct leat_scope *s);
LEAT_I_END
