/* Lexical confinement: the channel is made, written and closed in one place; others get a view in which they can only receive. Anything else
 * does not compile (the Book, "Confinement"). */
#include "tour.h"

LEAT_FN(produce, leat_tx(int), results) {
  leat_defer_close(results);
  for (int i = 0; i <= 5; i++)
    if (leat_send(results, i)) return;
}

static leat_rx(int) chan_owner(leat_view s) {
  leat_chan(int) results = leat_chan_make(s, int, 5);
  leat_go(s, produce, leat_tx_of(results));
  return leat_rx_of(results);
}

static void consumer(leat_rx(int) results) {
  leat_range(int, result, results) printf("Received: %d\n", result);
  printf("Done receiving!\n");
}

int confinement_owner(void) {
  leat_scope(s);
  consumer(chan_owner(s));
  return leat_wait(s);
}
