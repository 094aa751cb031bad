/* leak-receive, leak-send: the goroutines that leak in the Book's "Preventing Goroutine Leaks". Its cure is a done channel that every
 * goroutine selects on. Here "who starts a goroutine also ensures that it can be stopped" holds by construction: it was started in a scope. */
#include "tour.h"

LEAT_FN(say_that, const char *, what) { printf("%s\n", what); }

LEAT_FN(do_work, leat_rx(const char *), strings) {
  leat_defer_call(say_that, "doWork exited.");
  leat_range(const char *, text, strings) printf("%s\n", text);
}

int leak_receive(void) {
  leat_scope(s);
  leat_go(s, do_work, NULL); /* nothing is ever sent on the nil channel */
  leat_sleep(1 * second);
  printf("Canceling doWork goroutine...\n");
  leat_cancel(s);
  if (leat_wait(s) != LEAT_CANCELED) return 1;
  printf("Done.\n");
  return 0;
}

LEAT_FN(random_numbers, leat_tx(int), out) {
  leat_defer_call(say_that, "newRandStream closure exited.");
  leat_defer_close(out);
  for (unsigned long long state = 1;; ) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    if (leat_send(out, (int)(state >> 33))) return;
  }
}

int leak_send(void) {
  leat_scope(s); /* when it is left, the producer is cancelled and joined */
  leat_chan(int) numbers = leat_chan_make(s, int, 0);
  leat_go(s, random_numbers, leat_tx_of(numbers));
  printf("3 random ints:\n");
  for (int i = 1, n; i <= 3; i++)
    if (leat_recv(numbers, &n) == LEAT_OK) printf("%d: %d\n", i, n);
  return 0;
}
