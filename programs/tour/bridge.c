/* The bridge channel: a stream of streams as one stream (the Book, "The bridge-channel"). */
#include "tour.h"

LEAT_FN(gen_vals, leat_tx(leat_rx(int)), streams, leat_view, s) {
  leat_defer_close(streams);
  for (int i = 0; i < 10; i++)
    if (leat_send(streams, leat_filled(s, &i, 1))) return;
}

int bridge(void) {
  leat_scope(s);
  leat_chan(leat_rx(int)) streams = leat_chan_make(s, leat_rx(int), 0);
  leat_go(s, gen_vals, leat_tx_of(streams), s);
  leat_range(int, value, leat_bridge(s, leat_rx_of(streams))) printf("%d ", value);
  printf("\n");
  return leat_wait(s);
}
