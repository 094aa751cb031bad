/* See leat/rate.h. The latest item lies in `kept`; what is received goes to `fresh` first, since a receive that fails zeroes its target. */
#include "../core/time.h"
#include "../runtime/nondet.h"
#include "cell.h"
#include <leat/rate.h>

static void drop_held(struct cell *c) {
  if (c->holds && c->drop) c->drop(c->item);
  c->holds = false;
}

static int pass(struct stage *g, struct cell *c) {
  c->holds = false;
  return leat_i_pass_on(output_of(g, 0), c->item);
}

/* LEAT_OK: *kept is a new item. LEAT_DEADLINE: the time has come, and the scope goes on. */
static int receive_until(struct stage *g, struct cell *fresh, struct cell *kept, int64_t until) {
  int status = leat_i_recv((struct leat_i_chan *)g->in, fresh->item, g->in_size, until);
  if (status == LEAT_DEADLINE && leat_scope_status(g->body_scope)) return LEAT_CANCELED;
  if (status) return status;
  drop_held(kept);
  memcpy(kept->item, fresh->item, g->in_size);
  kept->holds = true;
  return LEAT_OK;
}

/* How the two differ: when the item that is kept is due, if one has just come, and was due before if it has taken the place of another. */
static int run(struct stage *g, int64_t (*due)(struct stage *g, int64_t due_before, bool in_place_of_another)) {
  struct cell fresh, kept;
  bool made = make_cell(&fresh, g->in_size, NULL);
  leat_defer(free_cell, &fresh);
  made &= make_cell(&kept, g->in_size, g->in->drop);
  leat_defer(free_cell, &kept);
  if (!made) return LEAT_NOMEM;
  int64_t when = LEAT_NEVER;
  for (;;) {
    bool held = kept.holds;
    stage_has(g, held);
    int status = receive_until(g, &fresh, &kept, held ? when : LEAT_NEVER);
    if (status == LEAT_OK) {
      when = due(g, when, held);
      if (when > leat_i_nondet_clock()) continue;
    } else if (status != LEAT_DEADLINE) {
      int sent = status == LEAT_CLOSED && kept.holds ? pass(g, &kept) : LEAT_OK;
      return sent ? sent : status;
    }
    if ((status = pass(g, &kept))) return status;
  }
}

static int64_t due_debounce(struct stage *g, int64_t before, bool in_place_of_another) { return (void)before, (void)in_place_of_another, leat_i_deadline_after(g->count); }
static int run_debounce(struct stage *g) { return run(g, due_debounce); }

/* Periods follow one another without drift from the first item on; one without an item gives nothing. Where the next item is always there already, the
 * receive never waits for the end of the period: then the first item after it is the one that is given. */
static int64_t due_sample(struct stage *g, int64_t before, bool in_place_of_another) {
  if (in_place_of_another) return before;
  int64_t now = leat_i_nondet_clock();
  if (before == LEAT_NEVER) return leat_i_deadline_after(g->count);
  if (before > now || g->count <= 0) return before;
  return before + ((now - before) / g->count + 1) * g->count;
}
static int run_sample(struct stage *g) { return run(g, due_sample); }

static int run_throttle(struct stage *g) {
  struct cell item;
  bool made = make_cell(&item, g->in_size, g->in->drop);
  leat_defer(free_cell, &item);
  if (!made) return LEAT_NOMEM;
  int status;
  int64_t open = INT64_MIN;
  while (!(status = receive(g->in, &item))) {
    if (leat_i_nondet_clock() < open) {
      drop_held(&item);
      continue;
    }
    open = leat_i_deadline_after(g->count);
    if ((status = pass(g, &item))) break;
  }
  return status;
}

static struct leat_i_chan *make(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t duration, const struct stage_kind *kind, const char *birthplace) {
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = kind, .scope = s, .in = in, .in_size = size, .out_size = size, .birthplace = birthplace});
  if (g) g->count = duration;
  return leat_i_stage_output(g);
}

struct leat_i_chan *leat_i_debounce(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t quiet, const char *birthplace) {
  happens_call();
  static const struct stage_kind debounce = {.name = "debounce", .body = run_debounce, .takes_over = true, .keeps = true};
  return make(s, in, size, quiet, &debounce, birthplace);
}

struct leat_i_chan *leat_i_throttle(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t period, const char *birthplace) {
  happens_call();
  static const struct stage_kind throttle = {.name = "throttle", .body = run_throttle, .takes_over = true};
  return make(s, in, size, period, &throttle, birthplace);
}

struct leat_i_chan *leat_i_sample(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t period, const char *birthplace) {
  happens_call();
  static const struct stage_kind sample = {.name = "sample", .body = run_sample, .takes_over = true, .keeps = true};
  return make(s, in, size, period, &sample, birthplace);
}
