/* The Blog's sqdone3.go: a closed channel tells all, however many they are. Here the scope does: to leave it is to close done. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

int sqdone3(void) {
  leat_scope(s);
  leat_rx(int) in = leat_values(s, int, 2, 3), c1 = leat_map(s, in, sq), c2 = leat_map(s, in, sq);
  int n, status = leat_recv(leat_merge(s, c1, c2), &n);
  if (status == LEAT_OK) printf("%d\n", n); /* 4 or 9 */
  return status; /* all stages end here */
}
