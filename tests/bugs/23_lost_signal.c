/* A signal is given before anybody waits, and who comes then does not look whether there is anything to wait for.
 * expect certain waiter waiting for a condition
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct door {
  leat_mutex lock;
  leat_cond opened;
  bool open;
};
LEAT_FN(opener, struct door *, d, bool, bug) {
  leat_locked(&d->lock) d->open = true;
  leat_cond_signal(&d->opened);
  meet(bug);
}
LEAT_FN(waiter, struct door *, d, bool, bug) {
  int status = LEAT_OK;
  meet(bug);
  leat_mutex_lock(&d->lock);
  while (!status && (bug || !d->open)) {
    status = leat_cond_wait(&d->opened, &d->lock);
    if (bug) break;
  }
  leat_mutex_unlock(&d->lock);
}

PROGRAM(bug) {
  leat_scope(s);
  struct door *d = calloc(1, sizeof *d);
  expect(2);
  leat_go(s, waiter, d, bug);
  leat_go(s, opener, d, bug);
  int status = leat_wait(s);
  free(d);
  return status;
}
