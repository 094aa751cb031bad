/* Sending the items of an iteration (the Book, "The for-select Loop"). The case for a done channel is in every operation: the send ends when
 * the scope does. */
#include "tour.h"

LEAT_FN(send_all, leat_tx(const char *), strings) {
  leat_defer_close(strings);
  const char *const items[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++)
    if (leat_send(strings, items[i])) return;
}

int for_select_send(void) {
  leat_scope(s);
  leat_chan(const char *) strings = leat_chan_make(s, const char *, 0);
  leat_go(s, send_all, leat_tx_of(strings));
  leat_range(const char *, string, strings) printf("%s\n", string);
  return leat_wait(s);
}
