/* Tasks: what leat_spawn answers. A task belongs to the scope that it was spawned in and is freed with it, so that it can be joined late, and more than
 * once, without a count of references. A join is masked: a cancel reaches the task's goroutine, whose end then ends the join. */
#include "scope.h"
#include "../runtime/scheduler.h"
#include "error.h"
#include "panic.h"
#include <stdlib.h>

static struct leat_task no_memory_task = {.done = true, .status = LEAT_NOMEM};

struct leat_task *leat_i_task_new(struct scope *s) {
  struct leat_task *t = calloc(1, sizeof *t);
  if (!t) return &no_memory_task;
  lock_take(&s->lock);
  t->next = s->tasks;
  s->tasks = t;
  lock_drop(&s->lock);
  return t;
}

bool leat_i_task_usable(const struct leat_task *t) { return t != &no_memory_task; }

void leat_i_task_complete(struct leat_task *t, int status, leat_error *error) {
  if (!leat_i_task_usable(t)) {
    leat_error_release(error);
    return;
  }
  struct goroutine *woken = NULL;
  happens_before(t);
  lock_take(&t->lock);
  t->status = status;
  t->error = error;
  t->done = true;
  for (struct goroutine *g = t->joiners, *after; g; g = after) {
    after = g->link;
    if (!leat_i_claim(g, LEAT_OK)) continue; /* does not happen: the wait is masked */
    g->link = woken;
    woken = g;
  }
  t->joiners = NULL;
  lock_drop(&t->lock);
  leat_i_ready_list(woken);
}

int leat_join(leat_task *t) {
  struct goroutine *self = leat_i_self();
  if (unlikely(t && self->task == t)) leat_i_panic("leat_join: a goroutine cannot wait for its own task: it would wait for itself; who started it can");
  lock_take(&t->lock);
  while (!t->done) {
    self->link = t->joiners;
    t->joiners = self;
    leat_i_park(self, &(struct park){.reason = WAIT_TASK, .object = t, .lock = &t->lock, .deadline = LEAT_NEVER, .masked = true});
    lock_take(&t->lock);
  }
  int status = t->status;
  lock_drop(&t->lock);
  happens_after(t);
  return status;
}

const char *leat_task_message(const leat_task *t) { return leat_error_message(t->error); }
const leat_error *leat_task_error(const leat_task *t) { return t->error; }

void leat_i_tasks_free(struct leat_task *list) {
  while (list) {
    struct leat_task *next = list->next;
    leat_error_release(list->error);
    free(list);
    list = next;
  }
}
