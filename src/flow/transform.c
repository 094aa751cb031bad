/* See leat/transform.h; how stages work is in stage.h and fuse.c. */
#include "stage.h"
#include <leat/table.h>
#include <leat/transform.h>
#include <stdlib.h>

static struct leat_i_chan *of_fun(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const struct stage_kind *kind, const char *birthplace) {
  struct stage_spec spec = {.kind = kind, .scope = s, .in = in, .in_size = fun->in, .out_size = fun->out, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_of_fun(&spec, fun, args, NULL));
}

struct leat_i_chan *leat_i_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind map = {.name = "map", .apply = leat_i_apply_kernel};
  return of_fun(s, in, fun, args, &map, birthplace);
}

struct leat_i_chan *leat_i_filter(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind filter = {.name = "filter", .apply = leat_i_apply_kernel, .takes_over = true};
  return of_fun(s, in, fun, args, &filter, birthplace);
}

/* How many of the first items the function wants. A panic in it finds them all in the batch. */
static size_t wanted_of(struct stage *g, const struct batch *b) { return g->kernel(&g->step, b->items, NULL, b->n); }

static void apply_take_while(struct stage *g, struct batch *b) {
  size_t kept = g->step.done ? 0 : wanted_of(g, b);
  if (kept < b->n) g->step.done = true;
  batch_drop(b, kept);
}

struct leat_i_chan *leat_i_take_while(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind take_while = {.name = "take_while", .apply = apply_take_while, .takes_over = true, .at_most_one = true};
  return of_fun(s, in, fun, args, &take_while, birthplace);
}

/* The first n go to the drop function. */
static void skip(struct batch *b, size_t n) {
  struct batch skipped = *b;
  skipped.n = n;
  b->items += n * b->size;
  b->n -= n;
  batch_drop(&skipped, 0);
}

static void apply_skip_while(struct stage *g, struct batch *b) {
  if (g->count) return;
  size_t n = wanted_of(g, b);
  if (n < b->n) g->count = 1;
  skip(b, n);
}

struct leat_i_chan *leat_i_skip_while(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind skip_while = {.name = "skip_while", .apply = apply_skip_while, .takes_over = true};
  return of_fun(s, in, fun, args, &skip_while, birthplace);
}

struct leat_i_chan *leat_i_scan(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const void *initial, const char *birthplace) {
  happens_call();
  static const struct stage_kind scan = {.name = "scan", .apply = leat_i_apply_kernel};
  struct stage_spec spec = {.kind = &scan, .scope = s, .in = in, .in_size = fun->in, .out_size = fun->out, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_of_fun(&spec, fun, args, initial));
}

struct leat_i_chan *leat_i_scan_from_zero(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  return leat_i_scan(s, in, fun, args, NULL, birthplace);
}

/* ---- many for one ---- */

static struct leat_i_out *out_of(struct stage *g) { return (struct leat_i_out *)g->step.state; }

void leat_i_emit(struct leat_i_out *o, const void *item) {
  if (o->n == o->room) {
    size_t room = o->room ? 2 * o->room : 16;
    char *items = realloc(o->items, room * o->size);
    if (!items) o->failed = true;
    if (!items) return;
    o->items = items;
    o->room = room;
  }
  memcpy(o->items + o->n++ * o->size, item, o->size);
}

static bool more_of_flat(struct stage *g, struct batch *b) {
  struct leat_i_out *o = out_of(g);
  size_t n = o->n - o->at, most = g->room;
  b->items = o->items + o->at * o->size;
  b->n = n < most ? n : most;
  o->at += b->n;
  return b->n > 0;
}

static void apply_flat(struct stage *g, struct batch *b) {
  struct leat_i_out *o = out_of(g);
  o->n = o->at = 0;
  batch_set_aside(b);
  while (b->n_rest) {
    size_t n = b->rest_drop ? 1 : b->n_rest;
    char *items = b->rest;
    b->rest += n * b->rest_size;
    b->n_rest -= n;
    g->kernel(&g->step, items, NULL, n);
  }
  if (o->failed) {
    g->step.done = true;
    g->step.status = LEAT_NOMEM;
  }
  more_of_flat(g, b);
}

static void end_flat(struct stage *g) {
  struct leat_i_out *o = out_of(g);
  for (; g->out->drop && o->at < o->n; o->at++) g->out->drop(o->items + o->at * o->size);
  free(o->items);
}

static size_t want_some(struct stage *g, size_t below) { return (void)g, below < 16 ? below : 16; }

struct leat_i_chan *leat_i_flat_map(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind flat = {.name = "flat_map", .apply = apply_flat, .more = more_of_flat, .end = end_flat, .want = want_some, .at_most_one = true};
  struct stage_spec spec = {.kind = &flat, .scope = s, .in = in, .in_size = fun->in, .out_size = fun->out, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_of_fun(&spec, fun, args, &(struct leat_i_out){.size = fun->out}));
}

/* ---- numbered ---- */

struct enumeration {
  size_t value_at;
};

static void apply_enumerate(struct stage *g, struct batch *b) {
  size_t value_at = ((struct enumeration *)(void *)g->own)->value_at;
  char *to = other_room(b);
  for (size_t i = 0; i < b->n; i++) {
    memset(to + i * g->out_size, 0, g->out_size);
    memcpy(to + i * g->out_size, &g->count, sizeof g->count);
    memcpy(to + i * g->out_size + value_at, b->items + i * b->size, b->size);
    g->count++;
  }
  b->items = to;
}

struct leat_i_chan *leat_i_enumerate(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t out_size, size_t value_at, const char *birthplace) {
  happens_call();
  static const struct stage_kind enumerate = {.name = "enumerate", .apply = apply_enumerate};
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &enumerate, .scope = s, .in = in, .in_size = size, .out_size = out_size, .own = sizeof(struct enumeration), .birthplace = birthplace});
  if (g) ((struct enumeration *)(void *)g->own)->value_at = value_at;
  return leat_i_stage_output(g);
}

/* ---- seen before ---- */

struct seen {
  struct leat_i_table table;
  size_t most;
  bool has_key;
  _Alignas(16) char key[]; /* room for one */
};
static struct seen *seen_of(struct stage *g) { return (struct seen *)g->step.state; }

/* The key's function may panic: at any time an item is either among the rest or in the batch, or has been dropped. */
static void apply_distinct(struct stage *g, struct batch *b) {
  struct seen *v = seen_of(g);
  char *to = other_room(b);
  batch_set_aside(b);
  b->items = to;
  while (b->n_rest) {
    char *item = b->rest, *key = item;
    if (v->has_key) g->kernel(&g->step, item, key = v->key, 1);
    bool fresh = !leat_i_table_get(&v->table, key);
    if (fresh && leat_i_table_len(&v->table) == v->most) leat_i_table_remove_first(&v->table);
    if (fresh && v->most && !leat_i_table_put(&v->table, key)) {
      g->step.done = true;
      g->step.status = LEAT_NOMEM;
      fresh = false;
    }
    b->rest += b->rest_size;
    b->n_rest--;
    if (fresh) memcpy(to + b->n++ * b->size, item, b->size);
    else if (b->drop) b->drop(item);
  }
}

static void end_distinct(struct stage *g) { leat_i_table_free(&seen_of(g)->table); }

struct leat_i_chan *leat_i_distinct(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const struct leat_i_fun *key, const void *args, size_t most, bool text, const char *birthplace) {
  happens_call();
  static const struct stage_kind distinct = {.name = "distinct", .apply = apply_distinct, .end = end_distinct, .takes_over = true};
  struct leat_i_fun fun = {.in = size, .out = size, .name = "distinct"};
  if (key) fun = *key;
  fun.state = sizeof(struct seen) + (key ? fun.out : 0);
  struct stage_spec spec = {.kind = &distinct, .scope = s, .in = in, .in_size = size, .out_size = size, .name = "distinct", .birthplace = birthplace};
  struct stage *g = leat_i_stage_of_fun(&spec, &fun, args ? args : "", NULL);
  if (g) *seen_of(g) = (struct seen){.table = {.key_size = fun.out, .text = text}, .most = most, .has_key = key};
  return leat_i_stage_output(g);
}

/* ---- by number ---- */

static struct leat_i_chan *by_number(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, size_t own, const struct stage_kind *kind, const char *birthplace) {
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = kind, .scope = s, .in = in, .in_size = size, .out_size = size, .own = own, .birthplace = birthplace});
  if (g) g->count = n;
  return leat_i_stage_output(g);
}

static size_t want_take(struct stage *g, size_t below) { return g->count <= 0 ? 0 : (uint64_t)g->count < below ? (size_t)g->count : below; }

static void apply_take(struct stage *g, struct batch *b) {
  size_t n = want_take(g, b->n);
  g->count -= (int64_t)n;
  batch_drop(b, n);
}

struct leat_i_chan *leat_i_take(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace) {
  happens_call();
  static const struct stage_kind take = {.name = "take", .apply = apply_take, .want = want_take, .takes_over = true};
  return by_number(s, in, size, n, 0, &take, birthplace);
}

static size_t want_skip(struct stage *g, size_t below) {
  size_t left = g->count <= 0 ? 0 : (uint64_t)g->count < SIZE_MAX / 2 ? (size_t)g->count : SIZE_MAX / 2;
  return below + left < below ? SIZE_MAX : below + left;
}

static void apply_skip(struct stage *g, struct batch *b) {
  size_t n = want_take(g, b->n);
  g->count -= (int64_t)n;
  skip(b, n);
}

struct leat_i_chan *leat_i_skip(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t n, const char *birthplace) {
  happens_call();
  static const struct stage_kind skip = {.name = "skip", .apply = apply_skip, .want = want_skip, .takes_over = true};
  return by_number(s, in, size, n, 0, &skip, birthplace);
}

/* It keeps the last item so far, in `own`; count says whether there is one. All that is upstream is wanted. */
static void apply_last(struct stage *g, struct batch *b) {
  if (g->count && b->drop) b->drop(g->own);
  g->count = 1;
  memcpy(g->own, b->items + (b->n - 1) * b->size, b->size);
  b->n--;
  batch_drop(b, 0);
}

static bool flush_last(struct stage *g, struct batch *b) {
  if (!g->count) return false;
  g->count = 0;
  memcpy(b->items, g->own, b->size);
  b->n = 1;
  return true;
}

static void end_last(struct stage *g) {
  if (g->count && drop_of(g->out)) g->out->drop(g->own);
}

struct leat_i_chan *leat_i_last(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t unused, const char *birthplace) {
  happens_call();
  (void)unused;
  static const struct stage_kind last = {.name = "last", .apply = apply_last, .flush = flush_last, .end = end_last, .wants_all = true, .takes_over = true};
  return by_number(s, in, size, 0, size, &last, birthplace);
}

/* ---- room ---- */

struct leat_i_chan *leat_i_buffer(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, const char *birthplace) {
  happens_call();
  static const struct stage_kind buffer = {.name = "buffer", .takes_over = true};
  struct stage_spec spec = {.kind = &buffer, .scope = s, .in = in, .in_size = size, .out_size = size, .capacity = n, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_make(&spec));
}
