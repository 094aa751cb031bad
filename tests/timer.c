/* Timers (of leat/time.h): they stop and reset, functions that run later, tickers without drift, many at once. Bounds are from below only, and
 * nothing waits for a time that ought to be long enough. The clock and sleeping: time.c.
 *
 * Scenarios of Go's time/sleep_test.go and tick_test.go, and of runtime's that are about timers, one by one:
 *   TestAfterFunc                        a_function_starts_the_next
 *   TestTickerStress, ConcurrentStress   a_ticker_of_a_nanosecond
 *   TestAfterFuncStarvation              a_function_runs_beside_a_busy_pair
 *   TestAfter                            after_delivers_once_and_not_early
 *   TestAfterTick                        afters_one_after_the_other
 *   TestAfterStop                        stopped_ones_do_not_fire_when_later_ones_have
 *   TestAfterQueuing                     afters_come_in_order_of_their_times
 *   TestTimerStopStress                  many_functions_are_stopped
 *   TestReset                            a_reset_postpones
 *   TestOverflowSleep                    durations_without_end, and_before_the_beginning
 *   TestIssue5745                        a_panic_leaves_timers_usable
 *   TestOverflowPeriodRuntimeTimer       a_period_without_end
 *   TestZeroTimerResetPanics, StopPanics, TestTickerStopWithDirectInitialization, TestManualTicker
 *                                        not possible: timers are made by leat only
 *   TestZeroTimer                        timers_of_nothing
 *   TestTimerModifiedEarlier             moved_to_the_past
 *   TestAdjustTimers                     to_and_fro
 *   TestStopResult, TestResetResult      stop_says_whether_there_is_a_value, reset_says_whether_there_was_a_value
 *   TestMultiWakeupTicker, Timer         many_at_one_ticker, many_at_one_timer
 *   TestTicker, TestTeardown             a_reset_changes_the_period, ticks_are_not_early
 *   TestTick, TestNewTickerLtZeroDuration, TestTickerResetLtZeroDuration
 *                                        a_period_must_be_positive, a_new_period_must_be_positive
 *   TestLongAdjustTimers                 waits_with_timeouts_beside_many_timers
 *   TestTimerGC                          timers_give_their_memory_back
 *   TestChan (its synchronous variant)   a_timers_channel, a_tickers_channel
 *   TestAfterTimes, TestTickTimes        the_time_is_that_of_firing
 *   TestTimerFairness, 2                 a_timer_beside_channels_that_are_always_ready, a_timer_in_each_of_a_busy_pair
 *   TestTimeTimerType                    not possible: nothing is laid out twice */
#include "wait.h"

#include "runtime/timer.h"
#include <malloc.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;

TEST_GO(after_delivers_once_and_not_early) {
  leat_scope(s);
  int64_t start = leat_now(), at = 0;
  leat_rx(int64_t) fired = leat_after(s, LEAT_MS(5));
  CHECK_EQ(leat_recv(fired, &at), LEAT_OK);
  CHECK(at >= start + LEAT_MS(5));
  CHECK(leat_now() >= at);
  CHECK_EQ(leat_recv_until(fired, leat_now() + LEAT_MS(15), &at), LEAT_DEADLINE);
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
TEST_GO(no_stale_tick_after_a_reset) {
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, LEAT_US(5));
  for (int i = 0; i < 300; i++) {
    int64_t at = 0, before;
    if (i % 3 == 0) UNTIL(leat_len(leat_timer_chan(t)) == 1);
    if (i % 3 == 1) leat_yield();
    CHECK(leat_timer_reset(t, LEAT_SECONDS(1000)));
    CHECK_EQ(leat_try_recv(leat_timer_chan(t), &at), LEAT_EMPTY);
    before = leat_now();
    CHECK(leat_timer_reset(t, LEAT_US(5 + i)));
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    CHECK(at >= before + LEAT_US(5 + i));
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    CHECK(at >= before + 2 * LEAT_US(5 + i));
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
static atomic_int ran;
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

/* ---- functions that run later ---- */

static atomic_int runs;
LEAT_FN(run_down, struct leat_scope *, s, int, left) {
  runs++;
  if (left > 0) leat_timer_func(s, 0, leat_bind(run_down, s, left - 1));
  else leat_cancel(s);
}
TEST_GO(a_function_starts_the_next) {
  leat_scope(s);
  leat_timer *first = leat_timer_func(s, 0, leat_bind(run_down, s, 10));
  CHECK(leat_timer_chan(first) == NULL);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(100000)), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(runs, 11);
  CHECK(!leat_timer_stop(first));
}
LEAT_FN(note_time, int64_t *, at, int_chan, done) {
  *at = leat_now();
  CHECK_EQ(leat_send(done, 1), LEAT_OK);
}
TEST_GO(a_function_runs_once_and_not_early) {
  leat_scope(s);
  int_chan done = leat_chan_make(s, int, 0);
  int64_t start = leat_now(), at = 0;
  int v;
  leat_timer *t = leat_timer_func(s, LEAT_MS(3), leat_bind(note_time, &at, done));
  CHECK_EQ(leat_recv(done, &v), LEAT_OK);
  CHECK(at >= start + LEAT_MS(3));
  CHECK(!leat_timer_stop(t));
  CHECK_EQ(leat_recv_until(done, leat_now() + LEAT_MS(10), &v), LEAT_DEADLINE);
  start = leat_now();
  CHECK(!leat_timer_reset(t, LEAT_MS(2))); /* and again */
  CHECK_EQ(leat_recv(done, &v), LEAT_OK);
  CHECK(at >= start + LEAT_MS(2));
  CHECK(!leat_timer_reset(t, LEAT_SECONDS(1000)));
  CHECK(leat_timer_reset(t, LEAT_SECONDS(2000)));
  CHECK(leat_timer_stop(t));
  CHECK(!leat_timer_stop(t));
  leat_timer_release(t);
}
LEAT_FN(forward, leat_tx(int), to, leat_rx(int), from) {
  leat_range(int, v, from)
    if (leat_send(to, v)) break;
}
LEAT_FN(set_flag, atomic_bool *, flag) { *flag = true; }
TEST(a_function_runs_beside_a_busy_pair) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  for (int i = 0; i < 20; i++) {
    static atomic_bool flag;
    flag = false;
    leat_scope(s);
    int_chan a = leat_chan_make(s, int, 1), b = leat_chan_make(s, int, 1);
    leat_go(s, forward, leat_tx_of(a), leat_rx_of(b));
    leat_go(s, forward, leat_tx_of(b), leat_rx_of(a));
    CHECK_EQ(leat_send(a, 1), LEAT_OK); /* goes round and round */
    leat_timer_func(s, LEAT_US(1), leat_bind(set_flag, &flag));
    UNTIL(flag);
  }
}
LEAT_FN(never_runs) { test_fail(__FILE__, __LINE__, "a stopped function ran"); }
LEAT_FN(start_and_stop, int, rounds) {
  leat_scope(s);
  for (int i = 0; i < rounds; i++) {
    leat_timer *t = leat_timer_func(s, LEAT_SECONDS(1000), leat_bind(never_runs));
    if (i % 2) CHECK_EQ(leat_yield(), LEAT_OK);
    if (i % 3 == 0) CHECK(leat_timer_reset(t, LEAT_SECONDS(2000)));
    CHECK(leat_timer_stop(t));
    leat_timer_release(t);
  }
}
TEST_GO(many_functions_are_stopped) {
  leat_scope(s);
  for (int i = 0; i < 100; i++) leat_go(s, start_and_stop, 50);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* Stopped while it fires: it ran, or stop said that it does not. */
LEAT_FN(count_run) { runs++; }
TEST_GO(a_function_is_stopped_or_runs) {
  leat_scope(s);
  int n = (int)test_scale(5000), stopped = 0;
  for (int i = 0; i < n; i++) {
    leat_timer *t = leat_timer_func(s, LEAT_US(i % 30), leat_bind(count_run));
    for (int64_t until = leat_now() + LEAT_US(i % 37); leat_now() < until;) leat_yield();
    stopped += leat_timer_stop(t);
    if (i % 2) leat_timer_release(t);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(runs + stopped, n);
  CHECK(stopped > 0 || n < 1000);
}
/* Some stop and reset one timer at the same time, while it fires: what each arming led to is either had, or said to have been prevented; and
 * who resets it last has it armed. */
struct contest {
  leat_timer *timer;
  atomic_int armed, prevented, had;
};
static void reset(struct contest *c, int64_t duration) {
  c->armed++;
  c->prevented += leat_timer_reset(c->timer, duration);
}
LEAT_FN(contend, struct contest *, c, unsigned, random) {
  int64_t at;
  for (int i = 0; i < 300; i++) {
    random = random * 1103515245 + 12345;
    unsigned choice = random / 65536 % 8;
    if (choice < 2) c->prevented += leat_timer_stop(c->timer);
    else if (choice < 6) reset(c, choice < 4 ? LEAT_US(choice) : LEAT_SECONDS(choice));
    else c->had += leat_try_recv(leat_timer_chan(c->timer), &at) == LEAT_OK; /* of a function: never */
  }
  reset(c, LEAT_US(random % 4));
}
static void contest(struct contest *c, unsigned number) {
  leat_scope(s);
  for (unsigned i = 0; i < 4; i++) leat_go(s, contend, c, 4 * number + i);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(each_arming_of_a_function_runs_it_or_is_said_to_be_prevented) {
  struct contest c = {.armed = 1};
  leat_scope(s);
  c.timer = leat_timer_func(s, LEAT_SECONDS(1), leat_bind(count_run));
  for (unsigned i = 0; i < (unsigned)test_scale(300) + 20; i++) {
    contest(&c, i);
    UNTIL(runs + c.prevented >= c.armed);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(runs + c.prevented, c.armed);
}
TEST_GO(each_arming_of_a_timer_sends_or_is_said_to_be_prevented) {
  struct contest c = {.armed = 1};
  leat_scope(s);
  c.timer = leat_timer_start(s, LEAT_SECONDS(1));
  for (unsigned i = 0; i < (unsigned)test_scale(300) + 20; i++) {
    int64_t at;
    contest(&c, i);
    if (c.had + c.prevented == c.armed) continue; /* received already */
    CHECK_EQ(leat_recv_until(leat_timer_chan(c.timer), leat_now() + LEAT_SECONDS(10), &at), LEAT_OK);
    CHECK_EQ(++c.had + c.prevented, c.armed);
  }
}
/* The scope ends while functions start: each has been joined, or does not start. */
static atomic_int in_scope;
LEAT_FN(live_in_scope) {
  in_scope++;
  leat_yield();
  in_scope--;
}
TEST_GO(functions_end_with_their_scope) {
  int n = (int)test_scale(3000);
  for (int i = 0; i < n; i++) {
    {
      leat_scope(s);
      for (int k = 0; k < 4; k++) leat_timer_func(s, LEAT_US(k * (i % 10)), leat_bind(live_in_scope));
      leat_timer_func(s, LEAT_SECONDS(1000), leat_bind(never_runs));
      if (i % 3 == 0) leat_yield();
      if (i % 7 == 0) leat_cancel(s);
      if (i % 5 == 0) {
        int status = leat_wait(s); /* which does not wait for timers */
        CHECK(status == LEAT_OK || status == LEAT_CANCELED);
      }
    }
    CHECK_EQ(in_scope, 0);
  }
}
/* Also those that a cancelled scope's clean-up sets. */
LEAT_FN(set_one_more, int_chan, unused) {
  (void)unused;
  for (int i = 0; i < 3; i++) leat_timer_func(NULL, LEAT_US(5 * i), leat_bind(live_in_scope));
}
TEST_GO(functions_set_after_a_cancel) {
  for (int i = 0; i < (int)test_scale(1000); i++) {
    {
      leat_scope(s);
      int_chan c = leat_chan_make(s, int, 0);
      leat_after_cancel(s, set_one_more, c);
      leat_cancel(s);
      leat_timer_func(s, 0, leat_bind(never_runs)); /* in a scope that has ended */
    }
    CHECK_EQ(in_scope, 0);
  }
}
TEST(a_function_from_a_plain_thread) {
  leat_scope(s);
  static atomic_bool flag;
  leat_timer_func(s, LEAT_US(10), leat_bind(set_flag, &flag));
  UNTIL(flag);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN_ERR(fail_later) { return leat_fail(LEAT_FAILED, "later"); }
TEST_GO(a_function_may_fail_its_scope) {
  leat_scope(s);
  leat_timer_func(s, 0, leat_bind(fail_later));
  CHECK_EQ(leat_sleep(LEAT_SECONDS(100000)), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->name, "fail_later");
}

/* ---- order and ends ---- */

TEST_GO(afters_one_after_the_other) {
  leat_scope(s);
  int64_t start = leat_now(), at;
  for (int i = 1; i <= 10; i++) {
    leat_rx(int64_t) c = leat_after(s, LEAT_MS(1));
    CHECK_EQ(leat_recv(c, &at), LEAT_OK);
    CHECK(leat_now() >= start + i * LEAT_MS(1));
    leat_release(c); /* with its timer */
  }
}
TEST_GO(stopped_ones_do_not_fire_when_later_ones_have) {
  leat_scope(s);
  leat_timer *t = leat_timer_start(s, LEAT_MS(500)), *f = leat_timer_func(s, LEAT_MS(500), leat_bind(never_runs));
  bool t_in_time = leat_timer_stop(t), f_in_time = leat_timer_stop(f);
  if (!t_in_time || !f_in_time) TEST_SKIP("the machine stood still for half a second");
  leat_timer *later = leat_timer_start(s, LEAT_MS(510));
  int64_t at;
  CHECK_EQ(leat_recv(leat_timer_chan(later), &at), LEAT_OK);
  CHECK_EQ(leat_try_recv(leat_timer_chan(t), &at), LEAT_EMPTY);
  CHECK(!leat_timer_stop(t) && !leat_timer_stop(f));
}
LEAT_FN(await, leat_rx(int64_t), c, int, slot, leat_tx(int), order) {
  int64_t at;
  CHECK_EQ(leat_recv(c, &at), LEAT_OK);
  CHECK_EQ(leat_send(order, slot), LEAT_OK);
}
static bool in_order(int64_t delta) {
  static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
  enum { N = sizeof slots / sizeof *slots };
  leat_scope(s);
  int_chan order = leat_chan_make(s, int, N);
  for (int i = 0; i < N; i++) leat_go(s, await, leat_after(s, slots[i] * delta), slots[i], leat_tx_of(order));
  int last = -1, slot;
  bool right = true;
  for (int i = 0; i < N; i++) {
    CHECK_EQ(leat_recv(order, &slot), LEAT_OK);
    right &= slot >= last;
    last = slot;
  }
  return right;
}
TEST_GO(afters_come_in_order_of_their_times) {
  int64_t delta = LEAT_MS(1);
  while (!in_order(delta)) delta *= 2; /* as soon as the machine is fast enough for it */
}
TEST_GO(a_reset_postpones) {
  leat_scope(s);
  int64_t start = leat_now(), at;
  leat_timer *t = leat_timer_start(s, LEAT_SECONDS(1000));
  for (int i = 1; i <= 20; i++) CHECK(leat_timer_reset(t, LEAT_SECONDS(1000 - i)));
  CHECK(leat_timer_reset(t, LEAT_MS(5)));
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK(at >= start + LEAT_MS(5));
  CHECK(!leat_timer_reset(t, LEAT_SECONDS(1000)));
  CHECK_EQ(leat_try_recv(leat_timer_chan(t), &at), LEAT_EMPTY);
}

/* Timers that are moved again and again, later and earlier, among others: each fires once, in the order of their last times, and none early. */
enum { MOVED = 200 };
TEST_GO(each_of_many_that_are_moved_fires_at_its_last_time) {
  leat_scope(s);
  leat_timer *t[MOVED];
  int64_t due[MOVED];
  unsigned random = 1;
  for (int i = 0; i < MOVED; i++) t[i] = leat_timer_start(s, LEAT_SECONDS(1000 + i));
  for (int round = 0; round < 20; round++)
    for (int i = 0; i < MOVED; i++) {
      random = random * 1103515245 + 12345;
      int64_t some = random / 65536 % 1000, ahead = round < 18 ? LEAT_SECONDS(500 + some) : round == 18 ? LEAT_MS(3) + LEAT_US(some) : LEAT_MS(6) + LEAT_US(5 * some);
      due[i] = leat_now() + ahead;
      bool pending = leat_timer_reset(t[i], ahead);
      CHECK(pending || round == 19); /* the last put off what is due soon, or has just come */
    }
  for (int i = 0; i < MOVED; i++) {
    int64_t at = 0, extra;
    CHECK_EQ(leat_recv(leat_timer_chan(t[i]), &at), LEAT_OK);
    CHECK(at >= due[i]);
    CHECK_EQ(leat_try_recv(leat_timer_chan(t[i]), &extra), LEAT_EMPTY);
  }
}
/* The few that come soon are kept apart from those that are far: they are armed, moved within and to and fro, stopped and received in any order, and
 * each has its one value, not early. */
TEST_GO(a_few_that_are_soon_beside_many_that_are_far) {
  enum { SOON = 9, FAR = 300 };
  leat_scope(s);
  leat_timer *t[SOON], *far[FAR];
  int64_t due[SOON], at;
  bool pending[SOON];
  unsigned random = 7;
  for (int i = 0; i < SOON; i++) {
    t[i] = leat_timer_start(s, LEAT_SECONDS(2000 - i));
    due[i] = leat_now() + LEAT_SECONDS(1500);
    pending[i] = true;
  }
  for (int i = 0; i < FAR; i++) far[i] = leat_timer_start(s, LEAT_SECONDS(1000 + i * 37 % FAR));
  for (int round = 0, rounds = (int)test_scale(30000); round < rounds; round++) {
    random = random * 1103515245 + 12345;
    int i = (int)(random >> 16) % SOON;
    int64_t ahead = LEAT_US((random >> 20) % 30);
    switch ((random >> 26) % 4) {
    case 0:
    case 1:
      if ((random >> 28) % 8 == 0) ahead = LEAT_SECONDS(1500);
      due[i] = leat_now() + ahead;
      CHECK_EQ(leat_timer_reset(t[i], ahead), pending[i]);
      pending[i] = true;
      break;
    case 2:
      CHECK_EQ(leat_timer_stop(t[i]), pending[i]);
      pending[i] = false;
      break;
    case 3:
      if (!pending[i] || due[i] > leat_now() + LEAT_SECONDS(1)) break;
      CHECK_EQ(leat_recv(leat_timer_chan(t[i]), &at), LEAT_OK);
      CHECK(at >= due[i]);
      pending[i] = false;
      break;
    }
    if (!pending[i]) CHECK_EQ(leat_try_recv(leat_timer_chan(t[i]), &at), LEAT_EMPTY);
  }
  for (int i = 0; i < FAR; i++) CHECK(leat_timer_stop(far[i]));
}
LEAT_FN(sleep_for_ever, int64_t, duration) { CHECK_EQ(leat_sleep(duration), LEAT_CANCELED); }
TEST_GO(durations_without_end) {
  leat_scope(s);
  int64_t at;
  leat_go(s, sleep_for_ever, INT64_MAX);
  leat_go(s, sleep_for_ever, INT64_MAX - 1);
  leat_go(s, sleep_for_ever, INT64_MAX / 2);
  wait_blocked("sleep_for_ever", 3);
  leat_rx(int64_t) never = leat_after(s, INT64_MAX), tick = leat_timer_chan(leat_ticker_start(s, INT64_MAX)), soon = leat_after(s, LEAT_MS(5));
  CHECK_EQ(leat_select(leat_on_recv(never, &at), leat_on_recv(tick, &at), leat_on_recv(soon, &at)), 2);
  leat_timer *t = leat_timer_start(s, INT64_MAX);
  CHECK(leat_timer_reset(t, 0)); /* what lies at the end of time can come forward */
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK_EQ(blocked_goroutines("sleep_for_ever"), 3);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
TEST_GO(and_before_the_beginning) {
  leat_scope(s);
  int64_t at;
  CHECK_EQ(leat_sleep(INT64_MIN), LEAT_OK);
  CHECK_EQ(leat_sleep_until(INT64_MIN), LEAT_OK);
  CHECK_EQ(leat_recv(leat_after(s, INT64_MIN), &at), LEAT_OK);
}
static atomic_int fired;
static struct goroutine *count_firing(struct timer *t, int64_t now) {
  (void)t, (void)now;
  fired++;
  return NULL;
}
TEST_GO(a_period_without_end) {
  struct timer t = {.fire = count_firing};
  CHECK_EQ(leat_i_timer_arm(&t, leat_now() - 1, INT64_MAX), LEAT_OK); /* due now, and then not again */
  UNTIL(fired == 1);
  CHECK_EQ(leat_sleep(LEAT_MS(5)), LEAT_OK); /* others fire as ever */
  CHECK_EQ(fired, 1);
  CHECK(leat_i_timer_disarm(&t));
}
LEAT_FN(reset_to_nothing, leat_timer *, t) { leat_timer_reset(t, 0); }
TEST_GO(a_panic_leaves_timers_usable) {
  leat_scope(outer);
  leat_timer *t = leat_ticker_start(outer, LEAT_SECONDS(1000));
  {
    leat_scope(s);
    leat_go(s, reset_to_nothing, t);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
  }
  CHECK(leat_timer_reset(t, LEAT_US(10)));
  int64_t at;
  CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
  CHECK(leat_timer_stop(t));
}
TEST_GO_DIES(a_period_must_be_positive, "leat_ticker_start: the period must be positive") { leat_ticker_start(NULL, -1); }
TEST_GO_DIES(a_new_period_must_be_positive, "leat_timer_reset: a ticker's period must be positive") {
  leat_timer_reset(leat_ticker_start(NULL, LEAT_SECONDS(1)), 0);
}

/* ---- hard use ---- */

TEST_GO(timers_of_nothing) {
  leat_scope(s);
  int n = (int)test_scale(100000);
  int_chan done = leat_chan_make(s, int, 1);
  leat_timer *again = leat_timer_start(s, LEAT_SECONDS(1000));
  for (int i = 0; i < n; i++) {
    int64_t at;
    int v;
    leat_timer *t = leat_timer_start(s, 0);
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    leat_timer_release(t);
    leat_timer_reset(again, 0);
    CHECK_EQ(leat_recv(leat_timer_chan(again), &at), LEAT_OK);
    if (i % 10) continue;
    t = leat_timer_func(s, 0, leat_bind(note_time, &at, done));
    CHECK_EQ(leat_recv(done, &v), LEAT_OK);
    leat_timer_release(t);
  }
}
TEST_GO(moved_to_the_past) {
  leat_scope(s);
  for (int i = 0; i < (int)test_scale(1000); i++) {
    leat_timer *t = leat_timer_start(s, LEAT_SECONDS(3600));
    for (int k = 0; k < 10; k++) {
      CHECK(leat_timer_stop(t)); /* its value has not been taken, if it fired */
      CHECK(!leat_timer_reset(t, INT64_MIN));
    }
    int64_t at;
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    leat_timer_release(t);
  }
}
TEST_GO(to_and_fro) {
  enum { TIMERS = 100 };
  leat_scope(s);
  leat_timer *timers[TIMERS];
  int step[TIMERS] = {0}, left = TIMERS;
  unsigned random = 12345;
  int64_t at;
  while (left) {
    random = random * 1103515245 + 12345;
    int i = (int)(random >> 16) % TIMERS;
    leat_timer *t = timers[i];
    switch (step[i]++) {
    case 0: timers[i] = leat_timer_start(s, 0); break;
    case 1: CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK); break;
    case 2:
    case 4:
    case 6: CHECK(!leat_timer_reset(t, LEAT_SECONDS(60 * (1 + random % 3)))); break;
    case 3:
    case 5:
    case 7: CHECK(leat_timer_stop(t)); break;
    case 8: CHECK(!leat_timer_reset(t, 0)); break;
    case 9:
      CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
      left--;
      break;
    }
  }
}
/* Two timers race; the one that was not received is stopped. If stop or reset answers false, its value must be there: it is not, since nobody
 * has taken it, so they answer true, whether it has fired or not. */
LEAT_FN(race_two, bool, stop, int, rounds) {
  leat_scope(s);
  for (int i = 0; i < rounds; i++) {
    leat_timer *t[2] = {leat_timer_start(s, LEAT_US(100)), leat_timer_start(s, LEAT_US(100))};
    int64_t at;
    int first = leat_select(leat_on_recv(leat_timer_chan(t[0]), &at), leat_on_recv(leat_timer_chan(t[1]), &at));
    CHECK(first == 0 || first == 1);
    leat_timer *other = t[1 - first];
    CHECK(stop ? leat_timer_stop(other) : leat_timer_reset(other, LEAT_SECONDS(3600)));
    CHECK_EQ(leat_try_recv(leat_timer_chan(other), &at), LEAT_EMPTY);
    CHECK(stop ? !leat_timer_stop(t[first]) : !leat_timer_reset(t[first], LEAT_SECONDS(3600)));
    leat_timer_release(t[0]);
    leat_timer_release(t[1]);
  }
}
static void check_race(bool stop) {
  leat_scope(s);
  for (int i = 0; i < (int)test_scale(500); i++) leat_go(s, race_two, stop, 20);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(stop_says_whether_there_is_a_value) { check_race(true); }
TEST_GO(reset_says_whether_there_was_a_value) { check_race(false); }

LEAT_FN(make_and_drop_stacks, atomic_bool *, end) {
  while (!*end) {
    leat_scope(s);
    for (int i = 0; i < 10; i++) leat_go(s, count_run);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(leat_sleep(1), LEAT_OK);
  }
}
LEAT_FN(take_ticks, int, n) {
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, 1);
  int64_t at, last = 0;
  for (int i = 0; i < n; i++) {
    CHECK_EQ(leat_recv(leat_timer_chan(t), &at), LEAT_OK);
    CHECK(at > last);
    last = at;
  }
  CHECK(leat_timer_stop(t));
}
TEST_GO(a_ticker_of_a_nanosecond) {
  leat_scope(s);
  static atomic_bool end;
  leat_go(s, make_and_drop_stacks, &end);
  {
    leat_scope(takers);
    for (int i = 0; i < 3; i++) leat_go(takers, take_ticks, (int)test_scale(3000));
    CHECK_EQ(leat_wait(takers), LEAT_OK);
  }
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(take_or_time_out, leat_timer *, t, int, rounds) {
  int64_t at;
  for (int i = 0; i < rounds; i++) {
    int which = leat_select(leat_on_recv(leat_timer_chan(t), &at), leat_on_timeout(LEAT_MS(1)));
    CHECK(which == 0 || which == 1);
  }
}
TEST_GO(many_at_one_ticker) {
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, LEAT_US(1));
  for (int i = 0; i < 4; i++) leat_go(s, take_or_time_out, t, (int)test_scale(5000));
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(take_and_reset, leat_timer *, t, int, rounds) {
  int64_t at;
  for (int i = 0; i < rounds; i++) {
    int status = leat_try_recv(leat_timer_chan(t), &at);
    CHECK(status == LEAT_OK || status == LEAT_EMPTY);
    leat_timer_reset(t, 1);
  }
}
TEST_GO(many_at_one_timer) {
  leat_scope(s);
  leat_timer *t = leat_timer_start(s, 1);
  for (int i = 0; i < 4; i++) leat_go(s, take_and_reset, t, (int)test_scale(10000));
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(sleep_briefly) { CHECK_EQ(leat_sleep(LEAT_US(10)), LEAT_OK); }
LEAT_FN(queue_between, leat_rx(int), in, leat_tx(int), out) {
  int values[64], n = 0, v;
  for (;;) {
    switch (leat_select(leat_on_send(n ? out : NULL, values[n ? n - 1 : 0]), leat_on_recv(in, &v))) {
    case 0: n--; break;
    case 1:
      if (leat_selected() != LEAT_OK) return;
      values[n++] = v;
      break;
    default: return;
    }
  }
}
TEST_GO(waits_with_timeouts_beside_many_timers) {
  leat_scope(s);
  for (int i = 0; i < (int)test_scale(5000); i++) leat_go(s, sleep_briefly);
  int_chan in = leat_chan_make(s, int, 0), out = leat_chan_make(s, int, 0);
  leat_go(s, queue_between, leat_rx_of(in), leat_tx_of(out));
  for (int i = 0; i < (int)test_scale(2000); i++) {
    int v;
    for (int k = 0; k < 20; k++) CHECK_EQ(leat_send(in, k), LEAT_OK);
    for (int k = 0; k < 20; k++) CHECK_EQ(leat_select(leat_on_recv(out, &v), leat_on_timeout(LEAT_SECONDS(1000))), 0);
  }
  leat_close(in);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* A select in which something is always ready gives its timer a turn. */
LEAT_FN(send_always, leat_tx(int), to) {
  while (leat_select(leat_on_send(to, 1)) == 0 && leat_selected() == LEAT_OK) {}
}
TEST_GO(a_timer_beside_channels_that_are_always_ready) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 2; i++) leat_go(s, send_always, leat_tx_of(c));
  leat_rx(int64_t) end = leat_after(s, LEAT_MS(20));
  int v, which;
  int64_t at;
  while ((which = leat_select(leat_on_recv(c, &v), leat_on_recv(end, &at))) == 0) {}
  CHECK_EQ(which, 1);
  leat_stop(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(send_and_receive, int_chan, c, leat_tx(int), done) {
  leat_scope(s);
  leat_rx(int64_t) end = leat_after(s, LEAT_MS(20));
  int v, which;
  int64_t at;
  char none;
  do {
    leat_blocking CHECK_EQ(read(0, &none, 0), 0);
  } while ((which = leat_select(leat_on_send(c, 1), leat_on_recv(c, &v), leat_on_recv(end, &at))) < 2 && which >= 0);
  CHECK_EQ(which, 2);
  CHECK_EQ(leat_send(done, 1), LEAT_OK);
}
TEST_GO(a_timer_in_each_of_a_busy_pair) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0), done = leat_chan_make(s, int, 2);
  for (int i = 0; i < 2; i++) leat_go(s, send_and_receive, c, leat_tx_of(done));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_len(done), 2);
}

/* ---- memory ---- */

static size_t allocated(void) { return mallinfo2().uordblks; }
static void use_timers(int i) {
  leat_scope(s);
  int64_t at;
  leat_after(s, LEAT_SECONDS(3600));
  leat_timer_start(s, LEAT_SECONDS(3600));
  leat_ticker_start(s, LEAT_SECONDS(3600));
  leat_timer_func(s, LEAT_SECONDS(3600), leat_bind(never_runs));
  leat_timer_stop(leat_timer_start(s, LEAT_SECONDS(3600)));
  CHECK_EQ(leat_recv(leat_after(s, 0), &at), LEAT_OK);
  if (i % 2) leat_release(leat_after(s, LEAT_SECONDS(3600)));
  if (i % 3) leat_timer_release(leat_ticker_start(s, 1));
}
TEST_GO(timers_give_their_memory_back) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind()) TEST_SKIP("malloc is not libc's here");
  leat_metrics m;
  for (int i = 0; i < 100; i++) use_timers(i);
  size_t before = allocated();
  int n = (int)test_scale(10000);
  for (int i = 0; i < n; i++) use_timers(i);
  CHECK(allocated() < before + (size_t)n * 100 + 65536 * 4); /* debug builds keep 1,024 channels */
  leat_metrics_read(&m);
  CHECK_EQ(m.timers, 0);
}

/* ---- what a channel shows of its timer ---- */

static void check_channel(leat_timer *t, bool ticks) {
  leat_rx(int64_t) c = leat_timer_chan(t);
  int64_t at;
  leat_scope(s);
  int_chan done = leat_chan_make(s, int, 2);
  int v;
  CHECK(leat_timer_stop(t));
  CHECK_EQ(leat_try_recv(c, &at), LEAT_EMPTY);
  CHECK(!leat_timer_reset(t, LEAT_SECONDS(10000))); /* not in the heap */
  CHECK_EQ(leat_try_recv(c, &at), LEAT_EMPTY);
  CHECK(leat_timer_reset(t, 1)); /* in it */
  CHECK_EQ(leat_recv(c, &at), LEAT_OK);
  if (ticks) UNTIL(leat_len(c) == 1);
  CHECK_EQ(leat_timer_reset(t, LEAT_SECONDS(10000)), ticks);
  CHECK_EQ(leat_try_recv(c, &at), LEAT_EMPTY);

  leat_go(s, await, c, 1, leat_tx_of(done)); /* with a receiver that waits */
  wait_blocked("await", 1);
  CHECK(leat_timer_reset(t, LEAT_SECONDS(20000)));
  CHECK_EQ(leat_try_recv(done, &v), LEAT_EMPTY);
  CHECK(leat_timer_reset(t, 1));
  CHECK_EQ(leat_recv(done, &v), LEAT_OK);
  if (ticks) CHECK_EQ(leat_recv(c, &at), LEAT_OK);
  else CHECK_EQ(leat_try_recv(c, &at), LEAT_EMPTY);
  CHECK_EQ(leat_timer_stop(t), ticks);
  CHECK_EQ(leat_try_recv(c, &at), LEAT_EMPTY);

  leat_timer_reset(t, LEAT_SECONDS(10000)); /* with two: the first that came gets it */
  leat_go(s, await, c, 1, leat_tx_of(done));
  wait_blocked("await", 1);
  leat_go(s, await, c, 2, leat_tx_of(done));
  wait_blocked("await", 2);
  leat_timer_reset(t, LEAT_US(100));
  CHECK_EQ(leat_recv(done, &v), LEAT_OK);
  if (!ticks) {
    CHECK_EQ(v, 1);
    CHECK_EQ(leat_try_recv(done, &v), LEAT_EMPTY);
    CHECK(!leat_timer_reset(t, 1));
  }
  CHECK_EQ(leat_recv(done, &v), LEAT_OK);
  leat_timer_stop(t);

  leat_timer_reset(t, 1); /* fired, and not received */
  UNTIL(leat_len(c) == 1);
  CHECK(leat_timer_stop(t));
  CHECK_EQ(leat_len(c), 0);
  CHECK(!leat_timer_stop(t));
  leat_timer_reset(t, 1);
  UNTIL(leat_len(c) == 1);
  CHECK(leat_timer_reset(t, LEAT_SECONDS(3600)));
  CHECK_EQ(leat_try_recv(c, &at), LEAT_EMPTY);
  CHECK(leat_timer_reset(t, 1));
  CHECK_EQ(leat_recv(c, &at), LEAT_OK);
  if (ticks) CHECK_EQ(leat_recv(c, &at), LEAT_OK);
  CHECK_EQ(leat_timer_reset(t, LEAT_SECONDS(3600)), ticks);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_timers_channel) {
  leat_scope(s);
  check_channel(leat_timer_start(s, LEAT_SECONDS(10000)), false);
}
TEST_GO(a_tickers_channel) {
  leat_scope(s);
  check_channel(leat_ticker_start(s, LEAT_SECONDS(10000)), true);
}
TEST_GO(the_time_is_that_of_firing) {
  leat_scope(s);
  leat_rx(int64_t) once = leat_after(s, LEAT_US(100)), ticks = leat_timer_chan(leat_ticker_start(s, LEAT_US(100)));
  UNTIL(leat_len(once) == 1 && leat_len(ticks) == 1);
  int64_t fired_by = leat_now(), at;
  CHECK_EQ(leat_sleep(LEAT_MS(5)), LEAT_OK);
  CHECK_EQ(leat_recv(once, &at), LEAT_OK);
  CHECK(at <= fired_by);
  CHECK_EQ(leat_recv(ticks, &at), LEAT_OK);
  CHECK(at <= fired_by);
}
