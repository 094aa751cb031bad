/* Two goroutines each wait for the other's first message.
 * expect certain left receiving from a channel
 * expect certain right receiving from a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(left, int_chan, mine, int_chan, other, bool, bug) {
  int v;
  if (!bug) leat_send(other, 1);
  leat_recv(mine, &v);
  if (bug) leat_send(other, 1);
}
LEAT_FN(right, int_chan, mine, int_chan, other) {
  int v;
  leat_recv(mine, &v);
  leat_send(other, v + 1);
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  leat_go(s, left, a, b, bug);
  leat_go(s, right, b, a);
  return leat_wait(s);
}
