/* leat/waitgroup.h - a counter that goroutines and threads wait for to become 0 (after Go's sync.WaitGroup).
 *
 *   static leat_waitgroup uploads;                      all zero is a ready waitgroup; nothing has to be freed
 *   leat_waitgroup_go(&uploads, s, upload, file);       counts, starts the goroutine, counts back when it has ended
 *   leat_waitgroup_wait(&uploads);
 *
 * A scope already joins its goroutines: leat_wait is the first choice. A waitgroup is for a group that is not a scope's: some goroutines of
 * a long-lived scope, work that changes hands, plain threads. Set to n once and only counted down, it is a count-down latch.
 *
 * Misuse fails the goroutine (a plain thread: the process): a counter that would become negative; an add from 0 while a wait that has
 * already been woken has not returned, since nobody can say to which round that wait belongs.
 *
 * Any goroutine or thread may call any of these. The memory may be given up when the counter is 0 and all waits have returned. */
#pragma once
#include "goroutine.h"

typedef struct leat_waitgroup {
  uint64_t leat_i_space[8];
} leat_waitgroup;

LEAT_I_BEGIN
/* Adds to the counter; n may be negative. An add from 0 must not run at the same time as a wait. Never blocks. */
void leat_waitgroup_add(leat_waitgroup *group, int n);
/* leat_waitgroup_add(group, -1). What came before it happens before the return of the waits that it ends. */
void leat_waitgroup_done(leat_waitgroup *group);

/* Blocks until the counter is 0. Cannot fail, and so waits on in a cancelled scope, like leat_join: what a cancel ends are those it waits
 * for, and the caller may rely on their having ended. */
void leat_waitgroup_wait(leat_waitgroup *group);
/* The same until the caller's scope is cancelled (LEAT_CANCELED, LEAT_DEADLINE), or the deadline passes (LEAT_DEADLINE; LEAT_NOMEM if no
 * timer could be set). Cancellation is looked at first. Only LEAT_OK says that the counter was 0. */
int leat_waitgroup_wait_cancellable(leat_waitgroup *group) __attribute__((__warn_unused_result__));
int leat_waitgroup_wait_until(leat_waitgroup *group, int64_t deadline) __attribute__((__warn_unused_result__));

int leat_i_waitgroup_go(const struct leat_scope *s, const struct leat_i_fn *fn, const void *args, const char *birthplace, const leat_go_options *o);
LEAT_I_END

/* int leat_waitgroup_go(group, scope, fn, arguments...): as leat_go, in the counter from before it starts until it has ended by any path:
 * return, panic or cancellation. Its failure is recorded in the scope before it is counted back, so whoever comes back from the wait finds
 * it there. If it cannot be started the status says why and the counter is as before. */
#define leat_waitgroup_go(group, s, ...) \
  LEAT_I_GO(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), "leat_waitgroup_go", leat_i_waitgroup_go, s, \
            ((leat_go_options){.leat_i_waitgroup = LEAT_I_WAITGROUP(__COUNTER__, group)}), __VA_ARGS__)
#define LEAT_I_WAITGROUP(N, group) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_w, N) = (group); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_w, N)), leat_waitgroup *), "leat_waitgroup_go: the first argument is not a leat_waitgroup *"); \
    LEAT_I_CAT(leat_i_w, N); \
  })
