/* A spin lock for sections of some tens of nanoseconds: one compare-and-swap to take, one store to release (a futex mutex needs a second
 * read-modify-write to know whether anyone sleeps). Who finds it taken looks again after twice as many pauses each time: meanwhile the other
 * core has the lock, and what it guards, in its cache, and is through with some operations instead of one. A holder may be descheduled by the kernel, so after a while waiters give up their
 * thread's turn. Never held while calling user code; may be held across a goroutine switch, where the scheduler releases it after
 * the goroutine has left its stack (park.h).
 *
 * Lock order: scope (parent before child) -> the channel of leat_done; channel (several: by address; or a section, reserved.h, with which nothing but leaves are waited for) -> nothing; each -> a scope's members_lock, a leaf; descriptor -> nothing; task -> nothing;
 * figures' -> channel; scheduler, timer shard, slab list: leaves, never together. */
#pragma once
#include "atomics.h"
#include <sched.h>
#include <stdint.h>

enum { FIRST_PAUSES = 32, MOST_PAUSES = 64, PAUSES_BEFORE_YIELD = 200 };

/* For who has found another CPU at a word: stays away from it for a moment, twice as long each time. Also after a compare-and-swap that failed for that
 * (two CPUs that count in one word: 50 against 110 ns where they try again at once). */
static inline void back_off(int *pauses) {
  for (int i = 0; i < *pauses; i++) cpu_relax();
  if (*pauses < MOST_PAUSES) *pauses *= 2;
}

struct lock {
  _Atomic(uint32_t) taken;
};

static inline _Bool lock_try(struct lock *l) {
  uint32_t expected = 0;
  return atomic_compare_exchange_strong_explicit(&l->taken, &expected, 1, memory_order_acquire, memory_order_relaxed);
}

static __attribute__((noinline, unused)) void lock_wait(struct lock *l) {
  for (int pauses = 1, spent = 0;;) {
    spent += pauses;
    back_off(&pauses);
    if (!load_relaxed(&l->taken) && lock_try(l)) return;
    if (spent > PAUSES_BEFORE_YIELD) sched_yield();
  }
}

static inline void lock_take(struct lock *l) {
  if (unlikely(!lock_try(l))) lock_wait(l);
}

static inline void lock_drop(struct lock *l) { store_release(&l->taken, 0); }
