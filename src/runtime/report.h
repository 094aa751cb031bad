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

/* A stream whose lines go there; to be closed. NULL out of memory. */
FILE *leat_i_report_stream(void);

/* Before a report, so that what the program has written comes first; not if somebody has it locked just now. */
void leat_i_flush_stdout(void);
/* After it, all streams; no other can be opened until it is done. It gives up after a second: who waits for input keeps his stream locked all the
 * while. */
void leat_i_flush_all(void);
_Noreturn void leat_i_exit(int status); /* with that */

/* Ends the process with status 2 after a report. */
_Noreturn void leat_i_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
