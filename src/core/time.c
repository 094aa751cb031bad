/* See time.h and leat/time.h.
 *
 * A timer that sends, and a ticker, belong to their channel, which belongs to the scope: whoever releases one releases the other. That is
 * what makes leat_release(leat_after(...)) free all there is. It cannot go by itself when its value has been taken: the program still has the
 * handle, and may receive from it again, as a loop around a select does with a timeout made before the loop; to reuse the memory would give
 * such a loop the value of another timer. (Go leaves this to its garbage collector.) What ends with the value is the entry in the heap.
 * A timer that runs a function belongs to the scope, in which it starts a goroutine; it has no channel.
 *
 * Stopping or resetting a timer first disarms it, which waits for a delivery in progress, then empties its channel: no value of before is
 * received afterwards, and the answer says whether there would have been one (as Go has it since 1.23; before, the two could disagree). */
#include "time.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../inspect/leak.h"
#include "channel.h"
#include "membership.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include <stdlib.h>
#include <string.h>

int64_t leat_now(void) { return leat_i_nondet_clock(); }

int64_t leat_i_deadline_after(int64_t duration) {
  int64_t time;
  if (duration < 0) duration = 0;
  return __builtin_add_overflow(leat_i_nondet_clock(), duration, &time) ? LEAT_NEVER : time;
}

static int sleep_until(int64_t time, bool has_passed) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (has_passed) {
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

int leat_sleep_until(int64_t time) { return sleep_until(time, time <= leat_i_nondet_clock()); }

/* Only a short one can be over already. */
int leat_sleep(int64_t duration) {
  int64_t time = leat_i_deadline_after(duration);
  return duration < LEAT_US(1) ? leat_sleep_until(time) : sleep_until(time, false);
}

/* These run on any worker or the watcher, outside all locks: they must not block, and are no operations of the goroutine that happens to be
 * there. */
static struct goroutine *deliver(struct timer *t, int64_t now) {
  struct chan *c = chan_of(((struct leat_timer *)t)->chan);
  struct goroutine *woken = NULL;
  struct lock *lock = chan_lock(c);
  quietly leat_i_chan_send_locked(c, &now, &woken); /* full: the tick is dropped */
  chan_timer_fired(c, woken);
  lock_drop(lock);
  return woken;
}

static struct goroutine *run_function(struct timer *timer, int64_t now) {
  (void)now;
  static const leat_go_options plain;
  struct function_timer *t = (struct function_timer *)timer;
  happens_after(t);
  struct goroutine *g = leat_i_goroutine_new(&(struct goroutine_start){
    .scope = t->scope, .fn = t->fn, .args = t->args, .birthplace = t->birthplace, .options = &plain});
  int status = g ? leat_i_member_add(t->scope, g) : LEAT_NOMEM;
  if (status == LEAT_OK) return g;
  if (g) leat_i_goroutine_discard(g); /* the scope is cancelled */
  else leat_i_scope_fail(t->scope, LEAT_NOMEM, "a timer's function could not be started", NULL, t->birthplace);
  return NULL;
}

static leat_timer *no_memory_timer(void) {
  static leat_timer failed = {.failed = true};
  failed.chan = (struct leat_i_chan *)leat_i_chan_failed();
  return &failed;
}

static leat_timer *start(const struct leat_scope *s, int64_t duration, int64_t period, void *made_by) {
  not_after_fork();
  leat_timer *t = calloc(1, sizeof *t);
  if (!t) return no_memory_timer();
  t->kind = period ? TIMER_TICKS : TIMER_SENDS;
  t->made_by = (uintptr_t)made_by;
  t->timer.fire = deliver;
  struct chan *c = leat_i_chan_new(sizeof(int64_t), 1, "a timer");
  if (c == leat_i_chan_failed()) {
    free(t);
    return no_memory_timer();
  }
  t->chan = (struct leat_i_chan *)c;
  c->timer = t;
  leat_i_chan_enlist(c, s ? (struct scope *)s : leat_i_self()->scope);
  chan_timer_armed(c);
  if (leat_i_timer_arm(&t->timer, leat_i_deadline_after(duration), period) == LEAT_OK) return t;
  leat_i_release(t->chan);
  return no_memory_timer();
}

leat_timer *leat_timer_start(const struct leat_scope *s, int64_t duration) { return start(s, duration, 0, __builtin_return_address(0)); }

leat_timer *leat_ticker_start(const struct leat_scope *s, int64_t period) {
  if (period <= 0) leat_i_panic("leat_ticker_start: the period must be positive, and is %lld ns; to be told once, leat_timer_start", (long long)period);
  return start(s, period, period, __builtin_return_address(0));
}

struct leat_i_chan *leat_i_after(const struct leat_scope *s, int64_t duration) { return start(s, duration, 0, __builtin_return_address(0))->chan; }

leat_timer *leat_timer_func(const struct leat_scope *scope, int64_t duration, leat_closure function) {
  not_after_fork();
  struct scope *s = scope ? (struct scope *)scope : leat_i_self()->scope;
  struct function_timer *t = malloc(sizeof *t + function.leat_i_fn->size);
  if (!t) {
    leat_i_scope_fail(s, LEAT_NOMEM, "a timer could not be started", NULL, function.leat_i_birthplace);
    return no_memory_timer();
  }
  *t = (struct function_timer){.timer = {.timer.fire = run_function, .kind = TIMER_RUNS}, .epoch = leak_epoch(), .scope = s, .fn = function.leat_i_fn, .birthplace = function.leat_i_birthplace};
  memcpy(t->args, function.leat_i_args, t->fn->size);
  lock_take(&s->lock);
  t->next = s->timers;
  if (s->timers) s->timers->previous = t;
  s->timers = t;
  lock_drop(&s->lock);
  happens_before(t);
  if (leat_i_timer_arm(&t->timer.timer, leat_i_deadline_after(duration), 0) != LEAT_OK)
    leat_i_scope_fail(s, LEAT_NOMEM, "a timer could not be started", NULL, function.leat_i_birthplace);
  return &t->timer;
}

struct leat_i_chan *leat_i_timer_chan(leat_timer *t) { return t->chan; }

/* Takes out the value of before, if there is one. */
static bool empty(leat_timer *t) {
  struct chan *c = chan_of(t->chan);
  struct goroutine *woken = NULL;
  int64_t stale;
  struct lock *lock = chan_lock(c);
  bool full = load_relaxed(&c->n);
  if (full) leat_i_chan_recv_locked(c, &stale, &woken); /* nobody sends but the timer: nobody is woken */
  chan_timer_armed(c); /* perhaps: nothing is in it */
  lock_drop(lock);
  return full;
}

/* Whether there would have been a value, or a run. */
static bool disarm_and_empty(leat_timer *t) {
  bool pending = leat_i_timer_disarm(&t->timer);
  if (t->kind == TIMER_RUNS) return pending;
  return empty(t) || pending;
}

bool leat_timer_stop(leat_timer *t) {
  not_after_fork();
  if (t->failed) return false;
  lock_take(&t->lock);
  bool pending = disarm_and_empty(t);
  lock_drop(&t->lock);
  return pending;
}

/* What comes out of it then comes after what has been done by who resets it. */
static void note_reset(leat_timer *t) {
  if (t->kind == TIMER_RUNS) {
    happens_before(t);
    return;
  }
#ifdef LEAT_HAPPENS
  struct chan *c = chan_of(t->chan);
  struct lock *lock = chan_lock(c);
  chan_timer_armed(c);
  lock_drop(lock);
#endif
}

bool leat_timer_reset(leat_timer *t, int64_t duration) {
  not_after_fork();
  if (t->failed) return false;
  bool ticks = t->kind == TIMER_TICKS;
  if (ticks && duration <= 0) leat_i_panic("leat_timer_reset: a ticker's period must be positive, and is %lld ns; to end it, leat_timer_stop", (long long)duration);
  int64_t when = leat_i_deadline_after(duration);
  note_reset(t);
  /* To move an armed one is all: unless it ticks its channel is empty. Without the lock: who stops or resets it besides does so before or after. */
  if (leat_i_timer_move(&t->timer, when, ticks ? duration : 0)) {
    if (ticks && load_relaxed(&chan_of(t->chan)->n)) empty(t); /* a tick of after the reset, too, if it is so late; the next is a period away */
    return true;
  }
  lock_take(&t->lock);
  bool pending = disarm_and_empty(t);
  int status = leat_i_timer_arm(&t->timer, when, ticks ? duration : 0);
  lock_drop(&t->lock);
  if (status) leat_i_log("leat: out of memory: a timer could not be reset and will not fire");
  return pending;
}

void leat_i_timer_free(leat_timer *t) {
  if (!t) return;
  leat_i_timer_disarm(&t->timer);
  free(t);
}

void leat_timer_release(leat_timer *timer) {
  not_after_fork();
  if (timer->failed) return;
  if (timer->kind != TIMER_RUNS) {
    leat_i_release(timer->chan);
    return;
  }
  struct function_timer *t = (struct function_timer *)timer;
  struct scope *s = t->scope;
  lock_take(&s->lock);
  if (t->previous) t->previous->next = t->next;
  else s->timers = t->next;
  if (t->next) t->next->previous = t->previous;
  lock_drop(&s->lock);
  leat_i_timer_free(timer);
}

void leat_i_timers_of_scope_stop(struct scope *s) {
  for (struct function_timer *t = s->timers; t; t = t->next) leat_i_timer_disarm(&t->timer.timer);
}

void leat_i_timers_of_scope_free(struct function_timer *t) {
  while (t) {
    struct function_timer *next = t->next;
    leat_i_timer_free(&t->timer);
    t = next;
  }
}
