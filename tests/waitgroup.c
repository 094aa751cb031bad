/* Waitgroups: rounds, misuse, the forms of waiting, counting goroutines back by any path, memory, and storms of all of it.
 *
 * Go's sync/waitgroup_test.go, and what covers it here:
 *   TestWaitGroup          two_waitgroups_as_barriers, for several rounds
 *   TestWaitGroupMisuse    counting_back_below_zero_is_misuse
 *   TestWaitGroupRace      a_wait_does_not_end_early
 *   TestWaitGroupAlign     a_member_after_a_char
 *   TestWaitGroupGo        go_counts_what_returns
 *   TestIssue76126         a_panic_is_recorded_before_the_wait_returns, a_panic_that_nobody_takes_ends_the_process: here a panic fails the scope,
 *                          so the wait does return, and finds the failure there
 *   Benchmark...           no tests; bench/compare has them */
#include "wait.h"

#include <limits.h>
#include <pthread.h>

static const int worker_counts[] = {1, 2, 8};
static atomic_int ended;

/* Rounds. */

LEAT_FN(cross, leat_waitgroup *, first, leat_waitgroup *, second) {
  leat_waitgroup_done(first);
  leat_waitgroup_wait(second);
  ended++;
}
TEST_GO(two_waitgroups_as_barriers) {
  enum { N = 16 };
  leat_waitgroup first = {0}, second = {0};
  leat_scope(s);
  for (int round = 0; round < 8; round++) {
    leat_waitgroup_add(&first, N);
    leat_waitgroup_add(&second, N);
    ended = 0;
    for (int i = 0; i < N; i++) leat_go(s, cross, &first, &second);
    leat_waitgroup_wait(&first);
    for (int i = 0; i < N; i++) {
      CHECK_EQ(ended, 0);
      leat_waitgroup_done(&second);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(ended, N);
  }
}
TEST(a_zeroed_waitgroup_needs_no_runtime) {
  static leat_waitgroup g;
  leat_waitgroup_wait(&g);
  leat_waitgroup_add(&g, 3);
  leat_waitgroup_add(&g, 0);
  leat_waitgroup_add(&g, -2);
  leat_waitgroup_done(&g);
  leat_waitgroup_wait(&g);
  leat_waitgroup_wait(&g);
}
LEAT_FN(count_up_and_back, leat_waitgroup *, g, atomic_int *, n) {
  ++*n;
  leat_waitgroup_done(g);
}
TEST_GO(a_wait_does_not_end_early) {
  leat_scope(s);
  for (int64_t i = test_scale(2000) + 10; i; i--) {
    leat_waitgroup g = {0}; /* its memory goes as soon as the wait has returned */
    atomic_int n = 0;
    leat_waitgroup_add(&g, 1);
    leat_go(s, count_up_and_back, &g, &n);
    leat_waitgroup_add(&g, 1);
    leat_go(s, count_up_and_back, &g, &n);
    leat_waitgroup_wait(&g);
    CHECK_EQ(n, 2);
    memset(&g, 0xee, sizeof g);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_member_after_a_char) {
  struct {
    char c;
    leat_waitgroup g;
  } x = {0};
  atomic_int n = 0;
  leat_scope(s);
  leat_waitgroup_add(&x.g, 1);
  leat_go(s, count_up_and_back, &x.g, &n);
  leat_waitgroup_wait(&x.g);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(wait_for, leat_waitgroup *, g) {
  leat_waitgroup_wait(g);
  ended++;
}
TEST_GO(all_who_wait_are_woken) {
  leat_waitgroup gate = {0};
  leat_scope(s);
  leat_waitgroup_add(&gate, 1);
  for (int i = 0; i < 100; i++) leat_go(s, wait_for, &gate);
  wait_blocked("wait_for", 100);
  leat_waitgroup_add(&gate, 1);
  leat_waitgroup_done(&gate);
  CHECK_EQ(ended, 0);
  leat_waitgroup_done(&gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ended, 100);
}

/* Misuse. */

LEAT_FN(count_back_too_often, leat_waitgroup *, g) {
  leat_waitgroup_add(g, 1);
  leat_waitgroup_done(g);
  leat_waitgroup_done(g);
  CHECK(!"reached");
}
TEST_GO(counting_back_below_zero_is_misuse) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_go(s, count_back_too_often, &g);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "leat_waitgroup_done(") && strstr(leat_failure_of(s)->message, "would become negative"));
  leat_waitgroup_wait(&g); /* it is still good */
}
LEAT_FN(add_far_too_much, leat_waitgroup *, g) {
  leat_waitgroup_add(g, INT32_MAX);
  leat_waitgroup_add(g, 1);
}
TEST_GO(a_counter_does_not_overflow) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_go(s, add_far_too_much, &g);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "larger than") != NULL);
  leat_waitgroup_add(&g, -INT32_MAX); /* what was too much has not been counted */
  leat_waitgroup_wait(&g);
}
LEAT_FN(subtract_far_too_much, leat_waitgroup *, g) { leat_waitgroup_add(g, INT_MIN); }
TEST_GO(what_would_be_negative_is_not_counted_and_wakes_nobody) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_keep_going(s);
  leat_waitgroup_add(&g, 1);
  leat_go(s, wait_for, &g);
  wait_blocked("wait_for", 1);
  leat_go(s, subtract_far_too_much, &g);
  UNTIL(leat_failure_of(s) != NULL);
  CHECK(strstr(leat_failure_of(s)->message, "leat_waitgroup_add(") && strstr(leat_failure_of(s)->message, "would become negative"));
  leat_waitgroup_add(&g, 0);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(ended, 0);
  leat_waitgroup_done(&g);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(ended, 1);
}
LEAT_FN(end_the_round_and_begin_another, leat_waitgroup *, g) {
  leat_waitgroup_done(g); /* wakes wait_for, which with one worker does not come to run before the next line */
  leat_waitgroup_add(g, 1);
}
TEST_GO(an_add_before_a_woken_wait_has_returned_is_misuse) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_keep_going(s);
  int rounds = 0;
  while (!leat_failure_of(s)) { /* with a second worker, or a spare thread, it may come to run after all */
    CHECK(++rounds < 100000);
    leat_waitgroup_add(&g, 1);
    leat_go(s, wait_for, &g);
    wait_blocked("wait_for", 1);
    leat_go(s, end_the_round_and_begin_another, &g);
    UNTIL(ended == rounds);
    UNTIL(leat_scope_goroutines(s) == 0);
    if (!leat_failure_of(s)) leat_waitgroup_done(&g);
  }
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "add from 0 while a wait has not returned") != NULL);
  leat_waitgroup_add(&g, 1); /* now it has */
  leat_waitgroup_done(&g);
}
TEST_GO_DIES(misuse_on_the_main_goroutine_ends_the_process, "leat_waitgroup_done", "negative") {
  leat_waitgroup g = {0};
  leat_waitgroup_done(&g);
}

/* Forms of waiting. */

static atomic_int answer;
LEAT_FN(wait_until, leat_waitgroup *, g, int64_t, deadline) {
  answer = leat_waitgroup_wait_until(g, deadline);
  ended++;
}
TEST_GO(a_wait_with_a_deadline) {
  leat_waitgroup g = {0};
  leat_scope(s);
  CHECK_EQ(leat_waitgroup_wait_until(&g, 1), LEAT_OK); /* it is 0: the time does not matter */
  leat_waitgroup_add(&g, 1);
  int64_t start = leat_now();
  CHECK_EQ(leat_waitgroup_wait_until(&g, start + LEAT_MS(5)), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  CHECK_EQ(leat_waitgroup_wait_until(&g, 1), LEAT_DEADLINE);
  leat_go(s, wait_until, &g, leat_now() + LEAT_SECONDS(1000));
  wait_blocked("wait_until", 1);
  leat_waitgroup_done(&g);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(answer, LEAT_OK);
  leat_waitgroup_add(&g, 1); /* the wait that was given up does not count as one that has not returned */
  leat_waitgroup_done(&g);
}
TEST_GO(a_cancel_ends_the_wait_that_it_may_end_and_no_other) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_waitgroup_add(&g, 1);
  leat_go(s, wait_until, &g, LEAT_NEVER);
  leat_go(s, wait_for, &g);
  wait_blocked("wait_until", 1);
  wait_blocked("wait_for", 1);
  leat_cancel(s);
  UNTIL(ended == 1);
  CHECK_EQ(answer, LEAT_CANCELED);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(ended, 1);
  leat_waitgroup_done(&g);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(ended, 2);
}
TEST_GO(cancellation_is_looked_at_first) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_waitgroup_wait_cancellable(&g), LEAT_CANCELED);
  leat_waitgroup_wait(&g);
}
LEAT_FN(ignores_the_answer, leat_waitgroup *, g) {
  for (;;) answer = leat_waitgroup_wait_cancellable(g);
}
TEST_GO(who_ignores_cancellation_is_failed) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_go(s, ignores_the_answer, &g);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
}

/* Goroutines that are counted. */

LEAT_FN(returns) { ended++; }
LEAT_FN(panics) {
  leat_defer_call(returns);
  leat_panic("no luck");
}
LEAT_FN(leaves) {
  leat_defer_call(returns);
  leat_goexit();
}
LEAT_FN_ERR(is_cancelled) {
  int status = leat_sleep(LEAT_SECONDS(1000));
  ended++;
  return status;
}
LEAT_FN_ERR(fails) { return leat_fail(LEAT_FAILED, "as it was told"); }
TEST_GO(go_counts_what_returns) {
  leat_waitgroup g = {0};
  leat_scope(s);
  for (int64_t n = test_scale(1000) + 10, i = n; i; i--) CHECK_EQ(leat_waitgroup_go(&g, s, returns), LEAT_OK);
  leat_waitgroup_wait(&g);
  CHECK_EQ(ended, test_scale(1000) + 10);
  CHECK_EQ(leat_waitgroup_go(&g, NULL, returns), LEAT_OK); /* in the innermost scope, which is s */
  leat_waitgroup_wait(&g);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_panic_is_recorded_before_the_wait_returns) {
  leat_waitgroup g = {0};
  for (int64_t i = test_scale(200) + 1; i; i--) {
    leat_scope(s);
    CHECK_EQ(leat_waitgroup_go(&g, s, panics), LEAT_OK);
    leat_waitgroup_wait(&g);
    CHECK(leat_failure_of(s) != NULL);
    CHECK_EQ(leat_failure_of(s)->status, LEAT_PANIC);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
  }
  CHECK_EQ(ended, test_scale(200) + 1); /* its defers came before */
}
TEST_GO_DIES(a_panic_that_nobody_takes_ends_the_process, "panics", "waitgroup.c:", "no luck") {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_waitgroup_go(&g, s, panics);
  leat_waitgroup_wait(&g);
}
TEST_GO(a_failure_is_recorded_before_the_wait_returns) {
  leat_waitgroup g = {0};
  leat_scope(s);
  CHECK_EQ(leat_waitgroup_go(&g, s, fails), LEAT_OK);
  leat_waitgroup_wait(&g);
  CHECK_STR(leat_failure_of(s)->message, "as it was told");
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
}
TEST_GO(go_counts_what_is_cancelled) {
  leat_waitgroup g = {0};
  leat_scope(s);
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_waitgroup_go(&g, s, is_cancelled), LEAT_OK);
  wait_blocked("is_cancelled", 10);
  leat_cancel(s);
  leat_waitgroup_wait(&g);
  CHECK_EQ(ended, 10);
}
TEST_GO(go_counts_what_leaves) {
  leat_waitgroup g = {0};
  leat_scope(s);
  CHECK_EQ(leat_waitgroup_go(&g, s, leaves), LEAT_OK);
  leat_waitgroup_wait(&g);
  CHECK_EQ(ended, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(what_cannot_be_started_is_not_counted) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_waitgroup_go(&g, s, returns), LEAT_CANCELED);
  leat_waitgroup_wait(&g);
  CHECK_EQ(ended, 0);
}
LEAT_FN(counts_itself_back, leat_waitgroup *, g) { leat_waitgroup_done(g); }
TEST_GO(counting_a_counted_goroutine_back_by_hand_is_misuse) {
  leat_waitgroup g = {0};
  leat_scope(s);
  leat_waitgroup_go(&g, s, counts_itself_back, &g);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->name, "counts_itself_back");
  CHECK(strstr(leat_failure_of(s)->message, "negative") != NULL);
}
/* The group lies in the frame that leat_wait holds up: nothing may touch it once the goroutines have been joined. */
static void group_of_a_frame(leat_view unused) {
  (void)unused;
  leat_scope(s);
  leat_waitgroup g = {0};
  for (int i = 0; i < 4; i++) leat_waitgroup_go(&g, s, returns);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  memset(&g, 0xee, sizeof g);
}
TEST_GO(the_scope_joins_after_the_count_back) {
  for (int64_t i = test_scale(500) + 1; i; i--) group_of_a_frame(NULL);
}

/* Plain threads. */

static void *thread_counts_back(void *g) {
  leat_waitgroup_done(g);
  return NULL;
}
static void *thread_waits(void *g) {
  leat_waitgroup_wait(g);
  ended++;
  return NULL;
}
TEST_GO(plain_threads_count_and_wait) {
  enum { N = 8 };
  leat_waitgroup g = {0};
  pthread_t back[N], waits[N];
  leat_waitgroup_add(&g, N);
  for (int i = 0; i < N; i++) CHECK_EQ(pthread_create(&waits[i], NULL, thread_waits, &g), 0);
  for (int i = 0; i < N; i++) CHECK_EQ(pthread_create(&back[i], NULL, thread_counts_back, &g), 0);
  leat_waitgroup_wait(&g);
  for (int i = 0; i < N; i++) pthread_join(back[i], NULL), pthread_join(waits[i], NULL);
  CHECK_EQ(ended, N);
}

/* Storms: rounds in which goroutines and threads count back while others wait with deadlines, in scopes that are cancelled, or plainly. The
 * group is freed after each round, and every wait that answers LEAT_OK has seen all of its round. */

struct round {
  leat_waitgroup work;
  atomic_int done;
};
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}
LEAT_FN(storm_work, struct round *, r, uint32_t, seed) {
  for (uint32_t i = seed % 3; i; i--) leat_yield();
  r->done++;
  leat_waitgroup_done(&r->work);
}
static void *storm_thread(void *round) {
  struct round *r = round;
  r->done++;
  leat_waitgroup_done(&r->work);
  return NULL;
}
LEAT_FN(storm_wait, struct round *, r, int, expected, uint32_t, seed) {
  switch (seed % 3) {
  case 0: leat_waitgroup_wait(&r->work); break;
  case 1:
    while (leat_waitgroup_wait_until(&r->work, leat_now() + seed % 50 * 1000)) {
      if (leat_yield()) return;
    }
    break;
  default:
    if (leat_waitgroup_wait_cancellable(&r->work)) return;
  }
  CHECK_EQ(r->done, expected);
}
static void storm(int rounds) {
  uint32_t seed = (uint32_t)rounds;
  for (int i = 0; i < rounds; i++) {
    struct round *r = calloc(1, sizeof *r);
    enum { GOROUTINES = 6, THREADS = 2, WAITS = 5 };
    pthread_t threads[THREADS];
    leat_scope(s);
    {
      leat_scope(waits);
      leat_waitgroup_add(&r->work, GOROUTINES + THREADS);
      for (int k = 0; k < WAITS; k++) leat_go(waits, storm_wait, r, GOROUTINES + THREADS, next_random(&seed));
      for (int k = 0; k < GOROUTINES; k++) leat_go(s, storm_work, r, next_random(&seed));
      for (int k = 0; k < THREADS; k++) CHECK_EQ(pthread_create(&threads[k], NULL, storm_thread, r), 0);
      if (i % 3 == 0) leat_cancel(waits);
      int status = leat_wait(waits);
      CHECK(status == LEAT_OK || status == LEAT_CANCELED);
    }
    leat_waitgroup_wait(&r->work);
    CHECK_EQ(r->done, GOROUTINES + THREADS);
    for (int k = 0; k < THREADS; k++) pthread_join(threads[k], NULL);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    free(r);
  }
}
TEST_GO(storms_on_1_2_and_8_workers) {
  for (int k = 0; k < 3; k++) {
    CHECK_EQ(leat_set_workers(worker_counts[k]), LEAT_OK);
    storm((int)test_scale(300) + 3);
  }
}
/* The memory of a group goes as soon as a wait has answered LEAT_OK, though earlier ones on it ran out of time while it was counted back. */
LEAT_FN(hurried_work, leat_waitgroup *, g, uint32_t, pause) {
  for (volatile uint32_t i = 0; i < pause; i++) {}
  leat_waitgroup_done(g);
}
TEST_GO(a_group_is_not_touched_after_the_wait_that_found_0) {
  uint32_t seed = 1;
  leat_scope(s);
  CHECK_EQ(leat_set_workers(2), LEAT_OK);
  for (int64_t i = test_scale(3000) + 10; i; i--) {
    leat_waitgroup *g = calloc(1, sizeof *g);
    leat_waitgroup_add(g, 1);
    leat_go(s, hurried_work, g, next_random(&seed) % 20000);
    while (leat_waitgroup_wait_until(g, leat_now() + LEAT_US(next_random(&seed) % 20))) {}
    memset(g, 0xee, sizeof *g);
    free(g);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* Once a wait that ran out of time has returned, an add is legal at any moment of the count back to 0 that it has raced. Every other round the
 * waits run out of time at once, so that most counts back race one. */
TEST_GO(an_add_after_a_wait_that_ran_out_of_time_is_no_misuse) {
  uint32_t seed = 2;
  leat_scope(s);
  CHECK_EQ(leat_set_workers(2), LEAT_OK);
  for (int64_t i = test_scale(10000) + 10; i; i--) {
    leat_waitgroup *g = calloc(1, sizeof *g);
    leat_waitgroup_add(g, 1);
    leat_go(s, hurried_work, g, next_random(&seed) % 2000);
    while (leat_waitgroup_wait_until(g, i % 2 ? 1 : leat_now() + LEAT_US(next_random(&seed) % 20))) {
      leat_waitgroup_add(g, 1); /* from 1 or from 0 */
      leat_waitgroup_done(g);
      if (next_random(&seed) % 64 == 0) CHECK_EQ(leat_yield(), LEAT_OK);
    }
    leat_waitgroup_add(g, 1);
    leat_go(s, hurried_work, g, 0);
    leat_waitgroup_wait(g);
    memset(g, 0xee, sizeof *g);
    free(g);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* Misuse that races what is proper leaves a group that is as if it had not been: nobody waits for ever, and the next round counts. */
LEAT_FN(add_and_count_back, leat_waitgroup *, g, uint32_t, pause) {
  for (volatile uint32_t i = 0; i < pause; i++) {}
  leat_waitgroup_add(g, 1);
  leat_waitgroup_done(g);
}
static void race_misuse(bool one_adds) {
  uint32_t seed = 3;
  int n_misuses = 0;
  CHECK_EQ(leat_set_workers(2), LEAT_OK);
  for (int64_t i = test_scale(3000) + 10; i; i--) {
    leat_waitgroup g = {0};
    leat_scope(s);
    leat_keep_going(s);
    leat_waitgroup_add(&g, 1);
    leat_go(s, wait_for, &g);
    leat_go(s, wait_until, &g, leat_now() + LEAT_US(next_random(&seed) % 20));
    leat_go(s, hurried_work, &g, next_random(&seed) % 2000);
    if (one_adds) leat_go(s, add_and_count_back, &g, next_random(&seed) % 2000);
    else leat_go(s, hurried_work, &g, next_random(&seed) % 2000);
    int status = leat_wait(s);
    if (status != LEAT_OK) {
      n_misuses++;
      CHECK_EQ(status, LEAT_PANIC);
      CHECK(strstr(leat_failure_of(s)->message, one_adds ? "add from 0 while a wait has not returned" : "would become negative") != NULL);
    }
    CHECK_EQ(leat_waitgroup_wait_until(&g, 1), LEAT_OK); /* it is 0 */
    leat_waitgroup_add(&g, 1);
    CHECK_EQ(leat_waitgroup_wait_until(&g, 1), LEAT_DEADLINE);
    leat_waitgroup_done(&g);
    leat_waitgroup_wait(&g);
  }
  if (!one_adds) CHECK_EQ(n_misuses, test_scale(3000) + 10);
}
TEST_GO(counting_back_too_often_in_a_race_is_taken_back) { race_misuse(false); }
TEST_GO(an_add_that_races_the_end_of_a_round_counts_or_is_taken_back) { race_misuse(true); }
