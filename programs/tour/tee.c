/* The tee channel: two receivers get each value (the Book, "The tee-channel"). */
#include "tour.h"

int tee(void) {
  leat_scope(s);
  leat_rx(int) out[2];
  int status = leat_tee(s, leat_take(s, leat_repeat(s, int, 1, 2), 4), out, 2);
  if (status) return status;
  leat_range(int, first, out[0]) {
    int other;
    if ((status = leat_recv(out[1], &other))) return status;
    printf("out1: %d, out2: %d\n", first, other);
  }
  return leat_wait(s);
}
