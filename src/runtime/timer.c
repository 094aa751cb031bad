/* See timer.h. */
#include "timer.h"
#include "nondet.h"
#include "poller.h"
#include "scheduler.h"
#include <leat/status.h>
#include <leat/time.h>
#include <stdlib.h>

enum { SHARDS = 16, ARITY = 4 };
static const int64_t GRACE = LEAT_US(100);
enum { MOST_AT_ONCE = 64 }; /* then those woken run, while what is theirs is in the cache, and others take their share (a thousand at once: 1.2 times faster) */

/* Sifting stays in arrays: an entry has its time beside it (or an earlier one, if the timer has been moved), and says by a number whose it is, under which the shard knows the timer and its
 * place in the heap. A place kept in the timer itself would be a cold line for each level (to stop one of a million: 115 against 86 ns). */
struct entry {
  int64_t when;
  uint32_t number;
};

/* The first few entries are kept in front of the heap, in order: one that is armed for soon, fires, and is armed again, beside many that are far away,
 * would go up through all levels of the heap and let another go down through them each time. None in the heap is earlier than any in front. */
enum { FRONT = 4 };

struct shard {
  _Alignas(64) struct lock lock;
  uint32_t n, room; /* in the heap; for all */
  uint32_t n_front;
  struct entry front[FRONT]; /* the last is the first to fire */
  struct entry *heap;
  uint32_t *place;       /* by number: in the heap, or IN_FRONT and more; of a free number the next free one */
  struct timer **timers; /* by number */
  uint32_t free_number;  /* the first; == room: none */
  uint64_t armed, fired, stopped;
  _Alignas(64) _Atomic(int64_t) next; /* of the first entry; 0: none. Any worker looks at it: in a line of its own, with the two that follow */
  _Atomic(uint64_t) firing, done; /* callbacks that have begun, and those of which whom they woke is ready. The one is stored under the lock */
};
static const uint32_t IN_FRONT = UINT32_C(1) << 31;
static struct shard shards[SHARDS];
static _Atomic(int) n_shards; /* that have ever been used */

/* The worker's, or of a plain thread the first one's. */
static uint16_t shard_of(const struct worker *w) { return w ? w->index % SHARDS : 0; }

/* A timer's state word: an enum timer_state, and unless it is idle the shard in which it is so, in one word so that who looks sees both of one moment. */
enum { STATE_BITS = 2 };
static uint32_t state_in(const struct shard *s, enum timer_state state) { return (uint32_t)(s - shards) << STATE_BITS | state; }
static bool is(enum timer_state state, uint32_t word) { return (word & ((1 << STATE_BITS) - 1)) == state; }
static struct shard *shard_in(uint32_t word) { return &shards[word >> STATE_BITS]; }

static void place(struct shard *s, uint32_t i, struct entry e) {
  s->heap[i] = e;
  s->place[e.number] = i;
}

static void sift_up(struct shard *s, uint32_t i, struct entry e) {
  while (i) {
    uint32_t parent = (i - 1) / ARITY;
    if (s->heap[parent].when <= e.when) break;
    place(s, i, s->heap[parent]);
    i = parent;
  }
  place(s, i, e);
}

/* Of many that are due, or soon, each timer, and who sleeps for it, is cold: they are fetched while those before them fire, the timer when its entry
 * comes near the top, and what it points to, of a sleeper the descriptor, when it comes next to it. */
static void prefetch_due(const struct shard *s, uint32_t i, struct entry e, int64_t due) {
  enum { NEAR = 1 + ARITY + ARITY * ARITY, SOON_NS = 200000 };
  if (i >= NEAR || e.when > due + SOON_NS) return;
  const struct timer *t = s->timers[e.number];
  if (i > ARITY) __builtin_prefetch(t, 1);
  else __builtin_prefetch(t->environment, 1);
}

/* What is due at that time is about to fire; 0: nothing is. */
static void sift_down(struct shard *s, uint32_t i, struct entry e, int64_t due) {
  for (;;) {
    uint32_t first = i * ARITY + 1, least = first;
    if (first >= s->n) break;
    for (uint32_t k = first + 1; k < first + ARITY && k < s->n; k++)
      if (s->heap[k].when < s->heap[least].when) least = k;
    if (s->heap[least].when >= e.when) break;
    prefetch_due(s, i, s->heap[least], due);
    place(s, i, s->heap[least]);
    i = least;
  }
  place(s, i, e);
}

static void place_in_front(struct shard *s, uint32_t i, struct entry e) {
  s->front[i] = e;
  s->place[e.number] = IN_FRONT + i;
}

/* In front, if it comes before what is there or in the heap, else in the heap. */
static void put(struct shard *s, struct entry e) {
  bool full = s->n_front == FRONT, before_all_in_heap = !s->n || e.when < s->heap[0].when;
  if (!before_all_in_heap || (full && e.when >= s->front[0].when)) {
    sift_up(s, s->n++, e);
    return;
  }
  if (full) sift_up(s, s->n++, s->front[0]);
  uint32_t i = full ? 0 : s->n_front++;
  if (full)
    for (; i + 1 < FRONT && s->front[i + 1].when > e.when; i++) place_in_front(s, i, s->front[i + 1]);
  else
    for (; i && s->front[i - 1].when <= e.when; i--) place_in_front(s, i, s->front[i - 1]);
  place_in_front(s, i, e);
}

static void remove_from(struct shard *s, uint32_t at, int64_t due) {
  if (at >= IN_FRONT) {
    s->n_front--;
    for (uint32_t i = at - IN_FRONT; i < s->n_front; i++) place_in_front(s, i, s->front[i + 1]);
    return;
  }
  struct entry last = s->heap[--s->n];
  if (at == s->n) return;
  if (at && s->heap[(at - 1) / ARITY].when > last.when) sift_up(s, at, last);
  else sift_down(s, at, last, due);
}

static struct entry *first_entry(struct shard *s) { return s->n_front ? &s->front[s->n_front - 1] : s->n ? &s->heap[0] : NULL; }
static struct entry entry_of(const struct shard *s, uint32_t number) {
  uint32_t at = s->place[number];
  return at >= IN_FRONT ? s->front[at - IN_FRONT] : s->heap[at];
}

static int64_t next_of(struct shard *s) {
  const struct entry *first = first_entry(s);
  return first ? first->when : 0;
}
/* After one has come: who polls may have to be told (tell_poller). When one has gone who looks at it is at worst too early. */
static void publish_sooner(struct shard *s) {
  int64_t next = next_of(s);
  if (load_relaxed(&s->next) != next) store_seq(&s->next, next);
}
static void publish_later(struct shard *s) { store_release(&s->next, next_of(s)); }

static bool grow(struct shard *s) {
  uint32_t room = s->room ? s->room * 2 : 64;
  struct entry *heap = realloc(s->heap, room * sizeof *heap);
  if (heap) s->heap = heap;
  uint32_t *places = heap ? realloc(s->place, room * sizeof *places) : NULL;
  if (places) s->place = places;
  struct timer **timers = places ? realloc(s->timers, room * sizeof *timers) : NULL;
  if (!timers) return false;
  s->timers = timers;
  for (uint32_t i = s->room; i < room; i++) s->place[i] = i + 1;
  s->free_number = s->room;
  s->room = room;
  return true;
}

static bool insert(struct shard *s, struct timer *t) {
  if (s->n + s->n_front == s->room && !grow(s)) return false;
  t->number = s->free_number;
  s->free_number = s->place[t->number];
  s->timers[t->number] = t;
  put(s, (struct entry){t->when, t->number});
  store_relaxed(&t->state, state_in(s, TIMER_ARMED));
  publish_sooner(s);
  return true;
}

static void take_out(struct shard *s, uint32_t number, int64_t due) {
  remove_from(s, s->place[number], due);
  s->place[number] = s->free_number;
  s->free_number = number;
  publish_later(s);
}

/* After the seq store of next: either the worker that polls sees it, or this sees that it sleeps too long. */
static void tell_poller(int64_t when) {
  int64_t until = load_seq(&leat_i_sched.polling_until);
  if (when && when < until) leat_i_poller_kick();
}

int leat_i_timer_arm(struct timer *t, int64_t when, int64_t period) {
  int index = shard_of(leat_i_worker());
  struct shard *s = &shards[index];
  for (int n = load_relaxed(&n_shards); unlikely(n <= index);)
    if (cas_seq(&n_shards, &n, index + 1)) break;
  if (when <= 0) when = 1;
  t->when = when;
  t->period = period;
  t->cancelled = false;
  lock_take(&s->lock);
  bool done = insert(s, t);
  s->armed += done;
  lock_drop(&s->lock);
  if (!done) return LEAT_NOMEM;
  tell_poller(when); /* not t->when: it may be firing already */
  return LEAT_OK;
}

bool leat_i_timer_move(struct timer *t, int64_t when, int64_t period) {
  uint32_t state = load_acquire(&t->state);
  if (!is(TIMER_ARMED, state)) return false;
  struct shard *s = shard_in(state);
  if (when <= 0) when = 1;
  lock_take(&s->lock);
  /* The same word as before: it is armed in this shard, be it anew. */
  bool armed = load_relaxed(&t->state) == state, earlier = armed && when < entry_of(s, t->number).when;
  if (armed) {
    t->when = when;
    t->period = period;
  }
  if (earlier) {
    remove_from(s, s->place[t->number], 0);
    put(s, (struct entry){when, t->number});
    publish_sooner(s);
  }
  lock_drop(&s->lock);
  if (earlier) tell_poller(when);
  return armed;
}

bool leat_i_timer_disarm(struct timer *t) {
  uint32_t state = load_acquire(&t->state);
  if (state == TIMER_IDLE) return false;
  struct shard *s = shard_in(state);
  lock_take(&s->lock);
  state = load_relaxed(&t->state);
  if (is(TIMER_ARMED, state)) {
    take_out(s, t->number, 0);
    s->stopped++;
    store_relaxed(&t->state, TIMER_IDLE);
  } else if (is(TIMER_FIRING, state)) {
    t->cancelled = true;
  }
  lock_drop(&s->lock);
  for (int spins = 0; is(TIMER_FIRING, load_acquire(&t->state)); spins++) { /* a callback is short and never blocks */
    if (spins < 100) cpu_relax();
    else sched_yield();
  }
  return is(TIMER_ARMED, state) || (is(TIMER_FIRING, state) && t->period);
}

/* With the shard's lock, which it gives up while the callback runs, and takes again if anything is left to do with it. */
static struct goroutine *fire(struct shard *s, struct timer *t, int64_t now, bool *locked) {
  store_release(&s->firing, load_relaxed(&s->firing) + 1); /* before it leaves the heap */
  take_out(s, t->number, now);
  s->fired++;
  bool more = next_of(s) && next_of(s) <= now, periodic = t->period;
  store_relaxed(&t->state, state_in(s, TIMER_FIRING));
  lock_drop(&s->lock);
  struct goroutine *woken = t->fire(t, now);
  *locked = more || periodic;
  if (*locked) lock_take(&s->lock);
  if (periodic && !t->cancelled) {
    /* No drift: the next tick is a whole number of periods after the first, the ones missed are left out. */
    int64_t passed = (now - t->when) / t->period + 1, ahead;
    if (__builtin_mul_overflow(t->period, passed, &ahead) || __builtin_add_overflow(t->when, ahead, &t->when)) t->when = LEAT_NEVER;
    /* Its room may have gone to others while the lock was free. Out of memory it ends: better than to be disarmed for ever. */
    if (!insert(s, t)) store_release(&t->state, TIMER_IDLE);
  } else {
    store_release(&t->state, TIMER_IDLE); /* from here on the struct may be gone */
  }
  return woken;
}

/* If one has been due for that long in the shard, runs all that are due; answers how many. *now is looked at when first needed. */
static int run(struct shard *s, int64_t *now, int64_t overdue) {
  int64_t next = load_relaxed(&s->next);
  if (!next) return 0;
  if (!*now) *now = leat_i_nondet_clock();
  if (next > *now - overdue) return 0;
  int fired = 0;
  struct goroutine *woken = NULL, **end = &woken; /* in the order of their times */
  bool locked = true, ticks = false;
  lock_take(&s->lock);
  for (struct entry *first; locked && (first = first_entry(s)) && first->when <= *now && fired < MOST_AT_ONCE;) {
    struct timer *t = s->timers[first->number];
    if (t->when > first->when) { /* moved */
      struct entry later = {t->when, first->number};
      remove_from(s, s->place[later.number], 0);
      put(s, later);
      publish_later(s);
      continue;
    }
    ticks = ticks || t->period;
    struct goroutine *g = fire(s, t, *now, &locked);
    fired++;
    if (!g) continue;
    g->link = NULL;
    *end = g;
    end = &g->link;
  }
  if (locked) lock_drop(&s->lock);
  if (!fired) return 0;
  /* A periodic timer was out of its heap for a while; who began to poll meanwhile has not seen it. */
  if (ticks) tell_poller(load_seq(&s->next));
  leat_i_ready_list(woken);
  add_seq(&s->done, (uint64_t)fired);
  return fired;
}

int leat_i_timers_run(void) {
  int fired = 0;
  int64_t now = 0;
  for (int i = 0, n = load_acquire(&n_shards); i < n; i++) fired += run(&shards[i], &now, 0);
  return fired;
}

int leat_i_timers_run_for(const struct worker *w) {
  int fired = 0;
  int64_t now = 0;
  for (int i = 0, n = load_acquire(&n_shards); i < n; i++) fired += run(&shards[i], &now, i == shard_of(w) ? 0 : GRACE);
  return fired;
}

int64_t leat_i_timers_next(void) {
  int64_t next = LEAT_NEVER;
  for (int i = 0, n = load_seq(&n_shards); i < n; i++) {
    int64_t t = load_seq(&shards[i].next);
    if (t && t < next) next = t;
  }
  return next;
}

bool leat_i_timers_any(void) {
  for (int i = 0; i < SHARDS; i++) {
    uint64_t done = load_seq(&shards[i].done); /* in this order: it fires before it leaves the heap, */
    if (load_seq(&shards[i].next) || load_seq(&shards[i].firing) != done) return true; /* and is done after it has fired */
  }
  return false;
}

void leat_i_timers_memory(void (*visit)(const void *low, const void *high, void *environment), void *environment) {
  visit(shards, shards + SHARDS, environment);
  for (int i = 0; i < SHARDS; i++) {
    visit(shards[i].heap, shards[i].heap + shards[i].room, environment);
    visit(shards[i].timers, shards[i].timers + shards[i].room, environment);
  }
}

void leat_i_timers_count(struct timer_counts *sum) {
  *sum = (struct timer_counts){0};
  for (int i = 0; i < SHARDS; i++) {
    struct shard *s = &shards[i];
    lock_take(&s->lock);
    sum->armed += s->armed;
    sum->fired += s->fired;
    sum->stopped += s->stopped;
    sum->now += s->n + s->n_front;
    lock_drop(&s->lock);
  }
}

void leat_i_timers_free(void) {
  for (int i = 0; i < SHARDS; i++) {
    free(shards[i].heap);
    free(shards[i].place);
    free(shards[i].timers);
    shards[i] = (struct shard){0};
  }
}
