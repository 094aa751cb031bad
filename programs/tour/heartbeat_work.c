/* A heartbeat at the start of each piece of work: a test can wait for it instead of for a time (the Book, "Heartbeats"; Notes, "Heartbeat At Work
 * Begin"). */
#include "go_random.h"
#include "tour.h"

LEAT_FN(do_work, leat_heartbeat *, heartbeat, leat_tx(int), results) {
  leat_defer_close(results);
  for (int i = 0; i < 10; i++) {
    leat_beat(heartbeat); /* not lost if nobody listens yet, and nothing waits */
    if (leat_send(results, go_intn(10))) return;
  }
}

int heartbeat_work(void) {
  leat_scope(s);
  leat_heartbeat *heartbeat = leat_heartbeat_make(s, 0);
  leat_chan(int) results = leat_chan_make(s, int, 0);
  leat_go(s, do_work, heartbeat, leat_tx_of(results));
  leat_pulse pulse;
  int result;
  for (;;)
    switch (leat_select_ordered(leat_on_recv(leat_pulses(heartbeat), &pulse), leat_on_recv(results, &result))) {
    case 0: printf("pulse\n"); break;
    case 1:
      if (leat_selected() == LEAT_CLOSED) return leat_wait(s);
      printf("results %d\n", result);
      break;
    default: return leat_wait(s);
    }
}
