/* The runtime as a citizen of a process: starting and stopping, workers, foreign threads, fork, signals, reports of deadlock and of
 * stack overflow.
 *
 * Scenarios are after Go's runtime/crash_test.go (TestSimpleDeadlock, TestLockedDeadlock, TestStackOverflow, ...) and misc/cgo tests. */
#define _GNU_SOURCE
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;
static atomic_int ran, canceled;

LEAT_FN(run_once) { ran++; }
LEAT_FN(wait_for_cancel) {
  int_chan nil = NULL;
  CHECK_EQ(leat_send(nil, 1), LEAT_CANCELED);
  canceled++;
}
LEAT_FN(count_to, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++) CHECK_EQ(leat_send(out, i), LEAT_OK);
}
static void use_runtime(void) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 3);
  leat_go(s, count_to, leat_tx_of(c), 100);
  for (int i = 0; i < 100; i++) {
    int v = -1;
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Statuses. */

TEST(every_status_has_a_text) {
  for (int status = 0; status >= LEAT_FAILED; status--) {
    CHECK(leat_status_text(status) != NULL && *leat_status_text(status));
    for (int other = status + 1; other <= 0; other++) CHECK(strcmp(leat_status_text(status), leat_status_text(other)) != 0);
  }
  CHECK(strstr(leat_status_text(LEAT_SYSTEM(ENOENT)), "No such file") != NULL);
  CHECK(leat_status_text(-12345678) != NULL);
  CHECK(leat_status_text(7) != NULL);
  CHECK_EQ(leat_errno_of(LEAT_SYSTEM(ENOENT)), ENOENT);
  CHECK_EQ(leat_errno_of(LEAT_CLOSED), 0);
  CHECK_EQ(leat_errno_of(LEAT_OK), 0);
}

/* Start and stop. */

TEST(it_starts_by_itself) { use_runtime(); }
TEST(it_starts_once) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 3}), LEAT_OK);
  CHECK_EQ(leat_workers(), 3);
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 5}), LEAT_OK);
  CHECK_EQ(leat_workers(), 3);
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  use_runtime();
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}
TEST(it_starts_again_and_again) {
  for (int i = 0; i < 20; i++) {
    int workers = i % 4 + 1;
    if (i % 3) {
      CHECK_EQ(leat_runtime_start(&(leat_options){.workers = workers}), LEAT_OK);
      CHECK_EQ(leat_workers(), workers);
    }
    use_runtime();
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
}
TEST(stop_cancels_and_joins_what_still_runs) {
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_go(NULL, wait_for_cancel), LEAT_OK);
  wait_blocked("wait_for_cancel", 10);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  CHECK_EQ(canceled, 10);
}
static int threads_in_kernel(void) {
  char line[100];
  int threads = 0;
  FILE *f = fopen("/proc/self/status", "r");
  CHECK(f != NULL);
  while (fgets(line, sizeof line, f)) sscanf(line, "Threads: %d", &threads);
  fclose(f);
  return threads;
}
TEST(stop_leaves_no_thread) {
  for (int i = 0; i < 3; i++) {
    use_runtime();
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
  int own = test_under_tsan() || test_under_qemu(); /* they have one of their own */
  while (threads_in_kernel() > 1 + own) usleep(50); /* the kernel counts one that has been joined for a little longer; UNTIL would start leat again */
}
LEAT_FN(stops_the_runtime) { CHECK_EQ(leat_runtime_stop(), LEAT_INVALID); }
TEST(a_goroutine_cannot_stop_it) {
  leat_scope(s);
  leat_go(s, stops_the_runtime);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  use_runtime();
}
static int start_and_return_seven(int argc, char **argv) {
  CHECK_EQ(argc, 2);
  CHECK_STR(argv[1], "x");
  leat_go(NULL, wait_for_cancel);
  wait_blocked("wait_for_cancel", 1);
  return 7;
}
TEST(the_main_goroutine_gives_the_exit_status_and_joins_the_rest) {
  char name[] = "test", x[] = "x", *argv[] = {name, x, NULL};
  CHECK_EQ(leat_i_run_main(start_and_return_seven, 2, argv), 7);
  CHECK_EQ(canceled, 1);
}

/* Workers. */

TEST(workers_from_the_environment) {
  setenv("LEAT_WORKERS", "3", 1);
  use_runtime();
  CHECK_EQ(leat_workers(), 3);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2}), LEAT_OK);
  CHECK_EQ(leat_workers(), 2);
}
static __attribute__((noinline)) int use_stack(size_t size) {
  volatile char bytes[size];
  int sum = 0;
  for (size_t i = 0; i < size; i += 512) sum += bytes[i] = 1;
  return sum;
}
LEAT_FN(uses_stack, size_t, size) { ran = use_stack(size); }
TEST(stack_size_from_the_environment) {
  setenv("LEAT_STACK", "1M", 1);
  leat_scope(s);
  leat_go(s, uses_stack, (size_t)800 << 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1600);
}
static atomic_int ignored;
static void count_ignored(void *unused, const char *line) {
  (void)unused;
  if (strstr(line, "is ignored: give a number")) ignored++;
}
TEST(an_environment_without_sense_is_ignored) {
  static const char *const workers[] = {"many", "-1", "0", "1.5", "2 or 3", ""}, *const stacks[] = {"-5", "much", "1G", "64 KB", "K", "0", ""};
  enum { N_WORKERS = sizeof workers / sizeof *workers, N_STACKS = sizeof stacks / sizeof *stacks };
  leat_set_log(count_ignored, NULL);
  for (size_t i = 0; i < N_STACKS; i++) {
    setenv("LEAT_WORKERS", workers[i % N_WORKERS], 1);
    setenv("LEAT_STACK", stacks[i], 1);
    use_runtime();
    CHECK_EQ(leat_workers(), leat_cpus());
    leat_scope(s);
    leat_go(s, uses_stack, (size_t)40 << 10); /* of the 64 KiB that are the default: not of fewer */
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK(leat_runtime_stop() == LEAT_OK);
  }
  CHECK(ignored >= 10);
}
TEST(too_much_is_less) {
  setenv("LEAT_WORKERS", "99999999999999999999999", 1);
  setenv("LEAT_STACK", "17592186044417M", 1); /* 2^64 and 1 MiB */
  use_runtime();
  CHECK_EQ(leat_workers(), 65536);
  CHECK_EQ(leat_set_workers(INT_MAX), LEAT_INVALID);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  unsetenv("LEAT_STACK");
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = INT_MAX}), LEAT_OK);
  CHECK_EQ(leat_workers(), 65536);
  use_runtime();
}
TEST(a_stack_in_other_words) {
  setenv("LEAT_STACK", "1024KiB", 1);
  leat_scope(s);
  leat_go(s, uses_stack, (size_t)800 << 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(cpus_are_those_of_the_affinity) {
  cpu_set_t set;
  CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &set)) cpu++;
  CHECK(leat_cpus() >= 1 && leat_cpus() <= CPU_COUNT(&set));
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
  CHECK_EQ(leat_cpus(), 1);
  use_runtime();
  CHECK_EQ(leat_workers(), 1);
}
LEAT_FN(yields, atomic_int *, stop) {
  while (!*stop) CHECK_EQ(leat_yield(), LEAT_OK);
  ran++;
}
TEST(workers_are_set_while_running) {
  static atomic_int stop;
  leat_scope(s);
  for (int i = 0; i < 20; i++) leat_go(s, yields, &stop);
  CHECK_EQ(leat_set_workers(0), LEAT_INVALID);
  CHECK_EQ(leat_set_workers(-1), LEAT_INVALID);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(leat_set_workers(i % 7 + 1), LEAT_OK);
    CHECK_EQ(leat_workers(), i % 7 + 1);
    use_runtime();
  }
  stop = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 20);
}
LEAT_FN(meet_spinning, int, n) {
  ran++;
  while (ran < n) {}
}
TEST(more_workers_take_over_at_once) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 4}), LEAT_OK);
  use_runtime();
  CHECK_EQ(leat_set_workers(4), LEAT_OK);
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, meet_spinning, 4);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(checks_signal_mask) {
  sigset_t mask;
  static const int blocked[] = {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGHUP, SIGALRM}, open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
  for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) CHECK(sigismember(&mask, blocked[i]));
  for (size_t i = 0; i < sizeof open / sizeof *open; i++) CHECK(!sigismember(&mask, open[i]));
}
TEST(workers_block_asynchronous_signals_and_the_host_does_not) {
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, checks_signal_mask);
  leat_go_with(s, ((leat_go_options){.pinned = 1}), checks_signal_mask);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  sigset_t mask;
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
  CHECK(!sigismember(&mask, SIGINT));
  CHECK(!sigismember(&mask, SIGUSR1));
}
TEST(no_signal_handler_is_installed_unasked) {
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGQUIT, SIGPIPE, SIGINT, SIGTERM, SIGUSR1, SIGURG};
  struct sigaction before[8], after;
  for (int i = 0; i < 8; i++) CHECK_EQ(sigaction(numbers[i], NULL, &before[i]), 0);
  use_runtime();
  for (int i = 0; i < 8; i++) {
    CHECK_EQ(sigaction(numbers[i], NULL, &after), 0);
    CHECK(after.sa_handler == before[i].sa_handler);
  }
}

/* Foreign threads. */

enum { THREADS = 8 };
struct shared {
  int_chan in, out;
  int n;
};
LEAT_FN(double_numbers, leat_rx(int), in, leat_tx(int), out) {
  leat_range(int, v, in) CHECK_EQ(leat_send(out, 2 * v), LEAT_OK);
}
static void *sends(void *p) {
  struct shared *shared = p;
  for (int i = 0; i < shared->n; i++) {
    if (i % 2) CHECK_EQ(leat_send(shared->in, 1), LEAT_OK);
    else CHECK_EQ(leat_select(leat_on_send(shared->in, 1), leat_on_timeout(LEAT_SECONDS(1000))), 0);
  }
  return NULL;
}
static void *receives(void *p) {
  struct shared *shared = p;
  long sum = 0;
  for (int i = 0; i < shared->n; i++) {
    int v = -1;
    if (i % 2) CHECK_EQ(leat_recv(shared->out, &v), LEAT_OK);
    else CHECK_EQ(leat_select(leat_on_recv(shared->out, &v), leat_on_timeout(LEAT_SECONDS(1000))), 0);
    sum += v;
  }
  CHECK_EQ(sum, 2L * shared->n);
  return NULL;
}
static void *starts_and_waits(void *p) {
  struct shared *shared = p;
  for (int i = 0; i < shared->n; i++) {
    leat_scope(s);
    CHECK(leat_current_scope() == s);
    leat_go(s, run_once);
    leat_task *t = leat_spawn(s, run_once);
    if (i % 2) CHECK_EQ(leat_join(t), LEAT_OK);
    if (i % 3) CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  return NULL;
}
TEST(foreign_threads_do_everything) {
  leat_scope(s);
  struct shared shared = {leat_chan_make(s, int, 0), leat_chan_make(s, int, 2), (int)test_scale(2000) + 20};
  for (int i = 0; i < 4; i++) leat_go(s, double_numbers, leat_rx_of(shared.in), leat_tx_of(shared.out));
  pthread_t threads[3 * THREADS];
  for (int i = 0; i < THREADS; i++) {
    CHECK_EQ(pthread_create(&threads[3 * i], NULL, sends, &shared), 0);
    CHECK_EQ(pthread_create(&threads[3 * i + 1], NULL, receives, &shared), 0);
    CHECK_EQ(pthread_create(&threads[3 * i + 2], NULL, starts_and_waits, &shared), 0);
  }
  for (int i = 0; i < 3 * THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  leat_close(shared.in);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 2 * THREADS * shared.n);
}
static void *cancelled_thread(void *p) {
  int_chan c = *(int_chan *)p;
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(2)), LEAT_OK);
  int v;
  CHECK_EQ(leat_recv(c, &v), LEAT_DEADLINE);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_DEADLINE);
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_SECONDS(1000))), LEAT_DEADLINE);
  return NULL;
}
TEST(the_scope_of_a_foreign_thread_governs_its_calls) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, cancelled_thread, &c), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
}
static void *meets_thread(void *p) {
  int v = 0;
  CHECK_EQ(leat_recv(*(int_chan *)p, &v), LEAT_OK);
  CHECK_EQ(v, 5);
  return NULL;
}
TEST(two_threads_meet_without_any_goroutine) {
  int_chan c = leat_chan_make(NULL, int, 0);
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, meets_thread, &c), 0);
  CHECK_EQ(leat_send(c, 5), LEAT_OK);
  CHECK_EQ(pthread_join(t, NULL), 0);
  leat_release(c);
}
TEST_DIES(misuse_on_a_plain_thread_ends_the_process, "clos") {
  int_chan c = leat_chan_make(NULL, int, 0);
  leat_close(c);
  leat_close(c);
}

/* Children: what a process printed on stderr, and how it ended. */

static char child_text[20000];
static int run_child(void (*body)(void)) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  fflush(stderr);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    body();
    _exit(0);
  }
  close(ends[1]);
  size_t got = 0;
  for (ssize_t n; (n = read(ends[0], child_text + got, sizeof child_text - 1 - got)) > 0;) got += (size_t)n;
  child_text[got] = 0;
  close(ends[0]);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  return status;
}
static void check_text(const char *part) {
  if (!strstr(child_text, part)) {
    fprintf(stderr, "no \"%s\" in: %s\n", part, child_text);
    CHECK(!"text");
  }
}

static void *ends_in_a_scope(void *shielded) {
  leat_scope(s);
  leat_go(s, wait_for_cancel);
  if (shielded) {
    leat_shield(t);
    pthread_exit(NULL);
  }
  pthread_exit(NULL);
}
/* Without -fexceptions nothing leaves the scope, in whose goroutine and list others would find a stack that is no more. */
static void a_thread_ends_in_a_scope(void) {
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, ends_in_a_scope, NULL), 0);
  pthread_join(t, NULL);
}
TEST_GO_DIES(a_thread_that_ends_in_a_scope_is_told, "leat: a thread has ended inside of a leat_scope", "by returning") { a_thread_ends_in_a_scope(); }

/* After fork. */

static int_chan before_fork;
static void child_sends(void) { leat_send(before_fork, 1); }
static void child_starts(void) { leat_go(NULL, run_once); }
static void child_scopes(void) { leat_scope(s); }
static void child_sleeps(void) { leat_sleep(1); }
static void child_selects(void) {
  int v;
  leat_select(leat_on_recv(before_fork, &v), leat_default);
}
static void child_makes(void) { leat_chan_make(NULL, int, 1); }
static void child_closes(void) { leat_close(before_fork); }
static void child_cancels(void) { leat_cancel((struct leat_scope *)leat_background()); }
static void child_starts_a_timer(void) { leat_timer_start(leat_background(), 1); }
static void child_sets(void) { leat_event_set(&(leat_event){{0}}); }
static void child_counts(void) { leat_waitgroup_add(&(leat_waitgroup){{0}}, 1); }
static void child_dumps(void) { leat_dump(stderr); }
static void child_stops(void) { leat_runtime_stop(); }
static FILE *of_the_parent;
static void child_has_something_to_flush(void) {
  dup2(2, fileno(of_the_parent));
  leat_send(before_fork, 1);
}
static void child_execs(void) { execlp("sh", "sh", "-c", "echo fine >&2; exit 5", (char *)NULL); }
static void check_fork(void) {
  void (*const calls[])(void) = {child_sends, child_starts, child_scopes, child_sleeps, child_selects, child_makes, child_closes, child_cancels, child_starts_a_timer,
                                 child_sets, child_counts, child_dumps, child_stops};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    int status = run_child(calls[i]);
    CHECK(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != 0));
    check_text("fork");
  }
  of_the_parent = fopen("/dev/null", "w");
  CHECK(of_the_parent && fputs("written by the parent", of_the_parent) >= 0);
  run_child(child_has_something_to_flush);
  CHECK(!strstr(child_text, "written by the parent"));
  fclose(of_the_parent);
  int status = run_child(child_execs);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
  check_text("fine");
}
TEST(after_fork_the_child_may_only_exec) {
  if (test_under_qemu()) TEST_SKIP("qemu-user does not let a process with threads fork safely");
  before_fork = leat_chan_make(NULL, int, 1);
  use_runtime();
  check_fork();
  use_runtime(); /* the parent goes on */
  leat_release(before_fork);
}

/* Deadlock. */

LEAT_FN(stuck_receiver, int_chan, c) {
  int v;
  leat_recv(c, &v);
}
LEAT_FN(stuck_sender, int_chan, c) { leat_send(c, 1); }
LEAT_FN(stuck_selector, int_chan, c) {
  int v;
  leat_select(leat_on_recv(c, &v), leat_on_recv(c, &v));
}
LEAT_FN(stuck_waiter, int_chan, c) {
  leat_scope(s);
  leat_go(s, stuck_receiver, c);
  int ignored = leat_wait(s);
  (void)ignored;
}
LEAT_FN(stuck_pinned, int_chan, c) {
  int v;
  leat_recv(c, &v);
}
static int main_receives(int argc, char **argv) {
  (void)argc, (void)argv;
  leat_scope(s);
  int v;
  leat_recv(leat_chan_make(s, int, 0), &v);
  return 0;
}
static int main_waits(int argc, char **argv) {
  (void)argc, (void)argv;
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0), full = leat_chan_make(s, int, 1);
  leat_send(full, 1);
  leat_go(s, stuck_receiver, c);
  leat_go(s, stuck_sender, full);
  leat_go(s, stuck_selector, c);
  leat_go(s, stuck_waiter, c);
  leat_go_with(s, ((leat_go_options){.pinned = 1}), stuck_pinned, c);
  leat_join(leat_spawn(s, stuck_sender, full));
  return leat_wait(s);
}
static int (*child_main)(int, char **);
static void run_child_main(void) {
  char name[] = "child", *argv[] = {name, NULL};
  fflush(NULL);
  _exit(leat_i_run_main(child_main, 1, argv));
}
static void check_deadlock(int (*body)(int, char **), const char *const *texts) {
  test_needs_deadlocks_found();
  child_main = body;
  int status = run_child(run_child_main);
  check_text("deadlock");
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 2);
  for (; *texts; texts++) check_text(*texts);
}
TEST(a_total_deadlock_of_one_is_reported) { check_deadlock(main_receives, (const char *const[]){"recei", NULL}); }
TEST(a_total_deadlock_of_many_names_them_and_their_birthplaces) {
  check_deadlock(main_waits, (const char *const[]){"stuck_receiver", "stuck_sender", "stuck_selector", "stuck_waiter", "stuck_pinned", "runtime.c:", NULL});
}

/* Who was once woken by time, and now waits without a limit, will not be woken by time again. */
LEAT_FN(lock_late, leat_mutex *, first, leat_mutex *, second) {
  leat_locked(first) {
    leat_sleep(LEAT_MS(2));
    leat_locked(second) {}
  }
}
static int main_waits_after_time_outs(int argc, char **argv) {
  (void)argc, (void)argv;
  static leat_mutex a, b;
  leat_scope(s);
  int v;
  CHECK_EQ(leat_recv_until(leat_chan_make(s, int, 0), leat_now() + LEAT_MS(1), &v), LEAT_DEADLINE);
  leat_go(s, lock_late, &a, &b);
  leat_go(s, lock_late, &b, &a);
  return leat_wait(s);
}
TEST(a_total_deadlock_of_those_that_have_slept_is_reported) {
  check_deadlock(main_waits_after_time_outs, (const char *const[]){"lock_late", "locking a mutex", NULL});
}

/* The last to fall asleep looks, and may find what is just going: a thread of the program that has ended, as far as anybody can tell, and that
 * the kernel counts yet; the watcher, which has woken somebody by a timer. Nobody falls asleep after that. */
static useconds_t thread_runs_for;
static void *ends_soon(void *uses_leat) {
  if (uses_leat) leat_yield();
  usleep(thread_runs_for);
  return NULL;
}
static int main_waits_beside_a_thread(int argc, char **argv) {
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, ends_soon, thread_runs_for > 1000000 ? &t : NULL), 0);
  pthread_detach(t);
  return main_receives(argc, argv);
}
TEST(a_total_deadlock_is_reported_when_the_last_thread_has_ended) {
  thread_runs_for = 100000;
  check_deadlock(main_waits_beside_a_thread, (const char *const[]){"recei", NULL});
}
TEST(a_total_deadlock_is_reported_when_the_last_thread_that_used_leat_has_ended) {
  thread_runs_for = 1500000; /* when all has been asleep for long */
  check_deadlock(main_waits_beside_a_thread, (const char *const[]){"recei", NULL});
}

/* No deadlock is claimed while something could still wake somebody. What wakes comes later than a hasty claim would. */
static void *sends_later(void *p) {
  usleep(300000);
  CHECK_EQ(leat_send(*(int_chan *)p, 5), LEAT_OK);
  return NULL;
}
TEST_GO(no_deadlock_while_another_thread_could_send) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, sends_later, &c), 0);
  int v = 0;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 5);
  CHECK_EQ(pthread_join(t, NULL), 0);
}
LEAT_FN(sleeps_then_sends, int_chan, c) {
  CHECK_EQ(leat_sleep(LEAT_MS(300)), LEAT_OK);
  CHECK_EQ(leat_send(c, 5), LEAT_OK);
}
TEST_GO(no_deadlock_while_a_goroutine_sleeps) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, sleeps_then_sends, c);
  int v = 0;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(no_deadlock_while_a_timer_is_armed) {
  leat_scope(s);
  int64_t at;
  CHECK_EQ(leat_recv(leat_after(s, LEAT_MS(300)), &at), LEAT_OK);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(300)), LEAT_OK);
  int_chan nil = NULL;
  int v;
  CHECK_EQ(leat_recv(nil, &v), LEAT_DEADLINE);
}
static void child_writes_later(void) {
  usleep(300000);
  CHECK_EQ(write(2, "x", 1), 1);
}
TEST_GO(no_deadlock_while_a_descriptor_could_become_ready) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    child_writes_later();
    _exit(0);
  }
  char byte = 0;
  CHECK_EQ(leat_io_read(ends[0], &byte, 1), 1);
  CHECK_EQ(byte, 'x');
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
}
LEAT_FN(blocks_thread_then_sends, int_chan, c, bool, marked) {
  if (marked) {
    leat_blocking { usleep(300000); }
  } else {
    usleep(300000);
  }
  CHECK_EQ(leat_send(c, 5), LEAT_OK);
}
TEST_GO(no_deadlock_while_a_goroutine_is_in_the_kernel) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int marked = 0; marked < 2; marked++) {
    leat_go(s, blocks_thread_then_sends, c, marked);
    leat_go_with(s, ((leat_go_options){.pinned = 1}), blocks_thread_then_sends, c, marked);
    for (int i = 0; i < 2; i++) {
      int v = 0;
      CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
static void deadlock_ignored(void) {
  leat_runtime_start(&(leat_options){.ignore_deadlock = 1});
  alarm(1); /* which ends the process from outside */
  child_main = main_receives;
  run_child_main();
}
TEST(a_deadlock_may_be_ignored) {
  int status = run_child(deadlock_ignored);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), SIGALRM);
}

/* Stack overflow. */

static void skip_overflow(void) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind() || test_under_qemu())
    TEST_SKIP("the instrumentation has its own idea of a stack overflow");
}
static __attribute__((noinline)) int recurse(int n) {
  volatile char frame[1000];
  frame[n % 1000] = (char)n;
  return n < 0 ? 0 : recurse(n + 1) + frame[n % 1000];
}
LEAT_FN(overflows_by_recursion) { ran = recurse(0); }
static __attribute__((noinline)) int one_frame(void) {
  volatile char frame[100 << 10];
  frame[0] = 1;
  return frame[0];
}
LEAT_FN(overflows_by_one_frame) { ran = one_frame(); }
/* Uses up size bytes of the stack, then lets others run. */
static __attribute__((noinline)) int creep(long size) {
  volatile char frame[512];
  for (int i = 0; i < 512; i++) frame[i] = (char)i;
  if (size > 0) return creep(size - 512) + frame[5];
  leat_yield();
  return frame[6];
}
LEAT_FN(overflows_a_little) { ran = creep((64 << 10) + 2048); }

TEST_GO_DIES(overflow_by_recursion, "overflows_by_recursion", "runtime.c:", "stack") {
  skip_overflow();
  leat_scope(s);
  leat_go(s, overflows_by_recursion);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(computes, int64_t, until) {
  while (leat_now() < until) {}
}
/* Spare threads are started by the watcher, which blocks all signals; theirs must not block a fault's. */
TEST_GO_DIES(overflow_on_a_spare_thread, "overflows_by_recursion", "runtime.c:", "stack") {
  skip_overflow();
  leat_scope(s);
  for (int i = 0; i < 8; i++) leat_go(s, computes, leat_now() + LEAT_MS(200));
  leat_sleep(LEAT_MS(60)); /* every worker is stuck by now: what runs next runs on a spare */
  leat_go(s, overflows_by_recursion);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO_DIES(overflow_by_one_large_frame, "overflows_by_one_frame", "runtime.c:", "stack") {
  skip_overflow();
  leat_scope(s);
  leat_go(s, overflows_by_one_frame);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(waits_for_value, leat_rx(int), c) {
  int v;
  ran = leat_recv(c, &v);
}
/* There stacks are made ready several at a time: each has its guard. */
TEST_GO_DIES(overflow_where_many_stacks_are_in_use, "overflows_by_recursion", "runtime.c:", "stack") {
  skip_overflow();
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 2000; i++) leat_go(s, waits_for_value, leat_rx_of(c));
  wait_blocked("waits_for_value", 2000);
  for (int i = 0; i < 5; i++) leat_go(s, waits_for_value, leat_rx_of(c));
  leat_go(s, overflows_by_recursion);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static void overflow_with(unsigned guard, bool large) {
  skip_overflow();
  CHECK_EQ(leat_runtime_start(&(leat_options){.guard = guard & 3, .fault_handlers = 1}), LEAT_OK);
  leat_scope(s);
  if (guard == LEAT_GUARD_CANARY) leat_go(s, overflows_a_little);
  else if (large) leat_go(s, overflows_by_one_frame);
  else leat_go(s, overflows_by_recursion);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_DIES(overflow_with_protected_pages, "overflows_by_recursion", "runtime.c:", "stack") { overflow_with(LEAT_GUARD_MPROTECT, false); }
TEST_DIES(overflow_of_protected_pages_by_one_large_frame, "overflows_by_one_frame", "runtime.c:", "stack") {
  overflow_with(LEAT_GUARD_MPROTECT, true);
}
TEST_DIES(overflow_with_canaries, "overflows_a_little", "runtime.c:", "stack") { overflow_with(LEAT_GUARD_CANARY, false); }
static void check_guards_work(unsigned guard) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.guard = guard & 3}), LEAT_OK);
  leat_scope(s);
  int n = (int)test_scale(3000);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, count_to, leat_tx_of(c), 1), LEAT_OK);
  for (int i = 0; i < n; i++) {
    int v;
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(many_goroutines_with_protected_pages) { check_guards_work(LEAT_GUARD_MPROTECT); }
TEST(many_goroutines_with_canaries) { check_guards_work(LEAT_GUARD_CANARY); }
/* vm.max_map_count lets about 32,000 stacks have protected pages; the others must still come. */
TEST(more_goroutines_than_protected_pages) {
  int n = 70000;
  if (test_scale(n) != n) TEST_SKIP("too slow here");
  CHECK_EQ(leat_runtime_start(&(leat_options){.guard = LEAT_GUARD_MPROTECT}), LEAT_OK);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, count_to, leat_tx_of(c), 1), LEAT_OK);
  for (int i = 0; i < n; i++) {
    int v;
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The log hook. */

static void hook(void *environment, const char *line) { fprintf(stderr, "%s%s\n", (const char *)environment, line); }
static void *close_twice(void *p) {
  leat_close(*(int_chan *)p);
  leat_close(*(int_chan *)p);
  return NULL;
}
TEST_DIES(reports_go_to_the_log_hook, "hooked: ", "clos") {
  static char prefix[] = "hooked: ";
  leat_set_log(hook, prefix);
  int_chan c = leat_chan_make(NULL, int, 0);
  close_twice(&c);
}
