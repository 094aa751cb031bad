/* See memory.h. */
#define _GNU_SOURCE
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, BUFFER = 64 * PAGE, SPARSE = 64 * PAGE, REST_LIMIT = 512 << 20 };

enum kind { KIND_CHUNKS, KIND_WHOLE, KIND_DATA, KIND_STACK };

struct region {
  uintptr_t low, high;
  enum kind kind;
  bool heap;                /* perhaps malloc's: worth a walk */
  size_t block, n;          /* its blocks */
};

extern char __start_leat_own[] __attribute__((visibility("hidden"))), __stop_leat_own[] __attribute__((visibility("hidden"))); /* LEAT_OWN's */

#define ADDRESS_BITS ((UINT64_C(1) << 48) - 1)

struct block {
  uintptr_t low, high;
  uint32_t part; /* index of its struct parts, plus 1 */
  uint32_t marks;
};

struct parts {
  struct range of[2];
};

/* ---- lists ---- */

void *leat_i_list_add(struct list *l, size_t size) {
  if (l->n == l->room) {
    size_t room = l->room ? l->room * 2 : 4 * PAGE / size + 1;
    void *items = l->items ? mremap(l->items, l->room * size, room * size, MREMAP_MAYMOVE)
                           : mmap(NULL, room * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (items == MAP_FAILED) return NULL;
    l->items = items;
    l->room = room;
  }
  return memset((char *)l->items + l->n++ * size, 0, size);
}

void leat_i_list_free(struct list *l, size_t size) {
  if (l->items) munmap(l->items, l->room * size);
  *l = (struct list){0};
}

static void *add(struct memory *m, struct list *l, size_t size) {
  void *item = leat_i_list_add(l, size);
  if (!item) m->failed = true;
  return item;
}

static struct region *region_at(struct memory *m, size_t i) { return (struct region *)m->regions.items + i; }
static struct block *block_at(struct memory *m, size_t i) { return (struct block *)m->blocks.items + i; }

/* ---- reading ---- */

static size_t read_some(struct memory *m, uintptr_t address, void *to, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = pread(m->fd, (char *)to + done, size - done, (off_t)(address + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += (size_t)n;
  }
  return done;
}

bool leat_i_memory_read(struct memory *m, uintptr_t address, void *to, size_t size) { return read_some(m, address, to, size) == size; }

/* The first page from `low` on that has ever been touched: mappings may be huge and hollow. */
static uintptr_t skip_untouched(struct memory *m, uintptr_t low, uintptr_t high) {
  uint64_t entries[512];
  while (low < high) {
    size_t pages = (high - low + PAGE - 1) / PAGE;
    if (pages > 512) pages = 512;
    ssize_t n = pread(m->pagemap, entries, pages * sizeof *entries, (off_t)(low / PAGE * sizeof *entries));
    if (n <= 0) return low;
    for (size_t i = 0; i < (size_t)n / sizeof *entries; i++, low += PAGE)
      if (entries[i] >> 62) return low; /* present or swapped out */
  }
  return high;
}

/* ---- what is mapped ---- */

static int by_low(const void *a, const void *b) { /* of anything that begins with a range */
  uintptr_t x = ((const struct range *)a)->low, y = ((const struct range *)b)->low;
  return x < y ? -1 : x > y;
}

/* qsort of glibc may call malloc, whose heap is being looked at. */
static void sort(void *items, size_t n, size_t size) {
  char *base = items;
  char tmp[64];
  for (size_t gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11)
    for (size_t i = gap; i < n; i++) {
      memcpy(tmp, base + i * size, size);
      size_t j = i;
      for (; j >= gap && by_low(base + (j - gap) * size, tmp) > 0; j -= gap) memcpy(base + j * size, base + (j - gap) * size, size);
      memcpy(base + j * size, tmp, size);
    }
}

/* The last item that begins at or before the address, if it holds it. */
static void *holder(const void *items, size_t n, size_t size, uintptr_t address) {
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (((const struct range *)(const void *)((const char *)items + middle * size))->low <= address) low = middle + 1;
    else high = middle;
  }
  if (!low) return NULL;
  const struct range *r = (const void *)((const char *)items + (low - 1) * size);
  return address < r->high ? (void *)(uintptr_t)r : NULL;
}

static void add_region(struct memory *m, uintptr_t low, uintptr_t high, const char *perms, const char *path) {
  bool device = strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0 && strncmp(path, "/dev/zero", 9) != 0;
  if (perms[0] != 'r' || (perms[1] != 'w' && *path) || device) return; /* reading a device may do something */
  struct region *r = add(m, &m->regions, sizeof *r);
  if (r) *r = (struct region){.low = low, .high = high, .kind = KIND_WHOLE, .heap = strcmp(path, "[heap]") == 0 || (!*path && low % ((uintptr_t)64 << 20) == 0)};
}

static void read_maps(struct memory *m) {
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    m->failed = true;
    return;
  }
  size_t kept = 0;
  ssize_t n;
  while ((n = read(fd, m->buffer + kept, BUFFER - 1 - kept)) > 0) {
    kept += (size_t)n;
    m->buffer[kept] = 0;
    char *line = m->buffer, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
      unsigned long low, high;
      char perms[8];
      int path = 0;
      *end = 0;
      if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &low, &high, perms, &path) >= 3) add_region(m, low, high, perms, path ? line + path : "");
    }
    kept -= (size_t)(line - m->buffer);
    memmove(m->buffer, line, kept);
  }
  close(fd);
}

static int add_data(struct dl_phdr_info *info, size_t size, void *memory) {
  (void)size;
  struct memory *m = memory;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD || !(p->p_flags & PF_W)) continue;
    struct range *r = add(m, &m->data, sizeof *r);
    if (r) *r = (struct range){info->dlpi_addr + p->p_vaddr, info->dlpi_addr + p->p_vaddr + p->p_memsz};
  }
  return 0;
}

/* Cuts the range out of the regions, as one of this kind. */
static void cut_out(struct memory *m, uintptr_t low, uintptr_t high, enum kind kind) {
  for (size_t i = 0, n = m->regions.n; i < n; i++) {
    struct region *r = region_at(m, i);
    if (r->high <= low || r->low >= high) continue;
    struct region before = *r, after = *r;
    before.high = low;
    after.low = high;
    r->kind = kind;
    r->heap = false;
    if (r->low < low) {
      r->low = low;
      struct region *b = add(m, &m->regions, sizeof *b);
      if (b) *b = before;
      r = region_at(m, i);
    }
    if (r->high > high) {
      r->high = high;
      struct region *a = add(m, &m->regions, sizeof *a);
      if (a) *a = after;
    }
  }
}

void leat_i_memory_stack(struct memory *m, uintptr_t low, uintptr_t high) { cut_out(m, low, high, KIND_STACK); }

void leat_i_memory_hole(struct memory *m, uintptr_t low, uintptr_t high) {
  struct range *r = add(m, &m->holes, sizeof *r);
  if (r) *r = (struct range){low, high};
}

void leat_i_memory_open(struct memory *m) {
  m->fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  m->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  m->buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uintptr_t probe = (uintptr_t)m, copy = 0;
  if (m->buffer == MAP_FAILED || m->fd < 0 || !leat_i_memory_read(m, (uintptr_t)&probe, &copy, sizeof copy) || copy != probe) { /* not so under an emulator */
    m->failed = true;
    return;
  }
  read_maps(m);
  cut_out(m, (uintptr_t)m->buffer, (uintptr_t)m->buffer + BUFFER, KIND_STACK);
  dl_iterate_phdr(add_data, m);
  leat_i_memory_hole(m, (uintptr_t)__start_leat_own, (uintptr_t)__stop_leat_own);
  for (size_t i = 0; i < m->data.n; i++) {
    struct range *r = (struct range *)m->data.items + i;
    cut_out(m, r->low, r->high, KIND_DATA);
  }
}

/* ---- malloc's chunks ---- */

/* Is malloc glibc's, and does it keep a chunk's size where it always has? */
static bool is_glibc_malloc(void) {
  static const size_t sizes[] = {24, 1000, 5000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t *volatile p = malloc(sizes[i]);
    if (!p) return false;
    size_t usable = malloc_usable_size((void *)p), header;
    memcpy(&header, (char *)p - sizeof header, sizeof header);
    free(p);
    if ((header & ~(size_t)7) != usable + sizeof header || usable < sizes[i] || usable > sizes[i] + 16) return false;
  }
  return true;
}

enum { SMALLEST_CHUNK = 32, IN_USE = 1, FIRST_CHUNK_WITHIN = 16 * 1024 };

/* A walk over the headers in [low, high), through a window of the buffer. */
struct walk {
  struct memory *m;
  uintptr_t at; /* what the buffer holds */
  size_t n;
};

static bool header_at(struct walk *w, uintptr_t chunk, size_t *header) {
  uintptr_t address = chunk + sizeof(size_t);
  if (address < w->at || address + sizeof *header > w->at + w->n) {
    w->at = address;
    w->n = read_some(w->m, address, w->m->buffer, BUFFER);
    if (w->n < sizeof *header) return false;
  }
  memcpy(header, w->m->buffer + (address - w->at), sizeof *header);
  return true;
}

/* From the chunk `first` to the region's end; false, and nothing added, if that does not come out even. */
static bool walk_from(struct memory *m, struct region *r, struct walk *w, uintptr_t first) {
  size_t before = m->blocks.n;
  uintptr_t at = first;
  struct block *gap = first > r->low ? add(m, &m->blocks, sizeof *gap) : NULL; /* taken from the heap before malloc did, or an arena's own */
  if (gap) *gap = (struct block){.low = r->low, .high = first + sizeof(size_t)};
  while (at + SMALLEST_CHUNK <= r->high) {
    size_t header, size;
    if (!header_at(w, at, &header)) break;
    size = header & ~(size_t)7;
    if (size < SMALLEST_CHUNK && at + 2 * SMALLEST_CHUNK >= r->high) { /* a fence post */
      at = r->high;
      break;
    }
    if (size < SMALLEST_CHUNK || size % 16 || size > r->high - at) break;
    if (at > first && !(header & IN_USE)) block_at(m, m->blocks.n - 1)->marks = MARK_FREE; /* the one before is free */
    struct block *b = add(m, &m->blocks, sizeof *b);
    if (!b) break;
    *b = (struct block){.low = at + 2 * sizeof(size_t), .high = at + size + sizeof(size_t)};
    at += size;
  }
  if (at == r->high && at > first) {
    struct block *top = block_at(m, m->blocks.n - 1);
    top->marks = MARK_FREE;
    if (top->high > r->high) top->high = r->high;
    r->block = before;
    r->n = m->blocks.n - before;
    r->kind = KIND_CHUNKS;
    return true;
  }
  m->blocks.n = before;
  return false;
}

static void walk_region(struct memory *m, struct region *r) {
  struct walk w = {.m = m};
  for (uintptr_t first = r->low; first < r->low + FIRST_CHUNK_WITHIN && first < r->high; first += 16)
    if (walk_from(m, r, &w, first)) return;
}

static struct block *block_holding(struct memory *m, uintptr_t address) {
  struct region *r = holder(m->regions.items, m->regions.n, sizeof *r, address);
  if (!r || (r->kind != KIND_CHUNKS && r->kind != KIND_WHOLE)) return NULL;
  return holder(block_at(m, r->block), r->n, sizeof(struct block), address);
}

/* Small chunks are marked as in use while they wait in a thread's cache or a fast bin. They are linked by their first word, which is mixed
 * with its own address ("safe linking"), and so cannot be taken for anything else; but who has been given one need not have written there. In a thread's
 * cache the second word is a key, which malloc clears; a fast bin has smaller chunks only. */
static void mark_cached_chunks(struct memory *m) {
  enum { FAST = 120 }; /* bytes, with those of the next chunk's header that are this one's */
  for (size_t i = 0; i < m->regions.n; i++) {
    struct region *r = region_at(m, i);
    if (r->kind != KIND_CHUNKS) continue;
    struct walk w = {.m = m};
    for (size_t k = 0; k < r->n; k++) {
      struct block *b = block_at(m, r->block + k), *next;
      size_t word, size = b->high - b->low;
      if (b->marks & MARK_FREE || size > 1040 || !header_at(&w, b->low - sizeof word, &word)) continue;
      uintptr_t link = word ^ (b->low >> 12);
      if (size > FAST && (!header_at(&w, b->low, &word) || !word)) continue;
      if (!link) b->marks |= MARK_FREE;
      else if (link >= m->lowest && link < m->highest && link % 16 == 0 &&
               ((((next = block_holding(m, link)) && next->low == link) || ((next = block_holding(m, link + 16)) && next->low == link + 16)) && next->high - next->low == size))
        b->marks |= MARK_FREE;
    }
  }
}

/* ---- blocks that a sanitizer tells of ---- */

typedef const char *locate_fn(uintptr_t address, char *name, size_t size, uintptr_t *block, size_t *block_size);
locate_fn __asan_locate_address __attribute__((weak)), __tsan_locate_address __attribute__((weak));

static locate_fn *sanitizer(void) { return __asan_locate_address ? __asan_locate_address : __tsan_locate_address; }

static struct block *found_block(struct memory *m, uintptr_t address) {
  uintptr_t low = 0;
  size_t size = 0;
  char name[4];
  const char *what = sanitizer()(address, name, sizeof name, &low, &size);
  if (!what || strcmp(what, "heap") != 0 || !size || address < low || address >= low + size) return NULL;
  if (m->found.n * 2 >= m->found_room) { /* make the table larger, and fill it anew */
    size_t room = m->found_room ? m->found_room * 2 : PAGE;
    uint32_t *table = mmap(NULL, room * sizeof *table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED) {
      m->failed = true;
      return NULL;
    }
    if (m->found_table) munmap(m->found_table, m->found_room * sizeof *table);
    m->found_table = table;
    m->found_room = room;
    for (size_t i = 0; i < m->found.n; i++) {
      size_t at = (((struct block *)m->found.items)[i].low >> 4) * UINT64_C(0x9e3779b97f4a7c15) % room;
      while (table[at]) at = (at + 1) % room;
      table[at] = (uint32_t)i + 1;
    }
  }
  size_t at = (low >> 4) * UINT64_C(0x9e3779b97f4a7c15) % m->found_room;
  for (; m->found_table[at]; at = (at + 1) % m->found_room) {
    struct block *b = (struct block *)m->found.items + m->found_table[at] - 1;
    if (b->low == low) return b;
  }
  struct block *b = add(m, &m->found, sizeof *b);
  if (!b) return NULL;
  *b = (struct block){.low = low, .high = low + size};
  m->found_table[at] = (uint32_t)m->found.n;
  return b;
}

void leat_i_memory_seal(struct memory *m) {
  if (m->failed) return;
  m->complete = !sanitizer();
  bool chunks = m->complete && is_glibc_malloc();
  m->lowest = UINTPTR_MAX;
  m->highest = 0;
  for (size_t i = 0; i < m->regions.n; i++) {
    struct region *r = region_at(m, i);
    if (r->low < m->lowest) m->lowest = r->low;
    if (r->high > m->highest) m->highest = r->high;
    if (!m->complete || r->kind != KIND_WHOLE) continue;
    if (chunks && r->heap) walk_region(m, r);
    if (r->kind == KIND_CHUNKS) continue;
    struct block *b = add(m, &m->blocks, sizeof *b);
    if (!b) return;
    *b = (struct block){.low = r->low, .high = r->high};
    r->block = m->blocks.n - 1;
    r->n = 1;
  }
  sort(m->regions.items, m->regions.n, sizeof(struct region));
  sort(m->holes.items, m->holes.n, sizeof(struct range));
  if (chunks) mark_cached_chunks(m);
}

void leat_i_memory_close(struct memory *m) {
  if (m->fd >= 0) close(m->fd);
  if (m->pagemap >= 0) close(m->pagemap);
  if (m->buffer != MAP_FAILED) munmap(m->buffer, BUFFER);
  if (m->found_table) munmap(m->found_table, m->found_room * sizeof *m->found_table);
  leat_i_list_free(&m->regions, sizeof(struct region));
  leat_i_list_free(&m->blocks, sizeof(struct block));
  leat_i_list_free(&m->found, sizeof(struct block));
  leat_i_list_free(&m->parts, sizeof(struct parts));
  leat_i_list_free(&m->holes, sizeof(struct range));
  leat_i_list_free(&m->data, sizeof(struct range));
  leat_i_list_free(&m->work, sizeof(struct range));
}

/* ---- reaching ---- */

static struct block *find_block(struct memory *m, uintptr_t address, enum place *place) {
  struct region *r = holder(m->regions.items, m->regions.n, sizeof *r, address);
  *place = !r ? PLACE_NONE : r->kind == KIND_DATA ? PLACE_DATA : r->kind == KIND_STACK ? PLACE_STACK : PLACE_BLOCK;
  if (*place != PLACE_BLOCK) return NULL;
  struct block *b = m->complete ? holder(block_at(m, r->block), r->n, sizeof(struct block), address) : found_block(m, address);
  if (!b || b->marks & MARK_FREE) *place = PLACE_NONE;
  return *place == PLACE_BLOCK ? b : NULL;
}

enum place leat_i_memory_place(struct memory *m, uintptr_t address) {
  enum place place;
  find_block(m, address, &place);
  return place;
}

int leat_i_memory_marks(struct memory *m, uintptr_t address) {
  enum place place;
  struct block *b = find_block(m, address, &place);
  return b ? (int)b->marks : 0;
}

bool leat_i_memory_mapping(struct memory *m, uintptr_t address, struct range *mapping) {
  struct region *r = holder(m->regions.items, m->regions.n, sizeof *r, address);
  if (r) *mapping = (struct range){r->low, r->high};
  return r != NULL;
}

void leat_i_memory_part(struct memory *m, uintptr_t address, struct range first, struct range second) {
  enum place place;
  struct block *b = find_block(m, address, &place);
  if (!b || b->high - b->low > SPARSE) return; /* not a block of its own */
  struct parts *p = add(m, &m->parts, sizeof *p);
  if (!p) return;
  *p = (struct parts){{first, second}};
  b->part = (uint32_t)m->parts.n;
  b->marks |= MARK_OURS;
}

/* What the marks say that need not be said again: whom somebody live reaches, nobody else need reach. */
static bool has(uint32_t marks, int mark) { return marks & (uint32_t)(MARK_LIVE | mark); }

void leat_i_memory_push(struct memory *m, uintptr_t low, uintptr_t high) {
  struct range *r = low < high ? add(m, &m->work, sizeof *r) : NULL;
  if (r) *r = (struct range){low, high};
}

static void push_block(struct memory *m, const struct block *b) {
  struct parts whole = {{{b->low, b->high}}}, *p = b->part ? (struct parts *)m->parts.items + (b->part - 1) : &whole;
  for (int i = 0; i < 2; i++) leat_i_memory_push(m, p->of[i].low, p->of[i].high);
}

/* What malloc knows of a free chunk by the address of its header, which is the last word of the block before it. A bin is a pair of words that
 * the chunks in it point back to, as if it were a chunk: 16 bytes before itself. Empty, it points there itself. */
enum { BINS = 126, FAST = 10, BIN = 2 * sizeof(uintptr_t) };

static bool is_bin_of(struct memory *m, uintptr_t at, uintptr_t chunk) {
  uintptr_t links[2]; /* forward, backward */
  if (!leat_i_memory_read(m, chunk + BIN, links, sizeof links)) return false;
  return links[1] == at - BIN || links[0] == at - BIN - sizeof at;
}

/* The records of an arena: fast bins, top, last remainder, bins. Some bin is always empty. */
static bool is_before_bins(struct memory *m, uintptr_t at) {
  uintptr_t words[FAST + 2 + 2 * BINS];
  if (!leat_i_memory_read(m, at, words, sizeof words)) return false;
  for (uintptr_t first = 1; first <= FAST + 2; first++) /* of `words`, where the bins may begin */
    for (uintptr_t i = first; i + 1 < first + BINS; i += 2) {
      uintptr_t bin = at + i * sizeof at - BIN;
      if (words[i] == bin && words[i + 1] == bin) return true;
    }
  return false;
}

static bool is_mallocs_own(struct memory *m, const struct block *b, uintptr_t pointer, uintptr_t at) {
  if (!at || pointer != b->high - sizeof pointer || !m->complete) return false;
  struct block *next = block_holding(m, pointer + BIN);
  return next && next->low == pointer + BIN && next->marks & MARK_FREE && (is_bin_of(m, at, pointer) || is_before_bins(m, at));
}

/* `at` is where the pointer was found, if it was. */
static void reach(struct memory *m, uintptr_t pointer, uintptr_t at, int mark) {
  if (pointer < m->lowest || pointer >= m->highest) return;
  enum place place;
  struct block *b = find_block(m, pointer, &place);
  if (place == PLACE_STACK) m->into_stack(m->environment, pointer, mark);
  if (!b || has(b->marks, mark) || is_mallocs_own(m, b, pointer, at)) return;
  b->marks |= (uint32_t)mark;
  push_block(m, b);
}

static void scan_words(struct memory *m, uintptr_t low, uintptr_t high, int mark) {
  low = (low + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);
  bool sparse = high - low > SPARSE;
  size_t step = m->unaligned ? 1 : sizeof(uintptr_t);
  while (low < high) {
    if (sparse) low = skip_untouched(m, low, high);
    size_t n = high - low < BUFFER ? high - low : BUFFER, got = read_some(m, low, m->buffer, n);
    for (size_t i = 0; i + sizeof(uintptr_t) <= got; i += step) {
      uintptr_t word;
      memcpy(&word, m->buffer + i, sizeof word);
      reach(m, m->unaligned ? word & ADDRESS_BITS : word, low + i, mark);
    }
    if (got < n) low = ((low + got) / PAGE + 1) * PAGE; /* past a page that cannot be read */
    else low += n < BUFFER || !m->unaligned ? n : n - sizeof(uintptr_t) + 1;
  }
}

static void scan_between_holes(struct memory *m, uintptr_t low, uintptr_t high, int mark) {
  const struct range *holes = m->holes.items;
  size_t at = 0, end = m->holes.n;
  while (at < end) { /* the first hole that ends behind low: they do not overlap */
    size_t middle = (at + end) / 2;
    if (holes[middle].high <= low) at = middle + 1;
    else end = middle;
  }
  for (; low < high && at < m->holes.n && holes[at].low < high; at++) {
    if (holes[at].low > low) scan_words(m, low, holes[at].low, mark);
    if (holes[at].high > low) low = holes[at].high;
  }
  if (low < high) scan_words(m, low, high, mark);
}

static void work_off(struct memory *m, int mark) {
  while (m->work.n && !m->failed) {
    struct range r = ((struct range *)m->work.items)[--m->work.n];
    scan_between_holes(m, r.low, r.high, mark);
  }
}

void leat_i_memory_scan(struct memory *m, uintptr_t low, uintptr_t high, int mark) {
  leat_i_memory_push(m, low, high);
  work_off(m, mark);
}

void leat_i_memory_reach(struct memory *m, uintptr_t pointer, int mark) {
  reach(m, pointer, 0, mark);
  work_off(m, mark);
}

void leat_i_memory_scan_data(struct memory *m, int mark) {
  for (size_t i = 0; i < m->regions.n; i++) {
    struct region *r = region_at(m, i);
    if (r->kind == KIND_DATA) leat_i_memory_scan(m, r->low, r->high, mark);
  }
}

void leat_i_memory_scan_mappings(struct memory *m, int mark) {
  for (size_t i = 0; m->complete && i < m->regions.n; i++) {
    struct region *r = region_at(m, i);
    if (r->kind == KIND_WHOLE && r->high - r->low <= REST_LIMIT) leat_i_memory_scan(m, r->low, r->high, mark);
  }
}

void leat_i_memory_scan_unaligned(struct memory *m, int of, int mark) {
  size_t total = 0;
  m->unaligned = true;
  leat_i_memory_scan_data(m, mark);
  for (size_t i = 0; m->complete && i < m->blocks.n; i++) {
    struct block *b = block_at(m, i);
    if (!(b->marks & (uint32_t)of)) continue;
    if (b->high - b->low > SPARSE && (total += b->high - b->low) > REST_LIMIT) m->complete = false;
    else push_block(m, b);
    work_off(m, mark);
  }
}

void leat_i_memory_scan_rest(struct memory *m, int unless, int mark) {
  size_t total = 0;
  if (!m->complete) return;
  for (size_t i = 0; i < m->blocks.n; i++) {
    struct block *b = block_at(m, i);
    if (b->marks & (uint32_t)(unless | mark | MARK_LIVE | MARK_FREE | MARK_OURS)) continue;
    b->marks |= (uint32_t)mark;
    if (b->high - b->low > SPARSE && (total += b->high - b->low) > REST_LIMIT) { /* too much to read: then anything may be there */
      m->complete = false;
      return;
    }
    leat_i_memory_scan(m, b->low, b->high, mark);
  }
}
