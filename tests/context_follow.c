/* leat_follow: a scope that is governed by one that is not above it.
 *
 * A Context of the user's own, as Go's context/{context,x}_test.go have it, does not exist here; what stands for it is a scope that follows
 * another (XTestName is the body of TestName):
 *   TestCustomContextPropagation, TestCustomContextCause         a_follower_is_cancelled_with_status_and_cause, a_follower_cancelled_first
 *   TestCustomContextAfterFuncCancel                             a_follower_is_cancelled_with_status_and_cause
 *   TestCustomContextAfterFuncTimeout                            following_a_deadline
 *   XTestCustomContextGoroutines                                 following_starts_no_goroutine */
#include "context.h"

LEAT_FN(work_under, leat_view, view, int, expected) {
  leat_scope(s);
  leat_follow(s, view);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), expected);
  canceled++;
}
TEST_GO(a_follower_is_cancelled_with_status_and_cause) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s), *follower = leat_with_cancel(s), *below = leat_with_cancel(follower);
  leat_follow(follower, ctx);
  expect_going(below);
  leat_cancel_because(ctx, "that is why");
  expect_over(follower, LEAT_CANCELED, "that is why");
  expect_over(below, LEAT_CANCELED, "that is why");
  struct leat_scope *late = leat_with_cancel(s);
  leat_follow(late, with_user_id(ctx, 5));
  expect_over(late, LEAT_CANCELED, "that is why");
  expect_going(s);
  int id; /* its values are seen all the same */
  CHECK(user_id_of(late, &id));
  CHECK_EQ(id, 5);
}
TEST_GO(a_follower_cancelled_first) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s), *follower = leat_with_cancel(s);
  leat_follow(follower, ctx);
  leat_cancel_because(follower, "its own");
  expect_going(ctx);
  leat_cancel(ctx);
  expect_over(follower, LEAT_CANCELED, "its own");
}
TEST_GO(following_a_deadline) {
  leat_scope(s);
  int64_t deadline = leat_now() + LEAT_MS(4);
  struct leat_scope *ctx = leat_with_deadline_because(s, deadline, "too late");
  {
    leat_scope(block);
    leat_follow(block, ctx);
    CHECK_EQ(leat_scope_deadline(block), deadline);
    CHECK_EQ(leat_set_timeout(block, LEAT_SECONDS(1000)), LEAT_OK);
    CHECK_EQ(leat_scope_deadline(block), deadline);
    CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_DEADLINE);
    CHECK(leat_now() >= deadline);
    CHECK_STR(leat_cause(block), "too late");
  }
  CHECK_EQ(leat_sleep(1), LEAT_OK);
}
TEST_GO(goroutines_that_were_given_a_view) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  for (int i = 0; i < 100; i++) leat_go(s, work_under, with_user_id(ctx, i), LEAT_CANCELED);
  wait_blocked("work_under", 100);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(canceled, 100);
}
TEST_GO(following_starts_no_goroutine) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s), *follower = leat_with_cancel(s);
  leat_follow(follower, ctx);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}
TEST_GO(following_what_is_above_anyway_costs_nothing) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s), *below = leat_with_cancel(leat_with_cancel(ctx));
  leat_follow(below, ctx);
  leat_follow(below, below);
  leat_follow(below, leat_background());
  CHECK_EQ(n_watches(ctx), 0);
  CHECK_EQ(n_watches(below), 0);
  CHECK_EQ(n_watches(leat_background()), 0);
  struct leat_scope *without = leat_without_cancel(ctx);
  leat_follow(without, ctx); /* not governed by it: so this means something */
  leat_cancel(ctx);
  CHECK_EQ(leat_scope_status(without), LEAT_CANCELED);
}
TEST_GO(following_several_merges_them) {
  for (int i = 0; i < 3; i++) {
    leat_scope(s);
    struct leat_scope *ctx[3], *follower = leat_with_cancel(s);
    for (int k = 0; k < 3; k++) leat_follow(follower, with_user_id(ctx[k] = leat_with_cancel(s), k + 1));
    int id;
    CHECK(user_id_of(follower, &id));
    CHECK(id >= 1 && id <= 3);
    leat_cancel_because(ctx[i], "number %d", i);
    CHECK_STR(leat_cause(follower), i == 0 ? "number 0" : i == 1 ? "number 1" : "number 2");
    for (int k = 0; k < 3; k++) leat_cancel(ctx[k]);
  }
}
TEST_GO(scopes_that_follow_in_a_circle) {
  leat_scope(s);
  struct leat_scope *all[5];
  for (int i = 0; i < 5; i++) all[i] = leat_with_cancel(s);
  for (int i = 0; i < 5; i++) {
    leat_follow(all[i], all[(i + 1) % 5]);
    leat_follow(all[i], all[(i + 2) % 5]);
  }
  CHECK_EQ(leat_set_timeout(all[3], LEAT_SECONDS(1000)), LEAT_OK);
  for (int i = 0; i < 5; i++) CHECK_EQ(leat_scope_deadline(all[i]), leat_scope_deadline(all[3]));
  CHECK_EQ(leat_set_value(all[2], user_id, 9), LEAT_OK);
  int id;
  CHECK(user_id_of(all[0], &id));
  CHECK_EQ(id, 9);
  CHECK(!other_id_of(all[0], &id));
  leat_cancel_because(all[4], "round");
  for (int i = 0; i < 5; i++) expect_over(all[i], LEAT_CANCELED, "round");
}
TEST_GO(followers_of_followers) { /* as many as would overflow a stack, were it recursion */
  int n = (int)test_scale(20000);
  leat_scope(s);
  struct leat_scope *first = leat_with_cancel(s), *last = first;
  for (int i = 0; i < n; i++) {
    struct leat_scope *next = leat_with_cancel(s);
    leat_follow(next, last);
    last = next;
  }
  leat_cancel_because(first, "down the line");
  expect_over(last, LEAT_CANCELED, "down the line");
}
TEST_GO(what_follows_a_scope_that_is_left_is_cancelled) {
  leat_scope(s);
  struct leat_scope *follower = leat_with_cancel(s);
  {
    leat_scope(block);
    leat_follow(follower, block);
  }
  CHECK_EQ(leat_scope_status(follower), LEAT_CANCELED);
  CHECK_STR(leat_cause(follower), "the scope was left");
}
LEAT_FN(follow_and_leave, leat_view, view, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    leat_follow(s, view);
    leat_go(s, run_once);
    if (leat_wait(s)) break;
  }
  finished++;
}
TEST_GO(followers_come_and_go_while_it_is_cancelled) {
  int rounds = (int)test_scale(3000) / 100 + 1;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    for (int k = 0; k < 8; k++) leat_go(s, follow_and_leave, k % 2 ? ctx : with_user_id(ctx, k), 50);
    UNTIL(ran > i * 10 || finished == 8 * (i + 1));
    leat_cancel(ctx);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(finished, 8 * (i + 1));
    CHECK_EQ(n_watches(ctx), 0);
  }
}
