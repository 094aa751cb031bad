/* Workers report on an unbuffered channel, and their results are read only after all of them have been waited for.
 * expect certain work sending on a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

enum { WORKERS = 4 };
LEAT_FN(work, int, n, leat_tx(int), results) {
  busy(n * 5);
  leat_send(results, n * n);
}

PROGRAM(bug) {
  leat_scope(s);
  int_chan results = leat_chan_make(s, int, bug ? 0 : WORKERS);
  for (int i = 0; i < WORKERS; i++) leat_go(s, work, i, leat_tx_of(results));
  if (leat_wait(s)) return 1;
  int sum = 0, v;
  for (int i = 0; i < WORKERS; i++)
    if (leat_recv(results, &v) == LEAT_OK) sum += v;
  return sum != 14;
}
