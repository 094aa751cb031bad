/* See leat/rollback.h.
 *
 * A list of records, which lie in the block's own frame as long as there is room, then in blocks from malloc. Records do not move, so that a function
 * of a commit may note more while the list is gone through.
 *
 * It is on the goroutine's list of cleanups, and stays there while it undoes: a panic in one of its functions takes the ordinary way, comes by it, and
 * goes on with the next record. Rejected: one leat_defer for each change; in a loop its record would end with the loop's body. */
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include "time.h"
#include <leat/rollback.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
  struct record *older, *newer;
  const struct leat_i_fn *fn;
  bool late;
  _Alignas(16) char args[];
};

struct block {
  struct block *next;
  _Alignas(16) char memory[];
};

enum phase { OPEN, COMMITTING, UNDOING };
enum { BLOCK = 4096 };

struct rollback {
  struct leat_i_cleanup cleanup;
  struct goroutine *owner;
  int64_t time, deadline; /* the latter once it undoes */
  const char *birthplace;
  struct record *oldest, *newest;
  struct block *blocks;
  char *at, *end; /* room for records */
  const char *failed_name; /* of the first function that failed to undo */
  int failed;
  enum phase phase;
  bool any_late;
  _Alignas(16) char space[];
};
_Static_assert(sizeof(struct rollback) + 512 <= sizeof(struct leat_rollback), "leat_rollback has too little room");

static struct rollback *of(struct leat_rollback *r) { return (struct rollback *)r; }

static void empty(struct rollback *r) {
  while (r->blocks) {
    struct block *b = r->blocks;
    r->blocks = b->next;
    free(b);
  }
  r->oldest = r->newest = NULL;
  r->at = r->space;
  r->end = (char *)r + sizeof(struct leat_rollback);
  r->phase = OPEN;
  r->any_late = false;
}

static void check(const struct rollback *r, const char *operation) {
  if (unlikely(r->owner != leat_i_self())) leat_i_panic("%s: the leat_rollback of %s belongs to the goroutine that declared it", operation, r->birthplace);
  if (unlikely(r->phase == UNDOING)) leat_i_panic("%s: the leat_rollback of %s is being undone", operation, r->birthplace);
}

/* Also the rest of an undoing that a panic has interrupted, in the time that is left. */
static void undo(struct rollback *r) {
  if (r->phase != UNDOING) r->deadline = leat_i_deadline_after(r->time);
  r->phase = UNDOING;
  if (r->newest) {
    leat_shield(s);
    leat_set_deadline(s, r->deadline); /* without memory for a timer there is no limit */
    while (r->newest) {
      struct record *record = r->newest;
      r->newest = record->older;
      if (record->late) continue;
      int status = record->fn->thunk(record->args);
      if (!status || r->failed) continue;
      r->failed = status;
      r->failed_name = record->fn->name;
    }
  }
  empty(r);
}

static void report(struct rollback *r) {
  if (!r->failed) return;
  struct goroutine *self = leat_i_self();
  char message[256];
  snprintf(message, sizeof message, "changes at %s are not undone: %s answered \"%s\"", r->birthplace, r->failed_name, leat_status_text(r->failed));
  leat_i_scope_fail(self->scope, r->failed, message, self, r->birthplace);
  r->failed = LEAT_OK;
}

static void run(struct leat_i_cleanup *c) {
  struct rollback *r = (struct rollback *)c;
  struct goroutine *self = leat_i_self();
  self->cleanups = c; /* again, if this is a panic's doing */
  undo(r);
  self->cleanups = c->outer;
  report(r);
}

struct leat_rollback *leat_i_rollback_enter(struct leat_rollback *space, int64_t time, const char *birthplace) {
  struct rollback *r = of(space);
  struct goroutine *self = leat_i_self();
  r->owner = self;
  r->time = time;
  r->birthplace = birthplace;
  empty(r);
  r->cleanup = (struct leat_i_cleanup){self->cleanups, run};
  self->cleanups = &r->cleanup;
  return space;
}

void leat_i_rollback_leave(struct leat_rollback *const *space) {
  struct goroutine *self = leat_i_self();
  bool outer = self->deferring;
  self->deferring = true;
  run(&of(*space)->cleanup);
  self->deferring = outer;
}

static struct record *new_record(struct rollback *r, size_t args) {
  size_t size = (sizeof(struct record) + args + 15) & ~(size_t)15;
  if ((size_t)(r->end - r->at) < size) {
    size_t room = size > BLOCK ? size : BLOCK;
    struct block *b = malloc(sizeof *b + room);
    if (!b) return NULL;
    b->next = r->blocks;
    r->blocks = b;
    r->at = b->memory;
    r->end = b->memory + room;
  }
  struct record *record = (struct record *)(void *)r->at;
  r->at += size;
  return record;
}

int leat_i_note(struct leat_rollback *space, const struct leat_i_fn *fn, const void *args, int late) {
  struct rollback *r = of(space);
  check(r, late ? "leat_at_commit" : "leat_undo");
  struct record *record = new_record(r, fn->size);
  if (!record) {
    if (late) return LEAT_NOMEM;
    leat_shield(s);
    leat_set_timeout(s, r->time);
    fn->thunk((void *)(uintptr_t)args);
    return LEAT_NOMEM;
  }
  record->fn = fn;
  record->late = late;
  record->older = r->newest;
  record->newer = NULL;
  memcpy(record->args, args, fn->size);
  if (r->newest) r->newest->newer = record;
  else r->oldest = record;
  r->newest = record;
  r->any_late |= late;
  return LEAT_OK;
}

static int call_late(struct rollback *r) {
  leat_shield(s);
  leat_set_timeout(s, r->time);
  int status = LEAT_OK;
  for (struct record *record = r->oldest; record && !status; record = record->newer)
    if (record->late) status = record->fn->thunk(record->args);
  return status;
}

int leat_commit(struct leat_rollback *space) {
  happens_call();
  struct rollback *r = of(space);
  struct goroutine *self = leat_i_self();
  check(r, "leat_commit");
  if (r->phase == COMMITTING) leat_i_panic("leat_commit in a function of that commit, of the leat_rollback of %s", r->birthplace);
  int status = leat_i_scope_interrupts(self->scope);
  bool cancelled = status;
  if (!status && r->any_late) {
    r->phase = COMMITTING;
    status = call_late(r);
  }
  if (likely(!status)) {
    empty(r);
    return LEAT_OK;
  }
  undo(r);
  report(r);
  return cancelled ? leat_i_cancelled(self, status) : status;
}

int leat_undo_all(struct leat_rollback *space) {
  happens_call();
  struct rollback *r = of(space);
  check(r, "leat_undo_all");
  undo(r);
  int status = r->failed;
  r->failed = LEAT_OK;
  return status;
}
