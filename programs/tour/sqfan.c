/* The Blog's sqfan.go: two stages read one channel (fan-out), and merge makes one of their outputs (fan-in). The order is as it comes. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

int sqfan(void) {
  leat_scope(s);
  leat_rx(int) in = leat_values(s, int, 2, 3), c1 = leat_map(s, in, sq), c2 = leat_map(s, in, sq);
  leat_range(int, n, leat_merge(s, c1, c2)) printf("%d\n", n);
  return leat_wait(s);
}
