/* See scope.h and leat/scope.h. */
#define _GNU_SOURCE
#include "scope.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "channel.h"
#include "panic.h"
#include "time.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- cancelling ---- */

/* With the scope's lock: claims a goroutine that waits in it, onto the list. */
static void interrupt(struct scope *s, struct goroutine *g, int status, struct goroutine **woken) {
  uint32_t word = load_seq(&g->wait);
  if ((word & 3) != STATE_WAITING || word >> 2 > s->depth || !leat_i_claim(g, status)) return;
  happens_before(g);
  g->link = *woken;
  *woken = g;
}

/* With the locks of the scope and its parents. */
static void mark(struct scope *s, int status, struct goroutine **woken) {
  if (s->parent && !s->cause) s->cause = s->parent->cause; /* which outlives it */
  happens_before(&s->status);
  store_seq(&s->status, status);
  if (s->owner) interrupt(s, s->owner, status, woken);
  for (struct goroutine *g = s->members; g; g = g->member_next) interrupt(s, g, status, woken);
}

static struct scope *skip_untouched(struct scope *s) {
  while (s && (s->shield || load_relaxed(&s->status))) s = s->next_sibling;
  return s;
}

/* With the top scope's lock, the rest hand over hand. */
static void mark_tree(struct scope *top, int status, struct goroutine **woken) {
  struct scope *s = top;
  mark(s, status, woken);
  for (;;) {
    struct scope *next = skip_untouched(s->children);
    while (!next && s != top) {
      next = skip_untouched(s->next_sibling);
      struct scope *up = s->parent;
      lock_drop(&s->lock);
      s = up;
    }
    if (!next) return;
    lock_take(&next->lock);
    mark(next, status, woken);
    s = next;
  }
}

void leat_i_scope_cancel(struct scope *s, int status, const char *cause) {
  struct goroutine *woken = NULL;
  char *copy = cause ? strdup(cause) : NULL;
  lock_take(&s->lock);
  if (load_relaxed(&s->status) == LEAT_OK) {
    if (copy) {
      s->cause = copy;
      s->owns_cause = true;
      copy = NULL;
    }
    mark_tree(s, status, &woken);
  }
  lock_drop(&s->lock);
  free(copy);
  leat_i_ready_list(woken);
}

void leat_i_cancel(struct leat_scope *s, const char *cause, ...) {
  char *text = NULL;
  if (cause) {
    va_list args;
    va_start(args, cause);
    if (vasprintf(&text, cause, args) < 0) text = NULL;
    va_end(args);
  }
  leat_i_scope_cancel((struct scope *)s, LEAT_CANCELED, text ? text : "canceled");
  free(text);
}

/* ---- entering and leaving ---- */

static struct goroutine *deadline_passes(struct timer *t, int64_t now) {
  (void)now;
  leat_i_scope_cancel(t->environment, LEAT_DEADLINE, "deadline passed");
  return NULL;
}

static void leave(struct scope *s, struct goroutine *self);
static void leave_by_panic(struct leat_i_cleanup *c) { leave((struct scope *)c, leat_i_self()); }

static struct leat_scope *enter(struct leat_scope *space, const char *where, bool shield) {
  struct goroutine *self = leat_i_self();
  struct scope *s = (struct scope *)space, *parent = self->scope;
  *s = (struct scope){.parent = parent, .owner = self, .depth = parent->depth + 1, .outer_floor = self->shield_floor, .shield = shield, .birthplace = where, .deadline = LEAT_NEVER};
  s->timer = (struct timer){.fire = deadline_passes, .environment = s};
  happens_anew(&s->status); /* told apart: who was cancelled, who failed, who ended, of tasks and of services */
  happens_anew(&s->failure);
  happens_anew(&s->n_tasks);
  happens_anew(&s->n_live);
  lock_take(&parent->lock);
  s->next_sibling = parent->children;
  if (parent->children) parent->children->previous_sibling = s;
  parent->children = s;
  if (!shield) {
    store_relaxed(&s->status, load_relaxed(&parent->status));
    s->cause = parent->cause;
    if (load_relaxed(&s->status)) happens_after(&parent->status);
  }
  happens_before(&s->status);
  lock_drop(&parent->lock);
  if (shield) self->shield_floor = s->depth;
  self->scope = s;
  s->cleanup = (struct leat_i_cleanup){self->cleanups, leave_by_panic};
  self->cleanups = &s->cleanup;
  return space;
}

struct leat_scope *leat_i_scope_enter(struct leat_scope *s, const char *where) { return enter(s, where, false); }
struct leat_scope *leat_i_shield_enter(struct leat_scope *s, const char *where) { return enter(s, where, true); }

static void unlock_scope(void *s) { lock_drop(&((struct scope *)s)->lock); }

/* Waits until all goroutines, or all but the services, have ended. Nothing interrupts a join: what is cancelled are those it waits for. */
static void join(struct scope *s, struct goroutine *self, bool all) {
  lock_take(&s->lock);
  while (all ? s->n_live : s->n_tasks) {
    s->joiner = self;
    s->join_all = all;
    leat_i_park(self, &(struct park){.reason = WAIT_SCOPE, .object = s, .unlock = unlock_scope, .unlock_arg = s, .deadline = LEAT_NEVER, .masked = true});
    lock_take(&s->lock);
  }
  s->joiner = NULL;
  lock_drop(&s->lock);
  happens_after(&s->n_tasks);
}

static void cancel_and_join(struct scope *s, struct goroutine *self) {
  leat_i_holds_release(&s->held);
  lock_take(&s->lock);
  uint32_t left = s->n_live;
  lock_drop(&s->lock);
  if (left) {
    leat_i_scope_cancel(s, LEAT_CANCELED, "the scope was left");
    join(s, self, true);
  }
  happens_after(&s->n_tasks);
  happens_after(&s->n_live);
  leat_i_timer_disarm(&s->timer);
}

static void tasks_free(struct leat_task *list);

static void free_belongings(struct scope *s) {
  leat_i_timers_of_scope_free(s->timers);
  leat_i_chans_of_scope_free(s->chans);
  tasks_free(s->tasks);
  if (s->owns_cause) free(s->cause);
  free((char *)s->failure.name);
}

static void leave(struct scope *s, struct goroutine *self) {
  cancel_and_join(s, self);
  struct scope *parent = s->parent;
  lock_take(&parent->lock);
  if (s->previous_sibling) s->previous_sibling->next_sibling = s->next_sibling;
  else parent->children = s->next_sibling;
  if (s->next_sibling) s->next_sibling->previous_sibling = s->previous_sibling;
  lock_drop(&parent->lock);
  self->scope = parent;
  self->shield_floor = s->outer_floor;
  char *unhandled = s->failure.status == LEAT_PANIC && !s->failure_taken ? (char *)s->failure.message : NULL;
  if (!unhandled) free((char *)s->failure.message);
  free_belongings(s);
  if (unhandled) leat_i_panic_with(unhandled);
}

void leat_i_scope_leave(struct leat_scope *const *space) {
  happens_call();
  struct goroutine *self = leat_i_self();
  struct scope *s = (struct scope *)*space;
  self->cleanups = s->cleanup.outer;
  leave(s, self);
}

void leat_i_scope_init_root(struct scope *root) { *root = (struct scope){.birthplace = "the process", .deadline = LEAT_NEVER, .keep_going = true}; }

void leat_i_scope_end_root(struct goroutine *self) {
  struct scope *root = leat_i_root_scope();
  leat_i_holds_release(&self->holds); /* of outputs made in the root scope, which no block owns */
  cancel_and_join(root, self);
  if (root->failure.status == LEAT_PANIC) leat_i_die("%s", root->failure.message);
  free((char *)root->failure.message);
  free_belongings(root);
  leat_i_scope_init_root(root);
}

/* ---- membership and failure ---- */

int leat_i_scope_add(struct scope *s, struct goroutine *g) {
  lock_take(&s->lock);
  int status = load_relaxed(&s->status);
  if (status == LEAT_OK) {
    g->member_next = s->members;
    if (s->members) s->members->member_prev = g;
    s->members = g;
    s->n_live++;
    if (!g->service) s->n_tasks++;
  }
  lock_drop(&s->lock);
  if (status) happens_after(&s->status);
  return status;
}

static void unlink_member(struct scope *s, struct goroutine *g) {
  happens_before(g->service ? &s->n_live : &s->n_tasks);
  lock_take(&s->lock);
  if (g->member_prev) g->member_prev->member_next = g->member_next;
  else s->members = g->member_next;
  if (g->member_next) g->member_next->member_prev = g->member_prev;
  s->n_live--;
  if (!g->service) s->n_tasks--;
  struct goroutine *joiner = s->joiner;
  if (joiner && ((s->join_all ? s->n_live : s->n_tasks) || !leat_i_claim(joiner, LEAT_OK))) joiner = NULL;
  if (joiner) s->joiner = NULL;
  lock_drop(&s->lock);
  if (joiner) leat_i_ready(joiner);
}

void leat_i_scope_take_back(struct goroutine *g) { unlink_member(g->base, g); }

void leat_i_scope_fail(struct scope *s, int status, const char *message, const struct goroutine *g, const char *birthplace) {
  char *text = strdup(message ? message : ""), *name = g && g->name ? strdup(g->name) : NULL;
  lock_take(&s->lock);
  bool first = !s->failure.status;
  if (first) {
    happens_before(&s->failure);
    s->failure = (leat_failure){.status = status, .message = text, .goroutine = g ? g->id : 0, .name = name, .birthplace = birthplace};
    text = name = NULL;
  }
  bool go_on = s->keep_going;
  lock_drop(&s->lock);
  if (first) {
    char who[256] = "a goroutine that could not be started";
    if (g) leat_i_describe(g, who, sizeof who);
    leat_i_log("leat: %s failed: %s%s%s", who, leat_status_text(status), message && *message ? ": " : "", message ? message : "");
    if (!go_on) {
      char cause[320];
      snprintf(cause, sizeof cause, "%s failed", who);
      leat_i_scope_cancel(s, LEAT_CANCELED, cause);
    }
  }
  free(text);
  free(name);
}

void leat_i_scope_remove(struct goroutine *g) {
  struct scope *s = g->base;
  int status = g->status;
  bool cancelled = (status == LEAT_CANCELED || status == LEAT_DEADLINE) && load_acquire(&s->status);
  if (status != LEAT_OK && !cancelled) leat_i_scope_fail(s, status, g->message, g, g->birthplace);
  if (g->task) leat_i_task_complete(g->task, status, g->message);
  else free(g->message);
  unlink_member(s, g);
}

/* ---- the public rest ---- */

static void must_own(struct scope *s, const char *operation) {
  if (s->owner != leat_i_self()) leat_i_panic("%s: only the goroutine that declared the scope (at %s) may call it", operation, s->birthplace);
}

int leat_i_wait(struct leat_scope *space) {
  struct scope *s = (struct scope *)space;
  must_own(s, "leat_wait");
  leat_i_holds_release(&s->held);
  join(s, s->owner, false);
  lock_take(&s->lock);
  int status = s->failure.status ? s->failure.status : load_relaxed(&s->status);
  if (s->failure.status) s->failure_taken = true;
  lock_drop(&s->lock);
  if (status) happens_after(&s->status);
  return status;
}

int leat_i_set_deadline(struct leat_scope *space, int64_t time) {
  struct scope *s = (struct scope *)space;
  lock_take(&s->deadline_lock); /* not the scope's: disarming may wait for the timer's callback, which takes that */
  leat_i_timer_disarm(&s->timer);
  happens_before(&s->status);
  store_relaxed(&s->deadline, time);
  int status = time == LEAT_NEVER ? LEAT_OK : leat_i_timer_arm(&s->timer, time, 0);
  lock_drop(&s->deadline_lock);
  return status;
}

int leat_i_set_timeout(struct leat_scope *s, int64_t duration) {
  return leat_i_set_deadline(s, leat_i_deadline_after(duration));
}

void leat_i_keep_going(struct leat_scope *space) {
  struct scope *s = (struct scope *)space;
  lock_take(&s->lock);
  s->keep_going = true;
  lock_drop(&s->lock);
}

int leat_scope_status(leat_view view) {
  const struct scope *s = (const struct scope *)view;
  int status = leat_i_scope_interrupts(s);
  if (status) happens_after(&s->status);
  return status;
}

const char *leat_cause(leat_view s) { return leat_scope_status(s) ? ((const struct scope *)s)->cause : NULL; }

int64_t leat_scope_deadline(leat_view view) {
  int64_t earliest = LEAT_NEVER;
  for (struct scope *s = (struct scope *)view; s; s = s->shield ? NULL : s->parent) {
    int64_t deadline = load_relaxed(&s->deadline);
    if (deadline < earliest) earliest = deadline;
  }
  return earliest;
}

const leat_failure *leat_failure_of(leat_view view) {
  struct scope *s = (struct scope *)view;
  lock_take(&s->lock);
  const leat_failure *f = s->failure.status ? &s->failure : NULL; /* never changes again */
  lock_drop(&s->lock);
  if (f) happens_after(&s->failure);
  return f;
}

size_t leat_scope_goroutines(leat_view view) {
  struct scope *s = (struct scope *)view;
  lock_take(&s->lock);
  size_t n = s->n_live;
  lock_drop(&s->lock);
  return n;
}

leat_view leat_current_scope(void) { return (leat_view)leat_i_self()->scope; }

/* ---- tasks ---- */

struct leat_task {
  struct leat_task *next; /* in its scope */
  struct lock lock;
  bool done;
  int status;
  char *message;
  struct goroutine *joiners; /* linked by link, which a waiting goroutine does not use otherwise */
};
static struct leat_task no_memory_task = {.done = true, .status = LEAT_NOMEM};

struct leat_task *leat_i_task_new(struct scope *s) {
  struct leat_task *t = calloc(1, sizeof *t);
  if (!t) return &no_memory_task;
  lock_take(&s->lock);
  t->next = s->tasks;
  s->tasks = t;
  lock_drop(&s->lock);
  return t;
}

bool leat_i_task_usable(const struct leat_task *t) { return t != &no_memory_task; }

void leat_i_task_complete(struct leat_task *t, int status, char *message) {
  if (!leat_i_task_usable(t)) return;
  struct goroutine *woken = NULL;
  happens_before(t);
  lock_take(&t->lock);
  t->status = status;
  t->message = message;
  t->done = true;
  for (struct goroutine *g = t->joiners, *after; g; g = after) {
    after = g->link;
    if (!leat_i_claim(g, LEAT_OK)) continue; /* does not happen: the wait is masked */
    g->link = woken;
    woken = g;
  }
  t->joiners = NULL;
  lock_drop(&t->lock);
  leat_i_ready_list(woken);
}

static void unlock_task(void *t) { lock_drop(&((struct leat_task *)t)->lock); }

int leat_join(leat_task *t) {
  struct goroutine *self = leat_i_self();
  lock_take(&t->lock);
  while (!t->done) {
    self->link = t->joiners;
    t->joiners = self;
    leat_i_park(self, &(struct park){.reason = WAIT_TASK, .object = t, .unlock = unlock_task, .unlock_arg = t, .deadline = LEAT_NEVER, .masked = true});
    lock_take(&t->lock);
  }
  int status = t->status;
  lock_drop(&t->lock);
  happens_after(t);
  return status;
}

const char *leat_task_message(const leat_task *t) { return t->message ? t->message : ""; }

static void tasks_free(struct leat_task *list) {
  while (list) {
    struct leat_task *next = list->next;
    free(list->message);
    free(list);
    list = next;
  }
}

/* ---- shares in stage outputs ---- */

static void hold_add(struct hold **list, struct chan *c) {
  struct hold *h = malloc(sizeof *h);
  if (!h) { /* a share that nobody can give up: then nothing stops it but its scope's end */
    add(&c->users, 1);
    return;
  }
  leat_i_chan_use(c);
  *h = (struct hold){*list, c};
  *list = h;
}

void leat_i_hold_output(struct scope *s, struct chan *output) {
  struct goroutine *self = leat_i_self();
  atomic_fetch_or(&output->flags, CHAN_OUTPUT);
  hold_add(s->owner == self ? &s->held : &self->holds, output);
}

static struct hold **find_hold(struct hold **list, const struct chan *c) {
  for (; *list; list = &(*list)->next)
    if ((*list)->chan == c) return list;
  return NULL;
}

static bool take_share(struct hold **list, struct chan *c) {
  struct hold **place = find_hold(list, c), *h;
  if (!place) return false;
  h = *place;
  *place = h->next;
  free(h); /* the share itself lives on: it is now the stage's */
  return true;
}

bool leat_i_hold_pass(struct chan *c) {
  struct goroutine *self = leat_i_self();
  for (struct scope *s = self->scope; s && s->owner == self; s = s->parent)
    if (take_share(&s->held, c)) return true;
  return take_share(&self->holds, c);
}

static void hand_on_from(struct hold *list, struct goroutine *to, const void *args, size_t size) {
  for (struct hold *h = list; h; h = h->next)
    for (size_t at = 0; at + sizeof(void *) <= size; at += sizeof(void *))
      if (memcmp((const char *)args + at, &h->chan, sizeof(void *)) == 0) {
        hold_add(&to->holds, h->chan);
        break;
      }
}

void leat_i_holds_hand_on(struct goroutine *self, struct goroutine *to, const void *args, size_t size) {
  for (struct scope *s = self->scope; s && s->owner == self; s = s->parent)
    if (s->held) hand_on_from(s->held, to, args, size);
  if (self->holds) hand_on_from(self->holds, to, args, size);
}

void leat_i_holds_release(struct hold **list) {
  while (*list) {
    struct hold *h = *list;
    *list = h->next;
    leat_i_chan_unuse(h->chan);
    free(h);
  }
}
