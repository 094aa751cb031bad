/* The total deadlock: nothing can ever run again.
 *
 * It is claimed only when it is certain: every worker sleeps, no timer is armed, no goroutine waits for a descriptor (a signal subscription
 * is one that does), and the process has no thread besides the runtime's own and those blocked inside leat, as the kernel counts them.
 * Under TSan, which has threads of its own, none is therefore ever claimed. */
#pragma once

/* If nothing can ever run again, says so and ends the process. Called by whoever is about to sleep, and by the watcher when all have slept for a
 * second: the last of them may have seen what was just going (a timer that was being served, a thread that had ended but for the kernel). */
void leat_i_check_deadlock(void);
