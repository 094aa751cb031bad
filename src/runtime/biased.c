/* See biased.h. */
#include "biased.h"
#include <sched.h>

void leat_i_biased_await(struct biased *l) {
  do {
    store_release(&l->held, false);
    for (int spins = 0; load_acquire(&l->claimed); spins++) {
      if (spins < 100) cpu_relax();
      else sched_yield(); /* who claims it is in a system call meanwhile */
    }
    store_relaxed(&l->held, true);
    fence_light();
  } while (load_acquire(&l->claimed));
}

bool leat_i_biased_claim(struct biased *l) {
  bool free = false;
  if (!cas(&l->claimed, &free, true)) return false;
  leat_i_fence_heavy();
  if (!load_acquire(&l->held)) return true;
  biased_unclaim(l);
  return false;
}
