/* See run_queue.h. */
#include "run_queue.h"

enum { MOST_FROM_QUEUE = RING_SIZE / 2 };

void leat_i_shared_push(struct goroutine *head, struct goroutine *tail, uint32_t n) {
  struct sched *s = &leat_i_sched;
  tail->link = NULL;
  lock_take(&s->lock);
  if (s->queue_tail) s->queue_tail->link = head;
  else s->queue_head = head;
  s->queue_tail = tail;
  add_seq(&s->queue_n, n);
  lock_drop(&s->lock);
  leat_i_count(COUNT_SHARED_PUSHED, n);
}

struct goroutine *leat_i_shared_pop(struct worker *w) {
  struct sched *s = &leat_i_sched;
  if (!load_relaxed(&s->queue_n)) return NULL;
  uint32_t room = RING_SIZE - (load_relaxed(&w->tail) - load_acquire(&w->head));
  lock_take(&s->lock);
  uint32_t n = load_relaxed(&s->queue_n), share = n / (uint32_t)load_relaxed(&s->workers) + 1;
  if (share > n) share = n;
  if (share > MOST_FROM_QUEUE) share = MOST_FROM_QUEUE;
  if (share > room) share = room ? room : n ? 1 : 0;
  struct goroutine *first = share ? s->queue_head : NULL, *last = NULL;
  for (uint32_t i = 0; i < share; i++) {
    last = s->queue_head;
    s->queue_head = last->link;
  }
  if (!s->queue_head) s->queue_tail = NULL;
  sub(&s->queue_n, share);
  lock_drop(&s->lock);
  if (!first) return NULL;
  count_in(&w->counters, COUNT_SHARED_POPPED, share);
  last->link = NULL;
  for (struct goroutine *g = first->link, *after; g; g = after) {
    after = g->link; /* once in the ring it may run, and use its link */
    leat_i_ring_push(w, g);
  }
  return first;
}

/* Half of a full ring and one more go to the shared queue. */
static void ring_overflow(struct worker *w, struct goroutine *g) {
  uint32_t h = load_acquire(&w->head), n = (load_relaxed(&w->tail) - h) / 2;
  struct goroutine *batch[RING_SIZE / 2];
  for (uint32_t i = 0; i < n; i++) batch[i] = load_relaxed(&w->ring[(h + i) % RING_SIZE]);
  if (n != RING_SIZE / 2 || !cas(&w->head, &h, h + n)) {
    leat_i_ring_push(w, g); /* thieves have made room */
    return;
  }
  for (uint32_t i = 0; i + 1 < n; i++) batch[i]->link = batch[i + 1];
  batch[n - 1]->link = g;
  leat_i_shared_push(batch[0], g, n + 1);
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

/* The goroutine in a next-slot is its worker's, unless that has lost its token or made no decision since `ticks` was read. */
static struct goroutine *steal_next(struct worker *w, struct worker *victim, uint32_t ticks) {
  struct goroutine *g = load_acquire(&victim->next);
  if (!g || (load_relaxed(&victim->has_token) && load_relaxed(&victim->ticks) != ticks)) return NULL;
  if (!cas(&victim->next, &g, NULL)) return NULL;
  count_in(&w->counters, COUNT_STOLEN, 1);
  return g;
}

struct goroutine *leat_i_steal(struct worker *w, bool stale) {
  struct worker *all = load_acquire(&leat_i_sched.all), *start = all;
  uint32_t skip = leat_i_nondet_choose(CHOOSE_VICTIM, 16);
  while (skip-- && start) start = start->all_next;
  if (!start) start = all;
  struct worker *victim = start;
  count_in(&w->counters, COUNT_STEAL_ATTEMPTS, 1);
  do {
    struct goroutine *g = NULL;
    if (victim != w) g = ring_steal(w, victim);
    if (!g && victim != w && (stale || !load_relaxed(&victim->has_token))) g = steal_next(w, victim, load_relaxed(&victim->ticks));
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
  struct goroutine *g = exchange(&w->next, NULL);
  if (g) leat_i_shared_push(g, g, 1);
  while ((g = ring_pop(w))) leat_i_shared_push(g, g, 1);
}

bool leat_i_work_waits(void) {
  struct sched *s = &leat_i_sched;
  if (load_seq(&s->queue_n)) return true;
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next)
    if (!ring_is_empty(w) || (!load_relaxed(&w->has_token) && load_relaxed(&w->next))) return true;
  return false;
}
