/* leat/heartbeat.h - heartbeats: a goroutine's signs of life (the chapter "Heartbeats" of Cox-Buday's "Concurrency in Go").
 *
 *   LEAT_FN(work, leat_heartbeat *, h, leat_rx(int), in, leat_tx(int), out) {
 *     leat_defer(leat_heartbeat_end, h);
 *     int v;
 *     while (leat_beat_recv(h, in, &v) == LEAT_OK)                 beats while it waits for work
 *       if (leat_beat_send(h, out, slowly(v))) return;             and for somebody to take the result
 *   }
 *   leat_heartbeat *h = leat_heartbeat_make(s, LEAT_MS(100));
 *   leat_go(s, work, h, in, out);
 *   int status = leat_heartbeat_watch(leat_pulses(h), LEAT_MS(500));   LEAT_DEADLINE: it has been silent for so long
 *
 * Two forms. By time (a period): the worker beats once a period as long as it comes by one of its beating operations, waiting or not, so silence
 * means that it is stuck elsewhere. By unit of work (period 0): it calls leat_beat at the start of each unit, which makes tests deterministic:
 * who has the first pulse knows that the work has begun. Both at once is fine. The worker itself beats; a ticker beside it would go on beating
 * for one that is stuck.
 *
 * Beating never blocks. A pulse that nobody has taken is replaced by the next one: the receiver gets the latest, and sees by its number how many
 * there were. The beating operations are for the one goroutine or thread that does the work; pulses may be received by any. */
#pragma once
#include "channel.h"
#include "scope.h"

typedef struct leat_pulse {
  int64_t time;    /* when it beat */
  uint64_t number; /* from 1 */
  int64_t idle;    /* nanoseconds that the worker has waited in its beating operations so far */
} leat_pulse;

typedef struct leat_heartbeat leat_heartbeat;

LEAT_I_BEGIN
/* Belongs to the scope (NULL: the caller's). The first beat is due after a period of nanoseconds; 0: none is ever due. Never NULL: out of memory, the
 * scope has failed with LEAT_NOMEM, and the pulses answer that. */
leat_heartbeat *leat_heartbeat_make(const struct leat_scope *s, int64_t period);
/* No more beats: the pulses are closed behind the last one. For leat_defer; again it does nothing. */
void leat_heartbeat_end(leat_heartbeat *h);

/* Beats now; not in a scope that has been cancelled. Never blocks. */
void leat_beat(leat_heartbeat *h);
/* Beats if one is due; for long computations. Reads the clock. */
void leat_beat_if_due(leat_heartbeat *h);
/* When the next one is due, for selects: leat_on_deadline(leat_next_beat(h)), and there leat_beat_if_due. LEAT_NEVER without a period. */
int64_t leat_next_beat(const leat_heartbeat *h);
/* leat_sleep (leat/time.h), beating. */
int leat_beat_sleep(leat_heartbeat *h, int64_t duration);

int leat_i_beat_recv(leat_heartbeat *h, struct leat_i_chan *c, void *target, size_t size);
int leat_i_beat_send(leat_heartbeat *h, struct leat_i_chan *c, const void *value);
struct leat_i_chan *leat_i_pulses(leat_heartbeat *h);
int leat_i_heartbeat_watch(struct leat_i_chan *pulses, int64_t limit);
int leat_i_heartbeat_expect(struct leat_i_chan *pulses, int64_t limit);
LEAT_I_END

/* leat_rx(leat_pulse) leat_pulses(h). */
#define leat_pulses(h) (__extension__(leat_rx(leat_pulse))leat_i_pulses(h))

/* int leat_beat_recv(h, c, T *target), int leat_beat_send(h, c, value): as leat_recv and leat_send (leat/channel.h), and beat whenever it is time while
 * they wait. */
#define leat_beat_recv(h, c, target) LEAT_I_BEAT_RECV(__COUNTER__, h, c, target)
#define LEAT_I_BEAT_RECV(N, h, c, target) \
  __extension__({ \
    LEAT_I_BOUND(N, leat_i_h, "leat_beat_recv", leat_heartbeat *, h); \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_beat_recv"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (target); \
    LEAT_I_POINTS_TO_ELEM(LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_c, N), "leat_beat_recv"); \
    leat_i_beat_recv(LEAT_I_CAT(leat_i_h, N), LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), LEAT_I_CAT(leat_i_p, N), sizeof *LEAT_I_CAT(leat_i_p, N)); \
  })
#define leat_beat_send(h, c, ...) LEAT_I_BEAT_SEND(__COUNTER__, h, c, (__VA_ARGS__))
#define LEAT_I_BEAT_SEND(N, h, c, value) \
  __extension__({ \
    LEAT_I_BOUND(N, leat_i_h, "leat_beat_send", leat_heartbeat *, h); \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_SEND(LEAT_I_CAT(leat_i_c, N), "leat_beat_send"); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)), LEAT_I_CAT(leat_i_x, N)), \
                   "leat_beat_send: the value does not have the channel's element type"); \
    LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_i_beat_send(LEAT_I_CAT(leat_i_h, N), LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), &LEAT_I_CAT(leat_i_v, N)); \
  })

/* For who listens. int leat_heartbeat_watch(pulses, limit): blocks as long as beats are no more than `limit` nanoseconds apart. LEAT_DEADLINE: there has been
 * none for so long; LEAT_CLOSED: the worker has ended; else as leat_recv (LEAT_DEADLINE also at the deadline of the caller's scope).
 * int leat_heartbeat_expect(pulses, limit): LEAT_OK with the next pulse; the same statuses. A test waits with it until the work has begun. */
#define leat_heartbeat_watch(pulses, limit) LEAT_I_LISTEN(__COUNTER__, "leat_heartbeat_watch", leat_i_heartbeat_watch, pulses, limit)
#define leat_heartbeat_expect(pulses, limit) LEAT_I_LISTEN(__COUNTER__, "leat_heartbeat_expect", leat_i_heartbeat_expect, pulses, limit)
#define LEAT_I_LISTEN(N, op, fn, pulses, limit) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (pulses); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_c, N)), leat_rx(leat_pulse)), op ": these are not the pulses of a heartbeat"); \
    fn(LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), (limit)); \
  })
