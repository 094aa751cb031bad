/* leat/once.h - something that is done once, by whoever comes first (after Go's sync.Once, OnceFunc and OnceValue).
 *
 *   static leat_once once;                               all zero: not done; nothing has to be freed
 *   leat_once_do(&once, open_log, path);                 open_log(path), the first time; when it returns, it has been done
 *
 *   LEAT_ONCE_VALUE(config, struct config *) { return load(); }      defines struct config *config(void), which computes its value once
 *   LEAT_ONCE_FUNC(setup) { ... }                                    defines void setup(void)
 *
 * Who comes while it is being done waits for it. Once it is done, a call is one load. What it did is seen by all who return from it.
 *
 * If the function panics, or ends its goroutine in another way, it counts as done, as in Go: leat_once_do does nothing from then on. Of
 * LEAT_ONCE_VALUE and LEAT_ONCE_FUNC every later call panics too, with the reason of the first, for there is no value to return.
 * A function that does its own once again would wait for itself: that panics.
 *
 * Any goroutine or thread may call any of these. */
#pragma once
#include "defer.h"

typedef struct leat_once {
  uint32_t leat_i_done;
  uint64_t leat_i_space[7];
} leat_once;

struct leat_i_once_call {
  leat_once *once;
  void (*fn)(void *);
  void *arg;
};

struct leat_i_once_value {
  leat_once once;
  const char *name;
  void (*compute)(void *value);
  void *value;
  uint32_t ready;
  char failure[188]; /* why there is no value */
};

LEAT_I_BEGIN
void leat_i_once_run(struct leat_i_once_call call);
int leat_i_once_run_until(struct leat_i_once_call call, int64_t deadline) __attribute__((__warn_unused_result__));
void leat_i_once_compute(struct leat_i_once_value *v);
LEAT_I_END

static inline void leat_i_once_do(struct leat_i_once_call call) {
  if (__builtin_expect(!__atomic_load_n(&call.once->leat_i_done, __ATOMIC_ACQUIRE), 0)) leat_i_once_run(call);
}

/* void leat_once_do(leat_once *once, function, pointer): function is any function of one pointer; its result is ignored. Waits on in a
 * cancelled scope, since after it the caller relies on what was done.
 * int leat_once_do_cancellable(once, function, pointer), leat_once_do_until(once, function, pointer, deadline) [must be looked at]: LEAT_OK
 * when it has been done, by the caller (then however long it took) or by another. LEAT_CANCELED, LEAT_DEADLINE, LEAT_NOMEM: another is still
 * at it, or the caller's scope had ended and nothing was begun. */
#define leat_once_do(once, function, pointer) leat_i_once_do(LEAT_I_ONCE_CALL(__COUNTER__, "leat_once_do", once, function, pointer))
#define leat_once_do_cancellable(once, function, pointer) \
  leat_i_once_run_until(LEAT_I_ONCE_CALL(__COUNTER__, "leat_once_do_cancellable", once, function, pointer), LEAT_NEVER)
#define leat_once_do_until(once, function, pointer, deadline) \
  leat_i_once_run_until(LEAT_I_ONCE_CALL(__COUNTER__, "leat_once_do_until", once, function, pointer), (deadline))
#define LEAT_I_ONCE_CALL(N, op, once_, function, pointer) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_o, N) = (once_); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_o, N)), leat_once *), op ": the first argument is not a leat_once *"); \
    __auto_type LEAT_I_CAT(leat_i_f, N) = (function); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (pointer); \
    _Static_assert(LEAT_I_CLASS(LEAT_I_CAT(leat_i_p, N)) == 5, op ": the argument of the function is not a pointer"); \
    _Static_assert(LEAT_I_CALLABLE(LEAT_I_CAT(leat_i_f, N), LEAT_I_CAT(leat_i_p, N)), op ": the function does not take this pointer"); \
    struct leat_i_once_call LEAT_I_CAT(leat_i_r, N) = {LEAT_I_CAT(leat_i_o, N), (void (*)(void *))(void (*)(void))LEAT_I_CAT(leat_i_f, N), \
                                                       (void *)(uintptr_t)LEAT_I_CAT(leat_i_p, N)}; \
    LEAT_I_CAT(leat_i_r, N); \
  })

#define LEAT_ONCE_VALUE(fn, ...) \
  static __typeof__(__VA_ARGS__) fn##_leat_compute(void); \
  static void fn##_leat_store(void *leat_i_value) { *(__typeof__(__VA_ARGS__) *)leat_i_value = fn##_leat_compute(); } \
  static __attribute__((__unused__)) __typeof__(__VA_ARGS__) fn(void) { \
    static __typeof__(__VA_ARGS__) leat_i_value; \
    static struct leat_i_once_value leat_i_once = {.name = #fn, .compute = fn##_leat_store, .value = &leat_i_value}; \
    if (__builtin_expect(!__atomic_load_n(&leat_i_once.ready, __ATOMIC_ACQUIRE), 0)) leat_i_once_compute(&leat_i_once); \
    return leat_i_value; \
  } \
  static __typeof__(__VA_ARGS__) fn##_leat_compute(void)

#define LEAT_ONCE_FUNC(fn) \
  static void fn##_leat_compute(void); \
  static void fn##_leat_run(void *leat_i_none) { \
    (void)leat_i_none; \
    fn##_leat_compute(); \
  } \
  static __attribute__((__unused__)) void fn(void) { \
    static struct leat_i_once_value leat_i_once = {.name = #fn, .compute = fn##_leat_run}; \
    if (__builtin_expect(!__atomic_load_n(&leat_i_once.ready, __ATOMIC_ACQUIRE), 0)) leat_i_once_compute(&leat_i_once); \
  } \
  static void fn##_leat_compute(void)
