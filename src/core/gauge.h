/* Gauges: what leat/figures.h needs to know of channels and of those who wait there. Figures are made of it in flow/figures.c.
 *
 * A goroutine that runs a measured stage has a server, which counts how long it waits for input and for output. A channel that a measured stage
 * uses has a gauge, and the flag CHAN_GAUGED, which takes its operations off the fast path: there one bit more in masks that are tested anyway is
 * all that measuring costs those who do not measure, and a test where a goroutine is about to wait.
 *
 * Only waits at channels with a gauge count. So a stage's function that asks another goroutine through channels of its own, sleeps, or waits for a
 * lock or a descriptor is at work: it is the item that takes so long.
 *
 * The clock is looked at when a wait begins and ends, and when the filling of a buffer changes; where one of both sides waits, it does not. So each
 * item costs two looks at a channel. */
#pragma once
#include "channel.h"

enum side { SIDE_INPUT, SIDE_OUTPUT, SIDE_NEITHER };

/* A time that adds up, and may just be running: even, twice the total; odd, the total less its beginning. So a reader needs one load. */
static inline void span_begin(_Atomic(int64_t) *t, int64_t now) { store_relaxed(t, load_relaxed(t) - 2 * now + 1); }
static inline void span_end(_Atomic(int64_t) *t, int64_t now) { store_relaxed(t, load_relaxed(t) + 2 * now - 1); }
static inline int64_t span_total(const _Atomic(int64_t) *t, int64_t now) {
  int64_t v = load_relaxed((_Atomic(int64_t) *)t);
  return v & 1 ? (v - 1) / 2 + now : v / 2;
}

/* A number of items over time: the integral. */
struct area {
  double sum;    /* items times nanoseconds, up to: */
  int64_t since; /* 0: it has not begun */
  size_t n;
};
static inline double area_at(const struct area *a, int64_t now) { return a->since && now > a->since ? a->sum + (double)a->n * (double)(now - a->since) : a->sum; }
static inline void area_set(struct area *a, size_t n, int64_t now) {
  a->sum = area_at(a, now);
  a->since = now;
  a->n = n;
}

/* One goroutine at work for a stage, or for several that are fused. Written by the goroutine, or while it is parked by who has claimed it. */
struct server {
  struct server *outer; /* in the same goroutine: waits as long as this one is there, and waits when it does */
  const void *station;  /* the first stage's: see gauge.to */
  _Atomic(int64_t) blocked[2]; /* by side; spans */
  _Atomic(int64_t) waiting_more; /* items of a batch beyond the first, times the nanoseconds that they waited with it to be handed on */
  _Atomic(uint64_t) received;
};

/* Guarded by the channel's lock, but for `to`, `gone` and what the callback needs: by leat_i_gauges. That one is taken first. */
struct gauge {
  struct chan *chan;
  uint64_t entered;          /* items that were handed over, to the buffer or to a receiver */
  struct area buffered;      /* begins with the stage that reads it */
  int64_t now;               /* during a batch; or 0 */
  const void *from, *to;     /* the stations of the stages that feed and read it, or NULL; what is received is counted where there is one that reads */
  void (*gone)(struct gauge *g); /* the channel is freed; with leat_i_gauges */
};
extern struct lock leat_i_gauges;

/* With leat_i_gauges. */
void leat_i_gauge_attach(struct gauge *g, struct chan *c);
void leat_i_gauge_detach(struct gauge *g);
/* The channel is freed. */
void leat_i_gauge_gone(struct chan *c);

/* With the channel's lock, behind an operation that has succeeded; n: what was in the buffer before. receiver: who got the item, or NULL. */
void leat_i_gauge_sent(struct chan *c, size_t n, struct goroutine *receiver);
void leat_i_gauge_received(struct chan *c, size_t n, struct goroutine *receiver);
/* With the lock: the filling has changed otherwise. */
void leat_i_gauge_stopped(struct chan *c);
/* With the lock, around many operations. */
void leat_i_gauge_batch(struct chan *c, bool begins);

/* With the lock: what somebody waits for who is about to. */
static inline enum side gauge_side(const struct chan *c, bool sends) { return !c->gauge ? SIDE_NEITHER : sends ? SIDE_OUTPUT : SIDE_INPUT; }
/* Around a wait. `left`: items still to be sent. */
struct gauge_wait {
  struct server *server;
  enum side side;
  int64_t began;
  size_t left;
};
void leat_i_gauge_wait_begins(struct gauge_wait *w, struct server *server, enum side side, size_t left);
void leat_i_gauge_wait_over(struct gauge_wait *w, size_t left);
static inline void gauge_wait_ends(struct gauge_wait *w, size_t left) {
  if (unlikely(w->side != SIDE_NEITHER)) leat_i_gauge_wait_over(w, left);
}
