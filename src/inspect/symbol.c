/* See symbol.h. libbacktrace reads the debug information and symbol tables of what is loaded when the first address is looked up, and more
 * of it as it goes on, one thread at a time. It cannot be told of a module that was loaded later, nor be freed: when the loader has added
 * or removed one, a fresh state replaces the old one, which stays where it is.
 *
 * Without libbacktrace (src/inspect/meson.build says when) the loader's own tables remain: exported functions, no lines. */
#define _GNU_SOURCE
#include "symbol.h"
#include "../runtime/scheduler.h"
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#ifdef LEAT_BACKTRACE
#pragma GCC visibility push(hidden)
#include <backtrace.h>
#pragma GCC visibility pop
#endif

enum { ROOM = 40 * 1024, THREAD_STACK = 256 * 1024, TEXT = 512 }; /* reading DWARF was measured to take 14 KiB */

/* ---- modules ---- */

struct module {
  uintptr_t pc, base;
  const char *name;
  unsigned long long changes; /* how often one was loaded or unloaded */
};

static int holds(struct dl_phdr_info *info, size_t size, void *environment) {
  (void)size;
  struct module *m = environment;
  m->changes = info->dlpi_adds + info->dlpi_subs;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD || m->pc - info->dlpi_addr - p->p_vaddr >= p->p_memsz) continue;
    m->base = info->dlpi_addr;
    m->name = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : program_invocation_name;
    return 1;
  }
  return 0;
}

static struct module module_of(uintptr_t pc) {
  struct module m = {.pc = pc};
  dl_iterate_phdr(holds, &m);
  return m;
}

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

uintptr_t leat_i_module_offset(uintptr_t pc, uint32_t *module) {
  struct module m = module_of(pc);
  *module = 2166136261u;
  for (const char *c = last_part(m.name ? m.name : ""); *c; c++) *module = (*module ^ (unsigned char)*c) * 16777619u;
  return pc - m.base;
}

/* ---- looking up ---- */

struct look_up {
  void (*each)(void *, const struct symbol *);
  void *environment;
  struct symbol symbol; /* with what is known of the module */
  int found;
};

static void report(struct look_up *l, const char *function, const char *file, int line) {
  struct symbol s = l->symbol;
  s.function = function;
  s.file = file;
  s.line = line;
  l->found++;
  l->each(l->environment, &s);
}

#ifdef LEAT_BACKTRACE
static void on_error(void *environment, const char *message, int number) { (void)environment, (void)message, (void)number; }

/* With the lock. */
static struct backtrace_state *state_for(unsigned long long changes) {
  static struct backtrace_state *state;
  static unsigned long long changes_then;
  if (state && changes == changes_then) return state;
  struct backtrace_state *fresh = backtrace_create_state(NULL, 0, on_error, NULL);
  if (!fresh) return state;
  changes_then = changes;
  return state = fresh;
}

static int on_line(void *environment, uintptr_t pc, const char *file, int line, const char *function) {
  (void)pc;
  if (function || file) report(environment, function, file, line);
  return 0;
}

static void on_name(void *environment, uintptr_t pc, const char *name, uintptr_t value, uintptr_t size) {
  (void)pc, (void)value, (void)size;
  if (name) report(environment, name, NULL, 0);
}

static void look_up(struct look_up *l, const struct module *m) {
  static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
  if (!m->name || pthread_mutex_lock(&lock)) return; /* this thread holds it: a fault while it looked something up */
  struct backtrace_state *state = state_for(m->changes);
  if (state) backtrace_pcinfo(state, m->pc, on_line, on_error, l);
  if (state && !l->found) backtrace_syminfo(state, m->pc, on_name, on_error, l);
  pthread_mutex_unlock(&lock);
}
#else
static void look_up(struct look_up *l, const struct module *m) { (void)l, (void)m; }
#endif

void leat_i_symbolize(uintptr_t pc, void (*each)(void *, const struct symbol *), void *environment) {
  struct module m = module_of(pc);
  struct look_up l = {.each = each, .environment = environment, .symbol = {.module = m.name, .offset = pc - m.base}};
  look_up(&l, &m);
  Dl_info info;
  if (!l.found) report(&l, m.name && dladdr((void *)pc, &info) ? info.dli_sname : NULL, NULL, 0);
}

void leat_i_symbol_text(const struct symbol *s, char *buffer, size_t size) {
  char place[TEXT];
  if (s->file) snprintf(place, sizeof place, "%s:%d", last_part(s->file), s->line);
  else snprintf(place, sizeof place, "%s%s0x%lx", s->module ? last_part(s->module) : "", s->module ? "+" : "", (unsigned long)s->offset);
  if (s->function) snprintf(buffer, size, "%s (%s)", s->function, place);
  else snprintf(buffer, size, "%s", place);
}

/* ---- room ---- */

struct call {
  void (*fn)(void *);
  void *environment;
};

static void *run_call(void *call) {
  struct call *c = call;
  c->fn(c->environment);
  return NULL;
}

static __attribute__((noinline)) bool room_here(void) {
  struct worker *w = leat_i_worker();
  struct goroutine *g = w ? load_relaxed(&w->current) : NULL;
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  bool on_its_stack = g && here - (uintptr_t)g->stack_low < (uintptr_t)(g->stack_high - g->stack_low);
  return !on_its_stack || here - (uintptr_t)g->stack_low > ROOM; /* threads' stacks, and that of signal handlers, are large */
}

void leat_i_with_room(void (*fn)(void *), void *environment) {
  struct call c = {fn, environment};
  pthread_attr_t attributes;
  pthread_t thread;
  bool started = false;
  if (!room_here() && pthread_attr_init(&attributes) == 0) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&thread, &attributes, run_call, &c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
  }
  if (started) pthread_join(thread, NULL);
  else fn(environment);
}

struct printing {
  FILE *out;
  const char *indent;
  const uintptr_t *pcs;
  int n;
};

static void print_symbol(void *environment, const struct symbol *s) {
  struct printing *p = environment;
  char text[TEXT];
  leat_i_symbol_text(s, text, sizeof text);
  fprintf(p->out, "%sat %s\n", p->indent, text);
}

static void print_all(void *environment) {
  struct printing *p = environment;
  for (int i = 0; i < p->n; i++) leat_i_symbolize(p->pcs[i] - 1, print_symbol, p);
}

void leat_i_print_frames(FILE *out, const char *indent, const uintptr_t *pcs, int n) {
  leat_i_with_room(print_all, &(struct printing){out, indent, pcs, n});
}
