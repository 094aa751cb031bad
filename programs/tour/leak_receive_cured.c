/* Who starts a goroutine also sees to it that it can be ended (the Book, "Preventing Goroutine Leaks"). In Go it is given a done channel; here it
 * is started in a scope. */
#include "tour.h"

LEAT_FN(say, const char *, what) { printf("%s\n", what); }

LEAT_FN(do_work, leat_rx(const char *), strings) {
  leat_defer_call(say, "doWork exited.");
  leat_range(const char *, string, strings) printf("%s\n", string);
}

int leak_receive_cured(void) {
  leat_scope(s);
  leat_go(s, do_work, NULL); /* nothing is ever sent on the nil channel */
  leat_sleep(second);
  printf("Canceling doWork goroutine...\n");
  leat_cancel(s);
  if (leat_wait(s) != LEAT_CANCELED) return LEAT_FAILED;
  printf("Done.\n");
  return LEAT_OK;
}
