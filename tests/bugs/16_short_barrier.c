/* A rendezvous for four to which only three come.
 * expect certain runner receiving from a channel
 * expect certain starter receiving from a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

enum { RUNNERS = 4 };
LEAT_FN(runner, leat_tx(int), here, leat_rx(int), start) {
  int v;
  leat_send(here, 1);
  leat_recv(start, &v);
}
LEAT_FN(starter, leat_rx(int), here, leat_tx(int), start) {
  int v;
  for (int i = 0; i < RUNNERS; i++) leat_recv(here, &v);
  busy(10);
  leat_close(start);
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan here = leat_chan_make(s, int, 0), start = leat_chan_make(s, int, 0);
  leat_go(s, starter, leat_rx_of(here), leat_tx_of(start));
  for (int i = bug ? 1 : 0; i < RUNNERS; i++) leat_go(s, runner, leat_tx_of(here), leat_rx_of(start));
  return leat_wait(s);
}
