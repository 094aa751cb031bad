/* leat/collect.h - where streams end: folds, arrays, counts, and sinks that run on their own (leat/stage.h says what all stages have in
 * common).
 *
 * All but leat_for_each block until the input has ended, and answer LEAT_OK then; LEAT_CANCELED or LEAT_DEADLINE if the caller's scope ended
 * first; LEAT_NOMEM. What was gathered until then is there in any case. They run what can be fused in the caller: without a goroutine or a
 * channel. They take the place of the calling block as reader of the input, and stop it if they end before it does. */
#pragma once
#include "result.h"
#include "stage.h"
#include "table.h"

/* int leat_fold(in, Acc *acc, fn, args...): *acc = fn(*acc, item, args...) for each item, in order. LEAT_FOLD. */
#define leat_fold(in, acc, ...) LEAT_I_FOLDING(__COUNTER__, in, acc, "leat_fold", __VA_ARGS__)
#define LEAT_I_FOLDING(N, in, acc, op, ...) \
  __extension__({ \
    LEAT_I_INPUT_OF(N, in, op); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (acc); \
    LEAT_I_ACCUMULATES(op, LEAT_I_FIRST(__VA_ARGS__), *LEAT_I_CAT(leat_i_p, N)); \
    LEAT_I_FUNCTION_OF(N, op, __VA_ARGS__) \
    leat_i_fold(LEAT_I_RAW_IN(N), LEAT_I_CAT(leat_i_p, N), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_fold), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })
#define LEAT_I_ACCUMULATES(op, fn, x) \
  _Static_assert(LEAT_I_SAME(__typeof__(x), LEAT_I_CAT(fn, _leat_out)), op ": what accumulates does not have the function's type: " LEAT_I_STR(fn))

/* int leat_count(in, int64_t *n): how many items; they go to the drop function. */
#define leat_count(in, n) LEAT_I_COUNTING(__COUNTER__, in, n)
#define LEAT_I_COUNTING(N, in, n) \
  __extension__({ \
    LEAT_I_INPUT_OF(N, in, "leat_count"); \
    LEAT_I_BOUND(N, leat_i_n, "leat_count", int64_t *, n); \
    leat_i_count_items(LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_CAT(leat_i_n, N), LEAT_I_HERE); \
  })

/* int leat_collect(in, T **items, size_t *n): an array of all items, which the caller frees, also if the answer is not LEAT_OK; NULL if
 * there is none. */
#define leat_collect(in, items, n) LEAT_I_COLLECT(__COUNTER__, in, items, n)
#define LEAT_I_COLLECT(N, in, items, n) \
  __extension__({ \
    LEAT_I_INPUT_OF(N, in, "leat_collect"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (items); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), LEAT_I_ITEM(N) **), "leat_collect: the second argument does not point to a pointer to items"); \
    LEAT_I_BOUND(N, leat_i_n, "leat_collect", size_t *, n); \
    leat_i_collect(LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), (void **)LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_n, N), LEAT_I_HERE); \
  })

/* int leat_collect_results(in, T **values, size_t *n, size_t most_errors, leat_error **error): of a leat_rx(leat_result(T)). Ends early with
 * the error number `most_errors`: 1 is the first; 0 gathers them all. *error is all of them, joined, or NULL; the caller's. Answers the
 * error's status if there is one. */
#define leat_collect_results(in, values, n, most_errors, error) LEAT_I_COLLECT_RESULTS(__COUNTER__, in, values, n, most_errors, error)
#define LEAT_I_COLLECT_RESULTS(N, in, values, n, most_errors, errors) \
  __extension__({ \
    LEAT_I_INPUT_OF(N, in, "leat_collect_results"); \
    _Static_assert(LEAT_I_SAME(__typeof__(((LEAT_I_ITEM(N) *)0)->error), struct leat_error *), "leat_collect_results: the items are no leat_result"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (values); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), __typeof__(((LEAT_I_ITEM(N) *)0)->value) **), \
                   "leat_collect_results: the second argument does not point to a pointer to values"); \
    LEAT_I_BOUND(N, leat_i_n, "leat_collect_results", size_t *, n); \
    LEAT_I_BOUND(N, leat_i_e, "leat_collect_results", leat_error **, errors); \
    leat_i_collect_results(LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), sizeof(((LEAT_I_ITEM(N) *)0)->value), offsetof(LEAT_I_ITEM(N), value), (void **)LEAT_I_CAT(leat_i_p, N), \
                           LEAT_I_CAT(leat_i_n, N), (most_errors), LEAT_I_CAT(leat_i_e, N), LEAT_I_HERE); \
  })

/* Into a leat_table (leat/table.h), by a key that the LEAT_MAP function `key` makes of each item. int leat_collect_table(in, table, key): the table's
 * values are the items; of several with one key the last stays, the others go to the drop function. int leat_fold_table(in, table, key, fn): the
 * values are what the LEAT_FOLD function accumulates for each key, beginning with zeros, or with what the table has. */
#define leat_collect_table(in, table, key) LEAT_I_COLLECT_TABLE(__COUNTER__, in, table, key)
#define LEAT_I_COLLECT_TABLE(N, in, table, key) \
  __extension__({ \
    LEAT_I_TABLE_OF_ITEMS(N, in, table, key, "leat_collect_table"); \
    _Static_assert(LEAT_I_SAME(LEAT_I_TABLE_VALUE(LEAT_I_CAT(leat_i_t, N)), LEAT_I_ITEM(N)), "leat_collect_table: the table's values do not have the channel's element type"); \
    leat_i_collect_table(LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_TABLE_OF(LEAT_I_CAT(leat_i_t, N)), LEAT_I_FUN(key, as_map), NULL, LEAT_I_HERE); \
  })
#define leat_fold_table(in, table, key, fn) LEAT_I_FOLD_TABLE(__COUNTER__, in, table, key, fn)
#define LEAT_I_FOLD_TABLE(N, in, table, key, fn) \
  __extension__({ \
    LEAT_I_TABLE_OF_ITEMS(N, in, table, key, "leat_fold_table"); \
    LEAT_I_ACCUMULATES("leat_fold_table", fn, *LEAT_I_CAT(leat_i_t, N)->leat_i_value); \
    LEAT_I_TAKES(fn, LEAT_I_CAT(leat_i_c, N), "leat_fold_table"); \
    _Static_assert((int)LEAT_I_CAT(fn, _leat_arity) == 0, "leat_fold_table: the function takes parameters"); \
    leat_i_collect_table(LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_TABLE_OF(LEAT_I_CAT(leat_i_t, N)), LEAT_I_FUN(key, as_map), LEAT_I_FUN(fn, as_fold), LEAT_I_HERE); \
  })
#define LEAT_I_TABLE_OF_ITEMS(N, in, table, key, op) \
  LEAT_I_INPUT_OF(N, in, op); \
  __auto_type LEAT_I_CAT(leat_i_t, N) = (table); \
  LEAT_I_TAKES(key, LEAT_I_CAT(leat_i_c, N), op); \
  _Static_assert((int)LEAT_I_CAT(key, _leat_arity) == 0, op ": the key's function takes parameters"); \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(key, _leat_out), LEAT_I_TABLE_KEY(LEAT_I_CAT(leat_i_t, N))), op ": the key's function does not answer the table's key type: " LEAT_I_STR(key))

/* int leat_for_each(scope, in, fn, args...): starts a goroutine that calls fn for each item, and ends with the input or the scope. leat_wait
 * waits for it. LEAT_SINK. LEAT_OK, or why it could not start, which has failed the scope too. */
#define leat_for_each(s, in, ...) LEAT_I_FOR_EACH(__COUNTER__, s, in, __VA_ARGS__)
#define LEAT_I_FOR_EACH(N, s, in, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_for_each"); \
    LEAT_I_SINKS(LEAT_I_FIRST(__VA_ARGS__)); \
    LEAT_I_FUNCTION_OF(N, "leat_for_each", __VA_ARGS__) \
    leat_i_for_each(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_sink), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })
#define LEAT_I_SINKS(fn) \
  _Static_assert(LEAT_I_SAME(LEAT_I_CAT(fn, _leat_out), void), "leat_for_each: the stage function has a result; declare it with LEAT_SINK: " LEAT_I_STR(fn))

LEAT_I_BEGIN
int leat_i_fold(struct leat_i_chan *in, void *acc, const struct leat_i_fun *fun, const void *args, const char *birthplace);
int leat_i_count_items(struct leat_i_chan *in, size_t size, int64_t *n, const char *birthplace);
int leat_i_collect(struct leat_i_chan *in, size_t size, void **items, size_t *n, const char *birthplace);
int leat_i_collect_results(struct leat_i_chan *in, size_t size, size_t value_size, size_t value_at, void **values, size_t *n, size_t most_errors, leat_error **error, const char *birthplace);
int leat_i_collect_table(struct leat_i_chan *in, size_t size, struct leat_i_table *table, const struct leat_i_fun *key, const struct leat_i_fun *fold, const char *birthplace);
int leat_i_for_each(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace);
LEAT_I_END
