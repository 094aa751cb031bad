/* See worker.h. */
#define _GNU_SOURCE
#include "worker.h"
#include "../inspect/fault.h"
#include "find.h"
#include "idle.h"
#include "nondet.h"
#include "poller.h"
#include "report.h"
#include "section.h"
#include "runtime.h"
#include "switch.h"
#include "../core/scope.h"
#include <errno.h>
#include <leat/status.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sched leat_i_sched;
_Alignas(64) _Atomic(int64_t) leat_i_coarse_clock; /* read at each switch: not beside words that are written often */
__thread struct worker *leat_i_this_worker;
#ifdef __x86_64__
__thread uint64_t leat_i_locks_as;
#endif

#ifndef __x86_64__
__attribute__((noinline)) struct worker *leat_i_worker(void) {
  __asm__ volatile("" ::: "memory");
  return leat_i_this_worker;
}
#endif

void leat_i_coarse_clock_set(void) { store_relaxed(&leat_i_coarse_clock, leat_i_nondet_clock()); }

struct worker *leat_i_is_on_worker(const struct goroutine *g) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next)
    if (load_acquire(&w->current) == g || (load_acquire(&w->after) != AFTER_NOTHING && load_acquire(&w->after_goroutine) == g)) return w;
  return NULL;
}

static struct worker *worker_new(void) {
  struct worker *w = aligned_alloc(64, (sizeof *w + 63) & ~(size_t)63);
  if (!w) return NULL;
  memset(w, 0, sizeof *w);
  w->budget = SLICE;
  w->haul.boldness = BOLDEST;
  store_relaxed(&w->stamp, leat_i_stamps());
  w->seen_since = leat_i_nondet_clock(); /* or the watcher takes it for stuck at its first look */
  w->idle = &w->idle_storage;
  w->idle->kind = KIND_IDLE;
  w->idle->scope = leat_i_root_scope();
  return w;
}

static void worker_list(struct worker *w) {
  struct sched *s = &leat_i_sched;
  w->all_next = load_acquire(&s->all); /* its index is read */
  do {
    w->index = w->all_next ? w->all_next->index + 1 : 0;
    w->mark = w->index + 1;
    w->section = leat_i_section_of(w->index);
  } while (!cas_seq(&s->all, &w->all_next, w));
}

static void *worker_main(void *argument) {
  struct worker *w = argument;
  leat_i_this_worker = w;
  w->errno_of_thread = &errno;
  set_current(w, w->idle);
  store_release(&w->thread_id, gettid());
  leat_i_thread_stack(&w->idle->stack_low, &w->idle->stack_high);
  store_relaxed(&w->stack_low, w->idle->stack_low);
  store_relaxed(&w->stack_high, w->idle->stack_high);
  store_release(&w->stack_from, (char *)__builtin_frame_address(0));
#ifdef LEAT_TSAN
  w->idle->tsan_fiber = __tsan_get_current_fiber();
#endif
  leat_i_happens_on_thread();
  w->signal_stack = leat_i_signal_stack_install();
  leat_i_work_loop(w);
  stop_spinning(w);
  leat_i_stack_cache_flush(&w->stacks);
  store_release(&w->stack_from, NULL);
  store_release(&w->thread_id, 0);
  leat_i_signal_stack_remove(w->signal_stack);
  sub_seq(&leat_i_sched.n_threads, 1);
  if (w->pinned) {
    store_seq(&w->gone, 1); /* the last that it does to the struct; who waits for it waits for the word in its own address space */
    leat_i_nondet_wake(&w->gone, 1);
  }
  return NULL;
}

/* Workers leave signals to the program's own threads, except those that a thread causes itself or that are sent to it alone. */
static int start_thread(struct worker *w) {
  sigset_t all, before;
  sigfillset(&all);
  int unblocked[] = {SIGURG /* inspect/running.h */, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE, SIGXFSZ, SIGPROF};
  for (size_t i = 0; i < sizeof unblocked / sizeof *unblocked; i++) sigdelset(&all, unblocked[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* whoever starts it: the watcher blocks everything */
  add_seq(&leat_i_sched.n_threads, 1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (w->pinned) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  bool started = false;
  quietly started = pthread_create(&w->thread, &attributes, worker_main, w) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  w->joinable = started && !w->pinned;
  if (!started) sub_seq(&leat_i_sched.n_threads, 1);
  return started ? LEAT_OK : LEAT_NOMEM;
}

/* Its token is counted already. */
int leat_i_start_worker(bool spinning) {
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
  leat_i_counters_reset();
  leat_i_sections_reset();
  leat_i_sched = (struct sched){.max_threads = max_threads};
  store_relaxed(&leat_i_sched.workers, workers);
}

int leat_i_workers_start_one(void) {
  add_seq(&leat_i_sched.n_running, 1);
  if (leat_i_start_worker(false) == LEAT_OK) return LEAT_OK;
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
  idle->sp = switch_prepare((void *)((uintptr_t)idle & ~(uintptr_t)15), idle);
#ifdef LEAT_ASAN
  idle->asan_fake_stack = NULL;
#endif
#ifdef LEAT_TSAN
  idle->tsan_fiber = __tsan_create_fiber(0);
  main_goroutine->tsan_fiber = __tsan_get_current_fiber();
#endif
  leat_i_happens_on_thread();
  w->idle = idle;
  w->is_main = true;
  set_current(w, main_goroutine);
  store_relaxed(&w->has_token, true);
  w->errno_of_thread = &errno;
  leat_i_this_worker = w;
  store_release(&w->thread_id, gettid());
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
    leat_i_rouse(w, false);
    leat_i_poller_kick();
  }
  for (struct worker *w = load_acquire(&s->all), *after; w; w = after) {
    after = w->all_next;
    if (w->joinable) pthread_join(w->thread, NULL);
    while (w->pinned && !load_acquire(&w->gone)) leat_i_nondet_sleep(&w->gone, 0, LEAT_NEVER);
    if (w == leat_i_this_worker) {
      leat_i_stack_cache_flush(&w->stacks);
#ifdef LEAT_TSAN
      __tsan_destroy_fiber(w->idle->tsan_fiber);
#endif
      leat_i_stack_put(NULL, w->idle);
      leat_i_workers_forget();
    }
  }
  for (struct worker *w = load_acquire(&s->all), *after; w; w = after) {
    after = w->all_next;
    free(w);
  }
  store_seq(&s->all, NULL);
}

void leat_i_workers_forget(void) {
  leat_i_this_worker = NULL;
#ifdef __x86_64__
  leat_i_locks_as = 0;
#endif
}
