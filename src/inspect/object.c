/* See object.h. */
#define _GNU_SOURCE
#include "object.h"
#include "../core/channel.h"
#include "../core/membership.h"
#include "../core/mutex.h"
#include "../core/rwmutex.h"
#include "../core/scope.h"
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const char *const leat_i_wait_texts[WAIT_REASONS] = {
  [WAIT_NOTHING] = "runnable",
  [WAIT_SEND] = "sending on a channel",
  [WAIT_RECV] = "receiving from a channel",
  [WAIT_SELECT] = "in a select",
  [WAIT_NIL] = "on a nil channel, for ever",
  [WAIT_SLEEP] = "sleeping",
  [WAIT_SCOPE] = "waiting for a scope's goroutines",
  [WAIT_TASK] = "joining a task",
  [WAIT_READ] = "reading a descriptor",
  [WAIT_WRITE] = "writing a descriptor",
  [WAIT_MUTEX] = "locking a mutex",
  [WAIT_READ_LOCK] = "locking a rwmutex to read",
  [WAIT_WRITE_LOCK] = "locking a rwmutex to write",
  [WAIT_COND] = "waiting for a condition",
  [WAIT_WAITGROUP] = "waiting for a waitgroup",
  [WAIT_ONCE] = "waiting for another's once",
  [WAIT_POOL] = "waiting for a pool's object",
  [WAIT_SEMAPHORE] = "acquiring a semaphore",
  [WAIT_EVENT] = "waiting for an event",
  [WAIT_LIMITER] = "waiting for a rate limiter",
  [WAIT_WRITER] = "waiting for a batching writer",
  [WAIT_WRITES] = "waiting for something to write",
};

const char *leat_i_wait_text(enum wait_reason reason) { return leat_i_wait_texts[reason]; }

bool leat_i_read_memory(void *to, const void *from, size_t size) {
  /* The raw call: sanitizers look into what libc's is given. */
  return syscall(SYS_process_vm_readv, getpid(), &(struct iovec){to, size}, 1UL, &(struct iovec){(void *)(uintptr_t)from, size}, 1UL, 0UL) == (long)size;
}

/* A string that may be gone, and that may end close to the end of what is mapped. */
static const char *read_text(const char *from, char *to, size_t size) {
  size_t n = 0, page = 4096;
  while (from && n < size - 1) {
    size_t piece = page - ((uintptr_t)from + n) % page;
    if (piece > size - 1 - n) piece = size - 1 - n;
    if (!leat_i_read_memory(to + n, from + n, piece)) break;
    if (memchr(to + n, 0, piece)) return to;
    n += piece;
  }
  to[n] = 0;
  return to;
}

static void describe_channel(const void *object, char *text, size_t size) {
  struct chan c;
  char where[96];
  if (!leat_i_read_memory(&c, object, sizeof c)) return;
  uint32_t flags = load_relaxed(&c.flags);
  const char *state = flags & CHAN_STOPPED ? ", stopped" : flags & CHAN_CLOSED ? ", closed" : "";
  snprintf(text, size, " (made at %s, %zu of %zu%s)", read_text(c.birthplace, where, sizeof where), load_relaxed(&c.n), c.capacity, state);
}

static void describe_scope(const void *object, char *text, size_t size) {
  struct scope s;
  char where[96];
  if (leat_i_read_memory(&s, object, sizeof s)) snprintf(text, size, " (entered at %s, %u left)", read_text(s.birthplace, where, sizeof where), leat_i_without_credit(object, s.n_live));
}

static void describe_task(const void *object, char *text, size_t size) {
  struct leat_task t;
  if (leat_i_read_memory(&t, object, sizeof t) && t.goroutine) snprintf(text, size, " (goroutine %llu)", (unsigned long long)t.goroutine);
}

static void describe_holder(uint64_t holder, char *text, size_t size) {
  if (holder) snprintf(text, size, " (held by goroutine %llu)", (unsigned long long)holder);
}

static void describe_mutex(const void *object, char *text, size_t size) {
  leat_mutex m;
  if (leat_i_read_memory(&m, object, sizeof m)) describe_holder(leat_i_mutex_owner(&m), text, size);
}

static void describe_rwmutex(const void *object, char *text, size_t size) {
  leat_rwmutex m;
  if (leat_i_read_memory(&m, object, sizeof m)) describe_holder(leat_i_rwmutex_writer(&m), text, size);
}

void leat_i_describe_wait(enum wait_reason reason, const void *object, bool look, char text[OBJECT_TEXT]) {
  int n = snprintf(text, OBJECT_TEXT, "%s", leat_i_wait_text(reason));
  if (reason == WAIT_READ || reason == WAIT_WRITE) n += snprintf(text + n, OBJECT_TEXT - (size_t)n, " %d", (int)(intptr_t)object);
  else if (object && reason != WAIT_SELECT) n += snprintf(text + n, OBJECT_TEXT - (size_t)n, " %p", object);
  size_t left = OBJECT_TEXT - (size_t)n;
  if (!look) return;
  switch (reason) {
  case WAIT_SEND: case WAIT_RECV: describe_channel(object, text + n, left); break;
  case WAIT_SCOPE: describe_scope(object, text + n, left); break;
  case WAIT_TASK: describe_task(object, text + n, left); break;
  case WAIT_MUTEX: describe_mutex(object, text + n, left); break;
  case WAIT_READ_LOCK: case WAIT_WRITE_LOCK: describe_rwmutex(object, text + n, left); break;
  default: break;
  }
}
