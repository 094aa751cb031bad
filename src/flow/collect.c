/* See leat/collect.h. A blocking end is a stage without output in the caller's frame. */
#include "fuse.h"
#include <leat/collect.h>
#include <stdlib.h>

static int finish(struct stage *g) {
  int status = leat_i_run_here(g);
  return status == LEAT_CLOSED ? LEAT_OK : status;
}

int leat_i_fold(struct leat_i_chan *in, void *acc, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind fold = {.name = "fold", .apply = leat_i_apply_kernel};
  struct stage g = {.kind = &fold, .name = fun->name, .birthplace = birthplace, .in = chan_of(in), .in_size = fun->in, .kernel = fun->kernel,
                    .step = {.args = (void *)(uintptr_t)args, .state = acc}};
  return finish(&g);
}

static void apply_count(struct stage *g, struct batch *b) {
  g->count += (int64_t)b->n;
  batch_drop(b, 0);
}

int leat_i_count_items(struct leat_i_chan *in, size_t size, int64_t *n, const char *birthplace) {
  happens_call();
  static const struct stage_kind count = {.name = "count", .apply = apply_count};
  struct stage g = {.kind = &count, .name = "count", .birthplace = birthplace, .in = chan_of(in), .in_size = size};
  int status = finish(&g);
  *n = g.count;
  return status;
}

/* ---- arrays ---- */

struct items {
  char *items;
  size_t n, room, size;
};

static bool append(struct items *a, const char *items, size_t n) {
  if (a->n + n > a->room) {
    size_t room = a->room ? 2 * a->room : 16, bytes;
    while (room < a->n + n) room *= 2;
    char *grown = __builtin_mul_overflow(room, a->size, &bytes) ? NULL : realloc(a->items, bytes);
    if (!grown) return false;
    a->items = grown;
    a->room = room;
  }
  memcpy(a->items + a->n * a->size, items, n * a->size);
  a->n += n;
  return true;
}

struct gathering {
  struct stage stage;
  struct items items;
  size_t value_at, errors, most_errors; /* of results */
  leat_error *error;
  void (*drop)(void *);
  int status;
};

static void hand_over(struct gathering *c, void **items, size_t *n) {
  *items = c->items.items;
  *n = c->items.n;
  c->items = (struct items){0};
}

/* What was not handed over, as a function that runs here has panicked. An item is in its place in what the drop function takes. */
static void drop_gathered(struct gathering *c) {
  char *item = c->drop && c->items.n ? calloc(1, c->stage.in_size) : NULL;
  for (size_t i = 0; item && i < c->items.n; i++) {
    memcpy(item + c->value_at, c->items.items + i * c->items.size, c->items.size);
    c->drop(item);
  }
  free(item);
  free(c->items.items);
  leat_error_release(c->error);
}

static void apply_collect(struct stage *g, struct batch *b) {
  struct gathering *c = (struct gathering *)g;
  if (c->status || !append(&c->items, b->items, b->n)) {
    c->status = LEAT_NOMEM;
    g->step.done = true;
    batch_drop(b, 0);
  }
}

int leat_i_collect(struct leat_i_chan *in, size_t size, void **items, size_t *n, const char *birthplace) {
  happens_call();
  static const struct stage_kind collect = {.name = "collect", .apply = apply_collect};
  struct gathering c = {.stage = {.kind = &collect, .name = "collect", .birthplace = birthplace, .in = chan_of(in), .in_size = size}, .items = {.size = size}, .drop = drop_of(chan_of(in))};
  leat_defer(drop_gathered, &c);
  int status = finish(&c.stage);
  hand_over(&c, items, n);
  return status ? status : c.status;
}

/* An error may be the last that is wanted, so items are asked for one by one unless all errors are. */
static void apply_collect_results(struct stage *g, struct batch *b) {
  struct gathering *c = (struct gathering *)g;
  for (size_t i = 0; i < b->n; i++) {
    char *item = b->items + i * b->size;
    leat_error **error = (leat_error **)(void *)item;
    bool stops = false;
    if (*error) {
      c->error = leat_error_join(c->error, *error);
      *error = NULL;
      stops = ++c->errors == c->most_errors;
    } else if (!append(&c->items, item + c->value_at, 1)) {
      c->status = LEAT_NOMEM;
      stops = true;
      i--; /* not taken */
    }
    if (stops) {
      g->step.done = true;
      batch_drop(b, i + 1);
      return;
    }
  }
}

static size_t want_results(struct stage *g, size_t below) { return ((struct gathering *)g)->most_errors ? 1 : below; }

int leat_i_collect_results(struct leat_i_chan *in, size_t size, size_t value_size, size_t value_at, void **values, size_t *n, size_t most_errors, leat_error **error, const char *birthplace) {
  happens_call();
  static const struct stage_kind collect = {.name = "collect_results", .apply = apply_collect_results, .want = want_results};
  struct gathering c = {.stage = {.kind = &collect, .name = "collect_results", .birthplace = birthplace, .in = chan_of(in), .in_size = size}, .items = {.size = value_size},
                        .value_at = value_at, .most_errors = most_errors, .drop = drop_of(chan_of(in))};
  leat_defer(drop_gathered, &c);
  int status = finish(&c.stage);
  hand_over(&c, values, n);
  *error = c.error;
  c.error = NULL;
  if (status || c.status) return status ? status : c.status;
  return leat_error_status(*error);
}

/* ---- tables ---- */

struct tabling {
  struct stage stage;
  struct leat_i_table *table;
  const struct leat_i_fun *fold;
  char *key;
  int status;
};

/* As the functions may panic, an item leaves the rest before it becomes the fold's, or the table's. */
static void apply_table(struct stage *g, struct batch *b) {
  struct tabling *t = (struct tabling *)g;
  batch_set_aside(b);
  while (b->n_rest) {
    char *item = b->rest;
    g->kernel(&g->step, item, t->key, 1);
    bool had = leat_i_table_get(t->table, t->key) != NULL;
    void *value = leat_i_table_put(t->table, t->key);
    if (!value) {
      t->status = LEAT_NOMEM;
      g->step.done = true;
      return; /* the run drops the rest */
    }
    b->rest += b->rest_size;
    b->n_rest--;
    struct leat_i_step step = {.args = (void *)(uintptr_t)"", .state = value};
    if (t->fold) t->fold->kernel(&step, item, NULL, 1);
    if (t->fold) continue;
    if (had && b->drop) b->drop(value);
    memcpy(value, item, b->size);
  }
}

int leat_i_collect_table(struct leat_i_chan *in, size_t size, struct leat_i_table *table, const struct leat_i_fun *key, const struct leat_i_fun *fold, const char *birthplace) {
  happens_call();
  static const struct stage_kind kind = {.name = "collect_table", .apply = apply_table};
  struct tabling t = {.stage = {.kind = &kind, .name = key->name, .birthplace = birthplace, .in = chan_of(in), .in_size = size, .kernel = key->kernel, .step = {.args = (void *)(uintptr_t)""}},
                      .table = table, .fold = fold, .key = malloc(table->key_size)};
  leat_defer(free, t.key);
  if (!t.key) return LEAT_NOMEM;
  int status = finish(&t.stage);
  return status ? status : t.status;
}

int leat_i_for_each(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind for_each = {.name = "for_each", .apply = leat_i_apply_kernel, .effect = true};
  struct stage *g = leat_i_stage_of_fun(&(struct stage_spec){.kind = &for_each, .scope = s, .in = in, .in_size = fun->in, .sink = true, .birthplace = birthplace}, fun, args, NULL);
  if (!g) return LEAT_NOMEM;
  store_relaxed(&g->state, STAGE_STARTED);
  return leat_i_stage_start(g);
}
