/* Misuses of leat_defer. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

LEAT_FN(report, const char *, text, int, n) { printf("%s %d\n", text, n); }
int two(int *a, int *b);

void defers(FILE *file, int *pi, const char *text, int fd, leat_chan(int) ints);
void defers(FILE *file, int *pi, const char *text, int fd, leat_chan(int) ints) {
  leat_tx(int) in = leat_tx_of(ints);
  leat_rx(int) out = leat_rx_of(ints);
  leat_defer(fclose, file);
  leat_defer(free, pi);
  leat_defer(puts, text);
  leat_defer(puts, (char *)pi);
  leat_defer_call(report, "done", fd);
  leat_defer_close(in);
  //BAD leat_defer: the argument is not a pointer | leat_defer(close, fd);
  //BAD leat_defer: the function does not take | leat_defer(fclose, pi);
  //BAD leat_defer: the function does not take | leat_defer(free, text);
  //BAD leat_defer: the function does not take | leat_defer(puts, pi);
  //BAD leat_defer | leat_defer(two, pi);
  //BAD leat_defer | leat_defer(pi, pi);
  //BAD leat_bind: the function takes another number | leat_defer_call(report, "done");
  //BAD leat_bind: argument 2 | leat_defer_call(report, "done", "twice");
  //BAD leat_defer_close: needs | leat_defer_close(out);
  //BAD leat_defer_close | leat_defer_close(pi);
  (void)out;
}
