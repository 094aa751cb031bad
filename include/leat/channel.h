/* leat/channel.h - typed channels (after Hoare's CSP and Go's chan).
 *
 * A channel carries values of one type, by copy, first in first out, between goroutines and threads. Unbuffered (capacity 0): a send
 * meets its receive. Waiters are served first come, first served. What each operation does on a nil, open or closed channel is a table
 * in docs/channel.md.
 *
 * Blocking and cancellation: the blocking forms block the goroutine (a plain thread: the thread) until they can go on, the scope that
 * the caller runs in is cancelled (LEAT_CANCELED, LEAT_DEADLINE) or their own deadline passes (LEAT_DEADLINE). Cancellation is looked
 * at before readiness. On any status but LEAT_OK a send has not happened and the value is still the caller's; a receive has zeroed its
 * target. LEAT_OK from a send means handed over, not processed.
 *
 * Both ends can end a channel. leat_close: receivers drain what is buffered, then get LEAT_CLOSED. leat_stop: what is buffered is
 * dropped and senders get LEAT_CLOSED, still owning their value. Closing after a stop is fine; closing twice is misuse.
 *
 * Any thread may call any of these. */
#pragma once
#include "typed.h"

/* leat_chan(T) leat_chan_make(scope, T, capacity): a channel owned by the scope, which frees it when its goroutines have ended; with a
 * NULL scope it lives until leat_release. Never NULL: out of memory, every operation on the channel answers LEAT_NOMEM. */
#define leat_chan_make(s, T, capacity) LEAT_I_CHAN_MAKE(__COUNTER__, s, T, capacity)
#define LEAT_I_CHAN_MAKE(N, s, T, capacity) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_chan_make"); \
    LEAT_I_ELEMENT(T, "leat_chan_make"); \
    (leat_chan(T)) leat_i_chan_dropping(leat_i_chan_make(LEAT_I_CAT(leat_i_s, N), sizeof(T), (capacity), LEAT_I_HERE), LEAT_I_DROP_OF(T)); \
  })

/* The views that a function should take: what it cannot name, it cannot misuse. */
#define leat_tx_of(c) LEAT_I_VIEW(__COUNTER__, leat_tx, "leat_tx_of", c)
#define leat_rx_of(c) LEAT_I_VIEW(__COUNTER__, leat_rx, "leat_rx_of", c)
#define LEAT_I_VIEW(N, view, op, c) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    _Static_assert(LEAT_I_IS_BOTH(LEAT_I_CAT(leat_i_c, N)), op ": needs a channel; a view cannot be turned into another view"); \
    (view(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)))) LEAT_I_CAT(leat_i_c, N); \
  })

/* int leat_send(c, value), leat_try_send(c, value) (LEAT_FULL instead of blocking), leat_send_until(c, deadline, value).
 * The value comes last and may hold commas: leat_send(c, (point){1, 2}). It converts as in an assignment that needs no diagnostic; a null
 * pointer is written NULL. */
#define leat_send(c, ...) LEAT_I_SEND(__COUNTER__, "leat_send", leat_i_send, c, LEAT_NEVER, (__VA_ARGS__))
#define leat_try_send(c, ...) LEAT_I_SEND(__COUNTER__, "leat_try_send", leat_i_try_send, c, 0, (__VA_ARGS__))
#define leat_send_until(c, deadline, ...) LEAT_I_SEND(__COUNTER__, "leat_send_until", leat_i_send, c, deadline, (__VA_ARGS__))
#define LEAT_I_SEND(N, op, fn, c, deadline, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_SEND(LEAT_I_CAT(leat_i_c, N), op); \
    int64_t LEAT_I_CAT(leat_i_d, N) = (deadline); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)), LEAT_I_CAT(leat_i_x, N)), \
                   op ": the value does not have the channel's element type"); \
    LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    fn(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), &LEAT_I_CAT(leat_i_v, N), LEAT_I_CAT(leat_i_d, N)); \
  })

/* int leat_recv(c, T *target), leat_try_recv(c, target) (LEAT_EMPTY instead of blocking), leat_recv_until(c, deadline, target);
 * int leat_discard(c) receives one value and lets the drop function have it. */
#define leat_recv(c, target) LEAT_I_RECV(__COUNTER__, "leat_recv", leat_i_recv, c, LEAT_NEVER, target)
#define leat_try_recv(c, target) LEAT_I_RECV(__COUNTER__, "leat_try_recv", leat_i_try_recv, c, 0, target)
#define leat_recv_until(c, deadline, target) LEAT_I_RECV(__COUNTER__, "leat_recv_until", leat_i_recv, c, deadline, target)
#define LEAT_I_RECV(N, op, fn, c, deadline, target) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), op); \
    int64_t LEAT_I_CAT(leat_i_d, N) = (deadline); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (target); \
    LEAT_I_POINTS_TO_ELEM(LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_c, N), op); \
    fn(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), LEAT_I_CAT(leat_i_p, N), sizeof *LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_d, N)); \
  })
#define leat_discard(c) LEAT_I_ON(__COUNTER__, LEAT_I_CAN_RECV, "leat_discard", leat_i_discard, c)

/* Many items per call. int leat_send_n(c, const T *items, size_t n, size_t *sent): sends all n, unless ended; *sent (may be NULL) says
 * how many were handed over in any case. int leat_recv_n(c, T *items, size_t n, size_t *got): blocks for the first item, then takes
 * without blocking what there is, n at most; LEAT_OK means *got >= 1 (with n = 0 nothing is looked at but the scope). What lies in items from *got on is not to be used. */
#define leat_send_n(c, items, n, sent) LEAT_I_MANY(__COUNTER__, LEAT_I_CAN_SEND, const, "leat_send_n", leat_i_send_n, c, items, n, sent)
#define leat_recv_n(c, items, n, got) LEAT_I_MANY(__COUNTER__, LEAT_I_CAN_RECV, , "leat_recv_n", leat_i_recv_n, c, items, n, got)
#define LEAT_I_MANY(N, can, qualifier, op, fn, c, items, n, count) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    can(LEAT_I_CAT(leat_i_c, N), op); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (items); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) *) || \
                     LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), qualifier LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) *), \
                   op ": the pointer is not to the channel's element type"); \
    size_t LEAT_I_CAT(leat_i_n, N) = (n); \
    __auto_type LEAT_I_CAT(leat_i_m, N) = (count); \
    _Static_assert(LEAT_I_FITS(size_t *, LEAT_I_CAT(leat_i_m, N)), op ": the last argument is neither a pointer to size_t nor NULL"); \
    fn(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_n, N), LEAT_I_CAT(leat_i_m, N)); \
  })

/* for each value v of type T received from c until c is closed and drained, or the caller's scope ends; leat_range_end() then says which
 * (LEAT_CLOSED, LEAT_CANCELED, LEAT_DEADLINE) about the caller's last range that ran to its end.
 *   leat_range(int, v, c) printf("%d\n", v);
 * break, continue, return and goto mean what they mean in a for loop. */
#define leat_range(T, v, c) LEAT_I_RANGE(__COUNTER__, T, v, c)
#define LEAT_I_RANGE(N, T, v, c) \
  for (int LEAT_I_CAT(leat_i_once, N) = 1; LEAT_I_CAT(leat_i_once, N);) \
    for (struct leat_i_chan *LEAT_I_CAT(leat_i_r, N) = __extension__({ \
           __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
           LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_range"); \
           _Static_assert(LEAT_I_SAME(__typeof__(T) *, LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) *), "leat_range: the variable does not have the channel's element type"); \
           LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)); \
         }); \
         LEAT_I_CAT(leat_i_once, N); LEAT_I_CAT(leat_i_once, N) = 0) \
      for (__typeof__(T) v; leat_i_range(LEAT_I_CAT(leat_i_r, N), &v, sizeof v);)

/* void leat_close(c): no more will be sent. void leat_stop(c): no more will be received; what is buffered goes to the drop function.
 * Stopping twice, or after the close, is fine: it drops what is left. */
#define leat_close(c) LEAT_I_ON_HERE(__COUNTER__, LEAT_I_CAN_SEND, "leat_close", leat_i_close, c)
#define leat_stop(c) LEAT_I_ON(__COUNTER__, LEAT_I_CAN_RECV, "leat_stop", leat_i_stop, c)

/* size_t leat_len(c): items buffered now. size_t leat_cap(c). Both 0 for the nil channel. */
#define leat_len(c) LEAT_I_ON(__COUNTER__, LEAT_I_IS_HANDLE, "leat_len", leat_i_len, c)
#define leat_cap(c) LEAT_I_ON(__COUNTER__, LEAT_I_IS_HANDLE, "leat_cap", leat_i_cap, c)

/* void leat_on_drop(c, void (*drop)(T *)): called, on whatever goroutine drops it, for each value that nobody received: buffered when
 * the receiving end was stopped or the channel freed. Set it before values are sent, and before a stage is made that reads c: those that pass items on
 * take it over then. */
#define leat_on_drop(c, drop) LEAT_I_ON_DROP(__COUNTER__, c, drop)
#define LEAT_I_ON_DROP(N, c, drop) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_IS_HANDLE(LEAT_I_CAT(leat_i_c, N), "leat_on_drop"); \
    __auto_type LEAT_I_CAT(leat_i_f, N) = (drop); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_f, N)), void *) || \
                     LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_f, N)), void (*)(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) *)), \
                   "leat_on_drop: not a void function of a pointer to the channel's element type"); \
    leat_i_on_drop(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), (void (*)(void *))LEAT_I_CAT(leat_i_f, N)); \
  })

/* void leat_own(c): the calling goroutine declares itself the channel's owner (who creates, writes and closes, as the Notes' table of
 * owner and consumer has it). From then on a close by another goroutine is misuse. Calling it from another goroutine passes ownership
 * on. Checked in debug builds (-Ddebug_checks=true), free otherwise. */
#define leat_own(c) LEAT_I_ON(__COUNTER__, LEAT_I_CAN_SEND, "leat_own", leat_i_own, c)

/* void leat_share(c): receivers that leat does not know of share this channel, so the end of a stage must not stop it. Without this, the
 * last stage that reads a channel stops it when the stage's own output is stopped. (Of a stage's output all users are known: the block that
 * made it until its leat_wait, goroutines it was handed to, stages; the last of them stops it in any case.) */
#define leat_share(c) LEAT_I_ON(__COUNTER__, LEAT_I_IS_HANDLE, "leat_share", leat_i_share, c)

/* void leat_release(c): frees a channel before its scope ends, or one that has no scope. Nobody may use it any more. */
#define leat_release(c) LEAT_I_ON(__COUNTER__, LEAT_I_IS_HANDLE, "leat_release", leat_i_release, c)

/* int leat_chan_fd(c): an eventfd that polls readable when there may be something to receive, or the channel has ended, for a host's
 * own event loop: read it (8 bytes), then leat_try_recv until LEAT_EMPTY. The channel owns it. Negative status on failure. */
#define leat_chan_fd(c) LEAT_I_ON(__COUNTER__, LEAT_I_CAN_RECV, "leat_chan_fd", leat_i_chan_fd, c)

#define LEAT_I_ON(N, check, op, fn, c) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    check(LEAT_I_CAT(leat_i_c, N), op); \
    fn(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N))); \
  })
#define LEAT_I_ON_HERE(N, check, op, fn, c) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    check(LEAT_I_CAT(leat_i_c, N), op); \
    fn(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_chan_make(const struct leat_scope *s, size_t elem, size_t capacity, const char *birthplace);
int leat_i_send(struct leat_i_chan *c, const void *value, int64_t deadline);
int leat_i_try_send(struct leat_i_chan *c, const void *value, int64_t unused);
int leat_i_recv(struct leat_i_chan *c, void *target, size_t size, int64_t deadline);
int leat_i_try_recv(struct leat_i_chan *c, void *target, size_t size, int64_t unused);
int leat_i_discard(struct leat_i_chan *c);
int leat_i_send_n(struct leat_i_chan *c, const void *items, size_t n, size_t *sent);
int leat_i_recv_n(struct leat_i_chan *c, void *items, size_t n, size_t *got);
int leat_range_end(void);
bool leat_i_range(struct leat_i_chan *c, void *target, size_t size);
void leat_i_close(struct leat_i_chan *c, const char *where);
void leat_i_stop(struct leat_i_chan *c);
size_t leat_i_len(struct leat_i_chan *c);
size_t leat_i_cap(struct leat_i_chan *c);
void leat_i_on_drop(struct leat_i_chan *c, void (*drop)(void *));
static inline struct leat_i_chan *leat_i_chan_dropping(struct leat_i_chan *c, void (*drop)(void *)) {
  if (drop) leat_i_on_drop(c, drop);
  return c;
}
void leat_i_own(struct leat_i_chan *c);
void leat_i_share(struct leat_i_chan *c);
void leat_i_release(struct leat_i_chan *c);
int leat_i_chan_fd(struct leat_i_chan *c);
LEAT_I_END
