/* report.h - who may write to standard error while the pipeline runs: one goroutine, the reporter.
 *
 * It alone owns the terminal line, so a message never lands in the middle of the progress line. Everyone else sends it whole lines. */
#pragma once
#include "batch.h"

struct report {
  leat_chan(char *) lines;
  struct counters *counters;
  bool show_progress;
};

/* Starts the reporter in the scope s. report_end lets it print what was sent; then wait for the scope. */
int report_start(struct leat_scope *s, struct report *r);
void report_end(struct report *r);

/* Sends a line, "digest: " before and "\n" after it. */
void report_say(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says what is wrong with a file, if there is something to say; true if it counts as an error. */
bool report_file(struct report *r, const struct batch *b, const struct file *f);
