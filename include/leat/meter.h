/* leat/meter.h - work-rate meters: is as much accomplished as is expected, and if not, why (after the Book's advice on starvation and livelock:
 * to log when work is accomplished, and to see whether its rate is as high as expected).
 *
 *   static leat_meter hashing = LEAT_METER("hashing", 1000, LEAT_SECONDS(1));      expected: 1,000 pieces of work a second
 *
 *   LEAT_FN(hash, leat_rx(block), blocks) {
 *     leat_range(block, b, blocks) {
 *       leat_metered(&hashing);               a declaration: until its block is left, this goroutine is at work for the meter
 *       ...
 *       leat_meter_done(&hashing, 1);         that much is accomplished
 *     }
 *   }
 *
 * A count alone tells that something is wrong, not what. So the watcher looks, every 1 to 10 ms, at what the goroutines do that are at work:
 * whether they run, could run but others have the workers, wait for what others hold, or wait for something else. At the end of each period
 * both together give a verdict, which leat_meter_read answers, and which raises an alarm if alarms are set (leat/alarm.h).
 *
 * Be at work while there is something to do, and not while waiting for the next piece: a period in which nobody was at work for most of the
 * time is idle, and not blamed on anyone. To be at work costs a lock at the begin and at the end of the block; leat_meter_done some
 * nanoseconds. Nothing has to be freed; the memory may be given up when nobody is at work and no call is in progress. Any goroutine or
 * thread may call any of these. */
#pragma once
#include "defer.h"

typedef struct leat_meter {
  const char *leat_i_name;
  uint64_t leat_i_expected;
  int64_t leat_i_period;
  uint64_t leat_i_space[189];
} leat_meter;
/* The name is not copied. The period: from 10 ms on. */
#define LEAT_METER(name, expected, period) {(name), (expected), (period), {0}}

enum leat_meter_verdict {
  LEAT_METER_EARLY,      /* no period has passed yet */
  LEAT_METER_OK,         /* at least as much as expected */
  LEAT_METER_IDLE,       /* less, but for most of the time nobody was at work */
  LEAT_METER_STARVED,    /* less: most of their time, those at work could run and did not, since others had the workers, or waited for a lock, a
                            semaphore or an object of a pool, which others had */
  LEAT_METER_WAITING,    /* less: most of their time they waited for anything else: a channel, a descriptor, a time */
  LEAT_METER_LIVELOCKED, /* less than a tenth: they ran, or did in short turns, and accomplished next to nothing */
  LEAT_METER_SLOW,       /* less: they ran */
};

typedef struct leat_meter_reading {
  enum leat_meter_verdict verdict;
  uint64_t accomplished, expected; /* in the last full period */
  uint64_t total;                  /* accomplished since the beginning */
  int64_t duration;                /* of that period: up to 10 ms longer than asked for, and `expected` with it */
  int at_work;                     /* at its end */
  double busy;                     /* the part of the period in which somebody was at work */
  /* Parts of the time of all who were at work, together 1 (0 if there were none). */
  double running;
  double turns;   /* runnable, while others of the same meter had the workers */
  double starved; /* runnable, while others had them */
  double held;    /* waiting for a lock, a semaphore or an object of a pool */
  double waiting; /* for anything else */
  double active;  /* running, or had been since the look before */
  const char *wait; /* what they waited for most: "locking a mutex"; "" if they did not wait */
} leat_meter_reading;

LEAT_I_BEGIN

void leat_meter_done(leat_meter *m, uint64_t n);
void leat_meter_read(leat_meter *m, leat_meter_reading *reading);
const char *leat_meter_verdict_text(enum leat_meter_verdict verdict); /* "starved" */

struct leat_i_metered {
  struct leat_i_defer guard;
  leat_meter *meter;
  void *goroutine;
  int64_t since;
  struct leat_i_metered *next, *previous;
};
void leat_i_metered_enter(struct leat_i_metered *at_work, leat_meter *m);
void leat_i_metered_leave(struct leat_i_metered *at_work);

LEAT_I_END

#define leat_metered(m) LEAT_I_METERED(__COUNTER__, m)
#define LEAT_I_METERED(N, m) \
  __attribute__((__cleanup__(leat_i_metered_leave), __unused__)) struct leat_i_metered LEAT_I_CAT(leat_i_at_work, N); \
  leat_i_metered_enter(&LEAT_I_CAT(leat_i_at_work, N), (m))
