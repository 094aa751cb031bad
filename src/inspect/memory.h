/* The process's memory as the finders see it: which blocks there are, and which of them can be reached from where, conservatively (after
 * Boehm): every aligned word that has the value of an address in a block counts as a pointer to it, also to its middle.
 *
 * Blocks are what malloc gave out where that is glibc's: its chunks lie one behind the other, each with its size, so the whole heap is walked
 * once, and a walk that does not end exactly at the heap's end is not believed. AddressSanitizer and ThreadSanitizer say themselves which
 * block an address is in. Every other writable mapping (the program's own, another allocator's) is one block: coarse, but never wrong on the
 * side that matters, which is to call something unreachable.
 *
 * All reading goes through /proc/self/mem, which answers with an error where a mapping has just gone. What this needs itself it maps, and
 * does not take from the heap that it looks at. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MARK_LIVE = 1,   /* can be reached by somebody who can go on */
  MARK_STUCK = 2,  /* from those who cannot */
  MARK_MAYBE = 4,  /* perhaps: see finder.c */
  MARK_FREE = 8,   /* given back to malloc */
  MARK_OURS = 16,  /* leat's own: what it holds is no reference */
};

/* For static variables that are leat's bookkeeping: what they hold, or what they happen to hold (struct sigaction: libc leaves what the kernel
 * does not fill in as it was on its stack), is no reference of the program. */
#define LEAT_OWN __attribute__((__section__("leat_own")))

struct range {
  uintptr_t low, high;
};

/* Grows; mapped, not malloc'ed. */
struct list {
  void *items;
  size_t n, room; /* of items */
};
void *leat_i_list_add(struct list *l, size_t size); /* zeroed; NULL out of memory */
void leat_i_list_free(struct list *l, size_t size);

struct memory {
  struct list regions, blocks, parts, holes, data, work, found;
  uint32_t *found_table; /* blocks that a sanitizer told of, by hash */
  size_t found_room;
  uintptr_t lowest, highest; /* of all regions */
  bool complete;             /* all blocks are known, so that nothing can refer to one from a place that is not looked at */
  bool failed;               /* out of memory, or no /proc: nothing it says counts */
  bool unaligned;            /* from now on words count wherever they lie, and their 16 highest bits do not */
  int fd, pagemap;
  char *buffer;
  /* Called for a pointer into a range that was announced as a stack; what of it can be reached it says with leat_i_memory_push. */
  void (*into_stack)(void *environment, uintptr_t pointer, int mark);
  void *environment;
};

/* Looks at what there is. The struct is zeroed but for into_stack and environment. Then stacks, holes and parts are announced, then it is
 * sealed, and then it can be asked. */
void leat_i_memory_open(struct memory *m);
void leat_i_memory_stack(struct memory *m, uintptr_t low, uintptr_t high); /* is a stack, or part of one, and no block */
void leat_i_memory_hole(struct memory *m, uintptr_t low, uintptr_t high);  /* is leat's bookkeeping: skipped wherever it lies */
void leat_i_memory_seal(struct memory *m);
void leat_i_memory_close(struct memory *m);

/* After the seal. Of the block at `address` only these ranges count (two, each may be empty). */
void leat_i_memory_part(struct memory *m, uintptr_t address, struct range first, struct range second);

/* Copies what can be read; false unless all of it. */
bool leat_i_memory_read(struct memory *m, uintptr_t address, void *to, size_t size);

/* Marks all that can be reached from the words of a range, from a pointer, from the data segments of all modules, from every block that has
 * none of the marks `unless`. */
void leat_i_memory_scan(struct memory *m, uintptr_t low, uintptr_t high, int mark);
void leat_i_memory_reach(struct memory *m, uintptr_t pointer, int mark);
void leat_i_memory_scan_data(struct memory *m, int mark);
void leat_i_memory_scan_mappings(struct memory *m, int mark); /* all that are neither malloc's, nor data, nor announced */
void leat_i_memory_scan_rest(struct memory *m, int unless, int mark);
/* Once more the data, and what has one of the marks `of`, for words that are not aligned, as in packed structs, or tagged; from then on all is
 * read so. (With a sanitizer only the data.) */
void leat_i_memory_scan_unaligned(struct memory *m, int of, int mark);
/* Within into_stack: this range, too. */
void leat_i_memory_push(struct memory *m, uintptr_t low, uintptr_t high);

enum place { PLACE_NONE, PLACE_BLOCK, PLACE_DATA, PLACE_STACK };
enum place leat_i_memory_place(struct memory *m, uintptr_t address);
/* The marks of the block that holds the address; 0 if there is none. */
int leat_i_memory_marks(struct memory *m, uintptr_t address);
/* The mapping that holds the address. */
bool leat_i_memory_mapping(struct memory *m, uintptr_t address, struct range *mapping);
