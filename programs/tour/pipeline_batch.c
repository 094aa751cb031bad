/* Stages that work on all values at once: functions from arrays to arrays (the Book, "Pipelines"). */
#include "tour.h"

typedef struct ints {
  int at[4];
} ints;

static ints multiply(ints values, int multiplier) {
  for (int i = 0; i < 4; i++) values.at[i] *= multiplier;
  return values;
}

static ints add(ints values, int additive) {
  for (int i = 0; i < 4; i++) values.at[i] += additive;
  return values;
}

static int print(ints values) {
  for (int i = 0; i < 4; i++) printf("%d\n", values.at[i]);
  return LEAT_OK;
}

int pipeline_batch(void) { return print(add(multiply((ints){{1, 2, 3, 4}}, 2), 1)); }

int pipeline_batch_more(void) { return print(multiply(add(multiply((ints){{1, 2, 3, 4}}, 2), 1), 2)); }
