/* A path out of a function that an error takes keeps the permits of a semaphore.
 * expect certain download acquiring a semaphore
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

LEAT_FN(download, leat_semaphore *, slots, int, n, bool, bug) {
  if (leat_semaphore_acquire(slots, 1)) return;
  busy(2);
  if (n % 2 && bug) return; /* "404" */
  leat_semaphore_release(slots, 1);
}

PROGRAM(bug) {
  leat_scope(s);
  leat_semaphore *slots = calloc(1, sizeof *slots);
  leat_semaphore_resize(slots, 2);
  for (int i = 0; i < 8; i++) leat_go(s, download, slots, i, bug);
  int status = leat_wait(s);
  free(slots);
  return status;
}
