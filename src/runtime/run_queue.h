/* Where a runnable goroutine waits, in order of preference:
 *
 *   the next-slot of a worker   the one woken last: it runs next and inherits the rest of the slice
 *   a worker's starters         while half a ring waits: who has started goroutines that run first, and whom the next one woken has displaced from the
 *                               next-slot; newest first, for what is left of the slice. So trees of goroutines that hand something up are gone
 *                               through in depth (skynet: 12,000 alive at a time, which were 30,000, and half the time)
 *   a worker's ring             256, first in first out; the owner appends, any thread takes from the front, thieves half of it at once
 *   the shared queue            overflow, wakes from plain threads, goroutines that used up their slice on a worker without a token
 *   its home worker's inbox     pinned goroutines, and the main goroutine (park.c)
 *
 * The ring is Go's, after Chase and Lev: head moves by compare-and-swap, the owner's pops too, so that one thief may take many. */
#pragma once
#include "nondet.h"
#include "worker.h"

/* To the back of the shared queue. */
void leat_i_shared_push(struct goroutine *const *goroutines, uint32_t n);
/* Room for so many more goroutines in it. LEAT_OK, LEAT_NOMEM. */
int leat_i_shared_reserve(uint32_t more);
/* A fair share of the shared queue: one to run, the others into the ring of w, the caller's. */
struct goroutine *leat_i_shared_pop(struct worker *w);
/* What lies in another worker's next-slot, or its latest starter, or NULL; perhaps NULL because somebody is at it. */
struct goroutine *leat_i_take_next_of(struct worker *w);
/* Any thread, the owner or not: all that waits at a worker that has no token goes to the shared queue. */
void leat_i_hand_on(struct worker *w);
/* Whether anything waits that a worker without work of its own could run. */
bool leat_i_work_waits(void);
/* Since when the first of any queue has been runnable, by its stamp; 0: none waits that has one. Any thread. */
int64_t leat_i_oldest_runnable(void);
/* By the owner, at the back. Not inline: for most of its callers it is the rare case. */
void leat_i_ring_push(struct worker *w, struct goroutine *g);

/* The next-slot is filled and emptied at most switches, and emptied by others hardly ever: it is guarded, as the list of starters is, by a
 * biased lock. Others never fill the slot, so to fill an empty one takes no lock. */
static inline struct goroutine *next_replace(struct worker *w, struct goroutine *g) {
  biased_take(&w->at_next);
  struct goroutine *before = load_relaxed(&w->next);
  store_release(&w->next, g);
  biased_drop(&w->at_next);
  return before;
}
static inline struct goroutine *next_take(struct worker *w) { return next_replace(w, NULL); }

static inline void starter_push(struct worker *w, struct goroutine *g) {
  biased_take(&w->at_next);
  g->link = load_relaxed(&w->starters);
  store_release(&w->starters, g);
  biased_drop(&w->at_next);
}
static inline struct goroutine *starter_pop(struct worker *w) {
  biased_take(&w->at_next);
  struct goroutine *g = load_relaxed(&w->starters);
  if (g) store_relaxed(&w->starters, g->link);
  biased_drop(&w->at_next);
  return g;
}

/* Whether anything lies where its worker, as long as that makes decisions, takes it first. */
static inline bool has_next(struct worker *w) { return load_relaxed(&w->next) || load_relaxed(&w->starters); }

static inline bool ring_is_empty(struct worker *w) { return load_acquire(&w->head) == load_acquire(&w->tail); }
enum { FEW = 3 };
static inline bool ring_has_few(struct worker *w) { return load_relaxed(&w->tail) - load_relaxed(&w->head) < FEW; }

/* Of many goroutines each has a cold descriptor and a cold stack by the time it runs, on a page that the processor's page tables have forgotten: fetches
 * those of the ones after next while others run. First the page and the first line, then the rest of the descriptor, then what its frames hold, as
 * far as it will return through them (100,000 that are cancelled: 40 % less time than with a fifth of the lines; skynet: 20 %). Descriptors stay readable
 * for ever; a value that is out of date costs a useless fetch. */
static inline void prefetch_lines(const char *from, const char *to) {
  for (; from < to; from += 64) __builtin_prefetch(from, 1);
}
static inline void ring_prefetch(struct worker *w, uint32_t h) {
  (void)w, (void)h;
#ifndef LEAT_TSAN
  enum { FAR = 8, LATER = 5, SOON = 3, FRAMES = 20 * 64 };
  uint32_t n = load_relaxed(&w->tail) - h;
  if (n > FAR) __builtin_prefetch(load_relaxed(&w->ring[(h + FAR) % RING_SIZE]), 1);
  if (n > LATER) {
    const char *later = (const char *)load_relaxed(&w->ring[(h + LATER) % RING_SIZE]);
    prefetch_lines(later + 64, later + sizeof(struct goroutine));
  }
  if (n > SOON) {
    struct goroutine *soon = load_relaxed(&w->ring[(h + SOON) % RING_SIZE]);
    const char *sp = *(void *volatile *)&soon->sp, *end = (const char *)soon;
    prefetch_lines(sp, end - sp > FRAMES ? sp + FRAMES : end);
  }
#endif
}

/* Any thread: one goroutine from the front. */
static inline struct goroutine *ring_pop(struct worker *w) {
  uint32_t h = load_acquire(&w->head);
  while (h != load_acquire(&w->tail)) {
    struct goroutine *g = load_relaxed(&w->ring[h % RING_SIZE]);
    if (cas(&w->head, &h, h + 1)) return g;
  }
  return NULL;
}

/* The one that waits longest; in a simulation any. */
static inline struct goroutine *ring_next(struct worker *w) {
  if (leat_i_nondet_any_next()) {
    uint32_t n = load_relaxed(&w->tail) - load_relaxed(&w->head);
    for (uint32_t k = n ? leat_i_nondet_choose(CHOOSE_NEXT, n) : 0; k; k--) leat_i_ring_push(w, ring_pop(w));
  }
  ring_prefetch(w, load_relaxed(&w->head));
  return ring_pop(w);
}
