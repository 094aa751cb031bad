/* What the benchmarks share. Each runs on a goroutine of its own, prints one line per result (name, unit, value: less is better) and ends
 * the process with status 1 where a result is wrong. bench/go/main.go has the same names and shapes: change both together. */
#pragma once
#include <leat/leat.h>
#include <stdint.h>

struct benchmark {
  const char *name;
  void (*run)(void);
};
extern const struct benchmark switch_benchmarks[], channel_benchmarks[], select_benchmarks[], lock_benchmarks[], scale_benchmarks[]; /* end with a zeroed one */

void report(const char *name, const char *unit, double value);
/* Nanoseconds since start, for each of n operations. */
void report_each(const char *name, int64_t start, int64_t n);
_Noreturn void wrong(const char *what, int64_t got, int64_t expected);

static inline void expect(const char *what, int64_t got, int64_t expected) {
  if (got != expected) wrong(what, got, expected);
}
static inline void must(int status) { expect("status", status, LEAT_OK); }
