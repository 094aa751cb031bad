/* A table by ids that is shared, and waiting until something has become of an id: what cells and permissions have in common.
 *
 * All under a mutex, as a table allocates. Who waits has an event in his frame, and looks again when it is set. What happens in the table is our own
 * affair (happens.h): who is ordered by it is said where it is promised, with the address of the ids. */
#pragma once
#include "../core/panic.h"
#include "../core/scope.h"
#include "../core/waiter.h"
#include <leat/duplicate.h>
#include <leat/event.h>
#include <leat/mutex.h>

enum { MOST_IDS = 1024 }; /* unless the user says how many */

struct id_wait {
  struct id_wait *next, *previous;
  const void *id;
  leat_event changed;
};

struct ids {
  leat_mutex lock; /* guards the rest */
  struct leat_i_table table;
  struct id_wait *waits;
};

static inline bool same_id(const void *a, const void *b, const struct leat_i_id_type *type) {
  if (!type->text) return memcmp(a, b, type->size) == 0;
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  return x == y || (x && y && strcmp(x, y) == 0);
}

static inline void wake_for_id(struct ids *s, const void *id, const struct leat_i_id_type *type) {
  for (struct id_wait *w = s->waits, *next; w; w = next) {
    bool same;
    next = w->next;
    quietly same = same_id(w->id, id, type);
    if (same) leat_event_set(&w->changed); /* it cannot return, and be gone, before we drop the lock */
  }
}

/* With the lock, which it takes again: LEAT_OK, to look again; else the answer, unless it was woken at the same moment. */
static inline int wait_for_id(struct ids *s, const void *id, int64_t deadline) {
  struct id_wait w = {.next = s->waits, .id = id};
  if (s->waits) s->waits->previous = &w;
  s->waits = &w;
  leat_mutex_unlock(&s->lock);
  int status = leat_event_wait_until(&w.changed, deadline);
  leat_mutex_lock(&s->lock);
  if (w.next) w.next->previous = w.previous;
  if (w.previous) w.previous->next = w.next;
  else s->waits = w.next;
  return status;
}

/* Forgets the first id, of those that were added, of which this holds. False: there is none. */
static inline bool forget_first(struct ids *s, bool (*holds)(const void *value)) {
  void *id, *value;
  size_t looked_at = 0;
  for (size_t i = 0; leat_i_table_next(&s->table, &i, &id, &value); looked_at++)
    if (holds(value)) return looked_at ? leat_i_table_remove(&s->table, id) : leat_i_table_remove_first(&s->table);
  return false;
}
