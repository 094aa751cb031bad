/* See waiter.h. */
#include "waiter.h"
#include "../runtime/nondet.h"
#include "panic.h"
#include "scope.h"

bool leat_i_queue_claim(struct waiter *w, int status) {
  struct goroutine *g = w->goroutine;
  queue_remove(w);
  if (!leat_i_claim(g, status)) return false; /* from here on it is none of ours: it may be gone when the lock is dropped */
  happens_before(g);
  w->status = status;
  g->woken_by = w;
  return true;
}

struct waiter *leat_i_queue_claim_first(struct queue *q, int status) {
  struct waiter *w;
  while ((w = q->first))
    if (leat_i_queue_claim(w, status)) return w;
  return NULL;
}

void leat_i_ready_in_order(struct goroutine *collected) {
  struct goroutine *ordered = NULL;
  while (collected) {
    struct goroutine *next = collected->link;
    collected->link = ordered;
    ordered = collected;
    collected = next;
  }
  leat_i_ready_list(ordered);
}

static void drop(void *lock) { lock_drop(lock); }

int leat_i_queue_wait(struct queue *q, struct waiter *w, const struct queue_wait *how) {
  struct goroutine *self = w->goroutine;
  if (unlikely(how->deadline != LEAT_NEVER && how->deadline <= leat_i_nondet_clock())) {
    queue_remove(w);
    lock_drop(how->lock);
    leat_i_count(COUNT_TIMEOUTS, 1);
    return LEAT_DEADLINE;
  }
  if (how->at_head) queue_push_front(q, w);
  else if (!w->queue) queue_push(q, w);
  self->woken_by = NULL;
  int status = leat_i_park(self, &(struct park){.reason = how->reason, .object = how->object, .unlock = how->unlock ? how->unlock : drop, .unlock_arg = how->unlock ? how->unlock_arg : how->lock, .deadline = how->deadline, .masked = how->masked});
  if (likely(self->woken_by == w)) return w->status;
  lock_take(how->lock);
  queue_remove(w);
  lock_drop(how->lock);
  return status;
}

int leat_i_wait_answer(struct goroutine *self, int status) {
  if (status == LEAT_CANCELED || (status == LEAT_DEADLINE && leat_i_scope_interrupts(self->scope))) return leat_i_cancelled(self, status);
  self->ignored = 0;
  return status;
}
