/* leat/table.h - a small hash table, for what streams are collected into. It keeps the order in which keys were added.
 *
 *   typedef leat_table(const char *, int) ages;                 any key and value types
 *   ages t = {0};                                               empty; needs no initialisation but this
 *   *leat_table_at(&t, "ann") = 30;                             the place of the key's value, added and zeroed if there was none
 *   int *age = leat_table_get(&t, "ann");                       NULL if there is none
 *   for (size_t i = 0; leat_table_next(&t, &i, &key, &value);)  in the order of addition; key and value point into the table
 *   leat_table_free(&t);                                        leaves it empty
 *
 * Strings as keys (char *, const char *) are compared as strings, and copied. Other keys are compared byte by byte, so structs must have no padding, or zeros in it. Pointers to values are good until something is added. Not for several threads
 * at once. */
#pragma once
#include "typed.h"

struct leat_i_table {
  char *entries;   /* hash, key, value; in the order of addition */
  uint32_t *index; /* by hash, open addressing: number of the entry + 1 */
  size_t n, first, used, room, slots; /* keys; entries: removed ones before `first` or marked */
  size_t key_size, value_size;
  bool text;
};
#define leat_table(K, V) \
  struct { \
    struct leat_i_table leat_i_table; \
    __typeof__(K) *leat_i_key; \
    __typeof__(V) *leat_i_value; \
  }
#define LEAT_I_TABLE_KEY(t) __typeof__(*(t)->leat_i_key)
#define LEAT_I_TABLE_VALUE(t) __typeof__(*(t)->leat_i_value)
#define LEAT_I_TABLE_OF(t) leat_i_table_of(&(t)->leat_i_table, sizeof(LEAT_I_TABLE_KEY(t)), sizeof(LEAT_I_TABLE_VALUE(t)), \
                                           LEAT_I_SAME(LEAT_I_TABLE_KEY(t), char *) || LEAT_I_SAME(LEAT_I_TABLE_KEY(t), const char *))
#define LEAT_I_TABLE_DO(N, t, k, op, Result, fn) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_t, N) = (t); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(k); \
    _Static_assert(LEAT_I_FITS(LEAT_I_TABLE_KEY(LEAT_I_CAT(leat_i_t, N)), LEAT_I_CAT(leat_i_x, N)), op ": the key does not have the table's key type"); \
    LEAT_I_TABLE_KEY(LEAT_I_CAT(leat_i_t, N)) LEAT_I_CAT(leat_i_k, N) = LEAT_I_CAT(leat_i_x, N); \
    (Result(LEAT_I_CAT(leat_i_t, N))) fn(LEAT_I_TABLE_OF(LEAT_I_CAT(leat_i_t, N)), &LEAT_I_CAT(leat_i_k, N)); \
  })
#define LEAT_I_VALUE_POINTER(t) LEAT_I_TABLE_VALUE(t) *
#define LEAT_I_BOOL(t) bool

/* V *leat_table_get(t, key), leat_table_at(t, key) (NULL: out of memory); bool leat_table_remove(t, key): whether it was there. */
#define leat_table_get(t, k) LEAT_I_TABLE_DO(__COUNTER__, t, k, "leat_table_get", LEAT_I_VALUE_POINTER, leat_i_table_get)
#define leat_table_at(t, k) LEAT_I_TABLE_DO(__COUNTER__, t, k, "leat_table_at", LEAT_I_VALUE_POINTER, leat_i_table_put)
#define leat_table_remove(t, k) LEAT_I_TABLE_DO(__COUNTER__, t, k, "leat_table_remove", LEAT_I_BOOL, leat_i_table_remove)
#define leat_table_len(t) leat_i_table_len(&(t)->leat_i_table)
#define leat_table_free(t) leat_i_table_free(&(t)->leat_i_table)
#define leat_table_next(t, i, key, value) \
  __extension__({ \
    __auto_type leat_i_t = (t); \
    __typeof__(leat_i_t->leat_i_key) *leat_i_kp = (key); \
    __typeof__(leat_i_t->leat_i_value) *leat_i_vp = (value); \
    leat_i_table_next(&leat_i_t->leat_i_table, (i), (void **)leat_i_kp, (void **)leat_i_vp); \
  })

LEAT_I_BEGIN
static inline struct leat_i_table *leat_i_table_of(struct leat_i_table *t, size_t key, size_t value, bool text) {
  t->key_size = key;
  t->value_size = value;
  t->text = text;
  return t;
}
void *leat_i_table_get(const struct leat_i_table *t, const void *key);
void *leat_i_table_put(struct leat_i_table *t, const void *key);
bool leat_i_table_remove(struct leat_i_table *t, const void *key);
bool leat_i_table_remove_first(struct leat_i_table *t);
size_t leat_i_table_len(const struct leat_i_table *t);
bool leat_i_table_next(const struct leat_i_table *t, size_t *i, void **key, void **value);
void leat_i_table_free(struct leat_i_table *t);
LEAT_I_END
