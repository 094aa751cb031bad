/* The watcher: one thread that looks, every millisecond to ten while goroutines run, for what the workers cannot see themselves.
 *
 *  - A worker that has made no scheduling decision since the last look, while others wait, is asked to give way: its goroutine does so at its
 *    next operation or leat_checkpoint. One that has still not done so after 10 ms (it computes, or is blocked in the kernel) loses its token; a
 *    spare worker takes over, and may steal its ring and next-slot.
 *  - Work that lies in a next-slot whose owner does not yield, while a worker is idle.
 *  - Timers that are due, and descriptors, while all workers are busy for long.
 *  - Free stacks, whose memory is given back.
 *  - What alarms were set for (inspect/alarm.h).
 * It sleeps without a limit once all workers have been idle for a while. Goroutines are never preempted. */
#pragma once

int leat_i_watcher_start(void);
void leat_i_watcher_stop(void);
int leat_i_watcher_threads(void); /* 0 or 1 */
/* A worker has begun or ceased to work. Cheap. */
void leat_i_watcher_notice(void);
/* There is more to look at: it does not sleep on. */
void leat_i_watcher_rouse(void);
