/* Scopes, inside: see leat/scope.h for what they mean.
 *
 * Cancellation. Each scope has its own status word, which its goroutines load before every blocking operation. A cancel stores it in the
 * scope and in all scopes below, then claims the goroutines that wait there. The tree is walked under the scopes' locks, parent before
 * child, hand over hand, without recursion (trees may be deep, stacks are small).
 *
 * Shields. A shield is a scope that a walk from above does not enter. Its goroutine, though, stays in the member list of a scope above, so
 * each wait carries its floor: the depth of the innermost shield around it. A cancel of scope X claims a wait only if the floor is at most
 * X's depth.
 *
 * Users of a channel. A stage's output has as users the block that made it, each goroutine it was handed to (found among the words of the
 * goroutine's arguments) and the stages that read it; when the last gives it up, it is stopped. leat_wait gives up the block's share, a
 * goroutine's end its own, a stage's end its own. A channel made by hand has only stages as users. */
#pragma once
#include "../runtime/goroutine.h"
#include "../runtime/timer.h"
#include <leat/defer.h>
#include <leat/scope.h>

struct leat_task;
struct leat_timer;

struct scope {
  struct leat_i_cleanup cleanup; /* on the owner's list */
  struct scope *parent;
  struct goroutine *owner; /* whose block it is; NULL for the root */
  uint32_t depth, outer_floor;
  bool shield;
  const char *birthplace;
  _Atomic(int) status; /* changed under the lock, read without */
  struct lock lock;

  /* Guarded by the lock. */
  struct goroutine *members;
  uint32_t n_live, n_tasks; /* goroutines; those that leat_wait waits for */
  struct goroutine *joiner;
  bool join_all, keep_going, failure_taken, owns_cause;
  struct scope *children;
  struct chan *chans;
  struct leat_timer *timers;
  struct leat_task *tasks;
  char *cause;
  leat_failure failure;

  /* Guarded by the parent's lock. */
  struct scope *next_sibling, *previous_sibling;

  /* The owner's. */
  struct hold *held;

  /* Guarded by deadline_lock. */
  struct lock deadline_lock;
  struct timer timer;
  _Atomic(int64_t) deadline; /* read through views by others */
};
_Static_assert(sizeof(struct scope) <= sizeof(struct leat_scope), "leat_scope has too little room");

/* The status of a scope, LEAT_OK while it goes on: the one load that cancellation costs. */
static inline int leat_i_scope_interrupts(const struct scope *s) { return load_seq(&((struct scope *)s)->status); }

void leat_i_scope_init_root(struct scope *root);
/* Cancels and joins all that is left, and frees it. */
void leat_i_scope_end_root(struct goroutine *self);

/* Membership. Adding fails with the scope's status when it has been cancelled. */
int leat_i_scope_add(struct scope *s, struct goroutine *g);
void leat_i_scope_take_back(struct goroutine *g); /* undoes add for one that never ran */
/* The goroutine has ended with g->status and g->message: records its failure, completes its task, wakes who waits. */
void leat_i_scope_remove(struct goroutine *g);
/* Records the first failure and cancels the scope. The message is copied. */
void leat_i_scope_fail(struct scope *s, int status, const char *message, const struct goroutine *g, const char *birthplace);
void leat_i_scope_cancel(struct scope *s, int status, const char *cause);

/* Tasks. A task that could not be allocated is a shared, failed one. */
struct leat_task *leat_i_task_new(struct scope *s);
bool leat_i_task_usable(const struct leat_task *t);
void leat_i_task_complete(struct leat_task *t, int status, char *message);

/* Shares in stage outputs. */
void leat_i_hold_output(struct scope *s, struct chan *output);   /* the calling block made it */
bool leat_i_hold_pass(struct chan *c);                           /* takes the calling block's share away, to be a stage's; false if it has none */
void leat_i_holds_hand_on(struct goroutine *self, struct goroutine *to, const void *args, size_t size);
void leat_i_holds_release(struct hold **list);
