/* check.h - --check: lists of checksum lines as a source of files, and the verdicts on them. */
#pragma once
#include "format.h"
#include "pipeline.h"

struct check {
  bool ignore_missing, quiet, status_only, strict, warn; /* md5sum's options of these names */
  struct out *out;
  struct report *report;

  int spaces; /* 0 until a list has shown it; then how many there are between digest and name: 1 or 2 */

  /* the list in hand */
  const char *name;    /* as in messages, not quoted yet */
  bool from_stdin;
  int error;           /* errno value: it could not be opened */
  bool read_error;     /* it could not be read to its end */
  uint64_t bad_lines, good_lines, unreadable, mismatched, matched;
};

void check_begin(struct check *c, const char *list);
int check_source(void *env, struct batcher *out);
void check_take(void *env, struct batch *b);
bool check_failure(void *env, const struct batch *b);
/* Says what there is to say about the list; true if all is well with it. */
bool check_end(struct check *c);
