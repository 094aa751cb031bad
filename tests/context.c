/* Contexts: deriving, cancelling, deadlines and causes, as many as there may be, without memory. What else leat/context.h has is in
 * context_done.c, context_follow.c, context_home.c, context_hook.c and context_value.c.
 *
 * Go's context/{context,x,afterfunc,net,benchmark}_test.go, and what covers them here (XTestName is the body of TestName; those about values,
 * done, following and after-cancel functions are at the heads of the others):
 *   TestBackground, TestTODO                        background_and_todo
 *   TestWithCancel                                  cancel_goes_down_at_once
 *   TestDeadline, TestTimeout                       deadlines
 *   TestCanceledTimeout                             a_cancel_comes_before_the_deadline
 *   TestAllocs                                      reading_takes_no_memory_and_release_gives_it_back
 *   TestSimultaneousCancels                         all_of_a_tree_cancelled_at_once
 *   TestInterlockedCancels                          cancelling_a_child_when_the_parent_is_done
 *   TestWithCancelCanceledParent                    below_a_cancelled_parent
 *   TestWithCancelSimultaneouslyCanceledParent      derived_while_the_parent_is_cancelled
 *   TestInvalidDerivedFail                          a_null_parent_is_the_innermost_scope (which is why it does not fail)
 *   TestDeadlineExceededSupportsTimeout,
 *   TestDeadlineExceededIsNetError                  not applicable: statuses are numbers
 *   TestCause                                       causes
 *   TestCauseRace                                   a_cause_is_read_while_it_is_set
 *   TestWithoutCancel                               without_cancel_keeps_values_only
 *   XTestParentFinishesChild                        the_parent_finishes_its_children
 *   XTestChildFinishesFirst                         a_child_finishes_first
 *   XTestCancelRemoves                              release_and_stop_remove_what_was_hung_on_the_parent
 *   TestCustomContextAfterFuncUnregisterCancel, TestCustomContextAfterFuncUnregisterTimeout,
 *   TestCustomContextAfterFuncUnregisterAfterFunc                release_and_stop_remove_what_was_hung_on_the_parent
 * Benchmark...: no tests. */
#include "context.h"

#include <malloc.h>
#include <pthread.h>

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

/* Many. */

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
