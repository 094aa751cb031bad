/* See membership.h. */
#include "membership.h"
#include "../runtime/park.h"
#include "waiter.h"

enum { STARTS_BEFORE = 8, AHEAD = 10 };

/* With the lock, which it drops: n tasks less, or one service. If it was the last, those who wait for that go on; then the scope may be gone. */
static void count_down(struct scope *s, uint32_t n, bool service) {
  struct goroutine *woken = NULL;
  s->n_live -= n;
  if (!service) s->n_tasks -= n;
  if (s->joiners && !(s->join_all ? s->n_live : s->n_tasks)) {
    for (struct goroutine *g = s->joiners, *next; g; g = next) {
      next = g->link;
      if (leat_i_claim(g, LEAT_OK)) goroutine_collect(&woken, g); /* always: the wait is masked */
    }
    s->joiners = NULL;
  }
  lock_drop(&s->lock);
  leat_i_ready_list(woken);
}

/* ---- credit ---- */

void leat_i_credit_return(struct worker *w) {
  struct scope *s = load_relaxed(&w->credit_of);
  uint32_t n = load_relaxed(&w->credit);
  if (n) lock_take(&s->lock); /* without credit the scope may be gone */
  store_relaxed(&w->credit, 0);
  store_release(&w->credit_of, NULL);
  if (n) count_down(s, n, false);
}

/* The worker's credit is of s from here on. */
static void credit_in(struct worker *w, struct scope *s) {
  if (load_relaxed(&w->credit_of) == s) return;
  if (load_relaxed(&w->credit_of)) leat_i_credit_return(w);
  store_release(&w->credit_of, s);
}

uint32_t leat_i_without_credit(const struct scope *s, uint32_t n) {
  uint32_t sum = 0;
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
    if (load_acquire(&w->credit_of) != s) continue;
    uint32_t credit = load_acquire(&w->credit);
    if (load_relaxed(&w->credit_of) == s) sum += credit;
  }
  return sum < n ? n - sum : 0;
}

/* ---- counting ---- */

int leat_i_member_add(struct scope *s, struct goroutine *g) {
  lock_take(&s->lock);
  int status = load_relaxed(&s->status);
  if (status == LEAT_OK) {
    s->n_live++;
    if (!g->service) s->n_tasks++;
    if (s->starts < STARTS_BEFORE && ++s->starts == STARTS_BEFORE && s->kind == SCOPE_BLOCK) store_relaxed(&s->on_credit, true);
  }
  lock_drop(&s->lock);
  if (status) {
    happens_after(&s->status);
    return status;
  }
  while (unlikely((s = leat_i_also_counted(s)) != NULL)) {
    lock_take(&s->lock);
    s->n_live++;
    if (!g->service) s->n_tasks++;
    lock_drop(&s->lock);
  }
  return LEAT_OK;
}

int leat_i_member_start(struct goroutine *self, struct scope *s, struct goroutine *g) {
  struct worker *w = leat_i_worker();
  if (!load_relaxed(&s->on_credit) || !w || g->service || !stands_for(self, s)) return leat_i_member_add(s, g);
  int status = leat_i_scope_interrupts(s);
  if (unlikely(status)) {
    happens_after(&s->status);
    return status;
  }
  credit_in(w, s);
  uint32_t credit = load_relaxed(&w->credit);
  if (likely(credit)) {
    store_relaxed(&w->credit, credit - 1);
    return LEAT_OK;
  }
  lock_take(&s->lock);
  s->n_live += CREDIT + 1;
  s->n_tasks += CREDIT + 1;
  store_relaxed(&w->credit, CREDIT);
  lock_drop(&s->lock);
  return LEAT_OK;
}

static void end_on_credit(struct worker *w, struct scope *s) {
  credit_in(w, s);
  uint32_t credit = load_relaxed(&w->credit) + 1;
  if (likely(credit < MOST_CREDIT)) {
    store_relaxed(&w->credit, credit);
    return;
  }
  lock_take(&s->lock);
  store_relaxed(&w->credit, credit - CREDIT);
  count_down(s, CREDIT, false);
}

/* With the members' lock. */
static void take_off(struct scope *s, struct slot *slot) {
  if (slot->previous) slot->previous->next = slot->next;
  else s->members = slot->next;
  if (slot->next) slot->next->previous = slot->previous;
}

static void unlist(struct scope *s, struct goroutine *g) {
  lock_take(&s->members_lock);
  take_off(s, g->slot);
  lock_drop(&s->members_lock);
}

/* It was counted on credit or not: the count is the same. */
void leat_i_member_take_back(struct goroutine *g) {
  bool service = g->service;
  for (struct scope *s = g->base, *up; s; s = up) {
    up = leat_i_also_counted(s);
    happens_before(service ? &s->n_live : &s->n_tasks);
    lock_take(&s->lock);
    count_down(s, 1, service);
  }
}

void leat_i_member_ended(struct goroutine *g) {
  struct scope *s = g->base;
  struct worker *w = leat_i_worker();
  if (!g->unlisted) unlist(s, g);
  if (load_relaxed(&s->on_credit) && w && !g->service) {
    happens_before(&s->n_tasks);
    end_on_credit(w, s);
  } else {
    leat_i_member_take_back(g);
  }
}

/* ---- listing ---- */

void leat_i_member_list(struct goroutine *g) {
  struct scope *s = g->base;
  struct slot *slot = g->slot;
  g->unlisted = false;
  lock_take(&s->members_lock);
  slot->previous = NULL;
  slot->next = s->members;
  if (s->members) s->members->previous = slot;
  s->members = slot;
  lock_drop(&s->members_lock);
}

bool leat_i_has_listed_members(struct scope *s) {
  lock_take(&s->members_lock);
  bool any = s->members;
  lock_drop(&s->members_lock);
  return any;
}

/* A cursor keeps the place in the list of a walk that has given up the lock; it looks like a slot that is nobody's. */
static bool is_cursor(const struct slot *slot) { return slot->index == UINT32_MAX; }

static struct slot *prefetch_next(struct slot *slot) {
  if (!slot) return NULL;
  if (!is_cursor(slot)) __builtin_prefetch(leat_i_stack_descriptor(slot), 1);
  return slot->next;
}
static struct slot *prefetch_first(struct slot *slot) {
  for (int i = 0; i < AHEAD; i++) slot = prefetch_next(slot);
  return slot;
}

/* With the lock, which it gives up for a while. Answers who comes after the slot then. */
static struct slot *pause_behind(struct scope *s, struct slot *slot, void (*pause)(void *environment), void *environment) {
  struct slot cursor = {.index = UINT32_MAX, .previous = slot, .next = slot->next};
  if (cursor.next) cursor.next->previous = &cursor;
  slot->next = &cursor;
  lock_drop(&s->members_lock);
  pause(environment);
  lock_take(&s->members_lock);
  take_off(s, &cursor);
  return cursor.next;
}

void leat_i_members_each_listed(struct scope *s, bool (*visit)(struct scope *s, struct goroutine *g, void *environment), void (*pause)(void *environment), void *environment) {
  lock_take(&s->members_lock);
  struct slot *slot = s->members, *ahead = prefetch_first(slot);
  while (slot) {
    ahead = prefetch_next(ahead);
    if (is_cursor(slot) || visit(s, leat_i_stack_descriptor(slot), environment)) {
      slot = slot->next;
    } else {
      slot = pause_behind(s, slot, pause, environment);
      ahead = prefetch_first(slot);
    }
  }
  lock_drop(&s->members_lock);
}
