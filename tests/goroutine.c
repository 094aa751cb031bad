/* Goroutines: arguments, closures, tasks, names and numbers, fairness, stacks, pinning, blocking calls.
 *
 * Scenarios are after Go's test/goprint.go, runtime/proc_test.go (TestYieldProgress, TestGoroutineParallelism, TestBlockLocked,
 * TestPreemption, TestLockOSThread...), and libdill's tests/go.c. */
#include "wait.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;
static atomic_int ran;

/* Arguments. */

typedef struct {
  int x, y;
  char text[20];
} point;
typedef struct {
  _Alignas(16) char bytes[16];
} aligned;
static int twice(int n) { return 2 * n; }

LEAT_FN(none) { ran++; }
LEAT_FN(takes_eight, char, a, short, b, long, c, double, d, point, e, const char *, f, aligned, g, float, h) {
  CHECK_EQ(a, 'a');
  CHECK_EQ(b, -2);
  CHECK_EQ(c, 3);
  CHECK(d == 4.0);
  CHECK(e.x == 5 && e.y == 6);
  CHECK_STR(e.text, "seven");
  CHECK_STR(f, "eight");
  CHECK_EQ((uintptr_t)&g % 16, 0);
  CHECK_EQ(g.bytes[15], 9);
  CHECK(h == 0.5f);
  ran++;
}
LEAT_FN(takes_array_and_function, int[3], numbers, int (*)(int), function) {
  CHECK_EQ(function(numbers[2]), 6);
  ran++;
}
TEST_GO(arguments_are_converted_as_in_a_call) {
  leat_scope(s);
  leat_go(s, none);
  leat_go(s, takes_eight, 'a', -2, 3, 4, ((point){5, 6, "seven"}), "eight", ((aligned){.bytes[15] = 9}), 0.5);
  int numbers[] = {1, 2, 3};
  leat_go(s, takes_array_and_function, numbers, twice);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 3);
}
LEAT_FN(add_up, int, i, point, p, atomic_int *, sum) {
  CHECK_EQ(p.x, i);
  CHECK_EQ(p.y, -i);
  *sum += i;
}
TEST_GO(arguments_are_copied) {
  static atomic_int sum;
  leat_scope(s);
  point p = {0, 0, ""};
  for (int i = 0; i < 1000; i++) {
    p.x = i;
    p.y = -i;
    leat_go(s, add_up, i, p, &sum);
  }
  p.x = p.y = 77;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(sum, 999 * 500);
}
TEST_GO(a_goroutine_function_is_a_function) {
  static atomic_int sum;
  none();
  add_up(5, (point){5, -5, ""}, &sum);
  CHECK_EQ(sum, 5);
  CHECK_EQ(ran, 1);
}

/* Closures: goroutines and stages as values (the Notes' reified goroutines). */

LEAT_FN_ERR(status_of, int, status) { return status; }
TEST_GO(a_closure_is_called_and_started_as_often_as_you_like) {
  static atomic_int sum;
  leat_scope(s);
  leat_closure closures[10];
  for (int i = 0; i < 10; i++) closures[i] = leat_bind(add_up, i, ((point){i, -i, ""}), &sum);
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(leat_call(closures[i]), LEAT_OK);
    CHECK_EQ(leat_go_closure(s, closures[i]), LEAT_OK);
    CHECK_EQ(leat_go_closure(s, closures[i]), LEAT_OK);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(sum, 3 * 45);
  CHECK_EQ(leat_call(leat_bind(status_of, LEAT_FAILED)), LEAT_FAILED);
  CHECK_EQ(leat_call(leat_bind(none)), LEAT_OK);
  CHECK_EQ(leat_go_closure(s, leat_bind(status_of, LEAT_SYSTEM(3))), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_SYSTEM(3));
  CHECK_STR(leat_failure_of(s)->name, "status_of");
  CHECK(strstr(leat_failure_of(s)->birthplace, "goroutine.c:") != NULL);
}
LEAT_FN(add_stage, leat_rx(int), in, leat_tx(int), out, int, n) {
  leat_defer_close(out);
  leat_range(int, v, in) {
    if (leat_send(out, v + n)) return;
  }
}
/* A pipeline made of a list of stages: each a function with its parameters. */
typedef struct {
  leat_closure stage;
} stage_box;
TEST_GO(stages_are_values_that_are_passed_on) {
  enum { N = 20 };
  leat_scope(s);
  leat_chan(stage_box) workshop = leat_chan_make(s, stage_box, N);
  int_chan link[N + 1];
  for (int i = 0; i <= N; i++) link[i] = leat_chan_make(s, int, 1);
  for (int i = 0; i < N; i++) CHECK_EQ(leat_send(workshop, (stage_box){leat_bind(add_stage, leat_rx_of(link[i]), leat_tx_of(link[i + 1]), i)}), LEAT_OK);
  leat_close(workshop);
  leat_range(stage_box, box, workshop) CHECK_EQ(leat_go_closure(s, box.stage), LEAT_OK);
  for (int i = 0; i < 100; i++) {
    int v = -1;
    CHECK_EQ(leat_send(link[0], i), LEAT_OK);
    CHECK_EQ(leat_recv(link[N], &v), LEAT_OK);
    CHECK_EQ(v, i + N * (N - 1) / 2);
  }
  leat_close(link[0]);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static int raw(void *arg) {
  ++*(atomic_int *)arg;
  CHECK_STR(leat_goroutine_name(), "raw one");
  return LEAT_FAILED;
}
TEST_GO(the_raw_form) {
  leat_scope(s);
  CHECK_EQ(leat_go_raw(s, "raw one", raw, &ran), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_EQ(ran, 1);
}

/* Declared in a header, defined in one file. */
LEAT_FN_DECLARE(declared, int, n, atomic_int *, sum);
LEAT_FN_ERR_DECLARE(declared_err, int, n);
TEST_GO(functions_may_be_declared_in_headers) {
  static atomic_int sum;
  leat_scope(s);
  leat_go(s, declared, 5, &sum);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(sum, 5);
  leat_task *t = leat_spawn(s, declared_err, LEAT_INVALID);
  CHECK_EQ(leat_join(t), LEAT_INVALID);
}
LEAT_FN_DEFINE(declared, int, n, atomic_int *, sum) { *sum += n; }
LEAT_FN_ERR_DEFINE(declared_err, int, n) { return n; }

/* Names and numbers. */

LEAT_FN(check_name, const char *, name) { CHECK_STR(leat_goroutine_name(), name); }
static uint64_t ids[1000];
LEAT_FN(record_id) {
  uint64_t id = leat_goroutine_id();
  CHECK(id > 0);
  ids[ran++] = id;
  CHECK_EQ(leat_yield(), LEAT_OK);
  CHECK_EQ(leat_goroutine_id(), id);
}
static int compare_ids(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}
TEST_GO(names) {
  leat_scope(s);
  leat_go(s, check_name, "check_name");
  leat_go_with(s, ((leat_go_options){.name = "given"}), check_name, "given");
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(leat_goroutine_name() != NULL);
}
TEST_GO(numbers_are_never_used_again) {
  CHECK(leat_goroutine_id() > 0);
  leat_scope(s);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 99; i++) leat_go(s, record_id);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  ids[ran++] = leat_goroutine_id();
  qsort(ids, (size_t)ran, sizeof *ids, compare_ids);
  for (int i = 1; i < ran; i++) CHECK(ids[i - 1] < ids[i]);
}
TEST_GO(the_dump_shows_name_and_birthplace) {
  leat_scope(s);
  leat_task *t = leat_spawn(s, add_stage, leat_rx_of((int_chan)NULL), leat_tx_of(leat_chan_make(s, int, 0)), 1);
  wait_blocked("add_stage", 1);
  char *text = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  leat_dump(f);
  fclose(f);
  char *line = strstr(text, "add_stage");
  CHECK(line != NULL);
  line[strcspn(line, "\n")] = 0;
  CHECK(strstr(line, "goroutine.c:") != NULL);
  free(text);
  leat_cancel(s);
  CHECK_EQ(leat_join(t), LEAT_OK);
}

/* Fairness. Order is tested on one thread where it must be exact, and by what would hang where it must only come about. */

LEAT_FN(append, int, i, int *, order) { order[ran++] = i; }
LEAT_FN(yields_after_starting, int *, order) {
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, append, i, order);
  CHECK_EQ(leat_yield(), LEAT_OK);
  CHECK_EQ(ran, 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(yield_lets_the_others_run_first) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  static int order[10];
  leat_scope(s);
  leat_go(s, yields_after_starting, &order[0]);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  int sum = 0;
  for (int i = 0; i < 10; i++) sum += order[i];
  CHECK_EQ(sum, 45);
}

/* With one worker, a goroutine that hogs its thread ends only when all others have. */
enum { OTHERS = 100 };
static atomic_int others_done;
LEAT_FN(other, leat_rx(int), in) {
  int v;
  CHECK_EQ(leat_recv(in, &v), LEAT_OK);
  CHECK_EQ(leat_yield(), LEAT_OK);
  others_done++;
}
LEAT_FN(hog, int, how, int, pipe_end) {
  char byte;
  int64_t turns = 0;
  switch (how) {
  case 0:
    while (others_done < OTHERS) turns++;
    break;
  case 1:
    while (others_done < OTHERS) usleep(1000);
    break;
  case 2:
    do sleep(2);
    while (others_done < OTHERS);
    break;
  case 3: CHECK_EQ(read(pipe_end, &byte, 1), 1); break;
  case 4:
    leat_blocking { CHECK_EQ(read(pipe_end, &byte, 1), 1); }
    break;
  case 5: /* a compute loop that is polite */
    while (others_done < OTHERS) CHECK_EQ(leat_checkpoint(), LEAT_OK);
    break;
  case 6:
    while (others_done < OTHERS) CHECK_EQ(leat_yield(), LEAT_OK);
    break;
  case 7: { /* operations that never block use up a slice too */
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 1);
    int v;
    while (others_done < OTHERS) {
      CHECK_EQ(leat_send(c, 1), LEAT_OK);
      CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    }
    break;
  }
  case 8: { /* few operations, and much computing between them: it is the time that counts */
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 1);
    for (; others_done < OTHERS; turns++) {
      for (int64_t start = leat_now(); leat_now() < start + LEAT_MS(3);) {}
      CHECK_EQ(turns % 2 ? leat_discard(c) : leat_send(c, 1), LEAT_OK);
    }
    CHECK(turns < 400); /* a slice has 512 operations */
    break;
  }
  }
  CHECK_EQ(others_done, OTHERS);
  ran++;
}
LEAT_FN(write_byte, int, pipe_end) {
  UNTIL(others_done == OTHERS);
  CHECK_EQ(write(pipe_end, "x", 1), 1);
}
static void check_hog(int how, int hogs) {
  /* Those who are polite, or only use channels, need no second thread to let others run. */
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = how >= 5 ? 1 : 0}), LEAT_OK);
  CHECK_EQ(leat_workers(), 1);
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, OTHERS);
  for (int i = 0; i < hogs; i++) leat_go(s, hog, how, ends[0]);
  for (int i = 0; i < OTHERS; i++) leat_go(s, other, leat_rx_of(c));
  for (int i = 0; i < hogs; i++) leat_go(s, write_byte, ends[1]);
  for (int i = 0; i < OTHERS; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, hogs);
}
TEST(one_that_computes_holds_up_nobody) { check_hog(0, 1); }
TEST(one_that_naps_holds_up_nobody) { check_hog(1, 1); }
TEST(one_that_calls_libc_sleep_holds_up_nobody) { check_hog(2, 1); }
TEST(one_in_a_system_call_holds_up_nobody) { check_hog(3, 1); }
TEST(one_in_a_marked_blocking_call_holds_up_nobody) { check_hog(4, 1); }
TEST(one_that_checks_in_holds_up_nobody) { check_hog(5, 1); }
TEST(one_that_yields_holds_up_nobody) { check_hog(6, 1); }
TEST(one_that_never_has_to_wait_holds_up_nobody) { check_hog(7, 1); }
TEST(one_with_few_operations_holds_up_nobody) { check_hog(8, 1); }
TEST(many_that_compute_hold_up_nobody) { check_hog(0, 5); }
TEST(many_in_system_calls_hold_up_nobody) { check_hog(3, 50); }
TEST(many_in_marked_blocking_calls_hold_up_nobody) { check_hog(4, 50); }

/* Two that hand a value to and fro inherit each other's slice; a third must still run (Go's TestYieldProgress, next-slot starvation). */
LEAT_FN(ping_pong, leat_chan(int), in, leat_chan(int), out) {
  int v;
  while (others_done == 0) {
    if (leat_send(out, 1) != LEAT_OK) return;
    if (leat_recv(in, &v) != LEAT_OK) return;
  }
  leat_stop(in);
  leat_close(out);
}
LEAT_FN(third) { others_done = 1; }
LEAT_FN(start_pair_and_third) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 1), b = leat_chan_make(s, int, 1);
  leat_go(s, ping_pong, a, b);
  leat_go(s, ping_pong, b, a);
  for (int i = 0; i < 100; i++) CHECK_EQ(leat_yield(), LEAT_OK);
  leat_go(s, third);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(a_pair_that_wakes_each_other_starves_nobody) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  leat_go(s, start_pair_and_third);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* What waits in the queue of a stuck worker is run though the others are never out of work. */
static int stuck_pipe[2];
LEAT_FN(finish_other) { others_done++; }
LEAT_FN(yield_until_others_are_done) {
  while (others_done < OTHERS) CHECK_EQ(leat_yield(), LEAT_OK);
}
LEAT_FN(starts_then_is_stuck, leat_view, s, bool, computes) {
  char byte;
  for (int i = 0; i < OTHERS; i++) {
    leat_go(s, finish_other);
    if (i % 5 == 0) leat_go(s, yield_until_others_are_done);
  }
  leat_go(s, write_byte, stuck_pipe[1]);
  while (computes && others_done < OTHERS) {}
  CHECK_EQ(read(stuck_pipe[0], &byte, 1), 1);
}
static void check_behind_stuck(bool computes) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1}), LEAT_OK);
  CHECK_EQ(pipe(stuck_pipe), 0);
  leat_scope(s);
  leat_go(s, starts_then_is_stuck, s, computes);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(nobody_starves_behind_one_in_a_system_call) { check_behind_stuck(false); }
TEST(nobody_starves_behind_one_that_computes) { check_behind_stuck(true); }

/* Timers, descriptors and goroutines started by threads get their turn though those that run never stop. */
LEAT_FN(yield_until_three) {
  while (others_done < 3) CHECK_EQ(leat_yield(), LEAT_OK);
}
LEAT_FN(bounce_until_three, int_chan, in, int_chan, out) {
  int v;
  while (others_done < 3) {
    if (leat_send(out, 1) != LEAT_OK || leat_recv(in, &v) != LEAT_OK) break;
  }
  leat_stop(in);
  leat_close(out);
}
LEAT_FN(sleep_a_little) {
  CHECK_EQ(leat_sleep(LEAT_MS(1)), LEAT_OK);
  others_done++;
}
LEAT_FN(read_a_byte, int, pipe_end) {
  char byte;
  CHECK_EQ(leat_io_read(pipe_end, &byte, 1), 1);
  others_done++;
}
static void check_outside(bool bounce) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  CHECK_EQ(pipe(stuck_pipe), 0);
  leat_scope(s);
  leat_go(s, read_a_byte, stuck_pipe[0]);
  wait_blocked("read_a_byte", 1);
  int_chan a = leat_chan_make(s, int, 1), b = leat_chan_make(s, int, 1);
  for (int i = 0; i < 4 && !bounce; i++) leat_go(s, yield_until_three);
  if (bounce) leat_go(s, bounce_until_three, a, b);
  if (bounce) leat_go(s, bounce_until_three, b, a);
  leat_go(s, sleep_a_little);
  usleep(1000);
  CHECK_EQ(write(stuck_pipe[1], "x", 1), 1);
  leat_go(s, finish_other);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(those_who_yield_do_not_starve_timers_and_descriptors) { check_outside(false); }
TEST(those_who_talk_do_not_starve_timers_and_descriptors) { check_outside(true); }

/* Parallelism: as many at the same time as there are workers (Go's TestGoroutineParallelism). */
static atomic_int arrived;
LEAT_FN(meet_spinning, int, n) {
  arrived++;
  while (arrived < n) {}
}
TEST(workers_run_at_the_same_time) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 4}), LEAT_OK);
  CHECK_EQ(leat_workers(), 4);
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, meet_spinning, 4);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Who is woken by one that goes on: on another worker, also after many that were best left to this one. */
LEAT_FN(passes_on, leat_rx(int), in, leat_tx(int), out) {
  leat_range(int, i, in) if (leat_send(out, i)) return;
  leat_close(out);
}
LEAT_FN(takes_note, leat_rx(int), in, atomic_int *, woken) {
  leat_range(int, i, in) atomic_fetch_add(woken, i > 0);
}
LEAT_FN(wakes_two) {
  enum { ITEMS = 2000, ROUNDS = 10 };
  leat_scope(s);
  leat_chan(int) first = leat_chan_make(s, int, 0), second = leat_chan_make(s, int, 0), third = leat_chan_make(s, int, 0);
  leat_go(s, passes_on, leat_rx_of(first), leat_tx_of(second));
  leat_go(s, passes_on, leat_rx_of(second), leat_tx_of(third));
  for (int i = 0, got; i < ITEMS; i++) {
    CHECK_EQ(leat_send(first, i), LEAT_OK);
    CHECK_EQ(leat_recv(third, &got), LEAT_OK);
    CHECK_EQ(got, i);
  }
  leat_close(first);
  static atomic_int woken;
  leat_chan(int) a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  leat_go(s, takes_note, leat_rx_of(a), &woken);
  leat_go(s, takes_note, leat_rx_of(b), &woken);
  for (int round = 1; round <= ROUNDS; round++) {
    wait_blocked("takes_note", 2);
    CHECK_EQ(leat_send(a, round), LEAT_OK);
    CHECK_EQ(leat_send(b, round), LEAT_OK);
    while (atomic_load(&woken) < 2 * round) {} /* without an operation */
  }
  leat_close(a);
  leat_close(b);
}
TEST(two_that_are_woken_by_one_who_goes_on_both_run) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2}), LEAT_OK);
  leat_scope(s);
  leat_go(s, wakes_two);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Stacks. */

static __attribute__((noinline)) int use_stack(size_t size) {
  volatile char bytes[size];
  for (size_t i = 0; i < size; i += 512) bytes[i] = (char)(i >> 9);
  int sum = 0;
  for (size_t i = 0; i < size; i += 512) sum += bytes[i] == (char)(i >> 9);
  return sum;
}
LEAT_FN(uses_stack, size_t, size) {
  CHECK_EQ(use_stack(size), (int)(size / 512));
  ran++;
}
TEST_GO(stacks_of_any_size) {
  leat_scope(s);
  static const size_t sizes[] = {64 << 10, 256 << 10, 1 << 20, 8 << 20};
  for (int round = 0; round < 3; round++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      CHECK_EQ(leat_go_with(s, ((leat_go_options){.stack = sizes[i]}), uses_stack, (sizes[i] * 3 / 4)), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 12);
}
LEAT_FN(prints) {
  char text[600];
  int n = snprintf(text, sizeof text, "%.17g %Lf %s\n", 1.0 / 3, 3.141592653589793238L * 1e300L, strerror(EPIPE));
  CHECK(n > 300);
  ran++;
}
TEST_GO(printing_fits_the_default_stack) {
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, prints);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 10);
}
TEST(the_default_stack_is_an_option) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.stack = 1 << 20}), LEAT_OK);
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, uses_stack, (size_t)900 << 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}

/* Threads. */

/* Through functions: a compiler may keep the address of a thread-local variable. */
static _Thread_local int of_this_thread;
static __attribute__((noinline)) void mark_thread(int n) {
  of_this_thread = n;
  __asm__ volatile("" ::: "memory");
}
static __attribute__((noinline)) int thread_mark(void) {
  __asm__ volatile("" ::: "memory");
  return of_this_thread;
}
LEAT_FN(pinned, int, i, leat_chan(int), c) {
  pthread_t self = pthread_self();
  CHECK_EQ(thread_mark(), 0); /* a thread of its own */
  mark_thread(i);
  for (int round = 0; round < 50; round++) {
    int v;
    CHECK(leat_select(leat_on_send(c, i), leat_on_recv(c, &v), leat_on_timeout(LEAT_US(100))) >= 0);
    CHECK_EQ(leat_yield(), LEAT_OK);
    if (round % 10 == 0) CHECK_EQ(leat_sleep(LEAT_US(10)), LEAT_OK);
    CHECK(pthread_equal(self, pthread_self()));
    CHECK_EQ(thread_mark(), i);
  }
  mark_thread(0);
  ran++;
}
LEAT_FN(mover, int_chan, c) {
  for (int round = 0; round < 200; round++) {
    int v;
    CHECK(leat_select(leat_on_send(c, 0), leat_on_recv(c, &v), leat_on_timeout(LEAT_US(100))) >= 0);
    CHECK_EQ(thread_mark(), 0); /* nobody else runs on a pinned goroutine's thread */
  }
  ran++;
}
TEST_GO(pinned_goroutines_keep_their_thread) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 1; i <= 8; i++) {
    CHECK_EQ(leat_go_with(s, ((leat_go_options){.pinned = 1}), pinned, i, c), LEAT_OK);
    leat_go(s, mover, c);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 16);
}
LEAT_FN(blocks_pinned, leat_rx(int), c) {
  int v;
  pthread_t self = pthread_self();
  CHECK_EQ(leat_recv(c, &v), LEAT_CANCELED);
  CHECK(pthread_equal(self, pthread_self()));
  ran++;
}
TEST_GO(pinned_goroutines_are_cancelled_like_others) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(leat_go_with(s, ((leat_go_options){.pinned = 1}), blocks_pinned, leat_rx_of(c)), LEAT_OK);
  wait_blocked("blocks_pinned", 5);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(ran, 5);
}

/* errno is the goroutine's across a switch, whatever ran meanwhile. Read through a function: a compiler may keep its address. */
static __attribute__((noinline)) void set_errno(int n) {
  errno = n;
  __asm__ volatile("" ::: "memory");
}
static __attribute__((noinline)) int get_errno(void) {
  __asm__ volatile("" ::: "memory");
  return errno;
}
LEAT_FN(keeps_errno, int, n, int_chan, c) {
  for (int round = 0; round < 200; round++) {
    int v;
    set_errno(n);
    CHECK_EQ(leat_yield(), LEAT_OK);
    CHECK_EQ(get_errno(), n);
    CHECK(leat_select(leat_on_send(c, 1), leat_on_recv(c, &v), leat_on_timeout(LEAT_US(50))) >= 0);
    CHECK_EQ(get_errno(), n);
  }
  ran++;
}
TEST_GO(errno_is_kept_across_a_switch) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 1; i <= 20; i++) leat_go(s, keeps_errno, i, c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 20);
}

/* Floating point and vector registers that a callee must keep survive a switch (aarch64: d8 to d15). */
static double mix(double x, int_chan c) {
  double a = x, b = x * 2, d = x * 3, e = x * 5, f = x * 7, g = x * 11, h = x * 13, k = x * 17;
  int v;
  for (int i = 0; i < 50; i++) {
    CHECK(leat_select(leat_on_send(c, 1), leat_on_recv(c, &v), leat_on_timeout(LEAT_US(50))) >= 0);
    CHECK_EQ(leat_yield(), LEAT_OK);
    a += 1, b += 1, d += 1, e += 1, f += 1, g += 1, h += 1, k += 1;
  }
  return a + b + d + e + f + g + h + k;
}
LEAT_FN(computes, double, x, int_chan, c) {
  CHECK(mix(x, c) == x * (1 + 2 + 3 + 5 + 7 + 11 + 13 + 17) + 8 * 50);
  ran++;
}
TEST_GO(floating_point_survives_a_switch) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 1; i <= 20; i++) leat_go(s, computes, i, c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 20);
}

/* A plain thread. */
TEST(a_plain_thread_may_yield_and_ask) {
  CHECK_EQ(leat_yield(), LEAT_OK);
  CHECK_EQ(leat_checkpoint(), LEAT_OK);
  CHECK(leat_goroutine_name() != NULL);
  CHECK(leat_current_scope() != NULL);
}
