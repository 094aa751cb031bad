/* leat/panic.h - failing the calling goroutine for a bug, and ending it (after Go's panic and runtime.Goexit).
 *
 * A panic runs what the goroutine has deferred and leaves its scopes, innermost first, gives its stack up, and comes out at the scope that
 * the goroutine was started in, as LEAT_PANIC with an error that holds the message and the stack (leat_wait, leat_error_of). It is for bugs; what a
 * caller can be expected to handle is a status or a leat_error. It is reported at once, too, on stderr or to the log hook.
 *
 * There is no recover in the middle of a stack: C cannot unwind frames that know nothing of it. A panic is contained where a goroutine was
 * started: give what may fail a goroutine and a scope of its own, and leat_wait for it (docs/panic.md). A panic that no leat_wait returned goes on
 * to the goroutine that owned the scope; on the main goroutine and on plain threads it ends the process, with a dump of all goroutines and
 * exit status 2, and runs nothing that was deferred there.
 *
 * The frames that a panic gives up are not unwound: memory that only they know of is not freed, cleanup attributes that are not leat_defer's are
 * not run.
 *
 * Defined: a panic in a deferred call does not stop the others; the goroutine's error then has both, the first one first. A leat_goexit in a
 * deferred call changes nothing that is under way. A panic after leat_goexit, in a deferred call, is a panic.
 *
 * leat itself panics for misuse: closing twice, unlocking what is not locked. Any goroutine or thread may call these. */
#pragma once
#include "typed.h"

/* void leat_panic(format, ...): does not return. */
#define leat_panic(...) leat_i_panic_at(LEAT_I_HERE, __VA_ARGS__)

/* void leat_assert(condition), leat_assert(condition, format, ...): a panic with the condition's text, and the message, if it does not hold.
 * Always on. Up to 15 values after the format. */
#define leat_assert(...) \
  (__builtin_expect(!(LEAT_I_FIRST_OF(__VA_ARGS__, ~)), 0) ? LEAT_I_CAT(LEAT_I_ASSERT_, LEAT_I_ONE_OR_MORE(__VA_ARGS__))(#__VA_ARGS__, __VA_ARGS__) : (void)0)
#define LEAT_I_FIRST_OF(first, ...) first
#define LEAT_I_ONE_OR_MORE(...) LEAT_I_17TH(__VA_ARGS__, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, ONE, ~)
#define LEAT_I_17TH(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, n, ...) n
#define LEAT_I_ASSERT_ONE(text, condition) leat_i_assert_failed(LEAT_I_HERE, text)
#define LEAT_I_ASSERT_MORE(text, condition, ...) leat_i_assert_failed_as(LEAT_I_HERE, text, __VA_ARGS__)

LEAT_I_BEGIN
/* Ends the calling goroutine as if its function had returned without an error: what it deferred is run. Misuse on the main goroutine and on
 * plain threads, which end by returning. */
void leat_goexit(void) __attribute__((__noreturn__));

void leat_i_panic_at(const char *place, const char *format, ...) __attribute__((__noreturn__, __format__(__printf__, 2, 3)));
void leat_i_assert_failed(const char *place, const char *condition) __attribute__((__noreturn__));
void leat_i_assert_failed_as(const char *place, const char *arguments, const char *format, ...) __attribute__((__noreturn__, __format__(__printf__, 3, 4)));
LEAT_I_END
