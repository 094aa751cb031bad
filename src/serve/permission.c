/* See leat/permission.h.
 *
 * A table of marks by id: OUT while somebody has the grant, USED afterwards; returned, it goes from the table. Who has to wait is woken whenever something
 * becomes of his id, and looks again: whoever comes first then has it.
 *
 * Rejected: a goroutine that is the parent and answers questions that come through a channel, as the Book draws it. Each question is two hand-overs then, and a
 * child that is cancelled between the answer and its receipt takes the grant with it. */
#include "../runtime/scheduler.h"
#include "ids.h"
#include <leat/permission.h>

struct permission {
  /* As the macro leat_permission has it. */
  size_t most;
  void *id;
  /* Of leat_i_permission. */
  struct ids ids;
  size_t out;
};
_Static_assert(sizeof(struct permission) <= sizeof(leat_permission(int)), "leat_permission has too little room");

enum { OUT = 1, USED };

struct grant {
  struct permission *permission; /* NULL: it is not out */
  struct leat_i_id_type type;
  _Alignas(16) char id[64];
};
_Static_assert(sizeof(struct grant) <= sizeof(leat_grant) && _Alignof(struct grant) <= _Alignof(leat_grant), "leat_grant has too little room");

static bool is_used(const void *mark) { return *(const char *)mark == USED; }

/* With the lock: LEAT_OK, LEAT_CLOSED, LEAT_FULL if another has it, LEAT_NOMEM. */
static int look(struct permission *p, const void *id, const struct leat_i_id_type *type) {
  struct leat_i_table *t = leat_i_table_of(&p->ids.table, type->size, 1, type->text);
  char *mark = leat_i_table_get(t, id);
  if (mark) return *mark == USED ? LEAT_CLOSED : LEAT_FULL;
  if (!(mark = leat_i_table_put(t, id))) return LEAT_NOMEM;
  *mark = OUT;
  p->out++;
  return LEAT_OK;
}

static int ask(struct permission *p, const void *id, struct leat_i_id_type type, int64_t deadline, leat_grant *to, bool waits) {
  struct grant *grant = (struct grant *)to;
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope), ended = LEAT_OK;
  grant->permission = NULL;
  if (status) return leat_i_cancelled(self, status);
  leat_mutex_lock(&p->ids.lock);
  for (;; ended = wait_for_id(&p->ids, id, deadline)) { /* also then it looks once more */
    quietly status = look(p, id, &type);
    if (status != LEAT_FULL || !waits || ended) break;
  }
  leat_mutex_unlock(&p->ids.lock);
  happens_after(&p->ids);
  if (status == LEAT_FULL && ended) return ended;
  if (!status) {
    grant->permission = p;
    grant->type = type;
    memcpy(grant->id, id, type.size);
  }
  leat_i_operation(self);
  return wait_answer(self, status);
}

int leat_i_ask(void *permission, const void *id, struct leat_i_id_type type, int64_t deadline, leat_grant *grant) {
  happens_call();
  return ask(permission, id, type, deadline, grant, true);
}

int leat_i_try_ask(void *permission, const void *id, struct leat_i_id_type type, int64_t unused, leat_grant *grant) {
  (void)unused;
  happens_call();
  return ask(permission, id, type, 0, grant, false);
}

static void mark_used(struct permission *p, const void *id) {
  *(char *)leat_i_table_get(&p->ids.table, id) = USED;
  if (leat_i_table_len(&p->ids.table) - p->out > (p->most ? p->most : MOST_IDS)) forget_first(&p->ids, is_used);
}

static void settle(struct grant *grant, bool used) {
  struct permission *p = grant->permission;
  grant->permission = NULL;
  happens_before(&p->ids);
  leat_mutex_lock(&p->ids.lock);
  p->out--;
  quietly {
    if (used) mark_used(p, grant->id);
    else leat_i_table_remove(&p->ids.table, grant->id);
  }
  wake_for_id(&p->ids, grant->id, &grant->type);
  leat_mutex_unlock(&p->ids.lock);
}

void leat_grant_use(leat_grant *of) {
  happens_call();
  struct grant *grant = (struct grant *)of;
  if (!grant->permission) leat_i_panic("leat_grant_use(%p): the grant is not out: it was used or returned before, or never given", (void *)grant);
  settle(grant, true);
}

void leat_grant_return(leat_grant *of) {
  happens_call();
  struct grant *grant = (struct grant *)of;
  if (grant->permission) settle(grant, false);
}

void leat_i_permission_free(void *permission) {
  struct permission *p = permission;
  if (p->out) leat_i_panic("leat_permission_free(%p): %zu of its grants are out", (void *)p, p->out);
  leat_i_table_free(&p->ids.table);
}
