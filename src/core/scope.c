/* See scope.h and leat/scope.h. */
#define _GNU_SOURCE
#include "scope.h"
#include "../runtime/fence.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../inspect/leak.h"
#include "channel.h"
#include "error.h"
#include "membership.h"
#include "panic.h"
#include "time.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LEAT_DEBUG
/* Debug builds keep freed contexts for a while, so that a handle that outlived one is recognised; a block's is, while its stack is not used
 * otherwise. */
enum { QUARANTINE = 1024 };
#define SCOPE_DEAD UINT64_C(0xdead11ea75c09e)
static struct scope *quarantine[QUARANTINE];
static _Atomic(uint32_t) quarantined;

void leat_i_scope_check(const struct scope *s, const char *operation) {
  if (s && s->magic != SCOPE_ALIVE)
    leat_i_panic("%s on a scope that has ended (made at %s)", operation, s->magic == SCOPE_DEAD ? s->birthplace : "an unknown place");
}

static void set_alive(struct scope *s) { s->magic = SCOPE_ALIVE; }
static void set_dead(struct scope *s) { s->magic = SCOPE_DEAD; }
void leat_i_context_free(struct scope *s) {
  uint32_t at = add(&quarantined, 1) % QUARANTINE;
  free(__atomic_exchange_n(&quarantine[at], s, __ATOMIC_ACQ_REL));
}
#else
static inline void set_alive(struct scope *s) { (void)s; }
static inline void set_dead(struct scope *s) { (void)s; }
void leat_i_context_free(struct scope *s) { free(s); }
#endif

/* ---- what only some scopes have ---- */

struct extra *leat_i_scope_extra(struct scope *s) {
  struct extra *x = load_acquire(&s->extra);
  if (x) return x;
  struct extra *fresh = calloc(1, sizeof *fresh);
  lock_take(&s->lock);
  x = load_relaxed(&s->extra);
  if (!x) store_release(&s->extra, x = fresh);
  lock_drop(&s->lock);
  if (x != fresh) free(fresh);
  return x;
}

void *leat_i_scope_alloc(struct scope *s, size_t size) {
  struct extra *x = leat_i_scope_extra(s);
  struct kept *k = x ? calloc(1, sizeof *k + size) : NULL;
  if (!k) return NULL;
  lock_take(&s->lock);
  k->next = x->kept;
  x->kept = k;
  lock_drop(&s->lock);
  return k->memory;
}

int leat_i_watch(struct watch *w, struct scope *s) {
  struct extra *x = leat_i_scope_extra(s);
  if (!x) return LEAT_NOMEM;
  w->watched = s;
  lock_take(&s->lock);
  int status = load_relaxed(&s->status);
  if (!status) {
    w->previous = NULL;
    w->next = x->watches;
    if (x->watches) x->watches->previous = w;
    x->watches = w;
    store_relaxed(&w->state, WATCH_SET);
  }
  lock_drop(&s->lock);
  return status;
}

static void unlink_watch(struct extra *x, struct watch *w) {
  if (w->previous) w->previous->next = w->next;
  else x->watches = w->next;
  if (w->next) w->next->previous = w->previous;
}

/* What a cancel under way has still to do does not block, and who cancels does not yield. */
static void let_canceller_go_on(int *spins) {
  if (++*spins < 100) cpu_relax();
  else sched_yield();
}

bool leat_i_unwatch(struct watch *w) {
  bool was_set = false;
  if (load_acquire(&w->state) == WATCH_SET) {
    struct scope *s = w->watched;
    lock_take(&s->lock);
    was_set = load_relaxed(&w->state) == WATCH_SET;
    if (was_set) {
      unlink_watch(load_relaxed(&s->extra), w);
      store_relaxed(&w->state, WATCH_IDLE);
    }
    lock_drop(&s->lock);
  }
  for (int spins = 0; load_acquire(&w->state) == WATCH_FIRING;) let_canceller_go_on(&spins);
  return was_set;
}

/* ---- cancelling ---- */

/* Claims a goroutine that waits in the scope. Answers whether there is room for another. */
static bool interrupt(struct scope *s, struct goroutine *g, void *cancel) {
  struct cancel *c = cancel;
  uint32_t word = load_seq(&g->wait);
  if (!is_waiting(word) || word >> 2 > s->depth || !leat_i_claim_by_any(g, load_relaxed(&s->status))) return true;
  happens_before(g);
  batch_add(c->interrupted, g);
  return !batch_is_full(c->interrupted);
}
static void let_interrupted_go_on(void *cancel) { leat_i_ready_batch(((struct cancel *)cancel)->interrupted); }

/* Who sees a scope cancelled and then waits for it, or for a home above, waits for its hooks as well. But a hook's goroutine is counted only
 * when it has been made, after the walk. So joins are held up from before the status can be seen: for each hook, and, while the walk goes on,
 * in the scopes above its top that count for it (those below are locked by it). */
static void hold_up_joins(struct scope *s) {
  for (; s; s = leat_i_also_counted(s)) add(&s->holding_up, 1);
}
static void let_joins_go_on(struct scope *s) {
  for (struct scope *up; s; s = up) {
    up = leat_i_also_counted(s);
    sub(&s->holding_up, 1); /* from here on the scope may be gone */
  }
}

/* With the scope's lock. */
static void collect_watches(struct scope *s, struct extra *x, struct cancel *c) {
  bool left = c->home && (s == c->home || s->home == c->home);
  for (struct watch *w = x->watches, *next; w; w = next) {
    next = w->next;
    if (w->is_hook && left) continue;
    unlink_watch(x, w);
    if (w->is_hook) hold_up_joins(s);
    store_relaxed(&w->state, WATCH_FIRING);
    w->next = c->fired;
    c->fired = w;
  }
}

/* With the locks of the scope and its parents. */
static void mark(struct scope *s, struct cancel *c) {
  if (s->parent && !s->cause) s->cause = s->parent->cause; /* which outlives it */
  struct extra *x = load_relaxed(&s->extra);
  struct chan *done = x ? load_relaxed(&x->done) : NULL;
  if (x) collect_watches(s, x, c);
  happens_before(&s->status);
  if (done) leat_i_chan_close_with(done, &s->status, c->status, &c->woken);
  else store_seq(&s->status, c->status);
  bool has_members = s->kind == SCOPE_BLOCK || s->n_live; /* of a context all are counted; of the root plain threads are not */
  c->reaches_others = c->reaches_others || (s->owner && s->owner != c->by) || (has_members && leat_i_has_listed_members(s));
}

/* Without a lock: the scope is held (below). */
static void interrupt_all(struct scope *s, struct cancel *c) {
  if (!load_relaxed(&s->status)) return; /* a context without cancel, made since the first walk */
  if (s->owner && !interrupt(s, s->owner, c)) let_interrupted_go_on(c);
  leat_i_members_each_listed(s, interrupt, let_interrupted_go_on, c);
}

/* The contexts of a home that is being left are all visited: there may be one below that is shielded until then. */
static struct scope *skip_untouched(struct scope *s, const struct cancel *c) {
  for (; s; s = s->next_sibling) {
    if (c->home && s->home == c->home ? s->shield != SHIELD_FULL : !s->shield && (c->marked || !load_relaxed(&s->status))) break;
  }
  return s;
}

/* With the parent's lock, on the way to s: the one after it comes next. */
static inline void prefetch_sibling(const struct scope *s) {
  const char *sibling = (const char *)s->next_sibling;
  if (!sibling) return;
  for (int line = 0; line < 2; line++) __builtin_prefetch(sibling + 64 * line, 1);
}

/* The first walk: with the top scope's lock, the rest hand over hand. */
static void mark_all(struct scope *top, struct cancel *c) {
  struct worker *w = leat_i_worker();
  c->by = w ? load_relaxed(&w->current) : NULL;
  for (struct scope *s = top;;) {
    if (c->home && (s == c->home || s->home == c->home)) s->left = true;
    if (load_relaxed(&s->status) == LEAT_OK) mark(s, c);
    struct scope *next = skip_untouched(s->children, c);
    while (!next && s != top) {
      next = skip_untouched(s->next_sibling, c);
      struct scope *up = s->parent;
      lock_drop(&s->lock);
      s = up;
    }
    if (!next) return;
    prefetch_sibling(next);
    lock_take(&next->lock);
    s = next;
  }
}

/* With the lock of the parent. The next scope to be visited, which stays until it is let go: who would take it out of the tree waits, as joins do. */
static struct scope *hold(struct scope *s, const struct cancel *c) {
  s = skip_untouched(s, c);
  if (!s) return NULL;
  add(&s->holding_up, 1);
  prefetch_sibling(s);
  return s;
}
static void let_go(struct scope *s) { sub(&s->holding_up, 1); /* from here on it may be gone */ }

/* The second walk: the top is held already, and let go. What has been interrupted goes on, ends, joins and leaves scopes meanwhile, so the scopes on
 * the way are held and not locked (with their locks held the others wait for the walk's end: of 100,000 goroutines on two CPUs all run on one). */
static void interrupt_tree(struct scope *top, struct cancel *c) {
  c->marked = true;
  for (struct scope *s = top;;) {
    interrupt_all(s, c);
    lock_take(&s->lock);
    struct scope *next = hold(s->children, c);
    lock_drop(&s->lock);
    while (!next && s != top) {
      struct scope *up = s->parent;
      lock_take(&up->lock);
      next = hold(s->next_sibling, c);
      lock_drop(&up->lock);
      let_go(s);
      s = up;
    }
    if (!next) break;
    s = next;
  }
  let_go(top);
}

void leat_i_scope_cancel_too(struct scope *s, struct cancel *c) {
  const char *cause = c->cause;
  bool for_good = c->home || cause == leat_status_text(c->status); /* a scope that is left has a cause for good, too */
  char *copy = for_good || !cause ? NULL : strdup(cause);
  if (!for_good) cause = copy ? copy : "canceled, and no memory to say why";
  struct scope *above = leat_i_also_counted(s);
  hold_up_joins(above);
  lock_take(&s->lock);
  bool first = load_relaxed(&s->status) == LEAT_OK;
  if (first) {
    leat_i_count(c->status == LEAT_DEADLINE ? COUNT_SCOPE_DEADLINES : COUNT_SCOPES_CANCELED, 1);
    s->cause = cause;
    s->owns_cause = copy != NULL;
  }
  c->marked = c->reaches_others = false;
  if (first || c->home) mark_all(s, c);
  if (c->reaches_others) add(&s->holding_up, 1);
  lock_drop(&s->lock);
  if (c->reaches_others) {
    leat_i_interrupts_begin(); /* dear, and so done once, for all that are marked */
    interrupt_tree(s, c);
    leat_i_interrupts_end();
  }
  let_joins_go_on(above);
  if (!first) free(copy);
}

static void cancel(struct scope *s, struct cancel c) {
  struct wake_batch interrupted;
  interrupted.n = 0;
  c.interrupted = &interrupted;
  leat_i_scope_cancel_too(s, &c);
  c.home = NULL; /* who watches is cancelled, and not left */
  while (c.fired) {
    struct watch *w = c.fired;
    c.fired = w->next;
    w->fire(w, &c);
    if (w->is_hook) let_joins_go_on(w->watched);
    store_release(&w->state, WATCH_IDLE); /* from here on it may be gone */
  }
  leat_i_ready_batch(&interrupted);
  leat_i_ready_list(c.woken);
}

void leat_i_scope_cancel(struct scope *s, int status, const char *cause) { cancel(s, (struct cancel){.status = status, .cause = cause}); }

char *leat_i_format(const char *format, va_list args) {
  char *text = NULL;
  return format && vasprintf(&text, format, args) >= 0 ? text : NULL;
}

void leat_i_cancel(struct leat_scope *s, const char *cause, ...) {
  not_after_fork();
  leat_i_scope_check((struct scope *)s, "leat_cancel");
  va_list args;
  va_start(args, cause);
  char *text = leat_i_format(cause, args);
  va_end(args);
  leat_i_scope_cancel((struct scope *)s, LEAT_CANCELED, text ? text : leat_status_text(LEAT_CANCELED));
  free(text);
}

/* ---- entering and leaving ---- */

static struct goroutine *deadline_passes(struct timer *t, int64_t now) {
  (void)now;
  struct scope *s = t->environment;
  struct extra *x = load_acquire(&s->extra);
  leat_i_scope_cancel(s, LEAT_DEADLINE, x && x->deadline_cause ? x->deadline_cause : leat_status_text(LEAT_DEADLINE));
  return NULL;
}

/* The scope is zeroed: blocks come so from the macro. */
static inline void attach(struct scope *s, struct scope *parent) {
  s->parent = parent;
  s->depth = parent->depth + 1;
  s->epoch = leak_epoch();
  store_relaxed(&s->deadline, LEAT_NEVER);
  set_alive(s);
  s->timer.fire = deadline_passes;
  s->timer.environment = s;
  happens_anew(&s->status); /* told apart: who was cancelled, who failed, who ended, of tasks and of services */
  happens_anew(&s->failure);
  happens_anew(&s->n_tasks);
  happens_anew(&s->n_live);
  lock_take(&parent->lock);
  s->next_sibling = parent->children;
  if (parent->children) parent->children->previous_sibling = s;
  parent->children = s;
  s->left = parent->left && s->kind != SCOPE_BLOCK;
  if (!s->shield || (s->left && s->shield == SHIELD_UNTIL_LEFT)) {
    store_relaxed(&s->status, load_relaxed(&parent->status));
    s->cause = parent->cause;
    if (load_relaxed(&s->status)) happens_after(&parent->status);
  }
  happens_before(&s->status);
  lock_drop(&parent->lock);
}
void leat_i_scope_attach(struct scope *s, struct scope *parent) { attach(s, parent); }

/* With the parent's lock. */
static inline void unlink_from(struct scope *parent, struct scope *s) {
  if (s->previous_sibling) s->previous_sibling->next_sibling = s->next_sibling;
  else parent->children = s->next_sibling;
  if (s->next_sibling) s->next_sibling->previous_sibling = s->previous_sibling;
}

static inline void detach(struct scope *s) {
  struct scope *parent = s->parent;
  int spins = 0;
  lock_take(&parent->lock);
  while (unlikely(load_acquire(&s->holding_up))) { /* a cancel is in it, or has been found on the way there */
    lock_drop(&parent->lock);
    let_canceller_go_on(&spins);
    lock_take(&parent->lock);
  }
  unlink_from(parent, s);
  lock_drop(&parent->lock);
  set_dead(s);
}
void leat_i_scope_detach(struct scope *s) { detach(s); }

static void leave(struct scope *s, struct goroutine *self);
static void leave_by_panic(struct leat_i_cleanup *c) { leave((struct scope *)c, leat_i_self()); }

static inline struct leat_scope *enter(struct leat_scope *space, const char *where, bool shield) {
  struct goroutine *self = leat_i_self();
  struct scope *s = (struct scope *)space;
  s->owner = self;
  s->outer_floor = self->shield_floor;
  s->shield = shield ? SHIELD_FULL : SHIELD_NONE;
  s->birthplace = where;
  attach(s, self->scope);
  if (shield) self->shield_floor = s->depth;
  self->scope = s;
  s->cleanup = (struct leat_i_cleanup){self->cleanups, leave_by_panic};
  self->cleanups = &s->cleanup;
  return space;
}

struct leat_scope *leat_i_scope_enter(struct leat_scope *s, const char *where) { return enter(s, where, false); }
struct leat_scope *leat_i_shield_enter(struct leat_scope *s, const char *where) { return enter(s, where, true); }

/* Waits until all goroutines, or all but the services, have ended. Nothing interrupts a join: what is cancelled are those it waits for. */
static void join(struct scope *s, struct goroutine *self, bool all) {
  int spins = 0;
  credit_return_of(s);
  lock_take(&s->lock);
  for (;;) {
    bool held_up = load_acquire(&s->holding_up); /* looked at before the counts, which then hold what has started */
    if (all ? s->n_live : s->n_tasks) {
      self->link = s->joiners;
      s->joiners = self;
      s->join_all = all;
      leat_i_park(self, &(struct park){.reason = WAIT_SCOPE, .object = s, .lock = &s->lock, .deadline = LEAT_NEVER, .masked = true});
    } else if (likely(!held_up)) {
      break;
    } else {
      lock_drop(&s->lock);
      let_canceller_go_on(&spins);
    }
    lock_take(&s->lock);
  }
  lock_drop(&s->lock);
  happens_after(&s->n_tasks);
}

leat_error *leat_i_scope_free_belongings(struct scope *s) {
  if (s->timers) leat_i_timers_of_scope_free(s->timers);
  if (s->chans) leat_i_chans_of_scope_free(s->chans);
  if (s->tasks) leat_i_tasks_free(s->tasks);
  if (s->owns_cause) free((char *)s->cause);
  if (load_relaxed(&s->extra)) leat_i_extra_free(s);
  if (likely(!s->failure.status)) return NULL;
  free((char *)s->failure.name);
  leat_error *error = (leat_error *)s->failure.error;
  if (s->failure.status == LEAT_PANIC && !s->failure_taken && !s->failure_passed_on) return error;
  leat_error_release(error);
  return NULL;
}

/* With the lock. Blocks are below a scope that ends only if the runtime is stopped from within them; they look after themselves. */
static struct scope *first_context(const struct scope *s) {
  struct scope *child = s->children;
  while (child && child->kind == SCOPE_BLOCK) child = child->next_sibling;
  return child;
}

/* The contexts go from the leaves up. In a scope in and below which nothing runs, and which nothing from outside can cancel any more, all
 * is quiet; but the last that came from outside, or from a timer, may have started a function, which is waited for. */
leat_error *leat_i_scope_end(struct scope *top, struct goroutine *self) {
  leat_error *unhandled = NULL;
  if (top->kind != SCOPE_HOOK)
    cancel(top, (struct cancel){.status = LEAT_CANCELED, .cause = "the scope was left", .home = top->kind == SCOPE_BLOCK ? top : top->home});
  for (struct scope *s = top;;) {
    join(s, self, true);
    leat_i_timer_disarm(&s->timer);
    leat_i_timers_of_scope_stop(s);
    if (load_relaxed(&s->extra)) leat_i_scope_stop_watching(s);
    lock_take(&s->lock);
    bool quiet = !s->n_live;
    struct scope *child = first_context(s);
    lock_drop(&s->lock);
    if (!quiet) continue;
    happens_after(&s->n_tasks);
    happens_after(&s->n_live);
    if (child) {
      s = child;
      continue;
    }
    if (load_acquire(&s->waits)) { /* those are awake, and still look at it */
      leat_i_yield(self);
      continue;
    }
    if (s == top) return unhandled;
    struct scope *parent = s->parent;
    happens_after(&s->status);
    detach(s);
    unhandled = leat_error_join(unhandled, leat_i_scope_free_belongings(s));
    leat_i_context_free(s);
    s = parent;
  }
}

/* ---- quiet ends ----
 *
 * A scope is quiet when nothing goes on in it that its end would have to stop or wait for: it has no goroutines, function timers, channels,
 * hooks; nobody is in leat_wait for it; it follows nobody and is not watched, has no leat_done, no failure to be told, and no value with a
 * function that drops it. The contexts below a quiet scope that are all quiet themselves are ended so:
 *
 * 1. Under the top's lock: the top has no goroutines, and no cancel holds its joins up. What runs in a context below is counted here too, and
 *    has started before or never will: only what runs below, a hook or a function timer could start anything.
 * 2. Still under it, each scope below is looked at under its own lock, parent before child. One that is not quiet: nothing has been changed, and
 *    leat_i_scope_end does it. One whose deadline's timer is armed or about: the locks are dropped, as the callback takes them, the timers below
 *    are disarmed, which waits for callbacks, and it all begins again. To walk there without locks is safe: by 1 nobody changes the tree.
 * 3. Still under the top's lock: they are taken off it. Cancels from above, dumps and leak reports come by the top, with its lock: before this,
 *    and then they have left again, or after it, and then they find nothing. Cancels from below would be somebody's who has no right any more to
 *    the contexts, or a timer's: 2.
 * 4. Without locks they are freed, from the leaves up: nobody else can come by them.
 *
 * A context that is released is taken off its parent likewise, under the parent's lock and its own.
 *
 * That they are not cancelled first nobody can see. The count of cancelled scopes is as if it had been. */

/* With the lock. As in join, holding_up is looked at before the counts. */
static inline bool nothing_goes_on(struct scope *s) {
  return !load_acquire(&s->holding_up) && !s->n_live && !s->timers && (!load_relaxed(&s->extra) || leat_i_extra_is_quiet(load_relaxed(&s->extra)));
}
static inline bool is_quiet(struct scope *s) { return nothing_goes_on(s) && !load_acquire(&s->waits) && !s->chans && !s->failure.status; }
static inline bool is_context(const struct scope *s) { return s->kind == SCOPE_CONTEXT || s->kind == SCOPE_VALUE; }
static inline bool timer_is_idle(const struct scope *s) { return load_acquire(&((struct scope *)s)->timer.state) == TIMER_IDLE; }

/* The next one below the top after s and what is below that. */
static struct scope *behind(const struct scope *s, const struct scope *top) {
  for (; s != top; s = s->parent)
    if (s->next_sibling) return s->next_sibling;
  return NULL;
}
static struct scope *after(const struct scope *s, const struct scope *top) { return s->children ? s->children : behind(s, top); }

enum below { ALL_QUIET, TIMED, BUSY };

/* With the top's lock, below which there is something. Takes the others' locks on the way down and drops them on the way up. */
static enum below look_below(struct scope *top) {
  enum below found = ALL_QUIET;
  struct scope *s = top->children;
  lock_take(&s->lock);
  for (;;) {
    if (!is_context(s) || !is_quiet(s)) found = BUSY;
    else if (!timer_is_idle(s)) found = TIMED; /* if all the others are quiet */
    struct scope *next = found == BUSY ? NULL : s->children;
    while (!next && s != top) {
      next = found == BUSY ? NULL : s->next_sibling;
      struct scope *up = s->parent;
      lock_drop(&s->lock);
      s = up;
    }
    if (!next) return found;
    lock_take(&next->lock);
    s = next;
  }
}

/* After look_below, nothing having changed. */
static void disarm_below(struct scope *top) {
  for (struct scope *s = top->children; s; s = after(s, top)) leat_i_timer_disarm(&s->timer);
}

static void count_canceled(struct scope *s) {
  if (!load_relaxed(&s->status)) leat_i_count(COUNT_SCOPES_CANCELED, 1);
}

static void free_quiet(struct scope *s) {
  happens_after(&s->status);
  happens_after(&s->n_tasks);
  happens_after(&s->n_live);
  leat_i_scope_free_belongings(s);
}

/* A list of siblings taken off their parent, with all below them: each after those below it. */
static void free_all_quiet(struct scope *s, const struct scope *top) {
  while (s != top) {
    while (s->children) s = s->children;
    struct scope *next = s->next_sibling, *up = s->parent;
    set_dead(s);
    free_quiet(s);
    leat_i_context_free(s);
    if (!next && up != top) up->children = NULL;
    s = next ? next : up;
  }
}

/* Ends what is below a scope: false if something goes on there, or in the scope itself. */
static inline bool end_quietly_below(struct scope *top) {
  for (bool again = false;; again = true) {
    lock_take(&top->lock);
    struct scope *list = top->children;
    enum below found = !nothing_goes_on(top) ? BUSY : list ? look_below(top) : ALL_QUIET;
    if (found == ALL_QUIET) top->children = NULL;
    lock_drop(&top->lock);
    if (found == ALL_QUIET) {
      if (list) free_all_quiet(list, top);
      if (list && top->kind == SCOPE_BLOCK) count_canceled(top);
      return true;
    }
    if (found == BUSY || again) return false;
    disarm_below(top);
  }
}

bool leat_i_scope_end_quietly(struct scope *s) {
  if (!is_context(s)) return false;
  struct scope *parent = s->parent;
  leat_i_timer_disarm(&s->timer);
  for (;;) {
    lock_take(&parent->lock);
    lock_take(&s->lock);
    bool quiet = is_quiet(s) && timer_is_idle(s), leaf = !s->children;
    if (quiet && leaf) unlink_from(parent, s);
    lock_drop(&s->lock);
    lock_drop(&parent->lock);
    if (!quiet) return false;
    if (leaf) break;
    if (!end_quietly_below(s)) return false;
  }
  count_canceled(s);
  set_dead(s);
  free_quiet(s);
  return true;
}

/* Whether there is more to end than a block that nothing happened in. */
static bool is_busy(struct scope *s) {
  lock_take(&s->lock);
  bool busy = s->n_live || s->timers || first_context(s) || load_relaxed(&s->extra);
  lock_drop(&s->lock);
  return busy;
}

static void leave(struct scope *s, struct goroutine *self) {
  leat_error *unhandled = NULL;
  leat_i_holds_release(&s->held);
  credit_return_of(s);
  if (end_quietly_below(s)) leat_i_timer_disarm(&s->timer);
  else unhandled = leat_i_scope_end(s, self);
  happens_after(&s->status); /* who wrote the cause */
  happens_after(&s->n_tasks);
  happens_after(&s->n_live);
  detach(s);
  self->scope = s->parent;
  self->shield_floor = s->outer_floor;
  if (s->failure.status && s->failure_taken && self->kind == KIND_GOROUTINE) { /* for `return leat_wait(s);` */
    leat_error_release(self->last_failure);
    self->last_failure = leat_error_retain(s->failure.error);
  }
  leat_error *own = leat_i_scope_free_belongings(s);
  if (unlikely(own || unhandled)) leat_i_panic_with(leat_error_join(own, unhandled));
}

void leat_i_scope_leave(struct leat_scope *const *space) {
  happens_call();
  struct goroutine *self = leat_i_self();
  struct scope *s = (struct scope *)*space;
  self->cleanups = s->cleanup.outer;
  leave(s, self);
}

void leat_i_scope_init_root(struct scope *root) { *root = (struct scope){ALIVE_SCOPE .birthplace = "the process", .deadline = LEAT_NEVER, .keep_going = true}; }

void leat_i_scope_end_root(struct goroutine *self) {
  struct scope *root = leat_i_root_scope();
  leat_i_holds_release(&self->holds); /* of outputs made in the root scope, which no block owns */
  leat_error *unhandled = is_busy(root) ? leat_i_scope_end(root, self) : NULL;
  if (root->failure.status == LEAT_PANIC && !root->failure_taken) leat_i_die_of(root->failure.error);
  if (unhandled) leat_i_die_of(unhandled);
  leat_i_scope_free_belongings(root);
  leat_i_scope_init_root(root);
}

/* ---- failure, and the end of a goroutine ---- */

enum recorded {
  FIRST,
  NOT_THE_FIRST,
  AFTER_ONE_THAT_IS_DEALT_WITH, /* by who waited for the context below that it came from */
};

/* *go_on: it does not cancel the others. */
static enum recorded record_failure(struct scope *s, int status, const leat_error *error, const struct goroutine *g, const char *birthplace, bool *go_on) {
  char *name = g && g->name ? strdup(g->name) : NULL;
  lock_take(&s->lock);
  *go_on = s->keep_going;
  enum recorded recorded = !s->failure.status ? FIRST : s->failure_taken_below ? AFTER_ONE_THAT_IS_DEALT_WITH : NOT_THE_FIRST;
  if (recorded == FIRST) {
    happens_before(&s->failure);
    s->failure = (leat_failure){.status = status, .message = leat_error_message(error), .goroutine = g ? g->id : 0, .name = name, .birthplace = birthplace,
                                .error = leat_error_retain(error)};
  }
  lock_drop(&s->lock);
  if (recorded != FIRST) free(name);
  return recorded;
}

void leat_i_scope_fail(struct scope *s, int status, const char *message, const struct goroutine *g, const char *birthplace) {
  char who[256] = "", cause[320];
  leat_error *error = g && g->error && !message ? leat_error_retain(g->error) : leat_i_error_plain(status, message ? message : "");
  message = leat_error_message(error);
  for (struct scope *below = NULL; s; s = leat_i_also_counted(s)) {
    bool go_on;
    if (s->kind == SCOPE_VALUE) continue;
    enum recorded recorded = record_failure(s, status, error, g, birthplace, &go_on);
    if (below) below->failure_passed_on = recorded != AFTER_ONE_THAT_IS_DEALT_WITH;
    if (recorded != FIRST) break; /* those above have one too */
    if (!*who) {
      if (g) leat_i_describe(g, who, sizeof who);
      else snprintf(who, sizeof who, "what was to be started at %s", birthplace ? birthplace : "an unknown place");
      snprintf(cause, sizeof cause, "%s failed", who);
      leat_i_log("leat: %s failed: %s%s%s", who, leat_status_text(status), *message ? ": " : "", message);
    }
    if (go_on) break;
    leat_i_scope_cancel(s, LEAT_CANCELED, cause);
    below = s;
  }
  leat_error_release(error);
}

/* Somebody has been told of a context's failure, which so is dealt with in the scopes that it was passed on to as well. */
static void failure_is_taken(struct scope *s, const leat_error *error) {
  for (; s; s = leat_i_also_counted(s)) {
    lock_take(&s->lock);
    if (s->failure.error == error) s->failure_taken = s->failure_taken_below = true;
    lock_drop(&s->lock);
  }
}

void leat_i_scope_tell_end(struct goroutine *g) {
  struct scope *s = g->base;
  int status = g->status;
  bool cancelled = (status == LEAT_CANCELED || status == LEAT_DEADLINE) && load_acquire(&s->status);
  if (g->error && !g->panicking && leat_error_status(g->error) != status) { /* of a leat_fail that was not returned */
    leat_error_release(g->error);
    g->error = NULL;
  }
  if (status && !g->error && leat_error_status(g->last_failure) == status) g->error = leat_error_retain(g->last_failure);
  if (status != LEAT_OK && !cancelled) leat_i_scope_fail(s, status, NULL, g, g->birthplace);
  if (g->task) leat_i_task_complete(g->task, status, g->error);
  else leat_error_release(g->error);
  leat_error_release(g->last_failure);
  if (g->waitgroup) leat_i_waitgroup_ended(g->waitgroup, g);
}

/* ---- the public rest ---- */

bool leat_i_scope_contains(const struct scope *s, const struct goroutine *self) {
  for (const struct scope *p = self->scope; p; p = p->parent)
    if (p == s) return true;
  return false;
}

int leat_i_wait(struct leat_scope *space) {
  struct scope *s = (struct scope *)space;
  leat_i_scope_check(s, "leat_wait");
  struct goroutine *self = leat_i_self();
  if (s->kind == SCOPE_BLOCK) {
    if (s->owner != self) leat_i_panic("leat_wait: only the goroutine that declared the scope (at %s) may call it; others leat_join a task, or wait for a context", s->birthplace);
    leat_i_holds_release(&s->held);
  } else if (leat_i_scope_contains(s, self)) {
    leat_i_panic("leat_wait: a goroutine that runs in a context (made at %s) cannot wait for it: it would wait for itself; who does not run in it can", s->birthplace);
  } else {
    add(&s->waits, 1);
  }
  join(s, self, false);
  lock_take(&s->lock);
  int status = s->failure.status ? s->failure.status : load_relaxed(&s->status);
  if (s->failure.status) s->failure_taken = true;
  const leat_error *error = s->failure.error;
  lock_drop(&s->lock);
  if (status) happens_after(&s->status);
  if (error) failure_is_taken(leat_i_also_counted(s), error);
  if (s->kind != SCOPE_BLOCK) sub(&s->waits, 1); /* from here on it may be gone */
  return status;
}

int leat_i_scope_set_deadline(struct scope *s, int64_t time, char *cause) {
  not_after_fork();
  leat_i_scope_check(s, "setting a deadline");
  if (!s->parent && s->kind != SCOPE_BLOCK) return free(cause), LEAT_NOMEM; /* what stands for a context that there was no memory for */
  bool passed = time != LEAT_NEVER && time <= leat_i_nondet_clock();
  struct extra *x = cause && !passed ? leat_i_scope_extra(s) : load_acquire(&s->extra);
  char *kept = x && !passed ? cause : NULL;
  lock_take(&s->deadline_lock); /* not the scope's: disarming may wait for the timer's callback, which takes that */
  bool moved = !x && time != LEAT_NEVER && !passed && leat_i_timer_move(&s->timer, time, 0);
  if (!moved) leat_i_timer_disarm(&s->timer);
  happens_before(&s->status);
  if (x) {
    free(x->deadline_cause);
    x->deadline_cause = kept;
  }
  store_relaxed(&s->deadline, time);
  int status = moved || time == LEAT_NEVER || passed ? LEAT_OK : leat_i_timer_arm(&s->timer, time, 0);
  lock_drop(&s->deadline_lock);
  if (passed) leat_i_scope_cancel(s, LEAT_DEADLINE, cause ? cause : leat_status_text(LEAT_DEADLINE)); /* at once, not at some time soon */
  if (!kept) free(cause);
  return status;
}

int leat_i_set_deadline(struct leat_scope *s, int64_t time, const char *cause, ...) {
  va_list args;
  va_start(args, cause);
  int status = leat_i_scope_set_deadline((struct scope *)s, time, leat_i_format(cause, args));
  va_end(args);
  return status;
}

int leat_i_set_timeout(struct leat_scope *s, int64_t duration, const char *cause, ...) {
  va_list args;
  va_start(args, cause);
  int status = leat_i_scope_set_deadline((struct scope *)s, leat_i_deadline_after(duration), leat_i_format(cause, args));
  va_end(args);
  return status;
}

void leat_i_keep_going(struct leat_scope *space) {
  struct scope *s = (struct scope *)space;
  not_after_fork();
  leat_i_scope_check(s, "leat_keep_going");
  lock_take(&s->lock);
  s->keep_going = true;
  lock_drop(&s->lock);
}

int leat_scope_status(leat_view view) {
  const struct scope *s = (const struct scope *)view;
  leat_i_scope_check(s, "leat_scope_status");
  int status = leat_i_scope_interrupts(s);
  if (status) happens_after(&s->status);
  return status;
}

const char *leat_cause(leat_view s) { return leat_scope_status(s) ? ((const struct scope *)s)->cause : NULL; }

int64_t leat_i_scope_deadline(const struct scope *view, int hops) {
  int64_t earliest = LEAT_NEVER;
  for (struct scope *s = (struct scope *)view; s; s = s->shield ? NULL : s->parent) {
    int64_t deadline = load_relaxed(&s->deadline);
    if (load_acquire(&s->extra)) {
      int64_t followed = leat_i_follows_deadline(s, hops);
      if (followed < deadline) deadline = followed;
    }
    if (deadline < earliest) earliest = deadline;
  }
  return earliest;
}
int64_t leat_scope_deadline(leat_view view) {
  leat_i_scope_check((const struct scope *)view, "leat_scope_deadline");
  return leat_i_scope_deadline((const struct scope *)view, 0);
}

const leat_failure *leat_failure_of(leat_view view) {
  struct scope *s = (struct scope *)view;
  leat_i_scope_check(s, "leat_failure_of");
  while (s->kind == SCOPE_VALUE) s = s->parent;
  lock_take(&s->lock);
  const leat_failure *f = s->failure.status ? &s->failure : NULL; /* never changes again */
  lock_drop(&s->lock);
  if (f) happens_after(&s->failure);
  return f;
}

const leat_error *leat_error_of(leat_view view) {
  const leat_failure *f = leat_failure_of(view);
  return f ? f->error : NULL;
}

size_t leat_scope_goroutines(leat_view view) {
  struct scope *s = (struct scope *)view;
  leat_i_scope_check(s, "leat_scope_goroutines");
  lock_take(&s->lock);
  size_t n = leat_i_without_credit(s, s->n_live);
  lock_drop(&s->lock);
  return n;
}

leat_view leat_current_scope(void) { return (leat_view)leat_i_self()->scope; }
