/* What AddressSanitizer, ThreadSanitizer and Valgrind must be told about goroutine stacks. Nothing in other builds.
 *
 * TSan: each goroutine is a fiber. The switch does not synchronise (that would hide races between goroutines that happen to share a
 * worker): the real edges, starting, waking and joining, are annotated at leat_i_ready and where a woken goroutine goes on. The
 * scheduler's own code is not instrumented, its fields are confined to the worker's thread. */
#pragma once
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define LEAT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define LEAT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LEAT_TSAN 1
#endif
#endif

#ifdef LEAT_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size_old);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#endif
#ifdef LEAT_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define LEAT_TSAN_NO_SYNC 1u
#define tsan_acquire(p) __tsan_acquire(p)
#define tsan_release(p) __tsan_release(p)
#else
#define tsan_acquire(p) ((void)(p))
#define tsan_release(p) ((void)(p))
#endif
#ifdef LEAT_VALGRIND
#include <valgrind/valgrind.h>
#endif
