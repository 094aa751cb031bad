/* Working until stopped, second form: the work is in the default case (the Book, "The for-select Loop"). Here a channel says when. */
#include "tour.h"

LEAT_FN(work, leat_rx(char), done) {
  char nothing;
  for (int64_t rounds = 1;; rounds++)
    switch (leat_select(leat_on_recv(done, &nothing), leat_default)) {
    case 1: break; /* the work */
    default: printf("worked%s until: done\n", rounds > 1 ? "" : " not at all"); return;
    }
}

int for_select_default(void) {
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  leat_go(s, work, leat_rx_of(done));
  leat_sleep(second / 10);
  leat_close(done);
  return leat_wait(s);
}
