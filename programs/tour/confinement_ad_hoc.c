/* Ad hoc confinement: nothing keeps others from using the data, they just do not (the Book, "Confinement"). */
#include "tour.h"

static int data[4];

LEAT_FN(loop_data, leat_tx(int), handle_data) {
  leat_defer_close(handle_data);
  for (int i = 0; i < 4; i++)
    if (leat_send(handle_data, data[i])) return;
}

int confinement_ad_hoc(void) {
  leat_scope(s);
  leat_chan(int) handle_data = leat_chan_make(s, int, 0);
  leat_go(s, loop_data, leat_tx_of(handle_data));
  leat_range(int, number, handle_data) printf("%d\n", number);
  return leat_wait(s);
}
