/* Each node of a tree is visited by a goroutine that keeps a permit while it waits for its children, who need permits themselves.
 * expect certain visit acquiring a semaphore
 * expect certain visit waiting for a scope's goroutines
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(visit, leat_semaphore *, permits, int, depth, bool, bug) {
  if (leat_semaphore_acquire(permits, 1)) return;
  busy(1);
  if (!bug) leat_semaphore_release(permits, 1);
  if (depth) {
    leat_scope(children);
    for (int i = 0; i < 2; i++) leat_go(children, visit, permits, depth - 1, bug);
    if (leat_wait(children)) return;
  }
  if (bug) leat_semaphore_release(permits, 1);
}

PROGRAM(bug) {
  leat_scope(s);
  leat_semaphore *permits = calloc(1, sizeof *permits);
  leat_semaphore_resize(permits, 3);
  leat_go(s, visit, permits, 3, bug);
  int status = leat_wait(s);
  free(permits);
  return status;
}
