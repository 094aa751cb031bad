/* See finder.h. */
#define _GNU_SOURCE
#include "finder.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/worker.h"
#include "threads.h"
#include "waits.h"
#include <errno.h>
#include <inttypes.h>
#include <leat/finder.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHY = 256, LINE = 1024 };

/* In whose hands its wake is. */
static void text_of_other(const struct finding *f, char *text) {
  const char *verb = f->reason == WAIT_MUTEX || f->reason == WAIT_READ_LOCK || f->reason == WAIT_WRITE_LOCK ? ", which holds it," : "";
  if (f->other == f->id) snprintf(text, WHY, *verb ? "it holds it itself" : "it waits for its own end");
  else if (f->other_is_gone) snprintf(text, WHY, "goroutine %" PRIu64 "%s has ended", f->other, verb);
  else snprintf(text, WHY, "goroutine %" PRIu64 " (%s)%s is stuck, too", f->other, f->other_name ? f->other_name : "?", verb);
}

static void why_certain(const struct finding *f, char *text) {
  if (f->other) text_of_other(f, text);
  else if (f->reason == WAIT_NIL) snprintf(text, WHY, "nobody can end that");
  else if (f->reason == WAIT_SCOPE) snprintf(text, WHY, "some of those that it waits for are stuck, too");
  else snprintf(text, WHY, "nobody who can go on has a way to it");
}

static void why_unlock(const struct finding *f, char *text) {
  text_of_other(f, text);
  strncat(text, "; only an unlock by somebody else would help", WHY - 1 - strlen(text));
}

static void why(const struct finding *f, char *text) {
  switch (f->doubt) {
  case DOUBT_NONE: why_certain(f, text); return;
  case DOUBT_CANCEL: snprintf(text, WHY, "only a cancellation would, of the scope at %s", f->scope_birthplace ? f->scope_birthplace : "?"); return;
  case DOUBT_REFERENCE: snprintf(text, WHY, "something in memory still refers to it, but nobody is seen to use that"); return;
  case DOUBT_REGISTERS: snprintf(text, WHY, "only somebody that runs just now might, whose registers cannot be seen"); return;
  case DOUBT_UNLOCK: why_unlock(f, text); return;
  case DOUBT_JOIN: snprintf(text, WHY, "those it waits for are stuck, perhaps"); return;
  case DOUBT_MOVED: why_certain(f, text); strncat(text, "; but others ran while it was looked at", WHY - 1 - strlen(text)); return;
  }
}

static void tell(const struct finding *f, void (*each)(void *, const leat_stuck *), void *environment) {
  char text[WHY] = "";
  why(f, text);
  each(environment, &(leat_stuck){.verdict = f->certain ? LEAT_CERTAIN : LEAT_SUSPECTED, .goroutine = f->kind == KIND_FOREIGN ? 0 : f->id, .name = f->name ? f->name : "",
                                  .birthplace = f->birthplace ? f->birthplace : "", .doing = leat_i_wait_text(f->reason), .object = f->object,
                                  .made = f->object_birthplace ? f->object_birthplace : "", .why = text});
}

static int find(void (*each)(void *, const leat_stuck *), void *environment) {
  struct list findings = {0};
  int status = leat_i_find_waits(&findings), n = (int)findings.n;
  for (size_t i = 0; each && i < findings.n; i++) tell((struct finding *)findings.items + i, each, environment);
  leat_i_list_free(&findings, sizeof(struct finding));
  return status ? status : n;
}

int leat_find_stuck(void (*each)(void *, const leat_stuck *), void *environment) {
  leat_i_self(); /* so that what a plain thread holds counts */
  return find(each, environment);
}

static void line(const leat_stuck *s, char *text) {
  char who[LINE / 4] = "a thread that is not leat's", what[64] = "";
  if (s->goroutine) snprintf(who, sizeof who, "goroutine %" PRIu64 " (%s)%s%s", s->goroutine, s->name, *s->birthplace ? ", started at " : "", s->birthplace);
  if (s->object) snprintf(what, sizeof what, " %p", s->object);
  snprintf(text, LINE, "%s: %s, %s%s%s%s: %s", s->verdict == LEAT_CERTAIN ? "stuck" : "perhaps stuck", who, s->doing, what, *s->made ? ", made at " : "", s->made, s->why);
}

static void print_one(void *out, const leat_stuck *s) {
  char text[LINE];
  line(s, text);
  fprintf(out, "leat: %s\n", text);
}

int leat_print_stuck(FILE *out) { return leat_find_stuck(print_one, out); }
void leat_i_finder_print(FILE *out) { find(print_one, out); }

/* ---- now and then ---- */

static pthread_t thread;
static _Atomic(uint32_t) running, stop_word;
static int64_t period;
static bool end_process;
static LEAT_OWN struct list told; /* struct finding */

void leat_i_finder_memory(void (*visit)(const void *low, const void *high, void *environment), void *environment) {
  visit(told.items, (struct finding *)told.items + told.room, environment);
}

/* Once as suspected and once as certain. */
static bool is_news(const struct finding *f) {
  for (size_t i = 0; i < told.n; i++) {
    struct finding *t = (struct finding *)told.items + i;
    if (t->id == f->id && t->since == f->since && t->certain >= f->certain) return false;
  }
  struct finding *t = leat_i_list_add(&told, sizeof *t);
  if (t) *t = *f;
  return true;
}

static void say_one(void *unused, const leat_stuck *s) {
  (void)unused;
  char text[LINE];
  line(s, text);
  leat_i_say("leat: %s", text);
}

static void look(void) {
  struct list findings = {0};
  bool certain = false;
  if (leat_i_find_waits(&findings) == LEAT_OK)
    for (size_t i = 0; i < findings.n; i++) {
      struct finding *f = (struct finding *)findings.items + i;
      certain |= f->certain;
      if (is_news(f)) tell(f, say_one, NULL);
    }
  leat_i_list_free(&findings, sizeof(struct finding));
  if (certain && end_process) _exit(2);
}

static void *look_now_and_then(void *unused) {
  leat_i_thread_ours();
  while (!load_acquire(&stop_word)) {
    leat_i_nondet_sleep(&stop_word, 0, leat_i_nondet_clock() + period);
    if (!load_acquire(&stop_word)) look();
  }
  leat_i_thread_ours_no_more();
  return unused;
}

static void from_environment(void) {
  const char *text = getenv("LEAT_FIND_STUCK");
  if (!text) return;
  char *end;
  double seconds = strtod(text, &end);
  if (seconds > 0 && seconds < 1e9) period = (int64_t)(seconds * 1e9);
  if (strcmp(end, ",fatal") == 0) end_process = true;
}

void leat_i_finder_start(unsigned milliseconds, int fatal) {
  period = LEAT_MS((int64_t)milliseconds);
  end_process = fatal;
  from_environment();
  if (!period || !leat_i_nondet_threads()) return;
  sigset_t all, before;
  store_relaxed(&stop_word, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  if (pthread_create(&thread, NULL, look_now_and_then, NULL) == 0) store_release(&running, 1);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int leat_i_finder_threads(void) { return (int)load_acquire(&running); }

void leat_i_finder_stop(void) {
  if (!exchange(&running, 0)) return;
  store_seq(&stop_word, 1);
  leat_i_nondet_wake(&stop_word, 1);
  pthread_join(thread, NULL);
  leat_i_list_free(&told, sizeof(struct finding));
}
