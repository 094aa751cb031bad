/* A server drops a request that it does not understand, and with it the channel on which somebody waits for the reply.
 * expect suspected client receiving from a channel */
#include "bug.h"

struct request {
  int kind;
  leat_tx(int) reply; /* the only way back travels in the message */
};
LEAT_FN(server, leat_rx(struct request), requests, bool, bug) {
  leat_range(struct request, r, requests) {
    busy(10);
    if (r.kind > 2) {
      if (!bug) leat_send(r.reply, -1);
      continue;
    }
    leat_send(r.reply, r.kind * 10);
  }
}
LEAT_FN(client, leat_view, s, leat_tx(struct request), to, int, kind) {
  int_chan reply = leat_chan_make(s, int, 0);
  int v;
  leat_send(to, ((struct request){kind, leat_tx_of(reply)}));
  leat_recv(reply, &v);
}

PROGRAM(bug) {
  leat_scope(s);
  leat_chan(struct request) requests = leat_chan_make(s, struct request, 8);
  leat_go(s, server, leat_rx_of(requests), bug);
  leat_go(s, client, s, leat_tx_of(requests), 3);
  for (int i = 0; i < 10; i++) { /* the last of these takes the place of what the server still had of the lost one */
    leat_scope(one);
    leat_go(one, client, one, leat_tx_of(requests), i % 3);
    if (leat_wait(one)) return 1;
  }
  busy(bug ? 60000 : 150);
  leat_close(requests);
  return leat_wait(s);
}
