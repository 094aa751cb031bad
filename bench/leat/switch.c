/* Giving way to others, and starting and ending goroutines. */
#include "bench.h"
#include <stdlib.h>

LEAT_FN(give_way, int64_t *, count, int64_t, times) {
  for (; *count < times; ++*count) must(leat_yield());
}

static void yield(void) {
  enum { GOROUTINES = 100, TIMES = 50000 };
  static struct { _Alignas(64) int64_t n; } count[GOROUTINES];
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < GOROUTINES; i++) leat_go(s, give_way, &count[i].n, TIMES);
  must(leat_wait(s));
  report_each("yield", start, (int64_t)GOROUTINES * TIMES);
  for (int i = 0; i < GOROUTINES; i++) expect("count", count[i].n, TIMES);
}

LEAT_FN(leave_mark, uint32_t *, cell) { ++*cell; }

static void start_and_join(const char *name, int64_t batch, int64_t batches) {
  uint32_t *marks = calloc((size_t)batch, sizeof *marks);
  if (!marks) wrong("memory", 0, batch);
  int64_t start = leat_now();
  leat_scope(s);
  for (int64_t b = 0; b < batches; b++) {
    for (int64_t i = 0; i < batch; i++) leat_go(s, leave_mark, &marks[i]);
    must(leat_wait(s));
  }
  report_each(name, start, batch * batches);
  for (int64_t i = 0; i < batch; i++) expect("mark", marks[i], batches);
  free(marks);
}

static void spawn_1000(void) { start_and_join("spawn-1000", 1000, 1000); }
static void spawn_100k(void) { start_and_join("spawn-100k", 100000, 10); }

const struct benchmark switch_benchmarks[] = {{"yield", yield}, {"spawn-1000", spawn_1000}, {"spawn-100k", spawn_100k}, {0}};
