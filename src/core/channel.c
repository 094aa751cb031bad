/* See channel.h and leat/channel.h. */
#include "channel.h"
#include "gauge.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../inspect/leak.h"
#include "panic.h"
#include "scope.h"
#include "time.h"
#include <errno.h>
#include <fcntl.h>
#include <leat/io.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- life ---- */

#ifdef LEAT_DEBUG
/* Debug builds keep freed channels for a while, poisoned, so that a handle that outlived its scope is recognised. */
enum { QUARANTINE = 1024 };
static const uint64_t ALIVE = UINT64_C(0x11ea7c4a2), DEAD = UINT64_C(0xdead11ea7c4a2);
static struct chan *quarantine[QUARANTINE];
static _Atomic(uint32_t) quarantined;

void leat_i_chan_check(const struct chan *c, const char *operation) {
  if (c && c->magic != ALIVE)
    leat_i_panic("%s on a channel that was freed with its scope (made at %s)", operation, c->magic == DEAD ? c->birthplace : "an unknown place");
}

static void set_alive(struct chan *c) { c->magic = ALIVE; }

static void release_memory(struct chan *c) {
  c->magic = DEAD;
  uint32_t at = add(&quarantined, 1) % QUARANTINE;
  struct chan *oldest = __atomic_exchange_n(&quarantine[at], c, __ATOMIC_ACQ_REL);
  if (oldest) free(oldest->memory);
}
#else
static void set_alive(struct chan *c) { (void)c; }
static void release_memory(struct chan *c) { free(c->memory); }
#endif

struct chan *leat_i_chan_failed(void) {
  static struct chan failed = {.flags = CHAN_FAILED, .references = 1, .users = 1, .elem_size = 1, .birthplace = "out of memory"};
  set_alive(&failed);
  return &failed;
}

#ifdef LEAT_HAPPENS
enum { CLOCKS = 2 };
#else
enum { CLOCKS = 0 };
#endif

enum { LINE = 64, SMALL = 16 };
static size_t whole(size_t bytes, size_t unit) { return (bytes + unit - 1) & ~(unit - 1); }

/* Small elements begin in the line of the cache that the channel itself ends in (a million timers, each with a channel: 64 bytes less each). No line is shared
 * with the next block of the heap, which another CPU may use (two that each make channels: up to 100 ns for 35). */
struct chan *leat_i_chan_new(size_t elem, size_t capacity, const char *birthplace) {
  const size_t place = whole(sizeof(struct chan), elem <= SMALL ? SMALL : LINE);
  size_t bytes;
  void *memory = NULL;
  struct chan *c;
  if (!__builtin_mul_overflow(elem, capacity, &bytes) && bytes < PTRDIFF_MAX - place - LINE) {
    bytes = whole(place + bytes, LINE);
    memory = malloc(bytes + LINE - 1 + CLOCKS * capacity); /* libc's aligned_alloc does not use its cache: 60 ns more */
  }
  if (!memory) return leat_i_chan_failed();
  c = (struct chan *)whole((uintptr_t)memory, LINE);
  *c = (struct chan){.memory = memory, .elem_size = elem, .capacity = capacity, .birthplace = birthplace, .epoch = leak_epoch(), .references = 1};
  c->buffer = (char *)c + place;
#ifdef LEAT_HAPPENS
  c->clocks = (char *)c + bytes;
#endif
  set_alive(c);
  return c;
}

/* Those that belong to no scope, by their address, so that workers seldom meet. */
enum { LISTS = 64 };
static struct chan_list {
  _Alignas(64) struct lock lock;
  struct chan *first;
} without_scope[LISTS];

static struct chan_list *list_of(const struct chan *c) { return &without_scope[((uintptr_t)c >> 6) * UINT64_C(0x9e3779b97f4a7c15) >> 58]; }

static void enlist(struct chan *c, struct lock *lock, struct chan **list) {
  lock_take(lock);
  c->scope_next = *list;
  if (*list) (*list)->scope_previous = c;
  *list = c;
  lock_drop(lock);
}

static void delist(struct chan *c, struct lock *lock, struct chan **list) {
  lock_take(lock);
  if (c->scope_previous) c->scope_previous->scope_next = c->scope_next;
  else *list = c->scope_next;
  if (c->scope_next) c->scope_next->scope_previous = c->scope_previous;
  lock_drop(lock);
}

void leat_i_chan_enlist(struct chan *c, struct scope *s) {
  c->scope = s;
  if (s) enlist(c, &s->lock, &s->chans);
  else enlist(c, &list_of(c)->lock, &list_of(c)->first);
}

struct leat_i_chan *leat_i_chan_make(const struct leat_scope *scope, size_t elem, size_t capacity, const char *birthplace) {
  not_after_fork();
  struct chan *c = leat_i_chan_new(elem, capacity, birthplace);
  if (!(load_relaxed(&c->flags) & CHAN_FAILED)) leat_i_chan_enlist(c, (struct scope *)scope);
  return (struct leat_i_chan *)c;
}

void leat_i_chans_without_scope_each(void (*visit)(struct chan *c, void *environment), void *environment) {
  for (int i = 0; i < LISTS; i++) {
    lock_take(&without_scope[i].lock);
    for (struct chan *c = without_scope[i].first; c; c = c->scope_next) visit(c, environment);
    lock_drop(&without_scope[i].lock);
  }
}

static void drop_buffered(struct chan *c) {
  chan_dropped(c);
  for (size_t n = load_relaxed(&c->n); n; n--) {
    if (c->drop) c->drop(c->buffer + c->head * c->elem_size);
    c->head = c->head + 1 == c->capacity ? 0 : c->head + 1;
  }
  store_relaxed(&c->n, 0);
}

void leat_i_chan_reference(struct chan *c) { add(&c->references, 1); }

void leat_i_chan_unreference(struct chan *c) {
  happens_before(&c->references);
  if (load_acquire(&c->references) != 1 && sub(&c->references, 1) != 1) return; /* who has the only one alone can make another */
  happens_after(&c->references);
  if (unlikely(load_relaxed(&c->flags) & CHAN_GAUGED)) leat_i_gauge_gone(c);
  drop_buffered(c);
  if (c->feeder) c->feeder->free(c->feeder);
  if (c->event_fd) leat_io_close(c->event_fd); /* a goroutine may have waited for it */
  release_memory(c);
}

void leat_i_chans_of_scope_free(struct chan *c) {
  while (c) {
    struct chan *next = c->scope_next;
    if (unlikely(load_relaxed(&c->flags) & CHAN_UNASKED)) c->feeder->orphaned(c->feeder);
    leat_i_timer_free(c->timer);
    leat_i_chan_unreference(c);
    c = next;
  }
}

void leat_i_release(struct leat_i_chan *handle) {
  happens_call();
  not_after_fork();
  struct chan *c = chan_of(handle);
  if (!c || load_relaxed(&c->flags) & CHAN_FAILED) return;
  if (load_relaxed(&c->flags) & CHAN_DONE) leat_i_panic("leat_release of what leat_done answered: it belongs to its scope, and goes with that");
  leat_i_chan_check(c, "leat_release");
  struct scope *s = c->scope;
  if (s) delist(c, &s->lock, &s->chans);
  else delist(c, &list_of(c)->lock, &list_of(c)->first);
  leat_i_timer_free(c->timer);
  leat_i_chan_unreference(c);
}

void leat_i_chan_free_done(struct chan *c) { leat_i_chan_unreference(c); }

void leat_i_chan_use(struct chan *c) {
  add(&c->users, 1);
  add(&c->references, 1);
}

static struct feeder *stop(struct chan *c);

struct feeder *leat_i_chan_unuse_once(struct chan *c) {
  if (load_relaxed(&c->flags) & CHAN_FAILED) return NULL;
  struct feeder *stopped = NULL;
  bool all_known = !(load_relaxed(&c->flags) & CHAN_SHARED) || load_relaxed(&c->flags) & CHAN_OUTPUT;
  if (sub(&c->users, 1) == 1 && all_known) stopped = stop(c);
  if (!stopped) leat_i_chan_unreference(c);
  return stopped;
}

void leat_i_chan_unuse(struct chan *c) {
  struct feeder *f = leat_i_chan_unuse_once(c);
  if (!f) return;
  f->stopped(f);
  leat_i_chan_unreference(c);
}

void leat_i_chan_enlist_stage(struct chan *c) {
  if (atomic_fetch_and(&c->flags, ~(uint32_t)CHAN_ADRIFT) & CHAN_ADRIFT) leat_i_chan_reference(c);
  else if (load_relaxed(&c->flags) & CHAN_SHARED || !leat_i_hold_pass(c)) leat_i_chan_use(c);
}

void leat_i_share(struct leat_i_chan *c) {
  if (c) atomic_fetch_or(&chan_of(c)->flags, CHAN_SHARED);
}

void leat_i_own(struct leat_i_chan *c) {
  if (c) chan_of(c)->owner = leat_i_self()->id;
}

void leat_i_on_drop(struct leat_i_chan *c, void (*drop)(void *)) {
  if (c) chan_of(c)->drop = drop;
}

size_t leat_i_len(struct leat_i_chan *c) { return c ? load_acquire(&chan_of(c)->n) : 0; }
size_t leat_i_cap(struct leat_i_chan *c) { return c ? chan_of(c)->capacity : 0; }

/* ---- one value, under the lock ---- */

void leat_i_chan_notify(struct chan *c) {
  if (likely(!c->event_fd)) return;
  uint64_t one = 1;
  ssize_t ignored = 0;
  quietly ignored = write(c->event_fd, &one, sizeof one); /* fails only if it is readable to the brim */
  (void)ignored;
}

/* The size of an element is a parameter of what follows, so that for words, by far the most, it is a constant (see leat_i_send). */
#define INLINE static inline __attribute__((always_inline))

INLINE char *slot(struct chan *c, size_t i, size_t size) {
  i += c->head;
  if (i >= c->capacity) i -= c->capacity;
  return c->buffer + i * size;
}

/* To an open channel. */
INLINE int send_open(struct worker *worker, struct chan *c, const void *value, size_t size, struct goroutine **woken) {
  struct waiter *w = queue_claim_first_on(worker, &c->receivers, LEAT_OK);
  if (w) {
    chan_copy(w->elem, value, size);
    chan_sent(c, 0, w->goroutine);
    *woken = w->goroutine;
    return LEAT_OK;
  }
  size_t n = load_relaxed(&c->n);
  if (n == c->capacity) return WOULD_BLOCK;
  chan_copy(slot(c, n, size), value, size);
  chan_sent(c, n, NULL);
  store_relaxed(&c->n, n + 1);
  return LEAT_OK;
}

/* To one that has ended, or is measured. */
static __attribute__((noinline)) int send_otherwise(struct chan *c, const void *value, struct goroutine **woken) {
  uint32_t flags = load_relaxed(&c->flags);
  if (flags & CHAN_ENDED) {
    happens_after(c);
    return flags & CHAN_FAILED ? LEAT_NOMEM : LEAT_CLOSED;
  }
  size_t n = load_relaxed(&c->n);
  int status = send_open(leat_i_worker(), c, value, c->elem_size, woken);
  if (status == LEAT_OK) leat_i_gauge_sent(c, n, *woken);
  if (status == LEAT_OK && !*woken) leat_i_chan_notify(c);
  return status;
}

static int send_locked(struct chan *c, const void *value, struct goroutine **woken) {
  if (unlikely(load_relaxed(&c->flags) & (CHAN_ENDED | CHAN_GAUGED))) return send_otherwise(c, value, woken);
  int status = send_open(leat_i_worker(), c, value, c->elem_size, woken);
  if (status == LEAT_OK && !*woken) leat_i_chan_notify(c);
  return status;
}

/* Takes the next value of the first sender that waits. A batch stays at the head of the queue until its last value: the goroutine is claimed
 * with that one only, and counts by what is left, so a cancel in the middle loses nothing. */
INLINE bool take_from_sender(struct worker *worker, struct chan *c, size_t place, void *target, size_t size, struct goroutine **woken) {
  (void)place;
  struct waiter *w = queue_first(&c->senders);
  if (w && w->count > 1) {
    chan_taken(c, place, w->goroutine, false);
    chan_copy(target, w->elem, size);
    w->elem += size;
    w->count--;
    return true;
  }
  if (!w || !(w = queue_claim_first_on(worker, &c->senders, LEAT_OK))) return false;
  chan_taken(c, place, w->goroutine, true);
  chan_copy(target, w->elem, size);
  w->elem += size;
  w->count--; /* not 0 for a batch behind one that could not be claimed: woken early, it sends the rest itself */
  *woken = w->goroutine;
  return true;
}

INLINE int recv_now(struct worker *worker, struct chan *c, void *target, size_t size, struct goroutine **woken) {
  size_t n = load_relaxed(&c->n);
  if (n) {
    chan_copy(target, slot(c, 0, size), size);
    chan_received(c);
    c->head = c->head + 1 == c->capacity ? 0 : c->head + 1;
    /* The room goes to the sender that has waited longest. */
    if (!queue_first(&c->senders) || !take_from_sender(worker, c, n - 1, slot(c, n - 1, size), size, woken)) store_relaxed(&c->n, n - 1);
    return LEAT_OK;
  }
  if (queue_first(&c->senders) && take_from_sender(worker, c, 0, target, size, woken)) return LEAT_OK;
  uint32_t flags = load_relaxed(&c->flags);
  if (likely(!(flags & CHAN_ENDED))) return WOULD_BLOCK;
  happens_after(c);
  quietly memset(target, 0, size);
  return flags & CHAN_FAILED ? LEAT_NOMEM : LEAT_CLOSED;
}

static __attribute__((noinline)) int recv_gauged(struct chan *c, void *target, struct goroutine **woken) {
  size_t n = load_relaxed(&c->n);
  int status = recv_now(leat_i_worker(), c, target, c->elem_size, woken);
  if (status == LEAT_OK) leat_i_gauge_received(c, n, leat_i_self());
  return status;
}

static int recv_locked(struct chan *c, void *target, struct goroutine **woken) {
  if (unlikely(load_relaxed(&c->flags) & CHAN_GAUGED)) return recv_gauged(c, target, woken);
  return recv_now(leat_i_worker(), c, target, c->elem_size, woken);
}

int leat_i_chan_send_locked(struct chan *c, const void *value, struct goroutine **woken) { return send_locked(c, value, woken); }
int leat_i_chan_recv_locked(struct chan *c, void *target, struct goroutine **woken) { return recv_locked(c, target, woken); }

/* ---- blocking ---- */

/* By a stage that is measured. */
static __attribute__((noinline)) int wait_measured(struct queue *q, struct waiter *w, struct lock *lock, enum wait_reason reason, int64_t deadline) {
  struct chan *c = w->chan;
  struct gauge_wait measured;
  leat_i_gauge_wait_begins(&measured, w->goroutine->server, gauge_side(c, reason == WAIT_SEND), w->count);
  int status = leat_i_queue_wait(q, w, &(struct queue_wait){.reason = reason, .object = c, .lock = lock, .deadline = deadline});
  gauge_wait_ends(&measured, w->count);
  return status;
}

/* With the lock, which it drops: waits in the queue. */
INLINE int wait_in(struct queue *q, struct waiter *w, struct lock *lock, enum wait_reason reason, int64_t deadline) {
  struct chan *c = w->chan;
  if (reason == WAIT_SEND && unlikely(c->event_fd)) {
    queue_push(q, w); /* before the host looks, which it does without the lock */
    leat_i_chan_notify(c);
  }
  if (unlikely(w->goroutine->server)) return wait_measured(q, w, lock, reason, deadline);
  if (likely(deadline == LEAT_NEVER)) return queue_wait_on(q, w, lock, reason, c);
  return leat_i_queue_wait(q, w, &(struct queue_wait){.reason = reason, .object = c, .lock = lock, .deadline = deadline});
}

static int wait_on_nil(struct goroutine *self, int64_t deadline) {
  return leat_i_park(self, &(struct park){.reason = WAIT_NIL, .deadline = deadline});
}

/* A try that would block, found without the lock. */
static inline int would_block(struct goroutine *self, int status) {
  leat_i_operation(self);
  self->ignored = 0; /* and `fenced` stays */
  return status;
}

INLINE int finish(struct goroutine *self, struct lock *lock, struct goroutine *woken, int status) {
  lock_drop(lock);
  if (woken) leat_i_ready(woken);
  leat_i_operation(self);
  return wait_answer(self, status);
}

/* With the lock, which it drops. */
static __attribute__((noinline)) int wait_to_send(struct goroutine *self, struct chan *c, struct lock *lock, const void *value, int64_t deadline) {
  struct waiter w;
  waiter_init(&w, self, c, (char *)value);
  return wait_answer(self, wait_in(&c->senders, &w, lock, WAIT_SEND, deadline));
}

static __attribute__((noinline)) int send_any(struct chan *c, const void *value, int64_t deadline) {
  struct goroutine *self = leat_i_self(), *woken = NULL;
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (unlikely(!c)) return wait_answer(self, wait_on_nil(self, deadline));
  leat_i_chan_check(c, "leat_send");
  happens_read(value, c->elem_size);
  struct lock *lock = chan_lock(c);
  status = send_locked(c, value, &woken);
  return status == WOULD_BLOCK ? wait_to_send(self, c, lock, value, deadline) : finish(self, lock, woken, status);
}

/* Has handed over to or taken from a goroutine that waited. */
static __attribute__((noinline)) int pass_on(struct goroutine *self, struct goroutine *woken) {
  leat_i_ready(woken);
  leat_i_operation(self);
  note_done(self);
  return LEAT_OK;
}
static __attribute__((noinline)) int look_around(struct worker *w, struct goroutine *self, int status) {
  leat_i_look_around(w, self);
  return wait_answer(self, status);
}

/* Without what small values, workers and open channels do not need; and whatever calls another function does so last, so that the registers that
 * survive calls need not be saved (a word in and out of a buffer: 17 against 22 ns). */
INLINE int send_sized(struct worker *worker, struct chan *c, const void *value, int64_t deadline, size_t size) {
  struct goroutine *self = load_relaxed(&worker->current), *woken = NULL;
  struct lock *lock = likely(!leat_i_scope_interrupts(self->scope)) ? reserved_take_quickly(&c->lock, worker) : NULL;
  if (unlikely(!lock)) return send_any(c, value, deadline);
  if (unlikely(load_relaxed(&c->flags) & (CHAN_ENDED | CHAN_NOTIFIES | CHAN_GAUGED))) {
    lock_drop(lock);
    return send_any(c, value, deadline);
  }
  int status = send_open(worker, c, value, size, &woken);
  if (status == WOULD_BLOCK) return wait_to_send(self, c, lock, value, deadline);
  lock_drop(lock);
  if (woken) return pass_on(self, woken);
  if (unlikely(operation_is_due(worker))) return look_around(worker, self, LEAT_OK);
  note_done(self);
  return LEAT_OK;
}
#define SEND(size) \
  static __attribute__((noinline)) int send_##size(struct worker *worker, struct chan *c, const void *value, int64_t deadline) { \
    return send_sized(worker, c, value, deadline, size); \
  }
SEND(0) SEND(1) SEND(4) SEND(16) /* each with a frame of its own, where the compiler does not optimize */
static __attribute__((noinline)) int send_other(struct worker *worker, struct chan *c, const void *value, int64_t deadline) {
  if (c && worker) switch (c->elem_size) {
    case 0: return send_0(worker, c, value, deadline);
    case 1: return send_1(worker, c, value, deadline);
    case 4: return send_4(worker, c, value, deadline);
    case 16: return send_16(worker, c, value, deadline);
    }
  return send_any(c, value, deadline);
}
int leat_i_send(struct leat_i_chan *handle, const void *value, int64_t deadline) {
  happens_call();
  struct chan *c = chan_of(handle);
  if (!SHORT_WAYS) return send_any(c, value, deadline);
  struct worker *worker = leat_i_worker();
  if (unlikely(!c || !worker || c->elem_size != WORD)) return send_other(worker, c, value, deadline);
  return send_sized(worker, c, value, deadline, WORD);
}

/* Who has looked in vain before, and does again: without a frame, as leat_i_send. */
INLINE bool still_would_block(struct worker *w, struct goroutine *self, bool may) {
  return likely(!leat_i_scope_interrupts(self->scope)) && !may && self->fenced && likely(!operation_is_due(w));
}

static __attribute__((noinline)) int try_send_any(struct chan *c, const void *value) {
  struct goroutine *self = leat_i_self(), *woken = NULL;
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (unlikely(!c)) return LEAT_FULL;
  leat_i_chan_check(c, "leat_try_send");
  if (!chan_may_send(c) && (was_fenced(self) || !chan_may_send(c))) return would_block(self, LEAT_FULL);
  happens_read(value, c->elem_size);
  struct lock *lock = chan_lock(c);
  status = send_locked(c, value, &woken);
  return finish(self, lock, woken, status == WOULD_BLOCK ? LEAT_FULL : status);
}
int leat_i_try_send(struct leat_i_chan *handle, const void *value, int64_t unused) {
  happens_call();
  (void)unused;
  struct chan *c = chan_of(handle);
  struct worker *worker = leat_i_worker();
  struct goroutine *self = worker ? load_relaxed(&worker->current) : NULL;
  if (!SHORT_WAYS || !c || !self || c->elem_size != WORD || !still_would_block(worker, self, chan_may_send(c))) return try_send_any(c, value);
  self->ignored = 0;
  return LEAT_FULL;
}

/* A receive that fails zeroes its target, also on the nil channel, hence the size. */
static inline int zeroed(void *target, size_t size, int status) {
  happens_write(target, size);
  switch (size) { /* the usual sizes without a call */
  case 0: break;
  case 4: memset(target, 0, 4); break;
  case 8: memset(target, 0, 8); break;
  default: quietly memset(target, 0, size);
  }
  return status;
}

/* With the lock: if nobody has received from it before, drops the lock, makes its feeder begin and answers true. */
static bool unasked(struct chan *c, struct lock *lock) {
  if (likely(!(load_relaxed(&c->flags) & CHAN_UNASKED))) return false;
  lock_drop(lock);
  chan_ask(c);
  return true;
}

/* What becomes of a wait to receive, with its entry off the queue. */
INLINE int received(struct goroutine *self, struct chan *c, void *target, int status) {
  if (unlikely(status)) zeroed(target, c->elem_size, status);
  else happens_write(target, c->elem_size);
  return wait_answer(self, status);
}

/* With the lock, which it drops. */
static __attribute__((noinline)) int wait_to_recv(struct goroutine *self, struct chan *c, struct lock *lock, void *target, int64_t deadline) {
  struct waiter w;
  waiter_init(&w, self, c, target);
  return received(self, c, target, wait_in(&c->receivers, &w, lock, WAIT_RECV, deadline));
}

/* ---- receiving what may become unwanted ---- */

struct settle {
  struct lock *lock; /* the channel's */
  struct wanted *wanted;
  struct goroutine *self;
};
/* It has left its stack, and waits: from here on leat_i_wanted_no_more finds it. The settle is gone when the channel's lock is. */
static void settle(void *argument) {
  struct settle *s = argument;
  struct goroutine *self = s->self;
  struct lock *lock = s->lock;
  lock_take(&s->wanted->lock);
  bool claimed = s->wanted->no_more && leat_i_claim(self, LEAT_CLOSED);
  s->wanted->receiver = self;
  lock_drop(&s->wanted->lock);
  lock_drop(lock);
  if (claimed) leat_i_ready(self);
}

void leat_i_wanted_no_more(struct wanted *wanted) {
  lock_take(&wanted->lock);
  wanted->no_more = true;
  struct goroutine *g = wanted->receiver;
  if (g && !leat_i_claim(g, LEAT_CLOSED)) g = NULL;
  lock_drop(&wanted->lock);
  if (g) leat_i_ready(g);
}

/* With the channel's lock, which it drops. */
static int wait_while_wanted(struct waiter *w, struct lock *lock, struct wanted *wanted) {
  struct chan *c = w->chan;
  struct settle s = {lock, wanted, w->goroutine};
  struct gauge_wait measured = {.side = SIDE_NEITHER};
  if (unlikely(w->goroutine->server)) leat_i_gauge_wait_begins(&measured, w->goroutine->server, gauge_side(c, false), 1);
  int status = leat_i_queue_wait(&c->receivers, w, &(struct queue_wait){.reason = WAIT_RECV, .object = c, .lock = lock, .deadline = LEAT_NEVER, .unlock = settle, .unlock_arg = &s});
  gauge_wait_ends(&measured, 1);
  lock_take(&wanted->lock);
  wanted->receiver = NULL;
  lock_drop(&wanted->lock);
  return status;
}

static __attribute__((noinline)) int recv_any(struct chan *c, void *target, size_t size, int64_t deadline, struct wanted *wanted) {
  struct goroutine *self = leat_i_self(), *woken = NULL;
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, zeroed(target, size, status));
  if (unlikely(!c)) return wait_answer(self, zeroed(target, size, wait_on_nil(self, deadline)));
  leat_i_chan_check(c, "leat_recv");
  struct lock *lock = chan_lock(c);
  status = recv_locked(c, target, &woken);
  if (status != WOULD_BLOCK) {
    happens_write(target, size);
    return finish(self, lock, woken, status);
  }
  if (unlikely(unasked(c, lock))) return recv_any(c, target, size, deadline, wanted);
  if (!wanted) return wait_to_recv(self, c, lock, target, deadline);
  struct waiter w;
  waiter_init(&w, self, c, target);
  return received(self, c, target, wait_while_wanted(&w, lock, wanted));
}

/* As send_sized. */
INLINE int recv_sized(struct worker *worker, struct chan *c, void *target, int64_t deadline, size_t size) {
  struct goroutine *self = load_relaxed(&worker->current), *woken = NULL;
  bool plain = likely(!leat_i_scope_interrupts(self->scope)) && likely(!(load_relaxed(&c->flags) & (CHAN_UNASKED | CHAN_GAUGED)));
  struct lock *lock = plain ? reserved_take_quickly(&c->lock, worker) : NULL;
  if (unlikely(!lock)) return recv_any(c, target, size, deadline, NULL);
  int status = recv_now(worker, c, target, size, &woken);
  if (status == WOULD_BLOCK) return wait_to_recv(self, c, lock, target, deadline);
  lock_drop(lock);
  if (woken) return pass_on(self, woken);
  if (unlikely(operation_is_due(worker))) return look_around(worker, self, status);
  if (unlikely(status != LEAT_OK)) return wait_answer(self, status);
  note_done(self);
  return LEAT_OK;
}
#define RECV(size) \
  static __attribute__((noinline)) int recv_##size(struct worker *worker, struct chan *c, void *target, int64_t deadline) { \
    return recv_sized(worker, c, target, deadline, size); \
  }
RECV(0) RECV(1) RECV(4) RECV(16)
static __attribute__((noinline)) int recv_other(struct worker *worker, struct chan *c, void *target, size_t size, int64_t deadline) {
  if (c && worker) switch (c->elem_size) {
    case 0: return recv_0(worker, c, target, deadline);
    case 1: return recv_1(worker, c, target, deadline);
    case 4: return recv_4(worker, c, target, deadline);
    case 16: return recv_16(worker, c, target, deadline);
    }
  return recv_any(c, target, size, deadline, NULL);
}
int leat_i_recv(struct leat_i_chan *handle, void *target, size_t size, int64_t deadline) {
  happens_call();
  struct chan *c = chan_of(handle);
  if (!SHORT_WAYS) return recv_any(c, target, size, deadline, NULL);
  struct worker *worker = leat_i_worker();
  if (unlikely(!c || !worker || c->elem_size != WORD)) return recv_other(worker, c, target, size, deadline);
  return recv_sized(worker, c, target, deadline, WORD);
}

int leat_i_recv_wanted(struct leat_i_chan *c, void *target, size_t size, struct wanted *wanted) {
  return recv_any(chan_of(c), target, size, LEAT_NEVER, wanted);
}

static __attribute__((noinline)) int try_recv_any(struct chan *c, void *target, size_t size) {
  struct goroutine *self = leat_i_self(), *woken = NULL;
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, zeroed(target, size, status));
  if (unlikely(!c)) return zeroed(target, size, LEAT_EMPTY);
  leat_i_chan_check(c, "leat_try_recv");
  if (!chan_may_recv(c) && (was_fenced(self) || !chan_may_recv(c))) return would_block(self, zeroed(target, size, LEAT_EMPTY));
  if ((status = chan_is_over(c))) {
    leat_i_operation(self);
    return wait_answer(self, zeroed(target, size, status));
  }
  struct lock *lock = chan_lock(c);
  status = recv_locked(c, target, &woken);
  if (status == WOULD_BLOCK) {
    status = zeroed(target, size, LEAT_EMPTY);
    if (unlikely(unasked(c, lock))) return wait_answer(self, status);
  } else {
    happens_write(target, size);
  }
  return finish(self, lock, woken, status);
}
static __attribute__((noinline)) int try_recv_byte(struct worker *worker, struct goroutine *self, struct chan *c, char *target, size_t size) {
  if (!SHORT_WAYS || !c || !self || c->elem_size != 1 || !still_would_block(worker, self, chan_may_recv(c))) return try_recv_any(c, target, size);
  self->ignored = 0;
  *target = 0;
  return LEAT_EMPTY;
}
int leat_i_try_recv(struct leat_i_chan *handle, void *target, size_t size, int64_t unused) {
  happens_call();
  (void)unused;
  struct chan *c = chan_of(handle);
  struct worker *worker = leat_i_worker();
  struct goroutine *self = worker ? load_relaxed(&worker->current) : NULL;
  if (!SHORT_WAYS || !c || !self || c->elem_size != WORD || !still_would_block(worker, self, chan_may_recv(c))) return try_recv_byte(worker, self, c, target, size);
  self->ignored = 0;
  memset(target, 0, WORD);
  return LEAT_EMPTY;
}

int leat_i_discard(struct leat_i_chan *handle) {
  happens_call();
  struct chan *c = chan_of(handle);
  char small[256];
  size_t size = c ? c->elem_size : 1;
  char *value = size <= sizeof small ? small : malloc(size);
  if (!value) return LEAT_NOMEM;
  int status = leat_i_recv(handle, value, size, LEAT_NEVER);
  if (status == LEAT_OK && c->drop) c->drop(value);
  if (value != small) free(value);
  return status;
}

bool leat_i_range(struct leat_i_chan *c, void *target, size_t size) {
  happens_call();
  int status = leat_i_recv(c, target, size, LEAT_NEVER);
  if (unlikely(status)) leat_i_self()->range_status = status;
  return status == LEAT_OK;
}

int leat_range_end(void) { return leat_i_self()->range_status; }

/* ---- many values ---- */

int leat_i_send_n(struct leat_i_chan *handle, const void *items, size_t n, size_t *sent) {
  happens_call();
  struct chan *c = chan_of(handle);
  struct goroutine *self = leat_i_self(), *woken = NULL;
  const char *item = items;
  size_t left = n;
  self->fenced = false;
  if (sent) *sent = 0;
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (!n) return LEAT_OK;
  if (!c) return wait_answer(self, wait_on_nil(self, LEAT_NEVER));
  leat_i_chan_check(c, "leat_send_n");
  happens_read(items, n * c->elem_size);
  while (left && !status) {
    struct lock *lock = chan_lock(c);
    if (unlikely(c->gauge)) leat_i_gauge_batch(c, true);
    for (; left; left--, item += c->elem_size) {
      struct goroutine *one = NULL;
      status = send_locked(c, item, &one);
      goroutine_collect(&woken, one);
      if (status) break;
    }
    if (unlikely(c->gauge)) leat_i_gauge_batch(c, false);
    if (status != WOULD_BLOCK) {
      lock_drop(lock);
      break;
    }
    if (woken) { /* they are to run while we wait: make them ready first, then look again */
      lock_drop(lock);
      leat_i_ready_in_order(woken);
      woken = NULL;
      status = LEAT_OK;
      continue;
    }
    struct waiter w = {.goroutine = self, .chan = c, .elem = (char *)item, .count = left};
    status = wait_in(&c->senders, &w, lock, WAIT_SEND, LEAT_NEVER);
    item = w.elem;
    left = w.count;
  }
  leat_i_ready_in_order(woken);
  if (sent) *sent = n - left;
  leat_i_operation(self);
  return wait_answer(self, status);
}

/* With the lock: at one go what lies in the buffer, up to `most`, unless somebody waits who is to have the room. */
static size_t take_buffered(struct chan *c, char *items, size_t most) {
#ifdef LEAT_HAPPENS
  most = 0; /* each place has its clocks */
#endif
  size_t had = load_relaxed(&c->n), n = had < most ? had : most, size = c->elem_size, first = c->capacity - c->head;
  if (!n || queue_first(&c->senders) || load_relaxed(&c->flags) & CHAN_GAUGED) return 0;
  if (first > n) first = n;
  memcpy(items, c->buffer + c->head * size, first * size);
  memcpy(items + first * size, c->buffer, (n - first) * size);
  c->head = c->head + n < c->capacity ? c->head + n : c->head + n - c->capacity;
  store_relaxed(&c->n, had - n);
  return n;
}

static inline __attribute__((always_inline)) int receive_n(struct leat_i_chan *handle, void *items, size_t n, size_t *got, struct wanted *wanted) {
  struct chan *c = chan_of(handle);
  struct goroutine *self = leat_i_self(), *woken = NULL;
  char *item = items;
  size_t taken = 0;
  self->fenced = false;
  if (got) *got = 0;
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (!n) return LEAT_OK;
  if (!c) return wait_answer(self, wait_on_nil(self, LEAT_NEVER));
  leat_i_chan_check(c, "leat_recv_n");
  struct lock *lock = chan_lock(c);
  if (unlikely(c->gauge)) leat_i_gauge_batch(c, true);
  while (taken < n) {
    size_t some = take_buffered(c, item, n - taken);
    if (!some) {
      struct goroutine *one = NULL;
      status = recv_locked(c, item, &one);
      goroutine_collect(&woken, one);
      if (status) break;
      some = 1;
    }
    taken += some;
    item += some * c->elem_size;
  }
  if (unlikely(c->gauge)) leat_i_gauge_batch(c, false);
  if (status == WOULD_BLOCK && !taken) {
    if (unlikely(unasked(c, lock))) return wanted ? leat_i_recv_n_wanted(handle, items, n, got, wanted) : leat_i_recv_n(handle, items, n, got);
    struct waiter w = {.goroutine = self, .chan = c, .elem = item, .count = 1};
    status = wanted ? wait_while_wanted(&w, lock, wanted) : wait_in(&c->receivers, &w, lock, WAIT_RECV, LEAT_NEVER);
    if (status == LEAT_OK) taken = 1;
    else zeroed(item, c->elem_size, status);
  } else {
    lock_drop(lock);
    leat_i_ready_in_order(woken);
    leat_i_operation(self);
  }
  happens_write(items, taken * c->elem_size);
  if (got) *got = taken;
  return wait_answer(self, taken ? LEAT_OK : status);
}

int leat_i_recv_n(struct leat_i_chan *c, void *items, size_t n, size_t *got) {
  happens_call();
  return receive_n(c, items, n, got, NULL);
}

int leat_i_recv_n_wanted(struct leat_i_chan *c, void *items, size_t n, size_t *got, struct wanted *wanted) {
  return receive_n(c, items, n, got, wanted);
}

/* ---- ending ---- */

/* Under the lock: claims all who wait in the queue, onto the list. */
static void claim_all(struct queue *q, struct goroutine **list) {
  struct waiter *w;
  while ((w = queue_claim_first(q, LEAT_CLOSED))) goroutine_collect(list, w->goroutine);
}

void leat_i_close(struct leat_i_chan *handle, const char *where) {
  struct chan *c = chan_of(handle);
  struct goroutine *woken = NULL;
  not_after_fork();
  if (!c) leat_i_panic("close of the nil channel at %s; there is nothing to close: the handle was never given a channel, or was set to NULL", where);
  leat_i_chan_check(c, "leat_close");
#ifdef LEAT_DEBUG
  uint64_t self = leat_i_self()->id;
  if (c->owner && c->owner != self)
    leat_i_panic("close of a channel (made at %s) by a goroutine that does not own it, at %s; goroutine %llu does, and closes it or passes it on (leat_own)", c->birthplace, where, (unsigned long long)c->owner);
#endif
  struct lock *lock = chan_lock(c);
  happens_before(c);
  uint32_t before = atomic_fetch_or(&c->flags, CHAN_CLOSED);
  if (!(before & (CHAN_CLOSED | CHAN_FAILED))) {
    claim_all(&c->receivers, &woken);
    claim_all(&c->senders, &woken);
    leat_i_chan_notify(c);
  }
  lock_drop(lock);
  leat_i_ready_in_order(woken);
  if (before & CHAN_CLOSED && !(before & CHAN_FAILED)) leat_i_panic("close of a closed channel (made at %s), at %s; one goroutine, its owner, closes a channel, and once", c->birthplace, where);
}

void leat_i_chan_close_with(struct chan *c, _Atomic(int) *place, int status, struct goroutine **woken) {
  struct lock *lock = chan_lock(c);
  happens_before(c);
  atomic_fetch_or(&c->flags, CHAN_CLOSED);
  store_seq(place, status);
  claim_all(&c->receivers, woken);
  leat_i_chan_notify(c);
  lock_drop(lock);
}

/* Answers its feeder, which is to be told, the first time. */
static struct feeder *stop(struct chan *c) {
  struct goroutine *woken = NULL;
  if (load_relaxed(&c->flags) & (CHAN_FAILED | CHAN_DONE)) return NULL;
  leat_i_chan_check(c, "leat_stop");
  struct lock *lock = chan_lock(c);
  happens_before(c);
  uint32_t before = atomic_fetch_or(&c->flags, CHAN_STOPPED);
  claim_all(&c->senders, &woken);
  claim_all(&c->receivers, &woken);
  chan_dropped(c);
  size_t n = load_relaxed(&c->n), head = c->head;
  store_release(&c->n, 0); /* nothing is put into a stopped channel, so the values can be dropped without the lock */
  if (unlikely(c->gauge)) leat_i_gauge_stopped(c);
  leat_i_chan_notify(c);
  lock_drop(lock);
  leat_i_ready_in_order(woken);
  for (size_t i = 0; c->drop && i < n; i++) c->drop(c->buffer + (head + i) % c->capacity * c->elem_size);
  return before & CHAN_STOPPED ? NULL : c->feeder;
}

void leat_i_stop(struct leat_i_chan *c) {
  happens_call();
  not_after_fork();
  struct feeder *f = c ? stop(chan_of(c)) : NULL;
  if (f) f->stopped(f);
}

int leat_i_chan_fd(struct leat_i_chan *handle) {
  not_after_fork();
  struct chan *c = chan_of(handle);
  if (!c || load_relaxed(&c->flags) & CHAN_FAILED) return LEAT_INVALID;
  int status = 0;
  chan_ask(c);
  struct lock *lock = chan_lock(c);
  if (!c->event_fd) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd == 0) { /* standard input was closed; here 0 says that there is none */
      fd = fcntl(0, F_DUPFD_CLOEXEC, 1);
      close(0);
    }
    if (fd < 0) {
      status = LEAT_SYSTEM(errno);
    } else {
      c->event_fd = fd;
      atomic_fetch_or(&c->flags, CHAN_NOTIFIES);
    }
    if (!status && (load_relaxed(&c->n) || queue_first(&c->senders) || load_relaxed(&c->flags) & (CHAN_CLOSED | CHAN_STOPPED))) leat_i_chan_notify(c);
  }
  lock_drop(lock);
  return status ? status : c->event_fd;
}
