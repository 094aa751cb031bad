/* See goroutine.h and leat/goroutine.h. */
#define _GNU_SOURCE
#include "goroutine.h"
#include "../core/membership.h"
#include "../core/panic.h"
#include "../core/scope.h"
#include "../inspect/fault.h"
#include "../inspect/leak.h"
#include "report.h"
#include "runtime.h"
#include "scheduler.h"
#include "switch.h"
#include <leat/runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGS = 4096, ID_BLOCK = 64, ENTRY_ROOM = 3 * 1024 /* the first frames, and the stagger of stack.c */ };

/* Numbers are taken in blocks, so that starting goroutines does not make workers share a cache line. */
uint64_t leat_i_goroutine_new_id(void) {
  static _Atomic(uint64_t) next = 1;
  struct worker *w = leat_i_worker();
  if (!w) return add(&next, 1);
  if (w->next_id == w->last_id) {
    w->next_id = add(&next, ID_BLOCK);
    w->last_id = w->next_id + ID_BLOCK;
  }
  return w->next_id++;
}

struct goroutine *leat_i_goroutine_new(const struct goroutine_start *start) {
  size_t size = start->fn->size, stack = start->options->stack;
  if (size > MOST_ARGS || stack > SIZE_MAX / 2) return NULL;
  if (stack) stack += sizeof(struct goroutine) + ENTRY_ROOM + size; /* what was asked for is what the function gets */
  struct worker *w = leat_i_worker();
  struct goroutine *g = leat_i_stack_get(w && !w->pinned ? &w->stacks : NULL, stack);
  if (!g) return NULL;
  char *args = (char *)(((uintptr_t)g - size) & ~(uintptr_t)15);
  memcpy(args, start->args, size);
  struct slab *slab = g->slab; /* in variables: a literal that reads *g would be made elsewhere and copied */
  uint32_t slot = g->slot, canary = g->canary;
  char *low = g->stack_low, *high = g->stack_high;
  *g = (struct goroutine){
    .sp = leat_i_switch_prepare(args, g),
    .scope = start->scope,
    .base = start->scope,
    .fn = start->fn,
    .args = args,
    .name = start->options->name ? start->options->name : start->fn->name,
    .birthplace = start->birthplace,
    .id = leat_i_goroutine_new_id(),
    .task = start->task,
    .waitgroup = start->options->leat_i_waitgroup,
    .service = start->options->service,
    .epoch = leak_epoch(),
    .unlisted = true,
    .slab = slab,
    .slot = slot,
    .canary = canary,
    .stack_low = low,
    .stack_high = high,
  };
  leat_i_ancestry_record(g, start->starter);
#ifdef LEAT_TSAN
  g->tsan_fiber = __tsan_create_fiber(0);
  if (g->name) __tsan_set_fiber_name(g->tsan_fiber, g->name);
#endif
  happens_anew(g);
  leat_i_stack_live(g);
  if (w) count_in(&w->counters, COUNT_STARTED, 1);
  else leat_i_count(COUNT_STARTED, 1);
  return g;
}

static void no_longer_live(struct goroutine *g) {
  leat_i_stack_not_live(g);
  leat_i_count(COUNT_ENDED, 1);
}

void leat_i_goroutine_discard(struct goroutine *g) {
  no_longer_live(g);
  leat_i_start_stacks_release(g->start_stacks);
#ifdef LEAT_TSAN
  __tsan_destroy_fiber(g->tsan_fiber);
#endif
  leat_i_stack_put(NULL, g);
}

/* The first frame on every stack the runtime makes: goroutines', and the idle context's of the main thread's worker. */
__attribute__((used, visibility("hidden"))) void leat_i_goroutine_main(struct goroutine *g);
void leat_i_goroutine_main(struct goroutine *g) {
  leat_i_context_arrive();
  if (g->kind == KIND_IDLE) {
    leat_i_work_loop(leat_i_worker());
    leat_i_die("internal error: the main thread's worker ended");
  }
  leat_i_goroutine_exit(g, g->fn->thunk(g->args));
}

_Noreturn void leat_i_goroutine_exit(struct goroutine *self, int status) {
  if (unlikely(self->canary) && !leat_i_stack_intact(self)) leat_i_report_overflow(self); /* before anyone hears of its end */
  self->status = status;
  leat_i_holds_release(&self->holds);
  no_longer_live(self);
  leat_i_scope_remove(self); /* from here on whoever waited may be gone, and the scope with him */
  leat_i_start_stacks_release(self->start_stacks);
  leat_i_leave_for_good(self);
}

/* ---- starting ---- */

/* Fills in the starter, and the scope if there is none. */
static int start(struct goroutine_start *s) {
  struct goroutine *self = leat_i_self();
  leat_i_scope_check(s->scope, "starting a goroutine");
  if (!s->scope) s->scope = self->scope;
  s->starter = self;
  struct goroutine *g = leat_i_goroutine_new(s);
  int status = g ? leat_i_member_start(self, s->scope, g) : LEAT_NOMEM;
  if (status == LEAT_OK && s->options->pinned && (status = leat_i_start_pinned(g)) != LEAT_OK) leat_i_member_take_back(g);
  if (status != LEAT_OK) {
    if (g) leat_i_goroutine_discard(g);
    if (status == LEAT_NOMEM) leat_i_scope_fail(s->scope, LEAT_NOMEM, "a goroutine could not be started", NULL, s->birthplace);
    return status;
  }
  leat_i_holds_hand_on(self, &g->holds, s->args, s->fn->size);
  if (s->task) s->task->goroutine = g->id;
  leat_i_start(self, g);
  return LEAT_OK;
}

int leat_i_go(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o) {
  happens_call();
  return start(&(struct goroutine_start){.scope = (struct scope *)s, .fn = fn, .args = args, .birthplace = birthplace, .options = o});
}

leat_task *leat_i_spawn(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o) {
  happens_call();
  struct scope *scope = s ? (struct scope *)s : leat_i_self()->scope;
  struct leat_task *task = leat_i_task_new(scope);
  struct goroutine_start starts = {.scope = scope, .fn = fn, .args = args, .birthplace = birthplace, .options = o, .task = task};
  int status = leat_i_task_usable(task) ? start(&starts) : LEAT_NOMEM;
  if (status != LEAT_OK) leat_i_task_complete(task, status, NULL);
  return task;
}

int leat_go_closure(const struct leat_scope *s, leat_closure c) {
  happens_call();
  return leat_i_go(s, c.leat_i_fn, c.leat_i_args, c.leat_i_birthplace, &(leat_go_options){0});
}

int leat_call(leat_closure c) {
  happens_call();
  return c.leat_i_fn->thunk(c.leat_i_args);
}

struct raw_args {
  int (*fn)(void *);
  void *arg;
};
static int raw_thunk(void *args) {
  struct raw_args *r = args;
  return r->fn(r->arg);
}

int leat_go_raw(const struct leat_scope *s, const char *name, int (*fn)(void *), void *arg) {
  happens_call();
  static const struct leat_i_fn raw = {raw_thunk, "raw", sizeof(struct raw_args), 1};
  return leat_i_go(s, &raw, &(struct raw_args){fn, arg}, NULL, &(leat_go_options){.name = name});
}

/* ---- what a goroutine can do about itself ---- */

int leat_yield(void) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  self->ignored = 0;
  leat_i_yield(self);
  return LEAT_OK;
}

int leat_checkpoint(void) {
  struct worker *w = leat_i_worker();
  if (likely(w != NULL)) return leat_i_checkpoint(w);
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  self->ignored = 0;
  return LEAT_OK;
}

uint64_t leat_goroutine_id(void) {
  const struct goroutine *self = leat_i_self();
  return self->kind == KIND_FOREIGN ? 0 : self->id;
}

const char *leat_goroutine_name(void) {
  const char *name = leat_i_self()->name;
  return name ? name : "";
}
