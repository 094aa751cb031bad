/* Defer: reverse order, on every way out of a block, when a goroutine is cancelled or failed; bound arguments; interplay with scopes.
 *
 * Scenarios are after Go's test/deferprint.go, recover*.go and runtime/defer_test.go. */
#include "wait.h"

#include <pthread.h>

typedef leat_chan(int) int_chan;

/* What ran, in order, as one letter each. */
static char trace[64];
static atomic_int traced;
static void note(const char *letter) { trace[traced++] = *letter; }
LEAT_FN(note_times, const char *, letter, int, times) {
  for (int i = 0; i < times; i++) note(letter);
}
static void check_trace(const char *right) {
  CHECK_STR(trace, right);
  memset(trace, 0, sizeof trace);
  traced = 0;
}
static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";

TEST_GO(reverse_order_at_the_end_of_the_block) {
  {
    leat_defer(note, a);
    leat_defer(note, b);
    {
      leat_defer(note, c);
      note("1");
    }
    note("2");
    leat_defer(note, d);
  }
  note("3");
  check_trace("1c2dba3");
}

static int leave_by_return(int early) {
  leat_defer(note, a);
  if (early) return 1;
  leat_defer(note, b);
  for (;;) {
    leat_defer(note, c);
    return 2;
  }
}
TEST_GO(by_return) {
  CHECK_EQ(leave_by_return(1), 1);
  check_trace("a");
  CHECK_EQ(leave_by_return(0), 2);
  check_trace("cba");
}
TEST_GO(by_break_continue_and_goto) {
  for (int i = 0; i < 3; i++) {
    leat_defer(note, a);
    if (i == 0) continue;
    leat_defer(note, b);
    if (i == 1) goto next;
    break;
  next:
    note("n");
  }
  check_trace("anbaba");
  {
    leat_defer(note, c);
    goto out;
  }
out:
  check_trace("c");
}
TEST_GO(in_a_loop_once_each_time) {
  for (int i = 0; i < 3; i++) {
    leat_defer(note, a);
    note("1");
  }
  check_trace("1a1a1a");
}

TEST_GO(a_call_with_its_arguments_bound_at_the_declaration) {
  {
    const char *letter = "x";
    int times = 2;
    leat_defer_call(note_times, letter, times);
    leat_defer_call(note_times, "y", 1);
    letter = "z";
    times = 9;
    note("1");
    (void)letter;
    (void)times;
  }
  check_trace("1yxx");
}
LEAT_FN_ERR(gives_status, const char *, letter) {
  note(letter);
  return LEAT_FAILED;
}
static int frees(char *letter) { return note(letter), 5; }
TEST_GO(results_are_ignored) {
  leat_scope(s);
  {
    leat_defer(frees, a);
    leat_defer_call(gives_status, "b");
  }
  check_trace("ba");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_argument_is_evaluated_once_at_the_declaration) {
  char *letters[] = {a, b}, **next = letters;
  {
    leat_defer(note, *next++);
    CHECK(next == letters + 1);
  }
  CHECK(next == letters + 1);
  check_trace("a");
}
LEAT_FN(produce, leat_tx(int), out) {
  leat_defer_close(out);
  for (int i = 0; i < 5; i++)
    if (leat_send(out, i)) return;
}
TEST_GO(close_at_the_end) {
  leat_scope(s);
  int_chan numbers = leat_chan_make(s, int, 0);
  leat_go(s, produce, leat_tx_of(numbers));
  int n = 0;
  leat_range(int, v, numbers) CHECK_EQ(v, n++);
  CHECK_EQ(leat_range_end(), LEAT_CLOSED);
  CHECK_EQ(n, 5);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(memory_is_freed) {
  for (int i = 0; i < 100; i++) {
    char *buffer = malloc(1000);
    leat_defer(free, buffer);
    memset(buffer, 1, 1000);
    if (i % 2) continue;
  }
}

/* In goroutines. */

LEAT_FN(blocks_for_ever) {
  leat_defer(note, a);
  int_chan nil = NULL;
  int v;
  leat_defer(note, b);
  if (leat_recv(nil, &v) != LEAT_OK) return;
  note("?");
}
TEST_GO(when_a_cancelled_goroutine_returns) {
  {
    leat_scope(s);
    leat_go(s, blocks_for_ever);
    wait_blocked("blocks_for_ever", 1);
    check_trace("");
  }
  check_trace("ba");
}

LEAT_FN(release, int_chan, channel) { leat_release(channel); }
static void close_twice(void) {
  leat_defer(note, c);
  int_chan closed = leat_chan_make(NULL, int, 0);
  leat_defer_call(note_times, "2", 2);
  leat_close(closed);
  leat_defer_call(release, closed);
  leat_close(closed);
  note("?");
}
LEAT_FN(fails_below) {
  leat_defer(note, a);
  for (int i = 0; i < 3; i++) {
    leat_defer(note, b);
    if (i == 1) close_twice();
  }
  note("?");
}
TEST_GO(when_a_goroutine_is_failed) {
  leat_scope(s);
  leat_go(s, fails_below);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  check_trace("b22cba");
}
LEAT_FN(ignores_statuses) {
  leat_defer(note, a);
  int_chan nil = NULL;
  for (;;) {
    leat_defer(note, b);
    int v;
    leat_defer_call(note_times, "-", 0);
    traced = 0;
    leat_recv(nil, &v);
  }
}
TEST_GO(when_a_goroutine_is_failed_for_ignoring_its_cancellation) {
  leat_scope(s);
  leat_go(s, ignores_statuses);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  check_trace("ba");
}

static int compare_badly(const void *x, const void *y) {
  leat_defer(note, c);
  close_twice();
  return *(const int *)x - *(const int *)y;
}
LEAT_FN(sorts) {
  leat_defer(note, a);
  int numbers[] = {3, 1, 2};
  qsort(numbers, 3, sizeof *numbers, compare_badly);
  note("?");
}
TEST_GO(through_frames_that_are_not_ours) {
  leat_scope(s);
  leat_go(s, sorts);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  check_trace("22cca");
}

LEAT_FN(child) {
  int_chan nil = NULL;
  int v;
  CHECK_EQ(leat_recv(nil, &v), LEAT_CANCELED);
  note("j");
}
LEAT_FN(fails_in_scope, bool, by_panic) {
  leat_defer(note, a);
  leat_scope(s);
  leat_defer(note, b);
  leat_go(s, child);
  wait_blocked("child", 1);
  if (by_panic) close_twice();
}
TEST_GO(scopes_are_left_in_the_same_order) {
  leat_scope(s);
  leat_go(s, fails_in_scope, false);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  check_trace("bja"); /* joined before what was deferred outside */
  leat_go(s, fails_in_scope, true);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  check_trace("22cbja");
}

LEAT_FN(send_one, int_chan, log) {
  int status = leat_send(log, 1);
  leat_shield(s);
  CHECK_EQ(leat_send(log, status), LEAT_OK);
}
LEAT_FN(logs_in_defer, int_chan, log) {
  leat_defer_call(send_one, log);
  leat_sleep(LEAT_SECONDS(1000));
}
TEST_GO(deferred_calls_may_block_and_shield) {
  leat_scope(outer);
  int_chan log = leat_chan_make(outer, int, 2);
  {
    leat_scope(s);
    leat_go(s, logs_in_defer, log);
    leat_cancel(s);
  }
  CHECK_EQ(leat_len(log), 1);
  int v;
  CHECK_EQ(leat_recv(log, &v), LEAT_OK);
  CHECK_EQ(v, LEAT_CANCELED);
}

static void *in_thread(void *unused) {
  {
    leat_defer(note, a);
    leat_defer_call(note_times, "b", 2);
    note("1");
  }
  return unused;
}
TEST(on_a_plain_thread) {
  in_thread(NULL);
  check_trace("1bba");
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, in_thread, NULL), 0);
  CHECK_EQ(pthread_join(t, NULL), 0);
  check_trace("1bba");
}

LEAT_FN(deep, int, depth, atomic_int *, count) {
  leat_defer_call(note_times, "-", 0);
  char *p = malloc(10);
  leat_defer(free, p);
  if (depth == 0) close_twice();
  else deep(depth - 1, count);
  ++*count;
}
TEST_GO(through_many_frames) {
  static atomic_int count;
  leat_scope(s);
  leat_go(s, deep, 30, &count);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(count, 0);
}
