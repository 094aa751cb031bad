/* Giving up the thread, and being made runnable again.
 *
 * Blocking, the whole protocol. A goroutine that wants to wait
 *   1. puts entries where wakers will find it (a queue, a member list, a timer), under their locks, and calls leat_i_park;
 *   2. the worker switches away from its stack, then on the next stack: wait := WAITING, a fence, looks whether its scope was cancelled
 *      or its timer has fired meanwhile (if so it tries to claim the goroutine itself), and releases the locks of 1.
 * A waker claims: wait: WAITING -> CLAIMED. Exactly one wins; it writes wake_status and calls leat_i_ready. The two loads after the
 * two stores (wait against status or timed_out), with fences between, make it impossible that both sides miss each other. The fence
 * against cancels is a light one (fence.h; an exchange took a twelfth of a ping-pong's time). No waker ever spins for a sleeper to
 * leave its stack: those who find it through a lock get the lock after step 2, the others find it not yet WAITING and leave their mark.
 *   3. When it goes on, it removes, under the same locks, what entries are left. A waker therefore never touches a goroutine that has
 *      ended: to end, it must have passed each lock through which it could be found.
 *
 * Switching is direct: a goroutine that blocks picks the next one from its worker's queues and switches to it, without a scheduler's context
 * in between; what is to be done with the one that left (release its locks, queue it, free its stack) is done on the next one's stack. */
#pragma once
#include "goroutine.h"
#include "section.h"

enum { WAIT_MASKED_FLOOR = 0x3fffffff }; /* the shield floor of a wait that no cancellation reaches */

struct park {
  enum wait_reason reason;
  const void *object;     /* what it waits for, for reports */
  struct lock *lock;      /* dropped when it has left its stack; or NULL */
  void (*unlock)(void *); /* or, for several, called then */
  void *unlock_arg;
  int64_t deadline;       /* LEAT_NEVER */
  bool masked;            /* cancellation does not reach this wait (joins) */
};
/* Answers the claimer's status, LEAT_DEADLINE if the deadline claimed, the scope's status if cancellation did, LEAT_NOMEM if the timer
 * could not be set (then the locks have been released, and it has not waited). */
int leat_i_park(struct goroutine *self, const struct park *p);
/* The usual case, in half the instructions: one lock, no deadline, not masked. */
int leat_i_park_on(struct goroutine *self, struct lock *lock, enum wait_reason reason, const void *object);

/* True for exactly one caller per wait. */
static inline bool leat_i_claim_by_any(struct goroutine *g, int status) {
  uint32_t word = load_seq(&g->wait);
  if (!is_waiting(word) || !cas_seq(&g->wait, &word, (word & ~UINT32_C(3)) | STATE_CLAIMED)) return false;
  g->wake_status = status;
  return true;
}

/* The same by who holds the lock that the goroutine has parked with, if it has parked with one. Nobody but a cancel can come between, if it waits for one thing
 * only: so a worker does it in a section, without a read-modify-write, unless a cancel goes on (a ping-pong: see docs/performance.md). */
extern _Atomic(uint32_t) leat_i_n_interrupts; /* cancels that claim goroutines just now; always one more where there are no asymmetric fences */
void leat_i_interrupts_init(void);
static inline __attribute__((always_inline)) bool leat_i_claim_on(struct worker *w, struct goroutine *g, int status) { /* by this worker; NULL: by another thread */
  if ((load_relaxed(&g->wait) & 3) != (STATE_WAITING | STATE_ALONE) || !w || !w->section) return leat_i_claim_by_any(g, status);
  struct lock *section = is_in_section(w) ? NULL : section_enter(w);
  bool alone = likely(!load_acquire(&leat_i_n_interrupts));
  uint32_t word = load_relaxed(&g->wait); /* again: one that has gone on meanwhile may have claimed it */
  bool claimed = alone && is_waiting(word);
  if (likely(claimed)) {
    store_relaxed(&g->wait, (word & ~UINT32_C(3)) | STATE_CLAIMED);
    g->wake_status = status;
  }
  if (section) lock_drop(section);
  return alone ? claimed : leat_i_claim_by_any(g, status);
}
static inline bool leat_i_claim(struct goroutine *g, int status) { return leat_i_claim_on(leat_i_worker(), g, status); }
/* By a cancel, before and after it claims goroutines: from one to the other nobody does that without a read-modify-write. The first is also the heavy fence
 * between what it has said and its looking who waits (fence.h). */
void leat_i_interrupts_begin(void);
void leat_i_interrupts_end(void);

/* Makes a goroutine that the caller has claimed, or just made, runnable. */
void leat_i_ready(struct goroutine *g);
/* Makes a new goroutine runnable, and counts the operation. While half a ring waits here already the new one runs at once, and its starter
 * next, when that and whom it starts give up the thread: trees of starters are gone through in depth, so that few are alive at a time, and on
 * warm stacks (100,000 starts: 726 against 163 ns each). Answers LEAT_OK, so that callers end with the call: a return behind a switch is one
 * that the processor predicts wrong. */
int leat_i_start(struct goroutine *self, struct goroutine *g);
/* The same for a list linked by link, in its order. */
void leat_i_ready_list(struct goroutine *list);
/* And for many that the caller comes by one after the other: they go on in portions, while they are in the cache, and other workers begin before the
 * last has been found. To add one, to a batch that is not full, touches nothing of it. */
enum { WAKE_BATCH = 64 };
struct wake_batch {
  uint32_t n;
  struct goroutine *goroutines[WAKE_BATCH];
};
static inline bool batch_is_full(const struct wake_batch *b) { return b->n == WAKE_BATCH; }
static inline void batch_add(struct wake_batch *b, struct goroutine *g) { b->goroutines[b->n++] = g; }
void leat_i_ready_batch(struct wake_batch *b); /* empties it */

/* Gives up the thread; at the back of the queue. */
void leat_i_yield(struct goroutine *self);
/* Counts an operation that did not block; yields when the slice is used up, or the watcher has asked for the thread. */
void leat_i_look_around(struct worker *w, struct goroutine *self);
static inline bool operation_is_due(struct worker *w) {
  bool used_up = --w->budget <= 0;
  return used_up || load_relaxed(&w->asked) || (w->budget % 8 == 0 && load_relaxed(&w->deferred));
}
static inline void leat_i_operation(struct goroutine *self) {
  struct worker *w = leat_i_worker();
  if (likely(w != NULL) && unlikely(operation_is_due(w))) leat_i_look_around(w, self); /* NULL: a plain thread */
}
/* Waits a moment before the caller looks again at what another CPU is about to store, and for longer each time, as each look takes the line away from
 * who is at it (a contended mutex: 22 ns an operation, where a look every four pauses made it 35). *spent begins with 0. False, without waiting, when
 * it has gone on for long enough, or does not pay: nobody runs who could store it, or somebody waits for this worker. */
bool leat_i_spin(int *spent);
/* And then, before it queues: lets those run that wait for this worker, who may have what it wants. False, without that, when it has done so for four times, or its
 * deadline has passed. (Four goroutines that read, and write one time in ten, on two CPUs: 49 ns with one turn for the others, 25 with four. Once in a queue all
 * hand it to each other for ever, with a switch each time.) *given begins with 0. */
bool leat_i_give_turn(struct goroutine *self, int *given, int64_t deadline);
/* leat_checkpoint, on a worker. */
int leat_i_checkpoint(struct worker *w);
/* The slice is used up that g, who was to run next, and the starters would have inherited: they go to the back. */
void leat_i_slice_is_over(struct worker *w, struct goroutine *g);
/* Moves the goroutine to its home worker. */
void leat_i_go_home(struct goroutine *self, struct worker *home);
_Noreturn void leat_i_leave_for_good(struct goroutine *self);
/* Takes a token again after a blocking call. */
void leat_i_regain_token(struct goroutine *self);

/* Leaves `from`, with which `after` is to be done, and goes on in `to`. */
void leat_i_switch_to(struct worker *w, struct goroutine *from, struct goroutine *to, enum after after);
