/* Time: sleeping in order, timers that stop and reset, tickers without drift, many sleepers at once. Bounds are from below only.
 *
 * Scenarios are after Go's time/sleep_test.go and tick_test.go (TestAfterStop, TestReset, TestTickerReset, TestSleepZeroDeadlock, ...). */
#include "wait.h"

#include <time.h>

typedef leat_chan(int) int_chan;

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
static atomic_int awake, ran;
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

/* Timers. */

TEST_GO(after_delivers_once_and_not_early) {
  leat_scope(s);
  int64_t start = leat_now(), at = 0;
  leat_rx(int64_t) fired = leat_after(s, LEAT_MS(5));
  CHECK_EQ(leat_recv(fired, &at), LEAT_OK);
  CHECK(at >= start + LEAT_MS(5));
  CHECK(leat_now() >= at);
  CHECK_EQ(leat_recv_until(fired, leat_now() + LEAT_MS(15), &at), LEAT_DEADLINE);
}
TEST_GO(afters_come_in_order) {
  leat_scope(s);
  int64_t a, b, c;
  leat_rx(int64_t) third = leat_after(s, LEAT_MS(9)), first = leat_after(s, LEAT_MS(1)), second = leat_after(s, LEAT_MS(5));
  CHECK_EQ(leat_recv(third, &c), LEAT_OK);
  CHECK_EQ(leat_recv(second, &b), LEAT_OK);
  CHECK_EQ(leat_recv(first, &a), LEAT_OK);
  CHECK(a <= b && b <= c);
}
TEST_GO(a_timer_fires_once_with_its_time) {
  leat_scope(s);
  int64_t start = leat_now(), at = 0;
  leat_timer *t = leat_timer_start(s, LEAT_MS(2));
  CHECK(t != NULL);
  CHECK_EQ(leat_cap(leat_timer_chan(t)), 1);
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK(at >= start + LEAT_MS(2) && at <= leat_now());
  CHECK(!leat_timer_stop(t));
  CHECK_EQ(leat_try_recv(leat_timer_chan(t), &at), LEAT_EMPTY);
  start = leat_now();
  CHECK(!leat_timer_reset(t, LEAT_MS(1)));
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK(at >= start + LEAT_MS(1));
}
TEST_GO(a_stopped_timer_does_not_fire) {
  leat_scope(s);
  leat_timer *t = leat_timer_start(s, LEAT_SECONDS(1000));
  CHECK(leat_timer_stop(t));
  CHECK(!leat_timer_stop(t));
  CHECK(!leat_timer_reset(t, LEAT_MS(1)));
  int64_t at;
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK(!leat_timer_reset(t, LEAT_SECONDS(1000)));
  CHECK(leat_timer_reset(t, LEAT_SECONDS(2000)));
  CHECK(leat_timer_stop(t));
  CHECK_EQ(leat_recv_until(leat_timer_chan(t), leat_now() + LEAT_MS(3), &at), LEAT_DEADLINE); /* nor is its channel closed */
}
TEST_GO(no_stale_value_after_stop_or_reset) {
  leat_scope(s);
  for (int i = 0; i < 200; i++) {
    leat_timer *t = leat_timer_start(s, LEAT_US(i % 20));
    if (i % 3 == 0) UNTIL(leat_len(leat_timer_chan(t)) == 1);
    if (i % 3 == 1) leat_yield();
    int64_t at = 0;
    if (i % 2) {
      leat_timer_stop(t);
      CHECK_EQ(leat_try_recv(leat_timer_chan(t), &at), LEAT_EMPTY);
      CHECK_EQ(leat_recv_until(leat_timer_chan(t), leat_now() + LEAT_US(50), &at), LEAT_DEADLINE);
    } else {
      int64_t before = leat_now();
      leat_timer_reset(t, LEAT_MS(1));
      CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
      CHECK(at >= before + LEAT_MS(1));
    }
    leat_timer_release(t);
  }
}
TEST_GO(a_timer_in_a_select) {
  leat_scope(s);
  int_chan never = leat_chan_make(s, int, 0);
  leat_timer *t = leat_timer_start(s, LEAT_MS(2));
  int v;
  int64_t at;
  CHECK_EQ(leat_select(leat_on_recv(never, &v), leat_on_recv(leat_timer_chan(t), &at)), 1);
}
TEST_GO(timers_end_with_their_scope) {
  for (int i = 0; i < 100; i++) {
    leat_scope(s);
    for (int k = 0; k < 20; k++) {
      leat_timer_start(s, LEAT_US(10 * k));
      leat_ticker_start(s, LEAT_US(10 + k));
      leat_after(s, LEAT_SECONDS(1000));
    }
    if (i % 10 == 0) leat_sleep(LEAT_US(100));
  }
}
TEST_GO(a_hundred_thousand_timers) {
  leat_scope(s);
  int n = (int)test_scale(100000);
  leat_timer **timers = calloc((size_t)n, sizeof *timers);
  leat_defer(free, timers);
  for (int i = 0; i < n; i++) timers[i] = leat_timer_start(s, i % 2 ? LEAT_SECONDS(1000) : LEAT_MS(i % 100));
  for (int i = 0; i < n; i++) {
    int64_t at;
    if (i % 2) CHECK(leat_timer_stop(timers[i]));
    else CHECK_EQ(leat_recv(leat_timer_chan(timers[i]), &at), LEAT_OK);
  }
}

/* Tickers. */

TEST_GO(ticks_are_not_early) {
  leat_scope(s);
  int64_t start = leat_now(), at = 0, last = 0;
  leat_timer *t = leat_ticker_start(s, LEAT_MS(2));
  for (int i = 1; i <= 10; i++) {
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    CHECK(at >= start + i * LEAT_MS(2));
    CHECK(at > last);
    last = at;
  }
  CHECK(leat_timer_stop(t));
  CHECK_EQ(leat_recv_until(leat_timer_chan(t), leat_now() + LEAT_MS(10), &at), LEAT_DEADLINE);
}
TEST_GO(ticks_that_nobody_took_are_dropped) {
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, LEAT_MS(1));
  int64_t at = 0;
  UNTIL(leat_len(leat_timer_chan(t)) == 1);
  leat_sleep(LEAT_MS(20));
  CHECK_EQ(leat_len(leat_timer_chan(t)), 1);
  int64_t before = leat_now();
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK(at <= before);
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK); /* and it ticks on */
}
/* A ticker that drifts, by arming itself again each time it fires, is late by at least the latency of the machine on each tick; one that
 * does not drift takes n - 1 periods for n ticks, as soon as this machine lets a run be undisturbed. */
TEST_GO(a_ticker_does_not_drift) {
  enum { TICKS = 100 };
  leat_scope(s);
  const int64_t period = LEAT_MS(1);
  for (;;) {
    leat_timer *t = leat_ticker_start(s, period);
    int64_t first = 0, last = 0;
    CHECK_EQ(leat_recv(leat_timer_chan(t), &first), LEAT_OK);
    for (int i = 1; i < TICKS; i++) CHECK_EQ(leat_recv(leat_timer_chan(t), &last), LEAT_OK);
    leat_timer_release(t);
    int64_t late = last - first - (TICKS - 1) * period;
    CHECK(late > -period);
    if (late < period / 2) break;
  }
}
TEST_GO(a_reset_changes_the_period) {
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, LEAT_SECONDS(1000));
  int64_t start = leat_now(), at = 0;
  CHECK(leat_timer_reset(t, LEAT_MS(2)));
  for (int i = 1; i <= 5; i++) {
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    CHECK(at >= start + i * LEAT_MS(2));
  }
  CHECK(leat_timer_stop(t));
  CHECK(!leat_timer_reset(t, LEAT_MS(1)));
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
}
TEST_GO(a_timer_can_be_released_armed_or_fired) {
  leat_scope(s);
  for (int i = 0; i < 100; i++) {
    leat_timer_release(leat_timer_start(s, LEAT_SECONDS(1000)));
    leat_timer_release(leat_ticker_start(s, LEAT_US(1)));
    leat_timer *t = leat_timer_start(s, 0);
    if (i % 2) UNTIL(leat_len(leat_timer_chan(t)) == 1);
    leat_timer_release(t);
  }
}

/* The same timer is stopped and reset from several goroutines while it fires. */
LEAT_FN(fiddle, leat_timer *, t, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_timer_reset(t, LEAT_US(i % 7));
    if (i % 5 == 0) leat_timer_stop(t);
    if (i % 3 == 0) leat_yield();
  }
  ran++;
}
TEST_GO(a_timer_used_by_many) {
  leat_scope(s);
  leat_timer *t = leat_timer_start(s, LEAT_US(5));
  for (int i = 0; i < 4; i++) leat_go(s, fiddle, t, (int)test_scale(5000));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 4);
  int64_t at;
  leat_timer_reset(t, LEAT_US(1));
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
}
