/* See waiter.h. */
#include "waiter.h"
#include "channel.h"
#include "../runtime/nondet.h"

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

int leat_i_queue_withdraw(struct waiter *w, struct lock *lock, int status) {
  if (w->chan) lock = chan_lock(w->chan);
  else lock_take(lock);
  queue_remove(w);
  lock_drop(lock);
  return status;
}

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
  bool alone = how->deadline == LEAT_NEVER && !how->unlock && !how->masked;
  int status = alone ? leat_i_park_on(self, how->lock, how->reason, how->object)
                     : leat_i_park(self, &(struct park){.reason = how->reason, .object = how->object, .lock = how->lock, .unlock = how->unlock, .unlock_arg = how->unlock_arg,
                                                .deadline = how->deadline, .masked = how->masked});
  return self->woken_by == w ? w->status : leat_i_queue_withdraw(w, how->lock, status);
}
