/* See panic.h and leat/defer.h.
 *
 * Defers and scopes register records on the goroutine; leaving their block and a panic both take them off the same list, innermost first,
 * so each runs once. Frames are not unwound: a panic runs the records on top of the stack as it stands, then gives the stack up. That
 * works at any optimisation, in both compilers and through frames of other libraries, without unwind tables; forced unwinding was tried
 * and runs nothing in code compiled without -fexceptions. Rejected for the same reason: __attribute__((cleanup)) alone. */
#define _GNU_SOURCE
#include "panic.h"
#include "../runtime/report.h"
#include "../runtime/scheduler.h"
#include "scope.h"
#include <leat/defer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IGNORED = 1000 };

_Noreturn void leat_i_panic_with(char *report) {
  struct goroutine *self = leat_i_self();
  const char *text = report ? report : "panic (and no memory for the report)";
  if (self->kind != KIND_GOROUTINE) leat_i_die("%s", text);
  if (self->panicking) free(report); /* a second panic, in a deferred call: the first one is what counts */
  else {
    self->panicking = true;
    free(self->message);
    self->message = report;
  }
  while (self->cleanups) {
    struct leat_i_cleanup *c = self->cleanups;
    self->cleanups = c->outer; /* first, so that a panic in it goes on with the next */
    c->run(c);
  }
  leat_i_goroutine_exit(self, LEAT_PANIC);
}

_Noreturn void leat_i_panic(const char *format, ...) {
  char *what = NULL, *report = NULL, who[256];
  va_list args;
  va_start(args, format);
  if (vasprintf(&what, format, args) < 0) what = NULL;
  va_end(args);
  char *frames = leat_i_backtrace_text(1);
  leat_i_describe(leat_i_self(), who, sizeof who);
  if (asprintf(&report, "panic: %s\n  in %s\n%s", what ? what : format, who, frames ? frames : "") < 0) report = NULL;
  free(what);
  free(frames);
  /* At once, even if a leat_wait will return it: it is a bug, and a program that only passes the status on would end without a word. */
  if (leat_i_self()->kind == KIND_GOROUTINE) leat_i_say("leat: %s", report ? report : "panic");
  leat_i_panic_with(report);
}

int leat_i_cancelled(struct goroutine *self, int status) {
  happens_after(&self->scope->status);
  if (++self->ignored >= MOST_IGNORED && self->kind != KIND_FOREIGN && !self->panicking) {
    self->ignored = 0;
    leat_i_panic("%d operations in a row answered \"%s\", and the goroutine went on; it must return when its scope is cancelled", MOST_IGNORED,
                 leat_status_text(status));
  }
  leat_i_count(COUNT_CANCELED_ANSWERS, 1);
  leat_i_yield(self);
  return status;
}

/* ---- defer ---- */

static void enter(struct leat_i_cleanup *c, void (*run)(struct leat_i_cleanup *)) {
  struct goroutine *self = leat_i_self();
  c->run = run;
  c->outer = self->cleanups;
  self->cleanups = c;
}

static void leave(struct leat_i_cleanup *c) {
  leat_i_self()->cleanups = c->outer;
  c->run(c);
}

static void run_defer(struct leat_i_cleanup *c) {
  struct leat_i_defer *d = (struct leat_i_defer *)c;
  d->leat_i_fn(d->leat_i_arg);
}
void leat_i_defer_enter(struct leat_i_defer *d) { enter(&d->cleanup, run_defer); }
void leat_i_defer_leave(struct leat_i_defer *d) { leave(&d->cleanup); }

static void run_defer_call(struct leat_i_cleanup *c) { leat_call(((struct leat_i_defer_call *)c)->leat_i_closure); }
void leat_i_defer_call_enter(struct leat_i_defer_call *d) { enter(&d->cleanup, run_defer_call); }
void leat_i_defer_call_leave(struct leat_i_defer_call *d) { leave(&d->cleanup); }

void leat_i_close_deferred(struct leat_i_chan *c) { leat_i_close(c, "leat_defer_close"); }
