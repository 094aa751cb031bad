/* Very many goroutines at once: skynet, sleepers, and the memory of parked ones. */
#include "bench.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A line of /proc/self/status, in bytes. */
static double memory(const char *field) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  long long kib = -1;
  while (f && kib < 0 && fgets(line, sizeof line, f))
    if (!strncmp(line, field, strlen(field))) sscanf(line + strlen(field), ": %lld", &kib);
  if (f) fclose(f);
  if (kib < 0) wrong(field, kib, 0);
  return (double)kib * 1024;
}

LEAT_FN(node, leat_tx(int64_t), out, int64_t, first, int64_t, leaves) {
  int64_t sum = first;
  if (leaves > 1) {
    sum = 0;
    leat_scope(s);
    leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
    for (int64_t i = 0; i < 10; i++) leat_go(s, node, leat_tx_of(c), first + i * (leaves / 10), leaves / 10);
    for (int i = 0; i < 10; i++) {
      int64_t v;
      must(leat_recv(c, &v));
      sum += v;
    }
    must(leat_wait(s));
  }
  must(leat_send(out, sum));
}

static double skynet(int64_t *check) {
  int64_t start = leat_now();
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
  leat_go(s, node, leat_tx_of(c), 0, 1000000);
  must(leat_recv(c, check));
  double took = (double)(leat_now() - start) / 1e6;
  must(leat_wait(s));
  return took;
}
static double skynet_peak(int64_t *check) {
  skynet(check);
  return memory("VmHWM") / 1e6;
}

LEAT_FN(sleeper, _Atomic(int64_t) *, done) {
  must(leat_sleep(LEAT_MS(100)));
  atomic_fetch_add(done, 1);
}

static double sleepers(int64_t *check) {
  const int64_t n = 100000;
  _Atomic(int64_t) done = 0;
  int64_t start = leat_now();
  leat_scope(s);
  for (int64_t i = 0; i < n; i++) leat_go(s, sleeper, &done);
  must(leat_wait(s));
  int64_t beyond = leat_now() - start - LEAT_MS(100);
  if (beyond < 0) wrong("nanoseconds beyond 100 ms", beyond, 0);
  *check = done;
  return (double)beyond / 1e6;
}

LEAT_FN(park, leat_rx(char), in, _Atomic(int64_t) *, parked, _Atomic(int64_t) *, closed) {
  atomic_fetch_add(parked, 1);
  char nothing;
  if (leat_recv(in, &nothing) == LEAT_CLOSED) atomic_fetch_add(closed, 1);
}

static double park_many(int64_t n, int64_t *check) {
  _Atomic(int64_t) parked = 0, closed = 0;
  leat_scope(s);
  leat_chan(char) c = leat_chan_make(s, char, 0);
  double before = memory("VmRSS") + memory("VmPTE");
  for (int64_t i = 0; i < n; i++) leat_go(s, park, leat_rx_of(c), &parked, &closed);
  do must(leat_sleep(LEAT_MS(20)));
  while (parked < n);
  double bytes = (memory("VmRSS") + memory("VmPTE") - before) / (double)n;
  leat_close(c);
  must(leat_wait(s));
  *check = closed; /* those that saw the close */
  return bytes;
}
static double parked_100k(int64_t *check) { return park_many(100000, check); }
static double parked_1M(int64_t *check) { return park_many(1000000, check); }

/* Contexts in a tree with ten below each, and 100,000 goroutines that wait in its leaves: from the cancel of the root until all have ended. In
 * leat a goroutine that starts others has a scope, which is a node of the tree. */
struct tree {
  _Atomic(int64_t) waiting, ended;
};
LEAT_FN(branch, struct tree *, t, int64_t, leaves) {
  if (leaves == 1) {
    t->waiting++;
    char nothing_;
    expect("status", leat_recv((leat_rx(char))NULL, &nothing_), LEAT_CANCELED);
    t->ended++;
    return;
  }
  leat_scope(s);
  for (int i = 0; i < 10; i++) must(leat_go(s, branch, t, leaves / 10));
  expect("status", leat_wait(s), LEAT_CANCELED);
}
static double cancel_tree(int64_t *check) {
  const int64_t leaves = 100000;
  struct tree t = {0};
  leat_scope(s);
  must(leat_go(s, branch, &t, leaves));
  while (t.waiting < leaves) must(leat_sleep(LEAT_MS(10)));
  must(leat_sleep(LEAT_MS(10)));
  int64_t start = leat_now();
  leat_cancel(s);
  expect("status", leat_wait(s), LEAT_CANCELED);
  double took = (double)(leat_now() - start) / 1e6;
  *check = t.ended;
  return took;
}

const struct benchmark scale_benchmarks[] = {
  FIXED("skynet-1M", "ms", skynet),
  FIXED("skynet-1M-peak", "MB", skynet_peak),
  FIXED("sleep-100k", "ms", sleepers),
  FIXED("parked-100k", "B", parked_100k),
  FIXED("parked-1M", "B", parked_1M),
  FIXED("cancel-tree-100k", "ms", cancel_tree),
  {0}};
