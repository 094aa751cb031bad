/* See world.h. */
#include "world.h"
#include "nondet.h"
#include "scheduler.h"
#include <leat/status.h>

enum { ALL_TOKENS = 1 << 20 };
static int taken;

static bool nobody_runs(void) {
  struct sched *s = &leat_i_sched;
  return load_seq(&s->n_threads) - load_seq(&s->n_parked) <= (leat_i_worker() ? 1 : 0);
}

bool leat_i_world_stop(int64_t patience) {
  struct sched *s = &leat_i_sched;
  struct worker *self = leat_i_worker();
  lock_take(&s->lock);
  taken = 0;
  for (struct worker *w = load_acquire(&s->all); w; w = w->all_next) {
    if (w == self || w->pinned || w->listed_idle || !load_relaxed(&w->has_token)) continue;
    store_seq(&w->has_token, false);
    taken++;
  }
  add_seq(&s->n_running, ALL_TOKENS);
  lock_drop(&s->lock);
  _Atomic(uint32_t) never = 0;
  for (int64_t until = leat_i_nondet_clock() + patience; !nobody_runs();) {
    if (leat_i_nondet_clock() >= until) return false;
    leat_i_nondet_sleep(&never, 0, leat_i_nondet_clock() + LEAT_US(50));
  }
  return true;
}

void leat_i_world_go(void) {
  struct sched *s = &leat_i_sched;
  lock_take(&s->lock);
  sub_seq(&s->n_running, ALL_TOKENS + taken);
  lock_drop(&s->lock);
  if (leat_i_work_waits()) leat_i_wake_worker();
}
