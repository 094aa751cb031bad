/* Conditions: signal and broadcast, order, any lock, cancellation and deadlines, no lost signals, misuse, plain threads; and all locks at once.
 *
 * Go's sync/cond_test.go, and what covers it here:
 *   TestCondSignal             a_signal_wakes_one
 *   TestCondSignalGenerations  the_one_that_has_waited_longest_is_woken
 *   TestCondBroadcast          a_broadcast_wakes_all
 *   TestRace                   three_take_turns
 *   TestCondSignalStealing     a_later_waiter_steals_no_wake
 *   TestCondCopy               a_copy_is_misuse_while_somebody_waits (leat allows to copy one that nobody waits for)
 *   Benchmark...               no tests; bench/compare has them */
#include "wait.h"
#include "core/mutex.h"

#include <pthread.h>

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

static bool is_free(leat_mutex *m) {
  if (!leat_mutex_try_lock(m)) return false;
  leat_mutex_unlock(m);
  return true;
}

struct monitor {
  leat_mutex m;
  leat_cond c;
  int n, more;
};

/* ---- signal and broadcast ---- */

LEAT_FN(wait_once, struct monitor *, d, leat_tx(int), awake, int, number) {
  leat_mutex_lock(&d->m);
  CHECK_EQ(leat_cond_wait(&d->c, &d->m), LEAT_OK);
  CHECK_EQ(leat_i_mutex_owner(&d->m), leat_goroutine_id());
  CHECK_EQ(leat_send(awake, number), LEAT_OK);
  leat_mutex_unlock(&d->m);
}
TEST_GO(a_signal_wakes_one) {
  struct monitor d = {0};
  leat_scope(s);
  leat_chan(int) awake = leat_chan_make(s, int, 3);
  for (int i = 0; i < 3; i++) leat_go(s, wait_once, &d, leat_tx_of(awake), i);
  wait_blocked("wait_once", 3);
  for (int i = 0, v; i < 3; i++) {
    CHECK_EQ(leat_try_recv(awake, &v), LEAT_EMPTY);
    if (i == 1) {
      leat_cond_signal(&d.c); /* without the lock */
    } else {
      leat_locked(&d.m) leat_cond_signal(&d.c);
    }
    CHECK_EQ(leat_recv(awake, &v), LEAT_OK);
    CHECK_EQ(leat_try_recv(awake, &v), LEAT_EMPTY);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_cond_signal(&d.c); /* meets nobody */
  leat_cond_broadcast(&d.c);
  CHECK(sizeof(leat_cond) <= 40);
}

TEST_GO(the_one_that_has_waited_longest_is_woken) {
  enum { N = 100 };
  struct monitor d = {0};
  leat_scope(s);
  leat_chan(int) awake = leat_chan_make(s, int, N);
  for (int i = 0; i < N; i++) {
    leat_go(s, wait_once, &d, leat_tx_of(awake), i);
    if (i % 2) wait_blocked("wait_once", 2); /* two at a time, in order */
    else wait_blocked("wait_once", 1);
    if (i % 2 == 0) continue;
    for (int k = 0, v; k < 2; k++) {
      leat_locked(&d.m) leat_cond_signal(&d.c);
      CHECK_EQ(leat_recv(awake, &v), LEAT_OK);
      CHECK_EQ(v, i - 1 + k);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

LEAT_FN(wait_again_and_again, struct monitor *, d, leat_tx(int), running, leat_tx(int), awake, int, number) {
  leat_locked(&d->m) {
    while (!d->more) {
      CHECK_EQ(leat_send(running, number), LEAT_OK);
      CHECK_EQ(leat_cond_wait(&d->c, &d->m), LEAT_OK);
      CHECK_EQ(leat_send(awake, number), LEAT_OK);
    }
  }
}
TEST_GO(a_broadcast_wakes_all) {
  enum { N = 50 };
  struct monitor d = {0};
  leat_scope(s);
  leat_chan(int) running = leat_chan_make(s, int, N), awake = leat_chan_make(s, int, N);
  for (int i = 0; i < N; i++) leat_go(s, wait_again_and_again, &d, leat_tx_of(running), leat_tx_of(awake), i);
  for (int round = 0, v; round < N; round++) {
    for (int i = 0; i < N; i++) CHECK_EQ(leat_recv(running, &v), LEAT_OK);
    if (round == N - 1) leat_locked(&d.m) d.more = 1;
    CHECK_EQ(leat_try_recv(awake, &v), LEAT_EMPTY);
    leat_locked(&d.m) leat_cond_broadcast(&d.c);
    bool seen[N] = {0};
    for (int i = 0; i < N; i++) {
      CHECK_EQ(leat_recv(awake, &v), LEAT_OK);
      CHECK(!seen[v]);
      seen[v] = true;
    }
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_len(running), 0);
  leat_cond_broadcast(&d.c);
}

LEAT_FN(turn_one, struct monitor *, d) {
  leat_locked(&d->m) {
    d->n = 1;
    CHECK_EQ(leat_cond_wait(&d->c, &d->m), LEAT_OK);
    CHECK_EQ(d->n, 2);
    d->n = 3;
    leat_cond_signal(&d->c);
  }
}
LEAT_FN(turn_two, struct monitor *, d) {
  for (bool done = false; !done; leat_yield())
    leat_locked(&d->m) {
      if (d->n != 1) continue;
      d->n = 2;
      leat_cond_signal(&d->c);
      done = true;
    }
}
LEAT_FN(turn_three, struct monitor *, d) {
  for (bool done = false; !done; leat_yield())
    leat_locked(&d->m) {
      if (d->n == 2) {
        CHECK_EQ(leat_cond_wait(&d->c, &d->m), LEAT_OK);
        CHECK_EQ(d->n, 3);
      }
      done = d->n == 3;
    }
}
TEST_GO(three_take_turns) {
  for (int i = 0; i < 100; i++) {
    struct monitor d = {0};
    leat_scope(s);
    leat_go(s, turn_one, &d);
    leat_go(s, turn_two, &d);
    leat_go(s, turn_three, &d);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

LEAT_FN(broadcast, struct monitor *, d) { leat_cond_broadcast(&d->c); }
LEAT_FN(wait_until_more, struct monitor *, d) {
  leat_locked(&d->m) {
    while (!d->more) CHECK_EQ(leat_cond_wait(&d->c, &d->m), LEAT_OK);
  }
}
TEST_GO(a_later_waiter_steals_no_wake) {
  for (int i = 0, rounds = (int)test_scale(1000) + 10; i < rounds; i++) {
    struct monitor d = {0};
    leat_scope(s);
    leat_chan(int) awake = leat_chan_make(s, int, 0);
    leat_go(s, wait_once, &d, leat_tx_of(awake), i);
    wait_blocked("wait_once", 1);
    leat_go(s, broadcast, &d);
    leat_go(s, wait_until_more, &d);
    int v;
    CHECK_EQ(leat_recv(awake, &v), LEAT_OK);
    leat_locked(&d.m) d.more = 1;
    leat_cond_broadcast(&d.c);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* ---- any lock ---- */

struct several {
  leat_rwmutex rw;
  leat_chan(int) own; /* a lock of the user's: its unlock blocks on something of its own */
  pthread_mutex_t thread;
  leat_cond c;
  int n;
};
static void own_lock(void *d) { CHECK_EQ(leat_send(((struct several *)d)->own, 1), LEAT_OK); }
static void own_unlock(void *d) {
  int v;
  leat_yield();
  leat_shield(shield);
  leat_sleep(LEAT_US(20));
  CHECK_EQ(leat_recv(((struct several *)d)->own, &v), LEAT_OK);
}
static void thread_lock(void *d) { CHECK_EQ(pthread_mutex_lock(&((struct several *)d)->thread), 0); }
static void thread_unlock(void *d) { CHECK_EQ(pthread_mutex_unlock(&((struct several *)d)->thread), 0); }

LEAT_FN(wait_with_rwmutex, struct several *, d) {
  leat_write_locked(&d->rw) {
    while (!d->n) CHECK_EQ(leat_cond_wait(&d->c, &d->rw), LEAT_OK);
    d->n--;
  }
}
LEAT_FN(wait_with_locker, struct several *, d, leat_locker, l) {
  l.lock(l.object);
  while (!d->n) CHECK_EQ(leat_cond_wait(&d->c, l), LEAT_OK);
  d->n--;
  l.unlock(l.object);
}
static void check_locker(struct several *d, leat_locker l) {
  enum { N = 5 };
  leat_scope(s);
  for (int i = 0; i < N; i++) leat_go(s, wait_with_locker, d, l);
  for (int i = 0; i < N; i++) {
    l.lock(l.object);
    d->n++;
    l.unlock(l.object);
    leat_cond_signal(&d->c);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(d->n, 0);
}
TEST_GO(it_works_with_any_lock) {
  struct several d = {.thread = PTHREAD_MUTEX_INITIALIZER};
  leat_scope(s);
  d.own = leat_chan_make(s, int, 1);
  for (int i = 0, rounds = (int)test_scale(100) + 5; i < rounds; i++) {
    leat_go(s, wait_with_rwmutex, &d);
    leat_go(s, wait_with_rwmutex, &d);
    for (int k = 0; k < 2; k++) {
      leat_write_locked(&d.rw) d.n++;
      leat_cond_signal(&d.c);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
    check_locker(&d, (leat_locker){&d, own_lock, own_unlock});
    check_locker(&d, (leat_locker){&d, thread_lock, thread_unlock});
    check_locker(&d, leat_rwmutex_locker(&d.rw));
  }
}

/* Readers wait for a condition too; the writer that makes it true excludes them while they look. */
LEAT_FN(read_until_more, struct several *, d, atomic_int *, seen) {
  leat_read_locked(&d->rw) {
    while (!d->n) CHECK_EQ(leat_cond_wait(&d->c, leat_rwmutex_rlocker(&d->rw)), LEAT_OK);
    ++*seen;
  }
}
TEST_GO(it_works_with_the_readers_side) {
  struct several d = {0};
  atomic_int seen = 0;
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, read_until_more, &d, &seen);
  wait_blocked("read_until_more", 5);
  leat_write_locked(&d.rw) d.n = 1;
  leat_cond_broadcast(&d.c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(seen, 5);
}

/* ---- cancellation and deadlines: the lock is held again on every return ---- */

LEAT_FN(wait_and_tell, struct monitor *, d, atomic_int *, status) {
  leat_mutex_lock(&d->m);
  *status = leat_cond_wait(&d->c, &d->m);
  CHECK_EQ(leat_i_mutex_owner(&d->m), leat_goroutine_id());
  leat_mutex_unlock(&d->m);
}
TEST_GO(a_cancel_ends_the_wait) {
  struct monitor d = {0};
  atomic_int status = 1;
  leat_scope(s);
  leat_go(s, wait_and_tell, &d, &status);
  wait_blocked("wait_and_tell", 1);
  leat_mutex_lock(&d.m);
  leat_cancel(s);
  for (int i = 0; i < 10; i++) pause_a_moment();
  CHECK_EQ(status, 1); /* it is cancelled, and waits for the lock, which no cancel interrupts */
  leat_mutex_unlock(&d.m);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(status, LEAT_CANCELED);
  CHECK(is_free(&d.m));
}

TEST_GO(cancellation_is_looked_at_before_waiting) {
  struct monitor d = {0};
  leat_scope(s);
  leat_cancel(s);
  leat_mutex_lock(&d.m);
  CHECK_EQ(leat_cond_wait(&d.c, &d.m), LEAT_CANCELED);
  CHECK_EQ(leat_i_mutex_owner(&d.m), leat_goroutine_id());
  CHECK_EQ(leat_cond_wait_until(&d.c, &d.m, LEAT_NEVER), LEAT_CANCELED);
  CHECK_EQ(leat_i_mutex_owner(&d.m), leat_goroutine_id());
  leat_mutex_unlock(&d.m);
}

TEST_GO(a_deadline_ends_the_wait_and_not_early) {
  struct monitor d = {0};
  leat_mutex_lock(&d.m);
  int64_t time = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_cond_wait_until(&d.c, &d.m, time), LEAT_DEADLINE);
  CHECK(leat_now() >= time);
  CHECK_EQ(leat_i_mutex_owner(&d.m), leat_goroutine_id());
  CHECK_EQ(leat_cond_wait_until(&d.c, &d.m, 1), LEAT_DEADLINE);
  CHECK_EQ(leat_i_mutex_owner(&d.m), leat_goroutine_id());
  {
    leat_scope(s);
    leat_set_timeout(s, LEAT_MS(2));
    CHECK_EQ(leat_cond_wait(&d.c, &d.m), LEAT_DEADLINE);
    CHECK_EQ(leat_i_mutex_owner(&d.m), leat_goroutine_id());
  }
  leat_mutex_unlock(&d.m);
  leat_cond_signal(&d.c);
}

LEAT_FN(wait_in_shield, struct monitor *, d, atomic_int *, status) {
  leat_shield(shield);
  wait_and_tell(d, status);
}
TEST_GO(a_shield_keeps_the_wait) {
  struct monitor d = {0};
  atomic_int status = 1;
  leat_scope(s);
  leat_go(s, wait_in_shield, &d, &status);
  wait_blocked("wait_in_shield", 1);
  leat_cancel(s);
  for (int i = 0; i < 10; i++) pause_a_moment();
  CHECK_EQ(blocked_goroutines("wait_in_shield"), 1);
  leat_cond_signal(&d.c);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(status, LEAT_OK);
}

/* Who ignores the answer is failed, with the lock in the state that the scoped form expects. */
LEAT_FN(ignore, struct monitor *, d) {
  leat_locked(&d->m) {
    for (int status = 0;; (void)status) status = leat_cond_wait(&d->c, &d->m);
  }
}
TEST_GO(who_ignores_the_answers_is_failed) {
  struct monitor d = {0};
  leat_scope(s);
  leat_task *t = leat_spawn(s, ignore, &d);
  wait_blocked("ignore", 1);
  leat_cancel(s);
  CHECK_EQ(leat_join(t), LEAT_PANIC);
  CHECK(strstr(leat_task_message(t), "in a row") != NULL);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(is_free(&d.m));
}

/* ---- no signal is lost ---- */

TEST_GO(a_signal_passes_over_one_that_is_cancelled) {
  struct monitor d = {0};
  atomic_int first = 1, second = 1;
  leat_scope(s);
  leat_scope(inner);
  leat_go(inner, wait_and_tell, &d, &first);
  wait_blocked("wait_and_tell", 1);
  leat_go(s, wait_and_tell, &d, &second);
  wait_blocked("wait_and_tell", 2);
  leat_mutex_lock(&d.m);
  leat_cancel(inner);
  leat_cond_signal(&d.c);
  leat_mutex_unlock(&d.m);
  CHECK_EQ(leat_wait(inner), LEAT_CANCELED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(first, LEAT_CANCELED);
  CHECK_EQ(second, LEAT_OK);
}

/* One signal is sent for each item, while cancels and deadlines come at any time: one lost signal, and an item stays although somebody waits
 * for it, and does not look again. */
struct mailbox {
  leat_mutex m;
  leat_cond filled;
  int items, taken, started, waiting;
};
static void put_one(struct mailbox *b) {
  leat_locked(&b->m) b->items++;
  leat_cond_signal(&b->filled);
}
LEAT_FN(take_one, struct mailbox *, b, int64_t, patience) {
  leat_locked(&b->m) {
    int status = LEAT_OK;
    int64_t until = patience ? leat_now() + patience : LEAT_NEVER;
    b->started++;
    b->waiting++;
    while (!b->items && !status) status = leat_cond_wait_until(&b->filled, &b->m, until);
    b->waiting--;
    if (status && b->items) leat_cond_signal(&b->filled); /* not for us */
    if (status) continue;
    b->items--;
    b->taken++;
  }
}
static bool nobody_waits_in_vain(struct mailbox *b, int takers) {
  bool so = false;
  leat_locked(&b->m) so = b->started == takers && (!b->items || !b->waiting);
  return so;
}
TEST_GO(no_signal_is_lost) {
  uint32_t seed = 1;
  for (int i = 0, rounds = (int)test_scale(300) + 5; i < rounds; i++) {
    CHECK_EQ(leat_set_workers(i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 8), LEAT_OK);
    struct mailbox b = {0};
    leat_scope(s);
    for (int k = 0; k < 4; k++) leat_go(s, take_one, &b, 0);
    {
      leat_scope(cancelled);
      for (int k = 0; k < 6; k++) leat_go(cancelled, take_one, &b, k % 2 ? LEAT_US(next_random(&seed) % 100) : 0);
      for (int k = 0; k < 4; k++) {
        if (next_random(&seed) % 2) leat_yield();
        put_one(&b);
      }
      leat_cancel(cancelled);
    }
    UNTIL(nobody_waits_in_vain(&b, 10));
    int left = 0;
    leat_locked(&b.m) left = b.waiting;
    for (int k = 0; k < left; k++) put_one(&b);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(b.waiting, 0);
    CHECK_EQ(b.taken + b.items, 4 + left);
  }
}

/* ---- misuse ---- */

LEAT_FN(wait_unlocked, struct monitor *, d) {
  if (leat_cond_wait(&d->c, &d->m)) return;
}
TEST_GO(waiting_without_the_lock_is_misuse) {
  struct monitor d = {0};
  atomic_int status = 1;
  CHECK_PANICS("leat_mutex_unlock: the mutex at", wait_unlocked, &d);
  CHECK(is_free(&d.m));
  leat_scope(s); /* and leaves nothing behind in the queue */
  leat_go(s, wait_and_tell, &d, &status);
  wait_blocked("wait_and_tell", 1);
  leat_cond_signal(&d.c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(status, LEAT_OK);
}

LEAT_FN(wait_with_another_lock, struct monitor *, d, leat_mutex *, another) {
  leat_mutex_lock(another);
  leat_defer(leat_mutex_unlock, another);
  if (leat_cond_wait(&d->c, another)) return;
}
TEST_GO(waiting_with_another_lock_is_misuse) {
  struct monitor d = {0};
  atomic_int status = 1;
  leat_mutex another = {0};
  leat_scope(s);
  leat_go(s, wait_and_tell, &d, &status);
  wait_blocked("wait_and_tell", 1);
  CHECK_PANICS("use the same one", wait_with_another_lock, &d, &another);
  CHECK(is_free(&another));
  leat_cond_signal(&d.c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_go(s, wait_with_another_lock, &d, &another); /* nobody waits: any lock will do */
  wait_blocked("wait_with_another_lock", 1);
  leat_cond_signal(&d.c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

LEAT_FN(signal_it, struct monitor *, d) { leat_cond_signal(&d->c); }
LEAT_FN(broadcast_it, struct monitor *, d) { leat_cond_broadcast(&d->c); }
TEST_GO(a_copy_is_misuse_while_somebody_waits) {
  struct monitor d = {0}, copy;
  atomic_int status = 1;
  leat_scope(s);
  leat_go(s, wait_and_tell, &d, &status);
  wait_blocked("wait_and_tell", 1);
  copy = d;
  CHECK_PANICS("leat_cond_signal: the condition at", signal_it, &copy);
  CHECK_PANICS("is a copy", broadcast_it, &copy);
  CHECK_PANICS("is a copy", wait_unlocked, &copy);
  leat_cond_signal(&d.c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  copy = d; /* nobody waits: a condition like any other */
  leat_go(s, wait_and_tell, &copy, &status);
  wait_blocked("wait_and_tell", 1);
  leat_cond_signal(&copy.c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* ---- plain threads, and all locks at once ---- */

static void *take_in_thread(void *b) {
  take_one(b, 0);
  return NULL;
}
TEST(threads_wait_and_signal) {
  struct mailbox b = {0};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, take_in_thread, &b), 0);
  for (int i = 0; i < 4; i++) put_one(&b);
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK_EQ(b.taken, 4);
}

/* A bounded buffer behind a mutex and two conditions, a table behind a read-write lock, users that give up, are cancelled, or are threads. What
 * went in has come out, in each round; nobody is left behind. */
enum { ROOM = 3, KEYS = 8 };
struct world {
  leat_mutex m;
  leat_cond filled, emptied;
  int64_t items[ROOM], put, taken, sum_put, sum_taken;
  bool closed;
  leat_rwmutex table_lock;
  int64_t table[KEYS]; /* all the same, outside of a write */
};

static void use_table(struct world *w, uint32_t *seed) {
  uint32_t what = next_random(seed);
  int64_t soon = leat_now() + LEAT_US(what % 40);
  bool write = what % 5 == 0;
  int status = LEAT_OK;
  if (write && what % 2) status = leat_rwmutex_lock_until(&w->table_lock, soon);
  else if (write) leat_rwmutex_lock(&w->table_lock);
  else if (what % 2) status = leat_rwmutex_rlock_until(&w->table_lock, soon);
  else leat_rwmutex_rlock(&w->table_lock);
  if (status) return;
  int64_t first = w->table[0];
  for (int i = 0; i < KEYS; i++) {
    CHECK_EQ(w->table[i], first);
    if (write) w->table[i]++;
    if (i == KEYS / 2 && what % 16 == 0) leat_yield();
  }
  if (write) leat_rwmutex_unlock(&w->table_lock);
  else leat_rwmutex_runlock(&w->table_lock);
}

/* Answers whether it was done. */
static bool put(struct world *w, int64_t v, int64_t until) {
  bool done = false;
  leat_locked(&w->m) {
    int status = LEAT_OK;
    while (w->put - w->taken == ROOM && !w->closed && !status) status = leat_cond_wait_until(&w->emptied, &w->m, until);
    if (w->put - w->taken == ROOM || w->closed) {
      if (w->put - w->taken < ROOM) leat_cond_signal(&w->emptied);
      continue;
    }
    w->items[w->put++ % ROOM] = v;
    w->sum_put += v;
    done = true;
    leat_cond_signal(&w->filled);
  }
  return done;
}
static bool take(struct world *w, int64_t until) {
  bool done = false;
  leat_locked(&w->m) {
    int status = LEAT_OK;
    while (w->put == w->taken && !w->closed && !status) status = leat_cond_wait_until(&w->filled, &w->m, until);
    if (w->put == w->taken) continue;
    w->sum_taken += w->items[w->taken++ % ROOM];
    done = true;
    leat_cond_signal(&w->emptied);
  }
  return done;
}
static void produce_some(struct world *w, int n, uint32_t seed, bool patient) {
  for (int i = 0; i < n && !leat_scope_status(leat_current_scope()); i++) {
    use_table(w, &seed);
    int64_t v = next_random(&seed);
    while (!put(w, v, patient ? LEAT_NEVER : leat_now() + LEAT_US(v % 60)) && patient && !leat_scope_status(leat_current_scope())) {}
  }
}
static void consume_until_closed(struct world *w, uint32_t seed) {
  for (;;) {
    bool got = take(w, leat_now() + LEAT_US(next_random(&seed) % 200));
    if (next_random(&seed) % 8 == 0) use_table(w, &seed);
    bool over;
    leat_locked(&w->m) over = w->closed && w->put == w->taken;
    if (over || (!got && leat_scope_status(leat_current_scope()))) return;
  }
}
LEAT_FN(producer, struct world *, w, int, n, uint32_t, seed, bool, patient) { produce_some(w, n, seed, patient); }
LEAT_FN(consumer, struct world *, w, uint32_t, seed) { consume_until_closed(w, seed); }
static void *consumer_thread(void *w) {
  consume_until_closed(w, (uint32_t)(uintptr_t)&w);
  return NULL;
}
static void *producer_thread(void *w) {
  produce_some(w, 30, (uint32_t)(uintptr_t)&w, true);
  return NULL;
}

static void check_world(int workers, int rounds, uint32_t seed) {
  CHECK_EQ(leat_set_workers(workers), LEAT_OK);
  for (int i = 0; i < rounds; i++) {
    struct world w = {0};
    pthread_t threads[2];
    leat_scope(consumers);
    for (int k = 0; k < 3; k++) leat_go(consumers, consumer, &w, next_random(&seed));
    CHECK_EQ(pthread_create(&threads[0], NULL, consumer_thread, &w), 0);
    CHECK_EQ(pthread_create(&threads[1], NULL, producer_thread, &w), 0);
    {
      leat_scope(patient);
      for (int k = 0; k < 2; k++) leat_go(patient, producer, &w, 30, next_random(&seed), true);
      {
        leat_scope(cancelled);
        for (int k = 0; k < 4; k++) leat_go(cancelled, producer, &w, 1000, next_random(&seed), k % 2 == 0);
        for (int k = 0; k < 2; k++) leat_go(cancelled, consumer, &w, next_random(&seed));
        leat_sleep(LEAT_US(next_random(&seed) % 2000));
        leat_cancel(cancelled);
      }
      CHECK_EQ(leat_wait(patient), LEAT_OK);
    }
    leat_blocking { pthread_join(threads[1], NULL); }
    leat_locked(&w.m) w.closed = true;
    leat_cond_broadcast(&w.filled);
    leat_cond_broadcast(&w.emptied);
    CHECK_EQ(leat_wait(consumers), LEAT_OK);
    leat_blocking { pthread_join(threads[0], NULL); }
    CHECK_EQ(w.put, w.taken);
    CHECK_EQ(w.sum_put, w.sum_taken);
    CHECK(w.put >= 90);
    CHECK(is_free(&w.m));
    CHECK(leat_rwmutex_try_lock(&w.table_lock));
  }
}
TEST_GO(all_locks_at_once_with_one_worker) { check_world(1, (int)test_scale(50) + 2, 1); }
TEST_GO(all_locks_at_once_with_two_workers) { check_world(2, (int)test_scale(50) + 2, 2); }
TEST_GO(all_locks_at_once_with_eight_workers) { check_world(8, (int)test_scale(50) + 2, 3); }
