/* See cfi.h. The format: DWARF 5, section 6.4, with the deviations of .eh_frame that the Linux Standard Base describes. */
#define _GNU_SOURCE
#include "cfi.h"
#include "../runtime/atomics.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- reading ---- */

typedef const uint8_t *bytes;

#define READER(name, type) \
  static type name(bytes *p) { \
    type value; \
    memcpy(&value, *p, sizeof value); \
    *p += sizeof value; \
    return value; \
  }
READER(read_u8, uint8_t)
READER(read_s8, int8_t)
READER(read_u16, uint16_t)
READER(read_s16, int16_t)
READER(read_u32, uint32_t)
READER(read_s32, int32_t)
READER(read_u64, uint64_t)

static uint64_t read_uleb(bytes *p) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t byte = read_u8(p);
    if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
}

static int64_t read_sleb(bytes *p) {
  uint64_t value = 0;
  for (int shift = 0;;) {
    uint8_t byte = read_u8(p);
    if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
    shift += 7;
    if (byte & 0x80) continue;
    if (byte & 0x40 && shift < 64) value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
  }
}

enum { ENCODED_OMIT = 0xff, ENCODED_FORMAT = 0x0f, ENCODED_BASE = 0x70, ENCODED_PCREL = 0x10, ENCODED_DATAREL = 0x30, ENCODED_INDIRECT = 0x80 };

/* An encoded pointer; `data` is what data-relative ones are relative to. */
static uintptr_t read_encoded(bytes *p, uint8_t encoding, bytes data) {
  uintptr_t value, place = (uintptr_t)*p;
  if (encoding == ENCODED_OMIT) return 0;
  switch (encoding & ENCODED_FORMAT) {
  case 0x01: value = read_uleb(p); break;
  case 0x02: value = read_u16(p); break;
  case 0x03: value = read_u32(p); break;
  case 0x09: value = (uintptr_t)read_sleb(p); break;
  case 0x0a: value = (uintptr_t)(intptr_t)read_s16(p); break;
  case 0x0b: value = (uintptr_t)(intptr_t)read_s32(p); break;
  default: value = read_u64(p); /* 0x00, 0x04, 0x0c */
  }
  if (!value) return 0;
  if ((encoding & ENCODED_BASE) == ENCODED_PCREL) value += place;
  else if ((encoding & ENCODED_BASE) == ENCODED_DATAREL) value += (uintptr_t)data;
  if (encoding & ENCODED_INDIRECT) memcpy(&value, (const void *)value, sizeof value);
  return value;
}

/* ---- finding what describes an address ---- */

struct entry { /* of .eh_frame: a function's FDE with what its CIE says */
  uintptr_t begin, end;
  uint64_t code_align;
  int64_t data_align;
  uint64_t return_register;
  bool signal_frame;
  uint8_t encoding;
  bool augmented;
  bytes common, common_end, own, own_end; /* the instructions */
};

struct search {
  uintptr_t address;
  bytes header;
};

__attribute__((unused)) static int find_in(struct dl_phdr_info *info, size_t size, void *environment) {
  struct search *s = environment;
  bytes header = NULL;
  bool inside = false;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *h = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + h->p_vaddr;
    if (h->p_type == PT_LOAD) inside |= s->address >= start && s->address < start + h->p_memsz;
    if (h->p_type == PT_GNU_EH_FRAME) header = (bytes)start;
  }
  if (inside) s->header = header;
  return inside;
}

/* .eh_frame_hdr of the object that holds the address. */
static bytes find_header(uintptr_t address) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 35)
  struct dl_find_object found;
  return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_eh_frame : NULL;
#else
  struct search s = {.address = address};
  dl_iterate_phdr(find_in, &s);
  return s.header;
#endif
}

/* The last entry of the sorted table that begins at or before the address. */
static bytes find_fde(bytes header, uintptr_t address) {
  enum { SORTED_TABLE = ENCODED_DATAREL | 0x0b };
  bytes p = header;
  uint8_t version = read_u8(&p), frame_encoding = read_u8(&p), count_encoding = read_u8(&p), table_encoding = read_u8(&p);
  if (version != 1 || count_encoding == ENCODED_OMIT || table_encoding != SORTED_TABLE) return NULL;
  read_encoded(&p, frame_encoding, header);
  uintptr_t low = 0, high = read_encoded(&p, count_encoding, header);
  int64_t wanted = (int64_t)(address - (uintptr_t)header);
  while (low < high) { /* entries below low begin before or at it, from high on after it */
    uintptr_t middle = low + (high - low) / 2;
    bytes at = p + 8 * middle;
    if (read_s32(&at) <= wanted) low = middle + 1;
    else high = middle;
  }
  if (!low) return NULL;
  p += 8 * (low - 1) + 4;
  return header + read_s32(&p);
}

static bool parse_cie(struct entry *e, bytes p) {
  uint64_t length = read_u32(&p);
  if (length == UINT32_MAX) length = read_u64(&p);
  e->common_end = p + length;
  if (read_u32(&p) != 0) return false;
  uint8_t version = read_u8(&p);
  const char *augmentation = (const char *)p;
  p += strlen(augmentation) + 1;
  if (version == 4) p += 2; /* sizes of addresses and segments */
  e->code_align = read_uleb(&p);
  e->data_align = read_sleb(&p);
  e->return_register = version == 1 ? read_u8(&p) : read_uleb(&p);
  if (*augmentation && *augmentation != 'z') return false;
  if (!*augmentation) {
    e->common = p;
    return true;
  }
  e->augmented = true;
  uint64_t size = read_uleb(&p);
  e->common = p + size;
  while (*++augmentation) {
    switch (*augmentation) {
    case 'R': e->encoding = read_u8(&p); break;
    case 'P': {
      uint8_t encoding = read_u8(&p);
      read_encoded(&p, encoding & (uint8_t)~ENCODED_INDIRECT, NULL);
      break;
    }
    case 'L': p++; break;
    case 'S': e->signal_frame = true; break;
    case 'B': case 'G': break; /* keys and tags of aarch64 */
    default: return true; /* unknown, but what follows is measured */
    }
  }
  return true;
}

/* The entry at p; false if it is none of a function. */
static bool parse_fde(struct entry *e, bytes p, bytes header) {
  *e = (struct entry){0};
  uint64_t length = read_u32(&p);
  if (length == UINT32_MAX) length = read_u64(&p);
  e->own_end = p + length;
  bytes place = p;
  uint32_t distance = read_u32(&p);
  if (!distance || !parse_cie(e, place - distance)) return false;
  e->begin = read_encoded(&p, e->encoding, header);
  e->end = e->begin + read_encoded(&p, e->encoding & ENCODED_FORMAT, header);
  if (e->augmented) {
    uint64_t size = read_uleb(&p);
    p += size;
  }
  e->own = p;
  return true;
}

/* Statically linked programs may have no .eh_frame_hdr (gcc leaves it out), and nothing in memory tells where .eh_frame lies: the section
 * headers in the file do. They are read once. */
static struct {
  _Atomic(uint32_t) state; /* 0: not looked for, 1: being looked for, 2: known */
  uintptr_t begin, end;    /* the section */
  uintptr_t text, text_end;
} program;

static void find_program(void) {
  const ElfW(Phdr) *h = (const void *)getauxval(AT_PHDR);
  for (size_t i = 0; h && i < getauxval(AT_PHNUM); i++) {
    if (h[i].p_type == PT_GNU_EH_FRAME || h[i].p_type == PT_DYNAMIC) return;
    if (h[i].p_type != PT_LOAD || !(h[i].p_flags & PF_X)) continue;
    program.text = h[i].p_vaddr;
    program.text_end = h[i].p_vaddr + h[i].p_memsz;
  }
  ElfW(Ehdr) header;
  ElfW(Shdr) section, names;
  char name[sizeof ".eh_frame"];
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  bool read = fd >= 0 && pread(fd, &header, sizeof header, 0) == sizeof header && header.e_shentsize == sizeof section &&
              pread(fd, &names, sizeof names, (off_t)(header.e_shoff + header.e_shstrndx * sizeof section)) == sizeof names;
  for (int i = 0; read && i < header.e_shnum; i++) {
    if (pread(fd, &section, sizeof section, (off_t)(header.e_shoff + (size_t)i * sizeof section)) != sizeof section) break;
    if (pread(fd, name, sizeof name, (off_t)(names.sh_offset + section.sh_name)) != sizeof name || memcmp(name, ".eh_frame", sizeof name)) continue;
    program.begin = section.sh_addr;
    program.end = section.sh_addr + section.sh_size;
  }
  if (fd >= 0) close(fd);
}

/* Every entry is looked at (some tens of microseconds), since they are in no order. What is found will be kept. */
static bool find_in_program(uintptr_t address, struct entry *e) {
  uint32_t none = 0;
  if (load_acquire(&program.state) == 0 && cas(&program.state, &none, 1)) {
    find_program();
    store_release(&program.state, 2);
  }
  if (load_acquire(&program.state) != 2 || address < program.text || address >= program.text_end) return false;
  for (bytes p = (bytes)program.begin, end = (bytes)program.end; p && p + 4 < end;) {
    bytes entry = p;
    uint64_t length = read_u32(&p);
    if (length == UINT32_MAX) length = read_u64(&p);
    if (!length) return false;
    p += length;
    if (parse_fde(e, entry, NULL) && address >= e->begin && address < e->end) return true;
  }
  return false;
}

static bool find_entry(uintptr_t address, struct entry *e) {
  bytes header = find_header(address);
  if (!header) return find_in_program(address, e);
  bytes p = find_fde(header, address);
  return p && parse_fde(e, p, header) && address >= e->begin && address < e->end;
}

uintptr_t leat_i_cfi_function(uintptr_t address) {
  struct entry e;
  return find_entry(address, &e) ? e.begin : 0;
}

/* ---- the rules at an address ---- */

enum how { HOW_SAME, HOW_UNDEFINED, HOW_AT, HOW_OFFSET, HOW_REGISTER, HOW_AT_EXPRESSION, HOW_EXPRESSION };

struct rule {
  union {
    int64_t number;   /* an offset from the CFA, or a register */
    bytes expression; /* its length, then itself */
  };
  uint8_t how;
};

struct row {
  struct rule cfa; /* HOW_OFFSET from cfa_register, or HOW_EXPRESSION */
  uint32_t cfa_register;
  struct rule of[REGISTERS];
};

enum { REMEMBERED = 4 };

struct machine {
  const struct entry *entry;
  struct row initial, row, remembered[REMEMBERED];
  int n;
};

static bytes skip_block(bytes *p) {
  bytes block = *p;
  uint64_t size = read_uleb(p);
  *p += size;
  return block;
}

static void set_rule(struct row *row, uint64_t r, uint8_t how, int64_t number) {
  if (r < REGISTERS) row->of[r] = (struct rule){.how = how, .number = number}; /* the others (vectors) lead nowhere */
}

static void set_expression(struct row *row, uint64_t r, uint8_t how, bytes expression) {
  if (r < REGISTERS) row->of[r] = (struct rule){.how = how, .expression = expression};
}

/* Runs the instructions up to the address. False if there is one it does not know. */
static bool run(struct machine *m, bytes p, bytes end, uintptr_t address) {
  const struct entry *e = m->entry;
  struct row *row = &m->row;
  uintptr_t at = e->begin;
  while (p < end) {
    uint8_t op = read_u8(&p), low = op & 0x3f;
    uint64_t r, advance = 0;
    switch (op & 0xc0 ? op & 0xc0 : op) {
    case 0x40: advance = low; break;
    case 0x80: set_rule(row, low, HOW_AT, (int64_t)read_uleb(&p) * e->data_align); break;
    case 0xc0: if (low < REGISTERS) row->of[low] = m->initial.of[low]; break;
    case 0x00: break;
    case 0x01: /* set_loc */
      at = read_encoded(&p, e->encoding, NULL);
      if (at > address) return true;
      break;
    case 0x02: advance = read_u8(&p); break;
    case 0x03: advance = read_u16(&p); break;
    case 0x04: advance = read_u32(&p); break;
    case 0x05: r = read_uleb(&p); set_rule(row, r, HOW_AT, (int64_t)read_uleb(&p) * e->data_align); break;
    case 0x06: r = read_uleb(&p); if (r < REGISTERS) row->of[r] = m->initial.of[r]; break;
    case 0x07: set_rule(row, read_uleb(&p), HOW_UNDEFINED, 0); break;
    case 0x08: set_rule(row, read_uleb(&p), HOW_SAME, 0); break;
    case 0x09: r = read_uleb(&p); set_rule(row, r, HOW_REGISTER, (int64_t)read_uleb(&p)); break;
    case 0x0a:
      if (m->n == REMEMBERED) return false;
      m->remembered[m->n++] = *row;
      break;
    case 0x0b:
      if (!m->n) return false;
      *row = m->remembered[--m->n];
      break;
    case 0x0c: /* def_cfa */
      row->cfa_register = (uint32_t)read_uleb(&p);
      row->cfa = (struct rule){.how = HOW_OFFSET, .number = (int64_t)read_uleb(&p)};
      break;
    case 0x0d: row->cfa_register = (uint32_t)read_uleb(&p); row->cfa.how = HOW_OFFSET; break;
    case 0x0e: row->cfa.number = (int64_t)read_uleb(&p); break;
    case 0x0f: row->cfa = (struct rule){.how = HOW_EXPRESSION, .expression = skip_block(&p)}; break;
    case 0x10: r = read_uleb(&p); set_expression(row, r, HOW_AT_EXPRESSION, skip_block(&p)); break;
    case 0x11: r = read_uleb(&p); set_rule(row, r, HOW_AT, read_sleb(&p) * e->data_align); break;
    case 0x12: /* def_cfa_sf */
      row->cfa_register = (uint32_t)read_uleb(&p);
      row->cfa = (struct rule){.how = HOW_OFFSET, .number = read_sleb(&p) * e->data_align};
      break;
    case 0x13: row->cfa.number = read_sleb(&p) * e->data_align; break;
    case 0x14: r = read_uleb(&p); set_rule(row, r, HOW_OFFSET, (int64_t)read_uleb(&p) * e->data_align); break;
    case 0x15: r = read_uleb(&p); set_rule(row, r, HOW_OFFSET, read_sleb(&p) * e->data_align); break;
    case 0x16: r = read_uleb(&p); set_expression(row, r, HOW_EXPRESSION, skip_block(&p)); break;
    case 0x2d: break; /* aarch64: the return address is signed from here on, or no longer. The signature is taken off in any case */
    case 0x2e: read_uleb(&p); break; /* GNU_args_size */
    case 0x2f: r = read_uleb(&p); set_rule(row, r, HOW_AT, -(int64_t)read_uleb(&p) * e->data_align); break;
    default: return false;
    }
    if (advance) {
      at += advance * e->code_align;
      if (at > address) return true;
    }
  }
  return true;
}

static bool find_row(const struct entry *e, uintptr_t address, struct machine *m) {
  m->entry = e;
  m->n = 0;
  memset(&m->row, 0, sizeof m->row);
  if (!run(m, e->common, e->common_end, UINTPTR_MAX)) return false;
  m->initial = m->row;
  return run(m, e->own, e->own_end, address);
}

/* ---- expressions ---- */

static bool read_stack(const struct frame *f, uintptr_t address, uintptr_t *value) {
  if (address < f->low || address > f->high - sizeof *value) return false;
  *value = peek(address);
  return true;
}

static bool known(const struct frame *f, uint64_t r) { return r < REGISTERS && f->known >> r & 1; }

/* `first` lies on the machine's stack at the start, where there is one (the CFA). */
static bool evaluate(const struct frame *f, bytes p, const uintptr_t *first, uintptr_t *result) {
  enum { DEPTH = 16, STEPS = 256 };
  uintptr_t s[DEPTH];
  int n = 0;
  uint64_t size = read_uleb(&p);
  bytes end = p + size;
  if (first) s[n++] = *first;
  for (int steps = 0; p < end; steps++) {
    uint8_t op = read_u8(&p);
    uintptr_t a = n > 0 ? s[n - 1] : 0, b = n > 1 ? s[n - 2] : 0; /* the top, and below it */
    int needs = 0, leaves = 1;
    uintptr_t value = 0;
    if (steps == STEPS) return false;
    if (op >= 0x30 && op <= 0x4f) value = op - 0x30;
    else if (op >= 0x50 && op <= 0x6f) {
      if (!known(f, op - 0x50)) return false;
      value = f->r[op - 0x50];
    } else if ((op >= 0x70 && op <= 0x8f) || op == 0x92) {
      uint64_t r = op == 0x92 ? read_uleb(&p) : (uint64_t)(op - 0x70);
      int64_t offset = read_sleb(&p);
      if (!known(f, r)) return false;
      value = f->r[r] + (uintptr_t)offset;
    } else {
      switch (op) {
      case 0x03: case 0x0e: case 0x0f: value = read_u64(&p); break;
      case 0x08: value = read_u8(&p); break;
      case 0x09: value = (uintptr_t)(intptr_t)read_s8(&p); break;
      case 0x0a: value = read_u16(&p); break;
      case 0x0b: value = (uintptr_t)(intptr_t)read_s16(&p); break;
      case 0x0c: value = read_u32(&p); break;
      case 0x0d: value = (uintptr_t)(intptr_t)read_s32(&p); break;
      case 0x10: value = read_uleb(&p); break;
      case 0x11: value = (uintptr_t)read_sleb(&p); break;
      case 0x06: /* deref */
        needs = 1;
        if (!n || !read_stack(f, a, &value)) return false;
        break;
      case 0x94: { /* deref_size */
        uint8_t width = read_u8(&p);
        needs = 1;
        if (!n || width < 1 || width > 8 || !read_stack(f, a, &value)) return false;
        if (width < 8) value &= (UINT64_C(1) << 8 * width) - 1;
        break;
      }
      case 0x12: value = a; if (!n) return false; break;                 /* dup */
      case 0x13: needs = 1; leaves = 0; break;                           /* drop */
      case 0x14: value = b; if (n < 2) return false; break;              /* over */
      case 0x15: { /* pick */
        uint8_t k = read_u8(&p);
        if (k >= n) return false;
        value = s[n - 1 - k];
        break;
      }
      case 0x16: /* swap */
        if (n < 2) return false;
        s[n - 1] = b;
        s[n - 2] = a;
        leaves = 0;
        break;
      case 0x17: { /* rot */
        if (n < 3) return false;
        s[n - 1] = b;
        s[n - 2] = s[n - 3];
        s[n - 3] = a;
        leaves = 0;
        break;
      }
      case 0x19: needs = 1; value = (intptr_t)a < 0 ? 0 - a : a; break;
      case 0x1a: needs = 2; value = b & a; break;
      case 0x1c: needs = 2; value = b - a; break;
      case 0x1e: needs = 2; value = b * a; break;
      case 0x1f: needs = 1; value = 0 - a; break;
      case 0x20: needs = 1; value = ~a; break;
      case 0x21: needs = 2; value = b | a; break;
      case 0x22: needs = 2; value = b + a; break;
      case 0x23: needs = 1; value = a + read_uleb(&p); break;
      case 0x24: needs = 2; value = a < 64 ? b << a : 0; break;
      case 0x25: needs = 2; value = a < 64 ? b >> a : 0; break;
      case 0x26: needs = 2; value = (uintptr_t)((intptr_t)b >> (a < 64 ? a : 63)); break;
      case 0x27: needs = 2; value = b ^ a; break;
      case 0x28: { /* bra */
        int16_t jump = read_s16(&p);
        needs = 1;
        leaves = 0;
        if (a) p += jump;
        break;
      }
      case 0x29: needs = 2; value = b == a; break;
      case 0x2a: needs = 2; value = (intptr_t)b >= (intptr_t)a; break;
      case 0x2b: needs = 2; value = (intptr_t)b > (intptr_t)a; break;
      case 0x2c: needs = 2; value = (intptr_t)b <= (intptr_t)a; break;
      case 0x2d: needs = 2; value = (intptr_t)b < (intptr_t)a; break;
      case 0x2e: needs = 2; value = b != a; break;
      case 0x2f: { /* skip */
        int16_t jump = read_s16(&p);
        leaves = 0;
        p += jump;
        break;
      }
      case 0x96: leaves = 0; break; /* nop */
      default: return false;
      }
    }
    if (needs > n) return false;
    n -= needs;
    if (leaves && n == DEPTH) return false;
    if (leaves) s[n++] = value;
  }
  *result = n ? s[n - 1] : 0;
  return n > 0;
}

/* ---- a step by the rules ---- */

/* Those that a function leaves as they were, besides the stack pointer: what a caller's frame can depend on. */
#if defined(__x86_64__)
static const uint8_t kept[] = {3, 6, 12, 13, 14, 15, REGISTER_RA};
#else
static const uint8_t kept[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, REGISTER_RA};
#endif
enum { KEPT = sizeof kept };
#if defined(__x86_64__)
static const uint64_t KEPT_MASK = 1 << 3 | 1 << 6 | 0xf << 12 | 1 << REGISTER_RA | 1 << REGISTER_SP;
#else
static const uint64_t KEPT_MASK = UINT64_C(0xfff) << 19 | UINT64_C(1) << REGISTER_SP;
#endif

/* Without the signature of aarch64's pointer authentication. */
static uintptr_t plain_address(uintptr_t address) {
#if defined(__aarch64__)
  register uintptr_t x30 __asm__("x30") = address;
  __asm__("hint #7" : "+r"(x30)); /* xpaclri; nothing on processors without */
  return x30;
#else
  return address;
#endif
}

/* The rest of a step: the registers are the caller's. */
static enum step arrive(struct frame *f, uintptr_t cfa, uintptr_t pc, bool interrupted) {
  pc = plain_address(pc);
  if (!pc || (!interrupted && cfa < f->r[REGISTER_SP]) || (cfa == f->r[REGISTER_SP] && pc == f->pc)) return STEP_NONE;
  f->pc = f->r[REGISTER_RA] = pc;
  f->exact = interrupted;
  return interrupted ? STEP_INTERRUPTED : STEP_CALLER;
}

static bool apply(const struct frame *f, const struct rule *rule, uintptr_t cfa, uintptr_t same, uintptr_t *value) {
  uintptr_t at;
  switch (rule->how) {
  case HOW_SAME: *value = same; return true;
  case HOW_AT: return read_stack(f, cfa + (uintptr_t)rule->number, value);
  case HOW_OFFSET: *value = cfa + (uintptr_t)rule->number; return true;
  case HOW_REGISTER: *value = known(f, (uint64_t)rule->number) ? f->r[rule->number] : 0; return known(f, (uint64_t)rule->number);
  case HOW_AT_EXPRESSION: return evaluate(f, rule->expression, &cfa, &at) && read_stack(f, at, value);
  case HOW_EXPRESSION: return evaluate(f, rule->expression, &cfa, value);
  }
  return false;
}

static enum step step_by_row(struct frame *f, const struct entry *e, const struct row *row) {
  uintptr_t cfa, next[REGISTERS];
  uint64_t now_known = 0;
  if (row->cfa.how == HOW_EXPRESSION) {
    if (!evaluate(f, row->cfa.expression, NULL, &cfa)) return STEP_NONE;
  } else {
    if (!known(f, row->cfa_register)) return STEP_NONE;
    cfa = f->r[row->cfa_register] + (uintptr_t)row->cfa.number;
  }
  if (e->return_register >= REGISTERS || row->of[e->return_register].how == HOW_UNDEFINED) return STEP_NONE;
  for (int r = 0; r < REGISTERS; r++) {
    const struct rule *rule = &row->of[r];
    bool same = rule->how == HOW_SAME, survives = e->signal_frame || KEPT_MASK >> r & 1;
    if (same && r == REGISTER_SP) next[r] = cfa;
    else if (same ? !survives || !known(f, (uint64_t)r) : !apply(f, rule, cfa, 0, &next[r])) continue;
    else if (same) next[r] = f->r[r];
    now_known |= UINT64_C(1) << r;
  }
  if (!(now_known >> e->return_register & 1)) return STEP_NONE;
  uintptr_t old_sp = f->r[REGISTER_SP];
  memcpy(f->r, next, sizeof next);
  f->r[REGISTER_SP] = old_sp;
  f->known = now_known;
  enum step step = arrive(f, cfa, next[e->return_register], e->signal_frame);
  f->r[REGISTER_SP] = next[REGISTER_SP];
  return step;
}

/* ---- what is kept ---- */

enum { SLOTS = 1024, WORDS = 6 };
enum { SAVED_SAME = INT16_MIN, SAVED_UNDEFINED };

/* The rules at one address, where each is an offset from a CFA that is a register and an offset: nearly all. */
struct compact {
  uintptr_t address;
  int32_t cfa_offset;
  uint32_t cfa_register;
  int16_t saved[(WORDS - 2) * 4]; /* for each of `kept`, in words from the CFA */
};
_Static_assert(sizeof(struct compact) == WORDS * 8 && KEPT <= (WORDS - 2) * 4, "a kept rule fits its slot");

/* Odd while it is written; who finds it so, a signal handler maybe that interrupted the writer, does without. */
struct slot {
  _Alignas(64) _Atomic(uint64_t) sequence;
  _Atomic(uint64_t) word[WORDS];
};
static struct slot slots[SLOTS];

static struct slot *slot_of(uintptr_t address) { return &slots[(address * UINT64_C(0x9e3779b97f4a7c15)) >> 54]; }

static bool recall(uintptr_t address, struct compact *c) {
  struct slot *s = slot_of(address);
  uint64_t before = load_acquire(&s->sequence), word[WORDS];
  if (load_relaxed(&s->word[0]) != address || !address) return false; /* 0: an empty slot */
  for (int i = 0; i < WORDS; i++) word[i] = load_relaxed(&s->word[i]);
  atomic_thread_fence(memory_order_acquire);
  if (before & 1 || load_relaxed(&s->sequence) != before) return false;
  memcpy(c, word, sizeof *c);
  return c->address == address;
}

static void keep(const struct compact *c) {
  struct slot *s = slot_of(c->address);
  uint64_t before = load_relaxed(&s->sequence), word[WORDS];
  if (before & 1 || !cas(&s->sequence, &before, before + 1)) return;
  atomic_thread_fence(memory_order_release);
  memcpy(word, c, sizeof word);
  for (int i = 0; i < WORDS; i++) store_relaxed(&s->word[i], word[i]);
  store_release(&s->sequence, before + 2);
}

static int note_unloads(struct dl_phdr_info *info, size_t size, void *environment) {
  if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs) *(uint64_t *)environment = info->dlpi_subs;
  return 1;
}

void leat_i_cfi_refresh(void) {
  static _Atomic(uint64_t) seen;
  uint64_t unloads = 0;
  dl_iterate_phdr(note_unloads, &unloads);
  if (exchange(&seen, unloads) == unloads) return;
  for (int i = 0; i < SLOTS; i++) {
    uint64_t before = load_relaxed(&slots[i].sequence);
    if (before & 1 || !cas(&slots[i].sequence, &before, before + 1)) continue;
    store_relaxed(&slots[i].word[0], 0);
    store_release(&slots[i].sequence, before + 2);
  }
}

static bool make_compact(uintptr_t address, const struct entry *e, const struct row *row, struct compact *c) {
  if (e->signal_frame || row->cfa.how != HOW_OFFSET || row->cfa_register >= REGISTERS || row->cfa.number != (int32_t)row->cfa.number) return false;
  if (e->return_register != REGISTER_RA || row->of[REGISTER_SP].how != HOW_SAME) return false;
  *c = (struct compact){.address = address, .cfa_offset = (int32_t)row->cfa.number, .cfa_register = row->cfa_register};
  for (int i = 0; i < KEPT; i++) {
    const struct rule *rule = &row->of[kept[i]];
    int64_t words = rule->number / 8;
    if (rule->how == HOW_SAME) c->saved[i] = SAVED_SAME;
    else if (rule->how == HOW_UNDEFINED) c->saved[i] = SAVED_UNDEFINED;
    else if (rule->how == HOW_AT && rule->number % 8 == 0 && words > SAVED_UNDEFINED && words <= INT16_MAX) c->saved[i] = (int16_t)words;
    else return false;
  }
  return true;
}

static enum step step_by_compact(struct frame *f, const struct compact *c) {
  if (!known(f, c->cfa_register)) return STEP_NONE;
  uintptr_t cfa = f->r[c->cfa_register] + (uintptr_t)(intptr_t)c->cfa_offset;
  uint64_t now_known = f->known & KEPT_MASK;
  for (int i = 0; i < KEPT; i++) {
    int words = c->saved[i];
    uint64_t bit = UINT64_C(1) << kept[i];
    if (words == SAVED_SAME) continue;
    if (words != SAVED_UNDEFINED && read_stack(f, cfa + (uintptr_t)(intptr_t)(words * 8), &f->r[kept[i]])) now_known |= bit;
    else now_known &= ~bit;
  }
  f->known = now_known;
  if (!known(f, REGISTER_RA)) return STEP_NONE;
  enum step step = arrive(f, cfa, f->r[REGISTER_RA], false);
  f->r[REGISTER_SP] = cfa;
  return step;
}

/* ---- where no table knows the address ---- */

/* Whether the word around the address can be read. The kernel reads the set before it finds that there is no such operation. */
static bool readable(uintptr_t address) {
  enum { NO_SUCH_OPERATION = -1 };
  int saved = errno;
  bool yes = syscall(SYS_rt_sigprocmask, NO_SUCH_OPERATION, address & ~(uintptr_t)7, NULL, 8) == -1 && errno == EINVAL;
  errno = saved;
  return yes;
}

/* The code that a signal handler returns to, of a libc or kernel that has no tables for it (musl, qemu-user). */
static bool is_signal_return(uintptr_t pc) {
#if defined(__x86_64__)
  static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}; /* mov $15, %rax; syscall */
#else
  static const uint8_t code[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4}; /* mov x8, #139; svc #0 */
#endif
  enum { TAIL = sizeof code - 8 };
  uintptr_t first, last;
  memcpy(&first, code, 8);
  memcpy(&last, code + TAIL, 8);
  return readable(pc) && readable(pc + sizeof code - 1) && peek(pc) == first && peek(pc + TAIL) == last;
}

static uintptr_t context_word(const struct frame *f, uintptr_t context, size_t offset, bool *all) {
  uintptr_t value = 0;
  *all &= read_stack(f, context + offset, &value);
  return value;
}

/* The frame that the kernel has put on the stack for a signal. */
static enum step step_by_signal_frame(struct frame *f) {
  struct frame before = *f;
  bool all = true;
#if defined(__x86_64__)
  uintptr_t context = f->r[REGISTER_SP];
  static const uint8_t order[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, REGISTER_RA}; /* of gregs, in DWARF's numbers */
  for (size_t i = 0; i < sizeof order; i++) f->r[order[i]] = context_word(&before, context, offsetof(ucontext_t, uc_mcontext.gregs) + 8 * i, &all);
  f->pc = f->r[REGISTER_RA];
#else
  uintptr_t context = f->r[REGISTER_SP] + 128; /* behind the siginfo */
  for (size_t i = 0; i < 31; i++) f->r[i] = context_word(&before, context, offsetof(ucontext_t, uc_mcontext.regs) + 8 * i, &all);
  f->r[REGISTER_SP] = context_word(&before, context, offsetof(ucontext_t, uc_mcontext.sp), &all);
  f->pc = context_word(&before, context, offsetof(ucontext_t, uc_mcontext.pc), &all);
#endif
  f->known = ~UINT64_C(0);
  f->exact = true;
  return all ? STEP_INTERRUPTED : STEP_NONE;
}

static bool is_code(uintptr_t return_address) {
  struct entry e;
  return find_entry(return_address - 1, &e);
}

/* Nothing has happened yet but the call: it was one through a null pointer, or to a stub of the linker's. */
static bool step_by_call(struct frame *f) {
  uintptr_t pc = f->r[REGISTER_RA], sp = f->r[REGISTER_SP];
  if (!f->exact) return false;
#if defined(__x86_64__)
  if (!read_stack(f, sp, &pc)) return false;
  sp += 8;
#endif
  if (!is_code(pc)) return false;
  f->r[REGISTER_SP] = sp;
  f->pc = pc;
  return true;
}

static bool step_by_frame_pointer(struct frame *f) {
  uintptr_t fp = f->r[REGISTER_FP], next, pc;
  if (!known(f, REGISTER_FP) || fp & 7 || fp < f->r[REGISTER_SP] || !read_stack(f, fp, &next) || !read_stack(f, fp + 8, &pc)) return false;
  pc = plain_address(pc);
  if (!is_code(pc)) return false;
  f->r[REGISTER_FP] = next;
  f->r[REGISTER_SP] = fp + 16;
  f->pc = pc;
  return true;
}

static enum step step_without_table(struct frame *f) {
  if (!f->exact && is_signal_return(f->pc)) return step_by_signal_frame(f);
  if (!step_by_call(f) && !step_by_frame_pointer(f)) return STEP_NONE;
  f->r[REGISTER_RA] = f->pc;
  f->known &= KEPT_MASK;
  f->exact = false;
  return STEP_CALLER;
}

/* Not inlined: its frame is large, and a step by what is kept has no need of it. */
static __attribute__((noinline)) enum step step_by_table(struct frame *f, uintptr_t address) {
  struct entry e;
  struct machine m;
  struct compact c;
  if (!find_entry(address, &e)) return step_without_table(f);
  if (!find_row(&e, address, &m)) return STEP_NONE;
  if (make_compact(address, &e, &m.row, &c)) keep(&c);
  return step_by_row(f, &e, &m.row);
}

enum step leat_i_cfi_step(struct frame *f) {
  struct compact c;
  uintptr_t address = f->pc - !f->exact;
  return recall(address, &c) ? step_by_compact(f, &c) : step_by_table(f, address);
}
