/* The home of contexts, the nearest scope of a block: it waits for what runs in them, fails with it, and joins and frees them when it is left.
 * A release does so earlier. */
#include "context.h"

LEAT_FN(run_after, leat_rx(char), gate) {
  char c;
  if (leat_recv(gate, &c) == LEAT_CLOSED) finished++;
  else canceled++;
}
LEAT_FN_ERR(fail_with, int, status, const char *, what) { return leat_fail(status, "cannot do %s", what); }
LEAT_FN(close_twice) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_close(c);
  leat_close(c);
}

TEST_GO(the_home_waits_for_what_runs_in_its_contexts) {
  leat_scope(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s), *below = leat_with_timeout(ctx, LEAT_SECONDS(1000));
  leat_view value = with_user_id(below, 1);
  leat_go(ctx, run_after, leat_rx_of(gate));
  leat_go(below, run_after, leat_rx_of(gate));
  leat_task *task = leat_spawn(value, run_after, leat_rx_of(gate));
  leat_service(value, wait_for_cancel, LEAT_CANCELED);
  CHECK_EQ(leat_scope_goroutines(s), 4);
  CHECK_EQ(leat_scope_goroutines(ctx), 4);
  CHECK_EQ(leat_scope_goroutines(below), 3);
  CHECK_EQ(leat_scope_goroutines(value), 2);
  wait_blocked("run_after", 3);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(finished, 3);
  CHECK_EQ(leat_join(task), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), 1);
}
TEST_GO(leaving_the_home_cancels_and_joins_its_contexts) {
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s), *without = leat_without_cancel(ctx), *below = leat_with_cancel(without);
    leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
    leat_go(without, wait_for_cancel, LEAT_CANCELED);
    leat_go(with_user_id(below, 1), wait_for_cancel, LEAT_CANCELED);
    wait_blocked("wait_for_cancel", 3);
    leat_cancel(ctx);
    UNTIL(canceled == 1);
    CHECK_EQ(leat_scope_status(without), LEAT_OK);
    CHECK_EQ(leat_scope_status(below), LEAT_OK);
    UNTIL(leat_scope_goroutines(s) == 2); /* it has counted itself before it ends */
  }
  CHECK_EQ(canceled, 3);
}
LEAT_FN(with_a_block_of_its_own, int, expected) {
  leat_scope(s);
  struct leat_scope *own = leat_without_cancel(s);
  leat_go(s, wait_for_cancel, expected);
  leat_go(own, wait_for_cancel, LEAT_CANCELED); /* only the end of this block reaches it */
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), expected);
  UNTIL(canceled > 0);
  CHECK_EQ(leat_scope_status(own), LEAT_OK);
  finished++;
}
LEAT_FN(goes_on_without_cancel, struct leat_scope *, ctx) {
  char nothing;
  CHECK_EQ(leat_recv((leat_rx(char))NULL, &nothing), LEAT_CANCELED);
  struct leat_scope *own = leat_without_cancel(ctx);
  leat_go(own, wait_for_cancel, LEAT_CANCELED); /* which would hold up the end of the block for ever */
  finished++;
}
TEST_GO(a_context_without_cancel_made_while_its_home_is_left) {
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_go(ctx, goes_on_without_cancel, ctx);
    wait_blocked("goes_on_without_cancel", 1);
  }
  CHECK_EQ(finished, 1);
}
TEST_GO(a_context_governs_the_blocks_below_it) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, with_a_block_of_its_own, LEAT_DEADLINE);
  wait_blocked("wait_for_cancel", 2);
  CHECK_EQ(leat_set_timeout(ctx, LEAT_MS(3)), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(finished, 1);
  CHECK_EQ(canceled, 2);
  CHECK_EQ(leat_scope_status(ctx), LEAT_DEADLINE);
}
LEAT_FN(clean_up_in_a_shield, int_chan, log) {
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_CANCELED);
  leat_shield(s);
  CHECK_EQ(leat_send(log, 1), LEAT_OK);
}
TEST_GO(shields_work_in_contexts) {
  leat_scope(s);
  int_chan log = leat_chan_make(s, int, 1);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, clean_up_in_a_shield, log);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_len(log), 1);
}
TEST_GO(a_cancelled_context_is_no_failure_of_its_home) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, return_its_cancel);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(ctx), LEAT_CANCELED);
  CHECK(leat_failure_of(ctx) == NULL);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_failure_goes_up_to_the_home) {
  leat_scope(outer);
  leat_go(outer, run_once);
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s), *sibling = leat_with_cancel(s);
    leat_go(s, wait_for_cancel, LEAT_CANCELED);
    leat_go(sibling, wait_for_cancel, LEAT_CANCELED);
    leat_go(with_user_id(leat_with_cancel(ctx), 1), fail_with, LEAT_FAILED, "it");
    CHECK_EQ(leat_wait(ctx), LEAT_FAILED);
    CHECK_EQ(leat_wait(s), LEAT_FAILED);
    CHECK_STR(leat_failure_of(s)->message, "cannot do it");
    CHECK_STR(leat_failure_of(ctx)->name, "fail_with");
    CHECK(strstr(leat_cause(sibling), "fail_with") != NULL);
    CHECK_EQ(canceled, 2);
  }
  CHECK_EQ(leat_wait(outer), LEAT_OK);
}
TEST_GO(a_failure_below_a_value_is_that_of_the_scope_around) {
  leat_scope(s);
  leat_view value = with_user_id(s, 1);
  leat_go(value, fail_with, LEAT_FAILED, "it");
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK(leat_failure_of(value) == leat_failure_of(s));
}
TEST_GO(keep_going_keeps_a_failure_in_its_context) {
  leat_scope(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_keep_going(ctx);
  leat_go(ctx, run_after, leat_rx_of(gate));
  leat_go(leat_with_cancel(ctx), fail_with, LEAT_FAILED, "it");
  UNTIL(leat_failure_of(ctx) != NULL);
  CHECK_EQ(leat_scope_status(ctx), LEAT_OK);
  leat_close(gate);
  CHECK_EQ(leat_wait(ctx), LEAT_FAILED);
  CHECK_EQ(finished, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(keeps_a_panic_to_itself, bool, released) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_keep_going(ctx);
  leat_go(ctx, close_twice);
  UNTIL(leat_failure_of(ctx) != NULL);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  if (released) leat_context_release(ctx);
}
TEST_GO(a_panic_in_a_context_that_no_wait_returned_goes_on) {
  for (int i = 0; i < 2; i++) {
    leat_scope(s);
    leat_go(s, keeps_a_panic_to_itself, i == 1);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
    CHECK(strstr(leat_failure_of(s)->message, "clos") != NULL);
    CHECK_STR(leat_failure_of(s)->name, "keeps_a_panic_to_itself");
  }
}
TEST_GO(a_panic_that_a_wait_returned_goes_no_further) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_keep_going(ctx);
  leat_go(ctx, close_twice);
  CHECK_EQ(leat_wait(ctx), LEAT_PANIC);
}
/* What is above has failed with it, too, and need not be waited for, up to the top. */
TEST_GO(a_panic_that_a_wait_returned_goes_no_further_up) {
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(leat_with_cancel(s));
    leat_go(ctx, close_twice);
    CHECK_EQ(leat_wait(ctx), LEAT_PANIC);
    CHECK(leat_failure_of(s) != NULL);
  }
  struct leat_scope *ctx = leat_with_cancel(leat_background());
  leat_go(ctx, close_twice);
  CHECK_EQ(leat_wait(ctx), LEAT_PANIC);
  leat_context_release(ctx);
}
LEAT_FN(takes_one_panic_of_two) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s), *other = leat_without_cancel(s);
  leat_go(ctx, close_twice);
  CHECK_EQ(leat_wait(ctx), LEAT_PANIC);
  leat_go(other, close_twice);
  UNTIL(leat_failure_of(other) != NULL && leat_scope_goroutines(other) == 0);
}
TEST_GO(a_second_panic_that_no_wait_returned_goes_on) {
  leat_scope(s);
  leat_go(s, takes_one_panic_of_two);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->name, "takes_one_panic_of_two");
}
TEST_GO_DIES(a_panic_in_a_context_ends_the_process_at_the_top, "close_twice", "context_home.c:", "clos") {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(leat_background());
  leat_go(ctx, close_twice);
  UNTIL(leat_failure_of(ctx) != NULL);
}
LEAT_FN(wait_for_own, struct leat_scope *, ctx) {
  if (leat_wait(ctx)) {}
}
LEAT_FN(release_own, struct leat_scope *, ctx) {
  leat_scope(s);
  leat_context_release(ctx);
}
TEST_GO(waiting_for_oneself_is_misuse) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, wait_for_own, ctx);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "wait for itself") != NULL);
}
TEST_GO(releasing_what_one_runs_in_is_misuse) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(with_user_id(ctx, 1), release_own, ctx);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "wait for itself") != NULL);
}
LEAT_FN(release_a_block) {
  leat_scope(s);
  leat_context_release(s);
}
TEST_GO(releasing_a_block_is_misuse) {
  leat_scope(s);
  leat_go(s, release_a_block);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "belongs to a block") != NULL);
}
LEAT_FN(wait_for_context, struct leat_scope *, ctx) {
  CHECK_EQ(leat_wait(ctx), LEAT_OK);
  ran++;
}
TEST_GO(any_number_may_wait_for_a_context) {
  leat_scope(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, run_after, leat_rx_of(gate));
  leat_go(ctx, run_after, leat_rx_of(gate));
  for (int i = 0; i < 10; i++) leat_go(s, wait_for_context, ctx);
  wait_blocked("wait_for_context", 10);
  wait_blocked("run_after", 2);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 10);
}
LEAT_MAP(square, int, int, n) { return n * n; }
LEAT_FN(count_without_end, leat_tx(int), out) {
  for (int i = 0; leat_send(out, i) == LEAT_OK; i++) {}
  finished++;
}
TEST_GO(what_belongs_to_scopes_belongs_to_contexts_too) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  int_chan c = leat_chan_make(ctx, int, 4);
  leat_timer *t = leat_timer_start(ctx, LEAT_MS(1));
  int64_t time;
  CHECK_EQ(leat_recv(leat_timer_chan(t), &time), LEAT_OK);
  leat_go(ctx, count_without_end, leat_tx_of(c));
  leat_rx(int) out = leat_take(ctx, leat_map(ctx, leat_rx_of(c), square), 1000000);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* gives up the output, which this block made, and so ends all of it */
  CHECK_EQ(finished, 1);
  expect_going(ctx);
}

/* Release. */

TEST_GO(release_cancels_and_joins_all_below) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_view value = with_user_id(leat_without_cancel(leat_with_timeout(ctx, LEAT_SECONDS(1000))), 1);
  leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
  leat_go(value, wait_for_cancel, LEAT_CANCELED);
  leat_service(value, wait_for_cancel, LEAT_CANCELED);
  leat_go(s, run_once);
  leat_after_cancel(value, run_once); /* nobody cancelled it: it does not run */
  leat_context_release(ctx);
  CHECK_EQ(canceled, 3);
  CHECK_EQ(n_children(s), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1);
}
LEAT_FN(wait_and_see, struct leat_scope *, ctx) {
  CHECK_EQ(leat_wait(ctx), LEAT_CANCELED);
  ran++;
}
TEST_GO(release_lets_those_go_on_who_wait) {
  for (int workers = 1; workers <= 2; workers++) {
    CHECK_EQ(leat_set_workers(workers), LEAT_OK);
    for (int i = 0; i < (int)test_scale(1000); i++) {
      leat_scope(s);
      struct leat_scope *ctx = leat_with_cancel(s);
      ran = 0;
      leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
      for (int k = 0; k < 3; k++) leat_go(s, wait_and_see, ctx);
      wait_blocked("wait_and_see", 3);
      leat_context_release(ctx);
      CHECK_EQ(leat_wait(s), LEAT_OK);
      CHECK_EQ(ran, 3);
    }
  }
}
LEAT_FN(release_it, struct leat_scope *, ctx) { leat_context_release(ctx); }
LEAT_FN(derive_from_it, leat_view, ctx) { leat_with_cancel(ctx); }
LEAT_FN(start_in_it, leat_view, ctx) { leat_go(ctx, run_once); }
LEAT_FN(ask_for_its_status, leat_view, ctx) { leat_scope_status(ctx); }
LEAT_FN(cancel_again, struct leat_scope *, ctx) { leat_cancel(ctx); }
LEAT_FN(wait_for_it, struct leat_scope *, ctx) {
  if (leat_wait(ctx)) return;
}
TEST_GO(using_a_context_that_was_released_is_misuse_in_debug_builds) {
  const char *variant = getenv("VARIANT");
  if (!variant || !strstr(variant, "debug")) TEST_SKIP("this build does not check");
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_view below = with_user_id(ctx, 1);
  leat_context_release(ctx);
  CHECK_PANICS("leat_context_release on a scope that has ended (made at ../../tests/context_home.c:", release_it, ctx);
  CHECK_PANICS("on a scope that has ended", derive_from_it, below);
  CHECK_PANICS("starting a goroutine on a scope that has ended", start_in_it, ctx);
  CHECK_PANICS("leat_scope_status on a scope", ask_for_its_status, below);
  CHECK_PANICS("leat_cancel on a scope", cancel_again, ctx);
  CHECK_PANICS("leat_wait on a scope", wait_for_it, ctx);
  CHECK_EQ(ran, 0);
}
static void as_in_go(leat_view parent, int64_t limit) {
  struct leat_scope *ctx = leat_with_timeout(parent, limit);
  leat_defer(leat_context_release, ctx);
  leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
  wait_blocked("wait_for_cancel", 1);
  if (limit) return;
  ran = 100;
}
TEST_GO(release_can_be_deferred) {
  as_in_go(leat_background(), LEAT_SECONDS(1000));
  CHECK_EQ(canceled, 1);
  CHECK_EQ(ran, 0);
}
