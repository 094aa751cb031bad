/* Scopes, cancellation, failures, tasks, defer, contexts. */
#include "programs.h"

LEAT_FN(store, int *, place, int, value) { *place = value; }
PROGRAM(a_wait_shows_what_the_goroutines_did) {
  int results[20];
  leat_scope(s);
  for (int i = 0; i < 20; i++) leat_go(s, store, &results[i], i);
  MUST(leat_wait(s) == LEAT_OK);
  for (int i = 0; i < 20; i++) MUST(results[i] == i);
  for (int i = 0; i < 20; i++) results[i] = 0;
}

LEAT_FN_ERR(fibonacci, int, n, long *, result) {
  long a = n, b = 0;
  if (n > 1) {
    leat_scope(s);
    leat_task *left = leat_spawn(s, fibonacci, n - 1, &a);
    leat_go(s, fibonacci, n - 2, &b);
    if (leat_join(left)) return LEAT_FAILED;
    a += 0; /* the task's result is there, the other's not yet */
    int status = leat_wait(s);
    if (status) return status;
  }
  *result = a + b;
  return LEAT_OK;
}
PROGRAM(a_tree_of_tasks) {
  leat_scope(s);
  long result = 0;
  leat_task *task = leat_spawn(s, fibonacci, 9, &result);
  MUST(leat_join(task) == LEAT_OK && result == 34);
}

LEAT_FN_ERR(join_it, leat_task *, task, const int *, result) {
  return leat_join(task) == LEAT_OK && *result == 3 ? LEAT_OK : LEAT_FAILED;
}
PROGRAM(several_join_one_task) {
  leat_scope(s);
  int result = 0;
  leat_task *task = leat_spawn(s, store, &result, 3);
  for (int i = 0; i < 5; i++) leat_go(s, join_it, task, &result);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN_ERR(fail_at, int, number) {
  if (number == 3) return leat_fail(LEAT_FAILED, "number %d is not there", number);
  return leat_sleep(LEAT_SECONDS(100));
}
PROGRAM(a_failure_has_a_message) {
  leat_scope(s);
  for (int i = 0; i < 6; i++) leat_go(s, fail_at, i);
  MUST(leat_wait(s) == LEAT_FAILED);
  MUST(strcmp(leat_failure_of(s)->message, "number 3 is not there") == 0 && strstr(leat_cause(s), "fail_at"));
}
PROGRAM(a_failed_task_has_a_message) {
  leat_scope(s);
  leat_keep_going(s);
  leat_task *task = leat_spawn(s, fail_at, 3);
  MUST(leat_join(task) == LEAT_FAILED && strcmp(leat_task_message(task), "number 3 is not there") == 0);
  MUST(leat_wait(s) == LEAT_FAILED);
}

LEAT_FN(read_when_cancelled, leat_rx(int), never, const int *, reason) {
  int v;
  MUST(leat_recv(never, &v) == LEAT_CANCELED && *reason == 9);
}
LEAT_FN(poll_until_cancelled, leat_view, view, const int *, reason) {
  while (leat_scope_status(view) == LEAT_OK) leat_yield();
  MUST(*reason == 9 && strcmp(leat_cause(view), "enough of 9") == 0);
}
PROGRAM(a_cancel_shows_what_the_canceller_did) {
  leat_scope(s);
  int reason = 0;
  leat_chan(int) never = leat_chan_make(s, int, 0);
  for (int i = 0; i < 3; i++) leat_go(s, read_when_cancelled, leat_rx_of(never), &reason);
  leat_go(s, poll_until_cancelled, s, &reason);
  leat_yield();
  reason = 9;
  leat_cancel_because(s, "enough of %d", reason);
  MUST(leat_wait(s) == LEAT_CANCELED);
}

LEAT_FN(start_more, leat_view, view, int, depth, atomic_int *, running) {
  atomic_fetch_add(running, 1);
  leat_scope(s);
  if (depth) {
    leat_go(view, start_more, view, depth - 1, running);
    leat_go(s, start_more, s, depth - 1, running);
  }
  leat_sleep(LEAT_SECONDS(100));
}
PROGRAM(a_deadline_ends_a_tree) {
  atomic_int running = 0;
  leat_scope(s);
  MUST(leat_set_timeout(s, LEAT_MS(20)) == LEAT_OK);
  leat_go(s, start_more, s, 4, &running);
  MUST(leat_wait(s) == LEAT_DEADLINE && running > 1);
}

static char order[8];
static void append(const char *letter) { strcat(order, letter); }
LEAT_FN(append_later, char, letter) { strncat(order, &letter, 1); }
LEAT_FN(defer_and_block, leat_rx(int), never) {
  char *text = strdup("c");
  leat_defer(free, text);
  leat_defer(append, text);
  leat_defer_call(append_later, 'b');
  {
    leat_shield(last);
    leat_defer(append, "a");
    leat_sleep(LEAT_US(10));
  }
  int v;
  leat_recv(never, &v);
}
PROGRAM(deferred_calls_run_when_cancelled) {
  leat_scope(s);
  order[0] = 0;
  leat_go(s, defer_and_block, leat_rx_of(leat_chan_make(s, int, 0)));
  leat_sleep(LEAT_MS(1));
  leat_cancel(s);
  MUST(leat_wait(s) == LEAT_CANCELED && strcmp(order, "abc") == 0);
}

static void quiet(void *environment, const char *line) { *(int *)environment += line[0] != 0; }
LEAT_FN(close_twice, leat_tx(int), c, char *, text) {
  leat_defer(free, text);
  int stored;
  leat_scope(s);
  leat_go(s, store, &stored, 1);
  leat_close(c);
  leat_close(c);
}
PROGRAM(a_panic_is_caught_at_the_scope) {
  int lines = 0;
  leat_set_log(quiet, &lines);
  {
    leat_scope(s);
    leat_go(s, close_twice, leat_tx_of(leat_chan_make(s, int, 0)), strdup("text"));
    MUST(leat_wait(s) == LEAT_PANIC && strstr(leat_failure_of(s)->message, "close of a closed channel"));
  }
  leat_set_log(NULL, NULL);
  MUST(lines > 0);
}

LEAT_FN(serve_until_cancelled, int *, served) {
  while (leat_yield() == LEAT_OK) ++*served;
}
PROGRAM(a_service_ends_with_the_block) {
  int served = 0, done = 0;
  {
    leat_scope(s);
    leat_service(s, serve_until_cancelled, &served);
    leat_go(s, store, &done, 1);
    MUST(leat_wait(s) == LEAT_OK && done == 1);
  }
  MUST(served >= 0);
}

static int run_raw(void *arg) {
  ++*(int *)arg;
  return LEAT_OK;
}
PROGRAM(closures_and_raw_functions) {
  int a = 0, b = 0;
  leat_closure job = leat_bind(store, &a, 5);
  leat_scope(s);
  leat_go_closure(s, job);
  leat_go_raw(s, "raw", run_raw, &b);
  MUST(leat_wait(s) == LEAT_OK && a == 5 && b == 1);
  a = 0;
  leat_call(job);
  MUST(a == 5);
}

LEAT_FN(sleep_long, int, unused) {
  (void)unused;
  leat_sleep(LEAT_SECONDS(100));
}
PROGRAM(many_goroutines_come_and_go_on_the_same_stacks) {
  for (int round = 0; round < 20; round++) {
    int results[50];
    leat_scope(s);
    for (int i = 0; i < 50; i++) leat_go(s, store, &results[i], i);
    for (int i = 0; i < 10; i++) leat_go(s, sleep_long, i);
    leat_yield();
  }
}

LEAT_CONTEXT_KEY(user, const char *);
LEAT_FN(look_up, leat_view, ctx, int *, cleaned) {
  const char *name;
  leat_scope(s);
  leat_follow(s, ctx);
  MUST(user_of(s, &name) && strcmp(name, "ada") == 0);
  char c;
  int chosen = leat_select(leat_on_recv(leat_done(ctx), &c));
  MUST(chosen == 0 || chosen == LEAT_CANCELED);
  MUST(leat_scope_status(ctx) == LEAT_CANCELED);
  ++*cleaned;
}
LEAT_FN(clean_up, int *, cleaned) { *cleaned += 10; }
PROGRAM(contexts) {
  int by_hook = 0, by_goroutine = 0;
  char *name = strdup("ada");
  {
    leat_scope(s);
    struct leat_scope *request = leat_with_cancel(s);
    leat_view ctx = with_user(request, name);
    leat_after_cancel(ctx, clean_up, &by_hook);
    leat_go(s, look_up, ctx, &by_goroutine);
    leat_rx(char) either = leat_or(s, leat_done(ctx), leat_done(request));
    leat_yield();
    leat_cancel(request);
    leat_discard(either);
    MUST(leat_wait(s) == LEAT_OK);
  }
  MUST(by_hook == 10 && by_goroutine == 1);
  free(name);
}
