/* Waiting for what a test needs to be the case: never for a time that ought to be long enough. What never comes true ends in the
 * harness's time-out. */
#pragma once
#include "harness.h"

#include <leat/leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lets others run for a moment, also in a scope that is cancelled. */
static inline void pause_a_moment(void) {
  leat_shield(s);
  leat_sleep(LEAT_US(50));
}

#define UNTIL(...) \
  while (!(__VA_ARGS__)) pause_a_moment()

/* For rounds in which two threads look for each other in a loop: each takes a slice of time where others use the processors, too, so there are fewer
 * then. */
enum { ROUNDS_TAKE = 10 /* seconds at most */ };

/* How many goroutines of this name are parked, as a brief dump shows it. */
static inline size_t blocked_goroutines(const char *name) {
  char *text = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  CHECK(f != NULL);
  leat_dump_with(f, &(leat_dump_options){.style = LEAT_DUMP_BRIEF});
  fclose(f);
  size_t found = 0;
  char *rest = text;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    const char *at = strstr(line, name);
    if (at && !strstr(line, "running") && !strstr(line, "runnable") && !strstr(line, "ready")) found++;
  }
  free(text);
  return found;
}

static inline void wait_blocked(const char *name, size_t n) { UNTIL(blocked_goroutines(name) >= n); }

/* A goroutine fn(arguments...) is failed by a panic that says `text`. */
#define CHECK_PANICS(text, ...) \
  do { \
    leat_scope(panic_scope); \
    leat_go(panic_scope, __VA_ARGS__); \
    CHECK_EQ(leat_wait(panic_scope), LEAT_PANIC); \
    CHECK(strstr(leat_failure_of(panic_scope)->message, text) != NULL); \
  } while (0)
