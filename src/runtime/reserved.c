/* See reserved.h. */
#include "reserved.h"
#include "counters.h"
#include <sched.h>

/* With the plain lock. */
static void revoke(struct reserved_lock *l, uint32_t owner) {
  store_release(&l->owner, 0); /* released: who sees it sees that the plain lock is taken */
  leat_i_fence_heavy();
  leat_i_section_await(owner - 1);
  if (l->doubled < MOST_DOUBLED) l->doubled++;
}

/* Who has it, and takes it all the time, is to have a turn of some operations, with what it guards in its cache, before it goes to another CPU: two goroutines that
 * each send and receive a hundred values took 26 ns an operation where whoever came first had it, and take 16. A turn goes on as long as an operation does not
 * take longer than four pauses: else to wait for its end would cost more than the way of a few lines of the cache. */
static __attribute__((noinline)) void wait_for_turn(struct reserved_lock *l) {
  enum { TURN = 512, PAUSES_IN_TURN = 64, MOST_IN_TURN = 400 };
  uint32_t seen = load_relaxed(&l->in_a_row);
  for (int pauses = 1, spent = 0;;) {
    spent += pauses;
    for (int i = 0; i < pauses; i++) cpu_relax();
    uint32_t now = load_relaxed(&l->in_a_row);
    bool in_turn = now > seen + (uint32_t)pauses / 4 && now < TURN && spent < MOST_IN_TURN;
    seen = now;
    if (!in_turn && !load_relaxed(&l->lock.taken) && lock_try(&l->lock)) return;
    pauses = in_turn ? PAUSES_IN_TURN : pauses < MOST_PAUSES ? pauses * 2 : MOST_PAUSES;
    if (spent > MOST_IN_TURN) sched_yield();
  }
}

struct lock *leat_i_reserved_take_plainly(struct reserved_lock *l, struct worker *w) {
  uint32_t mark = w && w->section ? w->mark : 0;
#ifdef LEAT_DEBUG
  if (mark) leat_i_section_must_be_outside(w);
#endif
  if (unlikely(!lock_try(&l->lock))) {
    leat_i_count(COUNT_CONTENDED, 1);
    wait_for_turn(l);
  }
  uint32_t owner = load_relaxed(&l->owner);
  if (owner && owner == mark) store_release(&l->owner, 0);
  else if (owner) revoke(l, owner);
  if (owner) store_relaxed(&l->in_a_row, 0);
  reserved_note(l, mark);
  return &l->lock;
}

struct lock *leat_i_reserved_take(struct reserved_lock *l, struct worker *w) {
  struct lock *taken = w ? reserved_take_own(l, w) : NULL;
  if (taken) return taken;
  taken = leat_i_reserved_take_plainly(l, w);
  if (is_patient(l)) return taken;
  if (load_relaxed(&leat_i_fences_are_asymmetric)) store_release(&l->owner, l->last); /* else a section costs as much as a read-modify-write */
  store_relaxed(&l->in_a_row, 0);
  return taken;
}
