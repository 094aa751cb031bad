/* leat/alarm.h - being told when a goroutine does not get to run, or does not let others run.
 *
 *   leat_alarms_set(&(leat_alarm_options){.starving = LEAT_MS(500), .overrun = LEAT_MS(100), .stuck = LEAT_SECONDS(1)});
 *
 *   leat: alarm: goroutine 7 (crunch), started at main.c:12, has been running for 104 ms without leat_checkpoint or any operation, on thread 4711
 *       at crunch (main.c:6)
 *
 * Four things can be told:
 *   starving   a goroutine could run and has not for this long: all workers are busy with others, which are named too
 *   overrun    a goroutine has been computing for this long and reached neither leat_checkpoint nor an operation of leat (the Book's
 *              reallyLongCalculation: nothing can cancel it meanwhile)
 *   stuck      a goroutine has been blocked in a call for this long that leat does not know of: it keeps a thread. leat_blocking around the call
 *              ends the alarm, and lets another thread take over at once. Pinned goroutines, which have a thread to themselves, are never
 *              stuck, nor overrun
 *   meter      a work-rate meter's expectation is not met: see leat/meter.h
 * Each is told of once it has lasted for the period, and again each time that has doubled.
 *
 * The watcher looks, every 1 to 10 ms while goroutines run: nothing is measured on the goroutines' own paths, except that each that becomes
 * runnable gets a time stamp (a load and a store) while there is a starving period. Periods count from when the watcher first saw it, and
 * clocks are read that seldom: alarms come up to 30 ms late, and never early.
 *
 * The environment variable LEAT_ALARMS=250ms (or 2s) sets all three periods when the runtime starts, without a hook. */
#pragma once
#include "status.h"

LEAT_I_BEGIN

enum leat_alarm_kind { LEAT_ALARM_STARVING, LEAT_ALARM_OVERRUN, LEAT_ALARM_STUCK, LEAT_ALARM_METER };
enum { LEAT_ALARM_KINDS = 4 };

struct leat_meter_reading; /* leat/meter.h */

typedef struct leat_alarm {
  enum leat_alarm_kind kind;
  uint64_t goroutine;          /* of a starving alarm: the one that has waited longest. 0: a meter's */
  const char *name;            /* the goroutine's, or the meter's */
  const char *birthplace;      /* file:line of the leat_go; "" if it has none */
  int64_t duration;            /* so far */
  uint64_t others;             /* further goroutines that starve, and are not told of one by one */
  int thread;                  /* the kernel's number of the thread that it keeps; 0: it starves, or it is a meter's */
  const struct leat_meter_reading *reading; /* of the meter; else NULL */
  const char *text;            /* all of it for a person, with the stack: lines, each with its newline */
} leat_alarm;

typedef struct leat_alarm_options {
  int64_t starving, overrun, stuck; /* from 10 ms on; 0: no such alarm */
  /* Takes a stuck goroutine's stack as well. The signal for that (SIGURG) ends some calls early, with EINTR: poll, nanosleep. The stack of
   * one that computes is always taken, unless the program catches SIGURG. */
  unsigned trace_stuck : 1;
  /* Is told of each, with strings that live until it returns, on a thread of its own, one alarm at a time. It must not stop the runtime, nor
   * wait for who sets alarms; it may use leat as any plain thread may (total deadlocks are then no longer certain, and not reported). NULL:
   * the text goes to the log hook, or to stderr. */
  void (*hook)(void *environment, const leat_alarm *alarm);
  void *environment;
  unsigned leat_i_reserved[8];
} leat_alarm_options;

/* From now on, until the runtime stops; NULL: none. A second call replaces the first, whose hook is not called any more once it returns.
 * LEAT_OK; LEAT_INVALID for a period below 10 ms, or from the hook; LEAT_NOMEM. Any thread or goroutine; may block the thread while an alarm
 * is being reported. */
int leat_alarms_set(const leat_alarm_options *options);

LEAT_I_END
