/* One stage on several goroutines: all of them work; the ordered form keeps the order and its window. */
#include "wait.h"

typedef leat_rx(int) int_rx;
LEAT_RESULT_DEFINE(int);

static atomic_int running, most, calls;

LEAT_EFFECT(uneven_work, int, int, n) {
  int now = ++running, old = most;
  while (now > old && !atomic_compare_exchange_weak(&most, &old, now)) {}
  leat_sleep(LEAT_US(50 * (n * 7 % 5)));
  running--;
  return n;
}
LEAT_FILTER(prime, int, n) {
  for (int i = 2; i * i <= n; i++)
    if (n % i == 0) return false;
  return n > 1;
}
LEAT_EFFECT(together, int, int, n, int, others) { /* goes on when so many run at a time */
  calls++;
  while (calls < others && leat_yield() == LEAT_OK) {}
  return n;
}
LEAT_SOURCE(next_number, int) { return calls++; }
LEAT_EFFECT(as_it_is, int, int, n) { return n; }
LEAT_EFFECT(panics_at, int, int, n, int, at) {
  if (n == at) leat_panic("at %d", at);
  return n;
}
LEAT_FOLD(sum, long, acc, int, x) { return acc + x; }
LEAT_STAGE(one_by_one, int, int, in, out) {
  int n, status;
  while (!(status = leat_recv(in, &n)) && !(status = leat_send(out, n))) {}
  return status;
}

TEST_GO(fan_out_works_side_by_side) {
  leat_scope(s);
  long total = 0;
  CHECK_EQ(leat_fold(leat_fan_out(s, leat_numbers(s, int, 0, 8), 8, together, 8), &total, sum), LEAT_OK);
  CHECK_EQ(total, 28);
  calls = 0;
  CHECK_EQ(leat_fold(leat_fan_out(s, leat_numbers(s, int, 0, 8), 1, as_it_is), &total, sum), LEAT_OK);
  CHECK_EQ(total, 56);
  CHECK_EQ(leat_fold(leat_fan_out(s, leat_numbers(s, int, 0, 100), 3, one_by_one), &total, sum), LEAT_OK);
  CHECK_EQ(total, 56 + 4950);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(primes_are_found_by_many) {
  leat_scope(s);
  int64_t n;
  CHECK_EQ(leat_count(leat_fan_out(s, leat_numbers(s, int, 0, 10000), 4, prime), &n), LEAT_OK);
  CHECK_EQ(n, 1229);
  int found = 0;
  leat_range(int, p, leat_take(s, leat_fan_out(s, leat_repeat_fn(s, next_number), 4, prime), 10)) found += prime(p);
  CHECK_EQ(found, 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_parallel_map_keeps_the_order) {
  for (size_t workers = 1; workers <= 8; workers += 3)
    for (size_t window = 1; window <= 20; window += 9) {
      leat_scope(s);
      running = most = 0;
      int i = 0;
      leat_range(int, v, leat_parallel_map(s, leat_numbers(s, int, 0, 100), workers, window, uneven_work)) CHECK_EQ(v, i++);
      CHECK_EQ(i, 100);
      CHECK(most <= (int)workers);
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
}
TEST_GO(the_parallel_map_works_side_by_side) {
  leat_scope(s);
  int i = 0;
  leat_range(int, v, leat_parallel_map(s, leat_numbers(s, int, 0, 100), 6, 6, together, 6)) CHECK_EQ(v, i++);
  CHECK_EQ(i, 100);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_window_bounds_how_far_it_runs_ahead) {
  leat_scope(s);
  int_rx out = leat_parallel_map(s, leat_repeat_fn(s, next_number), 2, 5, as_it_is);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  UNTIL(calls >= 6);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK(calls <= 7); /* one taken, five in the window, one in the source's hands */
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_panic_in_a_worker_is_the_failure_of_the_scope) {
  leat_scope(s);
  int n = 0;
  leat_range(int, v, leat_parallel_map(s, leat_numbers(s, int, 0, 100), 3, 5, panics_at, 20)) CHECK_EQ(v, n++);
  CHECK(n <= 20);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "at 20") != NULL);
}

/* Functions that are pure work on several items at a time. */
LEAT_MAP(twice, int, int, n) { return 2 * n; }
LEAT_MAP(slow_twice, int, int, n) {
  int work = 0;
  for (int i = 0; i < 100 * (n % 50); i++) __asm__ volatile("" : "+r"(work));
  return 2 * n;
}
TEST_GO(batches_keep_the_order) {
  int n = (int)test_scale(20000);
  for (size_t workers = 1; workers <= 4; workers++)
    for (size_t window = 1; window <= 300; window = 3 * window + 1) {
      leat_scope(s);
      int i = 0;
      leat_range(int, v, leat_parallel_map(s, leat_numbers(s, int, 0, n), workers, window, twice)) CHECK_EQ(v, 2 * i++);
      CHECK_EQ(i, n);
      i = 0;
      leat_range(int, v, leat_parallel_map(s, leat_repeat(s, int, 0, 1, 2, 3, 45), workers, window, slow_twice)) {
        CHECK_EQ(v, 2 * (i % 5 == 4 ? 45 : i % 5));
        if (++i == 100) break;
      }
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
}
static atomic_int made, gone;
static void count_gone(int *item) { (void)item, gone++; }
LEAT_FN(produce_counted, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++) {
    made++;
    if (leat_send(out, i)) {
      gone++;
      return;
    }
  }
  leat_close(out);
}
LEAT_MAP(mostly_passes_on, int, int, n, int, at) {
  if (n == at) {
    gone++;
    leat_panic("at %d", at);
  }
  return n;
}
TEST_GO(a_panic_in_a_batch_drops_what_was_still_to_be_worked_on) {
  for (int at = 0; at < 200; at += 23) {
    leat_scope(s);
    made = gone = 0;
    leat_chan(int) in = leat_chan_make(s, int, 40);
    leat_on_drop(in, count_gone);
    leat_go(s, produce_counted, leat_tx_of(in), 200);
    int_rx out = leat_parallel_map(s, leat_rx_of(in), 3, 40, mostly_passes_on, at);
    leat_on_drop(out, count_gone);
    leat_range(int, v, out) {
      CHECK(v < at);
      gone++;
    }
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
    leat_release(in);
    CHECK_EQ(gone, made);
  }
}
