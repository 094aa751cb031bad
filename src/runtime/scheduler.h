/* The scheduler: goroutines on workers, M:N, with work stealing.
 *
 * Terms. A worker is a thread with its run queue, for life. `workers` of them may run goroutines at the same time: each such worker
 * holds a token. A worker whose goroutine has been computing or blocked in the kernel for long loses its token to a spare one; when it
 * comes back and no token is free, it hands on what it has and parks.
 *
 * In six files: worker (what a worker is, its thread), run_queue (where runnable goroutines wait), park (how a goroutine gives up its
 * thread and is made runnable again: the protocol of blocking), find (how a worker looks for work), steal (what it takes from others), idle
 * (tokens, sleeping, waking). */
#pragma once
#include "find.h"
#include "idle.h"
#include "park.h"
#include "run_queue.h"
#include "steal.h"
#include "worker.h"
