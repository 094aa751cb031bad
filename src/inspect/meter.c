/* See meter.h. */
#include "meter.h"
#include "../core/panic.h"
#include "../runtime/nondet.h"
#include "../runtime/scheduler.h"
#include "../runtime/watcher.h"
#include "alarm.h"
#include "object.h"
#include <stdio.h>
#include <string.h>

enum { SHARDS = 8, LINE = 8 /* words */ };
static const int64_t SHORTEST = LEAT_MS(10), LONGEST = LEAT_MS(20); /* a period; what a sample stands for */

/* What those at work do at one moment: how many of them. */
struct sample {
  int all, running, starved, turns, active, waits[WAIT_REASONS];
};

/* All but the counters is guarded by one lock: it is taken when somebody comes or goes, and at each look. */
struct meter {
  const char *name;
  uint64_t expected;
  int64_t period;
  _Atomic(uint64_t) done[SHARDS * LINE]; /* one in LINE is used: by worker, so that they do not share lines */
  struct leat_i_metered *at_work;
  struct meter *next, *previous;
  int n;
  int64_t start, accounted, sampled; /* of this period (0: never used); until when `busy` has been counted; the last look */
  uint64_t done_before;              /* at its start */
  int64_t busy;                      /* this period's time in which somebody was at work */
  /* The samples of this period, each times the time that it stands for. */
  int64_t all, running, starved, turns, active, waits[WAIT_REASONS];
  struct sample former;
  uint32_t bad_periods; /* in a row, with one verdict */
  bool alarm;
  leat_meter_reading last;
};
_Static_assert(sizeof(struct meter) <= sizeof(leat_meter), "leat_meter has too little room");

static struct lock lock;
static _Atomic(struct meter *) meters;

static struct meter *meter_of(leat_meter *m) { return (struct meter *)m; }

void leat_meter_done(leat_meter *meter, uint64_t n) {
  struct worker *w = leat_i_worker();
  atomic_fetch_add_explicit(&meter_of(meter)->done[(w ? w->index : 0) % SHARDS * LINE], n, memory_order_relaxed);
}

static uint64_t all_done(struct meter *m) {
  uint64_t sum = 0;
  for (int i = 0; i < SHARDS; i++) sum += load_relaxed(&m->done[i * LINE]);
  return sum;
}

const char *leat_meter_verdict_text(enum leat_meter_verdict verdict) {
  static const char *const texts[] = {"early", "ok", "idle", "starved", "waiting", "livelocked", "slow"};
  return verdict < sizeof texts / sizeof *texts ? texts[verdict] : "?";
}

/* ---- samples ---- */

/* Waits that end when another goroutine gives back what it holds. */
static bool is_held(enum wait_reason reason) {
  return reason == WAIT_MUTEX || reason == WAIT_READ_LOCK || reason == WAIT_WRITE_LOCK || reason == WAIT_SEMAPHORE || reason == WAIT_POOL || reason == WAIT_ONCE;
}

/* Also one that has lost its token to another, which need not be there: the limit of threads may have been reached. */
static bool is_busy(const struct worker *w) {
  return !load_relaxed(&w->pinned) && load_relaxed(&w->current) != w->idle && !load_relaxed(&w->in_blocking_call);
}

static int busy_workers(void) {
  int n = 0;
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) n += is_busy(w);
  return n;
}

/* Answers whether it keeps a worker busy. */
static bool look_at(struct leat_i_metered *at_work, struct sample *s) {
  struct goroutine *g = at_work->goroutine;
  int64_t since = load_relaxed(&g->since);
  bool waiting = is_waiting(load_relaxed(&g->wait));
  struct worker *on = waiting || g->kind == KIND_FOREIGN ? NULL : leat_i_is_on_worker(g);
  bool running = on || (!waiting && g->kind == KIND_FOREIGN);
  if (waiting) s->waits[load_relaxed(&g->reason)]++;
  s->all++;
  s->running += running;
  s->turns += !waiting && !running;
  s->active += running || since != at_work->since;
  at_work->since = since;
  return on && is_busy(on);
}

static void count_for(struct meter *m, const struct sample *s, int64_t time) {
  m->all += s->all * time;
  m->running += s->running * time;
  m->starved += s->starved * time;
  m->turns += s->turns * time;
  m->active += s->active * time;
  for (int i = 0; i < WAIT_REASONS; i++) m->waits[i] += s->waits[i] * time;
}

static void take_sample(struct meter *m, int64_t now) {
  struct sample s = {0};
  int ours = 0;
  for (struct leat_i_metered *a = m->at_work; a; a = a->next) ours += look_at(a, &s);
  int others = s.turns ? busy_workers() - ours : 0;
  if (others > 0) s.starved = (s.turns * others + (ours + others) / 2) / (ours + others);
  s.turns -= s.starved;
  int64_t passed = now - m->sampled, here = passed < LONGEST ? passed : LONGEST;
  count_for(m, &s, here);
  count_for(m, m->former.all ? &m->former : &s, passed - here);
  m->former = s;
  m->sampled = now;
}

/* ---- periods ---- */

static enum leat_meter_verdict judge(const leat_meter_reading *r) {
  if (r->accomplished >= r->expected) return LEAT_METER_OK;
  if (r->busy < 0.5) return LEAT_METER_IDLE;
  if (r->starved + r->held >= 0.5) return LEAT_METER_STARVED;
  if (r->accomplished < r->expected / 10.0 && r->active >= 0.5) return LEAT_METER_LIVELOCKED;
  return r->waiting >= 0.5 ? LEAT_METER_WAITING : LEAT_METER_SLOW;
}

static void end_period(struct meter *m, int64_t now) {
  uint64_t done = all_done(m);
  enum leat_meter_verdict before = m->last.verdict;
  double all = m->all ? (double)m->all : 1, length = (double)(now - m->start);
  leat_meter_reading *r = &m->last;
  *r = (leat_meter_reading){.accomplished = done - m->done_before, .duration = now - m->start, .at_work = m->n, .wait = ""};
  r->expected = (uint64_t)((double)m->expected * length / (double)m->period);
  r->busy = (double)m->busy / length;
  r->running = (double)m->running / all;
  r->turns = (double)m->turns / all;
  r->starved = (double)m->starved / all;
  r->active = (double)m->active / all;
  int64_t most = 0;
  for (int i = 0; i < WAIT_REASONS; i++) {
    *(is_held((enum wait_reason)i) ? &r->held : &r->waiting) += (double)m->waits[i] / all;
    if (m->waits[i] <= most) continue;
    most = m->waits[i];
    r->wait = leat_i_wait_text((enum wait_reason)i);
  }
  r->verdict = judge(r);
  if (r->verdict != before) m->bad_periods = 0;
  if (r->verdict > LEAT_METER_IDLE) {
    m->bad_periods++;
    m->alarm = (m->bad_periods & (m->bad_periods - 1)) == 0; /* after 1, 2, 4, 8 ... */
  }
  m->start = now;
  m->done_before = done;
  m->busy = m->all = m->running = m->turns = m->starved = m->active = 0;
  memset(m->waits, 0, sizeof m->waits);
}

static void bring_up_to(struct meter *m, int64_t now) {
  if (m->n && now > m->accounted) m->busy += now - m->accounted;
  m->accounted = now;
  if (m->start && now - m->start >= m->period) end_period(m, now);
}

void leat_meter_read(leat_meter *meter, leat_meter_reading *reading) {
  struct meter *m = meter_of(meter);
  lock_take(&lock);
  bring_up_to(m, leat_i_nondet_clock());
  *reading = m->last;
  lock_drop(&lock);
  reading->total = all_done(m);
  if (!reading->wait) reading->wait = "";
}

/* ---- coming and going ---- */

static void come(struct meter *m, struct leat_i_metered *a, int64_t now) {
  if (!m->start) m->start = m->accounted = now;
  bring_up_to(m, now);
  a->since = load_relaxed(&((struct goroutine *)a->goroutine)->since);
  a->previous = NULL;
  a->next = m->at_work;
  if (a->next) a->next->previous = a;
  m->at_work = a;
  if (m->n++) return;
  m->sampled = now;
  m->former.all = 0;
  struct meter *first = load_relaxed(&meters);
  m->previous = NULL;
  m->next = first;
  if (first) first->previous = m;
  store_relaxed(&meters, m);
}

static void go(struct meter *m, struct leat_i_metered *a, int64_t now) {
  bring_up_to(m, now);
  if (a->previous) a->previous->next = a->next;
  else m->at_work = a->next;
  if (a->next) a->next->previous = a->previous;
  if (--m->n) return;
  if (m->previous) m->previous->next = m->next;
  else store_relaxed(&meters, m->next);
  if (m->next) m->next->previous = m->previous;
}

static void leave(void *at_work) {
  struct leat_i_metered *a = at_work;
  int64_t now = leat_i_nondet_clock();
  lock_take(&lock);
  go(meter_of(a->meter), a, now);
  lock_drop(&lock);
}

void leat_i_metered_enter(struct leat_i_metered *a, leat_meter *meter) {
  struct meter *m = meter_of(meter);
  if (m->period < SHORTEST) leat_i_panic("leat_metered: the period of the meter %s is shorter than 10 ms", m->name ? m->name : "?");
  a->meter = meter;
  a->goroutine = leat_i_self();
  a->guard.leat_i_fn = leave;
  a->guard.leat_i_arg = a;
  int64_t now = leat_i_nondet_clock();
  lock_take(&lock);
  come(m, a, now);
  lock_drop(&lock);
  leat_i_defer_enter(&a->guard);
  leat_i_watcher_rouse();
}

void leat_i_metered_leave(struct leat_i_metered *a) { leat_i_defer_leave(&a->guard); }

/* ---- for the watcher and the alarms ---- */

bool leat_i_meters_look(int64_t now) {
  if (!load_relaxed(&meters)) return false;
  bool alarm = false;
  lock_take(&lock);
  for (struct meter *m = load_relaxed(&meters); m; m = m->next) {
    take_sample(m, now);
    bring_up_to(m, now);
    alarm |= m->alarm;
  }
  lock_drop(&lock);
  return alarm;
}

int64_t leat_i_meters_next(void) {
  int64_t next = LEAT_NEVER;
  if (!load_relaxed(&meters)) return next;
  lock_take(&lock);
  for (struct meter *m = load_relaxed(&meters); m; m = m->next)
    if (m->start + m->period < next) next = m->start + m->period;
  lock_drop(&lock);
  return next;
}

bool leat_i_meters_alarm(struct meter_alarm *a) {
  if (!load_relaxed(&meters)) return false;
  lock_take(&lock);
  struct meter *m = load_relaxed(&meters);
  while (m && !m->alarm) m = m->next;
  if (m) {
    m->alarm = false;
    a->reading = m->last;
    a->reading.total = all_done(m);
    a->one = m->at_work->goroutine;
    a->id = a->one->id;
    snprintf(a->name, sizeof a->name, "%s", m->name ? m->name : "?");
  }
  lock_drop(&lock);
  return m != NULL;
}
