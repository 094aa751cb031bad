/* See panic.h, leat/panic.h and leat/defer.h.
 *
 * Defers and scopes register records on the goroutine; leaving their block and a panic both take them off the same list, innermost first,
 * so each runs once. Frames are not unwound: a panic runs the records on top of the stack as it stands, then gives the stack up. That
 * works at any optimisation, in both compilers and through frames of other libraries, without unwind tables; forced unwinding was tried
 * and runs nothing in code compiled without -fexceptions. Rejected for the same reason: __attribute__((cleanup)) alone. */
#define _GNU_SOURCE
#include "panic.h"
#include "../inspect/dump.h"
#include "../runtime/report.h"
#include "../runtime/scheduler.h"
#include "error.h"
#include "scope.h"
#include <leat/defer.h>
#include <leat/panic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_IGNORED = 1000 };

/* Runs what is registered, without an end of its own: a panic in it goes on with the next from further down the stack. */
static void run_cleanups(struct goroutine *self) {
  self->deferring = true;
  while (self->cleanups) {
    struct leat_i_cleanup *c = self->cleanups;
    self->cleanups = c->outer; /* first */
    c->run(c);
  }
}

_Noreturn void leat_i_panic_with(leat_error *error) {
  struct goroutine *self = leat_i_self();
  if (self->kind != KIND_GOROUTINE) leat_i_die_of(error);
  if (self->panicking) self->error = leat_error_join(self->error, error);
  else {
    self->panicking = true;
    leat_error_release(self->error);
    self->error = error;
  }
  run_cleanups(self);
  leat_i_goroutine_exit(self, LEAT_PANIC);
}

/* "panic: what" and the stack, malloc'ed; NULL out of memory. */
static char *report_of(const leat_error *error) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  const char *place = leat_i_error_place(error);
  fprintf(out, "panic: %s%s%s\n", leat_error_message(error), place ? ", at " : "", place ? place : "");
  leat_error_log_stack(error, out);
  fprintf(out, "  log ID %s", leat_error_log_id(error));
  return fclose(out) == 0 ? text : (free(text), NULL);
}

_Noreturn void leat_i_die_of(const leat_error *error) {
  char *report = report_of(error);
  leat_i_flush_stdout();
  leat_i_say("leat: %s", report ? report : leat_error_message(error));
  leat_i_say("leat: all goroutines:");
  leat_i_dump_report(LEAT_DUMP_GROUPED);
  leat_i_exit(2);
}

static _Noreturn void raise_panic(leat_error *error) {
  if (leat_i_self()->kind == KIND_GOROUTINE) {
    /* At once, even if a leat_wait will return it: it is a bug, and a program that only passes the status on would end without a word. */
    char *report = report_of(error);
    leat_i_say("leat: %s", report ? report : leat_error_message(error));
    free(report);
  }
  leat_i_panic_with(error);
}

_Noreturn void leat_i_panic(const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_error *error = leat_i_error_vnew(NULL, LEAT_PANIC, 1, format, args);
  va_end(args);
  raise_panic(error);
}

void leat_i_panic_at(const char *place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_error *error = leat_i_error_vnew(place, LEAT_PANIC, 1, format, args);
  va_end(args);
  raise_panic(error);
}

static __attribute__((noinline, format(printf, 2, 3))) leat_error *failed_assertion(const char *place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_error *error = leat_i_error_vnew(place, LEAT_PANIC, 2, format, args);
  va_end(args);
  return error;
}

void leat_i_assert_failed(const char *place, const char *condition) { raise_panic(failed_assertion(place, "assertion failed: %s", condition)); }

/* The length of the first of some macro arguments in their source text. */
static int first_argument(const char *text) {
  int depth = 0;
  char quote = 0;
  const char *c = text;
  for (; *c; c++) {
    if (quote) {
      if (*c == '\\' && c[1]) c++;
      else if (*c == quote) quote = 0;
    } else if (*c == '"' || *c == '\'') quote = *c;
    else if (*c == '(' || *c == '[' || *c == '{') depth++;
    else if (*c == ')' || *c == ']' || *c == '}') depth--;
    else if (*c == ',' && depth == 0) break;
  }
  return (int)(c - text);
}

void leat_i_assert_failed_as(const char *place, const char *arguments, const char *format, ...) {
  char *message = NULL;
  va_list args;
  va_start(args, format);
  if (vasprintf(&message, format, args) < 0) message = NULL;
  va_end(args);
  leat_error *error = failed_assertion(place, "assertion failed: %.*s: %s", first_argument(arguments), arguments, message ? message : format);
  free(message);
  raise_panic(error);
}

void leat_goexit(void) {
  struct goroutine *self = leat_i_self();
  if (self->kind != KIND_GOROUTINE) leat_i_panic("leat_goexit: only a goroutine can be ended so; the main one, and a plain thread, end by returning");
  if (!self->panicking) {
    leat_error_release(self->error);
    self->error = NULL;
  }
  run_cleanups(self);
  leat_i_goroutine_exit(self, self->panicking ? LEAT_PANIC : LEAT_OK);
}

int leat_fail_with(leat_error *e) {
  struct goroutine *self = leat_i_self();
  int status = leat_error_status(e);
  if (!e) return LEAT_OK;
  if (self->deferring) leat_error_release(e); /* a deferred call's failure is nobody's; what the goroutine fails with stays */
  else {
    leat_error_release(self->error);
    self->error = e;
  }
  return status;
}

int leat_i_fail(const char *place, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_fail_with(leat_i_error_vnew(place, status, 1, format, args));
  va_end(args);
  return status;
}

void leat_i_count_ignored(struct goroutine *self, int status) {
  happens_after(&self->scope->status);
  if (++self->ignored >= MOST_IGNORED && self->kind != KIND_FOREIGN && !self->panicking) {
    self->ignored = 0;
    leat_i_panic("%d operations in a row answered \"%s\", and the goroutine went on; it must return when its scope is cancelled", MOST_IGNORED,
                 leat_status_text(status));
  }
  leat_i_count(COUNT_CANCELED_ANSWERS, 1);
}

int leat_i_cancelled(struct goroutine *self, int status) {
  leat_i_count_ignored(self, status);
  if (self->ignored > 1) leat_i_yield(self); /* most return at the first: of many that are cancelled at once none runs twice (100,000: a third of the time) */
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
  struct goroutine *self = leat_i_self();
  bool outer = self->deferring;
  self->cleanups = c->outer;
  self->deferring = true;
  c->run(c);
  self->deferring = outer;
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
