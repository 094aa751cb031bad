/* Select: see leat/select.h.
 *
 *   0. If all channels are reserved for this worker (runtime/reserved.h), one section stands for all their locks, in steps 2 to 4; else
 *   1. Look at all cases without their channels' locks (chan_may_recv). Of those that may go on try any (or the first), under its lock; if it
 *      cannot after all, look again.
 *   2. Only if none can, and there is no default: lock all channels, in the order of their addresses (so that two selects cannot wait for
 *      each other), look again, since step 1 was not one moment, and put an entry into each queue.
 *   3. Park; the locks are dropped when the goroutine has left its stack. The one who claims it has done the chosen case.
 *   4. Take the other entries off their queues, one channel at a time: nobody can claim a second time. Where the claim was made, there is none.
 * A default is chosen in step 1 if there is one channel, and else in step 2: that none of several can go on is to be true of one moment. */
#include "../runtime/nondet.h"
#include "../runtime/scheduler.h"
#include "channel.h"
#include "gauge.h"
#include "panic.h"
#include "scope.h"
#include "time.h"
#include "select.h"
#include <limits.h>
#include <stdlib.h>

enum { ON_STACK = 16 };
enum { NOT_YET = INT_MIN }; /* no answer of a select */

#define INLINE static inline __attribute__((always_inline))

INLINE bool is_channel_case(const leat_case *k) {
  return (k->leat_i_kind == LEAT_I_CASE_RECV || k->leat_i_kind == LEAT_I_CASE_SEND) && k->leat_i_chan;
}

static void *place_of(leat_case *k) { return k->leat_i_value ? k->leat_i_value : k->leat_i_inline; }

/* With the channel's lock. */
static int attempt(leat_case *k, struct goroutine **woken) {
  struct chan *c = chan_of(k->leat_i_chan);
  return k->leat_i_kind == LEAT_I_CASE_RECV ? leat_i_chan_recv_locked(c, place_of(k), woken) : leat_i_chan_send_locked(c, place_of(k), woken);
}

/* The case's memory, as far as it is not in the case itself, has been read or written. */
static void touched(const leat_case *k) {
  (void)k;
  if (k->leat_i_kind == LEAT_I_CASE_RECV) happens_write(k->leat_i_value, chan_of(k->leat_i_chan)->elem_size);
  if (k->leat_i_kind == LEAT_I_CASE_SEND) happens_read(k->leat_i_value, chan_of(k->leat_i_chan)->elem_size);
}

static int chosen(struct goroutine *self, int index, int status) {
  self->select_status = status;
  note_done(self);
  return status == LEAT_NOMEM ? LEAT_NOMEM : index;
}

/* A case has been done, with the locks dropped. */
static int done(struct goroutine *self, const leat_case *cases, int index, struct goroutine *woken, int status) {
  touched(&cases[index]);
  if (woken) leat_i_ready(woken);
  leat_i_operation(self);
  return chosen(self, index, status);
}

/* ---- looking ---- */

struct found {
  int ready; /* one of those that may go on: the first, or any, all equally likely; -1: none */
  int by_default, last_channel, n_channels;
  bool timed; /* there is a deadline */
};

INLINE bool is_ready(const leat_case *k) {
  struct chan *c = chan_of(k->leat_i_chan);
  return k->leat_i_kind == LEAT_I_CASE_SEND ? chan_may_send(c) : chan_may_recv(c);
}

/* Whether the worker's section covers the case: its channel is reserved for it, and no feeder is to be asked, which may block. */
INLINE bool is_covered(const leat_case *k, const struct worker *w) {
  struct chan *c = chan_of(k->leat_i_chan);
  return reserved_is_own(&c->lock, w) && !(load_relaxed(&c->flags) & CHAN_UNASKED);
}

/* With a worker: in its section, and false if that does not cover all cases. */
INLINE bool look(leat_case *cases, size_t n, bool ordered, const struct worker *w, struct found *found) {
  uint32_t n_ready = 0;
  *found = (struct found){.ready = -1, .by_default = -1};
  for (size_t i = 0; i < n; i++) {
    if (is_channel_case(&cases[i])) {
      if (w && unlikely(!is_covered(&cases[i], w))) return false;
      found->n_channels++;
      found->last_channel = (int)i;
      if (is_ready(&cases[i]) && (!n_ready++ || (!ordered && !leat_i_nondet_choose(CHOOSE_CASE, n_ready)))) found->ready = (int)i;
    } else if (cases[i].leat_i_kind == LEAT_I_CASE_DEFAULT) {
      found->by_default = (int)i;
    } else {
      found->timed = true; /* or nothing at all */
    }
  }
  return true;
}

/* Not in a section: it may panic. */
INLINE void check(const leat_case *cases, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (is_channel_case(&cases[i])) leat_i_chan_check(chan_of(cases[i].leat_i_chan), "leat_select");
}
INLINE void ask(const leat_case *cases, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (is_channel_case(&cases[i]) && cases[i].leat_i_kind == LEAT_I_CASE_RECV) chan_ask(chan_of(cases[i].leat_i_chan));
}

/* Step 1. NOT_YET if that does not decide it. */
static int glance(struct goroutine *self, leat_case *cases, size_t n, bool ordered) {
  enum { MOST_IN_VAIN = 8 };
  struct found found;
  ask(cases, n);
  look(cases, n, ordered, NULL, &found);
  bool may_default = found.by_default >= 0 && found.n_channels <= 1; /* that none of several is ready can only be said of one moment */
  if (may_default && found.n_channels && found.ready < 0 && !was_fenced(self) && is_ready(&cases[found.last_channel])) found.ready = found.last_channel;
  for (int in_vain = 0; found.ready >= 0 && in_vain < MOST_IN_VAIN; in_vain++) {
    leat_case *k = &cases[found.ready];
    struct goroutine *woken = NULL;
    struct chan *c = chan_of(k->leat_i_chan);
    int status = k->leat_i_kind == LEAT_I_CASE_RECV ? chan_is_over(c) : LEAT_OK;
    if (status) {
      quietly memset(place_of(k), 0, c->elem_size);
    } else {
      struct lock *lock = chan_lock(c);
      status = attempt(k, &woken);
      lock_drop(lock);
    }
    if (status != WOULD_BLOCK) return done(self, cases, found.ready, woken, status);
    look(cases, n, ordered, NULL, &found);
  }
  if (!may_default || found.ready >= 0) return NOT_YET;
  leat_i_operation(self);
  self->select_status = LEAT_OK;
  self->ignored = 0; /* and `fenced` stays */
  return found.by_default;
}

/* ---- locking all ---- */

static void sort_locks(struct select *s) {
  for (size_t gap = s->n_locks / 2; gap; gap /= 2) /* Shell's sort: in place, no recursion, and selects are small */
    for (size_t i = gap; i < s->n_locks; i++) {
      struct chan *c = s->locks[i];
      size_t j = i;
      for (; j >= gap && (uintptr_t)s->locks[j - gap] > (uintptr_t)c; j -= gap) s->locks[j] = s->locks[j - gap];
      s->locks[j] = c;
    }
  size_t kept = 0;
  for (size_t i = 0; i < s->n_locks; i++)
    if (!kept || s->locks[kept - 1] != s->locks[i]) s->locks[kept++] = s->locks[i];
  s->n_locks = kept;
}

static void unlock_all(void *argument) {
  struct select *s = argument;
  /* Backwards, counted in a register: when the last lock is dropped the goroutine may go on, and s be gone. */
  struct chan **locks = s->locks;
  struct lock *section = s->section;
  for (size_t i = s->n_plain; i--;) lock_drop(&locks[i]->lock.lock);
  if (section) lock_drop(section);
}

/* Of those that are reserved for the worker, and those only. False, and nothing is held, if one of them no longer is. */
static bool enter_for_own(struct select *s, struct worker *w) {
  s->section = section_enter(w);
  for (size_t i = s->n_plain; i < s->n_locks; i++) {
    if (likely(reserved_is_own(&s->locks[i]->lock, w))) continue;
    unlock_all(s);
    return false;
  }
  return true;
}

/* The plain locks first, since in a section nobody waits (reserved.h). */
static void lock_all(struct select *s) {
  struct worker *w = leat_i_worker();
  for (size_t i = 0; i < s->n; i++)
    if (is_channel_case(&s->cases[i])) s->locks[s->n_locks++] = chan_of(s->cases[i].leat_i_chan);
  sort_locks(s);
  for (size_t i = 0; i < s->n_locks; i++) {
    struct chan *c = s->locks[i];
    if (w && reserved_is_own(&c->lock, w)) continue;
    s->locks[i] = s->locks[s->n_plain];
    s->locks[s->n_plain++] = c;
    leat_i_reserved_take(&c->lock, w); /* the plain one, as only this worker could reserve it for itself */
  }
  if (s->n_plain == s->n_locks || enter_for_own(s, w)) return;
  sort_locks(s);
  s->section = NULL;
  for (s->n_plain = 0; s->n_plain < s->n_locks; s->n_plain++) leat_i_reserved_take_plainly(&s->locks[s->n_plain]->lock, w);
}

/* ---- waiting; with all locks, or a section that covers them ---- */

/* Step 4. The locks are taken whether or not an entry is left there: commit_park may still be dropping them one by one, and who took an entry
 * off may just be trying to claim. Only for the entry that was claimed neither can be. */
static void take_off_all(struct select *s, const struct goroutine *self) {
  struct worker *w = leat_i_worker();
  struct lock *section = NULL; /* one for all that it covers, from here on */
  for (size_t i = 0; i < s->n; i++) {
    struct waiter *entry = &s->waiters[i];
    if (!is_channel_case(&s->cases[i]) || entry == self->woken_by) continue;
    struct reserved_lock *l = &entry->chan->lock;
    if (w && !section && reserved_is_own(l, w)) section = section_enter(w);
    if (section && likely(reserved_is_own(l, w))) {
      queue_remove(entry);
      continue;
    }
    if (section) lock_drop(section);
    section = NULL;
    struct lock *lock = leat_i_reserved_take(l, w);
    queue_remove(entry);
    lock_drop(lock);
  }
  if (section) lock_drop(section);
}

/* What a measured stage waits for that offers or wants several things: to get rid of what it has, if it has something. */
static enum side side_of(const struct select *s) {
  enum side side = SIDE_NEITHER;
  for (size_t i = 0; i < s->n; i++) {
    const leat_case *k = &s->cases[i];
    if (!is_channel_case(k)) continue;
    enum side of_case = gauge_side(chan_of(k->leat_i_chan), k->leat_i_kind == LEAT_I_CASE_SEND);
    if (of_case == SIDE_OUTPUT) return SIDE_OUTPUT;
    if (of_case == SIDE_INPUT) side = SIDE_INPUT;
  }
  return side;
}

static int wait_for_one(struct select *s, struct goroutine *self) {
  for (size_t i = 0; i < s->n; i++) {
    leat_case *k = &s->cases[i];
    if (!is_channel_case(k)) continue;
    struct chan *c = chan_of(k->leat_i_chan);
    struct waiter *w = &s->waiters[i];
    waiter_init(w, self, c, place_of(k));
    w->index = (uint32_t)i;
    queue_push(k->leat_i_kind == LEAT_I_CASE_RECV ? &c->receivers : &c->senders, w);
    if (k->leat_i_kind == LEAT_I_CASE_SEND) leat_i_chan_notify(c);
  }
  struct gauge_wait measured = {.side = SIDE_NEITHER};
  if (unlikely(self->server)) leat_i_gauge_wait_begins(&measured, self->server, side_of(s), 1);
  self->woken_by = NULL;
  int status = leat_i_park(self, &(struct park){.reason = WAIT_SELECT, .object = s, .lock = s->section, .unlock = s->n_plain ? unlock_all : NULL, .unlock_arg = s, .deadline = s->deadline});
  gauge_wait_ends(&measured, 1);
  take_off_all(s, self);
  struct waiter *w = self->woken_by;
  if (w) {
    if (w->status && s->cases[w->index].leat_i_kind == LEAT_I_CASE_RECV) memset(w->elem, 0, w->chan->elem_size);
    touched(&s->cases[w->index]);
    return chosen(self, (int)w->index, w->status);
  }
  int scope_status = leat_i_scope_interrupts(self->scope);
  if (status == LEAT_DEADLINE && !scope_status && s->deadline_index >= 0) return chosen(self, s->deadline_index, LEAT_OK);
  return status == LEAT_NOMEM ? LEAT_NOMEM : leat_i_cancelled(self, scope_status ? scope_status : status);
}

static int wait_for_none(const struct select *s, struct goroutine *self) {
  int status = leat_i_park(self, &(struct park){.reason = WAIT_NIL, .deadline = s->deadline});
  int scope_status = leat_i_scope_interrupts(self->scope);
  if (status == LEAT_DEADLINE && !scope_status) return chosen(self, s->deadline_index, LEAT_OK);
  return status == LEAT_NOMEM ? LEAT_NOMEM : leat_i_cancelled(self, scope_status ? scope_status : status);
}

static void find_deadline(struct select *s) {
  for (size_t i = 0; i < s->n; i++) {
    const leat_case *k = &s->cases[i];
    if (k->leat_i_kind != LEAT_I_CASE_TIMEOUT && k->leat_i_kind != LEAT_I_CASE_DEADLINE) continue;
    int64_t at = k->leat_i_kind == LEAT_I_CASE_DEADLINE ? k->leat_i_deadline : leat_i_deadline_after(k->leat_i_deadline);
    if (s->deadline_index >= 0 && at >= s->deadline) continue;
    s->deadline = at;
    s->deadline_index = (int)i;
  }
}

/* With all locks, where none is ready: answers without waiting if there is a default, or the deadline has passed. */
static int wait(struct select *s, struct goroutine *self, int by_default, int n_channels) {
  if (by_default < 0 && (s->deadline_index < 0 || s->deadline > leat_i_nondet_clock())) return n_channels ? wait_for_one(s, self) : wait_for_none(s, self);
  unlock_all(s);
  if (by_default < 0) leat_i_count(COUNT_TIMEOUTS, 1);
  leat_i_operation(self);
  return chosen(self, by_default < 0 ? s->deadline_index : by_default, LEAT_OK);
}

/* Steps 2 to 4. */
static int run(struct select *s, struct goroutine *self, bool ordered) {
  struct found found;
  find_deadline(s);
  lock_all(s);
  for (;;) {
    look(s->cases, s->n, ordered, NULL, &found);
    if (found.ready < 0) return wait(s, self, found.by_default, found.n_channels);
    struct goroutine *woken = NULL;
    int status = attempt(&s->cases[found.ready], &woken);
    if (status == WOULD_BLOCK) continue; /* who waited there was just cancelled, and is off the queue */
    unlock_all(s);
    return done(self, s->cases, found.ready, woken, status);
  }
}

static __attribute__((noinline)) int lock_and_look(struct goroutine *self, leat_case *cases, size_t n, bool ordered) {
  struct waiter waiters[ON_STACK];
  struct chan *locks[ON_STACK];
  struct select s = {.cases = cases, .n = n, .waiters = waiters, .locks = locks, .deadline = LEAT_NEVER, .deadline_index = -1};
  if (n <= ON_STACK) return run(&s, self, ordered);
  char *memory = malloc(n * (sizeof *waiters + sizeof *locks));
  if (!memory) return LEAT_NOMEM;
  s.waiters = (struct waiter *)(void *)memory;
  s.locks = (struct chan **)(void *)(memory + n * sizeof *waiters);
  /* Freed through the cleanup list too: waiting may end in a panic (too many ignored answers). */
  struct leat_i_defer guard = {.leat_i_fn = free, .leat_i_arg = memory};
  leat_i_defer_enter(&guard);
  int answer = run(&s, self, ordered);
  leat_i_defer_leave(&guard);
  return answer;
}

static __attribute__((noinline)) int wait_in_section(struct goroutine *self, leat_case *cases, size_t n, struct lock *section, struct found found) {
  struct waiter waiters[ON_STACK];
  struct select s = {.cases = cases, .n = n, .waiters = waiters, .section = section, .deadline = LEAT_NEVER, .deadline_index = -1};
  if (found.timed) find_deadline(&s);
  return wait(&s, self, found.by_default, found.n_channels);
}

static __attribute__((noinline)) int select_any(struct goroutine *self, leat_case *cases, size_t n, bool ordered) {
  int answer = glance(self, cases, n, ordered);
  return answer != NOT_YET ? answer : lock_and_look(self, cases, n, ordered);
}

/* Step 0. NOT_YET if it cannot be taken. */
INLINE int select_own(struct goroutine *self, struct worker *w, leat_case *cases, size_t n, bool ordered) {
  if (n > ON_STACK || !is_channel_case(&cases[0]) || !reserved_is_own(&chan_of(cases[0].leat_i_chan)->lock, w)) return NOT_YET;
  struct lock *section = section_enter(w);
  for (;;) {
    struct found found;
    struct goroutine *woken = NULL;
    if (!look(cases, n, ordered, w, &found)) break;
    if (found.ready < 0) return wait_in_section(self, cases, n, section, found);
    int status = attempt(&cases[found.ready], &woken);
    if (status == WOULD_BLOCK) continue;
    lock_drop(section);
    return done(self, cases, found.ready, woken, status);
  }
  lock_drop(section);
  return NOT_YET;
}

int leat_i_select(leat_case *cases, size_t n, bool ordered) {
  happens_call();
  struct goroutine *self = leat_i_self();
  struct worker *w = leat_i_worker();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  check(cases, n);
  int answer = w && n ? select_own(self, w, cases, n, ordered) : NOT_YET;
  return likely(answer != NOT_YET) ? answer : select_any(self, cases, n, ordered);
}

int leat_select_array(leat_case *cases, size_t n) {
  happens_call();
  return leat_i_select(cases, n, false);
}
int leat_select_array_ordered(leat_case *cases, size_t n) {
  happens_call();
  return leat_i_select(cases, n, true);
}
int leat_selected(void) { return leat_i_self()->select_status; }
