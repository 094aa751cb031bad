/* Dumps: what they say of each state and kind of wait, that they can be had at any time, and the signal. */
#define _GNU_SOURCE
#include "wait.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dump_text(enum leat_dump_style style) {
  char *text = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  CHECK(f != NULL);
  leat_dump_with(f, &(leat_dump_options){.style = style});
  CHECK_EQ(fclose(f), 0);
  return text;
}
/* The part of a dump about the goroutine of that name: its line, and its trace if there is one. */
static char *part_of(const char *text, const char *name) {
  char mark[128];
  snprintf(mark, sizeof mark, " (%s)", name);
  const char *at = strstr(text, mark);
  if (!at) fprintf(stderr, "no %s in\n%s", name, text);
  CHECK(at != NULL);
  while (at > text && at[-1] != '\n') at--;
  const char *end = strstr(at, "\n\n");
  return strndup(at, end ? (size_t)(end - at) : strcspn(at, "\n"));
}
static bool has(const char *text, const char *what) { return strstr(text, what) != NULL; }
static void expect(const char *text, const char *what) {
  if (!has(text, what)) fprintf(stderr, "no \"%s\" in\n%s\n", what, text);
  CHECK(has(text, what));
}
static void expect_of(const char *name, const char *what) {
  char *text = dump_text(LEAT_DUMP_FULL), *part = part_of(text, name);
  expect(part, what);
  free(part);
  free(text);
}
static size_t times(const char *text, const char *what) {
  size_t n = 0;
  for (; (text = strstr(text, what)); text++) n++;
  return n;
}
/* Objects are described, if the kernel lets a process read itself that way; qemu-user does not. */
static bool objects_are_described(void) { return !test_under_qemu(); }

static leat_chan(int) nothing, full;

__attribute__((noinline)) static void in_a_function_of_its_own(void) {
  int v;
  leat_recv(nothing, &v);
  __asm__ volatile("");
}
LEAT_FN(receives) { in_a_function_of_its_own(); }
LEAT_FN(sends) { (void)leat_send(full, 3); }
LEAT_FN(selects) {
  int v;
  (void)leat_select(leat_on_recv(nothing, &v), leat_on_send(full, 2));
}
LEAT_FN(sleeps) { (void)leat_sleep(LEAT_SECONDS(1000)); }
LEAT_FN(joins, leat_task *, t) { (void)leat_join(t); }
LEAT_FN(waits) {
  leat_scope(inner);
  leat_go(inner, receives);
  CHECK(leat_wait(inner) != LEAT_OK);
}
static atomic_bool enough, computing;
LEAT_FN(computes) {
  computing = true;
  while (!enough) {}
}

TEST_GO(what_each_waits_for) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 4);
  full = leat_chan_make(s, int, 2);
  for (int i = 0; i < 2; i++) CHECK_EQ(leat_send(full, i), LEAT_OK);
  leat_task *task = leat_spawn(s, sends);
  leat_go(s, selects);
  leat_go(s, sleeps);
  leat_go(s, joins, task);
  leat_service(s, waits);
  static const char *const names[] = {"sends", "selects", "sleeps", "joins", "waits", "receives"};
  for (size_t i = 0; i < 6; i++) wait_blocked(names[i], 1);
  expect_of("sends", "sending on a channel 0x");
  expect_of("selects", "in a select");
  expect_of("sleeps", "sleeping");
  expect_of("joins", "joining a task 0x");
  expect_of("waits", "waiting for a scope's goroutines 0x");
  expect_of("receives", "receiving from a channel 0x");
  expect_of("waits", "a service, ");
  if (objects_are_described()) {
    expect_of("sends", "(made at ../../tests/dump.c:");
    expect_of("sends", ", 2 of 2)");
    expect_of("receives", ", 0 of 4)");
    expect_of("joins", "(goroutine 2)");
    expect_of("waits", ", 1 left)");
  }
  expect_of("sends", "goroutine 2 (sends), started at ../../tests/dump.c:");
  expect_of("sends", " by goroutine 1: ");
  expect_of("receives", "scope ../../tests/dump.c:");
  expect_of("receives", "; stack ");
  expect_of("main", "goroutine 1 (main)");
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
LEAT_FN(locks, leat_mutex *, m) {
  leat_mutex_lock(m);
  leat_mutex_unlock(m);
}
LEAT_FN(reads, leat_rwmutex *, m) {
  leat_rwmutex_rlock(m);
  leat_rwmutex_runlock(m);
}
TEST_GO(who_holds_a_lock) {
  leat_scope(s);
  leat_mutex m = {0};
  leat_rwmutex rw = {0};
  leat_mutex_lock(&m);
  leat_rwmutex_lock(&rw);
  leat_go(s, locks, &m);
  leat_go(s, reads, &rw);
  wait_blocked("locks", 1);
  wait_blocked("reads", 1);
  expect_of("locks", "locking a mutex 0x");
  expect_of("reads", "locking a rwmutex to read 0x");
  if (objects_are_described()) {
    expect_of("locks", "(held by goroutine 1)");
    expect_of("reads", "(held by goroutine 1)");
  }
  leat_mutex_unlock(&m);
  leat_rwmutex_unlock(&rw);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(traces_name_functions_and_lines) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  leat_go(s, receives);
  wait_blocked("receives", 1);
  char *text = dump_text(LEAT_DUMP_FULL), *part = part_of(text, "receives");
  expect(part, "at in_a_function_of_its_own (");
  expect(part, "at receives (");
  CHECK(!has(part, "leat_i_park") && !has(part, "leat_i_goroutine_main")); /* that is the same everywhere */
  free(part);
  free(text);
  CHECK_EQ(leat_send(nothing, 1), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(one_that_runs) {
  leat_scope(s);
  leat_go(s, computes);
  UNTIL(computing);
  expect_of("computes", "running on thread ");
  if (!test_under_tsan()) { /* the machine may be busy, and the trace not come in time */
    char *text, *part;
    bool traced = false;
    for (int i = 0; i < 100 && !traced; i++) {
      text = dump_text(LEAT_DUMP_FULL);
      part = part_of(text, "computes");
      traced = has(part, "at computes (");
      free(part);
      free(text);
    }
    CHECK(traced);
  }
  enough = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(ones_own) {
  if (test_under_tsan()) expect_of("main", "running on thread ");
  else expect_of("main", "at test_go_body_ones_own (");
}
static void own_signal(int number) { (void)number; }
TEST_GO(a_program_that_uses_sigurg_itself_is_left_alone) {
  signal(SIGURG, own_signal);
  expect_of("main", "running on thread ");
  struct sigaction now;
  CHECK_EQ(sigaction(SIGURG, NULL, &now), 0);
  CHECK(now.sa_handler == own_signal);
}
LEAT_FN(nops) {}
LEAT_FN(dumps_before_others_run) {
  leat_scope(s);
  char *text = NULL;
  do { /* it may have run already: the watcher asks who computes for long to give way, and on a slow machine anybody does */
    free(text);
    leat_go(s, nops);
    text = dump_text(LEAT_DUMP_FULL);
  } while (!strstr(text, "nops"));
  char *part = part_of(text, "nops");
  expect(part, "runnable, for the first time");
  expect(text, " are runnable, ");
  free(part);
  free(text);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(one_that_has_not_run_yet) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  leat_go(s, dumps_before_others_run);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static void *receives_on_a_thread(void *unused) {
  in_a_function_of_its_own();
  return unused;
}
TEST_GO(a_plain_thread_inside_leat) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, receives_on_a_thread, NULL), 0);
  for (bool there = false; !there;) {
    char *text = dump_text(LEAT_DUMP_FULL), *at = strstr(text, "a thread that is not leat's (as goroutine ");
    if (at && strstr(at, "\n\n")) *strstr(at, "\n\n") = 0;
    there = at && has(at, "receiving from a channel") && has(at, "at in_a_function_of_its_own (") && has(at, "at receives_on_a_thread (");
    free(text);
    pause_a_moment();
  }
  CHECK_EQ(leat_send(nothing, 1), LEAT_OK);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}
TEST(before_the_runtime_runs) {
  char *text = dump_text(LEAT_DUMP_FULL);
  expect(text, "leat: 0 goroutines");
  free(text);
}

/* For how long. */

static int64_t duration_of(const char *name) {
  char *text = dump_text(LEAT_DUMP_FULL), *part = part_of(text, name), unit[8] = "";
  char *at = strstr(part, ", for ");
  double n = 0;
  CHECK(at != NULL && sscanf(at, ", for %lf %7[a-z]", &n, unit) == 2);
  free(part);
  free(text);
  CHECK(strcmp(unit, "ms") == 0 || strcmp(unit, "s") == 0);
  return (int64_t)(n * (unit[0] == 'm' ? 1e6 : 1e9));
}
TEST_GO(for_how_long_it_has_waited) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  int64_t before = leat_now();
  leat_go(s, receives);
  wait_blocked("receives", 1);
  int64_t parked = leat_now();
  CHECK_EQ(leat_sleep(LEAT_MS(200)), LEAT_OK);
  int64_t least = leat_now() - parked, seen = duration_of("receives"), most = leat_now() - before;
  CHECK(seen >= least - LEAT_MS(1)); /* which is what it rounds to */
  CHECK(seen <= most + LEAT_SECONDS(1) * 1000 / test_scale(1000)); /* the watcher, whose clock it is, may get its turn late */
  CHECK_EQ(leat_send(nothing, 1), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* While nothing runs nobody looks at the clock: whoever wakes must, before a goroutine waits again. */
LEAT_FN(sleeps_then_receives) {
  CHECK_EQ(leat_sleep(LEAT_MS(2500)), LEAT_OK);
  in_a_function_of_its_own();
}
TEST_GO(after_the_process_has_been_idle) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  leat_go(s, sleeps_then_receives);
  leat_go_with(s, ((leat_go_options){.pinned = 1, .name = "pinned"}), sleeps_then_receives);
  CHECK_EQ(leat_sleep(LEAT_MS(2501)), LEAT_OK);
  for (bool both = false; !both;) {
    char *text = dump_text(LEAT_DUMP_BRIEF);
    both = times(text, "receiving from a channel") == 2;
    free(text);
  }
  CHECK(duration_of("pinned") < LEAT_MS(2000));
  CHECK(duration_of("sleeps_then_receives") < LEAT_MS(2000));
  for (int i = 0; i < 2; i++) CHECK_EQ(leat_send(nothing, i), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Styles. */

TEST_GO(brief_is_a_line_each) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  for (int i = 0; i < 50; i++) leat_go(s, receives);
  wait_blocked("receives", 50);
  char *text = dump_text(LEAT_DUMP_BRIEF);
  CHECK_EQ(times(text, "(receives), started at "), 50);
  CHECK_EQ(times(text, "\n"), 52); /* the first line, and main */
  free(text);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
/* Who meets another worker at a channel goes another way through it, has another trace, and is not alike: until nobody did. */
static bool all_alike(void) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  full = leat_chan_make(s, int, 0);
  for (int i = 0; i < 30; i++) leat_go(s, receives);
  for (int i = 0; i < 70; i++) leat_go(s, sends);
  wait_blocked("receives", 30);
  wait_blocked("sends", 70);
  char *text = dump_text(LEAT_DUMP_GROUPED);
  const char *more = strstr(text, "\n70 alike, such as goroutine "), *fewer = strstr(text, "\n30 alike, such as goroutine ");
  if (more && fewer) {
    CHECK(more < fewer);
    CHECK_EQ(times(text, "at in_a_function_of_its_own ("), 1);
    expect(text, "(sends), started at ");
    expect(text, " ...\n");
    expect(text, "scopes:");
  }
  free(text);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  return more && fewer;
}
TEST_GO(grouped) { UNTIL(all_alike()); }
LEAT_FN(dumps_here) {
  char *text = dump_text(LEAT_DUMP_FULL);
  expect(text, "(dumps_here)");
  free(text);
  text = dump_text(LEAT_DUMP_GROUPED);
  free(text);
}
TEST_GO(on_a_small_stack) {
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.stack = 12 * 1024}), dumps_here);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The tree of scopes. */

LEAT_FN(in_scopes) {
  leat_scope(first);
  CHECK_EQ(leat_set_timeout(first, LEAT_SECONDS(3000)), LEAT_OK);
  leat_chan(int) c = leat_chan_make(first, int, 0);
  (void)c;
  leat_shield(second);
  leat_go(second, receives);
  CHECK_EQ(leat_wait(second), LEAT_OK);
}
LEAT_FN(in_alike_scopes) {
  leat_scope(inner);
  in_a_function_of_its_own();
}
LEAT_FN_ERR(fails) { return LEAT_FAILED; }
TEST_GO(the_scopes) {
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  leat_go(s, in_scopes);
  wait_blocked("receives", 1);
  for (int i = 0; i < 10; i++) leat_go(s, in_alike_scopes);
  wait_blocked("in_alike_scopes", 10);
  leat_scope(broken);
  leat_go(broken, fails);
  CHECK_EQ(leat_wait(broken), LEAT_FAILED);
  char *text = dump_text(LEAT_DUMP_FULL), *tree = strstr(text, "\nscopes:\n");
  CHECK(tree != NULL);
  expect(tree, "\n  the process: 0 goroutines, 0 channels\n    ../../tests/dump.c:"); /* indented below its parent */
  expect(tree, ", of goroutine 1: 11 goroutines, 1 channel\n");
  expect(tree, ": 0 goroutines, 1 channel, deadline in 49 min ");
  expect(tree, ": 1 goroutine, 0 channels, a shield\n");
  expect(tree, ", 10 alike: 0 goroutines, 0 channels\n");
  expect(tree, ", failed, canceled: goroutine ");
  free(text);
  leat_shield(not_in_the_broken_one);
  for (int i = 0; i < 11; i++) CHECK_EQ(leat_send(nothing, 1), LEAT_OK);
}

/* While everything moves. */

LEAT_FN(comes_and_goes, int, depth) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 1);
  if (depth > 0)
    for (int i = 0; i < 2; i++) leat_go(s, comes_and_goes, depth - 1);
  (void)leat_send(c, 1);
  leat_set_timeout(s, LEAT_US(20));
  (void)leat_send(c, 2); /* until the time is up */
}
LEAT_FN(storms) {
  while (!enough) {
    leat_scope(s);
    for (int i = 0; i < 3; i++) leat_spawn(s, comes_and_goes, 3);
    int v = leat_wait(s);
    CHECK(v == LEAT_OK);
  }
}
static void *dumps_for_a_while(void *style) {
  for (int64_t i = test_scale(200) + 3; i > 0; i--) {
    char *text = dump_text((enum leat_dump_style)(uintptr_t)style);
    expect(text, "leat: ");
    if ((uintptr_t)style != LEAT_DUMP_BRIEF) expect(text, "\nscopes:\n  the process: ");
    free(text);
  }
  return NULL;
}
TEST_GO(in_a_storm_of_goroutines_and_scopes) {
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, storms);
  pthread_t threads[3];
  for (uintptr_t i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, dumps_for_a_while, (void *)i), 0);
  for (int i = 0; i < 3; i++) leat_blocking pthread_join(threads[i], NULL);
  enough = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The signal. */

/* TSan puts a signal off until the thread that it hit does something that it knows. */
static void not_under_tsan(void) {
  if (test_under_tsan()) TEST_SKIP("TSan puts signals off");
}

static atomic_int dumps; /* that are complete */
static atomic_int lines, named;
static void count_lines(void *unused, const char *line) {
  (void)unused;
  lines++;
  if (has(line, "(receives), started at ")) named++;
  if (strncmp(line, "  the process: ", 15) == 0) dumps++; /* stands at the end, but for the scopes below */
}
TEST_GO(sigquit_dumps_and_the_program_goes_on) {
  not_under_tsan();
  leat_set_log(count_lines, NULL);
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  int n = (int)test_scale(10000);
  for (int i = 0; i < n; i++) leat_go(s, receives);
  wait_blocked("receives", (size_t)n);
  int64_t start = leat_now();
  CHECK_EQ(kill(getpid(), SIGQUIT), 0);
  UNTIL(dumps == 1);
  int64_t took = leat_now() - start;
  CHECK_EQ(named, n);
  CHECK(lines > 3 * n); /* with their traces */
  if (took > LEAT_SECONDS(5)) fprintf(stderr, "it took %.1f s\n", (double)took / 1e9);
  CHECK(took < LEAT_SECONDS(5) || test_scale(1000) < 1000);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_send(nothing, i), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(kill(getpid(), SIGQUIT), 0); /* once more */
  UNTIL(dumps == 2);
}
static void expect_dump_while_all_are_stuck(void) {
  CHECK_EQ(kill(getpid(), SIGQUIT), 0);
  while (!dumps) {} /* this one is stuck, too */
}
TEST_GO(while_all_workers_are_stuck) {
  not_under_tsan();
  leat_set_log(count_lines, NULL);
  leat_scope(s);
  for (int i = 0; i < 3; i++) leat_go(s, computes);
  UNTIL(computing);
  expect_dump_while_all_are_stuck();
  enough = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static atomic_int handled;
static void handler(int number) { handled += number; }
TEST(a_handler_that_was_there_is_called_too) {
  not_under_tsan();
  leat_set_log(count_lines, NULL);
  signal(SIGUSR1, handler);
  CHECK_EQ(leat_dump_on_signal(SIGUSR1), LEAT_OK);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  UNTIL(dumps == 1 && handled == SIGUSR1);
  CHECK_EQ(leat_dump_on_signal(SIGUSR2), LEAT_OK); /* in its place */
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  UNTIL(handled == 2 * SIGUSR1);
  CHECK_EQ(kill(getpid(), SIGUSR2), 0);
  UNTIL(dumps == 2);
  CHECK_EQ(leat_dump_on_signal(0), LEAT_OK);
  struct sigaction now;
  CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
  CHECK(now.sa_handler == handler);
  CHECK_EQ(sigaction(SIGUSR2, NULL, &now), 0);
  CHECK(now.sa_handler == SIG_DFL);
  CHECK_EQ(leat_dump_on_signal(SIGUSR1), LEAT_OK);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK); /* ends it, too */
  CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
  CHECK(now.sa_handler == handler);
}
TEST(one_that_came_later_stays) {
  CHECK_EQ(leat_dump_on_signal(SIGUSR1), LEAT_OK);
  signal(SIGUSR1, handler);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  struct sigaction now;
  CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
  CHECK(now.sa_handler == handler);
}
TEST(signals_that_cannot_be_had) {
  static const int numbers[] = {-1, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 32, 65, 1000};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) CHECK_EQ(leat_dump_on_signal(numbers[i]), LEAT_INVALID);
}
TEST_GO(a_subscription_comes_first) {
  not_under_tsan();
  leat_set_log(count_lines, NULL);
  {
    leat_scope(s);
    leat_rx(int) signals = leat_signals(s, SIGQUIT);
    int v = 0;
    CHECK_EQ(kill(getpid(), SIGQUIT), 0);
    CHECK_EQ(leat_recv(signals, &v), LEAT_OK);
    CHECK_EQ(v, SIGQUIT);
  }
  CHECK_EQ(dumps, 0);
  CHECK_EQ(kill(getpid(), SIGQUIT), 0);
  UNTIL(dumps == 1);
}
TEST_GO(in_a_child_the_signal_means_what_it_meant) {
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    raise(SIGQUIT);
    _exit(3);
  }
  int status = 0;
  leat_blocking CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
}
TEST_GO_DIES(to_stderr, "(receives), started at ", "scopes:", "harness ends it here") {
  not_under_tsan();
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  leat_go(s, receives);
  wait_blocked("receives", 1);
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  int before = dup(STDERR_FILENO);
  CHECK_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
  CHECK_EQ(kill(getpid(), SIGQUIT), 0);
  char text[4096], all[65536] = "";
  while (!has(all, "  the process: ")) { /* what was written, on to where it was to go */
    ssize_t n = read(ends[0], text, sizeof text - 1);
    CHECK(n > 0);
    text[n] = 0;
    strncat(all, text, sizeof all - 1 - strlen(all));
    CHECK_EQ(write(before, text, (size_t)n), n);
  }
  dup2(before, STDERR_FILENO);
  fprintf(stderr, "harness ends it here\n");
  _exit(1);
}

/* A total deadlock says all that a dump says. */
TEST_GO_DIES(a_deadlock_shows_traces, "leat: deadlock", "in_a_function_of_its_own", "scopes:") {
  test_needs_deadlocks_found();
  leat_scope(s);
  nothing = leat_chan_make(s, int, 0);
  leat_go(s, receives);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
