/* Atomic operations named by their memory order, so that a reader sees at the call what is promised.
 *
 *   relaxed   the value only          acquire   pairs with a release: what came before it there is seen after this here
 *   seq       one total order of all seq operations; used where two sides each write one word and then read the other's (Dekker)
 *
 * Read-modify-writes without a suffix are acquire and release. */
#pragma once
#include <stdatomic.h>

#define load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define load_seq(p) atomic_load_explicit((p), memory_order_seq_cst)
#define store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define store_seq(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define exchange(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define exchange_seq(p, v) atomic_exchange_explicit((p), (v), memory_order_seq_cst)
#define cas(p, expected, v) atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acq_rel, memory_order_acquire)
#define cas_seq(p, expected, v) atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_seq_cst, memory_order_seq_cst)
#define add(p, v) atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define sub(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel)
#define add_seq(p, v) atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define sub_seq(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_seq_cst)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline void cpu_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}
