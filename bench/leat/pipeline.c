/* The Book's typed pipeline: repeat, take and range, as plain goroutines over unbuffered channels. What the Book's done channel is for, the
 * end of the scope does. */
#include "bench.h"

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

const struct benchmark pipeline_benchmarks[] = {COUNTED("pipeline", pipeline), {0}};
