/* See leat/parallel.h.
 *
 * The parallel map is made of channels, each of which ends when the body's scope does. A window of places goes round: a worker takes a free place,
 * and, in turn, receives an item into it and enters it in the order; works; and says that the place is ready. The body takes places in order,
 * waits for each to be ready, sends its result and sets it free. Having the turn from the receive to the entry is what makes the order of
 * entry the order of the input. */
#include "cell.h"
#include "figures.h"
#include <leat/combine.h>
#include <leat/parallel.h>

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

enum place_state { FREE, HAS_ITEM, HAS_RESULT };
struct place {
  enum place_state state;
  char *item, *result;
};

struct window {
  size_t workers, size;
  struct place *places;
  struct leat_i_chan *turn, *unused, *order, **ready; /* the last: one for each place */
};
static struct window *window_of(struct stage *g) { return (struct window *)g->step.state; }

static int work_on_next(struct stage *g, struct window *w) {
  uint32_t at;
  char token;
  int status = leat_i_recv(w->unused, &at, sizeof at, LEAT_NEVER);
  if (!status) status = leat_i_recv(w->turn, &token, 1, LEAT_NEVER);
  if (status) return status;
  struct place *p = &w->places[at];
  status = leat_i_recv((struct leat_i_chan *)g->in, p->item, g->in_size, LEAT_NEVER);
  if (status) {
    leat_i_close(w->turn, g->birthplace);
    if (status == LEAT_CLOSED) leat_i_close(w->order, g->birthplace);
    return status;
  }
  p->state = HAS_ITEM;
  stage_keeps(g, 1);
  if ((status = leat_i_send(w->order, &at, LEAT_NEVER))) return status;
  if ((status = leat_i_send(w->turn, &token, LEAT_NEVER))) return status;
  p->state = FREE; /* the item is the function's */
  g->kernel(&g->step, p->item, p->result, 1);
  p->state = HAS_RESULT;
  return leat_i_send(w->ready[at], &token, LEAT_NEVER);
}

LEAT_FN_ERR(parallel_worker, struct stage *, g, struct window *, w) {
  leat_i_self()->stage = true;
  struct shift *shift = leat_i_shift_begin(g, g);
  leat_defer(leat_i_shift_end, shift);
  int status;
  while (!(status = work_on_next(g, w))) {}
  return status == LEAT_CLOSED ? LEAT_OK : status;
}

static int emit_in_order(struct stage *g, struct window *w) {
  uint32_t at;
  char token;
  int status;
  while (!(status = leat_i_recv(w->order, &at, sizeof at, LEAT_NEVER))) {
    if ((status = leat_i_recv(w->ready[at], &token, 1, LEAT_NEVER))) break;
    if ((status = leat_i_send(output_of(g, 0), w->places[at].result, LEAT_NEVER))) break;
    w->places[at].state = FREE;
    stage_keeps(g, -1);
    if ((status = leat_i_send(w->unused, &at, LEAT_NEVER))) break;
  }
  return status;
}

static void free_window(struct window *w) {
  if (w->places) free(w->places[0].item);
  free(w->places);
  free(w->ready);
}

static bool make_window(struct stage *g, struct window *w) {
  size_t in = (g->in_size + 15) & ~(size_t)15, out = (g->out_size + 15) & ~(size_t)15;
  w->places = calloc(w->size, sizeof *w->places);
  w->ready = calloc(w->size, sizeof(struct leat_i_chan *));
  char *memory = w->places ? malloc(w->size * (in + out)) : NULL;
  if (memory) w->places[0].item = memory;
  if (!memory || !w->ready) return false;
  w->turn = leat_i_chan_make(g->body_scope, 1, 1, g->birthplace);
  w->unused = leat_i_chan_make(g->body_scope, sizeof(uint32_t), w->size, g->birthplace);
  leat_i_stage_inner(g, w->turn, false);
  leat_i_stage_inner(g, w->unused, true);
  w->order = leat_i_chan_make(g->body_scope, sizeof(uint32_t), w->size, g->birthplace);
  if (leat_i_send(w->turn, "", LEAT_NEVER)) return false;
  for (uint32_t i = 0; i < w->size; i++) {
    w->places[i] = (struct place){FREE, memory + i * (in + out), memory + i * (in + out) + in};
    w->ready[i] = leat_i_chan_make(g->body_scope, 1, 1, g->birthplace);
    if (load_relaxed(&chan_of(w->ready[i])->flags) & CHAN_FAILED || leat_i_send(w->unused, &i, LEAT_NEVER)) return false;
  }
  return true;
}

/* What the places hold when all workers have ended. */
static void drop_places(struct stage *g, struct window *w) {
  void (*drop_item)(void *) = g->in->drop, (*drop_result)(void *) = g->out->drop;
  for (size_t i = 0; i < w->size; i++) {
    if (w->places[i].state == HAS_ITEM && drop_item) drop_item(w->places[i].item);
    if (w->places[i].state == HAS_RESULT && drop_result) drop_result(w->places[i].result);
  }
}

static int run_parallel_map(struct stage *g) {
  struct window *w = window_of(g);
  leat_defer(free_window, w);
  if (!make_window(g, w)) return leat_scope_status(g->body_scope) ? leat_scope_status(g->body_scope) : LEAT_NOMEM;
  int status = LEAT_OK;
  for (size_t i = 0; i < w->workers && !status; i++) {
    struct parallel_worker_leat_args args = {g, w};
    LEAT_I_FN_RECORD(0, parallel_worker)
    status = leat_i_go(g->body_scope, &leat_i_fn0, &args, g->birthplace, &(leat_go_options){.name = g->name});
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
