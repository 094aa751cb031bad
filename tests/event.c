/* Events: set, reset, the forms of waiting, a pulse, memory, plain threads, and a storm of all of it.
 *
 * Go has no such type; the scenarios are those of a closed channel (sync.Cond's and context's Done), of Win32's manual-reset event and of
 * folly's Baton tests (set before wait, wait before set, deadline, free after the wait). */
#include "wait.h"

#include <pthread.h>

static atomic_int woken, answer;

LEAT_FN(wait_for, leat_event *, e) {
  leat_event_wait(e);
  woken++;
}
LEAT_FN(wait_until, leat_event *, e, int64_t, deadline) {
  answer = leat_event_wait_until(e, deadline);
  woken++;
}

TEST(a_zeroed_event_is_not_set) {
  static leat_event e;
  CHECK(!leat_event_is_set(&e));
  leat_event_reset(&e);
  CHECK(!leat_event_is_set(&e));
  leat_event_set(&e);
  CHECK(leat_event_is_set(&e));
  leat_event_set(&e);
  leat_event_wait(&e); /* needs no runtime */
  leat_event_reset(&e);
  CHECK(!leat_event_is_set(&e));
}
TEST_GO(a_set_wakes_all_who_wait_and_lets_all_through) {
  leat_event e = {0};
  leat_scope(s);
  for (int i = 0; i < 100; i++) leat_go(s, wait_for, &e);
  wait_blocked("wait_for", 100);
  CHECK_EQ(woken, 0);
  leat_event_set(&e);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(woken, 100);
  leat_event_wait(&e);
  CHECK_EQ(leat_event_wait_cancellable(&e), LEAT_OK);
  CHECK_EQ(leat_event_wait_until(&e, 1), LEAT_OK); /* it is set: the time does not matter */
}
TEST_GO(a_reset_closes_it_again) {
  leat_event e = {0};
  leat_scope(s);
  for (int i = 1; i <= 10; i++) {
    leat_event_set(&e);
    leat_event_reset(&e);
    leat_go(s, wait_for, &e);
    wait_blocked("wait_for", 1);
    leat_event_set(&e);
    UNTIL(woken == i);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_set_and_reset_in_one_go_wake_all_who_wait) {
  leat_event e = {0};
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, wait_for, &e);
  wait_blocked("wait_for", 10);
  leat_event_set(&e);
  leat_event_reset(&e);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(woken, 10);
}
TEST_GO(a_wait_with_a_deadline) {
  leat_event e = {0};
  int64_t start = leat_now();
  CHECK_EQ(leat_event_wait_until(&e, start + LEAT_MS(5)), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  CHECK_EQ(leat_event_wait_until(&e, 1), LEAT_DEADLINE);
  leat_scope(s);
  leat_go(s, wait_until, &e, leat_now() + LEAT_SECONDS(1000));
  wait_blocked("wait_until", 1);
  leat_event_set(&e);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(answer, LEAT_OK);
}
TEST_GO(a_cancel_ends_the_wait_that_it_may_end_and_no_other) {
  leat_event e = {0};
  leat_scope(s);
  leat_go(s, wait_until, &e, LEAT_NEVER);
  leat_go(s, wait_for, &e);
  wait_blocked("wait_until", 1);
  wait_blocked("wait_for", 1);
  leat_cancel(s);
  UNTIL(woken == 1);
  CHECK_EQ(answer, LEAT_CANCELED);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(woken, 1);
  leat_event_set(&e);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(woken, 2);
}
TEST_GO(cancellation_is_looked_at_first) {
  leat_event e = {0};
  leat_event_set(&e);
  leat_scope(s);
  leat_set_deadline(s, 1);
  UNTIL(leat_scope_status(s));
  CHECK_EQ(leat_event_wait_cancellable(&e), LEAT_DEADLINE);
  leat_event_wait(&e);
}

static void *thread_sets(void *e) {
  leat_event_set(e);
  return NULL;
}
static void *thread_waits(void *e) {
  leat_event_wait(e);
  woken++;
  return NULL;
}
static void *thread_waits_too_long(void *e) {
  int64_t start = leat_now();
  CHECK_EQ(leat_event_wait_until(e, start + LEAT_MS(5)), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  return NULL;
}
TEST_GO(plain_threads_set_and_wait) {
  leat_event e = {0};
  pthread_t late, waits[4], sets;
  CHECK_EQ(pthread_create(&late, NULL, thread_waits_too_long, &e), 0);
  pthread_join(late, NULL);
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&waits[i], NULL, thread_waits, &e), 0);
  CHECK_EQ(pthread_create(&sets, NULL, thread_sets, &e), 0);
  leat_event_wait(&e);
  for (int i = 0; i < 4; i++) pthread_join(waits[i], NULL);
  pthread_join(sets, NULL);
  CHECK_EQ(woken, 4);
}
TEST(threads_alone_can_use_it) {
  leat_event e = {0};
  pthread_t sets;
  CHECK_EQ(pthread_create(&sets, NULL, thread_sets, &e), 0);
  leat_event_wait(&e);
  pthread_join(sets, NULL);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}

/* The memory goes as soon as a wait has answered LEAT_OK, though earlier ones on it ran out of time while it was set. */
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}
LEAT_FN(set_after, leat_event *, e, uint32_t, pause) {
  for (volatile uint32_t i = 0; i < pause; i++) {}
  leat_event_set(e);
}
TEST_GO(it_is_not_touched_after_the_wait_that_found_it_set) {
  uint32_t seed = 1;
  leat_scope(s);
  CHECK_EQ(leat_set_workers(2), LEAT_OK);
  for (int64_t i = test_scale(3000) + 10; i; i--) {
    leat_event *e = calloc(1, sizeof *e);
    leat_go(s, set_after, e, next_random(&seed) % 20000);
    while (leat_event_wait_until(e, leat_now() + LEAT_US(next_random(&seed) % 20))) {}
    memset(e, 0xee, sizeof *e);
    free(e);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Storm: whoever waits on a gate that opens and closes gets through, at the latest when it stays open; all that came before an opening is
 * seen behind it. Some give up by a deadline and try again, some are cancelled, some are threads. */
struct gate {
  leat_event open;
  atomic_int openings, passed;
};
LEAT_FN(pass, struct gate *, g, int, n, uint32_t, seed) {
  for (int i = 0; i < n; i++) {
    int status;
    if (next_random(&seed) % 2) {
      leat_event_wait(&g->open);
    } else {
      while ((status = leat_event_wait_until(&g->open, leat_now() + next_random(&seed) % 100000)))
        if (leat_yield()) return;
    }
    CHECK(g->openings > 0);
    g->passed++;
    if (leat_yield()) return;
  }
}
static void *pass_thread(void *gate) {
  struct gate *g = gate;
  for (int i = 0; i < 20; i++) {
    leat_event_wait(&g->open);
    CHECK(g->openings > 0);
  }
  return NULL;
}
TEST_GO(storms_on_1_2_and_8_workers) {
  static const int worker_counts[] = {1, 2, 8};
  uint32_t seed = 7;
  int n = (int)test_scale(200) + 2;
  for (int k = 0; k < 3; k++) {
    CHECK_EQ(leat_set_workers(worker_counts[k]), LEAT_OK);
    struct gate *g = calloc(1, sizeof *g);
    pthread_t threads[2];
    {
      leat_scope(s);
      leat_scope(unlucky);
      for (int i = 0; i < 8; i++) leat_go(i % 4 ? s : unlucky, pass, g, n, next_random(&seed));
      for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, pass_thread, g), 0);
      for (int i = 0; i < n; i++) {
        g->openings++;
        leat_event_set(&g->open);
        if (i % 3) leat_yield();
        leat_event_reset(&g->open);
        if (i == n / 2) leat_cancel(unlucky);
        leat_yield();
      }
      leat_event_set(&g->open);
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK(g->passed >= 6 * n);
    free(g);
  }
}
