/* See leat/duplicate.h.
 *
 * The stage: a table of items by key, in the order of addition, so that the first is always the one whose time is over first.
 *
 * Cells: a table by id, of marks and values. An id whose value was taken keeps its mark, by which later reports are known to be duplicates, until it
 * is forgotten because there are too many. */
#include "../core/time.h"
#include "../flow/cell.h"
#include "../runtime/nondet.h"
#include "ids.h"

/* ---- the stage ---- */

struct held_back {
  struct leat_i_table table; /* of items behind the time when the first of their key came */
  size_t most;
  int64_t wait;
  size_t size;
  void (*drop)(void *);
};
struct held {
  int64_t until;
  _Alignas(16) char item[];
};

static struct held *first_held(const struct held_back *h) {
  size_t i = 0;
  void *key, *value;
  return leat_i_table_next(&h->table, &i, &key, &value) ? value : NULL;
}

static void drop_held(struct held_back *h) {
  for (struct held *first; (first = first_held(h)); leat_i_table_remove_first(&h->table))
    if (h->drop) h->drop(first->item);
  leat_i_table_free(&h->table);
}

static int emit_first(struct stage *g, struct held_back *h, struct cell *spare) {
  memcpy(spare->item, first_held(h)->item, h->size);
  leat_i_table_remove_first(&h->table);
  return leat_i_pass_on(output_of(g, 0), spare->item);
}

static void free_key(char **key) { free(*key); }

static int run_last_by(struct stage *g) {
  struct held_back *h = (struct held_back *)g->step.state;
  h->drop = g->in->drop;
  struct cell c, spare;
  char *key = malloc(h->table.key_size);
  leat_defer(drop_held, h);
  leat_defer(free_key, &key);
  bool memory = make_cell(&c, h->size, h->drop);
  leat_defer(free_cell, &c);
  memory &= make_cell(&spare, h->size, NULL);
  leat_defer(free_cell, &spare);
  if (!memory || !key) return LEAT_NOMEM;
  for (;;) {
    stage_has(g, leat_i_table_len(&h->table));
    struct held *held = first_held(h);
    int64_t until = held ? held->until : LEAT_NEVER;
    bool due = until != LEAT_NEVER && until <= leat_i_nondet_clock(); /* a receive that finds an item does not look */
    int status = due ? LEAT_DEADLINE : leat_i_recv((struct leat_i_chan *)g->in, c.item, h->size, until);
    if (due || (status == LEAT_DEADLINE && !leat_scope_status(g->body_scope))) {
      if ((status = emit_first(g, h, &spare))) return status;
      continue;
    }
    if (status == LEAT_CLOSED)
      for (int sent = LEAT_OK; !sent && first_held(h);) sent = emit_first(g, h, &spare); /* what it could not send is dropped at the end */
    if (status) return status;
    c.holds = true;
    g->kernel(&g->step, c.item, key, 1);
    held = leat_i_table_get(&h->table, key);
    bool is_new = !held;
    if (is_new && leat_i_table_len(&h->table) == h->most && (status = emit_first(g, h, &spare))) return status;
    if (is_new && !(held = leat_i_table_put(&h->table, key))) return LEAT_NOMEM;
    if (is_new) held->until = h->wait == LEAT_NEVER ? LEAT_NEVER : leat_i_deadline_after(h->wait);
    else if (h->drop) h->drop(held->item);
    memcpy(held->item, c.item, h->size);
    c.holds = false;
  }
}

struct leat_i_chan *leat_i_last_by(const struct leat_scope *s, struct leat_i_chan *in, size_t size, const struct leat_i_fun *key, const void *args, bool text, size_t most, int64_t wait, const char *birthplace) {
  happens_call();
  static const struct stage_kind last_by = {.name = "last_by", .body = run_last_by, .takes_over = true, .keeps = true};
  struct leat_i_fun fun = *key;
  fun.state = sizeof(struct held_back);
  fun.name = "last_by";
  struct held_back h = {.table = {.key_size = key->out, .value_size = sizeof(struct held) + size, .text = text}, .most = most ? most : 1, .wait = wait, .size = size};
  struct stage_spec spec = {.kind = &last_by, .scope = s, .in = in, .in_size = size, .out_size = size, .birthplace = birthplace};
  return leat_i_stage_output(leat_i_stage_of_fun(&spec, &fun, args, &h));
}

/* ---- cells ---- */

struct cells {
  /* As the macro leat_cells has it. */
  size_t most;
  enum leat_keep keep;
  void (*drop)(void *);
  void *id, *value;
  /* Of leat_i_cells. */
  struct ids ids;
};
_Static_assert(sizeof(struct cells) <= sizeof(leat_cells(int, int)), "leat_cells has too little room");

struct place {
  bool taken;
  _Alignas(16) char value[];
};

static bool is_taken(const void *place) { return ((const struct place *)place)->taken; }

static struct leat_i_table *cells_table(struct cells *c, size_t size, const struct leat_i_id_type *type) {
  return leat_i_table_of(&c->ids.table, type->size, sizeof(struct place) + size, type->text);
}

enum { REPLACED = 1 }; /* the old value is where the new one was */

/* With the lock. */
static int put(struct cells *c, const void *id, char *value, size_t size, const struct leat_i_id_type *type) {
  struct leat_i_table *t = cells_table(c, size, type);
  struct place *p = leat_i_table_get(t, id);
  if (p && (p->taken || c->keep == LEAT_KEEP_FIRST)) return LEAT_CLOSED;
  if (p) {
    for (size_t i = 0; i < size; i++) {
      char old = p->value[i];
      p->value[i] = value[i];
      value[i] = old;
    }
    return REPLACED;
  }
  if (leat_i_table_len(t) == (c->most ? c->most : MOST_IDS) && !forget_first(&c->ids, is_taken)) return LEAT_FULL;
  p = leat_i_table_put(t, id);
  if (!p) return LEAT_NOMEM;
  memcpy(p->value, value, size);
  return LEAT_OK;
}

int leat_i_cell_put(void *cells, const void *id, void *value, size_t size, struct leat_i_id_type type) {
  happens_call();
  struct cells *c = cells;
  int status;
  happens_before(&c->ids);
  leat_mutex_lock(&c->ids.lock);
  quietly status = put(c, id, value, size, &type);
  if (!status) wake_for_id(&c->ids, id, &type);
  leat_mutex_unlock(&c->ids.lock);
  if (status != REPLACED) return status;
  happens_after(&c->ids);
  if (c->drop) c->drop(value);
  return LEAT_OK;
}

static int take(struct cells *c, const void *id, void *value, size_t size, const struct leat_i_id_type *type) {
  struct place *p = leat_i_table_get(cells_table(c, size, type), id);
  if (!p) return LEAT_EMPTY;
  if (p->taken) return LEAT_CLOSED;
  memcpy(value, p->value, size);
  p->taken = true;
  return LEAT_OK;
}

static int take_or_wait(struct cells *c, const void *id, void *value, size_t size, struct leat_i_id_type type, int64_t deadline, bool waits) {
  struct goroutine *self = leat_i_self();
  memset(value, 0, size);
  int status = leat_i_scope_interrupts(self->scope), ended = LEAT_OK;
  if (status) return leat_i_cancelled(self, status);
  leat_mutex_lock(&c->ids.lock);
  for (;; ended = wait_for_id(&c->ids, id, deadline)) { /* also then it looks once more */
    quietly status = take(c, id, value, size, &type);
    if (status != LEAT_EMPTY || !waits || ended) break;
  }
  leat_mutex_unlock(&c->ids.lock);
  happens_after(&c->ids);
  if (status == LEAT_EMPTY && ended) return ended;
  leat_i_operation(self);
  return wait_answer(self, status);
}

int leat_i_cell_take(void *cells, const void *id, void *value, size_t size, struct leat_i_id_type type, int64_t deadline) {
  happens_call();
  return take_or_wait(cells, id, value, size, type, deadline, true);
}

int leat_i_cell_try_take(void *cells, const void *id, void *value, size_t size, struct leat_i_id_type type, int64_t unused) {
  (void)unused;
  happens_call();
  return take_or_wait(cells, id, value, size, type, 0, false);
}

void leat_i_cells_free(void *cells) {
  struct cells *c = cells;
  void *id, *value;
  happens_after(&c->ids);
  for (size_t i = 0; leat_i_table_next(&c->ids.table, &i, &id, &value);)
    if (c->drop && !is_taken(value)) c->drop(((struct place *)value)->value);
  leat_i_table_free(&c->ids.table);
}
