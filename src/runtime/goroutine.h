/* The goroutine's descriptor. It lies at the top of the goroutine's own stack; plain threads that use leat have one too (kind FOREIGN).
 *
 * The wait word is the heart of blocking (park.h): whoever changes it from WAITING to CLAIMED, and nobody else, may set wake_status
 * and woken_by and must then call leat_i_ready once. */
#pragma once
#include "ancestry.h"
#include "atomics.h"
#include "happens.h"
#include "lock.h"
#include "sanitize.h"
#include <leat/goroutine.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scope;
struct worker;
struct slab;
struct chan;
struct waiter;
struct server;
struct leat_i_cleanup;
struct leat_error;

enum goroutine_kind {
  KIND_GOROUTINE,
  KIND_MAIN,    /* the main goroutine of leat_i_run_main, on the main thread's stack */
  KIND_FOREIGN, /* a plain thread */
  KIND_IDLE,    /* a worker's own context, which looks for work */
};

/* STATE_ALONE comes with STATE_WAITING: but for cancels, only who holds the lock that it has parked with claims it. */
enum wait_state { STATE_RUNNING = 0, STATE_CLAIMED = 1, STATE_WAITING = 2, STATE_ALONE = 1 };
static inline _Bool is_waiting(uint32_t wait) { return wait & STATE_WAITING; }

enum wait_reason {
  WAIT_NOTHING,
  WAIT_SEND, WAIT_RECV, WAIT_SELECT, WAIT_NIL,
  WAIT_SLEEP,
  WAIT_SCOPE, WAIT_TASK,
  WAIT_READ, WAIT_WRITE,
  WAIT_MUTEX, WAIT_READ_LOCK, WAIT_WRITE_LOCK, WAIT_COND, WAIT_WAITGROUP, WAIT_ONCE, WAIT_POOL, WAIT_SEMAPHORE, WAIT_EVENT, WAIT_LIMITER,
  WAIT_WRITER, WAIT_WRITES, /* for it; of its own goroutine, for something to write */
  WAIT_REASONS, /* how many */
};

/* A share in a stage's output: see scope.h. */
struct hold {
  struct hold *next;
  struct chan *chan;
};

/* In the order in which memory is touched: by every switch two lines of the cache, by a start those behind them. What a start writes anew it
 * finds in few runs, which are zeroed with wide stores: see goroutine_new. */
struct goroutine {
  /* Zeroed at the start: the first line, */
  void *sp;               /* where it goes on; valid while it does not run */
  struct goroutine *link; /* in a run queue or a ready list */
  struct worker *home;    /* the only worker that may run it, or NULL */
  _Atomic(int64_t) runnable_since; /* a stamp: see counters.h; 0: none */
  _Atomic(int64_t) since; /* when it last left its thread, by the coarse clock; later at each time, so it numbers its rests: worker.h */
  struct waiter *woken_by;     /* by the claimer: which of its queue entries */
  _Atomic(uint32_t) wait;      /* an enum wait_state in the low bits, above them the shield floor: see scope.h */
  _Atomic(uint32_t) timed_out; /* set by the wait's timer before it claims */
  int wake_status;             /* by the claimer */
  uint8_t kind;
  _Atomic(uint8_t) reason;     /* written before it waits, read by others without a lock, hence atomic */
  _Atomic(bool) timed;         /* likewise: the wait ends by itself at a deadline */

  /* Set before each wait: to be done once it has left its stack; NULL: unlock_arg is a lock to be dropped. */
  void (*unlock)(void *);
  void *unlock_arg;
  struct scope *scope; /* the innermost one; the goroutine's own, set at the start */

  /* zeroed, too: of waits, */
  struct lock park_lock;       /* stands in for waits that have no lock */
  _Atomic(uint32_t) foreign_awake;
  _Atomic(const void *) waits_for; /* for reports */
  /* and owned by the goroutine itself, */
  struct leat_i_cleanup *cleanups; /* scopes and defers, innermost first */
  uint32_t shield_floor; /* cancellation of scopes less deep than this does not reach it */
  uint16_t ignored;      /* cancelled answers in a row */
  bool fenced;           /* there has been a full fence since its thread last put into a channel or took from one: see chan_may_recv */
  bool unlisted;         /* its scope does not list it yet: see core/membership.h; set at the start */

  /* Set at the start. */
  union {
    struct {
      uint64_t id;
      const char *function; /* of a goroutine or the main one */
      const char *birthplace;
      struct ancestor ancestors[ANCESTORS]; /* the one that started it first */
    };
    struct ancestor lineage[1 + ANCESTORS]; /* the same: itself, then its ancestors */
  };

  /* Zeroed, too: owned by the goroutine itself, */
  struct server *server; /* while it runs a stage that is measured: see core/gauge.h */
  bool panicking, deferring; /* the latter: a deferred call is under way */
  bool stage; /* it runs a stage's functions: see the users of a channel in scope.h */
  int range_status, select_status;
  int status; /* its end's */
  struct hold *holds;
  struct leat_error *error;        /* why it fails, or NULL; owned */
  struct leat_error *last_failure; /* of a scope that it has left after a leat_wait, which it may answer with; owned */
  struct start_stacks *start_stacks; /* or NULL; owned */
  struct goroutine *foreign_next; /* and of a plain thread guarded by the runtime's lock */

  /* Set at the start. */
  struct scope *base; /* the scope it was started in */
  const struct leat_i_fn *fn;
  void *args; /* of the main goroutine: its first frame, above which libc's begin, and thread-local variables */
  struct leat_task *task;
  struct leat_waitgroup *waitgroup; /* to be counted back at its end, or NULL */
  const char *name;
  uint32_t epoch; /* see inspect/leak.h */
  bool service;

  /* Its stack: set when the slot is first used, or was trimmed, and the same for all that live there. */
  bool canary;
  uint8_t stack_class;
  struct slab *slab;
  union {
    struct slot *slot;
    int thread_id; /* of a plain thread: the kernel's number */
  };
  char *stack_low, *stack_high;
#ifdef LEAT_ASAN
  void *asan_fake_stack;
#endif
#ifdef LEAT_TSAN
  void *tsan_fiber;
#endif
};

/* With what it locks a mutex: see core/mutex.c. */
static inline uint64_t locks_as(const struct goroutine *g) { return g->id << 3 | 1; }

/* What a starter hands over. */
struct goroutine_start {
  struct scope *scope;
  const struct leat_i_fn *fn;
  const void *args;
  const char *birthplace;
  const struct goroutine *starter; /* or NULL */
  const leat_go_options *options;
  struct leat_task *task;
};

#ifdef LEAT_HAPPENS
/* In the place of one that is parked and claimed by the caller. The clock of a plain thread cannot be used by another: there the caller
 * stands between, which is an edge too many. */
static inline void happens_anew_for(struct goroutine *g, const void *address) {
  void *own = __tsan_get_current_fiber();
  if (g->kind == KIND_FOREIGN) happens_after(g);
  else __tsan_switch_to_fiber(g->tsan_fiber, TSAN_SWITCH);
  happens_anew(address);
  if (g->kind != KIND_FOREIGN) __tsan_switch_to_fiber(own, TSAN_SWITCH);
}
static inline void happens_after_for(struct goroutine *g, const void *address) {
  void *own = __tsan_get_current_fiber();
  if (g->kind != KIND_FOREIGN) __tsan_switch_to_fiber(g->tsan_fiber, TSAN_SWITCH);
  happens_after(address);
  if (g->kind == KIND_FOREIGN) happens_before(g);
  else __tsan_switch_to_fiber(own, TSAN_SWITCH);
}
#else
#define happens_anew_for(goroutine, address) ((void)0)
#define happens_after_for(goroutine, address) ((void)0)
#endif

/* A new goroutine, not yet runnable; NULL out of memory. The caller adds it to its scope and then calls leat_i_ready. */
struct goroutine *leat_i_goroutine_new(const struct goroutine_start *start);
/* Undoes it, for one that was never made runnable. */
void leat_i_goroutine_discard(struct goroutine *g);
/* The first function on each stack. */
_Noreturn void leat_i_goroutine_main(struct goroutine *g);
/* Ends the calling goroutine: it leaves its scope and its stack. */
_Noreturn void leat_i_goroutine_exit(struct goroutine *self, int status);

const char *leat_i_wait_text(enum wait_reason reason);
uint64_t leat_i_goroutine_new_id(void);
