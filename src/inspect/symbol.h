/* Symbols: what a code address is called by a person. For reports only: the first look reads the debug information of the whole process
 * (tens of milliseconds where libc's is installed), and nothing is read before somebody looks. */
#pragma once
#include <stdint.h>
#include <stdio.h>

struct symbol {
  const char *function; /* NULL: unknown */
  const char *file;     /* NULL: unknown, then line is 0 */
  int line;
  const char *module;   /* the program or library that holds the address; NULL: none does */
  uintptr_t offset;     /* in the module, without the randomisation of addresses; with no module the address itself */
};

/* Calls `each` at least once: for the functions that were inlined at the instruction at pc, innermost first, then for the one that holds
 * it. What it is given lives until it returns, and it looks up nothing itself. Any thread; needs 32 KiB of stack: see leat_i_with_room. In
 * a signal handler at one's own risk: it takes the loader's lock. */
void leat_i_symbolize(uintptr_t pc, void (*each)(void *environment, const struct symbol *), void *environment);

/* "function (file.c:12)", "function (program+0x12)", "program+0x12" or "0x12" into the buffer, cut where it is too small. */
void leat_i_symbol_text(const struct symbol *s, char *buffer, size_t size);

/* A line a frame, inlined ones too: indent, "at ", text. pcs are return addresses, as unwinding gives them: what is looked up is the
 * instruction before each. Works on stacks of any size. */
void leat_i_print_frames(FILE *out, const char *indent, const uintptr_t *pcs, int n);

/* Calls fn where there is stack enough for the functions above: here, or on a thread of its own, for which it waits. Without memory for
 * that it calls fn here. */
void leat_i_with_room(void (*fn)(void *environment), void *environment);

/* pc relative to its module, and a number that tells the module by its name: the same in every run of the same program. */
uintptr_t leat_i_module_offset(uintptr_t pc, uint32_t *module);
