/* See runtime.h and leat/runtime.h. */
#define _GNU_SOURCE
#include "runtime.h"
#include "../core/scope.h"
#include "../inspect/alarm.h"
#include "../inspect/dump_signal.h"
#include "../inspect/fault.h"
#include "../inspect/finder.h"
#include "../inspect/layout.h"
#include "../inspect/leak.h"
#include "fence.h"
#include "nondet.h"
#include "poller.h"
#include "report.h"
#include "scheduler.h"
#include "watcher.h"
#include <leat/dump.h>
#include <leat/error.h>
#include <leat/runtime.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_STACK = 64 * 1024, LARGEST_STACK = 512 * 1024 * 1024, SPARE_THREADS = 256, MOST_WORKERS = 65536 };
enum run_state { STOPPED, RUNNING };

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER; /* held only on plain threads */
static _Atomic(uint32_t) state;
_Atomic(bool) leat_i_forked;
static leat_options in_force;
static struct scope root;
static struct lock foreign_lock; /* guards the lists of plain threads, and the main goroutine's going */
static _Atomic(struct goroutine *) main_goroutine; /* idle workers and dumps look at it at any time */

struct scope *leat_i_root_scope(void) { return &root; }
struct goroutine *leat_i_main_goroutine(void) { return load_acquire(&main_goroutine); }
bool leat_i_runtime_ignores_deadlock(void) { return in_force.ignore_deadlock; }

/* ---- how many CPUs ---- */

/* "max 100000" or "200000 100000" (cgroup v2), or one number a file (v1): quota and period in microseconds. */
static double read_quota(const char *path, double *period) {
  double quota = -1;
  FILE *f = fopen(path, "re");
  if (!f) return -1;
  char first[32] = "";
  if (fscanf(f, "%31s %lf", first, period) >= 1 && strcmp(first, "max") != 0) quota = strtod(first, NULL);
  fclose(f);
  return quota;
}

static int cgroup_cpus(void) {
  char line[512], path[600];
  double least = 0;
  FILE *f = fopen("/proc/self/cgroup", "re");
  if (!f) return 0;
  while (fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    char *group = strncmp(line, "0::", 3) == 0 ? line + 3 : NULL;
    if (!group) continue;
    for (;;) { /* every group up to the root limits */
      double period = 100000;
      snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
      double quota = read_quota(path, &period);
      if (quota > 0 && period > 0 && (!least || quota / period < least)) least = quota / period;
      char *slash = strrchr(group, '/');
      if (!slash) break;
      *slash = 0;
    }
  }
  fclose(f);
  double period = 100000, unused;
  double quota = read_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &unused);
  double v1 = read_quota("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &unused);
  if (v1 > 0) period = v1;
  if (quota > 0 && (!least || quota / period < least)) least = quota / period;
  int whole = (int)least;
  return least > whole ? whole + 1 : whole;
}

int leat_cpus(void) {
  cpu_set_t *set = NULL;
  int n = 0;
  for (int room = 1024; room <= 1 << 16 && !n; room *= 2) { /* the kernel's mask may be larger than the default set */
    set = CPU_ALLOC(room);
    if (!set) break;
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(room), set) == 0) n = CPU_COUNT_S(CPU_ALLOC_SIZE(room), set);
    CPU_FREE(set);
  }
  int quota = cgroup_cpus();
  if (quota > 0 && (!n || quota < n)) n = quota;
  return n > 0 ? n : 1;
}

/* 0 if there is none, or nonsense. Of bytes: with K or M, also KB, KiB. */
static uint64_t number_from_environment(const char *name, bool of_bytes, uint64_t most) {
  const char *text = getenv(name);
  if (!text || !*text) return 0;
  char *end;
  uint64_t n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0, unit = 1;
  if (n && of_bytes && *end && strchr("kKmM", *end)) {
    unit = *end == 'k' || *end == 'K' ? 1024 : 1024 * 1024;
    end += strncmp(end + 1, "iB", 2) == 0 ? 3 : end[1] == 'B' ? 2 : 1;
  }
  if (!n || *end) {
    leat_i_log("leat: %s=%s is ignored: give a number from 1 on%s", name, text, of_bytes ? ", of bytes, or with K or M behind it" : "");
    return 0;
  }
  if (n <= most / unit) return n * unit;
  leat_i_log("leat: %s=%s is too large: %llu is used", name, text, (unsigned long long)most);
  return most;
}

int leat_workers(void) {
  if (load_acquire(&state) == RUNNING) return load_relaxed(&leat_i_sched.workers);
  int asked = (int)number_from_environment("LEAT_WORKERS", false, MOST_WORKERS);
  return asked ? asked : leat_cpus();
}

int leat_set_workers(int n) {
  if (n < 1 || n > MOST_WORKERS) return LEAT_INVALID;
  int status = leat_i_runtime_ensure();
  if (status) return status;
  store_seq(&leat_i_sched.workers, n); /* those too many notice at their next look outside */
  leat_i_wake_worker();
  return LEAT_OK;
}

/* ---- starting and stopping ---- */

static void in_child_of_fork(void);

static int start(const leat_options *options) {
  in_force = options ? *options : (leat_options){0};
  if (in_force.workers <= 0) in_force.workers = leat_workers();
  if (in_force.workers > MOST_WORKERS) in_force.workers = MOST_WORKERS;
  if (in_force.max_threads <= 0) in_force.max_threads = in_force.workers + SPARE_THREADS;
  if (!in_force.stack) in_force.stack = number_from_environment("LEAT_STACK", true, LARGEST_STACK);
  if (!in_force.stack) in_force.stack = DEFAULT_STACK;
  const char *start_stacks = getenv("LEAT_START_STACKS");
  if (start_stacks && atoi(start_stacks) > 0) in_force.start_stacks = 1;
  store_relaxed(&leat_i_keeps_start_stacks, in_force.start_stacks);
  leat_i_fences_init();
  leat_i_interrupts_init();
  leat_i_stacks_init(in_force.stack, in_force.guard);
  leat_i_workers_init(in_force.workers, in_force.max_threads);
  leat_i_scope_init_root(&root);
  leat_i_coarse_clock_set();
  int status = leat_i_poller_start();
  if (status == LEAT_OK) status = leat_i_watcher_start();
  if (status == LEAT_OK) leat_i_finder_start(in_force.find_stuck, in_force.stuck_is_fatal);
  if (status != LEAT_OK) {
    leat_i_poller_stop();
    return status;
  }
  static bool fork_handler;
  if (!fork_handler) fork_handler = pthread_atfork(NULL, NULL, in_child_of_fork) == 0;
  happens_before(&state);
#ifdef LEAT_ASAN
  leat_i_leak_roots();
#endif
  if (in_force.fault_handlers) leat_i_fault_handlers_install();
  leat_i_alarms_from_environment();
  return LEAT_OK;
}

static void stop(void) {
  leat_i_dump_signal_stop();
  leat_i_finder_stop();
  leat_i_watcher_stop();
  leat_i_alarms_stop();
  leat_i_workers_stop();
  leat_i_poller_stop();
  leat_i_timers_free();
  if (in_force.fault_handlers) leat_i_fault_handlers_remove();
}

int leat_runtime_start(const leat_options *options) {
  int status = LEAT_OK;
  not_after_fork();
  pthread_mutex_lock(&start_lock);
  if (load_relaxed(&state) == STOPPED && (status = start(options)) == LEAT_OK) {
    status = leat_i_workers_start_one();
    if (status == LEAT_OK) store_release(&state, RUNNING);
    else stop();
  }
  pthread_mutex_unlock(&start_lock);
  return status;
}

/* Without a flush: what lies in the buffers of streams is the parent's to write. */
void leat_i_die_after_fork(void) {
  leat_i_say("leat: this is the child of a fork of a process in which leat ran; its threads do not exist here. "
             "Such a child may only call exec or _exit");
  _exit(2);
}

int leat_i_runtime_ensure(void) {
  not_after_fork();
  return likely(load_acquire(&state) == RUNNING) ? LEAT_OK : leat_runtime_start(NULL);
}

int leat_runtime_stop(void) {
  not_after_fork();
  if (load_acquire(&state) != RUNNING) return LEAT_OK;
  struct goroutine *self = leat_i_self();
  if (self->kind != KIND_FOREIGN) return LEAT_INVALID;
  leat_i_scope_end_root(self);
  pthread_mutex_lock(&start_lock);
  stop();
  store_release(&state, STOPPED);
  pthread_mutex_unlock(&start_lock);
  return LEAT_OK;
}

int leat_i_run_main(int (*fn)(int, char **), int argc, char **argv) {
  static struct goroutine storage;
  pthread_mutex_lock(&start_lock);
  int status = load_relaxed(&state) == RUNNING ? LEAT_OK : start(&(leat_options){.fault_handlers = 1});
  struct goroutine *self = &storage;
  memset(self, 0, sizeof *self);
  self->kind = KIND_MAIN;
  self->name = self->function = "main";
  self->id = leat_i_goroutine_new_id();
  self->scope = self->base = &root;
  leat_i_thread_stack(&self->stack_low, &self->stack_high);
  self->args = __builtin_frame_address(0);
  struct worker *home = status == LEAT_OK ? leat_i_worker_of_main(self) : NULL;
  if (!home) leat_i_die("LEAT_MAIN: the runtime cannot start: %s", leat_status_text(status ? status : LEAT_NOMEM));
  void *signal_stack = leat_i_signal_stack_install();
  store_release(&main_goroutine, self);
  store_release(&state, RUNNING);
  pthread_mutex_unlock(&start_lock);
  if (leat_dump_on_signal(SIGQUIT) != LEAT_OK) leat_i_log("leat: no thread can be had for dumps on SIGQUIT");

  int result = fn(argc, argv);

  leat_i_leaks_at_exit();
  leat_i_scope_end_root(self);
  leat_error_release(self->error);
  leat_i_go_home(self, home);
  pthread_mutex_lock(&start_lock);
  lock_take(&foreign_lock); /* nobody looks at it any more */
  store_release(&main_goroutine, NULL);
  lock_drop(&foreign_lock);
  stop();
  leat_i_signal_stack_remove(signal_stack);
  store_release(&state, STOPPED);
  pthread_mutex_unlock(&start_lock);
  return result;
}

/* ---- plain threads ---- */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static __thread struct goroutine *foreign;
static struct goroutine *foreign_list; /* guarded by foreign_lock */
static _Atomic(int) n_parked, n_attached;
static _Atomic(uint64_t) park_count;

static void thread_ends(void *descriptor) {
  struct goroutine *g = descriptor;
  if (g->scope != &root) /* whose memory, on a stack that is given up, others still point to */
    leat_i_die("a thread has ended inside of a leat_scope, by pthread_exit or pthread_cancel: it must leave the block first, by returning");
  lock_take(&foreign_lock);
  for (struct goroutine **p = &foreign_list; *p; p = &(*p)->foreign_next)
    if (*p == g) {
      *p = g->foreign_next;
      break;
    }
  lock_drop(&foreign_lock);
  leat_i_holds_release(&g->holds);
  leat_error_release(g->error);
  sub(&n_attached, 1);
  foreign = NULL;
  free(g);
  leat_i_watcher_rouse(); /* perhaps nobody can wake the others now */
}

static void make_key(void) { pthread_key_create(&key, thread_ends); }

struct goroutine *leat_i_foreign_known(void) { return foreign; }

struct goroutine *leat_i_foreign_self(void) {
  if (likely(foreign != NULL && load_acquire(&state) == RUNNING)) return foreign;
  int status = leat_i_runtime_ensure();
  if (status) leat_i_die("the runtime cannot start: %s", leat_status_text(status));
  if (foreign) return foreign;
  happens_after(&state);
  struct goroutine *g = calloc(1, sizeof *g);
  if (!g) leat_i_die("out of memory while a plain thread entered leat");
  g->kind = KIND_FOREIGN;
  g->thread_id = gettid();
  leat_i_thread_stack(&g->stack_low, &g->stack_high);
  g->id = leat_i_goroutine_new_id(); /* an owner of locks is known by its number */
  g->scope = g->base = &root;
  pthread_once(&key_once, make_key);
  pthread_setspecific(key, g);
  lock_take(&foreign_lock);
  g->foreign_next = foreign_list;
  foreign_list = g;
  lock_drop(&foreign_lock);
  add(&n_attached, 1);
  foreign = g;
  return g;
}

void leat_i_foreign_parks(int change) {
  add_seq(&park_count, 1);
  add_seq(&n_parked, change);
}
uint64_t leat_i_foreign_park_count(void) { return load_seq(&park_count); }
int leat_i_foreign_parked(void) { return load_seq(&n_parked); }
int leat_i_foreign_attached(void) { return load_seq(&n_attached); }

void leat_i_foreign_each(void (*visit)(struct goroutine *, void *), void *environment) {
  lock_take(&foreign_lock);
  struct goroutine *m = load_relaxed(&main_goroutine);
  if (m) visit(m, environment);
  for (struct goroutine *g = foreign_list; g; g = g->foreign_next) visit(g, environment);
  lock_drop(&foreign_lock);
}

/* The child has one thread, whatever it was before; the workers' stacks and locks are in the state they happened to be in. */
static void in_child_of_fork(void) {
  if (load_relaxed(&state) == STOPPED) return;
  store_relaxed(&leat_i_forked, true);
  leat_i_dump_signal_forget();
  leat_i_workers_forget();
  foreign = NULL;
}

void leat_i_thread_stack(char **low, char **high) {
  pthread_attr_t attributes;
  void *address = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    pthread_attr_getstack(&attributes, &address, &size);
    pthread_attr_destroy(&attributes);
  }
  *low = address;
  *high = (char *)address + size;
}

/* ---- blocking calls ---- */

void leat_i_block_begin(void) {
  not_after_fork();
  struct worker *w = leat_i_worker();
  if (!w || w->pinned) return;
  store_relaxed(&w->in_blocking_call, true);
  leat_i_give_up_token(w);
}

void leat_i_block_end(void) {
  struct worker *w = leat_i_worker();
  if (!w) return;
  store_relaxed(&w->in_blocking_call, false);
  leat_i_regain_token(leat_i_self());
}

const struct layout_entry leat_i_layout_of_runtime[] = {
  {"root_scope", (uintptr_t)&root},
  {"main_goroutine", (uintptr_t)&main_goroutine},
  {"foreign_list", (uintptr_t)&foreign_list},
  {NULL, 0},
};

/* So that the table is in every program that has the runtime in it. */
static const struct layout_entry *const layout __attribute__((used)) = leat_i_layout;
