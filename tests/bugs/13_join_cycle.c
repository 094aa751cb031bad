/* Two tasks wait for each other's end.
 * expect certain first joining a task
 * expect certain second joining a task
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

static leat_task *tasks[2];
LEAT_FN(first, int_chan, go) {
  int v;
  leat_recv(go, &v);
  (void)leat_join(tasks[1]);
}
LEAT_FN(second, int_chan, go, bool, bug) {
  int v;
  leat_recv(go, &v);
  busy(20);
  if (bug) (void)leat_join(tasks[0]);
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan go = leat_chan_make(s, int, 2);
  tasks[0] = leat_spawn(s, first, go);
  tasks[1] = leat_spawn(s, second, go, bug);
  leat_send(go, 1);
  leat_send(go, 2);
  return leat_wait(s);
}
