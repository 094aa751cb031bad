/* A caller gives up after a time-out; who was to send it the answer finds no receiver (Go: the leak of time.After with an unbuffered channel).
 * expect suspected answer sending on a channel */
#include "bug.h"

LEAT_FN(answer, leat_tx(int), out, int, ms) {
  busy(ms);
  leat_send(out, 42);
}

LEAT_FN(ask, leat_view, server, bool, bug) {
  int_chan answers = leat_chan_make(server, int, bug ? 0 : 1); /* with room for one, the late answer is put down and forgotten */
  int v = 0;
  leat_go(server, answer, leat_tx_of(answers), bug ? 200 : 30);
  leat_select(leat_on_recv(answers, &v), leat_on_timeout(LEAT_MS(10)));
}

PROGRAM(bug) {
  leat_scope(server);
  APART(ask, server, bug);
  busy(bug ? 60000 : 60);
  return 0;
}
