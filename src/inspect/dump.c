/* See dump.h. */
#define _GNU_SOURCE
#include "dump.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include <inttypes.h>
#include <leat/runtime.h>

enum { LISTED = 100, LINE = 512 };

const char *leat_i_wait_text(enum wait_reason reason) {
  switch (reason) {
  case WAIT_NOTHING: return "runnable or running";
  case WAIT_SEND: return "sending on a channel";
  case WAIT_RECV: return "receiving from a channel";
  case WAIT_SELECT: return "in a select";
  case WAIT_NIL: return "on a nil channel, for ever";
  case WAIT_SLEEP: return "sleeping";
  case WAIT_SCOPE: return "waiting for a scope's goroutines";
  case WAIT_TASK: return "joining a task";
  case WAIT_READ: return "reading a descriptor";
  case WAIT_WRITE: return "writing a descriptor";
  case WAIT_MUTEX: return "locking a mutex";
  case WAIT_READ_LOCK: return "locking a rwmutex to read";
  case WAIT_WRITE_LOCK: return "locking a rwmutex to write";
  case WAIT_COND: return "waiting for a condition";
  case WAIT_WAITGROUP: return "waiting for a waitgroup";
  case WAIT_ONCE: return "waiting for another's once";
  case WAIT_POOL: return "waiting for a pool's object";
  case WAIT_SEMAPHORE: return "acquiring a semaphore";
  case WAIT_EVENT: return "waiting for an event";
  }
  return "?";
}

struct listing {
  FILE *out; /* or NULL: through say */
  int n;
};

static void list_one(struct goroutine *g, void *environment) {
  struct listing *l = environment;
  char who[LINE];
  if (l->n++ >= LISTED && !l->out) return;
  enum wait_reason reason = load_relaxed(&g->reason);
  const void *object = load_relaxed(&g->waits_for);
  char what[64] = "";
  if (reason == WAIT_READ || reason == WAIT_WRITE) snprintf(what, sizeof what, " %d", (int)(intptr_t)object);
  else if (object && reason != WAIT_NOTHING) snprintf(what, sizeof what, " %p", object);
  leat_i_describe(g, who, sizeof who);
  if (l->out) fprintf(l->out, "  %s: %s%s\n", who, leat_i_wait_text(reason), what);
  else leat_i_say("  %s: %s%s", who, leat_i_wait_text(reason), what);
}

static void list_all(struct listing *l) {
  leat_i_foreign_each(list_one, l);
  leat_i_stacks_each(list_one, l);
}

void leat_i_dump_say(void) {
  struct listing l = {0};
  list_all(&l);
  if (l.n > LISTED) leat_i_say("  and %d more", l.n - LISTED);
}

void leat_dump(FILE *out) {
  struct listing l = {.out = out};
  fprintf(out, "leat: %" PRIu64 " goroutines, %d workers\n", leat_i_live_goroutines(), load_relaxed(&leat_i_sched.workers));
  list_all(&l);
}
