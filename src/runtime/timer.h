/* Timers: callbacks at points of the monotonic clock, in 4-ary heaps, one heap (shard) for each of some workers.
 *
 * The struct belongs to its user, who may free it once leat_i_timer_disarm has returned: that waits for a callback in progress. Callbacks
 * run on any worker or the watcher, outside all locks, must not block, and may answer a goroutine to be made ready, which happens after
 * the timer has been let go: a sleeper's timer lies in the sleeper's own frame.
 * A heap, and not a wheel: sleeps of microseconds stay exact; arm and disarm cost O(log4 n) on a compact array. */
#pragma once
#include "atomics.h"
#include "lock.h"
#include <stdbool.h>
#include <stdint.h>

struct goroutine;
struct worker;

enum timer_state { TIMER_IDLE, TIMER_ARMED, TIMER_FIRING };

struct timer {
  int64_t when, period; /* a period of 0: once */
  struct goroutine *(*fire)(struct timer *t, int64_t now);
  void *environment;
  _Atomic(uint32_t) state; /* and shard: TIMER_IDLE is 0. Changed under the shard's lock */
  uint32_t number;         /* in the shard */
  bool cancelled; /* while firing: a periodic timer is not armed again */
};

/* Arms an idle timer. LEAT_OK or LEAT_NOMEM. */
int leat_i_timer_arm(struct timer *t, int64_t when, int64_t period);
/* Gives an armed one another time, and a periodic one another period. False if it is not armed (any more). Others may arm and disarm it at the same time. To a later
 * time, which is what resets are for most of the time, that is a store: its entry in the heap stays where it is, and is put right when its time
 * comes (Go's idea). */
bool leat_i_timer_move(struct timer *t, int64_t when, int64_t period);
/* True if it was armed and will not fire (again). */
bool leat_i_timer_disarm(struct timer *t);
/* Runs what is due; answers how many. A worker at work, or that looks for work, leaves the shards of others alone, unless something in them is long
 * overdue: it would only take from them what they run themselves in a moment, and they then from it. */
int leat_i_timers_run(void);
int leat_i_timers_run_for(const struct worker *w);
/* The time of the earliest one, LEAT_NEVER if there is none. */
int64_t leat_i_timers_next(void);
/* Whether one is armed, or its callback in progress: something may yet happen by itself. */
bool leat_i_timers_any(void);
/* Calls visit for the memory of the heaps, and of what holds them: what points from there to a timer is no user's reference. */
void leat_i_timers_memory(void (*visit)(const void *low, const void *high, void *environment), void *environment);
void leat_i_timers_free(void);

struct timer_counts {
  uint64_t armed, fired, stopped, now;
};
void leat_i_timers_count(struct timer_counts *sum);
