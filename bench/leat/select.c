/* One goroutine receives from 2, 8 or 64 unbuffered channels that have a sender each; and many goroutines that share a channel which says
 * when to end (golang/go#20351). */
#include "bench.h"
#include <stdlib.h>

LEAT_FN(feed, leat_tx(int64_t), out, int64_t, n) {
  for (int64_t i = 1; i <= n; i++) must(leat_send(out, i));
}

static int64_t select_2(int64_t n) {
  int64_t each = (n + 1) / 2, last[2] = {0}, v;
  leat_scope(s);
  leat_chan(int64_t) a = leat_chan_make(s, int64_t, 0), b = leat_chan_make(s, int64_t, 0);
  int64_t start = leat_now();
  leat_go(s, feed, leat_tx_of(a), each);
  leat_go(s, feed, leat_tx_of(b), each);
  for (int64_t i = 0; i < 2 * each; i++) {
    int from = leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v));
    if (from < 0) must(from);
    expect("value", v, ++last[from]);
  }
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  return took;
}

static int64_t select_8(int64_t n) {
  enum { CHANNELS = 8 };
  int64_t each = (n + CHANNELS - 1) / CHANNELS, last[CHANNELS] = {0}, v;
  leat_scope(s);
  leat_chan(int64_t) c[CHANNELS];
  int64_t start = leat_now();
  for (int i = 0; i < CHANNELS; i++) {
    c[i] = leat_chan_make(s, int64_t, 0);
    leat_go(s, feed, leat_tx_of(c[i]), each);
  }
  for (int64_t i = 0; i < CHANNELS * each; i++) {
    int from = leat_select(leat_on_recv(c[0], &v), leat_on_recv(c[1], &v), leat_on_recv(c[2], &v), leat_on_recv(c[3], &v),
                           leat_on_recv(c[4], &v), leat_on_recv(c[5], &v), leat_on_recv(c[6], &v), leat_on_recv(c[7], &v));
    if (from < 0) must(from);
    expect("value", v, ++last[from]);
  }
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  return took;
}

/* By an array of cases; in Go, by reflect.Select. */
static int64_t select_64(int64_t n) {
  enum { CHANNELS = 64 };
  int64_t each = (n + CHANNELS - 1) / CHANNELS, last[CHANNELS] = {0}, v;
  leat_scope(s);
  leat_case cases[CHANNELS];
  int64_t start = leat_now();
  for (int i = 0; i < CHANNELS; i++) {
    leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
    cases[i] = leat_on_recv(c, &v);
    leat_go(s, feed, leat_tx_of(c), each);
  }
  for (int64_t i = 0; i < CHANNELS * each; i++) {
    int from = leat_select_array(cases, CHANNELS);
    if (from < 0) must(from);
    expect("value", v, ++last[from]);
  }
  int64_t took = leat_now() - start;
  must(leat_wait(s));
  return took;
}

/* ---- 1, 64 or 1,000 goroutines that are told to end ----
 * Each receives from a channel of its own, to which its partner sends, until n values have been received in all. In leat a cancelled scope
 * is what tells them; the other form has a channel that all share, as Go's context.Done() is. */

LEAT_FN(send_until_told, leat_tx(int64_t), out) {
  for (int64_t i = 1; leat_send(out, i) == LEAT_OK; i++) {}
}
static void receive_all(struct portion *p, void *environment) {
  leat_view s = environment;
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
  int64_t v, last = 0;
  leat_go(s, send_until_told, leat_tx_of(c));
  while (next(p)) {
    must(leat_recv(c, &v));
    expect("value", v, ++last);
  }
  leat_stop(c);
}
static int64_t done_by_scope(int64_t n, int receivers) {
  leat_scope(s);
  int64_t took = in_parallel(n, receivers, receive_all, s);
  leat_cancel(s);
  expect("status", leat_wait(s), LEAT_CANCELED);
  return took;
}

struct told {
  leat_view s;
  leat_chan(char) done;
};
LEAT_FN(send_until_done, leat_tx(int64_t), out, leat_rx(char), done) {
  char d;
  for (int64_t i = 1;; i++) {
    int which = leat_select(leat_on_send(out, i), leat_on_recv(done, &d));
    if (which == 1) return;
    if (which) must(which);
  }
}
static void select_all(struct portion *p, void *environment) {
  struct told *t = environment;
  leat_chan(int64_t) c = leat_chan_make(t->s, int64_t, 0);
  int64_t v, last = 0;
  char d;
  leat_go(t->s, send_until_done, leat_tx_of(c), leat_rx_of(t->done));
  while (next(p)) {
    expect("case", leat_select(leat_on_recv(c, &v), leat_on_recv(t->done, &d)), 0);
    expect("value", v, ++last);
  }
}
static int64_t done_by_channel(int64_t n, int receivers) {
  leat_scope(s);
  struct told t = {s, leat_chan_make(s, char, 0)};
  int64_t took = in_parallel(n, receivers, select_all, &t);
  leat_close(t.done);
  must(leat_wait(s));
  return took;
}

static int64_t done_1(int64_t n) { return done_by_scope(n, 1); }
static int64_t done_64(int64_t n) { return done_by_scope(n, 64); }
static int64_t done_1000(int64_t n) { return done_by_scope(n, 1000); }
static int64_t done_1_channel(int64_t n) { return done_by_channel(n, 1); }
static int64_t done_64_channel(int64_t n) { return done_by_channel(n, 64); }
static int64_t done_1000_channel(int64_t n) { return done_by_channel(n, 1000); }

const struct benchmark select_benchmarks[] = {
  COUNTED("select-2", select_2),
  COUNTED("select-8", select_8),
  COUNTED("select-64", select_64),
  COUNTED("done-1", done_1),
  COUNTED("done-64", done_64),
  COUNTED("done-1000", done_1000),
  COUNTED("done-1-channel", done_1_channel),
  COUNTED("done-64-channel", done_64_channel),
  COUNTED("done-1000-channel", done_1000_channel),
  {0}};
