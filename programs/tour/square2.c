/* The Blog's square2.go: stages of one type compose as often as one likes. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

int square2(void) {
  leat_scope(s);
  leat_range(int, n, leat_map(s, leat_map(s, leat_values(s, int, 2, 3), sq), sq)) printf("%d\n", n);
  return leat_wait(s);
}
