/* Misuses of stages. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>
#include <stdlib.h>

typedef struct { double celsius; char city[16]; } weather;

LEAT_MAP(square, int, int, n) { return n * n; }
LEAT_MAP(half, int, double, n) { return n / 2.0; }
LEAT_MAP(celsius_of, weather, double, w) { return w.celsius; }
LEAT_MAP(even_number, int, int, n) { return n % 2 == 0; }
LEAT_FILTER(even, int, n) { return n % 2 == 0; }
LEAT_SINK(forget, int, n) { (void)n; }
bool odd(int n);

void stages(leat_view s, leat_chan(int) ints, leat_chan(double) doubles, leat_chan(weather) skies);
void stages(leat_view s, leat_chan(int) ints, leat_chan(double) doubles, leat_chan(weather) skies) {
  leat_tx(int) in = leat_tx_of(ints);
  leat_rx(int) out = leat_rx_of(ints);
  leat_rx(double) halves = leat_map(s, leat_take(s, leat_filter(s, leat_map(s, out, square), even), 3), half);
  leat_rx(bool) evens = leat_map(s, ints, even);
  leat_rx(double) temperatures = leat_map(s, leat_rx_of(skies), celsius_of);
  leat_for_each(s, ints, forget);
  //BAD leat_map: the stage function does not take | leat_map(s, leat_rx_of(skies), square);
  //BAD leat_map: the stage function does not take | leat_map(s, doubles, square);
  //BAD leat_map: the stage function does not take | leat_map(s, out, celsius_of);
  //BAD leat_map: the stage function does not take | leat_map(s, leat_map(s, out, half), square);
  //BAD leat_map: the stage function has no result | leat_map(s, out, forget);
  //BAD leat_map: needs | leat_map(s, in, square);
  //BAD leat_map: the first argument | leat_map(ints, out, square);
  //BAD leat_map | leat_map(s, out, abs);
  //BAD leat_filter: the stage function does not take | leat_filter(s, doubles, even);
  //BAD leat_filter: the stage function does not answer bool | leat_filter(s, out, even_number);
  //BAD leat_filter: the stage function does not answer bool | leat_filter(s, out, forget);
  //BAD leat_filter: needs | leat_filter(s, in, even);
  //BAD leat_filter: the first argument | leat_filter(out, out, even);
  //BAD leat_filter | leat_filter(s, out, odd);
  //BAD leat_take: needs | leat_take(s, in, 3);
  //BAD leat_take: the first argument | leat_take(out, out, 3);
  //BAD leat_for_each: the stage function does not take | leat_for_each(s, doubles, forget);
  //BAD leat_for_each: the stage function has a result | leat_for_each(s, out, square);
  //BAD leat_for_each: needs | leat_for_each(s, in, forget);
  //BAD leat_for_each: the first argument | leat_for_each(out, out, forget);
  (void)in, (void)halves, (void)evens, (void)temperatures, (void)doubles;
}
