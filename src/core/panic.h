/* Panics: a goroutine that misuses leat is failed. What it registered (defers, scopes) runs, and its scope gets the report as its failure.
 * At the top, or on a plain thread, the report ends the process. */
#pragma once
#include "../runtime/goroutine.h"

/* Fails the calling goroutine with the message, to which its name, birthplace and backtrace are added. */
_Noreturn void leat_i_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with a report that is complete already; takes over the malloc'ed text. */
_Noreturn void leat_i_panic_with(char *report);

/* The answer of an operation that found its scope cancelled: yields, and fails a goroutine that ignores too many in a row. */
int leat_i_cancelled(struct goroutine *self, int status);
