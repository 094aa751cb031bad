/* A lock that one thread, its owner, takes all the time, and others hardly ever. The owner marks that it is at what the lock guards; others
 * claim it and then look for the mark, behind a fence that makes the owner's plain store seen (fence.h). Who claims and finds the mark gives up;
 * the owner waits for a claim to end. Taking it costs the owner no read-modify-write, and who claims it up to 2 us.
 *
 * Where it is used: a worker's next-slot (with an exchange in its place that took an eighth of a ping-pong's time), and the first object of a
 * worker's part of a pool (half the time of a get and put). */
#pragma once
#include "fence.h"

struct biased {
  _Atomic(bool) held, claimed;
};

void leat_i_biased_await(struct biased *l); /* the owner, who finds it claimed */

/* By the owner; it must not give up the thread before it drops it. */
static inline void biased_take(struct biased *l) {
  store_relaxed(&l->held, true);
  fence_light();
  if (unlikely(load_acquire(&l->claimed))) leat_i_biased_await(l);
}
static inline void biased_drop(struct biased *l) { store_release(&l->held, false); }

/* By any other thread. False if the owner or somebody else is at it. */
bool leat_i_biased_claim(struct biased *l);
static inline void biased_unclaim(struct biased *l) { store_release(&l->claimed, false); }
