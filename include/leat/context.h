/* leat/context.h - contexts: scopes that no block owns (after Go's context package).
 *
 *   struct leat_scope *ctx = leat_with_timeout(parent, LEAT_SECONDS(1));    below parent: ends with it, or after a second
 *   leat_go(ctx, work);                                                     is governed by ctx
 *   leat_cancel(ctx);
 *
 * A scope is a context, and a context is a scope that lives on the heap. What is said of scopes in leat/scope.h is true of contexts:
 * goroutines are started in them, they are cancelled, have causes, deadlines and failures. A `struct leat_scope *` is the right to cancel
 * it; pass it down as leat_view, with which a callee can read it and derive from it, and no more: the rest does not compile.
 *
 * A context belongs to its home, the nearest scope of a block at or above its parent. leat_wait(home) waits for the goroutines in it too;
 * leaving the home's block cancels it, joins them and frees it. leat_context_release does that earlier. Views, what leat_done answered and
 * hooks must not be used after that: as Go's contexts flow only downwards, so do views.
 *
 * A failure of a goroutine in a context cancels the context and is a failure of what is above it too, up to its home, unless
 * leat_keep_going(ctx) was called. leat_wait(ctx) waits for the goroutines of the context alone; any goroutine that does not run in it may
 * call it.
 *
 * Never NULL: out of memory a context is one that is cancelled already, with the status LEAT_NOMEM, in which every blocking operation
 * answers that; and its home has failed with it. A NULL parent is the caller's innermost scope. Any thread may call any of these. */
#pragma once
#include "channel.h"
#include "goroutine.h"
#include "scope.h"

/* struct leat_scope *leat_with_cancel(parent): a context below parent. With a deadline: leat_with_deadline(parent, time),
 * leat_with_timeout(parent, duration); it has ended at once if that has passed. With a cause for leat_cause, should it pass:
 * leat_with_deadline_because(parent, time, "no answer from %s", host), leat_with_timeout_because. */
#define leat_with_cancel(parent) LEAT_I_WITH(__COUNTER__, parent, "leat_with_cancel", leat_i_with_cancel, LEAT_I_HERE)
#define leat_with_deadline(parent, time) LEAT_I_WITH(__COUNTER__, parent, "leat_with_deadline", leat_i_with_deadline, LEAT_I_HERE, (time), NULL)
#define leat_with_timeout(parent, duration) LEAT_I_WITH(__COUNTER__, parent, "leat_with_timeout", leat_i_with_timeout, LEAT_I_HERE, (duration), NULL)
#define leat_with_deadline_because(parent, time, ...) \
  LEAT_I_WITH(__COUNTER__, parent, "leat_with_deadline_because", leat_i_with_deadline, LEAT_I_HERE, (time), __VA_ARGS__)
#define leat_with_timeout_because(parent, duration, ...) \
  LEAT_I_WITH(__COUNTER__, parent, "leat_with_timeout_because", leat_i_with_timeout, LEAT_I_HERE, (duration), __VA_ARGS__)

/* struct leat_scope *leat_without_cancel(parent): a context that sees parent's values and that neither parent's cancellation nor its
 * deadline reaches. The end of its home's block does: nothing outlives that. */
#define leat_without_cancel(parent) LEAT_I_WITH(__COUNTER__, parent, "leat_without_cancel", leat_i_without_cancel, LEAT_I_HERE)
#define LEAT_I_WITH(N, parent, op, make, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, parent, op); \
    make(LEAT_I_CAT(leat_i_s, N), __VA_ARGS__); \
  })

/* void leat_context_release(ctx): cancels the context and all below it, joins what runs in them, frees them. For contexts below a scope
 * that lives long. Who waits for it in leat_wait meanwhile gets his answer first. Go's `defer cancel()` is leat_defer(leat_context_release,
 * ctx). Blocks as leat_wait does; not to be called by what runs in the context. A panic in it that no leat_wait returned goes on to the
 * caller. */
#define leat_context_release(ctx) (leat_context_release)(LEAT_I_OWNED(ctx, "leat_context_release"))

/* void leat_follow(s, view): from now on the scope or context s is also governed by view, which is not above it: it is cancelled when view
 * is, with the same status and cause; view's deadline and values are seen through it. So a function that was given a view puts its own
 * blocking calls under it:
 *   leat_scope(s);
 *   leat_follow(s, view);
 * Several may be followed, which merges them; following what is above s anyway costs nothing. Cannot fail: out of memory, s is cancelled
 * with LEAT_NOMEM. The view must live until s is left. */
#define leat_follow(s, view) LEAT_I_FOLLOW(__COUNTER__, s, view)
#define LEAT_I_FOLLOW(N, s, view) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_f, N) = LEAT_I_OWNED(s, "leat_follow"); \
    __auto_type LEAT_I_CAT(leat_i_s, N) = (view); \
    _Static_assert(LEAT_I_FITS(const struct leat_scope *, LEAT_I_CAT(leat_i_s, N)), "leat_follow: the second argument is not a scope"); \
    leat_i_follow(LEAT_I_CAT(leat_i_f, N), LEAT_I_CAT(leat_i_s, N)); \
  })

/* leat_rx(char) leat_done(view): a channel that is closed when the view is cancelled, for a select that waits for a context other than
 * the caller's own (that one is in every operation already). The same at every call; nil, which never fires, for leat_background. Closed
 * and leat_scope_status are one: whoever sees one sees the other. It cannot be stopped or released. */
#define leat_done(view) (__extension__(leat_rx(char))leat_i_done(view))

/* leat_hook *leat_after_cancel(view, fn, arguments...): when view is cancelled, starts fn, a LEAT_FN function, in a goroutine of its own; at
 * once if it has been cancelled already. Once at most. fn runs in a scope below view that sees its values and that no cancellation reaches,
 * as in a shield, since it is there to clean up; view's home waits for it. It is not started by the end of view's block alone. Never NULL;
 * out of memory the home has failed with LEAT_NOMEM. A hook belongs to the view's scope.
 *
 * bool leat_hook_stop(hook): true if this prevented the start. Does not wait for fn. void leat_hook_release(hook): stops it, waits for fn if
 * that runs, and frees the hook before its scope ends. */
#define leat_after_cancel(view, ...) \
  LEAT_I_GO(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_after_cancel", leat_i_after_cancel, view, ((leat_go_options){0}), __VA_ARGS__)
typedef struct leat_hook leat_hook;

/* Values. LEAT_CONTEXT_KEY(user_id, int) at file level makes a key, different from all others, and its functions:
 *
 *   leat_view with_user_id(leat_view parent, int value);    a context below parent that holds a copy
 *   bool user_id_of(leat_view ctx, int *value);             the nearest at or above ctx; false, and *value zeroed, if there is none
 *
 * leat_set_value(s, user_id, value) sets one on a scope that is there already: LEAT_OK, LEAT_NOMEM. Values do not change: setting one again
 * hides the one before, which stays until the scope ends. user_id_of(leat_current_scope(), &id) asks for the caller's own.
 *
 * For headers: LEAT_CONTEXT_KEY_DECLARE(user_id, int); and in one file LEAT_CONTEXT_KEY_DEFINE(user_id, int). With a function that is
 * called for each value when its scope has ended (void drop(T *), which must not block): LEAT_CONTEXT_KEY_OWNED(name, T, drop),
 * LEAT_CONTEXT_KEY_DEFINE_OWNED. The value is taken over in any case. What belongs into a context: docs/context.md. */
struct leat_i_key {
  const char *name;
  size_t size;
  void (*drop)(void *);
};
#define LEAT_CONTEXT_KEY(name, T) LEAT_I_KEY(name, T, NULL)
#define LEAT_CONTEXT_KEY_OWNED(name, T, drop) \
  LEAT_I_DROPS(name, T, drop); \
  LEAT_I_KEY(name, T, (void (*)(void *))(drop))
#define LEAT_CONTEXT_KEY_DECLARE(name, T) \
  extern struct leat_i_key name##_leat_key; \
  LEAT_I_KEY_FUNCTIONS(name, T)
#define LEAT_CONTEXT_KEY_DEFINE(name, T) struct leat_i_key name##_leat_key = {#name, sizeof(T), NULL}
#define LEAT_CONTEXT_KEY_DEFINE_OWNED(name, T, drop) \
  LEAT_I_DROPS(name, T, drop); \
  struct leat_i_key name##_leat_key = {#name, sizeof(T), (void (*)(void *))(drop)}
#define LEAT_I_DROPS(name, T, drop) \
  _Static_assert(LEAT_I_SAME(__typeof__(&drop), void (*)(__typeof__(T) *)), #name ": " #drop " is not a void function of a pointer to the key's type")
/* Not const: equal constants could be made one, and the key is its address. */
#define LEAT_I_KEY(name, T, drop) \
  static __attribute__((__unused__)) struct leat_i_key name##_leat_key = {#name, sizeof(T), drop}; \
  LEAT_I_KEY_FUNCTIONS(name, T)
#define LEAT_I_KEY_FUNCTIONS(name, T) \
  LEAT_I_ELEMENT(T, #name); \
  _Static_assert(__alignof__(T) <= 16, #name ": a value aligned to more than 16 bytes; pass a pointer to it"); \
  typedef __typeof__(T) name##_leat_value; \
  static inline __attribute__((__unused__)) leat_view with_##name(leat_view leat_i_parent, __typeof__(T) leat_i_value) { \
    return leat_i_with_value(leat_i_parent, &name##_leat_key, &leat_i_value); \
  } \
  static inline __attribute__((__unused__)) bool name##_of(leat_view leat_i_context, __typeof__(T) *leat_i_target) { \
    return leat_i_value_of(leat_i_context, &name##_leat_key, leat_i_target); \
  } \
  struct leat_i_key

#define leat_set_value(s, key, ...) LEAT_I_SET_VALUE(__COUNTER__, s, key, (__VA_ARGS__))
#define LEAT_I_SET_VALUE(N, s, key, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_f, N) = LEAT_I_OWNED(s, "leat_set_value"); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(key##_leat_value, LEAT_I_CAT(leat_i_x, N)), "leat_set_value: the value does not have the key's type"); \
    key##_leat_value LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_i_set_value(LEAT_I_CAT(leat_i_f, N), &key##_leat_key, &LEAT_I_CAT(leat_i_v, N)); \
  })

LEAT_I_BEGIN
/* The scope of the whole process, for contexts at the top of a call tree. It is cancelled only when the runtime stops (the end of LEAT_MAIN,
 * leat_runtime_stop), which cancels and joins all there is. leat_todo is the same, for code that has not been given a context yet. */
leat_view leat_background(void);
leat_view leat_todo(void);

void(leat_context_release)(struct leat_scope *ctx);
bool leat_hook_stop(leat_hook *hook);
void leat_hook_release(leat_hook *hook);

struct leat_scope *leat_i_with_cancel(const struct leat_scope *parent, const char *where);
struct leat_scope *leat_i_with_deadline(const struct leat_scope *parent, const char *where, int64_t time, const char *cause, ...)
  __attribute__((__format__(__printf__, 4, 5)));
struct leat_scope *leat_i_with_timeout(const struct leat_scope *parent, const char *where, int64_t duration, const char *cause, ...)
  __attribute__((__format__(__printf__, 4, 5)));
struct leat_scope *leat_i_without_cancel(const struct leat_scope *parent, const char *where);
void leat_i_follow(struct leat_scope *s, const struct leat_scope *view);
struct leat_i_chan *leat_i_done(const struct leat_scope *view);
leat_hook *leat_i_after_cancel(const struct leat_scope *view, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o);
leat_view leat_i_with_value(const struct leat_scope *parent, const struct leat_i_key *key, const void *value);
bool leat_i_value_of(const struct leat_scope *view, const struct leat_i_key *key, void *target);
int leat_i_set_value(struct leat_scope *s, const struct leat_i_key *key, const void *value);
LEAT_I_END
