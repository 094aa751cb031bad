/* leat/generate.h - stages without input: where items come from (leat/stage.h says what all stages have in common).
 *
 * None runs ahead of demand by more than the one item that waits to be taken: behind leat_take(s, in, 10) a function is called ten times.
 * Those without a function are pure: fused, they work in batches. */
#pragma once
#include "result.h"
#include "stage.h"

/* leat_rx(T) leat_values(scope, T, v1, v2, ...): up to seventeen values, copied now. One with commas needs a pair of parentheses around it.
 * leat_repeat(scope, T, v1, ...): the same over and over, until nobody wants more. */
#define leat_values(s, T, ...) LEAT_I_VALUES(__COUNTER__, s, T, "leat_values", 1, __VA_ARGS__)
#define leat_repeat(s, T, ...) LEAT_I_VALUES(__COUNTER__, s, T, "leat_repeat", INT64_MAX, __VA_ARGS__)
#define LEAT_I_VALUES(N, s, T, op, times, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    LEAT_I_ELEMENT(T, op); \
    __typeof__(T) LEAT_I_CAT(leat_i_v, N)[] = {LEAT_I_CAT(LEAT_I_EACH_, LEAT_I_COUNT(__VA_ARGS__))(N, op, T, __VA_ARGS__)}; \
    (leat_rx(T)) leat_i_values(LEAT_I_CAT(leat_i_s, N), LEAT_I_CAT(leat_i_v, N), sizeof(T), LEAT_I_COUNT(__VA_ARGS__), (times), LEAT_I_HERE); \
  })
#define LEAT_I_ITEM_OF(N, op, T, v) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(v); \
    _Static_assert(LEAT_I_FITS(__typeof__(T), LEAT_I_CAT(leat_i_x, N)), op ": a value does not have the element type"); \
    __typeof__(T) LEAT_I_CAT(leat_i_y, N) = LEAT_I_CAT(leat_i_x, N); \
    LEAT_I_CAT(leat_i_y, N); \
  })
#define LEAT_I_EACH_1(N, op, T, v) LEAT_I_ITEM_OF(N, op, T, v)
#define LEAT_I_EACH_2(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_1(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_3(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_2(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_4(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_3(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_5(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_4(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_6(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_5(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_7(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_6(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_8(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_7(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_9(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_8(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_10(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_9(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_11(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_10(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_12(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_11(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_13(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_12(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_14(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_13(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_15(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_14(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_16(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_15(N, op, T, __VA_ARGS__)
#define LEAT_I_EACH_17(N, op, T, v, ...) LEAT_I_ITEM_OF(N, op, T, v), LEAT_I_EACH_16(N, op, T, __VA_ARGS__)

/* leat_rx(T) leat_array(scope, const T *items, n): the items, which are not copied: the array must live, unchanged, until the scope is left. */
#define leat_array(s, items, n) LEAT_I_ARRAY(__COUNTER__, s, items, n, "leat_array", leat_i_array)
/* leat_rx(T) leat_filled(scope, const T *items, n): a closed channel that holds copies of the items in its buffer. No goroutine. */
#define leat_filled(s, items, n) LEAT_I_ARRAY(__COUNTER__, s, items, n, "leat_filled", leat_i_filled)
#define LEAT_I_ARRAY(N, s, items, n, op, make) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (items); \
    _Static_assert(LEAT_I_SAME(__typeof__(*LEAT_I_CAT(leat_i_p, N)), __typeof__(LEAT_I_VALUE(*LEAT_I_CAT(leat_i_p, N)))), op ": the second argument is not an array of items"); \
    (leat_rx(__typeof__(LEAT_I_VALUE(*LEAT_I_CAT(leat_i_p, N))))) \
      make(LEAT_I_CAT(leat_i_s, N), LEAT_I_CAT(leat_i_p, N), sizeof *LEAT_I_CAT(leat_i_p, N), (n), LEAT_I_HERE); \
  })

/* leat_rx(T) leat_numbers(scope, T, from, to): from, from + 1, ... up to but without to. T: an integer type of at most 64 bits. */
#define leat_numbers(s, T, from, to) LEAT_I_NUMBERS(__COUNTER__, s, T, "leat_numbers", from, to, leat_i_numbers)
#define LEAT_I_NUMBERS(N, s, T, op, from, to, make) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    LEAT_I_ELEMENT(T, op); \
    _Static_assert(LEAT_I_CLASS((T)0) <= 4 && sizeof(T) <= 8, op ": not an integer type of at most 64 bits"); \
    __typeof__(T) LEAT_I_CAT(leat_i_x, N) = (from), LEAT_I_CAT(leat_i_y, N) = (to); \
    (leat_rx(T)) make(LEAT_I_CAT(leat_i_s, N), sizeof(T), (uint64_t)LEAT_I_CAT(leat_i_x, N), \
                      LEAT_I_CAT(leat_i_x, N) < LEAT_I_CAT(leat_i_y, N) ? (uint64_t)LEAT_I_CAT(leat_i_y, N) - (uint64_t)LEAT_I_CAT(leat_i_x, N) : 0, LEAT_I_HERE); \
  })

/* LEAT_SOURCE(name, T, parameters...) { return value; } is a function that makes items; leat_rx(T) leat_repeat_fn(scope, name, args...) calls it
 * for each item that is wanted.
 * LEAT_GENERATOR(name, T, item, parameters...) { *item = value; return LEAT_OK; } makes items as long as there are any: LEAT_CLOSED says
 * that there are no more, any other status fails the scope. item: a T *, which points to zeros. leat_generate(scope, name, args...). */
#define LEAT_SOURCE(name, ...) \
  LEAT_I_SOURCE(LEAT_I_COUNT(__VA_ARGS__), name, LEAT_I_FIRST(__VA_ARGS__), LEAT_I_CAT(LEAT_I_PARAMS_, LEAT_I_COUNT(__VA_ARGS__)), \
                LEAT_I_CAT(LEAT_I_MEMBERS_, LEAT_I_COUNT(__VA_ARGS__)), (__VA_ARGS__))
#define LEAT_I_SOURCE(n, name, T, params, members, pairs) \
  static __attribute__((__unused__)) __typeof__(T) name params pairs; \
  LEAT_I_GENERATOR_TYPES(n, name, T, members pairs); \
  static __attribute__((__unused__)) size_t name##_leat_kernel(struct leat_i_step *leat_i_step, const void *leat_i_in, void *leat_i_out, size_t leat_i_n) { \
    (void)leat_i_in; \
    LEAT_I_KERNEL_ARGS(name); \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) ((__typeof__(T) *)leat_i_out)[leat_i_k] = name LEAT_I_CAT(LEAT_I_PASS_, n)(&leat_i_a); \
    return leat_i_n; \
  } \
  LEAT_I_FUN_RECORD(name, as_source, 0, sizeof(T), 0, true, LEAT_I_DROP_OF(T)); \
  static __typeof__(T) name params pairs
#define LEAT_I_KERNEL_OF_as_source(name) name##_leat_kernel
#define LEAT_I_KERNEL_OF_as_generator(name) name##_leat_kernel
#define LEAT_I_GENERATOR_TYPES(n, name, T, members) \
  typedef __typeof__(T) name##_leat_out; \
  LEAT_I_ARGS_RECORD(n, name, members)

#define LEAT_GENERATOR(name, T, ...) LEAT_I_GENERATOR(LEAT_I_COUNT(__VA_ARGS__), name, T, __VA_ARGS__)
#define LEAT_I_GENERATOR(n, name, T, ...) \
  static __attribute__((__unused__)) int name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(__typeof__(T) *, __VA_ARGS__); \
  LEAT_I_GENERATOR_TYPES(n, name, T, LEAT_I_CAT(LEAT_I_MEMBERS_, n)(__VA_ARGS__)); \
  static __attribute__((__unused__)) size_t name##_leat_kernel(struct leat_i_step *leat_i_step, const void *leat_i_in, void *leat_i_out, size_t leat_i_n) { \
    (void)leat_i_in, (void)leat_i_n; \
    LEAT_I_KERNEL_ARGS(name); \
    return (leat_i_step->status = name LEAT_I_CAT(LEAT_I_CALL_, n)((__typeof__(T) *)leat_i_out)) == LEAT_OK; \
  } \
  LEAT_I_FUN_RECORD(name, as_generator, 0, sizeof(T), 0, true, LEAT_I_DROP_OF(T)); \
  static int name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(__typeof__(T) *, __VA_ARGS__)

#define leat_repeat_fn(s, ...) LEAT_I_GENERATE(__COUNTER__, s, "leat_repeat_fn", as_source, __VA_ARGS__)
#define leat_generate(s, ...) LEAT_I_GENERATE(__COUNTER__, s, "leat_generate", as_generator, __VA_ARGS__)
#define LEAT_I_GENERATE(N, s, op, role, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    LEAT_I_CAT(LEAT_I_BIND_, LEAT_I_COUNT(__VA_ARGS__))(N, op, __VA_ARGS__) \
    (leat_rx(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out))) \
      leat_i_generate(LEAT_I_CAT(leat_i_s, N), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), role), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })

/* leat_rx(leat_result(leat_line)) leat_lines(scope, const char *path): the lines of a file, without their line ends; the last item is an error
 * if the file could not be opened or read to its end. Whoever receives a line frees it. leat_lines_of(scope, fd): of a descriptor, read with
 * leat_io_read, and not closed. */
typedef char *leat_line;
LEAT_RESULT_DEFINE(leat_line);
#define leat_lines(s, path) LEAT_I_LINES(__COUNTER__, s, "leat_lines", leat_i_lines, const char *, path)
#define leat_lines_of(s, fd) LEAT_I_LINES(__COUNTER__, s, "leat_lines_of", leat_i_lines_of, int, fd)
#define LEAT_I_LINES(N, s, op, make, T, from) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    LEAT_I_BOUND(N, leat_i_x, op, T, from); \
    (leat_rx(leat_result(leat_line))) make(LEAT_I_CAT(leat_i_s, N), LEAT_I_CAT(leat_i_x, N), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_values(const struct leat_scope *s, const void *values, size_t size, size_t n, int64_t times, const char *birthplace);
struct leat_i_chan *leat_i_array(const struct leat_scope *s, const void *items, size_t size, size_t n, const char *birthplace);
struct leat_i_chan *leat_i_filled(const struct leat_scope *s, const void *items, size_t size, size_t n, const char *birthplace);
struct leat_i_chan *leat_i_numbers(const struct leat_scope *s, size_t size, uint64_t from, uint64_t n, const char *birthplace);
struct leat_i_chan *leat_i_generate(const struct leat_scope *s, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_lines(const struct leat_scope *s, const char *path, const char *birthplace);
struct leat_i_chan *leat_i_lines_of(const struct leat_scope *s, int fd, const char *birthplace);
LEAT_I_END
