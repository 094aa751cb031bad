/* Stages that run on their own, with channels between them (the Book, "Best Practices for Constructing Pipelines"). */
#include "tour.h"

LEAT_MAP(times, int, int, n, int, by) { return n * by; }
LEAT_MAP(plus, int, int, n, int, summand) { return n + summand; }

LEAT_PIPELINE(multiply, int, int, s, in, int, by) { return leat_map(s, in, times, by); }
LEAT_PIPELINE(add, int, int, s, in, int, summand) { return leat_map(s, in, plus, summand); }

int pipeline_channels(void) {
  leat_scope(s);
  leat_rx(int) pipeline = multiply(s, add(s, multiply(s, leat_values(s, int, 1, 2, 3, 4), 2), 1), 2);
  leat_range(int, value, pipeline) printf("%d\n", value);
  return leat_wait(s);
}
