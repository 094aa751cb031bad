/* The or-channel: closed as soon as one of several is (the Book, "The or-channel"). */
#include "tour.h"

LEAT_FN(close_after, leat_tx(char), c, int64_t, duration) {
  leat_defer_close(c);
  leat_sleep(duration);
}

static leat_rx(char) sig(leat_view s, int64_t after) {
  leat_chan(char) c = leat_chan_make(s, char, 0);
  leat_go(s, close_after, leat_tx_of(c), after);
  return leat_rx_of(c);
}

int or_channel(void) {
  leat_scope(s);
  const int64_t minute = 60 * second, hour = 60 * minute, start = leat_now();
  leat_rx(char) any = leat_or(s, sig(s, 2 * hour), sig(s, 5 * minute), sig(s, 1 * second), sig(s, 1 * hour), sig(s, 1 * minute));
  char nothing;
  int status = leat_recv(any, &nothing);
  printf("done after %.9fs\n", (double)(leat_now() - start) / (double)second);
  return status == LEAT_CLOSED ? LEAT_OK : status;
}
