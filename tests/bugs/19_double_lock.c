/* A function locks what its caller has locked already.
 * expect certain clerk locking a mutex
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct account {
  leat_mutex lock;
  int balance;
};
static void deposit(struct account *a, int n) { leat_locked(&a->lock) a->balance += n; }
static void deposit_locked(struct account *a, int n) { a->balance += n; }
LEAT_FN(clerk, struct account *, a, bool, bug) {
  leat_mutex_lock(&a->lock);
  if (a->balance < 0) a->balance = 0;
  if (bug) deposit(a, 5);
  else deposit_locked(a, 5);
  leat_mutex_unlock(&a->lock);
}

PROGRAM(bug) {
  leat_scope(s);
  struct account *a = calloc(1, sizeof *a);
  leat_go(s, clerk, a, bug);
  if (leat_wait(s)) return 1;
  bool right = a->balance == 5;
  free(a);
  return !right;
}
