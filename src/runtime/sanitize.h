/* What AddressSanitizer, ThreadSanitizer and Valgrind must be told about goroutine stacks. Nothing in other builds.
 *
 * TSan, two ways. Each goroutine is a fiber in both.
 *   - The build that tests leat itself (-fsanitize=thread) is instrumented, and a switch from one goroutine to another orders them. That is
 *     what the hardware does too (they share a worker), and makes all that is confined to a worker right without annotations.
 *   - The build for user programs (LEAT_HAPPENS) is not instrumented: compilers instrument atomics even in functions that are not to be,
 *     and every lock would order user code that merely passed through it. There a switch orders nothing, and happens.h says what does. */
#pragma once
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define LEAT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(LEAT_HAPPENS)
#define LEAT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LEAT_TSAN 1
#endif
#endif

#ifdef LEAT_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size_old);
void leat_i_leak_roots(void); /* once or more, before the process exits */
void __asan_poison_memory_region(const volatile void *address, size_t size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#endif
#ifdef LEAT_TSAN
#ifdef LEAT_HAPPENS
enum { TSAN_SWITCH = 1 /* no sync */ };
#else
enum { TSAN_SWITCH = 0 };
#endif
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
#endif
/* Requests to Valgrind, a few instructions that do nothing elsewhere, are in every build whose builder has its headers. */
#ifdef LEAT_VALGRIND
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_MAKE_MEM_NOACCESS(address, size) 0
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) 0
#endif
