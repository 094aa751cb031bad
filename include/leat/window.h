/* leat/window.h - stages that look at several items at a time: batches, windows, and what puts items in order (leat/stage.h says what all stages
 * have in common).
 *
 * LEAT_SLICE_DEFINE(T); once, at file level, in a header that all share, defines leat_slice(T): {T *items; size_t n;}. T: one word. Whoever receives
 * a slice owns it, and frees it with leat_slice_free(&slice), which passes the items to the drop function they had; to keep the items, set n to
 * 0 first. */
#pragma once
#include "stage.h"

#define LEAT_SLICE_DEFINE(T) \
  struct leat_slice_##T { \
    T *items; \
    size_t n; \
    void (*leat_i_drop)(void *); \
    size_t leat_i_size; \
  }
#define leat_slice(T) struct leat_slice_##T
/* As the library sees it. */
struct leat_i_slice {
  void *items;
  size_t n;
  void (*leat_i_drop)(void *);
  size_t leat_i_size;
};
#define leat_slice_free(slice) \
  __extension__({ \
    __auto_type leat_i_slice = (slice); \
    _Static_assert(sizeof *leat_i_slice == sizeof(struct leat_i_slice), "leat_slice_free: not a pointer to a slice"); \
    leat_i_slice_free((void **)&leat_i_slice->items, &leat_i_slice->n, leat_i_slice->leat_i_drop, leat_i_slice->leat_i_size); \
  })

/* leat_rx(leat_slice(T)) leat_batch(scope, in, T, n, wait): slices of n items; of fewer, one at least, when `wait` nanoseconds have passed since the
 * first of them came (LEAT_NEVER: however long it takes), and at the end of the input.
 * leat_windows(scope, in, T, n, step): slices of n items, each beginning `step` items after the one before: sliding windows for step < n,
 * tumbling ones for step == n, samples for step > n. At the end of the input tumbling windows may be shorter. Windows that overlap hold
 * copies, so for step < n items must have no drop function. */
#define leat_batch(s, in, T, n, wait) LEAT_I_SLICING(__COUNTER__, s, in, T, leat_slice(T), "leat_batch", leat_i_batch, n, wait)
#define leat_windows(s, in, T, n, step) LEAT_I_SLICING(__COUNTER__, s, in, T, leat_slice(T), "leat_windows", leat_i_windows, n, step)
#define LEAT_I_SLICING(N, s, in, T, Slice, op, make, n, argument) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, op); \
    _Static_assert(LEAT_I_SAME(T, LEAT_I_ITEM(N)), op ": the type named is not the channel's element type"); \
    (leat_rx(Slice)) make(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(T), (n), (argument), LEAT_I_HERE); \
  })

/* leat_rx(T) leat_sort_window(scope, in, n, compare): puts a stream in order in which no item is more than n places too late: it holds n items, and
 * gives the least. int compare(const T *, const T *), as for qsort; equal items keep their order. */
#define leat_sort_window(s, in, n, compare) LEAT_I_SORT_WINDOW(__COUNTER__, s, in, n, compare)
#define LEAT_I_SORT_WINDOW(N, s, in, n, compare) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_sort_window"); \
    __auto_type LEAT_I_CAT(leat_i_f, N) = (compare); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_f, N)), int (*)(const LEAT_I_ITEM(N) *, const LEAT_I_ITEM(N) *)), \
                   "leat_sort_window: not an int function of two pointers to constant items"); \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_sort_window(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), (n), \
                                                 (int (*)(const void *, const void *))LEAT_I_CAT(leat_i_f, N), LEAT_I_HERE); \
  })

/* leat_rx(T) leat_reorder(scope, in, first, n, fn, args...): items that carry consecutive numbers, as the LEAT_MAP function fn answers them (int64_t),
 * in the order of these, beginning with `first`. At most n wait for a missing one; then it is given up. Items whose turn has passed, and doubles,
 * are dropped. */
#define leat_reorder(s, in, first, n, ...) LEAT_I_REORDER(__COUNTER__, s, in, first, n, __VA_ARGS__)
#define LEAT_I_REORDER(N, s, in, first, n, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_reorder"); \
    _Static_assert(LEAT_I_SAME(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out), int64_t), "leat_reorder: the stage function does not answer int64_t: " LEAT_I_STR(LEAT_I_FIRST(__VA_ARGS__))); \
    LEAT_I_FUNCTION_OF(N, "leat_reorder", __VA_ARGS__) \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_reorder(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), (first), (n), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_map), \
                                             &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
void leat_i_slice_free(void **items, size_t *n, void (*drop)(void *), size_t size);
struct leat_i_chan *leat_i_batch(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, int64_t wait, const char *birthplace);
struct leat_i_chan *leat_i_windows(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, size_t step, const char *birthplace);
struct leat_i_chan *leat_i_sort_window(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, int (*compare)(const void *, const void *), const char *birthplace);
struct leat_i_chan *leat_i_reorder(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t first, size_t n, const struct leat_i_fun *fun, const void *args, const char *birthplace);
LEAT_I_END
