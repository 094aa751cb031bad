/* See leat/once.h.
 *
 * leat_i_done is set, with release, when the function has ended, and only then: who finds it set has seen all that the function did. The rest
 * is guarded by the lock. That the function has ended is noticed through the goroutine's list of cleanups, so by any path.
 *
 * A value has its own flag, set only if there is one: its fast path then need not tell failure from success. */
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include "waiter.h"
#include "once.h"
#include <leat/error.h>

struct once {
  _Atomic(uint32_t) done;
  struct lock lock;
  struct goroutine *owner; /* who runs the function now */
  struct queue queue;
};
_Static_assert(sizeof(struct once) <= sizeof(leat_once), "leat_once has too little room");

struct goroutine *leat_i_once_owner(const leat_once *once) { return __atomic_load_n(&((const struct once *)once)->owner, __ATOMIC_RELAXED); }

struct run {
  struct leat_i_cleanup cleanup;
  struct once *once;
};

static void has_ended(struct leat_i_cleanup *c) {
  struct once *o = ((struct run *)c)->once;
  struct goroutine *woken = NULL;
  struct waiter *w;
  happens_before(&o->done); /* which the fast path in the user's code loads */
  lock_take(&o->lock);
  o->owner = NULL;
  store_release(&o->done, 1);
  while ((w = queue_claim_first(&o->queue, LEAT_OK))) goroutine_collect(&woken, w->goroutine);
  lock_drop(&o->lock);
  leat_i_ready_in_order(woken);
}

static int run_or_wait(struct leat_i_once_call call, struct goroutine *self, int64_t deadline, bool masked) {
  struct once *o = (struct once *)call.once;
  lock_take(&o->lock);
  if (load_relaxed(&o->done)) {
    lock_drop(&o->lock);
    return LEAT_OK;
  }
  if (o->owner == self) {
    lock_drop(&o->lock);
    leat_i_panic("leat_once_do(%p) inside of the function that it runs: it would wait for itself; give the inner one a leat_once of its own", (void *)o);
  }
  if (o->owner) {
    struct waiter w = {.goroutine = self};
    return leat_i_queue_wait(&o->queue, &w, &(struct queue_wait){.reason = WAIT_ONCE, .object = o, .lock = &o->lock, .deadline = deadline, .masked = masked});
  }
  o->owner = self;
  lock_drop(&o->lock);
  struct run r = {{self->cleanups, has_ended}, o};
  self->cleanups = &r.cleanup;
  call.fn(call.arg);
  self->cleanups = r.cleanup.outer;
  has_ended(&r.cleanup);
  return LEAT_OK;
}

void leat_i_once_run(struct leat_i_once_call call) {
  happens_call();
  run_or_wait(call, leat_i_self(), LEAT_NEVER, true);
  happens_after(&call.once->leat_i_done);
}

int leat_i_once_run_until(struct leat_i_once_call call, int64_t deadline) {
  happens_call();
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (!status && !load_acquire(&((struct once *)call.once)->done)) status = run_or_wait(call, self, deadline, false);
  if (!status) happens_after(&call.once->leat_i_done);
  return wait_answer(self, status);
}

/* ---- values ---- */

struct computation {
  struct leat_i_cleanup cleanup;
  struct leat_i_once_value *v;
};

/* The computation has ended its goroutine, by a panic or by leat_goexit. */
static void has_failed(struct leat_i_cleanup *c) {
  struct leat_i_once_value *v = ((struct computation *)c)->v;
  struct goroutine *self = leat_i_self();
  const char *why = self->panicking ? leat_error_message(self->error) : "it ended its goroutine";
  size_t n = strcspn(why, "\n");
  if (n >= sizeof v->failure) n = sizeof v->failure - 1;
  quietly memcpy(v->failure, why, n);
}

static void compute(void *value) {
  struct leat_i_once_value *v = value;
  struct goroutine *self = leat_i_self();
  struct computation c = {{self->cleanups, has_failed}, v};
  self->cleanups = &c.cleanup;
  v->compute(v->value);
  self->cleanups = c.cleanup.outer;
  happens_before(&v->ready);
  __atomic_store_n(&v->ready, 1, __ATOMIC_RELEASE);
}

void leat_i_once_compute(struct leat_i_once_value *v) {
  happens_call();
  leat_i_once_do((struct leat_i_once_call){&v->once, compute, v});
  if (!__atomic_load_n(&v->ready, __ATOMIC_ACQUIRE)) leat_i_panic("%s has no value, its first call has failed: %s", v->name, v->failure);
}
