/* A reader calls a function that locks to read as well; a writer that has come in between makes both wait, and itself.
 * expect certain reader locking a rwmutex to read
 * expect certain writer locking a rwmutex to write
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct table {
  leat_rwmutex lock;
  int n;
};
static int size_of(struct table *t) {
  int n = 0;
  leat_read_locked(&t->lock) n = t->n;
  return n;
}
LEAT_FN(reader, struct table *, t, bool, bug) {
  leat_rwmutex_rlock(&t->lock);
  meet(bug);
  while (bug && leat_rwmutex_try_rlock(&t->lock)) { /* until the writer has come */
    leat_rwmutex_runlock(&t->lock);
    busy(1);
  }
  int n = bug ? size_of(t) : t->n;
  leat_rwmutex_runlock(&t->lock);
  busy(n > 1000);
}
LEAT_FN(writer, struct table *, t, bool, bug) {
  meet(bug);
  leat_write_locked(&t->lock) t->n++;
}

PROGRAM(bug) {
  leat_scope(s);
  struct table *t = calloc(1, sizeof *t);
  expect(2);
  leat_go(s, reader, t, bug);
  leat_go(s, writer, t, bug);
  int status = leat_wait(s);
  free(t);
  return status;
}
