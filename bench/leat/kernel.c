/* Fused stages against plain loops: int, times a parameter, summed. The functions of stages are kernels that the user's compiler makes, so this
 * is compiled by each compiler that there is, by the one COMPILER names, with -O3. What is compared with what:
 *
 *   fused-map-*    leat_array, leat_map, leat_fold          a loop for each of the two functions, over batches of 1,024
 *   kernels-64-*   the kernels of the last two only,        the same over batches of 64
 *                  over batches of 64
 *   fused-loop-*   as the first                             both in one loop: what nothing that is put together at run time can be */
#include "bench.h"
#include <stdlib.h>

enum { ITEMS = 1 << 16 };

LEAT_MAP(times, int, int, v, int, by) { return v * by; }
LEAT_FOLD(total, unsigned, sum, int, v) { return sum + (unsigned)v; }

/* n is rounded up to whole arrays: `sum` answers what becomes of one. */
static int64_t sums(int64_t n, unsigned (*sum)(const int *items, int by)) {
  int *items = allocate(ITEMS, sizeof *items), by = 3;
  for (int i = 0; i < ITEMS; i++) items[i] = i;
  OPAQUE(by);
  int64_t start = leat_now(), rounds = (n + ITEMS - 1) / ITEMS;
  unsigned got = 0;
  for (int64_t i = 0; i < rounds; i++) got += sum(items, by);
  int64_t took = leat_now() - start;
  expect("sum", got, (unsigned)((int64_t)ITEMS * (ITEMS - 1) / 2 * 3 * rounds));
  free(items);
  return took * n / (rounds * ITEMS);
}

static inline __attribute__((always_inline)) unsigned loops(const int *items, int by, int batch) {
  int room[1024], *result = room;
  unsigned sum = 0;
  for (int at = 0; at < ITEMS; at += batch) {
    for (int i = 0; i < batch; i++) result[i] = items[at + i] * by;
    OPAQUE(result); /* two loops they stay */
    __asm__ volatile("" ::: "memory");
    for (int i = 0; i < batch; i++) sum += (unsigned)result[i];
  }
  return sum;
}
static unsigned loop_1024(const int *items, int by) {
  int batch = 1024;
  OPAQUE(batch);
  return loops(items, by, batch);
}
static unsigned loop_64(const int *items, int by) {
  int batch = 64;
  OPAQUE(batch);
  return loops(items, by, batch);
}
static unsigned one_loop(const int *items, int by) {
  unsigned sum = 0;
  for (int i = 0; i < ITEMS; i++) sum += (unsigned)(items[i] * by);
  return sum;
}

static unsigned fused(const int *items, int by) {
  unsigned sum = 0;
  leat_scope(s);
  must(leat_fold(leat_map(s, leat_array(s, items, ITEMS), times, by), &sum, total));
  return sum;
}

static unsigned kernels_64(const int *items, int by) {
  enum { BATCH = 64 };
  int room[BATCH];
  unsigned sum = 0;
  struct times_leat_args args = {by};
  struct leat_i_step map = {.args = &args}, fold = {.args = &args, .state = &sum};
  leat_i_kernel *first = times_leat_as_map.kernel, *second = total_leat_as_fold.kernel;
  OPAQUE(first);
  OPAQUE(second);
  for (int at = 0; at < ITEMS; at += BATCH) second(&fold, room, NULL, first(&map, items + at, room, BATCH));
  return sum;
}

#define RUNS(function) \
  static int64_t run_##function(int64_t n) { return sums(n, function); }
RUNS(loop_1024)
RUNS(loop_64)
RUNS(one_loop)
RUNS(fused)
RUNS(kernels_64)

#define NAME_(compiler) kernel_##compiler##_benchmarks
#define NAME(compiler) NAME_(compiler)
#define STRING_(x) #x
#define STRING(x) STRING_(x)
const struct benchmark NAME(COMPILER)[] = {
  COUNTED("fused-map-" STRING(COMPILER), run_fused),
  COUNTED("bare-fused-map-" STRING(COMPILER), run_loop_1024),
  COUNTED("kernels-64-" STRING(COMPILER), run_kernels_64),
  COUNTED("bare-kernels-64-" STRING(COMPILER), run_loop_64),
  COUNTED("fused-loop-" STRING(COMPILER), run_fused),
  COUNTED("bare-fused-loop-" STRING(COMPILER), run_one_loop),
  {0},
};
