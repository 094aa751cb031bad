/* The Blog's square.go: gen and sq, and who receives. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

int square(void) {
  leat_scope(s);
  leat_rx(int) out = leat_map(s, leat_values(s, int, 2, 3), sq);
  int n;
  while (leat_recv(out, &n) == LEAT_OK) printf("%d\n", n);
  return leat_wait(s);
}
