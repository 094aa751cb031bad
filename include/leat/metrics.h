/* leat/metrics.h - what the scheduler does, in numbers (after Go's runtime/metrics).
 *
 *   leat_metrics m;
 *   leat_metrics_read(&m);
 *   printf("%" PRIu64 " steals, a goroutine waited %" PRId64 " ns for a worker (p99)\n", m.steals, leat_histogram_quantile(&m.latency, 0.99));
 *   leat_metrics_print(stdout);              all of it, in the text format that Prometheus reads
 *
 * Everything is counted all the time, by each worker for itself: it costs nothing to speak of (docs/metrics.md has the figures), and reading
 * adds up. Times are sampled: some hundred goroutines a second and worker, chosen by time and not by number. Totals begin with the start of
 * the runtime. A reading is not of one instant: numbers may be off by what happens meanwhile. */
#pragma once
#include "status.h"
#include <stdio.h>

LEAT_I_BEGIN

/* Counts of times, in buckets that grow with them: four to each power of two, so a quantile is off by an eighth at most. */
enum { LEAT_HISTOGRAM_BUCKETS = 168 };
typedef struct leat_histogram {
  uint64_t count, sum; /* samples; nanoseconds */
  uint64_t buckets[LEAT_HISTOGRAM_BUCKETS];
} leat_histogram;

/* The time that the part q (0 to 1) of the samples does not exceed, in nanoseconds: 0.5 is the median. 0 without samples. */
int64_t leat_histogram_quantile(const leat_histogram *h, double q);
/* The upper end of a bucket (its times are below it); LEAT_NEVER for the last. */
int64_t leat_histogram_end(int bucket);
/* What was added between two readings of the same histogram: later -= earlier. */
void leat_histogram_subtract(leat_histogram *later, const leat_histogram *earlier);

typedef struct leat_wait_metrics {
  const char *reason; /* "receiving from a channel" */
  uint64_t now, total; /* goroutines that wait for it; waits so far */
} leat_wait_metrics;

typedef struct leat_metrics {
  int64_t time; /* leat_now() of the reading */

  /* Goroutines: the main goroutine is one of them, except in started and ended. */
  uint64_t started, ended;
  uint64_t running, runnable, waiting;
  leat_wait_metrics waits[32]; /* by reason; the first n_waits */
  int n_waits;
  uint64_t parks, wakes;      /* waits begun; goroutines made runnable again */
  uint64_t yields, preempted; /* turns given up; of these because a slice was used up */
  uint64_t timeouts;          /* operations that ended at their own deadline, and selects by a timeout case */
  uint64_t scope_deadlines, scopes_canceled; /* scopes that ended at their deadline; that were cancelled, by leat_cancel, a failure or their end */
  uint64_t canceled_answers;  /* operations that answered LEAT_CANCELED or LEAT_DEADLINE because of their scope */

  /* The run queues. */
  uint64_t handoffs;                      /* woken goroutines that ran next on the waker's worker, in its slice */
  uint64_t steal_attempts, steals, stolen; /* looks at the other workers' queues; of these with success; goroutines moved */
  uint64_t shared_pushed, shared_popped;  /* goroutines through the queue that all workers share */
  uint64_t queued;                        /* in all queues, now */
  leat_histogram latency;                 /* from runnable to running */
  leat_histogram slices;                  /* from running until it gives up the thread */

  /* Workers and threads. */
  uint64_t workers, workers_busy; /* as set; that run or look for goroutines now */
  uint64_t threads;               /* of leat, spares and pinned goroutines' included, the watcher not */
  uint64_t foreign_threads, foreign_waiting; /* threads of the program that have used leat; that are blocked in it */
  uint64_t taken_over;            /* how often a spare thread took over from a worker that was stuck */
  uint64_t thread_sleeps, thread_wakes;

  /* Timers and descriptors. */
  uint64_t timers, timers_armed, timers_fired, timers_stopped; /* now; in all (sleeps and deadlines are timers, too) */
  uint64_t polls, polled;         /* looks at the descriptors; events found */

  /* Stacks. */
  uint64_t stacks_used, stacks_cached, stacks_trimmed; /* by goroutines; free, with memory; free, without */
  uint64_t stack_slabs, stack_bytes;                   /* mappings; address space, of which only what was touched takes memory */

  uint64_t alarms[4]; /* told of so far, by enum leat_alarm_kind: leat/alarm.h */

  uint64_t leat_i_reserved[28];
} leat_metrics;

/* Any thread, also while the runtime does not run (nearly all is 0 then). Takes some microseconds. */
void leat_metrics_read(leat_metrics *m);
/* Reads, and writes it in the Prometheus text format (version 0.0.4), names beginning with leat_, times in seconds. */
void leat_metrics_print(FILE *out);

/* Whether every goroutine is timed, not samples: for measurements. It costs two looks at the clock a switch. */
void leat_metrics_time_all(bool on);

LEAT_I_END
