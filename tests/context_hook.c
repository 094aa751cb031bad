/* After-cancel functions: they run once, after a cancel, unless they are stopped.
 *
 * Of Go's context/{x,afterfunc}_test.go:
 *   TestAfterFuncCalledAfterCancel                  a_hook_runs_after_cancel
 *   TestAfterFuncCalledAfterTimeout                 a_hook_runs_after_a_deadline
 *   TestAfterFuncCalledImmediately                  a_hook_runs_at_once_if_already_cancelled
 *   TestAfterFuncNotCalledAfterStop                 a_stopped_hook_does_not_run
 *   TestAfterFuncCalledAsynchronously               a_cancel_does_not_wait_for_hooks
 *   TestCustomContextAfterFuncAfterFunc             a_hook_on_a_follower */
#include "context.h"

#include <pthread.h>

LEAT_FN(close_it, leat_tx(char), c) { leat_close(c); }
TEST_GO(a_hook_runs_after_cancel) {
  leat_scope(s);
  leat_chan(char) c = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_hook *h = leat_after_cancel(ctx, close_it, leat_tx_of(c));
  char x;
  for (int i = 0; i < 5; i++) pause_a_moment();
  CHECK_EQ(leat_try_recv(c, &x), LEAT_EMPTY);
  leat_cancel(ctx);
  CHECK_EQ(leat_recv(c, &x), LEAT_CLOSED);
  CHECK(!leat_hook_stop(h));
  CHECK(!leat_hook_stop(h));
}
TEST_GO(a_hook_runs_after_a_deadline) {
  leat_scope(s);
  leat_chan(char) c = leat_chan_make(s, char, 0);
  leat_after_cancel(leat_with_timeout(s, LEAT_MS(2)), close_it, leat_tx_of(c));
  char x;
  CHECK_EQ(leat_recv(c, &x), LEAT_CLOSED);
}
TEST_GO(a_hook_runs_at_once_if_already_cancelled) {
  leat_scope(s);
  leat_chan(char) c = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_cancel(ctx);
  leat_hook *h = leat_after_cancel(ctx, close_it, leat_tx_of(c));
  char x;
  CHECK_EQ(leat_recv(c, &x), LEAT_CLOSED);
  CHECK(!leat_hook_stop(h));
}
TEST_GO(a_stopped_hook_does_not_run) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_hook *h = leat_after_cancel(ctx, run_once);
  CHECK(leat_hook_stop(h));
  leat_cancel(ctx);
  CHECK(!leat_hook_stop(h));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 0);
}
LEAT_FN(send_one, leat_tx(int), c) { CHECK_EQ(leat_send(c, 1), LEAT_OK); }
TEST_GO(a_cancel_does_not_wait_for_hooks) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_after_cancel(ctx, send_one, leat_tx_of(c));
  leat_cancel(ctx);
  int v;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_hook_on_a_follower) {
  leat_scope(s);
  leat_chan(char) c = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s), *follower = leat_with_cancel(s);
  leat_follow(follower, ctx);
  leat_after_cancel(follower, close_it, leat_tx_of(c));
  leat_cancel(ctx);
  char x;
  CHECK_EQ(leat_recv(c, &x), LEAT_CLOSED);
}
LEAT_FN(clean_up, int, expected_id, leat_chan(int), log) {
  int id;
  CHECK(user_id_of(leat_current_scope(), &id));
  CHECK_EQ(id, expected_id);
  CHECK_EQ(leat_scope_status(leat_current_scope()), LEAT_OK);
  CHECK_EQ(leat_sleep(LEAT_US(100)), LEAT_OK);
  leat_scope(s);
  leat_go(s, run_once);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_send(log, id), LEAT_OK);
}
TEST_GO(a_hook_is_not_cancelled_and_its_home_waits_for_it) {
  leat_scope(outer);
  int_chan log = leat_chan_make(outer, int, 100);
  for (int i = 0; i < 20; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_after_cancel(with_user_id(ctx, 5), clean_up, 5, log);
    CHECK_EQ(leat_set_value(s, user_id, 6), LEAT_OK);
    leat_after_cancel(s, clean_up, 6, log);
    leat_cancel(s);
    if (i % 2) CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(leat_len(log), 40);
  CHECK_EQ(ran, 40);
}
static void *cancel_plainly(void *ctx) {
  leat_cancel((struct leat_scope *)ctx);
  return NULL;
}
TEST_GO(a_home_waits_for_hooks_that_are_about_to_start) {
  int rounds = (int)test_scale(200) / 4 + 3;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    for (int k = 0; k < 200; k++) leat_with_cancel(ctx); /* so that the cancel takes its time */
    leat_after_cancel(with_user_id(ctx, 1), run_once);
    leat_after_cancel(ctx, run_once);
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, cancel_plainly, ctx), 0);
    while (!leat_scope_status(ctx)) {}
    CHECK_EQ(leat_wait(i % 2 ? s : ctx), i % 2 ? LEAT_OK : LEAT_CANCELED);
    CHECK_EQ(ran, 2 * i + 2);
    CHECK_EQ(pthread_join(t, NULL), 0);
  }
}
TEST_GO(a_hook_is_not_run_by_the_end_of_a_block) {
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_after_cancel(s, run_once);
    leat_after_cancel(ctx, run_once);
    leat_after_cancel(leat_without_cancel(with_user_id(ctx, 1)), run_once);
    leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
  }
  CHECK_EQ(canceled, 1);
  CHECK_EQ(ran, 0);
}
LEAT_FN(has_a_hook) {
  leat_scope(s);
  leat_after_cancel(s, run_once);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_CANCELED);
}
TEST_GO(the_end_of_a_block_cancels_what_is_below_so_hooks_there_run) {
  {
    leat_scope(s);
    leat_go(s, has_a_hook);
    wait_blocked("has_a_hook", 1);
  }
  CHECK_EQ(ran, 1);
}
LEAT_FN_ERR(fail_after_cancel) { return leat_fail(LEAT_FAILED, "could not clean up"); }
TEST_GO(a_hook_that_fails_fails_its_home) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_after_cancel(ctx, fail_after_cancel);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->message, "could not clean up");
}
TEST_GO(many_hooks_each_once) {
  int n = (int)test_scale(2000);
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  for (int i = 0; i < n; i++) leat_after_cancel(ctx, run_once);
  leat_cancel(ctx);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, n);
}
static atomic_int prevented;
LEAT_FN(stop_hook, leat_hook *, h) {
  if (leat_hook_stop(h)) prevented++;
}
TEST_GO(a_hook_is_either_stopped_or_run) {
  int rounds = (int)test_scale(1000) + 10;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_hook *h = leat_after_cancel(ctx, run_once);
    leat_go(s, stop_hook, h);
    leat_go(s, cancel_plain, ctx);
    leat_go(s, stop_hook, h);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(ran + prevented, i + 1);
  }
}
LEAT_FN(slow_hook, leat_chan(int), started, leat_rx(char), gate) {
  char c;
  CHECK_EQ(leat_send(started, 1), LEAT_OK);
  CHECK_EQ(leat_recv(gate, &c), LEAT_CLOSED);
  finished++;
}
LEAT_FN(release_hook, leat_hook *, h) {
  leat_hook_release(h);
  CHECK_EQ(finished, 1);
  ran++;
}
TEST_GO(releasing_a_hook_waits_for_it) {
  leat_scope(s);
  int_chan started = leat_chan_make(s, int, 0);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_hook *h = leat_after_cancel(ctx, slow_hook, started, leat_rx_of(gate));
  leat_cancel(ctx);
  int v;
  CHECK_EQ(leat_recv(started, &v), LEAT_OK);
  leat_go(s, release_hook, h);
  wait_blocked("release_hook", 1);
  wait_blocked("slow_hook", 1);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1);
}
static _Atomic(leat_hook *) to_release;
LEAT_FN(release_own_hook) {
  UNTIL(to_release != NULL);
  leat_hook_release(to_release);
}
TEST_GO(a_hook_cannot_release_itself) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  to_release = leat_after_cancel(ctx, release_own_hook);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "wait for itself") != NULL);
}
