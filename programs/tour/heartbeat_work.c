/* A heartbeat at the start of each piece of work: a test can wait for it instead of a time (the Book, "Heartbeats"; Notes, "Heartbeat At Work
 * Begin"). */
#include "go_random.h"
#include "tour.h"

LEAT_FN(do_work, leat_tx(char), heartbeat, leat_tx(int), results) {
  leat_defer_close(results);
  for (int i = 0; i < 10; i++) {
    (void)leat_try_send(heartbeat, 0); /* room for one: never lost if nobody listens yet, and nothing waits */
    if (leat_send(results, go_intn(10))) return;
  }
}

int heartbeat_work(void) {
  leat_scope(s);
  leat_chan(char) heartbeat = leat_chan_make(s, char, 1);
  leat_chan(int) results = leat_chan_make(s, int, 0);
  leat_go(s, do_work, leat_tx_of(heartbeat), leat_tx_of(results));
  char beat;
  int result;
  for (;;)
    switch (leat_select_ordered(leat_on_recv(heartbeat, &beat), leat_on_recv(results, &result))) {
    case 0: printf("pulse\n"); break;
    case 1:
      if (leat_selected() == LEAT_CLOSED) return leat_wait(s);
      printf("results %d\n", result);
      break;
    default: return leat_wait(s);
    }
}
