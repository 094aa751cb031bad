/* A worker's loop over its queue has a way out that only a message on `quit` opens, and the one that stops the server does not know of it
 * (Go: a select without its done case).
 * expect suspected worker in a select */
#include "bug.h"

struct server {
  int_chan jobs, quit;
};
LEAT_FN(worker, struct server, server) {
  int job, done = 0, none;
  for (;;) switch (leat_select(leat_on_recv(server.jobs, &job), leat_on_recv(server.quit, &none))) {
    case 0:
      if (leat_selected() == LEAT_CLOSED) return;
      done++;
      break;
    default: return;
    }
}

LEAT_FN(serve, leat_view, process, bool, bug) {
  struct server *s = malloc(sizeof *s);
  s->jobs = leat_chan_make(process, int, 8);
  s->quit = leat_chan_make(process, int, 0);
  leat_go(process, worker, *s);
  for (int i = 0; i < 10; i++) {
    leat_send(s->jobs, i);
    busy(2);
  }
  if (!bug) leat_close(s->quit);
  free(s);
}

PROGRAM(bug) {
  leat_scope(process);
  APART(serve, process, bug);
  busy(bug ? 60000 : 30);
  return 0;
}
