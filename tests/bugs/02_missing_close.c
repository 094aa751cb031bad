/* A producer returns early on an error, without the close that its consumer's range waits for.
 * expect certain consume receiving from a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(produce, leat_tx(int), out, bool, bug) {
  for (int i = 0; i < 10; i++) {
    if (bug && i == 5) return; /* "cannot happen" */
    if (leat_send(out, i)) return;
    busy(5);
  }
  leat_close(out);
}
LEAT_FN(consume, leat_rx(int), in) {
  leat_range(int, v, in) busy(v % 2);
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 2);
  leat_go(s, produce, leat_tx_of(c), bug);
  leat_go(s, consume, leat_rx_of(c));
  return leat_wait(s);
}
