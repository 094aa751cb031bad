/* A place for one item that a body has in its hands: whatever ends the body, the item is not lost. */
#pragma once
#include "stage.h"
#include <stdlib.h>

/* On the stack if it is small. leat_defer(free_cell, &c) belongs to each. */
struct cell {
  char *item;
  bool holds;
  void (*drop)(void *);
  _Alignas(16) char small[256];
};
static inline void free_cell(struct cell *c) {
  if (c->holds && c->drop) c->drop(c->item);
  if (c->item != c->small) free(c->item);
}
static inline bool make_cell(struct cell *c, size_t size, void (*drop)(void *)) {
  c->item = size <= sizeof c->small ? c->small : malloc(size);
  c->holds = false;
  c->drop = drop;
  return c->item;
}
static inline int receive(struct chan *in, struct cell *c) {
  int status = leat_i_recv((struct leat_i_chan *)in, c->item, in->elem_size, LEAT_NEVER);
  c->holds = status == LEAT_OK;
  return status;
}
