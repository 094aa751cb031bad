/* Time: the clock, its units, sleeping. Bounds are from below only, and nothing waits for a time that ought to be long enough. Timers have
 * tests of their own, timer.c: leat/time.h has both, as Go's package does, but a sleep is a state of a goroutine and has neither a channel nor
 * anything to stop. Durations without end are tested there, for both side by side.
 *
 * Scenarios of Go's time/sleep_test.go that are about sleeping:
 *   TestSleep                            sleeps_are_not_too_short (the interrupting signal is Go's)
 *   TestSleepZeroDeadlock                sleeping_for_nothing
 * The rest of Go's package (formats, zones, calendar arithmetic, a monotonic reading inside a wall clock's) has no counterpart here. */
#include "wait.h"

#include <time.h>

TEST_GO(the_clock_is_the_monotonic_one) {
  struct timespec t;
  for (int i = 0; i < 1000; i++) {
    int64_t before = leat_now();
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    CHECK(before <= now && now <= leat_now());
  }
}
static void check_sleeps(void) {
  static const int64_t durations[] = {0, -5, 1, LEAT_US(1), LEAT_US(100), LEAT_MS(1), LEAT_MS(20)};
  for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
    int64_t start = leat_now();
    CHECK_EQ(leat_sleep(durations[i]), LEAT_OK);
    CHECK(leat_now() >= start + durations[i]);
    start = leat_now();
    CHECK_EQ(leat_sleep_until(start + durations[i]), LEAT_OK);
    CHECK(leat_now() >= start + durations[i]);
  }
}
TEST_GO(sleeps_are_not_too_short) { check_sleeps(); }
TEST(a_plain_thread_may_sleep) { check_sleeps(); }
TEST_GO(sleeping_for_nothing) {
  leat_scope(s);
  for (int i = 0; i < 1000; i++) {
    CHECK_EQ(leat_sleep(0), LEAT_OK);
    leat_chan(int) c = leat_chan_make(s, int, 1);
    int v;
    CHECK_EQ(leat_send(c, 1), LEAT_OK);
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    leat_release(c);
  }
}
TEST(units) {
  CHECK_EQ(LEAT_NS(7), 7);
  CHECK_EQ(LEAT_US(7), 7000);
  CHECK_EQ(LEAT_MS(250), 250000000);
  CHECK_EQ(LEAT_SECONDS(100000), INT64_C(100000000000000));
  CHECK_EQ(LEAT_MS(0.5), 500000);
  CHECK_EQ(sizeof(LEAT_MS(1)), 8);
}

/* All come back, none early, whatever the order in which they went to sleep. */
enum { SLEEPERS = 200 };
static int order[SLEEPERS];
static atomic_int awake;
LEAT_FN(sleep_and_append, int, i, int64_t, start) {
  CHECK_EQ(leat_sleep_until(start + LEAT_US(100) * i), LEAT_OK);
  CHECK(leat_now() >= start + LEAT_US(100) * i);
  order[awake++] = i;
}
TEST(sleepers_wake_and_none_early) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  bool in_time = false; /* all were asleep before the first had to wake */
  for (int64_t lead = LEAT_MS(50); !in_time; lead *= 2) {
    awake = 0;
    int64_t start = leat_now() + lead;
    for (int i = 0; i < SLEEPERS; i++) leat_go(s, sleep_and_append, i * 77 % SLEEPERS, start);
    UNTIL(blocked_goroutines("sleep_and_append") + (size_t)awake >= SLEEPERS);
    in_time = leat_now() < start;
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  bool seen[SLEEPERS] = {false};
  for (int i = 0; i < SLEEPERS; i++) {
    CHECK(!seen[order[i]]);
    seen[order[i]] = true;
  }
}
LEAT_FN(sleeps_often, unsigned, seed, int, times) {
  for (int i = 0; i < times; i++) {
    seed = seed * 1103515245 + 12345;
    int64_t duration = LEAT_US((seed >> 16) & 0x3FF), start = leat_now();
    CHECK_EQ(leat_sleep(duration), LEAT_OK);
    CHECK(leat_now() >= start + duration);
  }
  awake++;
}
TEST_GO(many_sleep_again_and_again) {
  leat_scope(s);
  int n = (int)test_scale(500);
  for (int i = 0; i < n; i++) leat_go(s, sleeps_often, (unsigned)i + 1, 100);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(awake, n);
}
LEAT_FN(sleeps_once, int64_t, until) {
  CHECK_EQ(leat_sleep_until(until), LEAT_OK);
  CHECK(leat_now() >= until);
  awake++;
}
TEST_GO(a_hundred_thousand_sleepers) {
  leat_scope(s);
  int n = (int)test_scale(100000);
  int64_t start = leat_now() + LEAT_MS(300);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, sleeps_once, start + i % 1000 * LEAT_US(100)), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(awake, n);
}
LEAT_FN(sleeps_until_cancelled) {
  CHECK_EQ(leat_sleep(LEAT_SECONDS(100000)), LEAT_CANCELED);
  awake++;
}
TEST_GO(a_cancelled_sleep_ends_early) {
  leat_scope(s);
  for (int i = 0; i < 100; i++) leat_go(s, sleeps_until_cancelled);
  wait_blocked("sleeps_until_cancelled", 100);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(awake, 100);
}
