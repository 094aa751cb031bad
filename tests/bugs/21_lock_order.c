/* Two transfers between the same accounts, in opposite directions, lock them in different orders.
 * expect certain transfer locking a mutex
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct account {
  leat_mutex lock;
  int balance;
};
LEAT_FN(transfer, struct account *, from, struct account *, to, bool, bug) {
  struct account *first = from, *second = to;
  if (!bug && first > second) first = to, second = from; /* in one order for all */
  leat_mutex_lock(&first->lock);
  meet(bug);
  leat_mutex_lock(&second->lock);
  from->balance--, to->balance++;
  leat_mutex_unlock(&second->lock);
  leat_mutex_unlock(&first->lock);
}

PROGRAM(bug) {
  leat_scope(s);
  struct account *accounts = calloc(2, sizeof *accounts);
  expect(2);
  leat_go(s, transfer, &accounts[0], &accounts[1], bug);
  leat_go(s, transfer, &accounts[1], &accounts[0], bug);
  if (leat_wait(s)) return 1;
  bool right = !accounts[0].balance && !accounts[1].balance;
  free(accounts);
  return !right;
}
