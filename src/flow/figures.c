/* See leat/figures.h: measuring, and reading what was measured. How waits and buffers are measured is in core/gauge.h, what the figures say in
 * figures_report.c.
 *
 * A station is a row of figures: all stages made at one place, with one function, behind one station (so they are as many as the program has places, and
 * nested calls on one line, or a loop that puts a stage behind another, give several). A shift is a goroutine's work on a stage, or on the
 * stages that are fused. When it ends, and when a channel is freed, what they counted is added to the stations, which last as long as the scope
 * that measures; a reader adds what is under way.
 *
 * Of a shift the time worked is exact: all but the waits. It is divided among fused stages by laps, looks at the clock between them; of all rounds if
 * these are long, else of every 32nd. (Rejected: laps in each round, which doubles the cost of a short one. A simulation does that: its clock
 * costs nothing, and figures are exact there.)
 *
 * What is in a stage, integrated over time: one item while it works or waits to hand on, what a batch has beyond one, what its output's buffer holds. So
 * L comes from times and W from L and lambda. Stages that keep items back say how many. */
#include "figures.h"
#include "../core/gauge.h"
#include "../runtime/nondet.h"
#include <leat/figures.h>
#include <stdlib.h>

enum { SHORT_ROUND = 2000 /* ns */, ROUNDS_A_LAP = 32 };

struct totals {
  uint64_t in, out;
  int64_t life, busy, waited[2];
  double inside, queued;
};

struct station {
  struct station *next;
  struct flow *flow;
  uint64_t id;
  const struct stage_kind *kind;
  const char *name, *birthplace;
  struct station *feeder, *reader, *group;
  int shifts, most; /* now, at most */
  int64_t began, ended;
  struct totals total, now; /* of what has ended; a reading's */
  struct lock lock; /* guards the next one */
  struct area kept;
};

struct part {
  struct station *station; /* or NULL */
  _Atomic(uint64_t) in, out;
  _Atomic(int64_t) laps, more; /* nanoseconds; item-nanoseconds beyond one item at a time */
};

struct shift {
  struct server server;
  struct shift *next, *previous; /* of the flow */
  struct flow *flow;
  int64_t began;
  const struct stage *last;
  bool is_run, has_output;
  /* Laps. */
  bool timing;
  uint32_t untimed, weight; /* rounds to go until the next one that is timed; that this one stands for */
  int64_t round_began, worked;
  _Atomic(int64_t) lap;       /* when it began; stored before `at`, loaded after it: */
  _Atomic(struct part *) at; /* so a reader may find it too short, never too long. NULL: no part is being timed */
  size_t ahead;
  size_t n, main; /* the main part is the one with effects, or the first */
  struct part parts[];
};

struct flow_gauge {
  struct gauge gauge;
  struct flow_gauge *next, *previous;
  struct flow *flow;
};

/* All guarded by leat_i_gauges. */
struct flow {
  struct station *first, *last;
  struct shift *shifts;
  struct flow_gauge *gauges;
};

_Atomic(uint32_t) leat_i_flows;

#define LIST_ADD(list, x) \
  do { \
    (x)->next = (list); \
    (x)->previous = NULL; \
    if (list) (list)->previous = (x); \
    (list) = (x); \
  } while (0)
#define LIST_REMOVE(list, x) \
  do { \
    if ((x)->previous) (x)->previous->next = (x)->next; \
    else (list) = (x)->next; \
    if ((x)->next) (x)->next->previous = (x)->previous; \
  } while (0)

/* ---- measuring ---- */

static struct flow *flow_of(const struct scope *s) {
  for (; s; s = s->parent) {
    struct extra *x = load_acquire(&((struct scope *)s)->extra);
    struct flow *f = x ? load_acquire(&x->flow) : NULL;
    if (f) return f;
  }
  return NULL;
}

int leat_measure(leat_view view) {
  struct scope *s = (struct scope *)(view ? view : leat_current_scope());
  leat_i_scope_check(s, "leat_measure");
  struct extra *x = leat_i_scope_extra(s);
  struct flow *f = x ? calloc(1, sizeof *f) : NULL, *none = NULL;
  if (!f) return LEAT_NOMEM;
  if (cas(&x->flow, &none, f)) add(&leat_i_flows, 1);
  else free(f);
  return LEAT_OK;
}

void leat_i_flow_free(struct flow *f) {
  if (!f) return;
  lock_take(&leat_i_gauges);
  for (struct flow_gauge *g = f->gauges, *next; g; g = next) {
    next = g->next;
    leat_i_gauge_detach(&g->gauge);
    free(g);
  }
  lock_drop(&leat_i_gauges);
  for (struct station *st = f->first, *next; st; st = next) {
    next = st->next;
    free(st);
  }
  free(f);
  sub(&leat_i_flows, 1);
}

/* ---- stations ---- */

static struct station *station_at(const struct stage *g) { return g && g->station ? g->station : NULL; }

static struct station *station_for(struct flow *f, const struct stage *g, struct station *feeder) {
  for (struct station *st = f->first; st; st = st->next)
    if (st->birthplace == g->birthplace && st->feeder == feeder && st->kind == g->kind && st->name == g->name) return st;
  struct station *st = calloc(1, sizeof *st);
  if (!st) return NULL;
  *st = (struct station){.flow = f, .id = f->last ? f->last->id + 1 : 1, .kind = g->kind, .name = g->name, .birthplace = g->birthplace, .feeder = feeder};
  if (f->last) f->last->next = st;
  else f->first = st;
  f->last = st;
  return st;
}

static void add_gauge(struct totals *from, struct totals *to, const struct gauge *g, int64_t now) {
  double area = area_at(&g->buffered, now);
  if (from) from->out += g->entered;
  if (from) from->inside += area;
  if (to) to->queued += area;
}

static void gauge_is_gone(struct gauge *gauge) {
  struct flow_gauge *g = (struct flow_gauge *)gauge;
  struct station *from = (struct station *)gauge->from, *to = (struct station *)gauge->to;
  add_gauge(from ? &from->total : NULL, to ? &to->total : NULL, gauge, gauge->buffered.since ? leat_i_nondet_clock() : 0);
  LIST_REMOVE(g->flow->gauges, g);
  free(g);
}

static void gauge_for(struct flow *f, struct chan *c, const struct station *from, const struct station *to) {
  if (!c || load_relaxed(&c->flags) & CHAN_FAILED) return;
  struct gauge *had = c->gauge;
  if (had) {
    if (!had->to && ((struct flow_gauge *)had)->flow == f) had->to = to;
    return;
  }
  struct flow_gauge *g = calloc(1, sizeof *g);
  if (!g) return;
  *g = (struct flow_gauge){.flow = f, .gauge = {.from = from, .to = to, .gone = gauge_is_gone}};
  LIST_ADD(f->gauges, g);
  leat_i_gauge_attach(&g->gauge, c);
}

void leat_i_station_join_measured(struct stage *g) {
  struct flow *f = flow_of(g->scope);
  if (!f) return;
  lock_take(&leat_i_gauges);
  struct station *feeder = g->n_inputs ? station_at(leat_i_stage_feeding(g->inputs[0])) : NULL;
  if (feeder && feeder->flow != f) feeder = NULL;
  struct station *st = g->station = station_for(f, g, feeder);
  if (st) {
    for (size_t i = 0; i < g->n_inputs; i++) {
      gauge_for(f, g->inputs[i], NULL, st);
      struct station *up = station_at(leat_i_stage_feeding(g->inputs[i]));
      if (up && up->flow == f && !up->reader) up->reader = st;
    }
    for (size_t i = 0; i < g->n_ports; i++) gauge_for(f, g->ports[i].chan, st, NULL);
  }
  lock_drop(&leat_i_gauges);
}

void leat_i_stage_keeps(struct stage *g, int64_t more) {
  if (!more) return;
  struct station *st = g->station;
  lock_take(&st->lock);
  g->kept += more;
  area_set(&st->kept, (size_t)((int64_t)st->kept.n + more), leat_i_nondet_clock());
  lock_drop(&st->lock);
}

void leat_i_stage_inner(const struct stage *g, struct leat_i_chan *c) {
  if (!g->station) return;
  lock_take(&leat_i_gauges);
  gauge_for(g->station->flow, chan_of(c), NULL, NULL);
  lock_drop(&leat_i_gauges);
}

/* ---- shifts ---- */

/* It lies before, or behind, a stage that begins now. */
static void begin_gauge(struct chan *c) {
  if (!c || !c->capacity) return;
  struct lock *lock = chan_lock(c);
  if (c->gauge && !c->gauge->buffered.since) c->gauge->buffered.since = leat_i_nondet_clock();
  lock_drop(lock);
}

struct shift *leat_i_shift_begin(struct stage *first, struct stage *last) {
  if (likely(!load_relaxed(&leat_i_flows))) return NULL;
  size_t n = 1;
  struct flow *f = NULL;
  for (struct stage *g = first;; g = g->below, n++) {
    if (g->station) f = g->station->flow;
    if (g == last) break;
  }
  struct shift *s = f ? calloc(1, sizeof *s + n * sizeof *s->parts) : NULL;
  if (!s) return NULL;
  struct goroutine *self = leat_i_self();
  *s = (struct shift){.server = {.outer = self->server, .station = first->station}, .flow = f, .last = last, .is_run = !last->kind->body, .n = n, .began = leat_i_nondet_clock()};
  s->has_output = last->out;
  s->main = n;
  lock_take(&leat_i_gauges);
  struct stage *g = first;
  for (size_t i = 0; i < n; i++, g = g->below) {
    g->part = &s->parts[i];
    if (g->effect && s->main == n) s->main = i;
    struct station *st = g->station;
    if (!st || (self->server && self->server->station == st)) continue; /* the outer shift is there for it */
    s->parts[i].station = st;
    st->group = last->station;
    if (!st->began) st->began = s->began;
    if (++st->shifts > st->most) st->most = st->shifts;
  }
  if (s->main == n) s->main = 0;
  LIST_ADD(f->shifts, s);
  lock_drop(&leat_i_gauges);
  for (size_t i = 0; i < first->n_inputs; i++) begin_gauge(first->inputs[i]);
  for (size_t i = 0; i < last->n_ports; i++) begin_gauge(last->ports[i].chan);
  self->server = &s->server;
  return s;
}

/* Into the stations' totals, or into what is added up for a reader. */
static void add_shift(const struct shift *s, int64_t now, bool ended) {
  const struct server *server = &s->server;
  int64_t life = now - s->began, waited[2] = {span_total(&server->blocked[SIDE_INPUT], now), span_total(&server->blocked[SIDE_OUTPUT], now)}, laps = 0;
  for (int i = 0; i < 2; i++)
    if (waited[i] < 0) waited[i] = 0; /* it began after `now`, by others who run */
  int64_t busy = life - waited[0] - waited[1];
  if (busy < 0) { /* one ended after it: the rest of that is of the next reading */
    waited[waited[1] > waited[0]] += busy;
    busy = 0;
  }
  const struct part *at = load_acquire(&((struct shift *)s)->at);
  int64_t under_way = at ? now - load_relaxed(&((struct shift *)s)->lap) : 0; /* the lap that has not ended: may be all there is, and long */
  if (under_way <= 0 || ended) at = NULL;
  else laps = under_way;
  for (size_t i = 0; i < s->n; i++) laps += load_relaxed(&((struct shift *)s)->parts[i].laps);
  for (size_t i = 0; i < s->n; i++) {
    struct part *p = (struct part *)&s->parts[i];
    struct station *st = p->station;
    if (!st) continue;
    struct totals *t = ended ? &st->total : &st->now;
    int64_t part_of_laps = load_relaxed(&p->laps) + (p == at ? under_way : 0);
    int64_t share = laps ? (int64_t)((double)busy * (double)part_of_laps / (double)laps) : i == s->main ? busy : 0;
    if (share > busy) share = busy; /* another lap has ended since the sum */
    t->in += s->is_run ? load_relaxed(&p->in) : load_relaxed(&((struct server *)server)->received);
    t->out += load_relaxed(&p->out);
    t->life += life;
    t->busy += share;
    t->waited[0] += waited[0];
    t->waited[1] += waited[1];
    if (st->kind->keeps) continue;
    t->inside += (double)share + (double)load_relaxed(&p->more);
    if (i == s->n - 1) t->inside += (double)waited[1] + (double)load_relaxed(&((struct server *)server)->waiting_more);
  }
}

void leat_i_shift_end(struct shift *s) {
  if (!s) return;
  int64_t now = leat_i_nondet_clock();
  leat_i_self()->server = s->server.outer;
  lock_take(&leat_i_gauges);
  add_shift(s, now, true);
  for (size_t i = 0; i < s->n; i++) {
    struct station *st = s->parts[i].station;
    if (!st) continue;
    st->shifts--;
    if (now > st->ended) st->ended = now;
  }
  LIST_REMOVE(s->flow->shifts, s);
  lock_drop(&leat_i_gauges);
  free(s);
}

static void count(_Atomic(uint64_t) *n, size_t more) { store_relaxed(n, load_relaxed(n) + more); }
static void count_time(_Atomic(int64_t) *t, int64_t more) { store_relaxed(t, load_relaxed(t) + more); }

static void begin_lap(struct shift *s, int64_t now, struct part *at) {
  store_relaxed(&s->lap, now);
  store_release(&s->at, at);
}

void leat_i_shift_round(struct shift *s, size_t n, size_t ahead) {
  count(&s->parts[0].in, n);
  if (s->timing) {
    if (s->ahead) count_time(&s->parts[0].more, (int64_t)s->ahead * (load_relaxed(&s->lap) - s->round_began) * s->weight);
    s->weight = s->worked < SHORT_ROUND && leat_i_nondet_threads() ? ROUNDS_A_LAP : 1;
    s->untimed = s->weight;
  } else if (!s->untimed) {
    s->untimed = s->weight = 1; /* the first */
  }
  s->timing = !--s->untimed;
  if (!s->timing) return;
  s->worked = 0;
  s->ahead = ahead;
  s->round_began = leat_i_nondet_clock();
  begin_lap(s, s->round_began, &s->parts[0]);
}

void leat_i_shift_did(struct shift *s, const struct stage *g, size_t in, size_t out) {
  struct part *p = g->part;
  if (g != s->last) count(&p[1].in, out);
  if (g != s->last || !s->has_output) count(&p->out, out); /* else the output's gauge does */
  if (!s->timing) return;
  int64_t now = leat_i_nondet_clock(), took = now - load_relaxed(&s->lap);
  size_t n = in > out ? in : out;
  count_time(&p->laps, took * s->weight);
  if (n > 1) count_time(&p->more, (int64_t)(n - 1) * took * s->weight);
  s->worked += took;
  begin_lap(s, now, out && g != s->last ? &p[1] : NULL);
}

void leat_i_shift_delivered(struct shift *s) {
  if (s->timing) begin_lap(s, leat_i_nondet_clock(), NULL);
}

/* ---- reading ---- */

static void derive(leat_figures *f) {
  double time = (double)f->time / 1e9, items = (double)(f->in ? f->in : f->out);
  f->lambda_in = time > 0 ? (double)f->in / time : 0;
  f->lambda_out = time > 0 ? (double)f->out / time : 0;
  f->l = time > 0 ? f->leat_i_inside / 1e9 / time : 0;
  f->queue = time > 0 ? f->leat_i_queued / 1e9 / time : 0;
  f->w = items > 0 ? f->leat_i_inside / 1e9 / items : 0;
  f->service = items > 0 ? (double)f->busy / 1e9 / items : 0;
  f->utilisation = f->life > 0 ? (double)f->busy / (double)f->life : 0;
}

static leat_figures figures_of(const struct station *st, const struct totals *t, int64_t now) {
  leat_figures f = {.id = st->id, .stage = st->kind->name, .function = st->name != st->kind->name ? st->name : "", .birthplace = st->birthplace,
                    .group = st->group ? st->group->id : 0, .feeder = st->feeder ? st->feeder->id : 0, .reader = st->reader ? st->reader->id : 0,
                    .goroutines = st->most, .ended = st->began && !st->shifts, .in = t->in, .out = t->out,
                    .life = t->life, .busy = t->busy, .waited_in = t->waited[0], .waited_out = t->waited[1], .leat_i_inside = t->inside, .leat_i_queued = t->queued};
  if (st->began) f.time = (f.ended ? st->ended : now) - st->began;
  derive(&f);
  return f;
}

size_t leat_figures_read(leat_view view, leat_figures *rows, size_t n) {
  const struct scope *s = (const struct scope *)(view ? view : leat_current_scope());
  struct flow *f = flow_of(s);
  if (!f) return 0;
  size_t found = 0;
  lock_take(&leat_i_gauges);
  int64_t now = leat_i_nondet_clock();
  for (struct station *st = f->first; st; st = st->next) {
    st->now = st->total;
    lock_take(&st->lock);
    st->now.inside += area_at(&st->kept, now);
    lock_drop(&st->lock);
  }
  for (const struct shift *shift = f->shifts; shift; shift = shift->next) add_shift(shift, now, false);
  for (struct flow_gauge *g = f->gauges; g; g = g->next) {
    struct station *from = (struct station *)g->gauge.from, *to = (struct station *)g->gauge.to;
    struct lock *lock = chan_lock(g->gauge.chan);
    add_gauge(from ? &from->now : NULL, to ? &to->now : NULL, &g->gauge, now);
    lock_drop(lock);
  }
  for (struct station *st = f->first; st; st = st->next, found++)
    if (found < n) rows[found] = figures_of(st, &st->now, now);
  lock_drop(&leat_i_gauges);
  return found;
}

void leat_figures_subtract(leat_figures *later, size_t n, const leat_figures *earlier, size_t n_earlier) {
  for (size_t i = 0; i < n; i++) {
    leat_figures *f = &later[i];
    for (size_t j = 0; j < n_earlier; j++) {
      const leat_figures *e = &earlier[j];
      if (e->id != f->id) continue;
      f->in -= e->in;
      f->out -= e->out;
      f->time -= e->time;
      f->life -= e->life;
      f->busy -= e->busy;
      f->waited_in -= e->waited_in;
      f->waited_out -= e->waited_out;
      f->leat_i_inside -= e->leat_i_inside;
      f->leat_i_queued -= e->leat_i_queued;
      break;
    }
    derive(f);
  }
}
