/* Several wait to be told to go on, and one message is sent where the channel should be closed.
 * expect suspected waiter receiving from a channel */
#include "bug.h"

LEAT_FN(waiter, leat_rx(int), ready) {
  int v;
  leat_recv(ready, &v);
}
LEAT_FN(start_up, leat_view, s, bool, bug) {
  int_chan ready = leat_chan_make(s, int, 0);
  for (int i = 0; i < 3; i++) leat_go(s, waiter, leat_rx_of(ready));
  busy(30);
  if (bug) leat_send(ready, 1);
  else leat_close(ready);
}

PROGRAM(bug) {
  leat_scope(s);
  APART(start_up, s, bug);
  busy(bug ? 60000 : 50);
  return 0;
}
