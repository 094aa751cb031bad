/* See leat/event.h.
 *
 * One word: SET, or QUEUED: there may be somebody in the queue. Never both. QUEUED is set and cleared under the lock only, and whenever the
 * queue is not empty it is set; so a set that finds it clear is one compare-and-swap, the last that it does to the event. Otherwise it
 * empties the queue under the lock: whom it finds there cannot return, and free the event, before the lock is dropped. */
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include <leat/event.h>

enum { SET = 1, QUEUED = 2 };

struct event {
  _Atomic(uint32_t) state;
  struct lock lock;
  struct queue queue;
};
_Static_assert(sizeof(struct event) <= sizeof(leat_event), "leat_event has too little room");

/* False if there was nobody in the queue. */
static bool set_and_wake(struct event *e) {
  struct goroutine *woken = NULL;
  struct waiter *w;
  lock_take(&e->lock);
  bool any = queue_first(&e->queue);
  if (any) {
    while ((w = queue_claim_first(&e->queue, LEAT_OK))) goroutine_collect(&woken, w->goroutine);
    exchange(&e->state, SET);
  } else {
    atomic_fetch_and(&e->state, ~(uint32_t)QUEUED);
  }
  lock_drop(&e->lock);
  leat_i_ready_in_order(woken);
  return any;
}

void leat_event_set(leat_event *event) {
  happens_call();
  struct event *e = (struct event *)event;
  not_after_fork();
  happens_before(e);
  uint32_t state = load_relaxed(&e->state);
  for (;;) {
    if (unlikely(state & QUEUED)) {
      if (set_and_wake(e)) return;
      state = load_relaxed(&e->state);
    } else if (cas(&e->state, &state, SET)) {
      return;
    }
  }
}

void leat_event_reset(leat_event *event) { atomic_fetch_and(&((struct event *)event)->state, ~(uint32_t)SET); }

bool leat_event_is_set(const leat_event *event) {
  bool set = load_acquire(&((struct event *)event)->state) & SET;
  if (set) happens_after(event);
  return set;
}

static int wait_in_queue(struct event *e, struct goroutine *self, int64_t deadline, bool masked) {
  lock_take(&e->lock);
  uint32_t state = load_acquire(&e->state);
  do {
    if (state & SET) {
      lock_drop(&e->lock);
      return LEAT_OK;
    }
  } while (!(state & QUEUED) && !cas(&e->state, &state, QUEUED));
  struct waiter w = {.goroutine = self};
  return leat_i_queue_wait(&e->queue, &w, &(struct queue_wait){.reason = WAIT_EVENT, .object = e, .lock = &e->lock, .deadline = deadline, .masked = masked});
}

void leat_event_wait(leat_event *event) {
  happens_call();
  if (!leat_event_is_set(event)) wait_in_queue((struct event *)event, leat_i_self(), LEAT_NEVER, true);
  happens_after(event);
}

int leat_event_wait_until(leat_event *event, int64_t deadline) {
  happens_call();
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (!status && !leat_event_is_set(event)) status = wait_in_queue((struct event *)event, self, deadline, false);
  if (!status) happens_after(event);
  return wait_answer(self, status);
}

int leat_event_wait_cancellable(leat_event *event) {
  happens_call();
  return leat_event_wait_until(event, LEAT_NEVER);
}
