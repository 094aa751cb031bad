/* See stack.h. */
#define _GNU_SOURCE
#include "stack.h"
#include "../inspect/layout.h"
#include "happens.h"
#include "report.h"
#include "run_queue.h"
#include <errno.h>
#include <fcntl.h>
#include <leat/runtime.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
  MAX_SLABS = 1 << 16,
  FIRST_SLOTS = 64,
  MOST_SLOTS = 1024,
  TRIM_BATCH = 1 << 16,
  CANARY_WORDS = 8,
};
static const uint64_t CANARY = UINT64_C(0x5ca1ab1e0ddba11);

enum guard_kind { GUARD_NONE_YET, GUARD_MARKER, GUARD_PROTECTED, GUARD_CANARY };

struct stack_class {
  struct lock lock;
  struct slot *dirty, *clean;
  uint32_t n_clean, n_dirty, least_dirty; /* least since the last trim: that many have not been needed */
  struct slab *newest;
  uint32_t next_size;
  uint32_t n_fresh; /* slots ever used */
};

static struct stack_class classes[STACK_CLASSES];
/* Only ever appended to, so that a signal handler can read it without a lock. */
static _Atomic(struct slab *) slabs[MAX_SLABS];
static _Atomic(uint32_t) n_slabs;
int leat_i_default_stack_class;
static _Atomic(enum guard_kind) best_guard; /* only gets worse */
static _Atomic(int64_t) mprotect_budget;
bool leat_i_stacks_are_watched;
_Atomic(bool) leat_i_stacks_have_canaries;

static int class_of(size_t size) {
  int class = 0;
  while (class < STACK_CLASSES - 1 && ((size_t)STACK_SMALLEST << class) < size) class++;
  return ((size_t)STACK_SMALLEST << class) < size ? -1 : class;
}

static int64_t max_map_count(void) {
  char text[32] = "";
  int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 65530;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 ? strtoll(text, NULL, 10) : 65530;
}

void leat_i_stacks_init(size_t default_size, int guard) {
#ifdef LEAT_ASAN
  leat_i_stacks_are_watched = true;
#else
  leat_i_stacks_are_watched = RUNNING_ON_VALGRIND; /* asked once: a request costs 1.4 ns, also elsewhere */
#endif
  leat_i_default_stack_class = class_of(default_size);
  if (leat_i_default_stack_class < 0) leat_i_default_stack_class = STACK_CLASSES - 1;
  best_guard = guard == LEAT_GUARD_CANARY ? GUARD_CANARY : guard == LEAT_GUARD_MPROTECT ? GUARD_PROTECTED : GUARD_MARKER;
  static _Atomic(bool) once;
  if (!exchange(&once, true)) store_relaxed(&mprotect_budget, max_map_count() / 4); /* each splits one mapping into three */
}

/* Guards the slot's low end as well as can be. */
static enum guard_kind install_guard(char *low) {
  if (best_guard == GUARD_MARKER) {
    if (madvise(low, STACK_GUARD, MADV_GUARD_INSTALL) == 0) return GUARD_MARKER;
    if (errno == EAGAIN && madvise(low, STACK_GUARD, MADV_GUARD_INSTALL) == 0) return GUARD_MARKER;
    best_guard = GUARD_PROTECTED; /* an older kernel, or locked memory */
    leat_i_log("leat: this kernel has no guard markers (Linux 6.13); stacks are guarded by mprotect as far as vm.max_map_count allows");
  }
  if (best_guard == GUARD_PROTECTED) {
    if (sub(&mprotect_budget, 1) > 0 && mprotect(low, STACK_GUARD, PROT_NONE) == 0) return GUARD_PROTECTED;
    best_guard = GUARD_CANARY;
    leat_i_log("leat: no more guard pages can be had (vm.max_map_count); further stacks have a pattern at their end that is checked at each switch");
  }
  leat_i_stacks_have_canaries = true;
  return GUARD_CANARY;
}

/* Staggered from slot to slot: at the same offset in each page, all descriptors and the frames below them would compete for the same few
 * sets of the first-level cache (a ring of 1,000 goroutines: 183 against 116 ns a hop). */
enum { STAGGER = 512, STAGGERS = 4 };

static struct goroutine *descriptor(struct slab *slab, uint32_t i) {
  char *end = slab->base + slab->stride * (i + 1) - i % STAGGERS * STAGGER;
  return (struct goroutine *)(void *)(end - ((sizeof(struct goroutine) + 63) & ~(size_t)63));
}

static uint64_t *canary_of(const struct goroutine *g) { return (uint64_t *)(void *)g->stack_low; }

void leat_i_stack_await_looker(const struct slot *slot) {
  atomic_thread_fence(memory_order_seq_cst);
  while (load_acquire(&slot->looked_at)) sched_yield();
}

static void announce_looker(struct slab *slab) {
  add_seq(&slab->lookers, 1);
  leat_i_fence_heavy();
}
static void withdraw_looker(struct slab *slab) { sub(&slab->lookers, 1); }

/* False if nobody lives there. The caller has announced itself. */
static bool look(struct slab *slab, uint32_t i, void (*visit)(struct goroutine *, void *), void *environment) {
  struct slot *slot = &slab->slots[i];
  if (!load_relaxed(&slot->live)) return false;
  while (exchange_seq(&slot->looked_at, true)) sched_yield(); /* by another report */
  bool live = load_seq(&slot->live);
  if (live) visit(descriptor(slab, i), environment);
  store_release(&slot->looked_at, false);
  return live;
}

bool leat_i_stack_intact(const struct goroutine *g) {
  if (!g->canary) return true;
  for (int i = 0; i < CANARY_WORDS; i++)
    if (canary_of(g)[i] != CANARY) return false;
  return true;
}

enum { SLAB_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK };

/* With the class's lock. */
static struct slab *new_slab(int class) {
  struct stack_class *c = &classes[class];
  uint32_t at = load_relaxed(&n_slabs);
  size_t size = (size_t)STACK_SMALLEST << class, stride = size + STACK_GUARD;
  uint32_t most = size > (1u << 20) ? 8 : MOST_SLOTS;
  uint32_t n = c->next_size ? c->next_size : size > (1u << 20) ? 1 : FIRST_SLOTS;
  if (at >= MAX_SLABS || leat_i_shared_reserve(n) != LEAT_OK) return NULL; /* what a failure below leaves reserved does no harm */
  struct slab *slab = calloc(1, sizeof *slab + n * sizeof slab->slots[0]);
  if (!slab) return NULL;
  char *base = NULL;
  quietly base = mmap(NULL, stride * n, PROT_READ | PROT_WRITE, SLAB_FLAGS, -1, 0);
  if (base == MAP_FAILED) {
    free(slab);
    return NULL;
  }
  madvise(base, stride * n, MADV_NOHUGEPAGE);
  *slab = (struct slab){.base = base, .stride = stride, .stack_size = size, .n = n, .class = class};
  c->next_size = n * 2 > most ? most : n * 2;
  c->newest = slab;
  /* Classes append under different locks, so the place is taken by a compare-and-swap. */
  struct slab *expected = NULL;
  while (!cas(&slabs[at], &expected, slab)) {
    expected = NULL;
    if (++at >= MAX_SLABS) {
      munmap(base, stride * n);
      free(slab);
      c->newest = NULL;
      return NULL;
    }
  }
  for (uint32_t seen = load_relaxed(&n_slabs); seen < at + 1;)
    if (cas(&n_slabs, &seen, at + 1)) break;
  return slab;
}

void leat_i_stack_open(struct goroutine *g) {
#ifdef LEAT_ASAN
  __asan_unpoison_memory_region(g->stack_low, (size_t)(g->stack_high - g->stack_low));
#endif
  (void)VALGRIND_MAKE_MEM_UNDEFINED(g->stack_low, (size_t)(g->stack_high - g->stack_low));
}
void leat_i_stack_shut(struct goroutine *g) {
#ifdef LEAT_ASAN
  __asan_poison_memory_region(g->stack_low, (size_t)(g->stack_high - g->stack_low));
#endif
  (void)VALGRIND_MAKE_MEM_NOACCESS(g->stack_low, (size_t)(g->stack_high - g->stack_low));
}

static struct goroutine *hand_out(struct slab *slab, uint32_t i) {
  struct goroutine *g = descriptor(slab, i);
  g->slab = slab;
  g->slot = &slab->slots[i];
  g->stack_class = (uint8_t)slab->class;
  g->stack_low = slab->base + slab->stride * i + STACK_GUARD;
  g->stack_high = (char *)g;
  if (unlikely(leat_i_stacks_are_watched)) leat_i_stack_open(g);
  g->canary = slab->slots[i].guard == GUARD_CANARY;
  if (g->canary)
    for (int w = 0; w < CANARY_WORDS; w++) canary_of(g)[w] = CANARY;
  return g;
}

static struct slab *slab_of(struct slot *slot) {
  return (struct slab *)(void *)((char *)(slot - slot->index) - offsetof(struct slab, slots));
}

struct goroutine *leat_i_stack_descriptor(struct slot *slot) { return descriptor(slab_of(slot), slot->index); }

#ifdef LEAT_DEBUG
void leat_i_stack_check(const struct goroutine *g) {
  const struct slab *slab = slab_of(g->slot);
  if (g->slab != slab || descriptor(g->slab, g->slot->index) != g || g->stack_high != (const char *)g || g->stack_low != slab->base + slab->stride * g->slot->index + STACK_GUARD ||
      g->stack_class != slab->class || g->canary != (g->slot->guard == GUARD_CANARY) || load_relaxed(&g->slot->live))
    leat_i_die("internal error: the descriptor of a free stack was written to");
}
#endif

static struct slot *fresh_slot(int class) {
  struct slab *slab = classes[class].newest;
  if (!slab || load_relaxed(&slab->fresh) == slab->n) slab = new_slab(class);
  if (!slab) return NULL;
  uint32_t i = add(&slab->fresh, 1);
  slab->slots[i].index = i;
  classes[class].n_fresh++;
  return &slab->slots[i];
}

static struct slot *pop(struct slot **list) {
  struct slot *slot = *list;
  *list = slot->next;
  return slot;
}

static struct goroutine *get_from_class(int class) {
  struct stack_class *c = &classes[class];
  lock_take(&c->lock);
  bool from_clean = !c->dirty && c->clean;
  struct slot *slot = c->dirty ? pop(&c->dirty) : from_clean ? pop(&c->clean) : fresh_slot(class);
  c->n_clean -= from_clean;
  if (slot && c->n_dirty && --c->n_dirty < c->least_dirty) c->least_dirty = c->n_dirty;
  lock_drop(&c->lock);
  if (!slot) return NULL;
  struct slab *slab = slab_of(slot);
  bool used_before = slot->guard != GUARD_NONE_YET;
#ifdef LEAT_HAPPENS
  /* TSan remembers who wrote where, and must forget it of a stack that gets another goroutine; a new mapping tells it to. */
  if (used_before) {
    char *low = slab->base + slab->stride * slot->index + STACK_GUARD;
    char *mapped = NULL;
    quietly mapped = mmap(low, slab->stack_size, PROT_READ | PROT_WRITE, SLAB_FLAGS | MAP_FIXED, -1, 0);
    if (mapped == MAP_FAILED) return NULL; /* the slot is lost */
    madvise(low, slab->stack_size, MADV_NOHUGEPAGE); /* as around it: else it stays a mapping of its own */
  }
#endif
  if (!used_before) {
    slot->guard = install_guard(slab->base + slab->stride * slot->index);
    (void)VALGRIND_STACK_REGISTER(slab->base + slab->stride * slot->index, slab->base + slab->stride * (slot->index + 1));
  }
  return hand_out(slab, slot->index);
}

/* All of one class; the last will be the first to be taken. */
static void put_to_class(struct goroutine *const *gs, uint32_t n) {
  struct stack_class *c = &classes[gs[0]->stack_class];
  struct slot *first = NULL, *last = NULL;
  for (uint32_t i = 0; i < n; i++) {
    struct slot *slot = gs[i]->slot;
    slot->next = first;
    first = slot;
    if (!last) last = slot;
  }
  lock_take(&c->lock);
  last->next = c->dirty;
  c->dirty = first;
  c->n_dirty += n;
  lock_drop(&c->lock);
}

/* Several at once, so that workers that end what another starts seldom meet at the lock. */
static void refill(struct stack_cache *cache) {
  struct stack_class *c = &classes[leat_i_default_stack_class];
  lock_take(&c->lock);
  uint32_t n = STACK_CACHE / 2;
  if (n > c->n_dirty) n = c->n_dirty;
  c->n_dirty -= n;
  if (c->n_dirty < c->least_dirty) c->least_dirty = c->n_dirty;
  struct slot *taken = c->dirty;
  for (uint32_t i = 0; i < n; i++) c->dirty = c->dirty->next;
  lock_drop(&c->lock);
  cache->n = (int)n;
  for (; n; taken = taken->next) cache->slots[--n] = descriptor(slab_of(taken), taken->index);
}

/* Slots without memory, several at once where there are many already: their guards, and their first pages, are a system call each instead of one
 * call and one page fault for each slot. The kernel may not know how: then only the page faults and guards are dearer. */
enum { PREPARED = STACK_CACHE > 0 ? STACK_CACHE / 2 : 1, ONE_IN = 16 };
static _Atomic(bool) one_by_one;

static bool advise(const struct iovec *parts, uint32_t n, int advice) {
  enum { THIS_PROCESS = -10000 }; /* PIDFD_SELF */
  long done = 0, bytes = 0;
  for (uint32_t i = 0; i < n; i++) bytes += (long)parts[i].iov_len;
  quietly done = syscall(SYS_process_madvise, THIS_PROCESS, parts, (size_t)n, advice, 0);
  return done == bytes;
}

static char *low_end(const struct slab *slab, const struct slot *slot) { return slab->base + slab->stride * slot->index; }

static void prepare(struct stack_cache *cache) {
  struct stack_class *c = &classes[leat_i_default_stack_class];
  struct slot *slots[PREPARED];
  struct iovec parts[PREPARED];
  uint32_t n = 0, unguarded = 0;
  if (leat_i_stacks_are_watched || best_guard != GUARD_MARKER || load_relaxed(&one_by_one)) return;
  lock_take(&c->lock);
  uint32_t most = c->n_fresh / ONE_IN < PREPARED ? c->n_fresh / ONE_IN : PREPARED;
  for (; n < most && c->clean; c->n_clean--) slots[n++] = pop(&c->clean);
  while (n < most && (slots[n] = fresh_slot(leat_i_default_stack_class))) n++;
  lock_drop(&c->lock);
  if (!n) return;
  for (uint32_t i = 0; i < n; i++)
    if (slots[i]->guard == GUARD_NONE_YET) parts[unguarded++] = (struct iovec){low_end(slab_of(slots[i]), slots[i]), STACK_GUARD};
  bool guarded = !unguarded || advise(parts, unguarded, MADV_GUARD_INSTALL);
  for (uint32_t i = 0; i < n; i++) {
    if (slots[i]->guard == GUARD_NONE_YET) slots[i]->guard = guarded ? GUARD_MARKER : install_guard(low_end(slab_of(slots[i]), slots[i]));
    uintptr_t at = (uintptr_t)descriptor(slab_of(slots[i]), slots[i]->index);
    parts[i] = (struct iovec){(void *)(at & ~(uintptr_t)4095), 4096};
  }
  if (!guarded || !advise(parts, n, MADV_POPULATE_WRITE)) store_relaxed(&one_by_one, true);
  while (n--) cache->slots[cache->n++] = hand_out(slab_of(slots[n]), slots[n]->index);
}

struct goroutine *leat_i_stack_get(struct stack_cache *cache, size_t size) {
  int class = size ? class_of(size) : leat_i_default_stack_class;
  if (class < 0) return NULL;
  if (STACK_CACHE > 0 && class == leat_i_default_stack_class && cache) {
    if (!cache->n) refill(cache);
    if (!cache->n) prepare(cache);
    if (cache->n) return stack_from_cache(cache);
  }
  return get_from_class(class);
}

void leat_i_stack_put(struct stack_cache *cache, struct goroutine *g) {
  if (unlikely(leat_i_stacks_are_watched)) leat_i_stack_shut(g);
  if (STACK_CACHE == 0 || !cache || g->stack_class != leat_i_default_stack_class) {
    put_to_class(&g, 1);
    return;
  }
  if (cache->n == STACK_CACHE) { /* half, the coldest, go to the list */
    put_to_class(cache->slots, STACK_CACHE / 2);
    cache->n = STACK_CACHE / 2;
    memmove(cache->slots, cache->slots + STACK_CACHE / 2, sizeof cache->slots[0] * STACK_CACHE / 2);
  }
  cache->slots[cache->n++] = g;
}

void leat_i_stack_cache_flush(struct stack_cache *cache) {
  if (cache->n) put_to_class(cache->slots, (uint32_t)cache->n);
  cache->n = 0;
}

static bool trim_class(struct stack_class *c) {
  lock_take(&c->lock);
  uint32_t n = c->least_dirty < TRIM_BATCH ? c->least_dirty : TRIM_BATCH;
  struct slot *taken = NULL;
  for (uint32_t k = 0; k < n; k++) {
    struct slot *slot = c->dirty;
    c->dirty = slot->next;
    c->n_dirty--;
    slot->next = taken;
    taken = slot;
  }
  c->least_dirty = c->n_dirty;
  lock_drop(&c->lock);
  while (taken) {
    struct slot *slot = taken;
    taken = slot->next;
    struct slab *slab = slab_of(slot);
    madvise(slab->base + slab->stride * slot->index + STACK_GUARD, slab->stack_size, MADV_DONTNEED);
    lock_take(&c->lock);
    slot->next = c->clean;
    c->clean = slot;
    c->n_clean++;
    lock_drop(&c->lock);
  }
  return n > 0;
}

bool leat_i_stacks_trim(void) {
  bool trimmed = false;
  for (int i = 0; i < STACK_CLASSES; i++) trimmed |= trim_class(&classes[i]);
  return trimmed;
}

void leat_i_stacks_count(struct stack_counts *sum) {
  *sum = (struct stack_counts){0};
  for (uint32_t k = 0, n = load_acquire(&n_slabs); k < n; k++) {
    struct slab *slab = load_acquire(&slabs[k]);
    if (!slab) continue;
    sum->slabs++;
    sum->mapped += slab->stride * slab->n;
    sum->slots += load_relaxed(&slab->fresh);
  }
  for (int i = 0; i < STACK_CLASSES; i++) {
    struct stack_class *c = &classes[i];
    lock_take(&c->lock);
    sum->dirty += c->n_dirty;
    sum->clean += c->n_clean;
    lock_drop(&c->lock);
  }
}

/* Async-signal-safe. */
static struct slab *slab_at(const char *a, uint32_t *slot) {
  uint32_t n = load_acquire(&n_slabs);
  for (uint32_t k = 0; k < n; k++) {
    struct slab *slab = load_acquire(&slabs[k]);
    if (!slab || a < slab->base || a >= slab->base + slab->stride * slab->n) continue;
    *slot = (uint32_t)((size_t)(a - slab->base) / slab->stride);
    return slab;
  }
  return NULL;
}

struct goroutine *leat_i_stack_find(const void *address, bool *in_guard) {
  uint32_t i;
  struct slab *slab = slab_at(address, &i);
  if (!slab || !load_acquire(&slab->slots[i].live)) return NULL;
  *in_guard = (const char *)address < slab->base + slab->stride * i + STACK_GUARD;
  return descriptor(slab, i);
}

bool leat_i_stacks_next(struct stack_cursor *at, void (*visit)(struct goroutine *, void *), void *environment) {
  for (; at->slab < load_acquire(&n_slabs); at->slab++, at->slot = 0) {
    struct slab *slab = load_acquire(&slabs[at->slab]);
    if (!slab) continue;
    if (at->slot == 0) announce_looker(slab);
    while (at->slot < load_acquire(&slab->fresh))
      if (look(slab, at->slot++, visit, environment)) return true;
    withdraw_looker(slab);
  }
  return false;
}

void leat_i_stacks_look(struct goroutine *g, void (*visit)(struct goroutine *, void *), void *environment) {
  uint32_t i;
  struct slab *slab = slab_at((const char *)g, &i);
  if (!slab || descriptor(slab, i) != g) return;
  announce_looker(slab);
  look(slab, i, visit, environment);
  withdraw_looker(slab);
}

void leat_i_stacks_each(void (*visit)(struct goroutine *, void *), void *environment) {
  for (struct stack_cursor at = {0}; leat_i_stacks_next(&at, visit, environment);) {}
}

void leat_i_stacks_each_slab(void (*visit)(char *low, char *high, void *environment), void *environment) {
  uint32_t n = load_acquire(&n_slabs);
  for (uint32_t k = 0; k < n; k++) {
    struct slab *slab = load_acquire(&slabs[k]);
    if (slab) visit(slab->base, slab->base + slab->stride * slab->n, environment);
  }
}

const struct layout_entry leat_i_layout_of_stacks[] = {
  {"slabs", (uintptr_t)slabs},
  {"n_slabs", (uintptr_t)&n_slabs},
  {"stack.stagger", STAGGER},
  {"stack.staggers", STAGGERS},
  LAYOUT_OFFSET(slab, base),
  LAYOUT_OFFSET(slab, stride),
  LAYOUT_OFFSET(slab, fresh),
  LAYOUT_OFFSET(slab, slots),
  LAYOUT_SIZE(slot),
  LAYOUT_OFFSET(slot, live),
  {NULL, 0},
};
