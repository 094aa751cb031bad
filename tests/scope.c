/* Scopes: joining, cancellation downwards, causes and deadlines, failures and panics, shields, services, tasks.
 * What leat_wait does with stages is in stage.c.
 *
 * Scenarios are after Go's context/x_test.go (propagation, causes, deadlines), errgroup's tests (first failure), and the nursery tests of
 * Trio (cancel, shield, failure of siblings). */
#include "wait.h"

#include <pthread.h>

typedef leat_chan(int) int_chan;
static atomic_int ran, canceled, finished;

LEAT_FN(run_once) { ran++; }
LEAT_FN(wait_for_cancel, int, expected) {
  int_chan nil = NULL;
  int v = 7;
  CHECK_EQ(leat_recv(nil, &v), expected);
  CHECK_EQ(v, 0);
  canceled++;
}
LEAT_FN(run_after, leat_rx(char), gate) {
  char c;
  int status = leat_recv(gate, &c);
  if (status == LEAT_CANCELED) canceled++;
  else finished++;
}

/* Joining. */

TEST_GO(leaving_the_block_joins) {
  for (int i = 0; i < 100; i++) {
    {
      leat_scope(s);
      leat_go(s, wait_for_cancel, LEAT_CANCELED);
      leat_go(s, wait_for_cancel, LEAT_CANCELED);
      wait_blocked("wait_for_cancel", 2);
    }
    CHECK_EQ(canceled, 2 * (i + 1));
  }
}
static void leave_by_return(int how) {
  leat_scope(s);
  leat_go(s, wait_for_cancel, LEAT_CANCELED);
  wait_blocked("wait_for_cancel", 1);
  if (how == 0) return;
  ran = 100;
}
TEST_GO(leaving_by_return) {
  leave_by_return(0);
  CHECK_EQ(canceled, 1);
  CHECK_EQ(ran, 0);
}
TEST_GO(leaving_by_break_and_continue) {
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(canceled, i);
    leat_scope(s);
    leat_go(s, wait_for_cancel, LEAT_CANCELED);
    wait_blocked("wait_for_cancel", 1);
    if (i < 4) continue;
    break;
  }
  CHECK_EQ(canceled, 5);
}
TEST_GO(leaving_by_goto) {
  {
    leat_scope(s);
    leat_go(s, wait_for_cancel, LEAT_CANCELED);
    wait_blocked("wait_for_cancel", 1);
    goto out;
  }
out:
  CHECK_EQ(canceled, 1);
}
TEST_GO(leaving_cancels_what_has_not_begun_yet) {
  for (int i = 0; i < 1000; i++) {
    leat_scope(s);
    CHECK_EQ(leat_go(s, wait_for_cancel, LEAT_CANCELED), LEAT_OK);
  }
  CHECK_EQ(canceled, 1000); /* what was started is run, so that its arguments find an owner */
}
TEST_GO(wait_lets_everything_finish) {
  leat_scope(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  for (int i = 0; i < 100; i++) leat_go(s, run_after, leat_rx_of(gate));
  wait_blocked("run_after", 100);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(finished, 100);
  CHECK_EQ(canceled, 0);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}
TEST_GO(wait_as_often_as_you_like) {
  leat_scope(s);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 1; i <= 100; i++) {
    leat_go(s, run_once);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(ran, i);
  }
}
LEAT_FN(spawn_into, leat_view, s, int, depth) {
  ran++;
  if (depth == 0) return;
  leat_go(s, spawn_into, s, depth - 1);
  leat_go(s, spawn_into, s, depth - 1);
}
TEST_GO(wait_waits_for_what_goroutines_start_in_it) {
  leat_scope(s);
  leat_go(s, spawn_into, s, 9);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1023);
}
TEST_GO(ten_thousand_goroutines_in_one_scope) {
  int n = (int)test_scale(10000);
  leat_scope(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, run_after, leat_rx_of(gate)), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), n);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(finished, n);
}
TEST_GO(a_null_scope_is_the_innermost) {
  leat_scope(outer);
  CHECK(leat_current_scope() == outer);
  {
    leat_scope(s);
    CHECK(leat_current_scope() == s);
    leat_go(NULL, wait_for_cancel, LEAT_CANCELED);
    CHECK_EQ(leat_scope_goroutines(s), 1);
    CHECK_EQ(leat_scope_goroutines(outer), 0);
  }
  CHECK(leat_current_scope() == outer);
  CHECK_EQ(canceled, 1);
}
LEAT_FN(check_current, leat_view, s) {
  CHECK(leat_current_scope() == s);
  leat_scope(own);
  CHECK(leat_current_scope() == own);
}
TEST_GO(a_goroutine_runs_in_its_scope) {
  leat_scope(s);
  leat_go(s, check_current, s);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Cancellation. */

LEAT_FN(hold_scope, leat_chan(int), ready, int, expected) {
  leat_scope(s);
  CHECK_EQ(leat_send(ready, 1), LEAT_OK);
  leat_go(s, wait_for_cancel, expected);
  leat_go(s, wait_for_cancel, expected);
  CHECK_EQ(leat_wait(s), expected);
  finished++;
}
TEST_GO(cancel_goes_down) {
  leat_scope(s);
  int_chan ready = leat_chan_make(s, int, 10);
  for (int i = 0; i < 10; i++) leat_go(s, hold_scope, ready, LEAT_CANCELED);
  wait_blocked("wait_for_cancel", 20);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(canceled, 20);
  CHECK_EQ(finished, 10);
}
TEST_GO(cancel_does_not_go_up_or_sideways) {
  leat_scope(outer);
  leat_chan(char) gate = leat_chan_make(outer, char, 0);
  leat_go(outer, run_after, leat_rx_of(gate));
  {
    leat_scope(s);
    leat_go(s, wait_for_cancel, LEAT_CANCELED);
    {
      leat_scope(inner);
      leat_cancel(inner);
      CHECK_EQ(leat_wait(inner), LEAT_CANCELED);
    }
    CHECK_EQ(leat_scope_status(s), LEAT_OK);
    CHECK_EQ(canceled, 0);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(leat_scope_status(outer), LEAT_OK);
  CHECK(leat_cause(outer) == NULL);
  leat_close(gate);
  CHECK_EQ(leat_wait(outer), LEAT_OK);
  CHECK_EQ(finished, 1);
}
LEAT_FN(tree, int, depth) {
  leat_scope(s);
  if (depth > 0)
    for (int i = 0; i < 3; i++) leat_go(s, tree, depth - 1);
  ran++;
  if (depth > 0) CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  int_chan nil = NULL;
  CHECK_EQ(leat_send(nil, 1), LEAT_CANCELED);
  canceled++;
}
TEST_GO(cancelling_a_tree_of_scopes) {
  int depth = test_scale(100) == 100 ? 7 : 4, total = 0;
  for (int i = 0, at_depth = 1; i <= depth; i++, at_depth *= 3) total += at_depth;
  leat_scope(s);
  leat_go(s, tree, depth);
  UNTIL(ran == total);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(canceled, total);
}

/* A cancel lets those go on that it has come to, while it looks for the others. */

static void *cancel_from_thread(void *s) {
  leat_cancel((struct leat_scope *)s);
  return NULL;
}
LEAT_FN(wait_at_gate, leat_rx(char), gate) {
  ran++;
  char c;
  int status = leat_recv(gate, &c);
  CHECK(status == LEAT_CANCELED || status == LEAT_CLOSED);
  canceled++;
}
TEST_GO(two_cancels_go_through_a_list_from_which_others_leave) {
  enum { WAITING = 400 };
  for (int round = 0, rounds = (int)test_scale(100) / 2 + 2; round < rounds; round++) {
    ran = canceled = 0;
    leat_scope(gates);
    leat_chan(char) gate = leat_chan_make(gates, char, 0);
    leat_scope(outer);
    leat_scope(s);
    for (int i = 0; i < WAITING; i++) leat_go(s, wait_at_gate, i % 3 ? leat_rx_of(gate) : (leat_rx(char))NULL);
    UNTIL(ran == WAITING);
    pthread_t inner_thread, outer_thread;
    CHECK_EQ(pthread_create(&inner_thread, NULL, cancel_from_thread, s), 0);
    CHECK_EQ(pthread_create(&outer_thread, NULL, cancel_from_thread, outer), 0);
    leat_close(gate);
    CHECK_EQ(pthread_join(inner_thread, NULL), 0);
    CHECK_EQ(pthread_join(outer_thread, NULL), 0);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(canceled, WAITING);
  }
}

static atomic_int nodes;
LEAT_FN(short_lived_tree, uint32_t, seed, int, depth) {
  leat_scope(s);
  if (depth && seed % 5 == 0) leat_set_timeout(s, LEAT_US(seed >> 8 & 1023));
  for (uint32_t i = 0; depth && i < 4; i++) nodes += leat_go(s, short_lived_tree, seed * 1664525u + 1013904223u * (i + 1), depth - 1) == LEAT_OK;
  if (depth && seed % 3) CHECK(leat_wait(s) != LEAT_PANIC);
  if (seed % 7 == 0) leat_cancel(s);
  int_chan nil = NULL;
  CHECK(leat_send(nil, 1) != LEAT_OK);
  finished++;
}
TEST_GO(blocks_of_a_tree_are_left_while_it_is_cancelled_from_above_and_within) {
  for (int round = 0, rounds = (int)test_scale(400) + 4; round < rounds; round++) {
    nodes = finished = 0;
    {
      leat_scope(s);
      for (uint32_t i = 0; i < 3; i++) nodes += leat_go(s, short_lived_tree, (uint32_t)round * 97 + i, 3) == LEAT_OK;
      for (int i = 0; i < round % 40; i++) leat_yield();
      pthread_t t;
      CHECK_EQ(pthread_create(&t, NULL, cancel_from_thread, s), 0);
      if (round % 2) leat_cancel(s);
      CHECK_EQ(pthread_join(t, NULL), 0);
      CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    }
    CHECK_EQ(finished, nodes);
  }
}

LEAT_FN(enter_and_leave_blocks) {
  for (int i = 0, after = 0; after < 300; i++) {
    leat_scope(s);
    {
      leat_scope(within);
      if (leat_scope_status(within)) after++;
    }
    if (i % 64 == 0) leat_yield();
  }
  finished++;
}
TEST_GO(blocks_are_entered_and_left_where_a_cancel_goes_by) {
  for (int round = 0, rounds = (int)test_scale(1000) + 20; round < rounds; round++) {
    finished = canceled = 0;
    leat_scope(s);
    for (int i = 0; i < 3; i++) leat_go(s, enter_and_leave_blocks);
    for (int i = 0; i < 6; i++) leat_go(s, wait_for_cancel, LEAT_CANCELED);
    for (int i = 0; i < round % 8; i++) leat_yield();
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(finished, 3);
    CHECK_EQ(canceled, 6);
  }
}

TEST_GO(canceled_is_looked_at_before_readiness_and_keeps_the_value) {
  leat_scope(outer);
  int_chan c = leat_chan_make(outer, int, 2);
  CHECK_EQ(leat_send(c, 1), LEAT_OK);
  {
    leat_scope(s);
    leat_cancel(s);
    int v = 7;
    size_t n = 9;
    CHECK_EQ(leat_recv(c, &v), LEAT_CANCELED);
    CHECK_EQ(v, 0);
    CHECK_EQ(leat_send(c, 2), LEAT_CANCELED);
    CHECK_EQ(leat_recv_until(c, LEAT_NEVER, &v), LEAT_CANCELED);
    CHECK_EQ(leat_send_until(c, LEAT_NEVER, 2), LEAT_CANCELED);
    CHECK_EQ(leat_discard(c), LEAT_CANCELED);
    CHECK_EQ(leat_recv_n(c, &v, 1, &n), LEAT_CANCELED);
    CHECK_EQ(n, 0);
    n = 9;
    CHECK_EQ(leat_send_n(c, &v, 1, &n), LEAT_CANCELED);
    CHECK_EQ(n, 0);
    CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_CANCELED);
    CHECK_EQ(leat_sleep_until(LEAT_NEVER), LEAT_CANCELED);
    CHECK_EQ(leat_yield(), LEAT_CANCELED);
    CHECK_EQ(leat_checkpoint(), LEAT_CANCELED);
    leat_range(int, x, c) CHECK(x != x);
    CHECK_EQ(leat_range_end(), LEAT_CANCELED);
  }
  CHECK_EQ(leat_len(c), 1);
  int v;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 1);
}
LEAT_FN(wait_cancelled_in, int, how, int_chan, empty, int_chan, full) {
  int v = 7;
  switch (how) {
  case 0: CHECK_EQ(leat_recv(empty, &v), LEAT_CANCELED); break;
  case 1: CHECK_EQ(leat_send(full, 1), LEAT_CANCELED); break;
  case 2: CHECK_EQ(leat_select(leat_on_recv(empty, &v), leat_on_send(full, 1)), LEAT_CANCELED); break;
  case 3: CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_CANCELED); break;
  case 4:
    leat_range(int, x, empty) CHECK(x != x);
    CHECK_EQ(leat_range_end(), LEAT_CANCELED);
    break;
  case 5: CHECK_EQ(leat_recv_until(empty, leat_now() + LEAT_SECONDS(1000), &v), LEAT_CANCELED); break;
  case 6: CHECK_EQ(leat_send_until(full, leat_now() + LEAT_SECONDS(1000), 1), LEAT_CANCELED); break;
  case 7: CHECK_EQ(leat_recv_n(empty, &v, 1, NULL), LEAT_CANCELED); break;
  case 8: CHECK_EQ(leat_send_n(full, &v, 1, NULL), LEAT_CANCELED); break;
  case 9: CHECK_EQ(leat_discard(empty), LEAT_CANCELED); break;
  }
  if (how == 0) CHECK_EQ(v, 0);
  canceled++;
}
TEST_GO(cancel_wakes_every_kind_of_waiter) {
  leat_scope(s);
  int_chan empty = leat_chan_make(s, int, 1), full = leat_chan_make(s, int, 1);
  CHECK_EQ(leat_send(full, 5), LEAT_OK);
  for (int i = 0; i < 10; i++) leat_go(s, wait_cancelled_in, i, empty, full);
  wait_blocked("wait_cancelled_in", 10);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(canceled, 10);
  CHECK_EQ(leat_len(empty), 0);
  CHECK_EQ(leat_len(full), 1);
}
TEST_GO(the_first_cancel_counts) {
  leat_scope(s);
  CHECK(leat_cause(s) == NULL);
  CHECK_EQ(leat_scope_status(s), LEAT_OK);
  leat_cancel_because(s, "no more %s after %d", "tea", 5);
  leat_cancel_because(s, "another");
  leat_cancel(s);
  CHECK_STR(leat_cause(s), "no more tea after 5");
  CHECK_EQ(leat_scope_status(s), LEAT_CANCELED);
  leat_scope(below);
  CHECK_EQ(leat_scope_status(below), LEAT_CANCELED);
  CHECK_STR(leat_cause(below), "no more tea after 5");
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
TEST_GO(a_cancel_without_cause_has_one_too) {
  leat_scope(s);
  leat_cancel(s);
  CHECK(leat_cause(s) != NULL && *leat_cause(s));
}
TEST_GO(a_thread_may_cancel) {
  leat_scope(s);
  leat_go(s, wait_for_cancel, LEAT_CANCELED);
  wait_blocked("wait_for_cancel", 1);
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, cancel_from_thread, s), 0);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(pthread_join(t, NULL), 0);
  CHECK_EQ(canceled, 1);
}
LEAT_FN(cancel_scope, struct leat_scope *, s) { leat_cancel(s); }
TEST_GO(a_goroutine_may_cancel_the_scope_it_was_given) {
  leat_scope(s);
  leat_go(s, wait_for_cancel, LEAT_CANCELED);
  leat_go(s, cancel_scope, s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(canceled, 1);
}
TEST_GO(a_cancelled_scope_starts_nothing) {
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_go(s, run_once), LEAT_CANCELED);
  leat_task *t = leat_spawn(s, run_once);
  CHECK(t != NULL);
  CHECK_EQ(leat_join(t), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(ran, 0);
}

/* Deadlines. */

TEST_GO(a_timeout_ends_the_scope_and_is_not_early) {
  leat_scope(s);
  CHECK_EQ(leat_scope_deadline(s), LEAT_NEVER);
  leat_go(s, wait_for_cancel, LEAT_DEADLINE);
  int64_t start = leat_now();
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(5)), LEAT_OK);
  CHECK(leat_scope_deadline(s) >= start + LEAT_MS(5));
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  CHECK_EQ(canceled, 1);
  CHECK_EQ(leat_scope_status(s), LEAT_DEADLINE);
  CHECK(leat_cause(s) != NULL);
}
TEST_GO(a_deadline_in_the_past_is_over_at_once) {
  leat_scope(s);
  CHECK_EQ(leat_set_deadline(s, leat_now() - 1), LEAT_OK);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_DEADLINE);
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
}
TEST_GO(a_deadline_that_did_not_come_does_nothing) {
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_SECONDS(1000)), LEAT_OK);
  leat_go(s, run_once);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_scope_status(s), LEAT_OK);
}
TEST_GO(setting_a_deadline_again_replaces_it) {
again:;
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(20)), LEAT_OK);
  CHECK_EQ(leat_set_deadline(s, LEAT_NEVER), LEAT_OK);
  if (leat_scope_status(s) != LEAT_OK) goto again; /* this machine has stood still for 20 ms */
  CHECK_EQ(leat_scope_deadline(s), LEAT_NEVER);
  CHECK_EQ(leat_sleep(LEAT_MS(40)), LEAT_OK);
  CHECK_EQ(leat_set_timeout(s, LEAT_SECONDS(1000)), LEAT_OK);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(1)), LEAT_OK);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_DEADLINE);
}
TEST_GO(the_earliest_deadline_around_counts) {
  leat_scope(outer);
  int64_t early = leat_now() + LEAT_MS(10), late = early + LEAT_SECONDS(1000);
  CHECK_EQ(leat_set_deadline(outer, early), LEAT_OK);
  leat_scope(s);
  CHECK_EQ(leat_scope_deadline(s), early);
  CHECK_EQ(leat_set_deadline(s, late), LEAT_OK);
  CHECK_EQ(leat_scope_deadline(s), early);
  CHECK_EQ(leat_sleep_until(late), LEAT_DEADLINE);
  CHECK(leat_now() >= early);
  CHECK_EQ(leat_scope_status(s), LEAT_DEADLINE);
}
LEAT_FN(reads_deadline, leat_view, s, int64_t, least) {
  while (!finished) {
    CHECK(leat_scope_deadline(s) >= least);
    CHECK_EQ(leat_scope_status(s), LEAT_OK);
    CHECK(leat_cause(s) == NULL);
    CHECK_EQ(leat_yield(), LEAT_OK);
  }
}
TEST_GO(a_deadline_is_read_while_it_is_set) {
  leat_scope(s);
  int64_t least = leat_now() + LEAT_SECONDS(1000);
  for (int i = 0; i < 4; i++) leat_go(s, reads_deadline, s, least);
  for (int i = 0; i < 1000; i++) {
    CHECK_EQ(leat_set_deadline(s, least + i), LEAT_OK);
    if (i % 100 == 0) pause_a_moment();
  }
  finished = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_deadline_does_not_end_the_scope_around) {
  leat_scope(outer);
  {
    leat_scope(s);
    CHECK_EQ(leat_set_timeout(s, LEAT_MS(1)), LEAT_OK);
    leat_go(s, wait_for_cancel, LEAT_DEADLINE);
    CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
  }
  CHECK_EQ(leat_scope_status(outer), LEAT_OK);
  CHECK_EQ(leat_sleep(LEAT_MS(1)), LEAT_OK);
}
TEST_GO(a_cancel_before_the_deadline_stays_a_cancel) {
  leat_scope(s);
  int64_t deadline = leat_now() + LEAT_MS(5);
  CHECK_EQ(leat_set_deadline(s, deadline), LEAT_OK);
  leat_cancel(s);
  int first = leat_scope_status(s);
  {
    leat_shield(wait);
    CHECK_EQ(leat_sleep_until(deadline + LEAT_MS(5)), LEAT_OK);
  }
  CHECK_EQ(leat_scope_status(s), first);
}

/* Failure. */

LEAT_FN_ERR(fail_with, int, status, const char *, what) { return leat_fail(status, "cannot do %s", what); }
LEAT_FN_ERR(return_status, int, status) { return status; }
TEST_GO(the_first_failure_is_returned_and_described) {
  leat_scope(s);
  CHECK(leat_failure_of(s) == NULL);
  leat_go(s, fail_with, LEAT_FAILED, "the thing");
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  const leat_failure *f = leat_failure_of(s);
  CHECK(f != NULL);
  CHECK_EQ(f->status, LEAT_FAILED);
  CHECK_STR(f->message, "cannot do the thing");
  CHECK_STR(f->name, "fail_with");
  CHECK(f->goroutine > 0);
  CHECK(strstr(f->birthplace, "scope.c:") != NULL);
}
TEST_GO(a_failure_without_message) {
  leat_scope(s);
  leat_go(s, return_status, LEAT_SYSTEM(5));
  CHECK_EQ(leat_wait(s), LEAT_SYSTEM(5));
  CHECK_STR(leat_failure_of(s)->message, "");
}
TEST_GO(a_failure_cancels_its_siblings) {
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, wait_for_cancel, LEAT_CANCELED);
  wait_blocked("wait_for_cancel", 10);
  leat_go(s, fail_with, LEAT_FAILED, "it");
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_EQ(canceled, 10);
  CHECK_EQ(leat_scope_status(s), LEAT_CANCELED);
  CHECK(leat_cause(s) != NULL);
}
TEST_GO(a_failure_does_not_reach_the_scope_around) {
  leat_scope(outer);
  leat_chan(char) gate = leat_chan_make(outer, char, 0);
  leat_go(outer, run_after, leat_rx_of(gate));
  {
    leat_scope(s);
    leat_go(s, fail_with, LEAT_FAILED, "it");
    CHECK_EQ(leat_wait(s), LEAT_FAILED);
  }
  CHECK_EQ(leat_scope_status(outer), LEAT_OK);
  leat_close(gate);
  CHECK_EQ(leat_wait(outer), LEAT_OK);
  CHECK_EQ(finished, 1);
}
TEST_GO(keep_going_lets_the_siblings_finish) {
  leat_scope(s);
  leat_keep_going(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  for (int i = 0; i < 10; i++) leat_go(s, run_after, leat_rx_of(gate));
  leat_go(s, fail_with, LEAT_FAILED, "it");
  UNTIL(leat_failure_of(s) != NULL);
  CHECK_EQ(leat_scope_status(s), LEAT_OK);
  leat_go(s, return_status, LEAT_INVALID);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_FAILED); /* the first */
  CHECK_EQ(finished, 10);
  CHECK_STR(leat_failure_of(s)->message, "cannot do it");
}
LEAT_FN_ERR(return_its_cancel) { return leat_sleep(LEAT_SECONDS(1000)); }
TEST_GO(returning_ones_cancel_is_no_failure) {
  leat_scope(s);
  leat_go(s, return_its_cancel);
  wait_blocked("return_its_cancel", 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK(leat_failure_of(s) == NULL);
}
TEST_GO(returning_ones_deadline_is_no_failure) {
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(2)), LEAT_OK);
  leat_go(s, return_its_cancel);
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
  CHECK(leat_failure_of(s) == NULL);
}
TEST_GO(a_cancel_that_is_not_the_scopes_is_a_failure) {
  leat_scope(s);
  leat_go(s, return_status, LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK(leat_failure_of(s) != NULL);
}

/* Panics. */

LEAT_FN(close_twice) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_close(c);
  leat_close(c);
  CHECK(!"reached");
}
TEST_GO(a_panic_is_a_failure_that_wait_returns) {
  leat_scope(s);
  leat_go(s, wait_for_cancel, LEAT_CANCELED);
  leat_go(s, close_twice);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->name, "close_twice");
  CHECK(strstr(leat_failure_of(s)->message, "clos") != NULL);
  CHECK_EQ(canceled, 1);
}
LEAT_FN(does_not_wait) {
  leat_scope(s);
  leat_go(s, close_twice);
  UNTIL(leat_failure_of(s) != NULL);
}
TEST_GO(a_panic_that_no_wait_returned_goes_on_to_the_owner) {
  leat_scope(s);
  leat_go(s, does_not_wait);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "clos") != NULL);
}
LEAT_FN(waits_too_early) {
  leat_scope(s);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_go(s, close_twice);
  UNTIL(leat_failure_of(s) != NULL);
}
TEST_GO(a_panic_after_the_last_wait_goes_on_to_the_owner) {
  leat_scope(s);
  leat_go(s, waits_too_early);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
}
TEST_GO_DIES(a_panic_that_nobody_waits_for_ends_the_process, "close_twice", "scope.c:", "clos") {
  leat_scope(s);
  leat_go(s, does_not_wait);
  UNTIL(leat_failure_of(s) != NULL);
}
TEST_GO_DIES(a_panic_of_the_main_goroutine_ends_the_process, "clos", "scope.c:") {
  close_twice();
}

/* A goroutine that does not look at its statuses cannot hang a join. */

LEAT_FN(ignorant, int, how) {
  int_chan nil = NULL;
  for (;;) {
    int v = 1;
    size_t n;
    switch (how) {
    case 0: leat_recv(nil, &v); break;
    case 1: leat_send(nil, v); break;
    case 2: leat_select(leat_on_recv(nil, &v), leat_on_send(nil, 1)); break;
    case 3: leat_sleep(LEAT_SECONDS(1000)); break;
    case 4: leat_recv_n(nil, &v, 1, &n); break;
    case 5: leat_send_n(nil, &v, 1, &n); break;
    case 6: leat_range(int, x, nil) v = x; break;
    case 7: leat_discard(nil); break;
    case 8: leat_recv_until(nil, LEAT_NEVER, &v); break;
    case 9: { /* a scope of one's own does not hide it */
      leat_scope(s);
      leat_recv(nil, &v);
      break;
    }
    }
  }
}
static void check_ignorant(int how, bool by_deadline) {
  leat_scope(s);
  leat_go(s, ignorant, how);
  wait_blocked("ignorant", 1);
  if (by_deadline) CHECK_EQ(leat_set_timeout(s, 1), LEAT_OK);
  else leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(leat_failure_of(s) != NULL);
  CHECK_STR(leat_failure_of(s)->name, "ignorant");
  CHECK(strstr(leat_failure_of(s)->birthplace, "scope.c:") != NULL);
}
TEST_GO(who_ignores_being_cancelled_is_failed_by_name) {
  for (int how = 0; how < 10; how++) check_ignorant(how, false);
}
LEAT_FN(counts_answers) {
  int_chan nil = NULL;
  int v;
  for (;; ran++) leat_recv(nil, &v);
}
TEST_GO(a_thousand_in_a_row_are_too_many) {
  leat_scope(s);
  leat_go(s, counts_answers);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(ran, 999);
}
TEST_GO(who_ignores_a_deadline_is_failed_by_name) { check_ignorant(0, true); }
LEAT_FN(slow_to_notice) {
  int_chan nil = NULL;
  int v;
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 500; i++) CHECK_EQ(leat_recv(nil, &v), LEAT_CANCELED);
    leat_shield(s);
    CHECK_EQ(leat_sleep(1), LEAT_OK); /* so they are not in a row */
  }
  finished++;
}
TEST_GO(who_notices_in_the_end_is_not_failed) {
  leat_scope(s);
  leat_go(s, slow_to_notice);
  wait_blocked("slow_to_notice", 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(finished, 1);
}

/* Shields. */

LEAT_FN(clean_up_in_shield, leat_chan(int), log) {
  int_chan nil = NULL;
  CHECK_EQ(leat_send(nil, 1), LEAT_CANCELED);
  {
    leat_shield(s);
    CHECK_EQ(leat_scope_status(s), LEAT_OK);
    CHECK_EQ(leat_send(log, 1), LEAT_OK);
    CHECK_EQ(leat_sleep(LEAT_US(10)), LEAT_OK);
    leat_scope(below);
    CHECK_EQ(leat_send(log, 2), LEAT_OK);
    leat_go(below, run_once);
    CHECK_EQ(leat_wait(below), LEAT_OK);
  }
  CHECK_EQ(leat_send(log, 3), LEAT_CANCELED);
  finished++;
}
TEST_GO(a_shield_masks_cancellation) {
  leat_scope(outer);
  int_chan log = leat_chan_make(outer, int, 10);
  {
    leat_scope(s);
    leat_go(s, clean_up_in_shield, log);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(finished, 1);
  CHECK_EQ(ran, 1);
  {
    leat_scope(s);
    leat_go(s, clean_up_in_shield, log);
    wait_blocked("clean_up_in_shield", 1);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(finished, 2);
  CHECK_EQ(leat_len(log), 4);
}
LEAT_FN(wait_in_shield, leat_rx(char), gate, leat_tx(char), waiting) {
  leat_shield(s);
  leat_close(waiting);
  char c;
  CHECK_EQ(leat_recv(gate, &c), LEAT_CLOSED);
  finished++;
}
TEST_GO(what_waits_in_a_shield_is_not_woken_by_a_cancel) {
  leat_scope(outer);
  leat_chan(char) gate = leat_chan_make(outer, char, 0), waiting = leat_chan_make(outer, char, 0);
  leat_scope(s);
  leat_go(s, wait_in_shield, leat_rx_of(gate), leat_tx_of(waiting));
  char c;
  CHECK_EQ(leat_recv(waiting, &c), LEAT_CLOSED);
  wait_blocked("wait_in_shield", 1);
  leat_cancel(s);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(finished, 0);
  leat_close(gate);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(finished, 1);
}
TEST_GO(a_shield_has_a_limit_of_its_own) {
  leat_scope(s);
  leat_cancel(s);
  leat_shield(clean_up);
  CHECK_EQ(leat_set_timeout(clean_up, LEAT_MS(2)), LEAT_OK);
  CHECK_EQ(leat_sleep(LEAT_SECONDS(1000)), LEAT_DEADLINE);
}

/* Services. */

LEAT_FN(heartbeat, leat_chan(int), beats) {
  for (int i = 0;; i++) {
    if (leat_send(beats, i) != LEAT_OK) {
      canceled++;
      return;
    }
  }
}
TEST_GO(services_do_not_hold_up_a_wait_and_end_with_the_scope) {
  {
    leat_scope(s);
    int_chan beats = leat_chan_make(s, int, 0);
    leat_service(s, heartbeat, beats);
    leat_go_with(s, ((leat_go_options){.service = 1, .name = "second"}), heartbeat, beats);
    leat_go(s, run_once);
    int v;
    CHECK_EQ(leat_recv(beats, &v), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(ran, 1);
    CHECK_EQ(leat_scope_goroutines(s), 2);
    CHECK_EQ(leat_recv(beats, &v), LEAT_OK); /* it beats on */
    CHECK_EQ(canceled, 0);
  }
  CHECK_EQ(canceled, 2);
}
TEST_GO(the_failure_of_a_service_fails_its_scope) {
  leat_scope(s);
  leat_service(s, fail_with, LEAT_FAILED, "serve");
  leat_go(s, wait_for_cancel, LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_EQ(canceled, 1);
}

/* Tasks. */

TEST_GO(joining_gives_status_and_message) {
  leat_scope(s);
  leat_keep_going(s);
  leat_task *good = leat_spawn(s, run_once), *bad = leat_spawn(s, fail_with, LEAT_SYSTEM(2), "this"), *worse = leat_spawn(s, close_twice);
  CHECK_EQ(leat_join(worse), LEAT_PANIC);
  CHECK_EQ(leat_join(bad), LEAT_SYSTEM(2));
  CHECK_EQ(leat_join(good), LEAT_OK);
  CHECK_EQ(leat_join(good), LEAT_OK);
  CHECK_EQ(ran, 1);
  CHECK_STR(leat_task_message(good), "");
  CHECK_STR(leat_task_message(bad), "cannot do this");
  CHECK(strstr(leat_task_message(worse), "clos") != NULL);
  CHECK(leat_wait(s) != LEAT_OK);
}
LEAT_FN(join_from_elsewhere, leat_task *, t) {
  CHECK_EQ(leat_join(t), LEAT_OK);
  finished++;
}
TEST_GO(any_number_may_join_a_task) {
  leat_scope(s);
  leat_chan(char) gate = leat_chan_make(s, char, 0);
  leat_task *t = leat_spawn(s, run_after, leat_rx_of(gate));
  for (int i = 0; i < 10; i++) leat_go(s, join_from_elsewhere, t);
  wait_blocked("join_from_elsewhere", 10);
  CHECK_EQ(finished, 0);
  leat_close(gate);
  CHECK_EQ(leat_join(t), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(finished, 11);
}
LEAT_FN(join_while_cancelled, leat_task *, t) {
  CHECK_EQ(leat_join(t), LEAT_OK);
  finished++;
}
LEAT_FN(join_oneself, leat_rx(leat_task *), of_mine) {
  leat_task *mine;
  if (leat_recv(of_mine, &mine) == LEAT_OK) leat_join(mine);
}
TEST_GO(joining_oneself_is_misuse) {
  leat_scope(s);
  leat_chan(leat_task *) c = leat_chan_make(s, leat_task *, 1);
  leat_send(c, leat_spawn(s, join_oneself, leat_rx_of(c)));
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "wait for itself") != NULL);
}
TEST_GO(a_join_waits_on_when_the_caller_is_cancelled) {
  leat_scope(outer);
  leat_chan(char) gate = leat_chan_make(outer, char, 0);
  leat_task *t = leat_spawn(outer, run_after, leat_rx_of(gate));
  {
    leat_scope(s);
    leat_go(s, join_while_cancelled, t);
    wait_blocked("join_while_cancelled", 1);
    leat_cancel(s);
    for (int i = 0; i < 20; i++) pause_a_moment();
    CHECK_EQ(finished, 0);
    leat_close(gate);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(finished, 2);
  CHECK_EQ(canceled, 0);
}
