/* Errors as failures of goroutines: they come out at the scope, and at who joins. */
#define _GNU_SOURCE
#include "error.h"

#include <errno.h>

LEAT_ERROR_KIND(not_found);

LEAT_FN_ERROR(returns_an_error, const char *, what) { return what ? leat_error_make(((leat_error_spec){.status = LEAT_INVALID, .kind = &not_found}), "%s", what) : NULL; }
LEAT_FN_ERR(fails_with_an_error) { return leat_fail_with(leat_error_wrap(leat_error_new(LEAT_SYSTEM(EIO), "disk"), "m", "cannot read")); }
LEAT_FN_ERR(fails_with_a_status) { return LEAT_FULL; }
LEAT_FN_ERR(fails_with_a_message, int, n) { return leat_fail(LEAT_FAILED, "number %d", n); }
LEAT_FN_ERROR_DECLARE(defined_below, int, n);

TEST_GO(the_error_comes_out_at_the_scope) {
  leat_scope(s);
  CHECK(leat_error_of(s) == NULL);
  leat_go(s, returns_an_error, NULL);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(leat_error_of(s) == NULL);
  leat_go(s, returns_an_error, "not here");
  CHECK_EQ(leat_wait(s), LEAT_INVALID);
  const leat_failure *f = leat_failure_of(s);
  CHECK(leat_error_is(f->error, &not_found) && f->error == leat_error_of(s));
  CHECK_STR(f->message, "not here");
  CHECK_EQ(leat_error_goroutine(f->error), f->goroutine);
  CHECK_LOG(f->error, "(returns_an_error), started at ", "by goroutine", "(main)");
}
TEST_GO(by_leat_fail_with_and_leat_fail) {
  {
    leat_scope(s);
    leat_go(s, fails_with_an_error);
    CHECK_EQ(leat_wait(s), LEAT_SYSTEM(EIO));
    CHECK(leat_error_well_formed(leat_error_of(s), "m"));
  }
  leat_scope(s);
  leat_go(s, fails_with_a_message, 3);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_error_message(leat_error_of(s)), "number 3");
  if (names_are_known()) CHECK_LOG(leat_error_of(s), "at fails_with_a_message (error_failure.c:");
}
TEST_GO(a_mere_status_has_an_error_too) {
  leat_scope(s);
  leat_go(s, fails_with_a_status);
  CHECK_EQ(leat_wait(s), LEAT_FULL);
  CHECK_EQ(leat_error_status(leat_error_of(s)), LEAT_FULL);
  CHECK_STR(leat_failure_of(s)->message, "");
  CHECK_LOG(leat_error_of(s), "full (full)", "(fails_with_a_status)");
}
TEST_GO(of_a_task) {
  leat_scope(s);
  leat_keep_going(s);
  leat_task *good = leat_spawn(s, returns_an_error, NULL), *bad = leat_spawn(s, defined_below, 5), *worse = leat_spawn(s, fails_with_a_status);
  CHECK_EQ(leat_join(good), LEAT_OK);
  CHECK(leat_task_error(good) == NULL);
  CHECK_EQ(leat_join(bad), LEAT_FAILED);
  CHECK_STR(leat_error_message(leat_task_error(bad)), "5 below");
  CHECK_EQ(leat_join(worse), LEAT_FULL);
  CHECK(leat_task_error(worse) == NULL);
}
LEAT_FN_ERROR_DEFINE(defined_below, int, n) { return leat_error_new(LEAT_FAILED, "%d below", n); }

LEAT_FN_ERR(passes_the_status_on) {
  leat_scope(s);
  leat_go(s, returns_an_error, "from below");
  return leat_wait(s);
}
LEAT_FN_ERR(passes_it_on_again) {
  leat_scope(s);
  leat_go(s, passes_the_status_on);
  return leat_wait(s);
}
LEAT_FN_ERR(returns_another) {
  {
    leat_scope(s);
    leat_go(s, returns_an_error, "from below");
    CHECK_EQ(leat_wait(s), LEAT_INVALID);
  }
  return LEAT_CLOSED;
}
TEST_GO(who_answers_with_leat_wait_passes_the_error_on) {
  {
    leat_scope(s);
    leat_go(s, passes_it_on_again);
    CHECK_EQ(leat_wait(s), LEAT_INVALID);
    CHECK(leat_error_is(leat_error_of(s), &not_found));
    CHECK_STR(leat_failure_of(s)->name, "passes_it_on_again");
    CHECK_LOG(leat_error_of(s), "(returns_an_error)", "(passes_the_status_on)");
  }
  leat_scope(s);
  leat_go(s, returns_another);
  CHECK_EQ(leat_wait(s), LEAT_CLOSED);
  CHECK(!leat_error_is(leat_error_of(s), &not_found));
}

/* It is returning it that fails the goroutine: what was made and not returned is no part of what it does return. */
LEAT_FN_ERR(does_not_return_it, int, status) {
  (void)leat_fail(LEAT_INVALID, "dealt with here");
  return status;
}
TEST_GO(a_leat_fail_that_is_not_returned_is_forgotten) {
  leat_scope(s);
  leat_keep_going(s);
  leat_task *ok = leat_spawn(s, does_not_return_it, LEAT_OK), *closed = leat_spawn(s, does_not_return_it, LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_CLOSED);
  CHECK_EQ(leat_error_status(leat_error_of(s)), LEAT_CLOSED);
  CHECK_STR(leat_failure_of(s)->message, "");
  CHECK_STR(leat_task_message(closed), "");
  CHECK_EQ(leat_join(ok), LEAT_OK);
  CHECK(leat_task_error(ok) == NULL);
}

LEAT_FN_ERR(fails_in_a_deferred_call) {
  leat_defer_call(fails_with_an_error);
  return leat_fail(LEAT_FAILED, "the body's own");
}
static void fail_plainly(const char *why) { leat_fail(LEAT_INVALID, "%s", why); }
LEAT_FN_ERR(fails_in_a_deferred_function) {
  leat_defer(fail_plainly, "the deferred function's");
  return leat_fail(LEAT_FAILED, "the body's own");
}
LEAT_FN_ERR(only_its_deferred_call_fails) {
  leat_defer_call(fails_with_an_error);
  return LEAT_OK;
}
TEST_GO(what_a_deferred_call_fails_with_is_nobodys) {
  leat_scope(s);
  leat_go(s, only_its_deferred_call_fails);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_go(s, fails_in_a_deferred_call);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->message, "the body's own");
}
TEST_GO(what_a_deferred_function_fails_with_is_nobodys_either) {
  leat_scope(s);
  leat_go(s, fails_in_a_deferred_function);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->message, "the body's own");
}

LEAT_FN_ERR(fails_often, int, n) { return n % 3 ? leat_fail(LEAT_FAILED, "%d", n) : leat_fail_with(leat_error_wrap(leat_error_new(LEAT_CLOSED, "%d", n), "m", "outer")); }
TEST_GO(many_fail_at_a_time) {
  leat_error_set_frames(4);
  for (int round = 0; round < (int)test_scale(300); round++) {
    leat_scope(s);
    leat_task *tasks[8];
    for (int i = 0; i < 8; i++) tasks[i] = leat_spawn(s, fails_often, i);
    for (int i = 0; i < 8; i++) {
      int status = leat_join(tasks[i]);
      CHECK(status == LEAT_FAILED || status == LEAT_CLOSED || status == LEAT_CANCELED);
    }
    CHECK(leat_wait(s) != LEAT_OK);
    CHECK(leat_error_of(s) != NULL);
  }
}
