/* Meters, inside: see leat/meter.h.
 *
 * A meter is in the list while somebody is at work for it. What those at work do is sampled at each look of the watcher, and never by themselves:
 * who comes or goes runs, so that would count as running what was a wait. A sample counts for the time since the last one; where that is
 * long, because the watcher slept while nothing ran, the last one counts for the rest of it.
 *
 * Starved and livelocked. Whoever is runnable wants to run. If the workers run others, it starves. If they run goroutines of the same meter,
 * these take turns, and all have had their share (the Book: in a livelock they starve equally): that is no reason to accomplish nothing.
 * Between the two the time is divided as the workers are. That a goroutine runs in short turns, as in a livelock in which each waits for
 * a moment and tries again, is seen by the time since when it rests, which is another after each turn.
 * Rejected: to count turns and the time in them for every goroutine, which is a store and a look at the clock for each switch. */
#pragma once
#include <leat/meter.h>

struct goroutine;

/* The watcher's, at each look. Answers whether an alarm is due. */
bool leat_i_meters_look(int64_t now);
/* When a period ends next; LEAT_NEVER. */
int64_t leat_i_meters_next(void);

enum { METER_NAME = 64 };
struct meter_alarm {
  char name[METER_NAME];
  leat_meter_reading reading;
  struct goroutine *one; /* of those at work, and its number */
  uint64_t id;
};
/* Takes one that is due; false if there is none. */
bool leat_i_meters_alarm(struct meter_alarm *a);
