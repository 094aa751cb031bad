/* Contexts: deriving, cancelling, deadlines and causes, values, done, following, after-cancel functions, goroutines in contexts, release.
 *
 * Go's context/{context,x,afterfunc,net,benchmark}_test.go, and what covers them here (XTestName is the body of TestName):
 *   TestBackground, TestTODO                        background_and_todo
 *   TestWithCancel                                  cancel_goes_down_at_once
 *   TestDeadline, TestTimeout                       deadlines
 *   TestCanceledTimeout                             a_cancel_comes_before_the_deadline
 *   TestValues                                      values_are_found_upwards
 *   TestAllocs                                      reading_takes_no_memory_and_release_gives_it_back
 *   TestSimultaneousCancels                         all_of_a_tree_cancelled_at_once
 *   TestInterlockedCancels                          cancelling_a_child_when_the_parent_is_done
 *   TestLayersCancel, TestLayersTimeout             layers
 *   TestWithCancelCanceledParent                    below_a_cancelled_parent
 *   TestWithCancelSimultaneouslyCanceledParent      derived_while_the_parent_is_cancelled
 *   TestWithValueChecksKey                          does not compile: compile_fail/context.c; keys are not values here
 *   TestInvalidDerivedFail                          a_null_parent_is_the_innermost_scope (which is why it does not fail)
 *   TestDeadlineExceededSupportsTimeout,
 *   TestDeadlineExceededIsNetError                  not applicable: statuses are numbers
 *   TestCause                                       causes
 *   TestCauseRace                                   a_cause_is_read_while_it_is_set
 *   TestWithoutCancel                               without_cancel_keeps_values_only
 *   TestContextErrDoneRace                          status_and_done_are_one
 *   TestAfterFuncCalledAfterCancel                  a_hook_runs_after_cancel
 *   TestAfterFuncCalledAfterTimeout                 a_hook_runs_after_a_deadline
 *   TestAfterFuncCalledImmediately                  a_hook_runs_at_once_if_already_cancelled
 *   TestAfterFuncNotCalledAfterStop                 a_stopped_hook_does_not_run
 *   TestAfterFuncCalledAsynchronously               a_cancel_does_not_wait_for_hooks
 *   XTestParentFinishesChild                        the_parent_finishes_its_children
 *   XTestChildFinishesFirst                         a_child_finishes_first
 *   XTestCancelRemoves                              release_and_stop_remove_what_was_hung_on_the_parent
 *   XTestCustomContextGoroutines                    following_starts_no_goroutine
 * A Context of the user's own does not exist here; what stands for it is a scope that follows another:
 *   TestCustomContextPropagation, TestCustomContextCause         a_follower_is_cancelled_with_status_and_cause, a_follower_cancelled_first
 *   TestCustomContextAfterFuncCancel                             a_follower_is_cancelled_with_status_and_cause
 *   TestCustomContextAfterFuncTimeout                            following_a_deadline
 *   TestCustomContextAfterFuncAfterFunc                          a_hook_on_a_follower
 *   TestCustomContextAfterFuncUnregisterCancel, TestCustomContextAfterFuncUnregisterTimeout,
 *   TestCustomContextAfterFuncUnregisterAfterFunc                release_and_stop_remove_what_was_hung_on_the_parent
 * Benchmark...: no tests. */
#include "core/scope.h"
#include "wait.h"

#include <malloc.h>
#include <pthread.h>

typedef leat_chan(int) int_chan;
static atomic_int ran, canceled, finished;

LEAT_CONTEXT_KEY(user_id, int);
LEAT_CONTEXT_KEY(other_id, int);
LEAT_CONTEXT_KEY(user_name, const char *);
typedef struct { double x, y; char text[40]; } record;
LEAT_CONTEXT_KEY(user_record, record);

LEAT_FN(run_once) { ran++; }
LEAT_FN(wait_for_cancel, int, expected) {
  int_chan nil = NULL;
  int v;
  CHECK_EQ(leat_recv(nil, &v), expected);
  canceled++;
}
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

static bool is_done(leat_view view) {
  leat_shield(look); /* the caller's own scope may be cancelled */
  char c;
  int status = leat_try_recv(leat_done(view), &c);
  CHECK(status == LEAT_CLOSED || status == LEAT_EMPTY);
  return status == LEAT_CLOSED;
}
/* What hangs on a scope, as release and stop must leave it. */
static size_t n_children(leat_view view) {
  struct scope *s = (struct scope *)view;
  size_t n = 0;
  lock_take(&s->lock);
  for (struct scope *c = s->children; c; c = c->next_sibling) n++;
  lock_drop(&s->lock);
  return n;
}
static size_t n_watches(leat_view view) {
  struct scope *s = (struct scope *)view;
  size_t n = 0;
  lock_take(&s->lock);
  for (struct watch *w = s->extra ? s->extra->watches : NULL; w; w = w->next) n++;
  lock_drop(&s->lock);
  return n;
}
static void expect_over(leat_view view, int status, const char *cause) {
  CHECK_EQ(leat_scope_status(view), status);
  CHECK(is_done(view));
  CHECK_STR(leat_cause(view), cause);
}
static void expect_going(leat_view view) {
  CHECK_EQ(leat_scope_status(view), LEAT_OK);
  CHECK(!is_done(view));
  CHECK(leat_cause(view) == NULL);
}

/* Deriving and cancelling. */

TEST_GO(background_and_todo) {
  leat_view views[] = {leat_background(), leat_todo()};
  for (int i = 0; i < 2; i++) {
    CHECK(views[i] != NULL);
    CHECK_EQ(leat_scope_status(views[i]), LEAT_OK);
    CHECK(leat_cause(views[i]) == NULL);
    CHECK(leat_done(views[i]) == NULL);
    CHECK_EQ(leat_scope_deadline(views[i]), LEAT_NEVER);
    int id = 7;
    CHECK(!user_id_of(views[i], &id));
    CHECK_EQ(id, 0);
  }
  leat_view holder = with_user_id(leat_background(), 1);
  CHECK(leat_done(holder) == NULL); /* nobody can cancel this one either */
  CHECK(leat_done(with_other_id(holder, 2)) == NULL);
}
static void *derive_on_a_thread(void *unused) {
  (void)unused;
  struct leat_scope *ctx = leat_with_cancel(leat_background());
  leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
  leat_context_release(ctx);
  CHECK_EQ(canceled, 1);
  return NULL;
}
TEST(a_plain_thread_derives_from_the_background) { /* which starts the runtime */
  derive_on_a_thread(NULL);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}
TEST_GO(cancel_goes_down_at_once) {
  leat_scope(s);
  struct leat_scope *c1 = leat_with_cancel(s), *c2 = leat_with_cancel(c1);
  leat_view c3 = with_user_id(c2, 3), all[] = {c1, c2, c3};
  for (int i = 0; i < 3; i++) {
    expect_going(all[i]);
    CHECK(leat_done(all[i]) != NULL);
    CHECK(leat_done(all[i]) == leat_done(all[i]));
  }
  leat_rx(char) before = leat_done(c3);
  leat_cancel(c1);
  for (int i = 0; i < 3; i++) expect_over(all[i], LEAT_CANCELED, "canceled");
  CHECK(before == leat_done(c3));
  expect_going(s);
}
TEST_GO(cancel_does_not_go_up_or_sideways) {
  leat_scope(s);
  struct leat_scope *parent = leat_with_cancel(s), *child = leat_with_cancel(parent), *sibling = leat_with_cancel(parent);
  leat_cancel_because(child, "enough of %d", 5);
  expect_over(child, LEAT_CANCELED, "enough of 5");
  expect_going(parent);
  expect_going(sibling);
  leat_cancel(child);
  leat_cancel_because(parent, "later");
  expect_over(child, LEAT_CANCELED, "enough of 5");
  expect_over(sibling, LEAT_CANCELED, "later");
}
TEST_GO(a_null_parent_is_the_innermost_scope) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(NULL);
  leat_cancel(s);
  expect_over(ctx, LEAT_CANCELED, "canceled");
}
TEST_GO(below_a_cancelled_parent) {
  leat_scope(s);
  struct leat_scope *parent = leat_with_cancel(s);
  leat_cancel_because(parent, "that is why");
  struct leat_scope *child = leat_with_cancel(parent);
  expect_over(child, LEAT_CANCELED, "that is why");
  expect_over(with_user_id(child, 1), LEAT_CANCELED, "that is why");
  expect_over(leat_with_timeout(child, LEAT_SECONDS(1000)), LEAT_CANCELED, "that is why");
  expect_going(leat_without_cancel(child));
  CHECK_EQ(leat_go(child, run_once), LEAT_CANCELED);
}
static void *cancel_on_a_thread(void *ctx) {
  leat_cancel_because((struct leat_scope *)ctx, "that is why");
  return NULL;
}
LEAT_FN(cancel_it, struct leat_scope *, ctx) { leat_cancel_because(ctx, "that is why"); }
TEST_GO(derived_while_the_parent_is_cancelled) {
  for (int i = 0; i < 100; i++) {
    leat_scope(s);
    struct leat_scope *parent = leat_with_cancel(s);
    pthread_t t;
    if (i % 2) CHECK_EQ(pthread_create(&t, NULL, cancel_on_a_thread, parent), 0);
    else leat_go(s, cancel_it, parent);
    struct leat_scope *child = leat_with_cancel(parent);
    char c;
    CHECK_EQ(leat_recv(leat_done(child), &c), LEAT_CLOSED);
    expect_over(child, LEAT_CANCELED, "that is why");
    if (i % 2) CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
LEAT_FN(cancel_when_done, leat_view, parent, struct leat_scope *, child) {
  char c;
  CHECK_EQ(leat_recv(leat_done(parent), &c), LEAT_CLOSED);
  leat_cancel(child);
}
TEST_GO(cancelling_a_child_when_the_parent_is_done) {
  leat_scope(s);
  struct leat_scope *parent = leat_with_cancel(s), *child = leat_with_cancel(parent);
  leat_go(s, cancel_when_done, parent, child);
  leat_cancel(parent);
  char c;
  CHECK_EQ(leat_recv(leat_done(child), &c), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(cancel_plain, struct leat_scope *, ctx) { leat_cancel(ctx); }
TEST_GO(all_of_a_tree_cancelled_at_once) {
  for (int round = 0; round < 20; round++) {
    leat_scope(s);
    struct leat_scope *all[100] = {leat_with_cancel(s)};
    for (int i = 1; i < 100; i++) all[i] = leat_with_cancel(all[(i - 1) / 4]);
    for (int i = 0; i < 100; i++) leat_go(s, cancel_plain, all[(i * 37 + round) % 100]);
    for (int i = 0; i < 100; i++) {
      char c;
      CHECK_EQ(leat_recv(leat_done(all[(i * 61) % 100]), &c), LEAT_CLOSED);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
    for (int i = 0; i < 100; i++) CHECK_EQ(leat_scope_status(all[i]), LEAT_CANCELED);
  }
}

TEST_GO(the_parent_finishes_its_children) {
  leat_scope(s);
  struct leat_scope *parent = leat_with_cancel(s), *cancelled = leat_with_cancel(parent), *timed = leat_with_timeout(parent, LEAT_SECONDS(1000));
  leat_view value = with_user_id(parent, 1);
  struct leat_scope *below = leat_with_cancel(value);
  CHECK_EQ(n_children(parent), 3);
  leat_view all[] = {parent, cancelled, timed, value, below};
  for (int i = 0; i < 5; i++) expect_going(all[i]);
  leat_cancel(parent);
  for (int i = 0; i < 5; i++) expect_over(all[i], LEAT_CANCELED, "canceled");
  expect_over(leat_with_cancel(parent), LEAT_CANCELED, "canceled");
}
TEST_GO(a_child_finishes_first) {
  for (int how = 0; how < 3; how++) {
    leat_scope(s);
    struct leat_scope *stop = leat_with_cancel(s);
    leat_view parent = how == 0 ? s : how == 1 ? (leat_view)stop : with_user_id(stop, 1);
    struct leat_scope *child = leat_with_cancel(parent);
    CHECK_EQ(n_children(parent), how == 0 ? 2 : 1);
    leat_cancel(child);
    expect_over(child, LEAT_CANCELED, "canceled");
    expect_going(parent);
    leat_context_release(child);
    CHECK_EQ(n_children(parent), how == 0 ? 1 : 0);
    expect_going(parent);
  }
}
TEST_GO(release_and_stop_remove_what_was_hung_on_the_parent) {
  leat_scope(s);
  struct leat_scope *parent = leat_with_cancel(s);
  struct leat_scope *a = leat_with_cancel(parent), *b = leat_with_timeout(parent, LEAT_MS(60000)), *f = leat_with_cancel(s);
  leat_hook *h = leat_after_cancel(parent, run_once);
  leat_follow(f, parent);
  CHECK_EQ(n_children(parent), 3);
  CHECK_EQ(n_watches(parent), 2);
  leat_context_release(a);
  leat_context_release(b);
  leat_context_release(f);
  CHECK_EQ(n_children(parent), 1);
  CHECK_EQ(n_watches(parent), 1);
  CHECK(leat_hook_stop(h));
  CHECK_EQ(n_watches(parent), 0);
  leat_hook_release(h);
  CHECK_EQ(n_children(parent), 0);
  {
    leat_scope(below);
    leat_follow(below, parent);
    CHECK_EQ(n_watches(parent), 1);
  }
  CHECK_EQ(n_watches(parent), 0);
  CHECK_EQ(n_children(s), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 0);
}

/* Deadlines. */

static void wait_over(leat_view view, int64_t not_before) {
  char c;
  CHECK_EQ(leat_recv(leat_done(view), &c), LEAT_CLOSED);
  CHECK(leat_now() >= not_before);
  expect_over(view, LEAT_DEADLINE, "deadline exceeded");
}
TEST_GO(deadlines) {
  leat_scope(s);
  int64_t soon = leat_now() + LEAT_MS(5), late = soon + LEAT_SECONDS(1000);
  struct leat_scope *d = leat_with_deadline(s, soon), *t = leat_with_timeout(s, LEAT_MS(5));
  CHECK_EQ(leat_scope_deadline(d), soon);
  CHECK(leat_scope_deadline(t) >= soon);
  wait_over(d, soon);
  wait_over(t, soon);
  struct leat_scope *below = leat_with_deadline(leat_with_timeout(s, LEAT_MS(2)), late);
  CHECK(leat_scope_deadline(below) < late);
  wait_over(below, 0);
  expect_over(leat_with_deadline(s, leat_now() - 1), LEAT_DEADLINE, "deadline exceeded");
  expect_over(leat_with_deadline(s, leat_now()), LEAT_DEADLINE, "deadline exceeded");
  expect_over(leat_with_timeout(s, 0), LEAT_DEADLINE, "deadline exceeded");
  expect_over(leat_with_timeout(s, -LEAT_SECONDS(1)), LEAT_DEADLINE, "deadline exceeded");
  struct leat_scope *never = leat_with_deadline(s, LEAT_NEVER);
  expect_going(never);
  CHECK_EQ(leat_scope_deadline(never), LEAT_NEVER);
  CHECK_EQ(leat_scope_deadline(with_user_id(leat_with_deadline(s, late), 1)), late);
  expect_going(s);
}
TEST_GO(a_cancel_comes_before_the_deadline) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_timeout(leat_with_timeout(s, LEAT_SECONDS(900)), LEAT_SECONDS(1000));
  leat_cancel(ctx);
  expect_over(ctx, LEAT_CANCELED, "canceled");
}
TEST_GO(a_contexts_deadline_can_be_changed) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_timeout_because(s, LEAT_SECONDS(1000), "the first %d", 1);
  CHECK_EQ(leat_set_deadline(ctx, LEAT_NEVER), LEAT_OK);
  CHECK_EQ(leat_scope_deadline(ctx), LEAT_NEVER);
  CHECK_EQ(leat_set_timeout_because(ctx, LEAT_MS(1), "the %s", "second"), LEAT_OK);
  char c;
  CHECK_EQ(leat_recv(leat_done(ctx), &c), LEAT_CLOSED);
  expect_over(ctx, LEAT_DEADLINE, "the second");
}
TEST_GO(a_blocks_deadline_has_a_cause_too) {
  {
    leat_scope(s);
    CHECK_EQ(leat_set_timeout_because(s, LEAT_MS(1), "no answer from %s", "there"), LEAT_OK);
    CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_DEADLINE);
    CHECK_STR(leat_cause(s), "no answer from there");
  }
  {
    leat_scope(s);
    CHECK_EQ(leat_set_deadline_because(s, leat_now() - 1, "over"), LEAT_OK);
    CHECK_EQ(leat_scope_status(s), LEAT_DEADLINE);
    CHECK_STR(leat_cause(s), "over");
  }
  {
    leat_scope(s);
    CHECK_EQ(leat_set_timeout_because(s, LEAT_SECONDS(1000), "no answer"), LEAT_OK);
    leat_cancel(s);
    CHECK_STR(leat_cause(s), "canceled");
  }
}

/* Causes. */

static void expect_cause(leat_view view, int status, const char *cause) {
  CHECK_EQ(leat_scope_status(view), status);
  if (cause) CHECK_STR(leat_cause(view), cause);
  else CHECK(leat_cause(view) == NULL);
}
TEST_GO(causes) {
  const int64_t forever = LEAT_SECONDS(1000000);
  leat_scope(s);
  struct leat_scope *p, *c;
  expect_cause(leat_background(), LEAT_OK, NULL);
  expect_cause(leat_todo(), LEAT_OK, NULL);

  p = leat_with_cancel(s);
  leat_cancel(p);
  expect_cause(p, LEAT_CANCELED, "canceled");
  p = leat_with_cancel(s);
  leat_cancel_because(p, "parent's");
  expect_cause(p, LEAT_CANCELED, "parent's");
  p = leat_with_cancel(s);
  leat_cancel_because(p, NULL);
  expect_cause(p, LEAT_CANCELED, "canceled");

  c = leat_with_cancel(p = leat_with_cancel(s)); /* the parent first */
  leat_cancel_because(p, "parent's");
  leat_cancel_because(c, "child's");
  expect_cause(c, LEAT_CANCELED, "parent's");
  c = leat_with_cancel(p = leat_with_cancel(s));
  leat_cancel_because(c, "child's");
  leat_cancel_because(p, "parent's");
  expect_cause(c, LEAT_CANCELED, "child's");
  c = leat_with_cancel(p = leat_with_cancel(s));
  leat_cancel_because(p, "parent's");
  leat_cancel(c);
  expect_cause(c, LEAT_CANCELED, "parent's");
  c = leat_with_cancel(p = leat_with_cancel(s));
  leat_cancel(c);
  leat_cancel_because(p, "parent's");
  expect_cause(c, LEAT_CANCELED, "canceled");
  c = leat_with_cancel(p = leat_with_cancel(s));
  leat_cancel(p);
  leat_cancel_because(c, "child's");
  expect_cause(c, LEAT_CANCELED, "canceled");
  c = leat_with_cancel(p = leat_with_cancel(s));
  leat_cancel_because(c, "child's");
  leat_cancel(p);
  expect_cause(c, LEAT_CANCELED, "child's");

  p = leat_with_timeout(s, 0);
  leat_cancel(p);
  expect_cause(p, LEAT_DEADLINE, "deadline exceeded");
  p = leat_with_timeout(s, forever);
  leat_cancel(p);
  expect_cause(p, LEAT_CANCELED, "canceled");
  p = leat_with_timeout_because(s, 0, "too %s", "slow");
  leat_cancel(p);
  expect_cause(p, LEAT_DEADLINE, "too slow");
  p = leat_with_deadline_because(s, leat_now() - 1, "too late");
  expect_cause(p, LEAT_DEADLINE, "too late");
  p = leat_with_timeout_because(s, forever, "too slow");
  leat_cancel(p);
  expect_cause(p, LEAT_CANCELED, "canceled");
  c = leat_with_timeout_because(p = leat_with_cancel(s), 0, "too slow");
  leat_cancel_because(p, "finished early");
  expect_cause(c, LEAT_DEADLINE, "too slow");
  c = leat_with_timeout_because(p = leat_with_cancel(s), forever, "too slow");
  leat_cancel_because(p, "finished early");
  expect_cause(c, LEAT_CANCELED, "finished early");

  expect_cause(leat_without_cancel(s), LEAT_OK, NULL);
  c = leat_without_cancel(p = leat_with_cancel(s));
  leat_cancel_because(p, "finished early");
  expect_cause(c, LEAT_OK, NULL);
  c = leat_without_cancel(p = leat_with_timeout_because(s, 0, "too slow"));
  leat_cancel(p);
  expect_cause(c, LEAT_OK, NULL);
  leat_cancel_because(c, "its own");
  expect_cause(c, LEAT_CANCELED, "its own");
}
TEST_GO(a_cause_is_read_while_it_is_set) {
  for (int i = 0; i < 100; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s), *below = leat_with_cancel(ctx);
    leat_go(s, cancel_it, ctx);
    const char *cause;
    while (!(cause = leat_cause(below))) CHECK_EQ(leat_yield(), LEAT_OK);
    CHECK_STR(cause, "that is why");
    CHECK_STR(leat_cause(ctx), "that is why");
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST_GO(without_cancel_keeps_values_only) {
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_SECONDS(1000)), LEAT_OK);
  struct leat_scope *ctx = leat_without_cancel(with_user_id(s, 5));
  CHECK_EQ(leat_scope_deadline(ctx), LEAT_NEVER);
  leat_cancel(s);
  expect_going(ctx);
  expect_going(leat_with_cancel(ctx));
  int id;
  CHECK(user_id_of(ctx, &id));
  CHECK_EQ(id, 5);
  leat_go(ctx, run_once);
  CHECK_EQ(leat_wait(ctx), LEAT_OK);
  CHECK_EQ(ran, 1);
}

/* Done. */

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

/* Values. */

static void expect_ids(leat_view view, int user, int other, const char *name) {
  int id = 99;
  CHECK_EQ(user_id_of(view, &id), user != 0);
  CHECK_EQ(id, user);
  CHECK_EQ(other_id_of(view, &id), other != 0);
  CHECK_EQ(id, other);
  const char *text = "untouched";
  CHECK_EQ(user_name_of(view, &text), name != NULL);
  if (name) CHECK_STR(text, name);
  else CHECK(text == NULL);
}
TEST_GO(values_are_found_upwards) {
  leat_scope(s);
  expect_ids(s, 0, 0, NULL);
  leat_view c1 = with_user_id(s, 1);
  expect_ids(c1, 1, 0, NULL);
  leat_view c2 = with_other_id(c1, 1); /* the same type and value, another key */
  expect_ids(c2, 1, 1, NULL);
  leat_view c3 = with_user_name(c2, "jane");
  expect_ids(c3, 1, 1, "jane");
  leat_view c4 = with_user_id(c3, 4); /* hides the one above */
  expect_ids(c4, 4, 1, "jane");
  expect_ids(c3, 1, 1, "jane");
  struct leat_scope *c5 = leat_without_cancel(leat_with_timeout(c4, LEAT_SECONDS(1000)));
  expect_ids(c5, 4, 1, "jane");
  leat_view c6 = with_user_name(c5, NULL); /* a value that is NULL is there, too */
  const char *text = "untouched";
  CHECK(user_name_of(c6, &text));
  CHECK(text == NULL);
  expect_ids(s, 0, 0, NULL);
}
TEST_GO(values_are_copies_of_any_type) {
  leat_scope(s);
  record r = {1.5, 2.5, "a text"}, got;
  leat_view ctx = with_user_record(s, r);
  r.x = 0;
  memset(r.text, 'x', 5);
  CHECK(user_record_of(ctx, &got));
  CHECK(got.x == 1.5 && got.y == 2.5);
  CHECK_STR(got.text, "a text");
  CHECK(!user_record_of(s, &got));
  CHECK(got.x == 0 && got.text[0] == 0);
}
LEAT_FN(ask_who, int, expected) {
  int id;
  CHECK(user_id_of(leat_current_scope(), &id));
  CHECK_EQ(id, expected);
  leat_scope(own);
  leat_shield(shielded);
  CHECK(user_id_of(NULL, &id)); /* the same: NULL is the innermost scope */
  CHECK_EQ(id, expected);
  ran++;
}
TEST_GO(a_goroutine_sees_the_values_it_runs_under) {
  leat_scope(s);
  CHECK_EQ(leat_set_value(s, user_id, 1), LEAT_OK);
  leat_go(s, ask_who, 1);
  leat_go(with_user_id(s, 2), ask_who, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 2);
}
TEST_GO(values_on_a_scope_that_is_there_already) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  CHECK_EQ(leat_set_value(s, user_id, 1), LEAT_OK);
  CHECK_EQ(leat_set_value(s, user_name, "jane"), LEAT_OK);
  expect_ids(ctx, 1, 0, "jane");
  CHECK_EQ(leat_set_value(s, user_id, 3), LEAT_OK);
  CHECK_EQ(leat_set_value(ctx, other_id, 7), LEAT_OK);
  expect_ids(ctx, 3, 7, "jane");
  expect_ids(s, 3, 0, "jane");
}
LEAT_FN(read_values, leat_view, view) {
  int last = 0, id;
  while (!finished) {
    if (user_id_of(view, &id)) {
      CHECK(id >= last);
      last = id;
    }
    CHECK_EQ(leat_yield(), LEAT_OK);
  }
  ran++;
}
TEST_GO(values_are_read_while_they_are_set) {
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, read_values, s);
  for (int i = 1; i <= 500; i++) {
    CHECK_EQ(leat_set_value(s, user_id, i), LEAT_OK);
    if (i % 50 == 0) pause_a_moment();
  }
  finished = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 4);
}
static int dropped;
static void drop_text(char **text) {
  free(*text);
  dropped++;
}
LEAT_CONTEXT_KEY_OWNED(owned_text, char *, drop_text);
TEST_GO(owned_values_are_dropped_with_their_scope) {
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_view v = with_owned_text(ctx, strdup("one"));
    CHECK_EQ(leat_set_value(s, owned_text, strdup("two")), LEAT_OK);
    CHECK_EQ(leat_set_value(s, owned_text, strdup("three")), LEAT_OK);
    char *text;
    CHECK(owned_text_of(v, &text));
    CHECK_STR(text, "one");
    CHECK(owned_text_of(s, &text));
    CHECK_STR(text, "three");
    leat_context_release(ctx);
    CHECK_EQ(dropped, 1);
  }
  CHECK_EQ(dropped, 3);
}

TEST_GO(layers) {
  for (uint32_t seed = 1; seed <= 40; seed++) {
    leat_scope(s);
    uint32_t random = seed * 2654435761u;
    bool by_timeout = seed % 2;
    struct leat_scope *ends[64];
    leat_view ctx = s;
    int n_ends = 0, timers = 0, newest = 0;
    for (int i = 0; i < 30 || !n_ends || !timers || !newest; i++) {
      random = random * 1664525u + 1013904223u;
      switch (random >> 30) {
      case 0: ctx = with_user_id(ctx, newest = i + 1); break;
      case 1: ctx = ends[n_ends++ % 64] = leat_with_cancel(ctx); break;
      default:
        ctx = ends[n_ends++ % 64] = leat_with_timeout(ctx, by_timeout ? LEAT_MS(2) : LEAT_SECONDS(1000));
        timers++;
      }
      if (i > 60) break;
    }
    if (!newest) ctx = with_user_id(ctx, newest = 1000);
    expect_ids(ctx, newest, 0, NULL);
    char c;
    if (by_timeout) {
      CHECK_EQ(leat_recv(leat_done(ctx), &c), LEAT_CLOSED);
      CHECK_EQ(leat_scope_status(ctx), LEAT_DEADLINE);
    } else {
      CHECK(!is_done(ctx));
      leat_cancel(ends[(random >> 8) % (uint32_t)(n_ends < 64 ? n_ends : 64)]);
      expect_over(ctx, LEAT_CANCELED, "canceled");
    }
    expect_ids(ctx, newest, 0, NULL);
  }
}

/* Goroutines in contexts. */

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
    CHECK_EQ(leat_scope_goroutines(s), 2);
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
LEAT_FN_ERR(return_its_cancel) { return leat_sleep(LEAT_SECONDS(1000)); }
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
TEST_GO_DIES(a_panic_in_a_context_ends_the_process_at_the_top, "close_twice", "context.c:", "clos") {
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
  CHECK_PANICS("leat_context_release on a scope that has ended (made at ../../tests/context.c:", release_it, ctx);
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
TEST_GO(reading_takes_no_memory_and_release_gives_it_back) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind()) TEST_SKIP("counts what malloc has given out");
  leat_scope(s);
  struct leat_scope *ctx = leat_with_timeout(with_user_id(s, 1), LEAT_SECONDS(1000));
  leat_rx(char) done = leat_done(ctx);
  size_t before = 0;
  for (int i = 0; i < 2400; i++) {
    if (i == 1200) before = mallinfo2().uordblks; /* debug builds keep the last 1024 channels */
    int id;
    CHECK(user_id_of(ctx, &id));
    CHECK_EQ(leat_scope_status(ctx), LEAT_OK);
    CHECK(leat_cause(ctx) == NULL && leat_done(ctx) == done && leat_scope_deadline(ctx) != LEAT_NEVER);
    leat_hook *h = leat_after_cancel(ctx, run_once);
    CHECK(leat_hook_stop(h));
    leat_hook_release(h);
    struct leat_scope *child = leat_with_timeout_because(with_user_id(ctx, 2), LEAT_SECONDS(1), "because of %d", i);
    leat_follow(child, s); /* above it anyway */
    CHECK(leat_done(child) != NULL);
    leat_context_release((struct leat_scope *)((struct scope *)child)->parent); /* the value, with it the child */
  }
  CHECK(mallinfo2().uordblks < before + 36 * 1024); /* the smallest piece of malloc's, lost each time, is 37.5; timers' first use of a shard takes up to 28 */
}
TEST_GO(a_hundred_thousand_children) {
  int n = (int)test_scale(100000);
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s), **all = malloc((size_t)n * sizeof *all);
  for (int i = 0; i < n; i++) all[i] = leat_with_cancel(ctx);
  leat_cancel_because(ctx, "all of you");
  for (int i = 0; i < n; i++) {
    CHECK_EQ(leat_scope_status(all[i]), LEAT_CANCELED);
    CHECK_STR(leat_cause(all[i]), "all of you");
  }
  for (int i = 0; i < n; i += 2) leat_context_release(all[i]);
  free(all);
}
TEST_GO(a_hundred_thousand_deep) {
  int n = (int)test_scale(100000);
  leat_scope(s);
  struct leat_scope *top = leat_with_cancel(s);
  leat_view ctx = with_user_id(top, 7);
  for (int i = 0; i < n; i++) ctx = i % 2 ? with_other_id(ctx, i) : leat_with_cancel(ctx);
  int id;
  CHECK(user_id_of(ctx, &id));
  CHECK_EQ(id, 7);
  leat_go(ctx, wait_for_cancel, LEAT_CANCELED);
  wait_blocked("wait_for_cancel", 1);
  leat_cancel(top);
  CHECK_EQ(leat_scope_status(ctx), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(canceled, 1);
  leat_context_release(top);
  CHECK_EQ(n_children(s), 0);
}

/* Following. */

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

/* After a cancel. */

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

TEST_GO(a_dump_tells_contexts_from_blocks) {
  leat_scope(s);
  leat_view value = with_user_id(leat_with_cancel(s), 1);
  leat_after_cancel(value, run_once);
  leat_without_cancel(value);
  char *text = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  leat_dump(f);
  fclose(f);
  const char *const parts[] = {", a context: 0", "user_id, a value: 0", ", an after-cancel function: 0", ", a context: 0 goroutines, 0 channels, a shield\n"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) CHECK(strstr(text, parts[i]) != NULL);
  free(text);
}

/* All at once. */

LEAT_FN(derive_and_cancel, leat_view, parent, uint32_t, seed, int, depth) {
  for (int i = 0; i < 6; i++) {
    seed = seed * 1664525u + 1013904223u;
    struct leat_scope *ctx = seed >> 31 ? leat_with_cancel(parent) : leat_with_timeout(parent, LEAT_US(seed >> 22));
    leat_view value = with_user_id(ctx, (int)seed);
    int id;
    CHECK(user_id_of(value, &id));
    CHECK_EQ(id, (int)seed);
    leat_hook *h = leat_after_cancel(value, run_once);
    if (depth && !(seed >> 20 & 3)) leat_go(value, derive_and_cancel, value, seed, depth - 1);
    {
      leat_scope(s);
      leat_follow(s, value);
      if (seed >> 12 & 1) leat_go(s, return_its_cancel);
      if (seed >> 13 & 1) leat_cancel(ctx);
      if (seed >> 14 & 1) leat_yield();
      leat_done(value);
    }
    if (seed >> 15 & 1) leat_hook_stop(h);
    if (seed >> 16 & 1) leat_context_release(ctx);
    else leat_cancel(ctx);
  }
  finished++;
}
TEST_GO(deriving_and_cancelling_everywhere) {
  int rounds = (int)test_scale(2000) / 20 + 2;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    struct leat_scope *top = leat_with_cancel(s);
    for (uint32_t k = 0; k < 6; k++) leat_go(top, derive_and_cancel, top, (uint32_t)i * 77 + k, 2);
    if (i % 2) {
      for (int k = 0; k < i % 7; k++) leat_yield();
      leat_cancel(top);
    }
    if (i % 3) CHECK(leat_wait(s) != LEAT_PANIC);
  }
}
TEST_GO(several_threads_use_contexts) {
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, derive_on_a_thread, NULL), 0);
  CHECK_EQ(pthread_join(t, NULL), 0);
}

/* Without memory. */

TEST_GO(out_of_memory_a_context_has_ended) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind()) TEST_SKIP("asks for more memory than there is");
  leat_scope(s);
  struct leat_i_key huge = {"huge", (size_t)1 << 60, NULL};
  leat_view ctx = leat_i_with_value(s, &huge, "");
  CHECK_EQ(leat_scope_status(s), LEAT_CANCELED); /* it has failed with that */
  CHECK_EQ(leat_wait(s), LEAT_NOMEM);
  {
    leat_shield(t);
    leat_keep_going(t);
    CHECK_EQ(leat_scope_status(ctx), LEAT_NOMEM);
    CHECK_STR(leat_cause(ctx), "out of memory");
    struct leat_scope *below = leat_with_timeout(ctx, LEAT_SECONDS(1));
    CHECK_EQ(leat_go(below, run_once), LEAT_NOMEM);
    CHECK_EQ(leat_join(leat_spawn(with_user_id(below, 1), run_once)), LEAT_NOMEM);
    CHECK_EQ(leat_set_timeout(below, LEAT_MS(1)), LEAT_NOMEM);
    CHECK_EQ(leat_set_value(below, user_id, 1), LEAT_NOMEM);
    CHECK_EQ(leat_wait(below), LEAT_NOMEM);
    CHECK(leat_failure_of(below) != NULL);
    CHECK(is_done(below));
    leat_cancel(below);
    leat_hook *h = leat_after_cancel(below, run_once);
    CHECK(!leat_hook_stop(h));
    leat_hook_release(h);
    struct leat_scope *other = leat_with_timeout(t, LEAT_SECONDS(100));
    leat_follow(below, other); /* it stands for many: nothing of one may stay in it */
    CHECK_EQ(leat_scope_deadline(below), LEAT_NEVER);
    leat_context_release(other);
    leat_follow(t, below);
    CHECK_EQ(leat_sleep(1), LEAT_NOMEM);
    leat_context_release(below);
    CHECK_EQ(leat_scope_status(below), LEAT_NOMEM);
  }
  CHECK_EQ(ran, 0);
}

/* Who finds leat_done closed finds the status, too. */
static _Atomic(struct leat_scope *) to_cancel;
static void *cancels_each(void *rounds) {
  for (int64_t i = 0; i < *(int64_t *)rounds; i++) {
    struct leat_scope *c;
    while (!(c = to_cancel)) {}
    leat_cancel(c);
    to_cancel = NULL;
  }
  return NULL;
}
TEST_GO(a_closed_done_comes_with_a_status) {
  int64_t rounds = test_scale(30000);
  pthread_t canceller;
  CHECK_EQ(pthread_create(&canceller, NULL, cancels_each, &rounds), 0);
  leat_scope(s);
  for (int64_t i = 0; i < rounds; i++) {
    struct leat_scope *c = leat_with_cancel(s);
    leat_rx(char) done = leat_done(c);
    char v;
    to_cancel = c;
    while (leat_try_recv(done, &v) != LEAT_CLOSED) {}
    CHECK_EQ(leat_scope_status(c), LEAT_CANCELED);
    while (to_cancel) {}
    leat_context_release(c);
  }
  leat_blocking CHECK_EQ(pthread_join(canceller, NULL), 0);
}
