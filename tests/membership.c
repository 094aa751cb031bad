/* Who belongs to a scope: counts that workers hold on credit are exact whenever anybody looks, hold up no join, and every goroutine that waits is
 * found by a cancel, whenever it waits for the first time. */
#include "wait.h"

#include <pthread.h>

static atomic_int ran, canceled;
static atomic_bool go_on;
typedef leat_chan(int) int_chan;

LEAT_FN(receives_one, leat_rx(int), in) {
  int v;
  if (leat_recv(in, &v) == LEAT_CANCELED) canceled++;
  ran++;
}
TEST_GO(the_count_is_exact_after_each_start_and_end) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (size_t n = 1; n <= 200; n++) {
    leat_go(s, receives_one, leat_rx_of(c));
    CHECK_EQ(leat_scope_goroutines(s), n);
  }
  for (size_t n = 200; n; n--) {
    CHECK_EQ(leat_send(c, 1), LEAT_OK);
    UNTIL(leat_scope_goroutines(s) == n - 1);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}

LEAT_FN(link_of_chain, const struct leat_scope *, s, int, left) {
  ran++;
  if (left) leat_go(s, link_of_chain, s, left - 1);
}
TEST_GO(chains_in_one_scope_on_several_workers) {
  enum { CHAINS = 8 };
  int length = (int)test_scale(20000);
  leat_scope(s);
  for (int i = 0; i < CHAINS; i++) leat_go(s, link_of_chain, s, length - 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, CHAINS * length);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}

/* Starters that go to and fro between two scopes, so that credit is given back and taken at each step. */
LEAT_FN(counts_itself) { ran++; }
LEAT_FN(starts_in_both, const struct leat_scope *, outer, int, times) {
  leat_scope(inner);
  for (int i = 0; i < times; i++) {
    leat_go(outer, counts_itself);
    leat_go(inner, counts_itself);
    if (i % 7 == 0) CHECK_EQ(leat_wait(inner), LEAT_OK);
  }
}
TEST_GO(two_scopes_in_turn) {
  enum { STARTERS = 10 };
  int times = (int)test_scale(3000);
  leat_scope(s);
  for (int i = 0; i < STARTERS; i++) leat_go(s, starts_in_both, s, times);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 2 * STARTERS * times);
}

LEAT_FN(tree, int, depth) {
  ran++;
  if (!depth) return;
  leat_scope(s);
  for (int i = 0; i < 12; i++) leat_go(s, tree, depth - 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(trees_of_scopes) {
  leat_scope(s);
  leat_go(s, tree, 3);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1 + 12 + 144 + 1728);
}

/* A service that keeps its thread, after tasks have ended there, must not keep what they were counted by. */
LEAT_FN(computes_until_told) {
  while (!go_on) leat_checkpoint();
}
TEST_GO(a_service_that_computes_holds_up_no_wait) {
  for (int round = 0; round < 20; round++) {
    leat_scope(s);
    go_on = false;
    for (int i = 0; i < 20; i++) leat_go(s, counts_itself);
    leat_service(s, computes_until_told);
    for (int i = 0; i < 20; i++) leat_go(s, counts_itself);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(leat_scope_goroutines(s), 1);
    go_on = true;
  }
  CHECK_EQ(ran, 20 * 40);
}

/* Who computes, and stands for no part of the scope, as well: it is the next that its worker runs. */
LEAT_FN(joins_many, atomic_bool *, joined) {
  leat_scope(s);
  for (int i = 0; i < 100; i++) leat_go(s, counts_itself);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  *joined = true;
}
LEAT_FN(computes_until, atomic_bool *, joined) {
  while (!*joined) leat_checkpoint();
}
TEST_GO(a_stranger_that_computes_holds_up_no_wait) {
  for (int round = 0; round < 50; round++) {
    atomic_bool joined = false;
    leat_scope(s);
    leat_go(s, joins_many, &joined);
    leat_go(s, computes_until, &joined);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* Whenever the cancel comes: before they run, while they park for the first time, when they have. */
LEAT_FN(waits_after, int_chan, never, int, spins) {
  for (volatile int i = 0; i < spins; i++) {}
  int v;
  if (leat_recv(never, &v) == LEAT_CANCELED) canceled++;
}
TEST_GO(a_cancel_finds_all_whenever_they_first_wait) {
  enum { MEMBERS = 30 };
  int rounds = (int)test_scale(2000);
  for (int round = 0; round < rounds; round++) {
    leat_scope(s);
    int_chan never = leat_chan_make(s, int, 0);
    int started = 0;
    for (int i = 0; i < MEMBERS; i++) started += leat_go(s, waits_after, never, (round * 7 + i * 13) % 200) == LEAT_OK;
    for (volatile int i = 0; i < round % 500; i++) {}
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(started, MEMBERS);
  }
  CHECK_EQ(canceled, rounds * MEMBERS);
}

/* Starts are refused, on credit too, once the scope is cancelled. */
TEST_GO(no_start_on_credit_in_a_cancelled_scope) {
  leat_scope(s);
  for (int i = 0; i < 20; i++) CHECK_EQ(leat_go(s, counts_itself), LEAT_OK);
  leat_cancel(s);
  CHECK_EQ(leat_go(s, counts_itself), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(ran, 20);
}

/* Plain threads start beside the owner: they have no credit. */
static void *starts_from_outside(void *scope) {
  for (int i = 0; i < 500; i++) CHECK_EQ(leat_go((const struct leat_scope *)scope, counts_itself), LEAT_OK);
  return NULL;
}
TEST_GO(plain_threads_start_in_the_same_scope) {
  leat_scope(s);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, starts_from_outside, s), 0);
  for (int i = 0; i < 500; i++) leat_go(s, counts_itself);
  leat_blocking {
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 2000);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}

/* Failures, tasks and panics among those on credit come out of the join. */
LEAT_FN_ERR(fails_at, int, i) { return i == 77 ? leat_fail(LEAT_FAILED, "number %d", i) : LEAT_OK; }
TEST_GO(a_failure_among_many) {
  leat_scope(s);
  leat_keep_going(s);
  for (int i = 0; i < 200; i++) leat_go(s, fails_at, i);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK(strstr(leat_failure_of(s)->message, "number 77"));
}

/* A start that fails is taken back by one who is no part of the scope: what it was counted by must not stay on his worker. */
static _Atomic(const struct leat_scope *) theirs;
static atomic_bool failed_start, joined;
LEAT_FN(fails_to_start_there, int, most) {
  while (!theirs) leat_checkpoint();
  int status = LEAT_OK;
  for (int i = 0; i < most && status == LEAT_OK; i++) status = leat_go_with(theirs, ((leat_go_options){.pinned = 1}), counts_itself);
  CHECK_EQ(status, LEAT_NOMEM);
  failed_start = true;
  while (!joined) leat_checkpoint();
}
LEAT_FN(joins_its_own) {
  {
    leat_scope(s);
    leat_keep_going(s); /* the start that fails is a failure of the scope */
    for (int i = 0; i < 20; i++) leat_go(s, counts_itself);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    theirs = s;
    while (!failed_start) leat_checkpoint();
  }
  joined = true;
}
TEST(a_pinned_start_that_fails_holds_up_no_join) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2, .max_threads = 2}), LEAT_OK);
  {
    leat_scope(s);
    leat_go(s, joins_its_own);
    leat_go(s, fails_to_start_there, 10);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}

/* Whatever credit comes and goes meanwhile, nobody reads more goroutines than there ever were. */
static atomic_bool stop_reading;
static void *reads_the_count(void *scope) {
  while (!stop_reading) CHECK(leat_scope_goroutines((leat_view)scope) < 200);
  return NULL;
}
LEAT_FN(starts_in_its_own, int, n) {
  leat_scope(t);
  for (int i = 0; i < n; i++) leat_go(t, counts_itself);
  CHECK_EQ(leat_wait(t), LEAT_OK);
}
TEST_GO(the_count_is_sane_at_any_moment) {
  int rounds = (int)test_scale(5000);
  leat_scope(s);
  pthread_t reader;
  CHECK_EQ(pthread_create(&reader, NULL, reads_the_count, s), 0);
  for (int r = 0; r < rounds; r++) {
    leat_go(s, starts_in_its_own, 50);
    for (int i = 0; i < 30; i++) leat_go(s, counts_itself);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  stop_reading = true;
  leat_blocking CHECK_EQ(pthread_join(reader, NULL), 0);
}
