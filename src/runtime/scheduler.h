/* The scheduler: goroutines on workers, M:N, with work stealing.
 *
 * Terms. A worker is a thread with its run queue, for life. `workers` of them may run goroutines at the same time: each such worker
 * holds a token. A worker whose goroutine has been computing or blocked in the kernel for long loses its token to a spare one; when it
 * comes back and no token is free, it hands on what it has and parks.
 *
 * Where a runnable goroutine waits: the next-slot of a worker (the one woken last: it runs next and inherits the rest of the slice), a
 * worker's ring (256, stealable), the shared queue (overflow, wakes from plain threads, goroutines that used up their slice), or its
 * home worker's inbox (pinned goroutines).
 *
 * Blocking, the whole protocol. A goroutine that wants to wait
 *   1. puts entries where wakers will find it (a queue, a member list, a timer), under their locks, and calls leat_i_park;
 *   2. the worker switches away from its stack, then on the next stack: wait := WAITING (seq), looks whether its scope was cancelled or
 *      its timer has fired meanwhile (if so it tries to claim the goroutine itself), and releases the locks of 1.
 * A waker claims: wait: WAITING -> CLAIMED (seq). Exactly one wins; it writes wake_status and calls leat_i_ready. The two loads after the
 * two stores (wait against status or timed_out) make it impossible that both sides miss each other. No waker ever spins for a sleeper to
 * leave its stack: those who find it through a lock get the lock after step 2, the others find it not yet WAITING and leave their mark.
 *   3. When it goes on, it removes, under the same locks, what entries are left. A waker therefore never touches a goroutine that has
 *      ended: to end, it must have passed each lock through which it could be found.
 *
 * Publishing work. ready: queue store, full barrier, load of the idle state; an idle worker: publishes itself idle, full barrier, looks at
 * all queues again, sleeps. The watcher looks again every few milliseconds, for goroutines in a next-slot whose worker does not yield. */
#pragma once
#include "goroutine.h"
#include "stack.h"
#include "timer.h"
#include <pthread.h>

enum { RING_SIZE = 256, SLICE = 512 };
enum { WAIT_MASKED_FLOOR = 0x3fffffff }; /* the shield floor of a wait that no cancellation reaches */

enum wake { ASLEEP, WOKEN, WOKEN_TO_POLL };
enum after { AFTER_NOTHING, AFTER_PARK, AFTER_YIELD, AFTER_RELEASE, AFTER_EXIT };

struct worker {
  /* Confined to the worker's thread. */
  struct goroutine *current;
  struct goroutine *after_goroutine; /* who just left, and what is to be done with it */
  enum after after;
  int32_t budget; /* operations left in the slice */
  bool spinning;
  int64_t deferred_since; /* when the deferred wake below was first looked at */
  uint64_t next_id, last_id;
  struct stack_cache stacks;
  struct goroutine *idle; /* the context that looks for work: the thread's own stack, or a slot for the main thread's worker */
  struct goroutine idle_storage;
  void *signal_stack;

  /* Shared. */
  _Alignas(64) _Atomic(struct goroutine *) next;
  _Atomic(uint32_t) head; /* of the ring: moved by compare-and-swap, by the owner too */
  _Atomic(uint32_t) tail; /* stored by the owner only */
  _Atomic(uint32_t) ticks; /* counts scheduling decisions: the watcher sees by it who is stuck */
  _Atomic(bool) has_token;
  _Atomic(bool) deferred; /* something lies in the next-slot and nobody was woken for it */
  _Atomic(uint32_t) wake; /* the futex it sleeps on: an enum wake */
  _Atomic(struct goroutine *) inbox; /* goroutines whose home this is, linked by link */
  _Atomic(struct goroutine *) ring[RING_SIZE];

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
  pthread_t thread;
  struct worker *all_next; /* all workers; grows only, while the runtime runs */
};

struct sched {
  struct lock lock;
  struct goroutine *queue_head, *queue_tail; /* the shared queue */
  _Atomic(uint32_t) queue_n;
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
  _Atomic(uint64_t) n_live;       /* goroutines */
};
extern struct sched leat_i_sched;

/* The calling thread's worker, or NULL. Never inlined: a compiler caches the address of a thread-local across a switch. */
struct worker *leat_i_worker(void);
/* The calling goroutine; attaches a plain thread on its first call. */
struct goroutine *leat_i_self(void);

struct park {
  enum wait_reason reason;
  const void *object;      /* what it waits for, for reports */
  void (*unlock)(void *);  /* called when it has left its stack; may be NULL */
  void *unlock_arg;
  int64_t deadline;        /* LEAT_NEVER */
  bool masked;             /* cancellation does not reach this wait (joins) */
};
/* Answers the claimer's status, LEAT_DEADLINE if the deadline claimed, the scope's status if cancellation did, LEAT_NOMEM if the timer
 * could not be set (then the locks have been released, and it has not waited). */
int leat_i_park(struct goroutine *self, const struct park *p);

/* True for exactly one caller per wait. */
static inline bool leat_i_claim(struct goroutine *g, int status) {
  uint32_t word = load_seq(&g->wait);
  if ((word & 3) != STATE_WAITING || !cas_seq(&g->wait, &word, (word & ~UINT32_C(3)) | STATE_CLAIMED)) return false;
  g->wake_status = status;
  return true;
}

/* Makes a goroutine that the caller has claimed, or just made, runnable. */
void leat_i_ready(struct goroutine *g);
/* The same for a list linked by link, in its order. */
void leat_i_ready_list(struct goroutine *list);

/* Gives up the thread; at the back of the queue. */
void leat_i_yield(struct goroutine *self);
/* Counts an operation that did not block; yields when the slice is used up. */
void leat_i_operation(struct goroutine *self);
/* Moves the goroutine to its home worker. */
void leat_i_go_home(struct goroutine *self, struct worker *home);
_Noreturn void leat_i_leave_for_good(struct goroutine *self);

/* For runtime.c and watcher.c. */
void leat_i_workers_init(int workers, int max_threads);
int leat_i_workers_start_one(void); /* LEAT_OK, LEAT_NOMEM; further ones start as they are needed */
struct worker *leat_i_worker_of_main(struct goroutine *main_goroutine); /* makes the calling thread a worker that runs it */
void leat_i_workers_stop(void);
int leat_i_start_pinned(struct goroutine *g); /* LEAT_OK, LEAT_NOMEM */
void leat_i_wake_worker(void);
bool leat_i_work_waits(void);
bool leat_i_take_token_from(struct worker *w); /* the watcher's: w is stuck */
void leat_i_hand_on(struct worker *w);         /* what waits at a worker without a token, to the shared queue */
void leat_i_give_up_token(struct worker *w);   /* its own, before a blocking call */
void leat_i_regain_token(struct goroutine *self);
void leat_i_workers_forget(void); /* in the child of a fork */
void leat_i_context_arrive(void); /* the first thing a new goroutine does */
void leat_i_work_loop(struct worker *w);
