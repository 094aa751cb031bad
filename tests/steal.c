/* What a worker without work takes from others: what is too little to share stays, what is not is shared, whatever there was before, and nobody
 * who waits for a thief waits for ever. */
#define _GNU_SOURCE
#include "wait.h"

#include "runtime/steal.h"
#include <unistd.h>

/* ---- what pays ---- */

static struct worker thief, victim;
static struct haul weigh(struct haul h, uint32_t n, int64_t took) {
  h.n = n;
  h.victim = &victim;
  h.since = LEAT_SECONDS(1);
  thief.haul = h;
  leat_i_haul_weigh(&thief, h.since + took);
  CHECK(!haul_is_open(&thief.haul));
  return thief.haul;
}
TEST(what_does_not_pay_is_taken_one_at_a_time_and_less_often) {
  struct haul h = {.boldness = BOLDEST};
  h = weigh(h, 100, LEAT_US(25));
  CHECK_EQ(h.boldness, 0);
  h = weigh(h, 1, 700);
  CHECK_EQ(h.boldness, -1);
  for (int i = 0; i < 10; i++) h = weigh(h, 1, 700);
  CHECK_EQ(h.boldness, MOST_CAREFUL);
}
TEST(what_pays_is_taken_more_and_more_at_a_time) {
  struct haul h = {.boldness = MOST_CAREFUL};
  h = weigh(h, 1, LEAT_US(2));
  CHECK_EQ(h.boldness, 1);
  for (int i = 2; i < 20; i++) {
    h = weigh(h, 1u << h.boldness, LEAT_US(1) << h.boldness);
    CHECK_EQ(h.boldness, i < BOLDEST ? i : BOLDEST);
  }
  h = weigh(h, 2, LEAT_US(1));
  CHECK_EQ(h.boldness, 0);
}

TEST(what_leaves_the_victim_without_work_does_not_pay) {
  struct haul h = {.boldness = BOLDEST};
  victim.dry_since = LEAT_MS(999); /* and then it found some, before the steal */
  h = weigh(h, 1, LEAT_MS(1));
  CHECK_EQ(h.boldness, BOLDEST);
  victim.dry_since = LEAT_SECONDS(1) + 300;
  h = weigh(h, 1, LEAT_MS(1));
  CHECK_EQ(h.boldness, 0);
  victim.dry_since = LEAT_SECONDS(1) + LEAT_US(100);
  h = weigh(h, 1, LEAT_MS(1));
  CHECK_EQ(h.boldness, 1);
}

TEST(where_both_wait_at_locks_it_does_not_pay) {
  struct haul h = {.boldness = BOLDEST};
  h = weigh(h, 1, LEAT_US(20));
  CHECK_EQ(h.boldness, BOLDEST);
  count_in(&thief.counters, COUNT_PARKED + WAIT_MUTEX, 4);
  count_in(&victim.counters, COUNT_PARKED + WAIT_READ_LOCK, 2);
  count_in(&victim.counters, COUNT_PARKED + WAIT_WRITE_LOCK, 1);
  count_in(&victim.counters, COUNT_CONTENDED, 1);
  h = weigh(h, 1, LEAT_US(20));
  CHECK_EQ(h.boldness, 0);
  h.lock_waits = 8; /* all of them before */
  h = weigh(h, 1, LEAT_US(20));
  CHECK_EQ(h.boldness, 1);
}

/* ---- what is left, and what is taken ---- */

static uint64_t stolen(void) {
  leat_metrics m;
  leat_metrics_read(&m);
  return m.stolen;
}
LEAT_FN(does_nothing, atomic_int *, ran) { atomic_fetch_add_explicit(ran, 1, memory_order_relaxed); }
static void start_short_ones(int n) {
  static atomic_int ran;
  leat_scope(s);
  ran = 0;
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, does_nothing, &ran), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, n);
}
/* In a goroutine, beside one worker that may steal. */
static void run_beside_a_thief(leat_closure what) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2, .max_threads = 2}), LEAT_OK);
  leat_scope(s);
  leat_go_closure(s, what);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

LEAT_FN(starts_short_ones) {
  enum { BATCHES = 100, BATCH = 1000 };
  for (;;) { /* until the machine has let it be once */
    uint64_t before = stolen();
    for (int i = 0; i < BATCHES; i++) start_short_ones(BATCH);
    if (stolen() - before < BATCHES * BATCH / 4) break;
  }
}
TEST(short_ones_stay_with_who_started_them) {
  if (test_under_asan() || test_scale(100) != 100) TEST_SKIP("nothing is short here");
  run_beside_a_thief(leat_bind(starts_short_ones));
}

/* The first keeps its worker until a second one runs, too: without a thief it does not end. */
static atomic_int arrived;
LEAT_FN(waits_for_a_second_one) {
  arrived++;
  while (arrived < 2) {}
}
LEAT_FN(starts_short_ones_then_two_at_once, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    start_short_ones(500);
    arrived = 0;
    leat_scope(s);
    for (int k = 0; k < 2 + i % 8; k++) leat_go(s, waits_for_a_second_one);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST(who_computes_is_stolen_from_after_short_ones) {
  run_beside_a_thief(leat_bind(starts_short_ones_then_two_at_once, (int)test_scale(200) + 1));
}

static atomic_bool seen_elsewhere;
static atomic_int first_thread;
LEAT_FN(yields_until_one_is_elsewhere) {
  while (!seen_elsewhere) {
    if (gettid() != first_thread) seen_elsewhere = true;
    CHECK_EQ(leat_yield(), LEAT_OK);
  }
}
LEAT_FN(starts_short_ones_then_yields, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    start_short_ones(500);
    seen_elsewhere = false;
    first_thread = gettid();
    leat_scope(s);
    for (int k = 0; k < 8; k++) leat_go(s, yields_until_one_is_elsewhere);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST(who_is_at_work_is_stolen_from_after_short_ones) {
  run_beside_a_thief(leat_bind(starts_short_ones_then_yields, (int)test_scale(200) + 1));
}
