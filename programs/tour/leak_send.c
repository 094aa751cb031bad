/* A producer that nobody receives from any more (the Book, "Preventing Goroutine Leaks"). In Go it stays for ever; here a check finds it, and
 * the scope ends it. */
#include "go_random.h"
#include "tour.h"

LEAT_FN(say, const char *, what) { printf("%s\n", what); }

LEAT_FN(new_rand_stream, leat_tx(int64_t), out) {
  leat_defer_call(say, "newRandStream closure exited.");
  leat_defer_close(out);
  while (leat_send(out, go_int()) == LEAT_OK) {}
}

static void show(void *environment, const leat_leak *leak) {
  (void)environment;
  if (*leak->name) printf("leaked: a %s, %s, %s\n", leak->kind, leak->name, leak->doing);
}

int leak_send(void) {
  leat_scope(s);
  leat_leak_mark start = leat_leak_now();
  leat_chan(int64_t) numbers = leat_chan_make(s, int64_t, 0);
  leat_go(s, new_rand_stream, leat_tx_of(numbers));
  printf("3 random ints:\n");
  int64_t number;
  for (int i = 1; i <= 3 && leat_recv(numbers, &number) == LEAT_OK; i++) printf("%d: %lld\n", i, (long long)number);
  leat_sleep(second);
  leat_leak_each(start, show, NULL);
  return LEAT_OK;
}
