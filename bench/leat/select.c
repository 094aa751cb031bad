/* One goroutine receives from 2 or 8 unbuffered channels, which have a sender each. */
#include "bench.h"

enum { MOST = 8 };

LEAT_FN(feed, leat_tx(int64_t), out, int64_t, n) {
  for (int64_t i = 1; i <= n; i++) must(leat_send(out, i));
}

static void select_2(void) {
  const int64_t each = 500000;
  leat_scope(s);
  leat_chan(int64_t) a = leat_chan_make(s, int64_t, 0), b = leat_chan_make(s, int64_t, 0);
  int64_t start = leat_now(), last[2] = {0}, v;
  leat_go(s, feed, leat_tx_of(a), each);
  leat_go(s, feed, leat_tx_of(b), each);
  for (int64_t i = 0; i < 2 * each; i++) {
    int from = leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v));
    if (from < 0) must(from);
    expect("value", v, ++last[from]);
  }
  report_each("select-2", start, 2 * each);
  must(leat_wait(s));
}

static void select_8(void) {
  const int64_t each = 62500;
  leat_scope(s);
  leat_chan(int64_t) c[MOST];
  int64_t start = leat_now(), last[MOST] = {0}, v;
  for (int i = 0; i < MOST; i++) {
    c[i] = leat_chan_make(s, int64_t, 0);
    leat_go(s, feed, leat_tx_of(c[i]), each);
  }
  for (int64_t i = 0; i < MOST * each; i++) {
    int from = leat_select(leat_on_recv(c[0], &v), leat_on_recv(c[1], &v), leat_on_recv(c[2], &v), leat_on_recv(c[3], &v),
                           leat_on_recv(c[4], &v), leat_on_recv(c[5], &v), leat_on_recv(c[6], &v), leat_on_recv(c[7], &v));
    if (from < 0) must(from);
    expect("value", v, ++last[from]);
  }
  report_each("select-8", start, MOST * each);
  must(leat_wait(s));
}

const struct benchmark select_benchmarks[] = {{"select-2", select_2}, {"select-8", select_8}, {0}};
