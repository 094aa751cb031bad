/* One of a waitgroup's goroutines waits for the group, and so for its own end.
 * expect certain member waiting for a waitgroup
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(member, leat_waitgroup *, group, int, n, bool, bug) {
  busy(5 * n);
  if (n == 2 && bug) leat_waitgroup_wait(group); /* "the others are done now" */
}

PROGRAM(bug) {
  leat_scope(s);
  leat_waitgroup *group = calloc(1, sizeof *group);
  for (int i = 0; i < 3; i++) leat_waitgroup_go(group, s, member, group, i, bug);
  int status = leat_wait(s);
  free(group);
  return status;
}
