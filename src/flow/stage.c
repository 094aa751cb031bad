/* See stage.h and leat/stage.h. */
#include "stage.h"
#include "../core/panic.h"
#include "figures.h"
#include "fuse.h"
#include <stdlib.h>

/* ---- as the feeder of its outputs ---- */

static bool leave_idle(struct stage *g, int state) {
  int idle = STAGE_IDLE;
  return cas(&g->state, &idle, state);
}

static void asked(struct stage *g) {
  for (size_t i = 0; i < g->n_ports; i++) atomic_fetch_and(&g->ports[i].chan->flags, ~(uint32_t)CHAN_UNASKED);
}

static void start(struct feeder *f) {
  struct stage *g = stage_of(f);
  bool ours = leave_idle(g, STAGE_STARTED);
  if (load_acquire(&g->state) == STAGE_ABSORBED)
    leat_i_panic("a receive from the output of %s (made at %s), which is part of another stage by now; if it is to have several readers, call leat_share before the "
                 "first value is asked for", g->name, g->birthplace);
  asked(g);
  if (ours) leat_i_stage_start(g);
}

static void cancel_body(struct stage *g) {
  lock_take(&g->wanted.lock);
  struct scope *s = (struct scope *)g->body_scope;
  store_relaxed(&g->cancelling, s != NULL);
  lock_drop(&g->wanted.lock);
  if (!s) return;
  leat_i_scope_cancel(s, LEAT_CANCELED, "nobody wants what the stage makes");
  store_release(&g->cancelling, false);
}

/* Without its share in the channel. What ends by that is put into the list. */
static void give_up(struct chan *c, struct stage **list) {
  struct feeder *above = leat_i_chan_unuse_once(c);
  if (!above) return;
  struct stage *up = stage_of(above);
  if (sub(&up->ports_open, 1) != 1) {
    leat_i_chan_unreference(c);
    return;
  }
  up->kept_by = c;
  up->link = *list;
  *list = up;
}

/* All outputs of these stages have been stopped. Who has not begun ends here, and what is above with it: without recursion, since chains are long. */
static void end_unwanted(struct stage *list) {
  while (list) {
    struct stage *g = list;
    list = g->link;
    struct chan *kept_by = g->kept_by;
    if (leave_idle(g, STAGE_ENDED)) {
      if (g->kind->end) g->kind->end(g);
      for (size_t i = 0; i < g->n_inputs; i++)
        if (g->inputs[i]) give_up(g->inputs[i], &list);
      for (struct hold *h; (h = g->holds); free(h)) {
        g->holds = h->next;
        give_up(h->chan, &list);
      }
    } else {
      int absorbed = STAGE_ABSORBED;
      if (!cas(&g->state, &absorbed, STAGE_STOPPED) && absorbed == STAGE_STARTED) {
        leat_i_wanted_no_more(&g->wanted);
        cancel_body(g);
        if (g->kind->unwanted) g->kind->unwanted(g);
      }
    }
    if (kept_by) leat_i_chan_unreference(kept_by);
  }
}

static void stopped(struct feeder *f) {
  struct stage *g = stage_of(f);
  if (sub(&g->ports_open, 1) != 1) return;
  g->link = NULL;
  end_unwanted(g);
}

/* A stage of a scope around this one reads it, and goes on: that finds the end of its input. */
static void orphaned(struct feeder *f) {
  struct stage *g = stage_of(f);
  if (!leave_idle(g, STAGE_ENDED)) return;
  asked(g); /* while all its outputs are there */
  leat_i_stage_end(g);
}

static void port_freed(struct feeder *f) {
  struct stage *g = stage_of(f);
  if (sub(&g->ports_alive, 1) != 1) return;
  if (g->inputs != &g->in) free(g->inputs);
  free(g);
}

struct stage *leat_i_stage_feeding(const struct chan *c) { return c && c->feeder && c->feeder->start == start ? stage_of(c->feeder) : NULL; }

/* ---- making ---- */

void leat_i_stage_read(struct chan *c, const char *reader, const char *birthplace) {
  if (!c) return;
  const struct stage *up = leat_i_stage_feeding(c);
  if (up && load_acquire(&up->state) == STAGE_ABSORBED)
    leat_i_panic("%s at %s reads the output of %s (made at %s), which is part of another stage by now; if it is to have several readers, call leat_share before the "
                 "first value is asked for", reader, birthplace, up->name, up->birthplace);
  leat_i_chan_enlist_stage(c);
}

struct chan *leat_i_stage_input(struct scope *s, struct leat_i_chan *in, size_t size, const char *birthplace) {
  return chan_of(in ? in : leat_i_chan_make((const struct leat_scope *)s, size, 0, birthplace));
}

static size_t aligned(size_t n) { return (n + 15) & ~(size_t)15; }

/* While it is made, and what is above it is there for certain. */
static void has_items_of(struct stage *g, const struct chan *in) {
  const struct stage *up = leat_i_stage_feeding(in);
  size_t largest = up ? up->largest : in->elem_size;
  if (largest > g->largest) g->largest = largest;
}

static struct stage *make(const struct stage_spec *spec) {
  struct scope *s = (struct scope *)(spec->scope ? spec->scope : leat_current_scope());
  size_t n_ports = spec->sink ? 0 : spec->outputs ? spec->outputs : 1, own = aligned(spec->own);
  struct chan *in = spec->in_size ? leat_i_stage_input(s, spec->in, spec->in_size, spec->birthplace) : NULL;
  if (in) leat_i_stage_read(in, spec->name ? spec->name : spec->kind->name, spec->birthplace);
  size_t head = aligned(sizeof(struct stage));
  struct stage *g = calloc(1, head + own + n_ports * sizeof *g->ports);
  bool failed = !g;
  if (g) {
    *g = (struct stage){.kind = spec->kind, .name = spec->name ? spec->name : spec->kind->name, .birthplace = spec->birthplace, .scope = s, .in = in, .in_size = spec->in_size,
                        .out_size = spec->out_size, .n_ports = n_ports, .own = (char *)g + head, .ports = (struct port *)(void *)((char *)g + head + own), .effect = spec->kind->effect};
    g->inputs = &g->in;
    g->n_inputs = in ? 1 : 0;
    g->largest = spec->out_size;
    if (in) has_items_of(g, in);
    for (size_t i = 0; i < n_ports; i++) {
      struct chan *out = chan_of(leat_i_chan_make((const struct leat_scope *)s, spec->out_size, spec->capacity, spec->birthplace));
      if (load_relaxed(&out->flags) & CHAN_FAILED) {
        failed = true;
        break;
      }
      g->ports[i] = (struct port){{start, stopped, orphaned, port_freed}, g, out};
      out->feeder = &g->ports[i].feeder;
      add(&g->ports_alive, 1);
      add(&g->ports_open, 1);
      if (spec->kind->takes_over) out->drop = drop_of(in);
      if (i == 0) g->out = out;
    }
  }
  if (failed) {
    leat_i_scope_fail(s, LEAT_NOMEM, "a stage could not be made", NULL, spec->birthplace);
    if (g && !g->out) free(g); /* otherwise it goes with its outputs */
    else if (g) store_relaxed(&g->state, STAGE_ENDED);
    if (in) leat_i_chan_unuse(in);
    return NULL;
  }
  for (size_t i = 0; i < n_ports; i++) {
    atomic_fetch_or(&g->ports[i].chan->flags, CHAN_UNASKED);
    leat_i_hold_output(s, g->ports[i].chan);
  }
  return g;
}

struct stage *leat_i_stage_make(const struct stage_spec *spec) {
  struct stage *g = make(spec);
  if (g) station_join(g);
  return g;
}

struct stage *leat_i_stage_make_of(const struct stage_spec *spec, struct leat_i_chan *const *inputs, size_t n) {
  struct stage_spec s = *spec;
  s.scope = s.scope ? s.scope : leat_current_scope();
  struct chan **in = calloc(n ? n : 1, sizeof *in);
  struct stage *g = in ? make(&s) : NULL;
  for (size_t i = 0; i < n; i++) {
    struct chan *c = leat_i_stage_input((struct scope *)s.scope, inputs[i], spec->out_size, spec->birthplace);
    leat_i_stage_read(c, s.name ? s.name : s.kind->name, s.birthplace);
    if (g) has_items_of(g, in[i] = c);
    else leat_i_chan_unuse(c);
  }
  if (g) {
    g->inputs = in;
    g->n_inputs = n;
    station_join(g);
    return g;
  }
  if (!in) leat_i_scope_fail((struct scope *)s.scope, LEAT_NOMEM, "a stage could not be made", NULL, s.birthplace);
  free(in);
  return NULL;
}

int leat_i_pass_on(struct leat_i_chan *out, void *item) {
  int status = leat_i_send(out, item, LEAT_NEVER);
  if (status && chan_of(out)->drop) chan_of(out)->drop(item);
  return status;
}

struct leat_i_chan *leat_i_stage_output(struct stage *g) { return (struct leat_i_chan *)(g ? g->out : leat_i_chan_failed()); }

void *leat_i_stage_args(struct stage *g, const void *args, size_t size) {
  holds_hand_on(leat_i_self(), &g->holds, args, size);
  return memcpy(g->own, args, size);
}

struct stage *leat_i_stage_of_fun(const struct stage_spec *spec, const struct leat_i_fun *fun, const void *args, const void *state) {
  struct stage_spec s = *spec;
  s.own = aligned(fun->args) + fun->state;
  if (!s.name) s.name = fun->name;
  struct stage *g = leat_i_stage_make(&s);
  if (!g) return NULL;
  g->kernel = fun->kernel;
  g->effect |= fun->effect;
  if (fun->drop && g->out && !s.kind->takes_over) g->out->drop = fun->drop;
  g->step.args = leat_i_stage_args(g, args, fun->args);
  g->step.state = g->own + aligned(fun->args);
  if (state) memcpy(g->step.state, state, fun->state);
  return g;
}

/* ---- running ---- */

void leat_i_stage_end(struct stage *g) {
  if (g->kind->end) g->kind->end(g);
  if (g->kind->keeps) stage_keeps(g, -g->kept);
  for (size_t i = 0; i < g->n_ports; i++) leat_i_close((struct leat_i_chan *)g->ports[i].chan, "the end of a stage");
  for (size_t i = 0; i < g->n_inputs; i++)
    if (g->inputs[i]) leat_i_chan_unuse(g->inputs[i]);
  leat_i_holds_release(&g->holds);
  store_release(&g->state, STAGE_ENDED);
}

/* Before it is started a reference is taken to each output, which keeps the stage. One without output keeps itself. */
static void keep(struct stage *g) {
  for (size_t i = 0; i < g->n_ports; i++) leat_i_chan_reference(g->ports[i].chan);
}
static void let_go(struct stage *g) {
  size_t n = g->n_ports;
  if (n == 0) free(g);
  for (struct port *ports = n ? g->ports : NULL; n--;) leat_i_chan_unreference(ports[n].chan); /* the last one frees it */
}

static void leave_body(struct stage *g) {
  lock_take(&g->wanted.lock);
  g->body_scope = NULL;
  lock_drop(&g->wanted.lock);
  while (load_acquire(&g->cancelling)) sched_yield(); /* which does not block */
}

static int run_body(struct stage *g) {
  leat_defer(leat_i_stage_end, g);
  leat_scope(s);
  leat_defer(leave_body, g);
  lock_take(&g->wanted.lock);
  g->body_scope = s;
  bool unwanted = g->wanted.no_more;
  lock_drop(&g->wanted.lock);
  if (unwanted) return LEAT_OK;
  struct shift *shift = g->station && !g->kind->foreman ? leat_i_shift_begin(g, g) : NULL;
  leat_defer(leat_i_shift_end, shift);
  int status = g->kind->body(g), joined = leat_wait(s);
  lock_take(&g->wanted.lock);
  unwanted = g->wanted.no_more;
  lock_drop(&g->wanted.lock);
  bool ended_from_below = unwanted && (status == LEAT_CANCELED || joined == LEAT_CANCELED);
  return status == LEAT_CLOSED || ended_from_below ? LEAT_OK : status ? status : joined;
}

LEAT_FN_ERR(run_stage, struct stage *, g) {
  leat_defer(let_go, g);
  leat_i_self()->stage = true;
  int status = g->kind->body ? run_body(g) : leat_i_run(g);
  return status == LEAT_CLOSED ? LEAT_OK : status;
}

int leat_i_stage_start(struct stage *g) {
  keep(g);
  struct run_stage_leat_args args = {g};
  LEAT_I_FN_RECORD(0, run_stage)
  int status = leat_i_go((const struct leat_scope *)g->scope, &leat_i_fn0, &args, g->birthplace, &(leat_go_options){.name = g->name, .stack = stage_stack(g)});
  if (status) {
    leat_i_stage_end(g); /* it never ran */
    let_go(g);
  }
  return status;
}
