/* What is counted while the scheduler works, and how long things take: read by leat_metrics_read (inspect/metrics.c).
 *
 * Each worker has counters of its own, which only its thread writes: a count is a load, an add and a store on a line that the worker owns
 * anyway, and nothing at all is shared until somebody reads and adds up. Threads that are not workers share one set, with read-modify-writes.
 *
 * Times need the clock, which costs as much as a switch does, so they are sampled: at each of its looks (1 to 10 ms apart while goroutines run)
 * the watcher asks every worker for one sample, and the next goroutine that becomes runnable there is stamped. A stamp is looked at, and taken
 * off, when the goroutine is switched to: that gives the latency of the run queue; the time until that goroutine leaves the thread gives a time
 * slice. What the hot path pays is one load and branch for each of the three places. A starvation alarm needs to know how long everything
 * waits: then every goroutine gets a stamp by the coarse clock, which costs a load and a store.
 * Rejected: sampling every nth, which costs a clock where much is going on and gives too few samples where little is. */
#pragma once
#include "atomics.h"
#include <stdbool.h>
#include <stdint.h>

struct goroutine;
struct worker;

enum { MOST_WAIT_REASONS = 32, BUCKETS = 168 };

enum counter {
  COUNT_STARTED, COUNT_ENDED,
  COUNT_NEXT_SLOT, COUNT_YIELDS, COUNT_PREEMPTED,
  COUNT_STEAL_ATTEMPTS, COUNT_STEALS, COUNT_STOLEN,
  COUNT_SHARED_PUSHED, COUNT_SHARED_POPPED,
  COUNT_TOKENS_TAKEN, COUNT_THREAD_WAKES, COUNT_THREAD_SLEEPS,
  COUNT_POLLS, COUNT_POLLED,
  COUNT_CONTENDED, /* channels' locks that another thread was at */
  COUNT_TIMEOUTS, COUNT_SCOPE_DEADLINES, COUNT_SCOPES_CANCELED, COUNT_CANCELED_ANSWERS,
  COUNT_PARKED,                                   /* by wait reason */
  COUNT_WOKEN = COUNT_PARKED + MOST_WAIT_REASONS, /* likewise; WAIT_NOTHING: new goroutines */
  COUNTERS = COUNT_WOKEN + MOST_WAIT_REASONS,
};

/* Log-linear: four buckets an octave. */
struct histogram {
  _Atomic(uint64_t) sum, buckets[BUCKETS];
};

struct counters {
  _Atomic(uint64_t) n[COUNTERS];
  struct histogram latency, slice;
};

/* On the worker's own thread. */
static inline void count_in(struct counters *c, int which, uint64_t n) { store_relaxed(&c->n[which], load_relaxed(&c->n[which]) + n); }
/* On any thread. */
void leat_i_count(int which, uint64_t n);
/* Over all workers and the other threads. */
uint64_t leat_i_counted(int which);
uint64_t leat_i_live_goroutines(void);
void leat_i_counters_reset(void);

/* The bucket of a time, and the least time above those of a bucket. */
int leat_i_bucket_of(int64_t ns);
int64_t leat_i_bucket_end(int bucket);

/* What a worker is to do with goroutines that become runnable (bits). */
enum stamp_mode { STAMP_ONE = 1, STAMP_ALL = 2, STAMP_COARSELY = 4 };

/* Before g is published in a queue; w is NULL on other threads. */
void leat_i_stamp(struct worker *w, struct goroutine *g);
/* A stamped goroutine is switched to; a sampled slice ends. */
void leat_i_stamp_off(struct worker *w, struct goroutine *g);
void leat_i_slice_ends(struct worker *w);
/* The watcher's, at each look. */
void leat_i_ask_for_samples(void);
/* For all goroutines from now on; STAMP_ALL, STAMP_COARSELY or none. */
void leat_i_stamps_set(enum stamp_mode which, bool on);
uint32_t leat_i_stamps(void);
