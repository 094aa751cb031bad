/* leat/runtime.h - starting and stopping the runtime, workers, blocking calls, and the program's main goroutine.
 *
 * The runtime starts by itself with the first goroutine, or explicitly with leat_runtime_start; a library that uses leat need do neither.
 * It is never started by a constructor. LEAT_MAIN(argc, argv) { ... } defines main: the body is the main goroutine, on the main thread's
 * stack, inside the root scope; its value is the exit status, and goroutines that still run then are cancelled and joined.
 *
 * Environment: LEAT_WORKERS=n, LEAT_STACK=size[K|M] set the defaults of the options below; LEAT_START_STACKS=1 sets start_stacks. Elsewhere:
 * LEAT_ALARMS (leat/alarm.h), LEAT_FIND_STUCK (leat/finder.h), LEAT_DUMP (leat/dump.h), LEAT_LEAKS (leat/leak.h). What makes no sense is ignored;
 * the log hook is told of numbers that are none.
 *
 * A total deadlock (every goroutine blocked, and no timer, descriptor, signal or other thread that could wake one) ends the process with
 * a report and exit status 2. After fork the child may only exec; any leat call there that does more than read ends it with a sentence.
 * pthread_cancel on a worker is not supported. A plain thread that ends inside of a leat_scope, by pthread_exit, ends the process. */
#pragma once
#include "status.h"

LEAT_I_BEGIN

typedef struct leat_options {
  int workers;     /* goroutines that run at the same time, 65,536 at most; 0: leat_cpus() */
  int max_threads; /* workers and spares for blocked ones together; 0: 256 + workers */
  size_t stack;    /* bytes for a goroutine's stack; 0: 64 KiB */
  unsigned fault_handlers : 1;     /* catch SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, to report goroutine and stack; LEAT_MAIN sets it */
  unsigned ignore_deadlock : 1;    /* a total deadlock is not reported */
  unsigned guard : 2;              /* LEAT_GUARD_...: which stack guards to use at most */
  unsigned start_stacks : 1;       /* for debugging: errors show the stacks on which their goroutines were started; costs each start a microsecond */
  unsigned stuck_is_fatal : 1;     /* one that the finder is certain of ends the process */
  unsigned find_stuck;             /* look for stuck goroutines every so many milliseconds: leat/finder.h; 0: LEAT_FIND_STUCK, or never */
  unsigned leat_i_reserved[7];
} leat_options;

enum leat_guard {
  LEAT_GUARD_BEST,     /* guard markers (Linux 6.13), else as below */
  LEAT_GUARD_MPROTECT, /* protected pages, up to half of vm.max_map_count, then as below */
  LEAT_GUARD_CANARY,   /* a pattern at the stack's end, looked at when the goroutine gives up its thread */
};

/* LEAT_OK also when it already runs (the options are then not applied); LEAT_NOMEM, LEAT_SYSTEM (no descriptors are left). Any thread, not a
 * goroutine. Where the runtime starts by itself and cannot, the process ends with a sentence. */
int leat_runtime_start(const leat_options *options);
/* Cancels what still runs, joins it and ends all threads; the runtime can be started again. LEAT_OK, or LEAT_INVALID when called from a
 * goroutine. The caller must be the only thread that uses leat. */
int leat_runtime_stop(void);

/* CPUs that this process may really use: its affinity and its cgroup's quota, rounded up. */
int leat_cpus(void);
int leat_workers(void);
/* While running; 1 to 65,536. LEAT_OK, LEAT_INVALID. */
int leat_set_workers(int n);

/* Around a call that is known to block the thread for long, so that a spare thread takes over at once instead of after 10 ms:
 *   leat_blocking { n = read(fd, buffer, size); }
 * Leave the block at its end only: no return, break, continue or goto out of it. */
#define leat_blocking for (int leat_i_blocks = (leat_i_block_begin(), 1); leat_i_blocks; leat_i_blocks = (leat_i_block_end(), 0))
void leat_i_block_begin(void);
void leat_i_block_end(void);

/* What leat has to say (a panic that is reported, a guard that could not be had) goes line by line to this hook; NULL, the default, is
 * stderr for panics and what ends the process, and nowhere for the rest. It may be called on any thread and must not call leat. */
void leat_set_log(void (*hook)(void *environment, const char *line), void *environment);

#define LEAT_MAIN(argc, argv) \
  static int leat_i_user_main(int, char **); \
  int main(int leat_i_argc, char **leat_i_argv) { return leat_i_run_main(leat_i_user_main, leat_i_argc, leat_i_argv); } \
  static int leat_i_user_main(int argc __attribute__((__unused__)), char **argv __attribute__((__unused__)))
int leat_i_run_main(int (*fn)(int, char **), int argc, char **argv);

LEAT_I_END
