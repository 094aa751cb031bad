/* Runs: see leat/stage.h for what fusion promises.
 *
 * The goroutine of the last stage, or the caller of a blocking end, takes in the stages above it, as far as each is idle, of the same scope,
 * has no buffer behind it and no other reader, and as long as there is but one function with effects among them. Then it goes round:
 *
 *   demand   from the last stage up: how many items are wanted of each, given how many are wanted below
 *   get      so many from the source, or what of them lies ready in the input channel
 *   pass     the batch through one stage after the other; those that make more of it than fits do so in parts
 *   deliver  to the output channel
 *
 * Demand is what keeps a source lazy. Over a pure source it is the batch: 1 at first, doubled while a round computes for less than 10
 * microseconds, so that the first value comes at once and the channel, the clock and the checkpoint are paid for once in a batch. Otherwise
 * it is what the output's buffer has room for and one item, or, at a blocking end that takes everything, whatever lies ready. Effects run item
 * by item, each result being handed over before the next call, which may wait for just that; but what is wanted may be received at one go.
 *
 * Rejected: composing the functions at compile time (nothing to gain: kernels are bound by arithmetic, a batch stays in the first cache; and
 * chains that are put together at run time would be left out); running each stage's batch on its own goroutine (that is what leat_buffer
 * is for). */
#include "fuse.h"
#include "../runtime/nondet.h"
#include "figures.h"
#include <stdlib.h>

enum { ROOM = 4096, LONGEST = 1024, SHORT_WHILE = 10000 /* ns */, ON_STACK = 256, STOCK = 32 };

struct run {
  struct stage *first, *last;
  struct chan *in; /* NULL: the first stage is a source */
  bool pure, effect;
  size_t longest, batch;
  struct batch b;
  char *memory;
  struct batch stock; /* received, for an effect to work on one by one */
  size_t most_stock;
  bool simple; /* each stage is a kernel, or passes items as they are; none counts them, and nothing is to be dropped */
  struct shift *shift; /* if it is measured */
  _Alignas(16) char small[2 * ON_STACK];
};

/* ---- what belongs to it ---- */

static bool take_in(struct run *r, struct stage *up) {
  struct chan *c = up->out;
  if (up->kind->body || up->n_ports != 1 || up->scope != r->last->scope || (up->effect && r->effect) || c->capacity || load_relaxed(&c->flags) & CHAN_SHARED || load_relaxed(&c->users) != 1) return false;
  int idle = STAGE_IDLE;
  return cas(&up->state, &idle, STAGE_ABSORBED);
}

static void absorb(struct run *r) {
  struct stage *g = r->first = r->last;
  r->effect = g->effect;
  for (;;) {
    struct stage *up = leat_i_stage_feeding(g->in);
    if (!up || !take_in(r, up)) break;
    up->below = g;
    g->above = up;
    r->effect |= up->effect;
    r->first = g = up;
  }
  r->in = g->in;
  r->pure = g->kind->source_is_pure && !r->effect;
}

static int make_room(struct run *r) {
  size_t largest = r->first->in_size;
  bool takes_all = !r->last->out;
  for (struct stage *g = r->last; g; g = g->above) {
    if (g->out_size > largest) largest = g->out_size;
    takes_all |= g->kind->wants_all;
    bool is_kernel = g->kind->apply == leat_i_apply_kernel || !(g->kind->apply || g->kind->source);
    if (!is_kernel || g->kind->want || g->kind->wants_all || g->kind->flush || drop_of(g->in) || drop_of(g->out)) r->simple = false;
  }
  size_t most = r->effect ? 1 : r->pure || takes_all ? LONGEST : 1 + r->last->out->capacity;
  r->longest = most * largest <= ROOM ? most : ROOM / largest ? ROOM / largest : 1;
  r->batch = 1;
  size_t room = (r->longest * largest + 63) & ~(size_t)63, stock = 0;
  const struct chan *in = r->in;
  if (in && r->effect && in->capacity && !(load_relaxed(&in->flags) & CHAN_SHARED) && load_relaxed(&in->users) == 1) {
    r->most_stock = STOCK * in->elem_size <= ROOM ? STOCK : 0; /* only from a buffer, and if nobody else receives from it */
    stock = r->most_stock * in->elem_size;
  }
  char *memory = 2 * room + stock <= sizeof r->small ? r->small : (r->memory = malloc(2 * room + stock));
  if (!memory) return LEAT_NOMEM;
  r->b.rooms[0] = memory;
  r->b.rooms[1] = memory + room;
  r->stock.rooms[0] = memory + 2 * room;
  return LEAT_OK;
}

static void end_run(struct run *r) {
  leat_i_shift_end(r->shift);
  batch_drop(&r->b, 0);
  batch_drop(&r->stock, 0);
  for (; r->b.n_rest; r->b.n_rest--, r->b.rest += r->b.rest_size)
    if (r->b.rest_drop) r->b.rest_drop(r->b.rest);
  free(r->memory);
  for (struct stage *g = r->first, *down; g; g = down) { /* downwards: what reads a stage's output keeps the stage */
    down = g->below;
    leat_i_stage_end(g);
  }
}

/* ---- a round ---- */

/* How many items the source is to give; 0: never any more, *enough being the stage that says so. */
static size_t demand(struct run *r, struct stage **enough) {
  size_t want = r->most_stock ? r->most_stock : r->batch;
  const struct chan *out = r->last->out;
  if (out && !r->pure) {
    size_t n = load_relaxed(&out->n), room = n < out->capacity ? out->capacity - n : 0;
    if (want > room + 1) want = room + 1;
  }
  for (struct stage *g = r->last; g; g = g->above) {
    if (g->step.done || load_relaxed(&g->state) == STAGE_STOPPED) want = 0;
    if (g->kind->wants_all) want = r->longest;
    g->room = want < r->longest ? want : r->longest; /* what is to be skipped is wanted as well, but comes in batches */
    if (want && g->kind->want) want = g->kind->want(g, want);
    if (!want) {
      *enough = g;
      return 0;
    }
    if (g->kind->at_most_one && !r->pure) want = 1;
  }
  return want;
}

/* The next item of the stock, where it lies. */
static void take_from_stock(struct run *r) {
  struct batch *from = &r->stock, *b = &r->b;
  b->items = from->items;
  b->n = 1;
  b->size = from->size;
  b->drop = from->drop;
  from->items += from->size;
  from->n--;
}

/* What follows is compiled twice: where nothing is measured, rounds do not even ask. */
#define TWICE static inline __attribute__((always_inline))

TWICE int get(struct run *r, size_t want, bool measured) {
  struct batch *b = &r->b;
  b->n = 0;
  b->items = b->rooms[0];
  if (!r->in) {
    b->size = r->first->out_size;
    b->drop = drop_of(r->first->out);
    int status = r->first->kind->source(r->first, b, want);
    if (measured) leat_i_shift_did(r->shift, r->first, 0, b->n);
    return status;
  }
  b->size = r->in->elem_size;
  b->drop = r->in->drop;
  struct leat_i_chan *in = (struct leat_i_chan *)r->in;
  if (r->stock.n) return take_from_stock(r), leat_checkpoint(); /* as a receive would look */
  if (want > 1 && r->most_stock) {
    struct batch *stock = &r->stock;
    stock->items = stock->rooms[0];
    stock->size = b->size;
    stock->drop = b->drop;
    int status = leat_i_recv_n_wanted(in, stock->items, want, &stock->n, &r->last->wanted);
    if (status == LEAT_OK) take_from_stock(r);
    return status;
  }
  if (want > 1) return leat_i_recv_n_wanted(in, b->items, want, &b->n, &r->last->wanted);
  int status = leat_i_recv_wanted(in, b->items, b->size, &r->last->wanted);
  b->n = status == LEAT_OK;
  return status;
}

TWICE int deliver(struct run *r, bool measured) {
  struct batch *b = &r->b;
  struct leat_i_chan *out = (struct leat_i_chan *)r->last->out;
  size_t sent = 0;
  int status = LEAT_OK;
  if (!out) sent = b->n;
  else if (b->n > 1) status = leat_i_send_n(out, b->items, b->n, &sent);
  else sent = (status = leat_i_send(out, b->items, LEAT_NEVER)) == LEAT_OK;
  b->items += sent * b->size;
  b->n -= sent;
  if (measured) leat_i_shift_delivered(r->shift);
  return status;
}

/* One by one if items must not be lost: then a panic leaves on record what was still to be worked on, and what was made. */
void leat_i_apply_kernel(struct stage *g, struct batch *b) {
  char *to = other_room(b), *from = b->items;
  void (*drop)(void *) = drop_of(g->out);
  if (likely(!drop && !b->drop)) {
    b->n = g->kernel(&g->step, from, to, b->n);
    b->items = to;
    return;
  }
  batch_set_aside(b);
  g->step.drop = b->drop;
  b->items = to;
  b->size = g->out_size;
  b->drop = drop;
  for (; b->n_rest && g->kind->takes_over; b->n_rest--, b->rest += b->rest_size) /* it only looks at them */
    b->n += g->kernel(&g->step, b->rest, to + b->n * g->out_size, 1);
  while (b->n_rest) { /* they are the function's */
    b->n_rest--;
    b->rest += b->rest_size;
    b->n += g->kernel(&g->step, b->rest - b->rest_size, to + b->n * g->out_size, 1);
  }
}

static struct stage *next_with_more(struct stage *g) {
  for (; g; g = g->above)
    if (g->kind->more) break;
  return g;
}

/* Whether a stage from g on wants nothing any more. */
static bool is_enough(struct stage *g) {
  for (; g; g = g->below)
    if (g->step.done || (g->kind->want && !g->kind->want(g, 1))) return true;
  return false;
}

/* What there is goes down from stage g (NULL: straight to the output). *computed: until when. */
TWICE int pass_down(struct run *r, struct stage *g, int64_t *computed, bool measured) {
  struct batch *b = &r->b;
  struct stage *lowest = NULL;
  for (;;) {
    for (; g && b->n; g = g->below) {
      size_t n = b->n;
      if (g->kind->apply) g->kind->apply(g, b);
      if (measured) leat_i_shift_did(r->shift, g, n, b->n);
      b->size = g->out_size;
      if (!g->kind->takes_over || drop_of(g->out)) b->drop = drop_of(g->out);
      if (g->kind->more) lowest = g;
    }
    if (computed) *computed = leat_i_nondet_clock();
    computed = NULL;
    if (b->n) {
      int status = deliver(r, measured);
      if (status) return status;
    }
    if (lowest && is_enough(lowest->below)) return LEAT_OK;
    while (lowest) {
      b->size = lowest->out_size;
      b->drop = drop_of(lowest->out);
      if (lowest->kind->more(lowest, b)) {
        if (measured) leat_i_shift_did(r->shift, lowest, 0, b->n);
        break;
      }
      lowest = next_with_more(lowest->above);
    }
    if (!lowest) return LEAT_OK;
    g = lowest->below;
  }
}

/* After the last item: what stages from g on have kept back. */
static __attribute__((noinline)) int flush(struct run *r, struct stage *g) {
  struct batch *b = &r->b;
  for (; g; g = g->below) {
    g->ended_well = true;
    if (!g->kind->flush) continue;
    for (;;) {
      b->n = 0;
      b->items = b->rooms[0];
      b->size = g->out_size;
      b->drop = drop_of(g->out);
      if (!g->kind->flush(g, b)) break;
      if (r->shift) leat_i_shift_did(r->shift, g, 0, b->n);
      int status = pass_down(r, g->below, NULL, r->shift);
      if (status) return status;
    }
  }
  return LEAT_CLOSED;
}

static inline bool is_stopped(const struct run *r) {
  for (struct stage *g = r->last->above; g; g = g->above)
    if (unlikely(load_relaxed(&g->state) == STAGE_STOPPED)) return true;
  return false;
}

/* The same as so many rounds of a simple run, in two thirds of their time. */
static int use_up_stock(struct run *r) {
  struct batch *stock = &r->stock;
  struct leat_i_chan *out = (struct leat_i_chan *)r->last->out;
  struct goroutine *self = leat_i_self();
  for (; stock->n && !is_stopped(r); stock->n--, stock->items += stock->size) {
    int status = out ? leat_i_scope_interrupts(self->scope) : leat_checkpoint(); /* the send is one, but comes after the function */
    if (unlikely(status)) return out ? leat_i_cancelled(self, status) : status;
    char *item = stock->items, *to = r->b.rooms[0], *other = r->b.rooms[1];
    size_t n = 1;
    for (struct stage *g = r->first; g && n; g = g->below) {
      if (!g->kind->apply) continue;
      n = g->kernel(&g->step, item, to, 1);
      item = to;
      to = other;
      other = item;
    }
    if (n && out && (status = leat_i_send(out, item, LEAT_NEVER))) return status;
  }
  return LEAT_OK;
}

TWICE int rounds(struct run *r, bool measured) {
  bool timed = r->longest > 1;
  for (;;) {
    struct stage *enough = NULL;
    size_t want = demand(r, &enough);
    if (!want) return enough->step.status ? enough->step.status : flush(r, enough->below);
    int64_t before = timed && !r->in ? leat_i_nondet_clock() : 0, after = 0;
    size_t most = r->most_stock ? r->most_stock : r->longest;
    if (measured && !r->in) leat_i_shift_round(r->shift, 0, 0);
    int status = get(r, want < most ? want : most, measured);
    if (status) return status == LEAT_CLOSED ? flush(r, r->in ? r->first : r->first->below) : status;
    size_t n = r->b.n;
    if (measured && r->in) leat_i_shift_round(r->shift, n, r->stock.n);
    if (timed && r->in) before = leat_i_nondet_clock();
    status = pass_down(r, r->in ? r->first : r->first->below, timed ? &after : NULL, measured);
    if (status || (!measured && r->stock.n && r->simple && (status = use_up_stock(r)))) return status;
    if (timed && after - before > SHORT_WHILE) r->batch = r->batch > 1 ? r->batch / 2 : 1;
    else if (timed && n == r->batch && r->batch < r->longest) r->batch = r->batch * 2 < r->longest ? r->batch * 2 : r->longest;
    if (!r->in && (status = leat_checkpoint())) return status;
  }
}

int leat_i_run(struct stage *last) {
  struct run r;
  r.last = last;
  r.in = NULL;
  r.memory = NULL;
  r.b = r.stock = (struct batch){0};
  r.most_stock = 0;
  r.simple = true;
  r.shift = NULL;
  leat_defer(end_run, &r);
  absorb(&r);
  r.shift = leat_i_shift_begin(r.first, r.last);
  int status = make_room(&r);
  if (status) return status;
  return r.shift ? rounds(&r, true) : rounds(&r, false);
}

int leat_i_run_here(struct stage *end) {
  end->scope = leat_i_self()->scope;
  end->in = leat_i_stage_input(end->scope, (struct leat_i_chan *)end->in, end->in_size, end->birthplace);
  leat_i_stage_read(end->in, end->name, end->birthplace);
  end->inputs = &end->in;
  end->n_inputs = 1;
  station_join(end);
  return leat_i_run(end);
}
