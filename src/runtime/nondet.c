/* The real world: see nondet.h. */
#define _GNU_SOURCE
#include "nondet.h"
#include "atomics.h"
#include "sanitize.h"
#include <errno.h>
#include <leat/status.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int64_t leat_i_nondet_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * LEAT_SECONDS(1) + t.tv_nsec;
}

int64_t leat_i_nondet_wall_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * LEAT_SECONDS(1) + t.tv_nsec;
}

uint64_t leat_i_nondet_entropy(void) {
  uint64_t n = 0;
  if (getrandom(&n, sizeof n, GRND_NONBLOCK) != sizeof n) n = ((uint64_t)leat_i_nondet_wall_clock() << 16) ^ (uint64_t)getpid();
  return n;
}

/* xorshift64* (Vigna 2016), one generator a thread. */
uint32_t leat_i_nondet_choose(enum choice purpose, uint32_t n) {
  (void)purpose;
  static _Thread_local uint64_t state;
  if (!state) state = ((uint64_t)leat_i_nondet_clock() ^ (uint64_t)(uintptr_t)&state) | 1;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  uint64_t r = (state * UINT64_C(2685821657736338717)) >> 32;
  return (uint32_t)((r * n) >> 32);
}

static struct timespec timespec_of(int64_t ns) {
  return (struct timespec){.tv_sec = ns / LEAT_SECONDS(1), .tv_nsec = ns % LEAT_SECONDS(1)};
}

/* Whole milliseconds, rounded up, where the kernel lacks epoll_pwait2 (Linux 5.11). */
static int poll_in_milliseconds(int epoll, struct epoll_event *events, int n, int64_t ns) {
  int64_t ms = ns < 0 ? -1 : (ns + LEAT_MS(1) - 1) / LEAT_MS(1);
#ifdef LEAT_TSAN
  /* In slices: a signal that TSan has put off just before the call would otherwise wait for the call to end. */
  for (int64_t slept = 0; ms < 0 || slept + 10 < ms; slept += 10) {
    int got = epoll_wait(epoll, events, n, 10);
    if (got) return got;
  }
  ms = ms > 10 ? 10 : ms;
#endif
  return epoll_wait(epoll, events, n, ms > INT_MAX ? INT_MAX : (int)ms);
}

int leat_i_nondet_poll(int epoll, struct epoll_event *events, int n, int64_t until) {
#ifdef LEAT_TSAN
  static _Atomic(bool) no_pwait2 = true; /* TSan delivers signals only in calls that it knows */
#else
  static _Atomic(bool) no_pwait2;
#endif
  int64_t ns = -1;
  if (until != LEAT_NEVER) {
    ns = until > 0 ? until - leat_i_nondet_clock() : 0;
    if (ns < 0) ns = 0;
  }
  if (!load_relaxed(&no_pwait2) && !RUNNING_ON_VALGRIND) { /* which does not know the call */
    struct timespec t = timespec_of(ns < 0 ? 0 : ns);
    int got = epoll_pwait2(epoll, events, n, ns < 0 ? NULL : &t, NULL);
    if (got >= 0) return got;
    if (errno != ENOSYS) return -errno;
    store_relaxed(&no_pwait2, true);
  }
  int got = poll_in_milliseconds(epoll, events, n, ns);
  return got >= 0 ? got : -errno;
}

#ifdef LEAT_TSAN
/* In slices, by a call in which TSan delivers signals, which it does not in a futex wait. */
void leat_i_nondet_sleep(_Atomic(uint32_t) *word, uint32_t value, int64_t until) {
  while (load_acquire(word) == value && leat_i_nondet_clock() < until) poll(NULL, 0, 1);
}
#else
void leat_i_nondet_sleep(_Atomic(uint32_t) *word, uint32_t value, int64_t until) {
  struct timespec t, *limit = NULL;
  if (until != LEAT_NEVER) {
    t = timespec_of(until > 0 ? until : 0);
    limit = &t;
  }
  /* The bitset form takes an absolute time on the monotonic clock. */
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, limit, NULL, FUTEX_BITSET_MATCH_ANY);
}
#endif

void leat_i_nondet_wake(_Atomic(uint32_t) *word, int n) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0); }
