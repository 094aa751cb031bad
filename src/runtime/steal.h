/* Taking work from other workers: what one without work of its own does before it sleeps. A thief takes half of a victim's ring, or what lies in its
 * next-slot.
 *
 * What a worker will soon run itself is left to it, as the data would have to follow to another CPU. While it is at work, which is to say, makes
 * decisions or pushes to its ring, that is its next-slot, and the ring if there are but a few in it. Both are taken from a worker that has no
 * token; the ring from one that has made no decision since the thief looked last, or has taken nothing from there while it spun, and the
 * next-slot from one that has not been at work while it spun.
 * (On two CPUs a pipeline of three goroutines went from 720 to 220 ns an item, a condition that three wait for in turn from 1,450 to 460.)
 *
 * A steal from a worker at work has to pay. Some ten lines of the cache, descriptor and stack, follow a goroutine to the thief and come back with the
 * next one that is started there: with all that is read and written on the way 300 ns, where to start and end one in one place takes 55. So a thief
 * weighs, when its work is used up, for how long it has had some from what it took last, and the victim some as well: where all that is woken follows
 * who was stolen, nothing is gained. Nor is it where goroutines of the two then wait for each other at locks, or find channels' locks taken: each
 * time counts as 3 us lost, as who comes to a lock that is taken spins first, and what it guards goes to and fro. If what is left is less than
 * goroutines take that do nothing, it takes one in 10 us, then one in 20, then in 40; as soon as that pays, two at once, then four and so on. From who
 * is not at work it takes half in any case: there they would wait.
 * (1,000 that do nothing, started and joined on two CPUs: 281 against 61 ns each. With 200 ns of work it is the same on one CPU and on two with
 * stealing; from 400 ns on stealing pays, and is what is done. Four that are started and waited for, again and again: 980 ns, and
 * 720 since the victim's work counts; a condition that four wait for in turn: 1,440 and 1,080. Since waits at locks count, a condition that 32 wait for:
 * 22,400 and 8,600; a lock that four read, and write a hundredth of the time: 34 and 24; two that send and two that receive on any of three channels: 960
 * and 480.)
 *
 * Rejected: to give stacks back to the worker that they came from, as it saves one way of two, and the descriptor is as cold as the stack; to go by how
 * fast the victim decides, which would leave pairs that could run beside each other on one worker. */
#pragma once
#include "worker.h"

/* For w, the caller's, of which it finds the queues empty. Spins for a moment, as long as no more than half of those at work do; then w->spinning is set. */
struct goroutine *leat_i_steal(struct worker *w);

/* What w has stolen is used up: decides how much it may take from now on. */
void leat_i_haul_weigh(struct worker *w, int64_t now);
static inline bool haul_is_open(const struct haul *haul) { return haul->n > 0; }
