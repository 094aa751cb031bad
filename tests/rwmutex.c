/* Read-write locks: many readers or one writer, who comes before whom, cancellation and deadlines, misuse, the scoped forms, plain threads.
 *
 * Go's tests, and what covers them here:
 *   sync  TestParallelReaders            readers_are_inside_together
 *   sync  TestRWMutex                    try_forms, readers_and_writers_exclude_each_other
 *   sync  TestRLocker                    a_side_as_a_locker
 *   sync  TestMutexMisuse, RWMutex part  unlocking_what_is_not_locked_is_misuse
 *   runtime  TestParallelRWMutexReaders  readers_are_inside_together
 *   runtime  TestRWMutex                 readers_and_writers_exclude_each_other
 *   Benchmark...                         no tests; bench/compare has them */
#include "wait.h"
#include "core/rwmutex.h"

#include <pthread.h>

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

static bool is_free(leat_rwmutex *m) {
  if (!leat_rwmutex_try_lock(m)) return false;
  leat_rwmutex_unlock(m);
  return true;
}

/* ---- exclusion ---- */

TEST_GO(try_forms) {
  leat_rwmutex m = {0};
  leat_rwmutex_lock(&m);
  CHECK(!leat_rwmutex_try_lock(&m));
  CHECK(!leat_rwmutex_try_rlock(&m));
  leat_rwmutex_unlock(&m);
  CHECK(leat_rwmutex_try_lock(&m));
  leat_rwmutex_unlock(&m);
  CHECK(leat_rwmutex_try_rlock(&m));
  CHECK(leat_rwmutex_try_rlock(&m));
  CHECK(!leat_rwmutex_try_lock(&m));
  leat_rwmutex_runlock(&m);
  CHECK(!leat_rwmutex_try_lock(&m));
  leat_rwmutex_runlock(&m);
  CHECK(is_free(&m));
  CHECK(sizeof(leat_rwmutex) <= 72);
}

LEAT_FN(read_until, leat_rwmutex *, m, atomic_int *, inside, atomic_int *, leave) {
  leat_rwmutex_rlock(m);
  ++*inside;
  UNTIL(*leave);
  --*inside;
  leat_rwmutex_runlock(m);
}
TEST_GO(readers_are_inside_together) {
  const int shapes[][2] = {{1, 4}, {3, 4}, {4, 2}, {10, 1}};
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(leat_set_workers(shapes[i][1]), LEAT_OK);
    leat_rwmutex m = {0};
    atomic_int inside = 0, leave = 0;
    leat_scope(s);
    for (int k = 0; k < shapes[i][0]; k++) leat_go(s, read_until, &m, &inside, &leave);
    UNTIL(inside == shapes[i][0]);
    leave = 1;
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK(is_free(&m));
  }
}

struct shared {
  leat_rwmutex m;
  atomic_int activity; /* readers + 10000 * writers */
  int64_t n;           /* not atomic on purpose: TSan sees who is not excluded */
};
static void read_once(struct shared *d) {
  int seen = ++d->activity;
  CHECK(seen >= 1 && seen < 10000);
  CHECK(d->n >= 0);
  --d->activity;
  leat_rwmutex_runlock(&d->m);
}
static void write_once(struct shared *d) {
  CHECK_EQ(atomic_fetch_add(&d->activity, 10000), 0);
  d->n++;
  CHECK_EQ(atomic_fetch_sub(&d->activity, 10000), 10000);
  leat_rwmutex_unlock(&d->m);
}
LEAT_FN(read_often, struct shared *, d, int, times) {
  for (int i = 0; i < times; i++) {
    if (i % 4) leat_rwmutex_rlock(&d->m);
    else if (!leat_rwmutex_try_rlock(&d->m)) continue;
    if (i % 32 == 0) leat_yield();
    read_once(d);
  }
}
LEAT_FN(write_often, struct shared *, d, int, times) {
  for (int i = 0; i < times; i++) {
    while (i % 4 == 0 && !leat_rwmutex_try_lock(&d->m)) leat_yield();
    if (i % 4) leat_rwmutex_lock(&d->m);
    if (i % 32 == 0) leat_yield();
    write_once(d);
  }
}
TEST_GO(readers_and_writers_exclude_each_other) {
  const int shapes[][2] = {{1, 1}, {1, 3}, {1, 10}, {4, 1}, {4, 3}, {4, 10}, {10, 1}, {10, 3}, {10, 10}, {10, 5}};
  int times = (int)test_scale(2000) + 50;
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(leat_set_workers(shapes[i][0]), LEAT_OK);
    struct shared d = {0};
    leat_scope(s);
    leat_go(s, write_often, &d, times);
    for (int k = 0; k < shapes[i][1]; k++) {
      if (k == shapes[i][1] / 2) leat_go(s, write_often, &d, times);
      leat_go(s, read_often, &d, times);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(d.n, 2 * times);
    CHECK(is_free(&d.m));
  }
}

/* With nothing else to order them: only then does TSan see an order that is missing. */
static struct {
  leat_rwmutex m;
  int64_t written;
} plain;
LEAT_FN(write_plainly, int, times) {
  for (int i = 0; i < times; i++) leat_write_locked(&plain.m) plain.written++;
}
LEAT_FN_ERR(read_plainly, int, times) {
  int64_t last = 0;
  for (int i = 0; i < times; i++) {
    leat_read_locked(&plain.m) {
      CHECK(plain.written >= last);
      last = plain.written;
    }
    if (i % 4 || leat_rwmutex_rlock_cancellable(&plain.m)) continue;
    last = plain.written;
    leat_rwmutex_runlock(&plain.m);
  }
  return LEAT_OK;
}
TEST_GO(locks_alone_order_what_they_guard) {
  CHECK_EQ(leat_set_workers(4), LEAT_OK);
  leat_scope(s);
  int times = (int)test_scale(200000) + 20000;
  for (int i = 0; i < 2; i++) {
    leat_go(s, write_plainly, times);
    leat_go(s, read_plainly, times);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(plain.written, 2 * times);
}

LEAT_FN(lock_both_ways, leat_rwmutex *, m, leat_tx(int), rlocked, leat_tx(int), locked, int, times) {
  leat_locker read = leat_rwmutex_rlocker(m), write = leat_rwmutex_locker(m);
  for (int i = 0; i < times; i++) {
    read.lock(read.object);
    read.lock(read.object);
    CHECK_EQ(leat_send(rlocked, i), LEAT_OK);
    write.lock(write.object);
    CHECK_EQ(leat_send(locked, i), LEAT_OK);
  }
}
TEST_GO(a_side_as_a_locker) {
  enum { TIMES = 10 };
  leat_rwmutex m = {0};
  leat_locker read = leat_rwmutex_rlocker(&m), write = leat_rwmutex_locker(&m);
  leat_scope(s);
  leat_chan(int) rlocked = leat_chan_make(s, int, 1), locked = leat_chan_make(s, int, 1);
  leat_go(s, lock_both_ways, &m, leat_tx_of(rlocked), leat_tx_of(locked), TIMES);
  for (int i = 0, v; i < TIMES; i++) {
    CHECK_EQ(leat_recv(rlocked, &v), LEAT_OK);
    read.unlock(read.object);
    CHECK_EQ(leat_try_recv(locked, &v), LEAT_EMPTY);
    read.unlock(read.object);
    CHECK_EQ(leat_recv(locked, &v), LEAT_OK);
    CHECK_EQ(leat_try_recv(rlocked, &v), LEAT_EMPTY);
    write.unlock(write.object);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

LEAT_FN(runlock_it, leat_rwmutex *, m) { leat_rwmutex_runlock(m); }
LEAT_FN(unlock_it, leat_rwmutex *, m) { leat_rwmutex_unlock(m); }
TEST_GO(any_goroutine_may_unlock) {
  leat_rwmutex m = {0};
  leat_scope(s);
  leat_rwmutex_lock(&m);
  leat_go(s, unlock_it, &m);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_rwmutex_rlock(&m);
  leat_go(s, runlock_it, &m);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(is_free(&m));
}

/* ---- who comes before whom ---- */

LEAT_FN(read_and_note, leat_rwmutex *, m, leat_tx(int), log, int, number) {
  leat_rwmutex_rlock(m);
  CHECK_EQ(leat_send(log, number), LEAT_OK);
  leat_rwmutex_runlock(m);
}
LEAT_FN(write_and_note, leat_rwmutex *, m, leat_tx(int), log, int, number) {
  leat_rwmutex_lock(m);
  CHECK_EQ(leat_send(log, number), LEAT_OK);
  leat_rwmutex_unlock(m);
}

TEST_GO(a_waiting_writer_blocks_new_readers) {
  leat_rwmutex m = {0};
  leat_scope(s);
  leat_chan(int) log = leat_chan_make(s, int, 10);
  leat_rwmutex_rlock(&m);
  leat_go(s, write_and_note, &m, leat_tx_of(log), 1);
  wait_blocked("write_and_note", 1);
  CHECK(!leat_rwmutex_try_rlock(&m));
  leat_go(s, read_and_note, &m, leat_tx_of(log), 2);
  wait_blocked("read_and_note", 1);
  CHECK_EQ(leat_len(log), 0);
  leat_rwmutex_runlock(&m);
  int first = 0, second = 0;
  CHECK_EQ(leat_recv(log, &first), LEAT_OK);
  CHECK_EQ(leat_recv(log, &second), LEAT_OK);
  CHECK_EQ(first, 1);
  CHECK_EQ(second, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(is_free(&m));
}

TEST_GO(a_writer_that_unlocks_lets_in_all_readers_then_the_next_writer) {
  enum { READERS = 5 };
  leat_rwmutex m = {0};
  atomic_int inside = 0, leave = 0;
  leat_scope(s);
  leat_chan(int) log = leat_chan_make(s, int, 10);
  leat_rwmutex_lock(&m);
  leat_go(s, write_and_note, &m, leat_tx_of(log), 1);
  wait_blocked("write_and_note", 1);
  leat_go(s, write_and_note, &m, leat_tx_of(log), 2);
  wait_blocked("write_and_note", 2);
  for (int i = 0; i < READERS; i++) leat_go(s, read_until, &m, &inside, &leave);
  wait_blocked("read_until", READERS);
  leat_rwmutex_unlock(&m);
  UNTIL(inside == READERS); /* all, at the same time */
  CHECK_EQ(leat_len(log), 0);
  CHECK_EQ(blocked_goroutines("write_and_note"), 2);
  leave = 1;
  int first = 0, second = 0;
  CHECK_EQ(leat_recv(log, &first), LEAT_OK);
  CHECK_EQ(leat_recv(log, &second), LEAT_OK);
  CHECK_EQ(first, 1); /* first come, first served */
  CHECK_EQ(second, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(is_free(&m));
}

LEAT_FN(read_until_stopped, struct shared *, d, atomic_int *, stop) {
  while (!*stop) {
    leat_rwmutex_rlock(&d->m);
    leat_yield(); /* so that somebody is always inside */
    read_once(d);
  }
}
LEAT_FN(write_until_stopped, struct shared *, d, atomic_int *, stop) {
  while (!*stop) {
    leat_rwmutex_lock(&d->m);
    write_once(d);
  }
}
TEST_GO(neither_side_starves) {
  for (int workers = 1; workers <= 4; workers *= 2) {
    CHECK_EQ(leat_set_workers(workers), LEAT_OK);
    for (int writers = 0; writers < 2; writers++) {
      struct shared d = {0};
      atomic_int stop = 0;
      leat_scope(s);
      for (int i = 0; i < 4; i++) {
        if (writers) leat_go(s, write_until_stopped, &d, &stop);
        else leat_go(s, read_until_stopped, &d, &stop);
      }
      for (int i = 0; i < 20; i++) {
        if (writers) {
          leat_rwmutex_rlock(&d.m);
          read_once(&d);
        } else {
          leat_rwmutex_lock(&d.m);
          write_once(&d);
        }
        if (i % 4 == 0) pause_a_moment();
      }
      stop = 1;
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
  }
}

LEAT_FN(write_until, leat_rwmutex *, m, atomic_int *, leave, _Atomic(uint64_t) *, id) {
  leat_rwmutex_lock(m);
  *id = leat_goroutine_id();
  UNTIL(*leave);
  leat_rwmutex_unlock(m);
}
TEST_GO(the_writer_is_known) {
  leat_rwmutex m = {0};
  atomic_int leave = 0;
  _Atomic(uint64_t) id = 0;
  leat_rwmutex_rlock(&m);
  CHECK_EQ(leat_i_rwmutex_writer(&m), 0);
  leat_scope(s);
  leat_go(s, write_until, &m, &leave, &id);
  wait_blocked("write_until", 1);
  CHECK_EQ(leat_i_rwmutex_writer(&m), 0);
  leat_rwmutex_runlock(&m);
  UNTIL(id);
  CHECK_EQ(leat_i_rwmutex_writer(&m), id);
  leave = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_i_rwmutex_writer(&m), 0);
  leat_rwmutex_lock(&m);
  CHECK_EQ(leat_i_rwmutex_writer(&m), leat_goroutine_id());
  leat_rwmutex_unlock(&m);
}

/* ---- cancellation and deadlines ---- */

LEAT_FN(rlock_cancellable, leat_rwmutex *, m, atomic_int *, status) {
  *status = leat_rwmutex_rlock_cancellable(m);
  if (*status == LEAT_OK) leat_rwmutex_runlock(m);
}
LEAT_FN(lock_cancellable, leat_rwmutex *, m, atomic_int *, status) {
  *status = leat_rwmutex_lock_cancellable(m);
  if (*status == LEAT_OK) leat_rwmutex_unlock(m);
}
TEST_GO(a_cancel_ends_the_wait) {
  leat_rwmutex m = {0};
  atomic_int status[2] = {1, 1};
  leat_rwmutex_lock(&m);
  leat_scope(s);
  leat_go(s, rlock_cancellable, &m, &status[0]);
  leat_go(s, lock_cancellable, &m, &status[1]);
  wait_blocked("lock_cancellable", 2);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(status[0], LEAT_CANCELED);
  CHECK_EQ(status[1], LEAT_CANCELED);
  leat_rwmutex_unlock(&m);
  CHECK(is_free(&m));
}

/* The readers wait because of the writer only. */
TEST_GO(when_the_waiting_writer_is_cancelled_readers_go_in) {
  leat_rwmutex m = {0};
  atomic_int status = 1, inside = 0, leave = 0;
  leat_rwmutex_rlock(&m);
  leat_scope(s);
  leat_scope(inner);
  leat_go(inner, lock_cancellable, &m, &status);
  wait_blocked("lock_cancellable", 1);
  for (int i = 0; i < 3; i++) leat_go(s, read_until, &m, &inside, &leave);
  wait_blocked("read_until", 3);
  leat_cancel(inner);
  UNTIL(inside == 3);
  CHECK_EQ(leat_wait(inner), LEAT_CANCELED);
  CHECK_EQ(status, LEAT_CANCELED);
  CHECK(leat_rwmutex_try_rlock(&m)); /* and those who come later */
  leat_rwmutex_runlock(&m);
  leat_rwmutex_runlock(&m);
  leave = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(is_free(&m));
}

TEST_GO(cancellation_is_looked_at_before_the_lock) {
  leat_rwmutex m = {0};
  leat_scope(s);
  leat_cancel(s);
  CHECK_EQ(leat_rwmutex_lock_cancellable(&m), LEAT_CANCELED);
  CHECK_EQ(leat_rwmutex_rlock_cancellable(&m), LEAT_CANCELED);
  CHECK_EQ(leat_rwmutex_lock_until(&m, LEAT_NEVER), LEAT_CANCELED);
  CHECK_EQ(leat_rwmutex_rlock_until(&m, LEAT_NEVER), LEAT_CANCELED);
  leat_rwmutex_rlock(&m); /* the plain forms are not reached */
  leat_rwmutex_runlock(&m);
  leat_rwmutex_lock(&m);
  leat_rwmutex_unlock(&m);
}

LEAT_FN(lock_whatever_happens, leat_rwmutex *, m, atomic_int *, n, bool, to_read) {
  if (to_read) leat_rwmutex_rlock(m);
  else leat_rwmutex_lock(m);
  ++*n;
  if (to_read) leat_rwmutex_runlock(m);
  else leat_rwmutex_unlock(m);
}
TEST_GO(the_plain_forms_are_not_reached_while_they_wait) {
  leat_rwmutex m = {0};
  atomic_int n = 0;
  leat_rwmutex_lock(&m);
  leat_scope(s);
  leat_go(s, lock_whatever_happens, &m, &n, true);
  leat_go(s, lock_whatever_happens, &m, &n, false);
  wait_blocked("lock_whatever_happens", 2);
  leat_cancel(s);
  for (int i = 0; i < 10; i++) pause_a_moment();
  CHECK_EQ(n, 0);
  leat_rwmutex_unlock(&m);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(n, 2);
}

TEST_GO(a_deadline_ends_the_wait_and_not_early) {
  leat_rwmutex m = {0};
  CHECK_EQ(leat_rwmutex_lock_until(&m, 1), LEAT_OK); /* free: the time does not matter */
  int64_t time = leat_now() + LEAT_MS(2);
  CHECK_EQ(leat_rwmutex_lock_until(&m, time), LEAT_DEADLINE);
  CHECK(leat_now() >= time);
  CHECK_EQ(leat_rwmutex_rlock_until(&m, 1), LEAT_DEADLINE);
  time = leat_now() + LEAT_MS(2);
  CHECK_EQ(leat_rwmutex_rlock_until(&m, time), LEAT_DEADLINE);
  CHECK(leat_now() >= time);
  leat_rwmutex_unlock(&m);
  CHECK_EQ(leat_rwmutex_rlock_until(&m, 1), LEAT_OK);
  CHECK_EQ(leat_rwmutex_lock_until(&m, leat_now() + LEAT_MS(1)), LEAT_DEADLINE);
  CHECK_EQ(leat_rwmutex_rlock_until(&m, leat_now() + LEAT_SECONDS(100)), LEAT_OK); /* nobody waits any more */
  leat_rwmutex_runlock(&m);
  leat_rwmutex_runlock(&m);
  CHECK(is_free(&m));
}

/* ---- misuse ---- */

LEAT_FN(misuse, const char *, what) {
  leat_rwmutex m = {0};
  for (const char *c = what; *c; c++) {
    switch (*c) {
    case 'L': leat_rwmutex_lock(&m); break;
    case 'U': leat_rwmutex_unlock(&m); break;
    case 'l': leat_rwmutex_rlock(&m); break;
    case 'u': leat_rwmutex_runlock(&m); break;
    }
  }
}
TEST_GO(unlocking_what_is_not_locked_is_misuse) {
  CHECK_PANICS("leat_rwmutex_unlock: the lock at", misuse, "U");
  CHECK_PANICS("is not locked to write, but to read", misuse, "lU");
  CHECK_PANICS("is not locked to write; each lock", misuse, "LUU");
  CHECK_PANICS("leat_rwmutex_runlock: the lock at", misuse, "u");
  CHECK_PANICS("is not locked to read, but to write", misuse, "Lu");
  CHECK_PANICS("is not locked to read; each rlock", misuse, "luu");
  leat_scope(s); /* and these are fine */
  leat_go(s, misuse, "LUlulluuLU");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* Runlock is in two steps, with others in between: what it found, and what it says of it. */
LEAT_FN(second_step_of_runlock, leat_rwmutex *, m, uint64_t, before) { leat_i_rwmutex_runlock(m, before); }
LEAT_FN(write_lock_it, leat_rwmutex *, m) {
  leat_rwmutex_lock(m);
  leat_rwmutex_unlock(m);
}
TEST_GO(misuse_keeps_nobody_asleep) {
  for (int held = 0; held < 2; held++) {
    leat_rwmutex m = {0};
    leat_scope(s);
    if (held) leat_rwmutex_lock(&m);
    uint64_t before = __atomic_fetch_sub(&m.leat_i_space[0], 4, __ATOMIC_ACQ_REL);
    leat_go(s, write_lock_it, &m);
    wait_blocked("write_lock_it", 1);
    if (held) leat_rwmutex_unlock(&m);
    CHECK_PANICS("is not locked to read", second_step_of_runlock, &m, before);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK(is_free(&m));
  }
}
TEST_GO(misuse_changes_nothing) {
  leat_rwmutex m = {0};
  leat_rwmutex_lock(&m);
  CHECK_PANICS("is not locked to read", runlock_it, &m);
  CHECK(!leat_rwmutex_try_rlock(&m));
  leat_rwmutex_unlock(&m);
  leat_rwmutex_rlock(&m);
  CHECK_PANICS("is not locked to write", unlock_it, &m);
  CHECK(leat_rwmutex_try_rlock(&m));
  leat_rwmutex_runlock(&m);
  leat_rwmutex_runlock(&m);
  CHECK_PANICS("is not locked to read", runlock_it, &m);
  CHECK(is_free(&m));
}

/* ---- the scoped forms ---- */

LEAT_FN(panic_inside, leat_rwmutex *, m, bool, to_read) {
  if (to_read) leat_read_locked(m) misuse("U");
  else leat_write_locked(m) misuse("U");
}
static int return_inside(leat_rwmutex *m) {
  leat_read_locked(m) {
    leat_read_locked(m) return 7;
  }
  return 8;
}
TEST_GO(the_scoped_forms_unlock_by_every_path) {
  leat_rwmutex m = {0};
  leat_write_locked(&m) {
    CHECK(!leat_rwmutex_try_rlock(&m));
    break;
  }
  CHECK(is_free(&m));
  leat_read_locked(&m) {
    CHECK(!leat_rwmutex_try_lock(&m));
    CHECK(leat_rwmutex_try_rlock(&m));
    leat_rwmutex_runlock(&m);
  }
  CHECK(is_free(&m));
  CHECK_EQ(return_inside(&m), 7);
  CHECK(is_free(&m));
  CHECK_PANICS("is not locked", panic_inside, &m, true);
  CHECK(is_free(&m));
  CHECK_PANICS("is not locked", panic_inside, &m, false);
  CHECK(is_free(&m));
}

/* ---- all of it at once ---- */

static void use_it(struct shared *d, int times, uint32_t seed) {
  for (int i = 0; i < times; i++) {
    uint32_t what = next_random(&seed);
    int64_t soon = leat_now() + LEAT_US(next_random(&seed) % 50);
    int status = LEAT_OK;
    switch (what % 8) {
    case 0: leat_rwmutex_lock(&d->m); break;
    case 1: status = leat_rwmutex_lock_until(&d->m, soon); break;
    case 2: status = leat_rwmutex_try_lock(&d->m) ? LEAT_OK : LEAT_FULL; break;
    case 3: status = leat_rwmutex_rlock_until(&d->m, soon); break;
    case 4: status = leat_rwmutex_try_rlock(&d->m) ? LEAT_OK : LEAT_FULL; break;
    case 5: status = leat_rwmutex_rlock_cancellable(&d->m); break;
    default: leat_rwmutex_rlock(&d->m);
    }
    if (status == LEAT_CANCELED) return;
    if (status) continue;
    if (what % 64 < 8) leat_yield();
    if (what % 8 < 3) write_once(d);
    else read_once(d);
  }
}
LEAT_FN(use, struct shared *, d, int, times, uint32_t, seed) { use_it(d, times, seed); }
static void *use_in_thread(void *d) {
  use_it(d, (int)test_scale(5000) + 50, (uint32_t)(uintptr_t)&d);
  return NULL;
}
TEST_GO(everything_at_once) {
  struct shared d = {0};
  int rounds = (int)test_scale(60) + 3;
  uint32_t seed = 1;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, use_in_thread, &d), 0);
  for (int i = 0; i < rounds; i++) {
    CHECK_EQ(leat_set_workers(i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 8), LEAT_OK);
    leat_scope(plain);
    for (int k = 0; k < 4; k++) leat_go(plain, use, &d, 50, next_random(&seed));
    {
      leat_scope(cancelled);
      for (int k = 0; k < 6; k++) leat_go(cancelled, use, &d, 500, next_random(&seed));
      leat_sleep(LEAT_US(next_random(&seed) % 500));
      leat_cancel(cancelled);
    }
    CHECK_EQ(leat_wait(plain), LEAT_OK);
  }
  for (int i = 0; i < 2; i++) leat_blocking { pthread_join(threads[i], NULL); }
  CHECK(is_free(&d.m));
}
