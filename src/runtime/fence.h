/* Asymmetric fences, for two sides that each write one word and then read the other's (Dekker), where one side does so all the time and the
 * other hardly ever. A full fence on both costs the frequent side as much as an atomic exchange, 6 ns, at each switch of goroutines. Here the
 * rare side's fence makes the kernel run one on every thread of the process (membarrier), so the frequent side's need only hold the compiler
 * back. The rare side pays 0.1 us, or 2 us while another thread runs.
 *
 * Where the kernel has no membarrier (before 4.14, in some sandboxes, under qemu-user), both are full fences.
 *
 * The idea: Linux' sys_membarrier and its use in liburcu (Mathieu Desnoyers). */
#pragma once
#include "atomics.h"
#include <stdbool.h>

extern _Atomic(bool) leat_i_fences_are_asymmetric; /* set before there are two sides, and for good */
void leat_i_fences_init(void);

static inline void fence_light(void) {
  if (likely(load_relaxed(&leat_i_fences_are_asymmetric))) atomic_signal_fence(memory_order_seq_cst);
  else atomic_thread_fence(memory_order_seq_cst);
}
void leat_i_fence_heavy(void);
