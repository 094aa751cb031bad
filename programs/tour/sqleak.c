/* The Blog's sqleak.go: who receives takes one value and no more, and the rest of the pipeline stays. Here that is so for as long as the block
 * lasts, and a check says what is left; then it is stopped. */
#include "tour.h"

LEAT_MAP(sq, int, int, n) { return n * n; }

static void count(void *goroutines, const leat_leak *leak) {
  if (leak->goroutine) ++*(int *)goroutines;
}

int sqleak(void) {
  leat_leak_mark start = leat_leak_now();
  int left = 0, n, status;
  {
    leat_scope(s);
    leat_rx(int) in = leat_values(s, int, 2, 3), c1 = leat_map(s, in, sq), c2 = leat_map(s, in, sq), out = leat_merge(s, c1, c2);
    if ((status = leat_recv(out, &n))) return status;
    printf("%d\n", n); /* 4 or 9 */
    leat_leak_each(start, count, &left);
    printf("%s\n", left ? "goroutines are left" : "no goroutine is left");
    if ((status = leat_wait(s))) return status;
  }
  printf("%s\n", leat_leak_each(start, NULL, NULL) ? "something is left" : "nothing is left");
  return LEAT_OK;
}
