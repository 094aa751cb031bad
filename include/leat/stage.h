/* leat/stage.h - stages: functions from channels to channels, each running in goroutines of its scope.
 *
 * A stage takes a scope and receiving views and gives a receiving view, typed all through: leat_take(s, leat_map(s, in, square), 10). No
 * stage needs a done channel: a transform ends when its input is drained or its output is stopped, and then stops its input, so whoever
 * has enough ends all that is upstream. Sinks (leat_for_each) end only with their input, so that nothing in flight is lost; leat_wait
 * waits for both. A stage that is not the only consumer of its input: see leat_share.
 *
 * LEAT_MAP(square, int, int, n) { return n * n; } declares a pure function, which may be run ahead over a batch of what is there already;
 * LEAT_EFFECT declares one that is run item by item and never more than one item ahead of what was taken. */
#pragma once
#include "channel.h"
#include "goroutine.h"
#include "scope.h"

struct leat_i_stage_fn {
  void (*kernel)(const void *in, void *out, size_t n);
  size_t in, out;
  size_t batch; /* how many items may be worked on before one is asked for */
  const char *name;
};

#define LEAT_MAP(name, In, Out, x) LEAT_I_STAGE_FN(name, In, Out, x, 64)
#define LEAT_EFFECT(name, In, Out, x) LEAT_I_STAGE_FN(name, In, Out, x, 1)
/* LEAT_FILTER(even, int, n) { return n % 2 == 0; } */
#define LEAT_FILTER(name, In, x) LEAT_I_STAGE_FN(name, In, bool, x, 64)
/* LEAT_SINK(print, int, n) { printf("%d\n", n); } */
#define LEAT_SINK(name, In, x) \
  static __attribute__((__unused__)) void name(__typeof__(In) x); \
  static __attribute__((__unused__)) void name##_leat_kernel(const void *leat_i_in, void *leat_i_out, size_t leat_i_n) { \
    (void)leat_i_out; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) name(((const __typeof__(In) *)leat_i_in)[leat_i_k]); \
  } \
  static __attribute__((__unused__)) const struct leat_i_stage_fn name##_leat_stage = {name##_leat_kernel, sizeof(In), 0, 1, #name}; \
  typedef void name##_leat_result; \
  static void name(__typeof__(In) x)

#define LEAT_I_STAGE_FN(name, In, Out, x, batch) \
  static inline __attribute__((__unused__)) __typeof__(Out) name(__typeof__(In) x); \
  static __attribute__((__unused__)) void name##_leat_kernel(const void *leat_i_in, void *leat_i_out, size_t leat_i_n) { \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) \
      ((__typeof__(Out) *)leat_i_out)[leat_i_k] = name(((const __typeof__(In) *)leat_i_in)[leat_i_k]); \
  } \
  static __attribute__((__unused__)) const struct leat_i_stage_fn name##_leat_stage = {name##_leat_kernel, sizeof(In), sizeof(Out), batch, #name}; \
  typedef __typeof__(Out) name##_leat_result; \
  static inline __typeof__(Out) name(__typeof__(In) x)

/* leat_rx(Out) leat_map(scope, in, fn): fn of each item, in order. leat_rx(T) leat_filter(scope, in, fn): the items for which fn is true.
 * leat_rx(T) leat_take(scope, in, n): the first n. int leat_for_each(scope, in, fn): a sink. Out of memory: the output answers
 * LEAT_NOMEM, and the scope has failed with it. */
#define leat_map(s, in, fn) \
  LEAT_I_STAGE(__COUNTER__, s, in, fn, "leat_map", LEAT_I_MAPS, LEAT_I_RESULT_OF, leat_i_map, leat_rx)
#define leat_filter(s, in, fn) LEAT_I_STAGE(__COUNTER__, s, in, fn, "leat_filter", LEAT_I_FILTERS, LEAT_I_ITEM_OF, leat_i_filter, leat_rx)
#define LEAT_I_RESULT_OF(c, fn) LEAT_I_CAT(fn, _leat_result)
#define LEAT_I_ITEM_OF(c, fn) LEAT_I_ELEM(c)
#define LEAT_I_STAGE(N, s, in, fn, op, suits, result, make, view) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (in); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), op); \
    LEAT_I_TAKES(fn, LEAT_I_CAT(leat_i_c, N), op); \
    suits(fn); \
    (view(result(LEAT_I_CAT(leat_i_c, N), fn))) make(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), &LEAT_I_CAT(fn, _leat_stage), LEAT_I_HERE); \
  })
#define LEAT_I_TAKES(fn, c, op) \
  _Static_assert(LEAT_I_SAME(__typeof__(fn), LEAT_I_CAT(fn, _leat_result)(LEAT_I_ELEM(c))), \
                 op ": the stage function does not take this channel's element type")
#define LEAT_I_MAPS(fn) \
  _Static_assert(!LEAT_I_SAME(LEAT_I_CAT(fn, _leat_result), void), "leat_map: the stage function has no result; a LEAT_SINK is for leat_for_each")
#define LEAT_I_FILTERS(fn) \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(fn, _leat_result), bool), "leat_filter: the stage function does not answer bool; declare it with LEAT_FILTER")
#define LEAT_I_SINKS(fn) \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(fn, _leat_result), void), "leat_for_each: the stage function has a result; declare it with LEAT_SINK")
#define leat_take(s, in, n) LEAT_I_TAKE(__COUNTER__, s, in, n)
#define LEAT_I_TAKE(N, s, in, n) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_take"); \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (in); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_take"); \
    (leat_rx(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)))) leat_i_take(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), sizeof(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N))), (n), LEAT_I_HERE); \
  })
#define leat_for_each(s, in, fn) LEAT_I_SINK_STAGE(__COUNTER__, s, in, fn)
#define LEAT_I_SINK_STAGE(N, s, in, fn) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_for_each"); \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (in); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_for_each"); \
    LEAT_I_TAKES(fn, LEAT_I_CAT(leat_i_c, N), "leat_for_each"); \
    LEAT_I_SINKS(fn); \
    leat_i_for_each(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), &LEAT_I_CAT(fn, _leat_stage), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_stage_fn *fn, const char *birthplace);
struct leat_i_chan *leat_i_filter(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_stage_fn *fn, const char *birthplace);
struct leat_i_chan *leat_i_take(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace);
int leat_i_for_each(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_stage_fn *fn, const char *birthplace);
LEAT_I_END
