/* A heartbeat at intervals: who waits for results is told that silence is no failure (the Book, "Heartbeats"; Notes, "Heartbeat At Time Interval").
 * The pulse is a send that does not wait: the work goes on, whether anybody listens or not. */
#include "tour.h"

LEAT_FN(do_work, leat_tx(char), heartbeat, leat_tx(int64_t), results) {
  leat_scope(s);
  leat_rx(int64_t) pulse = leat_timer_chan(leat_ticker_start(s, second)), work = leat_timer_chan(leat_ticker_start(s, 2 * second));
  int64_t tick;
  for (;;)
    switch (leat_select(leat_on_recv(pulse, &tick), leat_on_recv(work, &tick))) {
    case 0: (void)leat_try_send(heartbeat, 0); break;
    case 1:
      if (leat_send(results, tick)) return;
      break;
    default: return;
    }
}

int heartbeat_interval(void) {
  leat_scope(s);
  leat_chan(char) heartbeat = leat_chan_make(s, char, 1);
  leat_chan(int64_t) results = leat_chan_make(s, int64_t, 0);
  leat_go(s, do_work, leat_tx_of(heartbeat), leat_tx_of(results));
  int64_t start = leat_now(), result;
  char beat;
  for (int i = 0; i < 5;)
    switch (leat_select(leat_on_recv(heartbeat, &beat), leat_on_recv(results, &result), leat_on_timeout(3 * second))) {
    case 0: printf("pulse\n"); break;
    case 1:
      printf("results %.0f\n", (double)(result - start) / (double)second);
      i++;
      break;
    default: printf("worker goroutine is not healthy!\n"); return LEAT_FAILED;
    }
  return LEAT_OK;
}
