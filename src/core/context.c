/* See leat/context.h; what a context shares with a block's scope is in scope.h.
 *
 * A context that only holds a value is a scope like the others, so that there is one kind of view; it is one block of memory of some 400
 * bytes. Rejected: a lighter record for values, which every operation on views would have to tell from a scope.
 *
 * Follows and hooks are watches (scope.h). A hook is a context in which its function will run, made with it, so that it is there, counted
 * and joined by the ordinary rules when the function starts; the goroutine itself is made only then. */
#define _GNU_SOURCE
#include <leat/context.h>
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "channel.h"
#include "error.h"
#include "membership.h"
#include "panic.h"
#include "scope.h"
#include "time.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct context {
  struct scope scope;
  struct extra extra;
};

struct value {
  struct value *next;
  const struct leat_i_key *key;
  bool apart; /* from its context: set later, a block of memory of its own */
  _Alignas(16) char data[];
};

struct leat_hook {
  struct context context;
  struct watch watch;
  const struct leat_i_fn *fn;
  const char *birthplace;
  _Alignas(16) char args[];
};

/* ---- contexts ---- */

/* What stands for the contexts that there was no memory for. */
static struct context no_memory = {
  .scope = {ALIVE_SCOPE .kind = SCOPE_CONTEXT, .status = LEAT_NOMEM, .deadline = LEAT_NEVER, .cause = "out of memory", .birthplace = "out of memory",
            .failure = {.status = LEAT_NOMEM, .message = "out of memory", .name = "a context", .birthplace = "out of memory"},
            .extra = &no_memory.extra},
};
static struct leat_hook no_memory_hook = {.context.scope.parent = NULL};

static struct scope *scope_of(const struct leat_scope *view) {
  not_after_fork();
  leat_i_scope_check((const struct scope *)view, "an operation of contexts");
  return view ? (struct scope *)view : leat_i_self()->scope;
}
static struct scope *home_of(struct scope *s) { return s->kind == SCOPE_BLOCK ? s : s->home; }

static void *no_memory_for(struct scope *parent, const char *what, const char *where) {
  leat_i_scope_fail(parent, LEAT_NOMEM, what, NULL, where);
  return NULL;
}

/* A context in a zeroed block of memory of its own, the size given. NULL out of memory, or if the parent is what stands for that. */
static void *make(struct scope *parent, enum scope_kind kind, enum scope_shield shield, size_t size, const char *where) {
  if (parent == &no_memory.scope) return NULL;
  struct context *c = malloc(size); /* not calloc, which in glibc before 2.41 passes by the thread's cache of free blocks, */
  if (!c) return no_memory_for(parent, "a context could not be made", where);
  __asm__("" : "+r"(c)); /* nor what compilers take for it */
  memset(c, 0, size);
  c->scope.kind = (uint8_t)kind;
  c->scope.shield = (uint8_t)shield;
  c->scope.home = home_of(parent);
  c->scope.birthplace = where;
  store_relaxed(&c->scope.extra, &c->extra);
  return c;
}

static struct scope *context(const struct leat_scope *view, enum scope_shield shield, const char *where) {
  struct scope *parent = scope_of(view);
  struct context *c = make(parent, SCOPE_CONTEXT, shield, sizeof *c, where);
  if (!c) return &no_memory.scope;
  leat_i_scope_attach(&c->scope, parent);
  return &c->scope;
}

struct leat_scope *leat_i_with_cancel(const struct leat_scope *parent, const char *where) {
  return (struct leat_scope *)context(parent, SHIELD_NONE, where);
}

struct leat_scope *leat_i_without_cancel(const struct leat_scope *parent, const char *where) {
  return (struct leat_scope *)context(parent, SHIELD_UNTIL_LEFT, where);
}

static struct leat_scope *with_deadline(const struct leat_scope *parent, const char *where, int64_t time, const char *cause, va_list args) {
  struct scope *s = context(parent, SHIELD_NONE, where);
  if (s == &no_memory.scope) return (struct leat_scope *)s;
  /* One that could not be given its limit has ended: better than one without. */
  if (leat_i_scope_set_deadline(s, time, leat_i_format(cause, args))) leat_i_scope_cancel(s, LEAT_NOMEM, "out of memory: there would be no deadline");
  return (struct leat_scope *)s;
}

struct leat_scope *leat_i_with_deadline(const struct leat_scope *parent, const char *where, int64_t time, const char *cause, ...) {
  va_list args;
  va_start(args, cause);
  struct leat_scope *s = with_deadline(parent, where, time, cause, args);
  va_end(args);
  return s;
}

struct leat_scope *leat_i_with_timeout(const struct leat_scope *parent, const char *where, int64_t duration, const char *cause, ...) {
  va_list args;
  va_start(args, cause);
  struct leat_scope *s = with_deadline(parent, where, leat_i_deadline_after(duration), cause, args);
  va_end(args);
  return s;
}

static void release(struct scope *s, const char *operation) {
  struct goroutine *self = leat_i_self();
  leat_i_scope_check(s, operation);
  if (s->kind == SCOPE_BLOCK) leat_i_panic("%s: this scope belongs to a block (at %s), which ends it", operation, s->birthplace);
  if (leat_i_scope_contains(s, self)) leat_i_panic("%s: a goroutine that runs in it (made at %s) cannot release it: it would wait for itself; who made it releases it", operation, s->birthplace);
  if (likely(leat_i_scope_end_quietly(s))) {
    leat_i_context_free(s);
    return;
  }
  leat_error *unhandled = leat_i_scope_end(s, self);
  happens_after(&s->status);
  leat_i_scope_detach(s);
  unhandled = leat_error_join(leat_i_scope_free_belongings(s), unhandled);
  leat_i_context_free(s);
  if (unhandled) leat_i_panic_with(unhandled);
}

void (leat_context_release)(struct leat_scope *ctx) {
  happens_call();
  struct scope *s = (struct scope *)ctx;
  if (s != &no_memory.scope) release(s, "leat_context_release");
}

leat_view leat_background(void) {
  leat_i_self(); /* the runtime runs from here on */
  return (leat_view)leat_i_root_scope();
}
leat_view leat_todo(void) { return leat_background(); }

/* ---- following ---- */

static void cancel_follower(struct watch *w, struct cancel *c) { leat_i_scope_cancel_too(((struct follow *)w)->follower, c); }

static bool is_governed_by(const struct scope *s, const struct scope *view) {
  if (view == leat_i_root_scope()) return true; /* which is not cancelled while anything goes on */
  for (; s; s = s->shield ? NULL : s->parent)
    if (s == view) return true;
  return false;
}

void leat_i_follow(struct leat_scope *space, const struct leat_scope *view) {
  struct scope *s = (struct scope *)space, *followed = scope_of(view);
  leat_i_scope_check(s, "leat_follow");
  if (s == &no_memory.scope || is_governed_by(s, followed)) return;
  struct extra *x = leat_i_scope_extra(s);
  struct follow *f = x ? calloc(1, sizeof *f) : NULL;
  if (!f) {
    leat_i_scope_cancel(s, LEAT_NOMEM, "out of memory: another context could not be followed");
    return;
  }
  f->watch.fire = cancel_follower;
  f->follower = s;
  f->followed = followed;
  lock_take(&s->lock);
  f->next = load_relaxed(&x->follows);
  store_release(&x->follows, f);
  lock_drop(&s->lock);
  int status = leat_i_watch(&f->watch, followed);
  const char *cause = leat_cause((leat_view)followed);
  if (status) leat_i_scope_cancel(s, status, cause ? cause : "out of memory: another context could not be followed");
}

int64_t leat_i_follows_deadline(const struct scope *s, int hops) {
  int64_t earliest = LEAT_NEVER;
  if (hops == MOST_HOPS) return earliest;
  struct extra *x = load_acquire(&((struct scope *)s)->extra);
  for (struct follow *f = load_acquire(&x->follows); f; f = f->next) {
    int64_t deadline = leat_i_scope_deadline(f->followed, hops + 1);
    if (deadline < earliest) earliest = deadline;
  }
  return earliest;
}

void leat_i_scope_stop_watching(struct scope *s) {
  for (struct follow *f = load_acquire(&load_relaxed(&s->extra)->follows); f; f = f->next) leat_i_unwatch(&f->watch);
  if (s->kind == SCOPE_HOOK) leat_i_unwatch(&((struct leat_hook *)s)->watch);
}

/* ---- done ---- */

/* NULL if it can never be cancelled. */
static __attribute__((noinline)) struct chan *done_first(struct scope *s) {
  struct scope *top = s;
  while (top->kind == SCOPE_VALUE) top = top->parent;
  if (top == leat_i_root_scope()) return NULL;
  struct extra *x = leat_i_scope_extra(s);
  if (!x) return leat_i_chan_failed();
  struct chan *fresh = leat_i_chan_new(sizeof(char), 0, "leat_done");
  if (fresh == leat_i_chan_failed()) return fresh;
  store_relaxed(&fresh->flags, CHAN_SHARED | CHAN_DONE);
  lock_take(&s->lock);
  struct chan *done = load_relaxed(&x->done);
  if (!done) {
    if (load_relaxed(&s->status)) store_relaxed(&fresh->flags, CHAN_SHARED | CHAN_DONE | CHAN_CLOSED);
    store_release(&x->done, done = fresh);
  }
  lock_drop(&s->lock);
  if (done != fresh) leat_i_chan_free_done(fresh);
  return done;
}

struct leat_i_chan *leat_i_done(const struct leat_scope *view) {
  struct scope *s = scope_of(view);
  struct extra *x = load_acquire(&s->extra);
  struct chan *done = x ? load_acquire(&x->done) : NULL;
  return (struct leat_i_chan *)(likely(done != NULL) ? done : done_first(s));
}

/* ---- values ---- */

static void put_value(struct value *v, const struct leat_i_key *key, const void *value) {
  v->key = key;
  happens_read(value, key->size);
  quietly memcpy(v->data, value, key->size);
  happens_before(v);
}

static void drop_value(const struct leat_i_key *key, const void *value) {
  if (key->drop) key->drop((void *)(uintptr_t)value);
}

leat_view leat_i_with_value(const struct leat_scope *view, const struct leat_i_key *key, const void *value) {
  happens_call();
  enum { AT = (sizeof(struct context) + 15) & ~15 };
  struct scope *parent = scope_of(view);
  struct context *c = make(parent, SCOPE_VALUE, SHIELD_NONE, AT + sizeof(struct value) + key->size, key->name);
  if (!c) {
    drop_value(key, value);
    return (leat_view)&no_memory.scope;
  }
  struct value *v = (struct value *)((char *)c + AT);
  put_value(v, key, value);
  store_relaxed(&c->extra.values, v);
  leat_i_scope_attach(&c->scope, parent);
  return (leat_view)&c->scope;
}

int leat_i_set_value(struct leat_scope *space, const struct leat_i_key *key, const void *value) {
  happens_call();
  struct scope *s = (struct scope *)space;
  leat_i_scope_check(s, "leat_set_value");
  struct extra *x = s == &no_memory.scope ? NULL : leat_i_scope_extra(s);
  struct value *v = x ? malloc(sizeof *v + key->size) : NULL;
  if (!v) {
    drop_value(key, value);
    return LEAT_NOMEM;
  }
  v->apart = true;
  put_value(v, key, value);
  lock_take(&s->lock);
  v->next = load_relaxed(&x->values);
  store_release(&x->values, v);
  lock_drop(&s->lock);
  return LEAT_OK;
}

static const struct value *find(const struct scope *view, const struct leat_i_key *key, int hops) {
  for (const struct scope *s = view; s; s = s->parent) {
    struct extra *x = load_acquire(&((struct scope *)s)->extra);
    if (!x) continue;
    for (const struct value *v = load_acquire(&x->values); v; v = v->next)
      if (v->key == key) return v;
    for (struct follow *f = hops < MOST_HOPS ? load_acquire(&x->follows) : NULL; f; f = f->next) {
      const struct value *v = find(f->followed, key, hops + 1);
      if (v) return v;
    }
  }
  return NULL;
}

bool leat_i_value_of(const struct leat_scope *view, const struct leat_i_key *key, void *target) {
  happens_call();
  const struct value *v = find(scope_of(view), key, 0);
  happens_write(target, key->size);
  if (v) happens_after(v);
  if (v) quietly memcpy(target, v->data, key->size);
  else quietly memset(target, 0, key->size);
  return v != NULL;
}

bool leat_i_extra_is_quiet(const struct extra *extra) {
  struct extra *x = (struct extra *)extra;
  if (load_relaxed(&x->done) || x->watches || load_relaxed(&x->follows) || x->kept || load_relaxed(&x->flow)) return false;
  for (struct value *v = load_relaxed(&x->values); v; v = v->next)
    if (v->key->drop) return false;
  return true;
}

void leat_i_extra_free(struct scope *s) {
  struct extra *x = load_relaxed(&s->extra);
  for (struct value *v = load_relaxed(&x->values), *next; v; v = next) {
    next = v->next;
    drop_value(v->key, v->data);
    if (v->apart) free(v);
  }
  for (struct follow *f = load_relaxed(&x->follows), *next; f; f = next) {
    next = f->next;
    free(f);
  }
  if (load_relaxed(&x->done)) leat_i_chan_free_done(load_relaxed(&x->done));
  for (struct kept *k = x->kept, *next; k; k = next) {
    next = k->next;
    free(k);
  }
  leat_i_flow_free(load_relaxed(&x->flow));
  free(x->deadline_cause);
  if (s->kind == SCOPE_BLOCK) free(x);
}

/* ---- after a cancel ---- */

/* Runs on whatever thread cancels, the watcher's too: nothing here may ask for the caller's goroutine. */
static void start_hook(struct watch *w, struct cancel *c) {
  leat_hook *h = (leat_hook *)((char *)w - offsetof(leat_hook, watch));
  happens_after(h);
  static const leat_go_options plain;
  struct goroutine *g = leat_i_goroutine_new(&(struct goroutine_start){
    .scope = &h->context.scope, .fn = h->fn, .args = h->args, .birthplace = h->birthplace, .options = &plain});
  int status = g ? leat_i_member_add(&h->context.scope, g) : LEAT_NOMEM;
  if (status == LEAT_OK) {
    goroutine_collect(&c->woken, g);
    return;
  }
  if (g) leat_i_goroutine_discard(g);
  leat_i_scope_fail(&h->context.scope, status, "an after-cancel function could not be started", NULL, h->birthplace);
}

leat_hook *leat_i_after_cancel(const struct leat_scope *view, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o) {
  (void)o;
  struct scope *watched = scope_of(view);
  leat_hook *h = make(watched, SCOPE_HOOK, SHIELD_FULL, sizeof *h + fn->size, birthplace);
  if (!h) return &no_memory_hook;
  memcpy(h->args, args, fn->size);
  h->fn = fn;
  h->birthplace = birthplace;
  h->watch.fire = start_hook;
  h->watch.is_hook = true;
  happens_before(h);
  leat_i_scope_attach(&h->context.scope, watched);
  int status = leat_i_watch(&h->watch, watched);
  if (status == LEAT_NOMEM && !leat_scope_status((leat_view)watched)) {
    leat_i_scope_fail(&h->context.scope, LEAT_NOMEM, "an after-cancel function could not be set", NULL, birthplace);
  } else if (status) {
    struct cancel c = {.status = status};
    start_hook(&h->watch, &c);
    leat_i_ready_list(c.woken);
  }
  return h;
}

bool leat_hook_stop(leat_hook *h) {
  not_after_fork();
  if (h != &no_memory_hook) leat_i_scope_check(&h->context.scope, "leat_hook_stop");
  return leat_i_unwatch(&h->watch);
}

void leat_hook_release(leat_hook *h) {
  happens_call();
  if (h != &no_memory_hook) release(&h->context.scope, "leat_hook_release");
}
