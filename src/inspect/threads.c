/* See threads.h. What a thread does is told by /proc/self/task/TID/syscall: its stack pointer, if it is blocked in the kernel. */
#define _GNU_SOURCE
#include "threads.h"
#include "../runtime/lock.h"
#include "../runtime/runtime.h"
#include "../runtime/worker.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_OURS = 4 };
static struct ours {
  int tid;
  char *low, *high;
} ours[MOST_OURS];
static struct lock lock;

static void enter(int tid, char *low, char *high) {
  lock_take(&lock);
  for (int i = 0; i < MOST_OURS; i++)
    if (!ours[i].tid) {
      ours[i] = (struct ours){tid, low, high};
      break;
    }
  lock_drop(&lock);
}

void leat_i_thread_ours(void) {
  char *low, *high;
  leat_i_thread_stack(&low, &high);
  enter(gettid(), low, high);
}

void leat_i_thread_ours_no_more(void) {
  int tid = gettid();
  lock_take(&lock);
  for (int i = 0; i < MOST_OURS; i++)
    if (ours[i].tid == tid) ours[i].tid = 0;
  lock_drop(&lock);
}

static bool is_ours(int tid) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next)
    if (load_relaxed(&w->thread_id) == tid) return true;
  bool found = false;
  lock_take(&lock);
  for (int i = 0; i < MOST_OURS; i++) found |= ours[i].tid == tid;
  lock_drop(&lock);
  return found;
}

void leat_i_threads_ours_stacks(void (*visit)(char *low, char *high, void *environment), void *environment) {
  lock_take(&lock);
  for (int i = 0; i < MOST_OURS; i++)
    if (ours[i].tid) visit(ours[i].low, ours[i].high, environment);
  lock_drop(&lock);
}

static uintptr_t stack_pointer(int tid) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  char *last = strrchr(text, ' '); /* number, arguments, stack pointer, program counter; or the word "running" */
  if (!last) return 0;
  *last = 0;
  char *before = strrchr(text, ' ');
  return before ? (uintptr_t)strtoull(before, NULL, 16) : 0;
}

/* Entries of a directory as the kernel gives them: opendir would take memory from malloc, whose heap may be just being looked at. */
struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

bool leat_i_numbers_in(const char *path, void (*visit)(int number, void *environment), void *environment) {
  _Alignas(16) char buffer[2048];
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  long n = -1;
  while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < n;) {
      struct entry *e = (struct entry *)(void *)(buffer + at);
      at += e->size;
      if (e->name[0] >= '0' && e->name[0] <= '9') visit(atoi(e->name), environment);
    }
  if (fd >= 0) close(fd);
  return n == 0;
}

struct visit {
  void (*fn)(const struct thread *t, void *environment);
  void *environment;
  int self;
};

static void one_thread(int tid, void *environment) {
  struct visit *v = environment;
  if (tid != v->self && !is_ours(tid)) v->fn(&(struct thread){tid, stack_pointer(tid)}, v->environment);
}

bool leat_i_threads_each(void (*visit)(const struct thread *t, void *environment), void *environment) {
  return leat_i_numbers_in("/proc/self/task", one_thread, &(struct visit){visit, environment, gettid()});
}
