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
static uint64_t new_ids(uint32_t n) {
  static _Atomic(uint64_t) next = 1;
  return add(&next, n);
}
static __attribute__((noinline)) uint64_t new_id_elsewhere(struct worker *w) {
  if (!w) return new_ids(1);
  uint64_t id = new_ids(ID_BLOCK);
  w->next_id = id + 1;
  w->last_id = id + ID_BLOCK;
  return id;
}
static inline uint64_t new_id(struct worker *w) { return likely(w && w->next_id != w->last_id) ? w->next_id++ : new_id_elsewhere(w); }
uint64_t leat_i_goroutine_new_id(void) { return new_id(leat_i_worker()); }

static inline void record_ancestry(struct goroutine *g, const struct goroutine *starter) {
  if (likely(starter && starter->kind != KIND_FOREIGN)) {
    memcpy(g->ancestors, starter->lineage, sizeof g->ancestors);
  } else {
    memset(g->ancestors, 0, sizeof g->ancestors);
    if (starter) g->ancestors[0].name = "a thread that is not leat's";
  }
  if (unlikely(load_relaxed(&leat_i_keeps_start_stacks)) && starter) g->start_stacks = leat_i_start_stacks_record(starter->start_stacks);
}

#define OFFSET(field) offsetof(struct goroutine, field)
#define ZERO(g, from, to) memset((char *)(g) + OFFSET(from), 0, OFFSET(to) - OFFSET(from))
_Static_assert(OFFSET(unlock) == 64 && OFFSET(id) == 120, "what waking and switching touch is two lines of the cache");
#if !defined(LEAT_ASAN) && !defined(LEAT_TSAN)
_Static_assert(sizeof(struct goroutine) <= 384, "stacks would begin a line of the cache lower: with that a ring of 1,000 was a twentieth slower");
#endif

/* Each field is written once, and those that are zero with wide stores: which they are, goroutine.h says. */
static inline __attribute__((always_inline)) struct goroutine *goroutine_new(struct worker *w, const struct goroutine_start *start) {
  const struct leat_i_fn *fn = start->fn;
  const leat_go_options *options = start->options;
  size_t size = fn->size, stack = options->stack;
  if (unlikely(size > MOST_ARGS || stack > SIZE_MAX / 2)) return NULL;
  if (unlikely(stack)) stack += sizeof(struct goroutine) + ENTRY_ROOM + size; /* what was asked for is what the function gets */
  struct goroutine *g = stack_get(w && !w->pinned ? &w->stacks : NULL, stack);
  if (unlikely(!g)) return NULL;
  char *args = (char *)(((uintptr_t)g - size) & ~(uintptr_t)15);
  memcpy(args, start->args, size);
  ZERO(g, sp, unlock);
  ZERO(g, park_lock, unlisted);
  ZERO(g, server, holds); /* in two: gcc makes a loop of more than 64 bytes */
  ZERO(g, holds, base);
  g->sp = switch_prepare(args, g);
  g->scope = start->scope;
  g->base = start->scope;
  g->fn = fn;
  g->args = args;
  g->task = start->task;
  g->waitgroup = options->leat_i_waitgroup;
  g->name = options->name ? options->name : fn->name;
  g->id = new_id(w);
  g->function = fn->name;
  g->birthplace = start->birthplace;
  g->epoch = leak_epoch();
  g->service = options->service;
  g->unlisted = true;
  record_ancestry(g, start->starter);
#ifdef LEAT_ASAN
  g->asan_fake_stack = NULL; /* that of who lived here before is gone */
#endif
#ifdef LEAT_TSAN
  g->tsan_fiber = __tsan_create_fiber(0);
  if (g->name) __tsan_set_fiber_name(g->tsan_fiber, g->name);
#endif
  happens_anew(g);
  stack_live(g);
  if (likely(w != NULL)) count_in(&w->counters, COUNT_STARTED, 1);
  else leat_i_count(COUNT_STARTED, 1);
  return g;
}

struct goroutine *leat_i_goroutine_new(const struct goroutine_start *start) { return goroutine_new(leat_i_worker(), start); }

void leat_i_goroutine_discard(struct goroutine *g) {
  stack_not_live(g);
  leat_i_count(COUNT_ENDED, 1);
  leat_i_start_stacks_release(g->start_stacks);
#ifdef LEAT_TSAN
  __tsan_destroy_fiber(g->tsan_fiber);
#endif
  leat_i_stack_put(NULL, g);
}

static __attribute__((noinline)) void report_overflow_unless_intact(struct goroutine *self) {
  if (!leat_i_stack_intact(self)) leat_i_report_overflow(self);
}

/* It has something to give back, or to tell. */
static inline bool has_to_settle(const struct goroutine *g) {
  return (uintptr_t)g->holds | (uintptr_t)g->error | (uintptr_t)g->last_failure | (uintptr_t)g->start_stacks | (uintptr_t)g->task | (uintptr_t)g->waitgroup | (unsigned)g->status;
}

static __attribute__((noinline)) struct worker *settle(struct goroutine *self) {
  leat_i_scope_tell_end(self);
  leat_i_start_stacks_release(self->start_stacks);
  return leat_i_worker();
}

_Noreturn void leat_i_goroutine_exit(struct goroutine *self, int status) {
  if (unlikely(self->canary)) report_overflow_unless_intact(self); /* before anyone hears of its end */
  self->status = status;
  bool settles = has_to_settle(self);
  if (unlikely(settles)) leat_i_holds_release(&self->holds);
  stack_not_live(self);
  struct worker *w = leat_i_worker();
  count_in(&w->counters, COUNT_ENDED, 1);
  if (unlikely(settles)) w = settle(self);
  member_ended(w, self); /* from here on whoever waited may be gone, and the scope with him */
  leat_i_leave_for_good(self);
}

/* ---- starting ---- */

static int did_not_start(const struct goroutine_start *s, struct goroutine *g, int status) {
  if (g) leat_i_goroutine_discard(g);
  if (status == LEAT_NOMEM) leat_i_scope_fail(s->scope, LEAT_NOMEM, "a goroutine could not be started", NULL, s->birthplace);
  return status;
}

/* Fills in the starter, and the scope if there is none. */
static inline __attribute__((always_inline)) int start_on(struct worker *w, struct goroutine_start s) {
  struct goroutine *self = w ? load_relaxed(&w->current) : leat_i_foreign_self();
  leat_i_scope_check(s.scope, "starting a goroutine");
  if (!s.scope) s.scope = self->scope;
  s.starter = self;
  struct goroutine *g = goroutine_new(w, &s);
  int status = likely(g != NULL) ? member_start(w, self, s.scope, g) : LEAT_NOMEM;
  if (unlikely(s.options->pinned) && status == LEAT_OK && (status = leat_i_start_pinned(g)) != LEAT_OK) leat_i_member_take_back(g);
  if (unlikely(status != LEAT_OK)) {
    struct goroutine_start failed = s; /* likewise, for leat_i_go */
    return did_not_start(&failed, g, status);
  }
  holds_hand_on(self, &g->holds, s.args, s.fn->size);
  if (s.task) s.task->goroutine = g->id;
  return leat_i_start(self, g);
}

/* Not on the fast path: with a task, and on plain threads. */
static __attribute__((noinline)) int start(const struct goroutine_start *s) { return start_on(leat_i_worker(), *s); }

int leat_i_go(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o) {
  happens_call();
  struct worker *w = leat_i_worker();
  struct goroutine_start starts = {.scope = (struct scope *)s, .fn = fn, .args = args, .birthplace = birthplace, .options = o};
  if (likely(w != NULL)) return start_on(w, starts);
  struct goroutine_start copy = starts; /* so that the other need not be in memory */
  return start(&copy);
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
