/* Pipelines: those of the Book ("Concurrency in Go", its chapter on patterns), with the stages of the library, and the first one with plain
 * goroutines, too. What the Book's done channel is for, the end of the scope does. */
#include "bench.h"
#include <stdio.h>
#include <sys/stat.h>

static int64_t sum_below(int64_t n) { return n * (n - 1) / 2; }

/* ---- repeat, take and range, as plain goroutines over unbuffered channels ---- */

LEAT_FN(repeat, leat_tx(int64_t), out, int64_t, value) {
  while (leat_send(out, value) == LEAT_OK) {}
}
LEAT_FN(take, leat_rx(int64_t), in, leat_tx(int64_t), out, int64_t, n) {
  int64_t v;
  for (int64_t i = 0; i < n; i++)
    if (leat_recv(in, &v) || leat_send(out, v)) return;
  leat_close(out);
}
static int64_t pipeline(int64_t n) {
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  leat_chan(int64_t) repeated = leat_chan_make(s, int64_t, 0), taken = leat_chan_make(s, int64_t, 0);
  leat_go(s, repeat, leat_tx_of(repeated), 1);
  leat_go(s, take, leat_rx_of(repeated), leat_tx_of(taken), n);
  leat_range(int64_t, v, taken) sum += v;
  int64_t took = leat_now() - start;
  expect("sum", sum, n);
  return took;
}

/* ---- the same with stages: of values of any type, typed, and typed with an end that they fuse with ---- */

typedef const char *string;
LEAT_RESULT_DEFINE(string);
LEAT_ANY_ASSERT(to_string, string)

static int64_t pipeline_any(int64_t n) {
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  leat_range(leat_result(string), r, leat_map(s, leat_take(s, leat_repeat(s, leat_any, leat_any_of(string, "a")), n), to_string)) {
    if (r.error) wrong("an error", leat_error_status(r.error), LEAT_OK);
    sum += r.value[0];
  }
  int64_t took = leat_now() - start;
  expect("sum", sum, 'a' * n);
  return took;
}

static int64_t pipeline_typed(int64_t n) {
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  leat_range(string, v, leat_take(s, leat_repeat(s, string, "a"), n)) sum += v[0];
  int64_t took = leat_now() - start;
  expect("sum", sum, 'a' * n);
  return took;
}

LEAT_FOLD(add_first, int64_t, sum, string, v) { return sum + v[0]; }
static int64_t pipeline_fused(int64_t n) {
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  must(leat_fold(leat_take(s, leat_repeat(s, string, "a"), n), &sum, add_first));
  int64_t took = leat_now() - start;
  expect("sum", sum, 'a' * n);
  return took;
}

/* ---- multiply, add, multiply, fused ---- */

LEAT_MAP(multiply, int64_t, int64_t, v, int64_t, by) { return v * by; }
LEAT_MAP(increase, int64_t, int64_t, v, int64_t, by) { return v + by; }
LEAT_FOLD(total, int64_t, sum, int64_t, v) { return sum + v; }
static int64_t pipeline_maps(int64_t n) {
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  leat_rx(int64_t) in = leat_map(s, leat_map(s, leat_map(s, leat_numbers(s, int64_t, 0, n), multiply, 2), increase, 1), multiply, 2);
  must(leat_fold(in, &sum, total));
  int64_t took = leat_now() - start;
  expect("sum", sum, 4 * sum_below(n) + 2 * n);
  return took;
}

/* ---- ten stages with effects, each a goroutine, with room for 64 values between ---- */

LEAT_EFFECT(step, int64_t, int64_t, v) { return v + 1; }
static int64_t effects_10(int64_t n) {
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  leat_rx(int64_t) in = leat_numbers(s, int64_t, 0, n);
  for (int i = 0; i < 10; i++) in = leat_buffer(s, leat_map(s, in, step), 64);
  leat_range(int64_t, v, in) sum += v;
  int64_t took = leat_now() - start;
  expect("sum", sum, sum_below(n) + 10 * n);
  return took;
}

/* ---- bytes to a file, through a buffer ---- */

LEAT_SLICE_DEFINE(char);
static int64_t buffered_write(int64_t n) {
  enum { BUFFER = 4096 /* as bufio has it */ };
  FILE *file = tmpfile();
  if (!file) wrong("a temporary file", 0, 1);
  int fd = fileno(file);
  int64_t start = leat_now();
  leat_scope(s);
  leat_range(leat_slice(char), bytes, leat_batch(s, leat_take(s, leat_repeat(s, char, 0), n), char, BUFFER, LEAT_NEVER)) {
    must(leat_io_write_all(fd, bytes.items, bytes.n, LEAT_NEVER, NULL));
    leat_slice_free(&bytes);
  }
  int64_t took = leat_now() - start;
  struct stat info = {0};
  fstat(fd, &info);
  expect("size", info.st_size, n);
  fclose(file);
  return took;
}

/* ---- several inputs, outputs and workers ---- */

static int64_t merge_10(int64_t n) {
  enum { CHANNELS = 10 };
  int64_t each = (n + CHANNELS - 1) / CHANNELS, start = leat_now(), sum = 0;
  leat_scope(s);
  leat_rx(int64_t) in[CHANNELS];
  for (int64_t i = 0; i < CHANNELS; i++) in[i] = leat_numbers(s, int64_t, i * each, (i + 1) * each);
  leat_range(int64_t, v, leat_merge_array(s, in, CHANNELS)) sum += v;
  int64_t took = leat_now() - start;
  expect("sum", sum, sum_below(CHANNELS * each));
  return took;
}

static int64_t tee_2(int64_t n) {
  int64_t start = leat_now(), sum = 0, w;
  leat_scope(s);
  leat_rx(int64_t) out[2];
  must(leat_tee(s, leat_take(s, leat_repeat(s, int64_t, 1, 2), n), out, 2));
  leat_range(int64_t, v, out[0]) {
    must(leat_recv(out[1], &w));
    sum += v - 2 * w;
  }
  int64_t took = leat_now() - start;
  expect("sum", sum, -(n + n / 2));
  return took;
}

/* About a microsecond. */
LEAT_MAP(scramble, int64_t, int64_t, v) {
  uint64_t x = (uint64_t)v + 1;
  for (int i = 0; i < 400; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return (int64_t)(x >> 32);
}
static double scramble_in_parallel(int64_t *check) {
  const int64_t n = 200000;
  uint64_t sum = 0;
  int64_t start = leat_now();
  leat_scope(s);
  leat_range(int64_t, v, leat_parallel_map(s, leat_numbers(s, int64_t, 0, n), 4, 64, scramble)) sum = sum * 31 + (uint64_t)v; /* which tells one order from another */
  *check = (int64_t)sum;
  return (double)(leat_now() - start) / (double)n;
}

LEAT_SOURCE(candidate, int32_t, uint32_t *, state) {
  *state = *state * 1664525 + 1013904223;
  return (int32_t)(*state >> 12);
}
LEAT_FILTER(is_prime, int32_t, n) {
  for (int32_t divisor = 2; divisor < n; divisor++)
    if (n % divisor == 0) return false;
  return n > 1;
}
static double primes(int64_t *check) {
  uint32_t state = 1;
  int64_t start = leat_now(), sum = 0;
  leat_scope(s);
  leat_rx(int32_t) candidates = leat_take(s, leat_repeat_fn(s, candidate, &state), 500);
  leat_range(int32_t, prime, leat_fan_out(s, candidates, (size_t)leat_workers(), is_prime)) sum += prime;
  *check = sum;
  return (double)(leat_now() - start) / 1e6;
}

const struct benchmark pipeline_benchmarks[] = {
  COUNTED("pipeline", pipeline),
  COUNTED("pipeline-any", pipeline_any),
  COUNTED("pipeline-typed", pipeline_typed),
  COUNTED("pipeline-fused", pipeline_fused),
  COUNTED("pipeline-maps", pipeline_maps),
  COUNTED("effects-10", effects_10),
  COUNTED("buffered-write", buffered_write),
  COUNTED("merge-10", merge_10),
  COUNTED("tee-2", tee_2),
  FIXED("parallel-map", "ns", scramble_in_parallel),
  FIXED("primes", "ms", primes),
  {0},
};
