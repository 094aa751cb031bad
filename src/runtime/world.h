/* Stopping the world: for a moment no goroutine is run, so that what they hold can be looked at as it is at one point in time.
 *
 * All tokens are taken away (idle.h), and a worker that comes to decide what to run next finds that it may run nothing. So this costs the
 * others nothing while it is not used; but a goroutine that computes, or is blocked in the kernel, goes on until its next blocking call, and
 * a pinned one is not stopped at all, nor is a plain thread. No signals are sent: they would interrupt system calls of the program. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The caller, a goroutine or any thread, goes on; it must not block in leat until it has called leat_i_world_go. Answers whether nobody else
 * runs; if not so after `patience` nanoseconds, some still do. One caller at a time. */
bool leat_i_world_stop(int64_t patience);
void leat_i_world_go(void);
