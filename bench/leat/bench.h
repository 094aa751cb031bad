/* What the benchmarks of leat share.
 *
 * Two kinds. One that is counted does n operations, checks what came out, and answers how many nanoseconds the n took; main.c raises n until
 * that is long enough to be exact, as Go's testing package does. One that is of fixed size answers a value in its own unit. Less is better
 * in all units. A wrong result ends the process with status 1. Each runs on a goroutine of its own, not on the main one, which would have to
 * stay on the main thread.
 *
 * The line that is printed, `name unit value check`, is the same in bench/go, bench/rust and bench/cpp. For a fixed size the check is what
 * was computed, and must be the same in all of them; else it is "ok". */
#pragma once
#include <leat/leat.h>
#include <stdatomic.h>
#include <stdint.h>

struct benchmark {
  const char *name;
  int64_t (*counted)(int64_t n);
  const char *unit; /* of one of fixed size */
  double (*fixed)(int64_t *check);
};
#define COUNTED(name_, function) {.name = name_, .counted = function}
#define FIXED(name_, unit_, function) {.name = name_, .unit = unit_, .fixed = function}
/* Each ends with a zeroed one. go_NAME.c: the shapes of Go's own benchmarks, by Go's names. */
extern const struct benchmark go_chan_benchmarks[], go_proc_benchmarks[], go_sync_benchmarks[], go_context_benchmarks[], go_time_benchmarks[], switch_benchmarks[], channel_benchmarks[],
  select_benchmarks[], lock_benchmarks[], scale_benchmarks[], pipeline_benchmarks[], tcp_benchmarks[], floor_benchmarks[];
extern const struct benchmark kernel_gcc_benchmarks[] __attribute__((__weak__)), kernel_clang_benchmarks[] __attribute__((__weak__)); /* of compilers that there are */

_Noreturn void wrong(const char *what, int64_t got, int64_t expected);
static inline void expect(const char *what, int64_t got, int64_t expected) {
  if (__builtin_expect(got != expected, 0)) wrong(what, got, expected);
}
static inline void must(int status) { expect("status", status, LEAT_OK); }
void *allocate(size_t n, size_t size); /* zeroed */

/* n operations shared out, in portions of some 100 microseconds, among that many goroutines: Go's RunParallel, which has one for each worker. The
 * nanoseconds until all have ended. */
struct parallel;
struct portion {
  struct parallel *of;
  int64_t left;
};
int64_t in_parallel(int64_t n, int goroutines, void (*body)(struct portion *, void *environment), void *environment);
bool next_portion(struct portion *);
static inline bool next(struct portion *p) {
  if (__builtin_expect(p->left == 0, 0) && !next_portion(p)) return false;
  p->left--;
  return true;
}

__extension__ struct none {}; /* an element without content */
static const struct none nothing;

/* The compiler must take x as changed, and as used. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

/* Go's benchmarks compute with a 0 as their work, which Go's compiler reduces to counting. */
static inline void work(int times) {
  for (int i = 0; i < times; i++) __asm__ volatile("");
}
