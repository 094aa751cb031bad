/* Queues of goroutines that wait, first come, first served: what channels, locks, conditions and counters have in common.
 *
 * A queue is guarded by a lock of its owner. An entry lies in the frame of the goroutine that waits. A waker takes entries off and claims
 * their goroutines under the lock, and makes them ready after it; an entry whose goroutine cannot be claimed belongs to one that is just
 * being cancelled or timed out: it is passed over, and finds itself off the queue. */
#pragma once
#include "../runtime/scheduler.h"
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
  struct chan *chan;
};

struct queue {
  struct waiter *first, *last;
};

static inline void queue_push(struct queue *q, struct waiter *w) {
  w->next = NULL;
  w->previous = q->last;
  if (q->last) q->last->next = w;
  else q->first = w;
  q->last = w;
  w->queue = q;
}

static inline void queue_push_front(struct queue *q, struct waiter *w) {
  w->previous = NULL;
  w->next = q->first;
  if (q->first) q->first->previous = w;
  else q->last = w;
  q->first = w;
  w->queue = q;
}

static inline void queue_remove(struct waiter *w) {
  struct queue *q = w->queue;
  if (!q) return;
  if (w->previous) w->previous->next = w->next;
  else q->first = w->next;
  if (w->next) w->next->previous = w->previous;
  else q->last = w->previous;
  w->queue = NULL;
}

/* Under the lock: takes w off its queue and claims its goroutine; w->status is set. False if somebody else has claimed it. */
bool leat_i_queue_claim(struct waiter *w, int status);
/* Under the lock: the first waiter that can be claimed, off the queue, with its status set; NULL if there is none. After the lock the
 * caller makes w->goroutine ready (read it under the lock: afterwards w may be gone). */
struct waiter *leat_i_queue_claim_first(struct queue *q, int status);

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
  struct lock *lock;  /* held by the caller; it is dropped once the goroutine has left its stack */
  void (*unlock)(void *); /* what is done then, if more than that; or NULL */
  void *unlock_arg;
  int64_t deadline;   /* LEAT_NEVER */
  bool at_head;       /* not behind the others: it has waited before them already */
  bool masked;        /* neither cancellation nor the scope's deadline reach this wait: it cannot fail */
};
/* Waits in the queue, where w may be already, until claimed, cancelled or timed out; answers the claimer's status, or LEAT_CANCELED,
 * LEAT_DEADLINE, LEAT_NOMEM. The lock is no longer held afterwards, and w is in no queue. A deadline that has passed answers at once. */
int leat_i_queue_wait(struct queue *q, struct waiter *w, const struct queue_wait *how);
/* The end of every wait that cancellation reaches: passes the status on, through leat_i_cancelled if the caller's scope has ended. */
int leat_i_wait_answer(struct goroutine *self, int status);
