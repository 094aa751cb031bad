/* See deadlock.h. */
#define _GNU_SOURCE
#include "deadlock.h"
#include "../runtime/poller.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/timer.h"
#include "../runtime/watcher.h"
#include "alarm.h"
#include "dump.h"
#include "dump_signal.h"
#include "finder.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel's own count. To list /proc/self/task instead is no use: a thread that ends meanwhile hides the threads after it. */
static int threads_of_process(void) {
  char text[1024] = "";
  int n = -1, fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  const char *at = length > 0 ? strrchr(text, ')') : NULL; /* the end of the program's name, which may hold anything */
  if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &n) != 1) return -1;
  return n;
}

/* A goroutine, or a thread inside leat, that has been woken and has not come to run yet. What a wait without a limit finds in timed_out is left
 * over from one before. */
static void note_if_woken(struct goroutine *g, void *any) {
  bool inside = g->kind != KIND_FOREIGN || load_relaxed(&g->reason) != WAIT_NOTHING;
  if (inside && (!is_waiting(load_seq(&g->wait)) || (load_relaxed(&g->timed) && load_seq(&g->timed_out)))) *(bool *)any = true;
}

/* Nothing runs, and nothing can happen by itself. *activity changes whenever a goroutine or a thread inside leat has run meanwhile. */
static bool all_is_quiet(uint64_t *activity) {
  struct sched *s = &leat_i_sched;
  *activity = leat_i_foreign_park_count();
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next) {
    *activity += load_seq(&w->ticks);
    if (load_seq(&w->wake) || load_seq(&w->inbox)) return false; /* woken, and not yet awake */
  }
  return load_seq(&s->n_parked) == load_seq(&s->n_threads) && leat_i_foreign_attached() == leat_i_foreign_parked() && !leat_i_timers_any() &&
         !leat_i_poller_waiters() && !leat_i_work_waits() && !load_seq(&s->stopping);
}

void leat_i_check_deadlock(void) {
  struct sched *s = &leat_i_sched;
  uint64_t before, after;
  bool woken = false;
  if (leat_i_runtime_ignores_deadlock() || !all_is_quiet(&before)) return;
  if (!leat_i_live_goroutines() && !leat_i_foreign_parked() && !leat_i_main_goroutine()) return;
  int ours = leat_i_watcher_threads() + leat_i_dump_threads() + leat_i_finder_threads() + leat_i_alarm_threads();
  if (threads_of_process() != load_seq(&s->n_threads) + ours + leat_i_foreign_parked()) return;
  leat_i_foreign_each(note_if_woken, &woken);
  leat_i_stacks_each(note_if_woken, &woken);
  if (woken || !all_is_quiet(&after) || before != after) return;
  leat_i_flush_stdout();
  leat_i_say("leat: deadlock: every goroutine waits, and no timer, descriptor, signal or other thread can wake one:");
  leat_i_dump_report(LEAT_DUMP_GROUPED);
  leat_i_exit(2);
}
