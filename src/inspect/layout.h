/* Where things lie, for a debugger: tools/leat-gdb.py finds goroutines in a process, or in a core file, by this table alone, so it needs no
 * debug information of the library, only the symbol leat_i_layout (which a stripped shared library keeps, being exported; a stripped
 * static program does not).
 *
 * Lists of names and values, each in the file that knows them; one begins at leat_i_layout, and "more" leads to the next. Offsets are called
 * struct.member, sizes struct.size, addresses of variables by their names. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct layout_entry {
  const char *name; /* NULL ends the list */
  uintptr_t value;
};
extern const struct layout_entry leat_i_layout[] __attribute__((visibility("default")));
extern const struct layout_entry leat_i_layout_of_stacks[], leat_i_layout_of_runtime[];

#define LAYOUT_OFFSET(type, member) {#type "." #member, offsetof(struct type, member)}
#define LAYOUT_SIZE(type) {#type ".size", sizeof(struct type)}
