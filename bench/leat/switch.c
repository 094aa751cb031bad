/* Giving way to others, and starting and ending goroutines. */
#include "bench.h"
#include <stdlib.h>

LEAT_FN(give_way, int64_t *, count, int64_t, times) {
  for (; *count < times; ++*count) must(leat_yield());
}

static int64_t yield(int64_t n) {
  enum { GOROUTINES = 100 };
  static struct { _Alignas(64) int64_t n; } count[GOROUTINES];
  int64_t each = (n + GOROUTINES - 1) / GOROUTINES;
  for (int i = 0; i < GOROUTINES; i++) count[i].n = 0;
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < GOROUTINES; i++) leat_go(s, give_way, &count[i].n, each);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  for (int i = 0; i < GOROUTINES; i++) expect("count", count[i].n, each);
  return took;
}

LEAT_FN(leave_mark, uint32_t *, cell) { ++*cell; }

/* n goroutines; a batch of them is started, then joined. */
static int64_t start_and_join(int64_t n, int64_t batch) {
  uint32_t *marks = allocate((size_t)batch, sizeof *marks);
  int64_t start = leat_now();
  leat_scope(s);
  for (int64_t left = n; left > 0; left -= batch) {
    for (int64_t i = 0; i < batch && i < left; i++) leat_go(s, leave_mark, &marks[i]);
    must(leat_wait(s));
  }
  int64_t took = leat_now() - start, sum = 0;
  for (int64_t i = 0; i < batch; i++) sum += marks[i];
  expect("marks", sum, n);
  free(marks);
  return took;
}

static int64_t spawn_1000(int64_t n) { return start_and_join(n, 1000); }
static int64_t spawn_100k(int64_t n) { return start_and_join(n, 100000); }
static double spawn_1M(int64_t *check) {
  *check = 1000000;
  return (double)start_and_join(*check, *check) / (double)*check;
}

LEAT_FN(stay_runnable, _Atomic(bool) *, end) {
  while (!*end) must(leat_yield());
}
static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}
/* What one start takes while a million others are runnable: the median of a thousand. */
static double spawn_crowded(int64_t *check) {
  enum { OTHERS = 1000000, STARTS = 1000 };
  static int64_t took[STARTS];
  static uint32_t marks[STARTS];
  _Atomic(bool) end = false;
  leat_scope(s);
  for (int i = 0; i < OTHERS; i++) must(leat_go(s, stay_runnable, &end));
  for (int i = 0; i < STARTS; i++) {
    int64_t start = leat_now();
    must(leat_go(s, leave_mark, &marks[i]));
    took[i] = leat_now() - start;
  }
  end = true;
  must(leat_wait(s));
  for (int i = 0; i < STARTS; i++) *check += marks[i];
  qsort(took, STARTS, sizeof *took, by_value);
  return (double)took[STARTS / 2];
}

const struct benchmark switch_benchmarks[] = {COUNTED("yield", yield), COUNTED("spawn-1000", spawn_1000), COUNTED("spawn-100k", spawn_100k), FIXED("spawn-1M", "ns", spawn_1M), FIXED("spawn-crowded", "ns", spawn_crowded), {0}};
