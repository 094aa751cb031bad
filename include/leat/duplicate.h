/* leat/duplicate.h - results that may come twice, as when a slow worker was replaced and both have reported: the first, or the last, for each id (the
 * chapter "Timeouts and Cancellation" of Cox-Buday's "Concurrency in Go", on duplicated messages).
 *
 * In a stream:
 *   leat_distinct_by(s, in, 1000, id_of)                   the first for each id (leat/transform.h)
 *   leat_last_by(s, in, 1000, LEAT_MS(50), id_of)          the last that comes within 50 ms
 *
 * Between goroutines, cells by id, to which any report, and of which each gives one value:
 *   static leat_cells(int64_t, struct answer) answers = {.most = 1000};             a zeroed one is empty
 *   if (leat_cell_put(&answers, id, answer) == LEAT_CLOSED) give_up(answer);        there is one for this id: it is still ours
 *   int status = leat_cell_take(&answers, id, &answer);                             blocks until there is one
 *
 * Where not even the work of a duplicate may be done: leat/permission.h. To find out who is slow: leat/heartbeat.h. */
#pragma once
#include "stage.h"
#include "table.h"

/* leat_rx(T) leat_last_by(scope, in, most, wait, key, args...): a stage (leat/stage.h). Of the items for which the LEAT_MAP function `key` answers the same,
 * the last that comes in `wait` nanoseconds from the first (LEAT_NEVER: until the input ends). Those before it go to the drop function. It holds an item for
 * each of `most` keys; when another key comes, the item of the oldest is passed on at once. Items come in the order of the first of their key. Keys that are strings
 * (char *) are compared as strings, others byte by byte. */
#define leat_last_by(s, in, most, wait, ...) LEAT_I_LAST_BY(__COUNTER__, s, in, most, wait, __VA_ARGS__)
#define LEAT_I_LAST_BY(N, s, in, most, wait, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_last_by"); \
    _Static_assert(!LEAT_I_SAME(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out), void), "leat_last_by: the stage function has no result"); \
    LEAT_I_FUNCTION_OF(N, "leat_last_by", __VA_ARGS__) \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_last_by(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_map), \
                                             &LEAT_I_CAT(leat_i_a, N), LEAT_I_ID_IS_TEXT(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out)), (most), (wait), LEAT_I_HERE); \
  })

enum leat_keep {
  LEAT_KEEP_FIRST, /* who reports later is told so */
  LEAT_KEEP_LAST,  /* until it is taken, the last report replaces the one before */
};

/* Fields of cells, to be set before they are used:
 *   size_t most            how many ids there may be; 0: 1024. When there are that many, the oldest of which the value was taken is forgotten; reports for it
 *                          would be taken for new ones
 *   enum leat_keep keep
 *   void (*drop)(T *)      for values that were replaced, or that nobody has taken when the cells are freed. On whatever goroutine; or NULL
 * Ids and values are copied; strings as ids (char *) too, and are compared as strings; other ids byte by byte. Any goroutine or thread may call all but the last. Where cells are passed
 * on, name the type: typedef leat_cells(int64_t, struct answer) answer_cells. They must not be copied. */
#define leat_cells(K, T) \
  struct { \
    size_t most; \
    enum leat_keep keep; \
    void (*drop)(__typeof__(T) *value); \
    __typeof__(K) *leat_i_id; /* these two are never set: they tell macros the types */ \
    __typeof__(T) *leat_i_value; \
    struct leat_i_cells leat_i_cells; \
  }
struct leat_i_cells {
  uint64_t leat_i_space[20];
};

/* int leat_cell_put(cells, id, value): never blocks. LEAT_OK; LEAT_CLOSED: this id has, or had, its value, and the new one is still the caller's;
 * LEAT_FULL: there are `most` ids with values that nobody has taken; LEAT_NOMEM. */
#define leat_cell_put(cells, id, ...) LEAT_I_CELL_PUT(__COUNTER__, "leat_cell_put", cells, id, (__VA_ARGS__))
#define LEAT_I_CELL_PUT(N, op, cells, id, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (cells); \
    LEAT_I_ARE_CELLS(LEAT_I_CAT(leat_i_c, N), op); \
    LEAT_I_BIND_ID(N, op, *LEAT_I_CAT(leat_i_c, N)->leat_i_id, id) \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(__typeof__(*LEAT_I_CAT(leat_i_c, N)->leat_i_value), LEAT_I_CAT(leat_i_x, N)), op ": the value does not have the cells' value type"); \
    __typeof__(*LEAT_I_CAT(leat_i_c, N)->leat_i_value) LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_i_cell_put(LEAT_I_CAT(leat_i_c, N), &LEAT_I_CAT(leat_i_k, N), &LEAT_I_CAT(leat_i_v, N), sizeof LEAT_I_CAT(leat_i_v, N), LEAT_I_ID_TYPE(LEAT_I_CAT(leat_i_k, N))); \
  })

/* int leat_cell_take(cells, id, T *value), leat_cell_take_until(cells, id, deadline, value): blocks until there is a value for this id, which is the caller's
 * then. LEAT_CLOSED: it was taken before; LEAT_CANCELED or LEAT_DEADLINE when the caller's scope has ended, or at the deadline. int leat_cell_try_take(cells, id, value):
 * LEAT_EMPTY instead of blocking. On any status but LEAT_OK *value is zeroed. */
#define leat_cell_take(cells, id, value) LEAT_I_CELL_TAKE(__COUNTER__, "leat_cell_take", leat_i_cell_take, cells, id, LEAT_NEVER, value)
#define leat_cell_take_until(cells, id, deadline, value) LEAT_I_CELL_TAKE(__COUNTER__, "leat_cell_take_until", leat_i_cell_take, cells, id, deadline, value)
#define leat_cell_try_take(cells, id, value) LEAT_I_CELL_TAKE(__COUNTER__, "leat_cell_try_take", leat_i_cell_try_take, cells, id, 0, value)
#define LEAT_I_CELL_TAKE(N, op, fn, cells, id, deadline, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (cells); \
    LEAT_I_ARE_CELLS(LEAT_I_CAT(leat_i_c, N), op); \
    LEAT_I_BIND_ID(N, op, *LEAT_I_CAT(leat_i_c, N)->leat_i_id, id) \
    int64_t LEAT_I_CAT(leat_i_d, N) = (deadline); \
    __auto_type LEAT_I_CAT(leat_i_v, N) = (value); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_v, N)), __typeof__(LEAT_I_CAT(leat_i_c, N)->leat_i_value)), op ": the target is not a pointer to the cells' value type"); \
    fn(LEAT_I_CAT(leat_i_c, N), &LEAT_I_CAT(leat_i_k, N), LEAT_I_CAT(leat_i_v, N), sizeof *LEAT_I_CAT(leat_i_v, N), LEAT_I_ID_TYPE(LEAT_I_CAT(leat_i_k, N)), LEAT_I_CAT(leat_i_d, N)); \
  })

/* void leat_cells_free(cells): drops what nobody has taken. Nobody may use them meanwhile; then they are empty. */
#define leat_cells_free(cells) LEAT_I_CELLS_FREE(__COUNTER__, cells)
#define LEAT_I_CELLS_FREE(N, cells) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (cells); \
    LEAT_I_ARE_CELLS(LEAT_I_CAT(leat_i_c, N), "leat_cells_free"); \
    leat_i_cells_free(LEAT_I_CAT(leat_i_c, N)); \
  })

#define LEAT_I_ARE_CELLS(c, op) _Static_assert(LEAT_I_SAME(__typeof__((c)->leat_i_cells), struct leat_i_cells), op ": the first argument is not a pointer to leat_cells")
/* leat_i_k<N>: an id, converted. */
#define LEAT_I_BIND_ID(N, op, like, id) \
  __auto_type LEAT_I_CAT(leat_i_i, N) = LEAT_I_VALUE(id); \
  _Static_assert(LEAT_I_FITS(__typeof__(like), LEAT_I_CAT(leat_i_i, N)), op ": the id does not have the right type"); \
  __typeof__(like) LEAT_I_CAT(leat_i_k, N) = LEAT_I_CAT(leat_i_i, N);
#define LEAT_I_ID_IS_TEXT(T) (LEAT_I_SAME(T, char *) || LEAT_I_SAME(T, const char *))
#define LEAT_I_ID_TYPE(k) ((struct leat_i_id_type){sizeof(k), LEAT_I_ID_IS_TEXT(__typeof__(k))})
struct leat_i_id_type {
  size_t size;
  bool text;
};

LEAT_I_BEGIN
struct leat_i_chan *leat_i_last_by(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const struct leat_i_fun *key, const void *args, bool text, size_t most, int64_t wait, const char *birthplace);
int leat_i_cell_put(void *cells, const void *id, void *value, size_t size, struct leat_i_id_type type);
int leat_i_cell_take(void *cells, const void *id, void *value, size_t size, struct leat_i_id_type type, int64_t deadline);
int leat_i_cell_try_take(void *cells, const void *id, void *value, size_t size, struct leat_i_id_type type, int64_t unused);
void leat_i_cells_free(void *cells);
LEAT_I_END
