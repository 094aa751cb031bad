/* See steal.h. */
#include "steal.h"
#include "nondet.h"
#include "run_queue.h"
#include <leat/time.h>

enum { LOOKS = 4, LOOK_PAUSES = 48 }; /* to look costs those at work the lines that they write */
enum { STEAL_COSTS = 400, EACH_COSTS = 500, LOCK_WAIT_COSTS = 3000 }; /* nanoseconds; of goroutines that do nothing nearly all take less; who waits has spun before */
static const int64_t CAREFUL_PAUSE = LEAT_US(8); /* before the last look */

enum { MOST_SEEN = 64 };
struct seen { /* by the worker's index; of those that started later, or are too many, nothing is known */
  uint32_t n;
  uint32_t ticks[MOST_SEEN], heads[MOST_SEEN], tails[MOST_SEEN];
};
struct thief {
  struct seen at_first, lately;
  bool spun; /* at_first counts */
};

static bool was_seen(const struct seen *seen, const struct worker *w) { return w->index < seen->n; }

static void see(struct seen *seen) {
  struct worker *all = load_acquire(&leat_i_sched.all); /* the latest first */
  seen->n = !all ? 0 : all->index < MOST_SEEN ? all->index + 1 : MOST_SEEN;
  for (struct worker *w = all; w; w = w->all_next) {
    if (!was_seen(seen, w)) continue;
    seen->ticks[w->index] = load_relaxed(&w->ticks);
    seen->heads[w->index] = load_relaxed(&w->head);
    seen->tails[w->index] = load_relaxed(&w->tail);
  }
}

/* Or cannot be said not to be. */
static bool is_at_work(struct worker *w, const struct thief *thief) {
  if (!load_relaxed(&w->has_token)) return false;
  if (!thief || !thief->spun || !was_seen(&thief->at_first, w)) return true;
  return load_relaxed(&w->ticks) != thief->at_first.ticks[w->index] || load_relaxed(&w->tail) != thief->at_first.tails[w->index];
}

static bool keeps_ring(struct worker *w, const struct thief *thief) {
  if (!ring_has_few(w) || !load_relaxed(&w->has_token)) return false;
  if (!thief || !was_seen(&thief->lately, w)) return true;
  return load_relaxed(&w->ticks) != thief->lately.ticks[w->index] && !(thief->spun && was_seen(&thief->at_first, w) && load_relaxed(&w->head) == thief->at_first.heads[w->index]);
}

static bool next_waits(const struct seen *lately) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next)
    if (has_next(w) && was_seen(lately, w) && load_relaxed(&w->ticks) == lately->ticks[w->index]) return true;
  return false;
}

/* ---- what pays ---- */

static bool is_careful(const struct haul *h) { return h->boldness <= 0; }
static bool may_rob_who_works(const struct haul *h) { return !is_careful(h) || h->looks >= 1u << -h->boldness; }

static uint64_t lock_waits_of(const struct worker *w) {
  static const int kinds[] = {COUNT_PARKED + WAIT_MUTEX, COUNT_PARKED + WAIT_READ_LOCK, COUNT_PARKED + WAIT_WRITE_LOCK, COUNT_CONTENDED};
  uint64_t n = 0;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) n += load_relaxed(&w->counters.n[kinds[i]]);
  return n;
}
static uint64_t lock_waits(const struct worker *thief, const struct worker *victim) { return lock_waits_of(thief) + lock_waits_of(victim); }

void leat_i_haul_weigh(struct worker *w, int64_t now) {
  struct haul *h = &w->haul;
  int64_t victim_dry = load_relaxed(&h->victim->dry_since);
  int64_t both_had_work = (victim_dry > h->since ? victim_dry : now) - h->since;
  int64_t waited = (int64_t)(lock_waits(w, h->victim) - h->lock_waits) * LOCK_WAIT_COSTS;
  bool paid = both_had_work >= STEAL_COSTS + (int64_t)h->n * EACH_COSTS + waited;
  if (paid) h->boldness = is_careful(h) ? 1 : h->boldness < BOLDEST ? h->boldness + 1 : BOLDEST;
  else h->boldness = !is_careful(h) ? 0 : h->boldness > MOST_CAREFUL ? h->boldness - 1 : MOST_CAREFUL;
  h->n = 0;
}

/* ---- taking ---- */

/* Half of the victim's ring, or `most` if that is less, goes into the ring of w, but for one, the answer. */
static struct goroutine *take_from_ring(struct worker *w, struct worker *victim, uint32_t most) {
  for (;;) {
    uint32_t h = load_acquire(&victim->head), n = load_acquire(&victim->tail) - h;
    n -= n / 2;
    if (!n) return NULL;
    if (n > MOST_STOLEN) continue; /* head and tail were read apart */
    if (n > most) n = most;
    uint32_t t = load_relaxed(&w->tail);
    for (uint32_t i = 0; i < n; i++)
      store_relaxed(&w->ring[(t + i) % RING_SIZE], load_relaxed(&victim->ring[(h + i) % RING_SIZE]));
    if (!cas(&victim->head, &h, h + n)) continue;
    store_release(&w->tail, t + n - 1);
    count_in(&w->counters, COUNT_STOLEN, n);
    w->haul.n = n;
    return load_relaxed(&w->ring[(t + n - 1) % RING_SIZE]);
  }
}

static struct goroutine *take_next(struct worker *w, struct worker *victim) {
  struct goroutine *g = has_next(victim) ? leat_i_take_next_of(victim) : NULL;
  if (!g) return NULL;
  count_in(&w->counters, COUNT_STOLEN, 1);
  w->haul.n = 1;
  return g;
}

static struct goroutine *take_from(struct worker *w, struct worker *victim, const struct thief *thief) {
  struct haul *h = &w->haul;
  bool at_work = is_at_work(victim, thief);
  struct goroutine *g = NULL;
  if ((!at_work || may_rob_who_works(h)) && !keeps_ring(victim, thief)) g = take_from_ring(w, victim, !at_work ? MOST_STOLEN : is_careful(h) ? 1 : 1u << h->boldness);
  if (!g && !at_work) g = take_next(w, victim);
  if (!g) return NULL;
  h->looks = 0;
  if (at_work) {
    h->since = leat_i_nondet_clock();
    h->victim = victim;
    h->lock_waits = lock_waits(w, victim);
  } else {
    h->n = 0; /* it is not to be weighed */
  }
  count_in(&w->counters, COUNT_STEALS, 1);
  return g;
}

/* Without a thief nothing has been seen yet. */
static struct goroutine *take_from_any(struct worker *w, const struct thief *thief) {
  struct worker *all = load_acquire(&leat_i_sched.all), *start = all;
  uint32_t skip = leat_i_nondet_choose(CHOOSE_VICTIM, 16);
  while (skip-- && start) start = start->all_next;
  if (!start) start = all;
  struct worker *victim = start;
  count_in(&w->counters, COUNT_STEAL_ATTEMPTS, 1);
  do {
    struct goroutine *g = victim != w ? take_from(w, victim, thief) : NULL;
    if (g) return g;
    victim = victim->all_next ? victim->all_next : all;
  } while (victim != start);
  return NULL;
}

/* ---- spinning ---- */

static void pause_for(int pauses) {
  for (int i = 0; i < pauses; i++) cpu_relax();
}

/* Without a look at what those at work write. */
static void pause_carefully(const struct worker *w) {
  for (int64_t until = leat_i_nondet_clock() + CAREFUL_PAUSE; leat_i_nondet_clock() < until;) {
    pause_for(LOOK_PAUSES / 4);
    if (load_relaxed(&leat_i_sched.queue_n) || load_relaxed(&leat_i_sched.stopping) || load_relaxed(&w->inbox)) return;
  }
}

struct goroutine *leat_i_steal(struct worker *w) {
  struct sched *s = &leat_i_sched;
  struct goroutine *g = take_from_any(w, NULL);
  if (g || load_relaxed(&s->workers) == 1) return g;
  if (!w->spinning) { /* no more than half of those at work may spin */
    if (2 * load_relaxed(&s->n_spinning) >= load_relaxed(&s->n_running)) return NULL;
    w->spinning = true;
    add_seq(&s->n_spinning, 1);
  }
  struct thief thief;
  bool careful = is_careful(&w->haul);
  do {
    thief.spun = false;
    see(&thief.at_first);
    if (careful) pause_carefully(w);
    for (int look = careful ? LOOKS - 1 : 0; look < LOOKS; look++) {
      see(&thief.lately);
      pause_for(LOOK_PAUSES);
      if (load_relaxed(&s->stopping) || load_relaxed(&w->inbox)) return NULL;
      if ((g = leat_i_shared_pop(w)) || (!careful && (g = take_from_any(w, &thief)))) return g;
    }
    thief.spun = true;
    w->haul.looks++;
    if ((g = take_from_any(w, &thief))) return g;
  } while (next_waits(&thief.lately)); /* its worker began to compute meanwhile */
  return NULL;
}
