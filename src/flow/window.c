/* See leat/window.h. */
#include "../core/panic.h"
#include "../core/time.h"
#include "../runtime/nondet.h"
#include "cell.h"
#include <leat/window.h>

/* ---- slices ---- */

void leat_i_slice_free(void **items, size_t *n, void (*drop)(void *), size_t size) {
  for (size_t i = 0; drop && i < *n; i++) drop((char *)*items + i * size);
  free(*items);
  *items = NULL;
  *n = 0;
}

static void drop_slice(void *slice) {
  struct leat_i_slice *s = slice;
  leat_i_slice_free(&s->items, &s->n, s->leat_i_drop, s->leat_i_size);
}

/* Memory grows with what comes: that n items are allowed does not say that so many will. *room: of the slice, 0 for a new one. */
static bool make_room(struct stage *g, struct leat_i_slice *s, size_t *room, size_t n) {
  size_t more = *room ? 2 * *room : 64, bytes;
  if (more > n) more = n;
  if (!*room) *s = (struct leat_i_slice){.leat_i_drop = g->in->drop, .leat_i_size = g->in_size};
  void *items = __builtin_mul_overflow(more, g->in_size, &bytes) ? NULL : realloc(s->items, bytes);
  if (!items) return false;
  s->items = items;
  *room = more;
  return true;
}

/* Hands the slice over, whatever comes of it. */
static int emit(struct stage *g, struct leat_i_slice *s) {
  struct leat_i_slice gone = *s;
  s->items = NULL;
  s->n = 0;
  return leat_i_pass_on(output_of(g, 0), &gone);
}

static struct leat_i_chan *make(struct stage_spec spec, size_t n, int64_t argument) {
  struct stage *g = leat_i_stage_make(&spec);
  if (g) {
    g->room = n;
    g->count = argument;
    g->out->drop = drop_slice;
  }
  return leat_i_stage_output(g);
}

static char *place(struct stage *g, const struct leat_i_slice *s, size_t i) { return (char *)s->items + i * g->in_size; }

static int run_batch(struct stage *g) {
  struct leat_i_slice s = {0};
  leat_defer(drop_slice, (void *)&s);
  struct leat_i_chan *in = (struct leat_i_chan *)g->in;
  for (size_t room = 0;;) {
    int64_t until = LEAT_NEVER;
    int status = LEAT_OK;
    bool waited = false;
    while (stage_has(g, s.n), s.n < g->room && !waited) {
      if (s.n == room && !make_room(g, &s, &room, g->room)) return LEAT_NOMEM;
      if ((status = leat_i_recv(in, place(g, &s, s.n), g->in_size, until))) break;
      if (s.n++ == 0 && g->count != LEAT_NEVER) until = leat_i_deadline_after(g->count);
      waited = until != LEAT_NEVER && leat_i_nondet_clock() >= until; /* a receive that finds an item does not look */
    }
    waited |= status == LEAT_DEADLINE && !leat_scope_status(g->body_scope);
    if (status && status != LEAT_CLOSED && !waited) return status;
    int sent = s.n ? emit(g, &s) : LEAT_OK;
    room = 0;
    if (sent) return sent;
    if (status && !waited) return status;
  }
}

struct leat_i_chan *leat_i_batch(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, int64_t wait, const char *birthplace) {
  happens_call();
  static const struct stage_kind batch = {.name = "batch", .body = run_batch, .keeps = true};
  return make((struct stage_spec){.kind = &batch, .scope = s, .in = in, .in_size = size, .out_size = sizeof(struct leat_i_slice), .birthplace = birthplace}, n ? n : 1, wait);
}

/* ---- windows ---- */

static int run_windows(struct stage *g) {
  struct leat_i_slice s = {0}, next = {0};
  leat_defer(drop_slice, (void *)&s);
  struct leat_i_chan *in = (struct leat_i_chan *)g->in;
  size_t n = g->room, step = (size_t)g->count, room = 0;
  if (!make_room(g, &s, &room, n)) return LEAT_NOMEM;
  for (;;) {
    int status = LEAT_OK;
    while (stage_has(g, s.n), s.n < n) {
      if (s.n == room && !make_room(g, &s, &room, n)) return LEAT_NOMEM;
      if ((status = leat_i_recv(in, place(g, &s, s.n), g->in_size, LEAT_NEVER))) break;
      s.n++;
    }
    if (status) {
      bool rest = status == LEAT_CLOSED && s.n && step == n;
      return rest && emit(g, &s) ? LEAT_CLOSED : status;
    }
    size_t kept = step < n ? n - step : 0;
    for (room = 0; room < (kept ? kept : 1);)
      if (!make_room(g, &next, &room, n)) {
        free(next.items); /* copies */
        return LEAT_NOMEM;
      }
    if (kept) memcpy(next.items, place(g, &s, step), kept * g->in_size);
    next.n = kept;
    if ((status = emit(g, &s))) {
      free(next.items);
      return status;
    }
    s = next;
    for (size_t skipped = n; skipped < step; skipped++) {
      if ((status = leat_i_recv(in, s.items, g->in_size, LEAT_NEVER))) return status;
      if (g->in->drop) g->in->drop(s.items);
    }
  }
}

struct leat_i_chan *leat_i_windows(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, size_t step, const char *birthplace) {
  happens_call();
  static const struct stage_kind windows = {.name = "windows", .body = run_windows, .keeps = true};
  if (!n) n = 1;
  if (!step) leat_i_panic("leat_windows at %s: a step of no items would give the same window for ever", birthplace);
  if (step < n && drop_of(chan_of(in)))
    leat_i_panic("leat_windows at %s: the items have a drop function, so each has one owner, and cannot be in several windows; use a step of %zu", birthplace, n);
  return make((struct stage_spec){.kind = &windows, .scope = s, .in = in, .in_size = size, .out_size = sizeof(struct leat_i_slice), .birthplace = birthplace}, n, (int64_t)step);
}

/* ---- items that wait for their turn: a heap, least first ---- */

struct waiting {
  char *items; /* each behind its number; two places more than `room`: for the one that is received, and to swap */
  size_t n, room, entry;
  int64_t arrived;
  int (*compare)(const void *, const void *); /* NULL: by number */
};
struct numbered {
  int64_t number; /* of arrival, or its own */
  _Alignas(16) char item[];
};
static struct numbered *at(const struct waiting *w, size_t i) { return (struct numbered *)(void *)(w->items + i * w->entry); }

static bool before(const struct waiting *w, size_t i, size_t j) {
  int order = w->compare ? w->compare(at(w, i)->item, at(w, j)->item) : 0;
  return order ? order < 0 : at(w, i)->number < at(w, j)->number;
}

static void swap(struct waiting *w, size_t i, size_t j) {
  char *spare = (char *)at(w, w->room + 1);
  memcpy(spare, at(w, i), w->entry);
  memcpy(at(w, i), at(w, j), w->entry);
  memcpy(at(w, j), spare, w->entry);
}

static void sift_up(struct waiting *w) {
  for (size_t i = w->n - 1; i && before(w, i, (i - 1) / 2); i = (i - 1) / 2) swap(w, i, (i - 1) / 2);
}

/* The least goes to the end of the heap, and is no longer part of it: only then, so that it is not lost if the user's function panics. */
static struct numbered *pop(struct waiting *w) {
  size_t n = w->n - 1;
  swap(w, 0, n);
  for (size_t i = 0;;) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
      if (before(w, child, least)) least = child;
    if (least == i) return at(w, w->n = n);
    swap(w, i, least);
    i = least;
  }
}

struct heap_of {
  struct stage *g;
  struct waiting *w;
};
static void free_waiting(struct heap_of *h) {
  for (size_t i = 0; h->g->in->drop && i < h->w->n; i++) h->g->in->drop(at(h->w, i)->item);
  free(h->w->items);
}

static bool make_place(struct stage *g, struct waiting *w) {
  size_t room = w->items ? 2 * w->room : 16, bytes;
  w->entry = sizeof(struct numbered) + ((g->in_size + 15) & ~(size_t)15);
  char *items = __builtin_mul_overflow(room + 2, w->entry, &bytes) ? NULL : realloc(w->items, bytes);
  if (!items) return false;
  w->items = items;
  w->room = room;
  return true;
}

static int receive_into(struct stage *g, struct waiting *w) {
  if ((!w->items || w->n > w->room) && !make_place(g, w)) return LEAT_NOMEM;
  return leat_i_recv((struct leat_i_chan *)g->in, at(w, w->n)->item, g->in_size, LEAT_NEVER);
}

static int run_sort_window(struct stage *g) {
  struct waiting w = {.compare = (int (*)(const void *, const void *))(void (*)(void))*(void (**)(void))(void *)g->own};
  struct heap_of heap = {g, &w};
  leat_defer(free_waiting, &heap);
  int status;
  while (stage_has(g, w.n), !(status = receive_into(g, &w))) {
    at(&w, w.n)->number = w.arrived++;
    stage_has(g, ++w.n);
    sift_up(&w);
    if (w.n > g->room && (status = leat_i_pass_on(output_of(g, 0), pop(&w)->item))) return status;
  }
  while (status == LEAT_CLOSED && w.n) {
    int sent = leat_i_pass_on(output_of(g, 0), pop(&w)->item);
    if (sent) return sent;
  }
  return status;
}

struct leat_i_chan *leat_i_sort_window(const struct leat_scope *s, struct leat_i_chan *in, size_t size, size_t n, int (*compare)(const void *, const void *), const char *birthplace) {
  happens_call();
  static const struct stage_kind sort = {.name = "sort_window", .body = run_sort_window, .takes_over = true, .keeps = true};
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &sort, .scope = s, .in = in, .in_size = size, .out_size = size, .own = sizeof compare, .birthplace = birthplace});
  if (g) {
    g->room = n;
    memcpy(g->own, &compare, sizeof compare);
  }
  return leat_i_stage_output(g);
}

/* Gives those whose turn it is; if more than `most` wait, the missing one's turn passes to the least that is there. */
static int give_turns(struct stage *g, struct waiting *w, int64_t *next, size_t most) {
  while (w->n) {
    int64_t least = at(w, 0)->number;
    if (least > *next && w->n <= most) return LEAT_OK;
    struct numbered *item = pop(w);
    if (least < *next) { /* it came too late, or twice */
      if (g->in->drop) g->in->drop(item->item);
      continue;
    }
    *next = least + 1;
    int status = leat_i_pass_on(output_of(g, 0), item->item);
    if (status) return status;
  }
  return LEAT_OK;
}

static int run_reorder(struct stage *g) {
  struct waiting w = {0};
  int64_t next = g->count;
  struct heap_of heap = {g, &w};
  leat_defer(free_waiting, &heap);
  int status;
  while (stage_has(g, w.n), !(status = receive_into(g, &w))) {
    stage_has(g, ++w.n); /* so that it is not lost if the function panics */
    g->kernel(&g->step, at(&w, w.n - 1)->item, &at(&w, w.n - 1)->number, 1);
    sift_up(&w);
    if ((status = give_turns(g, &w, &next, g->room))) return status;
  }
  int given = status == LEAT_CLOSED ? give_turns(g, &w, &next, 0) : LEAT_OK;
  return given ? given : status;
}

struct leat_i_chan *leat_i_reorder(const struct leat_scope *s, struct leat_i_chan *in, size_t size, int64_t first, size_t n, const struct leat_i_fun *fun, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind reorder = {.name = "reorder", .body = run_reorder, .takes_over = true, .keeps = true};
  struct stage_spec spec = {.kind = &reorder, .scope = s, .in = in, .in_size = size, .out_size = size, .birthplace = birthplace};
  struct stage *g = leat_i_stage_of_fun(&spec, fun, args, NULL);
  if (g) {
    g->room = n;
    g->count = first;
  }
  return leat_i_stage_output(g);
}
