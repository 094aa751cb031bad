/* Timers as users have them, inside: see leat/time.h. */
#pragma once
#include "../runtime/timer.h"
#include <leat/time.h>

/* A leat_timer delivers on a channel of its own, which its scope does not know: the timer frees it. */
void leat_i_timers_of_scope_free(struct leat_timer *list);

/* Now plus the duration, without overflow. */
int64_t leat_i_deadline_after(int64_t duration);
