/* Stages of one's own, and stages as values. */
#include "wait.h"

typedef leat_rx(int) int_rx;

static atomic_int left;

LEAT_MAP(times, int, int, n, int, by) { return n * by; }
LEAT_MAP(plus, int, int, n, int, k) { return n + k; }
LEAT_MAP(half, int, double, n) { return n / 2.0; }
LEAT_FILTER(divisible, int, n, int, by) { return n % by == 0; }
LEAT_FOLD(sum, long, acc, int, n) { return acc + n; }
LEAT_PIPELINE(multiply, int, int, s, in, int, by) { return leat_map(s, in, times, by); }
LEAT_PIPELINE(add, int, int, s, in, int, k) { return leat_map(s, in, plus, k); }
LEAT_STAGE(pairs, int, long, in, out, int, factor) {
  int a, b, status;
  while (!(status = leat_recv(in, &a)) && !(status = leat_recv(in, &b)))
    if ((status = leat_send(out, (long)(a + b) * factor))) break;
  left++;
  return status;
}
LEAT_STAGE(fails_at, int, int, in, out, int, at) {
  int n, status;
  while (!(status = leat_recv(in, &n))) {
    if (n == at) return leat_fail(LEAT_FAILED, "at %d", at);
    if ((status = leat_send(out, n))) break;
  }
  return status;
}
static atomic_bool begun;
LEAT_STAGE(waits_for_ever, int, int, in, out) {
  (void)in, (void)out;
  begun = true;
  int status = leat_sleep(LEAT_SECONDS(10000));
  left++;
  return status;
}
LEAT_FN(send_all, leat_tx(int), out, leat_rx(int), in) {
  int n;
  while (!leat_recv(in, &n) && !leat_send(out, n)) {}
  left++;
}
LEAT_STAGE(with_goroutines, int, int, in, out) {
  leat_scope(s);
  leat_share(in);
  for (int i = 0; i < 3; i++) leat_go(s, send_all, out, in);
  return leat_wait(s);
}

#define EXPECT(T, in, ...) \
  do { \
    const T expected[] = {__VA_ARGS__}; \
    size_t at = 0; \
    leat_range(T, v, in) { \
      CHECK(at < sizeof expected / sizeof(T)); \
      CHECK(v == expected[at]); \
      at++; \
    } \
    CHECK_EQ(leat_range_end(), LEAT_CLOSED); \
    CHECK_EQ(at, sizeof expected / sizeof(T)); \
  } while (0)

/* The Book's pipelines. */
TEST_GO(multiply_add_multiply) {
  leat_scope(s);
  EXPECT(int, add(s, multiply(s, leat_values(s, int, 1, 2, 3, 4), 2), 1), 3, 5, 7, 9);
  EXPECT(int, multiply(s, add(s, multiply(s, leat_values(s, int, 1, 2, 3, 4), 2), 1), 2), 6, 10, 14, 18);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_pipeline_of_pure_stages_is_fused) {
  leat_scope(s);
  int_rx out = multiply(s, add(s, multiply(s, leat_numbers(s, int, 0, 1 << 30), 2), 1), 2);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

TEST_GO(a_stage_of_ones_own) {
  leat_scope(s);
  EXPECT(long, leat_stage(s, leat_numbers(s, int, 0, 7), pairs, 10), 10, 50, 90);
  CHECK_EQ(left, 1);
  int_rx out = leat_stage(s, leat_numbers(s, int, 0, 7), fails_at, 3);
  int v;
  for (int i = 0; i < 3; i++) CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK(leat_recv(out, &v) != LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->message, "at 3");
}
TEST_GO(it_is_ended_wherever_it_waits) {
  leat_scope(s);
  int_rx out = leat_stage(s, leat_numbers(s, int, 0, 7), waits_for_ever);
  int v;
  do CHECK_EQ(leat_recv_until(out, leat_now() + LEAT_MS(1), &v), LEAT_DEADLINE);
  while (!begun);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* nobody wants it any more */
  CHECK_EQ(left, 1);
}
TEST_GO(it_may_have_goroutines) {
  leat_scope(s);
  long total = 0;
  CHECK_EQ(leat_fold(leat_stage(s, leat_numbers(s, int, 0, 1000), with_goroutines), &total, sum), LEAT_OK);
  CHECK_EQ(total, 999 * 500);
  int_rx out = leat_stage(s, leat_repeat(s, int, 1), with_goroutines);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(left > 3); /* those that had begun */
  CHECK_EQ(leat_scope_goroutines(s), 0);
}


static atomic_int total;
LEAT_EFFECT(seen, int, int, n) { return n; }
LEAT_SINK(add_up, int, n) { total += n; }
LEAT_STAGE(sums, int, int, in, out, int_rx, other) {
  int a, b, status;
  while (!(status = leat_recv(in, &a)) && !(status = leat_recv(other, &b)))
    if ((status = leat_send(out, a + b))) break;
  return status;
}
LEAT_EFFECT(plus_next, int, int, n, int_rx, other) {
  int b;
  return leat_recv(other, &b) ? -1000 : n + b;
}
LEAT_ZIP(plus_both, int, a, int, b, int, int_rx, other) {
  int c;
  return leat_recv(other, &c) ? -1000 : a + b + c;
}
/* The block that made it gives it up in leat_wait; the stage that got it as an argument goes on. */
TEST_GO(an_output_among_the_arguments_is_handed_to_the_stage) {
  for (int way = 0; way < 5; way++) {
    total = 0;
    leat_scope(s);
    int_rx in = leat_map(s, leat_numbers(s, int, 0, 20), seen), other = leat_map(s, leat_numbers(s, int, 100, 120), seen), out = NULL;
    if (way == 0) out = leat_stage(s, in, sums, other);
    if (way == 1) out = leat_map(s, in, plus_next, other);
    if (way == 2) out = leat_through(s, in, leat_pipe_of(s, sums, other));
    if (way == 3) out = leat_fan_out(s, in, 2, sums, other);
    if (way == 4) out = leat_zip(s, in, leat_repeat(s, int, 0), plus_both, other);
    leat_for_each(s, out, add_up);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(total, 190 + 2190);
  }
}
TEST_GO(it_ends_with_the_last_stage_that_got_it) {
  leat_scope(s);
  int_rx endless = leat_map(s, leat_repeat(s, int, 1), seen);
  int_rx outs[] = {leat_stage(s, leat_numbers(s, int, 0, 3), sums, endless), leat_stage(s, leat_numbers(s, int, 0, 5), sums, endless), leat_stage(s, leat_numbers(s, int, 0, 5), sums, endless)};
  for (int i = 0; i < 2; i++) leat_for_each(s, outs[i], add_up); /* the third is never asked for */
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(total, 3 + 3 + 10 + 5);
}

TEST_GO(stages_are_values) {
  leat_scope(s);
  leat_pipe(int, int) steps[] = {leat_pipe_of(s, times, 2), leat_pipe_of(s, add, 1), leat_pipe_of(s, divisible, 3), leat_pipe_of(s, fails_at, -1)};
  int_rx out = leat_numbers(s, int, 0, 10);
  for (size_t i = 0; i < 4; i++) out = leat_through(s, out, steps[i]);
  EXPECT(int, out, 3, 9, 15);
  leat_pipe(int, int) twice = leat_compose(s, int, steps[0], steps[0]);
  leat_pipe(int, double) all = leat_compose(s, int, leat_compose(s, int, twice, steps[1]), leat_pipe_of(s, half));
  EXPECT(double, leat_through(s, leat_values(s, int, 1, 2), all), 2.5, 4.5);
  EXPECT(double, leat_through(s, leat_values(s, int, 3), all), 6.5); /* as often as one likes */
  EXPECT(long, leat_through(s, leat_values(s, int, 1, 2, 3), leat_pipe_of(s, sum)), 1, 3, 6);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static leat_pipe(int, int) made_by(leat_view s, int k) { return leat_compose(s, int, leat_pipe_of(s, times, k), leat_pipe_of(s, plus, k)); }
TEST_GO(a_pipe_lives_as_long_as_its_scope) {
  leat_scope(s);
  leat_pipe(int, int) p = made_by(s, 3);
  int_rx out;
  {
    leat_scope(inner);
    EXPECT(int, leat_through(inner, leat_values(inner, int, 1, 2), p), 6, 9);
    leat_pipe(int, int) q = made_by(inner, 4);
    out = leat_through(s, leat_values(s, int, 1), q); /* what it has made outlives it */
    CHECK_EQ(leat_wait(inner), LEAT_OK);
  }
  EXPECT(int, out, 8);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_long_composition) {
  leat_scope(s);
  leat_pipe(int, int) p = leat_pipe_of(s, plus, 1), all = p;
  for (int i = 1; i < 200; i++) all = leat_compose(s, int, all, p);
  EXPECT(int, leat_through(s, leat_values(s, int, 0), all), 200);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
