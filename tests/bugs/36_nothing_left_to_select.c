/* A merge takes a closed input out of its select by a nil, and goes on with nothing left in it: an `or` that should be an `and`.
 * expect certain merge on a nil channel, for ever
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(numbers, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++)
    if (leat_send(out, i)) return;
  leat_close(out);
}
LEAT_FN(merge, int_chan, a, int_chan, b, bool, bug) {
  int v, sum = 0;
  while (bug ? a || b || sum < 100 : a || b) switch (leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v))) {
    case 0:
      if (leat_selected() == LEAT_CLOSED) a = NULL;
      else sum += v;
      break;
    case 1:
      if (leat_selected() == LEAT_CLOSED) b = NULL;
      else sum += v;
      break;
    default: return;
    }
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 2);
  leat_go(s, numbers, leat_tx_of(a), 5);
  leat_go(s, numbers, leat_tx_of(b), 7);
  leat_go(s, merge, a, b, bug);
  return leat_wait(s);
}
