/* leat/event.h - something that has happened or not, which any number of goroutines and threads can wait for (a manual-reset event, after
 * the one of Win32; in Go a channel that is closed, which cannot be opened again).
 *
 *   static leat_event ready;              all zero: it has not happened; nothing has to be freed
 *   leat_event_set(&ready);               it has: all waits return, and all to come
 *
 * Any goroutine or thread may call any of these; a signal handler may not (see leat/signal.h). A set wakes all who wait at that moment, even
 * if a reset follows before they run. The memory may be given up when all waits have returned: the last thing that a set does to the event
 * is to let them. */
#pragma once
#include "status.h"

typedef struct leat_event {
  uint64_t leat_i_space[8];
} leat_event;

LEAT_I_BEGIN
/* What came before a set happens before the return of the waits that it ends. Setting it again, and resetting what is not set, does
 * nothing. Neither blocks. */
void leat_event_set(leat_event *event);
void leat_event_reset(leat_event *event);
bool leat_event_is_set(const leat_event *event);

/* Blocks until it is set. Cannot fail, and so waits on in a cancelled scope: for what surely comes, such as the end of work already handed
 * to another thread. */
void leat_event_wait(leat_event *event);
/* The same until the caller's scope is cancelled (LEAT_CANCELED, LEAT_DEADLINE), or the deadline passes (LEAT_DEADLINE; LEAT_NOMEM if no
 * timer could be set). Cancellation is looked at first. Only LEAT_OK says that it was set. */
int leat_event_wait_cancellable(leat_event *event) __attribute__((__warn_unused_result__));
int leat_event_wait_until(leat_event *event, int64_t deadline) __attribute__((__warn_unused_result__));
LEAT_I_END
