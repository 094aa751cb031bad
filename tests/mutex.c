/* Mutexes: exclusion, order, hand-over, cancellation and deadlines, misuse, the scoped form, plain threads.
 *
 * Go's sync/mutex_test.go, and what covers it here:
 *   TestSemaphore      does not apply: it tests a semaphore that Go's locks are made of; leat's have a queue of their own (stress below)
 *   TestMutex          try_lock_succeeds_on_a_free_mutex_only, it_excludes, it_excludes_with_one_worker, it_excludes_with_eight_workers
 *   TestMutexMisuse    unlocking_what_is_not_locked_is_misuse; its RWMutex part in tests/rwmutex.c
 *   TestMutexFairness  one_that_takes_it_again_at_once_lets_others_in
 *   Benchmark...       no tests; bench/compare has them */
#include "wait.h"
#include "core/mutex.h"

#include <pthread.h>

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

/* ---- lock and unlock ---- */

static leat_mutex at_file_scope;

TEST_GO(a_zeroed_mutex_is_free_wherever_it_lies) {
  struct { char c; leat_mutex m; } member = {0};
  leat_mutex local = {0}, *heap = calloc(1, sizeof *heap);
  leat_mutex *all[] = {&at_file_scope, &member.m, &local, heap};
  for (size_t i = 0; i < 4; i++) {
    for (int times = 0; times < 3; times++) {
      leat_mutex_lock(all[i]);
      leat_mutex_unlock(all[i]);
    }
  }
  free(heap);
  CHECK(sizeof(leat_mutex) <= 40);
}

TEST_GO(try_lock_succeeds_on_a_free_mutex_only) {
  leat_mutex m = {0};
  leat_mutex_lock(&m);
  CHECK(!leat_mutex_try_lock(&m));
  leat_mutex_unlock(&m);
  CHECK(leat_mutex_try_lock(&m));
  CHECK(!leat_mutex_try_lock(&m));
  leat_mutex_unlock(&m);
}

struct shared {
  leat_mutex m;
  int64_t n;
  int inside; /* not atomic on purpose: TSan sees who is not excluded */
};

LEAT_FN(count, struct shared *, d, int, n) {
  for (int i = 0; i < n; i++) {
    if (i % 3) {
      leat_mutex_lock(&d->m);
    } else if (!leat_mutex_try_lock(&d->m)) {
      leat_yield();
      continue;
    }
    CHECK_EQ(++d->inside, 1);
    if (i % 16 == 0) leat_yield();
    d->n++;
    CHECK_EQ(--d->inside, 0);
    leat_mutex_unlock(&d->m);
  }
}
static void check_excludes(int workers) {
  CHECK_EQ(leat_set_workers(workers), LEAT_OK);
  struct shared d = {0};
  int n = (int)test_scale(20000) + 100;
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, count, &d, n);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(d.n >= 10 * (n - (n + 2) / 3) && d.n <= 10 * n);
  CHECK(leat_mutex_try_lock(&d.m));
}
TEST_GO(it_excludes) { check_excludes(2); }
TEST_GO(it_excludes_with_one_worker) { check_excludes(1); }
TEST_GO(it_excludes_with_eight_workers) { check_excludes(8); }

LEAT_FN(unlock_it, leat_mutex *, m) { leat_mutex_unlock(m); }
static void *unlock_in_thread(void *m) {
  leat_mutex_unlock(m);
  return NULL;
}
TEST_GO(any_goroutine_or_thread_may_unlock) {
  leat_mutex m = {0};
  leat_mutex_lock(&m);
  {
    leat_scope(s);
    leat_go(s, unlock_it, &m);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK(leat_mutex_try_lock(&m));
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, unlock_in_thread, &m), 0);
  leat_blocking { pthread_join(t, NULL); }
  CHECK(leat_mutex_try_lock(&m));
}

LEAT_FN(lock_twice, leat_mutex *, m, atomic_int *, times) {
  leat_mutex_lock(m);
  ++*times;
  leat_mutex_lock(m);
  ++*times;
}
TEST_GO(a_second_lock_by_the_holder_waits_for_an_unlock) {
  leat_mutex m = {0};
  atomic_int times = 0;
  leat_scope(s);
  leat_go(s, lock_twice, &m, &times);
  wait_blocked("lock_twice", 1);
  CHECK_EQ(times, 1);
  leat_mutex_unlock(&m);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(times, 2);
}

/* ---- who holds it ---- */

LEAT_FN(hold_until, leat_mutex *, m, atomic_int *, release, _Atomic(uint64_t) *, id) {
  leat_mutex_lock(m);
  *id = leat_goroutine_id();
  UNTIL(*release);
  leat_mutex_unlock(m);
}
TEST_GO(the_holder_is_known) {
  leat_mutex m = {0};
  atomic_int release = 0;
  _Atomic(uint64_t) id = 0;
  CHECK_EQ(leat_i_mutex_owner(&m), 0);
  leat_mutex_lock(&m);
  CHECK_EQ(leat_i_mutex_owner(&m), leat_goroutine_id());
  leat_scope(s);
  leat_go(s, hold_until, &m, &release, &id);
  wait_blocked("hold_until", 1);
  CHECK_EQ(leat_i_mutex_owner(&m), leat_goroutine_id());
  leat_mutex_unlock(&m);
  UNTIL(id);
  CHECK_EQ(leat_i_mutex_owner(&m), id);
  release = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_i_mutex_owner(&m), 0);
}

static void *lock_in_thread(void *m) {
  leat_mutex_lock(m);
  CHECK(leat_i_mutex_owner(m) != 0);
  CHECK_EQ(leat_goroutine_id(), 0);
  return NULL;
}
TEST(a_plain_thread_is_a_holder_too) {
  leat_mutex m = {0};
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, lock_in_thread, &m), 0);
  CHECK_EQ(pthread_join(t, NULL), 0);
  uint64_t first = leat_i_mutex_owner(&m);
  leat_mutex_unlock(&m);
  lock_in_thread(&m);
  CHECK(leat_i_mutex_owner(&m) != first);
  leat_mutex_unlock(&m);
}

/* ---- order ---- */

LEAT_FN(append, leat_mutex *, m, int *, list, int *, n, int, number) {
  leat_mutex_lock(m);
  list[(*n)++] = number;
  leat_mutex_unlock(m);
}
TEST_GO(waiters_are_served_first_come_first_served) {
  enum { N = 20 };
  leat_mutex m = {0};
  int list[N], n = 0;
  leat_mutex_lock(&m);
  leat_scope(s);
  for (int i = 0; i < N; i++) {
    leat_go(s, append, &m, list, &n, i);
    wait_blocked("append", (size_t)i + 1);
  }
  leat_mutex_unlock(&m);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(n, N);
  for (int i = 0; i < N; i++) CHECK_EQ(list[i], i);
}

/* One worker, so that what the waiter does between is known: it is woken, finds the mutex taken again, and has waited for too long. False if it was
 * first: another worker has run it, as this one's thread did not run for so long that it seemed blocked. */
static bool overtakes_and_hands_over(void) {
  leat_mutex m = {0};
  atomic_int release = 0;
  _Atomic(uint64_t) id = 0;
  leat_mutex_lock(&m);
  leat_scope(s);
  leat_go(s, hold_until, &m, &release, &id);
  wait_blocked("hold_until", 1);
  CHECK_EQ(leat_sleep(LEAT_MS(2)), LEAT_OK);
  leat_mutex_unlock(&m);
  bool overtakes = leat_mutex_try_lock(&m);
  if (overtakes) {
    pause_a_moment(); /* meanwhile it looks, and waits on: the mutex is to be handed over */
    CHECK_EQ(id, 0);
    leat_mutex_unlock(&m);
    CHECK(!leat_mutex_try_lock(&m));
  }
  UNTIL(id);
  CHECK_EQ(leat_i_mutex_owner(&m), id);
  release = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(leat_mutex_try_lock(&m)); /* it was the last: back to the usual way */
  leat_mutex_unlock(&m);
  return overtakes;
}
TEST_GO(one_that_has_waited_for_long_is_handed_the_mutex) {
  CHECK_EQ(leat_set_workers(1), LEAT_OK);
  while (!overtakes_and_hands_over()) {}
}

LEAT_FN(lock_again_and_again, leat_mutex *, m, atomic_int *, stop, bool, asleep) {
  while (!*stop) {
    leat_mutex_lock(m);
    if (asleep) leat_sleep(LEAT_US(100));
    leat_mutex_unlock(m);
  }
}
static void check_lets_in(int workers, bool asleep) {
  CHECK_EQ(leat_set_workers(workers), LEAT_OK);
  leat_mutex m = {0};
  atomic_int stop = 0;
  leat_scope(s);
  leat_go(s, lock_again_and_again, &m, &stop, asleep);
  for (int i = 0; i < 10; i++) {
    leat_sleep(LEAT_US(100));
    leat_mutex_lock(&m);
    leat_mutex_unlock(&m);
  }
  stop = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(one_that_takes_it_again_at_once_lets_others_in) {
  check_lets_in(1, true);
  check_lets_in(4, true);
  check_lets_in(1, false);
  check_lets_in(4, false);
}

/* ---- cancellation and deadlines ---- */

LEAT_FN(lock_cancellable, leat_mutex *, m, atomic_int *, status) {
  *status = leat_mutex_lock_cancellable(m);
  if (*status == LEAT_OK) leat_mutex_unlock(m);
}
TEST_GO(a_cancel_ends_the_wait) {
  leat_mutex m = {0};
  atomic_int status = 1;
  leat_mutex_lock(&m);
  leat_scope(s);
  leat_go(s, lock_cancellable, &m, &status);
  wait_blocked("lock_cancellable", 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(status, LEAT_CANCELED);
  leat_mutex_unlock(&m);
  CHECK(leat_mutex_try_lock(&m));
}

TEST_GO(a_cancel_in_the_middle_of_the_queue_leaves_the_others_in_order) {
  leat_mutex m = {0};
  atomic_int status = 1;
  int list[2], n = 0;
  leat_mutex_lock(&m);
  leat_scope(s);
  leat_go(s, append, &m, list, &n, 0);
  wait_blocked("append", 1);
  leat_scope(inner);
  leat_go(inner, lock_cancellable, &m, &status);
  wait_blocked("lock_cancellable", 1);
  leat_go(s, append, &m, list, &n, 1);
  wait_blocked("append", 2);
  leat_cancel(inner);
  CHECK_EQ(leat_wait(inner), LEAT_CANCELED);
  CHECK_EQ(n, 0);
  leat_mutex_unlock(&m);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(n, 2);
  CHECK_EQ(list[0], 0);
  CHECK_EQ(list[1], 1);
  CHECK_EQ(status, LEAT_CANCELED);
}

TEST_GO(cancellation_is_looked_at_before_the_mutex) {
  leat_mutex m = {0};
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_mutex_lock_cancellable(&m), LEAT_CANCELED);
  CHECK_EQ(leat_mutex_lock_until(&m, LEAT_NEVER), LEAT_CANCELED);
  CHECK(leat_mutex_try_lock(&m)); /* this one does not wait, and does not look */
  leat_mutex_unlock(&m);
  leat_shield(shield);
  CHECK_EQ(leat_mutex_lock_cancellable(&m), LEAT_OK);
  leat_mutex_unlock(&m);
}

LEAT_FN(append_whatever_happens, leat_mutex *, m, atomic_int *, n) {
  leat_mutex_lock(m);
  ++*n;
  leat_mutex_unlock(m);
}
TEST_GO(the_plain_form_is_not_reached) {
  leat_mutex m = {0};
  atomic_int n = 0;
  leat_mutex_lock(&m);
  leat_scope(s);
  leat_go(s, append_whatever_happens, &m, &n);
  wait_blocked("append_whatever_happens", 1);
  leat_set_timeout(s, LEAT_MS(1));
  UNTIL(leat_scope_status(s) == LEAT_DEADLINE);
  leat_cancel(s);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(blocked_goroutines("append_whatever_happens"), 1);
  CHECK_EQ(n, 0);
  leat_mutex_unlock(&m);
  CHECK_EQ(leat_wait(s), LEAT_DEADLINE);
  CHECK_EQ(n, 1);
  leat_mutex_lock(&m); /* nor here, where the scope has ended already */
  leat_mutex_unlock(&m);
}

TEST_GO(a_deadline_ends_the_wait_and_not_early) {
  leat_mutex m = {0};
  CHECK_EQ(leat_mutex_lock_until(&m, 1), LEAT_OK); /* free: the time does not matter */
  CHECK_EQ(leat_mutex_lock_until(&m, 1), LEAT_DEADLINE);
  int64_t time = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_mutex_lock_until(&m, time), LEAT_DEADLINE);
  CHECK(leat_now() >= time);
  leat_mutex_unlock(&m);
  CHECK_EQ(leat_mutex_lock_until(&m, leat_now() + LEAT_SECONDS(100)), LEAT_OK);
  {
    leat_scope(s);
    leat_set_timeout(s, LEAT_MS(2));
    CHECK_EQ(leat_mutex_lock_until(&m, LEAT_NEVER), LEAT_DEADLINE);
    CHECK_EQ(leat_scope_status(s), LEAT_DEADLINE);
  }
  leat_mutex_unlock(&m);
}

LEAT_FN(ignore, leat_mutex *, m) {
  for (;;)
    if (leat_mutex_lock_cancellable(m) == LEAT_OK) leat_mutex_unlock(m);
}
TEST_GO(who_ignores_the_answers_is_failed) {
  leat_mutex m = {0};
  leat_scope(s);
  leat_task *t = leat_spawn(s, ignore, &m);
  leat_cancel(s);
  CHECK_EQ(leat_join(t), LEAT_PANIC);
  CHECK(strstr(leat_task_message(t), "in a row") != NULL);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
}

/* A waiter is woken and cancelled at the same time, again and again: the mutex must not be left with waiters and nobody to wake them. */
LEAT_FN(lock_for_a_while, leat_mutex *, m, int *, n, uint32_t, seed) {
  for (int i = 0; i < 50; i++) {
    int64_t wait = next_random(&seed) % 50;
    if (leat_mutex_lock_until(m, leat_now() + LEAT_US(wait)) != LEAT_OK) continue;
    ++*n;
    if (wait % 4 == 0) leat_yield();
    leat_mutex_unlock(m);
  }
}
LEAT_FN(lock_in_order, leat_mutex *, m, int *, n, int, times) {
  for (int i = 0; i < times; i++) {
    leat_mutex_lock(m);
    ++*n;
    if (i % 8 == 0) leat_yield();
    leat_mutex_unlock(m);
  }
}
TEST_GO(cancels_and_deadlines_lose_no_wake) {
  leat_mutex m = {0};
  int n = 0, rounds = (int)test_scale(200) + 5;
  uint32_t seed = 1;
  for (int i = 0; i < rounds; i++) {
    CHECK_EQ(leat_set_workers(i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 8), LEAT_OK);
    leat_scope(plain);
    for (int k = 0; k < 2; k++) leat_go(plain, lock_in_order, &m, &n, 20);
    {
      leat_scope(cancelled);
      for (int k = 0; k < 8; k++) leat_go(cancelled, lock_for_a_while, &m, &n, next_random(&seed));
      leat_sleep(LEAT_US(next_random(&seed) % 300));
      leat_cancel(cancelled);
    }
    CHECK_EQ(leat_wait(plain), LEAT_OK);
    CHECK(leat_mutex_try_lock(&m));
    leat_mutex_unlock(&m);
  }
}

/* ---- misuse ---- */

LEAT_FN(unlock_unlocked) {
  leat_mutex m = {0};
  leat_mutex_unlock(&m);
}
LEAT_FN(unlock_twice) {
  leat_mutex m = {0};
  leat_mutex_lock(&m);
  leat_mutex_unlock(&m);
  leat_mutex_unlock(&m);
}
TEST_GO(unlocking_what_is_not_locked_is_misuse) {
  CHECK_PANICS("leat_mutex_unlock: the mutex at", unlock_unlocked);
  CHECK_PANICS("is not locked", unlock_twice);
  leat_scope(s);
  leat_go(s, unlock_twice);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_STR(leat_failure_of(s)->name, "unlock_twice");
  CHECK(strstr(leat_failure_of(s)->birthplace, "tests/mutex.c:") != NULL);
}
TEST_DIES(a_plain_thread_that_misuses_one_ends_the_process, "is not locked", "a thread that is not leat's") { unlock_unlocked(); }

/* ---- the scoped form ---- */

static int return_inside(leat_mutex *m) {
  leat_locked(m) return 7;
  return 8;
}
static leat_mutex *evaluated(leat_mutex *m, int *times) {
  ++*times;
  return m;
}
TEST_GO(locked_unlocks_by_every_path) {
  leat_mutex m = {0}, other = {0};
  int n = 0, times = 0;
  leat_locked(evaluated(&m, &times)) {
    CHECK(!leat_mutex_try_lock(&m));
    n++;
  }
  CHECK_EQ(times, 1);
  CHECK_EQ(n, 1);
  leat_locked(&m) {
    leat_locked(&other) { /* nested */
      CHECK(!leat_mutex_try_lock(&m) && !leat_mutex_try_lock(&other));
    }
    CHECK(!leat_mutex_try_lock(&m) && leat_mutex_try_lock(&other));
    leat_mutex_unlock(&other);
    if (n) break;
    n = 100;
  }
  CHECK_EQ(n, 1);
  CHECK(leat_mutex_try_lock(&m));
  leat_mutex_unlock(&m);
  CHECK_EQ(return_inside(&m), 7);
  CHECK(leat_mutex_try_lock(&m));
  leat_mutex_unlock(&m);
  leat_locked(&m) goto out;
  CHECK(false);
out:
  CHECK(leat_mutex_try_lock(&m));
  leat_mutex_unlock(&m);
  leat_locked(&m) {
    n++;
    continue; /* ends the statement too */
  }
  if (n) leat_locked(&m) n++;
  else n = 0;
  CHECK_EQ(n, 3);
  CHECK(leat_mutex_try_lock(&m));
}

LEAT_FN(panic_inside, leat_mutex *, m) { leat_locked(m) unlock_unlocked(); }
LEAT_FN(panic_after_defer, leat_mutex *, m) {
  leat_mutex_lock(m);
  leat_defer(leat_mutex_unlock, m);
  unlock_unlocked();
}
TEST_GO(a_panic_inside_unlocks) {
  leat_mutex m = {0};
  CHECK_PANICS("is not locked", panic_inside, &m);
  CHECK(leat_mutex_try_lock(&m));
  leat_mutex_unlock(&m);
  CHECK_PANICS("is not locked", panic_after_defer, &m);
  CHECK(leat_mutex_try_lock(&m));
}

TEST_GO(a_mutex_as_a_locker) {
  leat_mutex m = {0};
  leat_locker l = leat_mutex_locker(&m);
  l.lock(l.object);
  CHECK(!leat_mutex_try_lock(&m));
  l.unlock(l.object);
  CHECK(leat_mutex_try_lock(&m));
}

/* ---- plain threads ---- */

static void *count_in_thread(void *arg) {
  struct shared *d = arg;
  for (int i = 0, n = (int)test_scale(5000); i < n; i++) {
    int status = LEAT_OK;
    if (i % 4 == 0) status = leat_mutex_lock_until(&d->m, leat_now() + LEAT_US(i % 64));
    else leat_mutex_lock(&d->m);
    if (status != LEAT_OK) {
      CHECK_EQ(status, LEAT_DEADLINE);
      continue;
    }
    CHECK_EQ(++d->inside, 1);
    d->n++;
    if (i % 512 == 0) leat_sleep(LEAT_US(50));
    CHECK_EQ(--d->inside, 0);
    leat_mutex_unlock(&d->m);
  }
  return NULL;
}
TEST_GO(threads_and_goroutines_share_one) {
  struct shared d = {0};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, count_in_thread, &d), 0);
  leat_scope(s);
  for (int i = 0; i < 8; i++) leat_go(s, count, &d, (int)test_scale(5000));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < 4; i++) leat_blocking { pthread_join(threads[i], NULL); }
  CHECK(leat_mutex_try_lock(&d.m));
}
TEST(threads_alone_share_one) {
  struct shared d = {0};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, count_in_thread, &d), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK(leat_mutex_try_lock(&d.m));
}

/* ---- memory ---- */

/* Counted by its own mutex: whoever unlocks last frees it, while the one before may not have returned from its unlock. */
struct counted {
  leat_mutex m;
  int references;
};
LEAT_FN(release_counted, struct counted *, c, uint32_t, seed) {
  if (next_random(&seed) % 2) {
    leat_mutex_lock(&c->m);
  } else {
    while (leat_mutex_lock_until(&c->m, leat_now() + LEAT_US(next_random(&seed) % 20)) != LEAT_OK) {}
  }
  bool last = --c->references == 0;
  leat_mutex_unlock(&c->m);
  if (last) free(c);
}
TEST_GO(whoever_unlocks_last_may_free_it) {
  int rounds = (int)test_scale(10000) + 20;
  uint32_t seed = 1;
  CHECK_EQ(leat_set_workers(4), LEAT_OK);
  leat_scope(s);
  for (int i = 0; i < rounds; i++) {
    struct counted *c = calloc(1, sizeof *c);
    c->references = 4;
    for (int k = 0; k < 4; k++) leat_go(s, release_counted, c, next_random(&seed));
    if (i % 16 == 0) CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
