/* A goroutine sends on an unbuffered channel that it alone would receive from next.
 * expect certain main sending on a channel */
#include "bug.h"

PROGRAM(bug) {
  leat_scope(s);
  int_chan todo = leat_chan_make(s, int, bug ? 0 : 4);
  int v = 0;
  leat_send(todo, 7);
  busy(30);
  leat_recv(todo, &v);
  return v != 7;
}
