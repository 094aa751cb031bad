/* See leat/heartbeat.h.
 *
 * The pulses are a channel of capacity 1 into which only the worker sends. When it is full the worker takes the old pulse out itself; a
 * receiver who is quicker has taken it, and then there is room as well. A beating operation is the plain one with the time of the next beat as
 * its deadline, again and again: no ticker, no second goroutine, no select. */
#include "../core/channel.h"
#include "../core/scope.h"
#include "../core/time.h"
#include "../runtime/nondet.h"
#include "../runtime/scheduler.h"
#include <leat/heartbeat.h>

struct leat_heartbeat {
  struct leat_i_chan *pulses;
  int64_t period, next;
  leat_pulse last;
  bool ended;
};

leat_heartbeat *leat_heartbeat_make(const struct leat_scope *scope, int64_t period) {
  happens_call();
  static leat_heartbeat failed = {.next = LEAT_NEVER, .ended = true};
  struct scope *s = scope ? (struct scope *)scope : leat_i_self()->scope;
  leat_heartbeat *h = leat_i_scope_alloc(s, sizeof *h);
  if (!h) {
    leat_i_scope_fail(s, LEAT_NOMEM, "a heartbeat could not be made", NULL, "leat_heartbeat_make");
    return &failed;
  }
  h->pulses = leat_i_chan_make((const struct leat_scope *)s, sizeof(leat_pulse), 1, "leat_heartbeat_make");
  h->period = period > 0 ? period : 0;
  h->next = h->period ? leat_i_deadline_after(h->period) : LEAT_NEVER;
  return h;
}

struct leat_i_chan *leat_i_pulses(leat_heartbeat *h) { return h->pulses ? h->pulses : (struct leat_i_chan *)leat_i_chan_failed(); }

void leat_heartbeat_end(leat_heartbeat *h) {
  happens_call();
  if (h->ended) return;
  h->ended = true;
  leat_i_close(h->pulses, "leat_heartbeat_end");
}

static void beat_at(leat_heartbeat *h, int64_t now) {
  if (h->ended || leat_i_scope_interrupts(leat_i_self()->scope)) return;
  h->last.time = now;
  h->last.number++;
  if (h->period) {
    h->next = h->next > INT64_MAX - h->period ? LEAT_NEVER : h->next + h->period;
    if (h->next <= now) h->next = now + h->period; /* beats that were missed are not made up for */
  }
  leat_pulse old;
  if (leat_i_try_send(h->pulses, &h->last, 0) != LEAT_FULL) return;
  int status = leat_i_try_recv(h->pulses, &old, sizeof old, 0);
  if (status == LEAT_OK || status == LEAT_EMPTY) leat_i_try_send(h->pulses, &h->last, 0);
}

void leat_beat(leat_heartbeat *h) {
  happens_call();
  beat_at(h, leat_i_nondet_clock());
}

static int64_t beat_if_due(leat_heartbeat *h) {
  int64_t now = leat_i_nondet_clock();
  if (now >= h->next) beat_at(h, now);
  return now;
}

void leat_beat_if_due(leat_heartbeat *h) {
  happens_call();
  beat_if_due(h);
}

int64_t leat_next_beat(const leat_heartbeat *h) { return h->next; }

/* After an operation with the next beat as its deadline: whether it is to go on. */
static bool goes_on(leat_heartbeat *h, int64_t since, int status) {
  h->last.idle += leat_i_nondet_clock() - since;
  return status == LEAT_DEADLINE && !leat_i_scope_interrupts(leat_i_self()->scope);
}

int leat_i_beat_recv(leat_heartbeat *h, struct leat_i_chan *c, void *target, size_t size) {
  happens_call();
  int64_t since;
  int status;
  do {
    since = beat_if_due(h);
    status = leat_i_recv(c, target, size, h->next);
  } while (goes_on(h, since, status));
  return status;
}

int leat_i_beat_send(leat_heartbeat *h, struct leat_i_chan *c, const void *value) {
  happens_call();
  int64_t since;
  int status;
  do {
    since = beat_if_due(h);
    status = leat_i_send(c, value, h->next);
  } while (goes_on(h, since, status));
  return status;
}

int leat_beat_sleep(leat_heartbeat *h, int64_t duration) {
  happens_call();
  int64_t end = leat_i_deadline_after(duration);
  for (;;) {
    int64_t since = beat_if_due(h);
    int status = leat_sleep_until(h->next < end ? h->next : end);
    h->last.idle += leat_i_nondet_clock() - since;
    if (status || leat_i_nondet_clock() >= end) return status;
  }
}

int leat_i_heartbeat_expect(struct leat_i_chan *pulses, int64_t limit) {
  happens_call();
  leat_pulse pulse;
  return leat_i_recv(pulses, &pulse, sizeof pulse, leat_i_deadline_after(limit));
}

int leat_i_heartbeat_watch(struct leat_i_chan *pulses, int64_t limit) {
  happens_call();
  int64_t deadline = leat_i_deadline_after(limit);
  for (;;) {
    leat_pulse pulse;
    int status = leat_i_recv(pulses, &pulse, sizeof pulse, deadline);
    if (status) return status;
    deadline = pulse.time > INT64_MAX - limit ? LEAT_NEVER : pulse.time + limit;
  }
}
