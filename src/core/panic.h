/* Panics: a goroutine that misuses leat is failed. What it registered (defers, scopes) runs, and its scope gets the report as its failure.
 * At the top, or on a plain thread, the report ends the process. */
#pragma once
#include "../runtime/goroutine.h"

/* Fails the calling goroutine with the message. */
_Noreturn void leat_i_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with an error that has been reported already; takes it over. */
_Noreturn void leat_i_panic_with(struct leat_error *error);
/* Ends the process because of a panic that nobody handled. */
_Noreturn void leat_i_die_of(const struct leat_error *error);

/* The answer of an operation that found its scope cancelled: yields from the second in a row on, and fails a goroutine that ignores too many. */
int leat_i_cancelled(struct goroutine *self, int status);
/* Its first half alone, for one that has yielded already, as it must not switch any more. */
void leat_i_count_ignored(struct goroutine *self, int status);
