/* Forks as tokens in channels of capacity one: each has taken the left one and waits for the right one.
 * expect certain philosopher receiving from a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

enum { SEATS = 5 };
LEAT_FN(philosopher, int_chan *, forks, int, seat, bool, bug) {
  int left = seat, right = (seat + 1) % SEATS, v;
  if (!bug && left > right) left = right, right = seat; /* in one order for all */
  for (int i = 0; i < 5; i++) {
    if (leat_recv(forks[left], &v)) return;
    if (!i) meet(bug);
    busy(1);
    if (leat_recv(forks[right], &v)) return;
    leat_send(forks[right], 1);
    leat_send(forks[left], 1);
  }
}

PROGRAM(bug) {
  leat_scope(life);
  int_chan *table = calloc(SEATS, sizeof *table);
  for (int i = 0; i < SEATS; i++) {
    table[i] = leat_chan_make(life, int, 1);
    leat_send(table[i], 1);
  }
  expect(SEATS);
  leat_scope(s);
  for (int i = 0; i < SEATS; i++) leat_go(s, philosopher, table, i, bug);
  int status = leat_wait(s);
  free(table);
  return status;
}
