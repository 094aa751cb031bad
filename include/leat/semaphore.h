/* leat/semaphore.h - a weighted semaphore (after golang.org/x/sync/semaphore, and Dijkstra).
 *
 *   static leat_semaphore slots = LEAT_SEMAPHORE(4);          of capacity 4; all zero: of capacity 0, until leat_semaphore_resize
 *   if (leat_semaphore_acquire(&slots, 1)) return;            nothing was taken
 *   ...
 *   leat_semaphore_release(&slots, 1);
 *
 * Those who wait are served strictly in their order: who asks for much is not overtaken by those behind him who ask for little, even while
 * there would be enough for them. (Who finds too little, and nobody waiting, lets others run for a moment before he waits.) Acquire and release may be called by different goroutines; any goroutine or thread may call any of these. Nothing has
 * to be freed; the memory may be given up when all is released and no call is in progress. */
#pragma once
#include "status.h"

typedef struct leat_semaphore {
  int64_t leat_i_capacity;
  uint64_t leat_i_space[8];
} leat_semaphore;
#define LEAT_SEMAPHORE(capacity) {(capacity), {0}}

LEAT_I_BEGIN
/* Takes n (0 or more); blocks until it can. LEAT_CANCELED or LEAT_DEADLINE when the caller's scope has ended, LEAT_INVALID at once if n is
 * more than the capacity, or negative. Nothing is taken on any status but LEAT_OK. */
int leat_semaphore_acquire(leat_semaphore *semaphore, int64_t n) __attribute__((__warn_unused_result__));
/* The same until the deadline (LEAT_DEADLINE). LEAT_NOMEM if no timer could be set. */
int leat_semaphore_acquire_until(leat_semaphore *semaphore, int64_t n, int64_t deadline) __attribute__((__warn_unused_result__));
/* LEAT_FULL instead of blocking: not enough is left, or others wait already. */
int leat_semaphore_try_acquire(leat_semaphore *semaphore, int64_t n) __attribute__((__warn_unused_result__));

/* Gives n back; whom that is enough for goes on. Releasing more than is taken is misuse. Never blocks. What came before it happens before
 * the return of the acquires that it makes possible. */
void leat_semaphore_release(leat_semaphore *semaphore, int64_t n);

/* Changes the capacity, which must not be negative. What is taken stays taken, so for a while that may be more than the capacity; who waits
 * for more than the new capacity gets LEAT_INVALID. */
void leat_semaphore_resize(leat_semaphore *semaphore, int64_t capacity);
/* How much is taken now. */
int64_t leat_semaphore_taken(const leat_semaphore *semaphore);
LEAT_I_END
