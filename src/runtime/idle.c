/* See idle.h. */
#include "idle.h"
#include "nondet.h"
#include "park.h"
#include "poller.h"
#include "run_queue.h"
#include "timer.h"
#include "watcher.h"
#include "../inspect/deadlock.h"
#include <leat/status.h>

static void unlist_idle(struct worker *w) {
  for (struct worker **p = &leat_i_sched.idle; *p; p = &(*p)->idle_next)
    if (*p == w) {
      *p = w->idle_next;
      break;
    }
  w->listed_idle = false;
}

void leat_i_rouse(struct worker *w, bool polling) {
  leat_i_count(COUNT_THREAD_WAKES, 1);
  store_seq(&w->wake, WOKEN);
  if (polling) leat_i_poller_kick();
  else leat_i_nondet_wake(&w->wake, 1);
}

void leat_i_wake_worker(void) {
  struct sched *s = &leat_i_sched;
  const struct worker *self = leat_i_worker();
  if (self && load_relaxed(&self->has_token) && load_relaxed(&s->workers) == 1) return; /* the only token is the caller's */
  /* What was published may be a plain store (the ring's tail); leat_i_go_idle has the other half. */
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
    leat_i_rouse(w, polling);
  } else if (!may_run) {
    sub_seq(&s->n_spinning, 1);
    /* Meanwhile others took us for a worker that looks for work, and did not wake one. */
    if (load_relaxed(&s->n_threads) < s->max_threads && load_seq(&s->n_running) < load_relaxed(&s->workers) && !load_seq(&s->stopping) &&
        leat_i_work_waits()) {
      leat_i_wake_worker();
      return;
    }
  } else {
    if (leat_i_start_worker(true) != LEAT_OK) {
      sub_seq(&s->n_spinning, 1);
      sub_seq(&s->n_running, 1);
    }
    sub_seq(&s->n_starting, 1);
  }
  leat_i_watcher_notice();
}

bool leat_i_token_take(struct worker *w) {
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

void leat_i_go_idle(struct worker *w) {
  struct sched *s = &leat_i_sched;
  stop_spinning(w);
  lock_take(&s->lock);
  if (load_relaxed(&w->has_token)) {
    store_relaxed(&w->has_token, false);
    sub_seq(&s->n_running, 1);
  }
  store_relaxed(&w->wake, 0);
  count_in(&w->counters, COUNT_THREAD_SLEEPS, 1);
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
  leat_i_coarse_clock_set();
  lock_take(&s->lock);
  if (w->listed_idle) { /* woken without a token: to stop, or for its inbox; over the limit for as long as that takes */
    unlist_idle(w);
    add_seq(&s->n_running, 1);
    store_relaxed(&w->has_token, true);
  }
  lock_drop(&s->lock);
  leat_i_watcher_notice();
}
