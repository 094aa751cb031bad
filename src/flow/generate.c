/* See leat/generate.h. */
#include "stage.h"
#include <leat/generate.h>
#include <leat/io.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- values and arrays: they are passed on from where they lie ---- */

struct values {
  const char *items;
  size_t n, at;
  int64_t times;
};
static struct values *values_of(struct stage *g) { return (struct values *)(void *)g->own; }

static int next_of_array(struct stage *g, struct batch *b, size_t want) {
  struct values *v = values_of(g);
  if (v->at == v->n) return LEAT_CLOSED;
  b->n = v->n - v->at < want ? v->n - v->at : want;
  b->items = (char *)(uintptr_t)(v->items + v->at * g->out_size);
  v->at += b->n;
  return LEAT_OK;
}

static const struct stage_kind array = {.name = "array", .source = next_of_array, .source_is_pure = true};

struct leat_i_chan *leat_i_array(const struct leat_scope *s, const void *items, size_t size, size_t n, const char *birthplace) {
  happens_call();
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &array, .scope = s, .out_size = size, .own = sizeof(struct values), .birthplace = birthplace});
  if (g) *values_of(g) = (struct values){items, n, 0, 1};
  return leat_i_stage_output(g);
}

static __attribute__((noinline)) void fill(char *to, const struct values *v, size_t size, size_t at, size_t n) {
  if (v->n == 1 && size == 4)
    for (size_t i = 0; i < n; i++) memcpy(to + 4 * i, v->items, 4);
  else if (v->n == 1 && size == 8)
    for (size_t i = 0; i < n; i++) memcpy(to + 8 * i, v->items, 8);
  else
    for (size_t i = 0; i < n; i++, at = at + 1 == v->n ? 0 : at + 1) memcpy(to + i * size, v->items + at * size, size);
}

static int next_of_values(struct stage *g, struct batch *b, size_t want) {
  struct values *v = values_of(g);
  if (v->times == 1) return next_of_array(g, b, want);
  fill(b->items, v, g->out_size, v->at, want);
  v->at = (v->at + want) % v->n;
  b->n = want;
  return LEAT_OK;
}

struct leat_i_chan *leat_i_values(const struct leat_scope *s, const void *values, size_t size, size_t n, int64_t times, const char *birthplace) {
  happens_call();
  static const struct stage_kind once = {.name = "values", .source = next_of_values, .source_is_pure = true}, repeat = {.name = "repeat", .source = next_of_values, .source_is_pure = true};
  size_t head = (sizeof(struct values) + 15) & ~(size_t)15;
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = times == 1 ? &once : &repeat, .scope = s, .out_size = size, .own = head + n * size, .birthplace = birthplace});
  if (g) *values_of(g) = (struct values){memcpy(g->own + head, values, n * size), n, 0, times};
  return leat_i_stage_output(g);
}

struct leat_i_chan *leat_i_filled(const struct leat_scope *s, const void *items, size_t size, size_t n, const char *birthplace) {
  happens_call();
  const struct leat_scope *scope = s ? s : leat_current_scope();
  struct leat_i_chan *c = leat_i_chan_make(scope, size, n, birthplace);
  if (load_relaxed(&chan_of(c)->flags) & CHAN_FAILED) {
    leat_i_scope_fail((struct scope *)scope, LEAT_NOMEM, "a filled channel could not be made", NULL, birthplace);
    return c;
  }
  struct goroutine *nobody = NULL;
  for (size_t i = 0; i < n; i++) leat_i_chan_send_locked(chan_of(c), (const char *)items + i * size, &nobody); /* nobody has it yet */
  leat_i_close(c, birthplace);
  return c;
}

/* ---- numbers ---- */

struct numbers {
  uint64_t next, left;
};

/* Of the right width, signed or not: arithmetic modulo its power of two is the same. */
#if defined(__OPTIMIZE__) && !defined(__clang__)
#define VECTORISED __attribute__((noinline, optimize("tree-vectorize", "vect-cost-model=dynamic")))
#else
#define VECTORISED __attribute__((noinline))
#endif
#define COUNT_UP(type) \
  static VECTORISED void count_up_##type(void *to, uint64_t from, size_t n) { \
    type *items = to, first = (type)from; \
    for (size_t i = 0; i < n; i++) items[i] = (type)(first + (type)i); \
  }
COUNT_UP(uint8_t)
COUNT_UP(uint16_t)
COUNT_UP(uint32_t)
COUNT_UP(uint64_t)

static int next_of_numbers(struct stage *g, struct batch *b, size_t want) {
  struct numbers *v = (struct numbers *)(void *)g->own;
  if (!v->left) return LEAT_CLOSED;
  b->n = v->left < want ? v->left : want;
  (g->out_size == 8 ? count_up_uint64_t : g->out_size == 4 ? count_up_uint32_t : g->out_size == 2 ? count_up_uint16_t : count_up_uint8_t)(b->items, v->next, b->n);
  v->next += b->n;
  v->left -= b->n;
  return LEAT_OK;
}

struct leat_i_chan *leat_i_numbers(const struct leat_scope *s, size_t size, uint64_t from, uint64_t n, const char *birthplace) {
  happens_call();
  static const struct stage_kind numbers = {.name = "numbers", .source = next_of_numbers, .source_is_pure = true};
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &numbers, .scope = s, .out_size = size, .own = sizeof(struct numbers), .birthplace = birthplace});
  if (g) *(struct numbers *)(void *)g->own = (struct numbers){from, n};
  return leat_i_stage_output(g);
}

/* ---- functions ---- */

static int next_of_function(struct stage *g, struct batch *b, size_t want) {
  (void)want; /* one, as it has effects */
  memset(b->items, 0, g->out_size);
  b->n = g->kernel(&g->step, NULL, b->items, 1);
  return b->n ? LEAT_OK : g->step.status;
}

struct leat_i_chan *leat_i_generate(const struct leat_scope *s, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind generate = {.name = "generate", .source = next_of_function, .effect = true};
  return leat_i_stage_output(leat_i_stage_of_fun(&(struct stage_spec){.kind = &generate, .scope = s, .out_size = fun->out, .birthplace = birthplace}, fun, args, NULL));
}

/* ---- lines ---- */

struct lines {
  char *path;
  int fd;
  bool ours, ended;
  char *text; /* what has been read and not given */
  size_t from, to, size;
};
static struct lines *lines_of(struct stage *g) { return (struct lines *)(void *)g->own; }
typedef leat_result(leat_line) line_result;

static int failed(struct lines *l, struct batch *b, leat_error *e) {
  l->ended = true;
  l->from = l->to; /* a line that has not been read to its end is none */
  *(line_result *)(void *)b->items = leat_err(leat_line, e);
  b->n = 1;
  return LEAT_OK;
}

static int give(struct lines *l, struct batch *b, size_t end, size_t next) {
  char *line = malloc(end - l->from + 1);
  if (!line) return LEAT_NOMEM;
  memcpy(line, l->text + l->from, end - l->from);
  line[end - l->from] = 0;
  l->from = next;
  *(line_result *)(void *)b->items = leat_ok(leat_line, line);
  b->n = 1;
  return LEAT_OK;
}

/* Room for some more bytes behind what there is. */
static bool make_room(struct lines *l) {
  if (l->from) {
    memmove(l->text, l->text + l->from, l->to - l->from);
    l->to -= l->from;
    l->from = 0;
  }
  if (l->to < l->size) return true;
  size_t size = l->size ? 2 * l->size : 8192;
  char *text = realloc(l->text, size);
  if (!text) return false;
  l->text = text;
  l->size = size;
  return true;
}

static int next_line(struct stage *g, struct batch *b, size_t want) {
  (void)want;
  struct lines *l = lines_of(g);
  size_t looked_at = l->from;
  if (l->path && l->fd < 0 && !l->ended) {
    l->fd = open(l->path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0) return failed(l, b, leat_error_new(LEAT_SYSTEM(errno), "cannot open %s", l->path));
    l->ours = true;
  }
  for (;;) {
    char *end = looked_at < l->to ? memchr(l->text + looked_at, '\n', l->to - looked_at) : NULL;
    if (end) return give(l, b, (size_t)(end - l->text), (size_t)(end - l->text) + 1);
    if (l->ended) return l->from < l->to ? give(l, b, l->to, l->to) : LEAT_CLOSED;
    size_t seen = l->to - l->from;
    if (!make_room(l)) return LEAT_NOMEM;
    looked_at = l->from + seen;
    ssize_t n = leat_io_read(l->fd, l->text + l->to, l->size - l->to);
    if (n == LEAT_CANCELED || n == LEAT_DEADLINE) return (int)n;
    if (n < 0) return failed(l, b, leat_error_new((int)n, "cannot read %s", l->path ? l->path : "lines"));
    l->to += (size_t)n;
    l->ended = n == 0;
  }
}

static void end_lines(struct stage *g) {
  struct lines *l = lines_of(g);
  if (l->ours) leat_io_close(l->fd);
  free(l->text);
  free(l->path);
}

static void drop_line(void *item) {
  line_result *r = item;
  free(r->value);
  leat_error_release(r->error);
}

static struct leat_i_chan *make_lines(const struct leat_scope *s, struct lines from, const char *birthplace) {
  static const struct stage_kind lines = {.name = "lines", .source = next_line, .end = end_lines, .effect = true};
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &lines, .scope = s, .out_size = sizeof(line_result), .own = sizeof(struct lines), .birthplace = birthplace});
  if (!g) {
    free(from.path);
    return leat_i_stage_output(g);
  }
  *lines_of(g) = from;
  leat_i_on_drop(leat_i_stage_output(g), drop_line);
  return leat_i_stage_output(g);
}

struct leat_i_chan *leat_i_lines(const struct leat_scope *s, const char *path, const char *birthplace) {
  happens_call();
  return make_lines(s, (struct lines){.path = path ? strdup(path) : NULL, .fd = -1}, birthplace);
}

struct leat_i_chan *leat_i_lines_of(const struct leat_scope *s, int fd, const char *birthplace) {
  happens_call();
  return make_lines(s, (struct lines){.fd = fd}, birthplace);
}
