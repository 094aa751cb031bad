/* See alarm.h. */
#define _GNU_SOURCE
#include "alarm.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/watcher.h"
#include "cfi.h"
#include "dump.h"
#include "meter.h"
#include "sight.h"
#include "symbol.h"
#include "threads.h"
#include <fcntl.h>
#include <inttypes.h>
#include <leat/alarm.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t SHORTEST = LEAT_MS(10);
enum { MOST_NAMED = 4, ATTEMPTS = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what is below; held while an alarm is reported */
static leat_alarm_options options;
static pthread_t thread;
static _Atomic(uint32_t) running, asked, stopping; /* asked counts */

/* What the watcher reads. */
static _Atomic(int64_t) periods[LEAT_ALARM_KINDS];
static _Atomic(bool) somebody_starves;
/* By the watcher: the longest gap between two looks in this stretch of time and in the one before. */
static int64_t stretch_since, longest_gap, former_gap;
static _Atomic(int64_t) slack;

static _Atomic(uint64_t) counted[LEAT_ALARM_KINDS];

/* How often the period is contained in the duration, in powers of two: 0 below it, 1 from once on, 2 from twice, 3 from four times. */
static int level(int64_t duration, int64_t period) {
  return period > 0 && duration >= period ? 64 - __builtin_clzll((uint64_t)(duration / period)) : 0;
}

/* ---- the watcher's half ---- */

/* A stamp that matters is younger than the period: an older one tells the truth in any case. So gaps of that long ago need not be known. */
static void note_gap(int64_t now, int64_t gap, int64_t period) {
  if (now - stretch_since >= period) {
    former_gap = longest_gap;
    longest_gap = 0;
    stretch_since = now;
  }
  if (gap > longest_gap) longest_gap = gap;
  store_relaxed(&slack, longest_gap > former_gap ? longest_gap : former_gap);
}

static bool look_for_starving(int64_t now) {
  static int64_t last;
  int64_t period = load_relaxed(&periods[LEAT_ALARM_STARVING]), oldest = period ? leat_i_oldest_runnable() : 0;
  if (!oldest || now - oldest - load_relaxed(&slack) < period || now - last < period / 2) return false; /* to look at all of them takes time */
  last = now;
  store_relaxed(&somebody_starves, true);
  return true;
}

/* What runs on this worker has been asked to give way, since `held_since`, and has not. */
static bool look_at(struct worker *w, int64_t now) {
  static const enum leat_alarm_kind kinds[] = {LEAT_ALARM_OVERRUN, LEAT_ALARM_STUCK};
  uint32_t ticks = load_relaxed(&w->ticks), rose = 0;
  if (ticks != w->held_ticks || load_relaxed(&w->current) == w->idle || load_relaxed(&w->in_blocking_call)) {
    w->held_ticks = ticks;
    w->held_since = 0;
    return false;
  }
  if (!w->held_since) {
    w->held_since = now;
    w->held_level[0] = w->held_level[1] = 0;
    store_relaxed(&w->asked, true);
  }
  for (int i = 0; i < 2; i++) {
    int reached = level(now - w->held_since, load_relaxed(&periods[kinds[i]]));
    if (reached > w->held_level[i]) rose |= 1u << kinds[i];
    w->held_level[i] = (uint8_t)reached;
  }
  if (!rose) return false;
  store_relaxed(&w->alarm_ticks, ticks);
  store_relaxed(&w->alarm_duration, now - w->held_since);
  atomic_fetch_or(&w->alarm, rose);
  return true;
}

void leat_i_alarms_look(int64_t now, int64_t gap) {
  bool found = leat_i_meters_look(now);
  if (!load_relaxed(&running)) return;
  int64_t starving = load_relaxed(&periods[LEAT_ALARM_STARVING]);
  note_gap(now, gap, starving);
  found |= look_for_starving(now);
  if (load_relaxed(&periods[LEAT_ALARM_OVERRUN]) || load_relaxed(&periods[LEAT_ALARM_STUCK]))
    for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next)
      if (!load_relaxed(&w->pinned)) found |= look_at(w, now);
  if (!found) return;
  add_seq(&asked, 1);
  leat_i_nondet_wake(&asked, 1);
}

int64_t leat_i_alarms_next(void) {
  int64_t next = leat_i_meters_next(), overrun = load_relaxed(&periods[LEAT_ALARM_OVERRUN]), stuck = load_relaxed(&periods[LEAT_ALARM_STUCK]);
  if (!load_relaxed(&running) || (!overrun && !stuck)) return next;
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
    if (load_relaxed(&w->pinned) || !w->held_since) continue;
    if (overrun && w->held_since + (overrun << w->held_level[0]) < next) next = w->held_since + (overrun << w->held_level[0]);
    if (stuck && w->held_since + (stuck << w->held_level[1]) < next) next = w->held_since + (stuck << w->held_level[1]);
  }
  return next;
}

/* ---- the thread's half ---- */

struct look {
  struct goroutine *g;
  struct sight *sight;
  bool trace, seen;
};

static void look_held(struct goroutine *g, void *environment) {
  struct look *l = environment;
  if (g != l->g) return;
  leat_i_look(g, l->trace, l->sight);
  l->seen = true;
}

/* False if it has ended. */
static bool look_closely(struct goroutine *g, bool trace, struct sight *sight) {
  struct look l = {g, sight, trace, false};
  if (g == leat_i_main_goroutine()) leat_i_foreign_each(look_held, &l);
  else leat_i_stacks_look(g, look_held, &l);
  return l.seen;
}

static void report(leat_alarm *a, const struct sight *s, char *text) {
  a->text = text;
  if (s) {
    a->goroutine = s->id;
    a->name = s->name;
    a->birthplace = s->birthplace;
  }
  atomic_fetch_add(&counted[a->kind], 1);
  if (options.hook) {
    leat_i_thread_ours_no_more(); /* it is the program's */
    options.hook(options.environment, a);
    leat_i_thread_ours();
    return;
  }
  FILE *out = leat_i_report_stream();
  if (!out) return;
  fputs(text, out);
  fclose(out);
}

static void print_trace(FILE *out, const struct sight *s) {
  struct span shown = leat_i_shown_frames(s);
  leat_i_print_frames(out, "    ", s->pcs + shown.first, shown.end - shown.first);
}

/* ---- starving ---- */

struct search {
  int64_t now, slack, before, slack_before, period;
  uint64_t found;
  int64_t longest, since; /* of the one that has waited longest */
  struct goroutine *g;
  uint64_t id;
};

/* Told of are those whose level has risen since the last look at all: that says who was told of already. */
static void consider(struct goroutine *g, void *environment) {
  struct search *s = environment;
  int64_t since = load_relaxed(&g->runnable_since), waited = s->now - since - s->slack;
  if (!since || level(waited, s->period) <= level(s->before - since - s->slack_before, s->period)) return;
  s->found++;
  if (waited <= s->longest) return;
  s->longest = waited;
  s->since = since;
  s->g = g;
  s->id = g->id;
}

static void print_running(FILE *out) {
  int workers = 0, named = 0;
  char *names = NULL;
  size_t size;
  FILE *f = open_memstream(&names, &size);
  struct sight *s = malloc(sizeof *s);
  for (struct worker *w = load_acquire(&leat_i_sched.all); w && s && f; w = w->all_next) {
    struct goroutine *g = load_acquire(&w->current);
    if (load_relaxed(&w->pinned) || !g || g == w->idle || !look_closely(g, false, s) || s->state != SEEN_RUNNING) continue;
    if (workers++ >= MOST_NAMED) continue;
    fputs(named++ ? "; " : "", f);
    leat_i_print_who(f, s);
  }
  if (f) fclose(f);
  if (workers) fprintf(out, "    running: %s%s\n", names, workers > named ? "; and others" : "");
  free(names);
  free(s);
}

static void report_starving(void) {
  static int64_t before, slack_before;
  struct search search = {.now = leat_i_nondet_clock(), .slack = load_relaxed(&slack), .before = before, .slack_before = slack_before, .period = options.starving};
  if (!search.period) return;
  leat_i_foreign_each(consider, &search);
  leat_i_stacks_each(consider, &search);
  before = search.now;
  slack_before = search.slack;
  struct sight *s = malloc(sizeof *s);
  char *text = NULL, duration[DURATION_TEXT];
  size_t size;
  FILE *f = s && search.g && look_closely(search.g, true, s) && s->id == search.id && s->state != SEEN_WAITING ? open_memstream(&text, &size) : NULL;
  if (f) {
    leat_alarm a = {.kind = LEAT_ALARM_STARVING, .duration = search.longest, .others = search.found - 1};
    fprintf(f, "leat: alarm: ");
    leat_i_print_who(f, s);
    fprintf(f, ", could run and has not for %s", leat_i_duration_text(a.duration, duration));
    if (a.others) fprintf(f, ", and %" PRIu64 " more", a.others);
    fputc('\n', f);
    print_trace(f, s);
    print_running(f);
    fclose(f);
    report(&a, s, text);
  }
  free(text);
  free(s);
}

/* ---- overrun, stuck ---- */

/* Whether a thread computes, or waits for a processor; in the kernel's own words it is "running". What cannot be read counts as that. */
static bool computes(int id) {
  char path[64], text[256] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  const char *name_end = n > 0 ? strrchr(text, ')') : NULL;
  return !name_end || name_end[1] != ' ' || name_end[2] == 'R';
}

static void report_held(struct worker *w, uint32_t rose) {
  uint32_t ticks = load_relaxed(&w->alarm_ticks);
  struct goroutine *g = load_acquire(&w->current);
  int id = load_acquire(&w->thread_id);
  enum leat_alarm_kind kind = computes(id) ? LEAT_ALARM_OVERRUN : LEAT_ALARM_STUCK;
  struct sight *s = malloc(sizeof *s);
  bool trace = kind == LEAT_ALARM_OVERRUN || options.trace_stuck, held = false;
  for (int i = 0; i < ATTEMPTS && s && (rose & 1u << kind); i++) {
    held = g && g != w->idle && look_closely(g, trace, s) && load_relaxed(&w->ticks) == ticks && load_relaxed(&w->current) == g && !load_relaxed(&w->in_blocking_call);
    if (!held || !trace || s->n) break; /* the thread may not have come to answer in time */
  }
  char *text = NULL, duration[DURATION_TEXT];
  size_t size;
  FILE *f = held ? open_memstream(&text, &size) : NULL;
  if (f) {
    leat_alarm a = {.kind = kind, .duration = load_relaxed(&w->alarm_duration), .thread = id};
    leat_i_duration_text(a.duration, duration);
    fprintf(f, "leat: alarm: ");
    leat_i_print_who(f, s);
    if (kind == LEAT_ALARM_OVERRUN) fprintf(f, ", has been running for %s without leat_checkpoint or any operation, on thread %d\n", duration, id);
    else fprintf(f, ", has been blocked in a call for %s, on thread %d (leat_blocking around the call would tell that it may take long)\n", duration, id);
    print_trace(f, s);
    fclose(f);
    report(&a, s, text);
  }
  free(text);
  free(s);
}

/* ---- meters ---- */

static void print_meter(FILE *f, const struct meter_alarm *m) {
  const leat_meter_reading *r = &m->reading;
  char duration[DURATION_TEXT];
  fprintf(f, "leat: alarm: meter %s: %" PRIu64 " of %" PRIu64 " in %s: %s", m->name, r->accomplished, r->expected, leat_i_duration_text(r->duration, duration),
          leat_meter_verdict_text(r->verdict));
  if (r->verdict == LEAT_METER_STARVED && r->held < r->starved) fprintf(f, ", others have the workers");
  else if (r->verdict == LEAT_METER_STARVED || r->verdict == LEAT_METER_WAITING) fprintf(f, ", by %s", r->wait);
  else if (r->verdict == LEAT_METER_LIVELOCKED) fprintf(f, ", it runs and accomplishes next to nothing");
  fprintf(f, "\n    the time of those at work (now %d): %.0f %% running, %.0f %% taking turns, %.0f %% starved by others, %.0f %% waiting for what others hold, %.0f %% other waits\n",
          r->at_work, 100 * r->running, 100 * r->turns, 100 * r->starved, 100 * r->held, 100 * r->waiting);
}

static void report_meter(const struct meter_alarm *m) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  struct sight *s = malloc(sizeof *s);
  if (f) {
    leat_alarm a = {.kind = LEAT_ALARM_METER, .name = m->name, .birthplace = "", .duration = m->reading.duration, .reading = &m->reading};
    print_meter(f, m);
    if (s && look_closely(m->one, true, s) && s->id == m->id) {
      fprintf(f, "    one of them: ");
      leat_i_print_who(f, s);
      fputc('\n', f);
      print_trace(f, s);
    }
    fclose(f);
    report(&a, NULL, text);
  }
  free(text);
  free(s);
}

static void *report_when_asked(void *unused) {
  leat_i_thread_ours();
  for (uint32_t done = 0; !load_seq(&stopping);) {
    leat_i_nondet_sleep(&asked, done, LEAT_NEVER);
    if (load_seq(&asked) == done || load_seq(&stopping)) continue;
    done = load_seq(&asked);
    pthread_mutex_lock(&lock);
    leat_i_cfi_refresh();
    if (exchange(&somebody_starves, false)) report_starving();
    for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
      uint32_t rose = load_relaxed(&w->alarm) ? exchange(&w->alarm, 0) : 0;
      if (rose) report_held(w, rose);
    }
    for (struct meter_alarm m; leat_i_meters_alarm(&m);) report_meter(&m);
    pthread_mutex_unlock(&lock);
  }
  leat_i_thread_ours_no_more();
  return unused;
}

/* ---- setting them ---- */

static int start_thread(void) {
  sigset_t all, before;
  store_seq(&stopping, 0);
  store_seq(&asked, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int error = pthread_create(&thread, NULL, report_when_asked, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error) return LEAT_NOMEM;
  store_release(&running, 1);
  return LEAT_OK;
}

static void use(const leat_alarm_options *wanted) {
  options = *wanted;
  store_relaxed(&periods[LEAT_ALARM_STARVING], options.starving);
  store_relaxed(&periods[LEAT_ALARM_OVERRUN], options.overrun);
  store_relaxed(&periods[LEAT_ALARM_STUCK], options.stuck);
  leat_i_stamps_set(STAMP_COARSELY, options.starving > 0);
  leat_i_watcher_rouse();
}

static bool period_fits(int64_t period) { return !period || (period >= SHORTEST && period < LEAT_NEVER / 4); }

/* With the lock. */
static int set(const leat_alarm_options *wanted) {
  if (!leat_i_nondet_threads() || !period_fits(wanted->starving) || !period_fits(wanted->overrun) || !period_fits(wanted->stuck)) return LEAT_INVALID;
  int status = load_relaxed(&running) ? LEAT_OK : start_thread();
  if (status == LEAT_OK) use(wanted);
  return status;
}

int leat_alarms_set(const leat_alarm_options *wanted) {
  static const leat_alarm_options none;
  if (load_acquire(&running) && pthread_equal(pthread_self(), thread)) return LEAT_INVALID;
  int status = wanted ? leat_i_runtime_ensure() : LEAT_OK;
  if (status) return status;
  pthread_mutex_lock(&lock);
  if (wanted) status = set(wanted);
  else if (load_relaxed(&running)) use(&none);
  pthread_mutex_unlock(&lock);
  return status;
}

/* "250ms", "2s"; a number alone is milliseconds. */
void leat_i_alarms_from_environment(void) {
  const char *text = getenv("LEAT_ALARMS");
  char *end;
  double n = text ? strtod(text, &end) : 0;
  int64_t period = n > 0 && n < 1e9 ? strcmp(end, "s") == 0 ? LEAT_SECONDS(n) : LEAT_MS(n) : 0;
  if (!period) return;
  pthread_mutex_lock(&lock);
  if (set(&(leat_alarm_options){.starving = period, .overrun = period, .stuck = period}) != LEAT_OK)
    leat_i_log("leat: no alarms: LEAT_ALARMS=%s is too short, or no thread can be had", text);
  pthread_mutex_unlock(&lock);
}

void leat_i_alarms_stop(void) {
  static const leat_alarm_options none;
  if (!load_relaxed(&running)) return;
  store_seq(&stopping, 1);
  add_seq(&asked, 1);
  leat_i_nondet_wake(&asked, 1);
  pthread_join(thread, NULL);
  store_release(&running, 0);
  use(&none);
  for (int i = 0; i < LEAT_ALARM_KINDS; i++) store_relaxed(&counted[i], 0);
}

uint64_t leat_i_alarms_counted(int kind) { return load_relaxed(&counted[kind]); }
int leat_i_alarm_threads(void) { return (int)load_acquire(&running); }
