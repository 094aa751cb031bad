/* leat/rate.h - stages that thin a stream by time (leat/stage.h says what all stages have in common). Durations are in nanoseconds. What is
 * left out goes to the drop function. To slow a stream down without losing anything is a rate limiter's work. */
#pragma once
#include "stage.h"

/* leat_rx(T) leat_debounce(scope, in, quiet): an item when none has followed it for so long (a burst gives its last); the last one at the end of
 * the input.
 * leat_throttle(scope, in, period): an item, and then none for so long: the first of a burst.
 * leat_sample(scope, in, period): each period the latest item that came in it, if there was one; the last one at the end of the input. */
#define leat_debounce(s, in, quiet) LEAT_I_PASSING(__COUNTER__, s, in, "leat_debounce", leat_i_debounce, int64_t, quiet)
#define leat_throttle(s, in, period) LEAT_I_PASSING(__COUNTER__, s, in, "leat_throttle", leat_i_throttle, int64_t, period)
#define leat_sample(s, in, period) LEAT_I_PASSING(__COUNTER__, s, in, "leat_sample", leat_i_sample, int64_t, period)

LEAT_I_BEGIN
struct leat_i_chan *leat_i_debounce(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t quiet, const char *birthplace);
struct leat_i_chan *leat_i_throttle(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t period, const char *birthplace);
struct leat_i_chan *leat_i_sample(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t period, const char *birthplace);
LEAT_I_END
