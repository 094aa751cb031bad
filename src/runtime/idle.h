/* Tokens, and workers that have nothing to do: sleeping and waking.
 *
 * Publishing work. ready: queue store, full barrier, load of the idle state; an idle worker: publishes itself idle, full barrier, looks at
 * all queues again, sleeps. The watcher looks again every few milliseconds, for goroutines in a next-slot whose worker does not yield.
 *
 * One worker is woken at a time: it spins, and wakes the next when it has found something, so a burst does not wake all of them for little.
 * Who goes idle while goroutines wait in a ring comes back. So nobody who might run them sleeps, and who pushes to a ring with more than a few in it
 * need not look, which saves the barrier; that thieves take all of them in the nanoseconds until the push is seen is left to the watcher.
 *
 * One idle worker polls: it sleeps in the poller until the next timer, the others on their futex. polling_until tells who arms a timer that
 * it sleeps too long. Whoever wakes a worker prefers those that do not poll. */
#pragma once
#include "worker.h"

/* Something was published: wakes one more worker if one may run and none is looking already; starts one if need be. */
void leat_i_wake_worker(void);
/* Ends the worker's sleep; `polling`: it is the one that polls. */
void leat_i_rouse(struct worker *w, bool polling);
/* Gives up the token, publishes itself idle, looks again, sleeps. On return it holds a token, or the runtime stops. */
void leat_i_go_idle(struct worker *w);

/* Takes a token if one is free. */
bool leat_i_token_take(struct worker *w);
bool leat_i_take_token_from(struct worker *w); /* the watcher's: w is stuck */
void leat_i_give_up_token(struct worker *w);   /* its own, before a blocking call */

static inline void stop_spinning(struct worker *w) {
  if (!w->spinning) return;
  w->spinning = false;
  sub_seq(&leat_i_sched.n_spinning, 1);
}
