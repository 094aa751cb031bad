/* Channels: round trips, one way, many to many, a ring, and the sieve of filters. */
#include "bench.h"
#include <stdlib.h>

static int64_t sum_below(int64_t n) { return n * (n - 1) / 2; }

LEAT_FN(echo, leat_rx(int64_t), in, leat_tx(int64_t), out) {
  leat_range(int64_t, v, in) must(leat_send(out, v + 1));
}

static int64_t ping_pong(int64_t n) {
  leat_scope(s);
  leat_chan(int64_t) ping = leat_chan_make(s, int64_t, 0), pong = leat_chan_make(s, int64_t, 0);
  leat_go(s, echo, leat_rx_of(ping), leat_tx_of(pong));
  int64_t start = leat_now(), v = 0;
  for (int64_t i = 0; i < n; i++) {
    must(leat_send(ping, v));
    must(leat_recv(pong, &v));
  }
  int64_t took = leat_now() - start;
  expect("value", v, n);
  leat_close(ping);
  must(leat_wait(s));
  return took;
}

LEAT_FN(produce, leat_tx(int64_t), out, int64_t, first, int64_t, end) {
  for (int64_t i = first; i < end; i++) must(leat_send(out, i));
}

static int64_t one_producer(int64_t n, size_t capacity) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, capacity);
  int64_t start = leat_now(), sum = 0, v;
  leat_go(s, produce, leat_tx_of(c), 0, n);
  for (int64_t i = 0; i < n; i++) {
    must(leat_recv(c, &v));
    sum += v;
  }
  int64_t took = leat_now() - start;
  expect("sum", sum, sum_below(n));
  must(leat_wait(s));
  return took;
}
static int64_t one_way(int64_t n) { return one_producer(n, 0); }
static int64_t spsc(int64_t n) { return one_producer(n, 128); }

LEAT_FN(consume, leat_rx(int64_t), in, int64_t *, sum) {
  int64_t own = 0;
  leat_range(int64_t, v, in) own += v;
  *sum = own;
}

/* Each sender sends `each` values, in order; the receivers share them. */
static int64_t many(int64_t n, int n_senders, int n_receivers, size_t capacity) {
  int64_t each = (n + n_senders - 1) / n_senders, *sums = allocate((size_t)n_receivers, sizeof *sums), sum = 0;
  leat_scope(receivers);
  leat_chan(int64_t) c = leat_chan_make(receivers, int64_t, capacity);
  int64_t start = leat_now();
  for (int i = 0; i < n_receivers; i++) leat_go(receivers, consume, leat_rx_of(c), &sums[i]);
  {
    leat_scope(senders);
    for (int i = 0; i < n_senders; i++) leat_go(senders, produce, leat_tx_of(c), i * each, (i + 1) * each);
    must(leat_wait(senders));
  }
  leat_close(c);
  must(leat_wait(receivers));
  int64_t took = leat_now() - start;
  for (int i = 0; i < n_receivers; i++) sum += sums[i];
  expect("sum", sum, sum_below(n_senders * each));
  free(sums);
  return took;
}
static int64_t mpmc(int64_t n) { return many(n, 4, 4, 128); }
static int64_t fan_in(int64_t n) { return many(n, 100, 1, 0); }
static int64_t fan_out(int64_t n) { return many(n, 1, 100, 0); }

LEAT_FN(pass_on, leat_rx(int64_t), in, leat_tx(int64_t), out, int64_t, laps) {
  for (int64_t i = 0; i < laps; i++) {
    int64_t v;
    must(leat_recv(in, &v));
    must(leat_send(out, v + 1));
  }
}

static int64_t ring(int64_t n) {
  enum { NODES = 1000 };
  static leat_chan(int64_t) c[NODES];
  int64_t laps = (n + NODES - 1) / NODES;
  leat_scope(s);
  for (int i = 0; i < NODES; i++) c[i] = leat_chan_make(s, int64_t, 0);
  for (int i = 1; i < NODES; i++) leat_go(s, pass_on, leat_rx_of(c[i - 1]), leat_tx_of(c[i]), laps);
  int64_t start = leat_now(), v = 0;
  for (int64_t lap = 0; lap < laps; lap++) {
    must(leat_send(c[0], v + 1));
    must(leat_recv(c[NODES - 1], &v));
  }
  int64_t took = leat_now() - start;
  expect("value", v, laps * NODES);
  must(leat_wait(s));
  return took;
}

LEAT_FN(count_up, leat_tx(int64_t), out) {
  for (int64_t i = 2; leat_send(out, i) == LEAT_OK; i++) {}
}

LEAT_FN(sift, leat_rx(int64_t), in, leat_tx(int64_t), out, int64_t, prime) {
  leat_range(int64_t, i, in)
    if (i % prime && leat_send(out, i) != LEAT_OK) return;
}

static double sieve(int64_t *check) {
  const int primes = 1000;
  int64_t start = leat_now(), prime = 0;
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
  leat_go(s, count_up, leat_tx_of(c));
  for (int i = 0; i < primes; i++) {
    must(leat_recv(c, &prime));
    leat_chan(int64_t) next = leat_chan_make(s, int64_t, 0);
    leat_go(s, sift, leat_rx_of(c), leat_tx_of(next), prime);
    c = next;
  }
  *check = prime;
  return (double)(leat_now() - start) / 1e6;
}

/* Senders and receivers in pairs, each with a channel of its own: as many pairs as workers. n items each. */
LEAT_FN(pair, int64_t, n, size_t, capacity) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, capacity);
  leat_go(s, produce, leat_tx_of(c), 0, n);
  int64_t sum = 0, v;
  for (int64_t i = 0; i < n; i++) {
    must(leat_recv(c, &v));
    sum += v;
  }
  expect("sum", sum, sum_below(n));
  must(leat_wait(s));
}
static int64_t pairs(int64_t n, size_t capacity) {
  int workers = leat_workers();
  int64_t start = leat_now();
  leat_scope(s);
  for (int i = 0; i < workers; i++) leat_go(s, pair, (n + workers - 1) / workers, capacity);
  must(leat_wait(s));
  return leat_now() - start;
}
static int64_t pairs_0(int64_t n) { return pairs(n, 0); }
static int64_t pairs_128(int64_t n) { return pairs(n, 128); }

const struct benchmark channel_benchmarks[] = {
  COUNTED("ping-pong", ping_pong),
  COUNTED("one-way", one_way),
  COUNTED("spsc-128", spsc),
  COUNTED("mpmc-4x4-128", mpmc),
  COUNTED("fan-in-100", fan_in),
  COUNTED("fan-out-100", fan_out),
  COUNTED("ring-1000", ring),
  COUNTED("pairs-0", pairs_0),
  COUNTED("pairs-128", pairs_128),
  FIXED("sieve-1000", "ms", sieve),
  {0}};
