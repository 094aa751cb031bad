/* Goroutine stacks: fixed size, guarded, taken from large slabs, their memory touched only as it is used.
 *
 * A slot of a slab is, from low to high: the guard (16 KiB), the stack, and at its very top the goroutine's descriptor, so a parked
 * goroutine of modest depth costs one page in all. Slabs are mapped without reserving memory and without huge pages (one huge page would
 * make every stack 2 MiB), and are never unmapped while the process lives: an address once a descriptor stays readable.
 *
 * A late waker cannot exist by protocol, so no generations are needed: whoever may claim a goroutine (a channel's queue, a scope's member
 * list, a timer) holds it in a structure whose lock the goroutine takes to leave it before it ends (park.h).
 *
 * Free slots: each worker keeps a few, most recently used first (warm cache); the rest are in the class's list. The links are in a side
 * table of the slab, because trimming gives the slot's pages back to the system.
 *
 * Guards, best first: guard markers (MADV_GUARD_INSTALL, Linux 6.13: no split of the mapping, 1,000,000 of them measured at 4,096 bytes
 * resident and 128 of page table a stack); mprotect, until half of vm.max_map_count is used up; a pattern at the stack's low end that is
 * looked at whenever the goroutine gives up its thread. The kinds below the first are reported through the log hook. */
#pragma once
#include "fence.h"
#include "goroutine.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  STACK_GUARD = 16 * 1024,
  STACK_CLASSES = 16,      /* 16 KiB, 32 KiB, ... 512 MiB */
  STACK_SMALLEST = 16 * 1024,
#ifdef LEAT_HAPPENS
  STACK_CACHE = 0, /* see get_from_class */
#else
  STACK_CACHE = 64, /* free slots of the default class that a worker keeps */
#endif
};

/* An entry of the side table; guarded by the class's lock, but for the last two.
 *
 * A report looks at a live goroutine only after it has marked its slot, and who ends waits for the mark to go: its descriptor is written anew
 * soon. The two sides are Dekker's: the one stores looked_at and loads live, the other stores live and loads the slab's lookers, who have
 * announced themselves before they mark anything; the heavy fence (fence.h) is the report's, once a slab. (A compare-and-swap at each end was a
 * fifteenth of starting and joining.) */
struct slot {
  struct slot *next, *previous; /* in the free list; of a live goroutine, among the members of its scope: core/membership.h */
  uint32_t index;    /* in its slab's table */
  uint8_t guard;     /* enum guard_kind */
  _Atomic(bool) live;
  _Atomic(bool) looked_at; /* by a report */
};

struct slab {
  char *base;
  size_t stride, stack_size;
  uint32_t n;
  _Atomic(uint32_t) fresh; /* how many slots have ever been used */
  _Atomic(uint32_t) lookers; /* reports that may mark slots */
  int class;
  struct slot slots[];
};

struct stack_cache {
  int n;
  struct goroutine *slots[STACK_CACHE > 0 ? STACK_CACHE : 1];
};

/* Once per runtime start. */
void leat_i_stacks_init(size_t default_size, int best_guard);

extern int leat_i_default_stack_class;
/* AddressSanitizer or Valgrind is told between which two goroutines nobody may use a stack; the next finds it uninitialised. */
extern bool leat_i_stacks_are_watched;
void leat_i_stack_open(struct goroutine *g);
void leat_i_stack_shut(struct goroutine *g);

/* A slot whose stack has at least `size` bytes (0: the default). Answers its descriptor, of which only what tells of the stack is set, the rest
 * is as the last one left it; NULL when memory, address space or commit ran out. The cache may be NULL. Two forms: inline for the usual case. */
struct goroutine *leat_i_stack_get(struct stack_cache *cache, size_t size);
void leat_i_stack_put(struct stack_cache *cache, struct goroutine *g);
#ifdef LEAT_DEBUG
void leat_i_stack_check(const struct goroutine *g); /* what its descriptor tells of a stack that nobody has */
#else
static inline void leat_i_stack_check(const struct goroutine *g) { (void)g; }
#endif
static inline struct goroutine *stack_from_cache(struct stack_cache *cache) {
  struct goroutine *g = cache->slots[--cache->n];
  leat_i_stack_check(g);
  if (unlikely(leat_i_stacks_are_watched)) leat_i_stack_open(g);
  return g;
}
static inline struct goroutine *stack_get(struct stack_cache *cache, size_t size) {
  return likely(!size && cache && cache->n) ? stack_from_cache(cache) : leat_i_stack_get(cache, size);
}
static inline void stack_put(struct stack_cache *cache, struct goroutine *g) {
  if (likely(STACK_CACHE > 0 && cache->n < STACK_CACHE && g->stack_class == leat_i_default_stack_class && !leat_i_stacks_are_watched)) cache->slots[cache->n++] = g;
  else leat_i_stack_put(cache, g);
}
/* Gives a worker's cache back to the list, when the worker ends. */
void leat_i_stack_cache_flush(struct stack_cache *cache);

/* Gives the pages of stacks that have been free since the last call back to the system, a bounded number a call;
 * answers whether there were any. Called by the watcher. */
bool leat_i_stacks_trim(void);

void leat_i_stack_await_looker(const struct slot *slot);
/* From the first to the second a slot's goroutine is found by the functions below; both after its descriptor is complete. */
static inline void stack_live(struct goroutine *g) { store_release(&g->slot->live, true); }
static inline void stack_not_live(struct goroutine *g) {
  store_release(&g->slot->live, false);
  fence_light();
  if (unlikely(load_acquire(&g->slab->lookers))) leat_i_stack_await_looker(g->slot);
}

/* The descriptor of who has the slot. Does not touch it. */
struct goroutine *leat_i_stack_descriptor(struct slot *slot);

struct stack_counts {
  uint64_t slabs, mapped;      /* mapped: bytes of address space */
  uint64_t slots, dirty, clean; /* slots ever used; of these in the lists, and of those with no memory */
};
void leat_i_stacks_count(struct stack_counts *sum);

/* False if the pattern at the low end of a stack without a hardware guard is destroyed. */
bool leat_i_stack_intact(const struct goroutine *g);
extern _Atomic(bool) leat_i_stacks_have_canaries; /* any such stack exists */

/* The live goroutine whose guard (or stack) holds the address, or NULL. Async-signal-safe. */
struct goroutine *leat_i_stack_find(const void *address, bool *in_guard);

/* Calls visit for the memory of every slab: stacks in use and free, and guards. */
void leat_i_stacks_each_slab(void (*visit)(char *low, char *high, void *environment), void *environment);
/* Calls visit for the next live goroutine, which does not end while it is looked at; false, and no call, when there is none left: it has to be
 * called until then. */
struct stack_cursor {
  uint32_t slab, slot;
};
bool leat_i_stacks_next(struct stack_cursor *at, void (*visit)(struct goroutine *g, void *environment), void *environment);
/* For this one, if it is live, or whoever has its slot now. */
void leat_i_stacks_look(struct goroutine *g, void (*visit)(struct goroutine *g, void *environment), void *environment);
/* For every one. */
void leat_i_stacks_each(void (*visit)(struct goroutine *g, void *environment), void *environment);
