/* How a goroutine came to run: the goroutines that started it, for reports of errors.
 *
 * A few are recorded at every start: static strings and numbers only, which cost a start no measurable time and outlive whom they tell of.
 * On request (leat_options.start_stacks) the stacks of the starts are kept too. They are copied from starter to started, as many as there are
 * ancestors: a chain of references would grow without end where each goroutine starts the next. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct goroutine;

enum { ANCESTORS = 3, START_FRAMES = 24 };

struct ancestor {
  uint64_t id;      /* 0: a plain thread */
  const char *name; /* of its function; NULL: there is none */
  const char *birthplace;
};

/* The stacks on which leat_go and the like were called: the goroutine's own start first, then its starter's. Counted references; immutable. */
struct start_stacks {
  _Atomic(uint32_t) references;
  int n_frames[ANCESTORS];
  uintptr_t frames[ANCESTORS][START_FRAMES];
};

extern _Atomic(bool) leat_i_keeps_start_stacks;
struct start_stacks *leat_i_start_stacks_record(const struct start_stacks *of_starter); /* NULL out of memory */
struct start_stacks *leat_i_start_stacks_retain(struct start_stacks *s); /* either may be given NULL */
void leat_i_start_stacks_release(struct start_stacks *s);
