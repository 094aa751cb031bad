/* Semaphores: weights, strict order, the forms of acquiring, misuse, change of capacity, memory, plain threads, and storms.
 *
 * The tests of golang.org/x/sync/semaphore, and what covers them here:
 *   TestWeighted                          many_share_what_there_is, storms_on_1_2_and_8_workers
 *   TestWeightedPanic                     releasing_more_than_is_taken_is_misuse
 *   TestWeightedTryAcquire                try_takes_or_does_not
 *   TestWeightedAcquire                   acquire_takes_or_gives_up
 *   TestWeightedDoesntBlockIfTooBig       asking_for_more_than_there_is_fails_at_once (there it waits for its context's end)
 *   TestLargeAcquireDoesntStarve          a_large_request_is_not_overtaken
 *   TestAllocCancelDoesntStarve           who_gives_up_at_the_head_lets_the_others_through
 *   TestWeightedAcquireCanceled           cancellation_is_looked_at_first
 * Go's sync/runtime_sema_test.go holds benchmarks only (BenchmarkSema...); their shapes are the storms'. */
#include "wait.h"

#include <pthread.h>

static const int worker_counts[] = {1, 2, 8};
static atomic_int got, answer, order[64];

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

LEAT_FN(take, leat_semaphore *, sem, int, n) {
  CHECK_EQ(leat_semaphore_acquire(sem, n), LEAT_OK);
  order[got++] = n;
}
LEAT_FN(take_until, leat_semaphore *, sem, int, n, int64_t, deadline) {
  answer = leat_semaphore_acquire_until(sem, n, deadline);
  got++;
}
/* Waits until a goroutine of that name, started now, waits behind those that do already. */
static int waiting;
#define START_WAITER(s, fn, ...) (leat_go(s, fn, __VA_ARGS__), wait_blocked("(" #fn ")", (size_t)++waiting))

/* Taking and giving back. */

TEST_GO(acquire_takes_or_gives_up) {
  leat_semaphore sem = LEAT_SEMAPHORE(2);
  CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_OK);
  CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_OK);
  CHECK_EQ(leat_semaphore_taken(&sem), 2);
  int64_t start = leat_now();
  CHECK_EQ(leat_semaphore_acquire_until(&sem, 1, start + LEAT_MS(5)), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  CHECK_EQ(leat_semaphore_acquire_until(&sem, 1, 1), LEAT_DEADLINE);
  leat_semaphore_release(&sem, 1);
  CHECK_EQ(leat_semaphore_acquire_until(&sem, 1, 1), LEAT_OK); /* there is enough: the time does not matter */
  leat_semaphore_release(&sem, 2);
  CHECK_EQ(leat_semaphore_taken(&sem), 0);
}
TEST_GO(try_takes_or_does_not) {
  static leat_semaphore sem = LEAT_SEMAPHORE(2);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 1), LEAT_OK);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 1), LEAT_OK);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 1), LEAT_FULL);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 0), LEAT_OK);
  leat_semaphore_release(&sem, 2);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 2), LEAT_OK);
  leat_semaphore_release(&sem, 0);
  leat_semaphore_release(&sem, 2);
}
TEST_GO(asking_for_more_than_there_is_fails_at_once) {
  leat_semaphore sem = LEAT_SEMAPHORE(2), none = {0}, all = LEAT_SEMAPHORE(INT64_MAX);
  CHECK_EQ(leat_semaphore_acquire(&sem, 3), LEAT_INVALID);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 3), LEAT_INVALID);
  CHECK_EQ(leat_semaphore_acquire_until(&sem, INT64_MAX, LEAT_NEVER), LEAT_INVALID);
  CHECK_EQ(leat_semaphore_acquire(&sem, -1), LEAT_INVALID);
  CHECK_EQ(leat_semaphore_acquire(&none, 1), LEAT_INVALID);
  CHECK_EQ(leat_semaphore_acquire(&none, 0), LEAT_OK);
  CHECK_EQ(leat_semaphore_acquire(&all, INT64_MAX), LEAT_INVALID); /* the largest that can be counted is a quarter of that */
  CHECK_EQ(leat_semaphore_acquire(&all, INT64_MAX / 4), LEAT_OK);
  CHECK_EQ(leat_semaphore_try_acquire(&all, 1), LEAT_FULL);
  leat_semaphore_release(&all, INT64_MAX / 4);
  CHECK_EQ(leat_semaphore_acquire(&sem, 2), LEAT_OK); /* nothing was taken by those */
}
TEST_GO(cancellation_is_looked_at_first) {
  leat_semaphore sem = LEAT_SEMAPHORE(1);
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_CANCELED);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 1), LEAT_CANCELED);
  CHECK_EQ(leat_semaphore_acquire_until(&sem, 1, 1), LEAT_CANCELED);
  CHECK_EQ(leat_semaphore_taken(&sem), 0);
  CHECK_EQ(leat_semaphore_acquire(&sem, 9), LEAT_CANCELED);
}

/* Misuse. */

LEAT_FN(release, leat_semaphore *, sem, int64_t, n) { leat_semaphore_release(sem, n); }
TEST_GO(releasing_more_than_is_taken_is_misuse) {
  leat_semaphore sem = LEAT_SEMAPHORE(3);
  CHECK_EQ(leat_semaphore_acquire(&sem, 2), LEAT_OK);
  const int64_t wrong[] = {3, -1, INT64_MAX, INT64_MIN};
  for (int i = 0; i < 4; i++) {
    leat_scope(s);
    leat_go(s, release, &sem, wrong[i]);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
    CHECK(strstr(leat_failure_of(s)->message, wrong[i] < 0 ? "a negative number" : "only 2 is taken") != NULL);
  }
  CHECK_EQ(leat_semaphore_taken(&sem), 2);
}
TEST_GO(releasing_more_than_is_taken_while_others_wait_is_misuse) {
  leat_semaphore sem = LEAT_SEMAPHORE(3);
  leat_scope(outer);
  CHECK_EQ(leat_semaphore_acquire(&sem, 2), LEAT_OK);
  START_WAITER(outer, take, &sem, 3);
  {
    leat_scope(s);
    leat_go(s, release, &sem, 3);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
  }
  leat_semaphore_release(&sem, 2);
  CHECK_EQ(leat_wait(outer), LEAT_OK);
  CHECK_EQ(leat_semaphore_taken(&sem), 3);
}

/* Order. */

TEST_GO(a_large_request_is_not_overtaken) {
  leat_semaphore sem = LEAT_SEMAPHORE(4);
  leat_scope(s);
  CHECK_EQ(leat_semaphore_acquire(&sem, 3), LEAT_OK);
  START_WAITER(s, take, &sem, 4);
  START_WAITER(s, take, &sem, 1); /* there would be 1 */
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 1), LEAT_FULL);
  CHECK_EQ(leat_semaphore_try_acquire(&sem, 0), LEAT_FULL);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(got, 0);
    leat_semaphore_release(&sem, 1);
  }
  UNTIL(got == 1);
  CHECK_EQ(order[0], 4);
  CHECK_EQ(leat_semaphore_taken(&sem), 4);
  leat_semaphore_release(&sem, 4);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(order[1], 1);
  leat_semaphore_release(&sem, 1);
}
TEST_GO(a_large_request_gets_its_turn_among_many_small_ones) {
  static const int n = 8;
  leat_semaphore sem = LEAT_SEMAPHORE(8);
  leat_scope(s);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_OK);
  START_WAITER(s, take, &sem, n);
  for (int64_t i = test_scale(1000) + 10; i && !got; i--) { /* each that holds one gives it back, and would like it again */
    leat_semaphore_release(&sem, 1);
    if (leat_semaphore_try_acquire(&sem, 1) == LEAT_OK) CHECK(!"overtaken");
    if (leat_semaphore_taken(&sem) == n) break;
  }
  UNTIL(got == 1);
  CHECK_EQ(leat_semaphore_taken(&sem), n);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(take_turn, leat_semaphore *, sem, int, number) {
  CHECK_EQ(leat_semaphore_acquire(sem, 1), LEAT_OK);
  CHECK_EQ(got, number); /* nobody else has it now */
  got++;
  leat_semaphore_release(sem, 1);
}
TEST_GO(first_come_first_served) {
  leat_semaphore sem = LEAT_SEMAPHORE(1);
  leat_scope(s);
  CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_OK);
  for (int i = 0; i < 30; i++) START_WAITER(s, take_turn, &sem, i);
  leat_semaphore_release(&sem, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(got, 30);
}
TEST_GO(who_gives_up_at_the_head_lets_the_others_through) {
  leat_semaphore sem = LEAT_SEMAPHORE(10);
  leat_scope(s);
  leat_scope(unlucky);
  CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_OK);
  leat_go(unlucky, take_until, &sem, 10, LEAT_NEVER);
  wait_blocked("take_until", 1);
  for (int i = 0; i < 5; i++) START_WAITER(s, take, &sem, 1);
  CHECK_EQ(got, 0);
  leat_cancel(unlucky);
  CHECK_EQ(leat_wait(unlucky), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(answer, LEAT_CANCELED);
  CHECK_EQ(leat_semaphore_taken(&sem), 6);
}
TEST_GO(who_runs_out_of_time_at_the_head_lets_the_others_through) {
  leat_semaphore sem = LEAT_SEMAPHORE(10);
  leat_scope(s);
  CHECK_EQ(leat_semaphore_acquire(&sem, 1), LEAT_OK);
  leat_go(s, take_until, &sem, 10, leat_now() + LEAT_MS(20));
  leat_go(s, take, &sem, 9);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_semaphore_taken(&sem), 10);
}

/* Capacity. */

TEST_GO(a_larger_capacity_lets_others_through) {
  leat_semaphore sem = {0};
  leat_scope(s);
  leat_semaphore_resize(&sem, 2);
  CHECK_EQ(leat_semaphore_acquire(&sem, 2), LEAT_OK);
  START_WAITER(s, take, &sem, 1);
  START_WAITER(s, take, &sem, 2);
  leat_semaphore_resize(&sem, 3);
  UNTIL(got == 1);
  CHECK_EQ(leat_semaphore_taken(&sem), 3);
  leat_semaphore_resize(&sem, 5);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_semaphore_taken(&sem), 5);
}
TEST_GO(a_smaller_capacity_takes_nothing_away) {
  leat_semaphore sem = LEAT_SEMAPHORE(4);
  leat_scope(s);
  CHECK_EQ(leat_semaphore_acquire(&sem, 4), LEAT_OK);
  leat_go(s, take_until, &sem, 3, LEAT_NEVER);
  wait_blocked("take_until", 1);
  START_WAITER(s, take, &sem, 1);
  leat_semaphore_resize(&sem, 2);
  UNTIL(got == 1);
  CHECK_EQ(answer, LEAT_INVALID); /* it waits for more than there will be */
  CHECK_EQ(leat_semaphore_taken(&sem), 4);
  leat_semaphore_release(&sem, 2);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(got, 1);
  leat_semaphore_release(&sem, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_semaphore_taken(&sem), 2);
}
LEAT_FN(resize, leat_semaphore *, sem, int64_t, capacity) { leat_semaphore_resize(sem, capacity); }
TEST_GO(a_negative_capacity_is_misuse) {
  leat_semaphore sem = {0};
  leat_scope(s);
  leat_go(s, resize, &sem, -1);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
}

/* Plain threads. */

static leat_semaphore shared = LEAT_SEMAPHORE(1);
static int guarded;
static void *thread_counts(void *n) {
  for (int i = *(int *)n; i; i--) {
    CHECK_EQ(leat_semaphore_acquire(&shared, 1), LEAT_OK);
    guarded++; /* a data race for TSan to see if it were not a lock */
    leat_semaphore_release(&shared, 1);
  }
  return NULL;
}
LEAT_FN(goroutine_counts, int, n) { thread_counts(&n); }
TEST_GO(plain_threads_share_it_with_goroutines) {
  enum { N = 3 };
  int n = (int)test_scale(2000) + 20;
  pthread_t threads[N];
  leat_scope(s);
  for (int i = 0; i < N; i++) CHECK_EQ(pthread_create(&threads[i], NULL, thread_counts, &n), 0);
  for (int i = 0; i < N; i++) leat_go(s, goroutine_counts, n);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < N; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(guarded, 2 * N * n);
}

/* Storms: never more is taken than there is, nothing is lost, all end. */

struct storm {
  leat_semaphore sem;
  atomic_long in_use;
  int64_t most;
};
LEAT_FN(storm_user, struct storm *, t, int, n, uint32_t, seed) {
  for (int i = 0; i < n; i++) {
    int64_t weight = next_random(&seed) % t->most + 1;
    int status;
    switch (next_random(&seed) % 4) {
    case 0: status = leat_semaphore_try_acquire(&t->sem, weight); break;
    case 1: status = leat_semaphore_acquire_until(&t->sem, weight, leat_now() + next_random(&seed) % 100000); break;
    default: status = leat_semaphore_acquire(&t->sem, weight);
    }
    if (status == LEAT_CANCELED) return;
    if (status != LEAT_OK) continue;
    CHECK(atomic_fetch_add(&t->in_use, weight) + weight <= t->most);
    for (uint32_t k = next_random(&seed) % 3; k; k--) leat_yield();
    t->in_use -= weight;
    leat_semaphore_release(&t->sem, weight);
  }
}
struct storm_thread {
  struct storm *storm;
  int n;
};
static void *storm_thread(void *arg) {
  struct storm_thread *t = arg;
  storm_user(t->storm, t->n, (uint32_t)t->n);
  return NULL;
}
static void storm(int64_t most, int n) {
  struct storm *t = calloc(1, sizeof *t);
  pthread_t threads[2];
  uint32_t seed = (uint32_t)most;
  t->most = most;
  leat_semaphore_resize(&t->sem, most);
  struct storm_thread of_thread = {t, n};
  {
    leat_scope(s);
    leat_scope(unlucky);
    for (int i = 0; i < 12; i++) leat_go(i % 3 ? s : unlucky, storm_user, t, n, next_random(&seed));
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, storm_thread, &of_thread), 0);
    for (int i = 0; i < 20; i++) leat_yield();
    leat_cancel(unlucky);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(leat_wait(unlucky), LEAT_CANCELED);
  }
  CHECK_EQ(t->in_use, 0);
  CHECK_EQ(leat_semaphore_taken(&t->sem), 0);
  CHECK_EQ(leat_semaphore_try_acquire(&t->sem, most), LEAT_OK);
  free(t);
}
TEST_GO(storms_on_1_2_and_8_workers) {
  for (int k = 0; k < 3; k++) {
    CHECK_EQ(leat_set_workers(worker_counts[k]), LEAT_OK);
    for (int64_t most = 1; most <= 8; most = most * 2 + (most == 1)) storm(most, (int)test_scale(300) + 5);
  }
}
TEST_GO(many_share_what_there_is) {
  CHECK_EQ(leat_set_workers(2), LEAT_OK);
  storm(1000000000000, (int)test_scale(500) + 5);
}
/* On one worker nobody needs to wait: whose slice ends has it not, and who meets one that has it lets him run. */
LEAT_FN(takes_and_gives_back, leat_semaphore *, sem, int, times) {
  for (int i = 0; i < times; i++) {
    CHECK_EQ(leat_semaphore_acquire(sem, 1), LEAT_OK);
    if (i % 100 == 0) CHECK_EQ(leat_yield(), LEAT_OK);
    leat_semaphore_release(sem, 1);
  }
}
static uint64_t waits_for_semaphores(void) {
  leat_metrics m;
  leat_metrics_read(&m);
  for (int i = 0; i < m.n_waits; i++)
    if (strstr(m.waits[i].reason, "semaphore")) return m.waits[i].total;
  test_fail(__FILE__, __LINE__, "no count of waits for semaphores");
  return 0;
}
TEST_GO(two_in_turn_do_not_hand_it_to_each_other_for_ever) {
  enum { TIMES = 10000 };
  leat_semaphore sem = LEAT_SEMAPHORE(1);
  CHECK_EQ(leat_set_workers(1), LEAT_OK);
  uint64_t before = waits_for_semaphores();
  leat_scope(s);
  for (int i = 0; i < 2; i++) leat_go(s, takes_and_gives_back, &sem, TIMES);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(waits_for_semaphores() - before < TIMES / 100);
}
/* The join of golang.org/x/sync's example: to have all of it is to know that nobody else has any; then the memory goes. */
LEAT_FN(give_back, leat_semaphore *, sem, uint32_t, pause) {
  for (volatile uint32_t i = 0; i < pause; i++) {}
  leat_semaphore_release(sem, 1);
}
TEST_GO(it_is_not_touched_after_somebody_got_all_of_it) {
  uint32_t seed = 1;
  leat_scope(s);
  CHECK_EQ(leat_set_workers(2), LEAT_OK);
  for (int64_t i = test_scale(2000) + 10; i; i--) {
    leat_semaphore *sem = calloc(1, sizeof *sem);
    leat_semaphore_resize(sem, 2);
    for (int k = 0; k < 2; k++) {
      CHECK_EQ(leat_semaphore_acquire(sem, 1), LEAT_OK);
      leat_go(s, give_back, sem, next_random(&seed) % 10000);
    }
    while (leat_semaphore_acquire_until(sem, 2, leat_now() + LEAT_US(next_random(&seed) % 20))) {}
    memset(sem, 0xee, sizeof *sem);
    free(sem);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
