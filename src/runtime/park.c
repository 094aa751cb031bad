/* See park.h. */
#define _GNU_SOURCE
#include "park.h"
#include "../inspect/fault.h"
#include "idle.h"
#include "nondet.h"
#include "poller.h"
#include "report.h"
#include "run_queue.h"
#include "runtime.h"
#include "switch.h"
#include "timer.h"
#include "../core/panic.h"
#include "../core/scope.h"
#include "../inspect/deadlock.h"
#include "../inspect/thread_locks.h"
#include <leat/status.h>
#include <string.h>

static const int64_t DEFER_NS = LEAT_US(10);

static void sanitizer_leave(struct goroutine *from, struct goroutine *to, bool for_good) {
  (void)from, (void)to, (void)for_good;
#ifdef LEAT_ASAN
  __sanitizer_start_switch_fiber(for_good ? NULL : &from->asan_fake_stack, to->stack_low, (size_t)(to->stack_high - to->stack_low));
#endif
#ifdef LEAT_TSAN
  /* TSan puts a signal off until the fiber that it hit makes a call that TSan knows: let it be this one, and not one after the next wake. */
  static size_t (*volatile known_call)(const char *) = strlen;
  known_call("");
  __tsan_switch_to_fiber(to->tsan_fiber, TSAN_SWITCH);
#endif
}

static void sanitizer_arrive(struct goroutine *g) {
  (void)g;
#ifdef LEAT_ASAN
  __sanitizer_finish_switch_fiber(g->asan_fake_stack, NULL, NULL);
#endif
}

/* Step 2 of the protocol in park.h: g has left its stack. */
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
  struct goroutine *g = load_relaxed(&w->after_goroutine);
  enum after after = load_relaxed(&w->after);
  note_rest(g, load_relaxed(&leat_i_coarse_clock));
  store_release(&w->after, AFTER_NOTHING);
  if (unlikely(load_relaxed(&leat_i_stacks_have_canaries)) && after != AFTER_NOTHING && !leat_i_stack_intact(g)) leat_i_report_overflow(g);
  switch (after) {
  case AFTER_NOTHING: break;
  case AFTER_NEXT:
    if (unlikely(load_relaxed(&w->stamp))) leat_i_stamp(w, g);
    if ((g = exchange_seq(&w->next, g))) leat_i_ring_push(w, g);
    break;
  case AFTER_PARK: commit_park(g); break;
  case AFTER_YIELD:
    if (unlikely(load_relaxed(&w->stamp))) leat_i_stamp(w, g);
    leat_i_ring_push(w, g);
    break;
  case AFTER_RELEASE:
    if (unlikely(load_relaxed(&w->stamp))) leat_i_stamp(w, g);
    if (g->home) {
      send_home(g->home, g);
    } else {
      leat_i_shared_push(&g, 1);
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

/* Answers the worker that it goes on on. */
static inline struct worker *arrive(void) {
  struct worker *w = leat_i_worker();
  sanitizer_arrive(load_relaxed(&w->current));
  finish_switch(w);
  return w;
}

void leat_i_context_arrive(void) { arrive(); }

void leat_i_switch_to(struct worker *w, struct goroutine *from, struct goroutine *to, enum after after) {
  if (unlikely(after != AFTER_PARK && leat_i_thread_locks_forbid(from))) leat_i_thread_locks_report(); /* parking has looked: here it has locks */
  int saved_errno = *w->errno_of_thread;
  if (unlikely(w->slice_start)) leat_i_slice_ends(w);
  if (unlikely(load_relaxed(&to->runnable_since))) leat_i_stamp_off(w, to);
  store_relaxed(&w->after_goroutine, from);
  store_relaxed(&w->after, after);
  set_current(w, to);
  sanitizer_leave(from, to, after == AFTER_EXIT);
  leat_i_switch(&from->sp, to->sp);
  *arrive()->errno_of_thread = saved_errno; /* of another thread, maybe */
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
    if (g && --w->budget > 0 && leat_i_nondet_newest_first()) {
      count_in(&w->counters, COUNT_NEXT_SLOT, 1);
      return g;
    }
    if (g) leat_i_ring_push(w, g); /* its slice, inherited, is used up */
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

/* With the thread's registers saved, as a goroutine's are that has left its stack. */
static void sleep_foreign(void *foreign) {
  struct goroutine *self = foreign;
  note_rest(self, leat_i_nondet_clock());
  commit_park(self);
  if (!load_acquire(&self->foreign_awake)) leat_i_check_deadlock(); /* it may be the last to fall asleep */
  while (!load_acquire(&self->foreign_awake)) leat_i_nondet_sleep(&self->foreign_awake, 0, LEAT_NEVER);
}

static void park_foreign(struct goroutine *self) {
  store_relaxed(&self->foreign_awake, 0);
  leat_i_foreign_parks(1);
  leat_i_switch_hold(&self->sp, sleep_foreign, self);
  leat_i_foreign_parks(-1);
}

int leat_i_park(struct goroutine *self, const struct park *p) {
  struct timer timer = {.fire = deadline_fires, .environment = self};
  happens_before(self); /* for whoever hands it a value, or takes one from it */
  store_relaxed(&self->timed_out, 0);
  store_relaxed(&self->wait, (p->masked ? WAIT_MASKED_FLOOR : self->shield_floor) << 2);
  self->unlock = p->unlock ? p->unlock : unlock_parked;
  self->unlock_arg = p->unlock ? p->unlock_arg : self;
  if (!p->unlock) lock_take(&self->park_lock);
  if (unlikely(leat_i_thread_locks_forbid(self))) {
    self->unlock(self->unlock_arg);
    leat_i_thread_locks_report();
  }
  if (p->deadline != LEAT_NEVER && leat_i_timer_arm(&timer, p->deadline, 0) != LEAT_OK) {
    self->unlock(self->unlock_arg);
    return LEAT_NOMEM;
  }
  store_relaxed(&self->waits_for, p->object);
  store_relaxed(&self->timed, p->deadline != LEAT_NEVER);
  store_relaxed(&self->reason, p->reason);
  if (self->kind == KIND_FOREIGN) {
    park_foreign(self);
  } else {
    struct worker *w = leat_i_worker();
    count_in(&w->counters, COUNT_PARKED + p->reason, 1);
    leat_i_switch_to(w, self, pick(w), AFTER_PARK);
  }
  store_relaxed(&self->reason, WAIT_NOTHING);
  happens_after(self);
  if (p->deadline != LEAT_NEVER) {
    leat_i_timer_disarm(&timer);
    if (load_relaxed(&self->timed_out) && self->wake_status == LEAT_DEADLINE && p->reason != WAIT_SLEEP) leat_i_count(COUNT_TIMEOUTS, 1);
  }
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
    leat_i_rouse(home, false);
    return;
  }
  /* The main thread's worker may be idle without a token, or polling. */
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  bool idle = home->listed_idle, polling = home->polling;
  lock_drop(&s->lock);
  if (idle) leat_i_rouse(home, polling);
}

/* What it touches first when it goes on: the rest of its descriptor, and its stack (a ring of 1,000 goroutines: 121 against 135 ns a hop). */
static inline void prefetch(struct goroutine *g) {
  __builtin_prefetch(&g->scope, 1);
  for (int line = 0; line < 3; line++) __builtin_prefetch((char *)g->sp + 64 * line, 1);
}

/* Before it is published. */
static inline void count_wake(struct worker *w, struct goroutine *g) {
  int which = COUNT_WOKEN + load_relaxed(&g->reason);
  if (likely(w != NULL)) {
    count_in(&w->counters, which, 1);
    if (likely(!load_relaxed(&w->stamp))) return;
  } else {
    leat_i_count(which, 1);
  }
  leat_i_stamp(w, g);
}

void leat_i_ready(struct goroutine *g) {
  if (unlikely(g->kind == KIND_FOREIGN)) {
    store_release(&g->foreign_awake, 1);
    leat_i_nondet_wake(&g->foreign_awake, 1);
    leat_i_count(COUNT_THREAD_WAKES, 1);
    return;
  }
  struct worker *w = leat_i_worker();
  count_wake(w, g);
  if (unlikely(g->home != NULL)) {
    send_home(g->home, g);
    return;
  }
  if (unlikely(!w || !load_relaxed(&w->has_token))) {
    leat_i_shared_push(&g, 1);
    leat_i_wake_worker();
    return;
  }
  prefetch(g);
  struct goroutine *displaced = exchange_seq(&w->next, g);
  if (displaced) {
    leat_i_ring_push(w, displaced);
    leat_i_wake_worker();
  } else if (!load_relaxed(&w->deferred)) {
    /* Most often the waker blocks soon and g runs here, with a warm cache: waking another worker for it at once costs a system call
     * and moves the data between cores. If the waker goes on for 10 us (leat_i_operation) or does not come back (the watcher), then. */
    store_relaxed(&w->deferred, true);
    w->deferred_since = 0;
  }
}

void leat_i_start(struct goroutine *self, struct goroutine *g) {
  struct worker *w = leat_i_worker();
  bool could = w && !self->home && !g->home && load_relaxed(&w->has_token), crowded = w && load_relaxed(&w->tail) - load_relaxed(&w->head) >= RING_SIZE / 2;
  if (!could || !crowded || w->budget <= 1) {
    leat_i_ready(g);
    leat_i_operation(self);
    return;
  }
  w->budget--;
  store_relaxed(&w->ticks, load_relaxed(&w->ticks) + 1);
  leat_i_switch_to(w, self, g, AFTER_NEXT);
}

void leat_i_ready_list(struct goroutine *list) {
  if (!list) return;
  if (!list->link) {
    leat_i_ready(list);
    return;
  }
  /* Many: first come, first served, so not through the next-slot. What the ring does not hold goes onto the shared queue. */
  struct worker *w = leat_i_worker();
  bool to_ring = w && load_relaxed(&w->has_token);
  struct goroutine *batch[RING_SIZE / 2];
  uint32_t n = 0, in_ring = 0;
  bool shared = false;
  for (struct goroutine *g = list, *after; g; g = after) {
    after = g->link;
    if (g->home || g->kind == KIND_FOREIGN) {
      leat_i_ready(g);
    } else if (count_wake(w, g), to_ring && in_ring < RING_SIZE / 2) {
      in_ring++;
      leat_i_ring_push(w, g);
    } else {
      shared = true;
      batch[n++] = g;
      if (n < RING_SIZE / 2) continue;
      leat_i_shared_push(batch, n);
      n = 0;
    }
  }
  if (n) leat_i_shared_push(batch, n);
  if (shared || in_ring) leat_i_wake_worker();
}

static bool others_wait(struct worker *w) {
  return load_relaxed(&w->next) || !ring_is_empty(w) || load_relaxed(&leat_i_sched.queue_n);
}

void leat_i_yield(struct goroutine *self) {
  if (self->kind == KIND_FOREIGN) {
    sched_yield();
    return;
  }
  if (unlikely(leat_i_thread_locks_forbid(self))) leat_i_thread_locks_report();
  struct worker *w = leat_i_worker();
  count_in(&w->counters, COUNT_YIELDS, 1);
  if (!load_relaxed(&w->has_token)) {
    leat_i_switch_to(w, self, w->idle, AFTER_RELEASE);
    return;
  }
  if (!others_wait(w) && (load_relaxed(&w->ticks) + 1) % LOOK_OUTSIDE) {
    store_relaxed(&w->ticks, load_relaxed(&w->ticks) + 1);
    return;
  }
  struct goroutine *g = pick(w);
  leat_i_switch_to(w, self, g, AFTER_YIELD);
}

/* The watcher has asked for the thread; or g lies in the next-slot, and the waker goes on. */
static __attribute__((noinline)) void look_around(struct worker *w, struct goroutine *self) {
  if (load_relaxed(&w->asked)) {
    store_relaxed(&w->asked, false);
    count_in(&w->counters, COUNT_PREEMPTED, 1);
    leat_i_yield(self);
  } else if (w->budget % 8 == 0 && load_relaxed(&leat_i_sched.n_running) < load_relaxed(&leat_i_sched.workers)) {
    int64_t now = leat_i_nondet_clock();
    if (!w->deferred_since) {
      w->deferred_since = now;
    } else if (now - w->deferred_since > DEFER_NS) {
      store_relaxed(&w->deferred, false);
      struct goroutine *g = exchange(&w->next, NULL);
      if (!g) return;
      leat_i_ring_push(w, g);
      leat_i_wake_worker();
    }
  }
}

bool leat_i_may_spin(void) {
  struct sched *s = &leat_i_sched;
  struct worker *w = leat_i_worker();
  if (w && (!load_relaxed(&w->has_token) || others_wait(w))) return false;
  return load_relaxed(&s->n_running) - load_relaxed(&s->n_spinning) > (w != NULL);
}

void leat_i_operation(struct goroutine *self) {
  if (unlikely(self->kind == KIND_FOREIGN)) return;
  struct worker *w = leat_i_worker();
  if (unlikely(--w->budget <= 0)) {
    w->budget = SLICE;
    count_in(&w->counters, COUNT_PREEMPTED, 1);
    leat_i_yield(self);
  } else if (unlikely(load_relaxed(&w->asked) || load_relaxed(&w->deferred))) {
    look_around(w, self);
  }
}

/* No store where nothing is to be done, and the time by the watcher: a store for each call, and be it to count it, would double its cost. */
int leat_i_checkpoint(struct worker *w) {
  struct goroutine *self = load_relaxed(&w->current);
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  if (unlikely(self->ignored)) self->ignored = 0;
  if (unlikely(load_relaxed(&w->asked) || load_relaxed(&w->deferred) || !leat_i_nondet_threads())) leat_i_operation(self);
  return LEAT_OK;
}

void leat_i_go_home(struct goroutine *self, struct worker *home) {
  self->home = home;
  struct worker *w = leat_i_worker();
  if (w != home) leat_i_switch_to(w, self, w->idle, AFTER_RELEASE);
}

_Noreturn void leat_i_leave_for_good(struct goroutine *self) {
  struct worker *w = leat_i_worker();
  leat_i_switch_to(w, self, pick(w), AFTER_EXIT);
  __builtin_unreachable();
}

void leat_i_regain_token(struct goroutine *self) {
  struct worker *w = leat_i_worker();
  if (!w->pinned && !load_relaxed(&w->has_token) && !leat_i_token_take(w)) leat_i_switch_to(w, self, w->idle, AFTER_RELEASE);
}
