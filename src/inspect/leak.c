/* See leak.h and leat/leak.h.
 *
 * There is no registry: goroutines are found in their stacks, the rest through the tree of scopes, which is walked lock over lock; channels
 * that belong to no scope are in a list of their own (channel.c). What is found is noted under the locks and told after. */
#define _GNU_SOURCE
#include "leak.h"
#include "../core/channel.h"
#include "../core/scope.h"
#include "../core/time.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "memory.h"
#include "symbol.h"
#include <inttypes.h>
#include <leat/finder.h>
#include <leat/leak.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 512 };

_Atomic(uint32_t) leat_i_epoch = 1;

leat_leak_mark leat_leak_now(void) { return (leat_leak_mark){add(&leat_i_epoch, 1) + 1}; }

enum kind { GOROUTINE, CHANNEL, TIMER, CONTEXT };

struct leak {
  enum kind kind;
  bool service;
  const void *address;
  uint64_t id;
  const char *name, *birthplace;
  uintptr_t made_by; /* code address, where there is no birthplace */
  enum wait_reason reason;
};

struct search {
  uint64_t since, self;
  struct list *found;
  bool failed;
};

static void found(struct search *s, const struct leak *leak) {
  struct leak *l = leat_i_list_add(s->found, sizeof *l);
  if (l) *l = *leak;
  else s->failed = true;
}

static void look_at_goroutine(struct goroutine *g, void *environment) {
  struct search *s = environment;
  if (g->epoch < s->since || g->id == s->self) return;
  found(s, &(struct leak){.kind = GOROUTINE, .service = g->service, .id = g->id, .name = g->name, .birthplace = g->birthplace, .reason = load_relaxed(&g->reason)});
}

static void look_at_channel(struct chan *c, void *environment) {
  struct search *s = environment;
  if (c->epoch < s->since) return;
  if (c->timer) found(s, &(struct leak){.kind = TIMER, .address = c->timer, .made_by = c->timer->made_by});
  else found(s, &(struct leak){.kind = CHANNEL, .address = c, .birthplace = c->birthplace});
}

/* With the scope's lock. */
static void look_at_scope(struct scope *scope, struct search *s) {
  if (scope->parent && !scope->owner && scope->epoch >= s->since) found(s, &(struct leak){.kind = CONTEXT, .address = scope, .birthplace = scope->birthplace});
  for (struct chan *c = scope->chans; c; c = c->scope_next) look_at_channel(c, s);
  for (struct function_timer *t = scope->timers; t; t = t->next)
    if (t->epoch >= s->since) found(s, &(struct leak){.kind = TIMER, .address = t, .birthplace = t->birthplace});
}

static void look_at_tree(struct search *search) {
  struct scope *root = leat_i_root_scope(), *s = root;
  lock_take(&s->lock);
  look_at_scope(s, search);
  for (;;) {
    struct scope *next = s->children;
    while (!next && s != root) {
      next = s->next_sibling;
      struct scope *up = s->parent;
      lock_drop(&s->lock);
      s = up;
    }
    if (!next) break;
    lock_take(&next->lock);
    look_at_scope(next, search);
    s = next;
  }
  lock_drop(&root->lock);
}

static int search(leat_leak_mark since, uint64_t self, struct list *list) {
  struct search s = {.since = since.leat_i_epoch, .self = self, .found = list};
  leat_i_stacks_each(look_at_goroutine, &s);
  look_at_tree(&s);
  leat_i_chans_without_scope_each(look_at_channel, &s);
  return s.failed ? LEAT_NOMEM : LEAT_OK;
}

struct made {
  uintptr_t pc;
  char text[LINE];
};

static void name_place(void *place, const struct symbol *symbol) {
  struct made *p = place;
  if (!*p->text) leat_i_symbol_text(symbol, p->text, sizeof p->text);
}

static void look_up_place(void *place) { leat_i_symbolize(((struct made *)place)->pc - 1, name_place, place); }

static void tell(const struct leak *l, void (*each)(void *, const leat_leak *), void *environment) {
  static const char *const kinds[] = {"goroutine", "channel", "timer", "context"};
  struct made place = {.pc = l->made_by};
  if (l->made_by) leat_i_with_room(look_up_place, &place);
  each(environment, &(leat_leak){.kind = kinds[l->kind], .address = l->address, .goroutine = l->id, .name = l->name ? l->name : "",
                                 .birthplace = l->birthplace ? l->birthplace : place.text, .doing = l->kind == GOROUTINE ? leat_i_wait_text(l->reason) : ""});
}

int leat_leak_each(leat_leak_mark since, void (*each)(void *, const leat_leak *), void *environment) {
  struct list list = {0};
  int status = search(since, leat_i_self()->id, &list), n = (int)list.n;
  for (size_t i = 0; each && i < list.n; i++) tell((struct leak *)list.items + i, each, environment);
  leat_i_list_free(&list, sizeof(struct leak));
  return status ? status : n;
}

static void line(const leat_leak *l, char *text) {
  if (l->goroutine) snprintf(text, LINE, "goroutine %" PRIu64 " (%s), started at %s: %s", l->goroutine, l->name, l->birthplace, l->doing);
  else snprintf(text, LINE, "%s %p, made at %s", l->kind, l->address, l->birthplace);
}

static void print_one(void *out, const leat_leak *l) {
  char text[LINE];
  line(l, text);
  fprintf(out, "leat: leaked: %s\n", text);
}

int leat_leak_print(leat_leak_mark since, FILE *out) { return leat_leak_each(since, print_one, out); }

void leat_i_no_leaks_end(const leat_leak_mark *since) {
  static const int64_t patience = LEAT_SECONDS(1);
  int64_t until = leat_i_nondet_clock() + patience, pause = LEAT_US(50);
  _Atomic(uint32_t) never = 0;
  while (leat_leak_each(*since, NULL, NULL) > 0 && leat_i_nondet_clock() < until) { /* who is just ending may need this worker */
    leat_i_yield(leat_i_self());
    leat_i_nondet_sleep(&never, 0, leat_i_nondet_clock() + pause);
    if (pause < LEAT_MS(20)) pause *= 2;
  }
  int n = leat_leak_each(*since, NULL, NULL);
  if (n <= 0) return;
  leat_i_flush_stdout();
  fprintf(stderr, "leat: LEAT_TEST_NO_LEAKS: %d still alive at the end of the block:\n", n);
  leat_leak_print(*since, stderr);
  leat_print_stuck(stderr);
  leat_i_flush_all();
  abort();
}

static void say_one(void *unused, const leat_leak *l) {
  (void)unused;
  char text[LINE];
  line(l, text);
  leat_i_say("leat: leaked: %s", text);
}

void leat_i_leaks_at_exit(void) {
  const char *asked = getenv("LEAT_LEAKS");
  struct list list = {0};
  if (!asked || strcmp(asked, "1") != 0) return;
  leat_i_flush_stdout();
  search((leat_leak_mark){0}, leat_i_self()->id, &list);
  for (size_t i = 0; i < list.n; i++) {
    struct leak *l = (struct leak *)list.items + i;
    if (!l->service) tell(l, say_one, NULL); /* a service ends with its scope, as it is meant to */
  }
  leat_i_list_free(&list, sizeof(struct leak));
}
