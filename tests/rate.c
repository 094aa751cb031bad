/* Debounce, throttle, sample: which items pass. Times are lower bounds only; what is to come after another is sent when that has been seen. */
#include "wait.h"

static int next(leat_rx(int) in) {
  int v = -1;
  return leat_recv(in, &v) ? -1 : v;
}

TEST_GO(debounce_gives_the_last_of_a_burst) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 10);
  leat_rx(int) out = leat_debounce(s, c, LEAT_MS(20));
  for (int burst = 0; burst < 3; burst++) {
    int64_t start = leat_now();
    for (int i = 0; i < 5; i++) CHECK_EQ(leat_send(c, 10 * burst + i), LEAT_OK);
    CHECK_EQ(next(out), 10 * burst + 4);
    CHECK(leat_now() - start >= LEAT_MS(20));
  }
  CHECK_EQ(leat_send(c, 99), LEAT_OK);
  leat_close(c);
  CHECK_EQ(next(out), 99); /* at once */
  CHECK_EQ(next(out), -1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(throttle_gives_the_first_of_a_burst) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 100);
  leat_rx(int) out = leat_throttle(s, c, LEAT_SECONDS(1000));
  for (int i = 0; i < 50; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  CHECK_EQ(next(out), 0);
  leat_close(c);
  CHECK_EQ(next(out), -1);
  int n = 0;
  leat_range(int, v, leat_throttle(s, leat_numbers(s, int, 0, 100), 0)) CHECK_EQ(v, n++);
  CHECK_EQ(n, 100);
  leat_chan(int) d = leat_chan_make(s, int, 100);
  out = leat_throttle(s, d, LEAT_MS(2));
  CHECK_EQ(leat_send(d, 1), LEAT_OK);
  CHECK_EQ(next(out), 1);
  leat_sleep(LEAT_MS(3));
  CHECK_EQ(leat_send(d, 2), LEAT_OK);
  CHECK_EQ(next(out), 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(sample_gives_the_latest) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 100);
  leat_rx(int) out = leat_sample(s, c, LEAT_MS(15));
  int64_t start = leat_now();
  for (int i = 0; i < 50; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  CHECK_EQ(next(out), 49);
  CHECK(leat_now() - start >= LEAT_MS(15));
  CHECK_EQ(leat_send(c, 50), LEAT_OK);
  CHECK_EQ(next(out), 50);
  CHECK_EQ(leat_send(c, 51), LEAT_OK);
  leat_close(c);
  CHECK_EQ(next(out), 51);
  CHECK_EQ(next(out), -1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* The next item is always there before the time comes. Of many short rounds one is not disturbed by other programs. */
TEST_GO(sample_of_a_stream_that_never_rests) {
  enum { N = 30000 };
  static int items[N];
  for (int i = 0; i < N; i++) items[i] = i;
  int many = test_scale(N) > N / 10 ? (int)test_scale(N) : N / 10;
  bool each_period = false;
  for (int round = 0; round < 500 && !each_period; round++) {
    leat_scope(s);
    int last = -1, n = 0;
    int64_t start = leat_now();
    leat_range(int, v, leat_sample(s, leat_filled(s, items, (size_t)many), LEAT_US(100))) {
      CHECK(v > last);
      last = v;
      n++;
    }
    CHECK_EQ(last, many - 1);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    each_period = n >= (leat_now() - start) / LEAT_US(100) * 3 / 4;
  }
  CHECK(each_period);
}
