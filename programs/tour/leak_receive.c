/* A goroutine that nobody can ever end, in Go (the Book, "Preventing Goroutine Leaks"). Here a check finds it, and the scope ends it. */
#include "tour.h"

LEAT_FN(say, const char *, what) { printf("%s\n", what); }

LEAT_FN(do_work, leat_rx(const char *), strings) {
  leat_defer_call(say, "doWork exited.");
  leat_range(const char *, string, strings) printf("%s\n", string);
}

static void show(void *environment, const leat_leak *leak) {
  (void)environment;
  printf("leaked: a %s, %s, %s\n", leak->kind, leak->name, leak->doing);
}

int leak_receive(void) {
  leat_scope(s);
  leat_leak_mark start = leat_leak_now();
  leat_go(s, do_work, NULL); /* nothing is ever sent on the nil channel */
  leat_sleep(second);
  printf("Done.\n");
  leat_leak_each(start, show, NULL);
  return LEAT_OK;
}
