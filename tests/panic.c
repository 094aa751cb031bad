/* Panics, assertions and goexit: what runs, what comes out at the scope, what ends the process; panics in deferred calls, nested, after
 * goexit. After Go's recover*.go, deferprint.go, and TestGoexit* and TestPanic* of runtime/crash_test.go. */
#include "wait.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static char trace[64];
static atomic_int traced;
static void note(const char *letter) { trace[traced++] = *letter; }
static char a[] = "a", b[] = "b", c[] = "c";

static char heard[8192];
static void hear(void *environment, const char *line) {
  (void)environment;
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  size_t n = strlen(heard);
  snprintf(heard + n, sizeof heard - n, "%s\n", line);
  pthread_mutex_unlock(&lock);
}
static void hear_nothing(void *environment, const char *line) { (void)environment, (void)line; }

static bool log_holds(const leat_error *e, const char *text) {
  char *log = NULL;
  size_t size;
  FILE *out = open_memstream(&log, &size);
  leat_error_log(e, out);
  fclose(out);
  bool holds = strstr(log, text) != NULL;
  if (!holds) fprintf(stderr, "%s\n  has no \"%s\"\n", log, text);
  free(log);
  return holds;
}

/* ---- panic and assert ---- */

LEAT_FN(panics, int, n) {
  leat_defer(note, a);
  {
    leat_scope(s);
    leat_defer(note, b);
    leat_panic("number %d", n);
  }
}

TEST_GO(a_panic_runs_what_was_deferred_and_comes_out_at_the_scope) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, panics, 7);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(trace, "ba");
  const leat_failure *f = leat_failure_of(s);
  CHECK_STR(f->message, "number 7");
  CHECK_STR(f->name, "panics");
  CHECK_EQ(leat_error_status(f->error), LEAT_PANIC);
  CHECK_EQ(leat_error_goroutine(f->error), f->goroutine);
  CHECK(log_holds(f->error, "panic.c:") && log_holds(f->error, "(panics), started at ") && log_holds(f->error, "by goroutine"));
  CHECK(strstr(heard, "leat: panic: number 7, at ") && strstr(heard, "(panics), started at ") && strstr(heard, leat_error_log_id(f->error))); /* at once */
  CHECK(!leat_error_well_formed(f->error, NULL)); /* a user is told of an unexpected issue */
}

static int evaluated;
static int count(int x) {
  evaluated++;
  return x;
}
LEAT_FN(asserts, int, n) {
  leat_assert(n >= 0);
  leat_assert(count(n) < 10, "n is %d, of \"%s\" (%c)", n, "a, b", ')');
  leat_assert(strchr("a,b)", ',') != NULL && n, "a message with, commas");
  if (n) leat_assert(n != 5);
  else note(c);
}
static void check_assertion(int n, const char *message) {
  leat_scope(s);
  leat_go(s, asserts, n);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->message, message);
}
TEST_GO(assertions) {
  leat_set_log(hear, NULL);
  check_assertion(-1, "assertion failed: n >= 0");
  CHECK_EQ(evaluated, 0);
  check_assertion(12, "assertion failed: count(n) < 10: n is 12, of \"a, b\" ())");
  CHECK_EQ(evaluated, 1);
  check_assertion(0, "assertion failed: strchr(\"a,b)\", ',') != NULL && n: a message with, commas");
  check_assertion(5, "assertion failed: n != 5");
  leat_scope(s);
  leat_go(s, asserts, 6);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(traced, 0);
}

LEAT_FN(owns_a_scope_and_does_not_look) {
  leat_scope(s);
  leat_go(s, panics, 1);
  UNTIL(!leat_scope_goroutines(s));
}
TEST_GO(an_unseen_panic_goes_on_to_the_owner) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, owns_a_scope_and_does_not_look);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->message, "number 1");
  CHECK_STR(leat_failure_of(s)->name, "owns_a_scope_and_does_not_look");
  CHECK(log_holds(leat_error_of(s), "(panics), started at "));
}

/* A server's request that panics harms no other: each has a goroutine and a scope. */
LEAT_FN_ERROR(handle, int, n) {
  if (n % 3 == 0) leat_panic("request %d", n);
  return n % 3 == 1 ? leat_error_new(LEAT_INVALID, "bad request %d", n) : NULL;
}
LEAT_FN(serve_one, int, n, leat_tx(int), answers) {
  int status;
  {
    leat_scope(request);
    leat_go(request, handle, n);
    status = leat_wait(request); /* returned here, so it goes no further */
  } /* the failure has cancelled that scope: what follows is outside */
  CHECK_EQ(status, n % 3 == 0 ? LEAT_PANIC : n % 3 == 1 ? LEAT_INVALID : LEAT_OK);
  CHECK_EQ(leat_send(answers, n), LEAT_OK);
}
TEST_GO(a_panic_is_contained_by_a_scope) {
  leat_set_log(hear_nothing, NULL);
  leat_error_set_frames(0);
  leat_scope(s);
  leat_chan(int) answers = leat_chan_make(s, int, 0);
  enum { REQUESTS = 60 };
  for (int i = 0; i < REQUESTS; i++) leat_go(s, serve_one, i, leat_tx_of(answers));
  for (int i = 0, n; i < REQUESTS; i++) CHECK_EQ(leat_recv(answers, &n), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* ---- panics in deferred calls ---- */

LEAT_FN(panics_again, const char *, what) {
  note(what);
  leat_panic("again %s", what);
}
LEAT_FN(panics_in_its_deferred_calls, int, first) {
  leat_defer(note, a);
  leat_defer_call(panics_again, "2");
  leat_defer(note, b);
  leat_defer_call(panics_again, "1");
  leat_defer(note, c);
  if (first) leat_panic("the first");
}
static int count_of(const char *text, const char *part) {
  int n = 0;
  while ((text = strstr(text, part))) n++, text++;
  return n;
}
TEST_GO(a_panic_in_a_deferred_call_does_not_stop_the_others) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, panics_in_its_deferred_calls, 1);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(trace, "c1b2a");
  CHECK_STR(leat_failure_of(s)->message, "the first\nagain 1\nagain 2");
  CHECK_EQ(leat_error_members(leat_error_of(s)), 3);
  CHECK_EQ(count_of(heard, "leat: panic: "), 3);
}
TEST_GO(a_panic_in_a_deferred_call_of_a_goroutine_that_was_well) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, panics_in_its_deferred_calls, 0);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(trace, "c1b2a");
  CHECK_STR(leat_failure_of(s)->message, "again 1\nagain 2");
}
static leat_error *ordinary; /* a panic does not free what only the frames know of that it gives up */
LEAT_FN_ERROR(had_failed_already) {
  leat_defer_call(panics_again, "1");
  return ordinary = leat_error_new(LEAT_INVALID, "an ordinary one");
}
TEST_GO(a_panic_in_a_deferred_call_of_a_goroutine_that_was_about_to_fail) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, had_failed_already);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->message, "again 1");
  leat_error_release(ordinary);
}
LEAT_FN(its_deferred_call_owns_goroutines) {
  leat_scope(s);
  leat_go(s, panics, 3);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  note(c);
}
LEAT_FN(panics_above_that) {
  leat_defer_call(its_deferred_call_owns_goroutines);
  leat_panic("outer");
}
TEST_GO(a_deferred_call_may_contain_panics_of_its_own_goroutines) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, panics_above_that);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(trace, "bac");
  CHECK_STR(leat_failure_of(s)->message, "outer");
}

/* ---- goexit ---- */

static void leaves(int depth) {
  leat_defer(note, b);
  if (depth) leaves(depth - 1);
  else if (depth == 0) leat_goexit();
  note("x");
}
LEAT_FN_ERR(exits, int, depth) {
  leat_defer(note, a);
  leaves(depth);
  return LEAT_FAILED;
}
TEST_GO(goexit_runs_what_was_deferred_and_is_no_failure) {
  leat_scope(s);
  leat_task *task = leat_spawn(s, exits, 2);
  CHECK_EQ(leat_join(task), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_STR(trace, "bbba");
  CHECK(leat_task_error(task) == NULL);
}
LEAT_FN_ERR(exits_after_an_error) {
  (void)leat_fail(LEAT_FAILED, "not returned");
  leat_goexit();
}
TEST_GO(goexit_forgets_an_error_that_was_not_returned) {
  leat_scope(s);
  leat_task *task = leat_spawn(s, exits_after_an_error);
  CHECK_EQ(leat_join(task), LEAT_OK);
  CHECK_STR(leat_task_message(task), "");
}
LEAT_FN(sleeps) { CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_CANCELED); }
LEAT_FN(exits_with_a_scope) {
  leat_scope(s);
  leat_go(s, sleeps);
  leat_goexit();
}
TEST_GO(goexit_leaves_scopes) {
  leat_scope(s);
  leat_go(s, exits_with_a_scope);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(exit_here) {
  note("e");
  leat_goexit();
}
LEAT_FN(exits_in_its_deferred_calls, int, panic) {
  leat_defer(note, a);
  leat_defer_call(exit_here);
  leat_defer(note, b);
  leat_defer_call(exit_here);
  if (panic) leat_panic("under way");
}
TEST_GO(goexit_in_a_deferred_call) {
  leat_scope(s);
  leat_go(s, exits_in_its_deferred_calls, 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_STR(trace, "ebea");
}
TEST_GO(goexit_in_a_deferred_call_does_not_stop_a_panic) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, exits_in_its_deferred_calls, 1);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(trace, "ebea");
  CHECK_STR(leat_failure_of(s)->message, "under way");
}
LEAT_FN(panics_after_goexit) {
  leat_defer_call(panics_again, "1");
  leat_goexit();
}
TEST_GO(a_panic_after_goexit_is_a_panic) {
  leat_set_log(hear, NULL);
  leat_scope(s);
  leat_go(s, panics_after_goexit);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->message, "again 1");
}
TEST_GO(a_pinned_goroutine_may_exit) {
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.pinned = 1}), exits, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_STR(trace, "bba");
}

/* ---- what ends the process ---- */

TEST_GO_DIES(a_panic_of_the_main_goroutine, "leat: panic: of main 3, at ", "panic.c:", "in goroutine 1 (main)", "log ID ", "leat: all goroutines:", "(sleeps)") {
  leat_scope(s);
  leat_go(s, sleeps);
  wait_blocked("sleeps", 1);
  leat_panic("of main %d", 3);
}
static void *panics_on_a_thread(void *unused) {
  leat_panic("of a thread");
  return unused;
}
TEST_DIES(a_panic_of_a_plain_thread, "leat: panic: of a thread", "in a thread that is not leat's") {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, panics_on_a_thread, NULL) == 0);
  pthread_join(thread, NULL);
}
TEST_GO_DIES(an_unseen_panic_at_the_top, "leat: panic: number 2", "(panics), started at ", "by goroutine 1 (main)", "leat: all goroutines:") {
  leat_scope(s);
  leat_go(s, panics, 2);
  UNTIL(!leat_scope_goroutines(s));
}
TEST_GO_DIES(goexit_of_the_main_goroutine, "leat_goexit: only a goroutine can be ended so") { leat_goexit(); }
TEST_DIES(goexit_of_a_plain_thread, "leat_goexit: only a goroutine can be ended so") { leat_goexit(); }
TEST_GO_DIES(an_assertion_of_the_main_goroutine, "leat: panic: assertion failed: 1 + 1 == 3: really, at ") { leat_assert(1 + 1 == 3, "really"); }

/* ---- many ---- */

static void count_one(atomic_int *n) { (*n)++; }
LEAT_FN(panics_or_exits, int, n, atomic_int *, cleaned_up) {
  leat_defer(count_one, cleaned_up);
  leat_yield();
  if (n % 2) leat_panic("%d", n);
  leat_goexit();
}
TEST_GO(many_panic_and_exit_at_a_time) {
  leat_set_log(hear_nothing, NULL);
  leat_error_set_frames(2);
  for (int round = 0; round < (int)test_scale(20); round++) {
    atomic_int cleaned_up = 0;
    leat_scope(s);
    leat_keep_going(s);
    for (int i = 0; i < 20; i++) leat_go(s, panics_or_exits, i, &cleaned_up);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
    CHECK_EQ(cleaned_up, 20);
  }
}

/* Another thread waits for input all the while, and keeps its stream locked. */
static void *read_a_line(void *unused) {
  char line[8];
  if (fgets(line, sizeof line, stdin)) CHECK(!"a line");
  return unused;
}
TEST_GO_DIES(the_end_does_not_wait_for_who_reads, "leat: panic: at once", "1 goroutines run, ", "in a buffer of the program") {
  int ends[2];
  pthread_t t;
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(dup2(ends[0], 0), 0);
  FILE *own = fdopen(dup(2), "w");
  CHECK(own && setvbuf(own, NULL, _IOFBF, 4096) == 0 && fputs("in a buffer of the program", own) >= 0);
  CHECK_EQ(pthread_create(&t, NULL, read_a_line, NULL), 0);
  while (ftrylockfile(stdin) == 0) {
    funlockfile(stdin);
    leat_yield();
  }
  leat_panic("at once");
}
