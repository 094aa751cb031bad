/* leat/replicate.h - replicated and hedged requests: the first answer wins (the chapter "Replicated Requests" of Cox-Buday's "Concurrency in Go";
 * hedging is Dean and Barroso's, "The Tail at Scale").
 *
 *   LEAT_FN_ERR(fetch, struct page *, answer, int, replica, const char *, path) {      asks the replica with this number, from 0
 *     ...
 *     return LEAT_OK;                                                                  *answer is the answer
 *   }
 *   struct page page;
 *   int winner = leat_replicate(&page, 3, fetch, "/index");                  asks three at once
 *   int winner = leat_hedge(&page, 3, LEAT_MS(10), fetch, "/index");         asks another one when none has answered for so long, or one failed
 *
 * The answer is the number of the replica whose answer this is, 0 or more, or a negative status: then *answer is zeroed. Each replica runs in a
 * goroutine and writes to an answer of its own. When the first has returned LEAT_OK the others are cancelled, and have ended when this returns:
 * so the arguments may point into the caller's frame. A replica must therefore obey its cancellation; one that does not holds the answer up.
 *
 * A failure is an answer of nobody's as long as there are others; if all fail, the first failure is the answer, with its error (leat/error.h).
 * LEAT_CANCELED and LEAT_DEADLINE when the caller's scope ends: a limit for all is a scope's deadline. LEAT_INVALID for n of 0, LEAT_NOMEM. Any
 * goroutine or thread may call it. */
#pragma once
#include "goroutine.h"
#include "scope.h"

typedef struct leat_replicas {
  size_t n;                   /* how many, at most */
  int64_t delay;              /* nanoseconds to the next one; 0: all at once */
  void (*drop)(void *answer); /* called for each answer that came too late, if it owns something */
  uint64_t leat_i_reserved[3];
} leat_replicas;

/* int leat_replicate(T *answer, n, fn, arguments...), leat_hedge(T *answer, n, delay, fn, arguments...), leat_replicate_with(answer, leat_replicas, fn,
 * arguments...). fn: a LEAT_FN_ERR function whose first parameters are a T * and an int; up to six more follow. */
#define leat_replicate(answer, n_, ...) LEAT_I_REPLICATE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_replicate", answer, ((leat_replicas){.n = (n_)}), __VA_ARGS__)
#define leat_hedge(answer, n_, delay_, ...) \
  LEAT_I_REPLICATE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_hedge", answer, ((leat_replicas){.n = (n_), .delay = (delay_)}), __VA_ARGS__)
#define leat_replicate_with(answer, replicas, ...) LEAT_I_REPLICATE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_replicate_with", answer, replicas, __VA_ARGS__)
#define LEAT_I_REPLICATE(N, n, op, answer, replicas, ...) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (answer); \
    leat_replicas LEAT_I_CAT(leat_i_o, N) = replicas; \
    LEAT_I_CAT(LEAT_I_REPLICA_, n)(N, op, LEAT_I_CAT(leat_i_p, N), __VA_ARGS__) \
    LEAT_I_FN_RECORD(N, LEAT_I_FIRST(__VA_ARGS__)) \
    _Static_assert(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_fails), op ": the function answers no status: declare it with LEAT_FN_ERR"); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_a, N).leat_i_1), __typeof__(LEAT_I_CAT(leat_i_p, N))), \
                   op ": the function's first parameter is not a pointer to the answer's type"); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_a, N).leat_i_2), int), op ": the function's second parameter is not an int, the replica's number"); \
    leat_i_replicate(LEAT_I_CAT(leat_i_p, N), sizeof *LEAT_I_CAT(leat_i_p, N), &LEAT_I_CAT(leat_i_o, N), &LEAT_I_CAT(leat_i_fn, N), &LEAT_I_CAT(leat_i_a, N), \
                     __builtin_offsetof(__typeof__(LEAT_I_CAT(leat_i_a, N)), leat_i_2)); \
  })
#define LEAT_I_REPLICA_1(N, op, p, fn) LEAT_I_BIND_3(N, op, fn, p, 0)
#define LEAT_I_REPLICA_2(N, op, p, fn, a) LEAT_I_BIND_4(N, op, fn, p, 0, a)
#define LEAT_I_REPLICA_3(N, op, p, fn, a, b) LEAT_I_BIND_5(N, op, fn, p, 0, a, b)
#define LEAT_I_REPLICA_4(N, op, p, fn, a, b, c) LEAT_I_BIND_6(N, op, fn, p, 0, a, b, c)
#define LEAT_I_REPLICA_5(N, op, p, fn, a, b, c, d) LEAT_I_BIND_7(N, op, fn, p, 0, a, b, c, d)
#define LEAT_I_REPLICA_6(N, op, p, fn, a, b, c, d, e) LEAT_I_BIND_8(N, op, fn, p, 0, a, b, c, d, e)
#define LEAT_I_REPLICA_7(N, op, p, fn, a, b, c, d, e, f) LEAT_I_BIND_9(N, op, fn, p, 0, a, b, c, d, e, f)

LEAT_I_BEGIN
int leat_i_replicate(void *answer, size_t size, const leat_replicas *replicas, const struct leat_i_fn *fn, const void *args, size_t number_at);
LEAT_I_END
