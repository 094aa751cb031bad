/* See leat/parallel.h.
 *
 * The parallel map is a window of places that goes round, a monitor with two conditions. Places are numbered without end; `head` is the first whose
 * result has not been sent, `tail` the first that is unused. A worker waits for its turn, then for room, receives into the places from `tail`
 * on, passes the turn on, and works. The body sends what is ready from `head` on. Having the turn from the receive until `tail` has moved is what makes the
 * order of the places the order of the input.
 *
 * A worker whose function is pure receives several items at a time, if they are there: as many as it works off in 10 microseconds, and leave the
 * others as many. The body sends up to half of the window at a time, so that workers have room meanwhile. Both make the switches and locks between
 * them rare: a microsecond's work on two CPUs took 2,000 ns an item when each went through four channels, and now takes 550 (window 64).
 *
 * Who owns what lies in a place its state says, so that whatever ends the stage, what is left is dropped. */
#include "../core/gauge.h"
#include "../runtime/nondet.h"
#include "figures.h"
#include <leat/combine.h>
#include <leat/cond.h>
#include <leat/parallel.h>
#include <stdlib.h>

struct leat_i_chan *leat_i_fan_out(const struct leat_scope *s, struct leat_i_chan *in, size_t n, leat_i_piper *piper, const void *args, size_t size, size_t out_size, const char *birthplace) {
  happens_call();
  const struct leat_scope *scope = s ? s : leat_current_scope();
  struct leat_i_chan *input = (struct leat_i_chan *)leat_i_stage_input((struct scope *)scope, in, size, birthplace);
  if (!n) n = 1;
  struct leat_i_chan **outs = calloc(n, sizeof *outs);
  if (!outs) {
    leat_i_scope_fail((struct scope *)scope, LEAT_NOMEM, "a stage could not be made", NULL, birthplace);
    return (struct leat_i_chan *)leat_i_chan_failed();
  }
  for (size_t i = 0; i < n; i++) outs[i] = piper(scope, input, args, birthplace);
  struct leat_i_chan *out = leat_i_merge(scope, outs, n, out_size, birthplace);
  free(outs);
  return out;
}

/* ---- in order ---- */

enum { SHORT_WHILE = 10000 /* ns */ };
enum place_state { FREE, HAS_ITEM, HAS_RESULT };

struct window {
  size_t workers, size;
  _Atomic(uint8_t) *states;
  char *items, *results;
  leat_mutex turn; /* whose it is receives */
  leat_mutex lock; /* guards what follows; `head` is moved by the body, `tail` by who has the turn */
  leat_cond room, ready;
  size_t head, tail;
  bool ended; /* there are no more items */
  _Atomic(bool) is_full; /* somebody waits for room */
};
static struct window *window_of(struct stage *g) { return (struct window *)g->step.state; }
static char *item_at(struct stage *g, struct window *w, size_t i) { return w->items + i % w->size * g->in_size; }
static char *result_at(struct stage *g, struct window *w, size_t i) { return w->results + i % w->size * g->out_size; }
static _Atomic(uint8_t) *state_at(struct window *w, size_t i) { return &w->states[i % w->size]; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
/* How many places from number i on lie side by side. */
static size_t until_end(const struct window *w, size_t i) { return w->size - i % w->size; }

/* Locks and conditions are no channels: who waits for them says so, if it is measured. */
static void wait_begins(struct gauge_wait *wait, enum side side) {
  struct server *server = leat_i_self()->server;
  *wait = (struct gauge_wait){.side = SIDE_NEITHER};
  if (unlikely(server != NULL)) leat_i_gauge_wait_begins(wait, server, side, 1);
}

/* While one waits for room, that is what the others wait for too. */
static int take_turn(struct window *w) {
  struct gauge_wait wait;
  wait_begins(&wait, load_relaxed(&w->is_full) ? SIDE_OUTPUT : SIDE_INPUT);
  int status = leat_mutex_lock_cancellable(&w->turn);
  gauge_wait_ends(&wait, 1);
  return status;
}

/* With the turn. How many places there are in a row, 1 at least. */
static int wait_for_room(struct window *w, size_t *room) {
  int status = LEAT_OK;
  leat_mutex_lock(&w->lock);
  while (!w->ended && w->tail - w->head == w->size && !status) {
    struct gauge_wait wait;
    store_relaxed(&w->is_full, true);
    wait_begins(&wait, SIDE_OUTPUT);
    status = leat_cond_wait(&w->room, &w->lock);
    gauge_wait_ends(&wait, 1);
    store_relaxed(&w->is_full, false);
  }
  if (w->ended && !status) status = LEAT_CLOSED;
  *room = least(w->size - (w->tail - w->head), until_end(w, w->tail));
  leat_mutex_unlock(&w->lock);
  return status;
}

/* With the turn. */
static int receive(struct stage *g, struct window *w, size_t most, size_t *first, size_t *n) {
  size_t room;
  int status = wait_for_room(w, &room);
  if (status) return status;
  *first = w->tail;
  status = leat_i_recv_n((struct leat_i_chan *)g->in, item_at(g, w, *first), least(room, most), n);
  for (size_t i = 0; i < *n; i++) store_relaxed(state_at(w, *first + i), HAS_ITEM);
  stage_keeps(g, (int64_t)*n);
  leat_mutex_lock(&w->lock);
  w->tail += *n;
  w->ended = status != LEAT_OK;
  leat_mutex_unlock(&w->lock);
  if (status) leat_cond_signal(&w->ready); /* maybe nothing is left to wait for */
  return status;
}

static void work(struct stage *g, struct window *w, size_t first, size_t n) {
  for (size_t i = first; i < first + n; i++) {
    store_relaxed(state_at(w, i), FREE); /* the item is the function's */
    g->kernel(&g->step, item_at(g, w, i), result_at(g, w, i), 1);
    store_release(state_at(w, i), HAS_RESULT);
  }
  leat_mutex_lock(&w->lock);
  bool is_awaited = w->head - first < n;
  leat_mutex_unlock(&w->lock);
  if (is_awaited) leat_cond_signal(&w->ready);
}

LEAT_FN_ERR(parallel_worker, struct stage *, g, struct window *, w) {
  leat_i_self()->stage = true;
  struct shift *shift = leat_i_shift_begin(g, g);
  leat_defer(leat_i_shift_end, shift);
  size_t first = 0, n, most = 1, share = g->effect ? 1 : w->size / w->workers;
  for (;;) {
    int status = take_turn(w);
    if (!status) {
      status = receive(g, w, most, &first, &n);
      leat_mutex_unlock(&w->turn);
    }
    if (status) return status == LEAT_CLOSED ? LEAT_OK : status;
    int64_t before = share > 1 ? leat_i_nondet_clock() : 0;
    work(g, w, first, n);
    if (share == 1) continue;
    if (leat_i_nondet_clock() - before > SHORT_WHILE) most = most > 1 ? most / 2 : 1;
    else if (n == most) most = least(2 * most, share);
  }
}

/* How many results can be sent at once. LEAT_CLOSED: there are none any more. */
static int wait_for_results(struct window *w, size_t *n) {
  int status = LEAT_OK;
  leat_mutex_lock(&w->lock);
  while (!status && load_acquire(state_at(w, w->head)) != HAS_RESULT) status = w->ended && w->head == w->tail ? LEAT_CLOSED : leat_cond_wait(&w->ready, &w->lock);
  leat_mutex_unlock(&w->lock);
  size_t most = least(until_end(w, w->head), w->size > 1 ? w->size / 2 : 1);
  for (*n = 1; *n < most && load_acquire(state_at(w, w->head + *n)) == HAS_RESULT;) ++*n;
  return status;
}

static int emit_in_order(struct stage *g, struct window *w) {
  for (;;) {
    size_t n, sent;
    int status = wait_for_results(w, &n);
    if (status) return status;
    status = leat_i_send_n(output_of(g, 0), result_at(g, w, w->head), n, &sent);
    for (size_t i = 0; i < sent; i++) store_relaxed(state_at(w, w->head + i), FREE);
    stage_keeps(g, -(int64_t)sent);
    if (status) return status;
    leat_mutex_lock(&w->lock);
    w->head += sent;
    leat_mutex_unlock(&w->lock);
    leat_cond_signal(&w->room);
  }
}

static void free_window(struct window *w) {
  free((void *)w->states);
  free(w->items);
  free(w->results);
}

static bool make_window(struct stage *g, struct window *w) {
  w->states = calloc(w->size, sizeof *w->states);
  w->items = calloc(w->size, g->in_size);
  w->results = calloc(w->size, g->out_size);
  return w->states && w->items && w->results;
}

/* What the places hold when all workers have ended. */
static void drop_places(struct stage *g, struct window *w) {
  void (*drop_item)(void *) = g->in->drop, (*drop_result)(void *) = g->out->drop;
  for (size_t i = 0; i < w->size; i++) {
    int state = load_acquire(state_at(w, i));
    if (state == HAS_ITEM && drop_item) drop_item(item_at(g, w, i));
    if (state == HAS_RESULT && drop_result) drop_result(result_at(g, w, i));
  }
}

static int run_parallel_map(struct stage *g) {
  struct window *w = window_of(g);
  leat_defer(free_window, w);
  if (!make_window(g, w)) return LEAT_NOMEM;
  int status = LEAT_OK;
  for (size_t i = 0; i < w->workers && !status; i++) {
    struct parallel_worker_leat_args args = {g, w};
    LEAT_I_FN_RECORD(0, parallel_worker)
    status = leat_i_go(g->body_scope, &leat_i_fn0, &args, g->birthplace, &(leat_go_options){.name = g->name, .stack = stage_stack(g)});
  }
  if (!status) status = emit_in_order(g, w);
  if (status != LEAT_CLOSED) leat_i_scope_cancel((struct scope *)g->body_scope, LEAT_CANCELED, "the parallel map ends");
  int joined = leat_wait(g->body_scope);
  drop_places(g, w);
  return joined && status != LEAT_NOMEM ? joined : status;
}

struct leat_i_chan *leat_i_parallel_map(const struct leat_scope *s, struct leat_i_chan *in, size_t n, size_t window, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind kind = {.name = "parallel_map", .body = run_parallel_map, .keeps = true, .foreman = true};
  struct leat_i_fun with_window = *fun;
  with_window.state = sizeof(struct window);
  if (!n) n = 1;
  struct window w = {.workers = n, .size = window > n ? window : n};
  struct stage_spec spec = {.kind = &kind, .scope = s, .in = in, .in_size = fun->in, .out_size = fun->out, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_of_fun(&spec, &with_window, args, &w));
}
