/* See leat/stage.h.
 *
 * Each stage is a goroutine between two channels. A pure function is run over the batch that lies ready, of one item at least; an effect
 * item by item. A stage ends from either side, when its input is drained or its output is stopped; it then closes its output and gives up
 * its share of the input, which stops that when it was the last user (core/scope.h). */
#include "../core/channel.h"
#include "../core/scope.h"
#include <leat/stage.h>
#include <stdlib.h>

enum { SPACE = 2048 }; /* bytes of a batch on the goroutine's stack; a larger element goes to the heap */

struct stage {
  struct leat_i_chan *in, *out; /* out is NULL for a sink */
  struct leat_i_stage_fn fn;
  int64_t most; /* for take */
  char *items, *results;
};
typedef int (*stage_body)(struct stage *g, size_t room);

static int map_body(struct stage *g, size_t room) {
  size_t n;
  int status;
  while ((status = leat_i_recv_n(g->in, g->items, room, &n)) == LEAT_OK) {
    g->fn.kernel(g->items, g->results, n);
    if ((status = leat_i_send_n(g->out, g->results, n, NULL))) break;
  }
  return status;
}

static int filter_body(struct stage *g, size_t room) {
  size_t n, size = g->fn.in;
  int status;
  while ((status = leat_i_recv_n(g->in, g->items, room, &n)) == LEAT_OK) {
    size_t kept = 0;
    g->fn.kernel(g->items, g->results, n);
    for (size_t i = 0; i < n; i++)
      if (((bool *)g->results)[i]) memmove(g->items + kept++ * size, g->items + i * size, size);
    if ((status = leat_i_send_n(g->out, g->items, kept, NULL))) break;
  }
  return status;
}

static int for_each_body(struct stage *g, size_t room) {
  size_t n;
  int status;
  while ((status = leat_i_recv_n(g->in, g->items, room, &n)) == LEAT_OK) g->fn.kernel(g->items, NULL, n);
  return status;
}

/* Asks for an item only when one more is wanted. */
static int take_body(struct stage *g, size_t room) {
  (void)room;
  int status = LEAT_OK;
  for (int64_t i = 0; i < g->most && status == LEAT_OK; i++)
    if ((status = leat_i_recv(g->in, g->items, g->fn.in, LEAT_NEVER)) == LEAT_OK) status = leat_i_send(g->out, g->items, LEAT_NEVER);
  return status;
}

struct spaces {
  _Alignas(16) char items[SPACE], results[SPACE];
};

static void end_stage(struct stage *g) {
  if (g->out) leat_i_close(g->out, "the end of a stage");
  if (g->in) leat_i_chan_unuse(chan_of(g->in));
}

static void free_space(struct stage *g) {
  free(g->items);
  free(g->results);
}

/* The batch on the heap: one item, too large for the stack. */
static int run_large(struct stage *g, stage_body body) {
  g->items = malloc(g->fn.in);
  g->results = malloc(g->fn.out ? g->fn.out : 1);
  leat_defer(free_space, g);
  return g->items && g->results ? body(g, 1) : LEAT_NOMEM;
}

static int run_small(struct stage *g, stage_body body, size_t room) {
  struct spaces spaces;
  g->items = spaces.items;
  g->results = spaces.results;
  return body(g, room < g->fn.batch ? room : g->fn.batch);
}

LEAT_FN_ERR(run_stage, struct stage, g, stage_body, body) {
  leat_defer(end_stage, &g);
  size_t larger = g.fn.in > g.fn.out ? g.fn.in : g.fn.out, room = SPACE / larger;
  int status = room ? run_small(&g, body, room) : run_large(&g, body);
  return status == LEAT_CLOSED ? LEAT_OK : status;
}

static int start(const struct leat_scope *s, struct stage g, stage_body body, const char *birthplace) {
  if (g.in) leat_i_chan_enlist_stage(chan_of(g.in));
  struct run_stage_leat_args args = {g, body};
  LEAT_I_FN_RECORD(0, run_stage)
  int status = leat_i_go(s, &leat_i_fn0, &args, birthplace, &(leat_go_options){.name = g.fn.name});
  if (status) end_stage(&g); /* it never ran */
  return status;
}

static struct leat_i_chan *transform(const struct leat_scope *scope, struct stage g, size_t out_size, stage_body body, const char *birthplace) {
  const struct leat_scope *s = scope ? scope : leat_current_scope();
  g.out = leat_i_chan_make(s, out_size, 0, birthplace);
  if (start(s, g, body, birthplace) == LEAT_OK) leat_i_hold_output((struct scope *)s, chan_of(g.out));
  return g.out;
}

struct leat_i_chan *leat_i_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_stage_fn *fn, const char *birthplace) {
  happens_call();
  return transform(s, (struct stage){.in = in, .fn = *fn}, fn->out, map_body, birthplace);
}

struct leat_i_chan *leat_i_filter(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_stage_fn *fn, const char *birthplace) {
  happens_call();
  return transform(s, (struct stage){.in = in, .fn = *fn}, fn->in, filter_body, birthplace);
}

struct leat_i_chan *leat_i_take(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace) {
  happens_call();
  struct leat_i_stage_fn fn = {.in = size, .batch = 1, .name = "take"};
  return transform(s, (struct stage){.in = in, .fn = fn, .most = n}, size, take_body, birthplace);
}

int leat_i_for_each(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_stage_fn *fn, const char *birthplace) {
  happens_call();
  return start(s ? s : leat_current_scope(), (struct stage){.in = in, .fn = *fn}, for_each_body, birthplace);
}
