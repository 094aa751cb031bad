/* The producer lives in the scope of who uses it, and ends with that (the Book, "Preventing Goroutine Leaks"). */
#include "go_random.h"
#include "tour.h"

LEAT_FN(say, const char *, what) { printf("%s\n", what); }

LEAT_FN(new_rand_stream, leat_tx(int64_t), out) {
  leat_defer_call(say, "newRandStream closure exited.");
  leat_defer_close(out);
  while (leat_send(out, go_int()) == LEAT_OK) {}
}

static void print_three(void) {
  leat_scope(s);
  leat_chan(int64_t) numbers = leat_chan_make(s, int64_t, 0);
  leat_go(s, new_rand_stream, leat_tx_of(numbers));
  printf("3 random ints:\n");
  int64_t number;
  for (int i = 1; i <= 3 && leat_recv(numbers, &number) == LEAT_OK; i++) printf("%d: %lld\n", i, (long long)number);
}

int leak_send_cured(void) {
  print_three();
  return leat_sleep(second); /* as if there were more to do */
}
