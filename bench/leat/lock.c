/* Mutexes, read-write locks and conditions. */
#include "bench.h"

static void mutex(void) {
  enum { TIMES = 20000000 };
  leat_mutex m = {0};
  int64_t n = 0, start = leat_now();
  for (int64_t i = 0; i < TIMES; i++) {
    leat_mutex_lock(&m);
    n++;
    leat_mutex_unlock(&m);
  }
  report_each("mutex", start, TIMES);
  expect("count", n, TIMES);
}

struct shared {
  leat_mutex m;
  int64_t n;
};
LEAT_FN(count, struct shared *, d, int64_t, times) {
  for (int64_t i = 0; i < times; i++) {
    leat_mutex_lock(&d->m);
    d->n++;
    leat_mutex_unlock(&d->m);
  }
}
static void mutex_4(void) {
  enum { GOROUTINES = 4, TIMES = 2500000 };
  struct shared d = {0};
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < GOROUTINES; i++) leat_go(s, count, &d, TIMES);
  must(leat_wait(s));
  report_each("mutex-4", start, (int64_t)GOROUTINES * TIMES);
  expect("count", d.n, (int64_t)GOROUTINES * TIMES);
}

enum { CELLS = 16 };
struct table {
  leat_rwmutex m;
  int64_t cells[CELLS];
};
/* Reads the table, and writes it once in `write_every` times. */
LEAT_FN(look_up, struct table *, t, int64_t, times, int64_t, write_every) {
  for (int64_t i = 1; i <= times; i++) {
    if (i % write_every == 0) {
      leat_rwmutex_lock(&t->m);
      for (int k = 0; k < CELLS; k++) t->cells[k]++;
      leat_rwmutex_unlock(&t->m);
    } else {
      leat_rwmutex_rlock(&t->m);
      int64_t sum = 0;
      for (int k = 0; k < CELLS; k++) sum += t->cells[k];
      if (sum % CELLS) wrong("sum", sum, sum - sum % CELLS);
      leat_rwmutex_runlock(&t->m);
    }
  }
}
static void rwmutex(const char *name, int goroutines, int64_t times, int64_t write_every) {
  struct table t = {0};
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < goroutines; i++) leat_go(s, look_up, &t, times, write_every);
  must(leat_wait(s));
  report_each(name, start, goroutines * times);
  expect("cell", t.cells[0], goroutines * (times / write_every));
}
static void rwmutex_read(void) { rwmutex("rwmutex-read", 1, 10000000, INT64_MAX); }
static void rwmutex_4x100(void) { rwmutex("rwmutex-4x100", 4, 1000000, 100); }
static void rwmutex_4x10(void) { rwmutex("rwmutex-4x10", 4, 500000, 10); }
static void rwmutex_4x1(void) { rwmutex("rwmutex-4x1", 4, 500000, 1); }

struct game {
  leat_mutex m;
  leat_cond turn[2];
  int64_t n;
};
LEAT_FN(play, struct game *, g, int64_t, me, int64_t, end) {
  leat_mutex_lock(&g->m);
  while (g->n < end) {
    while (g->n % 2 != me && g->n < end) must(leat_cond_wait(&g->turn[me], &g->m));
    if (g->n < end) g->n++;
    leat_cond_signal(&g->turn[!me]);
  }
  leat_mutex_unlock(&g->m);
}
static void cond_ping_pong(void) {
  enum { TIMES = 1000000 };
  struct game g = {0};
  int64_t start = leat_now();
  leat_scope(s);
  for (int64_t i = 0; i < 2; i++) leat_go(s, play, &g, i, 2 * TIMES);
  must(leat_wait(s));
  report_each("cond-ping-pong", start, TIMES);
  expect("turns", g.n, 2 * TIMES);
}

const struct benchmark lock_benchmarks[] = {{"mutex", mutex}, {"mutex-4", mutex_4}, {"rwmutex-read", rwmutex_read}, {"rwmutex-4x100", rwmutex_4x100}, {"rwmutex-4x10", rwmutex_4x10}, {"rwmutex-4x1", rwmutex_4x1}, {"cond-ping-pong", cond_ping_pong}, {0}};
