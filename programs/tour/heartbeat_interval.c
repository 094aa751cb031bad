/* A heartbeat at intervals: who waits for results learns that silence is no failure, and what is one (the Book, "Heartbeats"; Notes, "Heartbeat At
 * Time Interval"). A beat never waits for anybody to listen. */
#include "tour.h"

LEAT_FN(do_work, leat_heartbeat *, heartbeat, leat_tx(int), results) {
  for (int i = 1; leat_beat_sleep(heartbeat, 5 * second / 2) == LEAT_OK; i++) /* beats meanwhile, each second */
    if (leat_beat_send(heartbeat, results, i)) return;
}

int heartbeat_interval(void) {
  leat_scope(s);
  leat_heartbeat *heartbeat = leat_heartbeat_make(s, second);
  leat_chan(int) results = leat_chan_make(s, int, 0);
  leat_go(s, do_work, heartbeat, leat_tx_of(results));
  leat_pulse pulse;
  int result = 0;
  while (result < 4)
    switch (leat_select(leat_on_recv(leat_pulses(heartbeat), &pulse), leat_on_recv(results, &result), leat_on_timeout(2 * second))) {
    case 0: printf("pulse\n"); break;
    case 1: printf("results %d\n", result); break;
    default: printf("worker goroutine is not healthy!\n"); return LEAT_FAILED;
    }
  return LEAT_OK;
}
