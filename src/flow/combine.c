/* See leat/combine.h. Stages with a body (stage.h), which runs in a scope of its own: whatever it waits for, it ends when nobody wants its outputs. */
#include "../core/panic.h"
#include "cell.h"
#include "fuse.h"
#include <leat/combine.h>
#include <leat/select.h>
#include <stdlib.h>

/* A run from the input to the output of a stage that has a body: what feeds the input is taken into it. The share in the input is the run's. */
static const struct stage_kind conduit_kind = {.name = "conduit", .takes_over = true};
static int run_conduit(struct stage *g, struct chan *in, struct chan *out) {
  struct stage conduit = {.kind = &conduit_kind, .name = g->name, .birthplace = g->birthplace, .scope = g->scope, .in = in, .n_inputs = 1, .out = out, .in_size = g->out_size, .out_size = g->out_size, .station = g->station};
  conduit.inputs = &conduit.in;
  return leat_i_run(&conduit);
}

/* ---- merge ---- */

LEAT_FN_ERR(merge_one, struct stage *, g, struct chan *, in) {
  leat_i_self()->stage = true;
  int status = run_conduit(g, in, g->out);
  return status == LEAT_CLOSED ? LEAT_OK : status;
}

static int run_merge(struct stage *g) {
  for (size_t i = 0; i < g->n_inputs; i++) {
    struct chan *in = g->inputs[i];
    g->inputs[i] = NULL;
    struct merge_one_leat_args args = {g, in};
    LEAT_I_FN_RECORD(0, merge_one)
    int status = leat_i_go(g->body_scope, &leat_i_fn0, &args, g->birthplace, &(leat_go_options){.name = g->name, .stack = stage_stack(g)});
    if (!status) continue;
    leat_i_chan_unuse(in);
    return status;
  }
  return LEAT_OK; /* the body's scope is joined */
}

struct leat_i_chan *leat_i_merge(const struct leat_scope *s, struct leat_i_chan *const *inputs, size_t n, size_t size, const char *birthplace) {
  happens_call();
  static const struct stage_kind merge = {.name = "merge", .body = run_merge, .foreman = true};
  struct stage *g = leat_i_stage_make_of(&(struct stage_spec){.kind = &merge, .scope = s, .out_size = size, .birthplace = birthplace}, inputs, n);
  for (size_t i = 0; g && i < n; i++)
    if (g->inputs[i]->drop) g->out->drop = g->inputs[i]->drop;
  return leat_i_stage_output(g);
}

/* ---- zip ---- */

static int run_zip(struct stage *g) {
  struct cell a, b, out;
  bool made = make_cell(&a, g->inputs[0]->elem_size, g->inputs[0]->drop);
  leat_defer(free_cell, &a);
  made &= make_cell(&b, g->inputs[1]->elem_size, g->inputs[1]->drop);
  leat_defer(free_cell, &b);
  made &= make_cell(&out, g->out_size, NULL);
  leat_defer(free_cell, &out);
  if (!made) return LEAT_NOMEM;
  const void *pair[] = {a.item, b.item};
  int status;
  while (!(status = receive(g->inputs[0], &a)) && !(status = receive(g->inputs[1], &b))) {
    a.holds = b.holds = false; /* they are the function's */
    g->kernel(&g->step, pair, out.item, 1);
    if ((status = leat_i_pass_on(output_of(g, 0), out.item))) break;
  }
  return status;
}

struct leat_i_chan *leat_i_zip(const struct leat_scope *s, struct leat_i_chan *a, struct leat_i_chan *b, size_t b_size, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind zip = {.name = "zip", .body = run_zip};
  const struct leat_scope *scope = s ? s : leat_current_scope();
  struct chan *inputs[] = {leat_i_stage_input((struct scope *)scope, a, fun->in, birthplace), leat_i_stage_input((struct scope *)scope, b, b_size, birthplace)};
  struct stage *g = leat_i_stage_make_of(&(struct stage_spec){.kind = &zip, .scope = scope, .name = fun->name, .out_size = fun->out, .own = fun->args, .birthplace = birthplace},
                                         (struct leat_i_chan *const *)inputs, 2);
  if (!g) return leat_i_stage_output(g);
  g->kernel = fun->kernel;
  g->out->drop = fun->drop;
  g->step.args = leat_i_stage_args(g, args, fun->args);
  return leat_i_stage_output(g);
}

/* ---- tee ---- */

struct tee {
  void (*copy)(void *, const void *); /* NULL: items are plain */
};

/* The copy that is offered next: there is one at a time, whoever takes it. */
static void make_copy(struct stage *g, struct cell *copy, const char *item) {
  struct tee *t = (struct tee *)(void *)g->own;
  if (copy->holds) return;
  if (t->copy) t->copy(copy->item, item);
  else memcpy(copy->item, item, g->out_size);
  copy->holds = true;
}

static int tee_one(struct stage *g, leat_case *cases, struct cell *copy, const char *item) {
  size_t left = 0;
  for (size_t i = 0; i < g->n_ports; i++) { /* first to those who wait already */
    cases[i].leat_i_chan = NULL;
    if (load_relaxed(&g->ports[i].chan->flags) & CHAN_STOPPED) continue;
    make_copy(g, copy, item);
    int status = leat_i_try_send(output_of(g, i), copy->item, 0);
    if (status == LEAT_CANCELED || status == LEAT_DEADLINE) return status;
    if (status == LEAT_OK) copy->holds = false;
    if (status != LEAT_FULL) continue;
    cases[i].leat_i_chan = output_of(g, i);
    left++;
  }
  for (; left; left--) {
    make_copy(g, copy, item);
    int i = leat_select_array(cases, g->n_ports);
    if (i < 0) return i;
    if (leat_selected() == LEAT_OK) copy->holds = false;
    cases[i].leat_i_chan = NULL; /* it has it, or has been stopped */
  }
  if (copy->holds && copy->drop) copy->drop(copy->item); /* the last that was offered was refused */
  copy->holds = false;
  return LEAT_OK;
}

static int run_tee(struct stage *g) {
  struct cell item, copy;
  bool made = make_cell(&item, g->out_size, g->in->drop);
  leat_defer(free_cell, &item);
  made &= make_cell(&copy, g->out_size, drop_of(g->out));
  leat_defer(free_cell, &copy);
  leat_case *cases = calloc(g->n_ports, sizeof *cases);
  leat_defer(free, cases);
  if (!made || !cases) return LEAT_NOMEM;
  for (size_t i = 0; i < g->n_ports; i++) cases[i] = (leat_case){.leat_i_value = copy.item, .leat_i_kind = LEAT_I_CASE_SEND};
  int status;
  while (!(status = receive(g->in, &item)) && !(status = tee_one(g, cases, &copy, item.item))) {
    if (item.drop) item.drop(item.item);
    item.holds = false;
  }
  return status;
}

/* The outputs of a stage that has several, as handles. */
static int give_outputs(struct stage *g, struct leat_i_chan **outs, size_t n) {
  for (size_t i = 0; i < n; i++) outs[i] = g ? output_of(g, i) : (struct leat_i_chan *)leat_i_chan_failed();
  return g ? LEAT_OK : LEAT_NOMEM;
}

int leat_i_tee(const struct leat_scope *s, struct leat_i_chan *in, size_t size, struct leat_i_chan **outs, size_t n, void (*copy)(void *, const void *), const char *birthplace) {
  happens_call();
  static const struct stage_kind tee = {.name = "tee", .body = run_tee, .takes_over = true};
  if (!n) leat_i_panic("leat_tee into no outputs, at %s", birthplace);
  if (!copy && drop_of(chan_of(in))) leat_i_panic("leat_tee at %s: the items have a drop function, so each has one owner; leat_tee_with takes a function that copies them", birthplace);
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &tee, .scope = s, .in = in, .in_size = size, .out_size = size, .own = sizeof(struct tee), .outputs = n, .birthplace = birthplace});
  if (g) ((struct tee *)(void *)g->own)->copy = copy;
  return give_outputs(g, outs, n);
}

/* ---- split ---- */

static int run_split(struct stage *g) {
  struct cell item;
  bool made = make_cell(&item, g->out_size, g->in->drop);
  leat_defer(free_cell, &item);
  if (!made) return LEAT_NOMEM;
  int status;
  while (!(status = receive(g->in, &item))) {
    int number = 0;
    bool yes = false; /* what a partition's function answers */
    g->kernel(&g->step, item.item, g->count ? (void *)&yes : &number, 1);
    if (g->count) number = yes;
    if (number < 0 || (size_t)number >= g->n_ports)
      leat_i_panic("leat_split: %s answered %d, and there are %zu outputs (made at %s)", g->name, number, g->n_ports, g->birthplace);
    status = leat_i_send(output_of(g, (size_t)number), item.item, LEAT_NEVER);
    if (status && status != LEAT_CLOSED) break;
    if (status && item.drop) item.drop(item.item); /* nobody wants this kind any more */
    item.holds = false;
  }
  return status;
}

int leat_i_split(const struct leat_scope *s, struct leat_i_chan *in, size_t size, struct leat_i_chan **outs, size_t n, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind split = {.name = "split", .body = run_split, .takes_over = true};
  if (!n) leat_i_panic("leat_split into no outputs, at %s", birthplace);
  struct stage_spec spec = {.kind = &split, .scope = s, .in = in, .in_size = size, .out_size = size, .outputs = n, .birthplace = birthplace};
  struct stage *g = leat_i_stage_of_fun(&spec, fun, args, NULL);
  if (g) g->count = fun->out == sizeof(bool);
  return give_outputs(g, outs, n);
}

/* ---- bridge ---- */

static void stop_stream(void *stream) { leat_i_stop(*(struct leat_i_chan **)stream); }

static int run_bridge(struct stage *g) {
  struct leat_i_chan *stream;
  int status;
  while (!(status = leat_i_recv((struct leat_i_chan *)g->in, &stream, sizeof stream, LEAT_NEVER))) {
    struct chan *c = leat_i_stage_input((struct scope *)g->body_scope, stream, g->out_size, g->birthplace);
    leat_i_stage_read(c, "leat_bridge", g->birthplace);
    leat_i_stage_inner(g, (struct leat_i_chan *)c);
    status = run_conduit(g, c, g->out);
    if (status != LEAT_CLOSED) break;
  }
  return status;
}

struct leat_i_chan *leat_i_bridge(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const char *birthplace) {
  happens_call();
  static const struct stage_kind bridge = {.name = "bridge", .body = run_bridge};
  if (in && !chan_of(in)->drop) chan_of(in)->drop = stop_stream;
  struct stage_spec spec = {.kind = &bridge, .scope = s, .in = in, .in_size = sizeof(struct leat_i_chan *), .out_size = size, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_make(&spec));
}

/* ---- or done ---- */

static int run_or_done(struct stage *g) {
  struct cell item, done;
  struct chan *in = g->in, *end = *(struct chan **)(void *)g->own;
  bool made = make_cell(&item, g->out_size, in->drop);
  leat_defer(free_cell, &item);
  made &= make_cell(&done, end->elem_size, end->drop);
  leat_defer(free_cell, &done);
  if (!made) return LEAT_NOMEM;
  for (;;) {
    leat_case cases[] = {{.leat_i_chan = (struct leat_i_chan *)end, .leat_i_value = done.item, .leat_i_kind = LEAT_I_CASE_RECV},
                         {.leat_i_chan = (struct leat_i_chan *)in, .leat_i_value = item.item, .leat_i_kind = LEAT_I_CASE_RECV}};
    int which = leat_select_array_ordered(cases, 2); /* an end that has come counts before an item that is there */
    if (which < 0) return which;
    if (which == 0) done.holds = leat_selected() == LEAT_OK;
    if (which == 0 || leat_selected() != LEAT_OK) return LEAT_CLOSED;
    item.holds = true;
    cases[1] = (leat_case){.leat_i_chan = output_of(g, 0), .leat_i_value = item.item, .leat_i_kind = LEAT_I_CASE_SEND};
    which = leat_select_array_ordered(cases, 2);
    if (which < 0) return which;
    if (which == 0) done.holds = leat_selected() == LEAT_OK;
    if (which == 0 || leat_selected() != LEAT_OK) return LEAT_CLOSED;
    item.holds = false;
  }
}

struct leat_i_chan *leat_i_or_done(const struct leat_scope *s, struct leat_i_chan *in, size_t size, struct leat_i_chan *done, const char *birthplace) {
  happens_call();
  static const struct stage_kind or_done = {.name = "or_done", .body = run_or_done, .takes_over = true};
  struct chan *end = leat_i_stage_input((struct scope *)(s ? s : leat_current_scope()), done, 1, birthplace);
  struct stage_spec spec = {.kind = &or_done, .scope = s, .in = in, .in_size = size, .out_size = size, .own = sizeof end, .birthplace = birthplace};
  struct stage *g = leat_i_stage_make(&spec);
  if (g) leat_i_stage_args(g, &end, sizeof end); /* which it uses, if it is a stage's output, but does not end */
  return leat_i_stage_output(g);
}
