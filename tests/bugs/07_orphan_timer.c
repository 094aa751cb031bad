/* Somebody stops a timer that another waits for: a stopped timer never fires, and its channel is never closed.
 * expect suspected retry receiving from a channel */
#include "bug.h"

LEAT_FN(retry, leat_rx(int64_t), fired) {
  int64_t when;
  leat_recv(fired, &when);
}

LEAT_FN(back_off, leat_view, s, bool, bug) {
  leat_timer *t = leat_timer_start(s, bug ? LEAT_SECONDS(60) : LEAT_MS(40));
  leat_go(s, retry, leat_timer_chan(t));
  busy(10);
  if (bug) leat_timer_stop(t); /* "no need to retry any more" */
}

PROGRAM(bug) {
  leat_scope(s);
  APART(back_off, s, bug);
  busy(bug ? 60000 : 60);
  return 0;
}
