/* The end of contexts in which nothing goes on, which passes by cancels and joins, while others do all that could be in its way: cancel above, let
 * deadlines fire, dump the tree, start hooks, end the last goroutine. */
#include "context.h"
#include "inspect/scope_tree.h"
#include "runtime/lock.h"
#include "runtime/timer.h"

#include <pthread.h>

static uint32_t next_of(uint32_t *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

static uint64_t armed_timers(void) {
  struct timer_counts counts;
  leat_i_timers_count(&counts);
  return counts.now;
}
static uint64_t canceled_scopes(void) {
  leat_metrics m;
  leat_metrics_read(&m);
  return m.scopes_canceled;
}

/* ---- one at a time ---- */

/* One of each that can be quiet, in a tree. */
static struct leat_scope *make_quiet_tree(leat_view parent) {
  struct leat_scope *top = leat_with_cancel(parent), *timed = leat_with_timeout_because(with_user_id(top, 1), LEAT_SECONDS(1000), "because of %s", "that");
  struct leat_scope *without = leat_without_cancel(timed), *over = leat_with_cancel(timed), *below = leat_with_timeout(over, LEAT_SECONDS(1000));
  CHECK_EQ(leat_set_value(below, other_id, 2), LEAT_OK);
  leat_cancel_because(over, "a cause of %s", "its own");
  CHECK_EQ(leat_scope_status(below), LEAT_CANCELED);
  leat_with_cancel(without);
  for (int i = 0; i < 3; i++) leat_with_deadline(without, 1); /* has passed */
  return top;
}
TEST_GO(all_that_is_quiet_goes_with_its_block) {
  uint64_t armed = armed_timers();
  {
    leat_scope(s);
    make_quiet_tree(s);
    make_quiet_tree(leat_without_cancel(s));
    CHECK_EQ(armed_timers(), armed + 4);
  }
  CHECK_EQ(armed_timers(), armed);
}
TEST_GO(all_that_is_quiet_goes_with_a_release) {
  uint64_t armed = armed_timers();
  leat_scope(s);
  struct leat_scope *first = leat_with_cancel(s), *second = make_quiet_tree(s), *third = leat_with_timeout(s, LEAT_SECONDS(1000));
  leat_context_release(second);
  CHECK_EQ(n_children(s), 2);
  CHECK_EQ(armed_timers(), armed + 1);
  leat_context_release(third);
  leat_context_release(first);
  CHECK_EQ(n_children(s), 0);
  CHECK_EQ(armed_timers(), armed);
}
TEST_GO(an_end_counts_as_a_cancel_however_it_is_done) {
  uint64_t before = canceled_scopes();
  {
    leat_scope(s);
  }
  CHECK_EQ(canceled_scopes(), before);
  {
    leat_scope(s);
    leat_with_cancel(s);
  }
  CHECK_EQ(canceled_scopes(), before + 1);
  leat_scope(s);
  leat_context_release(leat_with_cancel(leat_with_cancel(s)));
  CHECK_EQ(canceled_scopes(), before + 2);
  struct leat_scope *over = leat_with_cancel(s);
  leat_cancel(over);
  CHECK_EQ(canceled_scopes(), before + 3);
  leat_context_release(over);
  CHECK_EQ(canceled_scopes(), before + 3);
}

static atomic_int dropped;
static void drop_and_start(int *id) {
  dropped += *id;
  CHECK_EQ(leat_go(NULL, run_once), LEAT_CANCELED); /* in the block, which is being left */
}
LEAT_CONTEXT_KEY_OWNED(owned_id, int, drop_and_start);
TEST_GO(a_function_that_drops_a_value_runs_in_a_cancelled_block) {
  {
    leat_scope(s);
    leat_with_cancel(with_owned_id(leat_with_cancel(s), 5));
  }
  CHECK_EQ(dropped, 5);
  CHECK_EQ(ran, 0);
}
TEST_GO(one_that_is_not_quiet_below_those_that_are) {
  {
    leat_scope(s);
    struct leat_scope *deep = leat_with_cancel(leat_with_timeout(make_quiet_tree(s), LEAT_SECONDS(1000)));
    make_quiet_tree(deep);
    leat_go(deep, wait_for_cancel, LEAT_CANCELED);
    make_quiet_tree(s);
    wait_blocked("wait_for_cancel", 1);
  }
  CHECK_EQ(canceled, 1);
  leat_scope(s);
  struct leat_scope *followed = leat_with_cancel(s), *follower = leat_with_cancel(s);
  leat_follow(follower, leat_with_cancel(leat_with_timeout(followed, LEAT_SECONDS(1000))));
  leat_context_release(followed);
  CHECK_EQ(leat_scope_status(follower), LEAT_CANCELED);
  CHECK_STR(leat_cause(follower), "the scope was left");
}

/* ---- all at once ---- */

static atomic_bool over;
static void *look_at_all(void *unused) {
  (void)unused;
  FILE *nowhere = fopen("/dev/null", "w");
  CHECK(nowhere != NULL);
  leat_leak_mark mark = leat_leak_now();
  while (!over) {
    leat_i_scope_tree_print(nowhere);
    leat_leak_each(mark, NULL, NULL);
    sched_yield();
  }
  fclose(nowhere);
  return NULL;
}
static void while_looked_at(void (*test)(int rounds), int rounds) {
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, look_at_all, NULL), 0);
  test(rounds);
  over = true;
  CHECK_EQ(pthread_join(t, NULL), 0);
}

LEAT_FN(nothing) {}
LEAT_FN(enters, atomic_int *, inside) {
  ++*inside;
  leat_yield();
  --*inside;
  ran++;
}
/* A tree below the parent, of what the seed says: mostly quiet. */
static void make_tree(leat_view parent, uint32_t *seed, int depth, atomic_int *inside) {
  for (int i = 0; i < 3; i++) {
    uint32_t r = next_of(seed);
    struct leat_scope *ctx = r & 1     ? leat_with_cancel(parent)
                             : r & 2   ? leat_with_timeout(parent, LEAT_US(r >> 3 & 63))
                             : r & 4   ? leat_without_cancel(parent)
                                       : leat_with_timeout_because(parent, LEAT_US(r >> 3 & 31), "its time is over");
    leat_view below = r & 1024 ? with_user_id(ctx, (int)r) : ctx;
    if (!(r >> 11 & 31)) leat_go(below, nothing);
    if (!(r >> 12 & 31)) leat_service(below, return_its_cancel);
    if (!(r >> 13 & 15)) leat_after_cancel(below, enters, inside);
    struct leat_scope *follower = r >> 14 & 15 ? NULL : leat_with_cancel(parent);
    if (follower) leat_follow(follower, below);
    if (!(r >> 16 & 7)) leat_cancel_because(ctx, "because of %d", (int)r);
    if (depth && r >> 17 & 1) make_tree(below, seed, depth - 1, inside);
    if (r >> 18 & 3) continue;
    if (follower) leat_context_release(follower);
    leat_context_release(ctx);
  }
}
LEAT_FN(make_and_leave, leat_view, shared, uint32_t, seed, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    atomic_int inside = 0;
    {
      leat_scope(s);
      make_tree(s, &seed, 2, &inside);
      bool was_over = leat_scope_status(shared);
      struct leat_scope *own = leat_with_cancel(shared);
      if (was_over) CHECK(leat_scope_status(own));
      for (int k = next_of(&seed) % 4; k > 0; k--) leat_with_timeout(own, LEAT_US(next_of(&seed) % 50));
      if (next_of(&seed) & 1) leat_yield();
      leat_context_release(own);
      if (next_of(&seed) & 1) make_tree(s, &seed, 1, &inside);
    }
    CHECK_EQ(inside, 0); /* hooks are joined */
  }
  finished++;
}
LEAT_FN(cancel_after, struct leat_scope *, ctx, int, times) {
  for (int i = 0; i < times; i++) leat_yield();
  leat_cancel(ctx);
}
/* Goroutines that make contexts and end them, in blocks of their own and below one that all share; all that is above is cancelled meanwhile. */
static void end_below_what_is_cancelled(int rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    struct leat_scope *top = leat_with_cancel(s), *shared = leat_with_cancel(top);
    for (uint32_t k = 0; k < 4; k++) leat_go(top, make_and_leave, shared, (uint32_t)i * 131 + k * 7919, 5);
    leat_go(s, cancel_after, shared, i % 11);
    leat_go(s, cancel_after, top, i % 17);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(n_children(shared), 0);
  }
  CHECK_EQ(finished, rounds * 4);
}
TEST_GO(contexts_end_while_others_cancel_above) { while_looked_at(end_below_what_is_cancelled, (int)test_scale(10000) / 20 + 2); }

/* The last goroutine of a context ends, is counted in its home, and that ends. */
static void end_when_the_last_has_ended(int rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(leat_with_timeout(s, LEAT_US(i % 40))), *below = leat_with_cancel(ctx);
    leat_go(below, nothing);
    leat_service(ctx, nothing);
    if (i % 3 == 0) CHECK(leat_wait(below) != LEAT_PANIC);
    if (i % 3 == 1) CHECK(leat_wait(s) != LEAT_PANIC);
    if (i % 4 == 0) leat_context_release(ctx);
  }
}
TEST_GO(contexts_end_when_their_last_goroutine_has) { while_looked_at(end_when_the_last_has_ended, (int)test_scale(20000)); }

/* Deadlines that fire during the end, with hooks, followers, and contexts below. */
static void end_at_the_deadline(int rounds) {
  for (int i = 0; i < rounds; i++) {
    atomic_int inside = 0;
    {
      leat_scope(s);
      struct leat_scope *ctx = leat_with_timeout(s, LEAT_US(i % 30)), *below = leat_with_timeout(leat_with_cancel(ctx), LEAT_US(i % 29));
      if (i % 5 == 0) leat_after_cancel(below, enters, &inside);
      if (i % 7 == 0) leat_follow(leat_with_cancel(s), below);
      if (i % 2) leat_set_timeout(s, LEAT_US(i % 31));
      for (int k = i % 50; k > 0; k--) cpu_relax();
      if (i % 3 == 0) leat_context_release(ctx);
    }
    CHECK_EQ(inside, 0);
  }
}
LEAT_FN(end_many_at_the_deadline, int, rounds) { end_at_the_deadline(rounds); }
static void end_everywhere_at_the_deadline(int rounds) {
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, end_many_at_the_deadline, rounds / 4);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(contexts_end_while_their_deadlines_pass) { while_looked_at(end_everywhere_at_the_deadline, (int)test_scale(40000)); }

/* Plain threads, below the background. */
static void *make_and_release(void *shared) {
  int n = (int)test_scale(20000);
  for (int i = 0; i < n; i++) {
    struct leat_scope *a = leat_with_timeout(leat_background(), LEAT_US(i % 50)), *b = leat_with_cancel(a), *c = leat_with_cancel((leat_view)shared);
    leat_with_timeout(b, LEAT_SECONDS(1000));
    leat_with_cancel(c);
    if (i % 3 == 0) leat_context_release(b);
    if (i % 5 == 0) leat_cancel(c);
    leat_context_release(c);
    leat_context_release(a);
  }
  return NULL;
}
TEST_GO(plain_threads_end_contexts_side_by_side) {
  leat_scope(s);
  struct leat_scope *shared = leat_with_cancel(s);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, make_and_release, shared), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK_EQ(n_children(shared), 0);
}
