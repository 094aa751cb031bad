/* See ancestry.h. */
#include "ancestry.h"
#include "../inspect/unwind.h"
#include "atomics.h"
#include <stdlib.h>
#include <string.h>

_Atomic(bool) leat_i_keeps_start_stacks;

struct start_stacks *leat_i_start_stacks_record(const struct start_stacks *of_starter) {
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

struct start_stacks *leat_i_start_stacks_retain(struct start_stacks *s) {
  if (s) add(&s->references, 1);
  return s;
}

void leat_i_start_stacks_release(struct start_stacks *s) {
  if (s && sub(&s->references, 1) == 1) free(s);
}
