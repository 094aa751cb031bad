/* A field that nobody has filled in: send and receive on the nil channel block for ever.
 * expect suspected logger on a nil channel, for ever */
#include "bug.h"

struct config {
  int_chan lines, flush;
};
LEAT_FN(logger, struct config, c) {
  int line;
  leat_range(int, l, c.lines) (void)l;
  leat_recv(c.flush, &line); /* the last word */
}

PROGRAM(bug) {
  leat_scope(s);
  struct config c = {.lines = leat_chan_make(s, int, 4)};
  if (!bug) c.flush = leat_chan_make(s, int, 1);
  leat_go(s, logger, c);
  for (int i = 0; i < 5; i++) leat_send(c.lines, i);
  leat_close(c.lines);
  busy(30);
  if (c.flush) leat_send(c.flush, 1);
  busy(bug ? 60000 : 30);
  return 0;
}
