/* An item that owns something. Each is received once or dropped once; `alive` counts those of which neither has happened yet. */
#pragma once
#include "harness.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef struct { int *cell; } token;
static atomic_int alive;

static inline token new_token(int n) {
  int *cell = malloc(sizeof *cell);
  *cell = n;
  alive++;
  return (token){cell};
}
static inline void drop_token(token *t) {
  CHECK(*t->cell >= 0);
  *t->cell = -1;
  free(t->cell);
  alive--;
}
/* Of one that was received. */
static inline int number_and_drop(token t) {
  int n = *t.cell;
  drop_token(&t);
  return n;
}
