/* Merge, zip, tee, split, bridge, or-done: what they give, and many of them. */
#include "wait.h"

typedef leat_rx(int) int_rx;

static atomic_int calls;

LEAT_MAP(add, int, int, n, int, k) { return n + k; }
LEAT_FILTER(even, int, n) { return n % 2 == 0; }
LEAT_MAP(rest, int, int, n, int, by) { return n % by; }
LEAT_ZIP(pair, int, a, const char *, b, size_t, int, factor) { return (size_t)(a * factor) + strlen(b); }
LEAT_FOLD(sum, long, acc, int, x) { return acc + x; }
LEAT_SOURCE(next_number, int) { return calls++; }
LEAT_FN(produce, leat_tx(int), out, int, from, int, n) {
  for (int i = 0; i < n; i++)
    if (leat_send(out, from + i)) return;
  leat_close(out);
}
static int_rx numbers(leat_view s, int from, int n) {
  leat_chan(int) c = leat_chan_make(s, int, 0);
  leat_go(s, produce, leat_tx_of(c), from, n);
  return leat_rx_of(c);
}

TEST_GO(merge_gives_all_and_keeps_the_order_of_each) {
  leat_scope(s);
  int last[3] = {-1, -1, -1};
  leat_range(int, v, leat_merge(s, numbers(s, 0, 1000), leat_numbers(s, int, 1000000, 1001000), leat_map(s, leat_numbers(s, int, 0, 1000), add, 2000000))) {
    CHECK_EQ(v % 1000000, last[v / 1000000] + 1);
    last[v / 1000000]++;
  }
  for (int i = 0; i < 3; i++) CHECK_EQ(last[i], 999);
  int n = 0;
  leat_range(int, v, leat_merge(s, leat_values(s, int, 7))) n += v;
  CHECK_EQ(n, 7);
  int_rx none[1];
  leat_range(int, v, leat_merge_array(s, none, 0)) CHECK(v != v);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(merge_of_sixteen) {
  leat_scope(s);
  int_rx in = leat_filled(s, ((const int[]){1}), 1);
#define ONE leat_values(s, int, 1)
  long total = 0;
  CHECK_EQ(leat_fold(leat_merge(s, in, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE), &total, sum), LEAT_OK);
  CHECK_EQ(total, 16);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(merge_of_a_thousand) {
  enum { N = 1000 };
  static int_rx inputs[N];
  leat_scope(s);
  for (int i = 0; i < N; i++) inputs[i] = i % 2 ? numbers(s, i, 20) : leat_map(s, leat_numbers(s, int, 0, 20), add, i);
  long total = 0;
  CHECK_EQ(leat_fold(leat_merge_array(s, inputs, N), &total, sum), LEAT_OK);
  CHECK_EQ(total, 20L * N * (N - 1) / 2 + 190L * N);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(merge_does_not_wait_for_a_silent_input) {
  leat_scope(s);
  int_rx out = leat_merge(s, leat_rx_of(leat_chan_make(s, int, 0)), leat_values(s, int, 1, 2, 3));
  int v;
  for (int i = 1; i <= 3; i++) {
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

TEST_GO(zip_goes_in_step_until_one_ends) {
  leat_scope(s);
  size_t n = 0;
  leat_range(size_t, v, leat_zip(s, leat_numbers(s, int, 1, 100), leat_values(s, const char *, "", "a", "aa"), pair, 10)) {
    n++;
    CHECK_EQ(v, 10 * n + n - 1);
  }
  CHECK_EQ(n, 3);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The Book's program. */
LEAT_ZIP(weighted, int, a, int, b, int, int, w1, int, w2, int, w3, int, w4, int, w5, int, w6, int, w7, int, w8) { return a + b + w1 + w2 + w3 + w4 + w5 + w6 + w7 + w8; }
TEST_GO(zip_with_as_many_parameters_as_any_function) {
  leat_scope(s);
  int v;
  CHECK_EQ(leat_recv(leat_zip(s, leat_values(s, int, 1000), leat_values(s, int, 2000), weighted, 1, 2, 3, 4, 5, 6, 7, 8), &v), LEAT_OK);
  CHECK_EQ(v, 3036);
}
TEST_GO(tee_of_two_in_step) {
  leat_scope(s);
  int_rx outs[2];
  char text[200] = "";
  CHECK_EQ(leat_tee(s, leat_take(s, leat_repeat(s, int, 1, 2), 4), outs, 2), LEAT_OK);
  leat_range(int, v, outs[0]) {
    int w;
    CHECK_EQ(leat_recv(outs[1], &w), LEAT_OK);
    snprintf(text + strlen(text), sizeof text - strlen(text), "out1: %d, out2: %d\n", v, w);
  }
  CHECK_STR(text, "out1: 1, out2: 1\nout1: 2, out2: 2\nout1: 1, out2: 1\nout1: 2, out2: 2\n");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(tee_is_lockstep) {
  leat_scope(s);
  int_rx outs[2];
  CHECK_EQ(leat_tee(s, leat_repeat_fn(s, next_number), outs, 2), LEAT_OK);
  int v;
  CHECK_EQ(leat_recv(outs[0], &v), LEAT_OK);
  CHECK_EQ(leat_recv_until(outs[0], leat_now() + LEAT_MS(2), &v), LEAT_DEADLINE); /* the other has not taken the first yet */
  CHECK(calls <= 2);
  CHECK_EQ(leat_recv(outs[1], &v), LEAT_OK);
  CHECK_EQ(v, 0);
  CHECK_EQ(leat_recv(outs[0], &v), LEAT_OK);
  CHECK_EQ(v, 1);
  leat_stop(outs[1]); /* no more lockstep */
  for (int i = 2; i < 10; i++) {
    CHECK_EQ(leat_recv(outs[0], &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_SINK(add_to, int, n, atomic_long *, total) { *total += n; }
TEST_GO(tee_of_a_hundred) {
  enum { N = 100 };
  static int_rx outs[N];
  static atomic_long totals[N];
  leat_scope(s);
  CHECK_EQ(leat_tee(s, leat_numbers(s, int, 0, 200), outs, N), LEAT_OK);
  for (int i = 0; i < N; i++) leat_for_each(s, outs[i], add_to, &totals[i]);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < N; i++) CHECK_EQ(totals[i], 199 * 100);
}
static void drop_number(int *n) { (void)n; }
LEAT_FN(tee_owned, leat_view, s) {
  int_rx outs[2], in = leat_values(s, int, 1);
  leat_on_drop(in, drop_number);
  leat_tee(s, in, outs, 2);
}
LEAT_FN(split_wrong, leat_view, unused) {
  (void)unused;
  leat_scope(s);
  int_rx outs[2];
  int v;
  leat_split(s, leat_values(s, int, 5), outs, 2, rest, 10);
  leat_recv(outs[0], &v);
  if (leat_wait(s)) leat_panic("%s", leat_failure_of(s)->message);
}
TEST_GO(misuse) {
  leat_scope(s);
  CHECK_PANICS("leat_tee_with takes a function that copies them", tee_owned, s);
  CHECK_PANICS("rest answered 5, and there are 2 outputs", split_wrong, s);
}

TEST_GO(split_and_partition) {
  leat_scope(s);
  int_rx outs[3], yes, no;
  CHECK_EQ(leat_split(s, leat_numbers(s, int, 0, 30), outs, 3, rest, 3), LEAT_OK);
  for (int i = 0; i < 30; i++) {
    int v;
    CHECK_EQ(leat_recv(outs[i % 3], &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  CHECK_EQ(leat_partition(s, leat_numbers(s, int, 0, 1000), &yes, &no, even), LEAT_OK);
  static atomic_long odd_total;
  leat_for_each(s, no, add_to, &odd_total);
  long total = 0;
  CHECK_EQ(leat_fold(yes, &total, sum), LEAT_OK);
  CHECK_EQ(total, 499 * 500);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(odd_total, 500 * 500);
}

/* The Book's program: ten channels, one element each. */
LEAT_MAP(channel_of, int, int_rx, n, leat_view, s) { return leat_filled(s, &n, 1); }
LEAT_MAP(count_to, int, int_rx, n, leat_view, s) { return leat_numbers(s, int, 0, n); }
TEST_GO(bridge_gives_one_after_the_other) {
  leat_scope(s);
  int i = 0;
  leat_range(int, v, leat_bridge(s, leat_map(s, leat_numbers(s, int, 0, 10), channel_of, s))) CHECK_EQ(v, i++);
  CHECK_EQ(i, 10);
  long total = 0;
  CHECK_EQ(leat_fold(leat_bridge(s, leat_map(s, leat_numbers(s, int, 0, 50), count_to, s)), &total, sum), LEAT_OK);
  long expected = 0;
  for (int n = 0; n < 50; n++) expected += (long)n * (n - 1) / 2;
  CHECK_EQ(total, expected);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* Streams that a stage's function makes: the stage may be gone before the last of them is read. */
LEAT_FN_ERR(read_streams, leat_rx(int_rx), streams, long *, total) {
  leat_range(int_rx, stream, streams) {
    pause_a_moment();
    int status = leat_fold(stream, total, sum);
    if (status) return status;
  }
  return LEAT_OK;
}
TEST_GO(a_stream_outlives_the_stage_that_made_it) {
  for (int way = 0; way < 3; way++) {
    leat_scope(s);
    long total = 0;
    leat_rx(int_rx) streams = leat_map(s, leat_numbers(s, int, 0, 20), count_to, s);
    if (way == 1) streams = leat_merge(s, streams);
    if (way == 2) streams = leat_parallel_map(s, leat_numbers(s, int, 0, 20), 3, 20, count_to, s);
    leat_go(s, read_streams, streams, &total);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(total, 1140);
  }
}
TEST_GO(bridge_of_a_hundred_thousand) {
  leat_scope(s);
  int n = (int)test_scale(100000);
  long total = 0;
  CHECK_EQ(leat_fold(leat_bridge(s, leat_map(s, leat_numbers(s, int, 0, n), channel_of, s)), &total, sum), LEAT_OK);
  CHECK_EQ(total, (long)n * (n - 1) / 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

TEST_GO(or_done_ends_with_its_signal) {
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  int_rx out = leat_or_done(s, leat_repeat_fn(s, next_number), done);
  int v, n = 0;
  for (; n < 5; n++) {
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    CHECK_EQ(v, n);
  }
  leat_close(done);
  while (leat_recv(out, &v) == LEAT_OK) CHECK(n++ < 7);
  int i = 0;
  leat_range(int, w, leat_or_done(s, leat_numbers(s, int, 0, 3), leat_rx_of(leat_chan_make(s, long, 0)))) CHECK_EQ(w, i++);
  CHECK_EQ(i, 3);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_SINK(count_call, int, n) { (void)n, calls++; }
TEST_GO(or_done_with_the_output_of_a_stage_as_its_signal) {
  leat_scope(s);
  leat_chan(int) commands = leat_chan_make(s, int, 0);
  leat_for_each(s, leat_or_done(s, numbers(s, 0, 20), leat_filter(s, leat_rx_of(commands), even)), count_call);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* which gives the outputs up that were made here: the signal is or-done's */
  CHECK_EQ(calls, 20);
}
