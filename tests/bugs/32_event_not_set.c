/* The one that sets an event returns early, without having set it.
 * expect certain server waiting for an event
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(read_config, leat_event *, ready, bool, bug) {
  busy(20);
  if (bug) return; /* "no such file: defaults" */
  leat_event_set(ready);
}
LEAT_FN(server, leat_event *, ready) { leat_event_wait(ready); }

PROGRAM(bug) {
  leat_scope(s);
  leat_event *ready = calloc(1, sizeof *ready);
  for (int i = 0; i < 3; i++) leat_go(s, server, ready);
  leat_go(s, read_config, ready, bug);
  int status = leat_wait(s);
  free(ready);
  return status;
}
