/* Two modules are initialised once each, and each initialises the other first.
 * expect certain start_network waiting for another's once
 * expect certain start_log waiting for another's once
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

static leat_once network, log;
static void init_log(bool *bug);
static void init_network(bool *bug) {
  meet(*bug);
  leat_once_do(&log, init_log, bug); /* it writes to the log */
}
static void init_log(bool *bug) {
  meet(*bug);
  if (*bug) leat_once_do(&network, init_network, bug); /* which is remote */
}
LEAT_FN(start_network, bool *, bug) { leat_once_do(&network, init_network, bug); }
LEAT_FN(start_log, bool *, bug) { leat_once_do(&log, init_log, bug); }

PROGRAM(bug) {
  leat_scope(s);
  expect(2);
  leat_go(s, start_network, &bug);
  leat_go(s, start_log, &bug);
  return leat_wait(s);
}
