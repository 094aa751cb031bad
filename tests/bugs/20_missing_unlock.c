/* A path out of a function that an error takes forgets to unlock; whoever locks next waits for a goroutine that has ended. Another could
 * unlock, so that this is only a suspicion.
 * expect suspected reader locking a mutex */
#include "bug.h"

struct cache {
  leat_mutex lock;
  int hits, misses;
};
LEAT_FN(writer, struct cache *, c, int, key, bool, bug) {
  leat_mutex_lock(&c->lock);
  if (key < 0) {
    if (!bug) leat_mutex_unlock(&c->lock);
    return;
  }
  c->hits++;
  leat_mutex_unlock(&c->lock);
}
LEAT_FN(reader, struct cache *, c, int *, seen) { leat_locked(&c->lock) *seen = c->hits; }

PROGRAM(bug) {
  leat_scope(s);
  static struct cache cache;
  static int seen;
  for (int key = 2; key >= -1; key--) APART(writer, &cache, key, bug);
  leat_go(s, reader, &cache, &seen);
  if (bug) busy(60000);
  return leat_wait(s) || seen != 3;
}
