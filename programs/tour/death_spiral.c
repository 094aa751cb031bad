/* A death-spiral and its cure (the Book, "Queuing"). Users who get no answer in time ask again. So when the service has been slow for a moment, it
 * has more to do than it can, works on what nobody waits for any more, and never catches up. The cure is at the entrance: what has been in the queue
 * for so long that its user will have given up before it is done is dropped there, which costs nothing. */
#include "tour.h"

enum { USERS = 30, SECONDS = 6 };
#define PATIENCE (second / 5)
#define WORK (second / 100)

typedef struct request {
  leat_tx(int) reply;
  int number;
} request;

static int64_t start;
static struct {
  _Atomic(int) answered, in_vain;
} counts[SECONDS + 1];

static int this_second(void) {
  int64_t n = (leat_now() - start) / second;
  return n < SECONDS ? (int)n : SECONDS;
}

/* Asks; thinks for 0.6 s about the answer, or after 0.2 s without one asks again. */
LEAT_FN(use, leat_tx(request), accept_connection, leat_chan(int), reply, int64_t, delay) {
  leat_sleep(delay);
  for (int number = 0, answer = -1;; number++) {
    int64_t deadline = leat_now() + PATIENCE;
    if (leat_send(accept_connection, (request){leat_tx_of(reply), number})) return;
    int status = LEAT_OK;
    while (answer != number && !status) status = leat_recv_until(reply, deadline, &answer);
    if (status == LEAT_OK) {
      counts[this_second()].answered++;
      leat_sleep(second * 6 / 10);
    } else {
      counts[this_second()].in_vain++;
    }
  }
}

/* Can do 100 in a second, twice what is asked of it; but for half of the third second it does nothing. */
LEAT_FN(serve, leat_rx(request), requests) {
  bool slow = false;
  leat_range(request, r, requests) {
    if (!slow && this_second() == 2) slow = leat_sleep(second / 2) == LEAT_OK;
    leat_sleep(WORK);
    (void)leat_try_send(r.reply, r.number);
  }
}

static int run(bool cured) {
  start = leat_now();
  {
    leat_scope(s);
    leat_chan(request) accepted = leat_chan_make(s, request, 0);
    leat_queue_options options = {.room = 10000, .max_age = cured ? PATIENCE - WORK : 0};
    leat_go(s, serve, leat_queue(s, leat_rx_of(accepted), options));
    for (int i = 0; i < USERS; i++) leat_go(s, use, leat_tx_of(accepted), leat_chan_make(s, int, 1), i * second / 50);
    leat_sleep(SECONDS * second);
  }
  printf("second  answered  in vain\n");
  for (int i = 0; i < SECONDS; i++) printf("%6d  %8d  %7d\n", i, counts[i].answered, counts[i].in_vain);
  return LEAT_OK;
}

int death_spiral(void) { return run(false); }

int death_spiral_cured(void) { return run(true); }
