/* Replicated and hedged requests: who wins, the losers' end, failures, delays, cancellation, panics, answers that came too late, threads, storms. */
#include "wait.h"

#include <pthread.h>

static const int64_t DAY = LEAT_SECONDS(86400);
static atomic_int started, ended, dropped, canceled;

struct page {
  int from;
  char text[40];
};

/* The one with this number answers, the others never do. */
LEAT_FN_ERR(fetch, struct page *, answer, int, replica, int, quick, const char *, path) {
  started++;
  answer->from = -1; /* each has its own */
  int status = replica == quick ? LEAT_OK : leat_sleep(DAY);
  if (status == LEAT_CANCELED) canceled++;
  ended++;
  if (status) return status;
  answer->from = replica;
  snprintf(answer->text, sizeof answer->text, "%s", path);
  return LEAT_OK;
}
TEST_GO(the_first_answer_wins_and_the_others_are_cancelled) {
  for (int quick = 0; quick < 10; quick++) {
    struct page page;
    char path[] = "/index"; /* in this frame */
    started = ended = canceled = 0;
    CHECK_EQ(leat_replicate(&page, 10, fetch, quick, path), quick);
    CHECK_EQ(page.from, quick);
    CHECK_STR(page.text, path);
    CHECK_EQ(ended, started);
    CHECK_EQ(canceled, started - 1);
  }
}
TEST_GO(hedging_asks_the_next_after_the_delay) {
  struct page page;
  int64_t start = leat_now();
  CHECK_EQ(leat_hedge(&page, 5, LEAT_MS(3), fetch, 2, "/"), 2);
  CHECK(leat_now() - start >= LEAT_MS(6));
  CHECK_EQ(started - canceled, 1);
}
TEST_GO(hedging_asks_nobody_else_if_the_first_is_quick) {
  struct page page;
  for (int i = 0; i < 100; i++) CHECK_EQ(leat_hedge(&page, 5, DAY, fetch, 0, "/"), 0);
  CHECK_EQ(started, 100);
}

LEAT_FN_ERR(fails_before, int *, answer, int, replica, int, good) {
  started++;
  if (replica < good) return leat_fail(LEAT_SYSTEM(5 + replica), "replica %d is broken", replica);
  *answer = replica;
  return LEAT_OK;
}
TEST_GO(a_failure_is_made_good_at_once) {
  int answer;
  CHECK_EQ(leat_hedge(&answer, 5, DAY, fails_before, 3), 3);
  CHECK_EQ(answer, 3);
  CHECK_EQ(started, 4);
  int winner = leat_replicate(&answer, 5, fails_before, 3);
  CHECK(winner == answer && answer >= 3);
}
LEAT_FN_ERR(all_fail, int, n) {
  int answer = 7, status = leat_hedge(&answer, n, DAY, fails_before, n);
  CHECK_EQ(answer, 0);
  return status;
}
TEST_GO(if_all_fail_the_first_failure_is_the_answer) {
  leat_scope(s);
  leat_go(s, all_fail, 3);
  CHECK_EQ(leat_wait(s), LEAT_SYSTEM(5));
  CHECK(strstr(leat_failure_of(s)->message, "replica 0 is broken") != NULL);
  CHECK_EQ(started, 3);
}
TEST_GO(of_none_there_is_no_answer) {
  int answer = 1;
  CHECK_EQ(leat_replicate(&answer, 0, fails_before, 0), LEAT_INVALID);
  CHECK_EQ(answer, 0);
}

LEAT_FN_ERR(may_panic, int *, answer, int, replica, int, bad) {
  if (replica < bad) leat_panic("replica %d has gone mad", replica);
  *answer = 100 + replica;
  return LEAT_OK;
}
TEST_GO(a_panic_is_a_failure_of_that_replica) {
  int answer;
  CHECK_EQ(leat_hedge(&answer, 4, DAY, may_panic, 2), 2);
  CHECK_EQ(answer, 102);
  CHECK_EQ(leat_hedge(&answer, 2, DAY, may_panic, 2), LEAT_PANIC);
}

/* Ends of the caller's scope. */

LEAT_FN(ask_for_ever, int64_t, delay) {
  struct page page = {.from = 3};
  int status = leat_hedge(&page, 3, delay, fetch, -1, "/");
  CHECK(status == LEAT_CANCELED || status == LEAT_DEADLINE);
  CHECK_EQ(page.from, 0);
  CHECK_EQ(ended, started);
}
TEST_GO(cancelled_at_each_point) {
  for (int point = 0; point < 5; point++) {
    started = ended = 0;
    leat_scope(s);
    if (point == 4) leat_set_timeout(s, LEAT_MS(1));
    leat_go(s, ask_for_ever, point == 3 ? 0 : point == 4 ? LEAT_US(200) : DAY);
    if (point == 1) UNTIL(started == 1);
    if (point == 2) wait_blocked("(fetch)", 1);
    if (point == 3) UNTIL(started == 3);
    if (point < 4) leat_cancel(s);
    CHECK_EQ(leat_wait(s), point < 4 ? LEAT_CANCELED : LEAT_DEADLINE);
  }
  leat_scope(s);
  leat_cancel(s);
  struct page page;
  CHECK_EQ(leat_replicate(&page, 3, fetch, 0, "/"), LEAT_CANCELED);
}

/* Answers that own something. */

static leat_event both;
LEAT_FN_ERR(allocate, char **, answer, int, replica) {
  (void)replica;
  *answer = malloc(10);
  started++;
  if (started == 3) leat_event_set(&both);
  leat_event_wait(&both); /* all have one */
  return LEAT_OK;
}
static void drop(void *answer) {
  free(*(char **)answer);
  dropped++;
}
TEST_GO(late_answers_are_dropped) {
  char *answer;
  CHECK(leat_replicate_with(&answer, ((leat_replicas){.n = 3, .drop = drop}), allocate) >= 0);
  CHECK(answer != NULL);
  free(answer);
  CHECK_EQ(dropped, 2);
}

/* Threads and storms. */

LEAT_FN_ERR(slow_ones, int64_t *, answer, int, replica, uint32_t, seed) {
  uint32_t x = (seed + (uint32_t)replica) * 2654435761U;
  int status = leat_sleep(x >> 16 & 0x7fff);
  if (status) return status;
  if (x >> 8 & 1) return LEAT_FAILED;
  *answer = (int64_t)seed * 10 + replica;
  return LEAT_OK;
}
static void *on_a_thread(void *arg) {
  (void)arg;
  for (uint32_t i = 0; i < 20; i++) {
    int64_t answer;
    int winner = leat_hedge(&answer, 4, LEAT_US(10), slow_ones, i);
    CHECK(winner == LEAT_FAILED || (winner >= 0 && answer == i * 10 + winner));
  }
  return NULL;
}
TEST_GO(a_plain_thread_asks) {
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, on_a_thread, NULL), 0);
  leat_blocking pthread_join(t, NULL);
}
LEAT_FN(client, uint32_t, seed, int, n) {
  for (int i = 0; i < n; i++) {
    int64_t answer;
    uint32_t mine = seed + (uint32_t)i;
    int winner = leat_hedge(&answer, 3, seed & 1 ? LEAT_US(10) : 0, slow_ones, mine);
    CHECK(winner == LEAT_FAILED || (winner >= 0 && answer == (int64_t)mine * 10 + winner));
  }
  ended++;
}
TEST(storms_on_1_2_and_8_workers) {
  static const int worker_counts[] = {1, 2, 8};
  for (int i = 0; i < 3; i++) {
    ended = 0;
    CHECK_EQ(leat_runtime_start(&(leat_options){.workers = worker_counts[i]}), LEAT_OK);
    {
      leat_scope(s);
      for (uint32_t g = 0; g < 20; g++) leat_go(s, client, g * 1000, (int)test_scale(100) + 2);
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    CHECK_EQ(ended, 20);
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
}
