/* Reports: what the runtime has to say to a person, in sentences that name the goroutine, its birthplace and the reason. */
#pragma once
#include "goroutine.h"
#include <stdio.h>

/* A line for the log hook; dropped where there is none. */
void leat_i_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "goroutine 7 (produce), started at main.c:12" into the buffer, which it answers. Async-signal-safe. */
const char *leat_i_describe(const struct goroutine *g, char *buffer, size_t size);

/* A line for a person: to the log hook, or to stderr where there is none. */
void leat_i_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the process with status 2 after a report. */
_Noreturn void leat_i_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void leat_i_report_overflow(const struct goroutine *g);

/* The fault handlers, and the alternate stack that each worker needs for them. */
void leat_i_fault_handlers_install(void);
void leat_i_fault_handlers_remove(void);
void *leat_i_signal_stack_install(void);
void leat_i_signal_stack_remove(void *stack);
