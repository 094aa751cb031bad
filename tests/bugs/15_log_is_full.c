/* The consumer of a log has returned after an error of its own; when the buffer is full, everybody who logs blocks.
 * expect suspected request sending on a channel */
#include "bug.h"

LEAT_FN(write_log, leat_rx(int), lines, bool, bug) {
  int n = 0;
  leat_range(int, line, lines)
    if (++n == 10 && bug) return; /* "disk full" */
}
LEAT_FN(request, leat_tx(int), log, int, id) {
  for (int i = 0; i < 5; i++) {
    if (leat_send(log, id)) return;
    busy(1);
  }
}
LEAT_FN(serve, leat_view, s, bool, bug) {
  int_chan log = leat_chan_make(s, int, 16);
  leat_go(s, write_log, leat_rx_of(log), bug);
  for (int i = 0; i < 10; i++) leat_go(s, request, leat_tx_of(log), i);
}

PROGRAM(bug) {
  leat_scope(s);
  APART(serve, s, bug);
  busy(bug ? 60000 : 50);
  return 0;
}
