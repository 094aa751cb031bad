/* Misuses of goroutines and bound functions. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

typedef struct { int x, y; } point;
typedef struct { char bytes[97]; } large;
typedef struct { _Alignas(64) char bytes[64]; } aligned;

LEAT_FN(nothing) {}
LEAT_FN(produce, leat_tx(int), out, long, upto) {
  leat_send(out, (int)upto);
}
LEAT_FN(consume, leat_rx(int), in, const char *, label, int *, sum) {
  leat_range(int, v, in) *sum += v + label[0];
}
LEAT_FN(move, point, p, const char *, label) {
  (void)p, (void)label;
}
LEAT_FN_ERR(keep, large, l) {
  return l.bytes[0];
}
LEAT_FN(eight, int, a, int, b, int, c, int, d, int, e, int, f, int, g, int, h) {
  (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
}
void plain(int n);

//BAD aligned to more than 16 bytes | LEAT_FN(over, aligned, a) { (void)a; }
//BAD LEAT_FN | LEAT_FN(unpaired, int) {}
//BAD LEAT_FN | LEAT_FN(nine, int, a, int, b, int, c, int, d, int, e, int, f, int, g, int, h, int, i) {}

void goroutines(struct leat_scope *s, leat_view view, leat_chan(int) ints, leat_chan(double) doubles, int *pi, const int *pk, large l);
void goroutines(struct leat_scope *s, leat_view view, leat_chan(int) ints, leat_chan(double) doubles, int *pi, const int *pk, large l) {
  leat_go(s, nothing);
  leat_go(view, nothing);
  leat_go(NULL, nothing);
  //BAD leat_go: the function takes another number | leat_go(s, nothing, 1);
  //BAD leat_go: the first argument | leat_go(ints, nothing);
  //BAD leat_go: the first argument | leat_go(1, nothing);
  //BAD leat_go | leat_go(nothing, s);
  //BAD leat_go | leat_go(s, plain, 1);
  //BAD leat_go | leat_go(s);

  leat_go(s, produce, leat_tx_of(ints), 5);
  leat_go(s, produce, NULL, 'a');
  //BAD leat_go: the function takes another number | leat_go(s, produce);
  //BAD leat_go: the function takes another number | leat_go(s, produce, leat_tx_of(ints));
  //BAD leat_go: the function takes another number | leat_go(s, produce, leat_tx_of(ints), 5, 6);
  //BAD leat_go: argument 1 | leat_go(s, produce, ints, 5);
  //BAD leat_go: argument 1 | leat_go(s, produce, leat_rx_of(ints), 5);
  //BAD leat_go: argument 1 | leat_go(s, produce, leat_tx_of(doubles), 5);
  //BAD leat_go: argument 2 | leat_go(s, produce, leat_tx_of(ints), "5");
  //BAD leat_go: argument 2 | leat_go(s, produce, leat_tx_of(ints), NULL);

  leat_go(s, consume, leat_rx_of(ints), "label", pi);
  //BAD leat_go: argument 1 | leat_go(s, consume, leat_tx_of(ints), "label", pi);
  //BAD leat_go: argument 2 | leat_go(s, consume, leat_rx_of(ints), 'l', pi);
  //BAD leat_go: argument 2 | leat_go(s, consume, leat_rx_of(ints), pi, pi);
  //BAD leat_go: argument 3 | leat_go(s, consume, leat_rx_of(ints), "label", pk);
  //BAD leat_go: argument 3 | leat_go(s, consume, leat_rx_of(ints), "label", *pi);

  leat_go(s, move, ((point){1, 2}), "to");
  //BAD leat_go: the function takes another number | leat_go(s, move, (point){1, 2}, "to");
  //BAD leat_go: argument 1 | leat_go(s, move, l, "to");
  //BAD leat_go: argument 1 | leat_go(s, move, 1, "to");

  leat_go(s, eight, 1, 2, 3, 4, 5, 6, 7, 8);
  //BAD leat_go: the function takes another number | leat_go(s, eight, 1, 2, 3, 4, 5, 6, 7);
  //BAD leat_go: more than eight | leat_go(s, eight, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  //BAD leat_go: argument 8 | leat_go(s, eight, 1, 2, 3, 4, 5, 6, 7, "8");

  leat_go_with(s, ((leat_go_options){.name = "n", .pinned = 1}), produce, leat_tx_of(ints), 5);
  //BAD leat_go_with: argument 2 | leat_go_with(s, ((leat_go_options){.pinned = 1}), produce, leat_tx_of(ints), "5");
  //BAD leat_go_with | leat_go_with(s, 5, nothing);
  leat_service(s, produce, leat_tx_of(ints), 5);
  //BAD leat_service: argument 2 | leat_service(s, produce, leat_tx_of(ints), "5");
  leat_join(leat_spawn(s, produce, leat_tx_of(ints), 5));
  //BAD leat_spawn: argument 2 | leat_spawn(s, produce, leat_tx_of(ints), "5");
  //BAD leat_spawn: the function takes another number | leat_spawn(s, produce, leat_tx_of(ints));

  leat_go(s, keep, l);
  //BAD leat_bind: the arguments take more than 96 bytes | leat_bind(keep, l);
  leat_call(leat_bind(produce, leat_tx_of(ints), 5));
  //BAD leat_bind: the function takes another number | leat_bind(produce, leat_tx_of(ints));
  //BAD leat_bind: argument 1 | leat_bind(produce, leat_rx_of(ints), 5);
  //BAD leat_bind: argument 2 | leat_bind(produce, leat_tx_of(ints), pi);
  //BAD leat_bind | leat_bind(plain, 5);
  leat_go_closure(s, leat_bind(nothing));
  //BAD leat_go_closure | leat_go_closure(s, nothing);
  (void)doubles, (void)pk;
}
