/* The stack of a goroutine that runs just now: its thread is interrupted by a signal, whose handler takes the trace.
 *
 * The signal is SIGURG: what a process does by default with one that comes late, or goes astray, is to ignore it. It is not blocked in
 * workers, and is caught only while a trace is taken; in a program that catches it itself, no trace is. */
#pragma once
#include "../runtime/worker.h"

/* 0 if it does not run on this worker any more, or its thread does not answer within some milliseconds. It may be the caller's own. */
int leat_i_unwind_running(const struct goroutine *g, struct worker *w, uintptr_t *pcs, int max);
