/* See watcher.h. */
#include "watcher.h"
#include "happens.h"
#include "nondet.h"
#include "poller.h"
#include "scheduler.h"
#include "timer.h"
#include "../inspect/alarm.h"
#include "../inspect/deadlock.h"
#include "../inspect/threads.h"
#include <leat/status.h>
#include <signal.h>

static const int64_t SHORTEST = LEAT_MS(1), LONGEST = LEAT_MS(10), STUCK = LEAT_MS(10), TRIM_EVERY = LEAT_MS(100);
enum { IDLE_ROUNDS = 100 };

static pthread_t thread;
static _Atomic(uint32_t) running, asleep, stop_word;

void leat_i_watcher_notice(void) {
  /* The caller has stored n_running, the watcher stores asleep and then loads n_running. */
  if (load_seq(&asleep) && load_seq(&leat_i_sched.n_running) && exchange_seq(&asleep, 0)) leat_i_nondet_wake(&asleep, 1);
}

void leat_i_watcher_rouse(void) {
  if (load_seq(&asleep) && exchange_seq(&asleep, 0)) leat_i_nondet_wake(&asleep, 1);
}

int leat_i_watcher_threads(void) { return (int)load_acquire(&running); }

/* Answers whether the worker holds others up: it was asked to give way, at a look before, and has not. */
static bool look_at(struct worker *w, int64_t now, bool others_wait, bool *acted) {
  uint32_t ticks = load_relaxed(&w->ticks);
  bool has_token = load_relaxed(&w->has_token);
  if (ticks != w->seen_ticks || !has_token) { /* one that has lost its token is still asked: until it gives way there is a thread too many */
    if (ticks != w->seen_ticks && load_relaxed(&w->asked)) store_relaxed(&w->asked, false);
    w->seen_ticks = ticks;
    w->seen_since = now;
    return false;
  }
  if (!others_wait && !has_next(w) && load_relaxed(&w->head) == load_relaxed(&w->tail)) return false;
  if (load_relaxed(&w->asked)) return now - w->seen_since >= STUCK;
  store_relaxed(&w->asked, true);
  *acted = true;
  return false;
}

/* Answers whether anything had to be done. */
static bool look(int64_t now) {
  struct sched *s = &leat_i_sched;
  bool acted = false, idle_worker = load_relaxed(&s->n_running) < load_relaxed(&s->workers);
  bool waiting = leat_i_work_waits();
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next) {
    if (w->pinned) continue;
    bool has_token = load_seq(&w->has_token), has_work = has_next(w) || load_relaxed(&w->head) != load_relaxed(&w->tail);
    if (!has_token && has_work) { /* put there while the token was being taken */
      leat_i_hand_on(w);
      leat_i_wake_worker();
    }
    if (look_at(w, now, waiting, &acted) && leat_i_take_token_from(w)) {
      leat_i_count(COUNT_TOKENS_TAKEN, 1);
      acted = true;
    } else if (idle_worker && has_work) {
      acted = true; /* soon again */
      leat_i_wake_worker();
    }
  }
  if (waiting && idle_worker) leat_i_wake_worker();
  if (leat_i_timers_next() <= now) acted |= leat_i_timers_run() > 0;
  if (leat_i_poller_waiters() && !load_relaxed(&s->polling_until)) leat_i_ready_list(leat_i_poller_run(0));
  return acted;
}

static void *watch(void *unused) {
  (void)unused;
  int64_t pause = SHORTEST, trimmed = 0, looked = leat_i_nondet_clock();
  int idle_rounds = 0;
  leat_i_thread_ours();
  while (!load_acquire(&stop_word)) {
    /* While nobody polls, timers and descriptors are the watcher's. */
    if (load_relaxed(&leat_i_sched.n_running) == 0 && load_relaxed(&leat_i_sched.polling_until) && ++idle_rounds > IDLE_ROUNDS) {
      leat_i_check_deadlock();
      store_seq(&asleep, 1);
      if (load_seq(&leat_i_sched.n_running) == 0 && load_seq(&leat_i_sched.polling_until) && !load_seq(&stop_word)) leat_i_nondet_sleep(&asleep, 1, leat_i_alarms_next());
      idle_rounds = exchange_seq(&asleep, 0) ? IDLE_ROUNDS : 0; /* it slept to the end: a look, and again */
      looked = leat_i_nondet_clock();
      pause = SHORTEST;
    }
    leat_i_nondet_sleep(&stop_word, 0, leat_i_nondet_clock() + pause);
    int64_t now = leat_i_nondet_clock();
    store_relaxed(&leat_i_coarse_clock, now);
    leat_i_ask_for_samples();
    bool acted = look(now);
    leat_i_alarms_look(now, now - looked);
    looked = now;
    if (load_relaxed(&leat_i_sched.n_running)) idle_rounds = 0;
    pause = acted ? SHORTEST : pause * 2 > LONGEST ? LONGEST : pause * 2;
    if (now - trimmed > TRIM_EVERY) {
      if (leat_i_stacks_trim()) idle_rounds = 0;
      trimmed = now;
    }
  }
  leat_i_thread_ours_no_more();
  return NULL;
}

int leat_i_watcher_start(void) {
  if (!leat_i_nondet_threads()) return LEAT_OK;
  sigset_t all, before;
  store_relaxed(&stop_word, 0);
  store_relaxed(&asleep, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int error = 0;
  quietly error = pthread_create(&thread, NULL, watch, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error) return LEAT_NOMEM;
  store_release(&running, 1);
  return LEAT_OK;
}

void leat_i_watcher_stop(void) {
  if (!exchange(&running, 0)) return;
  store_seq(&stop_word, 1);
  leat_i_nondet_wake(&stop_word, 1);
  store_seq(&asleep, 0);
  leat_i_nondet_wake(&asleep, 1);
  pthread_join(thread, NULL);
}
