/* A spin lock for sections of some tens of nanoseconds: one compare-and-swap to take, one store to release (a futex mutex needs a second
 * read-modify-write to know whether anyone sleeps). A holder may be descheduled by the kernel, so after a short spin waiters give up
 * their thread's turn. Never held while calling user code; may be held across a goroutine switch, where the scheduler releases it after
 * the goroutine has left its stack (park.h).
 *
 * Lock order: scope (parent before child) -> the channel of leat_done; channel (several: by address) -> nothing; descriptor -> nothing; task -> nothing;
 * scheduler, timer shard, slab list: leaves, never together. */
#pragma once
#include "atomics.h"
#include <sched.h>
#include <stdint.h>

struct lock {
  _Atomic(uint32_t) taken;
};

static inline _Bool lock_try(struct lock *l) {
  uint32_t expected = 0;
  return atomic_compare_exchange_strong_explicit(&l->taken, &expected, 1, memory_order_acquire, memory_order_relaxed);
}

static __attribute__((noinline, unused)) void lock_wait(struct lock *l) {
  for (int spins = 0;; spins++) {
    if (!load_relaxed(&l->taken) && lock_try(l)) return;
    if (spins < 100) cpu_relax();
    else sched_yield();
  }
}

static inline void lock_take(struct lock *l) {
  if (unlikely(!lock_try(l))) lock_wait(l);
}

static inline void lock_drop(struct lock *l) { store_release(&l->taken, 0); }
