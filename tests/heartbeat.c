/* Heartbeats: by unit of work, by time, while a worker waits and while it computes; nobody listening; watching; ends; plain threads. Times are
 * lower bounds only, or so large that they never pass. */
#include "wait.h"

#include <pthread.h>

static const int64_t DAY = LEAT_SECONDS(86400);
static atomic_int done;
static leat_event go_on;

static leat_pulse next(leat_heartbeat *h) {
  leat_pulse p;
  CHECK_EQ(leat_recv(leat_pulses(h), &p), LEAT_OK);
  return p;
}

/* The Book's test of a worker with a slow start: who waits for the first pulse needs no time-out of its own. */
LEAT_FN(units, leat_heartbeat *, h, leat_tx(int), out, int, n) {
  leat_defer(leat_heartbeat_end, h);
  leat_defer_close(out);
  leat_sleep(LEAT_MS(2));
  for (int i = 0; i < n; i++) {
    leat_beat(h);
    if (leat_send(out, i)) return;
  }
}
TEST_GO(by_unit_of_work) {
  leat_scope(s);
  leat_chan(int) out = leat_chan_make(s, int, 0);
  leat_heartbeat *h = leat_heartbeat_make(s, 0);
  leat_go(s, units, h, leat_tx_of(out), 100);
  CHECK_EQ(leat_heartbeat_expect(leat_pulses(h), DAY), LEAT_OK);
  int n = 0;
  leat_range(int, v, out) CHECK_EQ(v, n++);
  CHECK_EQ(n, 100);
  CHECK_EQ(next(h).number, 100); /* the latest */
  CHECK_EQ(leat_heartbeat_expect(leat_pulses(h), DAY), LEAT_CLOSED);
  CHECK_EQ(leat_heartbeat_watch(leat_pulses(h), DAY), LEAT_CLOSED);
  CHECK_EQ(leat_next_beat(h), LEAT_NEVER);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(nobody_has_to_listen) {
  leat_scope(s);
  leat_heartbeat *h = leat_heartbeat_make(s, 1);
  for (int i = 0; i < 1000; i++) leat_beat(h), leat_beat_if_due(h);
  CHECK(next(h).number >= 1000);
  CHECK_EQ(leat_heartbeat_expect(leat_pulses(h), 0), LEAT_DEADLINE);
  leat_stop(leat_pulses(h));
  leat_beat(h);
  leat_heartbeat_end(h);
  leat_heartbeat_end(h);
  leat_beat(h);
}

LEAT_FN(forward, leat_heartbeat *, h, leat_rx(int), in, leat_tx(int), out) {
  leat_defer(leat_heartbeat_end, h);
  leat_defer_close(out);
  int v;
  while (leat_beat_recv(h, in, &v) == LEAT_OK)
    if (leat_beat_send(h, out, v + 1)) break;
  done++;
}
TEST_GO(by_time_while_it_waits) {
  leat_scope(s);
  leat_chan(int) in = leat_chan_make(s, int, 0), out = leat_chan_make(s, int, 0);
  leat_heartbeat *h = leat_heartbeat_make(s, LEAT_MS(1));
  int64_t start = leat_now();
  leat_go(s, forward, h, leat_rx_of(in), leat_tx_of(out));
  leat_pulse a = next(h), b = next(h);
  CHECK(a.time >= start && b.time > a.time && b.number > a.number);
  while (next(h).idle < LEAT_MS(1)) {} /* the second may have come late, and the wait after it be the shorter */
  for (int i = 0; i < 3; i++) {
    int v;
    CHECK_EQ(leat_send(in, i), LEAT_OK);
    uint64_t seen = next(h).number;
    while (next(h).number < seen + 3) {} /* while it cannot send */
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    CHECK_EQ(v, i + 1);
  }
  CHECK_EQ(leat_send(in, 9), LEAT_OK);
  leat_stop(out);
  CHECK_EQ(leat_heartbeat_watch(leat_pulses(h), DAY), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_busy_worker_beats_as_it_comes_by) {
  leat_scope(s);
  leat_chan(int) in = leat_chan_make(s, int, 1), out = leat_chan_make(s, int, 1);
  leat_heartbeat *h = leat_heartbeat_make(s, LEAT_US(100));
  leat_go(s, forward, h, leat_rx_of(in), leat_tx_of(out));
  for (uint64_t seen = 0; seen < 10;) {
    int v;
    leat_pulse p;
    CHECK_EQ(leat_send(in, 1), LEAT_OK);
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    if (leat_try_recv(leat_pulses(h), &p) == LEAT_OK) seen = p.number;
  }
}
LEAT_FN(compute, leat_heartbeat *, h) {
  while (!leat_event_is_set(&go_on)) leat_beat_if_due(h);
  leat_heartbeat_end(h);
}
LEAT_FN(select_loop, leat_heartbeat *, h, leat_rx(char), end) {
  char c;
  while (leat_select(leat_on_recv(end, &c), leat_on_deadline(leat_next_beat(h))) == 1) leat_beat_if_due(h);
  leat_heartbeat_end(h);
}
LEAT_FN(sleeper, leat_heartbeat *, h, int64_t, time) {
  int64_t start = leat_now();
  CHECK_EQ(leat_beat_sleep(h, time), LEAT_OK);
  CHECK(leat_now() - start >= time);
  leat_heartbeat_end(h);
}
TEST_GO(computing_selecting_and_sleeping) {
  leat_scope(s);
  leat_chan(char) end = leat_chan_make(s, char, 0);
  leat_heartbeat *h[] = {leat_heartbeat_make(s, LEAT_US(200)), leat_heartbeat_make(s, LEAT_US(200)), leat_heartbeat_make(s, LEAT_MS(2))};
  leat_go(s, compute, h[0]);
  leat_go(s, select_loop, h[1], leat_rx_of(end));
  leat_go(s, sleeper, h[2], LEAT_MS(20));
  for (int i = 0; i < 3; i++) CHECK_EQ(leat_heartbeat_expect(leat_pulses(h[i]), DAY), LEAT_OK);
  CHECK(next(h[1]).number >= 2);
  leat_event_set(&go_on);
  leat_close(end);
  for (int i = 0; i < 3; i++) CHECK_EQ(leat_heartbeat_watch(leat_pulses(h[i]), DAY), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Watching. */

LEAT_FN(gets_stuck, leat_heartbeat *, h) {
  for (int i = 0; i < 5; i++) leat_beat(h);
  int status = leat_event_wait_cancellable(&go_on);
  leat_heartbeat_end(h);
  if (status) done++;
}
TEST_GO(one_that_is_stuck_is_found_out) {
  leat_scope(s);
  leat_heartbeat *h = leat_heartbeat_make(s, LEAT_MS(1));
  leat_go(s, gets_stuck, h);
  int64_t start = leat_now();
  CHECK_EQ(leat_heartbeat_watch(leat_pulses(h), LEAT_MS(20)), LEAT_DEADLINE);
  CHECK(leat_now() - start >= LEAT_MS(20));
  CHECK_EQ(leat_heartbeat_expect(leat_pulses(h), LEAT_MS(1)), LEAT_DEADLINE);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(done, 1);
}
TEST_GO(an_old_pulse_is_no_sign_of_life) {
  leat_scope(s);
  leat_heartbeat *h = leat_heartbeat_make(s, 0);
  leat_beat(h);
  leat_sleep(LEAT_MS(3));
  int64_t start = leat_now();
  CHECK_EQ(leat_heartbeat_watch(leat_pulses(h), LEAT_MS(2)), LEAT_DEADLINE);
  CHECK(leat_now() - start < DAY);
}

/* Ends. */

TEST_GO(cancelled_at_each_point) {
  for (int point = 0; point < 4; point++) {
    done = 0;
    leat_scope(s);
    leat_chan(int) in = leat_chan_make(s, int, 1), out = leat_chan_make(s, int, 0);
    leat_heartbeat *h = leat_heartbeat_make(s, LEAT_US(100));
    if (point == 0) leat_cancel(s);
    if (point >= 2) CHECK_EQ(leat_send(in, 1), LEAT_OK);
    leat_go(s, forward, h, leat_rx_of(in), leat_tx_of(out));
    if (point >= 1) next(h), next(h);
    if (point == 3) leat_set_timeout(s, LEAT_MS(1));
    else leat_cancel(s);
    CHECK_EQ(leat_wait(s), point == 3 ? LEAT_DEADLINE : LEAT_CANCELED);
    CHECK_EQ(done, point > 0);
  }
}
TEST_GO(a_cancelled_worker_does_not_beat_and_is_not_failed_for_it) {
  leat_scope(s);
  leat_heartbeat *h = leat_heartbeat_make(s, 1);
  leat_cancel(s);
  for (int i = 0; i < 5000; i++) leat_beat(h);
  CHECK_EQ(leat_beat_sleep(h, 1), LEAT_CANCELED);
  CHECK_EQ(leat_len(leat_pulses(h)), 0);
}

static void *on_a_thread(void *h) {
  for (int i = 0; i < 10; i++) {
    leat_beat(h);
    CHECK_EQ(leat_beat_sleep(h, LEAT_US(10)), LEAT_OK);
  }
  leat_heartbeat_end(h);
  return NULL;
}
TEST_GO(a_plain_thread_beats) {
  leat_scope(s);
  leat_heartbeat *h = leat_heartbeat_make(NULL, LEAT_US(5));
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, on_a_thread, h), 0);
  CHECK_EQ(leat_heartbeat_watch(leat_pulses(h), DAY), LEAT_CLOSED);
  leat_blocking pthread_join(t, NULL);
}

LEAT_FN(hear, leat_rx(leat_pulse), pulses) {
  uint64_t last = 0;
  leat_range(leat_pulse, p, pulses) {
    CHECK(p.number > last);
    last = p.number;
  }
  done++;
}
LEAT_FN(beat_fast, leat_heartbeat *, h, int, n) {
  for (int i = 0; i < n; i++) leat_beat(h);
  leat_heartbeat_end(h);
}
TEST_GO(storm) {
  int n = (int)test_scale(20000) + 10;
  leat_scope(s);
  for (int i = 0; i < 8; i++) {
    leat_heartbeat *h = leat_heartbeat_make(s, 0);
    leat_go(s, beat_fast, h, n);
    for (int k = 0; k < 2; k++) leat_go(s, hear, leat_pulses(h));
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(done, 16);
}
