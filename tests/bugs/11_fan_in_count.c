/* A merge waits for as many ends as it has inputs, and one input was never started.
 * expect certain merge receiving from a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

enum { INPUTS = 3 };
LEAT_FN(read_input, int, n, leat_tx(int), out) {
  for (int i = 0; i < n; i++) leat_send(out, i);
  busy(10 * n);
  leat_send(out, -1); /* the end of this one */
}
LEAT_FN(merge, leat_rx(int), in) {
  for (int ends = 0, v; ends < INPUTS && leat_recv(in, &v) == LEAT_OK;) ends += v == -1;
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan all = leat_chan_make(s, int, 0);
  leat_go(s, merge, leat_rx_of(all));
  for (int i = 0; i < (bug ? INPUTS - 1 : INPUTS); i++) leat_go(s, read_input, i + 1, leat_tx_of(all));
  return leat_wait(s);
}
