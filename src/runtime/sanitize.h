/* What AddressSanitizer, ThreadSanitizer and Valgrind must be told about goroutine stacks. Nothing in other builds.
 *
 * TSan: each goroutine is a fiber, and a switch from one to another orders them. That is what the hardware does too (they share a worker),
 * and it makes all that is confined to a worker right without annotations; but a race between two goroutines that happen to run one after
 * the other on the same worker can stay unseen. The exact alternative (no order by the switch, each wake annotated) needs the scheduler
 * hidden from TSan, whose compilers instrument atomics even in functions that are not to be instrumented. */
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
#endif
#ifdef LEAT_VALGRIND
#include <valgrind/valgrind.h>
#endif
