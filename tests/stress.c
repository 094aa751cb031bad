/* Stress: programs that load the whole runtime at once and whose results tell whether anything was lost, doubled or stuck.
 *
 * The prime sieve is Go's test/chan/sieve1.go (after McIlroy and Pike); the ring and skynet (atemerev) are common benchmarks. */
#include "wait.h"

#include <pthread.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;
typedef leat_chan(int64_t) long_chan;

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

/* Prime sieve. */

LEAT_FN(generate, leat_tx(int), out) {
  for (int i = 2; leat_send(out, i) == LEAT_OK; i++) {}
}
LEAT_FN(sieve_out, leat_rx(int), in, leat_tx(int), out, int, prime) {
  leat_range(int, v, in) {
    if (v % prime != 0 && leat_send(out, v) != LEAT_OK) return;
  }
}
static void check_sieve(size_t capacity) {
  leat_scope(s);
  int n = (int)test_scale(500) + 10, last = 0;
  int_chan link = leat_chan_make(s, int, capacity);
  leat_go(s, generate, leat_tx_of(link));
  for (int i = 0; i < n; i++) {
    int prime = 0;
    CHECK_EQ(leat_recv(link, &prime), LEAT_OK);
    CHECK(prime > last);
    for (int d = 2; d * d <= prime; d++) CHECK(prime % d != 0);
    if (i == 0) CHECK_EQ(prime, 2);
    if (i == 9) CHECK_EQ(prime, 29);
    if (i == 499) CHECK_EQ(prime, 3571);
    last = prime;
    int_chan next = leat_chan_make(s, int, capacity);
    leat_go(s, sieve_out, leat_rx_of(link), leat_tx_of(next), prime);
    link = next;
  }
}
TEST_GO(prime_sieve_unbuffered) { check_sieve(0); }
TEST_GO(prime_sieve_buffered) { check_sieve(16); }

/* A token goes round. */

LEAT_FN(pass_on, leat_rx(int), in, leat_tx(int), out) {
  leat_range(int, v, in) {
    if (leat_send(out, v + 1) != LEAT_OK) break;
  }
  leat_close(out);
}
TEST_GO(ring) {
  leat_scope(s);
  int n = (int)test_scale(1000), rounds = (int)test_scale(500);
  int_chan first = leat_chan_make(s, int, 0), link = first;
  for (int i = 0; i < n; i++) {
    int_chan next = leat_chan_make(s, int, 0);
    leat_go(s, pass_on, leat_rx_of(link), leat_tx_of(next));
    link = next;
  }
  int token = 0;
  for (int i = 1; i <= rounds; i++) {
    CHECK_EQ(leat_send(first, token), LEAT_OK);
    CHECK_EQ(leat_recv(link, &token), LEAT_OK);
    CHECK_EQ(token, i * n);
  }
  leat_close(first);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Skynet: a tree of goroutines that add up their numbers. */

LEAT_FN(skynet, leat_tx(int64_t), out, int64_t, number, int64_t, size) {
  if (size == 1) {
    CHECK_EQ(leat_send(out, number), LEAT_OK);
    return;
  }
  leat_scope(s);
  long_chan children = leat_chan_make(s, int64_t, 0);
  int64_t sum = 0;
  for (int i = 0; i < 10; i++) leat_go(s, skynet, leat_tx_of(children), number + i * (size / 10), size / 10);
  for (int i = 0; i < 10; i++) {
    int64_t v = 0;
    CHECK_EQ(leat_recv(children, &v), LEAT_OK);
    sum += v;
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_send(out, sum), LEAT_OK);
}
TEST_GO(skynet_of_a_hundred_thousand) {
  leat_scope(s);
  int64_t size = 10;
  while (size * 10 <= test_scale(100000)) size *= 10;
  long_chan result = leat_chan_make(s, int64_t, 0);
  leat_go(s, skynet, leat_tx_of(result), 0, size);
  int64_t sum = 0;
  CHECK_EQ(leat_recv(result, &sum), LEAT_OK);
  CHECK_EQ(sum, size * (size - 1) / 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Producers and consumers that time out, are cancelled, stop and close at random. A value counts as handed over exactly when its send
 * answered LEAT_OK; each such value is received once, dropped once, or still there. */

static atomic_long sent, received, dropped, sum_sent, sum_received, sum_dropped;
static void drop(int *v) {
  dropped++;
  sum_dropped += *v;
}
static void count_received(int v) {
  received++;
  sum_received += v;
}
LEAT_FN(random_producer, leat_tx(int), out, uint32_t, seed, int, n) {
  for (int i = 0; i < n; i++) {
    int v = (int)(next_random(&seed) & 0xFFFF), status, items[5] = {v, v + 1, v + 2, v + 3, v + 4};
    bool batch = false;
    switch (next_random(&seed) % 5) {
    case 0: status = leat_send(out, v); break;
    case 1: status = leat_try_send(out, v); break;
    case 2: status = leat_send_until(out, leat_now() + (int64_t)(next_random(&seed) % 50000), v); break;
    case 3: {
      int chosen = leat_select(leat_on_send(out, v), leat_on_timeout((int64_t)(next_random(&seed) % 50000)));
      status = chosen == 0 ? leat_selected() : chosen == 1 ? LEAT_DEADLINE : chosen;
      break;
    }
    default: {
      size_t many = 99;
      batch = true;
      status = leat_send_n(out, &items[0], 5, &many);
      CHECK(status == LEAT_OK ? many == 5 : many < 5);
      for (size_t k = 0; k < many; k++) sum_sent += items[k];
      sent += (long)many;
    }
    }
    if (status == LEAT_OK && !batch) {
      sent++;
      sum_sent += v;
    }
    if (status == LEAT_CLOSED || status == LEAT_CANCELED) return;
  }
}
LEAT_FN(random_consumer, leat_rx(int), in, uint32_t, seed, int, n) {
  for (int i = 0; i < n; i++) {
    int v = 0, status, items[4];
    size_t many = 0;
    switch (next_random(&seed) % 5) {
    case 0: status = leat_recv(in, &v); break;
    case 1: status = leat_try_recv(in, &v); break;
    case 2: status = leat_recv_until(in, leat_now() + (int64_t)(next_random(&seed) % 50000), &v); break;
    case 3: {
      int chosen = leat_select(leat_on_recv(in, &v), leat_on_timeout((int64_t)(next_random(&seed) % 50000)));
      status = chosen == 0 ? leat_selected() : chosen == 1 ? LEAT_DEADLINE : chosen;
      break;
    }
    default:
      status = leat_recv_n(in, &items[0], 4, &many);
      if (status == LEAT_OK)
        for (size_t k = 0; k < many; k++) count_received(items[k]);
      if (status == LEAT_OK) continue;
    }
    if (status == LEAT_OK) count_received(v);
    if (status == LEAT_CLOSED || status == LEAT_CANCELED) return;
    if (i % 16 == 0) leat_yield();
  }
}
static void check_random_round(uint32_t seed) {
  leat_scope(outer);
  int_chan c = leat_chan_make(outer, int, next_random(&seed) % 4);
  leat_on_drop(c, drop);
  {
    leat_scope(s);
    int n = 50 + (int)(next_random(&seed) % 200);
    for (int i = 0; i < 6; i++) {
      leat_go(s, random_producer, leat_tx_of(c), next_random(&seed), n);
      leat_go(s, random_consumer, leat_rx_of(c), next_random(&seed), n);
    }
    leat_sleep((int64_t)(next_random(&seed) % 300000));
    switch (next_random(&seed) % 3) {
    case 0: leat_cancel(s); break;
    case 1: leat_close(c); break;
    case 2: leat_stop(c); break;
    }
    int ended = leat_wait(s);
    CHECK(ended == LEAT_OK || ended == LEAT_CANCELED);
  }
  leat_stop(c);
}
TEST_GO(random_ends_conserve_values) {
  int rounds = (int)test_scale(300) + 5;
  for (int i = 0; i < rounds; i++) {
    check_random_round((uint32_t)i * 7919 + 1);
    CHECK_EQ(received + dropped, sent);
    CHECK_EQ(sum_received + sum_dropped, sum_sent);
  }
  CHECK(sent > 0);
}
LEAT_FN(random_world, uint32_t, seed, int, rounds) {
  for (int i = 0; i < rounds; i++) check_random_round(next_random(&seed));
}
TEST_GO(random_ends_in_many_scopes_at_once) {
  leat_scope(s);
  for (int i = 0; i < 8; i++) leat_go(s, random_world, (uint32_t)i, (int)test_scale(50) + 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(received + dropped, sent);
  CHECK_EQ(sum_received + sum_dropped, sum_sent);
}

/* Foreign threads start storms of goroutines, which start more. */

static atomic_long stormed;
LEAT_FN(storm, int, depth) {
  stormed++;
  if (depth == 0) return;
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, storm, depth - 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static void *storm_thread(void *p) {
  for (int i = 0; i < *(int *)p; i++) {
    leat_scope(s);
    for (int k = 0; k < 10; k++) leat_go(s, storm, 4);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  return NULL;
}
TEST(spawn_storms_from_foreign_threads) {
  pthread_t threads[6];
  int rounds = (int)test_scale(20) + 1;
  for (int i = 0; i < 6; i++) CHECK_EQ(pthread_create(&threads[i], NULL, storm_thread, &rounds), 0);
  for (int i = 0; i < 6; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK_EQ(stormed, 6L * rounds * 10 * (1 + 4 + 16 + 64 + 256));
}

/* Close and stop race with each other and with everybody on the channel. */

LEAT_FN(ender, int_chan, c, int, how, leat_rx(char), gate) {
  char x;
  leat_recv(gate, &x);
  if (how) leat_close(c);
  else leat_stop(c);
}
LEAT_FN(endless_sender, leat_tx(int), c) {
  int v = 1, status;
  while ((status = leat_send(c, v)) == LEAT_OK) {
    sent++;
    sum_sent += v++;
  }
  CHECK_EQ(status, LEAT_CLOSED);
}
LEAT_FN(endless_receiver, leat_rx(int), c) {
  leat_range(int, v, c) count_received(v);
  CHECK_EQ(leat_range_end(), LEAT_CLOSED);
}
TEST_GO(close_and_stop_race) {
  int rounds = (int)test_scale(1000) + 20;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, (size_t)i % 4);
    leat_chan(char) gate = leat_chan_make(s, char, 0);
    leat_on_drop(c, drop);
    for (int k = 0; k < 3; k++) {
      leat_go(s, endless_sender, leat_tx_of(c));
      leat_go(s, endless_receiver, leat_rx_of(c));
    }
    if (i % 3 != 0) leat_go(s, ender, c, 1, leat_rx_of(gate));
    if (i % 3 != 1) leat_go(s, ender, c, 0, leat_rx_of(gate));
    for (int k = i % 10; k > 0; k--) leat_yield();
    leat_close(gate);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    leat_stop(c);
    CHECK_EQ(received + dropped, sent);
    CHECK_EQ(sum_received + sum_dropped, sum_sent);
  }
}

/* Everything at once: pipelines, timers, pipes, selects, short scopes, while workers come and go. */

static atomic_int worlds;
LEAT_FN(receive_until_the_end, leat_rx(int), c) {
  leat_range(int, v, c) CHECK_EQ(v, 1);
}
LEAT_FN(busy_world, int, i, int, rounds) {
  uint32_t seed = (uint32_t)i;
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  for (int round = 0; round < rounds; round++) {
    leat_scope(s);
    CHECK_EQ(leat_set_timeout(s, (int64_t)(next_random(&seed) % 3000000)), LEAT_OK);
    int_chan c = leat_chan_make(s, int, 2);
    leat_go(s, receive_until_the_end, leat_rx_of(c));
    leat_rx(int64_t) tick = leat_timer_chan(leat_ticker_start(s, LEAT_US(200)));
    for (int status = 0; status == 0;) {
      int64_t at;
      char byte = 'x';
      switch (leat_select(leat_on_recv(tick, &at), leat_on_send(c, 1), leat_on_timeout(LEAT_US(100)))) {
      case 0: {
        ssize_t n = leat_io_write(ends[1], &byte, 1);
        CHECK(n == 1 || n == LEAT_DEADLINE);
        break;
      }
      case 1:
      case 2: {
        ssize_t n = leat_io_read_until(ends[0], &byte, 1, leat_now() + LEAT_US(20));
        CHECK(n == 1 || n == LEAT_DEADLINE);
        break;
      }
      default: status = 1;
      }
    }
    CHECK_EQ(leat_scope_status(s), LEAT_DEADLINE);
  }
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  worlds++;
}
LEAT_FN(change_workers, atomic_int *, stop) {
  for (int i = 0; !*stop; i++) {
    CHECK_EQ(leat_set_workers(i % 5 + 1), LEAT_OK);
    CHECK_EQ(leat_sleep(LEAT_MS(1)), LEAT_OK);
  }
}
TEST_GO(everything_at_once) {
  static atomic_int stop;
  leat_scope(s);
  leat_go(s, change_workers, &stop);
  {
    leat_scope(busy);
    int n = (int)test_scale(50) + 4;
    for (int i = 0; i < n; i++) leat_go(busy, busy_world, i, (int)test_scale(300) + 5);
    CHECK_EQ(leat_wait(busy), LEAT_OK);
    CHECK_EQ(worlds, n);
  }
  stop = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
