/* Sections: what a worker does between two plain stores, and others can wait out. For what one worker does all the time and others hardly ever get in the
 * way of, so that it needs no read-modify-write for that:
 *
 *   - The worker enters a section, looks whether it may do the thing by itself, does it, and leaves. Who wants to prevent it says so, makes that seen behind an
 *     asymmetric fence (fence.h), and awaits the section that the worker is in then. From there on all sections see what was said.
 *   - A section has a number, so that the next one is not waited for as well.
 *   - Who is in a section waits for nothing but leaf locks (lock.h). So who awaits it may hold any others, and does not wait for ever.
 *
 * Where fences are not asymmetric a section would cost a read-modify-write: there it is not used.
 *
 * Used for locks that are reserved for a worker (reserved.h), and to claim goroutines that wait for one thing only (park.h). */
#pragma once
#include "fence.h"
#include "worker.h"

#ifdef LEAT_DEBUG
void leat_i_section_must_be_outside(const struct worker *w);
#endif

/* By a worker that has sections; does nothing useful where fences are not asymmetric. To leave, drop the lock that this answers. */
static inline __attribute__((always_inline)) struct lock *section_enter(struct worker *w) {
  struct section *s = w->section;
#ifdef LEAT_DEBUG
  leat_i_section_must_be_outside(w);
#endif
  store_release(&s->in.taken, (s->last += 2) | 1); /* released: who awaits the one before may see this one */
  atomic_signal_fence(memory_order_seq_cst);
  return &s->in;
}
static inline bool is_in_section(const struct worker *w) { return load_relaxed(&w->section->in.taken) != 0; }

/* Behind a heavy fence: the section that this worker is in now, or all workers', ends. */
void leat_i_section_await(uint32_t worker /* its index */);
void leat_i_sections_await(void);

struct section *leat_i_section_of(uint32_t worker); /* by its index; NULL for those that have too many before them */
void leat_i_sections_reset(void);                   /* when the runtime starts */
