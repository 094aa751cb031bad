/* Roll-back: what is undone and in which order, on each way out and at each point, what a commit puts off, time, failures of what undoes, misuse, storms. */
#include "wait.h"

#include <pthread.h>

static char said[200];
static void say(char c) {
  size_t n = strlen(said);
  CHECK(n + 1 < sizeof said);
  said[n] = c;
  said[n + 1] = 0;
}
LEAT_FN(unsay, char, c) { say(c); }
#define CHECK_SAID(text) (CHECK_STR(said, text), (void)(*said = 0))

/* Each way out. */

static int leaves_by(int way, struct leat_scope *s) {
  for (int i = 0; i < 2; i++) {
    leat_rollback(r, LEAT_SECONDS(1));
    CHECK_EQ(leat_undo(r, unsay, 'a'), LEAT_OK);
    CHECK_EQ(leat_undo(r, unsay, 'b'), LEAT_OK);
    if (i == 0 && way == 1) continue;
    if (way == 2) break;
    if (way == 3) return 7;
    if (way == 4) goto out;
    if (way == 5) leat_panic("as planned");
    if (way == 6) leat_goexit();
    if (way == 7) leat_cancel(s);
    int status = leat_commit(r);
    CHECK_EQ(status, way == 7 ? LEAT_CANCELED : LEAT_OK);
    return status;
  }
out:
  return 0;
}
LEAT_FN_ERR(leave, int, way) {
  leat_scope(s);
  int status = leaves_by(way, s);
  return way == 7 ? leat_wait(s) == LEAT_CANCELED ? LEAT_OK : LEAT_FAILED : status;
}
TEST_GO(each_way_out_but_the_commit_undoes) {
  const char *expected[] = {"", "ba", "ba", "ba", "ba", "ba", "ba", "ba"};
  const int statuses[] = {LEAT_OK, LEAT_OK, LEAT_OK, 7, LEAT_OK, LEAT_PANIC, LEAT_OK, LEAT_OK};
  for (int way = 0; way < 8; way++) {
    leat_scope(s);
    leat_go(s, leave, way);
    CHECK_EQ(leat_wait(s), statuses[way]);
    CHECK_SAID(expected[way]);
  }
}
TEST_GO(a_commit_forgets_and_the_list_can_be_used_again) {
  {
    leat_rollback(r, LEAT_SECONDS(1));
    CHECK_EQ(leat_commit(r), LEAT_OK); /* of nothing */
    for (char c = 'a'; c < 'd'; c++) {
      CHECK_EQ(leat_undo(r, unsay, c), LEAT_OK);
      CHECK_EQ(leat_commit(r), LEAT_OK);
    }
    CHECK_EQ(leat_undo(r, unsay, 'z'), LEAT_OK);
  }
  CHECK_SAID("z");
}
TEST_GO(by_hand) {
  leat_rollback(r, LEAT_SECONDS(1));
  for (char c = 'a'; c < 'd'; c++) CHECK_EQ(leat_undo(r, unsay, c), LEAT_OK);
  CHECK_EQ(leat_undo_all(r), LEAT_OK);
  CHECK_SAID("cba");
  CHECK_EQ(leat_undo_all(r), LEAT_OK);
  CHECK_EQ(leat_undo(r, unsay, 'd'), LEAT_OK);
  CHECK_EQ(leat_commit(r), LEAT_OK);
  CHECK_SAID("");
}
TEST_GO(an_inner_one_is_done_for_when_it_is_committed) {
  {
    leat_rollback(outer, LEAT_SECONDS(1));
    CHECK_EQ(leat_undo(outer, unsay, 'a'), LEAT_OK);
    {
      leat_rollback(inner, LEAT_SECONDS(1));
      CHECK_EQ(leat_undo(inner, unsay, 'b'), LEAT_OK);
      CHECK_EQ(leat_commit(inner), LEAT_OK);
    }
    {
      leat_rollback(inner, LEAT_SECONDS(1));
      CHECK_EQ(leat_undo(inner, unsay, 'c'), LEAT_OK);
    }
    CHECK_SAID("c");
  }
  CHECK_SAID("a");
}

/* Many, and large ones. */

static int next_expected;
LEAT_FN(count_down, int, n) { CHECK_EQ(n, --next_expected); }
struct large { char bytes[3000]; };
LEAT_FN(check_large, struct large, l, int, n) {
  CHECK_EQ(l.bytes[2999], n % 100);
  CHECK_EQ(n, --next_expected);
}
TEST_GO(any_number_of_them) {
  for (int commit = 0; commit < 2; commit++) {
    enum { N = 2000 };
    {
      leat_rollback(r, LEAT_SECONDS(10));
      for (int i = 0; i < N; i++) {
        struct large l = {{0}};
        l.bytes[2999] = (char)(i % 100);
        if (i % 50) CHECK_EQ(leat_undo(r, count_down, i), LEAT_OK);
        else CHECK_EQ(leat_undo(r, check_large, l, i), LEAT_OK);
      }
      next_expected = N;
      if (commit) CHECK_EQ(leat_commit(r), LEAT_OK);
    }
    CHECK_EQ(next_expected, commit ? N : 0);
  }
}
static int nothing_to_take(void *args) {
  (void)args;
  say('!');
  return LEAT_OK;
}
TEST_GO(what_cannot_be_noted_is_undone_at_once) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind()) TEST_SKIP("asks for more memory than there is");
  static const struct leat_i_fn huge = {nothing_to_take, "huge", (size_t)1 << 60, 0};
  {
    leat_rollback(r, LEAT_SECONDS(1));
    CHECK_EQ(leat_undo(r, unsay, 'a'), LEAT_OK);
    CHECK_EQ(leat_i_note(r, &huge, "", 0), LEAT_NOMEM);
    CHECK_SAID("!");
    CHECK_EQ(leat_i_note(r, &huge, "", 1), LEAT_NOMEM);
    CHECK_SAID("");
  }
  CHECK_SAID("a");
}

/* Cancelled at each point: all or nothing. */

static atomic_int balance[2];
static int point, points; /* where it is to end; how many there are */
static enum { BY_CANCEL, BY_DEADLINE, BY_PANIC, BY_STATUS } end_by;
LEAT_FN(add, int, account, int, n) { balance[account] += n; }
static int come_by(struct leat_scope *s) {
  if (points++ == point) {
    if (end_by == BY_CANCEL) leat_cancel(s);
    if (end_by == BY_DEADLINE) leat_set_deadline(s, 1);
    if (end_by == BY_PANIC) leat_panic("at point %d", point);
    if (end_by == BY_STATUS) return LEAT_FAILED;
  }
  return leat_yield(); /* answers the scope's status */
}
LEAT_FN(publish, int, n) { balance[1] += n; }
static int transfer(struct leat_scope *s, int n) {
  int status;
  leat_rollback(r, LEAT_SECONDS(1));
  if ((status = come_by(s))) return status;
  balance[0] -= n;
  if ((status = leat_undo(r, add, 0, n))) return status;
  if ((status = come_by(s))) return status;
  balance[1] += 2 * n;
  if ((status = leat_undo(r, add, 1, -2 * n))) return status;
  if ((status = come_by(s))) return status;
  balance[1] -= 2 * n;
  if ((status = leat_undo(r, add, 1, 2 * n))) return status;
  if ((status = leat_at_commit(r, publish, n))) return status;
  if ((status = come_by(s))) return status;
  return leat_commit(r);
}
LEAT_FN_ERR(run_transfer, int, n) {
  leat_scope(s);
  int status = transfer(s, n);
  int joined = leat_wait(s);
  CHECK_EQ(status, point < 4 ? end_by == BY_STATUS ? LEAT_FAILED : joined : LEAT_OK);
  if (point < 4) CHECK(status != LEAT_OK);
  return LEAT_OK;
}
TEST_GO(ended_at_each_point_it_is_all_or_nothing) {
  for (end_by = BY_CANCEL; end_by <= BY_STATUS; end_by++)
    for (point = 0; point < 5; point++) {
      leat_scope(s);
      balance[0] = balance[1] = 100;
      points = 0;
      leat_go(s, run_transfer, 30);
      CHECK_EQ(leat_wait(s), end_by == BY_PANIC && point < 4 ? LEAT_PANIC : LEAT_OK);
      CHECK_EQ(balance[0], point < 4 ? 100 : 70);
      CHECK_EQ(balance[1], point < 4 ? 100 : 130);
    }
}
LEAT_FN_ERR(change_and_wait, leat_rx(int), in) {
  int v;
  leat_rollback(r, LEAT_SECONDS(1));
  balance[0] = 1;
  CHECK_EQ(leat_undo(r, add, 0, -1), LEAT_OK);
  int status = leat_recv(in, &v);
  return status ? status : leat_commit(r);
}
TEST_GO(cancelled_while_it_waits) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 0);
  leat_go(s, change_and_wait, leat_rx_of(c));
  wait_blocked("change_and_wait", 1);
  CHECK_EQ(balance[0], 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(balance[0], 0);
}
TEST_GO(in_a_shield_it_can_be_committed) {
  leat_scope(s);
  leat_cancel(s);
  leat_rollback(r, LEAT_SECONDS(1));
  CHECK_EQ(leat_undo(r, unsay, 'a'), LEAT_OK);
  {
    leat_shield(t);
    CHECK_EQ(leat_commit(r), LEAT_OK);
  }
  CHECK_SAID("");
}

/* Commits. */

LEAT_FN_ERR(do_late, struct leat_rollback *, r, char, c, int, status) {
  if (status) return status;
  say(c);
  return leat_undo(r, unsay, (char)(c - 'a' + 'A'));
}
TEST_GO(what_is_put_off_is_done_by_the_commit_in_order) {
  {
    leat_rollback(r, LEAT_SECONDS(1));
    for (char c = 'a'; c < 'd'; c++) CHECK_EQ(leat_at_commit(r, do_late, r, c, LEAT_OK), LEAT_OK);
    CHECK_EQ(leat_undo(r, unsay, 'Z'), LEAT_OK);
    CHECK_SAID("");
    CHECK_EQ(leat_commit(r), LEAT_OK);
    CHECK_SAID("abc");
    CHECK_EQ(leat_at_commit(r, unsay, 'x'), LEAT_OK); /* never committed */
  }
  CHECK_SAID("");
}
TEST_GO(what_fails_in_a_commit_undoes_what_it_has_done) {
  leat_rollback(r, LEAT_SECONDS(1));
  CHECK_EQ(leat_undo(r, unsay, 'Z'), LEAT_OK);
  for (char c = 'a'; c < 'e'; c++) CHECK_EQ(leat_at_commit(r, do_late, r, c, c == 'c' ? LEAT_FULL : LEAT_OK), LEAT_OK);
  CHECK_EQ(leat_commit(r), LEAT_FULL);
  CHECK_SAID("abBAZ");
  CHECK_EQ(leat_commit(r), LEAT_OK); /* of nothing */
}
LEAT_FN(panic_late, int, n) { leat_panic("late %d", n); }
LEAT_FN(commit_panics, int, n) {
  leat_rollback(r, LEAT_SECONDS(1));
  leat_undo(r, unsay, 'Z');
  leat_at_commit(r, do_late, r, 'a', LEAT_OK);
  leat_at_commit(r, panic_late, n);
  leat_at_commit(r, unsay, 'x');
  CHECK(leat_commit(r) != LEAT_OK);
}
TEST_GO(a_panic_in_a_commit_undoes_too) {
  CHECK_PANICS("late 3", commit_panics, 3);
  CHECK_SAID("aAZ");
}
LEAT_FN_ERR(sleep_late, int64_t, time) { return leat_sleep(time); }
TEST_GO(a_commit_has_its_time) {
  leat_rollback(r, LEAT_MS(3));
  CHECK_EQ(leat_undo(r, unsay, 'Z'), LEAT_OK);
  CHECK_EQ(leat_at_commit(r, sleep_late, LEAT_SECONDS(1000)), LEAT_OK);
  CHECK_EQ(leat_commit(r), LEAT_DEADLINE);
  CHECK_SAID("Z");
}

/* Undoing: it may block, has its time, and may fail. */

LEAT_FN_ERR(undo_by_sending, leat_tx(int), out, int, n) { return leat_send(out, n); }
LEAT_FN_ERR(cancelled_with_a_channel, leat_tx(int), out) {
  leat_rollback(r, LEAT_SECONDS(100));
  for (int i = 0; i < 3; i++) CHECK_EQ(leat_undo(r, undo_by_sending, out, i), LEAT_OK);
  return leat_sleep(LEAT_SECONDS(1000));
}
TEST_GO(what_undoes_may_block_in_a_cancelled_scope) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 0);
  leat_scope(t);
  leat_go(t, cancelled_with_a_channel, leat_tx_of(c));
  wait_blocked("cancelled_with_a_channel", 1);
  leat_cancel(t);
  for (int i = 2; i >= 0; i--) {
    int v;
    leat_shield(apart);
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  CHECK_EQ(leat_wait(t), LEAT_CANCELED);
}
LEAT_FN_ERR(undo_slowly, char, c) {
  say(c);
  return leat_sleep(LEAT_SECONDS(1000));
}
LEAT_FN(takes_too_long, int, n) {
  leat_rollback(r, LEAT_MS(3));
  for (int i = 0; i < n; i++) leat_undo(r, undo_slowly, (char)('a' + i));
}
TEST_GO(after_its_time_nothing_blocks_and_all_are_called) {
  leat_scope(s);
  int64_t start = leat_now();
  leat_go(s, takes_too_long, 3);
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
  CHECK(leat_now() - start >= LEAT_MS(3));
  CHECK_SAID("cba");
  CHECK(strstr(leat_failure_of(s)->message, "are not undone: undo_slowly answered") != NULL);
}
LEAT_FN_ERR(fail_to_undo, int, status) { return status; }
TEST_GO(a_failure_to_undo_fails_the_scope_and_the_others_are_called) {
  leat_scope(s);
  {
    leat_rollback(r, LEAT_SECONDS(1));
    leat_undo(r, unsay, 'a');
    leat_undo(r, fail_to_undo, LEAT_FULL);
    leat_undo(r, fail_to_undo, LEAT_EMPTY);
    leat_undo(r, unsay, 'b');
  }
  CHECK_SAID("ba");
  CHECK_EQ(leat_wait(s), LEAT_EMPTY); /* the first that failed */
}
TEST_GO(by_hand_the_failure_is_the_answer) {
  leat_scope(s);
  {
    leat_rollback(r, LEAT_SECONDS(1));
    leat_undo(r, unsay, 'a');
    leat_undo(r, fail_to_undo, LEAT_FULL);
    CHECK_EQ(leat_undo_all(r), LEAT_FULL);
    CHECK_EQ(leat_undo_all(r), LEAT_OK);
  }
  CHECK_SAID("a");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(undo_with_a_panic, int, n) { leat_panic("undo %d", n); }
LEAT_FN(undoes_with_panics, int, way) {
  leat_rollback(outer, LEAT_SECONDS(1));
  leat_undo(outer, unsay, 'a');
  leat_rollback(r, LEAT_SECONDS(1));
  for (int i = 0; i < 20; i++) leat_undo(r, unsay, 'b'); /* more than have room in the frame */
  leat_undo(r, undo_with_a_panic, 1);
  leat_undo(r, unsay, 'c');
  leat_undo(r, undo_with_a_panic, 2);
  if (way == 1) leat_panic("the first");
  if (way == 2) leat_goexit();
  if (way == 3) CHECK(leat_undo_all(r) != LEAT_OK);
}
TEST_GO(a_panic_in_what_undoes_does_not_keep_the_others_from_it) {
  for (int way = 0; way < 4; way++) {
    CHECK_PANICS(way == 1 ? "the first" : "undo 2", undoes_with_panics, way);
    CHECK_SAID("cbbbbbbbbbbbbbbbbbbbba");
  }
}

/* Misuse. */

LEAT_FN(note_for_another, struct leat_rollback *, r) { leat_undo(r, unsay, 'x'); }
LEAT_FN(commit_for_another, struct leat_rollback *, r) { CHECK(leat_commit(r)); }
TEST_GO(another_goroutine_s_is_misuse) {
  leat_rollback(r, LEAT_SECONDS(1));
  CHECK_PANICS("leat_undo: the leat_rollback of", note_for_another, r);
  CHECK_PANICS("leat_commit: the leat_rollback of", commit_for_another, r);
}
LEAT_FN(note_more, struct leat_rollback *, r) { leat_undo(r, unsay, 'x'); }
LEAT_FN(note_while_undoing, int, n) {
  leat_rollback(r, LEAT_SECONDS(n));
  leat_undo(r, unsay, 'a');
  leat_undo(r, note_more, r);
}
LEAT_FN_ERR(commit_again, struct leat_rollback *, r) { return leat_commit(r); }
LEAT_FN(commit_in_commit, int, n) {
  leat_rollback(r, LEAT_SECONDS(n));
  leat_undo(r, unsay, 'a');
  leat_at_commit(r, commit_again, r);
  CHECK(leat_commit(r));
}
TEST_GO(to_note_while_undoing_and_to_commit_in_a_commit_is_misuse) {
  CHECK_PANICS("is being undone", note_while_undoing, 1);
  CHECK_SAID("a");
  CHECK_PANICS("leat_commit in a function of that commit", commit_in_commit, 1);
  CHECK_SAID("a");
}

/* Plain threads. */

static void *on_a_thread(void *unused) {
  {
    leat_rollback(r, LEAT_SECONDS(1));
    CHECK_EQ(leat_undo(r, unsay, 'a'), LEAT_OK);
    CHECK_EQ(leat_undo(r, unsay, 'b'), LEAT_OK);
  }
  return unused;
}
TEST_GO(on_a_plain_thread) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, on_a_thread, NULL), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_SAID("ba");
}

/* Storm: transfers between accounts that are cancelled, fail and panic: the sum stays. */

enum { ACCOUNTS = 8 };
static atomic_long accounts[ACCOUNTS];
LEAT_FN(credit, int, account, long, n) { accounts[account] += n; }
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}
LEAT_FN_ERR(move_money, uint32_t, seed) {
  leat_rollback(r, LEAT_SECONDS(1));
  for (int i = (int)(next_random(&seed) % 12); i >= 0; i--) {
    int from = (int)(next_random(&seed) % ACCOUNTS), to = (int)(next_random(&seed) % ACCOUNTS), status;
    long n = next_random(&seed) % 1000;
    credit(from, -n);
    if ((status = leat_undo(r, credit, from, n))) return status;
    if ((status = leat_yield())) return status;
    if (next_random(&seed) % 100 == 0) return LEAT_FAILED;
    if (next_random(&seed) % 2000 == 0) leat_goexit();
    if (next_random(&seed) % 2) {
      credit(to, n);
      if ((status = leat_undo(r, credit, to, -n))) return status;
    } else if ((status = leat_at_commit(r, credit, to, n))) {
      return status;
    }
  }
  return leat_commit(r);
}
TEST_GO(storm) {
  uint32_t seed = 1;
  CHECK_EQ(leat_set_workers(4), LEAT_OK);
  for (int64_t k = test_scale(200) + 5; k; k--) {
    leat_scope(s);
    if (k % 2) leat_keep_going(s);
    for (int i = 0; i < 20; i++) leat_go(s, move_money, next_random(&seed));
    for (uint32_t i = next_random(&seed) % 20; i; i--) leat_yield();
    if (k % 3 == 0) leat_cancel(s);
    int status = leat_wait(s);
    CHECK(status == LEAT_OK || status == LEAT_FAILED || status == LEAT_CANCELED);
    long sum = 0;
    for (int i = 0; i < ACCOUNTS; i++) sum += accounts[i];
    CHECK_EQ(sum, 0);
  }
}
