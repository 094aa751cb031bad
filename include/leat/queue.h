/* leat/queue.h - a queue for the entrance of a pipeline: what it does when it is full, and items that are too old (the chapter "Queuing" of Cox-Buday's
 * "Concurrency in Go"; the law is Little's). leat/stage.h says what all stages have in common.
 *
 *   static leat_queue_counters counters;
 *   leat_rx(request) in = leat_queue(s, requests, ((leat_queue_options){.room = 100, .full = LEAT_QUEUE_DROP_NEWEST, .max_age = LEAT_SECONDS(2), .counters = &counters}));
 *
 * leat_buffer is the plain one: it holds its producer up. This one may shed load instead, so that whoever sends is never held up by a slow pipeline, and
 * drops what nobody waits for any more, instead of working on it: without that a pipeline that has fallen behind answers only requests that
 * have timed out, and their repetitions. What is dropped goes to the drop function of the input. */
#pragma once
#include "stage.h"

enum leat_queue_full {
  LEAT_QUEUE_BLOCK,       /* its producer waits */
  LEAT_QUEUE_DROP_NEWEST, /* what comes is dropped: load shedding */
  LEAT_QUEUE_DROP_OLDEST, /* what has waited longest is dropped: a sliding window on the latest */
};

/* Counts for leat_queue_look; all zero at first. It may serve several queues, and must outlive them. */
typedef struct leat_queue_counters {
  uint64_t leat_i_space[8];
} leat_queue_counters;

typedef struct leat_queue_options {
  size_t room;               /* 0: 1 */
  enum leat_queue_full full;
  int64_t max_age;           /* nanoseconds; an item that has waited so long is dropped at its turn. 0: however long */
  leat_queue_counters *counters; /* or NULL */
  uint64_t leat_i_reserved[2];
} leat_queue_options;

typedef struct leat_queue_figures {
  uint64_t arrived, passed, shed, expired; /* so far; shed: dropped because it was full */
  uint64_t waiting;                        /* now; what waits when it ends early is none of the four */
  double lambda;                           /* items that were taken in and not shed, a second, since the first came */
  double w;                                /* seconds that an item stayed, on average over those that have left */
  double l;                                /* lambda * w: items that were in it, on average, if it is stable */
} leat_queue_figures;

/* leat_rx(T) leat_queue(scope, in, leat_queue_options): the options stand in parentheses, or in a variable. */
#define leat_queue(s, in, options) LEAT_I_QUEUE(__COUNTER__, s, in, options)
#define LEAT_I_QUEUE(N, s, in, options) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_queue"); \
    leat_queue_options LEAT_I_CAT(leat_i_o, N) = options; \
    (leat_rx(LEAT_I_ITEM(N))) leat_i_queue(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), sizeof(LEAT_I_ITEM(N)), &LEAT_I_CAT(leat_i_o, N), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
/* Any thread, at any time; the numbers are not of one moment. */
leat_queue_figures leat_queue_look(const leat_queue_counters *counters);
/* By Little's law: the room that a queue needs for so many items a second, each of which takes `time` nanoseconds through a pipeline of so many stages, which
 * hold one each. 100,000 a second that take 0.1 ms through three stages: 7. */
int64_t leat_queue_room_for(double per_second, int64_t time, int64_t stages);

struct leat_i_chan *leat_i_queue(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const leat_queue_options *options, const char *birthplace);
LEAT_I_END
