/* Many wait for the same change, and only one of them is told.
 * expect certain waiter waiting for a condition
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

enum { WAITERS = 4 };
struct config {
  leat_mutex lock;
  leat_cond loaded;
  bool ready;
  int waiting;
};
LEAT_FN(loader, struct config *, c, bool, bug) {
  for (int waiting = 0; waiting < WAITERS; busy(1)) leat_locked(&c->lock) waiting = c->waiting;
  leat_locked(&c->lock) c->ready = true;
  if (bug) leat_cond_signal(&c->loaded);
  else leat_cond_broadcast(&c->loaded);
}
LEAT_FN(waiter, struct config *, c) {
  leat_mutex_lock(&c->lock);
  c->waiting++;
  while (!c->ready && !leat_cond_wait(&c->loaded, &c->lock)) {}
  leat_mutex_unlock(&c->lock);
}

PROGRAM(bug) {
  leat_scope(s);
  struct config *c = calloc(1, sizeof *c);
  for (int i = 0; i < WAITERS; i++) leat_go(s, waiter, c);
  leat_go(s, loader, c, bug);
  int status = leat_wait(s);
  free(c);
  return status;
}
