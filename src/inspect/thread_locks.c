/* See thread_locks.h.
 *
 * pthread_mutex_lock, trylock and unlock are defined here, in front of libc's. That works in programs that are linked with the static library: in
 * the shared one, the definition would have to bear the version of libc's symbol. A list for each thread is enough, although goroutines change
 * threads: with a mutex held they do not. Weak, for programs without any shared library, which may have libc's too; there is no dlsym in
 * those, but the functions have a second name. The sanitizers define these functions as well, so there is nothing of this in builds with them.
 *
 * Rejected: to look for mutexes with this thread's number in memory that the goroutine can reach; there is no end to that. A panic: whoever
 * parks has put itself into queues that it could not be taken out of any more. */
#define _GNU_SOURCE
#include "thread_locks.h"
#ifdef LEAT_THREAD_LOCKS
#include "../core/error.h"
#include "../core/panic.h"
#include "../runtime/worker.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <leat/status.h>

enum { MOST = 16 }; /* of those beyond nothing is known */
static __thread struct {
  int n;
  pthread_mutex_t *mutex[MOST];
} held;

static int locked(pthread_mutex_t *m, int error) {
  if ((error == 0 || error == EOWNERDEAD) && held.n < MOST) held.mutex[held.n++] = m;
  return error;
}

static void unlocked(const pthread_mutex_t *m) {
  int i = held.n;
  while (i && held.mutex[i - 1] != m) i--;
  if (!i) return;
  for (held.n--; i <= held.n; i++) held.mutex[i - 1] = held.mutex[i];
}

#define OF_LIBC(name) \
  extern __typeof__(name) __##name __attribute__((weak)); \
  static __typeof__(name) *real; \
  if (!real && !(real = __##name)) *(void **)&real = dlsym(RTLD_NEXT, #name)
#define IN_FRONT __attribute__((weak, visibility("default")))

IN_FRONT int pthread_mutex_lock(pthread_mutex_t *m) {
  OF_LIBC(pthread_mutex_lock);
  return locked(m, real(m));
}
IN_FRONT int pthread_mutex_trylock(pthread_mutex_t *m) {
  OF_LIBC(pthread_mutex_trylock);
  return locked(m, real(m));
}
IN_FRONT int pthread_mutex_unlock(pthread_mutex_t *m) {
  OF_LIBC(pthread_mutex_unlock);
  unlocked(m); /* first: once it is unlocked its memory may be gone */
  return real(m);
}

bool leat_i_thread_locks_forbid(const struct goroutine *self) {
  bool has_own_thread = self->kind == KIND_FOREIGN || leat_i_worker()->pinned == self;
  return held.n && self->kind != KIND_IDLE && !has_own_thread;
}

static _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_error *error = leat_i_error_vnew(NULL, LEAT_PANIC, 1, format, args);
  va_end(args);
  leat_i_die_of(error);
}

void leat_i_thread_locks_report(void) {
  void *mutex = held.mutex[held.n - 1];
  held.n = 0;
  die("the goroutine gives up its thread while it holds the pthread mutex at %p; unlock it before a call that blocks, or use a leat_mutex", mutex);
}
#endif
