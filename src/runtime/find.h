/* Looking for work: what a worker's idle context does, on the thread's own stack.
 *
 * In this order: what has to run here (the inbox), now and then the outside and the shared queue, so that they do not starve; its own
 * next-slot and ring; the shared queue; timers and descriptors; other workers' (steal.h). Then it goes idle (idle.h). A goroutine that blocks picks the next from its worker's own queues by itself (park.c) and
 * comes here only when they are empty, or every LOOK_OUTSIDE decisions. */
#pragma once
#include "worker.h"

/* Until the runtime stops, or its pinned goroutine has ended. */
void leat_i_work_loop(struct worker *w);
