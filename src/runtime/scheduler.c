/* See scheduler.h. */
#define _GNU_SOURCE
#include "scheduler.h"
#include "nondet.h"
#include "poller.h"
#include "report.h"
#include "runtime.h"
#include "switch.h"
#include "watcher.h"
#include "../core/scope.h"
#include "../inspect/deadlock.h"
#include <errno.h>
#include <leat/status.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
  LOOK_OUTSIDE = 64, /* scheduling decisions between two looks at timers, descriptors and the shared queue */
  SPIN_ROUNDS = 24,
  SPIN_PAUSES = 8,
  MOST_FROM_QUEUE = RING_SIZE / 2,
};
static const int64_t DEFER_NS = LEAT_US(10);

struct sched leat_i_sched;
static __thread struct worker *this_worker;

__attribute__((noinline)) struct worker *leat_i_worker(void) {
  __asm__ volatile("" ::: "memory");
  return this_worker;
}

__attribute__((noinline)) struct goroutine *leat_i_self(void) {
  __asm__ volatile("" ::: "memory");
  return likely(this_worker != NULL) ? this_worker->current : leat_i_foreign_self();
}

/* errno belongs to the thread, and libc declares its address constant, so a compiler would keep it across a switch. */
static __attribute__((noinline)) int get_errno(void) {
  __asm__ volatile("" ::: "memory");
  return errno;
}
static __attribute__((noinline)) void set_errno(int value) {
  __asm__ volatile("" ::: "memory");
  errno = value;
}

/* ---- the shared queue ---- */

static void queue_push_list(struct goroutine *head, struct goroutine *tail, uint32_t n) {
  struct sched *s = &leat_i_sched;
  tail->link = NULL;
  lock_take(&s->lock);
  if (s->queue_tail) s->queue_tail->link = head;
  else s->queue_head = head;
  s->queue_tail = tail;
  add_seq(&s->queue_n, n);
  lock_drop(&s->lock);
}

static void ring_push(struct worker *w, struct goroutine *g);

/* A fair share of the shared queue: one to run, the others into the ring. */
static struct goroutine *queue_pop(struct worker *w) {
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
  last->link = NULL;
  for (struct goroutine *g = first->link, *after; g; g = after) {
    after = g->link; /* once in the ring it may run, and use its link */
    ring_push(w, g);
  }
  return first;
}

/* ---- the ring ---- */

static bool ring_is_empty(struct worker *w) { return load_acquire(&w->head) == load_acquire(&w->tail); }

/* Half of a full ring and one more go to the shared queue. */
static void ring_overflow(struct worker *w, struct goroutine *g) {
  uint32_t h = load_acquire(&w->head), n = (load_relaxed(&w->tail) - h) / 2;
  struct goroutine *batch[RING_SIZE / 2];
  for (uint32_t i = 0; i < n; i++) batch[i] = load_relaxed(&w->ring[(h + i) % RING_SIZE]);
  if (n != RING_SIZE / 2 || !cas(&w->head, &h, h + n)) {
    ring_push(w, g); /* thieves have made room */
    return;
  }
  for (uint32_t i = 0; i + 1 < n; i++) batch[i]->link = batch[i + 1];
  batch[n - 1]->link = g;
  queue_push_list(batch[0], g, n + 1);
}

static void ring_push(struct worker *w, struct goroutine *g) {
  uint32_t t = load_relaxed(&w->tail);
  if (unlikely(t - load_acquire(&w->head) >= RING_SIZE)) {
    ring_overflow(w, g);
    return;
  }
  store_relaxed(&w->ring[t % RING_SIZE], g);
  store_release(&w->tail, t + 1);
}

/* Any thread: one goroutine from the front. */
static struct goroutine *ring_pop(struct worker *w) {
  uint32_t h = load_acquire(&w->head);
  while (h != load_acquire(&w->tail)) {
    struct goroutine *g = load_relaxed(&w->ring[h % RING_SIZE]);
    if (cas(&w->head, &h, h + 1)) return g;
  }
  return NULL;
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
    return load_relaxed(&w->ring[(t + n - 1) % RING_SIZE]);
  }
}

/* Any thread, the owner or not: all that waits at a worker that has no token goes to the shared queue. Stealing would not do: a spare
 * worker that always has work of its own would never come to it. */
void leat_i_hand_on(struct worker *w) {
  struct goroutine *g = exchange(&w->next, NULL);
  if (g) queue_push_list(g, g, 1);
  while ((g = ring_pop(w))) queue_push_list(g, g, 1);
}

/* ---- tokens, idle workers, waking ---- */

static void unlist_idle(struct worker *w) {
  for (struct worker **p = &leat_i_sched.idle; *p; p = &(*p)->idle_next)
    if (*p == w) {
      *p = w->idle_next;
      break;
    }
  w->listed_idle = false;
}

static void stop_spinning(struct worker *w) {
  if (!w->spinning) return;
  w->spinning = false;
  sub_seq(&leat_i_sched.n_spinning, 1);
}

static void rouse(struct worker *w, bool polling) {
  store_seq(&w->wake, WOKEN);
  if (polling) leat_i_poller_kick();
  else leat_i_nondet_wake(&w->wake, 1);
}

static int start_worker(bool spinning);

void leat_i_wake_worker(void) {
  struct sched *s = &leat_i_sched;
  /* What was published may be a plain store (the ring's tail); go_idle has the other half. */
  atomic_thread_fence(memory_order_seq_cst);
  int none = 0;
  if (load_seq(&s->n_running) >= load_relaxed(&s->workers) || load_seq(&s->n_spinning) > 0) return;
  if (!cas_seq(&s->n_spinning, &none, 1)) return; /* whoever wakes next spins: it will find the work */
  lock_take(&s->lock);
  struct worker *w = NULL;
  bool may_run = load_relaxed(&s->n_running) < load_relaxed(&s->workers) && !load_relaxed(&s->stopping), polling = false;
  if (may_run) {
    /* Rather not the one that polls: its sleep is the one that notices timers and descriptors. */
    for (w = s->idle; w && w->polling && w->idle_next; w = w->idle_next) {}
    if (w) {
      polling = w->polling;
      unlist_idle(w);
      store_relaxed(&w->has_token, true);
      w->spinning = true;
    } else if (load_relaxed(&s->n_threads) >= s->max_threads) {
      may_run = false;
    }
  }
  if (may_run) add_seq(&s->n_running, 1);
  if (may_run && !w) add_seq(&s->n_starting, 1);
  lock_drop(&s->lock);
  if (w) {
    rouse(w, polling);
  } else if (!may_run) {
    sub_seq(&s->n_spinning, 1);
    /* Meanwhile others took us for a worker that looks for work, and did not wake one. */
    if (load_relaxed(&s->n_threads) < s->max_threads && load_seq(&s->n_running) < load_relaxed(&s->workers) && !load_seq(&s->stopping) &&
        leat_i_work_waits()) {
      leat_i_wake_worker();
      return;
    }
  } else {
    if (start_worker(true) != LEAT_OK) {
      sub_seq(&s->n_spinning, 1);
      sub_seq(&s->n_running, 1);
    }
    sub_seq(&s->n_starting, 1);
  }
  leat_i_watcher_notice();
}

/* Takes a token if one is free. */
static bool token_take(struct worker *w) {
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  bool got = load_relaxed(&s->n_running) < load_relaxed(&s->workers);
  if (got) {
    add_seq(&s->n_running, 1);
    store_relaxed(&w->has_token, true);
  }
  lock_drop(&s->lock);
  if (got) leat_i_watcher_notice();
  return got;
}

bool leat_i_take_token_from(struct worker *w) {
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  bool took = load_relaxed(&w->has_token) && !w->listed_idle;
  if (took) {
    store_seq(&w->has_token, false);
    sub_seq(&s->n_running, 1);
  }
  lock_drop(&s->lock);
  if (took) leat_i_hand_on(w);
  if (took && load_seq(&s->queue_n)) leat_i_wake_worker();
  return took;
}

void leat_i_give_up_token(struct worker *w) {
  stop_spinning(w);
  leat_i_take_token_from(w);
  /* Somebody must wait for timers and descriptors: this worker was perhaps the one that did, and the others sleep on their futexes. */
  if (!load_seq(&leat_i_sched.polling_until)) leat_i_wake_worker();
}

bool leat_i_work_waits(void) {
  struct sched *s = &leat_i_sched;
  if (load_seq(&s->queue_n)) return true;
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next)
    if (!ring_is_empty(w) || (!load_relaxed(&w->has_token) && load_relaxed(&w->next))) return true;
  return false;
}

/* ---- switching ---- */

static void sanitizer_leave(struct goroutine *from, struct goroutine *to, bool for_good) {
  (void)from, (void)to, (void)for_good;
#ifdef LEAT_ASAN
  __sanitizer_start_switch_fiber(for_good ? NULL : &from->asan_fake_stack, to->stack_low, (size_t)(to->stack_high - to->stack_low));
#endif
#ifdef LEAT_TSAN
  /* TSan puts a signal off until the fiber that it hit makes a call that TSan knows: let it be this one, and not one after the next wake. */
  static size_t (*volatile known_call)(const char *) = strlen;
  known_call("");
  __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
}

static void sanitizer_arrive(struct goroutine *g) {
  (void)g;
#ifdef LEAT_ASAN
  __sanitizer_finish_switch_fiber(g->asan_fake_stack, NULL, NULL);
#endif
}

/* Step 2 of the protocol in scheduler.h: g has left its stack. */
static void commit_park(struct goroutine *g) {
  void (*unlock)(void *) = g->unlock; /* read before the goroutine can be claimed, and go on, elsewhere */
  void *arg = g->unlock_arg;
  uint32_t word = load_relaxed(&g->wait);
  uint32_t floor = word >> 2;
  exchange_seq(&g->wait, (floor << 2) | STATE_WAITING);
  int status = load_seq(&g->timed_out) ? LEAT_DEADLINE : LEAT_OK;
  if (!status && floor != WAIT_MASKED_FLOOR) status = leat_i_scope_interrupts(g->scope);
  bool claimed = status && leat_i_claim(g, status);
  if (unlock) unlock(arg);
  if (claimed) leat_i_ready(g);
}

static void send_home(struct worker *home, struct goroutine *g);

static void finish_switch(struct worker *w) {
  struct goroutine *g = w->after_goroutine;
  enum after after = w->after;
  w->after = AFTER_NOTHING;
  if (unlikely(load_relaxed(&leat_i_stacks_have_canaries)) && after != AFTER_NOTHING && !leat_i_stack_intact(g)) leat_i_report_overflow(g);
  switch (after) {
  case AFTER_NOTHING: break;
  case AFTER_PARK: commit_park(g); break;
  case AFTER_YIELD: ring_push(w, g); break;
  case AFTER_RELEASE:
    if (g->home) {
      send_home(g->home, g);
    } else {
      queue_push_list(g, g, 1);
      leat_i_wake_worker();
    }
    break;
  case AFTER_EXIT:
#ifdef LEAT_TSAN
    __tsan_destroy_fiber(g->tsan_fiber);
#endif
    if (w->pinned == g) store_release(&w->finished, true);
    leat_i_stack_put(w->pinned ? NULL : &w->stacks, g);
    break;
  }
}

void leat_i_context_arrive(void) {
  struct worker *w = leat_i_worker();
  sanitizer_arrive(w->current);
  finish_switch(w);
}

static void switch_to(struct worker *w, struct goroutine *from, struct goroutine *to, enum after after) {
  int saved_errno = get_errno();
  w->after = after;
  w->after_goroutine = from;
  w->current = to;
  sanitizer_leave(from, to, after == AFTER_EXIT);
  leat_i_switch(&from->sp, to->sp);
  leat_i_context_arrive(); /* maybe on another worker */
  set_errno(saved_errno);
}

/* The one that waits longest; in a simulation any. */
static struct goroutine *ring_next(struct worker *w) {
  if (leat_i_nondet_any_next()) {
    uint32_t n = load_relaxed(&w->tail) - load_relaxed(&w->head);
    for (uint32_t k = n ? leat_i_nondet_choose(CHOOSE_NEXT, n) : 0; k; k--) ring_push(w, ring_pop(w));
  }
  return ring_pop(w);
}

/* The next to run on this worker, which may be the idle context. */
static struct goroutine *pick(struct worker *w) {
  uint32_t ticks = load_relaxed(&w->ticks) + 1;
  store_relaxed(&w->ticks, ticks);
  if (unlikely(ticks % LOOK_OUTSIDE == 0 || !load_relaxed(&w->has_token))) return w->idle;
  struct goroutine *g = NULL;
  if (load_relaxed(&w->next)) {
    store_relaxed(&w->deferred, false);
    g = exchange(&w->next, NULL);
    if (g && --w->budget > 0 && leat_i_nondet_newest_first()) return g;
    if (g) ring_push(w, g); /* its slice, inherited, is used up */
  }
  g = ring_next(w);
  w->budget = SLICE;
  return g ? g : w->idle;
}

/* For waits that have no lock of their own: what the others get from theirs, that the goroutine cannot go on, and leave its scope, while
 * commit_park still looks at that. */
static void unlock_parked(void *goroutine) { lock_drop(&((struct goroutine *)goroutine)->park_lock); }

static struct goroutine *deadline_fires(struct timer *t, int64_t now) {
  (void)now;
  struct goroutine *g = t->environment;
  store_seq(&g->timed_out, 1);
  return leat_i_claim(g, LEAT_DEADLINE) ? g : NULL;
}

static void park_foreign(struct goroutine *self) {
  store_relaxed(&self->foreign_awake, 0);
  leat_i_foreign_parks(1);
  commit_park(self);
  if (!load_acquire(&self->foreign_awake)) leat_i_check_deadlock(); /* it may be the last to fall asleep */
  while (!load_acquire(&self->foreign_awake)) leat_i_nondet_sleep(&self->foreign_awake, 0, LEAT_NEVER);
  leat_i_foreign_parks(-1);
}

int leat_i_park(struct goroutine *self, const struct park *p) {
  struct timer timer = {.fire = deadline_fires, .environment = self};
  store_relaxed(&self->timed_out, 0);
  store_relaxed(&self->wait, (p->masked ? WAIT_MASKED_FLOOR : self->shield_floor) << 2);
  self->unlock = p->unlock ? p->unlock : unlock_parked;
  self->unlock_arg = p->unlock ? p->unlock_arg : self;
  if (!p->unlock) lock_take(&self->park_lock);
  if (p->deadline != LEAT_NEVER && leat_i_timer_arm(&timer, p->deadline, 0) != LEAT_OK) {
    self->unlock(self->unlock_arg);
    return LEAT_NOMEM;
  }
  store_relaxed(&self->waits_for, p->object);
  store_relaxed(&self->reason, p->reason);
  if (self->kind == KIND_FOREIGN) {
    park_foreign(self);
  } else {
    struct worker *w = leat_i_worker();
    switch_to(w, self, pick(w), AFTER_PARK);
  }
  store_relaxed(&self->reason, WAIT_NOTHING);
  if (p->deadline != LEAT_NEVER) leat_i_timer_disarm(&timer);
  if (!p->unlock) {
    lock_take(&self->park_lock);
    lock_drop(&self->park_lock);
  }
  return self->wake_status;
}

static void send_home(struct worker *home, struct goroutine *g) {
  struct goroutine *head = load_relaxed(&home->inbox);
  do g->link = head;
  while (!cas_seq(&home->inbox, &head, g));
  if (!home->is_main) {
    rouse(home, false);
    return;
  }
  /* The main thread's worker may be idle without a token, or polling. */
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  bool idle = home->listed_idle, polling = home->polling;
  lock_drop(&s->lock);
  if (idle) rouse(home, polling);
}

void leat_i_ready(struct goroutine *g) {
  if (unlikely(g->kind == KIND_FOREIGN)) {
    store_release(&g->foreign_awake, 1);
    leat_i_nondet_wake(&g->foreign_awake, 1);
    return;
  }
  if (unlikely(g->home != NULL)) {
    send_home(g->home, g);
    return;
  }
  struct worker *w = leat_i_worker();
  if (unlikely(!w || !load_relaxed(&w->has_token))) {
    queue_push_list(g, g, 1);
    leat_i_wake_worker();
    return;
  }
  struct goroutine *displaced = exchange_seq(&w->next, g);
  if (displaced) {
    ring_push(w, displaced);
    leat_i_wake_worker();
  } else if (!load_relaxed(&w->deferred)) {
    /* Most often the waker blocks soon and g runs here, with a warm cache: waking another worker for it at once costs a system call
     * and moves the data between cores. If the waker goes on for 10 us (leat_i_operation) or does not come back (the watcher), then. */
    store_relaxed(&w->deferred, true);
    w->deferred_since = 0;
  }
}

void leat_i_ready_list(struct goroutine *list) {
  if (!list) return;
  if (!list->link) {
    leat_i_ready(list);
    return;
  }
  /* Many: first come, first served, so not through the next-slot. What the ring does not hold goes in one piece onto the shared queue. */
  struct worker *w = leat_i_worker();
  bool to_ring = w && load_relaxed(&w->has_token);
  struct goroutine *head = NULL, **end = &head, *tail = NULL;
  uint32_t n = 0, in_ring = 0;
  for (struct goroutine *g = list, *after; g; g = after) {
    after = g->link;
    if (g->home || g->kind == KIND_FOREIGN) {
      leat_i_ready(g);
    } else if (to_ring && in_ring < RING_SIZE / 2) {
      in_ring++;
      ring_push(w, g);
    } else {
      *end = tail = g;
      end = &g->link;
      n++;
    }
  }
  if (n) queue_push_list(head, tail, n);
  if (n || in_ring) leat_i_wake_worker();
}

static bool others_wait(struct worker *w) {
  return load_relaxed(&w->next) || !ring_is_empty(w) || load_relaxed(&leat_i_sched.queue_n);
}

void leat_i_yield(struct goroutine *self) {
  if (self->kind == KIND_FOREIGN) {
    sched_yield();
    return;
  }
  struct worker *w = leat_i_worker();
  if (!load_relaxed(&w->has_token)) {
    switch_to(w, self, w->idle, AFTER_RELEASE);
    return;
  }
  if (!others_wait(w) && (load_relaxed(&w->ticks) + 1) % LOOK_OUTSIDE) {
    store_relaxed(&w->ticks, load_relaxed(&w->ticks) + 1);
    return;
  }
  struct goroutine *g = pick(w);
  switch_to(w, self, g, AFTER_YIELD);
}

void leat_i_operation(struct goroutine *self) {
  if (unlikely(self->kind == KIND_FOREIGN)) return;
  struct worker *w = leat_i_worker();
  if (unlikely(--w->budget <= 0)) {
    w->budget = SLICE;
    leat_i_yield(self);
  } else if (unlikely(load_relaxed(&w->deferred)) && w->budget % 8 == 0 && load_relaxed(&leat_i_sched.n_running) < load_relaxed(&leat_i_sched.workers)) {
    int64_t now = leat_i_nondet_clock();
    if (!w->deferred_since) {
      w->deferred_since = now;
    } else if (now - w->deferred_since > DEFER_NS) {
      store_relaxed(&w->deferred, false);
      struct goroutine *g = exchange(&w->next, NULL);
      if (!g) return;
      ring_push(w, g);
      leat_i_wake_worker();
    }
  }
}

void leat_i_go_home(struct goroutine *self, struct worker *home) {
  self->home = home;
  struct worker *w = leat_i_worker();
  if (w != home) switch_to(w, self, w->idle, AFTER_RELEASE);
}

_Noreturn void leat_i_leave_for_good(struct goroutine *self) {
  struct worker *w = leat_i_worker();
  switch_to(w, self, pick(w), AFTER_EXIT);
  __builtin_unreachable();
}

void leat_i_regain_token(struct goroutine *self) {
  struct worker *w = leat_i_worker();
  if (!w->pinned && !load_relaxed(&w->has_token) && !token_take(w)) switch_to(w, self, w->idle, AFTER_RELEASE);
}

/* ---- looking for work ---- */

static struct goroutine *take_inbox(struct worker *w) {
  if (!load_relaxed(&w->inbox)) return NULL;
  return exchange(&w->inbox, NULL); /* one at most: a pinned worker has one goroutine, the main worker the main goroutine */
}

/* Timers that are due and descriptors that are ready, without waiting. */
static void look_outside(void) {
  leat_i_timers_run();
  if (leat_i_poller_waiters()) leat_i_ready_list(leat_i_poller_run(0));
}

static struct goroutine *take_local(struct worker *w) {
  store_relaxed(&w->deferred, false);
  struct goroutine *g = exchange(&w->next, NULL);
  if (g) {
    if (w->budget > 0) return g;
    ring_push(w, g);
  }
  w->budget = SLICE;
  return ring_next(w);
}

/* The goroutine in a next-slot is its worker's, unless that has lost its token or made no decision since `ticks` was read. */
static struct goroutine *steal_next(struct worker *victim, uint32_t ticks) {
  struct goroutine *g = load_acquire(&victim->next);
  if (!g || (load_relaxed(&victim->has_token) && load_relaxed(&victim->ticks) != ticks)) return NULL;
  return cas(&victim->next, &g, NULL) ? g : NULL;
}

static struct goroutine *steal(struct worker *w, bool stale) {
  struct worker *all = load_acquire(&leat_i_sched.all), *start = all;
  uint32_t skip = leat_i_nondet_choose(CHOOSE_VICTIM, 16);
  while (skip-- && start) start = start->all_next;
  if (!start) start = all;
  struct worker *victim = start;
  do {
    struct goroutine *g = NULL;
    if (victim != w) g = ring_steal(w, victim);
    if (!g && victim != w && (stale || !load_relaxed(&victim->has_token))) g = steal_next(victim, load_relaxed(&victim->ticks));
    if (g) return g;
    victim = victim->all_next ? victim->all_next : all;
  } while (victim != start);
  return NULL;
}

static struct goroutine *spin(struct worker *w) {
  struct sched *s = &leat_i_sched;
  struct goroutine *g = steal(w, false);
  if (g || load_relaxed(&s->workers) == 1) return g;
  if (!w->spinning) { /* no more than half of those at work may spin */
    if (2 * load_relaxed(&s->n_spinning) >= load_relaxed(&s->n_running)) return NULL;
    w->spinning = true;
    add_seq(&s->n_spinning, 1);
  }
  for (int round = 0; round < SPIN_ROUNDS; round++) {
    for (int i = 0; i < SPIN_PAUSES; i++) cpu_relax();
    if (load_relaxed(&s->stopping) || load_relaxed(&w->inbox)) return NULL;
    if ((g = queue_pop(w)) || (g = steal(w, false))) return g;
  }
  return steal(w, true);
}

/* The worker has no token and nothing to run: sleeps until another worker, a timer or a descriptor has something for it. */
static void park_worker(struct worker *w) {
  struct sched *s = &leat_i_sched;
  add_seq(&s->n_parked, 1);
  while (load_acquire(&w->wake) != WOKEN && !load_acquire(&w->inbox)) {
    int64_t nobody = 0;
    uint32_t to_poll = WOKEN_TO_POLL;
    cas(&w->wake, &to_poll, ASLEEP);
    if (!cas_seq(&s->polling_until, &nobody, 1)) {
      leat_i_check_deadlock();
      leat_i_nondet_sleep(&w->wake, 0, LEAT_NEVER);
      continue;
    }
    lock_take(&s->lock);
    /* From here on a waker kicks the poller instead of the futex. One that has chosen this worker already is about to wake the futex. */
    w->polling = w->listed_idle;
    lock_drop(&s->lock);
    if (!w->polling) {
      store_seq(&s->polling_until, 0);
      leat_i_nondet_sleep(&w->wake, 0, LEAT_NEVER);
      continue;
    }
    int64_t until;
    do store_seq(&s->polling_until, until = leat_i_timers_next()); /* then look again: see leat_i_timer_arm */
    while (leat_i_timers_next() < until);
    struct goroutine *woken = NULL;
    if (load_acquire(&w->wake) != WOKEN && !load_acquire(&w->inbox)) {
      if (until == LEAT_NEVER) leat_i_check_deadlock();
      woken = leat_i_poller_run(until);
    }
    lock_take(&s->lock);
    w->polling = false;
    store_seq(&s->polling_until, 0);
    bool token = !w->listed_idle; /* a waker has given us one */
    if (!token && load_relaxed(&s->n_running) < load_relaxed(&s->workers)) {
      unlist_idle(w);
      add_seq(&s->n_running, 1);
      store_relaxed(&w->has_token, token = true);
    }
    /* Awake in either case. A waker that chose this worker while it polled kicks the poller, maybe only now, and never the futex: who slept
     * on that would sleep for ever, with a token. */
    if (token) store_relaxed(&w->wake, WOKEN);
    /* While timers are armed somebody has to sleep until the next one (without: up to 10 ms late, until the watcher looks, although a worker
     * is idle; measured 860 against 300 us in the mean). For descriptors alone the wake of another thread would cost more than it gains. */
    struct worker *heir = token && until != LEAT_NEVER ? s->idle : NULL;
    lock_drop(&s->lock);
    uint32_t asleep = ASLEEP;
    if (heir && cas_seq(&heir->wake, &asleep, WOKEN_TO_POLL)) leat_i_nondet_wake(&heir->wake, 1);
    sub_seq(&s->n_parked, 1);
    leat_i_ready_list(woken);
    if (!token) leat_i_timers_run(); /* others run: what is due goes to the shared queue */
    add_seq(&s->n_parked, 1);
  }
  sub_seq(&s->n_parked, 1);
  leat_i_watcher_notice();
}

/* Gives up the token, publishes itself idle, looks again, sleeps. On return it holds a token, or the runtime stops. */
static void go_idle(struct worker *w) {
  struct sched *s = &leat_i_sched;
  stop_spinning(w);
  lock_take(&s->lock);
  if (load_relaxed(&w->has_token)) {
    store_relaxed(&w->has_token, false);
    sub_seq(&s->n_running, 1);
  }
  store_relaxed(&w->wake, 0);
  w->listed_idle = true;
  w->idle_next = s->idle;
  s->idle = w;
  lock_drop(&s->lock);
  atomic_thread_fence(memory_order_seq_cst);
  if (leat_i_work_waits() || load_seq(&s->stopping) || load_seq(&w->inbox)) {
    lock_take(&s->lock);
    bool back = w->listed_idle && (load_relaxed(&s->n_running) < load_relaxed(&s->workers) || load_relaxed(&s->stopping) || load_relaxed(&w->inbox));
    if (back) {
      unlist_idle(w);
      add_seq(&s->n_running, 1);
      store_relaxed(&w->has_token, true);
    }
    lock_drop(&s->lock);
    if (back) return;
  }
  park_worker(w);
  lock_take(&s->lock);
  if (w->listed_idle) { /* woken without a token: to stop, or for its inbox; over the limit for as long as that takes */
    unlist_idle(w);
    add_seq(&s->n_running, 1);
    store_relaxed(&w->has_token, true);
  }
  lock_drop(&s->lock);
  leat_i_watcher_notice();
}

/* For the worker that exists for one goroutine. NULL when that has ended. */
static struct goroutine *find_pinned(struct worker *w) {
  while (!load_relaxed(&w->finished)) {
    struct goroutine *g = take_inbox(w);
    if (g) return g;
    store_seq(&w->wake, 0);
    if (load_seq(&w->inbox)) continue;
    add_seq(&leat_i_sched.n_parked, 1);
    leat_i_check_deadlock();
    leat_i_nondet_sleep(&w->wake, 0, LEAT_NEVER);
    sub_seq(&leat_i_sched.n_parked, 1);
  }
  return NULL;
}

/* NULL when the runtime stops. */
static struct goroutine *find(struct worker *w) {
  struct sched *s = &leat_i_sched;
  for (;;) {
    store_relaxed(&w->ticks, load_relaxed(&w->ticks) + 1);
    if (load_relaxed(&s->stopping) && !w->is_main) return NULL;
    if (!load_relaxed(&w->has_token) && !token_take(w)) { /* it was stuck, and others have taken over */
      leat_i_hand_on(w);
      go_idle(w);
      continue;
    }
    struct goroutine *g = take_inbox(w);
    if (g) return g;
    if (load_relaxed(&s->n_running) > load_relaxed(&s->workers)) { /* the number of workers was lowered */
      leat_i_hand_on(w);
      leat_i_wake_worker();
      go_idle(w);
      continue;
    }
    if (load_relaxed(&w->ticks) % LOOK_OUTSIDE < 2) { /* neither the outside nor the shared queue starves */
      look_outside();
      if ((g = queue_pop(w))) return g;
    }
    if ((g = take_local(w)) || (g = queue_pop(w))) return g;
    look_outside();
    if ((g = take_local(w)) || (g = spin(w))) return g;
    go_idle(w);
  }
}

void leat_i_work_loop(struct worker *w) {
  struct sched *s = &leat_i_sched;
  struct goroutine *g;
  while ((g = w->pinned ? find_pinned(w) : find(w))) {
    if (w->spinning) {
      stop_spinning(w);
      /* It found something and was perhaps the only one looking: there may be more. */
      if (load_seq(&s->n_spinning) == 0 && leat_i_work_waits()) leat_i_wake_worker();
    }
    switch_to(w, w->idle, g, AFTER_NOTHING);
  }
}

/* ---- workers ---- */

static struct worker *worker_new(void) {
  struct worker *w = aligned_alloc(64, (sizeof *w + 63) & ~(size_t)63);
  if (!w) return NULL;
  memset(w, 0, sizeof *w);
  w->budget = SLICE;
  w->seen_since = leat_i_nondet_clock(); /* or the watcher takes it for stuck at its first look */
  w->idle = &w->idle_storage;
  w->idle->kind = KIND_IDLE;
  w->idle->scope = leat_i_root_scope();
  return w;
}

static void worker_list(struct worker *w) {
  struct sched *s = &leat_i_sched;
  w->all_next = load_relaxed(&s->all);
  while (!cas_seq(&s->all, &w->all_next, w)) {}
}

static void *worker_main(void *argument) {
  struct worker *w = argument;
  this_worker = w;
  w->current = w->idle;
  leat_i_thread_stack(&w->idle->stack_low, &w->idle->stack_high);
#ifdef LEAT_TSAN
  w->idle->tsan_fiber = __tsan_get_current_fiber();
#endif
  w->signal_stack = leat_i_signal_stack_install();
  leat_i_work_loop(w);
  stop_spinning(w);
  leat_i_stack_cache_flush(&w->stacks);
  leat_i_signal_stack_remove(w->signal_stack);
  sub_seq(&leat_i_sched.n_threads, 1);
  if (w->pinned) {
    store_seq(&w->gone, 1); /* the last that it does to the struct; who waits for it waits for the word in its own address space */
    leat_i_nondet_wake(&w->gone, 1);
  }
  return NULL;
}

/* Workers leave signals to the program's own threads, except those that a thread causes itself. */
static int start_thread(struct worker *w) {
  sigset_t all, before;
  sigfillset(&all);
  int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE, SIGXFSZ, SIGPROF};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* whoever starts it: the watcher blocks everything */
  add_seq(&leat_i_sched.n_threads, 1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (w->pinned) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  bool started = pthread_create(&w->thread, &attributes, worker_main, w) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  w->joinable = started && !w->pinned;
  if (!started) sub_seq(&leat_i_sched.n_threads, 1);
  return started ? LEAT_OK : LEAT_NOMEM;
}

/* Its token is counted already. */
static int start_worker(bool spinning) {
  struct worker *w = worker_new();
  if (!w) return LEAT_NOMEM;
  store_relaxed(&w->has_token, true);
  w->spinning = spinning;
  worker_list(w); /* before the thread runs: thieves look at it, and find its ring empty */
  if (start_thread(w) == LEAT_OK) return LEAT_OK;
  store_relaxed(&w->has_token, false); /* it stays in the list, without a thread */
  leat_i_log("leat: no further thread can be started; fewer workers than asked for");
  return LEAT_NOMEM;
}

/* A struct whose thread has gone is used again: the list of workers only grows. */
static struct worker *pinned_worker(void) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
    uint32_t gone = 1;
    if (w->pinned && cas(&w->gone, &gone, 0)) return w;
  }
  struct worker *w = worker_new();
  if (w) worker_list(w);
  return w;
}

int leat_i_start_pinned(struct goroutine *g) {
  if (!leat_i_nondet_threads()) return LEAT_OK; /* it shares the one there is */
  struct worker *w = load_relaxed(&leat_i_sched.n_threads) < leat_i_sched.max_threads ? pinned_worker() : NULL;
  if (!w) return LEAT_NOMEM;
  w->pinned = g;
  store_relaxed(&w->finished, false);
  g->home = w;
  if (start_thread(w) == LEAT_OK) return LEAT_OK;
  g->home = NULL;
  store_release(&w->gone, 1);
  return LEAT_NOMEM;
}

void leat_i_workers_init(int workers, int max_threads) {
  leat_i_sched = (struct sched){.max_threads = max_threads};
  store_relaxed(&leat_i_sched.workers, workers);
}

int leat_i_workers_start_one(void) {
  add_seq(&leat_i_sched.n_running, 1);
  if (start_worker(false) == LEAT_OK) return LEAT_OK;
  sub_seq(&leat_i_sched.n_running, 1);
  return LEAT_NOMEM;
}

struct worker *leat_i_worker_of_main(struct goroutine *main_goroutine) {
  struct worker *w = worker_new();
  struct goroutine *idle = w ? leat_i_stack_get(NULL, 0) : NULL;
  if (!idle) {
    free(w);
    return NULL;
  }
  idle->kind = KIND_IDLE;
  idle->scope = leat_i_root_scope();
  idle->sp = leat_i_switch_prepare((void *)((uintptr_t)idle & ~(uintptr_t)15), idle);
#ifdef LEAT_ASAN
  idle->asan_fake_stack = NULL;
#endif
#ifdef LEAT_TSAN
  idle->tsan_fiber = __tsan_create_fiber(0);
  main_goroutine->tsan_fiber = __tsan_get_current_fiber();
#endif
  w->idle = idle;
  w->is_main = true;
  w->current = main_goroutine;
  store_relaxed(&w->has_token, true);
  this_worker = w;
  add_seq(&leat_i_sched.n_running, 1);
  add_seq(&leat_i_sched.n_threads, 1);
  worker_list(w);
  return w;
}

void leat_i_workers_stop(void) {
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  store_seq(&s->stopping, true);
  lock_drop(&s->lock);
  while (load_seq(&s->n_starting)) sched_yield(); /* a worker's idle context may be starting another, which is not listed or joinable yet */
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next) {
    rouse(w, false);
    leat_i_poller_kick();
  }
  for (struct worker *w = load_acquire(&s->all), *after; w; w = after) {
    after = w->all_next;
    if (w->joinable) pthread_join(w->thread, NULL);
    while (w->pinned && !load_acquire(&w->gone)) leat_i_nondet_sleep(&w->gone, 0, LEAT_NEVER);
    if (w == this_worker) {
      leat_i_stack_cache_flush(&w->stacks);
#ifdef LEAT_TSAN
      __tsan_destroy_fiber(w->idle->tsan_fiber);
#endif
      leat_i_stack_put(NULL, w->idle);
      this_worker = NULL;
    }
  }
  for (struct worker *w = load_acquire(&s->all), *after; w; w = after) {
    after = w->all_next;
    free(w);
  }
  store_seq(&s->all, NULL);
}

void leat_i_workers_forget(void) { this_worker = NULL; }
