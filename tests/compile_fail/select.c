/* Misuses of select. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

typedef struct { double celsius; char city[16]; } weather;

int selects(leat_chan(int) ints, leat_chan(weather) skies, int *pi, double *pd, const weather *sky);
int selects(leat_chan(int) ints, leat_chan(weather) skies, int *pi, double *pd, const weather *sky) {
  leat_tx(int) in = leat_tx_of(ints);
  leat_rx(int) out = leat_rx_of(ints);
  //BAD leat_on_recv: the pointer | leat_select(leat_on_recv(ints, pd), leat_default);
  //BAD leat_on_recv: the pointer | leat_select(leat_on_recv(ints, *pi), leat_default);
  //BAD leat_on_recv: the pointer | leat_select(leat_on_recv(skies, sky), leat_default);
  //BAD leat_on_recv: needs | leat_select(leat_on_recv(in, pi), leat_default);
  //BAD leat_on_send: the value | leat_select(leat_on_send(ints, pi), leat_default);
  //BAD leat_on_send: the value | leat_select(leat_on_send(ints, *sky), leat_default);
  //BAD leat_on_send: needs | leat_select(leat_on_send(out, 1), leat_default);
  //BAD leat_on_send: the element is larger than 16 bytes | leat_select(leat_on_send(skies, *sky), leat_default);
  //BAD leat_on_send_from: the pointer | leat_select(leat_on_send_from(skies, pi), leat_default);
  //BAD leat_on_send_from: the pointer | leat_select(leat_on_send_from(skies, *sky), leat_default);
  //BAD leat_on_send_from: needs | leat_select(leat_on_send_from(out, pi), leat_default);
  //BAD leat_select | leat_select(ints, leat_default);
  //BAD leat_select | leat_select(*sky);
  //BAD leat_select_ordered | leat_select_ordered(ints, leat_default);
  (void)pd;
  return leat_select(leat_on_recv(out, pi), leat_on_send(in, *pi), leat_on_send_from(skies, sky), leat_on_timeout(LEAT_MS(1)));
}
