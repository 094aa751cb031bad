/* A lock is held across a send, and the receiver wants the lock before it receives.
 * expect certain reporter sending on a channel
 * expect certain collector locking a mutex
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct stats {
  leat_mutex lock;
  int_chan events;
  int n;
};
LEAT_FN(reporter, struct stats *, s, bool, bug) {
  leat_mutex_lock(&s->lock);
  int n = ++s->n;
  if (!bug) leat_mutex_unlock(&s->lock);
  meet(bug);
  leat_send(s->events, n);
  if (bug) leat_mutex_unlock(&s->lock);
}
LEAT_FN(collector, struct stats *, s, bool, bug) {
  int v;
  meet(bug);
  leat_locked(&s->lock) s->n *= 10;
  leat_recv(s->events, &v);
}

PROGRAM(bug) {
  leat_scope(life);
  struct stats *stats = calloc(1, sizeof *stats);
  stats->events = leat_chan_make(life, int, 0);
  leat_scope(s);
  expect(2);
  leat_go(s, reporter, stats, bug);
  leat_go(s, collector, stats, bug);
  int status = leat_wait(s);
  free(stats);
  return status;
}
