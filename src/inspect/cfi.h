/* Call frame information: from the registers of a frame to those of its caller, by the tables that compilers write for exceptions and
 * debuggers (DWARF CFI in .eh_frame, found through .eh_frame_hdr by a binary search). x86-64 and aarch64; dynamic and static programs.
 *
 * A step reads the stack only within the bounds that the frame carries, so it is safe on a stack that changes meanwhile; what it then
 * answers is worthless, and for the caller to throw away. It takes no lock and no memory, and can be used in a signal handler (where libc
 * has no _dl_find_object, before glibc 2.35, that is true only for code addresses that have been met before).
 *
 * Speed: what the tables say about an address is kept, in a form that one step needs some nanoseconds for, in a table of seqlocked entries,
 * one cache line each. Rules that need an expression (signal frames, realigned stacks) are not kept.
 *
 * Rejected: libgcc's unwinder (only for the calling thread, on its live stack; takes several times as long), libunwind (a dependency),
 * frame pointers (the code of users has none). Code without tables is passed by its frame pointer if that looks like one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* DWARF's numbers of registers. */
#if defined(__x86_64__)
enum { REGISTERS = 17, REGISTER_FP = 6, REGISTER_SP = 7, REGISTER_RA = 16 };
#elif defined(__aarch64__)
enum { REGISTERS = 33, REGISTER_FP = 29, REGISTER_SP = 31, REGISTER_RA = 30 };
#endif

struct frame {
  uintptr_t pc, r[REGISTERS];
  uint64_t known; /* a bit for each register whose value in this frame is known */
  bool exact;     /* pc is the next instruction of an interrupted function; else a return address, and the call lies before it */
  uintptr_t low, high; /* the part of memory that may be read: the stack in use */
};

enum step { STEP_NONE, STEP_CALLER, STEP_INTERRUPTED /* the frame was a signal's: its caller was interrupted, maybe on another stack */ };

/* Makes the frame its caller's. STEP_NONE, with the frame in no defined state, at the end of the stack or where the tables know no more. */
enum step leat_i_cfi_step(struct frame *f);

/* The first instruction of the function (or of the part of it) that holds the address; 0 if no table knows it. */
uintptr_t leat_i_cfi_function(uintptr_t address);

/* Forgets what was kept if a library has been unloaded since: its addresses may be another's now. Not in a signal handler. */
void leat_i_cfi_refresh(void);

/* The word at an address; not seen by sanitizers, since it may belong to a stack in use elsewhere. */
static inline uintptr_t peek(uintptr_t address) {
  uintptr_t value;
#if defined(__x86_64__)
  __asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(address));
#else
  __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address));
#endif
  return value;
}
