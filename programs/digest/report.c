/* report.c - see report.h.
 *
 * The progress line is drawn a few times a second over its former self, with nothing but a carriage return and spaces, so that any
 * terminal will do; it is cut to the terminal's width, because what wraps cannot be drawn over. */
#include "report.h"
#include "format.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EVERY LEAT_MS(200)
enum { WIDEST = 120 };

struct screen {
  struct counters *counters;
  int64_t start;
  size_t drawn; /* columns of the progress line on the terminal now */
};

/* If it fails there is nowhere left to complain. */
static void put(const char *text, size_t n) { write_all(STDERR_FILENO, text, n); }

static void erase(struct screen *s) {
  char blank[WIDEST + 2];
  if (s->drawn == 0) return;
  memset(blank, ' ', sizeof blank);
  blank[0] = blank[s->drawn + 1] = '\r';
  put(blank, s->drawn + 2);
  s->drawn = 0;
}

/* "12 of 345 files, 1.2 MB of 67.8 MB, 640.0 MB/s, 0:07 left". Totals have a "+" while the source still finds more. */
static size_t progress_text(const struct screen *s, char *text, size_t size) {
  struct counters *c = s->counters;
  double files = (double)atomic_load(&c->done_files), bytes = (double)atomic_load(&c->done_bytes);
  double of_files = (double)atomic_load(&c->found_files), of_bytes = (double)atomic_load(&c->found_bytes);
  double seconds = (double)(leat_now() - s->start) / 1e9;
  bool all_known = atomic_load(&c->found_all);
  char amount[32];
  FILE *f = fmemopen(text, size, "w"); /* what does not fit is cut off */
  if (!f) return 0;
  fprintf(f, "%.0f of %.0f%s files, %s", files, of_files, all_known ? "" : "+", format_bytes(amount, (uint64_t)bytes));
  if (of_bytes > bytes) fprintf(f, " of %s%s", format_bytes(amount, (uint64_t)of_bytes), all_known ? "" : "+");
  fprintf(f, ", %s/s", format_bytes(amount, (uint64_t)(bytes / seconds)));
  /* By bytes; where their total is not known, as it is not for lists of files to check, by files. */
  double done = of_bytes > bytes ? bytes / of_bytes : of_files > 0 ? files / of_files : 0;
  if (all_known && done > 0 && done < 1) {
    uint64_t left = (uint64_t)(seconds * (1 - done) / done + 0.5);
    if (left >= 3600) fprintf(f, ", %d:%02d:%02d left", (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60));
    else fprintf(f, ", %d:%02d left", (int)(left / 60), (int)(left % 60));
  }
  fclose(f);
  return strlen(text);
}

static void draw(struct screen *s) {
  struct winsize w;
  size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1u : 79;
  char text[WIDEST + 2] = "\r";
  if (columns > WIDEST) columns = WIDEST;
  if (tcgetpgrp(STDERR_FILENO) != getpgrp()) return; /* in the background: the terminal is somebody else's */
  size_t n = progress_text(s, text + 1, WIDEST);
  if (n > columns) n = columns;
  size_t used = n;
  while (used < s->drawn && used < columns) text[1 + used++] = ' ';
  put(text, 1 + used);
  s->drawn = n;
}

LEAT_FN(reporter, leat_rx(char *), lines, leat_rx(int64_t), ticks, struct counters *, counters) {
  struct screen screen = {.counters = counters, .start = leat_now()};
  for (;;) {
    char *line;
    int64_t tick;
    int which = leat_select_ordered(leat_on_recv(lines, &line), leat_on_recv(ticks, &tick));
    if (which == 1) {
      draw(&screen);
      continue;
    }
    erase(&screen);
    if (which != 0 || leat_selected() != LEAT_OK) return;
    put(line, strlen(line));
    free(line);
  }
}

static void drop_line(char **line) { free(*line); }

int report_start(struct leat_scope *s, struct report *r) {
  leat_rx(int64_t) ticks = NULL; /* never ready */
  r->lines = leat_chan_make(s, char *, 64);
  leat_on_drop(r->lines, drop_line);
  if (r->show_progress) ticks = leat_timer_chan(leat_ticker_start(s, EVERY));
  return leat_go(s, reporter, leat_rx_of(r->lines), ticks, r->counters);
}

void report_end(struct report *r) { leat_close(r->lines); }

void report_say(struct report *r, const char *format, ...) {
  static const char name[] = "digest: ";
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *line = malloc(sizeof name + (size_t)n + 1);
  if (!line) return;
  memcpy(line, name, sizeof name - 1);
  va_start(arguments, format);
  vsnprintf(line + sizeof name - 1, (size_t)n + 1, format, arguments);
  va_end(arguments);
  strcpy(line + sizeof name - 1 + n, "\n");
  if (leat_send(r->lines, line)) free(line);
}

bool report_file(struct report *r, const struct batch *b, const struct file *f) {
  if (f->error == 0 && f->kind < FILE_LINK) return false;
  char *name = quote(batch_path(b, f));
  if (!name) return f->kind != FILE_LOOP;
  if (f->kind == FILE_LOOP) report_say(r, "warning: %s: a symbolic link leads back to this directory, not entered again", name);
  else if (f->kind == FILE_LINK) report_say(r, "%s: a symbolic link to a directory; use -H or -L to follow it", name);
  else report_say(r, "%s: %s", name, strerror(f->error));
  free(name);
  return f->kind != FILE_LOOP;
}
