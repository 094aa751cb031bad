/* Two who hold a lock to read want to write, and each waits for the other to stop reading.
 * expect certain updater locking a rwmutex to write
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct counter {
  leat_rwmutex lock;
  int n;
};
LEAT_FN(updater, struct counter *, c, bool, bug) {
  leat_rwmutex_rlock(&c->lock);
  int n = c->n;
  meet(bug);
  if (!bug) leat_rwmutex_runlock(&c->lock);
  leat_rwmutex_lock(&c->lock);
  c->n = n + 1;
  leat_rwmutex_unlock(&c->lock);
  if (bug) leat_rwmutex_runlock(&c->lock);
}

PROGRAM(bug) {
  leat_scope(s);
  struct counter *c = calloc(1, sizeof *c);
  expect(2);
  for (int i = 0; i < 2; i++) leat_go(s, updater, c, bug);
  int status = leat_wait(s);
  free(c);
  return status;
}
