/* The Blog's sqbuffer.go: gen needs no goroutine if its values fit into a buffer, and merge can be rid of a value that is never received.
 * Whether the room is enough depends on what others do: no cure for leaks. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

int sqbuffer(void) {
  leat_scope(s);
  leat_rx(int) in = leat_filled(s, ((int[]){2, 3}), 2), c1 = leat_map(s, in, sq), c2 = leat_map(s, in, sq);
  leat_rx(int) out = leat_buffer(s, leat_merge(s, c1, c2), 1);
  int n, status = leat_recv(out, &n);
  if (status) return status;
  printf("%d\n", n); /* 4 or 9 */
  return leat_wait(s);
}
