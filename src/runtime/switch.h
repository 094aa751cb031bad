/* The context switch: an ordinary function that saves what the ABI says a callee preserves, and returns on another stack.
 *
 * Out of line on purpose. An inlined, jump-based switch wins tenfold in a loop of switches, but through an API with differing call sites
 * the two measured alike (18 against 20 ns), and its clobber list breaks when the compiler uses registers it does not name (AVX-512).
 * The floating-point control words (MXCSR, x87 CW, FPCR) are not switched: a goroutine that changes them sets them back before it
 * blocks. No shadow stacks (CET SHSTK): not marked as supported. */
#pragma once

/* Saves the caller's context, its stack pointer in *save, and continues the context whose stack pointer is `to`. There lie these registers
 * (in DWARF's numbers, the return address last), a word each; the caller's frame begins SAVED_SIZE above. */
#if defined(__x86_64__)
#define SAVED_REGISTERS 15, 14, 13, 12, 3, 6, 16
enum { SAVED_SIZE = 56 };
#else
#define SAVED_REGISTERS 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
enum { SAVED_SIZE = 160 };
#endif
void leat_i_switch(void **save, void *to);

/* Saves the caller's context in the same way, calls fn(argument), and returns: for threads, whose kernel switches for them. */
void leat_i_switch_hold(void **save, void (*fn)(void *), void *argument);

/* Prepares a context on the empty stack that ends at top (16-byte aligned): continued, it calls leat_i_goroutine_main(argument), which
 * must not return. Answers the stack pointer to continue. */
void *leat_i_switch_prepare(void *top, void *argument);
void leat_i_switch_entry(void); /* where that begins; not to be called */
