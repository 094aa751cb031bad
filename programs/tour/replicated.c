/* Replicated requests: ten handlers get the request, the first answer is taken, and the others are cancelled (the Book, "Replicated Requests"). */
#include "go_random.h"
#include "tour.h"

LEAT_FN(handle, int, id, int, load, leat_tx(int), answers) {
  int64_t start = leat_now();
  if (leat_sleep(load * second) == LEAT_OK && leat_send(answers, id) == LEAT_OK) printf("%d took %ds\n", id, load);
  else printf("%d should have taken %ds, and was cancelled after %.0fs\n", id, load, (double)(leat_now() - start) / (double)second);
}

int replicated(void) {
  leat_scope(s);
  leat_chan(int) answers = leat_chan_make(s, int, 0);
  for (int id = 0; id < 10; id++) leat_go(s, handle, id, 1 + go_intn(5), leat_tx_of(answers));
  int first, status = leat_recv(answers, &first);
  if (status) return status;
  printf("Received an answer from #%d\n", first);
  leat_cancel(s);
  status = leat_wait(s);
  return status == LEAT_CANCELED ? LEAT_OK : status;
}
