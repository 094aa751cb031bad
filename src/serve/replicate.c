/* See leat/replicate.h.
 *
 * A race in a scope of its own, which the caller's frame holds. Each replica has a record: a copy of the arguments, in which the pointer to the
 * answer and the number are its own, and room for the answer. Who ends says so under the lock and sets the event; the caller starts replicas,
 * and looks. Ends are counted by a deferred call, so that one that panics counts as well.
 *
 * Rejected: returning before the losers have ended. They would need memory, and a scope, that outlives the call, and a caller who waits for
 * nobody could not lend them his arguments. */
#include "../core/panic.h"
#include "../core/scope.h"
#include "../core/time.h"
#include "../core/waiter.h"
#include "../runtime/nondet.h"
#include <leat/defer.h>
#include <leat/event.h>
#include <leat/replicate.h>
#include <stdlib.h>

struct race {
  const struct leat_i_fn *fn;
  const leat_replicas *replicas;
  char *records;
  size_t record, answer_at; /* its size; where in it the answer is */
  leat_event changed;
  struct lock lock;
  int winner; /* -1; guarded by the lock, as is: */
  size_t ended;
};

struct replica {
  struct race *race;
  int number, status;
};

static char *record_of(const struct race *r, int number) { return r->records + (size_t)number * r->record; }

static void replica_ended(struct replica *me) {
  struct race *r = me->race;
  lock_take(&r->lock);
  r->ended++;
  bool late = me->status == LEAT_OK && r->winner >= 0;
  if (me->status == LEAT_OK && !late) r->winner = me->number;
  lock_drop(&r->lock);
  if (late && r->replicas->drop) r->replicas->drop(record_of(r, me->number) + r->answer_at);
  leat_event_set(&r->changed);
}

LEAT_FN_ERR(run_replica, struct race *, r, int, number) {
  struct replica me = {r, number, LEAT_PANIC};
  leat_defer(replica_ended, &me);
  return me.status = r->fn->thunk(record_of(r, number));
}

static size_t aligned(size_t n) { return (n + 15) & ~(size_t)15; }

static int start(struct race *r, const struct leat_scope *s, int number) {
  struct run_replica_leat_args args = {r, number};
  LEAT_I_FN_RECORD(0, run_replica)
  return leat_i_go(s, &leat_i_fn0, &args, "leat_replicate", &(leat_go_options){.name = r->fn->name});
}

static void free_records(struct race *r) { free(r->records); }

/* Until there is a winner, or all have failed, or the caller's scope ends. */
static int run(struct race *r, struct leat_scope *s) {
  size_t started = 0, most = r->replicas->n, made_good = 0; /* failures for which another one has been started */
  int64_t next = INT64_MIN;
  for (;;) {
    leat_event_reset(&r->changed);
    lock_take(&r->lock);
    int winner = r->winner;
    size_t ended = r->ended;
    lock_drop(&r->lock);
    if (winner >= 0) return LEAT_OK;
    bool failed = ended > made_good;
    if (started < most && (failed || r->replicas->delay <= 0 || leat_i_nondet_clock() >= next)) {
      if (start(r, s, (int)started)) most = started;
      else started++;
      if (failed) made_good++;
      next = leat_i_deadline_after(r->replicas->delay);
      continue;
    }
    if (ended == started && started == most) return LEAT_OK;
    int status = leat_event_wait_until(&r->changed, started < most ? next : LEAT_NEVER);
    if (status && (status != LEAT_DEADLINE || leat_i_scope_interrupts((struct scope *)s))) return status;
  }
}

int leat_i_replicate(void *answer, size_t size, const leat_replicas *replicas, const struct leat_i_fn *fn, const void *args, size_t number_at) {
  happens_call();
  memset(answer, 0, size);
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (status) return leat_i_cancelled(self, status);
  if (replicas->n == 0 || replicas->n > INT32_MAX) return LEAT_INVALID;
  struct race r = {.fn = fn, .replicas = replicas, .answer_at = aligned(fn->size), .winner = -1};
  r.record = r.answer_at + aligned(size);
  r.records = calloc(replicas->n, r.record);
  if (!r.records) return LEAT_NOMEM;
  leat_defer(free_records, &r);
  for (int i = 0; i < (int)replicas->n; i++) {
    char *record = record_of(&r, i), *own = record + r.answer_at;
    memcpy(record, args, fn->size);
    memcpy(record, &own, sizeof own);
    memcpy(record + number_at, &i, sizeof i);
  }
  int first_failure;
  {
    leat_scope(s);
    leat_keep_going(s);
    status = run(&r, s);
    if (status || r.winner >= 0) leat_cancel(s);
    first_failure = leat_wait(s);
  }
  if (r.winner >= 0) {
    memcpy(answer, record_of(&r, r.winner) + r.answer_at, size);
    self->ignored = 0;
    return r.winner;
  }
  return wait_answer(self, status ? status : first_failure ? first_failure : LEAT_FAILED);
}
