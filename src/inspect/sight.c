/* See sight.h. */
#include "sight.h"
#include "../core/scope.h"
#include "../runtime/scheduler.h"
#include "cfi.h"
#include "running.h"
#include "unwind.h"
#include <string.h>

enum { LOOKS = 4 };

static void copy_text(char *to, size_t size, const char *from) {
  size_t n = from ? strnlen(from, size - 1) : 0;
  if (n) memcpy(to, from, n);
  to[n] = 0;
}

static bool waits(struct goroutine *g) { return is_waiting(load_acquire(&g->wait)); }

/* What it does; answers whether it was at that all the while. */
static bool look_once(struct goroutine *g, bool trace, struct sight *s) {
  int64_t since = load_acquire(&g->since);
  bool waiting = waits(g);
  struct worker *on = waiting || g->kind == KIND_FOREIGN ? NULL : leat_i_is_on_worker(g);
  uintptr_t sp = peek((uintptr_t)&g->sp), low = (uintptr_t)g->stack_low, high = (uintptr_t)g->stack_high;
  s->state = waiting ? SEEN_WAITING : on || g->kind == KIND_FOREIGN ? SEEN_RUNNING : SEEN_RUNNABLE;
  s->thread = on ? load_relaxed(&on->thread_id) : 0;
  s->since = s->state == SEEN_RUNNING ? 0 : since;
  s->used = s->state != SEEN_RUNNING && sp > low && sp < high ? high - sp : 0;
  s->reason = waiting ? load_relaxed(&g->reason) : WAIT_NOTHING;
  if (waiting) leat_i_describe_wait(s->reason, load_relaxed(&g->waits_for), trace, s->wait);
  s->n = !trace ? 0 : on ? leat_i_unwind_running(g, on, s->pcs, SIGHT_FRAMES) : leat_i_unwind_goroutine(g, s->pcs, SIGHT_FRAMES);
  return load_acquire(&g->since) == since && waits(g) == waiting;
}

void leat_i_look(struct goroutine *g, bool trace, struct sight *s) {
  s->kind = g->kind;
  s->id = g->id;
  s->parent = g->ancestors[0].id;
  s->stack = (size_t)(g->stack_high - g->stack_low);
  s->service = g->service;
  copy_text(s->name, SIGHT_NAME, g->name);
  copy_text(s->birthplace, SIGHT_PLACE, g->birthplace);
  copy_text(s->scope, SIGHT_PLACE, g->base->birthplace);
  s->wait[0] = 0;
  for (int i = 0; i < LOOKS && !look_once(g, trace, s); i++) {}
}
