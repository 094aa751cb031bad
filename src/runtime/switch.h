/* The context switch: an ordinary function that saves what the ABI says a callee preserves, and returns on another stack.
 *
 * Out of line on purpose. An inlined, jump-based switch wins tenfold in a loop of switches, but through an API with differing call sites
 * the two measured alike (18 against 20 ns), and its clobber list breaks when the compiler uses registers it does not name (AVX-512).
 * The floating-point control words (MXCSR, x87 CW, FPCR) are not switched: a goroutine that changes them sets them back before it
 * blocks. No shadow stacks (CET SHSTK): not marked as supported. */
#pragma once

/* Saves the caller's context, its stack pointer in *save, and continues the context whose stack pointer is `to`. */
void leat_i_switch(void **save, void *to);

/* Prepares a context on the empty stack that ends at top (16-byte aligned): continued, it calls leat_i_goroutine_main(argument), which
 * must not return. Answers the stack pointer to continue. */
void *leat_i_switch_prepare(void *top, void *argument);
