/* leat/combine.h - stages of several inputs or outputs (leat/stage.h says what all stages have in common).
 *
 * Each begins with the first receive from one of its outputs, and is one goroutine, but for leat_merge, which is one for each input and one. An
 * output that is stopped is left out; when all are, the stage ends and gives up its inputs. */
#pragma once
#include "stage.h"

/* leat_rx(T) leat_merge(scope, in1, in2, ...): fan-in: all items of up to sixteen inputs of the type of the first, as they come; the order within
 * each is kept. Ends when all inputs have. leat_merge_array(scope, leat_rx(T) *inputs, n): of any number; the array is copied. */
#define leat_merge(s, ...) LEAT_I_CAT(LEAT_I_MERGE_, LEAT_I_COUNT(__VA_ARGS__))(__COUNTER__, s, __VA_ARGS__)
#define LEAT_I_MERGE(N, s, c, others) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, c, "leat_merge"); \
    struct leat_i_chan *LEAT_I_CAT(leat_i_i, N)[] = {LEAT_I_RAW_IN(N) others}; \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_merge(LEAT_I_CAT(leat_i_s, N), LEAT_I_CAT(leat_i_i, N), sizeof LEAT_I_CAT(leat_i_i, N) / sizeof *LEAT_I_CAT(leat_i_i, N), sizeof(LEAT_I_ITEM(N)), LEAT_I_HERE); \
  })
#define LEAT_I_MERGED(M, N, c) \
  __extension__({ \
    LEAT_I_INPUT_OF(M, c, "leat_merge"); \
    _Static_assert(LEAT_I_SAME(LEAT_I_ITEM(M) *, LEAT_I_ITEM(N) *), "leat_merge: the inputs do not have the same element type"); \
    LEAT_I_RAW_IN(M); \
  })
#define LEAT_I_MERGE_1(N, s, c) LEAT_I_MERGE(N, s, c, )
#define LEAT_I_MERGE_2(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_1(N, __VA_ARGS__))
#define LEAT_I_MERGE_3(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_2(N, __VA_ARGS__))
#define LEAT_I_MERGE_4(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_3(N, __VA_ARGS__))
#define LEAT_I_MERGE_5(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_4(N, __VA_ARGS__))
#define LEAT_I_MERGE_6(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_5(N, __VA_ARGS__))
#define LEAT_I_MERGE_7(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_6(N, __VA_ARGS__))
#define LEAT_I_MERGE_8(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_7(N, __VA_ARGS__))
#define LEAT_I_MERGE_9(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_8(N, __VA_ARGS__))
#define LEAT_I_MERGE_10(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_9(N, __VA_ARGS__))
#define LEAT_I_MERGE_11(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_10(N, __VA_ARGS__))
#define LEAT_I_MERGE_12(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_11(N, __VA_ARGS__))
#define LEAT_I_MERGE_13(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_12(N, __VA_ARGS__))
#define LEAT_I_MERGE_14(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_13(N, __VA_ARGS__))
#define LEAT_I_MERGE_15(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_14(N, __VA_ARGS__))
#define LEAT_I_MERGE_16(N, s, c, ...) LEAT_I_MERGE(N, s, c, LEAT_I_MERGED_15(N, __VA_ARGS__))
#define LEAT_I_MERGED_1(N, c) , LEAT_I_MERGED(__COUNTER__, N, c)
#define LEAT_I_MERGED_2(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_1(N, __VA_ARGS__)
#define LEAT_I_MERGED_3(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_2(N, __VA_ARGS__)
#define LEAT_I_MERGED_4(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_3(N, __VA_ARGS__)
#define LEAT_I_MERGED_5(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_4(N, __VA_ARGS__)
#define LEAT_I_MERGED_6(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_5(N, __VA_ARGS__)
#define LEAT_I_MERGED_7(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_6(N, __VA_ARGS__)
#define LEAT_I_MERGED_8(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_7(N, __VA_ARGS__)
#define LEAT_I_MERGED_9(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_8(N, __VA_ARGS__)
#define LEAT_I_MERGED_10(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_9(N, __VA_ARGS__)
#define LEAT_I_MERGED_11(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_10(N, __VA_ARGS__)
#define LEAT_I_MERGED_12(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_11(N, __VA_ARGS__)
#define LEAT_I_MERGED_13(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_12(N, __VA_ARGS__)
#define LEAT_I_MERGED_14(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_13(N, __VA_ARGS__)
#define LEAT_I_MERGED_15(N, c, ...) , LEAT_I_MERGED(__COUNTER__, N, c) LEAT_I_MERGED_14(N, __VA_ARGS__)
#define leat_merge_array(s, inputs, n) LEAT_I_MERGE_ARRAY(__COUNTER__, s, inputs, n)
#define LEAT_I_MERGE_ARRAY(N, s, inputs, n) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_merge_array"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (inputs); \
    _Static_assert(LEAT_I_IS_RX(*LEAT_I_CAT(leat_i_p, N)), "leat_merge_array: the second argument is not an array of leat_rx"); \
    (leat_rx(LEAT_I_ELEM(*LEAT_I_CAT(leat_i_p, N)))) \
      leat_i_merge(LEAT_I_CAT(leat_i_s, N), (struct leat_i_chan *const *)LEAT_I_CAT(leat_i_p, N), (n), sizeof(LEAT_I_ELEM(*LEAT_I_CAT(leat_i_p, N))), LEAT_I_HERE); \
  })

/* leat_rx(Out) leat_zip(scope, in1, in2, fn, args...): fn(item of in1, item of in2), in step, until one of them ends. LEAT_ZIP(name, A, a, B, b, Out,
 * parameters...) { return ...; } */
#define LEAT_ZIP(name, A, a, B, b, ...) \
  LEAT_I_ZIP(LEAT_I_COUNT(__VA_ARGS__), name, A, a, B, b, LEAT_I_FIRST(__VA_ARGS__), LEAT_I_CAT(LEAT_I_ZIP_PARAMS_, LEAT_I_COUNT(__VA_ARGS__))(A, a, B, b, __VA_ARGS__), __VA_ARGS__)
#define LEAT_I_ZIP(n, name, A, a, B, b, Out, params, ...) \
  static __attribute__((__unused__)) __typeof__(Out) name params; \
  typedef __typeof__(LEAT_I_VALUE(*(__typeof__(B) *)0)) name##_leat_second; \
  LEAT_I_FUN_TYPES(n, name, A, Out, __VA_ARGS__); \
  LEAT_I_KERNEL(name##_leat_zip_kernel) { \
    LEAT_I_KERNEL_ARGS(name); \
    (void)leat_i_n; \
    const void *const *leat_i_x = (const void *const *)leat_i_in; \
    *(__typeof__(Out) *)leat_i_out = name LEAT_I_CAT(LEAT_I_ZIP_CALL_, n)(*(const __typeof__(A) *)leat_i_x[0], *(const __typeof__(B) *)leat_i_x[1]); \
    return 1; \
  } \
  LEAT_I_FUN_RECORD(name, as_zip, sizeof(A), sizeof(Out), 0, true, LEAT_I_DROP_OF(Out)); \
  static __typeof__(Out) name params
#define LEAT_I_KERNEL_OF_as_zip(name) name##_leat_zip_kernel
#define LEAT_I_ZIP_PARAMS_1(A, a, B, b, Out) (__typeof__(A) a, __typeof__(B) b)
#define LEAT_I_ZIP_CALL_1(a, b) (a, b)
#define LEAT_I_ZIP_PARAMS_3(A, a, B, b, Out, t1, n1) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1)
#define LEAT_I_ZIP_CALL_3(a, b) (a, b, leat_i_a.leat_i_1)
#define LEAT_I_ZIP_PARAMS_5(A, a, B, b, Out, t1, n1, t2, n2) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2)
#define LEAT_I_ZIP_CALL_5(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2)
#define LEAT_I_ZIP_PARAMS_7(A, a, B, b, Out, t1, n1, t2, n2, t3, n3) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3)
#define LEAT_I_ZIP_CALL_7(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3)
#define LEAT_I_ZIP_PARAMS_9(A, a, B, b, Out, t1, n1, t2, n2, t3, n3, t4, n4) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4)
#define LEAT_I_ZIP_CALL_9(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4)
#define LEAT_I_ZIP_PARAMS_11(A, a, B, b, Out, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5)
#define LEAT_I_ZIP_CALL_11(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5)
#define LEAT_I_ZIP_PARAMS_13(A, a, B, b, Out, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6)
#define LEAT_I_ZIP_CALL_13(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5, leat_i_a.leat_i_6)
#define LEAT_I_ZIP_PARAMS_15(A, a, B, b, Out, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6, __typeof__(t7) n7)
#define LEAT_I_ZIP_CALL_15(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5, leat_i_a.leat_i_6, leat_i_a.leat_i_7)
#define LEAT_I_ZIP_PARAMS_17(A, a, B, b, Out, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7, t8, n8) (__typeof__(A) a, __typeof__(B) b, __typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6, __typeof__(t7) n7, __typeof__(t8) n8)
#define LEAT_I_ZIP_CALL_17(a, b) (a, b, leat_i_a.leat_i_1, leat_i_a.leat_i_2, leat_i_a.leat_i_3, leat_i_a.leat_i_4, leat_i_a.leat_i_5, leat_i_a.leat_i_6, leat_i_a.leat_i_7, leat_i_a.leat_i_8)
#define leat_zip(s, in1, in2, ...) LEAT_I_ZIPPING(__COUNTER__, s, in1, in2, __VA_ARGS__)
#define LEAT_I_ZIPPING(N, s, in1, in2, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in1, "leat_zip"); \
    __auto_type LEAT_I_CAT(leat_i_e, N) = (in2); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_e, N), "leat_zip"); \
    LEAT_I_FUNCTION_OF(N, "leat_zip", __VA_ARGS__) \
    _Static_assert(LEAT_I_SAME(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_second), LEAT_I_ELEM(LEAT_I_CAT(leat_i_e, N))), \
                   "leat_zip: the stage function does not take the element type of the second channel: " LEAT_I_STR(LEAT_I_FIRST(__VA_ARGS__))); \
    (leat_rx(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out))) leat_i_zip(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), LEAT_I_RAW(LEAT_I_CAT(leat_i_e, N)), sizeof(LEAT_I_ELEM(LEAT_I_CAT(leat_i_e, N))), \
                                                                    LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_zip), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })

/* int leat_tee(scope, in, leat_rx(T) *outs, n): the n outputs get each item, in step: the next is received when all have taken the last (put a
 * leat_buffer behind one that may lag). Items with a drop function are owned once, so there leat_tee_with(scope, in, outs, n, copy) is needed:
 * void copy(T *to, const T *from). Answers LEAT_OK or LEAT_NOMEM. */
#define leat_tee(s, in, outs, n) LEAT_I_TEE(__COUNTER__, s, in, outs, n, "leat_tee", NULL)
#define leat_tee_with(s, in, outs, n, copy) LEAT_I_TEE(__COUNTER__, s, in, outs, n, "leat_tee_with", copy)
#define LEAT_I_TEE(N, s, in, outs, n, op, copy) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, op); \
    LEAT_I_OUTS_OF(N, outs, op); \
    __auto_type LEAT_I_CAT(leat_i_f, N) = LEAT_I_VALUE(copy); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_f, N)), void *) || LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_f, N)), void (*)(LEAT_I_ITEM(N) *, const LEAT_I_ITEM(N) *)), \
                   op ": the last argument is not a void function of a pointer to an item and a pointer to a constant one"); \
    leat_i_tee(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), (struct leat_i_chan **)LEAT_I_CAT(leat_i_p, N), (n), \
               (void (*)(void *, const void *))LEAT_I_CAT(leat_i_f, N), LEAT_I_HERE); \
  })
#define LEAT_I_OUTS_OF(N, outs, op) \
  __auto_type LEAT_I_CAT(leat_i_p, N) = (outs); \
  _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), leat_rx(LEAT_I_ITEM(N)) *), op ": the outputs are not an array of leat_rx of the channel's element type")

/* int leat_split(scope, in, leat_rx(T) *outs, n, fn, args...): each item goes to the output whose number fn answers. LEAT_MAP(name, T, int, item).
 * Another number than 0 to n - 1 is misuse. int leat_partition(scope, in, leat_rx(T) *yes, leat_rx(T) *no, fn, args...): LEAT_FILTER. Who
 * reads only one of the outputs must stop the others, or the first item for one of them waits. */
#define leat_split(s, in, outs, n, ...) LEAT_I_SPLIT(__COUNTER__, s, in, outs, n, __VA_ARGS__)
#define LEAT_I_SPLIT(N, s, in, outs, n, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_split"); \
    LEAT_I_OUTS_OF(N, outs, "leat_split"); \
    _Static_assert(LEAT_I_SAME(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out), int), "leat_split: the stage function does not answer int: " LEAT_I_STR(LEAT_I_FIRST(__VA_ARGS__))); \
    LEAT_I_FUNCTION_OF(N, "leat_split", __VA_ARGS__) \
    leat_i_split(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), (struct leat_i_chan **)LEAT_I_CAT(leat_i_p, N), (n), \
                 LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_map), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })
#define leat_partition(s, in, yes, no, ...) LEAT_I_PARTITION(__COUNTER__, s, in, yes, no, __VA_ARGS__)
#define LEAT_I_PARTITION(N, s, in, yes, no, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_partition"); \
    LEAT_I_OUTS_OF(N, yes, "leat_partition"); \
    __auto_type LEAT_I_CAT(leat_i_q, N) = (no); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_q, N)), leat_rx(LEAT_I_ITEM(N)) *), "leat_partition: the outputs are not leat_rx of the channel's element type"); \
    LEAT_I_FILTERS_("leat_partition", LEAT_I_FIRST(__VA_ARGS__)); \
    LEAT_I_FUNCTION_OF(N, "leat_partition", __VA_ARGS__) \
    struct leat_i_chan *LEAT_I_CAT(leat_i_o, N)[2]; \
    int LEAT_I_CAT(leat_i_r, N) = leat_i_split(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_CAT(leat_i_o, N), 2, \
                                               LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_map), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
    *LEAT_I_CAT(leat_i_q, N) = (__typeof__(*LEAT_I_CAT(leat_i_q, N)))LEAT_I_CAT(leat_i_o, N)[0]; \
    *LEAT_I_CAT(leat_i_p, N) = (__typeof__(*LEAT_I_CAT(leat_i_p, N)))LEAT_I_CAT(leat_i_o, N)[1]; \
    LEAT_I_CAT(leat_i_r, N); \
  })
#define LEAT_I_FILTERS_(op, fn) \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(fn, _leat_out), bool), op ": the stage function does not answer bool; declare it with LEAT_FILTER: " LEAT_I_STR(fn))

/* leat_rx(T) leat_bridge(scope, in): of a leat_rx(leat_rx(T)): all items of the first stream, then all of the second, and so on. A stream that is not
 * read to its end is stopped, and one that is never read too. What the streams hold is not known when the stage is made, so the output has no drop
 * function but what leat_on_drop gives it. */
#define leat_bridge(s, in) LEAT_I_BRIDGE(__COUNTER__, s, in)
#define LEAT_I_BRIDGE(N, s, in) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_bridge"); \
    LEAT_I_ITEM(N) LEAT_I_CAT(leat_i_e, N) = 0; \
    (void)LEAT_I_CAT(leat_i_e, N); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_e, N), "leat_bridge: the items of the input"); \
    (leat_rx(LEAT_I_ELEM(LEAT_I_CAT(leat_i_e, N)))) leat_i_bridge(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ELEM(LEAT_I_CAT(leat_i_e, N))), LEAT_I_HERE); \
  })

/* leat_rx(T) leat_or_done(scope, in, done): the items of in until it ends, or done, of any element type, is closed or written to (one value is
 * taken from it; it is not stopped, unless it is a stage's output that nobody else uses). For channels of other parts of a program; the end of the
 * scope needs no such thing. */
#define leat_or_done(s, in, done) LEAT_I_OR_DONE(__COUNTER__, s, in, done)
#define LEAT_I_OR_DONE(N, s, in, done) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_or_done"); \
    __auto_type LEAT_I_CAT(leat_i_d, N) = (done); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_d, N), "leat_or_done"); \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_or_done(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_RAW(LEAT_I_CAT(leat_i_d, N)), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_merge(const struct leat_scope *s, struct leat_i_chan *const *inputs, size_t n, size_t size, const char *birthplace);
struct leat_i_chan *leat_i_zip(const struct leat_scope *s, struct leat_i_chan *a, struct leat_i_chan *b, size_t b_size, const struct leat_i_fun *fun, const void *args, const char *birthplace);
int leat_i_tee(const struct leat_scope *s, struct leat_i_chan *in, size_t size, struct leat_i_chan **outs, size_t n, void (*copy)(void *, const void *), const char *birthplace);
int leat_i_split(const struct leat_scope *s, struct leat_i_chan *in, size_t size, struct leat_i_chan **outs, size_t n, const struct leat_i_fun *fun, const void *args, const char *birthplace);
struct leat_i_chan *leat_i_bridge(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const char *birthplace);
struct leat_i_chan *leat_i_or_done(const struct leat_scope *s, struct leat_i_chan *in, size_t size, struct leat_i_chan *done, const char *birthplace);
LEAT_I_END
