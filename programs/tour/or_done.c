/* The or-done channel: values of a channel that belongs to another part of the program, until one is told to end (the Book, "The or-done
 * channel"). What ends with the scope needs no such thing. */
#include "tour.h"

int or_done(void) {
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  leat_rx(int) my_chan = leat_numbers(s, int, 1, 1000000);
  leat_range(int, value, leat_or_done(s, my_chan, leat_rx_of(done))) {
    if (value > 3) continue; /* one or two may have been on their way */
    printf("%d\n", value);
    if (value == 3) leat_close(done);
  }
  printf("done\n");
  return leat_wait(s);
}
