/* See leat/pool.h.
 *
 * The cache is made of parts: part 0 for plain threads and for workers beyond those there are parts for, the others for one worker each. A part
 * holds one object in `first`, and a stack behind its lock. `first` is its worker's, behind a biased lock: others take it only to drop it, when
 * the part has not been used for a period (in part 0 it stays empty). Between asking which worker it is and the store there is no switch. Objects are taken from the top, so
 * what lies at the bottom is what is not needed: `low`, the least height since the last look, is how many of them that are.
 * Rejected: Go's way, two generations of which the older one is dropped as a whole, which makes anew what is needed every other period. Lists
 * without locks: the lock of a part is free but for the moment in which a part that has run empty looks for an object elsewhere.
 *
 * With a limit there is one stack, since what is expensive must be found wherever it lies. `out` counts what callers have and what is being
 * made or dropped, so never more than `limit` exist. Whoever waits implies out == limit: what comes back goes to the first in the queue, as an
 * object, or, after a discard, as the right to make one.
 *
 * make and drop are the user's and run without any lock. What must be undone if they panic is on the goroutine's list of cleanups. */
#include "../runtime/nondet.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include <leat/pool.h>
#include <leat/runtime.h>
#include <stdlib.h>

enum { LEAST_PARTS = 4, MOST_PARTS = 128, LEAST_ROOM = 16, BATCH = 64, LOOK_AT_CLOCK = 64 };
static const int64_t PERIOD = LEAT_SECONDS(1);

struct part {
  _Alignas(64) _Atomic(void *) first;
  struct biased at_first;
  _Atomic(uint32_t) uses; /* roughly: concurrent ones may count as one */
  struct lock lock;
  _Atomic(size_t) n; /* changed under the lock */
  /* Guarded by the lock. */
  size_t low, room;
  void **stack;
  uint32_t uses_seen;
};

struct parts {
  uint32_t n;
  struct part part[];
};

struct pool {
  /* As the macro leat_pool has it. */
  int (*make)(void **object, void *environment);
  void (*drop)(void *object, void *environment);
  void *environment;
  size_t limit;
  void *elem;
  /* Of leat_i_pool. */
  _Atomic(struct parts *) parts; /* once they are there they stay, until leat_pool_free */
  _Atomic(int64_t) look_at;      /* when the parts are to be looked at again */
  struct lock lock;
  /* Guarded by the lock. */
  struct queue queue;
  void **idle;
  size_t n_idle, out;
};
_Static_assert(sizeof(struct pool) <= sizeof(leat_pool(int)), "leat_pool has too little room");

static void drop_object(struct pool *p, void *object) {
  happens_after(object);
  if (p->drop) p->drop(object, p->environment);
  else free(object);
}

static int make_object(struct pool *p, const struct leat_i_pool_type *type, void **object) {
  if (!p->make) {
    size_t a = type->alignment;
    *object = a <= _Alignof(max_align_t) ? calloc(1, type->size) : aligned_alloc(a, (type->size + a - 1) / a * a);
    if (*object && a > _Alignof(max_align_t)) memset(*object, 0, type->size);
    return *object ? LEAT_OK : LEAT_NOMEM;
  }
  int status = p->make(object, p->environment);
  if (status != LEAT_OK) *object = NULL;
  else if (!*object) leat_i_panic("the make function of the pool at %p answered LEAT_OK, and no object; it stores one, or answers a failure", (void *)p);
  return status;
}

/* ---- the cache ---- */

static __attribute__((noinline)) struct parts *make_parts(struct pool *p) {
  struct parts *parts = NULL;
  int workers = 2 * leat_workers() + LEAST_PARTS; /* spare ones, too */
  uint32_t n = (uint32_t)(workers < MOST_PARTS ? workers : MOST_PARTS);
  size_t size = (sizeof *parts + n * sizeof *parts->part + 63) & ~(size_t)63;
  struct parts *fresh = aligned_alloc(64, size);
  if (!fresh) return NULL;
  memset(fresh, 0, size);
  fresh->n = n;
  if (cas(&p->parts, &parts, fresh)) return fresh;
  free(fresh);
  return parts;
}

static inline struct parts *parts_of(struct pool *p) {
  struct parts *parts = load_acquire(&p->parts);
  return likely(parts != NULL) ? parts : make_parts(p);
}

static uint32_t own_part(const struct parts *parts) {
  const struct worker *w = leat_i_worker();
  return w && w->index + 1 < parts->n ? w->index + 1 : 0;
}

static uint32_t count_use(struct part *part) {
  uint32_t uses = load_relaxed(&part->uses) + 1;
  store_relaxed(&part->uses, uses);
  return uses;
}

static __attribute__((noinline)) void *take_from_stack(struct part *part) {
  void *object = NULL;
  lock_take(&part->lock);
  size_t n = load_relaxed(&part->n);
  if (n) {
    object = part->stack[--n];
    store_relaxed(&part->n, n);
    if (n < part->low) part->low = n;
  }
  lock_drop(&part->lock);
  return object;
}

static inline void *take(struct part *part) { return load_relaxed(&part->n) ? take_from_stack(part) : NULL; }

/* By the part's worker; answers what lay there. */
static inline void *replace_first(struct part *part, void *object) {
  biased_take(&part->at_first);
  void *before = load_relaxed(&part->first);
  store_release(&part->first, object);
  biased_drop(&part->at_first);
  return before;
}

/* False out of memory. */
static __attribute__((noinline)) bool push(struct part *part, void *object) {
  void **larger = NULL;
  size_t room = 0;
  for (;;) {
    lock_take(&part->lock);
    size_t n = load_relaxed(&part->n);
    if (n == part->room && room > n) {
      void **smaller = part->stack;
      if (n) quietly memcpy(larger, smaller, n * sizeof *larger);
      part->stack = larger;
      part->room = room;
      larger = smaller;
    }
    bool fits = n < part->room;
    if (fits) {
      part->stack[n] = object;
      store_relaxed(&part->n, n + 1);
    }
    room = part->room ? 2 * part->room : LEAST_ROOM;
    lock_drop(&part->lock);
    free(larger);
    if (fits) return true;
    larger = malloc(room * sizeof *larger);
    if (!larger) return false;
  }
}

/* Takes n objects from the bottom and drops them. */
static void drop_from_bottom(struct pool *p, struct part *part, size_t n) {
  void *batch[BATCH];
  while (n) {
    lock_take(&part->lock);
    size_t height = load_relaxed(&part->n), k = n < BATCH ? n : BATCH;
    if (k > height) k = height;
    if (k) quietly memcpy(batch, part->stack, k * sizeof *batch);
    if (height > k) quietly memmove(part->stack, part->stack + k, (height - k) * sizeof *batch);
    store_relaxed(&part->n, height - k);
    if (part->low > height - k) part->low = height - k;
    lock_drop(&part->lock);
    if (!k) return;
    for (size_t i = 0; i < k; i++) drop_object(p, batch[i]);
    n -= k;
  }
}

static void drop_first(struct pool *p, struct part *part) {
  if (!load_relaxed(&part->first) || !leat_i_biased_claim(&part->at_first)) return; /* its worker is at it, so it is used */
  void *object = exchange(&part->first, NULL); /* in one step: an empty one its worker fills without the lock */
  biased_unclaim(&part->at_first);
  if (object) drop_object(p, object);
}

/* If it is time: drops what no part has needed since the last look. */
static __attribute__((noinline)) void trim(struct pool *p, struct parts *parts) {
  int64_t now = leat_i_nondet_clock(), due = load_relaxed(&p->look_at);
  if (now < due || !cas(&p->look_at, &due, now + PERIOD)) return;
  for (uint32_t i = 0; i < parts->n; i++) {
    struct part *part = &parts->part[i];
    lock_take(&part->lock);
    size_t unused = due ? part->low : 0; /* 0: this is the first look */
    part->low = load_relaxed(&part->n) - unused;
    bool at_rest = due && part->uses_seen == load_relaxed(&part->uses);
    part->uses_seen = load_relaxed(&part->uses);
    lock_drop(&part->lock);
    drop_from_bottom(p, part, unused);
    if (at_rest) drop_first(p, part);
  }
}

static __attribute__((noinline)) int get_from_others(struct pool *p, struct parts *parts, uint32_t own, void **object, const struct leat_i_pool_type *type) {
  for (uint32_t i = 1; i < parts->n; i++)
    if ((*object = take(&parts->part[(own + i) % parts->n]))) {
      happens_after(*object);
      return LEAT_OK;
    }
  return make_object(p, type, object);
}

static int get_from_cache(struct pool *p, void **object, const struct leat_i_pool_type *type) {
  struct parts *parts = parts_of(p);
  if (unlikely(!parts)) return make_object(p, type, object);
  uint32_t own = own_part(parts);
  struct part *part = &parts->part[own];
  count_use(part);
  *object = load_relaxed(&part->first) ? replace_first(part, NULL) : NULL;
  if (unlikely(!*object && !(*object = take(part)))) return get_from_others(p, parts, own, object, type);
  happens_after(*object);
  return LEAT_OK;
}

static inline void put_into_cache(struct pool *p, void *object) {
  struct parts *parts = parts_of(p);
  if (!parts) {
    drop_object(p, object);
    return;
  }
  uint32_t own = own_part(parts);
  struct part *part = &parts->part[own];
  uint32_t uses = count_use(part);
  if (own && !load_relaxed(&part->first)) {
    store_release(&part->first, object);
  } else {
    void *displaced = own ? replace_first(part, object) : object; /* the warmest is taken first */
    if (displaced && !push(part, displaced)) drop_object(p, displaced);
  }
  if (unlikely(uses % LOOK_AT_CLOCK < 2)) trim(p, parts);
}

static void clear_cache(struct pool *p) {
  struct parts *parts = load_acquire(&p->parts);
  for (uint32_t i = 0; parts && i < parts->n; i++) {
    drop_first(p, &parts->part[i]);
    drop_from_bottom(p, &parts->part[i], SIZE_MAX);
  }
}

static void free_parts(struct pool *p) {
  struct parts *parts = exchange(&p->parts, NULL);
  for (uint32_t i = 0; parts && i < parts->n; i++) free(parts->part[i].stack);
  free(parts);
  store_relaxed(&p->look_at, 0);
}

/* ---- with a limit ---- */

/* One less exists: the first who waits may make another. */
static void release_right(struct pool *p) {
  lock_take(&p->lock);
  struct waiter *w = queue_claim_first(&p->queue, LEAT_OK);
  struct goroutine *woken = w ? w->goroutine : NULL;
  if (!w) p->out--;
  lock_drop(&p->lock);
  if (woken) leat_i_ready(woken);
}

struct right {
  struct leat_i_cleanup cleanup;
  struct pool *pool;
};
static void give_up_right(struct leat_i_cleanup *c) { release_right(((struct right *)c)->pool); }

/* Makes one; the caller has the right to. */
static int make_counted(struct pool *p, struct goroutine *self, void **object, const struct leat_i_pool_type *type) {
  struct right r = {{self->cleanups, give_up_right}, p};
  self->cleanups = &r.cleanup;
  int status = make_object(p, type, object);
  self->cleanups = r.cleanup.outer;
  if (status != LEAT_OK) release_right(p);
  return status;
}

static void drop_counted(struct pool *p, void *object) {
  struct goroutine *self = leat_i_self();
  struct right r = {{self->cleanups, give_up_right}, p};
  self->cleanups = &r.cleanup;
  drop_object(p, object);
  self->cleanups = r.cleanup.outer;
  release_right(p);
}

/* With the lock: room for all there can be, so that a put cannot fail. */
static int reserve(struct pool *p) {
  if (!p->idle) p->idle = calloc(p->limit, sizeof *p->idle);
  return p->idle ? LEAT_OK : LEAT_NOMEM;
}

static __attribute__((noinline)) int get_limited(struct pool *p, void **object, const struct leat_i_pool_type *type, int64_t deadline, bool may_wait) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  lock_take(&p->lock);
  status = reserve(p);
  bool has_object = !status && p->n_idle, has_right = !status && p->out < p->limit;
  if (has_right) p->out++;
  if (has_object) *object = p->idle[--p->n_idle];
  if (!status && !has_right && may_wait) {
    struct waiter w = {.goroutine = self};
    status = leat_i_queue_wait(&p->queue, &w, &(struct queue_wait){.reason = WAIT_POOL, .object = p, .lock = &p->lock, .deadline = deadline});
    *object = w.elem;
    has_object = w.elem != NULL;
    has_right = status == LEAT_OK;
    status = wait_answer(self, status);
  } else {
    lock_drop(&p->lock);
    self->ignored = 0;
    leat_i_operation(self);
    if (!status && !has_right) status = LEAT_EMPTY;
  }
  if (has_object) happens_after(*object);
  return has_right && !has_object ? make_counted(p, self, object, type) : status;
}

static _Noreturn void none_is_out(const struct pool *p, const char *operation) {
  leat_i_panic("%s: none of the objects of the pool at %p is out; what leat_pool_get answered is put back or discarded, once", operation, (const void *)p);
}

static __attribute__((noinline)) void put_limited(struct pool *p, void *object) {
  lock_take(&p->lock);
  if (unlikely(!p->out)) {
    lock_drop(&p->lock);
    none_is_out(p, "leat_pool_put");
  }
  struct waiter *w = queue_claim_first(&p->queue, LEAT_OK);
  struct goroutine *woken = w ? w->goroutine : NULL;
  if (w) {
    w->elem = object;
  } else {
    p->idle[p->n_idle++] = object;
    p->out--;
  }
  lock_drop(&p->lock);
  if (woken) leat_i_ready(woken);
}

static void clear_limited(struct pool *p) {
  for (;;) {
    lock_take(&p->lock);
    void *object = p->n_idle ? p->idle[--p->n_idle] : NULL;
    if (object) p->out++;
    lock_drop(&p->lock);
    if (!object) return;
    drop_counted(p, object);
  }
}

/* ---- both ---- */

#ifdef LEAT_DEBUG
static bool is_in(struct pool *p, const void *object) {
  struct parts *parts = load_acquire(&p->parts);
  bool found = false;
  lock_take(&p->lock);
  for (size_t i = 0; i < p->n_idle; i++) found |= p->idle[i] == object;
  lock_drop(&p->lock);
  for (uint32_t i = 0; parts && i < parts->n; i++) {
    struct part *part = &parts->part[i];
    lock_take(&part->lock);
    found |= load_relaxed(&part->first) == object;
    for (size_t k = 0; k < load_relaxed(&part->n); k++) found |= part->stack[k] == object;
    lock_drop(&part->lock);
  }
  return found;
}
static void check_not_in(struct pool *p, const void *object, const char *operation) {
  if (is_in(p, object)) leat_i_panic("%s: the object at %p lies in the pool at %p already; it was put twice, or used after its put", operation, object, (void *)p);
}
#else
static void check_not_in(struct pool *p, const void *object, const char *operation) { (void)p, (void)object, (void)operation; }
#endif

int leat_i_pool_get(void *pool, void **object, const struct leat_i_pool_type *type, int64_t deadline) {
  happens_call();
  not_after_fork();
  struct pool *p = pool;
  *object = NULL;
  return p->limit ? get_limited(p, object, type, deadline, true) : get_from_cache(p, object, type);
}

int leat_i_pool_try_get(void *pool, void **object, const struct leat_i_pool_type *type, int64_t unused) {
  happens_call();
  not_after_fork();
  (void)unused;
  struct pool *p = pool;
  *object = NULL;
  return p->limit ? get_limited(p, object, type, LEAT_NEVER, false) : get_from_cache(p, object, type);
}

void leat_i_pool_put(void *pool, void *object) {
  happens_call();
  not_after_fork();
  struct pool *p = pool;
  if (!object) return;
  check_not_in(p, object, "leat_pool_put");
  happens_before(object);
  if (p->limit) put_limited(p, object);
  else put_into_cache(p, object);
}

void leat_i_pool_discard(void *pool, void *object) {
  happens_call();
  not_after_fork();
  struct pool *p = pool;
  if (!object) return;
  check_not_in(p, object, "leat_pool_discard");
  happens_before(object);
  if (!p->limit) {
    drop_object(p, object);
    return;
  }
  lock_take(&p->lock);
  bool none_out = !p->out;
  lock_drop(&p->lock);
  if (none_out) none_is_out(p, "leat_pool_discard");
  drop_counted(p, object);
}

void leat_i_pool_clear(void *pool) {
  happens_call();
  not_after_fork();
  struct pool *p = pool;
  if (p->limit) clear_limited(p);
  else clear_cache(p);
}

void leat_i_pool_free(void *pool) {
  happens_call();
  not_after_fork();
  struct pool *p = pool;
  if (p->limit && p->out) leat_i_panic("leat_pool_free: %zu objects of the pool at %p are still out; wait for those that have them, who put them back", p->out, (void *)p);
  leat_i_pool_clear(p);
  free_parts(p);
  free(p->idle);
  p->idle = NULL;
}

size_t leat_i_pool_len(void *pool) {
  struct pool *p = pool;
  struct parts *parts = load_acquire(&p->parts);
  lock_take(&p->lock);
  size_t n = p->n_idle;
  lock_drop(&p->lock);
  for (uint32_t i = 0; parts && i < parts->n; i++) n += load_relaxed(&parts->part[i].n) + (load_relaxed(&parts->part[i].first) != NULL);
  return n;
}
