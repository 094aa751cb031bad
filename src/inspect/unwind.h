/* Stack traces: of the caller, of what a signal interrupted, of a parked goroutine.
 *
 * What is answered are return addresses, innermost first: an address lies behind the call, and who looks for its function or line looks at
 * the byte before. Of an instruction that a signal interrupted, the address plus one is given, so that this rule holds for all.
 *
 * A parked goroutine is unwound where it lies, from the registers that leat_i_switch has saved, while it may be woken at any moment: reads
 * are bounded by its stack, which stays mapped, and afterwards the goroutine must be found still in the same park (its wait word, and the
 * time stamp that each park makes new: scheduler.h), or all is thrown away and tried again. No copy of the stack is made: it would need
 * a buffer as large as the stack is deep, and a second pass over it; a warm trace takes no longer than copying a kilobyte or two.
 * Rejected: running an unwinder on the goroutine's own stack, for which it would have to be stopped. */
#pragma once
#include "../runtime/goroutine.h"

/* The caller's; skip = 0: from the function that calls this on. Answers how many. Async-signal-safe. */
int leat_i_unwind_here(uintptr_t *pcs, int max, int skip);
/* From the ucontext_t that a signal handler was given. Async-signal-safe. */
int leat_i_unwind_context(const void *context, uintptr_t *pcs, int max);
/* From any thread: that of a goroutine, or plain thread inside leat, that is parked, or of a goroutine that waits for its turn to run. 0 if
 * it runs, has not run yet, or was never found at rest. The caller sees to it that it does not end meanwhile (leat_i_stacks_each,
 * leat_i_foreign_each). */
int leat_i_unwind_goroutine(struct goroutine *g, uintptr_t *pcs, int max);
