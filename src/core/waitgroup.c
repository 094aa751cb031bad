/* See leat/waitgroup.h.
 *
 * One word holds it all: the counter (upper half), how many woken waits have not returned yet (bits 1 to 31), and QUEUED: there may be
 * somebody in the queue. Adding and counting back are one compare-and-swap; so is a wait that finds 0.
 *
 *   QUEUED is set and cleared under the lock only; whenever the queue is not empty it is set.
 *   With QUEUED set, only a holder of the lock takes the counter to 0, and then empties the queue.
 *   An add from 0 finds the lower half 0, or it is misuse.
 *
 * Memory. A wait that finds 0 by its compare-and-swap may free the waitgroup, so the step to 0 is the last that its maker does to it, unless
 * somebody is in the queue: he cannot return before the lock is dropped, for he is made ready after that, or needs the lock to leave.
 * Rejected: Go's count of waiters in the word, raised before they are in the queue. The step to 0 would then see waiters that may just be
 * leaving by a deadline, and would have to touch the lock after they are free to go. */
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include <leat/waitgroup.h>

enum { QUEUED = 1, ONE_LEAVING = 2 };

struct waitgroup {
  _Atomic(uint64_t) state;
  struct lock lock;
  struct queue queue;
};
_Static_assert(sizeof(struct waitgroup) <= sizeof(leat_waitgroup), "leat_waitgroup has too little room");

static int32_t counter_of(uint64_t state) { return (int32_t)(state >> 32); }

/* Why n must not be added in this state, or NULL. */
static const char *misuse(uint64_t state, int n) {
  int64_t before = counter_of(state);
  if (unlikely(before + n < 0)) return "the counter would become negative: more was counted back than added; count before the start, and back once";
  if (unlikely(before + n > INT32_MAX)) return "the counter would become larger than INT32_MAX; count back what has ended";
  if (unlikely(!before && n > 0 && (uint32_t)state))
    return "add from 0 while a wait has not returned; add before the wait begins, or when all waits of the round before have returned";
  return NULL;
}

/* Takes the counter to 0 and wakes all. False if meanwhile that is not what n would do, or there is nobody in the queue. */
static bool finish(struct waitgroup *wg, int n) {
  struct goroutine *woken = NULL;
  struct waiter *w;
  lock_take(&wg->lock);
  if (!queue_first(&wg->queue)) atomic_fetch_and(&wg->state, ~(uint64_t)QUEUED);
  uint64_t state = load_relaxed(&wg->state);
  bool is_last = state & QUEUED && counter_of(state) + n == 0 && cas(&wg->state, &state, QUEUED);
  if (is_last) { /* an add is misuse from here on, and a count back too: the state is ours */
    uint64_t leaving = 0;
    for (; (w = queue_claim_first(&wg->queue, LEAT_OK)); leaving += ONE_LEAVING) goroutine_collect(&woken, w->goroutine);
    store_release(&wg->state, leaving);
  }
  lock_drop(&wg->lock);
  leat_i_ready_in_order(woken);
  return is_last;
}

static const char *change(struct waitgroup *wg, int n) {
  const char *wrong;
  not_after_fork();
  if (n < 0) happens_before(wg);
  uint64_t state = load_relaxed(&wg->state);
  int pauses = FIRST_PAUSES;
  while (!(wrong = misuse(state, n))) {
    uint64_t after = state + ((uint64_t)(int64_t)n << 32);
    if (unlikely(state & QUEUED && n < 0 && !counter_of(after))) {
      if (finish(wg, n)) return NULL;
    } else {
      if (cas(&wg->state, &state, after)) return NULL;
      back_off(&pauses);
    }
    state = load_relaxed(&wg->state);
  }
  return wrong;
}

void leat_waitgroup_add(leat_waitgroup *group, int n) {
  happens_call();
  const char *wrong = change((struct waitgroup *)group, n);
  if (unlikely(wrong != NULL)) leat_i_panic("leat_waitgroup_add(%p, %d): %s", (void *)group, n, wrong);
}

void leat_waitgroup_done(leat_waitgroup *group) {
  happens_call();
  const char *wrong = change((struct waitgroup *)group, -1);
  if (unlikely(wrong != NULL)) leat_i_panic("leat_waitgroup_done(%p): %s", (void *)group, wrong);
}

void leat_i_waitgroup_ended(leat_waitgroup *group, struct goroutine *g) {
  const char *wrong = change((struct waitgroup *)group, -1);
  if (unlikely(wrong != NULL)) leat_i_scope_fail(g->base, LEAT_PANIC, wrong, g, g->birthplace); /* too late for a panic of its own */
}

static int wait_in_queue(struct waitgroup *wg, struct goroutine *self, int64_t deadline, bool masked) {
  lock_take(&wg->lock);
  uint64_t state = load_acquire(&wg->state);
  do {
    if (!counter_of(state)) {
      lock_drop(&wg->lock);
      return LEAT_OK;
    }
  } while (!(state & QUEUED) && !cas(&wg->state, &state, state | QUEUED));
  struct waiter w = {.goroutine = self};
  int status = leat_i_queue_wait(&wg->queue, &w, &(struct queue_wait){.reason = WAIT_WAITGROUP, .object = wg, .lock = &wg->lock, .deadline = deadline, .masked = masked});
  if (status == LEAT_OK) sub(&wg->state, ONE_LEAVING);
  return status;
}

void leat_waitgroup_wait(leat_waitgroup *group) {
  happens_call();
  struct waitgroup *wg = (struct waitgroup *)group;
  if (counter_of(load_acquire(&wg->state))) wait_in_queue(wg, leat_i_self(), LEAT_NEVER, true);
  happens_after(wg);
}

int leat_waitgroup_wait_until(leat_waitgroup *group, int64_t deadline) {
  happens_call();
  struct waitgroup *wg = (struct waitgroup *)group;
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (!status && counter_of(load_acquire(&wg->state))) status = wait_in_queue(wg, self, deadline, false);
  if (!status) happens_after(wg);
  return wait_answer(self, status);
}

int leat_waitgroup_wait_cancellable(leat_waitgroup *group) {
  happens_call();
  return leat_waitgroup_wait_until(group, LEAT_NEVER);
}

int leat_i_waitgroup_go(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o) {
  leat_waitgroup_add(o->leat_i_waitgroup, 1);
  int status = leat_i_go(s, fn, args, birthplace, o);
  if (status != LEAT_OK) leat_waitgroup_done(o->leat_i_waitgroup); /* else its end does that: leat_i_scope_tell_end */
  return status;
}
