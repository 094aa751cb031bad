/* A connection pool of two; a handler that has both asks for a third.
 * expect certain handler waiting for a pool's object
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct link {
  int number;
};
typedef leat_pool(struct link) links;
LEAT_FN(handler, links *, pool, bool, bug) {
  struct link *read, *write, *log;
  if (leat_pool_get(pool, &read)) return;
  if (leat_pool_get(pool, &write)) return;
  busy(5);
  if (!bug) leat_pool_put(pool, write);
  if (leat_pool_get(pool, &log)) return;
  leat_pool_put(pool, log);
  if (bug) leat_pool_put(pool, write);
  leat_pool_put(pool, read);
}

PROGRAM(bug) {
  leat_scope(s);
  links *pool = calloc(1, sizeof *pool);
  pool->limit = 2;
  leat_go(s, handler, pool, bug);
  if (leat_wait(s)) return 1;
  leat_pool_free(pool);
  free(pool);
  return 0;
}
