/* Handles of one type given to another by assignment or in a plain call: C itself judges these, no macro of leat is there to do it. gcc
 * before 14 and clang before 16 only warn. Each line `//WARN text | statement` must bring a warning that says `text` without any option,
 * and an error with -Werror=incompatible-pointer-types; see tests/suites/compile_fail. */
#include <leat/leat.h>
#include <signal.h>

LEAT_MAP(half, int, double, n) { return n / 2.0; }
LEAT_FN(produce, leat_tx(int), out, int, n) { leat_send(out, n); }

void assigned(leat_view s, leat_chan(int) ints, leat_tx(int) in, leat_rx(int) out);
void assigned(leat_view s, leat_chan(int) ints, leat_tx(int) in, leat_rx(int) out) {
  leat_rx(double) halves = leat_map(s, out, half);
  produce(in, 1);
  out = leat_signals(s, SIGINT);
  //WARN incompatible | leat_chan(double) c = ints; (void)c;
  //WARN incompatible | leat_chan(long) c = ints; (void)c;
  //WARN incompatible | leat_chan(int) c = leat_chan_make(s, double, 0); (void)c;
  //WARN incompatible | leat_rx(int) r = leat_map(s, out, half); (void)r;
  //WARN incompatible | leat_rx(int) r = ints; (void)r;
  //WARN incompatible | leat_rx(int) r = in; (void)r;
  //WARN incompatible | leat_tx(int) t = out; (void)t;
  //WARN incompatible | leat_tx(int) t = leat_signals(s, SIGINT); (void)t;
  //WARN incompatible | ints = out;
  //WARN incompatible | produce(out, 1);
  //WARN incompatible | leat_timer_start(ints, 1);
  (void)halves, (void)ints;
}
