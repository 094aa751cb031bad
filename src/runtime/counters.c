/* See counters.h. */
#include "counters.h"
#include "nondet.h"
#include "worker.h"
#include <string.h>

static struct counters others; /* threads that are not workers */
static _Atomic(uint32_t) mode; /* STAMP_ALL, STAMP_COARSELY */

void leat_i_count(int which, uint64_t n) {
  struct worker *w = leat_i_worker();
  if (w) count_in(&w->counters, which, n);
  else atomic_fetch_add_explicit(&others.n[which], n, memory_order_relaxed);
}

uint64_t leat_i_counted(int which) {
  uint64_t sum = load_relaxed(&others.n[which]);
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) sum += load_relaxed(&w->counters.n[which]);
  return sum;
}

uint64_t leat_i_live_goroutines(void) {
  uint64_t ended = leat_i_counted(COUNT_ENDED); /* first, or there could be more ends than starts */
  return leat_i_counted(COUNT_STARTED) - ended;
}

void leat_i_counters_reset(void) {
  for (int i = 0; i < COUNTERS; i++) store_relaxed(&others.n[i], 0);
}

/* 0 to 3 one by one, then four to each power of two. */
int leat_i_bucket_of(int64_t ns) {
  if (ns < 4) return ns < 0 ? 0 : (int)ns;
  int octave = 63 - __builtin_clzll((uint64_t)ns), bucket = (octave - 1) * 4 + (int)((uint64_t)ns >> (octave - 2) & 3);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

int64_t leat_i_bucket_end(int bucket) {
  bucket++;
  if (bucket >= BUCKETS) return INT64_MAX;
  return bucket < 4 ? bucket : (int64_t)(4 + bucket % 4) << (bucket / 4 - 1);
}

static void note(struct histogram *h, int64_t ns) {
  _Atomic(uint64_t) *bucket = &h->buckets[leat_i_bucket_of(ns)];
  store_relaxed(bucket, load_relaxed(bucket) + 1);
  store_relaxed(&h->sum, load_relaxed(&h->sum) + (uint64_t)(ns < 0 ? 0 : ns));
}

/* The lowest bit tells an exact stamp. */
void leat_i_stamp(struct worker *w, struct goroutine *g) {
  uint32_t how = w ? load_relaxed(&w->stamp) : load_relaxed(&mode);
  if (how & (STAMP_ONE | STAMP_ALL)) {
    if (w) store_relaxed(&w->stamp, how & ~(uint32_t)STAMP_ONE);
    store_relaxed(&g->runnable_since, leat_i_nondet_clock() | 1);
  } else if (how) { /* a plain thread may be the only one that is awake, and the coarse clock old */
    store_relaxed(&g->runnable_since, (w ? load_relaxed(&leat_i_coarse_clock) : leat_i_nondet_clock()) & ~INT64_C(1));
  }
}

void leat_i_stamp_off(struct worker *w, struct goroutine *g) {
  int64_t since = load_relaxed(&g->runnable_since);
  store_relaxed(&g->runnable_since, 0);
  if (!(since & 1)) return;
  w->slice_start = leat_i_nondet_clock();
  note(&w->counters.latency, w->slice_start - since);
}

void leat_i_slice_ends(struct worker *w) {
  note(&w->counters.slice, leat_i_nondet_clock() - w->slice_start);
  w->slice_start = 0;
}

static void spread(uint32_t how) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) store_relaxed(&w->stamp, how);
}

void leat_i_ask_for_samples(void) { spread(load_relaxed(&mode) | STAMP_ONE); }

uint32_t leat_i_stamps(void) { return load_relaxed(&mode); }

void leat_i_stamps_set(enum stamp_mode which, bool on) {
  if (on) atomic_fetch_or(&mode, (uint32_t)which);
  else atomic_fetch_and(&mode, ~(uint32_t)which);
  spread(load_relaxed(&mode));
}
