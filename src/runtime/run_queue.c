/* See run_queue.h. */
#include "run_queue.h"
#include "../inspect/cfi.h"
#include <leat/status.h>
#include <sched.h>
#include <stdlib.h>

enum {
  MOST_FROM_QUEUE = RING_SIZE / 2,
  SPARE = 64, /* goroutines that have no stack of ours: the main one */
};

/* The shared queue: a circular array with room for every stack there is, so that making a goroutine runnable cannot fail. A list through the
 * descriptors would need no memory, but to take 128 from it one would wait for 128 cold cache lines, one after the other (a third of the
 * time of skynet). Guarded by the scheduler's lock; it outlives the runtime, as the stacks do. */
static struct goroutine **queue;
static uint32_t queue_room, queue_reserved, queue_head; /* the room is a power of two */

int leat_i_shared_reserve(uint32_t more) {
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  uint32_t room = queue_room ? queue_room : 1024;
  while (room < queue_reserved + more + SPARE) room *= 2;
  int status = LEAT_OK;
  if (room > queue_room) {
    struct goroutine **wider = malloc(room * sizeof *wider);
    if (wider) {
      for (uint32_t i = 0; i < load_relaxed(&s->queue_n); i++) wider[i] = queue[(queue_head + i) % queue_room];
      free(queue);
      queue = wider;
      queue_room = room;
      queue_head = 0;
    } else {
      status = LEAT_NOMEM;
    }
  }
  if (!status) queue_reserved += more;
  lock_drop(&s->lock);
  return status;
}

void leat_i_shared_push(struct goroutine *const *goroutines, uint32_t n) {
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  uint32_t end = queue_head + load_relaxed(&s->queue_n);
  for (uint32_t i = 0; i < n; i++) queue[(end + i) % queue_room] = goroutines[i];
  add_seq(&s->queue_n, n);
  lock_drop(&s->lock);
  leat_i_count(COUNT_SHARED_PUSHED, n);
}

struct goroutine *leat_i_shared_pop(struct worker *w) {
  struct sched *s = &leat_i_sched;
  if (!load_relaxed(&s->queue_n)) return NULL;
  uint32_t t = load_relaxed(&w->tail), room = RING_SIZE - (t - load_acquire(&w->head));
  lock_take(&s->lock);
  uint32_t n = load_relaxed(&s->queue_n), share = n / (uint32_t)load_relaxed(&s->workers) + 1;
  if (share > n) share = n;
  if (share > MOST_FROM_QUEUE) share = MOST_FROM_QUEUE;
  if (share > room + 1) share = room + 1;
  struct goroutine *first = share ? queue[queue_head % queue_room] : NULL;
  for (uint32_t i = 1; i < share; i++) store_relaxed(&w->ring[(t + i - 1) % RING_SIZE], queue[(queue_head + i) % queue_room]);
  queue_head += share;
  sub(&s->queue_n, share);
  lock_drop(&s->lock);
  if (!share) return NULL;
  count_in(&w->counters, COUNT_SHARED_POPPED, share);
  store_release(&w->tail, t + share - 1);
  return first;
}

/* Half of a full ring and one more go to the shared queue. */
static void ring_overflow(struct worker *w, struct goroutine *g) {
  uint32_t h = load_acquire(&w->head), n = (load_relaxed(&w->tail) - h) / 2;
  struct goroutine *batch[RING_SIZE / 2 + 1];
  for (uint32_t i = 0; i < n; i++) batch[i] = load_relaxed(&w->ring[(h + i) % RING_SIZE]);
  if (n != RING_SIZE / 2 || !cas(&w->head, &h, h + n)) {
    leat_i_ring_push(w, g); /* thieves have made room */
    return;
  }
  batch[n] = g;
  leat_i_shared_push(batch, n + 1);
}

void leat_i_ring_push(struct worker *w, struct goroutine *g) {
  uint32_t t = load_relaxed(&w->tail);
  if (unlikely(t - load_acquire(&w->head) >= RING_SIZE)) {
    ring_overflow(w, g);
    return;
  }
  store_relaxed(&w->ring[t % RING_SIZE], g);
  store_release(&w->tail, t + 1);
}

struct goroutine *leat_i_take_next_of(struct worker *w) {
  struct goroutine *g = NULL;
  if (!has_next(w) || !leat_i_biased_claim(&w->at_next)) return NULL;
  if ((g = load_acquire(&w->next))) store_relaxed(&w->next, NULL);
  else if ((g = load_acquire(&w->starters))) store_relaxed(&w->starters, g->link);
  biased_unclaim(&w->at_next);
  return g;
}

/* Stealing would not do: a spare worker that always has work of its own would never come to it. */
void leat_i_hand_on(struct worker *w) {
  bool own = leat_i_worker() == w;
  struct goroutine *g = own ? next_take(w) : leat_i_take_next_of(w);
  for (; g; g = own ? starter_pop(w) : leat_i_take_next_of(w)) leat_i_shared_push(&g, 1);
  while ((g = ring_pop(w))) leat_i_shared_push(&g, 1);
}

bool leat_i_work_waits(void) {
  struct sched *s = &leat_i_sched;
  if (load_seq(&s->queue_n)) return true;
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next)
    if (!ring_is_empty(w) || (!load_relaxed(&w->has_token) && has_next(w))) return true;
  return false;
}

/* A goroutine may run, end, and be another's while it is looked at: descriptors stay readable, and this word is a stamp or 0 at any time. */
static void note_older(struct goroutine *g, int64_t *oldest) {
  int64_t since = g ? (int64_t)peek((uintptr_t)&g->runnable_since) : 0;
  if (since && (!*oldest || since < *oldest)) *oldest = since;
}

int64_t leat_i_oldest_runnable(void) {
  struct sched *s = &leat_i_sched;
  int64_t oldest = 0;
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next) {
    uint32_t h = load_acquire(&w->head);
    note_older(load_relaxed(&w->next), &oldest);
    note_older(load_relaxed(&w->starters), &oldest);
    note_older(load_relaxed(&w->inbox), &oldest);
    if (h != load_acquire(&w->tail)) note_older(load_relaxed(&w->ring[h % RING_SIZE]), &oldest);
  }
  lock_take(&s->lock);
  if (load_relaxed(&s->queue_n)) note_older(queue[queue_head % queue_room], &oldest);
  lock_drop(&s->lock);
  return oldest;
}
