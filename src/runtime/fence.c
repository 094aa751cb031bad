/* See fence.h. */
#define _GNU_SOURCE
#include "fence.h"
#include "report.h"
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REGISTER = 1 << 4, EXPEDITED = 1 << 3 }; /* linux/membarrier.h, which kernels before 4.3 lack */

_Atomic(bool) leat_i_fences_are_asymmetric;

static long membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

/* A forked child registers anew: it starts the runtime anew, and the first call may have been made before the fork. */
void leat_i_fences_init(void) { store_relaxed(&leat_i_fences_are_asymmetric, membarrier(REGISTER) == 0); }

void leat_i_fence_heavy(void) {
  atomic_thread_fence(memory_order_seq_cst);
  if (!load_relaxed(&leat_i_fences_are_asymmetric)) return;
  long failed;
  while ((failed = membarrier(EXPEDITED)) && errno == ENOMEM) sched_yield();
  if (failed)
    leat_i_die("membarrier(2) has worked before and fails now: a seccomp filter that forbids it must be set before leat starts");
}
