/* What the tests of contexts share. leat/context.h holds what a context is, and what can be done with any scope through it; each has tests of
 * its own: context.c, context_done.c, context_end.c, context_follow.c, context_home.c, context_hook.c, context_value.c. */
#pragma once
#include "core/scope.h"
#include "wait.h"

typedef leat_chan(int) int_chan;
static __attribute__((__unused__)) atomic_int ran, canceled, finished;

LEAT_CONTEXT_KEY(user_id, int);
LEAT_CONTEXT_KEY(other_id, int);

LEAT_FN(run_once) { ran++; }
LEAT_FN(wait_for_cancel, int, expected) {
  int_chan nil = NULL;
  int v;
  CHECK_EQ(leat_recv(nil, &v), expected);
  canceled++;
}
LEAT_FN_ERR(return_its_cancel) { return leat_sleep(LEAT_SECONDS(1000)); }
LEAT_FN(cancel_plain, struct leat_scope *, ctx) { leat_cancel(ctx); }
static inline void *cancel_on_a_thread(void *ctx) {
  leat_cancel_because((struct leat_scope *)ctx, "that is why");
  return NULL;
}

static inline bool is_done(leat_view view) {
  leat_shield(look); /* the caller's own scope may be cancelled */
  char c;
  int status = leat_try_recv(leat_done(view), &c);
  CHECK(status == LEAT_CLOSED || status == LEAT_EMPTY);
  return status == LEAT_CLOSED;
}
/* What hangs on a scope, as release and stop must leave it. */
static inline size_t n_children(leat_view view) {
  struct scope *s = (struct scope *)view;
  size_t n = 0;
  lock_take(&s->lock);
  for (struct scope *c = s->children; c; c = c->next_sibling) n++;
  lock_drop(&s->lock);
  return n;
}
static inline size_t n_watches(leat_view view) {
  struct scope *s = (struct scope *)view;
  size_t n = 0;
  lock_take(&s->lock);
  for (struct watch *w = s->extra ? s->extra->watches : NULL; w; w = w->next) n++;
  lock_drop(&s->lock);
  return n;
}
static inline void expect_over(leat_view view, int status, const char *cause) {
  CHECK_EQ(leat_scope_status(view), status);
  CHECK(is_done(view));
  CHECK_STR(leat_cause(view), cause);
}
static inline void expect_going(leat_view view) {
  CHECK_EQ(leat_scope_status(view), LEAT_OK);
  CHECK(!is_done(view));
  CHECK(leat_cause(view) == NULL);
}
