/* Working until stopped, first form: asks, then works (the Book, "The for-select Loop"). leat_checkpoint asks, and costs a few loads. */
#include "tour.h"

LEAT_FN(work, int64_t *, rounds) {
  while (leat_checkpoint() == LEAT_OK) ++*rounds;
}

int for_select_ask(void) {
  int64_t rounds = 0;
  leat_scope(s);
  leat_set_timeout(s, second / 10);
  leat_go(s, work, &rounds);
  int status = leat_wait(s);
  printf("worked%s until: %s\n", rounds > 0 ? "" : " not at all", leat_status_text(status));
  return LEAT_OK;
}
