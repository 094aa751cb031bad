/* What the programs here have in common. Each is a kind of bug by which real programs have blocked, and, with any argument but "bug", the same
 * program without it. Something goes on beside it, so that it is never a total deadlock. */
#pragma once
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LEAT_FN(heartbeat) {
  while (leat_sleep(LEAT_MS(3)) == LEAT_OK) {}
}

/* Some other work. */
static inline void busy(int milliseconds) { (void)!leat_sleep(LEAT_MS(milliseconds)); }

/* Runs a function in a goroutine of its own and waits for its end: afterwards nobody has what it had on its stack. Called as a plain function,
 * it might leave a pointer in the caller's frames, which the finder takes for a way to the channel. */
#define APART(...) \
  do { \
    leat_scope(apart); \
    leat_go(apart, __VA_ARGS__); \
    if (leat_wait(apart)) exit(1); \
  } while (0)

typedef leat_chan(int) int_chan;

/* Some bugs need bad luck with the order in which goroutines run. Here it is: with the bug, as many as are expected meet before they go on. */
static inline leat_waitgroup *meeting(void) {
  static leat_waitgroup group;
  return &group;
}
static inline void expect(int n) { leat_waitgroup_add(meeting(), n); }
static inline void meet(bool bug) {
  if (!bug) return;
  leat_waitgroup_done(meeting());
  leat_waitgroup_wait(meeting());
}

#define PROGRAM(bug) \
  static int program(bool bug); \
  LEAT_MAIN(argc, argv) { \
    leat_scope(life); \
    leat_service(life, heartbeat); \
    return program(argc > 1 && strcmp(argv[1], "bug") == 0); \
  } \
  static int program(bool bug)
