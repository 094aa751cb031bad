/* Workers: threads, each with its run queue, for life. The list of them only grows while the runtime runs.
 *
 * The first starts with the runtime, further ones when there is work for them, spare ones when a worker is stuck, up to max_threads. A pinned
 * goroutine has a worker that exists for it alone; the main thread is the worker of the main goroutine. */
#pragma once
#include "biased.h"
#include "counters.h"
#include "goroutine.h"
#include "runtime.h"
#include "stack.h"
#include <pthread.h>

enum {
  RING_SIZE = 256,
  MOST_STOLEN = RING_SIZE / 2,
  SLICE = 512,       /* operations */
  LOOK_OUTSIDE = 64, /* scheduling decisions between two looks at timers, descriptors and the shared queue */
};

enum deferred { DEFERRED_NEXT = 1, DEFERRED_RING = 2 };
enum wake { ASLEEP, WOKEN, WOKEN_TO_POLL };
enum after { AFTER_NOTHING, AFTER_START, AFTER_LONE_PARK, AFTER_PARK, AFTER_TIMED_PARK, AFTER_YIELD, AFTER_RELEASE, AFTER_EXIT };

/* What a worker has stolen, and may steal: see steal.h. */
enum { MOST_CAREFUL = -2, BOLDEST = 7 };
_Static_assert(1 << BOLDEST == MOST_STOLEN, "the boldest takes all it can");
struct haul {
  int boldness;  /* it may take 2^boldness at a time from who is at work; up to 0 it is careful: one, after 2^-boldness looks */
  uint32_t looks; /* since it took something */
  uint32_t n;    /* how many it took last, and has not weighed; or 0 */
  int64_t since; /* when */
  struct worker *victim; /* from whom */
  uint64_t lock_waits;   /* how often goroutines of both had waited for locks by then */
};

/* See section.h. */
struct section {
  _Alignas(64) struct lock in; /* the number of the section that its worker is in, or 0 */
  uint32_t last;               /* the latest number, but for the lowest bit, which is set */
};

struct worker {
  /* Confined to the worker's thread. */
  _Atomic(struct goroutine *) current;         /* stored by the owner only, as the next two: see leat_i_is_on_worker */
  _Atomic(struct goroutine *) after_goroutine; /* who just left, and what is to be done with it */
  _Atomic(uint8_t) after;                      /* an enum after */
  int32_t budget; /* operations left in the slice */
  bool spinning;
  uint32_t mark;           /* its index, and 1: not 0 */
  struct section *section; /* or NULL: it has none */
  int *errno_of_thread; /* libc declares its address constant, so a compiler would keep it across a switch: only through this */
  int64_t deferred_seen; /* when what is deferred was last looked at, 0: not yet; and for how long it has been */
  int64_t deferred_for;
  int64_t displaced_at;  /* when somebody was displaced from the next-slot, if that is to be looked at; or 0: see displace in park.c */
  uint8_t n_displaced, kept; /* since such a look; how often in a row, ENOUGH_KEPT at most, who was displaced ran here soon */
  uint64_t next_id, last_id;
  struct haul haul;
  struct stack_cache stacks;
  struct goroutine *idle; /* the context that looks for work: the thread's own stack, or a slot for the main thread's worker */
  struct goroutine idle_storage;
  void *signal_stack;
  int64_t slice_start; /* of a sampled slice; 0: none */

  /* Shared. */
  _Alignas(64) _Atomic(struct goroutine *) next; /* the next-slot: see run_queue.h, as for the three that follow */
  _Atomic(struct goroutine *) starters;
  struct biased at_next;
  _Atomic(uint32_t) head; /* of the ring: moved by compare-and-swap, by the owner too */
  _Atomic(uint32_t) tail; /* stored by the owner only */
  _Atomic(uint32_t) ticks; /* counts scheduling decisions: the watcher sees by it who is stuck */
  _Atomic(bool) has_token;
  _Atomic(uint32_t) stamp; /* bits of enum stamp_mode */
  _Atomic(bool) asked;    /* by the watcher: to give way, at the next operation or checkpoint */
  _Atomic(bool) in_blocking_call; /* leat_blocking */
  _Atomic(uint8_t) deferred; /* bits of enum deferred: what lies here and nobody was woken for */
  _Atomic(uint32_t) wake; /* the futex it sleeps on: an enum wake */
  _Atomic(struct goroutine *) inbox; /* goroutines whose home this is, linked by link */
  _Atomic(struct goroutine *) ring[RING_SIZE];
  _Atomic(int64_t) dry_since; /* when it last ran out of work; stored by the owner only */

  _Atomic(struct scope *) credit_of; /* see core/membership.h; stored by the owner only, as the next */
  _Atomic(uint32_t) credit;

  _Alignas(64) struct counters counters; /* written by its thread only */

  /* Guarded by the scheduler's lock. */
  struct worker *idle_next;
  bool listed_idle, polling;

  /* Fixed, or the watcher's. */
  _Atomic(struct goroutine *) pinned; /* this worker exists for it alone */
  bool is_main, joinable;
  _Atomic(bool) finished; /* a pinned worker: its goroutine has ended */
  _Atomic(uint32_t) gone; /* and its thread, which is detached: the struct can be used again */
  uint32_t seen_ticks;
  int64_t seen_since;
  uint32_t held_ticks;   /* for alarms: inspect/alarm.h */
  int64_t held_since;
  uint8_t held_level[2];
  _Atomic(char *) stack_low, stack_high; /* the thread's, for the finder, as the next one: valid while that is not NULL, */
  _Atomic(char *) stack_from; /* the thread's first frame, above which libc's begin, and thread-local variables; the main thread's is in its goroutine */
  _Atomic(uint32_t) alarm, alarm_ticks; /* kinds that are due, as bits; ticks at that time */
  _Atomic(int64_t) alarm_duration;
  pthread_t thread;
  _Atomic(int) thread_id; /* the kernel's; 0: it has none, or has ended */
  struct worker *all_next; /* all workers; grows only, while the runtime runs */
  uint32_t index;          /* counts from 0 in the order of their making; for what is kept by worker */
};

struct sched {
  struct lock lock;
  _Atomic(uint32_t) queue_n; /* in the shared queue: run_queue.c */
  struct worker *idle; /* parked workers that have no token */
  _Atomic(int) n_running;  /* tokens that are held */
  _Atomic(int) n_spinning;
  _Atomic(int) workers;    /* tokens there are */
  _Atomic(int) n_threads, n_parked;
  int max_threads;
  _Atomic(struct worker *) all;
  _Atomic(bool) stopping; /* set under the lock */
  _Atomic(int) n_starting; /* threads being started by a waker; grows only under the lock, and not once it stops */
  _Atomic(int64_t) polling_until; /* the time at which the worker that polls wakes by itself; 0: nobody polls */
};
extern struct sched leat_i_sched;

/* The clock as it was when last looked at: at most 10 ms ago while goroutines run. Set by the watcher and by workers that wake. */
extern _Atomic(int64_t) leat_i_coarse_clock;
void leat_i_coarse_clock_set(void);

static inline void note_rest(struct goroutine *g, int64_t now) {
  int64_t last = load_relaxed(&g->since);
  store_release(&g->since, now > last ? now : last + 1);
}

/* The worker on whose thread g runs, or is just being put down; or NULL. Any thread. Together with g->since it tells whether g was at rest
 * for a while: if it was on no worker before and after, and its `since`, looked at last, is the same, nobody has touched its stack in between. For a
 * goroutine is put down in this order: after_goroutine = g, current = another, registers saved, since = a later time, after = nothing. */
struct worker *leat_i_is_on_worker(const struct goroutine *g);

/* The calling thread's worker, or NULL. A compiler caches the address of a thread-local across a switch: read it through this only. Inline,
 * a lock needs no frame on the stack, which saves a fifth of its time. */
extern __thread struct worker *leat_i_this_worker __attribute__((tls_model("initial-exec"), visibility("hidden")));
#ifdef __x86_64__
static inline struct worker *leat_i_worker(void) {
  struct worker *w;
  __asm__ volatile("movq leat_i_this_worker@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(w) : : "memory");
  return w;
}
#else
struct worker *leat_i_worker(void);
#endif
#ifdef __x86_64__
/* locks_as of the calling goroutine, 0 on plain threads: leat/mutex.h reads it inline. */
extern __thread uint64_t leat_i_locks_as __attribute__((tls_model("initial-exec"), visibility("default")));
#endif
/* By the worker's thread, which is about to run g. */
static inline void set_current(struct worker *w, struct goroutine *g) {
  store_release(&w->current, g);
#ifdef __x86_64__
  leat_i_locks_as = locks_as(g);
#endif
}
/* The calling goroutine; attaches a plain thread on its first call. */
static inline struct goroutine *leat_i_self(void) {
  struct worker *w = leat_i_worker();
  return likely(w != NULL) ? load_relaxed(&w->current) : leat_i_foreign_self();
}

void leat_i_workers_init(int workers, int max_threads);
int leat_i_workers_start_one(void); /* LEAT_OK, LEAT_NOMEM; further ones start as they are needed */
int leat_i_start_worker(bool spinning); /* the same, for one whose token is counted already */
struct worker *leat_i_worker_of_main(struct goroutine *main_goroutine); /* makes the calling thread a worker that runs it */
int leat_i_start_pinned(struct goroutine *g); /* LEAT_OK, LEAT_NOMEM */
void leat_i_workers_stop(void);
void leat_i_workers_forget(void); /* in the child of a fork */
