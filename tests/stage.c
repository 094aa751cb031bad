/* Stages: map, filter, take, for_each; what ends them and what they end; nothing lost, nothing left behind.
 *
 * A pipeline that is not read to its end ends by itself: the Blog's "explicit cancellation" and Go's pipeline leaks are the scenarios. */
#include "wait.h"

typedef leat_chan(int) int_chan;
typedef leat_rx(int) int_rx;

static atomic_int produced, producers_ended, ran;
static atomic_long sum;

LEAT_MAP(square, int, int, n) { return n * n; }
LEAT_MAP(add_one, int, int, n) { return n + 1; }
LEAT_MAP(half, int, double, n) { return n / 2.0; }
LEAT_FILTER(even, int, n) { return n % 2 == 0; }
LEAT_FILTER(none, int, n) { return n < 0; }
LEAT_EFFECT(counted, int, int, n) {
  ran++;
  return n;
}
LEAT_SINK(add_up, int, n) { sum += n; }

LEAT_FN(produce, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++)
    if (leat_send(out, i)) break;
  leat_close(out);
  producers_ended++;
}
LEAT_FN(produce_for_ever, leat_tx(int), out) {
  int status;
  while ((status = leat_send(out, produced)) == LEAT_OK) produced++;
  CHECK_EQ(status, LEAT_CLOSED); /* ended from below, not cancelled */
  producers_ended++;
}
static int_rx source(leat_view s, size_t capacity, int n) {
  int_chan c = leat_chan_make(s, int, capacity);
  if (n < 0) leat_go(s, produce_for_ever, leat_tx_of(c));
  else leat_go(s, produce, leat_tx_of(c), n);
  return leat_rx_of(c);
}

/* What they compute. */

TEST_GO(map_keeps_order_and_type) {
  static const size_t capacities[] = {0, 1, 64};
  for (size_t k = 0; k < 3; k++) {
    leat_scope(s);
    leat_rx(double) out = leat_map(s, leat_map(s, source(s, capacities[k], 1000), square), half);
    int i = 0;
    leat_range(double, v, out) {
      CHECK(v == i * i / 2.0);
      i++;
    }
    CHECK_EQ(leat_range_end(), LEAT_CLOSED);
    CHECK_EQ(i, 1000);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST_GO(filter_keeps_those_for_which_it_is_true) {
  leat_scope(s);
  int next = 0;
  leat_range(int, v, leat_filter(s, source(s, 8, 1000), even)) {
    CHECK_EQ(v, next);
    next += 2;
  }
  CHECK_EQ(next, 1000);
  leat_range(int, v, leat_filter(s, source(s, 8, 1000), none)) CHECK(v != v);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 2);
}
TEST_GO(take_gives_the_first_and_ends_its_source) {
  leat_scope(s);
  int n = 0;
  leat_range(int, v, leat_take(s, source(s, 4, -1), 10)) CHECK_EQ(v, n++);
  CHECK_EQ(leat_range_end(), LEAT_CLOSED);
  CHECK_EQ(n, 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 1);
}
TEST_GO(take_of_none_and_of_more_than_there_are) {
  leat_scope(s);
  leat_range(int, v, leat_take(s, source(s, 4, -1), 0)) CHECK(v != v);
  CHECK_EQ(leat_range_end(), LEAT_CLOSED);
  int n = 0;
  leat_range(int, v, leat_take(s, source(s, 4, 7), 100)) CHECK_EQ(v, n++);
  CHECK_EQ(n, 7);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 2);
}
TEST_GO(the_pipeline_of_the_manual) {
  leat_scope(s);
  int_chan nums = leat_chan_make(s, int, 8);
  leat_go(s, produce, leat_tx_of(nums), 1000);
  int_rx out = leat_take(s, leat_map(s, leat_rx_of(nums), square), 10);
  int i = 0;
  leat_range(int, v, out) {
    CHECK_EQ(v, i * i);
    i++;
  }
  CHECK_EQ(i, 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_chain_of_a_thousand_stages) {
  int depth = (int)test_scale(1000), n = 500;
  leat_scope(s);
  int_rx link = source(s, 0, n);
  for (int i = 0; i < depth; i++) link = leat_map(s, link, add_one);
  int i = 0;
  leat_range(int, v, link) CHECK_EQ(v, depth + i++);
  CHECK_EQ(i, n);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The three that must end by themselves. */

TEST_GO(a_break_out_of_a_range_then_wait) {
  leat_scope(s);
  leat_range(int, v, leat_map(s, source(s, 8, -1), square)) {
    if (v > 100) break;
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 1);
}
TEST_GO(a_single_receive_then_wait) {
  leat_scope(s);
  int_rx out = leat_filter(s, leat_map(s, source(s, 0, -1), add_one), even);
  int v = 0;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(v, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 1);
  CHECK_EQ(leat_recv(out, &v), LEAT_CLOSED);
}
TEST_GO(producer_to_sink_loses_nothing) {
  for (int k = 0; k < 20; k++) {
    sum = 0;
    leat_scope(s);
    CHECK_EQ(leat_for_each(s, leat_map(s, source(s, (size_t)k % 5, 10000), add_one), add_up), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(sum, 10000L * 10001 / 2);
  }
}
TEST_GO(an_output_that_nobody_reads) {
  leat_scope(s);
  leat_map(s, leat_map(s, source(s, 4, -1), square), add_one);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 1);
}
static int_rx pipeline(leat_view s, int_rx in) { return leat_map(s, leat_filter(s, in, even), add_one); }
TEST_GO(a_pipeline_made_by_a_function) {
  leat_scope(s);
  int_rx out = pipeline(s, source(s, 4, -1));
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 1);
}
TEST_GO(leaving_the_scope_without_wait) {
  {
    leat_scope(s);
    int_rx out = leat_map(s, source(s, 4, 1000000), square);
    int v;
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  }
  CHECK_EQ(producers_ended, 1);
}
TEST_GO(stop_ends_what_is_upstream) {
  leat_scope(s);
  int_rx out = leat_map(s, leat_map(s, source(s, 4, -1), square), add_one);
  leat_stop(out);
  UNTIL(producers_ended == 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(run_pipeline, int, i) {
  leat_scope(s);
  int_rx out = leat_take(s, leat_map(s, source(s, 2, -1), square), 20);
  int n = 0;
  leat_range(int, v, out) {
    CHECK(v >= 0);
    if (n++ == i) break;
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(many_pipelines_at_once) {
  leat_scope(s);
  int n = (int)test_scale(500) + 25;
  for (int i = 0; i < n; i++) leat_go(s, run_pipeline, i % 25);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, n);
}

/* Handing an output on hands on the duty to end it. */

LEAT_FN(worker, leat_rx(int), in, int, n, atomic_int *, got) {
  for (int i = 0; i < n; i++) {
    int v;
    CHECK_EQ(leat_recv(in, &v), LEAT_OK);
    ++*got;
  }
}
TEST_GO(a_goroutine_that_was_handed_an_output_ends_it_when_it_returns) {
  static atomic_int got;
  leat_scope(s);
  int_rx out = leat_map(s, source(s, 4, -1), square);
  leat_go(s, worker, out, 50, &got);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* does not stop it under the worker's feet */
  CHECK_EQ(got, 50);
  CHECK_EQ(producers_ended, 1);
}
TEST_GO(several_workers_on_one_output_end_it_when_all_have_returned) {
  static atomic_int got[4];
  for (int shared = 0; shared < 2; shared++) {
    leat_scope(s);
    int_rx out = leat_map(s, source(s, 4, -1), square);
    if (shared) leat_share(out);
    leat_task *first = leat_spawn(s, worker, out, 1, &got[0]);
    for (int i = 1; i < 4; i++) leat_go(s, worker, out, 1000, &got[i]);
    CHECK_EQ(leat_join(first), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    for (int i = 0; i < 4; i++) CHECK_EQ(got[i], (shared + 1) * (i ? 1000 : 1));
    CHECK_EQ(producers_ended, shared + 1);
  }
}
LEAT_FN(sub_pipeline, leat_rx(int), in, leat_tx(int), out) {
  leat_scope(s);
  leat_range(int, v, leat_take(s, leat_map(s, in, add_one), 5)) CHECK_EQ(leat_send(out, v), LEAT_OK);
  leat_close(out);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_stage_below_that_has_enough_ends_what_is_above_its_scope) {
  leat_scope(s);
  int_chan results = leat_chan_make(s, int, 0);
  leat_go(s, sub_pipeline, leat_map(s, source(s, 4, -1), square), leat_tx_of(results));
  int n = 0;
  leat_range(int, v, results) {
    CHECK_EQ(v, n * n + 1);
    n++;
  }
  CHECK_EQ(n, 5);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(producers_ended, 1);
}

/* A plain channel that several consumers share is not stopped by one of them. */
TEST_GO(a_shared_channel_is_not_stopped_by_a_stage_that_ends) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_share(c);
  leat_go(s, produce, leat_tx_of(c), 100);
  int from_stage = 0, direct = 0;
  leat_range(int, v, leat_take(s, leat_rx_of(c), 3)) from_stage += v >= 0;
  CHECK_EQ(from_stage, 3);
  leat_range(int, v, c) direct += v >= 0;
  CHECK_EQ(leat_range_end(), LEAT_CLOSED);
  CHECK_EQ(direct, 97); /* nor has the stage taken more than it passed on */
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_channel_that_is_not_shared_is_stopped) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_range(int, v, leat_take(s, leat_rx_of(c), 0)) CHECK(v != v);
  CHECK_EQ(leat_send(c, 1), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Effects. */

TEST_GO(an_effect_is_one_item_ahead_at_most) {
  leat_scope(s);
  int_chan in = leat_chan_make(s, int, 100);
  for (int i = 0; i < 100; i++) CHECK_EQ(leat_send(in, i), LEAT_OK);
  int_rx out = leat_map(s, leat_rx_of(in), counted);
  for (int i = 0; i < 30; i++) pause_a_moment();
  CHECK(ran <= 1);
  for (int i = 0; i < 5; i++) {
    int v = -1;
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    CHECK_EQ(v, i);
    for (int k = 0; k < 10; k++) pause_a_moment();
    CHECK(ran >= i + 1 && ran <= i + 2);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(an_effect_runs_once_for_each_item) {
  leat_scope(s);
  CHECK_EQ(leat_for_each(s, leat_map(s, source(s, 4, 1000), counted), add_up), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1000);
  CHECK_EQ(sum, 999 * 500);
}

/* Cancellation. */

TEST_GO(cancelled_in_the_middle_nothing_is_left) {
  for (int round = 0; round < 50; round++) {
    leat_scope(s);
    int_rx link = source(s, 4, 100000);
    for (int i = 0; i < 20; i++) link = i % 2 ? leat_map(s, link, add_one) : leat_filter(s, link, even);
    leat_for_each(s, link, add_up);
    for (int i = 0; i < round; i++) leat_yield();
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(leat_scope_goroutines(s), 0);
  }
}
TEST_GO(what_a_cancelled_pipeline_delivered_is_a_prefix) {
  for (int round = 0; round < 50; round++) {
    leat_scope(outer);
    int_chan log = leat_chan_make(outer, int, 100000);
    int delivered = 0;
    {
      leat_scope(s);
      int_rx out = leat_map(s, source(s, 16, 100000), add_one);
      for (int i = 0; i < round * 3; i++) {
        int v;
        CHECK_EQ(leat_recv(out, &v), LEAT_OK);
        CHECK_EQ(leat_send(log, v), LEAT_OK);
      }
      leat_cancel(s);
      leat_range(int, v, out) CHECK(v != v);
      CHECK_EQ(leat_range_end(), LEAT_CANCELED);
      CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    }
    int v;
    while (leat_try_recv(log, &v) == LEAT_OK) CHECK_EQ(v, ++delivered);
    CHECK_EQ(delivered, round * 3);
  }
}
LEAT_FN_ERR(fails) { return LEAT_FAILED; }
TEST_GO(a_failure_beside_it_ends_a_pipeline) {
  leat_scope(s);
  leat_for_each(s, leat_map(s, source(s, 4, 1 << 30), add_one), add_up);
  UNTIL(sum > 100);
  leat_go(s, fails);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_EQ(producers_ended, 1);
}
TEST_GO(a_deadline_ends_a_pipeline) {
  leat_scope(s);
  leat_for_each(s, leat_map(s, source(s, 4, 1 << 30), add_one), add_up);
  UNTIL(sum > 100);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(5)), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
  CHECK_EQ(producers_ended, 1);
}
