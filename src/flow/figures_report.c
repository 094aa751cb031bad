/* What figures say: which stage is the bottleneck, what another rate takes, all of it as text. Of rows alone, whoever has read or made them up: how they
 * come about is in figures.c. */
#include <inttypes.h>
#include <leat/figures.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the bottleneck ---- */

static double part_of_life(const leat_figures *f, int64_t t) { return f->life > 0 ? (double)t / (double)f->life : 0; }
static int percent(double part) { return (int)(part * 100 + 0.5); }
static double working(const leat_figures *f) { return 1 - part_of_life(f, f->waited_in + f->waited_out); }
static bool is_source(const leat_figures *f) { return !f->in && !f->feeder && !f->waited_in; }

struct text {
  char *to;
  size_t room;
};
static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->to, t->room, format, args);
  va_end(args);
  size_t used = n < 0 ? 0 : (size_t)n < t->room ? (size_t)n : t->room - 1;
  t->to += used;
  t->room -= used;
}
static void say_name(struct text *t, const leat_figures *f) {
  if (*f->function) say(t, "%s(%s)", f->stage, f->function);
  else say(t, "%s", f->stage);
}
static void say_place(struct text *t, const leat_figures *f) {
  say_name(t, f);
  say(t, " at %s", f->birthplace);
}
static void say_time(struct text *t, double seconds) {
  static const char *const units[] = {"s", "ms", "us", "ns"};
  int i = 0;
  for (; i < 3 && seconds < 1; i++) seconds *= 1000;
  say(t, seconds >= 1e5 ? "%.0f %s" : "%.3g %s", seconds, units[i]);
}

/* The longest wait of those next to the group: who feeds it and waits to hand on, or reads it and waits for input. */
static const leat_figures *neighbour(const leat_figures *rows, size_t n, uint64_t group, bool before) {
  const leat_figures *most = NULL;
  for (size_t i = 0; i < n; i++) {
    const leat_figures *b = &rows[i];
    if (b->group != group) continue;
    for (size_t j = 0; j < n; j++) {
      const leat_figures *f = &rows[j];
      bool next_to = before ? f->reader == b->id || b->feeder == f->id : f->feeder == b->id || b->reader == f->id;
      if (!next_to || f->group == group || !f->life) continue;
      if (!most || (before ? part_of_life(f, f->waited_out) > part_of_life(most, most->waited_out) : part_of_life(f, f->waited_in) > part_of_life(most, most->waited_in))) most = f;
    }
  }
  return most;
}

static void explain_stage(const leat_figures *rows, size_t n, leat_bottleneck *b) {
  struct text t = {b->why, sizeof b->why};
  const leat_figures *f = b->stage, *before = neighbour(rows, n, f->group, true), *behind = neighbour(rows, n, f->group, false);
  bool fused = false;
  for (size_t i = 0; i < n; i++) fused |= &rows[i] != f && rows[i].group == f->group && rows[i].life;
  say_place(&t, f);
  say(&t, " is the bottleneck: ");
  if (f->goroutines > 1) say(&t, "its %d goroutines work", f->goroutines);
  else say(&t, "it works");
  say(&t, " %d %% of the time", percent(working(f)));
  if (fused) say(&t, " (%d %% on this one of the stages fused with it)", percent(f->utilisation));
  say(&t, ", ");
  say_time(&t, f->service);
  say(&t, " an item");
  if (before) {
    say(&t, "; before it ");
    say_name(&t, before);
    say(&t, " waits %d %% to hand on", percent(part_of_life(before, before->waited_out)));
  }
  if (behind) {
    say(&t, "; behind it ");
    say_name(&t, behind);
    say(&t, " waits %d %% for input", percent(part_of_life(behind, behind->waited_in)));
  }
}

leat_bottleneck leat_bottleneck_of(const leat_figures *rows, size_t n) {
  leat_bottleneck b = {.kind = LEAT_BOTTLENECK_UNKNOWN};
  double most = -1;
  for (size_t i = 0; i < n; i++) {
    const leat_figures *f = &rows[i];
    if (!f->life || !f->group) continue;
    double works = working(f);
    if (works > most || (b.kind == LEAT_BOTTLENECK_STAGE && b.stage->group == f->group && works == most && f->busy > b.stage->busy)) {
      most = works;
      b.kind = LEAT_BOTTLENECK_STAGE;
      b.stage = f;
    }
  }
  for (size_t i = 0; i < n; i++) {
    const leat_figures *f = &rows[i];
    if (!f->life) continue;
    double in = f->feeder ? 0 : part_of_life(f, f->waited_in), out = f->reader ? 0 : part_of_life(f, f->waited_out);
    if (in <= most && out <= most) continue;
    most = in > out ? in : out;
    b.kind = in > out ? LEAT_BOTTLENECK_BEFORE : LEAT_BOTTLENECK_BEHIND;
    b.stage = f;
  }
  struct text t = {b.why, sizeof b.why};
  switch (b.kind) {
  case LEAT_BOTTLENECK_UNKNOWN: say(&t, "nothing has been measured yet"); break;
  case LEAT_BOTTLENECK_STAGE: explain_stage(rows, n, &b); break;
  case LEAT_BOTTLENECK_BEFORE:
    say(&t, "the stages could do more: ");
    say_place(&t, b.stage);
    say(&t, " waits %d %% of the time for what comes from outside", percent(most));
    break;
  case LEAT_BOTTLENECK_BEHIND:
    say(&t, "whoever receives from ");
    say_place(&t, b.stage);
    say(&t, " is the bottleneck: that waits %d %% of the time to hand on", percent(most));
    break;
  }
  return b;
}

/* ---- another rate ---- */

/* How many items each row works on for one that enters the pipeline. Not by counts of all: what lies between two rows has not been worked on yet, and
 * what a queue sheds now it would not shed at a rate that can be done. But by what becomes of an item in each row, and where that goes. */

static bool is_behind(const leat_figures *f, const leat_figures *before) { return before != f && (before->reader == f->id || f->feeder == before->id); }

/* What becomes of one item. */
static double yield(const leat_figures *f) {
  if (!f->in || !strcmp(f->stage, "queue")) return 1;
  return (double)f->out / (double)f->in;
}

static double share_of(const leat_figures *rows, size_t n, const leat_figures *before, const leat_figures *f) {
  double all = 0;
  for (size_t i = 0; i < n; i++)
    if (is_behind(&rows[i], before)) all += (double)rows[i].in;
  return all > 0 ? (double)f->in / all : 0;
}

static void count_visits(const leat_figures *rows, size_t n, double *visits) {
  double entered = 0;
  for (size_t i = 0; i < n; i++) { /* those before a row were made before it */
    bool is_first = true;
    visits[i] = 0;
    for (size_t j = 0; j < i; j++) {
      if (!is_behind(&rows[i], &rows[j])) continue;
      is_first = false;
      visits[i] += visits[j] * yield(&rows[j]) * share_of(rows, n, &rows[j], &rows[i]);
    }
    if (!is_first) continue;
    visits[i] = (double)(is_source(&rows[i]) ? rows[i].out : rows[i].in);
    entered += visits[i];
  }
  for (size_t i = 0; i < n && entered > 0; i++) visits[i] /= entered;
}

/* Seconds of work of a group on one item that enters the pipeline. */
static double demand_of(const leat_figures *rows, size_t n, uint64_t group, const double *visits) {
  double work = 0;
  for (size_t i = 0; i < n; i++)
    if (rows[i].group == group && rows[i].in) work += visits[i] * (double)rows[i].busy / 1e9 / (double)rows[i].in;
  return work;
}

/* How many places a queue M/M/m/K needs besides the m at work, if no more than the part `full` of the arrivals is to find it full. The recursions are
 * Erlang's. */
static int64_t room_for(double offered, int servers, double full) {
  enum { MOST = 1 << 30 };
  double lost = 1;
  for (int i = 1; i <= servers; i++) lost = offered * lost / (i + offered * lost);
  double used = offered / servers;
  int64_t room = 0;
  for (; lost > full && room < MOST; room++) lost = used * lost / (1 + used * lost);
  return room;
}

leat_load leat_load_at(const leat_figures *rows, size_t n, double per_second, double full) {
  leat_load load = {.capacity = INFINITY, .room = -1};
  double *visits = calloc(n ? n : 1, sizeof *visits), of_bottleneck = 0;
  int servers = 1;
  if (!visits) return load;
  count_visits(rows, n, visits);
  for (size_t i = 0; i < n; i++) {
    if (!rows[i].group || rows[i].id != rows[i].group) continue;
    double demand = demand_of(rows, n, rows[i].id, visits);
    load.w += demand;
    if (demand <= 0 || rows[i].goroutines / demand >= load.capacity) continue;
    load.capacity = rows[i].goroutines / demand;
    of_bottleneck = demand;
    servers = rows[i].goroutines;
  }
  free(visits);
  load.utilisation = per_second / load.capacity;
  load.l = per_second * load.w;
  load.room = load.utilisation >= 1 || full <= 0 ? -1 : of_bottleneck > 0 ? room_for(per_second * of_bottleneck, servers, full) : 0;
  return load;
}

/* ---- as text ---- */

/* As many rows as there are; NULL without memory, or rows. */
static leat_figures *read_all(leat_view s, size_t *n) {
  leat_figures *rows = NULL;
  size_t room = 0;
  while ((*n = leat_figures_read(s, rows, room)) > room) {
    free(rows);
    room = *n + 8;
    if (!(rows = malloc(room * sizeof *rows))) return NULL;
  }
  return rows;
}

void leat_figures_print(leat_view s, FILE *out) {
  size_t n = 0;
  leat_figures *rows = read_all(s, &n);
  if (!rows) return;
  fprintf(out, "        L          W      in/s     out/s  works  waits in  waits out   queue  stage\n");
  for (size_t i = 0; i < n; i++) {
    const leat_figures *f = &rows[i];
    char name[200], w[24] = "";
    struct text t = {name, sizeof name}, tw = {w, sizeof w};
    say_place(&t, f);
    if (f->goroutines > 1) say(&t, ", %d goroutines", f->goroutines);
    if (f->group && f->group != f->id) say(&t, ", fused with what follows");
    if (!f->group) say(&t, ", not begun");
    say_time(&tw, f->w);
    fprintf(out, "%9.3f  %9s %9.4g %9.4g  %3d %%  %6d %%  %7d %%  %6.1f  %s\n", f->l, w, f->lambda_in, f->lambda_out, percent(f->utilisation),
            percent(part_of_life(f, f->waited_in)), percent(part_of_life(f, f->waited_out)), f->queue, name);
  }
  leat_bottleneck b = leat_bottleneck_of(rows, n);
  fprintf(out, "%s\n", b.why);
  free(rows);
}

static void print_label(FILE *out, const char *name, const char *value) {
  fprintf(out, "%s=\"", name);
  for (; *value; value++) {
    if (*value == '"' || *value == '\\') fputc('\\', out);
    fputc(*value, out);
  }
  fputc('"', out);
}

static void print_sample(FILE *out, const leat_figures *f, const char *name, const char *direction, double value) {
  fprintf(out, "leat_stage_%s{id=\"%" PRIu64 "\",", name, f->id);
  print_label(out, "stage", f->stage);
  fputc(',', out);
  print_label(out, "function", f->function);
  fputc(',', out);
  print_label(out, "at", f->birthplace);
  if (direction) fprintf(out, ",direction=\"%s\"", direction);
  fprintf(out, "} %.15g\n", value);
}

void leat_figures_print_metrics(leat_view s, FILE *out) {
  size_t n = 0;
  leat_figures *rows = read_all(s, &n);
  static const struct {
    const char *name, *type, *help;
  } metrics[] = {
    {"items_total", "counter", "Items that a stage has received and handed on."},
    {"life_seconds_total", "counter", "Time of its goroutines."},
    {"busy_seconds_total", "counter", "Of that: time at work on the stage."},
    {"waited_seconds_total", "counter", "Of that: time waiting for input, or to hand on."},
    {"inside_seconds_total", "counter", "Items in the stage, integrated over time: its rate is L."},
    {"queued_seconds_total", "counter", "Items in the buffer before the stage, integrated over time."},
  };
  for (int m = 0; rows && m < (int)(sizeof metrics / sizeof *metrics); m++) {
    const char *name = metrics[m].name;
    fprintf(out, "# HELP leat_stage_%s %s\n# TYPE leat_stage_%s %s\n", name, metrics[m].help, name, metrics[m].type);
    for (const leat_figures *f = rows; f < rows + n; f++) {
      switch (m) {
      case 0:
        print_sample(out, f, name, "in", (double)f->in);
        print_sample(out, f, name, "out", (double)f->out);
        break;
      case 1: print_sample(out, f, name, NULL, (double)f->life / 1e9); break;
      case 2: print_sample(out, f, name, NULL, (double)f->busy / 1e9); break;
      case 3:
        print_sample(out, f, name, "in", (double)f->waited_in / 1e9);
        print_sample(out, f, name, "out", (double)f->waited_out / 1e9);
        break;
      case 4: print_sample(out, f, name, NULL, f->leat_i_inside / 1e9); break;
      case 5: print_sample(out, f, name, NULL, f->leat_i_queued / 1e9); break;
      }
    }
  }
  free(rows);
}
