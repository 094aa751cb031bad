/* leat/leak.h - what is alive that should not be: goroutines, channels, timers and contexts, each with the place where it was made (after
 * goleak for Go, and LeakSanitizer).
 *
 * A scope joins its goroutines and frees its channels, so little can leak for ever; but in a scope that lives long things pile up. At any
 * point can be asked what has been made since another point and is still there:
 *
 *   leat_leak_mark before = leat_leak_now();
 *   serve(request);
 *   leat_leak_print(before, stderr);
 *
 * In a test, one line at the start of a block fails it if something that was made in it is alive when the block is left:
 *
 *   LEAT_TEST_NO_LEAKS;
 *
 * And LEAT_LEAKS=1 in the environment lists, when the body of LEAT_MAIN has returned, what still ran or was never released then.
 *
 * What counts: goroutines of any scope; channels and timers that have been neither released nor freed with their scope; contexts. The caller
 * itself does not. Marks are for the whole process: what other goroutines and threads make meanwhile counts, too. Keeping these records costs
 * a store for each thing that is made. */
#pragma once
#include "status.h"
#include <stdio.h>

LEAT_I_BEGIN

/* A point in the life of the process. Any thread. */
typedef struct leat_leak_mark {
  uint64_t leat_i_epoch;
} leat_leak_mark;
leat_leak_mark leat_leak_now(void);

/* One thing that is alive. Strings live until the callback returns. */
typedef struct leat_leak {
  const char *kind;       /* "goroutine", "channel", "timer", "context" */
  const void *address;    /* of a channel, timer or context */
  uint64_t goroutine;     /* its number, if it is one */
  const char *name;       /* a goroutine's; else "" */
  const char *birthplace; /* file:line, or "" */
  const char *doing;      /* a goroutine's: "receiving from a channel"; else "" */
} leat_leak;

/* Calls each (which may be NULL) for all that was made since the mark and is alive; answers how many, or LEAT_NOMEM. Any goroutine or thread;
 * never blocks. */
int leat_leak_each(leat_leak_mark since, void (*each)(void *environment, const leat_leak *leak), void *environment);
/* The same as text, a line for each; nothing if there is none. */
int leat_leak_print(leat_leak_mark since, FILE *out);

void leat_i_no_leaks_end(const leat_leak_mark *since);

LEAT_I_END

/* As the first declaration of a block, so that it is looked at last. Those who are just ending get a second; then the list goes to stderr, with
 * what the finder knows of those who are stuck (leat/finder.h), and the process is aborted, which every test framework sees. */
#define LEAT_TEST_NO_LEAKS \
  __attribute__((__cleanup__(leat_i_no_leaks_end), __unused__)) const leat_leak_mark leat_i_no_leaks = leat_leak_now()
