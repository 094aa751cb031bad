/* See section.h. */
#include "section.h"
#include "report.h"
#include <sched.h>

enum { MOST_SECTIONS = 1024 }; /* 64 KiB of addresses, in pages that are touched by as many workers */

/* Not in the workers, which are freed when the runtime ends: locks may outlive it, and still be theirs. */
static struct section sections[MOST_SECTIONS];
static _Atomic(uint32_t) n_sections; /* that have been given out */

struct section *leat_i_section_of(uint32_t worker) {
  if (worker >= MOST_SECTIONS) return NULL;
  uint32_t n = load_relaxed(&n_sections);
  while (n <= worker && !cas_seq(&n_sections, &n, worker + 1)) {}
  return &sections[worker];
}

/* No worker runs, so none is in a section; a start owes nothing to how the runtime before has ended. */
void leat_i_sections_reset(void) {
  for (uint32_t i = 0; i < load_relaxed(&n_sections); i++) store_relaxed(&sections[i].in.taken, 0);
}

#ifdef LEAT_DEBUG
void leat_i_section_must_be_outside(const struct worker *w) {
  if (w->section && is_in_section(w)) leat_i_die("internal error: in a section, which is to be left before another one, or a wait");
}
#endif

void leat_i_section_await(uint32_t worker) {
  const struct section *s = &sections[worker];
  uint32_t number = load_acquire(&s->in.taken);
  for (int spins = 0; number && load_acquire(&s->in.taken) == number; spins++) {
    if (spins < 100) cpu_relax();
    else sched_yield();
  }
}

void leat_i_sections_await(void) {
  for (uint32_t i = 0; i < load_seq(&n_sections); i++) leat_i_section_await(i);
}
