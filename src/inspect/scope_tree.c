/* See scope_tree.h. */
#include "scope_tree.h"
#include "../core/channel.h"
#include "../core/membership.h"
#include "../core/scope.h"
#include "../runtime/nondet.h"
#include "../runtime/runtime.h"
#include "dump.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, MOST_COUNTED = 1000, CAUSE = 64 };

struct node {
  uint32_t depth, n_live, n_tasks, n_chans;
  int status;
  uint8_t kind;
  bool shield, has_children, failed;
  const char *birthplace;
  uint64_t owner;
  int64_t deadline;
  char cause[CAUSE];
};

/* With the scope's lock. */
static void look(struct scope *s, uint32_t depth, struct node *n) {
  *n = (struct node){.depth = depth, .n_live = leat_i_without_credit(s, s->n_live), .n_tasks = leat_i_without_credit(s, s->n_tasks), .status = load_relaxed(&s->status), .kind = s->kind, .shield = s->shield,
                     .has_children = s->children != NULL, .failed = s->failure.status != 0, .birthplace = s->birthplace,
                     .owner = s->owner ? s->owner->id : 0, .deadline = load_relaxed(&s->deadline)};
  for (struct chan *c = s->chans; c && n->n_chans < MOST_COUNTED; c = c->scope_next) n->n_chans++;
  if (n->status && s->cause) strncpy(n->cause, s->cause, CAUSE - 1);
}

/* Down and to the right, parents before children, their locks held: see scope.h. */
static size_t collect(struct scope *top, struct node *nodes, size_t room) {
  size_t n = 0;
  uint32_t depth = 0;
  struct scope *s = top;
  lock_take(&top->lock);
  look(s, depth, &nodes[n++]);
  for (;;) {
    struct scope *next = n < room ? s->children : NULL;
    if (next) depth++;
    while (!next && s != top) {
      if (n < room) next = s->next_sibling;
      struct scope *up = s->parent;
      lock_drop(&s->lock);
      s = up;
      if (!next) depth--;
    }
    if (!next) break;
    lock_take(&next->lock);
    s = next;
    look(s, depth, &nodes[n++]);
  }
  lock_drop(&top->lock);
  return n;
}

static bool alike(const struct node *a, const struct node *b) {
  return a->depth == b->depth && !a->has_children && !b->has_children && a->status == b->status && a->shield == b->shield && a->kind == b->kind && a->failed == b->failed &&
         strcmp(a->birthplace, b->birthplace) == 0;
}

static const char *const kinds[] = {[SCOPE_BLOCK] = "", [SCOPE_CONTEXT] = ", a context", [SCOPE_VALUE] = ", a value", [SCOPE_HOOK] = ", an after-cancel function"};

static void print(FILE *out, const struct node *first, size_t n, int64_t now) {
  const struct node *s = first;
  uint64_t live = 0, chans = 0;
  for (size_t i = 0; i < n; i++) {
    live += first[i].n_live;
    chans += first[i].n_chans;
  }
  fprintf(out, "%*s%s", 2 + 2 * (int)(s->depth < 40 ? s->depth : 40), "", s->birthplace);
  fputs(kinds[s->kind], out);
  if (n > 1) fprintf(out, ", %zu alike", n);
  else if (s->owner) fprintf(out, ", of goroutine %" PRIu64, s->owner);
  fprintf(out, ": %" PRIu64 " goroutine%s, %" PRIu64 "%s channel%s", live, live == 1 ? "" : "s", chans, chans >= MOST_COUNTED ? " or more" : "", chans == 1 ? "" : "s");
  if (n == 1 && s->n_live > s->n_tasks) fprintf(out, ", %u of the goroutines services", s->n_live - s->n_tasks);
  if (s->shield && s->kind != SCOPE_HOOK) fprintf(out, ", a shield");
  if (n == 1 && s->deadline != LEAT_NEVER && !s->status) {
    char text[DURATION_TEXT];
    leat_i_duration_text(s->deadline - now, text);
    fprintf(out, s->deadline > now ? ", deadline in %s" : ", deadline %s ago", text);
  }
  if (s->failed) fprintf(out, ", failed");
  if (s->status) fprintf(out, ", %s%s%s", leat_status_text(s->status), *s->cause ? ": " : "", s->cause);
  fputc('\n', out);
}

void leat_i_scope_tree_print(FILE *out) {
  struct node *nodes = malloc(MOST * sizeof *nodes);
  if (!nodes) return;
  size_t n = collect(leat_i_root_scope(), nodes, MOST);
  int64_t now = leat_i_nondet_clock();
  fprintf(out, "scopes:\n");
  for (size_t i = 0, run; i < n; i += run) {
    for (run = 1; i + run < n && alike(&nodes[i], &nodes[i + run]); run++) {}
    print(out, &nodes[i], run, now);
  }
  if (n == MOST) fprintf(out, "  ... (no more are looked at)\n");
  free(nodes);
}
