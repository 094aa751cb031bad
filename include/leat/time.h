/* leat/time.h - the clock, sleeping, timers and tickers (after Go's time package).
 *
 * All on the monotonic clock, in nanoseconds. Sleeping blocks the goroutine only, and ends early when its scope is cancelled. */
#pragma once
#include "typed.h"

LEAT_I_BEGIN

int64_t leat_now(void);
int leat_sleep(int64_t duration);   /* LEAT_OK after the duration; LEAT_CANCELED, LEAT_DEADLINE */
int leat_sleep_until(int64_t time);

typedef struct leat_timer leat_timer;

/* A timer delivers the time it fired at on a channel of capacity 1; a ticker does so every period, without drift, and drops ticks that a
 * slow receiver has not taken. Both belong to the scope, like channels; never NULL (out of memory, their channel answers LEAT_NOMEM).
 * After a stop or reset no value of before is received any more. A stopped timer's channel is not closed. */
leat_timer *leat_timer_start(const struct leat_scope *s, int64_t duration);
leat_timer *leat_ticker_start(const struct leat_scope *s, int64_t period);
bool leat_timer_stop(leat_timer *t);                     /* true if it was armed */
bool leat_timer_reset(leat_timer *t, int64_t duration);  /* likewise; a ticker's period changes too */
void leat_timer_release(leat_timer *t);                  /* before its scope ends */
struct leat_i_chan *leat_i_timer_chan(leat_timer *t);
struct leat_i_chan *leat_i_after(const struct leat_scope *s, int64_t duration);

LEAT_I_END

/* leat_rx(int64_t) leat_timer_chan(leat_timer *t); leat_rx(int64_t) leat_after(scope, duration). */
#define leat_timer_chan(t) (__extension__(leat_rx(int64_t))leat_i_timer_chan(t))
#define leat_after(s, duration) (__extension__(leat_rx(int64_t))leat_i_after((s), (duration)))
