/* Metrics: each number is driven by what it counts, and nothing else; the histograms; the text; reading while all runs. */
#include "wait.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;

static leat_metrics now_(void) {
  leat_metrics m;
  leat_metrics_read(&m);
  return m;
}
/* What a field has grown by. */
#define SINCE(before, field) (now_().field - (before).field)

static const leat_wait_metrics *wait_for(const leat_metrics *m, const char *reason) {
  for (int i = 0; i < m->n_waits; i++)
    if (!strcmp(m->waits[i].reason, reason)) return &m->waits[i];
  test_fail(__FILE__, __LINE__, reason);
  return NULL;
}

/* ---- histograms ---- */

TEST(buckets_follow_each_other) {
  CHECK_EQ(leat_histogram_end(0), 1);
  for (int i = 1; i < LEAT_HISTOGRAM_BUCKETS - 1; i++) {
    CHECK(leat_histogram_end(i) > leat_histogram_end(i - 1));
    if (i > 8) CHECK(leat_histogram_end(i) <= leat_histogram_end(i - 1) + leat_histogram_end(i - 1) / 4); /* a quarter of an octave */
  }
  CHECK_EQ(leat_histogram_end(7), 8);
  CHECK_EQ(leat_histogram_end(LEAT_HISTOGRAM_BUCKETS - 1), LEAT_NEVER);
  CHECK(leat_histogram_end(LEAT_HISTOGRAM_BUCKETS - 2) > LEAT_SECONDS(1000));
}
TEST(quantiles) {
  leat_histogram h = {0}, before;
  CHECK_EQ(leat_histogram_quantile(&h, 0.5), 0);
  h.buckets[0] = 90; /* times of 0 */
  h.buckets[40] = 9;
  h.buckets[80] = 1;
  h.count = 100;
  CHECK_EQ(leat_histogram_quantile(&h, 0), 0);
  CHECK_EQ(leat_histogram_quantile(&h, 0.5), 0);
  CHECK_EQ(leat_histogram_quantile(&h, 0.9), 0);
  int64_t q95 = leat_histogram_quantile(&h, 0.95), q99 = leat_histogram_quantile(&h, 0.99), most = leat_histogram_quantile(&h, 1);
  CHECK(q95 >= leat_histogram_end(39) && q95 < leat_histogram_end(40));
  CHECK_EQ(q95, q99);
  CHECK(most >= leat_histogram_end(79) && most < leat_histogram_end(80));
  before = h;
  h.buckets[40] += 5;
  h.count += 5;
  h.sum += 7;
  leat_histogram_subtract(&h, &before);
  CHECK_EQ(h.count, 5);
  CHECK_EQ(h.sum, 7);
  CHECK_EQ(h.buckets[0], 0);
  CHECK_EQ(leat_histogram_quantile(&h, 0.01), q95);
}

/* ---- goroutines ---- */

LEAT_FN(receive, int_chan, c) {
  int v;
  leat_recv(c, &v);
}
LEAT_FN(do_nothing) {}
TEST_GO(goroutines_by_state) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_metrics before = now_(), m;
  enum { N = 300 };
  for (int i = 0; i < N; i++) leat_go(s, receive, c);
  wait_blocked("receive", N);
  m = now_();
  CHECK_EQ(m.started - before.started, N);
  CHECK_EQ(m.ended - before.ended, 0);
  CHECK_EQ(wait_for(&m, "receiving from a channel")->now, N);
  CHECK_EQ(wait_for(&m, "receiving from a channel")->total - wait_for(&before, "receiving from a channel")->total, N);
  CHECK_EQ(m.waiting, N);
  CHECK(m.running >= 1); /* this one */
  CHECK_EQ(m.stacks_used, N);
  CHECK(m.stack_slabs >= 1 && m.stack_bytes >= N * 64 * 1024);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  m = now_();
  CHECK_EQ(m.ended - before.ended, N);
  CHECK_EQ(m.waiting, 0);
  CHECK_EQ(m.runnable, 0);
  CHECK_EQ(m.stacks_used, 0);
  CHECK(m.stacks_cached + m.stacks_trimmed >= N);
  CHECK_EQ(m.parks, m.wakes);
  CHECK(m.time >= before.time);
}
/* What waits for a worker is runnable, and in a queue: one worker, which this goroutine keeps. */
TEST(runnable_ones_are_queued) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  int_chan c = leat_chan_make(NULL, int, 0);
  leat_metrics before;
  leat_scope(s);
  leat_go(s, receive, c);
  wait_blocked("receive", 1);
  before = now_();
  CHECK_EQ(before.workers, 1);
  CHECK_EQ(before.foreign_threads, 1); /* this one */
  enum { N = 1000 };
  for (int i = 0; i < N; i++) leat_go(s, do_nothing);
  CHECK_EQ(leat_send(c, 1), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(SINCE(before, started), N);
  CHECK_EQ(SINCE(before, ended), N + 1);
  leat_metrics after = now_();
  uint64_t pushed = after.shared_pushed - before.shared_pushed;
  CHECK(pushed >= N + 1); /* by a thread that is not a worker; and again, if the worker was held up and gave back what it had */
  CHECK_EQ(after.shared_popped - before.shared_popped, pushed);
  CHECK_EQ(after.queued, 0);
  leat_release(c);
}
LEAT_FN(wake_all, int_chan, c, leat_metrics *, seen) {
  leat_close(c);
  *seen = now_();
}
TEST(the_queues_length) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  leat_metrics before, seen = {0};
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 400; i++) leat_go(s, receive, c);
  wait_blocked("receive", 400);
  before = now_();
  leat_go(s, wake_all, c, &seen);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(seen.queued, 400);
  CHECK_EQ(seen.runnable, 400);
  CHECK_EQ(seen.running, 1);
  CHECK_EQ(seen.shared_pushed - before.shared_pushed, 1 + 400 - 128); /* this one's, and what half of a ring does not hold */
}

/* ---- parks, hand-offs, turns ---- */

LEAT_FN(echo, leat_rx(int), in, leat_tx(int), out) {
  leat_range(int, v, in) CHECK_EQ(leat_send(out, v), LEAT_OK);
  leat_close(out);
}
LEAT_FN(ping, int, rounds) {
  leat_scope(s);
  int_chan there = leat_chan_make(s, int, 0), back = leat_chan_make(s, int, 0);
  leat_go(s, echo, leat_rx_of(there), leat_tx_of(back));
  for (int i = 0; i < rounds; i++) {
    int v;
    CHECK_EQ(leat_send(there, i), LEAT_OK);
    CHECK_EQ(leat_recv(back, &v), LEAT_OK);
  }
  leat_close(there);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(a_pair_that_wakes_each_other) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  leat_metrics before = now_();
  enum { ROUNDS = 1000 };
  leat_go(s, ping, ROUNDS);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_metrics m = now_();
  CHECK(m.handoffs - before.handoffs >= 2 * ROUNDS - 2 * ROUNDS / 64 - 2 * ROUNDS / 500 - 10); /* not at the end of a slice, or of 64 decisions */
  CHECK(m.handoffs - before.handoffs <= 2 * ROUNDS + 10);
  CHECK(m.parks - before.parks >= 2 * ROUNDS);
  CHECK(m.parks - before.parks <= 2 * ROUNDS + 10);
  CHECK_EQ(m.steals, 0); /* from whom? */
}
LEAT_FN(yield_often, int, times) {
  for (int i = 0; i < times; i++) CHECK_EQ(leat_yield(), LEAT_OK);
}
LEAT_FN(operate_often, int, times) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 1);
  for (int i = 0; i < times; i++) {
    int v;
    CHECK_EQ(leat_send(c, i), LEAT_OK);
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  }
}
TEST_GO(turns_given_up) {
  leat_scope(s);
  leat_metrics before = now_();
  leat_go(s, yield_often, 777);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(SINCE(before, yields), 777);
  CHECK_EQ(SINCE(before, preempted), 0);
  before = now_();
  leat_go(s, operate_often, 512 * 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(SINCE(before, preempted) >= 19 && SINCE(before, preempted) <= 21);
  CHECK_EQ(SINCE(before, yields), SINCE(before, preempted));
}

/* Work is stolen: one starts goroutines that each keep a worker until another has run as well. */
static atomic_int at_work;
LEAT_FN(be_one_of_two) {
  at_work++;
  while (at_work < 2) {}
}
LEAT_FN(start_two) {
  leat_scope(s);
  at_work = 0;
  leat_go(s, be_one_of_two);
  leat_go(s, be_one_of_two);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(stealing) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2, .max_threads = 2}), LEAT_OK);
  leat_scope(s);
  leat_metrics before = now_();
  do {
    leat_go(s, start_two);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  } while (!SINCE(before, steals));
  leat_metrics m = now_();
  CHECK(m.steal_attempts >= m.steals);
  CHECK(m.stolen >= m.steals);
}
static atomic_bool go_on;
LEAT_FN(keep_the_thread) {
  while (!go_on) usleep(1000);
}
LEAT_FN(release_it) { go_on = true; }
TEST(a_stuck_worker_is_taken_over) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 2}), LEAT_OK);
  leat_scope(s);
  leat_metrics before = now_();
  leat_go(s, keep_the_thread);
  leat_go(s, release_it); /* only a second thread can run it */
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(SINCE(before, taken_over) >= 1);
  CHECK_EQ(now_().threads, 2);
}
/* It computes without a checkpoint until another thread has taken over, then only passes checkpoints: at the first of them it gives way. */
LEAT_FN(compute_then_check, uint64_t, taken_over) {
  while (now_().taken_over == taken_over) {}
  for (int64_t until = leat_now() + LEAT_MS(50); leat_now() < until;) {} /* the watcher looks a few times more */
  uint64_t preempted = now_().preempted;
  while (now_().preempted == preempted) CHECK_EQ(leat_checkpoint(), LEAT_OK);
}
TEST(one_that_was_taken_over_gives_way_at_a_checkpoint) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 2}), LEAT_OK);
  leat_scope(s);
  leat_go(s, compute_then_check, now_().taken_over);
  leat_go(s, do_nothing); /* waits behind it */
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* ---- time-outs and cancellation ---- */

TEST_GO(timeouts_are_counted) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int v;
  leat_metrics before = now_();
  CHECK_EQ(leat_recv_until(c, leat_now() + LEAT_US(100), &v), LEAT_DEADLINE);
  CHECK_EQ(SINCE(before, timeouts), 1);
  CHECK_EQ(leat_recv_until(c, leat_now() - 1, &v), LEAT_DEADLINE); /* without waiting */
  CHECK_EQ(SINCE(before, timeouts), 2);
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_US(100))), 1);
  CHECK_EQ(SINCE(before, timeouts), 3);
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_deadline(1)), 1);
  CHECK_EQ(SINCE(before, timeouts), 4);
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_default), 1); /* none of these is one */
  CHECK_EQ(leat_sleep(LEAT_US(100)), LEAT_OK);
  CHECK_EQ(SINCE(before, timeouts), 4);
  CHECK_EQ(SINCE(before, scope_deadlines), 0);
}
TEST_GO(cancellation_is_counted) {
  leat_metrics before = now_();
  int v;
  {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 0);
    CHECK_EQ(leat_set_timeout(s, LEAT_US(100)), LEAT_OK);
    CHECK_EQ(leat_recv(c, &v), LEAT_DEADLINE);
    CHECK_EQ(SINCE(before, scope_deadlines), 1);
    CHECK_EQ(SINCE(before, timeouts), 0);
    CHECK_EQ(SINCE(before, canceled_answers), 1);
  }
  {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 0);
    leat_cancel(s);
    leat_cancel(s); /* once */
    for (int i = 0; i < 5; i++) CHECK_EQ(leat_recv(c, &v), LEAT_CANCELED);
    CHECK_EQ(SINCE(before, scopes_canceled), 1);
    CHECK_EQ(SINCE(before, canceled_answers), 6);
  }
}

/* ---- timers, descriptors ---- */

TEST_GO(timers_are_counted) {
  leat_scope(s);
  leat_metrics before = now_();
  leat_timer *fires = leat_timer_start(s, LEAT_US(10)), *waits = leat_timer_start(s, LEAT_SECONDS(1000));
  int64_t at;
  CHECK_EQ(leat_recv(leat_timer_chan(fires), &at), LEAT_OK);
  CHECK_EQ(SINCE(before, timers_armed), 2);
  CHECK_EQ(SINCE(before, timers_fired), 1);
  CHECK_EQ(SINCE(before, timers), 1);
  CHECK(leat_timer_stop(waits));
  CHECK_EQ(SINCE(before, timers_stopped), 1);
  CHECK_EQ(SINCE(before, timers), 0);
}
LEAT_FN(read_byte, int, fd) {
  char byte;
  CHECK_EQ(leat_io_read(fd, &byte, 1), 1);
}
TEST_GO(polling_is_counted) {
  leat_scope(s);
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  leat_go(s, read_byte, ends[0]);
  wait_blocked("read_byte", 1);
  leat_metrics before = now_();
  CHECK_EQ(wait_for(&before, "reading a descriptor")->now, 1);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(SINCE(before, polls) >= 1);
  CHECK(SINCE(before, polled) >= 1);
  leat_io_close(ends[0]);
  leat_io_close(ends[1]);
}

/* ---- times ---- */

LEAT_FN(take_turns, atomic_bool *, end) {
  while (!*end) CHECK_EQ(leat_yield(), LEAT_OK);
}
TEST_GO(latencies_and_slices_are_sampled) {
  leat_scope(s);
  static atomic_bool end;
  for (int i = 0; i < 4; i++) leat_go(s, take_turns, &end);
  UNTIL(now_().latency.count >= 20 && now_().slices.count >= 20);
  leat_metrics m = now_();
  int64_t half = leat_histogram_quantile(&m.latency, 0.5), most = leat_histogram_quantile(&m.latency, 1);
  CHECK(half > 0 && half <= most);
  CHECK(m.latency.sum > 0 && m.slices.sum > 0);
  CHECK(leat_histogram_quantile(&m.slices, 0.5) <= leat_histogram_quantile(&m.slices, 0.99));
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(all_are_timed_on_request) {
  leat_scope(s);
  leat_metrics_time_all(true);
  leat_metrics before = now_();
  enum { ROUNDS = 2000 };
  leat_go(s, ping, ROUNDS);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_metrics m = now_();
  uint64_t latencies = m.latency.count - before.latency.count, wakes = m.wakes - before.wakes;
  CHECK(latencies + 20 >= wakes); /* and new goroutines; the counts are read one after the other */
  CHECK(latencies <= wakes + 20);
  CHECK(m.slices.count - before.slices.count >= latencies - 1);
  leat_metrics_time_all(false);
}
/* A goroutine that had to wait for its turn as long as another computed is in the histogram with that time. */
LEAT_FN(compute, int64_t, duration) {
  for (int64_t start = leat_now(); leat_now() < start + duration;) {}
}
LEAT_FN(start_and_compute) {
  leat_go(NULL, do_nothing);
  leat_go(NULL, do_nothing); /* the first one has to wait in the ring */
  compute(LEAT_MS(4));
}
TEST(a_long_wait_is_seen) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  leat_metrics_time_all(true);
  leat_go(s, start_and_compute);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_metrics m = now_();
  CHECK(leat_histogram_quantile(&m.latency, 1) >= LEAT_MS(3));
  CHECK(leat_histogram_quantile(&m.slices, 1) >= LEAT_MS(3));
}

/* ---- the text ---- */

TEST_GO(text_for_prometheus) {
  leat_scope(s);
  leat_go(s, ping, 100);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  char *text = NULL, *rest = NULL, family[100] = "";
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  leat_metrics_print(f);
  fclose(f);
  CHECK(size && text[size - 1] == '\n');
  int samples = 0, families = 0;
  bool started = false;
  double last_bucket = 0;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char name[100], type[20];
    double value;
    if (sscanf(line, "# HELP %99s", name) == 1) {
      families++;
      strcpy(family, name);
      last_bucket = 0;
      continue;
    }
    if (sscanf(line, "# TYPE %99s %19s", name, type) == 2) {
      CHECK_STR(name, family);
      CHECK(!strcmp(type, "counter") || !strcmp(type, "gauge") || !strcmp(type, "histogram"));
      CHECK(strcmp(type, "counter") != 0 || !strcmp(name + strlen(name) - 6, "_total"));
      continue;
    }
    char *space = strrchr(line, ' ');
    CHECK(space != NULL);
    CHECK_EQ(sscanf(space, "%lf", &value), 1);
    CHECK(value >= 0);
    CHECK(strncmp(line, family, strlen(family)) == 0);
    CHECK(strspn(line, "abcdefghijklmnopqrstuvwxyz_") >= strlen(family));
    if (strstr(line, "_bucket{")) {
      CHECK(value >= last_bucket); /* they add up */
      last_bucket = value;
    }
    if (!strncmp(line, "leat_goroutines_started_total ", 30)) started = value == 2;
    samples++;
  }
  CHECK(started);
  CHECK(families > 30 && samples > families);
  free(text);
}

/* ---- from anywhere ---- */

TEST(before_the_runtime_runs) {
  leat_metrics m = now_();
  CHECK_EQ(m.started, 0);
  CHECK_EQ(m.threads, 0);
  CHECK_EQ(m.running + m.runnable + m.waiting, 0);
  CHECK(m.n_waits > 10);
}
TEST(totals_begin_with_the_runtime) {
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
    leat_go(NULL, do_nothing);
    UNTIL(now_().ended == 1);
    CHECK_EQ(now_().started, 1);
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
}
static atomic_bool stop_reading;
static void *read_all_the_time(void *unused) {
  while (!stop_reading) {
    leat_metrics m = now_();
    CHECK(m.started >= m.ended);
    CHECK(m.running <= m.threads);
  }
  return unused;
}
LEAT_FN(churn, int, times) {
  for (int i = 0; i < times; i++) {
    leat_scope(s);
    leat_go(s, ping, 3);
    leat_go(s, do_nothing);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST_GO(reading_while_all_runs) {
  leat_scope(s);
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, read_all_the_time, NULL), 0);
  for (int i = 0; i < 8; i++) leat_go(s, churn, (int)test_scale(2000));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  stop_reading = true;
  pthread_join(thread, NULL);
  leat_metrics m = now_();
  CHECK_EQ(m.started, m.ended);
  CHECK_EQ(m.parks, m.wakes);
  CHECK_EQ(m.shared_pushed, m.shared_popped);
  CHECK_EQ(m.waiting + m.runnable, 0);
}
