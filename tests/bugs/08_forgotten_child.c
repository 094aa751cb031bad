/* A parent is cancelled and goes; its child was started in the scope of the process, and waits for a message from the parent for ever.
 * expect suspected child receiving from a channel */
#include "bug.h"

LEAT_FN(child, leat_rx(int), orders) {
  leat_range(int, order, orders) busy(order);
}
LEAT_FN(parent, leat_view, process, bool, bug) {
  leat_view where = bug ? process : leat_current_scope(); /* in its own scope, it would end with the parent */
  int_chan orders = leat_chan_make(process, int, 0);
  leat_go(where, child, leat_rx_of(orders));
  for (int i = 0; leat_send(orders, i % 3) == LEAT_OK; i++) busy(3);
}
LEAT_FN(run_request, leat_view, process, bool, bug) {
  leat_scope(request);
  leat_go(request, parent, process, bug);
  busy(40);
  leat_cancel(request);
}

PROGRAM(bug) {
  leat_scope(process);
  APART(run_request, process, bug);
  busy(bug ? 60000 : 40);
  return 0;
}
