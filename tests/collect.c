/* Ends: folds, arrays, counts, and what they do about errors and cancellation. */
#include "token.h"
#include "wait.h"
#include <pthread.h>

LEAT_RESULT_DEFINE(int);

static atomic_int calls;

LEAT_FOLD(sum, long, acc, int, x) { return acc + x; }
LEAT_FOLD(join, int, acc, int, x, int, base) { return acc * base + x; }
LEAT_MAP(negated, int, int, n) { return -n; }
LEAT_EFFECT(checked, int, leat_result(int), n, int, every) {
  calls++;
  if (n % every == 0) return leat_err(int, leat_error_new(LEAT_FAILED, "bad number %d", n));
  return leat_ok(int, n);
}
LEAT_FN(produce, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++)
    if (leat_send(out, i)) return;
  leat_close(out);
}
LEAT_SINK(add_to, int, n, atomic_long *, total) { *total += n; }

TEST_GO(fold) {
  leat_scope(s);
  long total = 1;
  CHECK_EQ(leat_fold(leat_numbers(s, int, 0, 1000), &total, sum), LEAT_OK);
  CHECK_EQ(total, 1 + 999 * 500);
  int digits = 0;
  CHECK_EQ(leat_fold(leat_values(s, int, 1, 2, 3), &digits, join, 10), LEAT_OK);
  CHECK_EQ(digits, 123);
  CHECK_EQ(leat_fold(leat_values(s, int, 1, 2, 3), &digits, join, 10), LEAT_OK);
  CHECK_EQ(digits, 123123);
  leat_chan(int) c = leat_chan_make(s, int, 3);
  leat_go(s, produce, leat_tx_of(c), 100);
  CHECK_EQ(leat_fold(c, &total, sum), LEAT_OK);
  CHECK_EQ(total, 1 + 999 * 500 + 99 * 50);
  CHECK_EQ(leat_fold(leat_take(s, leat_numbers(s, int, 0, 10), 0), &total, sum), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_fold_of_pure_stages_needs_no_goroutine) {
  leat_scope(s);
  leat_metrics before, after;
  leat_metrics_read(&before);
  for (int i = 0; i < 100; i++) {
    long total = 0;
    CHECK_EQ(leat_fold(leat_map(s, leat_numbers(s, int, 0, 100), negated), &total, sum), LEAT_OK);
    CHECK_EQ(total, -4950);
  }
  leat_metrics_read(&after);
  CHECK_EQ(after.started, before.started);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(collect_and_count) {
  leat_scope(s);
  int *items;
  size_t n;
  CHECK_EQ(leat_collect(leat_map(s, leat_numbers(s, int, 0, 5000), negated), &items, &n), LEAT_OK);
  CHECK_EQ(n, 5000);
  for (int i = 0; i < 5000; i++) CHECK_EQ(items[i], -i);
  free(items);
  CHECK_EQ(leat_collect(leat_numbers(s, int, 0, 0), &items, &n), LEAT_OK);
  CHECK(!items && n == 0);
  int64_t count;
  CHECK_EQ(leat_count(leat_numbers(s, int, 0, 5000), &count), LEAT_OK);
  CHECK_EQ(count, 5000);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(results_up_to_an_error) {
  for (size_t most = 0; most < 4; most++) {
    leat_scope(s);
    calls = 0;
    int *values;
    size_t n;
    leat_error *e;
    int status = leat_collect_results(leat_map(s, leat_numbers(s, int, 1, 20), checked, 3), &values, &n, most, &e);
    CHECK_EQ(status, LEAT_FAILED);
    CHECK_EQ(leat_error_status(e), LEAT_FAILED);
    CHECK_EQ(most == 1 ? 1 : leat_error_members(e), most ? most : 6);
    CHECK_EQ(n, most ? 2 * most : 13);
    CHECK_EQ(calls, most ? 3 * most : 19); /* nothing beyond the last error that was wanted */
    CHECK_EQ(values[0], 1);
    CHECK_EQ(values[1], 2);
    free(values);
    leat_error_release(e);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST_GO(results_without_errors) {
  leat_scope(s);
  int *values;
  size_t n;
  leat_error *e;
  CHECK_EQ(leat_collect_results(leat_map(s, leat_numbers(s, int, 1, 20), checked, 100), &values, &n, 1, &e), LEAT_OK);
  CHECK(!e);
  CHECK_EQ(n, 19);
  free(values);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* What ends early. */

LEAT_FN_ERR(fold_for_ever, leat_rx(int), in, long *, total) { return leat_fold(in, total, sum); }
TEST_GO(cancelled_in_a_fold_that_computes) {
  long total = 0;
  leat_scope(s);
  leat_go(s, fold_for_ever, leat_repeat(s, int, 1), &total);
  leat_sleep(LEAT_MS(2));
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
TEST_GO(cancelled_in_a_fold_that_waits) {
  leat_scope(s);
  long total = 0;
  leat_go(s, fold_for_ever, leat_rx_of(leat_chan_make(s, int, 0)), &total);
  wait_blocked("fold_for_ever", 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
TEST_GO(a_deadline_in_a_fold) {
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(3)), LEAT_OK);
  long total = 0;
  CHECK_EQ(leat_fold(leat_repeat(s, int, 1), &total, sum), LEAT_DEADLINE);
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
}
TEST_GO(an_end_in_another_scope_than_its_stages) {
  leat_scope(outer);
  leat_rx(int) in = leat_map(outer, leat_numbers(outer, int, 0, 1000), negated);
  long total = 0;
  {
    leat_scope(s);
    CHECK_EQ(leat_fold(in, &total, sum), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(total, -499500);
  CHECK_EQ(leat_wait(outer), LEAT_OK);
}
TEST_GO(for_each_with_parameters_loses_nothing) {
  static atomic_long total;
  leat_scope(s);
  CHECK_EQ(leat_for_each(s, leat_numbers(s, int, 0, 1000), add_to, &total), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(total, 499500);
}
static leat_rx(int) handed_out;
static void *fold_outside(void *total) {
  CHECK_EQ(leat_fold(handed_out, (long *)total, sum), LEAT_OK);
  return NULL;
}
TEST_GO(a_plain_thread_can_fold) {
  leat_scope(s);
  pthread_t t;
  long total = 0;
  handed_out = leat_map(s, leat_numbers(s, int, 0, 1000), negated);
  CHECK_EQ(pthread_create(&t, NULL, fold_outside, &total), 0);
  leat_blocking pthread_join(t, NULL);
  CHECK_EQ(total, -499500);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* A panic in a key's or a fold's function: what the table has stays its own, the rest is dropped, nothing twice. */
static int panics_at;
LEAT_MAP(key_of, token, int, t) {
  if (*t.cell == panics_at) leat_panic("at %d", panics_at);
  return *t.cell / 2;
}
LEAT_MAP(quiet_key_of, token, int, t) { return *t.cell / 2; }
LEAT_FOLD(add_token, long, acc, token, t) {
  int n = number_and_drop(t);
  if (n == panics_at) leat_panic("at %d", n);
  return acc + n;
}
typedef leat_table(int, token) tokens_by_int;
typedef leat_table(int, long) sums_by_int;
LEAT_FN(into_tables, int, kind, leat_rx(token), in, tokens_by_int *, tokens, sums_by_int *, sums) {
  int status = kind == 0 ? leat_collect_table(in, tokens, key_of) : kind == 1 ? leat_fold_table(in, sums, key_of, add_token) : leat_fold_table(in, sums, quiet_key_of, add_token);
  (void)status;
}
/* Into an array: it cannot be handed over, so what is in it is dropped as well. */
LEAT_RESULT_DEFINE(token);
LEAT_FILTER(looked_at, token, t) {
  if (*t.cell == panics_at) leat_panic("at %d", panics_at);
  return true;
}
LEAT_MAP(as_result, token, leat_result(token), t) {
  if (*t.cell % 4) return leat_ok(token, t);
  return leat_err(token, leat_error_new(LEAT_FAILED, "%d", number_and_drop(t)));
}
static void drop_result(leat_result(token) *r) {
  if (!r->error) drop_token(&r->value);
  leat_error_release(r->error);
}
LEAT_FN(into_array, bool, of_results, leat_rx(token), in) {
  token *items;
  size_t n;
  leat_error *e;
  leat_rx(token) checked_ones = leat_filter(NULL, in, looked_at);
  leat_rx(leat_result(token)) results = of_results ? leat_map(NULL, checked_ones, as_result) : NULL;
  leat_on_drop(results, drop_result);
  int status = of_results ? leat_collect_results(results, &items, &n, 0, &e) : leat_collect(checked_ones, &items, &n);
  (void)status;
}
TEST_GO(a_panic_on_the_way_into_an_array) {
  leat_set_log(NULL, NULL);
  for (panics_at = 0; panics_at < 40; panics_at++)
    for (int of_results = 0; of_results < 2; of_results++) {
      leat_scope(s);
      leat_chan(token) c = leat_chan_make(s, token, 40);
      leat_on_drop(c, drop_token);
      for (int i = 0; i < 40; i++) CHECK_EQ(leat_send(c, new_token(i)), LEAT_OK);
      leat_close(c);
      leat_go(s, into_array, of_results, leat_rx_of(c));
      CHECK_EQ(leat_wait(s), LEAT_PANIC);
      CHECK_EQ(alive, 0);
    }
}
TEST_GO(a_panic_on_the_way_into_a_table) {
  leat_set_log(NULL, NULL);
  for (panics_at = 0; panics_at < 16; panics_at++)
    for (int kind = 0; kind < 3; kind++) {
      tokens_by_int tokens = {0};
      sums_by_int sums = {0};
      {
        leat_scope(s);
        leat_chan(token) c = leat_chan_make(s, token, 16);
        leat_on_drop(c, drop_token);
        for (int i = 0; i < 16; i++) CHECK_EQ(leat_send(c, new_token(i)), LEAT_OK);
        leat_close(c);
        leat_go(s, into_tables, kind, leat_rx_of(c), &tokens, &sums);
        CHECK_EQ(leat_wait(s), LEAT_PANIC);
      }
      CHECK_EQ((size_t)alive, leat_table_len(&tokens));
      size_t at = 0;
      int *key;
      token *t;
      while (leat_table_next(&tokens, &at, &key, &t)) drop_token(t);
      CHECK_EQ(alive, 0);
      leat_table_free(&tokens);
      leat_table_free(&sums);
    }
}
