/* leat/any.h - a value of any type, with its type: what an empty interface is in Go, for stages that do not care what passes through them.
 *
 *   leat_any a = leat_any_of(int, 5);                              a copy of the value; up to 24 bytes, larger things by pointer
 *   const int *n = leat_any_get(int, &a);                          NULL if it is of another type
 *   LEAT_ANY_ASSERT(to_int, int) defines a stage function: leat_map(s, in, to_int) is a leat_rx(leat_result(int)), with an error that names
 *                                both types where the assertion fails. T: one word, with a LEAT_RESULT_DEFINE
 *
 * Types are the same if they are the same arithmetic type or kind of string (so int32_t is int), or have the same name: a struct must be named in
 * the same way everywhere, and two different structs must not have one name. A leat_any does not own what its value points to. */
#pragma once
#include "result.h"
#include "stage.h"

typedef struct leat_any {
  const char *leat_i_type;
  char leat_i_value[24] __attribute__((__aligned__(8)));
} leat_any;

#define LEAT_I_TYPE_NAME(T) \
  _Generic(((__typeof__(T) *)0), _Bool *: "bool", char *: "char", signed char *: "signed char", unsigned char *: "unsigned char", short *: "short", unsigned short *: "unsigned short", int *: "int", \
           unsigned *: "unsigned int", long *: "long", unsigned long *: "unsigned long", long long *: "long long", unsigned long long *: "unsigned long long", float *: "float", double *: "double", \
           long double *: "long double", char **: "char *", const char **: "const char *", void **: "void *", default: #T)
#define leat_any_of(T, ...) LEAT_I_ANY_OF(__COUNTER__, T, LEAT_I_TYPE_NAME(T), (__VA_ARGS__))
#define LEAT_I_ANY_OF(N, T, name, value) \
  __extension__({ \
    LEAT_I_ELEMENT(T, "leat_any_of"); \
    _Static_assert(sizeof(T) <= 24, "leat_any_of: the value is larger than 24 bytes; take a pointer to it"); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(__typeof__(T), LEAT_I_CAT(leat_i_x, N)), "leat_any_of: the value does not have this type"); \
    __typeof__(T) LEAT_I_CAT(leat_i_y, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_any LEAT_I_CAT(leat_i_z, N) = {.leat_i_type = name}; \
    __builtin_memcpy(LEAT_I_CAT(leat_i_z, N).leat_i_value, &LEAT_I_CAT(leat_i_y, N), sizeof(T)); \
    LEAT_I_CAT(leat_i_z, N); \
  })
/* const T *leat_any_get(T, const leat_any *a); bool leat_any_is(T, a); const char *leat_any_type(a): for messages, "nothing" for a zeroed one. */
#define leat_any_get(T, a) ((__typeof__(T) const *)leat_i_any_get((a), LEAT_I_TYPE_NAME(T)))
#define leat_any_is(T, a) (leat_i_any_get((a), LEAT_I_TYPE_NAME(T)) != NULL)
#define LEAT_ANY_ASSERT(name, T) LEAT_I_ANY_ASSERT(name, T, LEAT_I_TYPE_NAME(T), leat_result(T))
#define LEAT_I_ANY_ASSERT(name, T, type, Result) \
  LEAT_MAP(name, leat_any, Result, leat_i_any) { \
    const T *leat_i_v = (const T *)leat_i_any_get(&leat_i_any, type); \
    return leat_i_v ? ((Result){.value = *leat_i_v, .error = NULL}) : ((Result){.error = leat_i_any_error(&leat_i_any, type, LEAT_I_HERE)}); \
  }

LEAT_I_BEGIN
extern const leat_error_kind leat_any_mismatch; /* of the errors of failed assertions */
const char *leat_any_type(const leat_any *a);
bool leat_i_any_same(const char *a, const char *b);
leat_error *leat_i_any_error(const leat_any *a, const char *wanted, const char *birthplace);
static inline const void *leat_i_any_get(const leat_any *a, const char *type) {
  return a->leat_i_type == type || leat_i_any_same(a->leat_i_type, type) ? a->leat_i_value : NULL;
}
LEAT_I_END
