/* Who belongs to a scope: the goroutines that were started in it. They are counted, so that it can be joined, and listed, so that a cancel finds
 * those that wait.
 *
 * Listed late. A goroutine that runs looks at the scope's status before it waits: a cancel need not find it. So a goroutine is listed when it
 * first waits, and one that never does is never listed. A cancel stores the status and then looks at the list, under its lock; a goroutine that
 * lists itself after that look therefore sees the status.
 *
 * The links of the list lie in the side table of the stacks' slabs, and not in the descriptors: of many goroutines each descriptor is on a page of its own that is
 * cold when a cancel comes to it, and the next one would be known only when that has been fetched. So a walk fetches the descriptors of those that
 * come next while it is at one (a hundred thousand in a tree of scopes are claimed in 10 ms, which took 60).
 *
 * Counted on credit. Two CPUs that start and end goroutines in one scope would take its lock from each other at each of them. So a worker counts
 * CREDIT at a time: the scope's count is the goroutines that there are and the credit that workers hold. A start takes one from the worker's
 * credit, an end adds one. Credit must not hold up a join, so a worker has credit of a scope only while the goroutine that runs on it stands for
 * that scope: it is counted there itself, or owns it, and the owner gives credit back before it joins. Whoever arrives on the worker and does not
 * stand for the scope gives it back. Only scopes with more than a few starts do so, and never services (they hold up no wait) and contexts
 * (counted in several scopes).
 *
 * (Two CPUs that start in the same scope: 378 against 64 ns a start.) */
#pragma once
#include "scope.h"
#include "../runtime/happens.h"
#include "../runtime/worker.h"

enum { CREDIT = 16, MOST_CREDIT = 2 * CREDIT };

/* Counts a new goroutine. Fails with the scope's status when that has been cancelled. Any thread. */
int leat_i_member_add(struct scope *s, struct goroutine *g);
/* The same, on credit if it can be: by self, which starts it, on the worker or on none (NULL). If the worker has credit of the scope, self stands for
 * it, or does so again when it has left the blocks that it has entered since: who leaves a scope gives its credit back. */
int leat_i_member_start(struct goroutine *self, struct scope *s, struct goroutine *g);
static inline int member_start(struct worker *w, struct goroutine *self, struct scope *s, struct goroutine *g) {
  if (likely(w && load_relaxed(&w->credit_of) == s && !g->service && !leat_i_scope_interrupts(s))) {
    uint32_t credit = load_relaxed(&w->credit);
    if (likely(credit)) {
      store_relaxed(&w->credit, credit - 1);
      return LEAT_OK;
    }
  }
  return leat_i_member_start(self, s, g);
}
void leat_i_member_take_back(struct goroutine *g); /* undoes both, for one that never ran */
/* It ends: who waits for the last goes on. From here on the scope may be gone. */
void leat_i_member_ended(struct goroutine *g);
static inline void member_ended(struct worker *w, struct goroutine *g) {
  struct scope *s = g->base;
  uint32_t credit = load_relaxed(&w->credit) + 1;
  if (likely(load_relaxed(&w->credit_of) == s && g->unlisted && !g->service && credit < MOST_CREDIT)) {
    happens_before(&s->n_tasks);
    store_relaxed(&w->credit, credit);
  } else {
    leat_i_member_ended(g);
  }
}

/* Before it waits for the first time. */
void leat_i_member_list(struct goroutine *g);
bool leat_i_has_listed_members(struct scope *s);
/* Visits those that are listed while it goes on, and perhaps others; none of them ends while it is visited. When a visit answers false it is time for
 * pause, which is called without the lock: of many that have been woken the first end, and need it, while the last is still to be found. */
void leat_i_members_each_listed(struct scope *s, bool (*visit)(struct scope *s, struct goroutine *g, void *environment), void (*pause)(void *environment), void *environment);

/* Gives back what the worker has. */
void leat_i_credit_return(struct worker *w);
static inline void credit_return_of(const struct scope *s) {
  struct worker *w = leat_i_worker();
  if (w && load_relaxed(&w->credit_of) == s) leat_i_credit_return(w);
}
static inline bool stands_for(const struct goroutine *g, const struct scope *s) {
  return (g->scope == s || g->base == s) && !g->service && g->kind != KIND_IDLE;
}
/* When g has arrived on the worker. */
static inline void credit_check(struct worker *w, const struct goroutine *g) {
  const struct scope *s = load_relaxed(&w->credit_of);
  if (unlikely(s != NULL) && !stands_for(g, s)) leat_i_credit_return(w);
}
/* Of a count of s, what is not credit. Exact while nobody starts or ends a goroutine there. Of a copy of the scope, too, by the address it had. */
uint32_t leat_i_without_credit(const struct scope *s, uint32_t n);
