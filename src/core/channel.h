/* Channels, inside: see leat/channel.h for what they do.
 *
 * A lock, a ring buffer, and two queues of waiters. Invariants, under the lock:
 *   - receivers wait only if the buffer is empty and no sender waits; senders only if the buffer is full;
 *   - once closed or stopped nobody waits for what will not come: close empties both queues, stop too and the buffer as well.
 * A value goes straight from sender to receiver when one of them waits: it is copied under the lock into the waiter's place, which lies in
 * the frame of a goroutine that has been claimed and not yet been made ready. A waiter whose goroutine cannot be claimed is just being
 * cancelled: it is passed over, and finds itself off the queue.
 * The lock is reserved for the worker that uses the channel most (runtime/reserved.h).
 * Rejected: a lock-free buffer beside the queues. It would have to look for waiters after each operation, behind a full barrier, which
 * is what an ordinary lock costs without contention, and more than a reserved one. */
#pragma once
#include "../runtime/reserved.h"
#include "waiter.h"
#include <leat/channel.h>

enum chan_flag { CHAN_CLOSED = 1, CHAN_STOPPED = 2, CHAN_FAILED = 4, CHAN_SHARED = 8, CHAN_OUTPUT = 16 /* a stage's: all its users are counted */, CHAN_DONE = 32 /* a scope's: who receives from it cannot end it */,
                 CHAN_UNASKED = 64 /* nobody has received from it yet, and its feeder waits for that */, CHAN_NOTIFIES = 128 /* a host listens */,
                 CHAN_ADRIFT = 256 /* the maker's share is nobody's, until a stage reads it: see scope.h */, CHAN_GAUGED = 512 /* it is measured: see gauge.h */,
                 CHAN_ENDED = CHAN_CLOSED | CHAN_STOPPED | CHAN_FAILED };

/* Who fills a channel, and begins only when somebody asks for a value: a stage (flow/stage.h). Called without locks. */
struct feeder {
  void (*start)(struct feeder *f);   /* somebody receives; clears CHAN_UNASKED */
  void (*stopped)(struct feeder *f); /* the channel was stopped */
  void (*orphaned)(struct feeder *f); /* its scope ends, and it has not begun: it never will */
  void (*free)(struct feeder *f);    /* the channel is freed */
};

/* For one who receives in order to feed another channel: nobody may want it any more, while it waits. */
struct wanted {
  struct lock lock;
  bool no_more;
  struct goroutine *receiver; /* parked */
};

struct chan {
  struct reserved_lock lock;
  _Atomic(uint32_t) flags;
  size_t elem_size, capacity;
  _Atomic(size_t) n; /* buffered; written under the lock */
  size_t head;
  char *buffer;
  struct queue receivers, senders;
  int event_fd; /* 0: none */
  void *memory; /* what is to be freed */
  _Atomic(uint32_t) users, references; /* see scope.h; the scope, and holders, that keep the memory */
  uint32_t epoch; /* see inspect/leak.h */
  void (*drop)(void *);
  uint64_t owner; /* a goroutine's number, 0: not declared */
  const char *birthplace;
  struct scope *scope;
  struct chan *scope_next, *scope_previous; /* guarded by the scope's lock; without a scope, by that of channel.c */
  struct leat_timer *timer; /* which sends into it, and goes with it: time.c */
  struct feeder *feeder;    /* or NULL */
  struct gauge *gauge;      /* with CHAN_GAUGED, or NULL; guarded by the lock */
#ifdef LEAT_DEBUG
  uint64_t magic;
#endif
#ifdef LEAT_HAPPENS
  char *clocks; /* addresses for happens_before: two for each place in the buffer, sent and received */
#endif
};

static inline struct chan *chan_of(struct leat_i_chan *c) { return (struct chan *)c; }
/* Answers the lock to be dropped. */
static inline struct lock *chan_lock(struct chan *c) { return leat_i_reserved_take(&c->lock, leat_i_worker()); }

#ifdef LEAT_HAPPENS
/* What orders senders and receivers: see happens.h. All under the lock, place 0 being the head. */
static inline char *chan_clock(struct chan *c, size_t i) { return c->clocks + (i + c->head) % c->capacity * 2; }
/* The caller has put a value into the buffer, or straight into the hands of a receiver, `waiter`, as if through the buffer. */
static inline void chan_sent(struct chan *c, size_t i, struct goroutine *waiter) {
  if (!c->capacity) {
    happens_after(waiter);
    return;
  }
  char *clock = chan_clock(c, i);
  happens_anew(clock);
  happens_after(clock + 1);
  if (!waiter) return;
  happens_anew_for(waiter, clock + 1);
  c->head = (c->head + 1) % c->capacity;
}
/* The caller has taken the value at the head. */
static inline void chan_received(struct chan *c) {
  char *clock = chan_clock(c, 0);
  happens_anew(clock + 1);
  happens_after(clock);
}
/* The caller takes, or puts into the buffer at place i, a value of a sender that waits, claimed or with more to send. */
static inline void chan_taken(struct chan *c, size_t i, struct goroutine *sender, bool claimed) {
  if (!c->capacity || !claimed) {
    happens_after(sender);
    happens_before(sender);
  }
  if (!c->capacity) return;
  if (claimed) happens_anew_for(sender, chan_clock(c, i));
  else happens_anew(chan_clock(c, i));
}
/* The caller drops all that is in the buffer. */
static inline void chan_dropped(struct chan *c) {
  for (size_t i = 0; i < c->n; i++) happens_after(chan_clock(c, i));
}
/* A timer's channel: who arms the timer is the sender; who fires it passes for nobody. */
static inline void chan_timer_armed(struct chan *c) { happens_anew(chan_clock(c, 0)); }
static inline void chan_timer_fired(struct chan *c, struct goroutine *waiter) { if (waiter) happens_after_for(waiter, chan_clock(c, 0)); }
#else
#define chan_timer_armed(c) ((void)0)
#define chan_timer_fired(c, waiter) ((void)0)
#define chan_dropped(c) ((void)0)
#define chan_sent(c, i, waiter) ((void)0)
#define chan_received(c) ((void)0)
#define chan_taken(c, i, sender, claimed) ((void)0)
#endif

static inline void chan_copy(void *to, const void *from, size_t size) {
  switch (size) { /* the usual sizes without a call */
  case 0: break;
  case 1: memcpy(to, from, 1); break;
  case 4: memcpy(to, from, 4); break;
  case 8: memcpy(to, from, 8); break;
  case 16: memcpy(to, from, 16); break;
  default: quietly memcpy(to, from, size); /* what it reads and writes is in part another goroutine's, which says so itself */
  }
}

/* Looks without the lock. False: there was a moment during the call when the operation would have blocked. What a channel has and what waits there
 * are never both looked at, as what is seen of two words may be of two moments: with a buffer its filling alone decides, without one who waits.
 * A close is for good, so looked for last.
 *
 * Who answers its caller by a false has looked behind a full fence: else two who each send on one channel and then try the other might both find
 * nothing, as what they stored may still be on its way when they look. A goroutine that looks again and again needs one fence only, until it puts
 * into a channel or takes from one, or others run on its thread (9 against 17 ns; to close and to stop are read-modify-writes, and so fences themselves). */
static inline bool was_fenced(struct goroutine *self) { /* else now, so that the caller is to look again */
  if (self->fenced) return true;
  atomic_thread_fence(memory_order_seq_cst);
  self->fenced = true;
  return false;
}
static inline bool chan_may_recv(struct chan *c) {
  if (c->capacity ? load_acquire(&c->n) != 0 : load_acquire(&c->senders.first) != NULL) return true;
  return load_acquire(&c->flags) & (CHAN_ENDED | CHAN_UNASKED);
}
static inline bool chan_may_send(struct chan *c) {
  if (c->capacity ? load_acquire(&c->n) != c->capacity : load_acquire(&c->receivers.first) != NULL) return true;
  return load_acquire(&c->flags) & CHAN_ENDED;
}

/* The status that it answers every receiver, for good, so that the lock need not be taken to say it; LEAT_OK if something may yet come out of it,
 * or who ended it is still at it: who is told may free it, and finds the status of the scope that it stands for. */
static inline int chan_is_over(struct chan *c) {
  uint32_t flags = load_acquire(&c->flags);
  if (likely(!(flags & CHAN_ENDED)) || load_relaxed(&c->n) || reserved_is_taken(&c->lock, leat_i_worker())) return LEAT_OK;
  happens_after(c);
  return flags & CHAN_FAILED ? LEAT_NOMEM : LEAT_CLOSED;
}

enum { WORD = 8 };
/* Values of the usual sizes take shorter ways; not in debug and sanitizer builds, which look closer. */
#if defined(LEAT_HAPPENS) || defined(LEAT_DEBUG)
enum { SHORT_WAYS = false };
#else
enum { SHORT_WAYS = true };
#endif

enum { WOULD_BLOCK = 1 }; /* beside the statuses */

/* One value, under the lock. LEAT_OK, LEAT_CLOSED, LEAT_NOMEM or WOULD_BLOCK. *woken gets a goroutine to be made ready after the lock, or
 * is left alone. */
int leat_i_chan_send_locked(struct chan *c, const void *value, struct goroutine **woken);
int leat_i_chan_recv_locked(struct chan *c, void *target, struct goroutine **woken);
/* Under the lock: tells the host's event loop, if one listens. */
void leat_i_chan_notify(struct chan *c);

/* Closes it and stores the status in one moment, as those see it who receive from the channel; whom it wakes goes onto the list. */
void leat_i_chan_close_with(struct chan *c, _Atomic(int) *place, int status, struct goroutine **woken);

/* leat_recv, leat_recv_n, which also end, with LEAT_CLOSED, when somebody says leat_i_wanted_no_more. */
int leat_i_recv_wanted(struct leat_i_chan *c, void *target, size_t size, struct wanted *wanted);
int leat_i_recv_n_wanted(struct leat_i_chan *c, void *items, size_t n, size_t *got, struct wanted *wanted);
void leat_i_wanted_no_more(struct wanted *wanted);

void leat_i_chan_free_done(struct chan *c);

/* A channel that nobody lists: whoever makes it releases it. Failed out of memory. */
struct chan *leat_i_chan_new(size_t elem, size_t capacity, const char *birthplace);
/* Gives it to the scope, or to those that have none; from here on others see it. */
void leat_i_chan_enlist(struct chan *c, struct scope *s);
/* Calls visit for the channels that belong to no scope, under a lock. */
void leat_i_chans_without_scope_each(void (*visit)(struct chan *c, void *environment), void *environment);
/* The scope's channels, when all goroutines have ended. */
void leat_i_chans_of_scope_free(struct chan *list);
/* A failed channel, on which everything answers LEAT_NOMEM. */
struct chan *leat_i_chan_failed(void);

/* Somebody wants to receive: its feeder, if it waits for that, begins. */
static inline void chan_ask(struct chan *c) {
  if (unlikely(load_relaxed(&c->flags) & CHAN_UNASKED)) c->feeder->start(c->feeder);
}

void leat_i_chan_reference(struct chan *c); /* keeps the memory */
void leat_i_chan_unreference(struct chan *c);
void leat_i_chan_use(struct chan *c);
void leat_i_chan_unuse(struct chan *c); /* the last user stops it, unless it is shared and not all users are counted */
/* The same, but the feeder of a channel that it stops is handed to the caller, with the reference, so that a long chain needs no recursion. */
struct feeder *leat_i_chan_unuse_once(struct chan *c);
void leat_i_chan_enlist_stage(struct chan *c); /* a stage becomes a user, or takes over the calling block's share */
#ifdef LEAT_DEBUG
void leat_i_chan_check(const struct chan *c, const char *operation); /* is it alive? */
#else
static inline void leat_i_chan_check(const struct chan *c, const char *operation) { (void)c, (void)operation; }
#endif
