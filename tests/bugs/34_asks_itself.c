/* A server that serves one request at a time asks itself something while it does.
 * expect certain server sending on a channel
 * expect certain main waiting for a scope's goroutines */
#include "bug.h"

struct request {
  int n;
  leat_tx(int) reply;
};
typedef leat_chan(struct request) requests;
static int ask(requests server, int n) {
  leat_scope(s);
  int_chan reply = leat_chan_make(s, int, 1);
  int answer = -1;
  if (leat_send(server, ((struct request){n, leat_tx_of(reply)}))) return -1;
  leat_recv(reply, &answer);
  return answer;
}
LEAT_FN(server, requests, in, bool, bug) {
  leat_range(struct request, r, in) leat_send(r.reply, r.n > 1 ? r.n * (bug ? ask(in, r.n - 1) : r.n - 1) : 1);
}
LEAT_FN(client, requests, server) {
  busy(ask(server, 3) > 1000);
  leat_close(server);
}

PROGRAM(bug) {
  leat_scope(life);
  requests r = leat_chan_make(life, struct request, 0);
  leat_scope(s);
  leat_go(s, server, r, bug);
  leat_go(s, client, r);
  return leat_wait(s);
}
