/* See leat/queue.h.
 *
 * A ring of room + 1 places in the body's frame: the spare one is where the next item is received, so that it is there before it is decided which one
 * has to go. One select offers the oldest item below and takes in from above; below comes first, so nothing is shed that somebody waits for. While an
 * item is on offer it may get too old: then its time wakes the select. */
#include "../core/time.h"
#include "../runtime/nondet.h"
#include "stage.h"
#include <leat/defer.h>
#include <leat/queue.h>
#include <leat/select.h>
#include <stdlib.h>

struct queue_counters {
  _Atomic(uint64_t) arrived, passed, shed, expired, given_up; /* the last: with the queue, when it ended */
  _Atomic(int64_t) first, stayed; /* when the first came; for how long altogether those stayed that have left */
};
_Static_assert(sizeof(struct queue_counters) <= sizeof(leat_queue_counters), "leat_queue_counters has too little room");

struct ring {
  char *items;
  int64_t *came;
  size_t size, places, head, n;
  void (*drop)(void *);
  struct queue_counters *counters;
};

static char *place(const struct ring *r, size_t i) { return r->items + (r->head + i) % r->places * r->size; }
static int64_t *came(const struct ring *r, size_t i) { return &r->came[(r->head + i) % r->places]; }

static void remove_head(struct ring *r) {
  r->head = (r->head + 1) % r->places;
  r->n--;
}

static void left(struct ring *r, _Atomic(uint64_t) *count, int64_t now) {
  add(&r->counters->stayed, now - *came(r, 0));
  add(count, 1);
}

static void drop_head(struct ring *r) {
  char *item = place(r, 0);
  remove_head(r);
  if (r->drop) r->drop(item);
}

static void free_ring(struct ring *r) {
  if (r->n) add(&r->counters->given_up, r->n);
  while (r->n) drop_head(r);
  free(r->items);
  free(r->came);
}

/* The item behind the last one has been received. */
static void take_in(struct ring *r, enum leat_queue_full full) {
  int64_t now = leat_i_nondet_clock(), none = 0;
  *came(r, r->n) = now;
  r->n++;
  add(&r->counters->arrived, 1);
  cas(&r->counters->first, &none, now);
  if (r->n < r->places) return;
  add(&r->counters->shed, 1);
  if (full == LEAT_QUEUE_DROP_OLDEST) {
    drop_head(r);
  } else {
    char *item = place(r, --r->n);
    if (r->drop) r->drop(item);
  }
}

static int run_queue(struct stage *g) {
  leat_queue_options *o = (leat_queue_options *)(void *)g->own;
  struct queue_counters own = {0};
  struct ring r = {.size = g->in_size, .places = o->room + 1, .drop = g->in->drop, .counters = o->counters ? (struct queue_counters *)o->counters : &own};
  r.items = calloc(r.places, r.size);
  r.came = calloc(r.places, sizeof *r.came);
  leat_defer(free_ring, &r);
  if (!r.items || !r.came) return LEAT_NOMEM;
  for (bool open = true;;) {
    stage_has(g, r.n);
    int64_t due = LEAT_NEVER;
    if (o->max_age > 0 && r.n) {
      int64_t now = leat_i_nondet_clock();
      while (r.n && now - *came(&r, 0) >= o->max_age) {
        left(&r, &r.counters->expired, now);
        drop_head(&r);
      }
      if (r.n) due = *came(&r, 0) > INT64_MAX - o->max_age ? LEAT_NEVER : *came(&r, 0) + o->max_age;
    }
    if (!open && !r.n) return LEAT_CLOSED;
    leat_case cases[3] = {{0}};
    if (r.n) cases[0] = (leat_case){.leat_i_chan = output_of(g, 0), .leat_i_value = place(&r, 0), .leat_i_kind = LEAT_I_CASE_SEND};
    if (open && (r.n < o->room || o->full != LEAT_QUEUE_BLOCK))
      cases[1] = (leat_case){.leat_i_chan = (struct leat_i_chan *)g->in, .leat_i_value = place(&r, r.n), .leat_i_kind = LEAT_I_CASE_RECV};
    if (due != LEAT_NEVER) cases[2] = (leat_case){.leat_i_deadline = due, .leat_i_kind = LEAT_I_CASE_DEADLINE};
    int chosen = leat_select_array_ordered(cases, 3);
    if (chosen < 0) return chosen;
    if (chosen == 0) {
      if (leat_selected()) return LEAT_CLOSED;
      left(&r, &r.counters->passed, leat_i_nondet_clock());
      remove_head(&r);
    } else if (chosen == 1) {
      if (leat_selected()) open = false;
      else take_in(&r, o->full);
    }
  }
}

struct leat_i_chan *leat_i_queue(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const leat_queue_options *options, const char *birthplace) {
  happens_call();
  static const struct stage_kind queue = {.name = "queue", .body = run_queue, .takes_over = true, .keeps = true};
  struct stage *g = leat_i_stage_make(
    &(struct stage_spec){.kind = &queue, .scope = s, .in = in, .in_size = size, .out_size = size, .own = sizeof *options, .birthplace = birthplace});
  if (g) {
    leat_queue_options *own = (leat_queue_options *)(void *)memcpy(g->own, options, sizeof *options);
    if (!own->room) own->room = 1;
    if (own->room == SIZE_MAX) own->room--; /* which is more than there is as well */
  }
  return leat_i_stage_output(g);
}

leat_queue_figures leat_queue_look(const leat_queue_counters *counters) {
  struct queue_counters *c = (struct queue_counters *)(uintptr_t)counters;
  uint64_t given_up = load_relaxed(&c->given_up);
  leat_queue_figures f = {.passed = load_relaxed(&c->passed), .shed = load_relaxed(&c->shed), .expired = load_relaxed(&c->expired), .arrived = load_relaxed(&c->arrived)};
  uint64_t gone = f.passed + f.shed + f.expired + given_up, have_left = f.passed + f.expired;
  int64_t first = load_relaxed(&c->first), time = leat_i_nondet_clock() - first;
  f.waiting = f.arrived > gone ? f.arrived - gone : 0;
  if (first && time > 0 && f.arrived >= f.shed) f.lambda = (double)(f.arrived - f.shed) / ((double)time / 1e9);
  if (have_left) f.w = (double)load_relaxed(&c->stayed) / 1e9 / (double)have_left;
  f.l = f.lambda * f.w;
  return f;
}

int64_t leat_queue_room_for(double per_second, int64_t time, int64_t stages) {
  double in_system = per_second * ((double)time / 1e9);
  if (!(in_system < (double)(INT64_MAX / 2))) return INT64_MAX;
  if (in_system < 0) return 0;
  int64_t whole = (int64_t)in_system; /* rounded up; what is off by a millionth is rounding */
  if (in_system - (double)whole > 1e-6) whole++;
  return whole > stages ? whole - stages : 0;
}
