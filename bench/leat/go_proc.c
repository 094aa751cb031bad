/* Go's scheduler benchmarks (runtime/proc_test.go): the same names and shapes. */
#include "bench.h"
#include <math.h>
#include <stdlib.h>
#include <time.h>

/* ---- starting ---- */

LEAT_FN(chain, leat_view, s, leat_tx(char), done, int64_t, n) {
  if (n == 0) must(leat_send(done, 1));
  else must(leat_go(s, chain, s, done, n - 1));
}
static int64_t create_chains(int64_t n, int chains) {
  int64_t start = leat_now();
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  char v;
  for (int i = 0; i < chains; i++) must(leat_go(s, chain, s, leat_tx_of(done), n / chains));
  for (int i = 0; i < chains; i++) must(leat_recv(done, &v));
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  return took;
}
static int64_t create_goroutines(int64_t n) { return create_chains(n, 1); }
static int64_t create_goroutines_parallel(int64_t n) { return create_chains(n, leat_workers()); }

LEAT_FN(see, int, i, _Atomic(int64_t) *, bad, leat_waitgroup *, group) {
  if (i >= 4) ++*bad;
  leat_waitgroup_done(group);
}
static int64_t create_goroutines_capture(int64_t n) {
  _Atomic(int64_t) bad = 0;
  int64_t start = leat_now();
  leat_scope(s);
  for (int64_t k = 0; k < n; k++) {
    leat_waitgroup group = {0};
    leat_waitgroup_add(&group, 4);
    for (int i = 0; i < 4; i++) must(leat_go(s, see, i, &bad, &group));
    leat_waitgroup_wait(&group);
  }
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  expect("bad", bad, 0);
  return took;
}

LEAT_FN(spin_up, _Atomic(int) *, arrived, int, all) {
  ++*arrived;
  while (*arrived < all) must(leat_checkpoint());
  for (int64_t end = leat_now() + LEAT_MS(1); leat_now() < end;) {}
}
/* All workers run something. */
static void warm_up(void) {
  _Atomic(int) arrived = 0;
  leat_scope(s);
  for (int i = 0; i < leat_workers(); i++) must(leat_go(s, spin_up, &arrived, leat_workers()));
  must(leat_wait(s));
}
LEAT_FN(only_done, leat_waitgroup *, group) { leat_waitgroup_done(group); }
static int64_t create_goroutines_single(int64_t n) {
  warm_up();
  leat_waitgroup group = {0};
  int64_t start = leat_now();
  leat_scope(s);
  leat_waitgroup_add(&group, (int)n);
  for (int64_t i = 0; i < n; i++) must(leat_go(s, only_done, &group));
  leat_waitgroup_wait(&group);
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  return took;
}

/* ---- switching ---- */

LEAT_FN(hog, leat_rx(char), stop) {
  char v;
  while (leat_try_recv(stop, &v) == LEAT_EMPTY) {}
}
LEAT_FN(pass, leat_rx(char), in, leat_tx(char), out, int64_t, n) {
  char v;
  for (int64_t i = 0; i < n; i++) {
    must(leat_recv(in, &v));
    must(leat_send(out, v));
  }
}
LEAT_FN(pass_and_stop, leat_rx(char), in, leat_tx(char), out, int64_t, n, leat_tx(char), stop) {
  pass(in, out, n);
  leat_close(stop);
}
/* Ping-pong on one worker, beside a goroutine that never blocks. */
static int64_t ping_pong_hog(int64_t n) {
  int workers = leat_workers();
  must(leat_set_workers(1));
  leat_scope(s);
  leat_chan(char) stop = leat_chan_make(s, char, 0), ping = leat_chan_make(s, char, 0), pong = leat_chan_make(s, char, 0);
  leat_go(s, hog, leat_rx_of(stop));
  leat_go(s, pass_and_stop, leat_rx_of(ping), leat_tx_of(pong), n, leat_tx_of(stop));
  leat_go(s, pass, leat_rx_of(pong), leat_tx_of(ping), n);
  char v;
  int64_t start = leat_now();
  must(leat_send(ping, 1));
  expect("status", leat_recv(stop, &v), LEAT_CLOSED);
  int64_t took = leat_now() - start;
  must(leat_recv(ping, &v)); /* the last one */
  expect("value", v, 1);
  must(leat_wait(s));
  must(leat_set_workers(workers));
  return took;
}

/* Two take turns. Each is busy for a while before it receives, and 5 us longer before it sends, so that the receiver is likely to wait. */
typedef void (*busy)(int64_t);
LEAT_FN(take_turns, leat_tx(struct none), out, leat_rx(struct none), in, int64_t, n, busy, spin, int64_t, delay, bool, sends_first) {
  const int64_t wake = LEAT_US(5);
  struct none v = nothing;
  for (int64_t i = 0; i < 2 * n; i++)
    if ((i % 2 == 0) == sends_first) {
      spin(delay + wake);
      must(leat_send(out, v));
    } else {
      spin(delay);
      must(leat_recv(in, &v));
    }
}
static int64_t wakeup_parallel(int64_t n, busy spin, int64_t delay) {
  leat_scope(s);
  leat_chan(struct none) ping = leat_chan_make(s, struct none, 0), pong = leat_chan_make(s, struct none, 0);
  int64_t start = leat_now();
  leat_go(s, take_turns, leat_tx_of(ping), leat_rx_of(pong), n, spin, delay, true);
  leat_go(s, take_turns, leat_tx_of(pong), leat_rx_of(ping), n, spin, delay, false);
  must(leat_wait(s));
  return leat_now() - start;
}
static void spinning(int64_t duration) {
  for (int64_t end = leat_now() + duration; leat_now() < end;) {}
}
/* A call that blocks the thread, of which Go's runtime is told as well. */
static void sleeping(int64_t duration) {
  struct timespec t = {.tv_nsec = (long)duration};
  leat_blocking nanosleep(&t, NULL);
}
#define WAKEUP(us) \
  static int64_t wakeup_spinning_##us(int64_t n) { return wakeup_parallel(n, spinning, LEAT_US(us)); } \
  static int64_t wakeup_syscall_##us(int64_t n) { return wakeup_parallel(n, sleeping, LEAT_US(us)); }
WAKEUP(0)
WAKEUP(1)
WAKEUP(2)
WAKEUP(5)
WAKEUP(10)
WAKEUP(20)
WAKEUP(50)
WAKEUP(100)

/* ---- computing ---- */

/* c[i0..i1][j0..j1] += a * b over k0..k1; halves the longest side, the rows and columns in two goroutines. */
typedef double **matrix;
LEAT_FN_DECLARE(multiply, leat_view, s, leat_chan(struct none), done, matrix *, m, const int *, from, const int *, to);
struct range {
  int from[3], to[3];
};
static struct range half(const int *from, const int *to, int axis, bool upper) {
  struct range r;
  for (int i = 0; i < 3; i++) {
    r.from[i] = from[i];
    r.to[i] = to[i];
  }
  *(upper ? &r.from[axis] : &r.to[axis]) = from[axis] + (to[axis] - from[axis]) / 2;
  return r;
}
LEAT_FN_DEFINE(multiply, leat_view, s, leat_chan(struct none), done, matrix *, m, const int *, from, const int *, to) {
  enum { SMALL = 8 };
  int di = to[0] - from[0], dj = to[1] - from[1], dk = to[2] - from[2];
  if ((di >= dj && di >= dk && di >= SMALL) || (dj >= dk && dj >= SMALL)) {
    int axis = !(di >= dj && di >= dk && di >= SMALL);
    struct range low = half(from, to, axis, false), high = half(from, to, axis, true);
    leat_chan(struct none) other = leat_chan_make(NULL, struct none, 1);
    struct none v;
    must(leat_go(s, multiply, s, other, m, low.from, low.to));
    multiply(s, NULL, m, high.from, high.to);
    must(leat_recv(other, &v));
    leat_release(other);
  } else if (dk >= SMALL) {
    struct range low = half(from, to, 2, false), high = half(from, to, 2, true);
    multiply(s, NULL, m, low.from, low.to);
    multiply(s, NULL, m, high.from, high.to);
  } else {
    for (int i = from[0]; i < to[0]; i++)
      for (int j = from[1]; j < to[1]; j++)
        for (int k = from[2]; k < to[2]; k++) m[2][i][j] += m[0][i][k] * m[1][k][j];
  }
  if (done) must(leat_send(done, nothing));
}
static matrix make_matrix(int n) {
  matrix rows = allocate((size_t)n, sizeof *rows);
  for (int i = 0; i < n; i++) {
    rows[i] = allocate((size_t)n, sizeof **rows);
    for (int j = 0; j < n; j++) rows[i][j] = i * n + j;
  }
  return rows;
}
static int64_t matmult(int64_t operations) {
  int n = (int)cbrt((double)operations) + 1;
  matrix m[3];
  for (int i = 0; i < 3; i++) m[i] = make_matrix(n);
  int64_t start = leat_now();
  leat_scope(s);
  multiply(s, NULL, m, (int[]){0, 0, 0}, (int[]){n, n, n});
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  double last = m[0][n - 1][n - 1]; /* what it was before, as all three were the same */
  for (int k = 0; k < n; k++) last += m[0][n - 1][k] * m[1][k][n - 1];
  if (fabs(last - m[2][n - 1][n - 1]) > 1e-9 * last) wrong("product", (int64_t)m[2][n - 1][n - 1], (int64_t)last);
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < n; k++) free(m[i][k]);
    free(m[i]);
  }
  return took;
}

const struct benchmark go_proc_benchmarks[] = {
  COUNTED("PingPongHog", ping_pong_hog),
  COUNTED("CreateGoroutines", create_goroutines),
  COUNTED("CreateGoroutinesParallel", create_goroutines_parallel),
  COUNTED("CreateGoroutinesCapture", create_goroutines_capture),
  COUNTED("CreateGoroutinesSingle", create_goroutines_single),
  COUNTED("WakeupParallelSpinning/0s", wakeup_spinning_0),
  COUNTED("WakeupParallelSpinning/1µs", wakeup_spinning_1),
  COUNTED("WakeupParallelSpinning/2µs", wakeup_spinning_2),
  COUNTED("WakeupParallelSpinning/5µs", wakeup_spinning_5),
  COUNTED("WakeupParallelSpinning/10µs", wakeup_spinning_10),
  COUNTED("WakeupParallelSpinning/20µs", wakeup_spinning_20),
  COUNTED("WakeupParallelSpinning/50µs", wakeup_spinning_50),
  COUNTED("WakeupParallelSpinning/100µs", wakeup_spinning_100),
  COUNTED("WakeupParallelSyscall/0s", wakeup_syscall_0),
  COUNTED("WakeupParallelSyscall/1µs", wakeup_syscall_1),
  COUNTED("WakeupParallelSyscall/2µs", wakeup_syscall_2),
  COUNTED("WakeupParallelSyscall/5µs", wakeup_syscall_5),
  COUNTED("WakeupParallelSyscall/10µs", wakeup_syscall_10),
  COUNTED("WakeupParallelSyscall/20µs", wakeup_syscall_20),
  COUNTED("WakeupParallelSyscall/50µs", wakeup_syscall_50),
  COUNTED("WakeupParallelSyscall/100µs", wakeup_syscall_100),
  COUNTED("Matmult", matmult),
  {0}};
