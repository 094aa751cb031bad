/* Go's benchmarks of package time: the same names and shapes. Each runs beside 32,768 timers a worker that do not fire. Timers are freed one by
 * one, or with the scope of the operation; in Go that is left to the garbage collector. */
#include "bench.h"
#include <stdlib.h>

enum { IDLE = 1 << 15, THOUSAND = 1000 };
static const int64_t hour = LEAT_SECONDS(3600);

LEAT_FN(do_nothing) {}

static leat_timer *idle_timer(leat_view s) { return leat_timer_func(s, hour, leat_bind(do_nothing)); }
LEAT_FN(add_idle, leat_view, s) {
  for (int i = 0; i < IDLE; i++) idle_timer(s);
}
static int64_t beside_idle(int64_t n, void (*body)(struct portion *, void *)) {
  leat_scope(s);
  for (int i = 0; i < leat_workers(); i++) leat_go(s, add_idle, s);
  must(leat_wait(s));
  return in_parallel(n, leat_workers(), body, NULL);
}

/* ---- functions ---- */

LEAT_FN(chain, leat_view, s, leat_tx(char), done, int, left) {
  if (left) leat_timer_func(s, 0, leat_bind(chain, s, done, left - 1));
  else must(leat_send(done, 1));
}
static void after_func_body(struct portion *p, void *unused) {
  (void)unused;
  while (next(p)) {
    leat_scope(s);
    leat_chan(char) done = leat_chan_make(s, char, 0);
    char c;
    leat_timer_func(s, 0, leat_bind(chain, s, leat_tx_of(done), THOUSAND));
    must(leat_recv(done, &c));
  }
}
static int64_t after_func(int64_t n) { return beside_idle(n, after_func_body); }

LEAT_FN(count_back, leat_waitgroup *, group) { leat_waitgroup_done(group); }
static void simultaneous_body(struct portion *p, void *unused) {
  (void)unused;
  while (next(p)) {
    leat_waitgroup group = {0};
    leat_scope(s);
    leat_waitgroup_add(&group, THOUSAND);
    for (int i = 0; i < THOUSAND; i++) leat_timer_func(s, 0, leat_bind(count_back, &group));
    leat_waitgroup_wait(&group);
  }
}
static int64_t simultaneous_after_func(int64_t n) { return beside_idle(n, simultaneous_body); }

/* ---- channels ---- */

static void after_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  int64_t at;
  while (next(p)) {
    leat_rx(int64_t) c = leat_after(s, 1);
    must(leat_recv(c, &at));
    leat_release(c);
  }
}
static int64_t after(int64_t n) { return beside_idle(n, after_body); }

static void ticker_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, 1);
  int64_t at;
  while (next(p)) must(leat_recv(leat_timer_chan(t), &at));
}
static int64_t ticker(int64_t n) { return beside_idle(n, ticker_body); }

static void ticker_reset_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, 1);
  while (next(p)) leat_timer_reset(t, 2);
}
static int64_t ticker_reset(int64_t n) { return beside_idle(n, ticker_reset_body); }

static void ticker_reset_naive_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  leat_timer *t = leat_ticker_start(s, 1);
  while (next(p)) {
    leat_timer_release(t);
    t = leat_ticker_start(s, 2);
  }
}
static int64_t ticker_reset_naive(int64_t n) { return beside_idle(n, ticker_reset_naive_body); }

/* ---- starting, stopping, setting again ---- */

static void stop_chan_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  while (next(p)) leat_timer_release(leat_timer_start(s, LEAT_SECONDS(1)));
}
static int64_t stop_chan(int64_t n) { return beside_idle(n, stop_chan_body); }

static void stop_func_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  while (next(p)) leat_timer_release(leat_timer_func(s, LEAT_SECONDS(1), leat_bind(do_nothing)));
}
static int64_t stop_func(int64_t n) { return beside_idle(n, stop_func_body); }

static void start_stop_body(struct portion *p, void *unused) {
  (void)unused;
  leat_timer *timers[THOUSAND];
  leat_scope(s);
  while (next(p)) {
    for (int i = 0; i < THOUSAND; i++) timers[i] = idle_timer(s);
    for (int i = 0; i < THOUSAND; i++) leat_timer_release(timers[i]);
  }
}
static int64_t start_stop(int64_t n) { return beside_idle(n, start_stop_body); }

static void reset_chan_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  leat_timer *t = leat_timer_start(s, hour);
  while (next(p)) expect("armed", leat_timer_reset(t, hour), true);
}
static int64_t reset_chan(int64_t n) { return beside_idle(n, reset_chan_body); }

static void reset_func_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  leat_timer *t = idle_timer(s);
  while (next(p)) expect("armed", leat_timer_reset(t, hour), true);
}
static int64_t reset_func(int64_t n) { return beside_idle(n, reset_func_body); }

static void adjust_timers_body(struct portion *p, void *unused) {
  (void)unused;
  enum { TIMERS = 10000 };
  leat_timer **timers = allocate(TIMERS, sizeof *timers);
  leat_scope(s);
  while (next(p)) {
    for (int i = 0; i < TIMERS; i++) timers[i] = idle_timer(s);
    leat_timer_reset(timers[TIMERS - 1], 1);
    must(leat_sleep(LEAT_US(1)));
    for (int i = 0; i < TIMERS; i++) leat_timer_release(timers[i]);
  }
  free(timers);
}
static int64_t adjust_timers(int64_t n) { return beside_idle(n, adjust_timers_body); }

/* ---- sleeping ---- */

LEAT_FN(nap, leat_waitgroup *, group) {
  must(leat_sleep(1));
  leat_waitgroup_done(group);
}
static void sleep_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  while (next(p)) {
    leat_waitgroup group = {0};
    leat_waitgroup_add(&group, THOUSAND);
    for (int i = 0; i < THOUSAND; i++) must(leat_go(s, nap, &group));
    leat_waitgroup_wait(&group);
  }
}
static int64_t sleep_1000(int64_t n) { return beside_idle(n, sleep_body); }

const struct benchmark go_time_benchmarks[] = {
  COUNTED("AfterFunc1000", after_func),
  COUNTED("After", after),
  COUNTED("Stop/impl=chan", stop_chan),
  COUNTED("Stop/impl=func", stop_func),
  COUNTED("SimultaneousAfterFunc1000", simultaneous_after_func),
  COUNTED("StartStop1000", start_stop),
  COUNTED("Reset/impl=chan", reset_chan),
  COUNTED("Reset/impl=func", reset_func),
  COUNTED("Sleep1000", sleep_1000),
  COUNTED("AdjustTimers10000", adjust_timers),
  COUNTED("Ticker", ticker),
  COUNTED("TickerReset", ticker_reset),
  COUNTED("TickerResetNaive", ticker_reset_naive),
  {0}};
