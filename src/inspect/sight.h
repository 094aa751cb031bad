/* What is seen of a goroutine, or of a plain thread, at one moment.
 *
 * Goroutines are looked at one by one. While one is, its end is held up (leat_i_stacks_next), so all that is its own can be read; what it
 * does is read without a lock, and read again if it has moved meanwhile. A sight is a copy: nothing in it depends on the goroutine. */
#pragma once
#include "../runtime/goroutine.h"
#include "object.h"

enum { SIGHT_FRAMES = 64, SIGHT_NAME = 64, SIGHT_PLACE = 128 };
enum sight_state { SEEN_RUNNING, SEEN_RUNNABLE, SEEN_WAITING };

struct sight {
  enum goroutine_kind kind;
  enum sight_state state;
  uint64_t id, parent;
  int thread;         /* of one that runs: the kernel's number; 0: unknown */
  int64_t since;      /* when it came to rest; 0: it runs, or has not run yet */
  size_t used, stack; /* bytes; used is 0 if it runs */
  enum wait_reason reason;
  bool service;
  char name[SIGHT_NAME], birthplace[SIGHT_PLACE], scope[SIGHT_PLACE]; /* "" if there is none */
  char wait[OBJECT_TEXT];   /* of one that waits: for what */
  int n;                    /* its stack trace, as unwind.h gives it */
  uintptr_t pcs[SIGHT_FRAMES];
};

/* Without a trace it is much faster. */
void leat_i_look(struct goroutine *g, bool trace, struct sight *s);
