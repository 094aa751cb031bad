/* See report.h. */
#define _GNU_SOURCE
#include "report.h"
#include "nondet.h"
#include <errno.h>
#include <leat/runtime.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512, REPORT_BUFFER = 64 * 1024 };

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

static bool has_hook(void) {
  lock_take(&log_lock);
  bool has = log_hook != NULL;
  lock_drop(&log_lock);
  return has;
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

static void write_all(const char *text, size_t n) {
  while (n) {
    ssize_t wrote = write(STDERR_FILENO, text, n);
    if (wrote < 0 && errno == EAGAIN) poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
    else if (wrote < 0 && errno != EINTR) return;
    if (wrote < 0) continue;
    text += wrote;
    n -= (size_t)wrote;
  }
}

static void to_stderr(const char *text) { write_all(text, strlen(text)); }

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

/* What a stream has been given and that is no whole line yet. */
struct lines {
  char *text;
  size_t n, room;
};

static void say_lines(struct lines *l, bool all) {
  char *line = l->text, *end;
  size_t left = l->n;
  while ((end = memchr(line, '\n', left)) || (all && left)) {
    size_t n = end ? (size_t)(end - line) : left;
    line[n] = 0;
    to_hook(line);
    left -= end ? n + 1 : n;
    line += end ? n + 1 : n;
  }
  memmove(l->text, line, left);
  l->n = left;
}

static ssize_t write_report(void *cookie, const char *text, size_t n) {
  struct lines *l = cookie;
  if (!has_hook()) {
    write_all(text, n);
    return (ssize_t)n;
  }
  if (l->n + n + 1 > l->room) {
    size_t room = (l->n + n + 1) * 2;
    char *more = realloc(l->text, room);
    if (!more) return 0;
    l->text = more;
    l->room = room;
  }
  memcpy(l->text + l->n, text, n);
  l->n += n;
  say_lines(l, false);
  return (ssize_t)n;
}

static int end_report(void *cookie) {
  struct lines *l = cookie;
  if (l->n) say_lines(l, true);
  free(l->text);
  free(l);
  return 0;
}

FILE *leat_i_report_stream(void) {
  struct lines *l = calloc(1, sizeof *l);
  FILE *f = l ? fopencookie(l, "w", (cookie_io_functions_t){.write = write_report, .close = end_report}) : NULL;
  if (!f) free(l);
  else setvbuf(f, NULL, _IOFBF, REPORT_BUFFER);
  return f;
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

void leat_i_flush_stdout(void) {
  if (ftrylockfile(stdout) != 0) return;
  fflush_unlocked(stdout);
  funlockfile(stdout);
}

static _Atomic(uint32_t) flushed;
static void *flush_all(void *unused) {
  fflush(NULL);
  store_release(&flushed, 1);
  leat_i_nondet_wake(&flushed, 1);
  return unused;
}

void leat_i_flush_all(void) {
  static const int64_t PATIENCE = LEAT_SECONDS(1);
  pthread_t thread;
  leat_i_flush_stdout(); /* it may be the caller's own */
  store_relaxed(&flushed, 0);
  if (!leat_i_nondet_threads() || pthread_create(&thread, NULL, flush_all, NULL) != 0) return;
  pthread_detach(thread);
  for (int64_t until = leat_i_nondet_clock() + PATIENCE; !load_acquire(&flushed) && leat_i_nondet_clock() < until;) leat_i_nondet_sleep(&flushed, 0, until);
}

_Noreturn void leat_i_exit(int status) {
  leat_i_flush_all();
  _exit(status);
}

_Noreturn void leat_i_die(const char *format, ...) {
  char *text = NULL;
  va_list args;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  leat_i_flush_stdout();
  leat_i_say("leat: %s", text ? text : format);
  leat_i_exit(2);
}
