/* Timers as users have them, inside: see leat/time.h. */
#pragma once
#include "../runtime/timer.h"
#include <leat/time.h>

struct scope;
struct function_timer;

/* Now plus the duration, without overflow. */
int64_t leat_i_deadline_after(int64_t duration);

/* A timer that sends belongs to its channel, which says here that it is given up. NULL is fine. */
void leat_i_timer_free(struct leat_timer *t);

/* A timer that runs a function belongs to its scope. When that ends and all that ran in it has, its timers are stopped first: the last one
 * that fired may have started something. Nobody arms one any more. Then they are freed. */
void leat_i_timers_of_scope_stop(struct scope *s);
void leat_i_timers_of_scope_free(struct function_timer *list);
