/* See report.h. */
#define _GNU_SOURCE
#include "report.h"
#include <leat/runtime.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512 };

static void (*log_hook)(void *, const char *);
static void *log_environment;
static struct lock log_lock;

void leat_set_log(void (*hook)(void *, const char *), void *environment) {
  happens_before(&log_lock);
  lock_take(&log_lock);
  log_hook = hook;
  log_environment = environment;
  lock_drop(&log_lock);
}

static bool to_hook(const char *line) {
  lock_take(&log_lock);
  void (*hook)(void *, const char *) = log_hook;
  void *environment = log_environment;
  lock_drop(&log_lock);
  happens_after(&log_lock);
  if (hook) hook(environment, line);
  return hook != NULL;
}

void leat_i_log(const char *format, ...) {
  char line[LINE];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  to_hook(line);
}

static void to_stderr(const char *text) {
  size_t n = strlen(text);
  while (n) {
    ssize_t wrote = write(STDERR_FILENO, text, n);
    if (wrote <= 0) return;
    text += wrote;
    n -= (size_t)wrote;
  }
}

/* Longer than the buffer where malloc has the memory, else cut. */
static void say(const char *format, va_list args) {
  char line[2 * LINE], *text = line;
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(line, sizeof line, format, args);
  if (n >= (int)sizeof line && vasprintf(&text, format, again) < 0) text = line;
  va_end(again);
  if (!to_hook(text)) {
    to_stderr(text);
    to_stderr("\n");
  }
  if (text != line) free(text);
}

void leat_i_say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(format, args);
  va_end(args);
}

static char *append(char *at, const char *end, const char *text) {
  while (*text && at < end) *at++ = *text++;
  *at = 0;
  return at;
}

static char *append_number(char *at, const char *end, uint64_t n) {
  char digits[24], *d = digits + sizeof digits - 1;
  *d = 0;
  do *--d = (char)('0' + n % 10);
  while (n /= 10);
  return append(at, end, d);
}

const char *leat_i_describe(const struct goroutine *g, char *buffer, size_t size) {
  char *at = buffer;
  const char *end = buffer + size - 1;
  if (g->kind == KIND_FOREIGN) return append(at, end, "a thread that is not leat's"), buffer;
  if (g->kind == KIND_IDLE) return append(at, end, "leat's scheduler"), buffer;
  at = append(at, end, "goroutine ");
  at = append_number(at, end, g->id);
  at = append(at, end, " (");
  at = append(at, end, g->name ? g->name : "?");
  at = append(at, end, ")");
  if (g->birthplace) append(append(at, end, ", started at "), end, g->birthplace);
  return buffer;
}

_Noreturn void leat_i_die(const char *format, ...) {
  char *text = NULL;
  va_list args;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  fflush(NULL);
  leat_i_say("leat: %s", text ? text : format);
  _exit(2);
}
