/* See gauge.h. */
#include "gauge.h"
#include "../runtime/nondet.h"
#include "../runtime/scheduler.h"

struct lock leat_i_gauges;

void leat_i_gauge_attach(struct gauge *g, struct chan *c) {
  struct lock *lock = chan_lock(c);
  g->chan = c;
  g->buffered.n = load_relaxed(&c->n);
  c->gauge = g;
  atomic_fetch_or(&c->flags, CHAN_GAUGED);
  lock_drop(lock);
}

void leat_i_gauge_detach(struct gauge *g) {
  struct chan *c = g->chan;
  struct lock *lock = chan_lock(c);
  atomic_fetch_and(&c->flags, ~(uint32_t)CHAN_GAUGED);
  c->gauge = NULL;
  lock_drop(lock);
}

void leat_i_gauge_gone(struct chan *c) {
  lock_take(&leat_i_gauges);
  struct gauge *g = c->gauge;
  if (g) {
    leat_i_gauge_detach(g);
    g->gone(g);
  }
  lock_drop(&leat_i_gauges);
}

static void set_filling(struct gauge *g, size_t before) {
  size_t n = load_relaxed(&g->chan->n);
  if (n == before) return;
  if (g->buffered.since) area_set(&g->buffered, n, g->now ? g->now : leat_i_nondet_clock());
  else g->buffered.n = n;
}

/* The inner one receives; so does an outer one, if it is its channel: a stage of the user's that folds its input. */
static void count_received(const struct gauge *g, struct server *s) {
  for (bool inner = g->to; s; s = s->outer, inner = false)
    if (inner || s->station == g->to) store_relaxed(&s->received, load_relaxed(&s->received) + 1);
}

void leat_i_gauge_sent(struct chan *c, size_t n, struct goroutine *receiver) {
  struct gauge *g = c->gauge;
  g->entered++;
  if (receiver) count_received(g, receiver->server);
  else set_filling(g, n);
}

/* If the filling is what it was, a sender's item has come in, or through. */
void leat_i_gauge_received(struct chan *c, size_t n, struct goroutine *receiver) {
  struct gauge *g = c->gauge;
  g->entered += 1 + load_relaxed(&c->n) - n;
  count_received(g, receiver->server);
  set_filling(g, n);
}

void leat_i_gauge_stopped(struct chan *c) { set_filling(c->gauge, SIZE_MAX); }

void leat_i_gauge_batch(struct chan *c, bool begins) { c->gauge->now = begins && c->capacity ? leat_i_nondet_clock() : 0; }

void leat_i_gauge_wait_begins(struct gauge_wait *w, struct server *server, enum side side, size_t left) {
  w->server = server;
  w->side = side;
  if (side == SIDE_NEITHER) return;
  w->left = left;
  w->began = leat_i_nondet_clock();
  for (struct server *s = server; s; s = s->outer) span_begin(&s->blocked[side], w->began);
}

/* Of a batch that waited, items were taken one by one: about half of them at any time. */
void leat_i_gauge_wait_over(struct gauge_wait *w, size_t left) {
  int64_t now = leat_i_nondet_clock();
  for (struct server *s = w->server; s; s = s->outer) span_end(&s->blocked[w->side], now);
  if (w->left <= 1) return;
  double more = (double)(w->left + left) / 2 - 1;
  store_relaxed(&w->server->waiting_more, load_relaxed(&w->server->waiting_more) + (int64_t)(more * (double)(now - w->began)));
}
