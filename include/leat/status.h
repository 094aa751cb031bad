/* leat/status.h - what every leat function answers, and the units of time.
 *
 * A status is an int: LEAT_OK (0), or one of the negative values below, or a system error (LEAT_SYSTEM(errno value)). No leat function
 * reports through errno: a goroutine may wake on another thread, and errno belongs to a thread. Case indices of leat_select count from
 * 0, so one switch tells indices and statuses apart.
 *
 * Every time in leat is an int64_t in nanoseconds: a duration, or a point on the monotonic clock as leat_now() gives it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Around the declarations of functions: C linkage, and exported from the shared library. */
#ifdef __cplusplus
#define LEAT_I_BEGIN extern "C" { _Pragma("GCC visibility push(default)")
#define LEAT_I_END _Pragma("GCC visibility pop") }
#else
#define LEAT_I_BEGIN _Pragma("GCC visibility push(default)")
#define LEAT_I_END _Pragma("GCC visibility pop")
#endif

/* Whether locks have inline parts: with optimisation, and where ThreadSanitizer need not be told of them. */
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_THREAD__) && !defined(LEAT_I_NO_INLINE)
#ifndef __has_feature
#define LEAT_I_INLINE_LOCKS
#elif !__has_feature(thread_sanitizer)
#define LEAT_I_INLINE_LOCKS
#endif
#endif

LEAT_I_BEGIN

enum leat_status {
  LEAT_OK = 0,
  LEAT_CLOSED = -1,   /* the channel is closed (and, for a receive, drained), or its receiving end was stopped */
  LEAT_CANCELED = -2, /* the scope was cancelled: the operation did not happen, a value to be sent is still the caller's */
  LEAT_DEADLINE = -3, /* as LEAT_CANCELED, because a deadline passed: the operation's own or the scope's */
  LEAT_FULL = -4,     /* leat_try_send: no room and no receiver waits; leat_semaphore_try_acquire: not enough is left */
  LEAT_EMPTY = -5,    /* leat_try_recv: no value and no sender waits; leat_pool_try_get: all are out */
  LEAT_NOMEM = -6,    /* memory, address space or threads ran out */
  LEAT_PANIC = -7,    /* a goroutine was failed for misuse; leat_failure_of says which and why */
  LEAT_INVALID = -8,  /* an argument makes no sense */
  LEAT_FAILED = -9,   /* a failure of the program's own, for goroutines that have no better status */
};

/* A system error as a status, and back (0 where the status is not a system error). */
#define LEAT_SYSTEM(error_number) (-1000 - (error_number))
static inline int leat_errno_of(int status) { return status <= -1000 ? -1000 - status : 0; }

/* A short text for a status, never NULL. Any thread. */
const char *leat_status_text(int status);

#define LEAT_NS(n) ((int64_t)(n))
#define LEAT_US(n) ((int64_t)((n) * INT64_C(1000)))
#define LEAT_MS(n) ((int64_t)((n) * INT64_C(1000000)))
#define LEAT_SECONDS(n) ((int64_t)((n) * INT64_C(1000000000)))
#define LEAT_NEVER INT64_MAX /* a deadline that does not come */

LEAT_I_END
