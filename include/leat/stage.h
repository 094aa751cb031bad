/* leat/stage.h - stages: functions from channels to channels, each running in its scope; and the functions that stages are made of.
 *
 *   LEAT_MAP(times, int, int, n, int, by) { return n * by; }                      a pure function, with a parameter
 *   leat_rx(int) out = leat_take(s, leat_map(s, in, times, 2), 10);               stages
 *
 * A stage is a function whose first argument is a scope. It takes and gives receiving views, typed all through, and needs no done channel:
 * a transform ends when its input is drained or its output is stopped, and then stops its input, so whoever has enough ends all that is
 * upstream. Sinks that run on their own (leat_for_each) end only with their input, so that nothing in flight is lost; leat_wait waits for
 * both. The vocabulary:
 *
 *   leat/generate.h   sources        leat/window.h    batches, windows, order
 *   leat/transform.h  one input      leat/rate.h      time
 *   leat/combine.h    many inputs    leat/collect.h   ends: folds, arrays, tables
 *   leat/parallel.h   many workers   leat/compose.h   stages of one's own; stages as values
 *
 * Demand. Nothing runs before somebody asks: a stage begins with the first receive from its output. Then it works at most one item ahead of
 * what was taken, plus what room its output's buffer has (leat_buffer). A source is never asked for more: behind leat_take(s, in, 10)
 * it is asked ten times.
 *
 * Fusion (after transducers). A chain of stages in one scope, each the only reader of the one before, becomes one goroutine without
 * channels between, which works on batches; with a blocking end such as leat_fold it runs in the caller, with no channel at all. Functions
 * declared with LEAT_MAP, LEAT_FILTER and LEAT_FOLD are pure: what they do cannot be seen, so over a pure source they may run ahead, in
 * batches that grow while they take less than 10 microseconds. Functions with effects (LEAT_EFFECT, LEAT_SOURCE, LEAT_SINK) run item by
 * item; a goroutine has one of them at most, so two of them run concurrently as separate stages do. leat_buffer is never fused away. Fused or
 * not, values, order and ends are the same. A stage whose output was fused belongs to its reader: a second reader must be made before the first
 * value is asked for, or the output be shared with leat_share.
 *
 * Ownership. A stage takes over the items that it receives. Those it does not pass on (filtered, skipped, in flight when it ends) go to
 * the drop function of the channel they came from; stages that pass items on unchanged hand the drop function on too. A LEAT_MAP function
 * owns its argument; a LEAT_FILTER function only looks at it, and so does one that makes a key or a number for a stage that passes the item on.
 *
 * A stage may be made, and read, by any goroutine or thread. Out of memory its output answers LEAT_NOMEM, and the scope has failed with that. */
#pragma once
#include "channel.h"
#include "goroutine.h"
#include "scope.h"

/* What a kernel is given beside its batch. */
struct leat_i_step {
  void *args;           /* the bound arguments */
  void *state;          /* what it accumulates */
  void (*drop)(void *); /* for items that are not passed on; if there is one, kernels get one item at a time */
  bool done;            /* by the kernel: it wants no more */
  int status;           /* by the kernel of a generator that has no more; why one is done that is not done regularly */
};
/* Works on n items of in, writes results to out, and answers how many. The two do not overlap. */
typedef size_t leat_i_kernel(struct leat_i_step *step, const void *in, void *out, size_t n);

/* A function as stages use it. */
struct leat_i_fun {
  leat_i_kernel *kernel;
  size_t in, out, args, state;
  bool effect;
  const char *name;
  void (*drop)(void *); /* what the output has, or NULL */
};

/* The functions. After the item's name there may be parameters, (type, name) pairs, up to eight: their values are given to the stage and
 * copied. Each name is a plain function as well.
 *
 *   LEAT_MAP(name, In, Out, item, parameters...) { return ...; }         pure
 *   LEAT_EFFECT(name, In, Out, item, parameters...) { return ...; }      the same with effects: calls can be seen, or block
 *   LEAT_FILTER(name, In, item, parameters...) { return is_wanted; }     pure
 *   LEAT_FOLD(name, Acc, acc, In, item, parameters...) { return acc; }   pure: what has been accumulated, and one more item
 *   LEAT_SINK(name, In, item, parameters...) { ... }                     effects */
#define LEAT_MAP(name, In, Out, ...) LEAT_I_MAP(LEAT_I_COUNT(__VA_ARGS__), name, In, Out, false, __VA_ARGS__)
#define LEAT_EFFECT(name, In, Out, ...) LEAT_I_MAP(LEAT_I_COUNT(__VA_ARGS__), name, In, Out, true, __VA_ARGS__)
#define LEAT_I_MAP(n, name, In, Out, effect, ...) \
  static inline __attribute__((__unused__)) __typeof__(Out) name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__); \
  LEAT_I_FUN_TYPES(n, name, In, Out, __VA_ARGS__); \
  LEAT_I_MAP_KERNEL(n, name, In, Out) \
  LEAT_I_FUN_RECORD(name, as_map, sizeof(In), sizeof(Out), 0, effect, LEAT_I_DROP_OF(Out)); \
  LEAT_I_PIPE_RECORD(name, name##_leat_out, leat_i_map, as_map); \
  static inline __typeof__(Out) name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__)
#define LEAT_I_MAP_KERNEL(n, name, In, Out) \
  LEAT_I_KERNEL(name##_leat_map_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    const __typeof__(In) *restrict leat_i_x = (const __typeof__(In) *)leat_i_in; \
    __typeof__(Out) *restrict leat_i_y = (__typeof__(Out) *)leat_i_out; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) leat_i_y[leat_i_k] = name LEAT_I_CAT(LEAT_I_CALL_, n)(leat_i_x[leat_i_k]); \
    return leat_i_n; \
  }

#define LEAT_FILTER(name, In, ...) LEAT_I_FILTER(LEAT_I_COUNT(__VA_ARGS__), name, In, __VA_ARGS__)
#define LEAT_I_FILTER(n, name, In, ...) \
  static inline __attribute__((__unused__)) bool name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__); \
  LEAT_I_FUN_TYPES(n, name, In, bool, __VA_ARGS__); \
  LEAT_I_MAP_KERNEL(n, name, In, bool) \
  LEAT_I_FUN_RECORD(name, as_map, sizeof(In), sizeof(bool), 0, false, NULL); \
  LEAT_I_KERNEL(name##_leat_filter_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    const __typeof__(In) *restrict leat_i_x = (const __typeof__(In) *)leat_i_in; \
    __typeof__(name##_leat_in) *restrict leat_i_y = (__typeof__(name##_leat_in) *)leat_i_out; \
    size_t leat_i_m = 0; \
    if (leat_i_step->drop) { /* one item */ \
      if (name LEAT_I_CAT(LEAT_I_CALL_, n)(*leat_i_x)) return *leat_i_y = *leat_i_x, 1; \
      leat_i_step->drop((void *)(uintptr_t)leat_i_x); \
      return 0; \
    } \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) { /* without a branch: whether to keep it cannot be foretold */ \
      leat_i_y[leat_i_m] = leat_i_x[leat_i_k]; \
      leat_i_m += name LEAT_I_CAT(LEAT_I_CALL_, n)(leat_i_x[leat_i_k]) ? 1 : 0; \
    } \
    return leat_i_m; \
  } \
  LEAT_I_FUN_RECORD(name, as_filter, sizeof(In), sizeof(In), 0, false, NULL); \
  LEAT_I_PIPE_RECORD(name, name##_leat_in, leat_i_filter, as_filter); \
  /* take while: up to the first that is not wanted; skip while: from it on */ \
  LEAT_I_KERNEL(name##_leat_while_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    (void)leat_i_out; \
    const __typeof__(In) *leat_i_x = (const __typeof__(In) *)leat_i_in; \
    size_t leat_i_k = 0; \
    while (leat_i_k < leat_i_n && name LEAT_I_CAT(LEAT_I_CALL_, n)(leat_i_x[leat_i_k])) leat_i_k++; \
    return leat_i_k; \
  } \
  LEAT_I_FUN_RECORD(name, as_while, sizeof(In), sizeof(In), 0, false, NULL); \
  static inline bool name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__)

#define LEAT_FOLD(name, Acc, acc, In, ...) LEAT_I_FOLD(LEAT_I_COUNT(__VA_ARGS__), name, Acc, acc, In, __VA_ARGS__)
#define LEAT_I_FOLD(n, name, Acc, acc, In, ...) \
  static inline __attribute__((__unused__)) __typeof__(Acc) name(__typeof__(Acc) acc, LEAT_I_CAT(LEAT_I_ITEM_, n)(In, __VA_ARGS__)); \
  LEAT_I_FUN_TYPES(n, name, In, Acc, __VA_ARGS__); \
  LEAT_I_KERNEL(name##_leat_fold_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    (void)leat_i_out; \
    const __typeof__(In) *restrict leat_i_x = (const __typeof__(In) *)leat_i_in; \
    __typeof__(Acc) leat_i_acc = *(__typeof__(Acc) *)leat_i_step->state; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) leat_i_acc = name(leat_i_acc, LEAT_I_CAT(LEAT_I_VALUES_, n)(leat_i_x[leat_i_k])); \
    *(__typeof__(Acc) *)leat_i_step->state = leat_i_acc; \
    return leat_i_n; \
  } \
  LEAT_I_FUN_RECORD(name, as_fold, sizeof(In), sizeof(Acc), sizeof(Acc), false, NULL); \
  LEAT_I_KERNEL(name##_leat_scan_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    const __typeof__(In) *restrict leat_i_x = (const __typeof__(In) *)leat_i_in; \
    __typeof__(Acc) *restrict leat_i_y = (__typeof__(Acc) *)leat_i_out; \
    __typeof__(Acc) leat_i_acc = *(__typeof__(Acc) *)leat_i_step->state; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) \
      leat_i_y[leat_i_k] = leat_i_acc = name(leat_i_acc, LEAT_I_CAT(LEAT_I_VALUES_, n)(leat_i_x[leat_i_k])); \
    *(__typeof__(Acc) *)leat_i_step->state = leat_i_acc; \
    return leat_i_n; \
  } \
  LEAT_I_FUN_RECORD(name, as_scan, sizeof(In), sizeof(Acc), sizeof(Acc), false, NULL); \
  LEAT_I_PIPE_RECORD(name, name##_leat_out, leat_i_scan_from_zero, as_scan); \
  static inline __typeof__(Acc) name(__typeof__(Acc) acc, LEAT_I_CAT(LEAT_I_ITEM_, n)(In, __VA_ARGS__))

#define LEAT_SINK(name, In, ...) LEAT_I_SINK(LEAT_I_COUNT(__VA_ARGS__), name, In, __VA_ARGS__)
#define LEAT_I_SINK(n, name, In, ...) \
  static __attribute__((__unused__)) void name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__); \
  LEAT_I_FUN_TYPES(n, name, In, void, __VA_ARGS__); \
  LEAT_I_KERNEL(name##_leat_sink_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    (void)leat_i_out; \
    const __typeof__(In) *leat_i_x = (const __typeof__(In) *)leat_i_in; \
    for (size_t leat_i_k = 0; leat_i_k < leat_i_n; leat_i_k++) name LEAT_I_CAT(LEAT_I_CALL_, n)(leat_i_x[leat_i_k]); \
    return leat_i_n; \
  } \
  LEAT_I_FUN_RECORD(name, as_sink, sizeof(In), 0, 0, true, NULL); \
  static void name LEAT_I_CAT(LEAT_I_ITEM_AND_, n)(In, __VA_ARGS__)

/* Kernels are vectorised whatever the level of optimisation; clang's are from -O2. */
#if defined(__OPTIMIZE__) && !defined(__clang__)
#define LEAT_I_KERNEL_ATTRIBUTES __attribute__((__unused__, __optimize__("tree-vectorize", "vect-cost-model=dynamic")))
#else
#define LEAT_I_KERNEL_ATTRIBUTES __attribute__((__unused__))
#endif
#define LEAT_I_KERNEL(name) \
  static LEAT_I_KERNEL_ATTRIBUTES size_t name(struct leat_i_step *leat_i_step, const void *restrict leat_i_in, void *restrict leat_i_out, size_t leat_i_n)
/* A copy, so that the compiler knows that results do not overwrite the arguments. */
#define LEAT_I_KERNEL_ARGS(name) \
  const struct name##_leat_args leat_i_a = *(const struct name##_leat_args *)leat_i_step->args; \
  (void)leat_i_a
#define LEAT_I_FUN_TYPES(n, name, In, Out, ...) \
  typedef __typeof__(LEAT_I_VALUE(*(__typeof__(In) *)0)) name##_leat_in; \
  typedef __typeof__(Out) name##_leat_out; \
  LEAT_I_ARGS_RECORD(n, name, LEAT_I_CAT(LEAT_I_MEMBERS_, n)(__VA_ARGS__))
#define LEAT_I_ARGS_RECORD(n, name, members) \
  struct name##_leat_args { \
    members \
  }; \
  enum { name##_leat_arity = (n) / 2 }; \
  _Static_assert(__alignof__(struct name##_leat_args) <= 16, #name ": a parameter is aligned to more than 16 bytes; pass a pointer to it")
#define LEAT_I_FUN_RECORD(name, role, in, out, state, effect, drop) LEAT_I_FUN_RECORD_(name, role, LEAT_I_CAT(LEAT_I_KERNEL_OF_, role)(name), in, out, state, effect, drop)
#define LEAT_I_FUN_RECORD_(name, role, kernel, in, out, state, effect, drop) \
  static __attribute__((__unused__)) const struct leat_i_fun name##_leat_##role = {kernel, in, out, sizeof(struct name##_leat_args), state, effect, #name, drop}
/* How it is made a stage of its own: see leat/compose.h. */
#define LEAT_I_PIPE_RECORD(name, Out, make, role) \
  typedef Out name##_leat_pipe_out; \
  static __attribute__((__unused__)) struct leat_i_chan *name##_leat_pipe(const struct leat_scope *leat_i_s, struct leat_i_chan *leat_i_in, const void *leat_i_args, const char *leat_i_place) { \
    return make(leat_i_s, leat_i_in, &name##_leat_##role, leat_i_args, leat_i_place); \
  } \
  struct name##_leat_args
#define LEAT_I_KERNEL_OF_as_map(name) name##_leat_map_kernel
#define LEAT_I_KERNEL_OF_as_filter(name) name##_leat_filter_kernel
#define LEAT_I_KERNEL_OF_as_while(name) name##_leat_while_kernel
#define LEAT_I_KERNEL_OF_as_fold(name) name##_leat_fold_kernel
#define LEAT_I_KERNEL_OF_as_scan(name) name##_leat_scan_kernel
#define LEAT_I_KERNEL_OF_as_sink(name) name##_leat_sink_kernel

/* By the number of macro arguments after In: the item's name and (type, name) pairs. ITEM: the parameters; ITEM_AND: with parentheses. VALUES:
 * what is passed for them; CALL: with parentheses. */
#define LEAT_I_ITEM_1(In, x) __typeof__(In) x
#define LEAT_I_ITEM_3(In, x, t1, n1) __typeof__(In) x, __typeof__(t1) n1
#define LEAT_I_ITEM_5(In, x, t1, n1, t2, n2) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2
#define LEAT_I_ITEM_7(In, x, t1, n1, t2, n2, t3, n3) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3
#define LEAT_I_ITEM_9(In, x, t1, n1, t2, n2, t3, n3, t4, n4) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4
#define LEAT_I_ITEM_11(In, x, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5
#define LEAT_I_ITEM_13(In, x, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6
#define LEAT_I_ITEM_15(In, x, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6, __typeof__(t7) n7
#define LEAT_I_ITEM_17(In, x, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7, t8, n8) __typeof__(In) x, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6, __typeof__(t7) n7, __typeof__(t8) n8
#define LEAT_I_ITEM_AND_1(...) (LEAT_I_ITEM_1(__VA_ARGS__))
#define LEAT_I_ITEM_AND_3(...) (LEAT_I_ITEM_3(__VA_ARGS__))
#define LEAT_I_ITEM_AND_5(...) (LEAT_I_ITEM_5(__VA_ARGS__))
#define LEAT_I_ITEM_AND_7(...) (LEAT_I_ITEM_7(__VA_ARGS__))
#define LEAT_I_ITEM_AND_9(...) (LEAT_I_ITEM_9(__VA_ARGS__))
#define LEAT_I_ITEM_AND_11(...) (LEAT_I_ITEM_11(__VA_ARGS__))
#define LEAT_I_ITEM_AND_13(...) (LEAT_I_ITEM_13(__VA_ARGS__))
#define LEAT_I_ITEM_AND_15(...) (LEAT_I_ITEM_15(__VA_ARGS__))
#define LEAT_I_ITEM_AND_17(...) (LEAT_I_ITEM_17(__VA_ARGS__))
#define LEAT_I_VALUES_1(x) x
#define LEAT_I_VALUES_3(x) x, leat_i_a.leat_i_1
#define LEAT_I_VALUES_5(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2
#define LEAT_I_VALUES_7(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3
#define LEAT_I_VALUES_9(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4
#define LEAT_I_VALUES_11(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5
#define LEAT_I_VALUES_13(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5, leat_i_a.leat_i_6
#define LEAT_I_VALUES_15(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5, leat_i_a.leat_i_6, leat_i_a.leat_i_7
#define LEAT_I_VALUES_17(x) x, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5, leat_i_a.leat_i_6, leat_i_a.leat_i_7, leat_i_a.leat_i_8
#define LEAT_I_CALL_1(x) (LEAT_I_VALUES_1(x))
#define LEAT_I_CALL_3(x) (LEAT_I_VALUES_3(x))
#define LEAT_I_CALL_5(x) (LEAT_I_VALUES_5(x))
#define LEAT_I_CALL_7(x) (LEAT_I_VALUES_7(x))
#define LEAT_I_CALL_9(x) (LEAT_I_VALUES_9(x))
#define LEAT_I_CALL_11(x) (LEAT_I_VALUES_11(x))
#define LEAT_I_CALL_13(x) (LEAT_I_VALUES_13(x))
#define LEAT_I_CALL_15(x) (LEAT_I_VALUES_15(x))
#define LEAT_I_CALL_17(x) (LEAT_I_VALUES_17(x))

/* What macros of stages begin with: bind scope and input once, and check them. */
#define LEAT_I_STAGE_OF(N, s, in, op) \
  LEAT_I_BIND_SCOPE(N, s, op); \
  LEAT_I_INPUT_OF(N, in, op)
#define LEAT_I_INPUT_OF(N, in, op) \
  __auto_type LEAT_I_CAT(leat_i_c, N) = (in); \
  LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), op); \
  _Static_assert(sizeof(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N))) > 0, op ": the items are empty; for a pure signal use char")
#define LEAT_I_RAW_IN(N) LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N))
#define LEAT_I_ITEM(N) LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N))
/* And the function with its arguments, into leat_i_a<N>. */
#define LEAT_I_FUNCTION_OF(N, op, ...) \
  LEAT_I_TAKES(LEAT_I_FIRST(__VA_ARGS__), LEAT_I_CAT(leat_i_c, N), op); \
  LEAT_I_CAT(LEAT_I_BIND_, LEAT_I_COUNT(__VA_ARGS__))(N, op, __VA_ARGS__)
#define LEAT_I_TAKES(fn, c, op) \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(fn, _leat_in), LEAT_I_ELEM(c)), op ": the stage function does not take the element type of this channel: " LEAT_I_STR(fn))
#define LEAT_I_FUN(fn, role) &LEAT_I_CAT(fn, _leat_##role)

/* leat_rx(T) leat_buffer(scope, in, n): the same items, with room for n between what is upstream and what is downstream, which decouples
 * them: see docs/buffer.md for when that helps. It is the only thing that lets a source run further ahead than one item. */
#define leat_buffer(s, in, n) LEAT_I_PASSING(__COUNTER__, s, in, "leat_buffer", leat_i_buffer, size_t, n)
#define LEAT_I_PASSING(N, s, in, op, make, Argument, argument) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, op); \
    LEAT_I_BOUND(N, leat_i_x, op, Argument, argument); \
    (leat_rx(LEAT_I_ITEM(N))) make(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_CAT(leat_i_x, N), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_filter(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_scan_from_zero(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_buffer(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, const char *birthplace);
LEAT_I_END
