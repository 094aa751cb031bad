/* A waitgroup is told of more than are started: one fails before its start, and nobody counts it back.
 * expect certain main waiting for a waitgroup */
#include "bug.h"

LEAT_FN(upload, leat_waitgroup *, uploads, int, n) {
  busy(n * 5);
  leat_waitgroup_done(uploads);
}
LEAT_FN(start_uploads, leat_view, s, leat_waitgroup *, uploads, bool, bug) {
  for (int i = 0; i < 4; i++) {
    leat_waitgroup_add(uploads, 1);
    if (i != 2) leat_go(s, upload, uploads, i);
    else if (!bug) leat_waitgroup_done(uploads); /* the file cannot be opened */
  }
}

PROGRAM(bug) {
  leat_scope(s);
  leat_waitgroup *uploads = calloc(1, sizeof *uploads);
  APART(start_uploads, s, uploads, bug);
  leat_waitgroup_wait(uploads);
  free(uploads);
  return 0;
}
