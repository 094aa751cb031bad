/* leat/defer.h - run something when the enclosing block is left, by any path (after Go's defer, but per block, not per function).
 *
 *   leat_defer(free, buffer);                    any function of one pointer, called as free(buffer); its result is ignored
 *   leat_defer_call(report, "done", count);      any LEAT_FN function with its arguments, bound now
 *   leat_defer_close(out);                       leat_close
 *
 * Deferred calls run in reverse order: on the normal end of the block, break, return and goto, when a cancelled goroutine returns, and
 * when a goroutine is failed by a panic. They are not run by longjmp or exit. The argument is evaluated at the declaration. A goto or case
 * must not jump over the declaration to behind it in its block: clang refuses that, gcc warns with -Wjump-misses-init. */
#pragma once
#include "channel.h"
#include "goroutine.h"

/* A record on the goroutine's list of things to undo; lives in the block's own frame. */
struct leat_i_cleanup {
  struct leat_i_cleanup *outer;
  void (*run)(struct leat_i_cleanup *);
};
struct leat_i_defer {
  struct leat_i_cleanup cleanup;
  void (*leat_i_fn)(void *);
  void *leat_i_arg;
};
struct leat_i_defer_call {
  struct leat_i_cleanup cleanup;
  leat_closure leat_i_closure;
};

/* Is f a function of one parameter: the type of p, the same with a const target, or a void * that p fits? */
#define LEAT_I_CALLABLE(f, p) \
  (LEAT_I_SAME(__typeof__(f), __typeof__((f)(p)) (*)(__typeof__(p))) || \
   LEAT_I_SAME(__typeof__(f), __typeof__((f)(p)) (*)(const __typeof__(*(p)) *)) || \
   (LEAT_I_SAME(__typeof__(f), __typeof__((f)(p)) (*)(void *)) && LEAT_I_FITS(void *, p)) || \
   (LEAT_I_SAME(__typeof__(f), __typeof__((f)(p)) (*)(const void *)) && LEAT_I_FITS(const void *, p)) || \
   LEAT_I_SAME(__typeof__(p), void *))

#define leat_defer(function, pointer) LEAT_I_DEFER(__COUNTER__, function, pointer)
#define LEAT_I_DEFER(N, function, pointer) \
  __attribute__((__cleanup__(leat_i_defer_leave), __unused__)) struct leat_i_defer LEAT_I_CAT(leat_i_defer_, N) = __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_f, N) = (function); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (pointer); \
    _Static_assert(LEAT_I_CLASS(LEAT_I_CAT(leat_i_p, N)) == 5, "leat_defer: the argument is not a pointer; use leat_defer_call"); \
    _Static_assert(LEAT_I_CALLABLE(LEAT_I_CAT(leat_i_f, N), LEAT_I_CAT(leat_i_p, N)), "leat_defer: the function does not take this pointer"); \
    struct leat_i_defer LEAT_I_CAT(leat_i_r, N) = {.leat_i_fn = (void (*)(void *))(void (*)(void))LEAT_I_CAT(leat_i_f, N), .leat_i_arg = (void *)(uintptr_t)LEAT_I_CAT(leat_i_p, N)}; \
    LEAT_I_CAT(leat_i_r, N); \
  }); \
  leat_i_defer_enter(&LEAT_I_CAT(leat_i_defer_, N))

#define leat_defer_call(...) LEAT_I_DEFER_CALL(__COUNTER__, __VA_ARGS__)
#define LEAT_I_DEFER_CALL(N, ...) \
  __attribute__((__cleanup__(leat_i_defer_call_leave), __unused__)) struct leat_i_defer_call LEAT_I_CAT(leat_i_defer_, N) = {.leat_i_closure = leat_bind(__VA_ARGS__)}; \
  leat_i_defer_call_enter(&LEAT_I_CAT(leat_i_defer_, N))

#define leat_defer_close(c) \
  leat_defer(leat_i_close_deferred, __extension__({ \
               __auto_type leat_i_closing = (c); \
               LEAT_I_CAN_SEND(leat_i_closing, "leat_defer_close"); \
               LEAT_I_RAW(leat_i_closing); \
             }))

LEAT_I_BEGIN
void leat_i_defer_enter(struct leat_i_defer *d);
void leat_i_defer_leave(struct leat_i_defer *d);
void leat_i_defer_call_enter(struct leat_i_defer_call *d);
void leat_i_defer_call_leave(struct leat_i_defer_call *d);
void leat_i_close_deferred(struct leat_i_chan *c);
LEAT_I_END
