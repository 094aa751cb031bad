/* Timers as users have them, inside: see leat/time.h. */
#pragma once
#include "../runtime/lock.h"
#include "../runtime/timer.h"
#include <leat/time.h>

struct scope;

enum timer_kind { TIMER_SENDS, TIMER_TICKS, TIMER_RUNS };

struct leat_timer {
  struct timer timer;
  struct lock lock; /* stop and reset, which take the timer apart and together again, exclude each other */
  uint8_t kind;     /* enum timer_kind */
  bool failed;      /* the one that stands for out of memory */
  struct leat_i_chan *chan; /* NULL: it runs a function */
  uintptr_t made_by;        /* for reports: the code that started one that sends */
};

struct function_timer {
  struct leat_timer timer;
  uint32_t epoch; /* see inspect/leak.h */
  struct scope *scope;
  struct function_timer *next, *previous; /* in the scope; guarded by its lock */
  const struct leat_i_fn *fn;
  const char *birthplace;
  _Alignas(16) char args[]; /* fn->size: a closure has room for more, and a thousand such timers more than malloc gives back to the kernel each time */
};

/* Now plus the duration, without overflow. */
int64_t leat_i_deadline_after(int64_t duration);

/* A timer that sends belongs to its channel, which says here that it is given up. NULL is fine. */
void leat_i_timer_free(struct leat_timer *t);

/* A timer that runs a function belongs to its scope. When that ends and all that ran in it has, its timers are stopped first: the last one
 * that fired may have started something. Nobody arms one any more. Then they are freed. */
void leat_i_timers_of_scope_stop(struct scope *s);
void leat_i_timers_of_scope_free(struct function_timer *list);
