/* The context switch: an ordinary function that saves what the ABI says a callee preserves, and returns on another stack.
 *
 * Out of line on purpose. An inlined, jump-based switch wins tenfold in a loop of switches, but through an API with differing call sites
 * the two measured alike (18 against 20 ns), and its clobber list breaks when the compiler uses registers it does not name (AVX-512).
 * The floating-point control words (MXCSR, x87 CW, FPCR) are not switched: a goroutine that changes them sets them back before it
 * blocks. No shadow stacks (CET SHSTK): not marked as supported. */
#pragma once
#include <stdint.h>
#include <string.h>

/* Saves the caller's context, its stack pointer in *save, and continues the context whose stack pointer is `to`. There lie these registers
 * (in DWARF's numbers, the return address last), a word each; the caller's frame begins SAVED_SIZE above. */
#if defined(__x86_64__)
#define SAVED_REGISTERS 15, 14, 13, 12, 3, 6, 16
enum { SAVED_SIZE = 56, FIRST_ARGUMENT_AT = 4, FIRST_RETURN_AT = 6, FIRST_WORDS = 9 /* with a pad: rsp is 16-byte aligned at the entry's call */ };
#else
#define SAVED_REGISTERS 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
enum { SAVED_SIZE = 160, FIRST_ARGUMENT_AT = 0, FIRST_RETURN_AT = 11, FIRST_WORDS = 20 };
#endif
void leat_i_switch(void **save, void *to);
/* The same, without returns that the processor predicts wrong every time (10 ns each): to a context that is prepared and has not run; and from
 * one that is given up. */
void leat_i_switch_first(void **save, void *to);
_Noreturn void leat_i_switch_away(void *to);

/* Saves the caller's context in the same way, calls fn(argument), and returns: for threads, whose kernel switches for them. */
void leat_i_switch_hold(void **save, void (*fn)(void *), void *argument);

/* Prepares a context on the empty stack that ends at top (16-byte aligned): continued, it calls leat_i_goroutine_main(argument), which
 * must not return. Answers the stack pointer to continue. */
void leat_i_switch_entry(void); /* where that begins; not to be called */
static inline void *switch_prepare(void *top, void *argument) {
  void **sp = (void **)top - FIRST_WORDS;
  memset(sp, 0, FIRST_WORDS * sizeof *sp);
  sp[FIRST_ARGUMENT_AT] = argument;
  sp[FIRST_RETURN_AT] = (void *)(uintptr_t)leat_i_switch_entry;
  return sp;
}
