/* See leat/transform.h; how stages work is in stage.h and fuse.c. */
#include "stage.h"
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

static void apply_buffer(struct stage *g, struct batch *b) { (void)g, (void)b; }

struct leat_i_chan *leat_i_buffer(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, const char *birthplace) {
  happens_call();
  static const struct stage_kind buffer = {.name = "buffer", .apply = apply_buffer, .takes_over = true};
  struct stage_spec spec = {.kind = &buffer, .scope = s, .in = in, .in_size = size, .out_size = size, .capacity = n, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_make(&spec));
}
