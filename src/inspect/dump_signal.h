/* A dump when a signal comes: see leat_dump_on_signal. The handler only wakes a thread that exists for this: it must not depend on a worker,
 * all of which may be stuck, nor hold up the watcher when nobody reads what is written. */
#pragma once

int leat_i_dump_threads(void);     /* 0 or 1 */
void leat_i_dump_signal_stop(void); /* with the runtime */
void leat_i_dump_signal_forget(void); /* in the child of a fork: the former handler is put back */
