/* Rate limiters: buckets, exact times, order, tiers, dimensions, giving up, deadlines, change of rate, reservations, misuse, the stage, threads,
 * and storms. Nothing waits "long enough": exact times are asked of reservations, and what is waited for is a lower bound. */
#include "wait.h"

#include <pthread.h>

static atomic_int got, answer, order[64];
static const int64_t DAY = LEAT_SECONDS(86400);

static int64_t turn(leat_limiter *l, int64_t n, leat_reservation *r) {
  CHECK_EQ(leat_limiter_reserve(l, LEAT_COSTS(n), r), LEAT_OK);
  return leat_reservation_time(r);
}

LEAT_FN(take, leat_limiter *, l, int, n) {
  if (leat_limiter_wait(l, n) == LEAT_OK) order[got++] = n;
}
LEAT_FN(take_in, leat_limiter *, l, int, dimension, int, n) {
  leat_costs costs = {{0}};
  costs.of[dimension] = n;
  if (leat_limiter_wait_costs(l, costs, LEAT_NEVER) == LEAT_OK) order[got++] = n;
}
LEAT_FN(take_until, leat_limiter *, l, int, n, int64_t, deadline) {
  answer = leat_limiter_wait_until(l, n, deadline);
  got++;
}
static int waiting;
#define START_WAITER(s, fn, ...) (leat_go(s, fn, __VA_ARGS__), wait_blocked("(" #fn ")", (size_t)++waiting))

/* The bucket. */

TEST_GO(a_bucket_is_full_at_first) {
  leat_limiter l = LEAT_LIMITER({1, DAY, 5, 0});
  CHECK_EQ(leat_limiter_available(&l, 0), 5);
  for (int i = 0; i < 5; i++) CHECK_EQ(leat_limiter_try(&l, 1), LEAT_OK);
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_FULL);
  CHECK_EQ(leat_limiter_try(&l, 0), LEAT_OK);
  CHECK_EQ(leat_limiter_wait(&l, 0), LEAT_OK);
  CHECK_EQ(leat_limiter_available(&l, 0), 0);
  CHECK_EQ(leat_limiter_available(&l, 1), INT64_MAX);
}
TEST_GO(all_zero_limits_nothing) {
  leat_limiter l = {0};
  for (int i = 0; i < 100; i++) CHECK_EQ(leat_limiter_try(&l, INT64_MAX), LEAT_OK);
  CHECK_EQ(leat_limiter_wait(&l, 1), LEAT_OK);
  CHECK_EQ(leat_limiter_wait(&l, -1), LEAT_INVALID);
}
TEST_GO(more_than_the_burst_is_never_had) {
  leat_limiter l = LEAT_LIMITER({1, 1, 5, 0}), none = LEAT_LIMITER({1, 1, 0, 0});
  CHECK_EQ(leat_limiter_wait(&l, 6), LEAT_INVALID);
  CHECK_EQ(leat_limiter_try(&l, 6), LEAT_INVALID);
  CHECK_EQ(leat_limiter_try(&l, -1), LEAT_INVALID);
  CHECK_EQ(leat_limiter_wait_until(&none, 1, LEAT_NEVER), LEAT_INVALID);
  leat_reservation r;
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(6), &r), LEAT_INVALID);
  leat_reservation_cancel(&r); /* there is none: nothing */
}
TEST_GO(tokens_flow_in_evenly_and_exactly) {
  static const struct { int64_t n, per; } rates[] = {{1, LEAT_SECONDS(10)}, {3, LEAT_SECONDS(100)}, {1000000007, INT64_C(1) << 60}, {7, DAY * 365 * 100}};
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
    leat_limiter l = LEAT_LIMITER({rates[i].n, rates[i].per, 2, 0}); /* of 2: in one of 1 there is no room for the rest of a rounded nanosecond */
    leat_reservation r[20];
    int64_t first = turn(&l, 2, &r[0]);
    for (int k = 1; k < 20; k++) {
      __extension__ typedef __int128 wide;
      wide later = ((wide)rates[i].per * k + rates[i].n - 1) / rates[i].n, time = first + later;
      int64_t exact = time > LEAT_NEVER ? LEAT_NEVER : (int64_t)time, is = turn(&l, 1, &r[k]);
      CHECK_EQ(is, exact);
    }
    for (int k = 0; k < 20; k++) leat_reservation_cancel(&r[k]);
  }
}
TEST_GO(waiting_takes_as_long_as_it_says) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_MS(2), 2, 0});
  int64_t start = leat_now();
  for (int i = 0; i < 7; i++) CHECK_EQ(leat_limiter_wait(&l, 1), LEAT_OK);
  CHECK(leat_now() - start >= LEAT_MS(10));
}
TEST_GO(extreme_numbers_do_not_overflow) {
  leat_limiter l = LEAT_LIMITER({INT64_MAX, INT64_MAX, INT64_MAX, 0}, {INT64_MAX, 1, INT64_MAX, 0}, {1, INT64_MAX, INT64_MAX, 0});
  CHECK_EQ(leat_limiter_available(&l, 0), INT64_MAX);
  CHECK_EQ(leat_limiter_try(&l, INT64_MAX), LEAT_OK);
  leat_reservation r;
  CHECK_EQ(turn(&l, INT64_MAX, &r), LEAT_NEVER);
  leat_reservation_cancel(&r);
  CHECK_EQ(leat_limiter_set(&l, 2, (leat_limit){INT64_MAX, 1, INT64_MAX, 0}), LEAT_OK);
  CHECK_EQ(leat_limiter_set(&l, 0, (leat_limit){0}), LEAT_OK);
  CHECK_EQ(leat_limiter_wait(&l, INT64_MAX), LEAT_OK);
}

/* Order. */

LEAT_FN(take_turn, leat_limiter *, l, int, number) {
  CHECK_EQ(leat_limiter_wait(l, 1), LEAT_OK);
  CHECK_EQ(got, number);
  got++;
}
TEST_GO(first_come_first_served) {
  enum { N = 12 };
  leat_limiter l = LEAT_LIMITER({0, 1, N, 0});
  leat_reservation r[N];
  leat_scope(s);
  for (int i = 0; i < N; i++) CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(1), &r[i]), LEAT_OK);
  for (int i = 0; i < N; i++) START_WAITER(s, take_turn, &l, i);
  for (int i = 0; i < N; i++) {
    CHECK_EQ(leat_limiter_try(&l, 1), LEAT_FULL);
    leat_reservation_cancel(&r[i]); /* a token for one of them */
    UNTIL(got == i + 1);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_large_request_is_not_overtaken) {
  leat_limiter l = LEAT_LIMITER({0, 1, 4, 0});
  leat_reservation r;
  leat_scope(s);
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(2), &r), LEAT_OK);
  START_WAITER(s, take, &l, 4);
  CHECK_EQ(leat_limiter_available(&l, 0), 2);
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_FULL);
  START_WAITER(s, take, &l, 1);
  CHECK_EQ(leat_limiter_try(&l, 0), LEAT_OK);
  leat_reservation_cancel(&r);
  UNTIL(got == 1);
  CHECK_EQ(order[0], 4);
  leat_limiter_set(&l, 0, (leat_limit){0});
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(who_gives_up_lets_the_others_move_up) {
  leat_limiter l = LEAT_LIMITER({1, DAY, 10, 0});
  leat_scope(s);
  leat_scope(unlucky);
  CHECK_EQ(leat_limiter_try(&l, 5), LEAT_OK);
  leat_go(unlucky, take_until, &l, 10, LEAT_NEVER); /* the keeper */
  wait_blocked("(take_until)", 1);
  for (int i = 0; i < 5; i++) START_WAITER(s, take, &l, 1);
  leat_go(unlucky, take_until, &l, 10, LEAT_NEVER);
  wait_blocked("(take_until)", 2);
  CHECK_EQ(got, 0);
  leat_cancel(unlucky);
  CHECK_EQ(leat_wait(unlucky), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(answer, LEAT_CANCELED);
  CHECK_EQ(got, 7);
  CHECK_EQ(leat_limiter_available(&l, 0), 0);
}
TEST_GO(the_next_one_keeps_time_when_the_keeper_has_left) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_MS(5), 1, 0});
  leat_scope(s);
  leat_scope(unlucky);
  CHECK_EQ(leat_limiter_set(&l, 0, (leat_limit){1, DAY, 1, 0}), LEAT_OK);
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_OK);
  leat_go(unlucky, take_until, &l, 1, LEAT_NEVER);
  wait_blocked("(take_until)", 1);
  for (int i = 0; i < 4; i++) START_WAITER(s, take, &l, 1);
  leat_limiter_set(&l, 0, (leat_limit){1, LEAT_MS(5), 1, 0});
  leat_cancel(unlucky);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Tiers and dimensions. */

TEST_GO(several_tiers_hold_at_the_same_time) {
  static const leat_limit tiers[] = {{2, LEAT_SECONDS(1), 1, 0}, {10, LEAT_SECONDS(60), 10, 0}, {40, LEAT_SECONDS(3600), 25, 0}};
  enum { N = 100 };
  leat_limiter l = {0};
  for (size_t i = 0; i < 3; i++) CHECK_EQ(leat_limiter_set(&l, i, tiers[i]), LEAT_OK);
  leat_reservation r[N];
  int64_t at[N];
  for (int i = 0; i < N; i++) at[i] = turn(&l, 1, &r[i]);
  for (size_t t = 0; t < 3; t++) {
    bool tight = false;
    for (int i = 0; i < N; i++)
      for (int j = i; j < N; j++) {
        int64_t through = j - i + 1, allowed = tiers[t].burst + tiers[t].n * (at[j] - at[i]) / tiers[t].per;
        CHECK(through <= allowed);
        tight |= through == allowed && j > i;
      }
    CHECK(tight); /* and are used up */
  }
  for (int i = 0; i < N; i++) leat_reservation_cancel(&r[i]);
}
TEST_GO(what_one_tier_holds_up_does_not_come_in_a_heap_through_the_other) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_SECONDS(1), 1, 0}, {10, LEAT_SECONDS(1000), 10, 0});
  CHECK_EQ(leat_limiter_set(&l, 1, (leat_limit){0, 1, 0, 0}), LEAT_OK);
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_INVALID);
  CHECK_EQ(leat_limiter_set(&l, 1, (leat_limit){10, LEAT_SECONDS(1000), 10, 0}), LEAT_OK); /* empty now: the first in 100 s */
  leat_reservation r[10];
  int64_t before = turn(&l, 1, &r[0]);
  CHECK(before >= leat_now() + LEAT_SECONDS(90));
  for (int i = 1; i < 10; i++) {
    int64_t time = turn(&l, 1, &r[i]);
    CHECK(time - before >= LEAT_SECONDS(1));
    before = time;
  }
  for (int i = 0; i < 10; i++) leat_reservation_cancel(&r[i]);
}
TEST_GO(dimensions_are_apart_and_a_request_may_need_several) {
  enum { API, DISK, NET };
  leat_limiter l = LEAT_LIMITER({0, 1, 10, API}, {0, 1, 100, DISK}, {0, 1, 1, NET});
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(1, 60)), LEAT_OK);
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(1, 60)), LEAT_FULL);
  CHECK_EQ(leat_limiter_available(&l, API), 9); /* all or nothing */
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(1, 0, 1)), LEAT_OK);
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(1, 0, 2)), LEAT_INVALID);
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(0, 0, 0, 1000)), LEAT_OK); /* not limited */
  CHECK_EQ(leat_limiter_available(&l, API), 8);
  CHECK_EQ(leat_limiter_available(&l, DISK), 40);
  CHECK_EQ(leat_limiter_available(&l, NET), 0);
}
TEST_GO(who_waits_holds_up_only_those_who_want_the_same) {
  leat_limiter l = LEAT_LIMITER({0, 1, 10, 0}, {0, 1, 10, 1}, {0, 1, 10, 2});
  leat_scope(s);
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(0, 10, 10)), LEAT_OK);
  leat_reservation both;
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(5, 5), &both), LEAT_OK); /* waits for 1, and is the first in 0 */
  START_WAITER(s, take_in, &l, 0, 1);
  START_WAITER(s, take_in, &l, 2, 2);
  CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(1)), LEAT_FULL);
  CHECK_EQ(leat_limiter_set(&l, 2, (leat_limit){1, 1, 10, 2}), LEAT_OK);
  UNTIL(got == 1);
  CHECK_EQ(order[0], 2); /* passed it */
  leat_reservation_cancel(&both);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(order[1], 1);
}

/* Cancellation and deadlines. */

TEST_GO(cancellation_is_looked_at_first) {
  leat_limiter l = LEAT_LIMITER({1, 1, 5, 0});
  leat_reservation r, open;
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(1), &open), LEAT_OK);
  leat_limiter_set(&l, 0, (leat_limit){0, 1, 5, 0});
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_limiter_wait(&l, 1), LEAT_CANCELED);
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_CANCELED);
  CHECK_EQ(leat_limiter_wait_until(&l, 99, 1), LEAT_CANCELED);
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(1), &r), LEAT_CANCELED);
  int64_t there = leat_limiter_available(&l, 0);
  CHECK_EQ(leat_reservation_wait(&open), LEAT_CANCELED);
  CHECK(leat_limiter_available(&l, 0) >= there);
}
TEST_GO(a_deadline_that_cannot_be_met_is_told_at_once) {
  leat_limiter l = LEAT_LIMITER({1, DAY, 1, 0});
  CHECK_EQ(leat_limiter_wait_until(&l, 1, 0), LEAT_OK); /* it is there: the time does not matter */
  CHECK_EQ(leat_limiter_wait_until(&l, 1, leat_now() + DAY / 2), LEAT_DEADLINE);
  leat_limiter m = LEAT_LIMITER({1, LEAT_MS(2), 1, 0});
  CHECK_EQ(leat_limiter_try(&m, 1), LEAT_OK);
  CHECK_EQ(leat_limiter_wait_until(&m, 1, leat_now() + DAY), LEAT_OK);
}
TEST_GO(a_deadline_that_could_be_met_and_is_not) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_MS(200), 1, 0});
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_OK);
  leat_scope(s);
  int64_t deadline = leat_now() + LEAT_MS(250);
  leat_go(s, take_until, &l, 1, deadline);
  UNTIL(got || blocked_goroutines("(take_until)"));
  leat_limiter_set(&l, 0, (leat_limit){0, 1, 1, 0}); /* now it cannot */
  bool late = leat_limiter_available(&l, 0) || got;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  if (late) TEST_SKIP("the machine was too slow");
  CHECK_EQ(answer, LEAT_DEADLINE);
  CHECK(leat_now() >= deadline);
}
TEST_GO(a_scope_s_deadline_ends_a_wait) {
  leat_limiter l = LEAT_LIMITER({0, 1, 1, 0});
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_OK);
  leat_scope(s);
  leat_set_timeout(s, LEAT_MS(5));
  CHECK_EQ(leat_limiter_wait(&l, 1), LEAT_DEADLINE);
}

/* Change. */

TEST_GO(a_change_of_rate_reaches_those_who_wait) {
  leat_limiter l = LEAT_LIMITER({1, DAY, 1, 0});
  leat_scope(s);
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_OK);
  for (int i = 0; i < 3; i++) START_WAITER(s, take, &l, 1);
  leat_limiter_set(&l, 0, (leat_limit){1, LEAT_US(10), 1, 0});
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(got, 3);
  leat_limiter_set(&l, 0, (leat_limit){0});
  CHECK_EQ(leat_limiter_try(&l, 1000), LEAT_OK);
}
TEST_GO(a_smaller_burst_turns_those_away_who_want_more) {
  leat_limiter l = LEAT_LIMITER({0, 1, 10, 0});
  leat_scope(s);
  CHECK_EQ(leat_limiter_try(&l, 8), LEAT_OK);
  START_WAITER(s, take_until, &l, 9, LEAT_NEVER);
  leat_limiter_set(&l, 0, (leat_limit){0, 7, 5, 0});
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(answer, LEAT_INVALID);
  CHECK_EQ(leat_limiter_available(&l, 0), 2); /* what was there stays */
  leat_limiter_set(&l, 0, (leat_limit){0, 1, 1, 0});
  CHECK_EQ(leat_limiter_available(&l, 0), 1);
  leat_limiter_set(&l, 0, (leat_limit){0, 1, 9, 0});
  CHECK_EQ(leat_limiter_available(&l, 0), 1);
  CHECK_EQ(leat_limiter_set(&l, LEAT_LIMITS, (leat_limit){0}), LEAT_INVALID);
  CHECK_EQ(leat_limiter_set(&l, 0, (leat_limit){-1, 1, 1, 0}), LEAT_INVALID);
  CHECK_EQ(leat_limiter_set(&l, 0, (leat_limit){1, 1, 1, LEAT_DIMENSIONS}), LEAT_INVALID);
}

/* Reservations. */

TEST_GO(a_reservation_moves_up) {
  leat_limiter l = LEAT_LIMITER({1, DAY, 1, 0});
  leat_reservation a, b, c;
  int64_t first = turn(&l, 1, &a);
  CHECK(first <= leat_now());
  CHECK_EQ(turn(&l, 1, &b), first + DAY);
  CHECK_EQ(turn(&l, 1, &c), first + 2 * DAY);
  leat_reservation_cancel(&b);
  leat_reservation_cancel(&b);
  CHECK_EQ(leat_reservation_time(&c), first + DAY);
  CHECK_EQ(leat_reservation_wait(&a), LEAT_OK);
  leat_reservation_cancel(&a); /* it is over */
  CHECK_EQ(leat_reservation_time(&c), first + DAY);
  leat_limiter_set(&l, 0, (leat_limit){1, 1, 1, 0});
  CHECK_EQ(leat_reservation_wait(&c), LEAT_OK);
}
TEST_GO(a_reservation_gives_back_what_it_took) {
  leat_limiter l = LEAT_LIMITER({0, 1, 5, 0});
  leat_reservation r;
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(5), &r), LEAT_OK);
  CHECK_EQ(leat_limiter_available(&l, 0), 0);
  leat_scope(s);
  START_WAITER(s, take, &l, 3);
  leat_reservation_cancel(&r);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_limiter_available(&l, 0), 2);
}
TEST_GO(what_has_flowed_in_since_is_not_given_back) {
  leat_limiter l = LEAT_LIMITER({1, 1, 5, 0});
  leat_reservation r;
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(5), &r), LEAT_OK);
  int64_t granted = leat_reservation_time(&r);
  while (leat_now() < granted + 5) {}
  CHECK_EQ(leat_limiter_try(&l, 5), LEAT_OK);
  leat_limiter_set(&l, 0, (leat_limit){0, 1, 5, 0});
  int64_t there = leat_limiter_available(&l, 0);
  leat_reservation_cancel(&r);
  CHECK_EQ(leat_limiter_available(&l, 0), there);
}
TEST_GO(reservations_and_waits_are_one_line) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_MS(1), 1, 0});
  leat_reservation first, second;
  CHECK_EQ(leat_limiter_try(&l, 1), LEAT_OK);
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(1), &first), LEAT_OK);
  leat_scope(s);
  leat_go(s, take, &l, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* nobody waits for the reservation: it is granted all the same */
  CHECK(leat_reservation_time(&first) <= leat_now());
  CHECK_EQ(leat_limiter_reserve(&l, LEAT_COSTS(1), &second), LEAT_OK);
  CHECK_EQ(leat_reservation_wait(&second), LEAT_OK);
  CHECK_EQ(leat_reservation_wait(&first), LEAT_OK);
}

/* Misuse. */

LEAT_FN(use_twice, leat_limiter *, l) {
  leat_reservation r;
  CHECK_EQ(leat_limiter_reserve(l, LEAT_COSTS(1), &r), LEAT_OK);
  CHECK_EQ(leat_reservation_wait(&r), LEAT_OK);
  int status = leat_reservation_wait(&r);
  CHECK(!status && false);
}
LEAT_FN(use_wrong, leat_limiter *, l) {
  int status = leat_limiter_try(l, 1);
  CHECK(!status && false);
}
TEST_GO(misuse_is_told) {
  leat_limiter l = LEAT_LIMITER({1, 1, 1, 0}), wrong = LEAT_LIMITER({1, -1, 1, 0}), nowhere = LEAT_LIMITER({1, 1, 1, 9});
  CHECK_PANICS("the reservation is over", use_twice, &l);
  CHECK_PANICS("limit 0 of the leat_limiter", use_wrong, &wrong);
  CHECK_PANICS("no such dimension", use_wrong, &nowhere);
}

/* The stage. */

TEST_GO(the_stage_loses_nothing_and_keeps_the_rate) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_MS(1), 3, 0});
  leat_scope(s);
  int n = 0;
  int64_t start = leat_now();
  leat_range(int, v, leat_limited(s, leat_numbers(s, int, 0, 10), &l)) CHECK_EQ(v, n++);
  CHECK_EQ(n, 10);
  CHECK(leat_now() - start >= LEAT_MS(7));
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static atomic_int dropped;
static void drop(int *item) { (void)item, dropped++; }
TEST_GO(the_stage_ends_while_it_waits) {
  leat_limiter l = LEAT_LIMITER({0, 1, 2, 0});
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 5);
  leat_on_drop(c, drop);
  for (int i = 0; i < 5; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  leat_rx(int) out = leat_limited(s, c, &l);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_recv_until(out, leat_now() + LEAT_MS(2), &v), LEAT_DEADLINE);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* stops the output */
  CHECK_EQ(dropped, 3);
}

/* Threads and storms. */

static void *on_a_thread(void *limiter) {
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(leat_limiter_wait(limiter, 1), LEAT_OK);
    got++;
  }
  return NULL;
}
TEST_GO(plain_threads_wait_in_the_same_line) {
  leat_limiter l = LEAT_LIMITER({1, LEAT_US(20), 1, 0});
  leat_scope(s);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, on_a_thread, &l), 0);
  for (int i = 0; i < 20; i++) CHECK_EQ(leat_limiter_wait(&l, 1), LEAT_OK);
  for (int i = 0; i < 3; i++) {
    leat_blocking pthread_join(threads[i], NULL);
  }
  CHECK_EQ(got, 60);
}

static _Atomic(int64_t) taken[2];
LEAT_FN(storm, leat_limiter *, l, uint32_t, seed) {
  for (int i = 0; i < 60; i++) {
    seed = seed * 1664525 + 1013904223;
    int64_t n = seed >> 28 & 3, m = seed >> 24 & 1;
    leat_costs costs = {{n, m}};
    int status;
    leat_scope(s);
    switch (seed >> 8 & 7) {
    case 0: status = leat_limiter_try_costs(l, costs); break;
    case 1: status = leat_limiter_wait_costs(l, costs, leat_now() + (seed >> 12 & 0xffff)); break;
    case 2: leat_set_timeout(s, seed >> 12 & 0x3ffff); status = leat_limiter_wait_costs(l, costs, LEAT_NEVER); break;
    case 3: case 4: {
      leat_reservation r;
      status = leat_limiter_reserve(l, costs, &r);
      if (status) break;
      if (seed & 1 << 20) leat_yield();
      if (seed & 1 << 21) {
        leat_reservation_cancel(&r);
        status = LEAT_CANCELED;
      } else {
        status = leat_reservation_wait(&r);
      }
      break;
    }
    case 5: leat_limiter_set(l, 2, (leat_limit){1 + (seed >> 12 & 7), 1000, 8, 0}); /* fall through */
    default: status = leat_limiter_wait_costs(l, costs, LEAT_NEVER);
    }
    CHECK(status == LEAT_OK || status == LEAT_FULL || status == LEAT_DEADLINE || status == LEAT_CANCELED);
    if (status) continue;
    taken[0] += n;
    taken[1] += m;
  }
}
TEST(storms_on_1_2_and_8_workers) {
  static const int worker_counts[] = {1, 2, 8};
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(leat_runtime_start(&(leat_options){.workers = worker_counts[i]}), LEAT_OK);
    leat_limiter l = LEAT_LIMITER({1, 500, 8, 0}, {1, 2000, 3, 1}, {8, 1000, 8, 0});
    taken[0] = taken[1] = 0;
    int64_t start = leat_now();
    {
      leat_scope(s);
      for (uint32_t g = 0; g < test_scale(60) + 4; g++) leat_go(s, storm, &l, g * 7919);
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    int64_t time = leat_now() - start;
    CHECK(taken[0] <= 8 + time / 500 + 1);
    CHECK(taken[1] <= 3 + time / 2000 + 1);
    for (size_t b = 0; b < 3; b++) leat_limiter_set(&l, b, (leat_limit){0}); /* nobody is left in the queue */
    leat_limiter_set(&l, 0, (leat_limit){0, 1, 1, 0});
    leat_limiter_set(&l, 0, (leat_limit){0});
    CHECK_EQ(leat_limiter_try_costs(&l, LEAT_COSTS(1, 1)), LEAT_OK);
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
}
