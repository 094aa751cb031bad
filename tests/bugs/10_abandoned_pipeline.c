/* Who has found what he looked for stops receiving, and the generators behind the channel are left sending.
 * expect suspected count sending on a channel
 * expect suspected square sending on a channel */
#include "bug.h"

LEAT_FN(count, leat_tx(int), out) {
  for (int i = 1; leat_send(out, i) == LEAT_OK; i++) {}
}
LEAT_FN(square, leat_rx(int), in, leat_tx(int), out) {
  leat_range(int, v, in)
    if (leat_send(out, v * v)) break;
  leat_stop(in); /* which the generator notices */
}

LEAT_FN(find_first_above, leat_view, s, int, limit, bool, bug) {
  int_chan numbers = leat_chan_make(s, int, 0), squares = leat_chan_make(s, int, 0);
  leat_go(s, count, leat_tx_of(numbers));
  leat_go(s, square, leat_rx_of(numbers), leat_tx_of(squares));
  leat_range(int, v, squares)
    if (v > limit) break;
  if (!bug) leat_stop(squares);
}

PROGRAM(bug) {
  leat_scope(s);
  APART(find_first_above, s, 1000, bug);
  busy(bug ? 60000 : 40);
  return 0;
}
