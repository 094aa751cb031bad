/* Locks that are reserved for the worker that takes them again and again, which then needs no read-modify-write: what goroutines share is most
 * often used by those of one worker for a long time, and by others later (a word in and out of a channel: 11 against 21 ns).
 *
 *   - A lock has a plain lock, and an owner: the worker that it is reserved for, or nobody. The owner takes it by entering a section (section.h) and then looking
 *     whether it still is the owner. One section may cover several locks.
 *   - Who is not the owner takes the plain lock; if the lock is reserved for another it is revoked then: the ownership taken away, and the section awaited that
 *     the owner is in. So nobody takes such a lock in a section.
 *   - A lock is reserved when a worker has taken it for `patience` times in a row. Each time it is revoked, which costs 2 us or more, the patience doubles: with n
 *     operations on a lock it is revoked log2(n / FIRST_PATIENCE) times at most.
 *   - Rejected: a mark in the lock that its owner is at it. A former owner that was descheduled half way could clear that of the next one.
 *
 * The idea: lock reservation (Kawachiya, Koseki and Onodera, 2002). */
#pragma once
#include "section.h"

/* Guarded by itself; what is atomic is also read without. */
struct reserved_lock {
  struct lock lock;
  _Atomic(uint32_t) owner; /* a worker's mark, 0: nobody's */
  uint16_t last;           /* the mark of who took it last */
  uint16_t doubled;        /* how often its patience has */
  _Atomic(uint32_t) in_a_row; /* how often that one has taken it since the others did */
};

enum { FIRST_PATIENCE = 1024, MOST_DOUBLED = 20 };

static inline bool is_patient(struct reserved_lock *l) { return load_relaxed(&l->in_a_row) >> l->doubled < FIRST_PATIENCE; }

static inline bool reserved_is_own(struct reserved_lock *l, const struct worker *w) { return load_acquire(&l->owner) == w->mark; }

/* Takes it if it is the worker's own; answers the lock to be dropped, as all that take it, or NULL. */
static inline __attribute__((always_inline)) struct lock *reserved_take_own(struct reserved_lock *l, struct worker *w) {
  if (!reserved_is_own(l, w)) return NULL;
  struct lock *section = section_enter(w);
  if (likely(reserved_is_own(l, w))) return section;
  lock_drop(section);
  return NULL;
}

/* With the plain lock. */
static inline void reserved_note(struct reserved_lock *l, uint32_t mark) {
  uint32_t before = l->last == mark ? load_relaxed(&l->in_a_row) : 0;
  l->last = (uint16_t)mark;
  store_relaxed(&l->in_a_row, before + 1);
}

/* Takes it if that is a matter of some instructions, without a call. */
static inline __attribute__((always_inline)) struct lock *reserved_take_quickly(struct reserved_lock *l, struct worker *w) {
  struct lock *section = reserved_take_own(l, w);
  if (section) return section;
  if (unlikely(!lock_try(&l->lock))) return NULL;
  reserved_note(l, w->mark);
  if (likely(!load_relaxed(&l->owner) && is_patient(l))) return &l->lock;
  lock_drop(&l->lock);
  return NULL;
}

/* By who is not at it: false if those who were at it before this call have gone. One that is reserved for another passes for taken. */
static inline bool reserved_is_taken(struct reserved_lock *l, const struct worker *w) {
  uint32_t owner = load_acquire(&l->owner);
  return owner ? !w || owner != w->mark : load_acquire(&l->lock.taken) != 0;
}

/* Takes the plain lock, by a worker or, with NULL, another thread; from then on it is nobody's. */
struct lock *leat_i_reserved_take_plainly(struct reserved_lock *l, struct worker *w);

/* Takes it, and reserves it if it is time for that. */
struct lock *leat_i_reserved_take(struct reserved_lock *l, struct worker *w);
