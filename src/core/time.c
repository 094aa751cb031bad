/* See time.h and leat/time.h.
 *
 * Stopping or resetting a timer first disarms it, which waits for a delivery in progress, then empties its channel: no value of before is
 * received afterwards (as Go has it since 1.23). */
#include "time.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/scheduler.h"
#include "channel.h"
#include "panic.h"
#include "scope.h"
#include <stdlib.h>

struct leat_timer {
  struct timer timer;
  struct lock lock; /* stop and reset, which take the timer apart and together again, exclude each other */
  struct leat_i_chan *chan;
  struct scope *scope; /* NULL for the one that stands for out of memory */
  bool ticks;
  struct leat_timer *next, *previous; /* in the scope; guarded by its lock */
};

int64_t leat_now(void) { return leat_i_nondet_clock(); }

int64_t leat_i_deadline_after(int64_t duration) {
  int64_t time;
  if (duration < 0) duration = 0;
  return __builtin_add_overflow(leat_i_nondet_clock(), duration, &time) ? LEAT_NEVER : time;
}

int leat_sleep_until(int64_t time) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (time <= leat_i_nondet_clock()) {
    self->ignored = 0;
    leat_i_yield(self);
    return LEAT_OK;
  }
  status = leat_i_park(self, &(struct park){.reason = WAIT_SLEEP, .deadline = time});
  int scope_status = leat_i_scope_interrupts(self->scope);
  if (scope_status) return leat_i_cancelled(self, scope_status);
  self->ignored = 0;
  return status == LEAT_DEADLINE ? LEAT_OK : status;
}

int leat_sleep(int64_t duration) { return leat_sleep_until(leat_i_deadline_after(duration)); }

/* Runs on any worker, outside every scope and lock: it must not block and need not count as an operation. */
static struct goroutine *deliver(struct timer *t, int64_t now) {
  struct chan *c = chan_of(((struct leat_timer *)t)->chan);
  struct goroutine *woken = NULL;
  lock_take(&c->lock);
  quietly leat_i_chan_send_locked(c, &now, &woken); /* full: the tick is dropped */
  chan_timer_fired(c, woken);
  lock_drop(&c->lock);
  return woken;
}

static leat_timer *no_memory_timer(void) {
  static leat_timer failed;
  failed.chan = (struct leat_i_chan *)leat_i_chan_failed();
  return &failed;
}

static leat_timer *start(const struct leat_scope *scope, int64_t duration, int64_t period) {
  struct scope *s = scope ? (struct scope *)scope : leat_i_self()->scope;
  leat_timer *t = calloc(1, sizeof *t);
  if (!t) return no_memory_timer();
  t->chan = leat_i_chan_make(NULL, sizeof(int64_t), 1, "a timer");
  t->timer.fire = deliver;
  bool failed = t->chan == (struct leat_i_chan *)leat_i_chan_failed();
  if (!failed) chan_timer_armed(chan_of(t->chan));
  if (failed || leat_i_timer_arm(&t->timer, leat_i_deadline_after(duration), period)) {
    leat_i_release(t->chan);
    free(t);
    return no_memory_timer();
  }
  t->scope = s;
  t->ticks = period != 0;
  lock_take(&s->lock);
  t->next = s->timers;
  if (s->timers) s->timers->previous = t;
  s->timers = t;
  lock_drop(&s->lock);
  return t;
}

leat_timer *leat_timer_start(const struct leat_scope *s, int64_t duration) { return start(s, duration, 0); }

leat_timer *leat_ticker_start(const struct leat_scope *s, int64_t period) {
  if (period <= 0) leat_i_panic("leat_ticker_start: the period must be positive");
  return start(s, period, period);
}

struct leat_i_chan *leat_i_timer_chan(leat_timer *t) { return t->chan; }
struct leat_i_chan *leat_i_after(const struct leat_scope *s, int64_t duration) { return start(s, duration, 0)->chan; }

static bool disarm_and_empty(leat_timer *t) {
  bool armed = leat_i_timer_disarm(&t->timer);
  struct chan *c = chan_of(t->chan);
  struct goroutine *woken = NULL;
  int64_t stale;
  lock_take(&c->lock);
  if (load_relaxed(&c->n)) leat_i_chan_recv_locked(c, &stale, &woken); /* nobody sends but the timer: nobody is woken */
  chan_timer_armed(c); /* perhaps: nothing is in it */
  lock_drop(&c->lock);
  return armed;
}

bool leat_timer_stop(leat_timer *t) {
  if (!t->scope) return false;
  lock_take(&t->lock);
  bool armed = disarm_and_empty(t);
  lock_drop(&t->lock);
  return armed;
}

bool leat_timer_reset(leat_timer *t, int64_t duration) {
  if (!t->scope) return false;
  int64_t period = t->ticks ? duration : 0;
  if (t->ticks && period <= 0) leat_i_panic("leat_timer_reset: a ticker's period must be positive");
  lock_take(&t->lock);
  bool armed = disarm_and_empty(t);
  int status = leat_i_timer_arm(&t->timer, leat_i_deadline_after(duration), period);
  lock_drop(&t->lock);
  if (status) leat_i_log("leat: out of memory: a timer could not be reset and will not fire");
  return armed;
}

static void free_timer(leat_timer *t) {
  leat_i_timer_disarm(&t->timer);
  leat_i_release(t->chan);
  free(t);
}

void leat_timer_release(leat_timer *t) {
  struct scope *s = t->scope;
  if (!s) return;
  lock_take(&s->lock);
  if (t->previous) t->previous->next = t->next;
  else s->timers = t->next;
  if (t->next) t->next->previous = t->previous;
  lock_drop(&s->lock);
  free_timer(t);
}

void leat_i_timers_of_scope_free(leat_timer *t) {
  while (t) {
    leat_timer *next = t->next;
    free_timer(t);
    t = next;
  }
}
