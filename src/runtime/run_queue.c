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

/* Moves half of the victim's ring; answers one of them. */
static struct goroutine *ring_steal(struct worker *w, struct worker *victim) {
  for (;;) {
    uint32_t h = load_acquire(&victim->head), n = load_acquire(&victim->tail) - h;
    n -= n / 2;
    if (!n) return NULL;
    if (n > RING_SIZE / 2) continue; /* head and tail were read apart */
    uint32_t t = load_relaxed(&w->tail);
    for (uint32_t i = 0; i < n; i++)
      store_relaxed(&w->ring[(t + i) % RING_SIZE], load_relaxed(&victim->ring[(h + i) % RING_SIZE]));
    if (!cas(&victim->head, &h, h + n)) continue;
    store_release(&w->tail, t + n - 1);
    count_in(&w->counters, COUNT_STOLEN, n);
    return load_relaxed(&w->ring[(t + n - 1) % RING_SIZE]);
  }
}

/* What lies in another worker's next-slot, or its latest starter, or NULL; perhaps NULL because somebody is at it. */
static struct goroutine *take_next_of(struct worker *w) {
  struct goroutine *g = NULL;
  if (!has_next(w) || !leat_i_biased_claim(&w->at_next)) return NULL;
  if ((g = load_acquire(&w->next))) store_relaxed(&w->next, NULL);
  else if ((g = load_acquire(&w->starters))) store_relaxed(&w->starters, g->link);
  biased_unclaim(&w->at_next);
  return g;
}

void leat_i_see(struct looked *seen) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
    if (w->index >= MOST_SEEN) continue;
    seen->ticks[w->index] = load_relaxed(&w->ticks);
    seen->heads[w->index] = load_relaxed(&w->head);
  }
}

static bool keeps_next(struct worker *w, const struct thief *thief) {
  if (!load_relaxed(&w->has_token)) return false;
  return !thief || !thief->spun || w->index >= MOST_SEEN || load_relaxed(&w->ticks) != thief->at_first.ticks[w->index];
}
enum { FEW = 3 };
static bool keeps_ring(struct worker *w, const struct thief *thief) {
  uint32_t h = load_relaxed(&w->head);
  if (load_relaxed(&w->tail) - h >= FEW || !load_relaxed(&w->has_token)) return false;
  if (!thief || w->index >= MOST_SEEN) return true;
  return load_relaxed(&w->ticks) != thief->lately.ticks[w->index] && !(thief->spun && h == thief->at_first.heads[w->index]);
}

static struct goroutine *steal_next(struct worker *w, struct worker *victim, const struct thief *thief) {
  if (!has_next(victim) || keeps_next(victim, thief)) return NULL;
  struct goroutine *g = take_next_of(victim);
  if (!g) return NULL;
  count_in(&w->counters, COUNT_STOLEN, 1);
  return g;
}

struct goroutine *leat_i_steal(struct worker *w, const struct thief *thief) {
  struct worker *all = load_acquire(&leat_i_sched.all), *start = all;
  uint32_t skip = leat_i_nondet_choose(CHOOSE_VICTIM, 16);
  while (skip-- && start) start = start->all_next;
  if (!start) start = all;
  struct worker *victim = start;
  count_in(&w->counters, COUNT_STEAL_ATTEMPTS, 1);
  do {
    struct goroutine *g = NULL;
    if (victim != w && !keeps_ring(victim, thief)) g = ring_steal(w, victim);
    if (!g && victim != w) g = steal_next(w, victim, thief);
    if (g) {
      count_in(&w->counters, COUNT_STEALS, 1);
      return g;
    }
    victim = victim->all_next ? victim->all_next : all;
  } while (victim != start);
  return NULL;
}

/* Stealing would not do: a spare worker that always has work of its own would never come to it. */
void leat_i_hand_on(struct worker *w) {
  bool own = leat_i_worker() == w;
  struct goroutine *g = own ? next_take(w) : take_next_of(w);
  for (; g; g = own ? starter_pop(w) : take_next_of(w)) leat_i_shared_push(&g, 1);
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
