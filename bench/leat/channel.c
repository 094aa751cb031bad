/* Channels: round trips, one way, many to many, a ring, and the sieve of filters. */
#include "bench.h"

static int64_t sum_below(int64_t n) { return n * (n - 1) / 2; }

LEAT_FN(echo, leat_rx(int64_t), in, leat_tx(int64_t), out) {
  leat_range(int64_t, v, in) must(leat_send(out, v + 1));
}

static void ping_pong(void) {
  const int64_t n = 1000000;
  leat_scope(s);
  leat_chan(int64_t) ping = leat_chan_make(s, int64_t, 0), pong = leat_chan_make(s, int64_t, 0);
  leat_go(s, echo, leat_rx_of(ping), leat_tx_of(pong));
  int64_t start = leat_now(), v = 0;
  for (int64_t i = 0; i < n; i++) {
    must(leat_send(ping, v));
    must(leat_recv(pong, &v));
  }
  report_each("ping-pong", start, n);
  expect("value", v, n);
  leat_close(ping);
  must(leat_wait(s));
}

LEAT_FN(produce, leat_tx(int64_t), out, int64_t, first, int64_t, end) {
  for (int64_t i = first; i < end; i++) must(leat_send(out, i));
}

static void one_producer(const char *name, size_t capacity, int64_t n) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, capacity);
  int64_t start = leat_now(), sum = 0, v;
  leat_go(s, produce, leat_tx_of(c), 0, n);
  for (int64_t i = 0; i < n; i++) {
    must(leat_recv(c, &v));
    sum += v;
  }
  report_each(name, start, n);
  expect("sum", sum, sum_below(n));
  must(leat_wait(s));
}

static void one_way(void) { one_producer("one-way", 0, 2000000); }
static void spsc(void) { one_producer("spsc-128", 128, 5000000); }

LEAT_FN(consume, leat_rx(int64_t), in, int64_t *, sum) {
  int64_t own = 0;
  leat_range(int64_t, v, in) own += v;
  *sum = own;
}

static void mpmc(void) {
  enum { ENDS = 4 };
  const int64_t each = 1000000;
  int64_t sums[ENDS], sum = 0;
  leat_scope(receivers);
  leat_chan(int64_t) c = leat_chan_make(receivers, int64_t, 128);
  int64_t start = leat_now();
  for (int i = 0; i < ENDS; i++) leat_go(receivers, consume, leat_rx_of(c), &sums[i]);
  {
    leat_scope(senders);
    for (int i = 0; i < ENDS; i++) leat_go(senders, produce, leat_tx_of(c), i * each, (i + 1) * each);
    must(leat_wait(senders));
  }
  leat_close(c);
  must(leat_wait(receivers));
  report_each("mpmc-4x4-128", start, ENDS * each);
  for (int i = 0; i < ENDS; i++) sum += sums[i];
  expect("sum", sum, sum_below(ENDS * each));
}

LEAT_FN(pass_on, leat_rx(int64_t), in, leat_tx(int64_t), out, int64_t, laps) {
  for (int64_t i = 0; i < laps; i++) {
    int64_t v;
    must(leat_recv(in, &v));
    must(leat_send(out, v + 1));
  }
}

static void ring(void) {
  enum { NODES = 1000 };
  const int64_t laps = 1000;
  static leat_chan(int64_t) c[NODES];
  leat_scope(s);
  for (int i = 0; i < NODES; i++) c[i] = leat_chan_make(s, int64_t, 0);
  for (int i = 1; i < NODES; i++) leat_go(s, pass_on, leat_rx_of(c[i - 1]), leat_tx_of(c[i]), laps);
  int64_t start = leat_now(), v = 0;
  for (int64_t lap = 0; lap < laps; lap++) {
    must(leat_send(c[0], v + 1));
    must(leat_recv(c[NODES - 1], &v));
  }
  report_each("ring-1000", start, laps * NODES);
  expect("value", v, laps * NODES);
  must(leat_wait(s));
}

LEAT_FN(count_up, leat_tx(int64_t), out) {
  for (int64_t i = 2; leat_send(out, i) == LEAT_OK; i++) {}
}

LEAT_FN(sift, leat_rx(int64_t), in, leat_tx(int64_t), out, int64_t, prime) {
  leat_range(int64_t, i, in)
    if (i % prime && leat_send(out, i) != LEAT_OK) return;
}

static void sieve(void) {
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
  report("sieve-1000", "ms", (double)(leat_now() - start) / 1e6);
  expect("the 1000th prime", prime, 7919);
}

const struct benchmark channel_benchmarks[] = {
  {"ping-pong", ping_pong}, {"one-way", one_way}, {"spsc-128", spsc}, {"mpmc-4x4-128", mpmc}, {"ring-1000", ring}, {"sieve-1000", sieve}, {0}};
