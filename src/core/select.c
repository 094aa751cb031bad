/* Select: see leat/select.h.
 *
 *   1. Look at all cases without their channels' locks (chan_may_recv). Of those that may go on try any (or the first), under its lock; if it
 *      cannot after all, another.
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

static bool is_channel_case(const leat_case *k) {
  return (k->leat_i_kind == LEAT_I_CASE_RECV || k->leat_i_kind == LEAT_I_CASE_SEND) && k->leat_i_chan;
}

static void *place_of(leat_case *k) { return k->leat_i_value ? k->leat_i_value : k->leat_i_inline; }

/* With the channel's lock. */
static int attempt(leat_case *k, struct goroutine **woken) {
  struct chan *c = chan_of(k->leat_i_chan);
  return k->leat_i_kind == LEAT_I_CASE_RECV ? leat_i_chan_recv_locked(c, place_of(k), woken) : leat_i_chan_send_locked(c, place_of(k), woken);
}

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

static void survey(struct select *s, bool ordered) {
  uint32_t ready_order = 0;
  for (size_t i = 0; i < s->n; i++) {
    leat_case *k = &s->cases[i];
    if (is_channel_case(k)) {
      leat_i_chan_check(chan_of(k->leat_i_chan), "leat_select");
      if (k->leat_i_kind == LEAT_I_CASE_RECV) chan_ask(chan_of(k->leat_i_chan));
      uint32_t at = ordered || !ready_order ? ready_order : leat_i_nondet_choose(CHOOSE_CASE, ready_order + 1);
      s->order[ready_order++] = s->order[at]; /* Fisher and Yates, inside out */
      s->order[at] = (uint32_t)i;
    } else if (k->leat_i_kind == LEAT_I_CASE_DEFAULT) {
      s->default_index = (int)i;
    } else if (k->leat_i_kind == LEAT_I_CASE_TIMEOUT || k->leat_i_kind == LEAT_I_CASE_DEADLINE) {
      int64_t at = k->leat_i_kind == LEAT_I_CASE_DEADLINE ? k->leat_i_deadline : leat_i_deadline_after(k->leat_i_deadline);
      if (s->deadline_index < 0 || at < s->deadline) {
        s->deadline = at;
        s->deadline_index = (int)i;
      }
    }
  }
  s->n_locks = ready_order; /* for now: the number of channel cases */
}

/* The case's memory, as far as it is not in the case itself, has been read or written. */
static void touched(const leat_case *k) {
  (void)k;
  if (k->leat_i_kind == LEAT_I_CASE_RECV) happens_write(k->leat_i_value, chan_of(k->leat_i_chan)->elem_size);
  if (k->leat_i_kind == LEAT_I_CASE_SEND) happens_read(k->leat_i_value, chan_of(k->leat_i_chan)->elem_size);
}

static int chosen(struct goroutine *self, uint32_t index, int status) {
  self->select_status = status;
  note_done(self);
  if (status == LEAT_NOMEM) return LEAT_NOMEM;
  return (int)index;
}

static inline __attribute__((always_inline)) bool is_ready(const leat_case *k) {
  struct chan *c = chan_of(k->leat_i_chan);
  leat_i_chan_check(c, "leat_select");
  if (k->leat_i_kind == LEAT_I_CASE_SEND) return chan_may_send(c);
  chan_ask(c);
  return chan_may_recv(c);
}

/* One of the bits: the lowest, or any. */
static uint32_t pick(uint64_t bits, bool lowest) {
  if (bits & (bits - 1) && !lowest)
    for (uint32_t skip = leat_i_nondet_choose(CHOOSE_CASE, (uint32_t)__builtin_popcountll(bits)); skip; skip--) bits &= bits - 1;
  return (uint32_t)__builtin_ctzll(bits);
}

/* Step 1, for as many cases as there are bits. NOT_YET if that does not decide it. */
enum { NOT_YET = INT_MIN, MOST_BITS = 64 };
static inline int look(struct goroutine *self, leat_case *cases, size_t n, bool ordered) {
  uint64_t ready = 0;
  int n_channels = 0, default_index = -1, the_channel = 0;
  for (size_t i = 0; i < n; i++) {
    if (is_channel_case(&cases[i])) {
      n_channels++;
      the_channel = (int)i;
      ready |= (uint64_t)is_ready(&cases[i]) << i;
    } else if (cases[i].leat_i_kind == LEAT_I_CASE_DEFAULT) {
      default_index = (int)i;
    }
  }
  bool may_default = default_index >= 0 && n_channels <= 1; /* that none of several is ready can only be said of one moment */
  if (may_default && n_channels && !ready && !was_fenced(self)) /* see chan_may_recv */
    ready = (uint64_t)is_ready(&cases[the_channel]) << the_channel;
  while (ready) {
    uint32_t i = pick(ready, ordered);
    struct goroutine *woken = NULL;
    struct chan *c = chan_of(cases[i].leat_i_chan);
    int status = cases[i].leat_i_kind == LEAT_I_CASE_RECV ? chan_is_over(c) : LEAT_OK;
    if (status) {
      quietly memset(place_of(&cases[i]), 0, c->elem_size);
    } else {
      lock_take(&c->lock);
      status = attempt(&cases[i], &woken);
      lock_drop(&c->lock);
    }
    if (status != WOULD_BLOCK) {
      touched(&cases[i]);
      if (woken) leat_i_ready(woken);
      leat_i_operation(self);
      return chosen(self, i, status);
    }
    ready &= ~(UINT64_C(1) << i);
  }
  if (!may_default) return NOT_YET;
  leat_i_operation(self);
  self->select_status = LEAT_OK;
  self->ignored = 0;
  return default_index;
}

static void lock_all(struct select *s) {
  for (size_t i = 0; i < s->n_locks; i++) lock_take(&s->locks[i]->lock);
}

static void unlock_all(void *argument) {
  struct select *s = argument;
  /* Backwards, counted in a register: when the last lock is dropped the goroutine may go on, and s be gone. */
  struct chan **locks = s->locks;
  for (size_t i = s->n_locks; i--;) lock_drop(&locks[i]->lock);
}

/* Step 4. The locks are taken whether or not an entry is left there: commit_park may still be dropping them one by one, and who took an entry
 * off may just be trying to claim. Only for the entry that was claimed neither can be. */
static void take_off_all(struct select *s, const struct goroutine *self, size_t n_cases) {
  for (size_t i = 0; i < n_cases; i++) {
    struct waiter *w = &s->waiters[s->order[i]];
    if (w == self->woken_by) continue;
    lock_take(&w->chan->lock);
    queue_remove(w);
    lock_drop(&w->chan->lock);
  }
}

/* What a measured stage waits for that offers or wants several things: to get rid of what it has, if it has something. */
static enum side side_of(const struct select *s, size_t n_cases) {
  enum side side = SIDE_NEITHER;
  for (size_t i = 0; i < n_cases; i++) {
    const leat_case *k = &s->cases[s->order[i]];
    enum side of_case = gauge_side(chan_of(k->leat_i_chan), k->leat_i_kind == LEAT_I_CASE_SEND);
    if (of_case == SIDE_OUTPUT) return SIDE_OUTPUT;
    if (of_case == SIDE_INPUT) side = SIDE_INPUT;
  }
  return side;
}

static int wait_for_one(struct select *s, struct goroutine *self, size_t n_cases) {
  for (size_t i = 0; i < n_cases; i++) {
    uint32_t index = s->order[i];
    leat_case *k = &s->cases[index];
    struct chan *c = chan_of(k->leat_i_chan);
    struct waiter *w = &s->waiters[index];
    waiter_init(w, self, c, place_of(k));
    w->index = index;
    queue_push(k->leat_i_kind == LEAT_I_CASE_RECV ? &c->receivers : &c->senders, w);
    if (k->leat_i_kind == LEAT_I_CASE_SEND) leat_i_chan_notify(c);
  }
  struct gauge_wait measured = {.side = SIDE_NEITHER};
  if (unlikely(self->server)) leat_i_gauge_wait_begins(&measured, self->server, side_of(s, n_cases), 1);
  self->woken_by = NULL;
  int status = leat_i_park(self, &(struct park){.reason = WAIT_SELECT, .object = s, .unlock = unlock_all, .unlock_arg = s, .deadline = s->deadline});
  gauge_wait_ends(&measured, 1);
  take_off_all(s, self, n_cases);
  struct waiter *w = self->woken_by;
  if (w) {
    if (w->status && s->cases[w->index].leat_i_kind == LEAT_I_CASE_RECV) memset(w->elem, 0, w->chan->elem_size);
    touched(&s->cases[w->index]);
    return chosen(self, w->index, w->status);
  }
  int scope_status = leat_i_scope_interrupts(self->scope);
  if (status == LEAT_DEADLINE && !scope_status && s->deadline_index >= 0) return chosen(self, (uint32_t)s->deadline_index, LEAT_OK);
  return status == LEAT_NOMEM ? LEAT_NOMEM : leat_i_cancelled(self, scope_status ? scope_status : status);
}

static int run(struct select *s, struct goroutine *self, bool ordered) {
  survey(s, ordered);
  size_t n_cases = s->n_locks;
  bool may_wait = s->default_index < 0;
  for (size_t i = 0; i < n_cases; i++) s->locks[i] = chan_of(s->cases[s->order[i]].leat_i_chan);
  sort_locks(s);
  lock_all(s);
  for (size_t i = 0; i < n_cases; i++) {
    struct goroutine *woken = NULL;
    int status = attempt(&s->cases[s->order[i]], &woken);
    if (status == WOULD_BLOCK) continue;
    unlock_all(s);
    touched(&s->cases[s->order[i]]);
    if (woken) leat_i_ready(woken);
    leat_i_operation(self);
    return chosen(self, s->order[i], status);
  }
  if (may_wait && (s->deadline_index < 0 || s->deadline > leat_i_nondet_clock())) {
    if (n_cases) return wait_for_one(s, self, n_cases);
    int status = leat_i_park(self, &(struct park){.reason = WAIT_NIL, .deadline = s->deadline});
    int scope_status = leat_i_scope_interrupts(self->scope);
    if (status == LEAT_DEADLINE && !scope_status) return chosen(self, (uint32_t)s->deadline_index, LEAT_OK);
    return status == LEAT_NOMEM ? LEAT_NOMEM : leat_i_cancelled(self, scope_status ? scope_status : status);
  }
  unlock_all(s);
  if (may_wait) leat_i_count(COUNT_TIMEOUTS, 1);
  leat_i_operation(self);
  return chosen(self, (uint32_t)(may_wait ? s->deadline_index : s->default_index), LEAT_OK);
}

static __attribute__((noinline)) int lock_and_look(struct goroutine *self, leat_case *cases, size_t n, bool ordered) {
  struct waiter waiters[ON_STACK];
  struct chan *locks[ON_STACK];
  uint32_t order[ON_STACK];
  struct select s = {.cases = cases, .n = n, .waiters = waiters, .locks = locks, .order = order, .deadline = LEAT_NEVER, .deadline_index = -1, .default_index = -1};
  if (n <= ON_STACK) return run(&s, self, ordered);
  char *memory = malloc(n * (sizeof *waiters + sizeof *locks + sizeof *order));
  if (!memory) return LEAT_NOMEM;
  s.waiters = (struct waiter *)(void *)memory;
  s.locks = (struct chan **)(void *)(memory + n * sizeof *waiters);
  s.order = (uint32_t *)(void *)(memory + n * (sizeof *waiters + sizeof *locks));
  /* Freed through the cleanup list too: waiting may end in a panic (too many ignored answers). */
  struct leat_i_defer guard = {.leat_i_fn = free, .leat_i_arg = memory};
  leat_i_defer_enter(&guard);
  int answer = run(&s, self, ordered);
  leat_i_defer_leave(&guard);
  return answer;
}

int leat_i_select(leat_case *cases, size_t n, bool ordered) {
  happens_call();
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  int answer = n <= MOST_BITS ? look(self, cases, n, ordered) : NOT_YET;
  return answer != NOT_YET ? answer : lock_and_look(self, cases, n, ordered);
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
