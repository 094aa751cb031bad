/* Once: one run for any number of callers, panics, misuse, the forms of waiting, values, and a storm.
 *
 * Go's sync/once_test.go and oncefunc_test.go, and what covers them here:
 *   TestOnce                   many_callers_one_run
 *   TestOncePanic              a_panic_counts_as_done
 *   TestOnceFunc               a_function_runs_once
 *   TestOnceValue              a_value_is_computed_once
 *   TestOnceValues             two_values_are_a_struct
 *   TestOnceFuncPanic          every_call_of_a_function_that_panicked_panics
 *   TestOnceValuePanic         every_call_of_a_value_that_panicked_panics
 *   TestOnceValuesPanic        the same: a struct is a value like any other
 *   TestOnceFuncPanicNil       does not apply: a panic of leat always has a reason
 *   TestOnceFuncGoexit         who_left_in_the_middle_leaves_no_value, leaving_in_the_middle_counts_as_done
 *   TestOnceFuncPanicTraceback the_first_panic_names_its_origin
 *   TestOnceXGC                does not apply: no closure is kept
 *   Benchmark...               no tests; bench/compare has them */
#include "wait.h"

#include <pthread.h>

static atomic_int runs, returned, answer;
static leat_event gate;

static void count(void *n) { ++*(atomic_int *)n; }

/* leat_once_do. */

LEAT_FN(do_count, leat_once *, once) {
  leat_once_do(once, count, &runs);
  CHECK_EQ(runs, 1);
  returned++;
}
TEST_GO(many_callers_one_run) {
  leat_scope(s);
  for (int64_t k = test_scale(300) + 2; k; k--) {
    leat_once once = {0};
    runs = returned = 0;
    for (int i = 0; i < 10; i++) leat_go(s, do_count, &once);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(runs, 1);
    CHECK_EQ(returned, 10);
  }
}
static int counts_and_answers(const char *text) { return (int)strlen(text) + runs++; }
TEST_GO(any_function_of_one_pointer_and_each_once_for_itself) {
  static leat_once a, b;
  int *n = NULL;
  for (int i = 0; i < 3; i++) {
    leat_once_do(&a, counts_and_answers, "its result is ignored");
    leat_once_do(&b, free, n);
    leat_once_do(i == 0 ? &a : &b, count, &runs);
  }
  CHECK_EQ(runs, 1);
}
static void waits_for_the_gate(void *n) {
  leat_event_wait(&gate);
  ++*(atomic_int *)n;
}
LEAT_FN(do_slowly, leat_once *, once) {
  leat_once_do(once, waits_for_the_gate, &runs);
  CHECK_EQ(runs, 1);
  returned++;
}
TEST_GO(who_comes_meanwhile_waits_until_it_has_run) {
  leat_once once = {0};
  leat_scope(s);
  for (int i = 0; i < 50; i++) leat_go(s, do_slowly, &once);
  wait_blocked("do_slowly", 50);
  CHECK_EQ(returned, 0);
  leat_event_set(&gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(returned, 50);
}
static void *thread_does(void *once) {
  leat_once_do((leat_once *)once, waits_for_the_gate, &runs);
  CHECK_EQ(runs, 1);
  returned++;
  return NULL;
}
TEST_GO(plain_threads_run_it_and_wait_for_it) {
  leat_once once = {0};
  pthread_t threads[6];
  leat_scope(s);
  for (int i = 0; i < 6; i++) CHECK_EQ(pthread_create(&threads[i], NULL, thread_does, &once), 0);
  for (int i = 0; i < 6; i++) leat_go(s, do_slowly, &once);
  wait_blocked("do_slowly", 6);
  leat_event_set(&gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(returned, 12);
}
TEST(threads_alone_can_use_it) {
  static leat_once once;
  pthread_t threads[4];
  leat_event_set(&gate);
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, thread_does, &once), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(runs, 1);
}

/* Panics. */

static void panics(void *n) {
  ++*(atomic_int *)n;
  leat_panic("no luck");
}
LEAT_FN(do_panics, leat_once *, once) {
  leat_once_do(once, panics, &runs);
  returned++;
}
TEST_GO(a_panic_counts_as_done) {
  leat_once once = {0};
  leat_scope(s);
  leat_go(s, do_panics, &once);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(returned, 0);
  leat_once_do(&once, panics, &runs);
  CHECK_EQ(runs, 1);
}
static void waits_then_panics(void *n) {
  leat_event_wait(&gate);
  panics(n);
}
LEAT_FN(do_waits_then_panics, leat_once *, once) {
  leat_once_do(once, waits_then_panics, &runs);
  returned++;
}
TEST_GO(a_panic_wakes_those_who_wait) {
  leat_once once = {0};
  leat_scope(s);
  leat_keep_going(s);
  for (int i = 0; i < 10; i++) leat_go(s, do_waits_then_panics, &once);
  wait_blocked("do_waits_then_panics", 10);
  leat_event_set(&gate);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(runs, 1);
  CHECK_EQ(returned, 9);
}
static leat_once within_itself;
static void does_itself(void *n) {
  leat_once_do(&within_itself, does_itself, n);
  CHECK(!"reached");
}
LEAT_FN(do_itself) { leat_once_do(&within_itself, does_itself, &runs); }
TEST_GO(doing_itself_inside_itself_is_misuse) {
  leat_scope(s);
  leat_go(s, do_itself);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "it would wait for itself") != NULL);
  leat_once_do(&within_itself, count, &runs);
  CHECK_EQ(runs, 0);
}
static void does_another(void *once) { leat_once_do((leat_once *)once, count, &runs); }
TEST_GO(doing_another_inside_is_fine) {
  leat_once outer = {0}, inner = {0};
  leat_once_do(&outer, does_another, &inner);
  leat_once_do(&outer, does_another, &inner);
  CHECK_EQ(runs, 1);
}

/* Forms of waiting. */

LEAT_FN(do_until, leat_once *, once, int64_t, deadline) {
  answer = leat_once_do_until(once, count, &runs, deadline);
  returned++;
}
TEST_GO(waiting_for_anothers_run_can_have_a_deadline) {
  leat_once once = {0};
  leat_scope(s);
  leat_go(s, do_slowly, &once);
  wait_blocked("do_slowly", 1);
  int64_t start = leat_now();
  CHECK_EQ(leat_once_do_until(&once, count, &runs, start + LEAT_MS(5)), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  CHECK_EQ(runs, 0);
  leat_event_set(&gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_once_do_until(&once, count, &runs, 1), LEAT_OK);
  CHECK_EQ(runs, 1);
}
TEST_GO(a_cancel_ends_the_wait_that_it_may_end_and_no_other) {
  leat_once once = {0};
  leat_scope(s);
  leat_go(s, do_slowly, &once);
  leat_go(s, do_slowly, &once);
  wait_blocked("do_slowly", 2);
  leat_go(s, do_until, &once, LEAT_NEVER);
  wait_blocked("do_until", 1);
  leat_cancel(s);
  UNTIL(returned == 1);
  CHECK_EQ(answer, LEAT_CANCELED);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(returned, 1);
  leat_event_set(&gate);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(returned, 3);
  CHECK_EQ(leat_once_do_cancellable(&once, count, &runs), LEAT_CANCELED);
  CHECK_EQ(runs, 1);
}
TEST_GO(in_a_cancelled_scope_it_is_not_begun) {
  leat_once once = {0};
  {
    leat_scope(s);
    leat_cancel(s);
    CHECK_EQ(leat_once_do_cancellable(&once, count, &runs), LEAT_CANCELED);
    CHECK_EQ(runs, 0);
  }
  CHECK_EQ(leat_once_do_cancellable(&once, count, &runs), LEAT_OK);
  CHECK_EQ(runs, 1);
}

/* Values. */

static int computed;
LEAT_ONCE_VALUE(answer_to_all, int) {
  computed++;
  return 41 + computed;
}
TEST_GO(a_value_is_computed_once) {
  CHECK_EQ(computed, 0);
  for (int i = 0; i < 10; i++) CHECK_EQ(answer_to_all(), 42);
  CHECK_EQ(computed, 1);
}
struct pair {
  int a, b;
};
LEAT_ONCE_VALUE(both, struct pair) {
  computed++;
  return (struct pair){computed, computed + 1};
}
LEAT_ONCE_VALUE(greeting, const char *) { return "hello"; }
LEAT_ONCE_VALUE(function, int (*)(const char *)) { return puts; }
TEST(two_values_are_a_struct) { /* and a pointer and a function's address are values, too; all on a plain thread */
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(both().a, 1);
    CHECK_EQ(both().b, 2);
    CHECK_STR(greeting(), "hello");
    CHECK(function() == puts);
  }
}
LEAT_ONCE_FUNC(set_up) { runs++; }
TEST_GO(a_function_runs_once) {
  for (int i = 0; i < 10; i++) set_up();
  CHECK_EQ(runs, 1);
}
LEAT_ONCE_VALUE(slow_value, int) {
  leat_sleep(LEAT_MS(1));
  return 100 + ++runs;
}
LEAT_FN(look_at_slow_value) {
  CHECK_EQ(slow_value(), 101);
  returned++;
}
TEST_GO(all_get_the_same_value) {
  leat_scope(s);
  for (int i = 0; i < 100; i++) leat_go(s, look_at_slow_value);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(returned, 100);
}
LEAT_ONCE_FUNC(panicking_function) {
  runs++;
  panics(&answer);
}
LEAT_FN(call_panicking_function) { panicking_function(); }
LEAT_ONCE_VALUE(no_value, double) {
  runs++;
  panics(&answer);
  return 1;
}
LEAT_FN(call_no_value) { CHECK(no_value() != 1); }
static char origin[8192];
static const char *panic_of(int (*start)(leat_view), char text[static 4096]) {
  leat_scope(s);
  CHECK_EQ(start(s), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  snprintf(text, 4096, "%s", leat_failure_of(s)->message);
  FILE *log = fmemopen(origin, sizeof origin, "w");
  CHECK(log != NULL);
  leat_error_log(leat_error_of(s), log);
  fclose(log);
  return text;
}
static int start_function(leat_view s) { return leat_go(s, call_panicking_function); }
static int start_value(leat_view s) { return leat_go(s, call_no_value); }
TEST_GO(every_call_of_a_function_that_panicked_panics) {
  char text[4096];
  CHECK_STR(panic_of(start_function, text), "no luck");
  for (int i = 0; i < 3; i++) CHECK(strstr(panic_of(start_function, text), "panicking_function has no value") != NULL);
  CHECK_EQ(runs, 1);
}
TEST_GO(every_call_of_a_value_that_panicked_panics) {
  char text[4096];
  CHECK_STR(panic_of(start_value, text), "no luck");
  for (int i = 0; i < 3; i++) CHECK(strstr(panic_of(start_value, text), "no_value has no value") != NULL);
  CHECK_EQ(runs, 1);
}
TEST_GO(the_reason_is_kept) {
  char text[4096];
  panic_of(start_value, text);
  CHECK_STR(panic_of(start_value, text), "no_value has no value, its first call has failed: no luck");
}
LEAT_ONCE_VALUE(value_of_one_who_left, int) {
  runs++;
  leat_goexit();
}
LEAT_FN(call_value_of_one_who_left) {
  value_of_one_who_left();
  returned++;
}
static int start_one_who_leaves(leat_view s) { return leat_go(s, call_value_of_one_who_left); }
TEST_GO(who_left_in_the_middle_leaves_no_value) {
  char text[4096];
  {
    leat_scope(s);
    CHECK_EQ(start_one_who_leaves(s), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK(strstr(panic_of(start_one_who_leaves, text), "its first call has failed: it ended its goroutine") != NULL);
  CHECK_EQ(runs, 1);
  CHECK_EQ(returned, 0);
}
static void leaves(void *n) {
  ++*(atomic_int *)n;
  leat_event_wait(&gate);
  leat_goexit();
}
LEAT_FN(do_leaves, leat_once *, once) {
  leat_once_do(once, leaves, &runs);
  returned++;
}
TEST_GO(leaving_in_the_middle_counts_as_done) {
  leat_once once = {0};
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, do_leaves, &once);
  wait_blocked("do_leaves", 5);
  leat_event_set(&gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(runs, 1);
  CHECK_EQ(returned, 4);
}
TEST_GO(the_first_panic_names_its_origin) {
  char text[4096];
  panic_of(start_value, text);
  CHECK(strstr(origin, "call_no_value") != NULL);
}
LEAT_ONCE_VALUE(depends_on_itself, int) { return depends_on_itself() + 1; }
LEAT_FN(call_depends_on_itself) { depends_on_itself(); }
static int start_depends(leat_view s) { return leat_go(s, call_depends_on_itself); }
TEST_GO(a_value_that_depends_on_itself_is_misuse) {
  char text[4096];
  CHECK(strstr(panic_of(start_depends, text), "wait for itself") != NULL);
  CHECK(strstr(panic_of(start_depends, text), "depends_on_itself has no value") != NULL);
}

/* Storm: of many callers in each round one runs it, or all whose scope was cancelled before anybody began go away without it. */

struct round {
  leat_once once;
  atomic_int runs, cancelled;
  uint32_t seed;
};
static void run_of_round(void *round) {
  struct round *r = round;
  for (uint32_t i = r->seed % 3; i; i--) leat_yield();
  r->runs++;
}
LEAT_FN(storm_caller, struct round *, r, uint32_t, how) {
  int status = LEAT_OK;
  if (how % 3 == 0) {
    leat_once_do(&r->once, run_of_round, r);
  } else {
    while ((status = leat_once_do_until(&r->once, run_of_round, r, how % 3 == 1 ? LEAT_NEVER : leat_now() + how % 64 * 100)) == LEAT_DEADLINE) {}
  }
  if (status) r->cancelled++;
  else CHECK_EQ(r->runs, 1);
}
static void *storm_thread(void *round) {
  struct round *r = round;
  leat_once_do(&r->once, run_of_round, r);
  CHECK_EQ(r->runs, 1);
  return NULL;
}
TEST_GO(storms_on_1_2_and_8_workers) {
  static const int worker_counts[] = {1, 2, 8};
  uint32_t seed = 3;
  for (int k = 0; k < 3; k++) {
    CHECK_EQ(leat_set_workers(worker_counts[k]), LEAT_OK);
    for (int64_t i = test_scale(300) + 3; i; i--) {
      struct round *r = calloc(1, sizeof *r);
      pthread_t thread;
      {
        leat_scope(s);
        leat_scope(unlucky);
        r->seed = (uint32_t)i;
        for (int n = 0; n < 8; n++) leat_go(n % 2 ? s : unlucky, storm_caller, r, (seed = seed * 1664525 + 1013904223) >> 8);
        if (i % 4 == 0) CHECK_EQ(pthread_create(&thread, NULL, storm_thread, r), 0);
        if (i % 3 == 0) leat_cancel(unlucky);
        CHECK_EQ(leat_wait(s), LEAT_OK);
        int status = leat_wait(unlucky);
        CHECK(status == LEAT_OK || status == LEAT_CANCELED);
        if (i % 4 == 0) pthread_join(thread, NULL);
      }
      CHECK_EQ(r->runs, 1);
      free(r);
    }
  }
}
