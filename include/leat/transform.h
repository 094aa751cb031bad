/* leat/transform.h - stages of one input and one output: map, filter, take and their kin (leat/stage.h says what all stages have in common).
 *
 * All keep the order of items, and are fused where they can be. in: a leat_rx(T), or a channel. fn: the name of a function declared with the
 * macro named here, then the values of its parameters. */
#pragma once
#include "stage.h"

/* leat_rx(Out) leat_map(scope, in, fn, args...): fn of each item. LEAT_MAP or LEAT_EFFECT. */
#define leat_map(s, in, ...) LEAT_I_MAPPING(__COUNTER__, s, in, "leat_map", __VA_ARGS__)
#define LEAT_I_MAPPING(N, s, in, op, ...) \
  LEAT_I_TRANSFORM(N, s, in, op, LEAT_I_MAPS, as_map, leat_i_map, LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out), __VA_ARGS__)
#define LEAT_I_MAPS(op, fn) \
  _Static_assert(!LEAT_I_SAME(LEAT_I_CAT(fn, _leat_out), void), op ": the stage function has no result; a LEAT_SINK is for leat_for_each: " LEAT_I_STR(fn))

/* leat_rx(T) leat_filter(scope, in, fn, args...): the items for which fn is true. leat_take_while: those before the first for which it is
 * not, which is lost. leat_skip_while: that one, and all after it. LEAT_FILTER. */
#define leat_filter(s, in, ...) LEAT_I_FILTERING(__COUNTER__, s, in, "leat_filter", as_filter, leat_i_filter, __VA_ARGS__)
#define leat_take_while(s, in, ...) LEAT_I_FILTERING(__COUNTER__, s, in, "leat_take_while", as_while, leat_i_take_while, __VA_ARGS__)
#define leat_skip_while(s, in, ...) LEAT_I_FILTERING(__COUNTER__, s, in, "leat_skip_while", as_while, leat_i_skip_while, __VA_ARGS__)
#define LEAT_I_FILTERING(N, s, in, op, role, make, ...) \
  LEAT_I_TRANSFORM(N, s, in, op, LEAT_I_FILTERS, role, make, LEAT_I_ITEM(N), __VA_ARGS__)
#define LEAT_I_FILTERS(op, fn) \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(fn, _leat_out), bool), op ": the stage function does not answer bool; declare it with LEAT_FILTER: " LEAT_I_STR(fn))

#define LEAT_I_TRANSFORM(N, s, in, op, suits, role, make, Out, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, op); \
    suits(op, LEAT_I_FIRST(__VA_ARGS__)); \
    LEAT_I_FUNCTION_OF(N, op, __VA_ARGS__) \
    (leat_rx(Out)) make(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), role), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })

/* leat_rx(T) leat_take(scope, in, n): the first n items; the source is asked for no more. leat_first(scope, in): the first. leat_skip(scope, in,
 * n): all but the first n. leat_last(scope, in): the last, when the input has ended. */
#define leat_take(s, in, n) LEAT_I_PASSING(__COUNTER__, s, in, "leat_take", leat_i_take, (n))
#define leat_first(s, in) LEAT_I_PASSING(__COUNTER__, s, in, "leat_first", leat_i_take, 1)
#define leat_skip(s, in, n) LEAT_I_PASSING(__COUNTER__, s, in, "leat_skip", leat_i_skip, (n))
#define leat_last(s, in) LEAT_I_PASSING(__COUNTER__, s, in, "leat_last", leat_i_last, 0)

LEAT_I_BEGIN
struct leat_i_chan *leat_i_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_filter(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_take_while(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_skip_while(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_take(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace);
struct leat_i_chan *leat_i_skip(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace);
struct leat_i_chan *leat_i_last(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t unused, const char *birthplace);
LEAT_I_END
