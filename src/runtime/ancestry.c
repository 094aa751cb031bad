/* See ancestry.h. */
#include "ancestry.h"
#include "../inspect/unwind.h"
#include "goroutine.h"
#include "runtime.h"
#include <stdlib.h>
#include <string.h>

static __attribute__((noinline)) struct start_stacks *record_stacks(const struct start_stacks *of_starter) {
  struct start_stacks *s = malloc(sizeof *s);
  if (!s) return NULL;
  store_relaxed(&s->references, 1);
  s->n_frames[0] = leat_i_unwind_here(s->frames[0], START_FRAMES, 1);
  for (int i = 1; i < ANCESTORS; i++) {
    s->n_frames[i] = of_starter ? of_starter->n_frames[i - 1] : 0;
    if (of_starter) memcpy(s->frames[i], of_starter->frames[i - 1], (size_t)s->n_frames[i] * sizeof(uintptr_t));
  }
  return s;
}

void leat_i_ancestry_record(struct goroutine *g, const struct goroutine *self) {
  if (!self) return;
  if (self->kind == KIND_FOREIGN) g->ancestors[0] = (struct ancestor){0, "a thread that is not leat's", NULL};
  else g->ancestors[0] = (struct ancestor){self->id, self->fn ? self->fn->name : "main", self->birthplace};
  for (int i = 1; i < ANCESTORS; i++) g->ancestors[i] = self->ancestors[i - 1];
  if (unlikely(leat_i_runtime_keeps_start_stacks())) g->start_stacks = record_stacks(self->start_stacks);
}

struct start_stacks *leat_i_start_stacks_retain(struct start_stacks *s) {
  if (s) add(&s->references, 1);
  return s;
}

void leat_i_start_stacks_release(struct start_stacks *s) {
  if (s && sub(&s->references, 1) == 1) free(s);
}
