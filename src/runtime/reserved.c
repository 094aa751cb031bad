/* See reserved.h. */
#include "reserved.h"

/* With the plain lock. */
static void revoke(struct reserved_lock *l, uint32_t owner) {
  store_release(&l->owner, 0); /* released: who sees it sees that the plain lock is taken */
  leat_i_fence_heavy();
  leat_i_section_await(owner - 1);
  if (l->doubled < MOST_DOUBLED) l->doubled++;
}

struct lock *leat_i_reserved_take_plainly(struct reserved_lock *l, struct worker *w) {
  uint32_t mark = w && w->section ? w->mark : 0;
#ifdef LEAT_DEBUG
  if (mark) leat_i_section_must_be_outside(w);
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
  if (load_relaxed(&leat_i_fences_are_asymmetric)) store_release(&l->owner, l->last); /* else a section costs as much as a read-modify-write */
  l->in_a_row = 0;
  return taken;
}
