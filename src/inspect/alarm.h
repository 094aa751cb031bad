/* Alarms, inside: see leat/alarm.h.
 *
 * Two halves. The watcher looks for what may be the matter, at each of its rounds, and costs little: it looks at the front of each run queue
 * (queues are first in, first out, so whoever starves comes to the front), and at the number of each worker's scheduling decisions. What it
 * finds it leaves to a thread that exists only while alarms are set: reading symbols takes tens of milliseconds, and a hook as long as it
 * likes, and timers and stuck workers must not wait for that. The thread looks again, more closely, and at all goroutines.
 *
 * Overruns. That a worker makes no scheduling decision does not say that its goroutine passes no checkpoint: while nobody waits, one that
 * passes many makes none. So the watcher asks for the thread, as it does when others wait (watcher.h): whoever passes a checkpoint or does an
 * operation then gives way, which is a decision. A worker that has been asked and has made none for the period is what is looked for.
 *
 * Starving. The time stamps of runnable goroutines are by the coarse clock, which stands still between two looks, for long if the watcher
 * itself is starved by the kernel: a stamp may be older than what it stamps by as much as that. The longest such gap of late is taken off,
 * so that no alarm is false.
 * Rejected: a list of runnable goroutines by time, or measuring when they come to run: both cost something on each switch. */
#pragma once
#include <stdint.h>

/* The watcher's, at each look; the gap is the time since the one before, in which goroutines ran. */
void leat_i_alarms_look(int64_t now, int64_t gap);
/* When it must look again although nothing runs but what it took the token of; LEAT_NEVER. */
int64_t leat_i_alarms_next(void);

uint64_t leat_i_alarms_counted(int kind);
int leat_i_alarm_threads(void);            /* 0 or 1 */
void leat_i_alarms_from_environment(void); /* when the runtime starts */
void leat_i_alarms_stop(void);             /* with the runtime */
