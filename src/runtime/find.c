/* See find.h. */
#include "find.h"
#include "idle.h"
#include "nondet.h"
#include "park.h"
#include "poller.h"
#include "run_queue.h"
#include "steal.h"
#include "timer.h"
#include "../inspect/deadlock.h"

static struct goroutine *take_inbox(struct worker *w) {
  if (!load_relaxed(&w->inbox)) return NULL;
  return exchange(&w->inbox, NULL); /* one at most: a pinned worker has one goroutine, the main worker the main goroutine */
}

/* Timers that are due and descriptors that are ready, without waiting. */
static void look_outside(const struct worker *w) {
  leat_i_timers_run_for(w);
  if (leat_i_poller_waiters()) leat_i_ready_list(leat_i_poller_run(0));
}

static struct goroutine *take_local(struct worker *w) {
  store_relaxed(&w->deferred, 0);
  struct goroutine *g = load_relaxed(&w->next) ? next_take(w) : load_relaxed(&w->starters) ? starter_pop(w) : NULL;
  if (g) {
    if (w->budget > 0) return g;
    leat_i_slice_is_over(w, g);
  }
  w->budget = SLICE;
  return ring_next(w);
}

/* For the worker that exists for one goroutine. NULL when that has ended. */
static struct goroutine *find_pinned(struct worker *w) {
  while (!load_relaxed(&w->finished)) {
    struct goroutine *g = take_inbox(w);
    leat_i_coarse_clock_set(); /* the watcher may be asleep while none but pinned goroutines run */
    if (g) return g;
    note_rest(load_relaxed(&w->pinned), load_relaxed(&leat_i_coarse_clock)); /* it was put down here, and runs nowhere else */
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
    if (!load_relaxed(&w->has_token) && !leat_i_token_take(w)) { /* it was stuck, and others have taken over */
      leat_i_hand_on(w);
      leat_i_go_idle(w);
      continue;
    }
    struct goroutine *g = take_inbox(w);
    if (g) return g;
    if (load_relaxed(&s->n_running) > load_relaxed(&s->workers)) { /* the number of workers was lowered */
      leat_i_hand_on(w);
      leat_i_wake_worker();
      leat_i_go_idle(w);
      continue;
    }
    if (load_relaxed(&w->ticks) % LOOK_OUTSIDE < 2) { /* neither the outside nor the shared queue starves */
      look_outside(w);
      if ((g = leat_i_shared_pop(w))) return g;
    }
    if ((g = take_local(w))) return g;
    int64_t now = leat_i_nondet_clock();
    store_relaxed(&w->dry_since, now);
    if (haul_is_open(&w->haul)) leat_i_haul_weigh(w, now);
    if ((g = leat_i_shared_pop(w))) return g;
    look_outside(w);
    if ((g = take_local(w)) || (g = leat_i_steal(w))) return g;
    if (w->spinning && leat_i_work_waits()) continue; /* for those at work, so far */
    leat_i_go_idle(w);
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
    leat_i_switch_to(w, w->idle, g, AFTER_NOTHING);
  }
}
