/* See park.h. */
#define _GNU_SOURCE
#include "park.h"
#include "../inspect/fault.h"
#include "fence.h"
#include "find.h"
#include "idle.h"
#include "nondet.h"
#include "poller.h"
#include "report.h"
#include "run_queue.h"
#include "runtime.h"
#include "switch.h"
#include "timer.h"
#include "../core/membership.h"
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

_Alignas(64) _Atomic(uint32_t) leat_i_n_interrupts;

void leat_i_interrupts_init(void) { store_relaxed(&leat_i_n_interrupts, load_relaxed(&leat_i_fences_are_asymmetric) ? 0 : 1); }

void leat_i_interrupts_begin(void) {
#ifdef LEAT_DEBUG
  struct worker *w = leat_i_worker();
  if (w) leat_i_section_must_be_outside(w); /* or it would wait for itself */
#endif
  add_seq(&leat_i_n_interrupts, 1);
  leat_i_fence_heavy();
  leat_i_sections_await();
}
void leat_i_interrupts_end(void) { sub_seq(&leat_i_n_interrupts, 1); }

/* Step 2 of the protocol in park.h: g has left its stack. */
static inline void commit_park(struct goroutine *g, bool timed, uint32_t alone) {
  void (*unlock)(void *) = g->unlock; /* read before the goroutine can be claimed, and go on, elsewhere */
  void *arg = g->unlock_arg;
  uint32_t word = load_relaxed(&g->wait);
  uint32_t floor = word >> 2;
  store_release(&g->wait, (floor << 2) | STATE_WAITING | alone);
  if (timed) atomic_thread_fence(memory_order_seq_cst); /* timers fire often */
  else fence_light();
  int status = timed && load_seq(&g->timed_out) ? LEAT_DEADLINE : LEAT_OK;
  if (!status && floor != WAIT_MASKED_FLOOR) status = leat_i_scope_interrupts(g->scope);
  bool claimed = status && leat_i_claim_by_any(g, status);
  if (likely(!unlock)) lock_drop(arg);
  else unlock(arg);
  if (unlikely(claimed)) leat_i_ready(g);
}

static void send_home(struct worker *home, struct goroutine *g);

static __attribute__((noinline)) void finish_otherwise(struct worker *w, struct goroutine *g, enum after after) {
  switch (after) {
  case AFTER_NOTHING: case AFTER_LONE_PARK: case AFTER_EXIT: break; /* arrive's */
  case AFTER_PARK: commit_park(g, false, 0); break;
  case AFTER_START:
    if (unlikely(load_relaxed(&w->stamp))) leat_i_stamp(w, g);
    starter_push(w, g);
    break;
  case AFTER_TIMED_PARK: commit_park(g, true, 0); break;
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
  }
}

static __attribute__((noinline)) void finish_pinned(struct worker *w, struct goroutine *g) {
  if (w->pinned == g) store_release(&w->finished, true);
  leat_i_stack_put(NULL, g);
}

static inline __attribute__((always_inline)) void finish_exit(struct worker *w, struct goroutine *g) {
#ifdef LEAT_TSAN
  __tsan_destroy_fiber(g->tsan_fiber);
#endif
  if (unlikely(w->pinned != NULL)) finish_pinned(w, g);
  else stack_put(&w->stacks, g);
}

/* What is to be done with the one who left. Answers the worker that it goes on on. */
static inline __attribute__((always_inline)) struct worker *arrive(void) {
  struct worker *w = leat_i_worker();
  sanitizer_arrive(load_relaxed(&w->current));
  struct goroutine *g = load_relaxed(&w->after_goroutine);
  enum after after = load_relaxed(&w->after);
  note_rest(g, load_relaxed(&leat_i_coarse_clock));
  store_release(&w->after, AFTER_NOTHING);
  if (unlikely(load_relaxed(&leat_i_stacks_have_canaries)) && after != AFTER_NOTHING && !leat_i_stack_intact(g)) leat_i_report_overflow(g);
  if (likely(after == AFTER_LONE_PARK)) commit_park(g, false, STATE_ALONE);
  else if (likely(after == AFTER_EXIT)) finish_exit(w, g);
  else finish_otherwise(w, g, after);
  credit_check(w, load_relaxed(&w->current));
  return w;
}

/* In a frame of its own: what it spills, such as the address of a lock, would else lie on the stack for the goroutine's life, and the finder takes it
 * for a reference. */
static __attribute__((noinline)) struct worker *arrive_first(void) { return arrive(); }

/* The first frame on every stack the runtime makes: goroutines', and the idle context's of the main thread's worker. */
__attribute__((used, visibility("hidden"))) _Noreturn void leat_i_goroutine_main(struct goroutine *g) {
  struct worker *w = arrive_first();
  if (unlikely(g->kind == KIND_IDLE)) {
    leat_i_work_loop(w);
    leat_i_die("internal error: the main thread's worker ended");
  }
  leat_i_goroutine_exit(g, g->fn->thunk(g->args));
}

static inline __attribute__((always_inline)) void depart(struct worker *w, struct goroutine *from, struct goroutine *to, enum after after) {
  if (unlikely(after != AFTER_LONE_PARK && after != AFTER_PARK && after != AFTER_TIMED_PARK && leat_i_thread_locks_forbid(from))) leat_i_thread_locks_report(); /* parking has looked: here it has locks */
  from->fenced = false; /* what others who run on this thread put into channels meanwhile it has to be behind a fence of, too */
  if (unlikely(w->slice_start)) leat_i_slice_ends(w);
  if (unlikely(load_relaxed(&to->runnable_since))) leat_i_stamp_off(w, to);
  store_relaxed(&w->after_goroutine, from);
  store_relaxed(&w->after, after);
  set_current(w, to);
  sanitizer_leave(from, to, after == AFTER_EXIT);
}

static inline __attribute__((always_inline)) void switch_to(struct worker *w, struct goroutine *from, struct goroutine *to, enum after after) {
  int saved_errno = *w->errno_of_thread;
  depart(w, from, to, after);
  if (after == AFTER_START) leat_i_switch_first(&from->sp, to->sp);
  else leat_i_switch(&from->sp, to->sp);
  *arrive()->errno_of_thread = saved_errno; /* of another thread, maybe */
}

void leat_i_switch_to(struct worker *w, struct goroutine *from, struct goroutine *to, enum after after) { switch_to(w, from, to, after); }
static __attribute__((noinline)) int start_at_once(struct worker *w, struct goroutine *self, struct goroutine *g) {
  switch_to(w, self, g, AFTER_START);
  return LEAT_OK;
}

void leat_i_slice_is_over(struct worker *w, struct goroutine *g) {
  for (; g; g = load_relaxed(&w->starters) ? starter_pop(w) : NULL) leat_i_ring_push(w, g);
}

enum { ENOUGH_KEPT = 8 };
static const int64_t SOON = LEAT_US(1);
/* The ring comes to those that were displaced. */
static __attribute__((noinline)) void weigh_displaced(struct worker *w) {
  bool soon = leat_i_nondet_clock() - w->displaced_at < SOON;
  w->kept = !soon ? 0 : w->kept < ENOUGH_KEPT ? w->kept + 1 : ENOUGH_KEPT;
  w->displaced_at = 0;
}

/* The next to run on this worker, which may be the idle context. */
static inline __attribute__((always_inline)) struct goroutine *pick(struct worker *w) {
  uint32_t ticks = load_relaxed(&w->ticks) + 1;
  store_relaxed(&w->ticks, ticks);
  if (unlikely(ticks % LOOK_OUTSIDE == 0 || !load_relaxed(&w->has_token))) return w->idle;
  struct goroutine *g = NULL;
  if (load_relaxed(&w->next)) {
    store_relaxed(&w->deferred, load_relaxed(&w->deferred) & DEFERRED_RING);
    g = next_take(w);
    if (g && --w->budget > 0 && leat_i_nondet_newest_first()) {
      count_in(&w->counters, COUNT_NEXT_SLOT, 1);
      return g;
    }
    if (g) leat_i_slice_is_over(w, g);
  } else if (unlikely(load_relaxed(&w->starters))) {
    g = starter_pop(w);
    if (g && --w->budget > 0) return g;
    if (g) leat_i_slice_is_over(w, g);
  }
  g = ring_next(w);
  w->budget = SLICE;
  if (unlikely(!g)) return w->idle;
  if (unlikely(w->displaced_at)) weigh_displaced(w);
  if (unlikely(load_relaxed(&w->deferred)) && ring_is_empty(w)) store_relaxed(&w->deferred, 0);
  return g;
}

static struct goroutine *deadline_fires(struct timer *t, int64_t now) {
  (void)now;
  struct goroutine *g = t->environment;
  store_seq(&g->timed_out, 1);
  return leat_i_claim_by_any(g, LEAT_DEADLINE) ? g : NULL;
}

/* With the thread's registers saved, as a goroutine's are that has left its stack. */
static void sleep_foreign(void *foreign) {
  struct goroutine *self = foreign;
  note_rest(self, leat_i_nondet_clock());
  commit_park(self, true, 0);
  if (!load_acquire(&self->foreign_awake)) leat_i_check_deadlock(); /* it may be the last to fall asleep */
  while (!load_acquire(&self->foreign_awake)) leat_i_nondet_sleep(&self->foreign_awake, 0, LEAT_NEVER);
}

static void park_foreign(struct goroutine *self) {
  store_relaxed(&self->foreign_awake, 0);
  leat_i_foreign_parks(1);
  leat_i_switch_hold(&self->sp, sleep_foreign, self);
  leat_i_foreign_parks(-1);
}

static void drop_locks(struct goroutine *self) {
  if (self->unlock) self->unlock(self->unlock_arg);
  else lock_drop(self->unlock_arg);
}

/* Steps 2 and 3. */
static inline __attribute__((always_inline)) int leave(struct goroutine *self, uint32_t floor, enum wait_reason reason, const void *object, enum after after) {
  if (unlikely(leat_i_thread_locks_forbid(self))) {
    drop_locks(self);
    leat_i_thread_locks_report();
  }
  if (unlikely(self->unlisted) && floor != WAIT_MASKED_FLOOR) leat_i_member_list(self);
  happens_before(self); /* for whoever hands it a value, or takes one from it */
  store_relaxed(&self->wait, floor << 2);
  store_relaxed(&self->waits_for, object);
  store_relaxed(&self->timed, after == AFTER_TIMED_PARK);
  store_relaxed(&self->reason, (uint8_t)reason);
  if (unlikely(self->kind == KIND_FOREIGN)) {
    if (after != AFTER_TIMED_PARK) store_relaxed(&self->timed_out, 0);
    park_foreign(self);
  } else {
    struct worker *w = leat_i_worker();
    count_in(&w->counters, COUNT_PARKED + (int)reason, 1);
    switch_to(w, self, pick(w), after);
  }
  store_relaxed(&self->reason, WAIT_NOTHING);
  happens_after(self);
  return self->wake_status;
}

int leat_i_park_on(struct goroutine *self, struct lock *lock, enum wait_reason reason, const void *object) {
  self->unlock = NULL;
  self->unlock_arg = lock;
  return leave(self, self->shield_floor, reason, object, AFTER_LONE_PARK);
}

static int leave_until(struct goroutine *self, const struct park *p, uint32_t floor) {
  struct timer timer = {.fire = deadline_fires, .environment = self};
  store_relaxed(&self->timed_out, 0);
  if (leat_i_timer_arm(&timer, p->deadline, 0) != LEAT_OK) {
    drop_locks(self);
    return LEAT_NOMEM;
  }
  int status = leave(self, floor, p->reason, p->object, AFTER_TIMED_PARK);
  leat_i_timer_disarm(&timer);
  if (load_relaxed(&self->timed_out) && status == LEAT_DEADLINE && p->reason != WAIT_SLEEP && p->reason != WAIT_LIMITER && p->reason != WAIT_WRITES) leat_i_count(COUNT_TIMEOUTS, 1);
  return status;
}

int leat_i_park(struct goroutine *self, const struct park *p) {
  uint32_t floor = p->masked ? WAIT_MASKED_FLOOR : self->shield_floor;
  /* A wait without a lock gets one: with the others it is theirs that keeps the goroutine from going on, and leaving its scope, while
   * commit_park still looks at that. */
  bool own_lock = !p->lock && !p->unlock;
  self->unlock = p->unlock;
  self->unlock_arg = own_lock ? &self->park_lock : p->unlock ? p->unlock_arg : p->lock;
  if (own_lock) lock_take(&self->park_lock);
  int status = p->deadline == LEAT_NEVER ? leave(self, floor, p->reason, p->object, AFTER_PARK) : leave_until(self, p, floor);
  if (own_lock) {
    lock_take(&self->park_lock);
    lock_drop(&self->park_lock);
  }
  return status;
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

/* By a thread that is not a worker, or has no token, or for one that has a home or is a thread. */
static __attribute__((noinline)) void ready_elsewhere(struct worker *w, struct goroutine *g) {
  if (g->kind == KIND_FOREIGN) {
    store_release(&g->foreign_awake, 1);
    leat_i_nondet_wake(&g->foreign_awake, 1);
    leat_i_count(COUNT_THREAD_WAKES, 1);
    return;
  }
  count_wake(w, g);
  if (g->home) {
    send_home(g->home, g);
  } else {
    leat_i_shared_push(&g, 1);
    leat_i_wake_worker();
  }
}

/* Most often the waker blocks soon and whom it has woken runs here, with a warm cache: waking another worker for that at once costs a system call
 * and moves the data between cores. If the waker goes on for 10 us (leat_i_operation) or does not come back (the watcher), then. */
static inline void defer(struct worker *w, uint8_t what) {
  uint8_t deferred = load_relaxed(&w->deferred);
  if (deferred & what) return;
  store_relaxed(&w->deferred, deferred | what);
  if (!deferred) w->deferred_seen = 0;
}

/* Who wakes two keeps the first from running at once, here or elsewhere: so that one is deferred only where those of before ran here within a microsecond, again and
 * again (a pipeline of three on two CPUs: 16,000 wakes a second, and 222 ns an item; without them 125). */
static __attribute__((noinline)) void displace(struct worker *w, struct goroutine *g) {
  struct goroutine *displaced = next_replace(w, g);
  if (!displaced) return;
  if (load_relaxed(&w->tail) - load_relaxed(&w->head) >= RING_SIZE / 2) { /* as in leat_i_start: there is enough for all */
    starter_push(w, displaced);
    return;
  }
  bool few = ring_has_few(w);
  leat_i_ring_push(w, displaced);
  if (!few || load_relaxed(&leat_i_sched.workers) == 1) return; /* nobody sleeps who might take it: idle.h */
  bool defers = w->kept == ENOUGH_KEPT;
  if (!defers || ++w->n_displaced % 16 == 0) w->displaced_at = leat_i_nondet_clock();
  if (defers) defer(w, DEFERRED_RING);
  else leat_i_wake_worker();
}

static inline __attribute__((always_inline)) void put_next(struct worker *w, struct goroutine *g) {
  if (load_relaxed(&w->next)) {
    displace(w, g);
    return;
  }
  store_release(&w->next, g);
  defer(w, DEFERRED_NEXT);
}

void leat_i_ready(struct goroutine *g) {
  struct worker *w = leat_i_worker();
  if (unlikely(!w || g->home || g->kind == KIND_FOREIGN || !load_relaxed(&w->has_token))) {
    ready_elsewhere(w, g);
    return;
  }
  count_wake(w, g);
  prefetch(g);
  put_next(w, g);
}

int leat_i_start(struct goroutine *self, struct goroutine *g) {
  struct worker *w = leat_i_worker();
  if (unlikely(!w || g->home || !load_relaxed(&w->has_token))) {
    leat_i_ready(g);
    leat_i_operation(self);
    return LEAT_OK;
  }
  if (unlikely(load_relaxed(&w->tail) - load_relaxed(&w->head) >= RING_SIZE / 2) && !self->home && w->budget > 1) {
    w->budget--;
    store_relaxed(&w->ticks, load_relaxed(&w->ticks) + 1);
    return start_at_once(w, self, g);
  }
  count_in(&w->counters, COUNT_WOKEN + WAIT_NOTHING, 1);
  if (unlikely(load_relaxed(&w->stamp))) leat_i_stamp(w, g);
  put_next(w, g);
  if (unlikely(operation_is_due(w))) leat_i_look_around(w, self);
  return LEAT_OK;
}

/* First come, first served, so not through the next-slot. What would more than half fill the ring goes onto the shared queue. */
static void ready_many(struct goroutine **goroutines, uint32_t n) {
  struct worker *w = leat_i_worker();
  uint32_t waiting = w && load_relaxed(&w->has_token) ? load_relaxed(&w->tail) - load_acquire(&w->head) : RING_SIZE;
  uint32_t room = waiting < RING_SIZE / 2 ? RING_SIZE / 2 - waiting : 0, for_all = 0;
  for (uint32_t i = 0; i < n; i++) {
    struct goroutine *g = goroutines[i];
    if (g->home || g->kind == KIND_FOREIGN) {
      leat_i_ready(g);
      continue;
    }
    count_wake(w, g);
    if (room) {
      room--;
      leat_i_ring_push(w, g);
    } else {
      goroutines[for_all++] = g;
    }
  }
  if (for_all) leat_i_shared_push(goroutines, for_all);
  leat_i_wake_worker();
}

void leat_i_ready_batch(struct wake_batch *b) {
  uint32_t n = b->n;
  b->n = 0;
  if (n == 1) leat_i_ready(b->goroutines[0]);
  else if (n) ready_many(b->goroutines, n);
}

static __attribute__((noinline)) void ready_list(struct goroutine *list) {
  struct wake_batch b;
  b.n = 0;
  for (struct goroutine *after; list; list = after) {
    after = list->link;
    if (batch_is_full(&b)) leat_i_ready_batch(&b);
    batch_add(&b, list);
  }
  leat_i_ready_batch(&b);
}
void leat_i_ready_list(struct goroutine *list) {
  if (!list) return;
  if (list->link) ready_list(list);
  else leat_i_ready(list);
}

static bool others_wait(struct worker *w) {
  return has_next(w) || !ring_is_empty(w) || load_relaxed(&leat_i_sched.queue_n);
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

/* What is deferred is for another worker, if the waker does go on. Of the time between two looks only a part counts: an interrupt of the kernel, a
 * thousand times a second, would else part those who work together (a word in and out of a buffer: 31 against 14 ns). */
static void offer_next(struct worker *w) {
  bool first = !w->deferred_seen;
  int64_t now = leat_i_nondet_clock(), passed = first ? 0 : now - w->deferred_seen;
  w->deferred_for = (first ? 0 : w->deferred_for) + (passed < DEFER_NS / 2 ? passed : DEFER_NS / 2);
  w->deferred_seen = now;
  if (w->deferred_for < DEFER_NS) return;
  store_relaxed(&w->deferred, 0);
  w->kept = 0;
  struct goroutine *g = next_take(w);
  if (g) leat_i_ring_push(w, g);
  if (!ring_is_empty(w)) leat_i_wake_worker();
}

/* The watcher's asking is rare: behind those in the shared queue, or they would wait for as many askings as there are decisions between two
 * looks at it. */
static void give_way(struct worker *w, struct goroutine *self) {
  store_relaxed(&w->asked, false);
  if (load_relaxed(&leat_i_sched.queue_n) && !self->home) leat_i_switch_to(w, self, pick(w), AFTER_RELEASE);
  else leat_i_yield(self);
}

void leat_i_look_around(struct worker *w, struct goroutine *self) {
  bool asked = load_relaxed(&w->asked);
  if (asked || w->budget <= 0) {
    if (w->budget <= 0) w->budget = SLICE;
    count_in(&w->counters, COUNT_PREEMPTED, 1);
    if (asked) give_way(w, self);
    else leat_i_yield(self);
  } else if (load_relaxed(&w->deferred) && load_relaxed(&leat_i_sched.n_running) < load_relaxed(&leat_i_sched.workers)) {
    offer_next(w);
  }
}

static bool may_spin(void) {
  struct sched *s = &leat_i_sched;
  struct worker *w = leat_i_worker();
  if (w && (!load_relaxed(&w->has_token) || others_wait(w))) return false;
  return load_relaxed(&s->n_running) - load_relaxed(&s->n_spinning) > (w != NULL);
}

bool leat_i_spin(int *spent) {
  enum { ALL_PAUSES = 240 };
  if (*spent >= ALL_PAUSES || !may_spin()) return false;
  int pauses = *spent + FIRST_PAUSES < MOST_PAUSES ? *spent + FIRST_PAUSES : MOST_PAUSES; /* twice as many each time */
  for (int i = 0; i < pauses; i++) cpu_relax();
  *spent += pauses;
  return true;
}

bool leat_i_give_turn(struct goroutine *self, int *given, int64_t deadline) {
  enum { TURNS = 4 };
  if (*given == TURNS || (deadline != LEAT_NEVER && leat_i_nondet_clock() >= deadline)) return false;
  ++*given;
  leat_i_yield(self);
  return true;
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
  struct goroutine *next = pick(w);
  depart(w, self, next, AFTER_EXIT);
  leat_i_switch_away(next->sp);
}

void leat_i_regain_token(struct goroutine *self) {
  struct worker *w = leat_i_worker();
  if (!w->pinned && !load_relaxed(&w->has_token) && !leat_i_token_take(w)) leat_i_switch_to(w, self, w->idle, AFTER_RELEASE);
}
