/* In debug builds: which mutexes of pthreads the calling thread holds. A goroutine must not give its thread up with one: the next goroutine
 * there that locks it blocks the thread, and with it the one that is to unlock; and that one may go on on another thread, which may not. */
#pragma once
#include "../runtime/goroutine.h"

#if defined(LEAT_DEBUG) && !defined(LEAT_ASAN) && !defined(LEAT_TSAN)
#define LEAT_THREAD_LOCKS 1
/* Whether the goroutine, which is about to give its thread up, must not. */
bool leat_i_thread_locks_forbid(const struct goroutine *self);
/* Ends the process with a report. The caller holds none of leat's locks. */
_Noreturn void leat_i_thread_locks_report(void);
#else
static inline bool leat_i_thread_locks_forbid(const struct goroutine *self) { return (void)self, false; }
static inline void leat_i_thread_locks_report(void) {}
#endif
