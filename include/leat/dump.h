/* leat/dump.h - what every goroutine does, for a person (after the traces of Go's runtime on SIGQUIT).
 *
 *   leat_dump(stderr);
 *
 *   goroutine 7 (produce), started at main.c:12 by goroutine 1: sending on a channel 0x5581c0a12a40 (made at main.c:20, 8 of 8), for 3.2 s; scope main.c:14; stack 1.1 of 64 KiB
 *       at produce (main.c:6)
 *
 * A dump takes no lock for long and stops nobody: goroutines start, run and end while it is written, so what it says of one is true of a
 * moment, but not of the same moment for all. Each goroutine, and each plain thread that is inside leat, gets its number, name, birthplace
 * and parent, what it does (runs, on which thread; is runnable; waits, for what and for how long, to 10 ms), its innermost scope, the
 * stack it uses and a stack trace. Then follows the tree of scopes.
 *
 * The trace of a goroutine that runs is taken by a signal to its thread, SIGURG, which is ignored unless a program catches it; if it does,
 * there is no such trace. */
#pragma once
#include "status.h"
#include <stdio.h>

LEAT_I_BEGIN

enum leat_dump_style {
  LEAT_DUMP_FULL,    /* each goroutine with its stack trace, and the scopes */
  LEAT_DUMP_GROUPED, /* those that have the same trace and wait for the same kind of thing once, with their number; the largest groups first */
  LEAT_DUMP_BRIEF,   /* a line for each goroutine, nothing else: fast */
};

typedef struct leat_dump_options {
  enum leat_dump_style style;
  unsigned leat_i_reserved[7];
} leat_dump_options;

/* Writes a full dump. Any thread, any goroutine. The first one reads debug information, if there is any, to name functions and lines. */
void leat_dump(FILE *out);
void leat_dump_with(FILE *out, const leat_dump_options *options);

/* From now on, until the runtime stops, the signal makes the process write a dump, and go on: to stderr, or line by line to the hook of
 * leat_set_log. It works while all workers are busy or stuck. A handler that was there before is called as well; one that is installed
 * later, by leat_signals too, takes the place of this one while it is there. 0 ends it. A second call replaces the first.
 * LEAT_MAIN does it for SIGQUIT. The environment variable LEAT_DUMP tells the style (full, the default; grouped; brief).
 * LEAT_OK, LEAT_INVALID for a signal that cannot be caught or reports a fault, LEAT_NOMEM. Any thread. */
int leat_dump_on_signal(int number);

LEAT_I_END
