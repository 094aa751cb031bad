/* bench-leat NAME [MILLISECONDS]: runs one benchmark, for about that long if it is a counted one; without a name, lists them. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t a_portion; /* operations that took some 100 microseconds when last tried */

void wrong(const char *what, int64_t got, int64_t expected) {
  fprintf(stderr, "bench-leat: %s is %lld, not %lld\n", what, (long long)got, (long long)expected);
  _exit(1);
}

void *allocate(size_t n, size_t size) {
  void *memory = calloc(n, size);
  if (!memory) wrong("memory", 0, (int64_t)(n * size));
  return memory;
}

static int64_t clamp(int64_t n, int64_t low, int64_t high) { return n < low ? low : n > high ? high : n; }

/* More operations until they take `goal`, as Go's testing package does it: the two are to be compared. */
static double calibrated(int64_t (*counted)(int64_t), int64_t goal) {
  const int64_t most = 1000000000;
  a_portion = 1;
  for (int64_t n = 1;;) {
    int64_t took = counted(n);
    if (took >= goal || n >= most) return (double)took / (double)n;
    int64_t enough = took > 0 ? (int64_t)((double)goal * (double)n / (double)took * 1.2) : n * 100;
    a_portion = took > 0 ? clamp(100000 * n / took, 1, 10000) : a_portion;
    n = clamp(clamp(enough, n + 1, n * 100), 1, most);
  }
}

struct parallel {
  _Atomic(int64_t) taken, done;
  int64_t n, portion;
};

bool next_portion(struct portion *p) {
  struct parallel *of = p->of;
  int64_t first = atomic_fetch_add(&of->taken, of->portion);
  if (first >= of->n) return false;
  p->left = clamp(of->n - first, 1, of->portion);
  atomic_fetch_add(&of->done, p->left);
  return true;
}

typedef void (*parallel_body)(struct portion *, void *);
LEAT_FN(take_part, struct parallel *, of, parallel_body, body, void *, environment) { body(&(struct portion){.of = of}, environment); }

int64_t in_parallel(int64_t n, int goroutines, parallel_body body, void *environment) {
  struct parallel of = {.n = n, .portion = a_portion};
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < goroutines; i++) leat_go(s, take_part, &of, body, environment);
  must(leat_wait(s));
  int64_t took = leat_now() - start;
  expect("operations", of.done, n);
  return took;
}

LEAT_FN(run, const struct benchmark *, b, int64_t, goal) {
  if (b->counted) {
    printf("%s ns %.6g ok\n", b->name, calibrated(b->counted, goal));
  } else {
    int64_t check = 0;
    double value = b->fixed(&check);
    printf("%s %s %.6g %lld\n", b->name, b->unit, value, (long long)check);
  }
}

LEAT_MAIN(argc, argv) {
  static const struct benchmark *const groups[] = {go_chan_benchmarks, go_proc_benchmarks, go_sync_benchmarks, go_context_benchmarks, go_time_benchmarks, switch_benchmarks,
                                                   channel_benchmarks, select_benchmarks, lock_benchmarks, scale_benchmarks, pipeline_benchmarks, tcp_benchmarks, floor_benchmarks,
                                                   kernel_gcc_benchmarks, kernel_clang_benchmarks};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    for (const struct benchmark *b = groups[i]; b && b->name; b++) {
      if (argc < 2) puts(b->name);
      if (argc < 2 || strcmp(b->name, argv[1])) continue;
      leat_scope(s);
      leat_go(s, run, b, LEAT_MS(argc > 2 ? atoi(argv[2]) : 200));
      return leat_wait(s) != LEAT_OK;
    }
  if (argc < 2) return 0;
  fprintf(stderr, "bench-leat: no benchmark %s\n", argv[1]);
  return 2;
}
