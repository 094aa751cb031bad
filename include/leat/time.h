/* leat/time.h - the clock, sleeping, timers and tickers (after Go's time package).
 *
 * All on the monotonic clock, in nanoseconds. Sleeping blocks the goroutine only, and ends early when its scope is cancelled. */
#pragma once
#include "goroutine.h"

LEAT_I_BEGIN

int64_t leat_now(void);
int leat_sleep(int64_t duration);   /* LEAT_OK after the duration; LEAT_CANCELED, LEAT_DEADLINE */
int leat_sleep_until(int64_t time);

typedef struct leat_timer leat_timer;

/* A timer delivers the time it fired at on a channel of capacity 1; a ticker does so every period, without drift, and drops ticks that a
 * slow receiver has not taken. Both belong to the scope, like channels; never NULL (out of memory, their channel answers LEAT_NOMEM).
 * A stopped timer's channel is not closed. */
leat_timer *leat_timer_start(const struct leat_scope *s, int64_t duration);
leat_timer *leat_ticker_start(const struct leat_scope *s, int64_t period);
/* After the duration runs the function in a goroutine of the scope (Go's AfterFunc): leat_timer_func(s, LEAT_MS(50), leat_bind(work, 1)).
 * leat_wait does not wait for a timer, only for what it has started; leaving the scope, or cancelling it, stops it. Its channel is nil. Never
 * NULL; out of memory the scope fails with LEAT_NOMEM. */
leat_timer *leat_timer_func(const struct leat_scope *s, int64_t duration, leat_closure function);

/* After a stop or reset no value of before is received any more. True if there would have been one: the timer was armed, or had fired and its
 * value was not taken; with a function, if this prevented its start (one that runs is not waited for). A ticker's period is changed by a
 * reset. Any thread, also while the timer fires; a reset timer fires again, whether or not it has fired before. */
bool leat_timer_stop(leat_timer *t);
bool leat_timer_reset(leat_timer *t, int64_t duration);
/* Stops it and frees it with its channel, before the scope ends; leat_release of the channel does the same. */
void leat_timer_release(leat_timer *t);
struct leat_i_chan *leat_i_timer_chan(leat_timer *t);
struct leat_i_chan *leat_i_after(const struct leat_scope *s, int64_t duration);

LEAT_I_END

/* leat_rx(int64_t) leat_timer_chan(leat_timer *t). leat_rx(int64_t) leat_after(scope, duration): the channel of a timer that is used once. It
 * keeps its memory until the scope ends, fired or not, since it may still be received from; in a loop use leat_on_timeout, a timer that is
 * reset, or leat_release it. */
#define leat_timer_chan(t) (__extension__(leat_rx(int64_t))leat_i_timer_chan(t))
#define leat_after(s, duration) (__extension__(leat_rx(int64_t))leat_i_after((s), (duration)))
