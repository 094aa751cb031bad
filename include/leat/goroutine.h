/* leat/goroutine.h - starting goroutines with typed, copied arguments (after Go's go statement).
 *
 *   LEAT_FN(serve, leat_rx(int), jobs, const char *, label) { ... }    a function that can be started; called, it is a plain function
 *   leat_go(s, serve, leat_rx_of(jobs), "blue");                        starts it in scope s; arguments are checked and converted as in
 *                                                                       a call, and copied
 * The parameters are (type, name) pairs, none to eight; an argument with a comma outside parentheses needs a pair around it, and a null
 * pointer is written NULL. LEAT_FN_ERR is the form that returns a status: anything but LEAT_OK fails its scope (leat/scope.h), except
 * LEAT_CANCELED and LEAT_DEADLINE once that scope is cancelled. For headers: LEAT_FN_DECLARE(name, pairs...); and in one file
 * LEAT_FN_DEFINE(name, pairs...) { body }, and LEAT_FN_ERR_DECLARE, LEAT_FN_ERR_DEFINE.
 *
 * A goroutine has a stack of fixed size (64 KiB unless set) and runs until it blocks, yields or has used up its slice of operations. It
 * may wake on another thread: thread-local variables, errno among them, do not survive a blocking call. Any thread may start one. */
#pragma once
#include "typed.h"

struct leat_i_fn {
  int (*thunk)(void *args); /* calls the function with the arguments from its record */
  const char *name;
  size_t size; /* of the record */
  int fails;   /* it answers a status: LEAT_FN_ERR */
};

/* A parameter's type as a struct member's: arrays and functions decay as they do in a parameter list. */
#define LEAT_I_MEMBER(T) \
  __typeof__(__builtin_choose_expr(LEAT_I_CLASS(*(__typeof__(T) *)0) == 5, 1 ? LEAT_I_AS_POINTER(*(__typeof__(T) *)0) : NULL, *(__typeof__(T) *)0))

/* Tables by the number of macro arguments: a name and its (type, name) pairs. */
#define LEAT_I_PARAMS_1(name) (void)
#define LEAT_I_PARAMS_3(name, t1, n1) (__typeof__(t1) n1)
#define LEAT_I_PARAMS_5(name, t1, n1, t2, n2) (__typeof__(t1) n1, __typeof__(t2) n2)
#define LEAT_I_PARAMS_7(name, t1, n1, t2, n2, t3, n3) (__typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3)
#define LEAT_I_PARAMS_9(name, t1, n1, t2, n2, t3, n3, t4, n4) (__typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4)
#define LEAT_I_PARAMS_11(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) (__typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5)
#define LEAT_I_PARAMS_13(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6) (__typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6)
#define LEAT_I_PARAMS_15(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7) (__typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6, __typeof__(t7) n7)
#define LEAT_I_PARAMS_17(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7, t8, n8) (__typeof__(t1) n1, __typeof__(t2) n2, __typeof__(t3) n3, __typeof__(t4) n4, __typeof__(t5) n5, __typeof__(t6) n6, __typeof__(t7) n7, __typeof__(t8) n8)
#define LEAT_I_MEMBERS_1(name) char leat_i_none;
#define LEAT_I_MEMBERS_3(name, t1, n1) LEAT_I_MEMBER(t1) leat_i_1;
#define LEAT_I_MEMBERS_5(name, t1, n1, t2, n2) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2;
#define LEAT_I_MEMBERS_7(name, t1, n1, t2, n2, t3, n3) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2; LEAT_I_MEMBER(t3) leat_i_3;
#define LEAT_I_MEMBERS_9(name, t1, n1, t2, n2, t3, n3, t4, n4) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2; LEAT_I_MEMBER(t3) leat_i_3; LEAT_I_MEMBER(t4) leat_i_4;
#define LEAT_I_MEMBERS_11(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2; LEAT_I_MEMBER(t3) leat_i_3; LEAT_I_MEMBER(t4) leat_i_4; LEAT_I_MEMBER(t5) leat_i_5;
#define LEAT_I_MEMBERS_13(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2; LEAT_I_MEMBER(t3) leat_i_3; LEAT_I_MEMBER(t4) leat_i_4; LEAT_I_MEMBER(t5) leat_i_5; LEAT_I_MEMBER(t6) leat_i_6;
#define LEAT_I_MEMBERS_15(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2; LEAT_I_MEMBER(t3) leat_i_3; LEAT_I_MEMBER(t4) leat_i_4; LEAT_I_MEMBER(t5) leat_i_5; LEAT_I_MEMBER(t6) leat_i_6; LEAT_I_MEMBER(t7) leat_i_7;
#define LEAT_I_MEMBERS_17(name, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7, t8, n8) LEAT_I_MEMBER(t1) leat_i_1; LEAT_I_MEMBER(t2) leat_i_2; LEAT_I_MEMBER(t3) leat_i_3; LEAT_I_MEMBER(t4) leat_i_4; LEAT_I_MEMBER(t5) leat_i_5; LEAT_I_MEMBER(t6) leat_i_6; LEAT_I_MEMBER(t7) leat_i_7; LEAT_I_MEMBER(t8) leat_i_8;
#define LEAT_I_PASS_1(r) ()
#define LEAT_I_PASS_3(r) ((r)->leat_i_1)
#define LEAT_I_PASS_5(r) ((r)->leat_i_1, (r)->leat_i_2)
#define LEAT_I_PASS_7(r) ((r)->leat_i_1, (r)->leat_i_2, (r)->leat_i_3)
#define LEAT_I_PASS_9(r) ((r)->leat_i_1, (r)->leat_i_2, (r)->leat_i_3, (r)->leat_i_4)
#define LEAT_I_PASS_11(r) ((r)->leat_i_1, (r)->leat_i_2, (r)->leat_i_3, (r)->leat_i_4, (r)->leat_i_5)
#define LEAT_I_PASS_13(r) ((r)->leat_i_1, (r)->leat_i_2, (r)->leat_i_3, (r)->leat_i_4, (r)->leat_i_5, (r)->leat_i_6)
#define LEAT_I_PASS_15(r) ((r)->leat_i_1, (r)->leat_i_2, (r)->leat_i_3, (r)->leat_i_4, (r)->leat_i_5, (r)->leat_i_6, (r)->leat_i_7)
#define LEAT_I_PASS_17(r) ((r)->leat_i_1, (r)->leat_i_2, (r)->leat_i_3, (r)->leat_i_4, (r)->leat_i_5, (r)->leat_i_6, (r)->leat_i_7, (r)->leat_i_8)
#define LEAT_I_COUNT(...) LEAT_I_COUNT_(__VA_ARGS__, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, ~)
#define LEAT_I_COUNT_(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, n, ...) n
#define LEAT_I_FIRST(...) LEAT_I_FIRST_(__VA_ARGS__, ~)
#define LEAT_I_FIRST_(first, ...) first

#define LEAT_FN(...) LEAT_I_FN(LEAT_I_COUNT(__VA_ARGS__), void, LEAT_I_CALL_VOID, __VA_ARGS__)
#define LEAT_FN_ERR(...) LEAT_I_FN(LEAT_I_COUNT(__VA_ARGS__), int, LEAT_I_CALL_INT, __VA_ARGS__)
#define LEAT_FN_DECLARE(...) LEAT_I_DECLARE(LEAT_I_COUNT(__VA_ARGS__), , void, LEAT_I_CALL_VOID, __VA_ARGS__)
#define LEAT_FN_ERR_DECLARE(...) LEAT_I_DECLARE(LEAT_I_COUNT(__VA_ARGS__), , int, LEAT_I_CALL_INT, __VA_ARGS__)
#define LEAT_FN_DEFINE(...) LEAT_I_HEAD(LEAT_I_COUNT(__VA_ARGS__), , void, __VA_ARGS__)
#define LEAT_FN_ERR_DEFINE(...) LEAT_I_HEAD(LEAT_I_COUNT(__VA_ARGS__), , int, __VA_ARGS__)

#define LEAT_I_CALL_VOID(call) call, 0
#define LEAT_I_CALL_INT(call) call
#define LEAT_I_CALL_VOID_fails 0
#define LEAT_I_CALL_INT_fails 1
#define LEAT_I_HEAD(n, linkage, result, ...) linkage result LEAT_I_FIRST(__VA_ARGS__) LEAT_I_CAT(LEAT_I_PARAMS_, n)(__VA_ARGS__)
#define LEAT_I_FN(n, result, as_status, ...) \
  LEAT_I_DECLARE(n, static __attribute__((__unused__)), result, as_status, __VA_ARGS__); \
  LEAT_I_HEAD(n, static, result, __VA_ARGS__)
#define LEAT_I_DECLARE(n, linkage, result, as_status, ...) \
  LEAT_I_HEAD(n, linkage, result, __VA_ARGS__); \
  LEAT_I_RECORD(n, LEAT_I_FIRST(__VA_ARGS__), as_status, LEAT_I_CAT(LEAT_I_MEMBERS_, n)(__VA_ARGS__))
#define LEAT_I_RECORD(n, name, as_status, members) LEAT_I_RECORD_(n, name, as_status, members)
#define LEAT_I_RECORD_(n, name, as_status, members) \
  struct name##_leat_args { \
    members \
  }; \
  enum { name##_leat_arity = (n) / 2, name##_leat_fails = LEAT_I_CAT(as_status, _fails) }; \
  _Static_assert(sizeof(struct name##_leat_args) <= 4096, #name ": the parameters take more than 4096 bytes; pass a pointer"); \
  _Static_assert(__alignof__(struct name##_leat_args) <= 16, #name ": a parameter is aligned to more than 16 bytes; pass a pointer to it"); \
  static inline __attribute__((__unused__)) int name##_leat_thunk(void *leat_i_p) { \
    struct name##_leat_args *leat_i_r = (struct name##_leat_args *)leat_i_p; \
    (void)leat_i_r; \
    return as_status(name LEAT_I_CAT(LEAT_I_PASS_, n)(leat_i_r)); \
  } \
  struct name##_leat_args

struct leat_waitgroup;

/* Options for one goroutine; a zeroed struct is the default. */
typedef struct leat_go_options {
  const char *name;    /* shown in reports; the function's name if NULL. Not copied */
  size_t stack;        /* bytes, rounded up; 0: the runtime's default. The guard comes on top */
  unsigned pinned : 1; /* a thread of its own, for libraries that keep thread-local state across calls */
  unsigned service : 1; /* does not hold up leat_wait; ends with the scope (tickers, heartbeats, brokers) */
  struct leat_waitgroup *leat_i_waitgroup; /* leat_waitgroup_go's */
  unsigned leat_i_reserved[4];
} leat_go_options;
static const leat_go_options leat_i_service_options __attribute__((__unused__)) = {NULL, 0, 0, 1, NULL, {0}};

/* int leat_go(scope, fn, arguments...): starts fn in the scope. LEAT_OK, or a failure (LEAT_NOMEM, LEAT_CANCELED when the scope has
 * already ended), which is also recorded in the scope, so that leat_wait reports it if the caller does not look. With a NULL scope: in the
 * caller's innermost one. leat_go_with takes a leat_go_options after the scope; leat_service is leat_go_with .service. */
#define leat_go(s, ...) LEAT_I_GO(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_go", leat_i_go, s, ((leat_go_options){0}), __VA_ARGS__)
#define leat_go_with(s, options, ...) LEAT_I_GO(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_go_with", leat_i_go, s, options, __VA_ARGS__)
#define leat_service(s, ...) LEAT_I_GO(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_service", leat_i_go, s, leat_i_service_options, __VA_ARGS__)

/* leat_task *leat_spawn(scope, fn, arguments...): as leat_go, and one goroutine can wait for it with leat_join. Never NULL. */
#define leat_spawn(s, ...) LEAT_I_GO(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_spawn", leat_i_spawn, s, ((leat_go_options){0}), __VA_ARGS__)

#define LEAT_I_GO(N, n, op, start, s, options, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    LEAT_I_CAT(LEAT_I_BIND_, n)(N, op, __VA_ARGS__) \
    LEAT_I_FN_RECORD(N, LEAT_I_FIRST(__VA_ARGS__)) \
    leat_go_options LEAT_I_CAT(leat_i_o, N) = options; \
    start(LEAT_I_CAT(leat_i_s, N), &LEAT_I_CAT(leat_i_fn, N), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE, &LEAT_I_CAT(leat_i_o, N)); \
  })

/* leat_i_fn<N>: what the library must know of fn. Made where it is used: one made with fn would, at gcc's -O0, drag in every function that
 * a header declares. */
#define LEAT_I_FN_RECORD(N, fn) LEAT_I_FN_RECORD_(N, fn)
#define LEAT_I_FN_RECORD_(N, fn) static const struct leat_i_fn LEAT_I_CAT(leat_i_fn, N) = {fn##_leat_thunk, #fn, sizeof(struct fn##_leat_args), fn##_leat_fails};

/* Binds, checks and converts the arguments of fn into leat_i_a<N>. By the number of macro arguments: fn and its arguments. */
#define LEAT_I_BIND_1(N, op, fn) \
  LEAT_I_RIGHT_COUNT(fn, 0, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {0};
#define LEAT_I_BIND_2(N, op, fn, v1) \
  LEAT_I_RIGHT_COUNT(fn, 1, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N)};
#define LEAT_I_BIND_3(N, op, fn, v1, v2) \
  LEAT_I_RIGHT_COUNT(fn, 2, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N)};
#define LEAT_I_BIND_4(N, op, fn, v1, v2, v3) \
  LEAT_I_RIGHT_COUNT(fn, 3, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); __auto_type LEAT_I_CAT(leat_i_v3_, N) = LEAT_I_VALUE(v3); LEAT_I_RIGHT_TYPE(fn, N, 3, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N), LEAT_I_CAT(leat_i_v3_, N)};
#define LEAT_I_BIND_5(N, op, fn, v1, v2, v3, v4) \
  LEAT_I_RIGHT_COUNT(fn, 4, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); __auto_type LEAT_I_CAT(leat_i_v3_, N) = LEAT_I_VALUE(v3); LEAT_I_RIGHT_TYPE(fn, N, 3, op); __auto_type LEAT_I_CAT(leat_i_v4_, N) = LEAT_I_VALUE(v4); LEAT_I_RIGHT_TYPE(fn, N, 4, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N), LEAT_I_CAT(leat_i_v3_, N), LEAT_I_CAT(leat_i_v4_, N)};
#define LEAT_I_BIND_6(N, op, fn, v1, v2, v3, v4, v5) \
  LEAT_I_RIGHT_COUNT(fn, 5, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); __auto_type LEAT_I_CAT(leat_i_v3_, N) = LEAT_I_VALUE(v3); LEAT_I_RIGHT_TYPE(fn, N, 3, op); __auto_type LEAT_I_CAT(leat_i_v4_, N) = LEAT_I_VALUE(v4); LEAT_I_RIGHT_TYPE(fn, N, 4, op); __auto_type LEAT_I_CAT(leat_i_v5_, N) = LEAT_I_VALUE(v5); LEAT_I_RIGHT_TYPE(fn, N, 5, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N), LEAT_I_CAT(leat_i_v3_, N), LEAT_I_CAT(leat_i_v4_, N), LEAT_I_CAT(leat_i_v5_, N)};
#define LEAT_I_BIND_7(N, op, fn, v1, v2, v3, v4, v5, v6) \
  LEAT_I_RIGHT_COUNT(fn, 6, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); __auto_type LEAT_I_CAT(leat_i_v3_, N) = LEAT_I_VALUE(v3); LEAT_I_RIGHT_TYPE(fn, N, 3, op); __auto_type LEAT_I_CAT(leat_i_v4_, N) = LEAT_I_VALUE(v4); LEAT_I_RIGHT_TYPE(fn, N, 4, op); __auto_type LEAT_I_CAT(leat_i_v5_, N) = LEAT_I_VALUE(v5); LEAT_I_RIGHT_TYPE(fn, N, 5, op); __auto_type LEAT_I_CAT(leat_i_v6_, N) = LEAT_I_VALUE(v6); LEAT_I_RIGHT_TYPE(fn, N, 6, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N), LEAT_I_CAT(leat_i_v3_, N), LEAT_I_CAT(leat_i_v4_, N), LEAT_I_CAT(leat_i_v5_, N), LEAT_I_CAT(leat_i_v6_, N)};
#define LEAT_I_BIND_8(N, op, fn, v1, v2, v3, v4, v5, v6, v7) \
  LEAT_I_RIGHT_COUNT(fn, 7, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); __auto_type LEAT_I_CAT(leat_i_v3_, N) = LEAT_I_VALUE(v3); LEAT_I_RIGHT_TYPE(fn, N, 3, op); __auto_type LEAT_I_CAT(leat_i_v4_, N) = LEAT_I_VALUE(v4); LEAT_I_RIGHT_TYPE(fn, N, 4, op); __auto_type LEAT_I_CAT(leat_i_v5_, N) = LEAT_I_VALUE(v5); LEAT_I_RIGHT_TYPE(fn, N, 5, op); __auto_type LEAT_I_CAT(leat_i_v6_, N) = LEAT_I_VALUE(v6); LEAT_I_RIGHT_TYPE(fn, N, 6, op); __auto_type LEAT_I_CAT(leat_i_v7_, N) = LEAT_I_VALUE(v7); LEAT_I_RIGHT_TYPE(fn, N, 7, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N), LEAT_I_CAT(leat_i_v3_, N), LEAT_I_CAT(leat_i_v4_, N), LEAT_I_CAT(leat_i_v5_, N), LEAT_I_CAT(leat_i_v6_, N), LEAT_I_CAT(leat_i_v7_, N)};
#define LEAT_I_BIND_9(N, op, fn, v1, v2, v3, v4, v5, v6, v7, v8) \
  LEAT_I_RIGHT_COUNT(fn, 8, op); \
  __auto_type LEAT_I_CAT(leat_i_v1_, N) = LEAT_I_VALUE(v1); LEAT_I_RIGHT_TYPE(fn, N, 1, op); __auto_type LEAT_I_CAT(leat_i_v2_, N) = LEAT_I_VALUE(v2); LEAT_I_RIGHT_TYPE(fn, N, 2, op); __auto_type LEAT_I_CAT(leat_i_v3_, N) = LEAT_I_VALUE(v3); LEAT_I_RIGHT_TYPE(fn, N, 3, op); __auto_type LEAT_I_CAT(leat_i_v4_, N) = LEAT_I_VALUE(v4); LEAT_I_RIGHT_TYPE(fn, N, 4, op); __auto_type LEAT_I_CAT(leat_i_v5_, N) = LEAT_I_VALUE(v5); LEAT_I_RIGHT_TYPE(fn, N, 5, op); __auto_type LEAT_I_CAT(leat_i_v6_, N) = LEAT_I_VALUE(v6); LEAT_I_RIGHT_TYPE(fn, N, 6, op); __auto_type LEAT_I_CAT(leat_i_v7_, N) = LEAT_I_VALUE(v7); LEAT_I_RIGHT_TYPE(fn, N, 7, op); __auto_type LEAT_I_CAT(leat_i_v8_, N) = LEAT_I_VALUE(v8); LEAT_I_RIGHT_TYPE(fn, N, 8, op); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N) = {LEAT_I_CAT(leat_i_v1_, N), LEAT_I_CAT(leat_i_v2_, N), LEAT_I_CAT(leat_i_v3_, N), LEAT_I_CAT(leat_i_v4_, N), LEAT_I_CAT(leat_i_v5_, N), LEAT_I_CAT(leat_i_v6_, N), LEAT_I_CAT(leat_i_v7_, N), LEAT_I_CAT(leat_i_v8_, N)};
#define LEAT_I_BIND_10(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_11(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_12(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_13(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_14(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_15(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_16(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_17(N, op, fn, ...) LEAT_I_BIND_TOO_MANY(N, op, fn)
#define LEAT_I_BIND_TOO_MANY(N, op, fn) \
  _Static_assert(false, op ": more than eight arguments; one with a comma outside parentheses needs a pair around it"); \
  struct LEAT_I_CAT(fn, _leat_args) LEAT_I_CAT(leat_i_a, N);
#define LEAT_I_RIGHT_COUNT(fn, n, op) \
  _Static_assert((int)LEAT_I_CAT(fn, _leat_arity) == (n), op ": the function takes another number of arguments; one with a comma outside parentheses needs a pair around it")
#define LEAT_I_RIGHT_TYPE(fn, N, i, op) \
  _Static_assert(LEAT_I_FITS(__typeof__(((struct LEAT_I_CAT(fn, _leat_args) *)0)->leat_i_##i), LEAT_I_CAT(leat_i_v##i##_, N)), \
                 op ": argument " #i " does not have the parameter's type")

/* leat_closure leat_bind(fn, arguments...): a function with its arguments bound, as a value that can be stored and passed; the arguments
 * take 96 bytes at most. int leat_call(closure) calls it here; int leat_go_closure(scope, closure) starts it. */
typedef struct leat_closure {
  const struct leat_i_fn *leat_i_fn;
  const char *leat_i_birthplace;
  char leat_i_args[96] __attribute__((__aligned__(16)));
} leat_closure;
#define leat_bind(...) LEAT_I_CLOSURE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), __VA_ARGS__)
#define LEAT_I_CLOSURE(N, n, ...) \
  __extension__({ \
    LEAT_I_CAT(LEAT_I_BIND_, n)(N, "leat_bind", __VA_ARGS__) \
    LEAT_I_FN_RECORD(N, LEAT_I_FIRST(__VA_ARGS__)) \
    leat_closure LEAT_I_CAT(leat_i_k, N) = {.leat_i_fn = &LEAT_I_CAT(leat_i_fn, N), .leat_i_birthplace = LEAT_I_HERE}; \
    _Static_assert(sizeof(LEAT_I_CAT(leat_i_a, N)) <= sizeof(LEAT_I_CAT(leat_i_k, N).leat_i_args), \
                   "leat_bind: the arguments take more than 96 bytes; pass a pointer"); \
    __builtin_memcpy(LEAT_I_CAT(leat_i_k, N).leat_i_args, &LEAT_I_CAT(leat_i_a, N), sizeof(LEAT_I_CAT(leat_i_a, N))); \
    LEAT_I_CAT(leat_i_k, N); \
  })

typedef struct leat_task leat_task;

LEAT_I_BEGIN
int leat_go_closure(const struct leat_scope *s, leat_closure closure);
int leat_call(leat_closure closure);
/* The untyped form, for bindings and generated code: arg is passed on as it is. */
int leat_go_raw(const struct leat_scope *s, const char *name, int (*fn)(void *arg), void *arg);

/* Waits until the task's goroutine has ended and answers its status (LEAT_OK for a function that returns nothing, LEAT_PANIC if it was
 * failed). Waits on even when the caller's scope is cancelled, which cancels the task as well if it is below it. A goroutine that joins its own
 * task panics. leat_task_message: what leat_fail or a panic said, "" if nothing; valid while the task's scope lives. */
int leat_join(leat_task *task);
const char *leat_task_message(const leat_task *task);

/* Lets the other runnable goroutines run first. LEAT_OK, or the scope's status once it is cancelled. On a plain thread: sched_yield. */
int leat_yield(void);
/* For compute loops: a cheap call (a few loads, 4 ns) that answers the status of the caller's scope, and yields if others have waited for
 * this thread for some milliseconds. LEAT_OK, LEAT_CANCELED, LEAT_DEADLINE. On a plain thread it only answers the status. */
int leat_checkpoint(void);

/* For LEAT_FN_ERR functions: `return leat_fail(status, "cannot read %s", path);`. Makes an error of it (leat/error.h), for whoever joins, and
 * answers the status; it is returning it that fails the goroutine. */
#define leat_fail(status, ...) leat_i_status_here(leat_i_fail(LEAT_I_HERE, (status), __VA_ARGS__))
int leat_i_fail(const char *place, int status, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
/* Keeps the call in `return leat_fail(...);` from becoming a jump, by which the stack would lose the function that fails. */
static inline __attribute__((__unused__)) int leat_i_status_here(int status) {
  __asm__ volatile("" : "+r"(status));
  return status;
}

/* The caller's own number (unique in the process, never used again; not in order of creation) and name. 0 and "" on a plain thread. */
uint64_t leat_goroutine_id(void);
const char *leat_goroutine_name(void);

int leat_i_go(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o);
leat_task *leat_i_spawn(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o);
LEAT_I_END
