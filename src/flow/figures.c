/* See leat/figures.h; how waits and buffers are measured is in core/gauge.h.
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
#include <inttypes.h>
#include <leat/figures.h>
#include <leat/runtime.h>
#include <math.h>
#include <stdio.h>
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
  int64_t round_began, lap, worked;
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
  lock_take(&c->lock);
  if (c->gauge && !c->gauge->buffered.since) c->gauge->buffered.since = leat_i_nondet_clock();
  lock_drop(&c->lock);
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
  if (busy < 0) busy = 0; /* one ended after it */
  for (size_t i = 0; i < s->n; i++) laps += load_relaxed(&((struct shift *)s)->parts[i].laps);
  for (size_t i = 0; i < s->n; i++) {
    struct part *p = (struct part *)&s->parts[i];
    struct station *st = p->station;
    if (!st) continue;
    struct totals *t = ended ? &st->total : &st->now;
    int64_t share = laps ? (int64_t)((double)busy * (double)load_relaxed(&p->laps) / (double)laps) : i == s->main ? busy : 0;
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

void leat_i_shift_round(struct shift *s, size_t n, size_t ahead) {
  count(&s->parts[0].in, n);
  if (s->timing) {
    if (s->ahead) count_time(&s->parts[0].more, (int64_t)s->ahead * (s->lap - s->round_began) * s->weight);
    s->weight = s->worked < SHORT_ROUND && leat_i_nondet_threads() ? ROUNDS_A_LAP : 1;
    s->untimed = s->weight;
  } else if (!s->untimed) {
    s->untimed = s->weight = 1; /* the first */
  }
  s->timing = !--s->untimed;
  if (!s->timing) return;
  s->worked = 0;
  s->ahead = ahead;
  s->round_began = s->lap = leat_i_nondet_clock();
}

void leat_i_shift_did(struct shift *s, const struct stage *g, size_t in, size_t out) {
  struct part *p = g->part;
  if (g != s->last) count(&p[1].in, out);
  if (g != s->last || !s->has_output) count(&p->out, out); /* else the output's gauge does */
  if (!s->timing) return;
  int64_t now = leat_i_nondet_clock(), took = now - s->lap;
  size_t n = in > out ? in : out;
  count_time(&p->laps, took * s->weight);
  if (n > 1) count_time(&p->more, (int64_t)(n - 1) * took * s->weight);
  s->worked += took;
  s->lap = now;
}

void leat_i_shift_delivered(struct shift *s) {
  if (s->timing) s->lap = leat_i_nondet_clock();
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
    lock_take(&g->gauge.chan->lock);
    add_gauge(from ? &from->now : NULL, to ? &to->now : NULL, &g->gauge, now);
    lock_drop(&g->gauge.chan->lock);
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

/* ---- the bottleneck ---- */

static double part_of_life(const leat_figures *f, int64_t t) { return f->life > 0 ? (double)t / (double)f->life : 0; }
static int percent(double part) { return (int)(part * 100 + 0.5); }
static double working(const leat_figures *f) { return 1 - part_of_life(f, f->waited_in + f->waited_out); }
static bool is_source(const leat_figures *f) { return !f->in && !f->feeder && !f->waited_in; }

struct text {
  char *to;
  size_t room;
};
static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->to, t->room, format, args);
  va_end(args);
  size_t used = n < 0 ? 0 : (size_t)n < t->room ? (size_t)n : t->room - 1;
  t->to += used;
  t->room -= used;
}
static void say_name(struct text *t, const leat_figures *f) {
  if (*f->function) say(t, "%s(%s)", f->stage, f->function);
  else say(t, "%s", f->stage);
}
static void say_place(struct text *t, const leat_figures *f) {
  say_name(t, f);
  say(t, " at %s", f->birthplace);
}
static void say_time(struct text *t, double seconds) {
  static const char *const units[] = {"s", "ms", "us", "ns"};
  int i = 0;
  for (; i < 3 && seconds < 1; i++) seconds *= 1000;
  say(t, seconds >= 1e5 ? "%.0f %s" : "%.3g %s", seconds, units[i]);
}

/* The longest wait of those next to the group: who feeds it and waits to hand on, or reads it and waits for input. */
static const leat_figures *neighbour(const leat_figures *rows, size_t n, uint64_t group, bool before) {
  const leat_figures *most = NULL;
  for (size_t i = 0; i < n; i++) {
    const leat_figures *b = &rows[i];
    if (b->group != group) continue;
    for (size_t j = 0; j < n; j++) {
      const leat_figures *f = &rows[j];
      bool next_to = before ? f->reader == b->id || b->feeder == f->id : f->feeder == b->id || b->reader == f->id;
      if (!next_to || f->group == group || !f->life) continue;
      if (!most || (before ? part_of_life(f, f->waited_out) > part_of_life(most, most->waited_out) : part_of_life(f, f->waited_in) > part_of_life(most, most->waited_in))) most = f;
    }
  }
  return most;
}

static void explain_stage(const leat_figures *rows, size_t n, leat_bottleneck *b) {
  struct text t = {b->why, sizeof b->why};
  const leat_figures *f = b->stage, *before = neighbour(rows, n, f->group, true), *behind = neighbour(rows, n, f->group, false);
  bool fused = false;
  for (size_t i = 0; i < n; i++) fused |= &rows[i] != f && rows[i].group == f->group && rows[i].life;
  say_place(&t, f);
  say(&t, " is the bottleneck: ");
  if (f->goroutines > 1) say(&t, "its %d goroutines work", f->goroutines);
  else say(&t, "it works");
  say(&t, " %d %% of the time", percent(working(f)));
  if (fused) say(&t, " (%d %% on this one of the stages fused with it)", percent(f->utilisation));
  say(&t, ", ");
  say_time(&t, f->service);
  say(&t, " an item");
  if (before) {
    say(&t, "; before it ");
    say_name(&t, before);
    say(&t, " waits %d %% to hand on", percent(part_of_life(before, before->waited_out)));
  }
  if (behind) {
    say(&t, "; behind it ");
    say_name(&t, behind);
    say(&t, " waits %d %% for input", percent(part_of_life(behind, behind->waited_in)));
  }
}

leat_bottleneck leat_bottleneck_of(const leat_figures *rows, size_t n) {
  leat_bottleneck b = {.kind = LEAT_BOTTLENECK_UNKNOWN};
  double most = -1;
  for (size_t i = 0; i < n; i++) {
    const leat_figures *f = &rows[i];
    if (!f->life || !f->group) continue;
    double works = working(f);
    if (works > most || (b.kind == LEAT_BOTTLENECK_STAGE && b.stage->group == f->group && works == most && f->busy > b.stage->busy)) {
      most = works;
      b.kind = LEAT_BOTTLENECK_STAGE;
      b.stage = f;
    }
  }
  for (size_t i = 0; i < n; i++) {
    const leat_figures *f = &rows[i];
    if (!f->life) continue;
    double in = f->feeder ? 0 : part_of_life(f, f->waited_in), out = f->reader ? 0 : part_of_life(f, f->waited_out);
    if (in <= most && out <= most) continue;
    most = in > out ? in : out;
    b.kind = in > out ? LEAT_BOTTLENECK_BEFORE : LEAT_BOTTLENECK_BEHIND;
    b.stage = f;
  }
  struct text t = {b.why, sizeof b.why};
  switch (b.kind) {
  case LEAT_BOTTLENECK_UNKNOWN: say(&t, "nothing has been measured yet"); break;
  case LEAT_BOTTLENECK_STAGE: explain_stage(rows, n, &b); break;
  case LEAT_BOTTLENECK_BEFORE:
    say(&t, "the stages could do more: ");
    say_place(&t, b.stage);
    say(&t, " waits %d %% of the time for what comes from outside", percent(most));
    break;
  case LEAT_BOTTLENECK_BEHIND:
    say(&t, "whoever receives from ");
    say_place(&t, b.stage);
    say(&t, " is the bottleneck: that waits %d %% of the time to hand on", percent(most));
    break;
  }
  return b;
}

/* ---- another rate ---- */

/* Work of a group on one item that enters the pipeline. */
static double demand_of(const leat_figures *rows, size_t n, uint64_t group, double entered) {
  double busy = 0;
  for (size_t i = 0; i < n; i++)
    if (rows[i].group == group && !is_source(&rows[i])) busy += (double)rows[i].busy;
  return entered > 0 ? busy / 1e9 / entered : 0;
}

/* How many places a queue M/M/m/K needs besides the m at work, if no more than the part `full` of the arrivals is to find it full. The recursions are
 * Erlang's. */
static int64_t room_for(double offered, int servers, double full) {
  enum { MOST = 1 << 30 };
  double lost = 1;
  for (int i = 1; i <= servers; i++) lost = offered * lost / (i + offered * lost);
  double used = offered / servers;
  int64_t room = 0;
  for (; lost > full && room < MOST; room++) lost = used * lost / (1 + used * lost);
  return room;
}

leat_load leat_load_at(const leat_figures *rows, size_t n, double per_second, double full) {
  leat_load load = {.capacity = INFINITY};
  double entered = 0, of_bottleneck = 0;
  int servers = 1;
  for (size_t i = 0; i < n; i++)
    if (!rows[i].feeder) entered += (double)(is_source(&rows[i]) ? rows[i].out : rows[i].in);
  for (size_t i = 0; i < n; i++) {
    if (!rows[i].group || rows[i].id != rows[i].group) continue;
    double demand = demand_of(rows, n, rows[i].id, entered);
    load.w += demand;
    if (demand <= 0 || rows[i].goroutines / demand >= load.capacity) continue;
    load.capacity = rows[i].goroutines / demand;
    of_bottleneck = demand;
    servers = rows[i].goroutines;
  }
  load.utilisation = per_second / load.capacity;
  load.l = per_second * load.w;
  load.room = load.utilisation >= 1 || full <= 0 ? -1 : of_bottleneck > 0 ? room_for(per_second * of_bottleneck, servers, full) : 0;
  return load;
}

/* ---- as text ---- */

/* As many rows as there are; NULL without memory, or rows. */
static leat_figures *read_all(leat_view s, size_t *n) {
  leat_figures *rows = NULL;
  size_t room = 0;
  while ((*n = leat_figures_read(s, rows, room)) > room) {
    free(rows);
    room = *n + 8;
    if (!(rows = malloc(room * sizeof *rows))) return NULL;
  }
  return rows;
}

void leat_figures_print(leat_view s, FILE *out) {
  size_t n = 0;
  leat_figures *rows = read_all(s, &n);
  if (!rows) return;
  fprintf(out, "        L          W      in/s     out/s  works  waits in  waits out   queue  stage\n");
  for (size_t i = 0; i < n; i++) {
    const leat_figures *f = &rows[i];
    char name[200], w[24] = "";
    struct text t = {name, sizeof name}, tw = {w, sizeof w};
    say_place(&t, f);
    if (f->goroutines > 1) say(&t, ", %d goroutines", f->goroutines);
    if (f->group && f->group != f->id) say(&t, ", fused with what follows");
    if (!f->group) say(&t, ", not begun");
    say_time(&tw, f->w);
    fprintf(out, "%9.3f  %9s %9.4g %9.4g  %3d %%  %6d %%  %7d %%  %6.1f  %s\n", f->l, w, f->lambda_in, f->lambda_out, percent(f->utilisation),
            percent(part_of_life(f, f->waited_in)), percent(part_of_life(f, f->waited_out)), f->queue, name);
  }
  leat_bottleneck b = leat_bottleneck_of(rows, n);
  fprintf(out, "%s\n", b.why);
  free(rows);
}

static void print_label(FILE *out, const char *name, const char *value) {
  fprintf(out, "%s=\"", name);
  for (; *value; value++) {
    if (*value == '"' || *value == '\\') fputc('\\', out);
    fputc(*value, out);
  }
  fputc('"', out);
}

static void print_sample(FILE *out, const leat_figures *f, const char *name, const char *direction, double value) {
  fprintf(out, "leat_stage_%s{id=\"%" PRIu64 "\",", name, f->id);
  print_label(out, "stage", f->stage);
  fputc(',', out);
  print_label(out, "function", f->function);
  fputc(',', out);
  print_label(out, "at", f->birthplace);
  if (direction) fprintf(out, ",direction=\"%s\"", direction);
  fprintf(out, "} %.15g\n", value);
}

void leat_figures_print_metrics(leat_view s, FILE *out) {
  size_t n = 0;
  leat_figures *rows = read_all(s, &n);
  static const struct {
    const char *name, *type, *help;
  } metrics[] = {
    {"items_total", "counter", "Items that a stage has received and handed on."},
    {"life_seconds_total", "counter", "Time of its goroutines."},
    {"busy_seconds_total", "counter", "Of that: time at work on the stage."},
    {"waited_seconds_total", "counter", "Of that: time waiting for input, or to hand on."},
    {"inside_seconds_total", "counter", "Items in the stage, integrated over time: its rate is L."},
    {"queued_seconds_total", "counter", "Items in the buffer before the stage, integrated over time."},
  };
  for (int m = 0; rows && m < (int)(sizeof metrics / sizeof *metrics); m++) {
    const char *name = metrics[m].name;
    fprintf(out, "# HELP leat_stage_%s %s\n# TYPE leat_stage_%s %s\n", name, metrics[m].help, name, metrics[m].type);
    for (const leat_figures *f = rows; f < rows + n; f++) {
      switch (m) {
      case 0:
        print_sample(out, f, name, "in", (double)f->in);
        print_sample(out, f, name, "out", (double)f->out);
        break;
      case 1: print_sample(out, f, name, NULL, (double)f->life / 1e9); break;
      case 2: print_sample(out, f, name, NULL, (double)f->busy / 1e9); break;
      case 3:
        print_sample(out, f, name, "in", (double)f->waited_in / 1e9);
        print_sample(out, f, name, "out", (double)f->waited_out / 1e9);
        break;
      case 4: print_sample(out, f, name, NULL, f->leat_i_inside / 1e9); break;
      case 5: print_sample(out, f, name, NULL, f->leat_i_queued / 1e9); break;
      }
    }
  }
  free(rows);
}
