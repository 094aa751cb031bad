/* Mutexes, read-write locks and conditions. */
#include "bench.h"

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
static int64_t mutex(int64_t n, int goroutines) {
  struct shared d = {0};
  int64_t each = (n + goroutines - 1) / goroutines, start = leat_now();
  leat_scope(s);
  for (int i = 0; i < goroutines; i++) leat_go(s, count, &d, each);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  expect("count", d.n, goroutines * each);
  return took;
}
static int64_t mutex_1(int64_t n) { return mutex(n, 1); }
static int64_t mutex_4(int64_t n) { return mutex(n, 4); }

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
static int64_t rwmutex(int64_t n, int goroutines, int64_t write_every) {
  struct table t = {0};
  int64_t each = (n + goroutines - 1) / goroutines, start = leat_now();
  leat_scope(s);
  for (int i = 0; i < goroutines; i++) leat_go(s, look_up, &t, each, write_every);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  expect("cell", t.cells[0], goroutines * (each / write_every));
  return took;
}
static int64_t rwmutex_read(int64_t n) { return rwmutex(n, 1, INT64_MAX); }
static int64_t rwmutex_4x100(int64_t n) { return rwmutex(n, 4, 100); }
static int64_t rwmutex_4x10(int64_t n) { return rwmutex(n, 4, 10); }
static int64_t rwmutex_4x1(int64_t n) { return rwmutex(n, 4, 1); }

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
static int64_t cond_ping_pong(int64_t n) {
  struct game g = {0};
  int64_t start = leat_now();
  leat_scope(s);
  for (int64_t i = 0; i < 2; i++) leat_go(s, play, &g, i, 2 * n);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  expect("turns", g.n, 2 * n);
  return took;
}

const struct benchmark lock_benchmarks[] = {COUNTED("mutex", mutex_1), COUNTED("mutex-4", mutex_4), COUNTED("rwmutex-read", rwmutex_read), COUNTED("rwmutex-4x100", rwmutex_4x100), COUNTED("rwmutex-4x10", rwmutex_4x10), COUNTED("rwmutex-4x1", rwmutex_4x1), COUNTED("cond-ping-pong", cond_ping_pong), {0}};
