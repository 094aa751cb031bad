/* See leat/metrics.h; what is counted and how, runtime/counters.h. */
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/timer.h"
#include "alarm.h"
#include <inttypes.h>
#include <leat/alarm.h>
#include <leat/metrics.h>
#include <leat/time.h>
#include <string.h>

_Static_assert((int)LEAT_HISTOGRAM_BUCKETS == (int)BUCKETS, "the public histogram has as many buckets");
_Static_assert((int)WAIT_REASONS <= (int)MOST_WAIT_REASONS && MOST_WAIT_REASONS == sizeof(((leat_metrics *)0)->waits) / sizeof(leat_wait_metrics),
               "a counter for each reason");

int64_t leat_histogram_end(int bucket) { return leat_i_bucket_end(bucket); }

int64_t leat_histogram_quantile(const leat_histogram *h, double q) {
  if (!h->count) return 0;
  double wanted = q * (double)h->count;
  uint64_t seen = 0;
  int last = 0;
  for (int i = 0; i < BUCKETS; i++) {
    if (!h->buckets[i]) continue;
    seen += h->buckets[i];
    last = i;
    if ((double)seen >= wanted) break;
  }
  int64_t low = last ? leat_i_bucket_end(last - 1) : 0, high = leat_i_bucket_end(last);
  return high == INT64_MAX ? low : low + (high - low) / 2;
}

void leat_histogram_subtract(leat_histogram *later, const leat_histogram *earlier) {
  later->count -= earlier->count;
  later->sum -= earlier->sum;
  for (int i = 0; i < BUCKETS; i++) later->buckets[i] -= earlier->buckets[i];
}

void leat_metrics_time_all(bool on) { leat_i_stamps_set(STAMP_ALL, on); }

static void add_histogram(leat_histogram *to, const struct histogram *from) {
  to->sum += load_relaxed(&from->sum);
  for (int i = 0; i < BUCKETS; i++) {
    uint64_t n = load_relaxed(&from->buckets[i]);
    to->buckets[i] += n;
    to->count += n;
  }
}

static void read_workers(leat_metrics *m) {
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
    add_histogram(&m->latency, &w->counters.latency);
    add_histogram(&m->slices, &w->counters.slice);
    struct goroutine *current = load_relaxed(&w->current);
    m->running += current && current != w->idle;
    uint32_t head = load_relaxed(&w->head), tail = load_relaxed(&w->tail);
    if (tail - head <= RING_SIZE) m->queued += tail - head; /* else they were read apart */
    m->queued += (load_relaxed(&w->next) != NULL) + (load_relaxed(&w->starters) != NULL); /* of the starters at least one */
  }
  m->queued += load_relaxed(&leat_i_sched.queue_n);
}

/* A goroutine may wake between the two reads on a worker that was read already. */
static uint64_t difference(uint64_t more, uint64_t less) { return more > less ? more - less : 0; }

static void read_waits(leat_metrics *m) {
  for (int reason = WAIT_NOTHING + 1; reason < WAIT_REASONS; reason++) {
    leat_wait_metrics *w = &m->waits[m->n_waits++];
    uint64_t woken = leat_i_counted(COUNT_WOKEN + reason);
    *w = (leat_wait_metrics){.reason = leat_i_wait_text((enum wait_reason)reason), .total = leat_i_counted(COUNT_PARKED + reason)};
    w->now = difference(w->total, woken);
    m->waiting += w->now;
    m->parks += w->total;
    m->wakes += woken;
  }
}

void leat_metrics_read(leat_metrics *m) {
  struct sched *s = &leat_i_sched;
  struct timer_counts timers;
  struct stack_counts stacks;
  not_after_fork();
  *m = (leat_metrics){.time = leat_now()};
  m->ended = leat_i_counted(COUNT_ENDED);
  m->started = leat_i_counted(COUNT_STARTED);
  uint64_t alive = m->started - m->ended + (leat_i_main_goroutine() != NULL);
  read_waits(m);
  read_workers(m);
  m->runnable = difference(alive, m->waiting + m->running);
  m->yields = leat_i_counted(COUNT_YIELDS);
  m->preempted = leat_i_counted(COUNT_PREEMPTED);
  m->timeouts = leat_i_counted(COUNT_TIMEOUTS);
  m->scope_deadlines = leat_i_counted(COUNT_SCOPE_DEADLINES);
  m->scopes_canceled = leat_i_counted(COUNT_SCOPES_CANCELED);
  m->canceled_answers = leat_i_counted(COUNT_CANCELED_ANSWERS);
  m->handoffs = leat_i_counted(COUNT_NEXT_SLOT);
  m->steal_attempts = leat_i_counted(COUNT_STEAL_ATTEMPTS);
  m->steals = leat_i_counted(COUNT_STEALS);
  m->stolen = leat_i_counted(COUNT_STOLEN);
  m->shared_popped = leat_i_counted(COUNT_SHARED_POPPED);
  m->shared_pushed = leat_i_counted(COUNT_SHARED_PUSHED);
  m->workers = (uint64_t)load_relaxed(&s->workers);
  m->workers_busy = (uint64_t)load_relaxed(&s->n_running);
  m->threads = (uint64_t)load_relaxed(&s->n_threads);
  m->foreign_threads = (uint64_t)leat_i_foreign_attached();
  m->foreign_waiting = (uint64_t)leat_i_foreign_parked();
  m->taken_over = leat_i_counted(COUNT_TOKENS_TAKEN);
  m->thread_sleeps = leat_i_counted(COUNT_THREAD_SLEEPS);
  m->thread_wakes = leat_i_counted(COUNT_THREAD_WAKES);
  m->polls = leat_i_counted(COUNT_POLLS);
  m->polled = leat_i_counted(COUNT_POLLED);
  leat_i_timers_count(&timers);
  m->timers = timers.now;
  m->timers_armed = timers.armed;
  m->timers_fired = timers.fired;
  m->timers_stopped = timers.stopped;
  for (int i = 0; i < LEAT_ALARM_KINDS; i++) m->alarms[i] = leat_i_alarms_counted(i);
  leat_i_stacks_count(&stacks);
  m->stacks_used = alive - (leat_i_main_goroutine() != NULL);
  m->stacks_trimmed = stacks.clean;
  m->stacks_cached = difference(stacks.slots - stacks.clean, m->stacks_used); /* some at the workers, the rest in the lists */
  m->stack_slabs = stacks.slabs;
  m->stack_bytes = stacks.mapped;
}

/* ---- as text ---- */

static void header(FILE *out, const char *name, const char *type, const char *help) {
  fprintf(out, "# HELP leat_%s %s\n# TYPE leat_%s %s\n", name, help, name, type);
}

static void one(FILE *out, const char *name, const char *type, const char *help, uint64_t value) {
  header(out, name, type, help);
  fprintf(out, "leat_%s %" PRIu64 "\n", name, value);
}

static void print_histogram(FILE *out, const char *name, const char *help, const leat_histogram *h) {
  uint64_t seen = 0;
  header(out, name, "histogram", help);
  for (int i = 0; i < BUCKETS - 1; i++) {
    seen += h->buckets[i];
    if (i % 4 == 3 && i > 20) fprintf(out, "leat_%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", name, (double)leat_i_bucket_end(i) / 1e9, seen); /* a line an octave */
  }
  fprintf(out, "leat_%s_bucket{le=\"+Inf\"} %" PRIu64 "\nleat_%s_sum %.9g\nleat_%s_count %" PRIu64 "\n", name, h->count, name, (double)h->sum / 1e9, name, h->count);
}

void leat_metrics_print(FILE *out) {
  leat_metrics m;
  leat_metrics_read(&m);
  header(out, "goroutines", "gauge", "Goroutines, by state.");
  fprintf(out, "leat_goroutines{state=\"running\"} %" PRIu64 "\nleat_goroutines{state=\"runnable\"} %" PRIu64 "\nleat_goroutines{state=\"waiting\"} %" PRIu64 "\n",
          m.running, m.runnable, m.waiting);
  header(out, "waiting", "gauge", "Goroutines that wait, by reason.");
  for (int i = 0; i < m.n_waits; i++) fprintf(out, "leat_waiting{reason=\"%s\"} %" PRIu64 "\n", m.waits[i].reason, m.waits[i].now);
  header(out, "waits_total", "counter", "Waits, by reason.");
  for (int i = 0; i < m.n_waits; i++) fprintf(out, "leat_waits_total{reason=\"%s\"} %" PRIu64 "\n", m.waits[i].reason, m.waits[i].total);
  header(out, "alarms_total", "counter", "Alarms told of, by kind.");
  static const char *const kinds[LEAT_ALARM_KINDS] = {"starving", "overrun", "stuck", "meter"};
  for (int i = 0; i < LEAT_ALARM_KINDS; i++) fprintf(out, "leat_alarms_total{kind=\"%s\"} %" PRIu64 "\n", kinds[i], m.alarms[i]);
  const struct {
    const char *name, *help;
    uint64_t value;
  } counters[] = {
    {"goroutines_started_total", "Goroutines started.", m.started},
    {"goroutines_ended_total", "Goroutines that have ended.", m.ended},
    {"wakes_total", "Goroutines made runnable again.", m.wakes},
    {"yields_total", "Turns given up.", m.yields},
    {"preemptions_total", "Turns given up because a slice was used up.", m.preempted},
    {"timeouts_total", "Operations and selects that ended at their deadline.", m.timeouts},
    {"scope_deadlines_total", "Scopes that ended at their deadline.", m.scope_deadlines},
    {"scopes_canceled_total", "Scopes that were cancelled.", m.scopes_canceled},
    {"canceled_answers_total", "Operations that answered that their scope is cancelled.", m.canceled_answers},
    {"handoffs_total", "Woken goroutines that ran next on the waker's worker.", m.handoffs},
    {"steal_attempts_total", "Looks at the other workers' queues.", m.steal_attempts},
    {"steals_total", "Looks at the other workers' queues that found something.", m.steals},
    {"stolen_goroutines_total", "Goroutines moved between workers.", m.stolen},
    {"shared_queue_pushed_total", "Goroutines put into the shared queue.", m.shared_pushed},
    {"shared_queue_popped_total", "Goroutines taken from the shared queue.", m.shared_popped},
    {"taken_over_total", "Times that a spare thread took over from a stuck worker.", m.taken_over},
    {"thread_sleeps_total", "Times that a worker went idle.", m.thread_sleeps},
    {"thread_wakes_total", "Threads woken.", m.thread_wakes},
    {"timers_armed_total", "Timers armed.", m.timers_armed},
    {"timers_fired_total", "Timers fired.", m.timers_fired},
    {"timers_stopped_total", "Timers stopped before they fired.", m.timers_stopped},
    {"polls_total", "Looks at the descriptors.", m.polls},
    {"poll_events_total", "Events found at descriptors.", m.polled},
  }, gauges[] = {
    {"run_queue_goroutines", "Goroutines in all run queues.", m.queued},
    {"workers", "Goroutines that may run at the same time.", m.workers},
    {"workers_busy", "Workers that run or look for goroutines.", m.workers_busy},
    {"threads", "Threads of leat.", m.threads},
    {"foreign_threads", "Other threads that have used leat.", m.foreign_threads},
    {"foreign_threads_waiting", "Other threads that are blocked in leat.", m.foreign_waiting},
    {"timers", "Timers that are armed.", m.timers},
    {"stacks_used", "Stacks of goroutines.", m.stacks_used},
    {"stacks_cached", "Free stacks that have memory.", m.stacks_cached},
    {"stacks_trimmed", "Free stacks whose memory was given back.", m.stacks_trimmed},
    {"stack_slabs", "Mappings for stacks.", m.stack_slabs},
    {"stack_address_bytes", "Address space for stacks.", m.stack_bytes},
  };
  for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) one(out, counters[i].name, "counter", counters[i].help, counters[i].value);
  for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++) one(out, gauges[i].name, "gauge", gauges[i].help, gauges[i].value);
  print_histogram(out, "run_queue_latency_seconds", "From runnable to running; samples.", &m.latency);
  print_histogram(out, "slice_seconds", "From running until the thread is given up; samples.", &m.slices);
}
