/* leat/transform.h - stages of one input and one output: map, filter, take and their kin (leat/stage.h says what all stages have in common).
 *
 * All keep the order of items, and are fused where they can be. in: a leat_rx(T), or a channel. fn: the name of a function declared with the
 * macro named here, then the values of its parameters. */
#pragma once
#include "result.h"
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
#define leat_take(s, in, n) LEAT_I_PASSING(__COUNTER__, s, in, "leat_take", leat_i_take, int64_t, n)
#define leat_first(s, in) LEAT_I_PASSING(__COUNTER__, s, in, "leat_first", leat_i_take, int64_t, 1)
#define leat_skip(s, in, n) LEAT_I_PASSING(__COUNTER__, s, in, "leat_skip", leat_i_skip, int64_t, n)
#define leat_last(s, in) LEAT_I_PASSING(__COUNTER__, s, in, "leat_last", leat_i_last, int64_t, 0)

/* leat_rx(Acc) leat_scan(scope, in, initial, fn, args...): all that a fold goes through: fn(initial, item 1), fn(that, item 2), ... LEAT_FOLD. */
#define leat_scan(s, in, initial, ...) LEAT_I_SCAN(__COUNTER__, s, in, initial, __VA_ARGS__)
#define LEAT_I_SCAN(N, s, in, initial, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_scan"); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(initial); \
    _Static_assert(LEAT_I_FITS(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out), LEAT_I_CAT(leat_i_x, N)), "leat_scan: the initial value does not have the function's type"); \
    LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out) LEAT_I_CAT(leat_i_y, N) = LEAT_I_CAT(leat_i_x, N); \
    LEAT_I_FUNCTION_OF(N, "leat_scan", __VA_ARGS__) \
    (leat_rx(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out))) leat_i_scan(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_scan), \
                                                                       &LEAT_I_CAT(leat_i_a, N), &LEAT_I_CAT(leat_i_y, N), LEAT_I_HERE); \
  })

/* leat_rx(leat_indexed(T)) leat_enumerate(scope, in, T): each item with its number, from 0. LEAT_INDEXED_DEFINE(T); once, at file level, defines
 * leat_indexed(T): {int64_t index; T value;}. T: one word, and the channel's element type. */
#define LEAT_INDEXED_DEFINE(T) \
  struct leat_indexed_##T { \
    int64_t index; \
    T value; \
  }
#define leat_indexed(T) struct leat_indexed_##T
#define leat_enumerate(s, in, T) LEAT_I_ENUMERATE(__COUNTER__, s, in, T, leat_indexed(T))
#define LEAT_I_ENUMERATE(N, s, in, T, Indexed) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_enumerate"); \
    _Static_assert(LEAT_I_SAME(T, LEAT_I_ITEM(N)), "leat_enumerate: the type named is not the channel's element type"); \
    (leat_rx(Indexed)) leat_i_enumerate(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(T), sizeof(Indexed), offsetof(Indexed, value), LEAT_I_HERE); \
  })

/* leat_rx(Out) leat_flat_map(scope, in, fn, args...): all that fn emits for each item. LEAT_FLAT_MAP(name, In, Out, item, out, parameters...) {
 * leat_emit(out, value); ... } For functions that give a stream instead: leat_bridge of a leat_map. */
#define leat_out(T) __typeof__(__typeof__(T)(*)(struct leat_i_out *))
struct leat_i_out {
  char *items;
  size_t n, at, room, size;
  bool failed;
};
#define leat_emit(out, ...) LEAT_I_EMIT(__COUNTER__, out, (__VA_ARGS__))
#define LEAT_I_EMIT(N, out, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_o, N) = (out); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_o, N)), leat_out(LEAT_I_ELEM(LEAT_I_CAT(leat_i_o, N)))), "leat_emit: needs the leat_out of a LEAT_FLAT_MAP"); \
    _Static_assert(LEAT_I_FITS(LEAT_I_ELEM(LEAT_I_CAT(leat_i_o, N)), LEAT_I_CAT(leat_i_x, N)), "leat_emit: the value does not have the output's element type"); \
    LEAT_I_ELEM(LEAT_I_CAT(leat_i_o, N)) LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_i_emit((struct leat_i_out *)LEAT_I_CAT(leat_i_o, N), &LEAT_I_CAT(leat_i_v, N)); \
  })
#define LEAT_FLAT_MAP(name, In, Out, item, ...) LEAT_I_FLAT_MAP(LEAT_I_COUNT(__VA_ARGS__), name, In, Out, item, __VA_ARGS__)
#define LEAT_I_FLAT_MAP(n, name, In, Out, item, ...) \
  static __attribute__((__unused__)) void name(__typeof__(In) item, LEAT_I_CAT(LEAT_I_ITEM_, n)(leat_out(Out), __VA_ARGS__)); \
  LEAT_I_FUN_TYPES(n, name, In, Out, __VA_ARGS__); \
  LEAT_I_KERNEL(name##_leat_flat_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    (void)leat_i_out; \
    const __typeof__(In) *leat_i_x = (const __typeof__(In) *)leat_i_in; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) name(leat_i_x[leat_i_k], LEAT_I_CAT(LEAT_I_VALUES_, n)((__extension__(leat_out(Out))leat_i_step->state))); \
    return leat_i_n; \
  } \
  LEAT_I_FUN_RECORD(name, as_flat, sizeof(In), sizeof(Out), sizeof(struct leat_i_out), false, LEAT_I_DROP_OF(Out)); \
  LEAT_I_PIPE_RECORD(name, name##_leat_out, leat_i_flat_map, as_flat); \
  static void name(__typeof__(In) item, LEAT_I_CAT(LEAT_I_ITEM_, n)(leat_out(Out), __VA_ARGS__))
#define LEAT_I_KERNEL_OF_as_flat(name) name##_leat_flat_kernel
#define LEAT_I_FLAT_MAPS(op, fn) _Static_assert(sizeof(LEAT_I_CAT(fn, _leat_as_flat)), op)
#define leat_flat_map(s, in, ...) LEAT_I_FLAT_MAPPING(__COUNTER__, s, in, "leat_flat_map", __VA_ARGS__)
#define LEAT_I_FLAT_MAPPING(N, s, in, op, ...) \
  LEAT_I_TRANSFORM(N, s, in, op, LEAT_I_FLAT_MAPS, as_flat, leat_i_flat_map, LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out), __VA_ARGS__)

/* leat_rx(leat_result(Out)) leat_map_result(scope, in, fn, args...): of a leat_rx(leat_result(In)): fn of each value; errors are passed on as they
 * are. LEAT_MAP_RESULT(name, In, Out, item, parameters...) { return leat_ok(Out, ...); or leat_err(Out, ...); } has effects. In and Out: one word,
 * with a LEAT_RESULT_DEFINE. */
#define LEAT_MAP_RESULT(name, In, Out, ...) LEAT_I_MAP_RESULT(LEAT_I_COUNT(__VA_ARGS__), name, In, leat_result(In), leat_result(Out), __VA_ARGS__)
#define LEAT_I_MAP_RESULT(n, name, In, ResultIn, ResultOut, ...) \
  static __attribute__((__unused__)) ResultOut name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__); \
  LEAT_I_FUN_TYPES(n, name, ResultIn, ResultOut, __VA_ARGS__); \
  LEAT_I_KERNEL(name##_leat_map_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    const ResultIn *leat_i_x = (const ResultIn *)leat_i_in; \
    ResultOut *leat_i_y = (ResultOut *)leat_i_out; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) \
      leat_i_y[leat_i_k] = leat_i_x[leat_i_k].error ? ((ResultOut){.error = leat_i_x[leat_i_k].error}) : name LEAT_I_CAT(LEAT_I_CALL_, n)(leat_i_x[leat_i_k].value); \
    return leat_i_n; \
  } \
  LEAT_I_FUN_RECORD(name, as_map, sizeof(ResultIn), sizeof(ResultOut), 0, true, leat_i_drop_result); \
  LEAT_I_PIPE_RECORD(name, ResultOut, leat_i_map, as_map); \
  static ResultOut name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__)
#define leat_map_result(s, in, ...) LEAT_I_MAPPING(__COUNTER__, s, in, "leat_map_result", __VA_ARGS__)

/* leat_rx(T) leat_distinct(scope, in, most): the items that are not among the `most` last different ones. Strings (char *) are compared as strings,
 * other items byte by byte: where there is padding or a pointer to look behind, leat_distinct_by(scope, in, most, key, args...) compares
 * what the LEAT_MAP function makes of them. Memory: for `most` keys. */
#define leat_distinct(s, in, most) LEAT_I_DISTINCT(__COUNTER__, s, in, most)
#define LEAT_I_DISTINCT(N, s, in, most) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_distinct"); \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_distinct(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), NULL, NULL, (most), LEAT_I_IS_TEXT(LEAT_I_ITEM(N)), LEAT_I_HERE); \
  })
#define leat_distinct_by(s, in, most, ...) LEAT_I_DISTINCT_BY(__COUNTER__, s, in, most, __VA_ARGS__)
#define LEAT_I_DISTINCT_BY(N, s, in, most, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_distinct_by"); \
    LEAT_I_MAPS("leat_distinct_by", LEAT_I_FIRST(__VA_ARGS__)); \
    LEAT_I_FUNCTION_OF(N, "leat_distinct_by", __VA_ARGS__) \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_distinct(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_map), \
                                              &LEAT_I_CAT(leat_i_a, N), (most), LEAT_I_IS_TEXT(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out)), LEAT_I_HERE); \
  })
#define LEAT_I_IS_TEXT(T) (LEAT_I_SAME(T, char *) || LEAT_I_SAME(T, const char *))

LEAT_I_BEGIN
struct leat_i_chan *leat_i_scan(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const void *initial, const char *birthplace);
struct leat_i_chan *leat_i_enumerate(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t out_size, size_t value_at, const char *birthplace);
struct leat_i_chan *leat_i_flat_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
void leat_i_emit(struct leat_i_out *out, const void *item);
struct leat_i_chan *leat_i_distinct(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const struct leat_i_fun *key, const void *args, size_t most, bool text, const char *birthplace);
struct leat_i_chan *leat_i_take_while(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_skip_while(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_take(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace);
struct leat_i_chan *leat_i_skip(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace);
struct leat_i_chan *leat_i_last(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t unused, const char *birthplace);
LEAT_I_END
