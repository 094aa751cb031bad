/* leat/limiter.h - a rate limiter: token buckets, several of them in one (the chapter "Rate Limiting" of Cox-Buday's "Concurrency in Go"; the
 * bucket is Turner's).
 *
 *   static leat_limiter api = LEAT_LIMITER({.n = 10, .per = LEAT_SECONDS(1), .burst = 5});      10 a second, at most 5 at once
 *   if (leat_limiter_wait(&api, 1)) return;                                                   nothing was taken
 *   call();
 *
 * Each limit is a bucket of `burst` tokens, full at first, into which `n` tokens flow each `per` nanoseconds, evenly. Tiers: with several
 * limits, LEAT_LIMITER({...}, {...}), a request takes its tokens from all at the same moment, so in any stretch of time none of them lets more
 * through than its burst and what flows in. Dimensions: a limit says what it counts (.dimension = 1, say bytes), and a request says what it costs
 * in each: LEAT_COSTS(1, 512).
 *
 * First come, first served: nobody who wants a token of a dimension overtakes another who came before and waits for one of the same, however
 * little he asks for. Who gives up takes nothing, and those behind move up at once. A change of rate takes effect at once, too.
 *
 * Any goroutine or thread may call any of these. Nothing has to be freed; the memory may be given up when no call is in progress and no
 * reservation is open. A limiter orders nothing: two that it let through are not in an order because of it. */
#pragma once
#include "stage.h"

enum { LEAT_LIMITS = 8, LEAT_DIMENSIONS = 4 }; /* of one limiter, at most */

typedef struct leat_limit {
  int64_t n, per;  /* n tokens each `per` nanoseconds. n of 0: no more than the burst, ever; per of 0: this limits nothing */
  int64_t burst;   /* the depth of the bucket; nobody can ask for more */
  int64_t dimension; /* which of the costs it limits: 0 to LEAT_DIMENSIONS - 1 */
} leat_limit;

typedef struct leat_limiter {
  leat_limit leat_i_limits[LEAT_LIMITS];
  uint64_t leat_i_space[44] __attribute__((__aligned__(16)));
} leat_limiter;
#define LEAT_LIMITER(...) {{__VA_ARGS__}, {0}}

typedef struct leat_costs {
  int64_t of[LEAT_DIMENSIONS]; /* 0: this is not touched */
} leat_costs;
#define LEAT_COSTS(...) (__extension__(leat_costs){{__VA_ARGS__}})

/* A place in the order, see leat_limiter_reserve. */
typedef struct leat_reservation {
  uint64_t leat_i_space[20];
} leat_reservation;

LEAT_I_BEGIN
/* Takes n tokens (0 or more) of dimension 0; blocks until it can. LEAT_CANCELED or LEAT_DEADLINE when the caller's scope has ended, LEAT_INVALID at
 * once if n is negative or more than a burst. Nothing is taken on any status but LEAT_OK. */
int leat_limiter_wait(leat_limiter *l, int64_t n) __attribute__((__warn_unused_result__));
/* The same until the deadline: LEAT_DEADLINE at once if by now's knowledge its turn comes later than that. LEAT_NOMEM if no timer could be set. */
int leat_limiter_wait_until(leat_limiter *l, int64_t n, int64_t deadline) __attribute__((__warn_unused_result__));
/* LEAT_FULL instead of blocking: there are not enough tokens now, or others wait already. */
int leat_limiter_try(leat_limiter *l, int64_t n) __attribute__((__warn_unused_result__));

/* The same for costs in several dimensions. */
int leat_limiter_wait_costs(leat_limiter *l, leat_costs costs, int64_t deadline) __attribute__((__warn_unused_result__));
int leat_limiter_try_costs(leat_limiter *l, leat_costs costs) __attribute__((__warn_unused_result__));

/* Takes a place behind those who wait, without waiting. On LEAT_OK *r is open: it counts like one who waits there, its tokens are taken when its
 * turn comes, and it must stay where it is until it has been waited for or cancelled. On any other status there is no reservation. */
int leat_limiter_reserve(leat_limiter *l, leat_costs costs, leat_reservation *r) __attribute__((__warn_unused_result__));
/* When its turn comes, by now's knowledge (sooner, if those before it give up), or came; LEAT_NEVER if nothing flows in. Never blocks. */
int64_t leat_reservation_time(leat_reservation *r);
/* Waits for its turn. The reservation is over on every status: LEAT_OK, it was used; others as leat_limiter_wait, nothing was taken. */
int leat_reservation_wait(leat_reservation *r) __attribute__((__warn_unused_result__));
/* Gives it up, and back what it has taken, less what has flowed in since: that has let others through already. Nothing for one that is over, so
 * leat_defer(leat_reservation_cancel, &r) is right whatever follows. */
void leat_reservation_cancel(leat_reservation *r);

/* Changes the limit with this index (0 to LEAT_LIMITS - 1; one of {0} limits nothing). The tokens that are there stay, up to the new burst. Who waits
 * for more than that gets LEAT_INVALID. LEAT_OK, or LEAT_INVALID: no such index, dimension or limit. */
int leat_limiter_set(leat_limiter *l, size_t index, leat_limit limit);
/* How many tokens of the dimension are there now; INT64_MAX if nothing limits it. */
int64_t leat_limiter_available(leat_limiter *l, size_t dimension);

struct leat_i_chan *leat_i_limited(const struct leat_scope *s, struct leat_i_chan *in, size_t size, leat_limiter *l, const char *birthplace);
LEAT_I_END

/* leat_rx(T) leat_limited(scope, in, leat_limiter *l): a stage (leat/stage.h) that passes items on, a token (of dimension 0) for each. Nothing is left
 * out; what is upstream is held up. Several stages may share a limiter, which must outlive them. */
#define leat_limited(s, in, l) LEAT_I_PASSING(__COUNTER__, s, in, "leat_limited", leat_i_limited, leat_limiter *, l)
