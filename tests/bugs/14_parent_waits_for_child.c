/* A parent waits for its child before it sends what the child waits for.
 * expect certain child receiving from a channel
 * expect certain parent waiting for a scope's goroutines
 * expect certain main receiving from a channel */
#include "bug.h"

LEAT_FN(child, leat_rx(int), in, leat_tx(int), out) {
  int v;
  if (leat_recv(in, &v) == LEAT_OK) leat_send(out, v + 1);
}
LEAT_FN(parent, leat_tx(int), done, bool, bug) {
  leat_scope(s);
  int_chan in = leat_chan_make(s, int, 0);
  leat_go(s, child, leat_rx_of(in), done);
  busy(20);
  if (!bug) leat_send(in, 1);
  if (leat_wait(s)) return; /* bug: the child has not been told anything */
  if (bug) leat_send(in, 1);
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan done = leat_chan_make(s, int, 1);
  int v;
  leat_go(s, parent, leat_tx_of(done), bug);
  leat_recv(done, &v);
  return leat_wait(s);
}
