/* See reserved.h. */
#include "reserved.h"
#include "fence.h"
#include "report.h"
#include <sched.h>

enum { MOST_SECTIONS = 1024 }; /* workers with a higher number have no locks reserved */

/* Not in the workers, which are freed when the runtime ends: locks may outlive it, and still be theirs. */
static struct section sections[MOST_SECTIONS];
static _Atomic(uint32_t) n_sections; /* that have been given out */

struct section *leat_i_section_of(uint32_t worker) {
  if (worker >= MOST_SECTIONS) return NULL;
  uint32_t n = load_relaxed(&n_sections);
  while (n <= worker && !cas(&n_sections, &n, worker + 1)) {}
  return &sections[worker];
}

/* No worker runs. In the child of a fork some may have been in a section in the parent. */
void leat_i_sections_reset(void) {
  for (uint32_t i = 0; i < load_relaxed(&n_sections); i++) store_relaxed(&sections[i].in.taken, 0);
}

void leat_i_section_is_nested(void) { leat_i_die("internal error: a section in a section"); }

/* With the plain lock. */
static void revoke(struct reserved_lock *l, uint32_t owner) {
  const struct section *s = &sections[owner - 1];
  store_release(&l->owner, 0); /* released: who sees it sees that the plain lock is taken */
  leat_i_fence_heavy();
  uint32_t section = load_acquire(&s->in.taken);
  for (int spins = 0; section && load_acquire(&s->in.taken) == section; spins++) {
    if (spins < 100) cpu_relax();
    else sched_yield();
  }
  if (l->doubled < MOST_DOUBLED) l->doubled++;
}

struct lock *leat_i_reserved_take_plainly(struct reserved_lock *l, struct worker *w) {
  uint32_t mark = w && w->section ? w->mark : 0;
#ifdef LEAT_DEBUG
  if (mark && load_relaxed(&w->section->in.taken)) leat_i_section_is_nested();
#endif
  lock_take(&l->lock);
  uint32_t owner = load_relaxed(&l->owner);
  if (owner && owner == mark) store_release(&l->owner, 0);
  else if (owner) revoke(l, owner);
  if (owner || l->last != mark) l->in_a_row = 0;
  l->last = (uint16_t)mark;
  l->in_a_row++;
  return &l->lock;
}

struct lock *leat_i_reserved_take(struct reserved_lock *l, struct worker *w) {
  struct lock *taken = w ? reserved_take_own(l, w) : NULL;
  if (taken) return taken;
  taken = leat_i_reserved_take_plainly(l, w);
  if (is_patient(l)) return taken;
  if (l->last && load_relaxed(&leat_i_fences_are_asymmetric)) store_release(&l->owner, l->last);
  l->in_a_row = 0;
  return taken;
}
