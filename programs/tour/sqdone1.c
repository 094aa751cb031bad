/* The Blog's sqdone1.go: who has enough tells each sender that it may be waiting in vain. He must know how many there are. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

LEAT_FN(output, leat_rx(char), done, leat_rx(int), c, leat_tx(int), out) {
  leat_range(int, n, c) {
    char nothing;
    leat_select(leat_on_send(out, n), leat_on_recv(done, &nothing));
  }
}

int sqdone1(void) {
  leat_scope(s);
  leat_rx(int) in = leat_values(s, int, 2, 3), c1 = leat_map(s, in, sq), c2 = leat_map(s, in, sq);
  leat_chan(char) done = leat_chan_make(s, char, 2);
  leat_chan(int) out = leat_chan_make(s, int, 0);
  leat_go(s, output, leat_rx_of(done), c1, leat_tx_of(out));
  leat_go(s, output, leat_rx_of(done), c2, leat_tx_of(out));
  int n, status = leat_recv(out, &n);
  if (status) return status;
  printf("%d\n", n); /* 4 or 9 */
  for (int senders = 0; senders < 2 && !status; senders++) status = leat_send(done, 0);
  return status ? status : leat_wait(s);
}
