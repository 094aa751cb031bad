/* Scopes, inside: see leat/scope.h for what they mean.
 *
 * Cancellation. Each scope has its own status word, which its goroutines load before every blocking operation. A cancel stores it in the
 * scope and in all scopes below, then, in a second walk, claims the goroutines that wait there, and makes them ready some dozens at a time. The
 * first walk is under the scopes' locks, parent before child, hand over hand: who is through with it knows that all below are marked, or being marked by
 * who came first. In the second the scopes from the top down to the one that it is at are held instead, by a count (holding_up) that joins, and who
 * takes a scope out of the tree, wait for: those that it has left end meanwhile. Both without recursion (trees may be deep, stacks are small).
 *
 * Shields. A shield is a scope that a walk from above does not enter. Its goroutine, though, stays in the member list of a scope above, so
 * each wait carries its floor: the depth of the innermost shield around it. A cancel of scope X claims a wait only if the floor is at most
 * X's depth.
 *
 * Contexts (context.h) are scopes on the heap that no block owns. They hang in the same tree, and belong to their home, the nearest block's
 * scope above: what runs in a context is counted in each scope up to its home, which therefore joins it, and frees its contexts when it is
 * left, from the leaves up. Nothing else has to be told: cancelling, deadlines and failures take the ordinary paths.
 *
 * Quiet ends. Most contexts end with nothing going on in them: nobody runs in them or waits for them, nobody watches them. Those are taken out of
 * the tree and freed without being cancelled first, which nobody could see, and without the joins: scope.c says how, under "quiet ends".
 *
 * Watches. Who is no part of the tree below a scope, and wants to act when that is cancelled, sets a watch on it. A cancel takes watches off
 * their scopes under the locks, and fires them after it has dropped them all, so that a watch may cancel another tree: with the locks held,
 * two scopes that watch each other would lie in each other's way. Who takes a watch back waits for one that is firing.
 *
 * Users of a channel. A stage's output has as users the block that made it, each goroutine it was handed to (found among the words of the
 * goroutine's arguments) and the stages that read it; when the last gives it up, it is stopped. leat_wait gives up the block's share, a
 * goroutine's end its own, a stage's end its own. A channel made by hand has only stages as users. An output that a stage's function makes and
 * answers (streams for a bridge) is on its way through a channel when the stage ends: its maker's share belongs to who reads it first, and if
 * that is no stage, to its scope. */
#pragma once
#include "../runtime/goroutine.h"
#include "../runtime/timer.h"
#include <leat/defer.h>
#include <leat/scope.h>
#include <stdarg.h>

struct function_timer;
struct kept {
  struct kept *next;
  _Alignas(16) char memory[];
};
struct leat_waitgroup;
struct cancel;
struct value;

enum scope_kind {
  SCOPE_BLOCK,   /* a block's, or the root */
  SCOPE_CONTEXT, /* the others are contexts */
  SCOPE_VALUE,   /* holds a value; nobody has the right to cancel it, and failures pass it by */
  SCOPE_HOOK,    /* in which an after-cancel function runs */
};
enum scope_shield {
  SHIELD_NONE,
  SHIELD_UNTIL_LEFT, /* a context without cancel: the end of its home does reach it */
  SHIELD_FULL,
};

/* What is to be done when a scope is cancelled that is not above the one who does it. */
enum watch_state { WATCH_IDLE, WATCH_SET, WATCH_FIRING };
struct watch {
  struct watch *next, *previous;
  struct scope *watched;
  void (*fire)(struct watch *w, struct cancel *c); /* outside all locks; must not block or yield */
  bool is_hook;                                    /* the end of the scope alone does not fire it */
  _Atomic(uint32_t) state;                         /* set and fired under the watched scope's lock */
};

struct follow {
  struct watch watch;
  struct scope *follower, *followed;
  struct follow *next;
};

/* What only some scopes have; made when it is first needed, and kept until the scope ends. */
struct flow;
struct extra {
  _Atomic(struct chan *) done;      /* leat_done's; made under the scope's lock */
  struct watch *watches;            /* guarded by the scope's lock */
  _Atomic(struct value *) values;   /* newest first; these two lists only grow, so they are read without the lock */
  _Atomic(struct follow *) follows;
  struct kept *kept;                /* memory of its own; guarded by the scope's lock */
  _Atomic(struct flow *) flow;      /* of the stages below it that are measured: flow/figures.c; set under the lock */
  char *deadline_cause;             /* guarded by deadline_lock; read by the timer's callback, which is not under way while it changes */
};

/* What a walk of a cancel touches comes first: of a hundred thousand scopes each lies on a stack that is cold by then. */
struct scope {
  struct leat_i_cleanup cleanup; /* on the owner's list */
  struct scope *parent;
  struct goroutine *owner; /* whose block it is; NULL for the root and for contexts */
  /* Guarded by the parent's lock. */
  struct scope *next_sibling;
  /* Guarded by the lock. */
  struct scope *children;

  struct slot *members; /* guarded by members_lock: goroutines that have waited, in this scope or in blocks within */
  struct lock members_lock;
  struct lock lock;
  _Atomic(int) status; /* changed under the lock, read without */
  uint32_t depth;
  _Atomic(uint32_t) holding_up; /* cancels that are at work in the scope or below, or may yet start hooks: joins wait for them; without the lock */
  uint8_t kind, shield;
  bool left; /* its home is being left: a context without cancel made below it now is cancelled, too. Guarded by the lock, as those that follow */
  bool join_all, keep_going, failure_taken, failure_taken_below, failure_passed_on, owns_cause;
  _Atomic(bool) on_credit; /* without the lock */
  struct scope *home;      /* a context's */
  _Atomic(struct extra *) extra; /* set under the lock */
  const char *cause;
  uint32_t n_live, n_tasks; /* goroutines; those that leat_wait waits for; with the credit that workers have: membership.h */
  struct goroutine *joiners; /* linked by link; one at most but for contexts */
  uint32_t starts; /* up to when they go on credit */
  _Atomic(uint32_t) waits;      /* calls of leat_wait that have not returned, for a context; without the lock */
  struct chan *chans;
  struct function_timer *timers;
  struct leat_task *tasks;
  leat_failure failure;

  struct scope *previous_sibling; /* guarded by the parent's lock */
  uint32_t outer_floor;
  uint32_t epoch; /* see inspect/leak.h */
  const char *birthplace;

  /* The owner's. */
  struct hold *held;
#ifdef LEAT_DEBUG
  uint64_t magic;
#endif

  /* Guarded by deadline_lock. */
  struct lock deadline_lock;
  struct timer timer;
  _Atomic(int64_t) deadline; /* read through views by others */
};
_Static_assert(sizeof(struct scope) <= sizeof(struct leat_scope), "leat_scope has too little room");

/* A context's goroutines are counted in all scopes up to its home. NULL when that has been reached. */
static inline struct scope *leat_i_also_counted(const struct scope *s) { return likely(s->kind == SCOPE_BLOCK) ? NULL : s->parent; }

/* The status of a scope, LEAT_OK while it goes on: the one load that cancellation costs. */
static inline int leat_i_scope_interrupts(const struct scope *s) { return load_seq(&((struct scope *)s)->status); }

/* Debug builds: using a scope that has ended is misuse. Public functions look at what they are given. */
#ifdef LEAT_DEBUG
#define SCOPE_ALIVE UINT64_C(0x11ea75c09e)
#define ALIVE_SCOPE .magic = SCOPE_ALIVE,
void leat_i_scope_check(const struct scope *s, const char *operation);
#else
#define ALIVE_SCOPE
static inline void leat_i_scope_check(const struct scope *s, const char *operation) { (void)s, (void)operation; }
#endif
/* Of a context that has been detached. */
void leat_i_context_free(struct scope *s);

void leat_i_scope_init_root(struct scope *root);
/* Cancels and joins all that is left, and frees it. */
void leat_i_scope_end_root(struct goroutine *self);

/* The goroutine ends with g->status and g->error: records its failure, completes its task, counts it back in its wait group. */
void leat_i_scope_tell_end(struct goroutine *g);
void leat_i_waitgroup_ended(struct leat_waitgroup *group, struct goroutine *g);
/* Records the first failure and cancels the scope. With a NULL message because of g->error; the message is copied. */
void leat_i_scope_fail(struct scope *s, int status, const char *message, const struct goroutine *g, const char *birthplace);
void leat_i_scope_cancel(struct scope *s, int status, const char *cause);

/* A cancel under way: what it has collected under the locks. */
struct cancel {
  int status;
  const char *cause;        /* the caller's: it outlives the walk and all that this sets off */
  const struct scope *home; /* if a scope is being left: the home of the contexts that end with it */
  struct goroutine *woken;  /* from channels, and in hooks: claimed, or made, linked by link */
  struct wake_batch *interrupted; /* claimed */
  struct watch *fired;
  const struct goroutine *by; /* whose thread this is */
  bool marked;                /* the tree, so now who waits in it is to be interrupted, */
  bool reaches_others;        /* which may be somebody */
};
/* The cause, malloc'ed or NULL, is taken over. */
int leat_i_scope_set_deadline(struct scope *s, int64_t time, char *cause);
/* malloc'ed; NULL out of memory, or for no format. */
char *leat_i_format(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* A part of a cancel under way, for watches. */
void leat_i_scope_cancel_too(struct scope *s, struct cancel *c);

/* LEAT_OK, or the status of a scope that has been cancelled already: then the watch is not set. */
int leat_i_watch(struct watch *w, struct scope *s);
/* True if it was set. Either way it does not fire, or has fired, when this returns. */
bool leat_i_unwatch(struct watch *w);

/* NULL out of memory. */
struct extra *leat_i_scope_extra(struct scope *s);
/* Zeroed memory that is freed with the scope. NULL out of memory. */
void *leat_i_scope_alloc(struct scope *s, size_t size);

/* A zeroed scope becomes a child of the parent, cancelled if that is. */
void leat_i_scope_attach(struct scope *s, struct scope *parent);
void leat_i_scope_detach(struct scope *s);
/* Cancels and joins what is in and below the scope, and frees the contexts below. Answers the error of panics in those that
 * nobody has taken, or NULL. */
struct leat_error *leat_i_scope_end(struct scope *s, struct goroutine *self);
/* The same for a context in which, and below which, nothing goes on, and takes it out of the tree; false if something does, and then it is as before. */
bool leat_i_scope_end_quietly(struct scope *s);
/* What an ended scope owns. Answers the error of its own panic that nobody has taken, or NULL. */
struct leat_error *leat_i_scope_free_belongings(struct scope *s);
/* Whether the goroutine runs in the scope or below it. */
bool leat_i_scope_contains(const struct scope *s, const struct goroutine *self);

/* context.c's part in the end of a scope. */
void leat_i_scope_stop_watching(struct scope *s); /* its follows, and its hook */
void leat_i_extra_free(struct scope *s);
bool leat_i_extra_is_quiet(const struct extra *x); /* with the lock: to free it runs nobody's function, and nobody looks for it */
void leat_i_flow_free(struct flow *f); /* flow/figures.c's; or NULL */

/* The earliest that counts. Scopes may follow each other in a circle, so the question goes through so many of them and no more. */
enum { MOST_HOPS = 16 };
int64_t leat_i_scope_deadline(const struct scope *s, int hops);
int64_t leat_i_follows_deadline(const struct scope *s, int hops);

/* Tasks. A task that could not be allocated is a shared, failed one. */
struct leat_task {
  struct leat_task *next; /* in its scope */
  struct lock lock;
  bool done;
  int status;
  struct leat_error *error;
  uint64_t goroutine; /* for reports */
  struct goroutine *joiners; /* linked by link, which a waiting goroutine does not use otherwise */
};
struct leat_task *leat_i_task_new(struct scope *s);
bool leat_i_task_usable(const struct leat_task *t);
void leat_i_task_complete(struct leat_task *t, int status, struct leat_error *error);
void leat_i_tasks_free(struct leat_task *list);

/* Shares in stage outputs. */
void leat_i_hold_output(struct scope *s, struct chan *output);   /* the calling block made it */
bool leat_i_hold_pass(struct chan *c);                           /* takes the calling block's share away, to be a stage's; false if it has none */
void leat_i_hold_hand_on(const struct hold *list, struct hold **to, const void *args, size_t size); /* of those that are among the arguments */
static inline void holds_hand_on(struct goroutine *self, struct hold **to, const void *args, size_t size) {
  if (size < sizeof(void *)) return;
  for (struct scope *s = self->scope; s && s->owner == self; s = s->parent)
    if (unlikely(s->held != NULL)) leat_i_hold_hand_on(s->held, to, args, size);
  if (unlikely(self->holds != NULL)) leat_i_hold_hand_on(self->holds, to, args, size);
}
void leat_i_holds_release(struct hold **list);
