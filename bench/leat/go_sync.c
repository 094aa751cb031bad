/* Go's benchmarks of package sync: the same names and shapes. */
#include "bench.h"
#include <stdlib.h>

/* ---- mutex ---- */

struct padded_mutex {
  leat_mutex lock;
  char padding[128];
};
static void mutex_uncontended_body(struct portion *p, void *unused) {
  (void)unused;
  struct padded_mutex *m = allocate(1, sizeof *m);
  while (next(p)) {
    leat_mutex_lock(&m->lock);
    leat_mutex_unlock(&m->lock);
  }
  free(m);
}
static int64_t mutex_uncontended(int64_t n) { return in_parallel(n, leat_workers(), mutex_uncontended_body, NULL); }

struct locked {
  leat_mutex lock;
  int work;
  uint64_t account[2];
  leat_view s;
};
static void mutex_body(struct portion *p, void *environment) {
  struct locked *l = environment;
  while (next(p)) {
    leat_mutex_lock(&l->lock);
    leat_mutex_unlock(&l->lock);
    work(l->work);
  }
}
static int64_t mutex_with(int64_t n, int a_worker, int work) {
  struct locked l = {.work = work};
  int64_t took = in_parallel(n, leat_workers() * a_worker, mutex_body, &l);
  expect("free", leat_mutex_try_lock(&l.lock), true);
  return took;
}
static int64_t mutex(int64_t n) { return mutex_with(n, 1, 0); }
static int64_t mutex_slack(int64_t n) { return mutex_with(n, 10, 0); }
static int64_t mutex_work(int64_t n) { return mutex_with(n, 1, 100); }
static int64_t mutex_work_slack(int64_t n) { return mutex_with(n, 10, 100); }

static void transfer(struct locked *l) {
  leat_mutex_lock(&l->lock);
  l->account[0] -= 100;
  l->account[1] += 100;
  leat_mutex_unlock(&l->lock);
}
static void touch(uint64_t *data, int n) {
  for (int i = 0; i < n; i += 4) data[i]++;
  __asm__ volatile("" : : "r"(data) : "memory");
}
LEAT_FN(send_one, leat_tx(char), c) { must(leat_send(c, 1)); }
static void mutex_no_spin_body(struct portion *p, void *environment) {
  enum { DATA = 4 << 10 };
  struct locked *l = environment;
  leat_chan(char) c = leat_chan_make(l->s, char, 0);
  uint64_t *data = allocate(DATA, sizeof *data);
  char v;
  for (int64_t i = 0; next(p); i++) {
    if (i % 4 == 0) {
      transfer(l);
      continue;
    }
    touch(data, DATA);
    must(leat_go(l->s, send_one, leat_tx_of(c))); /* a yield by which the goroutine does not go to the end of a queue */
    must(leat_recv(c, &v));
  }
  free(data);
}
static void mutex_spin_body(struct portion *p, void *environment) {
  enum { DATA = 16 << 10 };
  uint64_t *data = allocate(DATA, sizeof *data);
  while (next(p)) {
    transfer(environment);
    touch(data, DATA);
  }
  free(data);
}
static int64_t mutex_data(int64_t n, int a_worker, void (*body)(struct portion *, void *)) {
  leat_scope(s);
  struct locked l = {.s = s};
  int64_t took = in_parallel(n, leat_workers() * a_worker, body, &l);
  expect("balance", (int64_t)(l.account[0] + l.account[1]), 0);
  must(leat_wait(s));
  return took;
}
static int64_t mutex_no_spin(int64_t n) { return mutex_data(n, 4, mutex_no_spin_body); }
static int64_t mutex_spin(int64_t n) { return mutex_data(n, 1, mutex_spin_body); }

/* ---- read-write locks ---- */

struct padded_rwmutex {
  leat_rwmutex lock;
  char padding[128];
};
static void rwmutex_uncontended_body(struct portion *p, void *unused) {
  (void)unused;
  struct padded_rwmutex *m = allocate(1, sizeof *m);
  while (next(p)) {
    leat_rwmutex_rlock(&m->lock);
    leat_rwmutex_rlock(&m->lock);
    leat_rwmutex_runlock(&m->lock);
    leat_rwmutex_runlock(&m->lock);
    leat_rwmutex_lock(&m->lock);
    leat_rwmutex_unlock(&m->lock);
  }
  free(m);
}
static int64_t rwmutex_uncontended(int64_t n) { return in_parallel(n, leat_workers(), rwmutex_uncontended_body, NULL); }

/* Here Go's compiler does compute, with what counts the rounds. */
static inline int64_t double_and_halve(int64_t x, int times) {
  for (int i = 0; i < times; i++) {
    x *= 2;
    OPAQUE(x);
    x /= 2;
    OPAQUE(x);
  }
  return x;
}
struct read_mostly {
  leat_rwmutex lock;
  int work, write_every;
};
static void rwmutex_body(struct portion *p, void *environment) {
  struct read_mostly *r = environment;
  int64_t x = 0;
  while (next(p)) {
    x++;
    if (x % r->write_every == 0) {
      leat_rwmutex_lock(&r->lock);
      leat_rwmutex_unlock(&r->lock);
    } else {
      leat_rwmutex_rlock(&r->lock);
      x = double_and_halve(x, r->work);
      leat_rwmutex_runlock(&r->lock);
    }
  }
}
static int64_t rwmutex(int64_t n, int work, int write_every) {
  struct read_mostly r = {.work = work, .write_every = write_every};
  int64_t took = in_parallel(n, leat_workers(), rwmutex_body, &r);
  expect("free", leat_rwmutex_try_lock(&r.lock), true);
  return took;
}
static int64_t rwmutex_write_100(int64_t n) { return rwmutex(n, 0, 100); }
static int64_t rwmutex_write_10(int64_t n) { return rwmutex(n, 0, 10); }
static int64_t rwmutex_work_write_100(int64_t n) { return rwmutex(n, 100, 100); }
static int64_t rwmutex_work_write_10(int64_t n) { return rwmutex(n, 100, 10); }

/* ---- waitgroup ---- */

struct padded_waitgroup {
  leat_waitgroup group;
  char padding[128];
};
static void waitgroup_uncontended_body(struct portion *p, void *unused) {
  (void)unused;
  struct padded_waitgroup *w = allocate(1, sizeof *w);
  while (next(p)) {
    leat_waitgroup_add(&w->group, 1);
    leat_waitgroup_done(&w->group);
    leat_waitgroup_wait(&w->group);
  }
  free(w);
}
static int64_t waitgroup_uncontended(int64_t n) { return in_parallel(n, leat_workers(), waitgroup_uncontended_body, NULL); }

struct counted {
  leat_waitgroup group;
  int work;
  leat_view s;
};
static void add_done_body(struct portion *p, void *environment) {
  struct counted *w = environment;
  while (next(p)) {
    leat_waitgroup_add(&w->group, 1);
    work(w->work);
    leat_waitgroup_done(&w->group);
  }
}
static int64_t add_done(int64_t n, int work) {
  struct counted w = {.work = work};
  int64_t took = in_parallel(n, leat_workers(), add_done_body, &w);
  leat_waitgroup_wait(&w.group);
  return took;
}
static int64_t waitgroup_add_done(int64_t n) { return add_done(n, 0); }
static int64_t waitgroup_add_done_work(int64_t n) { return add_done(n, 100); }

static void wait_body(struct portion *p, void *environment) {
  struct counted *w = environment;
  while (next(p)) {
    leat_waitgroup_wait(&w->group);
    work(w->work);
  }
}
static int64_t waitgroup_wait(int64_t n) { return in_parallel(n, leat_workers(), wait_body, &(struct counted){.work = 0}); }
static int64_t waitgroup_wait_work(int64_t n) { return in_parallel(n, leat_workers(), wait_body, &(struct counted){.work = 100}); }

LEAT_FN(done_with, leat_waitgroup *, group) { leat_waitgroup_done(group); }
static void actually_wait_body(struct portion *p, void *environment) {
  leat_view s = environment;
  while (next(p)) {
    leat_waitgroup group = {0};
    leat_waitgroup_add(&group, 1);
    must(leat_go(s, done_with, &group));
    leat_waitgroup_wait(&group);
  }
}
static int64_t waitgroup_actually_wait(int64_t n) {
  leat_scope(s);
  int64_t took = in_parallel(n, leat_workers(), actually_wait_body, s);
  must(leat_wait(s));
  return took;
}

/* ---- conditions ---- */

struct barrier {
  leat_mutex lock;
  leat_cond all_there;
  int waiters, there;
  int64_t opened;
};
/* Who comes last lets the others go on. */
LEAT_FN(meet_all, struct barrier *, b, int64_t, n) {
  for (int64_t i = 0; i < n; i++) {
    leat_mutex_lock(&b->lock);
    if (b->there == -1) {
      leat_mutex_unlock(&b->lock);
      break;
    }
    if (++b->there == b->waiters + 1) {
      b->there = 0;
      b->opened++;
      leat_cond_broadcast(&b->all_there);
    } else {
      must(leat_cond_wait(&b->all_there, &b->lock));
    }
    leat_mutex_unlock(&b->lock);
  }
  leat_mutex_lock(&b->lock);
  b->there = -1;
  leat_cond_broadcast(&b->all_there);
  leat_mutex_unlock(&b->lock);
}
static int64_t cond(int64_t n, int waiters) {
  struct barrier b = {.waiters = waiters};
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < waiters + 1; i++) leat_go(s, meet_all, &b, n);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  if (b.opened < 1 || b.opened > n) wrong("times that all met", b.opened, n);
  return took;
}
static int64_t cond_1(int64_t n) { return cond(n, 1); }
static int64_t cond_2(int64_t n) { return cond(n, 2); }
static int64_t cond_4(int64_t n) { return cond(n, 4); }
static int64_t cond_8(int64_t n) { return cond(n, 8); }
static int64_t cond_16(int64_t n) { return cond(n, 16); }
static int64_t cond_32(int64_t n) { return cond(n, 32); }

/* ---- once ---- */

static void count_up(int *times) { ++*times; }
struct first {
  leat_once once;
  int times;
};
static void once_body(struct portion *p, void *environment) {
  struct first *f = environment;
  while (next(p)) leat_once_do(&f->once, count_up, &f->times);
}
static int64_t once(int64_t n) {
  struct first f = {.times = 0};
  int64_t took = in_parallel(n, leat_workers(), once_body, &f);
  expect("times", f.times, 1);
  return took;
}

LEAT_ONCE_FUNC(nothing_once) {}
static int64_t once_func(int64_t n) {
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) nothing_once();
  return leat_now() - start;
}
LEAT_ONCE_VALUE(answer, int) { return 42; }
static int64_t once_value(int64_t n) {
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) expect("value", answer(), 42);
  return leat_now() - start;
}

/* ---- pool ---- */

/* Go's have no New, so that a get from an empty pool answers nil: here, nobody's thing, which is never put back. */
struct thing {
  int64_t x;
};
static struct thing nobodys;
static int answer_nobodys(struct thing **t, void *unused) {
  (void)unused;
  *t = &nobodys;
  return LEAT_OK;
}
static void free_thing(struct thing *t, void *unused) {
  (void)unused;
  free(t);
}
typedef leat_pool(struct thing) thing_pool;
struct pool_use {
  thing_pool pool;
  int puts, gets;
};
/* Puts as many as it may, and gets as many, or more. */
static void pool_body(struct portion *p, void *environment) {
  enum { MOST = 100 };
  struct pool_use *u = environment;
  struct thing *held[MOST];
  int n = 0;
  while (next(p)) {
    while (n < u->puts) held[n++] = allocate(1, sizeof **held);
    while (n > u->puts) free(held[--n]); /* one of another goroutine */
    while (n > 0) leat_pool_put(&u->pool, held[--n]);
    for (int i = 0; i < u->gets; i++) {
      must(leat_pool_get(&u->pool, &held[n]));
      n += held[n] != &nobodys;
    }
  }
  while (n > 0) free(held[--n]);
}
static int64_t pool_with(int64_t n, int puts, int gets) {
  struct pool_use u = {.pool = {.make = answer_nobodys, .drop = free_thing}, .puts = puts, .gets = gets};
  int64_t took = in_parallel(n, leat_workers(), pool_body, &u);
  leat_pool_free(&u.pool);
  return took;
}
static int64_t pool(int64_t n) { return pool_with(n, 1, 1); }
static int64_t pool_overflow(int64_t n) { return pool_with(n, 100, 100); }
static int64_t pool_starvation(int64_t n) { return pool_with(n, 67, 100); }

static int make_slowly(struct thing **t, void *unused) {
  (void)unused;
  must(leat_sleep(LEAT_MS(1)));
  *t = allocate(1, sizeof **t);
  return LEAT_OK;
}
static void expensive_body(struct portion *p, void *environment) {
  enum { THINGS = 100 };
  thing_pool *pool = environment;
  struct thing *things[THINGS];
  while (next(p)) {
    for (int i = 0; i < THINGS; i++) {
      must(leat_pool_get(pool, &things[i]));
      char *buffer = allocate(1, 32 << 10);
      OPAQUE(buffer);
      free(buffer);
    }
    for (int i = 0; i < THINGS; i++) leat_pool_put(pool, things[i]);
  }
}
static int64_t pool_expensive_new(int64_t n) {
  thing_pool pool = {.make = make_slowly, .drop = free_thing};
  int64_t took = in_parallel(n, leat_workers(), expensive_body, &pool);
  leat_pool_free(&pool);
  return took;
}

/* ---- semaphores ---- */

/* Go's count from 0 and know no capacity: all that there is has been taken here, and a release is followed by an acquire. */
enum { ALL = 1000000000 };
static void take_all(leat_semaphore *s) {
  *s = (leat_semaphore)LEAT_SEMAPHORE(ALL);
  must(leat_semaphore_acquire(s, ALL));
}
static void sema_uncontended_body(struct portion *p, void *unused) {
  (void)unused;
  struct {
    leat_semaphore s;
    char padding[128];
  } *a = allocate(1, sizeof *a);
  take_all(&a->s);
  while (next(p)) {
    leat_semaphore_release(&a->s, 1);
    must(leat_semaphore_acquire(&a->s, 1));
  }
  free(a);
}
static int64_t sema_uncontended(int64_t n) { return in_parallel(n, leat_workers(), sema_uncontended_body, NULL); }

struct sema {
  leat_semaphore s;
  int work;
};
static void sema_body(struct portion *p, void *environment) {
  struct sema *a = environment;
  while (next(p)) {
    leat_semaphore_release(&a->s, 1);
    work(a->work);
    must(leat_semaphore_acquire(&a->s, 1));
  }
  leat_semaphore_release(&a->s, 1);
}
LEAT_FN(acquire_some, leat_semaphore *, a, int, n) {
  for (int i = 0; i < n; i++) must(leat_semaphore_acquire(a, 1));
}
static int64_t sema(int64_t n, bool block, int work) {
  struct sema a = {.work = work};
  take_all(&a.s);
  int blocked = block ? leat_workers() / 2 : 0;
  int64_t start = leat_now();
  leat_scope(s);
  if (block) leat_go(s, acquire_some, &a.s, blocked);
  in_parallel(n, leat_workers(), sema_body, &a);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  expect("taken", leat_semaphore_taken(&a.s), ALL - leat_workers() + blocked);
  return took;
}
static int64_t sema_synt_nonblock(int64_t n) { return sema(n, false, 0); }
static int64_t sema_synt_block(int64_t n) { return sema(n, true, 0); }
static int64_t sema_work_nonblock(int64_t n) { return sema(n, false, 100); }
static int64_t sema_work_block(int64_t n) { return sema(n, true, 100); }

LEAT_FN(hammer, leat_semaphore *, a, int64_t, n) {
  for (int64_t i = 0; i < n; i++) {
    must(leat_semaphore_acquire(a, 1));
    leat_semaphore_release(a, 1);
  }
}
static int64_t hammers(int64_t n, int goroutines) {
  leat_semaphore a = LEAT_SEMAPHORE(1);
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < goroutines; i++) leat_go(s, hammer, &a, n / goroutines);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  expect("taken", leat_semaphore_taken(&a), 0);
  return took;
}
static int64_t uncontended_semaphore(int64_t n) { return hammers(n, 1); }
static int64_t contended_semaphore(int64_t n) { return hammers(n, 2); }

const struct benchmark go_sync_benchmarks[] = {
  COUNTED("UncontendedSemaphore", uncontended_semaphore),
  COUNTED("ContendedSemaphore", contended_semaphore),
  COUNTED("MutexUncontended", mutex_uncontended),
  COUNTED("Mutex", mutex),
  COUNTED("MutexSlack", mutex_slack),
  COUNTED("MutexWork", mutex_work),
  COUNTED("MutexWorkSlack", mutex_work_slack),
  COUNTED("MutexNoSpin", mutex_no_spin),
  COUNTED("MutexSpin", mutex_spin),
  COUNTED("RWMutexUncontended", rwmutex_uncontended),
  COUNTED("RWMutexWrite100", rwmutex_write_100),
  COUNTED("RWMutexWrite10", rwmutex_write_10),
  COUNTED("RWMutexWorkWrite100", rwmutex_work_write_100),
  COUNTED("RWMutexWorkWrite10", rwmutex_work_write_10),
  COUNTED("WaitGroupUncontended", waitgroup_uncontended),
  COUNTED("WaitGroupAddDone", waitgroup_add_done),
  COUNTED("WaitGroupAddDoneWork", waitgroup_add_done_work),
  COUNTED("WaitGroupWait", waitgroup_wait),
  COUNTED("WaitGroupWaitWork", waitgroup_wait_work),
  COUNTED("WaitGroupActuallyWait", waitgroup_actually_wait),
  COUNTED("Cond1", cond_1),
  COUNTED("Cond2", cond_2),
  COUNTED("Cond4", cond_4),
  COUNTED("Cond8", cond_8),
  COUNTED("Cond16", cond_16),
  COUNTED("Cond32", cond_32),
  COUNTED("Once", once),
  COUNTED("OnceFunc/v=Global", once_func),
  COUNTED("OnceValue/v=Global", once_value),
  COUNTED("Pool", pool),
  COUNTED("PoolOverflow", pool_overflow),
  COUNTED("PoolStarvation", pool_starvation),
  COUNTED("PoolExpensiveNew", pool_expensive_new),
  COUNTED("SemaUncontended", sema_uncontended),
  COUNTED("SemaSyntNonblock", sema_synt_nonblock),
  COUNTED("SemaSyntBlock", sema_synt_block),
  COUNTED("SemaWorkNonblock", sema_work_nonblock),
  COUNTED("SemaWorkBlock", sema_work_block),
  {0}};
