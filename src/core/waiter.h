/* Queues of goroutines that wait, first come, first served: what channels, locks, conditions and counters have in common.
 *
 * A queue is guarded by a lock of its owner. An entry lies in the frame of the goroutine that waits. A waker takes entries off and claims
 * their goroutines under the lock, and makes them ready after it; an entry whose goroutine cannot be claimed belongs to one that is just
 * being cancelled or timed out: it is passed over, and finds itself off the queue. */
#pragma once
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include <string.h>

struct chan;
struct queue;

struct waiter {
  struct waiter *next, *previous;
  struct queue *queue; /* the one it is in, or NULL */
  struct goroutine *goroutine;
  int status;          /* by the claimer */
  uint32_t index;      /* which case of a select */
  size_t count;        /* values left to send (1 but for a batch); the weight asked of a semaphore */
  char *elem;          /* where a value comes from or goes to */
  struct chan *chan;   /* whose queue it is, or NULL */
};

/* An entry for one value of a channel, in no queue. */
static inline void waiter_init(struct waiter *w, struct goroutine *self, struct chan *c, char *elem) {
  w->queue = NULL;
  w->goroutine = self;
  w->count = 1;
  w->elem = elem;
  w->chan = c;
}

struct queue {
  _Atomic(struct waiter *) first; /* written under the lock; to see whether there is one, read without */
  struct waiter *last;
};

static inline struct waiter *queue_first(const struct queue *q) { return load_relaxed(&((struct queue *)q)->first); }

static inline void queue_push(struct queue *q, struct waiter *w) {
  w->next = NULL;
  w->previous = q->last;
  if (q->last) q->last->next = w;
  else store_relaxed(&q->first, w);
  q->last = w;
  w->queue = q;
}

static inline void queue_push_front(struct queue *q, struct waiter *w) {
  struct waiter *second = queue_first(q);
  w->previous = NULL;
  w->next = second;
  if (second) second->previous = w;
  else q->last = w;
  store_relaxed(&q->first, w);
  w->queue = q;
}

static inline void queue_remove(struct waiter *w) {
  struct queue *q = w->queue;
  if (!q) return;
  if (w->previous) w->previous->next = w->next;
  else store_release(&q->first, w->next); /* after a close, for who looks without the lock */
  if (w->next) w->next->previous = w->previous;
  else q->last = w->previous;
  w->queue = NULL;
}

/* The first. */
static inline void queue_pop(struct queue *q, struct waiter *w) {
  struct waiter *next = w->next;
  store_release(&q->first, next);
  if (unlikely(next)) next->previous = NULL;
  else q->last = NULL;
  w->queue = NULL;
}

/* Under the lock: w, which is off its queue, is answered. False if somebody else has claimed its goroutine. */
static inline __attribute__((always_inline)) bool waiter_claim(struct worker *worker, struct waiter *w, int status) {
  struct goroutine *g = w->goroutine;
  if (!leat_i_claim_on(worker, g, status)) return false; /* from here on it is none of ours: it may be gone when the lock is dropped */
  happens_before(g);
  w->status = status;
  g->woken_by = w;
  return true;
}
/* Under the lock: takes w off its queue and claims its goroutine; w->status is set. False if somebody else has claimed it. */
static inline bool queue_claim(struct waiter *w, int status) {
  queue_remove(w);
  return waiter_claim(leat_i_worker(), w, status);
}
/* Under the lock: the first waiter that can be claimed, off the queue, with its status set; NULL if there is none. After the lock the
 * caller makes w->goroutine ready (read it under the lock: afterwards w may be gone). */
static inline __attribute__((always_inline)) struct waiter *queue_claim_first_on(struct worker *worker, struct queue *q, int status) {
  struct waiter *w;
  while ((w = queue_first(q))) {
    queue_pop(q, w);
    if (likely(waiter_claim(worker, w, status))) return w;
  }
  return NULL;
}
static inline struct waiter *queue_claim_first(struct queue *q, int status) { return queue_claim_first_on(leat_i_worker(), q, status); }

/* A list of claimed goroutines linked by link; collected backwards, made ready in the order of collection. */
static inline void goroutine_collect(struct goroutine **list, struct goroutine *woken) {
  if (!woken) return;
  woken->link = *list;
  *list = woken;
}
void leat_i_ready_in_order(struct goroutine *collected);

struct queue_wait {
  enum wait_reason reason;
  const void *object; /* for reports */
  struct lock *lock;  /* held by the caller; it is dropped once the goroutine has left its stack. Of a channel, what chan_lock has answered */
  void (*unlock)(void *); /* what is done then, if more than that; or NULL */
  void *unlock_arg;
  int64_t deadline;   /* LEAT_NEVER */
  bool at_head;       /* not behind the others: it has waited before them already */
  bool masked;        /* neither cancellation nor the scope's deadline reach this wait: it cannot fail */
};
/* Waits in the queue, where w may be already, until claimed, cancelled or timed out; answers the claimer's status, or LEAT_CANCELED,
 * LEAT_DEADLINE, LEAT_NOMEM. The lock is no longer held afterwards, and w is in no queue. A deadline that has passed answers at once. */
int leat_i_queue_wait(struct queue *q, struct waiter *w, const struct queue_wait *how);
/* Not woken out of the queue, but interrupted: answers the status. */
int leat_i_queue_withdraw(struct waiter *w, struct lock *lock /* not needed for a channel's queue */, int status);
/* The usual case: behind the others, without a deadline. Inline, as each return behind a switch is one that the processor predicts wrong. */
static inline __attribute__((always_inline)) int queue_wait_on(struct queue *q, struct waiter *w, struct lock *lock, enum wait_reason reason, const void *object) {
  struct goroutine *self = w->goroutine;
  if (likely(!w->queue)) queue_push(q, w);
  self->woken_by = NULL;
  int status = leat_i_park_on(self, lock, reason, object);
  return likely(self->woken_by == w) ? w->status : leat_i_queue_withdraw(w, lock, status);
}
/* An operation has been done. */
static inline void note_done(struct goroutine *self) {
  self->ignored = 0;
  self->fenced = false;
}
/* The end of every operation that cancellation reaches: passes the status on, through leat_i_cancelled if the caller's scope has ended. Then a
 * channel was closed by others who were cancelled too and came first, so that a fold, say, must not take what it has for all there is. */
static inline int wait_answer(struct goroutine *self, int status) {
  if (unlikely(status != LEAT_OK)) {
    int scope_status = leat_i_scope_interrupts(self->scope);
    if (status == LEAT_CANCELED || (scope_status && status == LEAT_DEADLINE)) return leat_i_cancelled(self, status);
    if (scope_status && status == LEAT_CLOSED) return leat_i_cancelled(self, scope_status);
  }
  note_done(self);
  return status;
}
