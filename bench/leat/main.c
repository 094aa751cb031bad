/* bench-leat NAME: runs one benchmark; without a name, lists them. */
#include "bench.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void report(const char *name, const char *unit, double value) { printf("%s %s %.6g\n", name, unit, value); }

void report_each(const char *name, int64_t start, int64_t n) { report(name, "ns", (double)(leat_now() - start) / (double)n); }

void wrong(const char *what, int64_t got, int64_t expected) {
  fprintf(stderr, "bench-leat: %s is %lld, not %lld\n", what, (long long)got, (long long)expected);
  _exit(1);
}

static const struct benchmark *const groups[] = {switch_benchmarks, channel_benchmarks, select_benchmarks, lock_benchmarks, scale_benchmarks};

/* Not on the main goroutine, which has to run on the main thread. */
LEAT_FN(run, const struct benchmark *, b) { b->run(); }

LEAT_MAIN(argc, argv) {
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    for (const struct benchmark *b = groups[i]; b->name; b++) {
      if (argc < 2) puts(b->name);
      if (argc < 2 || strcmp(b->name, argv[1])) continue;
      leat_scope(s);
      leat_go(s, run, b);
      return leat_wait(s) != LEAT_OK;
    }
  if (argc < 2) return 0;
  fprintf(stderr, "bench-leat: no benchmark %s\n", argv[1]);
  return 2;
}
