/* leat_done: one with the status, the same for everyone, nobody's to end.
 *
 * Of Go's context/x_test.go:
 *   TestContextErrDoneRace                          status_and_done_are_one */
#include "context.h"

#include <pthread.h>

TEST_GO(status_and_done_are_one) {
  for (int i = 0; i < 50; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_view view = i % 2 ? with_user_id(ctx, 1) : ctx;
    leat_rx(char) done = leat_done(view);
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, cancel_on_a_thread, ctx), 0);
    if (i % 4 < 2) {
      while (!leat_scope_status(view)) {}
      char c;
      CHECK_EQ(leat_try_recv(done, &c), LEAT_CLOSED);
    } else {
      char c;
      while (leat_try_recv(done, &c) == LEAT_EMPTY) {}
      CHECK_EQ(leat_scope_status(view), LEAT_CANCELED);
      CHECK_STR(leat_cause(view), "that is why");
    }
    CHECK_EQ(pthread_join(t, NULL), 0);
  }
}
LEAT_FN(ask_for_done, leat_view, view, leat_rx(char), expected) {
  CHECK(leat_done(view) == expected);
  ran++;
}
TEST_GO(done_is_the_same_for_everyone) {
  for (int i = 0; i < 100; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_rx(char) mine = NULL;
    if (i % 2) mine = leat_done(ctx);
    for (int k = 0; k < 8; k++) {
      if (!mine && k == 4) mine = leat_done(ctx);
      if (mine) leat_go(s, ask_for_done, ctx, mine);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
LEAT_FN(select_done, leat_view, ctx, int_chan, work) {
  char c;
  for (;;) {
    int v;
    switch (leat_select(leat_on_recv(leat_done(ctx), &c), leat_on_recv(work, &v))) {
    case 0: CHECK_EQ(leat_selected(), LEAT_CLOSED); canceled++; return;
    case 1: ran++; break;
    default: CHECK(false);
    }
  }
}
TEST_GO(done_in_a_select_of_another_scope) {
  leat_scope(s);
  int_chan work = leat_chan_make(s, int, 0);
  struct leat_scope *ctx = leat_with_cancel(s);
  for (int i = 0; i < 10; i++) leat_go(s, select_done, ctx, work);
  for (int i = 0; i < 100; i++) CHECK_EQ(leat_send(work, i), LEAT_OK);
  UNTIL(ran == 100);
  leat_cancel(ctx);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(canceled, 10);
}
TEST_GO(done_of_a_block_and_of_the_innermost_scope) {
  leat_scope(outer);
  leat_scope(s);
  CHECK(leat_done(NULL) == leat_done(s));
  CHECK(leat_done(s) != leat_done(outer));
  leat_rx(char) done = leat_done(s);
  leat_cancel(s);
  {
    leat_shield(look);
    char c;
    CHECK_EQ(leat_recv(done, &c), LEAT_CLOSED);
    CHECK_EQ(leat_try_recv(leat_done(outer), &c), LEAT_EMPTY);
  }
}
TEST_GO(who_is_given_a_view_cannot_end_its_done) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_stop(leat_done(ctx));
  expect_going(ctx);
  leat_rx(char) none = leat_take(s, leat_done(ctx), 0); /* nor does a stage that ends */
  char c;
  CHECK_EQ(leat_recv(none, &c), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  expect_going(ctx);
}
TEST_GO_DIES(done_cannot_be_released, "leat_release", "leat_done", "belongs to its scope") {
  leat_scope(s);
  leat_release(leat_done(s));
}

/* Who finds leat_done closed finds the status, too. */
static _Atomic(struct leat_scope *) to_cancel;
static atomic_bool all_cancelled;
static void *cancels_each(void *unused) {
  for (;;) {
    struct leat_scope *c;
    while (!(c = to_cancel))
      if (all_cancelled) return unused;
    leat_cancel(c);
    to_cancel = NULL;
  }
}
TEST_GO(a_closed_done_comes_with_a_status) {
  int64_t rounds = test_scale(30000), end = leat_now() + LEAT_SECONDS(ROUNDS_TAKE);
  pthread_t canceller;
  CHECK_EQ(pthread_create(&canceller, NULL, cancels_each, NULL), 0);
  leat_scope(s);
  for (int64_t i = 0; i < rounds && leat_now() < end; i++) {
    struct leat_scope *c = leat_with_cancel(s);
    leat_rx(char) done = leat_done(c);
    char v;
    to_cancel = c;
    while (leat_try_recv(done, &v) != LEAT_CLOSED) {}
    CHECK_EQ(leat_scope_status(c), LEAT_CANCELED);
    while (to_cancel) {}
    leat_context_release(c);
  }
  all_cancelled = true;
  leat_blocking CHECK_EQ(pthread_join(canceller, NULL), 0);
}
