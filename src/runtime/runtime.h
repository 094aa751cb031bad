/* The runtime as a whole: starting and stopping, plain threads that use it, the root scope, fork. */
#pragma once
#include "goroutine.h"

struct scope *leat_i_root_scope(void);
struct goroutine *leat_i_main_goroutine(void); /* of leat_i_run_main, or NULL */
bool leat_i_runtime_ignores_deadlock(void);

/* Whether this is the child of a fork of a process in which the runtime ran. Its locks are as they happened to be, so public functions that take
 * one, and do not ask for the caller's goroutine, look first. */
extern _Atomic(bool) leat_i_forked;
_Noreturn void leat_i_die_after_fork(void);
static inline void not_after_fork(void) {
  if (unlikely(load_relaxed(&leat_i_forked))) leat_i_die_after_fork();
}

/* Starts the runtime if it does not run. LEAT_OK or a status. Dies in the child of a fork. */
int leat_i_runtime_ensure(void);

/* The descriptor of the calling plain thread, made on its first call and freed when the thread ends. */
struct goroutine *leat_i_foreign_self(void);
struct goroutine *leat_i_foreign_known(void); /* the same if it has been made; else NULL. Async-signal-safe */
void leat_i_foreign_parks(int change);
int leat_i_foreign_parked(void);
uint64_t leat_i_foreign_park_count(void); /* how often one has parked */
int leat_i_foreign_attached(void); /* threads that have used leat and have not ended */
void leat_i_foreign_each(void (*visit)(struct goroutine *g, void *environment), void *environment);

/* The calling thread's stack, as the kernel made it. */
void leat_i_thread_stack(char **low, char **high);
