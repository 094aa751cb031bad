/* What orders user code: the edges of the memory model, told to ThreadSanitizer in the build for user programs (LEAT_HAPPENS: leat-tsan,
 * docs/sanitizers.md). Nothing in other builds.
 *
 * That build is not instrumented: TSan sees neither its locks and atomics nor what it reads and writes, and a switch from one goroutine
 * to another on the same worker orders nothing. So everything that the interface promises must be said here, and nothing else may be:
 * one edge too few is a false report, one too many hides a race. An edge is told where the promise is kept (a value is handed over, a
 * mutex is taken), not at the locks below: all who use a channel take its lock, and are not ordered by that. (After Go's race.go,
 * chan.go and proc.go. Rejected: instrumenting the library, as in the build that tests leat itself, where each of its locks is an edge.)
 *
 *   goroutine started     what its starter did                       -> the goroutine            (the fiber is made by the starter)
 *   goroutine ended       what it did                                -> leat_wait, leat_join, the end of the scope's block
 *   value sent            what the sender did before                 -> who receives it
 *   channel of capacity C what the receiver of value k did before    -> the sender of value k + C, when its send is done
 *   unbuffered channel    what the receiver did before               -> the sender, when its send is done
 *   close, stop           what the closer did before                 -> who is told so
 *   timer started         what the starter did before                -> who receives its tick
 *   scope cancelled       what the canceller did before              -> who is told so
 *   value put in a context  what the one who put it there did         -> who asks for it
 *   after-cancel function set and cancelled  what both did before     -> the function (and, one edge too many, the canceller)
 *   mutex, write lock    what its holder did before the unlock       -> who has it afterwards
 *   read lock            what its holder did before the unlock       -> who writes afterwards
 *   condition signalled  what the signaller did before               -> the waiter that it wakes
 *   what woke a waiter    (claimed through a queue, waiter.h)         -> the waiter
 *   waitgroup counted back, event set, once done, semaphore released -> whose wait ends by it, or finds it so
 *   object put into a pool                                           -> who gets that object, or drops it
 *   item written to a writer                                         -> its sink, or drop function
 *   value put into a cell                                            -> who takes it, or drops it
 *   grant used, returned                                             -> who is told so, who has it next
 *   chunk written by a sink                                          -> whose flush or close ends by it, or finds it so
 *
 * An address stands for a clock. Any address will do that belongs to leat while it is used: of an object, or of a part of it. */
#pragma once
#include "sanitize.h"
#include <stddef.h>

#ifdef LEAT_HAPPENS

void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_read_range(void *address, size_t size);
void __tsan_write_range(void *address, size_t size);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_atomic8_store(volatile char *address, char value, int order);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);

/* What this goroutine has done so far comes before what anyone does after happens_after of the same address. Clocks add up. */
static inline void happens_before(const void *address) { __tsan_release((void *)address); }
static inline void happens_after(const void *address) { __tsan_acquire((void *)address); }
/* As happens_before, and forgets what was there. The byte is rewritten: nobody else may write it meanwhile. */
static inline void happens_anew(const void *address) {
  volatile char *byte = (volatile char *)address;
  __tsan_atomic8_store(byte, *byte, 3 /* release */);
}

/* The caller's memory is read or written, by the library or in its place by whom it met. */
static inline void happens_read(const void *address, size_t size) {
  if (address && size) __tsan_read_range((void *)address, size);
}
static inline void happens_write(const void *address, size_t size) {
  if (address && size) __tsan_write_range((void *)address, size);
}

static inline void leat_i_happens_return(const char *unused) {
  (void)unused;
  __tsan_func_exit();
}
/* First in a function that users call: reports name the function that called it. */
#define happens_call() \
  __attribute__((cleanup(leat_i_happens_return), unused)) const char happens_called = (__tsan_func_entry(__builtin_return_address(0)), 0)

static inline int leat_i_quiet(int on) {
  if (on) {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
  } else {
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
  return on;
}
/* The statement after it is the library's own affair: libc calls in it are no accesses, and order nothing. */
#define quietly for (int leat_quiet = leat_i_quiet(1); leat_quiet; leat_quiet = leat_i_quiet(0))

/* On a thread that is to run goroutines: they take turns at its thread-local variables, errno among them, without being ordered by that. */
void leat_i_happens_on_thread(void);

#else
#define happens_before(address) ((void)0)
#define leat_i_happens_on_thread() ((void)0)
#define happens_after(address) ((void)0)
#define happens_anew(address) ((void)0)
#define happens_read(address, size) ((void)0)
#define happens_write(address, size) ((void)0)
#define happens_call() ((void)0)
#define quietly
#endif
