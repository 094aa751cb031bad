/* A goroutine joins a task while it holds the lock that the task needs to end.
 * expect certain owner joining a task
 * expect certain helper locking a mutex
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct shared {
  leat_mutex lock;
  int n;
};
LEAT_FN(helper, struct shared *, x, bool, bug) {
  meet(bug);
  leat_locked(&x->lock) x->n++;
}
LEAT_FN(owner, leat_view, s, struct shared *, x, bool, bug) {
  leat_task *t = leat_spawn(s, helper, x, bug);
  leat_mutex_lock(&x->lock);
  meet(bug);
  x->n++;
  if (!bug) leat_mutex_unlock(&x->lock);
  (void)leat_join(t);
  if (bug) leat_mutex_unlock(&x->lock);
}

PROGRAM(bug) {
  leat_scope(s);
  struct shared *x = calloc(1, sizeof *x);
  expect(2);
  leat_go(s, owner, s, x, bug);
  int status = leat_wait(s);
  free(x);
  return status;
}
