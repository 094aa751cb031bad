/* See leat/limiter.h.
 *
 * Buckets are exact: what is missing from one is an integer, in tokens times `per`, as of a time of its own. In 128 bits nothing overflows.
 *
 * A queue of entries, first come, first served; who waits and what is reserved are the same there. An entry stands behind those before it with
 * which it shares a limited dimension, and passes the others. Tokens are taken when the turn has come and not before, from all buckets at
 * once. So when one gives up or a rate changes nothing has to be undone, and no bucket is overdrawn. Rejected: taking tokens ahead, in debt, and
 * sleeping it off (Go's x/time/rate): times once given cannot be changed; with two buckets, those that the second one held up go through
 * the first in a heap when it opens. And a chain of limiters, one waited for after the other, for the same reason.
 *
 * Time. Of those who are parked one is the keeper: its wait ends when the next entry is due, whoever that is. Invariant, whenever the lock is
 * free: if somebody is parked and something is due at a time, there is a keeper, and it is awake or wakes up by then. Whoever is granted, gives up
 * or comes with something that is due earlier sees to that (appoint, and before each park). Rejected: a timer in the limiter, which would have to be
 * ended before its memory is.
 *
 * A grant marks the entry; its goroutine is woken if it is parked, else it is awake already (its time has come, or it is being cancelled) and
 * finds the mark: then it has its tokens. */
#include "../core/panic.h"
#include "../core/scope.h"
#include "../core/waiter.h"
#include "../flow/cell.h"
#include "../runtime/nondet.h"
#include "../runtime/scheduler.h"
#include <leat/limiter.h>

__extension__ typedef __int128 wide;

struct bucket {
  wide missing; /* tokens times per */
  int64_t at;   /* as of then */
};

struct limiter {
  leat_limit limits[LEAT_LIMITS];
  struct bucket buckets[LEAT_LIMITS];
  struct queue queue;
  struct entry *keeper;
  int64_t keeps_until; /* INT64_MIN: it is awake */
  struct lock lock;    /* guards all of it */
};
_Static_assert(sizeof(struct limiter) <= sizeof(leat_limiter) && _Alignof(struct limiter) <= _Alignof(leat_limiter), "leat_limiter has too little room");

struct entry {
  struct waiter w; /* its goroutine is NULL unless that is parked; its status counts when it is in no queue */
  leat_costs costs;
  struct limiter *limiter; /* NULL: it is over */
  int64_t granted;         /* when */
};
_Static_assert(sizeof(struct entry) <= sizeof(leat_reservation), "leat_reservation has too little room");

static bool makes_sense(const leat_limit *limit) {
  return limit->n >= 0 && limit->per >= 0 && limit->burst >= 0 && limit->dimension >= 0 && limit->dimension < LEAT_DIMENSIONS;
}

/* What a request costs in this bucket. */
static int64_t cost_in(const struct limiter *l, int i, const leat_costs *costs) {
  if (!l->limits[i].per) return 0;
  if (unlikely(!makes_sense(&l->limits[i]))) leat_i_panic("limit %d of the leat_limiter %p makes no sense: a negative number, or no such dimension", i, (const void *)l);
  return costs->of[l->limits[i].dimension];
}

static bool is_possible(const struct limiter *l, const leat_costs *costs) {
  for (int d = 0; d < LEAT_DIMENSIONS; d++)
    if (costs->of[d] < 0) return false;
  for (int i = 0; i < LEAT_LIMITS; i++)
    if (cost_in(l, i, costs) > l->limits[i].burst) return false;
  return true;
}

/* The limited dimensions that it touches, as bits. */
static unsigned dimensions_of(const struct limiter *l, const leat_costs *costs) {
  unsigned set = 0;
  for (int i = 0; i < LEAT_LIMITS; i++)
    if (cost_in(l, i, costs)) set |= 1U << l->limits[i].dimension;
  return set;
}

static wide missing_at(const leat_limit *limit, const struct bucket *b, int64_t when) {
  wide flowed = when > b->at ? (wide)limit->n * ((wide)when - b->at) : 0;
  return flowed < b->missing ? b->missing - flowed : 0;
}

/* The first moment from `now` on at which all buckets have enough. */
static int64_t due_at(const struct limiter *l, const struct bucket *buckets, const leat_costs *costs, int64_t now) {
  int64_t due = now;
  for (int i = 0; i < LEAT_LIMITS; i++) {
    const leat_limit *limit = &l->limits[i];
    int64_t cost = cost_in(l, i, costs);
    if (!cost) continue;
    wide excess = buckets[i].missing - ((wide)limit->burst - cost) * limit->per, when = buckets[i].at;
    if (excess > 0) when = limit->n ? when + (excess + limit->n - 1) / limit->n : LEAT_NEVER;
    if (when > due) due = when < LEAT_NEVER ? (int64_t)when : LEAT_NEVER;
  }
  return due;
}

static void charge(const struct limiter *l, struct bucket *buckets, const leat_costs *costs, int64_t when) {
  for (int i = 0; i < LEAT_LIMITS; i++) {
    int64_t cost = cost_in(l, i, costs);
    if (cost) buckets[i] = (struct bucket){missing_at(&l->limits[i], &buckets[i], when) + (wide)cost * l->limits[i].per, when};
  }
}

/* ---- the queue; all of it with the lock ---- */

static void answer(struct entry *e, int status, struct goroutine **woken) {
  struct goroutine *g = e->w.goroutine;
  queue_remove(&e->w);
  e->w.status = status;
  if (!g || !leat_i_claim(g, LEAT_OK)) return;
  happens_before(g);
  goroutine_collect(woken, g);
}

/* Grants what can be granted now, in order. Answers when the next grant is due. */
static int64_t serve(struct limiter *l, int64_t now, struct goroutine **woken) {
  static const leat_costs everything = {{1, 1, 1, 1}};
  unsigned waited_for = 0, all = 0;
  int64_t next_due = LEAT_NEVER;
  struct waiter *w = queue_first(&l->queue), *next;
  if (w) all = dimensions_of(l, &everything);
  for (; w && (waited_for != all || !all); w = next) {
    struct entry *e = (struct entry *)w;
    unsigned dimensions = dimensions_of(l, &e->costs);
    next = w->next;
    if (!is_possible(l, &e->costs)) {
      answer(e, LEAT_INVALID, woken);
      continue;
    }
    int64_t due = dimensions & waited_for ? LEAT_NEVER : due_at(l, l->buckets, &e->costs, now);
    if (dimensions & waited_for || due > now) {
      waited_for |= dimensions;
      if (due < next_due) next_due = due;
    } else {
      charge(l, l->buckets, &e->costs, now);
      e->granted = now;
      answer(e, LEAT_OK, woken);
    }
  }
  return next_due;
}

/* Sees to it that somebody wakes up when the next grant is due. */
static void appoint(struct limiter *l, int64_t due, struct goroutine **woken) {
  if (due == LEAT_NEVER || (l->keeper && l->keeps_until <= due)) return;
  struct entry *e = l->keeper;
  for (struct waiter *w = queue_first(&l->queue); w && !e; w = w->next)
    if (w->goroutine) e = (struct entry *)w;
  if (!e) return;
  l->keeper = e;
  l->keeps_until = INT64_MIN;
  if (!leat_i_claim(e->w.goroutine, LEAT_OK)) return; /* it wakes up by itself */
  happens_before(e->w.goroutine);
  goroutine_collect(woken, e->w.goroutine);
}

/* The end of every operation: drops the lock. */
static void settle(struct limiter *l, int64_t now) {
  struct goroutine *woken = NULL;
  appoint(l, serve(l, now, &woken), &woken);
  lock_drop(&l->lock);
  leat_i_ready_in_order(woken);
}

/* When the turn of an entry comes if all goes on as it is; with NULL, of one that comes now. */
static int64_t turn_of(const struct limiter *l, const struct entry *e, const leat_costs *costs, int64_t now) {
  struct bucket buckets[LEAT_LIMITS];
  memcpy(buckets, l->buckets, sizeof buckets);
  for (struct waiter *w = queue_first(&l->queue); w && (!e || w != &e->w); w = w->next) {
    const leat_costs *before = &((struct entry *)w)->costs;
    charge(l, buckets, before, due_at(l, buckets, before, now));
  }
  return due_at(l, buckets, costs, now);
}

/* Waits for an entry in the queue, with the lock, which is dropped. It is over then. */
static int wait_for(struct limiter *l, struct entry *e, struct goroutine *self, int64_t deadline) {
  int status = LEAT_OK;
  for (;;) {
    int64_t now = leat_i_nondet_clock();
    struct goroutine *woken = NULL;
    if (l->keeper == e) l->keeper = NULL;
    e->w.goroutine = NULL;
    int64_t due = serve(l, now, &woken);
    if (!status && deadline <= now) {
      status = LEAT_DEADLINE;
      if (e->w.queue) leat_i_count(COUNT_TIMEOUTS, 1);
    }
    if (!e->w.queue) status = e->w.status;
    bool over = !e->w.queue || status;
    if (over) {
      queue_remove(&e->w);
      e->limiter = NULL;
      appoint(l, serve(l, now, &woken), &woken); /* those behind it move up */
    }
    if (over || woken) {
      lock_drop(&l->lock);
      leat_i_ready_in_order(woken);
      if (over) return status;
      lock_take(&l->lock);
      continue;
    }
    e->w.goroutine = self;
    if (!l->keeper || due < l->keeps_until) {
      l->keeper = e;
      l->keeps_until = due;
    }
    int64_t until = l->keeper == e && due < deadline ? due : deadline;
    status = leat_i_park(self, &(struct park){.reason = WAIT_LIMITER, .object = l, .lock = &l->lock, .deadline = until});
    if (status == LEAT_DEADLINE && !leat_i_scope_interrupts(self->scope)) status = LEAT_OK; /* it is time to look, and no more */
    lock_take(&l->lock);
  }
}

/* ---- operations ---- */

/* With the lock: LEAT_OK if it has its tokens, LEAT_FULL if it has to wait. */
static int take(struct limiter *l, const leat_costs *costs, int64_t now) {
  if (!is_possible(l, costs)) return LEAT_INVALID;
  unsigned dimensions = dimensions_of(l, costs);
  for (struct waiter *w = queue_first(&l->queue); w; w = w->next)
    if (dimensions_of(l, &((struct entry *)w)->costs) & dimensions) return LEAT_FULL;
  if (due_at(l, l->buckets, costs, now) > now) return LEAT_FULL;
  charge(l, l->buckets, costs, now);
  return LEAT_OK;
}

/* With the lock: what could have been granted meanwhile is, so that an empty queue is the usual case. */
static void catch_up(struct limiter *l, int64_t now) {
  while (unlikely(queue_first(&l->queue) != NULL)) {
    struct goroutine *woken = NULL;
    appoint(l, serve(l, now, &woken), &woken);
    if (!woken) return;
    lock_drop(&l->lock);
    leat_i_ready_in_order(woken);
    lock_take(&l->lock);
  }
}

/* Answers LEAT_OK, LEAT_FULL with the lock still taken, or why not. */
static int begin(struct limiter *l, struct goroutine *self, const leat_costs *costs, int64_t *now) {
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  self->ignored = 0;
  lock_take(&l->lock);
  *now = leat_i_nondet_clock();
  catch_up(l, *now);
  status = take(l, costs, *now);
  if (status != LEAT_FULL) lock_drop(&l->lock);
  if (!status) leat_i_operation(self);
  return status;
}

static void push(struct limiter *l, struct entry *e, const leat_costs *costs) {
  *e = (struct entry){.costs = *costs, .limiter = l};
  queue_push(&l->queue, &e->w);
}

int leat_limiter_wait_costs(leat_limiter *limiter, leat_costs costs, int64_t deadline) {
  happens_call();
  struct limiter *l = (struct limiter *)limiter;
  struct goroutine *self = leat_i_self();
  int64_t now;
  int status = begin(l, self, &costs, &now);
  if (status != LEAT_FULL) return status;
  if (deadline != LEAT_NEVER && turn_of(l, NULL, &costs, now) > deadline) {
    lock_drop(&l->lock);
    leat_i_count(COUNT_TIMEOUTS, 1);
    leat_i_operation(self);
    return LEAT_DEADLINE;
  }
  struct entry e;
  push(l, &e, &costs);
  return wait_answer(self, wait_for(l, &e, self, deadline));
}

int leat_limiter_try_costs(leat_limiter *limiter, leat_costs costs) {
  happens_call();
  struct limiter *l = (struct limiter *)limiter;
  struct goroutine *self = leat_i_self();
  int64_t now;
  int status = begin(l, self, &costs, &now);
  if (status != LEAT_FULL) return status;
  lock_drop(&l->lock);
  leat_i_operation(self);
  return LEAT_FULL;
}

int leat_limiter_wait_until(leat_limiter *l, int64_t n, int64_t deadline) {
  happens_call();
  return leat_limiter_wait_costs(l, (leat_costs){{n}}, deadline);
}
int leat_limiter_wait(leat_limiter *l, int64_t n) {
  happens_call();
  return leat_limiter_wait_costs(l, (leat_costs){{n}}, LEAT_NEVER);
}
int leat_limiter_try(leat_limiter *l, int64_t n) {
  happens_call();
  return leat_limiter_try_costs(l, (leat_costs){{n}});
}

int leat_limiter_reserve(leat_limiter *limiter, leat_costs costs, leat_reservation *r) {
  happens_call();
  struct limiter *l = (struct limiter *)limiter;
  struct entry *e = (struct entry *)r;
  *e = (struct entry){.limiter = NULL};
  int64_t now;
  int status = begin(l, leat_i_self(), &costs, &now);
  if (status == LEAT_FULL) {
    push(l, e, &costs);
    settle(l, now); /* where nobody waited for this dimension it may be the next that is due */
  } else if (status == LEAT_OK) {
    *e = (struct entry){.costs = costs, .limiter = l, .granted = now};
  } else {
    return status;
  }
  return LEAT_OK;
}

static struct limiter *of_open(const leat_reservation *r, const char *operation) {
  struct limiter *l = ((const struct entry *)r)->limiter;
  if (!l) leat_i_panic("%s(%p): the reservation is over: it was waited for or cancelled, or could not be had", operation, (const void *)r);
  return l;
}

int64_t leat_reservation_time(leat_reservation *r) {
  happens_call();
  struct limiter *l = of_open(r, "leat_reservation_time");
  struct entry *e = (struct entry *)r;
  lock_take(&l->lock);
  int64_t now = leat_i_nondet_clock();
  catch_up(l, now);
  int64_t time = e->w.queue ? turn_of(l, e, &e->costs, now) : e->granted;
  lock_drop(&l->lock);
  return time;
}

int leat_reservation_wait(leat_reservation *r) {
  happens_call();
  struct limiter *l = of_open(r, "leat_reservation_wait");
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) {
    leat_reservation_cancel(r);
    return leat_i_cancelled(self, status);
  }
  lock_take(&l->lock);
  return wait_answer(self, wait_for(l, (struct entry *)r, self, LEAT_NEVER));
}

void leat_reservation_cancel(leat_reservation *r) {
  happens_call();
  struct entry *e = (struct entry *)r;
  struct limiter *l = e->limiter;
  if (!l) return;
  lock_take(&l->lock);
  int64_t now = leat_i_nondet_clock();
  if (e->w.queue) queue_remove(&e->w);
  else if (e->w.status == LEAT_OK) {
    for (int i = 0; i < LEAT_LIMITS; i++) {
      struct bucket *b = &l->buckets[i];
      wide back = (wide)cost_in(l, i, &e->costs) * l->limits[i].per - (wide)l->limits[i].n * ((wide)b->at - e->granted);
      if (back > 0) b->missing = back < b->missing ? b->missing - back : 0;
    }
  }
  e->limiter = NULL;
  settle(l, now);
}

int leat_limiter_set(leat_limiter *limiter, size_t index, leat_limit limit) {
  happens_call();
  struct limiter *l = (struct limiter *)limiter;
  if (index >= LEAT_LIMITS || !makes_sense(&limit)) return LEAT_INVALID;
  lock_take(&l->lock);
  int64_t now = leat_i_nondet_clock();
  leat_limit *old = &l->limits[index];
  struct bucket *b = &l->buckets[index];
  wide missing = 0, depth = (wide)limit.burst * limit.per;
  if (old->per && limit.per) {
    wide there = (wide)old->burst * old->per - missing_at(old, b, now);
    there = there / old->per * limit.per + there % old->per * limit.per / old->per;
    missing = there < depth ? depth - there : 0;
  }
  *b = (struct bucket){missing, now};
  *old = limit;
  settle(l, now);
  return LEAT_OK;
}

int64_t leat_limiter_available(leat_limiter *limiter, size_t dimension) {
  struct limiter *l = (struct limiter *)limiter;
  int64_t least = INT64_MAX;
  lock_take(&l->lock);
  int64_t now = leat_i_nondet_clock();
  for (int i = 0; i < LEAT_LIMITS; i++) {
    const leat_limit *limit = &l->limits[i];
    if (!limit->per || limit->dimension != (int64_t)dimension) continue;
    int64_t there = (int64_t)(((wide)limit->burst * limit->per - missing_at(limit, &l->buckets[i], now)) / limit->per);
    if (there < least) least = there;
  }
  lock_drop(&l->lock);
  return least;
}

/* ---- the stage ---- */

static int run_limited(struct stage *g) {
  leat_limiter *l = *(leat_limiter **)(void *)g->own;
  struct cell item;
  bool made = make_cell(&item, g->in_size, g->in->drop);
  leat_defer(free_cell, &item);
  if (!made) return LEAT_NOMEM;
  int status;
  while (!(status = receive(g->in, &item))) {
    if ((status = leat_limiter_wait(l, 1))) return status;
    item.holds = false;
    if ((status = leat_i_pass_on(output_of(g, 0), item.item))) return status;
  }
  return status;
}

struct leat_i_chan *leat_i_limited(const struct leat_scope *s, struct leat_i_chan *in, size_t size, leat_limiter *l, const char *birthplace) {
  happens_call();
  static const struct stage_kind limited = {.name = "limited", .body = run_limited, .takes_over = true};
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &limited, .scope = s, .in = in, .in_size = size, .out_size = size, .own = sizeof l, .birthplace = birthplace});
  if (g) memcpy(g->own, &l, sizeof l);
  return leat_i_stage_output(g);
}
