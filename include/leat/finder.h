/* leat/finder.h - finds goroutines that can never be woken: partial deadlocks (after the goroutine leak profile of Go 1.26, and after Dijkstra's
 * and Holt's wait-for graphs).
 *
 * A total deadlock ends the process by itself (leat/runtime.h). Here are those in which others go on: two goroutines that lock two mutexes
 * in different orders, a send whose receiver has returned early, a lost signal. A goroutine is stuck if all who could wake it are stuck, or
 * gone. What is looked at is memory: who can reach a channel may send on it; for a mutex it is its owner who counts, for a join those who
 * are joined.
 *
 *   LEAT_CERTAIN    nobody can wake it: nobody has a way to what it waits for, or those it waits for are stuck themselves
 *   LEAT_SUSPECTED  something might, though nothing does that the finder knows of: the cancellation of a scope around it, an unlock by somebody
 *                   else than the owner, a pointer in memory that nobody is seen to use
 *
 * It errs towards silence: a word in memory that looks like a pointer to a channel counts as one. docs/finder.md says what it can see.
 *
 * From outside, without a change of the program: LEAT_FIND_STUCK=2 in the environment looks every 2 seconds and reports each finding once, as
 * panics are reported (leat_set_log, stderr); LEAT_FIND_STUCK=2,fatal ends the process (status 2) at the first one that is certain. Or
 * the options find_stuck and stuck_is_fatal of leat_runtime_start. */
#pragma once
#include "status.h"
#include <stdio.h>

LEAT_I_BEGIN

enum leat_verdict { LEAT_SUSPECTED, LEAT_CERTAIN };

/* A stuck goroutine. Strings live until the callback returns. */
typedef struct leat_stuck {
  enum leat_verdict verdict;
  uint64_t goroutine;       /* 0: a plain thread */
  const char *name;         /* "" where there is none */
  const char *birthplace;   /* file:line of the leat_go, or "" */
  const char *doing;        /* "receiving from a channel" */
  const void *object;       /* what it waits for: the channel, mutex, ...; NULL: nothing that has an address */
  const char *made;         /* file:line of where that was made, or "" */
  const char *why;          /* a sentence without its full stop: why nobody wakes it, or who might */
} leat_stuck;

/* Calls each (which may be NULL) for every stuck goroutine and thread, in the order of their numbers, and answers how many there are; or
 * LEAT_NOMEM, also where /proc does not show the process's memory. Any goroutine or thread; the caller itself is not
 * stuck, and what it can reach others may expect from it. While it looks no goroutine is run: for a few milliseconds, plus about one for each
 * 10 MB of heap, plus up to 20 for those who compute. */
int leat_find_stuck(void (*each)(void *environment, const leat_stuck *stuck), void *environment);
/* The same as text; nothing is written if there are none. */
int leat_print_stuck(FILE *out);

LEAT_I_END
