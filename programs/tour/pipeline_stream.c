/* Stages that work on one value at a time: the loop feeds them (the Book, "Pipelines"). */
#include "tour.h"

static int multiply(int value, int multiplier) { return value * multiplier; }
static int add(int value, int additive) { return value + additive; }

int pipeline_stream(void) {
  for (int i = 1; i <= 4; i++) printf("%d\n", multiply(add(multiply(i, 2), 1), 2));
  return LEAT_OK;
}
