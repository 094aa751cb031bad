/* Figures: counts and sums that agree exactly, for stages that are alone, fused, several, cancelled, users' own; L against stays that are measured
 * independently; which stage is named the bottleneck; what a rate takes; the texts; who is not measured. */
#include "wait.h"
#include <math.h>
#include <pthread.h>

typedef leat_rx(int) int_rx;
LEAT_SLICE_DEFINE(int);
enum { MOST = 64 };

static leat_figures rows[MOST];
static size_t n_rows;

static void look(leat_view s) {
  n_rows = leat_figures_read(s, rows, MOST);
  CHECK(n_rows <= MOST);
}
static const leat_figures *row_of(const char *stage, const char *function) {
  for (size_t i = 0; i < n_rows; i++)
    if (!strcmp(rows[i].stage, stage) && !strcmp(rows[i].function, function)) return &rows[i];
  fprintf(stderr, "no row for %s(%s)\n", stage, function);
  CHECK(false);
  return NULL;
}
static bool near(double a, double b, double part) { return fabs(a - b) <= part * fabs(b) + 1e-12; }

/* What holds whatever happened: the goroutines' time is what they worked on each of the stages that are fused, and waited; L = lambda W. */
static void check_sums(void) {
  for (size_t i = 0; i < n_rows; i++) {
    const leat_figures *f = &rows[i];
    CHECK(f->life >= 0 && f->busy >= 0 && f->waited_in >= 0 && f->waited_out >= 0 && f->time >= 0);
    CHECK(f->goroutines >= 1 || (f->life == 0 && f->in == 0 && f->out == 0));
    double lambda = f->in ? f->lambda_in : f->lambda_out;
    if (f->time && lambda > 0) CHECK(near(f->l, lambda * f->w, 1e-9));
    if (f->group != f->id) continue;
    int64_t busy = 0;
    bool chain = true; /* and no merge of several: there each has goroutines of its own */
    for (size_t j = 0; j < n_rows; j++) {
      if (rows[j].group != f->id) continue;
      busy += rows[j].busy;
      chain = chain && rows[j].life == f->life;
    }
    if (!chain) continue;
    int64_t all = busy + f->waited_in + f->waited_out;
    CHECK(all >= f->life - 1000 && all <= f->life + 1000); /* fractions are rounded */
  }
}

static atomic_int produced;
LEAT_SOURCE(next, int) { return produced++; }
LEAT_MAP(plus, int, int, n, int, k) { return n + k; }
LEAT_FILTER(odd, int, n) { return n % 2; }
LEAT_EFFECT(pass, int, int, n) { return n; }
LEAT_SINK(forget, int, n) { (void)n; }
LEAT_FOLD(sum, long, acc, int, n) { return acc + n; }
/* Works on an item until it is told that it is done. */
LEAT_EFFECT(work, int, int, n, leat_rx(int), done) {
  int token;
  return leat_recv(done, &token) ? -1 : n;
}

/* The bottleneck. */

/* Items are held until the figures are as they have to be: so however slow the machine is, and whenever it stops a thread, what the others wait for
 * makes up most of the time in the end, unless the figures are wrong. */
static bool works_mostly(leat_view s, const char *stage, const char *function, int goroutines) {
  look(s);
  const leat_figures *f = row_of(stage, function);
  return f->goroutines == goroutines && f->utilisation > 0.75;
}
static bool is_bottleneck(leat_view s, enum leat_bottleneck_kind kind, const char *function) {
  look(s);
  leat_bottleneck b = leat_bottleneck_of(rows, n_rows);
  return b.kind == kind && !strcmp(b.stage->function, function);
}
static void let_work(leat_view s, const char *stage, const char *function, int goroutines, leat_chan(int) done, int items) {
  for (int i = 0; i < items; i++) {
    UNTIL(works_mostly(s, stage, function, goroutines) && is_bottleneck(s, LEAT_BOTTLENECK_STAGE, function));
    CHECK_EQ(leat_send(done, 0), LEAT_OK);
  }
}
TEST_GO(the_slow_stage_is_named) {
  leat_scope(s);
  leat_chan(int) done = leat_chan_make(s, int, 0);
  leat_share(done);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int_rx slow = leat_map(s, leat_map(s, leat_take(s, leat_repeat_fn(s, next), 20), plus, 1), work, leat_rx_of(done));
  CHECK_EQ(leat_for_each(s, leat_map(s, slow, pass), forget), LEAT_OK);
  let_work(s, "map", "work", 1, done, 10);
  const leat_figures *before, *behind; /* in the middle */
  do {
    pause_a_moment();
    look(s);
    before = row_of("generate", "next");
    behind = row_of("map", "pass");
  } while (row_of("map", "work")->in < 11 || before->waited_out <= before->life / 2 || behind->waited_in <= behind->life / 2);
  check_sums();
  leat_bottleneck b = leat_bottleneck_of(rows, n_rows);
  CHECK_EQ(b.kind, LEAT_BOTTLENECK_STAGE);
  CHECK_STR(b.stage->function, "work");
  CHECK(strstr(b.why, "map(work) at ") && strstr(b.why, "figures.c:") && strstr(b.why, " is the bottleneck: it works ") && strstr(b.why, "before it generate(next) waits "));
  CHECK(strstr(b.why, "behind it map(pass) waits "));
  CHECK(b.stage->utilisation > 0.5);
  CHECK_EQ(b.stage->in, 11);
  CHECK_EQ(b.stage->out, 10);
  CHECK_EQ(b.stage->goroutines, 1);
  CHECK(!b.stage->ended);
  let_work(s, "map", "work", 1, done, 10);
  int64_t busy = row_of("map", "work")->busy;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  check_sums();
  CHECK(row_of("map", "work")->ended);
  CHECK(row_of("map", "work")->busy >= busy);
}
TEST_GO(several_goroutines_are_one_row) {
  leat_scope(s);
  leat_chan(int) done = leat_chan_make(s, int, 0);
  leat_share(done);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  CHECK_EQ(leat_for_each(s, leat_fan_out(s, leat_take(s, leat_repeat_fn(s, next), 30), 3, work, leat_rx_of(done)), forget), LEAT_OK);
  let_work(s, "map", "work", 3, done, 27);
  UNTIL(works_mostly(s, "map", "work", 3) && is_bottleneck(s, LEAT_BOTTLENECK_STAGE, "work") && row_of("map", "work")->l > 1.5);
  const leat_figures *f = row_of("map", "work");
  CHECK_EQ(f->goroutines, 3);
  CHECK_EQ(f->group, row_of("merge", "")->id);
  CHECK_EQ(f->reader, row_of("merge", "")->id);
  CHECK_EQ(f->feeder, row_of("take", "")->id);
  leat_bottleneck b = leat_bottleneck_of(rows, n_rows);
  CHECK(strstr(b.why, "its 3 goroutines work "));
  for (int i = 0; i < 3; i++) CHECK_EQ(leat_send(done, 0), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  check_sums();
  CHECK_EQ(row_of("take", "")->out, 30);
  CHECK_EQ(row_of("map", "work")->in, 30);
  CHECK_EQ(row_of("map", "work")->out, 30);
  CHECK_EQ(row_of("merge", "")->out, 30);
  CHECK_EQ(row_of("for_each", "forget")->in, 30);
}
LEAT_FN(produce, leat_tx(int), out, leat_rx(int), go) {
  leat_defer_close(out);
  leat_range(int, n, go)
    if (leat_send(out, n)) return;
}
TEST_GO(what_is_outside_is_named) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  leat_chan(int) go = leat_chan_make(s, int, 0), in = leat_chan_make(s, int, 0);
  leat_service(s, produce, leat_tx_of(in), leat_rx_of(go));
  int_rx out = leat_map(s, leat_rx_of(in), pass);
  int n;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &n), LEAT_DEADLINE); /* it has begun */
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(leat_send(go, i), LEAT_OK);
    CHECK_EQ(leat_recv(out, &n), LEAT_OK);
  }
  UNTIL(is_bottleneck(s, LEAT_BOTTLENECK_BEFORE, "pass"));
  leat_bottleneck b = leat_bottleneck_of(rows, n_rows);
  CHECK(strstr(b.why, "outside") && strstr(b.why, "map(pass) at "));
  leat_figures earlier[MOST];
  memcpy(earlier, rows, sizeof earlier);
  size_t n_earlier = n_rows;
  for (int i = 0; i < 20; i++) {
    if (i) CHECK_EQ(leat_recv(out, &n), LEAT_OK);
    CHECK_EQ(leat_send(go, i), LEAT_OK);
  }
  do { /* it cannot hand over the last one */
    pause_a_moment();
    look(s);
    leat_figures_subtract(rows, n_rows, earlier, n_earlier); /* of late */
    check_sums();
    b = leat_bottleneck_of(rows, n_rows);
  } while (b.kind != LEAT_BOTTLENECK_BEHIND || rows[0].in < 20);
  CHECK_EQ(rows[0].in, 20);
  CHECK(strstr(b.why, "whoever receives from map(pass)"));
}
TEST_GO(nothing_is_named_before_anything_runs) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  leat_map(s, leat_repeat_fn(s, next), pass);
  look(s);
  CHECK_EQ(n_rows, 2);
  CHECK_EQ(rows[1].group, 0);
  leat_bottleneck b = leat_bottleneck_of(rows, n_rows);
  CHECK_EQ(b.kind, LEAT_BOTTLENECK_UNKNOWN);
  CHECK(b.stage == NULL && *b.why);
  CHECK_EQ(leat_bottleneck_of(rows, 0).kind, LEAT_BOTTLENECK_UNKNOWN);
}

/* Fused. */

TEST_GO(fused_stages_are_counted_one_by_one) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int64_t n = test_scale(1000000) / 4 * 4;
  int_rx odds = leat_filter(s, leat_map(s, leat_numbers(s, int, 0, n), plus, 1), odd);
  long total = 0;
  CHECK_EQ(leat_fold(leat_skip(s, odds, 10), &total, sum), LEAT_OK);
  look(s);
  check_sums();
  CHECK_EQ(n_rows, 5);
  static const char *const stages[] = {"numbers", "map", "filter", "skip", "fold"};
  const int64_t in[] = {0, n, n, n / 2, n / 2 - 10}, out[] = {n, n, n / 2, n / 2 - 10, n / 2 - 10};
  int64_t busy = 0;
  for (int i = 0; i < 5; i++) {
    CHECK_STR(rows[i].stage, stages[i]);
    CHECK_EQ(rows[i].id, i + 1);
    CHECK_EQ(rows[i].in, in[i]);
    CHECK_EQ(rows[i].out, out[i]);
    CHECK_EQ(rows[i].group, 5);
    CHECK_EQ(rows[i].feeder, i);
    CHECK_EQ(rows[i].reader, i < 4 ? i + 2 : 0);
    CHECK_EQ(rows[i].waited_in + rows[i].waited_out, 0); /* it runs in the caller, without a channel */
    CHECK(rows[i].ended && rows[i].goroutines == 1);
    busy += rows[i].busy;
  }
  CHECK(busy > 0);
}
/* Each batch is in one stage after the other, all of it: so the time in a stage is what it works, times the items of a batch. */
TEST_GO(batches_count_with_all_their_items) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int64_t n = 1 << 16;
  long total = 0;
  CHECK_EQ(leat_fold(leat_map(s, leat_numbers(s, int, 0, n), plus, 1), &total, sum), LEAT_OK);
  look(s);
  const leat_figures *f = row_of("map", "plus");
  CHECK(f->l > f->utilisation * 2); /* batches grow to hundreds; only where a round takes long they stay small, and that is not so all the time */
  CHECK(f->w > f->service * 2);
}
TEST_GO(flat_maps_and_flushes_are_counted) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int64_t n = 0;
  CHECK_EQ(leat_count(leat_last(s, leat_numbers(s, int, 0, 100)), &n), LEAT_OK);
  CHECK_EQ(n, 1);
  look(s);
  check_sums();
  CHECK_EQ(row_of("last", "")->in, 100);
  CHECK_EQ(row_of("last", "")->out, 1);
  CHECK_EQ(row_of("count", "")->in, 1);
}
/* Of two that are fused the one that takes the time is named. */
static int64_t computed; /* until then; it takes several times as long as the others have taken, however slow they were */
LEAT_MAP(long_computation, int, int, n) {
  int64_t since = leat_now(), others = computed ? since - computed : 0;
  while (leat_now() < since + LEAT_US(200) + 5 * others) {}
  computed = leat_now();
  return n;
}
TEST_GO(time_is_divided_among_fused_stages) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  computed = leat_now();
  int_rx out = leat_map(s, leat_map(s, leat_map(s, leat_numbers(s, int, 0, 100), plus, 1), long_computation), plus, 2);
  long total = 0;
  CHECK_EQ(leat_fold(out, &total, sum), LEAT_OK);
  look(s);
  check_sums();
  leat_bottleneck b = leat_bottleneck_of(rows, n_rows);
  CHECK_STR(b.stage->function, "long_computation");
  CHECK(strstr(b.why, "of the stages fused with it"));
  CHECK(b.stage->busy > b.stage->life / 2);
  CHECK(b.stage->service > 0.00019);
}

/* L and W, against stays that are measured by other means. */

TEST_GO(a_buffer_holds_what_lies_in_it) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  enum { ITEMS = 8, ROUNDS = 5 };
  leat_chan(int) in = leat_chan_make(s, int, 0);
  int_rx out = leat_buffer(s, leat_rx_of(in), ITEMS);
  int n;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &n), LEAT_DEADLINE); /* it has begun */
  double least = 0, most = 0; /* item-seconds in the buffer, certainly and at most */
  for (int round = 0; round < ROUNDS; round++) {
    int64_t before = leat_now();
    for (int i = 0; i < ITEMS; i++) CHECK_EQ(leat_send(in, i), LEAT_OK);
    UNTIL(leat_len(out) == ITEMS);
    int64_t full = leat_now();
    leat_sleep(LEAT_MS(2));
    least += ITEMS * (double)(leat_now() - full) / 1e9;
    for (int i = 0; i < ITEMS; i++) CHECK_EQ(leat_recv(out, &n), LEAT_OK);
    most += ITEMS * (double)(leat_now() - before) / 1e9;
  }
  look(s);
  const leat_figures *f = row_of("buffer", "");
  double inside = f->l * (double)f->time / 1e9;
  CHECK(inside >= least * 0.999 && inside <= most * 1.001 + 0.001 /* its goroutine's work */);
  CHECK_EQ(f->in, ITEMS * ROUNDS);
  CHECK_EQ(f->out, ITEMS * ROUNDS);
  CHECK(near(f->w, inside / (ITEMS * ROUNDS), 1e-6));
}
TEST_GO(the_queue_before_a_stage_is_seen) {
  leat_scope(s);
  leat_chan(int) in = leat_chan_make(s, int, 10), done = leat_chan_make(s, int, 0);
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_send(in, i), LEAT_OK); /* before it is measured */
  leat_close(in);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  CHECK_EQ(leat_for_each(s, leat_map(s, leat_rx_of(in), work, leat_rx_of(done)), forget), LEAT_OK);
  wait_blocked("work", 1);
  leat_sleep(LEAT_MS(3));
  look(s);
  CHECK(row_of("map", "work")->queue <= 10.001 && row_of("map", "work")->l <= 1.001);
  CHECK_EQ(row_of("map", "work")->reader, row_of("for_each", "forget")->id);
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_send(done, i), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  CHECK_EQ(row_of("map", "work")->in, 10);
  CHECK_EQ(row_of("map", "work")->waited_in, 0);
}
TEST_GO(a_queue_agrees_with_its_own_counters) {
  leat_scope(s);
  leat_queue_counters counters = {{0}};
  CHECK_EQ(leat_measure(s), LEAT_OK);
  leat_chan(int) in = leat_chan_make(s, int, 0);
  int_rx out = leat_queue(s, leat_rx_of(in), ((leat_queue_options){.room = 5, .full = LEAT_QUEUE_DROP_OLDEST, .counters = &counters}));
  int n;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &n), LEAT_DEADLINE);
  for (int i = 0; i < 20; i++) CHECK_EQ(leat_send(in, i), LEAT_OK);
  UNTIL(leat_queue_look(&counters).arrived == 20);
  leat_sleep(LEAT_MS(5));
  do look(s);
  while (row_of("queue", "")->waited_out < LEAT_MS(4));
  leat_close(in);
  while (leat_recv(out, &n) == LEAT_OK) {}
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  leat_queue_figures q = leat_queue_look(&counters);
  const leat_figures *f = row_of("queue", "");
  CHECK_EQ(f->in, q.arrived);
  CHECK_EQ(f->out, q.passed);
  CHECK_EQ(q.passed, 5);
  double stayed = q.w * (double)q.passed, inside = f->l * (double)f->time / 1e9; /* item-seconds; those that were shed had hardly come */
  CHECK(stayed >= 5 * 0.005 && inside >= stayed * 0.9);
}
/* It gathers two, which wait for the third. */
TEST_GO(what_a_stage_keeps_is_in_it) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  leat_chan(int) in = leat_chan_make(s, int, 0);
  leat_rx(leat_slice(int)) out = leat_batch(s, leat_rx_of(in), int, 3, LEAT_NEVER);
  leat_slice(int) slice;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &slice), LEAT_DEADLINE);
  for (int i = 0; i < 2; i++) CHECK_EQ(leat_send(in, i), LEAT_OK);
  for (double gained = 0, passed = 1; gained < 1.99 * passed;) { /* until it keeps both */
    look(s);
    double inside = row_of("batch", "")->l * (double)row_of("batch", "")->time, time = (double)row_of("batch", "")->time;
    leat_sleep(LEAT_MS(3));
    look(s);
    gained = row_of("batch", "")->l * (double)row_of("batch", "")->time - inside;
    passed = (double)row_of("batch", "")->time - time;
    CHECK(gained <= 2.01 * passed); /* of sums of nanoseconds */
  }
  CHECK_EQ(leat_send(in, 2), LEAT_OK);
  CHECK_EQ(leat_recv(out, &slice), LEAT_OK);
  CHECK_EQ(slice.n, 3);
  leat_slice_free(&slice);
  leat_close(in);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  check_sums();
  double ended = row_of("batch", "")->l * (double)row_of("batch", "")->time;
  leat_sleep(LEAT_MS(1));
  look(s);
  CHECK(near(row_of("batch", "")->l * (double)row_of("batch", "")->time, ended, 1e-6)); /* nothing is in it any more */
  CHECK_EQ(row_of("batch", "")->in, 3);
  CHECK_EQ(row_of("batch", "")->out, 1);
}
TEST_GO(a_parallel_map_has_what_waits_for_its_turn) {
  leat_scope(s);
  leat_chan(int) done = leat_chan_make(s, int, 0);
  leat_share(done);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  CHECK_EQ(leat_for_each(s, leat_parallel_map(s, leat_take(s, leat_repeat_fn(s, next), 40), 4, 6, work, leat_rx_of(done)), forget), LEAT_OK);
  let_work(s, "parallel_map", "work", 4, done, 36); /* so many that four are at work before each */
  UNTIL(works_mostly(s, "parallel_map", "work", 4) && is_bottleneck(s, LEAT_BOTTLENECK_STAGE, "work") && row_of("parallel_map", "work")->l > 2);
  for (int i = 0; i < 4; i++) CHECK_EQ(leat_send(done, i), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  const leat_figures *f = row_of("parallel_map", "work");
  CHECK_EQ(f->goroutines, 4);
  CHECK_EQ(f->in, 40);
  CHECK_EQ(f->out, 40);
  CHECK(f->l <= 6.01);
  check_sums();
}

/* A user's own. */

LEAT_STAGE(pairs, int, int, in, out, leat_rx(int), done) {
  int a, b, token, status;
  while (!(status = leat_recv(in, &a)) && !(status = leat_recv(in, &b)) && !(status = leat_recv(done, &token)))
    if ((status = leat_send(out, a + b))) break;
  return status;
}
TEST_GO(a_stage_of_the_users) {
  leat_scope(s);
  leat_chan(int) done = leat_chan_make(s, int, 0);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  CHECK_EQ(leat_for_each(s, leat_stage(s, leat_take(s, leat_repeat_fn(s, next), 20), pairs, leat_rx_of(done)), forget), LEAT_OK);
  let_work(s, "stage", "pairs", 1, done, 10); /* waiting for `done` is its work */
  leat_close(done);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  check_sums();
  const leat_figures *f = row_of("stage", "pairs");
  CHECK_EQ(f->in, 20);
  CHECK_EQ(f->out, 10);
}
LEAT_STAGE(total, int, long, in, out) {
  long acc = 0;
  int status = leat_fold(in, &acc, sum);
  return status ? status : leat_send(out, acc);
}
TEST_GO(a_stage_of_the_users_that_folds_its_input) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  leat_chan(int) in = leat_chan_make(s, int, 0);
  leat_rx(long) out = leat_stage(s, leat_rx_of(in), total);
  long acc;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &acc), LEAT_DEADLINE);
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_send(in, i), LEAT_OK);
  do look(s);
  while (row_of("fold", "sum")->waited_in < LEAT_MS(1));
  leat_close(in);
  CHECK_EQ(leat_recv(out, &acc), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  look(s);
  check_sums();
  const leat_figures *outer = row_of("stage", "total"), *inner = row_of("fold", "sum");
  CHECK_EQ(inner->in, 10);
  CHECK_EQ(outer->in, 10);
  CHECK_EQ(outer->out, 1);
  CHECK(outer->waited_in >= inner->waited_in);
}
LEAT_MAP(one, int, int_rx, n, leat_view, s) { return leat_numbers(s, int, 0, n); }
TEST_GO(a_bridge_of_many_streams_is_two_rows) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int64_t n = 0;
  CHECK_EQ(leat_count(leat_bridge(s, leat_map(s, leat_numbers(s, int, 0, 100), one, s)), &n), LEAT_OK);
  CHECK_EQ(n, 4950);
  look(s);
  check_sums();
  CHECK_EQ(row_of("bridge", "")->in, 100);
  CHECK_EQ(row_of("bridge", "")->out, 4950);
  size_t streams = 0;
  for (size_t i = 0; i < n_rows; i++) streams += !strcmp(rows[i].stage, "numbers");
  CHECK_EQ(streams, 2);
  CHECK(n_rows <= 5);
}

/* Cancelled. */

TEST_GO(cancelled_in_the_middle) {
  leat_scope(all);
  CHECK_EQ(leat_measure(all), LEAT_OK);
  for (int i = 0; i < 20; i++) {
    leat_scope(s);
    int_rx out = leat_fan_out(s, leat_buffer(s, leat_filter(s, leat_map(s, leat_repeat_fn(s, next), pass), odd), 3), 2, pass);
    int n;
    for (int k = 0; k < i; k++) CHECK_EQ(leat_recv(out, &n), LEAT_OK);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  look(all);
  check_sums();
  CHECK_EQ(n_rows, 6); /* the pipelines of all rounds, one row a stage */
  for (size_t i = 0; i < n_rows; i++) CHECK(rows[i].ended);
  CHECK_EQ(row_of("generate", "next")->goroutines, 1);
  CHECK(row_of("generate", "next")->out >= rows[1].in);
  CHECK(row_of("merge", "")->out >= 190);
  CHECK(row_of("merge", "")->in >= row_of("merge", "")->out);
}
LEAT_EFFECT(fails, int, int, n) {
  if (n == 5) leat_panic("as planned");
  return n;
}
TEST_GO(panics_leave_sums_that_agree) {
  leat_set_log(NULL, NULL);
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  CHECK_EQ(leat_for_each(s, leat_map(s, leat_numbers(s, int, 0, 100), fails), forget), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  look(s);
  check_sums();
  CHECK_EQ(row_of("map", "fails")->out, 5);
  CHECK(row_of("map", "fails")->ended);
}

/* Who is measured. */

TEST_GO(not_without_asking) {
  leat_scope(s);
  (void)leat_numbers(s, int, 0, 1);
  look(s);
  CHECK_EQ(n_rows, 0);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  look(s);
  CHECK_EQ(n_rows, 0); /* it was made before */
  {
    leat_scope(below);
    leat_numbers(below, int, 0, 1);
    look(below);
    CHECK_EQ(n_rows, 1);
    CHECK_EQ(leat_measure(below), LEAT_OK);
    leat_numbers(below, int, 0, 1);
    leat_numbers(below, int, 0, 1);
    look(below);
    CHECK_EQ(n_rows, 2); /* its own */
  }
  look(s);
  CHECK_EQ(n_rows, 1);
  (void)leat_numbers(NULL, int, 0, 1);
  look(NULL);
  CHECK_EQ(n_rows, 2);
  leat_figures one_row;
  CHECK_EQ(leat_figures_read(s, &one_row, 1), 2);
  CHECK_EQ(one_row.id, 1);
}
TEST_GO(a_channel_outlives_those_who_measure) {
  leat_scope(s);
  leat_chan(int) in = leat_chan_make(s, int, 4);
  leat_share(in);
  int n;
  for (int i = 0; i < 3; i++) {
    {
      leat_scope(measured);
      CHECK_EQ(leat_measure(measured), LEAT_OK);
      int_rx out = leat_map(measured, leat_rx_of(in), pass);
      CHECK_EQ(leat_send(in, i), LEAT_OK);
      CHECK_EQ(leat_recv(out, &n), LEAT_OK);
      CHECK_EQ(n, i);
      look(measured);
      CHECK_EQ(rows[0].in, 1);
    }
    for (int k = 0; k < 8; k++) {
      CHECK_EQ(leat_send(in, k), LEAT_OK);
      CHECK_EQ(leat_recv(in, &n), LEAT_OK);
      CHECK_EQ(n, k);
    }
  }
}
TEST_GO(a_channel_is_released_while_it_is_measured) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  for (int i = 0; i < 3; i++) {
    leat_chan(int) in = leat_chan_make(s, int, 4);
    for (int k = 0; k < 4; k++) CHECK_EQ(leat_send(in, k), LEAT_OK);
    leat_close(in);
    int64_t n = 0;
    CHECK_EQ(leat_count(leat_map(s, leat_rx_of(in), pass), &n), LEAT_OK);
    CHECK_EQ(n, 4);
    leat_release(in);
  }
  look(s);
  check_sums();
  CHECK_EQ(n_rows, 2);
  CHECK_EQ(row_of("map", "pass")->in, 12);
}
TEST_GO(many_that_are_made_in_a_loop) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int_rx out = leat_take(s, leat_repeat_fn(s, next), 10);
  for (int i = 0; i < 30; i++) out = leat_map(s, out, pass);
  int64_t n = 0;
  CHECK_EQ(leat_count(out, &n), LEAT_OK);
  CHECK_EQ(n, 10);
  look(s);
  check_sums();
  CHECK_EQ(n_rows, 33);
  for (size_t i = 2; i < 32; i++) CHECK(rows[i].in == 10 && rows[i].out == 10 && rows[i].feeder == i);
}

/* At any time, from anywhere. */

static atomic_bool over;
struct reader {
  leat_view scope;
  pthread_t thread;
};
static void *read_all_the_time(void *argument) {
  struct reader *r = argument;
  leat_figures f[MOST], before[MOST];
  size_t n_before = 0;
  while (!over) {
    size_t n = leat_figures_read(r->scope, f, MOST);
    for (size_t i = 0; i < n; i++) CHECK(f[i].l >= -0.001 && f[i].utilisation <= 1.001);
    for (size_t i = 0; i < n_before; i++) CHECK(f[i].in >= before[i].in && f[i].out >= before[i].out && f[i].id == before[i].id);
    memcpy(before, f, sizeof f);
    n_before = n;
    leat_bottleneck_of(f, n);
  }
  return NULL;
}
TEST_GO(storm) {
  leat_scope(all);
  CHECK_EQ(leat_measure(all), LEAT_OK);
  struct reader r = {.scope = all};
  CHECK_EQ(pthread_create(&r.thread, NULL, read_all_the_time, &r), 0);
  int rounds = (int)test_scale(300) + 3;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    leat_chan(int) in = leat_chan_make(s, int, i % 3);
    int_rx outs[2], lanes[2] = {leat_fan_out(s, leat_rx_of(in), 3, pass), leat_buffer(s, leat_map(s, leat_repeat_fn(s, next), plus, 1), 5)};
    CHECK_EQ(leat_tee(s, leat_merge_array(s, lanes, 2), outs, 2), LEAT_OK);
    CHECK_EQ(leat_for_each(s, leat_parallel_map(s, outs[0], 2, 4, pass), forget), LEAT_OK);
    int64_t n = 0;
    for (int k = 0; k < 20; k++)
      if (leat_try_send(in, k) != LEAT_OK) leat_yield();
    CHECK_EQ(leat_count(leat_take(s, outs[1], 50 + i % 50), &n), LEAT_OK);
    leat_cancel(s);
  }
  over = true;
  pthread_join(r.thread, NULL);
  look(all);
  check_sums();
  for (size_t i = 0; i < n_rows; i++) CHECK(rows[i].ended || !rows[i].life);
}

/* Another rate. */

static leat_figures made_up(uint64_t id, uint64_t feeder, int goroutines, uint64_t items, double service) {
  int64_t busy = (int64_t)(service * (double)items * 1e9);
  return (leat_figures){.id = id, .group = id, .feeder = feeder, .reader = id + 1, .stage = "made up", .function = "", .birthplace = "", .goroutines = goroutines, .in = feeder ? items : 0, .out = items,
                        .time = LEAT_SECONDS(100), .life = LEAT_SECONDS(100) * goroutines, .busy = busy};
}
TEST(a_rate_and_its_queue) {
  leat_figures f[] = {made_up(1, 0, 1, 1000, 0.001), made_up(2, 1, 1, 1000, 0.01), made_up(3, 2, 4, 2000, 0.01)}; /* a source; 10 ms; two times 10 ms on 4 */
  f[1].out = 2000;
  leat_load load = leat_load_at(f, 3, 50, 0.1);
  CHECK(near(load.capacity, 100, 1e-9));
  CHECK(near(load.utilisation, 0.5, 1e-9));
  CHECK(near(load.w, 0.03, 1e-9)); /* the source is not work */
  CHECK(near(load.l, 1.5, 1e-9));
  CHECK_EQ(load.room, 2); /* M/M/1/K, rho 1/2: full for 1/3, 1/7, 1/15 of the arrivals with 0, 1, 2 places */
  CHECK_EQ(leat_load_at(f, 3, 50, 0.34).room, 0);
  CHECK_EQ(leat_load_at(f, 3, 50, 0.143).room, 1);
  CHECK_EQ(leat_load_at(f, 3, 50, 0.06).room, 3);
  CHECK_EQ(leat_load_at(f, 3, 100, 0.01).room, -1);
  CHECK(leat_load_at(f, 3, 150, 0.01).utilisation > 1.4);
  CHECK_EQ(leat_load_at(f, 3, 50, 0).room, -1);
  f[2].goroutines = 1; /* now it is the bottleneck, 50 a second */
  CHECK(near(leat_load_at(f, 3, 25, 0.1).capacity, 50, 1e-9));
  f[2].goroutines = 2;
  f[2].busy *= 2; /* M/M/2, 2 erlangs of 2 at 50 a second; at 25: Erlang's B is 1/5, then 1/11, 1/23 */
  CHECK(near(leat_load_at(f, 3, 25, 0.1).utilisation, 0.5, 1e-9));
  CHECK_EQ(leat_load_at(f, 3, 25, 0.21).room, 0);
  CHECK_EQ(leat_load_at(f, 3, 25, 0.1).room, 1);
  CHECK_EQ(leat_load_at(f, 3, 25, 0.05).room, 2);
  CHECK(isinf(leat_load_at(f, 1, 25, 0.1).capacity));
  CHECK_EQ(leat_load_at(f, 1, 25, 0.1).room, 0);
}
/* What has come and has not been worked on yet, or never will be. */
TEST(a_rate_by_what_becomes_of_an_item_and_not_by_what_has_arrived) {
  leat_figures buffered[] = {made_up(1, 0, 1, 150, 0), made_up(2, 1, 1, 150, 0), made_up(3, 2, 1, 40, 0.005)};
  CHECK(near(leat_load_at(buffered, 3, 100, 0.1).capacity, 200, 1e-9));
  CHECK(near(leat_load_at(buffered, 3, 100, 0.1).w, 0.005, 1e-9));
  leat_figures sheds[] = {made_up(1, 0, 1, 1000, 0), made_up(2, 1, 1, 1000, 0), made_up(3, 2, 1, 300, 0.005)};
  sheds[1].stage = "queue";
  sheds[1].out = 300;
  CHECK(near(leat_load_at(sheds, 3, 100, 0.1).capacity, 200, 1e-9));
  CHECK_EQ(leat_load_at(sheds, 3, 300, 0.1).room, -1);
  leat_figures filtered[] = {made_up(1, 0, 1, 1000, 0), made_up(2, 1, 1, 1000, 0), made_up(3, 2, 1, 300, 0.005)};
  filtered[1].out = 500; /* of which 200 still wait */
  CHECK(near(leat_load_at(filtered, 3, 100, 0.1).capacity, 400, 1e-9));
  /* A split of 3 to 1, merged again; one of its ways is slow. */
  leat_figures split[] = {made_up(1, 0, 1, 400, 0), made_up(2, 1, 1, 400, 0), made_up(3, 2, 1, 300, 0.001), made_up(4, 2, 1, 100, 0.008), made_up(5, 3, 1, 400, 0.001)};
  split[2].reader = split[3].reader = 5;
  CHECK(near(leat_load_at(split, 5, 100, 0.1).capacity, 500, 1e-9));
  CHECK(near(leat_load_at(split, 5, 100, 0.1).w, 0.75 * 0.001 + 0.25 * 0.008 + 0.001, 1e-9));
  /* To both. */
  leat_figures both[] = {made_up(1, 0, 1, 400, 0), made_up(2, 1, 1, 400, 0), made_up(3, 2, 1, 400, 0.001), made_up(4, 2, 1, 400, 0.002)};
  both[1].out = 800;
  both[2].reader = 0;
  CHECK(near(leat_load_at(both, 4, 100, 0.1).capacity, 500, 1e-9));
  /* Two sources. */
  leat_figures merged[] = {made_up(1, 0, 1, 300, 0), made_up(2, 0, 1, 100, 0), made_up(3, 1, 1, 400, 0.001)};
  merged[0].reader = merged[1].reader = 3;
  CHECK(near(leat_load_at(merged, 3, 100, 0.1).capacity, 1000, 1e-9));
}
TEST_GO(the_capacity_of_a_pipeline) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int_rx out = leat_map(s, leat_take(s, leat_repeat_fn(s, next), 50), long_computation);
  int64_t n = 0;
  CHECK_EQ(leat_count(out, &n), LEAT_OK);
  look(s);
  leat_load load = leat_load_at(rows, n_rows, 1000, 0.01);
  CHECK(load.capacity <= 5001); /* each takes 200 us at least */
  CHECK(load.w >= 0.0001999);
}

/* Texts. */

static char *text_of(void (*print)(leat_view, FILE *), leat_view s) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  CHECK(out != NULL);
  print(s, out);
  fclose(out);
  return text;
}
TEST_GO(texts) {
  leat_scope(s);
  CHECK_EQ(leat_measure(s), LEAT_OK);
  int64_t n = 0;
  CHECK_EQ(leat_count(leat_map(s, leat_map(s, leat_numbers(s, int, 0, 10), pass), pass), &n), LEAT_OK);
  char *table = text_of(leat_figures_print, s);
  CHECK(strstr(table, "waits in") && strstr(table, "numbers at ") && strstr(table, "map(pass) at ") && strstr(table, "fused with what follows") && strstr(table, " is the bottleneck"));
  size_t lines = 0;
  for (const char *c = table; *c; c++) lines += *c == '\n';
  CHECK_EQ(lines, 6);
  free(table);
  char *metrics = text_of(leat_figures_print_metrics, s);
  CHECK(strstr(metrics, "# TYPE leat_stage_items_total counter\nleat_stage_items_total{id=\"1\",stage=\"numbers\",function=\"\",at=\""));
  CHECK(strstr(metrics, ",direction=\"out\"} 10\n") && strstr(metrics, "leat_stage_inside_seconds_total{") && strstr(metrics, "leat_stage_waited_seconds_total{"));
  free(metrics);
  leat_scope(none);
  char *nothing = text_of(leat_figures_print_metrics, none); /* it is below one that measures */
  CHECK(*nothing);
  free(nothing);
}
