/* See dump.h. */
#define _GNU_SOURCE
#include "dump.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/switch.h"
#include "cfi.h"
#include "scope_tree.h"
#include "sight.h"
#include "symbol.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_LISTS = 4096, IDS = 8, FRAME_TEXT = 512, DEEPEST = 24 };

/* What an address is printed as: a line for the function, and one for each that is inlined there. */
struct text {
  uintptr_t pc;
  char *lines;
};

/* Goroutines with one trace, in one kind of wait. */
struct group {
  struct sight first;
  uint64_t n, ids[IDS];
  int64_t earliest, latest; /* since when */
  struct group *next;       /* in its list */
};

struct dump {
  FILE *out;
  enum leat_dump_style style;
  int64_t now;
  uint64_t n[3];            /* goroutines, by state */
  struct text *texts;       /* a hash table, at most half full */
  size_t n_texts, room;
  struct group **groups;    /* GROUP_LISTS lists; NULL: not grouped */
  size_t n_groups;
};

/* ---- texts ---- */

const char *leat_i_duration_text(int64_t ns, char text[DURATION_TEXT]) {
  int64_t ms = (ns < 0 ? -ns : ns) / 1000000, s = ms / 1000;
  if (ms < 1000) snprintf(text, DURATION_TEXT, "%" PRId64 " ms", ms);
  else if (s < 60) snprintf(text, DURATION_TEXT, "%" PRId64 ".%02d s", s, (int)(ms % 1000 / 10));
  else if (s < 3600) snprintf(text, DURATION_TEXT, "%" PRId64 " min %d s", s / 60, (int)(s % 60));
  else snprintf(text, DURATION_TEXT, "%" PRId64 " h %d min", s / 3600, (int)(s / 60 % 60));
  return text;
}

static void add_frame(void *environment, const struct symbol *symbol) {
  char frame[FRAME_TEXT];
  leat_i_symbol_text(symbol, frame, sizeof frame);
  fprintf(environment, "    at %s\n", frame);
}

static char *lines_of(uintptr_t pc) {
  char *lines = NULL;
  size_t size;
  FILE *f = open_memstream(&lines, &size);
  if (!f) return NULL;
  leat_i_symbolize(pc - 1, add_frame, f);
  fclose(f);
  return lines;
}

static struct text *text_place(struct text *texts, size_t room, uintptr_t pc) {
  size_t at = (pc * UINT64_C(0x9e3779b97f4a7c15) >> 32) % room;
  while (texts[at].pc && texts[at].pc != pc) at = (at + 1) % room;
  return &texts[at];
}

static bool make_room(struct dump *d) {
  if (d->n_texts * 2 < d->room) return true;
  size_t room = d->room ? d->room * 4 : 1024;
  struct text *texts = calloc(room, sizeof *texts);
  if (!texts) return false;
  for (size_t i = 0; i < d->room; i++)
    if (d->texts[i].pc) *text_place(texts, room, d->texts[i].pc) = d->texts[i];
  free(d->texts);
  d->texts = texts;
  d->room = room;
  return true;
}

static void print_frame(struct dump *d, uintptr_t pc) {
  struct text *t = make_room(d) ? text_place(d->texts, d->room, pc) : NULL;
  if (t && !t->pc) {
    *t = (struct text){pc, lines_of(pc)};
    d->n_texts++;
  }
  if (t && t->lines) fputs(t->lines, d->out);
  else fprintf(d->out, "    at 0x%" PRIxPTR "\n", pc - 1);
}

struct span leat_i_shown_frames(const struct sight *s) {
  static void (*const below[])(void) = {(void (*)(void))leat_i_park, (void (*)(void))leat_i_park_on, (void (*)(void))leat_i_yield, (void (*)(void))leat_dump_with};
  int first = 0, n = s->n;
  for (int i = 0; i < n && i < DEEPEST; i++)
    for (size_t k = 0; k < sizeof below / sizeof *below; k++)
      if (leat_i_cfi_function(s->pcs[i] - 1) == (uintptr_t)below[k]) first = i + 1;
  if (n && leat_i_cfi_function(s->pcs[n - 1] - 1) == (uintptr_t)leat_i_switch_entry) n -= 2;
  return (struct span){first, n > first ? n : first};
}

static void print_trace(struct dump *d, const struct sight *s) {
  struct span shown = leat_i_shown_frames(s);
  for (int i = shown.first; i < shown.end; i++) print_frame(d, s->pcs[i]);
  if (s->n == SIGHT_FRAMES) fprintf(d->out, "    ...\n");
}

/* ---- one goroutine ---- */

void leat_i_print_who(FILE *out, const struct sight *s) {
  if (s->kind == KIND_FOREIGN) fprintf(out, "a thread that is not leat's (as goroutine %" PRIu64 ")", s->id);
  else fprintf(out, "goroutine %" PRIu64 " (%s)", s->id, *s->name ? s->name : "?");
  if (*s->birthplace) fprintf(out, ", started at %s", s->birthplace);
}

static const char *state_text(const struct sight *s) {
  switch (s->state) {
  case SEEN_RUNNING: return s->kind == KIND_FOREIGN ? "running, outside of leat" : "running";
  case SEEN_RUNNABLE: return s->since ? "runnable" : "runnable, for the first time";
  case SEEN_WAITING: return s->wait;
  }
  return "?";
}

static void print_brief(struct dump *d, const struct sight *s) {
  fprintf(d->out, "  ");
  leat_i_print_who(d->out, s);
  fprintf(d->out, ": %s\n", state_text(s));
}

static void print_full(struct dump *d, const struct sight *s) {
  char duration[DURATION_TEXT];
  fputc('\n', d->out);
  leat_i_print_who(d->out, s);
  if (s->parent) fprintf(d->out, " by goroutine %" PRIu64, s->parent);
  fprintf(d->out, ": %s", state_text(s));
  if (s->thread) fprintf(d->out, " on thread %d", s->thread);
  if (s->since) fprintf(d->out, ", for %s", leat_i_duration_text(d->now > s->since ? d->now - s->since : 0, duration));
  if (s->kind == KIND_GOROUTINE) fprintf(d->out, "; %sscope %s", s->service ? "a service, " : "", s->scope);
  if (s->used) fprintf(d->out, "; stack %.1f of %zu KiB", (double)s->used / 1024, (s->stack + 4095) / 4096 * 4);
  fputc('\n', d->out);
  print_trace(d, s);
}

/* ---- groups ---- */

static bool alike(const struct sight *a, const struct sight *b) {
  return a->state == b->state && a->reason == b->reason && a->n == b->n && strcmp(a->name, b->name) == 0 && strcmp(a->birthplace, b->birthplace) == 0 &&
         memcmp(a->pcs, b->pcs, (size_t)a->n * sizeof a->pcs[0]) == 0;
}

static void add_to_group(struct dump *d, const struct sight *s) {
  uint64_t hash = (uint64_t)s->reason * 4 + s->state;
  for (int i = 0; i < s->n; i++) hash = (hash ^ s->pcs[i]) * UINT64_C(0x9e3779b97f4a7c15);
  struct group **list = &d->groups[(hash >> 32) % GROUP_LISTS], *g = *list;
  while (g && !alike(&g->first, s)) g = g->next;
  if (!g) {
    if (!(g = malloc(sizeof *g))) return;
    *g = (struct group){.first = *s, .earliest = s->since, .latest = s->since, .next = *list};
    *list = g;
    d->n_groups++;
  }
  if (g->n < IDS) g->ids[g->n] = s->id;
  g->n++;
  if (s->since < g->earliest) g->earliest = s->since;
  if (s->since > g->latest) g->latest = s->since;
}

static int larger_first(const void *a, const void *b) {
  const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
  if (x->n != y->n) return x->n < y->n ? 1 : -1;
  return x->first.id < y->first.id ? -1 : x->first.id > y->first.id;
}

static void print_group(struct dump *d, const struct group *g) {
  char shortest[DURATION_TEXT], longest[DURATION_TEXT];
  if (g->n == 1) {
    print_full(d, &g->first);
    return;
  }
  const struct sight *s = &g->first;
  fprintf(d->out, "\n%" PRIu64 " alike, such as ", g->n);
  leat_i_print_who(d->out, s);
  fprintf(d->out, ": %s", s->state == SEEN_WAITING ? leat_i_wait_text(s->reason) : state_text(s));
  if (g->earliest) {
    leat_i_duration_text(d->now - g->earliest, longest);
    fprintf(d->out, strcmp(leat_i_duration_text(d->now - g->latest, shortest), longest) ? ", for %s to %s" : ", for %s", shortest, longest);
  }
  if (s->kind != KIND_FOREIGN) {
    fprintf(d->out, "; numbers");
    for (uint64_t i = 0; i < g->n && i < IDS; i++) fprintf(d->out, " %" PRIu64, g->ids[i]);
    fprintf(d->out, g->n > IDS ? " ...\n" : "\n");
  } else {
    fputc('\n', d->out);
  }
  print_trace(d, s);
}

static void print_groups(struct dump *d) {
  struct group **all = malloc((d->n_groups + 1) * sizeof *all);
  size_t n = 0;
  for (int i = 0; i < GROUP_LISTS && all; i++)
    for (struct group *g = d->groups[i]; g; g = g->next) all[n++] = g;
  if (n) qsort(all, n, sizeof *all, larger_first);
  for (size_t i = 0; i < n; i++) print_group(d, all[i]);
  free(all);
  for (int i = 0; i < GROUP_LISTS; i++)
    for (struct group *g = d->groups[i], *next; g; g = next) {
      next = g->next;
      free(g);
    }
  free(d->groups);
}

/* ---- all ---- */

static void note(struct dump *d, const struct sight *s) {
  if (s->kind != KIND_FOREIGN) d->n[s->state]++;
  if (d->groups) add_to_group(d, s);
  else if (d->style == LEAT_DUMP_BRIEF) print_brief(d, s);
  else print_full(d, s);
}

/* Plain threads and the main goroutine are few, and looked at all at once: the list's lock is held. */
struct foreigners {
  const struct dump *d;
  struct sight *sights;
  size_t n, room;
};
static void look_at_foreign(struct goroutine *g, void *environment) {
  struct foreigners *f = environment;
  if (f->n < f->room) leat_i_look(g, f->d->style != LEAT_DUMP_BRIEF, &f->sights[f->n++]);
}

struct glance {
  const struct dump *d;
  struct sight sight;
};
static void look_at(struct goroutine *g, void *environment) {
  struct glance *l = environment;
  leat_i_look(g, l->d->style != LEAT_DUMP_BRIEF, &l->sight);
}

static void dump(void *environment) {
  struct dump *d = environment;
  struct foreigners f = {.d = d, .room = (size_t)leat_i_foreign_attached() + 16};
  struct glance *l = malloc(sizeof *l);
  f.sights = malloc(f.room * sizeof *f.sights);
  if (d->style == LEAT_DUMP_GROUPED) d->groups = calloc(GROUP_LISTS, sizeof(struct group *)); /* without memory it is a full one */
  leat_i_cfi_refresh();
  d->now = leat_i_nondet_clock();
  fprintf(d->out, "leat: %" PRIu64 " goroutines, %d workers\n", leat_i_live_goroutines() + (leat_i_main_goroutine() ? 1 : 0), load_relaxed(&leat_i_sched.workers));
  if (f.sights) leat_i_foreign_each(look_at_foreign, &f);
  for (size_t i = 0; i < f.n; i++) note(d, &f.sights[i]);
  if (l) {
    l->d = d;
    for (struct stack_cursor at = {0}; leat_i_stacks_next(&at, look_at, l);) note(d, &l->sight);
  }
  if (d->groups) print_groups(d);
  if (d->style != LEAT_DUMP_BRIEF) {
    fprintf(d->out, "\n%" PRIu64 " goroutines run, %" PRIu64 " are runnable, %" PRIu64 " wait\n\n", d->n[SEEN_RUNNING], d->n[SEEN_RUNNABLE], d->n[SEEN_WAITING]);
    leat_i_scope_tree_print(d->out);
  }
  for (size_t i = 0; i < d->room; i++) free(d->texts[i].lines);
  free(d->texts);
  free(f.sights);
  free(l);
}

void leat_dump_with(FILE *out, const leat_dump_options *options) {
  not_after_fork();
  struct dump d = {.out = out, .style = options->style};
  if (d.style == LEAT_DUMP_BRIEF) dump(&d);
  else leat_i_with_room(dump, &d);
}

void leat_dump(FILE *out) { leat_dump_with(out, &(leat_dump_options){.style = LEAT_DUMP_FULL}); }

void leat_i_dump_report(enum leat_dump_style style) {
  FILE *out = leat_i_report_stream();
  if (!out) return;
  leat_dump_with(out, &(leat_dump_options){.style = style});
  fclose(out);
}
