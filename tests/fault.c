/* Faults end the process by their signal, after a report that names the goroutine, how it came to run, and its stack. (Stack overflows:
 * tests/runtime.c.) */
#define _GNU_SOURCE
#include "wait.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void skip_faults(void) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind()) TEST_SKIP("this tool has handlers and reports of its own");
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static volatile int zero;
static int *volatile bad_address = (int *)24;
static __attribute__((noinline)) void crash_here(void) {
  *bad_address = 1;
  __asm__ volatile("" ::: "memory");
}
LEAT_FN(crashes) {
  crash_here();
  leat_yield();
}
LEAT_FN(starts_one_that_crashes) {
  leat_scope(s);
  leat_go(s, crashes);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

TEST_GO_DIES(a_bad_address_in_a_goroutine, "leat: SIGSEGV (bad address 0x18) in goroutine ", " (crashes), started at ", "  by goroutine ", " (starts_one_that_crashes), started at ",
             "(main)", "  at addresses 0x", "    at ", "at crash_here (", "at crashes") {
  skip_faults();
  leat_scope(s);
  leat_go(s, starts_one_that_crashes);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO_DIES(of_the_main_goroutine, "leat: SIGSEGV (bad address 0x18) in goroutine 1 (main)", "at crash_here (") {
  skip_faults();
  crash_here();
}
static void *crashes_on_a_thread(void *unused) {
  leat_yield();
  crash_here();
  return unused;
}
TEST_GO_DIES(of_a_plain_thread, "leat: SIGSEGV (bad address 0x18) in a thread that is not leat's", "at crashes_on_a_thread (") {
  skip_faults();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, crashes_on_a_thread, NULL) == 0);
  pthread_join(thread, NULL);
}

static int recurse(int depth) {
  volatile char frame[1024];
  frame[0] = (char)depth;
  return zero + depth < 0 ? 0 : recurse(depth + 1) + frame[0];
}
TEST_GO_DIES(the_main_goroutine_uses_up_its_stack, "leat: SIGSEGV (stack overflow: the thread's stack of ", " KiB is used up) in goroutine 1 (main)", "at recurse (") {
  skip_faults();
  if (test_under_qemu()) TEST_SKIP("qemu-user has a stack of its own");
  recurse(0);
}
LEAT_FN(writes_where_it_must_not) {
  char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  *(volatile char *)page = 1;
}
TEST_GO_DIES(no_right_to_an_address, "leat: SIGSEGV (no right to address 0x", " (writes_where_it_must_not), started at ") {
  skip_faults();
  leat_scope(s);
  leat_go(s, writes_where_it_must_not);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(reads_beyond_the_file) {
  FILE *f = tmpfile();
  CHECK(f != NULL);
  char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
  CHECK(page != MAP_FAILED);
  zero = *(volatile char *)page;
}
TEST_GO_DIES(a_page_that_is_no_more, "leat: SIGBUS (bad address 0x", " (reads_beyond_the_file), started at ") {
  skip_faults();
  leat_scope(s);
  leat_go(s, reads_beyond_the_file);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
#if defined(__x86_64__)
LEAT_FN(divides) { zero = 7 / zero; }
TEST_GO_DIES(a_division_by_zero, "leat: SIGFPE (division by zero) in goroutine ", " (divides), started at ") {
  skip_faults();
  leat_scope(s);
  leat_go(s, divides);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
#endif
LEAT_FN(is_no_instruction) {
#if defined(__x86_64__)
  __asm__ volatile("ud2");
#else
  __asm__ volatile("udf #0");
#endif
}
TEST_GO_DIES(an_illegal_instruction, "leat: SIGILL (illegal instruction) in goroutine ", " (is_no_instruction), started at ") {
  skip_faults();
  leat_scope(s);
  leat_go(s, is_no_instruction);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(aborts) { abort(); }
TEST_GO_DIES(abort_is_reported, "leat: SIGABRT (abort was called) in goroutine ", " (aborts), started at ", "at abort") {
  skip_faults();
  leat_scope(s);
  leat_go(s, aborts);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* From here on the fault happens in a child, whose end is looked at. */

static char said[16384];
static int status_of(int (*body)(int, char **)) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    char name[] = "test", *argv[] = {name, NULL};
    _exit(leat_i_run_main(body, 1, argv));
  }
  close(ends[1]);
  size_t n = 0;
  for (ssize_t got; n < sizeof said - 1 && ((got = read(ends[0], said + n, sizeof said - 1 - n)) > 0 || (got < 0 && errno == EINTR));)
    if (got > 0) n += (size_t)got;
  said[n] = 0;
  close(ends[0]);
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}
static void check_signal(int (*body)(int, char **), int number) {
  skip_faults();
  int status = status_of(body);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != number) fprintf(stderr, "status %x\n%s", (unsigned)status, said);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), number);
}
static int count_of(const char *text, const char *part) {
  int n = 0;
  while ((text = strstr(text, part))) n++, text++;
  return n;
}

static int main_crashes(int argc, char **argv) {
  (void)argc, (void)argv;
  leat_scope(s);
  leat_go(s, crashes);
  return leat_wait(s);
}
TEST(the_process_ends_by_the_signal) {
  check_signal(main_crashes, SIGSEGV);
  CHECK_EQ(count_of(said, "leat: SIGSEGV"), 1);
}
static int main_aborts(int argc, char **argv) {
  if (argc) abort();
  return argv == NULL;
}
TEST(abort_ends_it_by_its_own) {
  check_signal(main_aborts, SIGABRT);
  CHECK_EQ(count_of(said, "leat: SIGABRT"), 1);
}
static int main_is_killed(int argc, char **argv) {
  (void)argv;
  kill(getpid(), SIGSEGV);
  while (argc) pause();
  return 0;
}
TEST(a_signal_that_was_sent_ends_it_too) {
  check_signal(main_is_killed, SIGSEGV);
  CHECK(strstr(said, "leat: SIGSEGV (sent by process ") != NULL);
}

LEAT_FN(crashes_with_others, _Atomic(int) *, ready) {
  for (++*ready; *ready < 4;) leat_yield();
  crash_here();
}
static int main_crashes_often(int argc, char **argv) {
  (void)argc, (void)argv;
  leat_set_workers(4);
  static _Atomic(int) ready;
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go_with(s, ((leat_go_options){.pinned = 1}), crashes_with_others, &ready);
  return leat_wait(s);
}
TEST(many_threads_fault_at_a_time_and_one_reports) {
  for (int i = 0; i < (int)test_scale(20); i++) {
    check_signal(main_crashes_often, SIGSEGV);
    CHECK_EQ(count_of(said, "leat: SIGSEGV"), 1);
    CHECK(strstr(said, "another fault") == NULL);
  }
}

/* A destroyed stack: its walk may end where it will, the report is there. */
static __attribute__((noinline)) void jump_to(uintptr_t where) {
  ((void (*)(void))where)();
  __asm__ volatile("" ::: "memory");
}
static int main_jumps_nowhere(int argc, char **argv) {
  (void)argc, (void)argv;
  jump_to(0x10);
  return 0;
}
TEST(a_jump_to_nowhere) {
  check_signal(main_jumps_nowhere, SIGSEGV);
  CHECK(strstr(said, "leat: SIGSEGV (bad address 0x10) in goroutine ") != NULL);
}

/* Handlers of the host's own. */

static void own_handler(int number) {
  static const char text[] = "the host's own handler\n";
  CHECK(write(STDERR_FILENO, text, sizeof text - 1) > 0);
  _exit(number == SIGSEGV ? 7 : 8);
}
TEST(a_handler_that_was_there_before_is_left_its_signal) {
  skip_faults();
  signal(SIGSEGV, own_handler);
  int status = status_of(main_crashes);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 7);
  CHECK_STR(said, "the host's own handler\n");
}
static int main_does_nothing(int argc, char **argv) {
  (void)argv;
  return argc - 1;
}
TEST(handlers_are_as_before_when_the_runtime_has_stopped) {
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  struct sigaction before[5], after;
  signal(SIGFPE, own_handler);
  for (int i = 0; i < 5; i++) sigaction(numbers[i], NULL, &before[i]);
  char name[] = "test", *argv[] = {name, NULL};
  CHECK_EQ(leat_i_run_main(main_does_nothing, 1, argv), 0);
  for (int i = 0; i < 5; i++) {
    sigaction(numbers[i], NULL, &after);
    CHECK(after.sa_handler == before[i].sa_handler);
  }
}
TEST(without_the_option_there_are_none) {
  struct sigaction before, after;
  sigaction(SIGABRT, NULL, &before);
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  sigaction(SIGABRT, NULL, &after);
  CHECK(after.sa_handler == before.sa_handler);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}
