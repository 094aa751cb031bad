/* What LeakSanitizer does not see: the stacks of goroutines that are parked when the process exits. Only in builds with AddressSanitizer.
 *
 * It looks for pointers in threads' stacks and in registered regions. Stacks are registered at exit, just before it looks, and not while
 * goroutines come and go: taking a region back searches all of them, and a region of a stack that is free would keep alive what the
 * goroutine that had it has lost. */
#define _GNU_SOURCE
#include "goroutine.h"
#include "sanitize.h"
#include "stack.h"
#include <stdio.h>
#include <stdlib.h>

void __lsan_register_root_region(const void *begin, size_t size);

static void register_stack(struct goroutine *g, void *unused) {
  (void)unused;
  __lsan_register_root_region(g->stack_low, (size_t)((char *)(g + 1) - g->stack_low));
}

/* With detect_stack_use_after_return=1 locals lie in a mapping of ASan's own, of which only a pointer is known here. */
struct mapping {
  const char *begin, *end;
  bool has_frames;
};
static void look_for_frames(struct goroutine *g, void *environment) {
  struct mapping *m = environment;
  const char *fake = g->asan_fake_stack;
  m->has_frames |= fake && fake >= m->begin && fake < m->end;
}
static void register_frames(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  char line[512];
  struct mapping m = {0};
  while (maps && fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%p-%p", (void **)&m.begin, (void **)&m.end) != 2) continue;
    m.has_frames = false;
    leat_i_stacks_each(look_for_frames, &m);
    if (m.has_frames) __lsan_register_root_region(m.begin, (size_t)(m.end - m.begin));
  }
  if (maps) fclose(maps);
}

static void any_frames(struct goroutine *g, void *any) { *(bool *)any |= g->asan_fake_stack != NULL; }

static void at_exit(void) {
  bool frames = false;
  leat_i_stacks_each(register_stack, NULL);
  leat_i_stacks_each(any_frames, &frames);
  if (frames) register_frames();
}

void leat_i_leak_roots(void) {
  static _Atomic(bool) done;
  if (!exchange(&done, true)) atexit(at_exit);
}
