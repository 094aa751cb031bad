/* Meters: each verdict is reached by what it is about; what is counted is exact, what is sampled is right in kind. */
#include "wait.h"

#include <pthread.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;

static atomic_bool end;
static leat_meter_reading read_(leat_meter *m) {
  leat_meter_reading r;
  leat_meter_read(m, &r);
  return r;
}
/* The machine may disturb any one period: waits for one in which the verdict is this. */
static leat_meter_reading until_verdict(leat_meter *m, enum leat_meter_verdict verdict) {
  leat_meter_reading r;
  while (r = read_(m), r.verdict != verdict) usleep(1000);
  return r;
}
static void one_worker(int threads) { CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = threads}), LEAT_OK); }
static void compute(int64_t duration) {
  for (int64_t until = leat_now() + duration; leat_now() < until && !end;) {}
}

/* ---- counting ---- */

TEST_GO(early_before_the_first_period) {
  leat_meter m = LEAT_METER("m", 10, LEAT_SECONDS(1000));
  leat_meter_reading r = read_(&m);
  CHECK_EQ(r.verdict, LEAT_METER_EARLY);
  CHECK_EQ(r.total, 0);
  CHECK_STR(r.wait, "");
  leat_meter_done(&m, 3);
  {
    leat_metered(&m);
    leat_meter_done(&m, 4);
    r = read_(&m);
    CHECK_EQ(r.verdict, LEAT_METER_EARLY);
    CHECK_EQ(r.total, 7);
  }
  CHECK_EQ(read_(&m).total, 7);
}
LEAT_FN(do_work, leat_meter *, m, int, times) {
  for (int i = 0; i < times; i++) {
    leat_metered(m);
    leat_meter_done(m, 2);
    if (i % 100 == 0) leat_yield();
  }
}
static void *do_work_on_a_thread(void *m) {
  do_work(m, 1000);
  return NULL;
}
TEST_GO(nothing_is_lost) {
  static leat_meter m = LEAT_METER("m", 1, LEAT_MS(10));
  leat_scope(s);
  int n = (int)test_scale(10000);
  pthread_t thread;
  for (int i = 0; i < 8; i++) leat_go(s, do_work, &m, n);
  CHECK_EQ(pthread_create(&thread, NULL, do_work_on_a_thread, &m), 0);
  leat_blocking CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(read_(&m).total, 2 * (8 * (uint64_t)n + 1000));
}
/* Periods follow each other, and each has what was done in it. */
TEST_GO(periods_add_up) {
  leat_meter m = LEAT_METER("m", 1, LEAT_MS(10));
  uint64_t sum = 0, done = 0;
  int64_t start = leat_now(), time = 0;
  leat_metered(&m);
  for (int periods = 0; periods < 5;) {
    leat_meter_done(&m, 1);
    done++;
    leat_sleep(LEAT_MS(3)); /* the watcher ends periods, or this reading does: a period is seen once or not at all */
    static int64_t before;
    leat_meter_reading r = read_(&m);
    CHECK_EQ(r.total, done);
    if (r.verdict == LEAT_METER_EARLY || r.duration == before) continue;
    before = r.duration;
    CHECK(r.duration >= LEAT_MS(10));
    CHECK_EQ(r.expected, (uint64_t)((double)r.duration / LEAT_MS(10)));
    sum += r.accomplished;
    time += r.duration;
    periods++;
  }
  CHECK(sum <= done);
  CHECK(time <= leat_now() - start);
}

/* ---- verdicts ---- */

LEAT_FN(accomplish, leat_meter *, m) {
  leat_metered(m);
  while (!end) {
    leat_meter_done(m, 1);
    leat_checkpoint();
  }
}
TEST_GO(as_much_as_expected_is_ok) {
  static leat_meter m = LEAT_METER("m", 1, LEAT_MS(50));
  leat_scope(s);
  leat_go(s, accomplish, &m);
  leat_meter_reading r = until_verdict(&m, LEAT_METER_OK);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(r.accomplished >= r.expected);
  CHECK_EQ(r.at_work, 1);
}
LEAT_FN(work_now_and_then, leat_meter *, m) {
  while (!end) {
    {
      leat_metered(m);
      leat_meter_done(m, 1);
    }
    leat_sleep(LEAT_MS(1));
  }
}
TEST_GO(nobody_at_work_is_idle) {
  static leat_meter m = LEAT_METER("m", 1000000, LEAT_MS(50));
  leat_scope(s);
  leat_go(s, work_now_and_then, &m);
  leat_meter_reading r = until_verdict(&m, LEAT_METER_IDLE);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(r.busy < 0.5);
}

/* Another goroutine has the only worker. */
static atomic_bool at_work;
LEAT_FN(be_at_work, leat_meter *, m) {
  leat_metered(m);
  at_work = true;
  while (!end) leat_yield();
}
LEAT_FN(hog) { compute(LEAT_SECONDS(100000)); }
TEST(starved_of_workers) {
  static leat_meter m = LEAT_METER("m", 100, LEAT_MS(50));
  one_worker(1);
  leat_scope(s);
  leat_go(s, be_at_work, &m);
  UNTIL(at_work);
  leat_go(s, hog);
  leat_meter_reading r = until_verdict(&m, LEAT_METER_STARVED);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(r.accomplished, 0);
  CHECK(r.starved >= 0.5 && r.held < 0.5 && r.busy > 0.9);
}
/* The Book's greedy and polite worker: one keeps the lock for long, the other needs it often. */
static leat_mutex shared;
LEAT_FN(greedy, leat_meter *, m) {
  leat_metered(m);
  while (!end) {
    leat_mutex_lock(&shared);
    compute(LEAT_MS(4));
    leat_mutex_unlock(&shared);
    leat_meter_done(m, 1);
    leat_checkpoint();
  }
}
LEAT_FN(polite, leat_meter *, m) {
  leat_metered(m);
  while (!end) {
    for (int i = 0; i < 3; i++) {
      leat_mutex_lock(&shared);
      leat_mutex_unlock(&shared);
    }
    leat_meter_done(m, 1);
  }
}
TEST(starved_of_a_lock) {
  static leat_meter g = LEAT_METER("greedy", 1, LEAT_MS(100)), p = LEAT_METER("polite", 1000000, LEAT_MS(100));
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2}), LEAT_OK);
  leat_scope(s);
  leat_go(s, greedy, &g);
  leat_go(s, polite, &p);
  until_verdict(&g, LEAT_METER_OK);
  leat_meter_reading r;
  do r = until_verdict(&p, LEAT_METER_STARVED);
  while (r.held < 0.5);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_STR(r.wait, "locking a mutex");
}
LEAT_FN(take_from, leat_meter *, m, int_chan, c) {
  leat_metered(m);
  int v;
  while (leat_recv(c, &v) == LEAT_OK) leat_meter_done(m, 1);
}
TEST_GO(waiting_for_input) {
  static leat_meter m = LEAT_METER("m", 10, LEAT_MS(50));
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, take_from, &m, c);
  leat_meter_reading r = until_verdict(&m, LEAT_METER_WAITING);
  CHECK(r.waiting >= 0.5);
  CHECK_STR(r.wait, "receiving from a channel");
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* And while the whole process is at rest, the watcher asleep. */
TEST(waiting_for_input_while_nothing_runs) {
  static leat_meter m = LEAT_METER("m", 10, LEAT_SECONDS(2));
  one_worker(1);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, take_from, &m, c);
  while (read_(&m).verdict == LEAT_METER_EARLY) sleep(1);
  leat_meter_reading r = until_verdict(&m, LEAT_METER_WAITING);
  CHECK(r.waiting > 0.8);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(work_slowly, leat_meter *, m) {
  leat_metered(m);
  while (!end) {
    compute(LEAT_MS(1));
    leat_meter_done(m, 1);
    leat_checkpoint();
  }
}
TEST(slow) {
  static leat_meter m = LEAT_METER("m", 150, LEAT_MS(100));
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2}), LEAT_OK);
  leat_scope(s);
  leat_go(s, work_slowly, &m);
  leat_meter_reading r = until_verdict(&m, LEAT_METER_SLOW);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(r.accomplished > 0 && r.accomplished < r.expected && r.running > 0);
}

/* Livelock: two in a hallway, each of whom takes a lock, finds that the other has the second one, and politely gives way. In three forms: they
 * wait for a moment, they let others run, they just try again, on one worker, where they take turns. */
static leat_mutex left, right;
enum manner { SLEEPS, YIELDS, COMPUTES };
LEAT_FN(pass, leat_meter *, m, leat_mutex *, first, leat_mutex *, second, enum manner, how) {
  leat_metered(m);
  while (!end) {
    leat_mutex_lock(first);
    if (how == SLEEPS) leat_sleep(LEAT_US(200));
    else leat_yield();
    if (leat_mutex_try_lock(second)) { /* the other never lets go in time */
      leat_mutex_unlock(second);
      leat_meter_done(m, 1);
    }
    if (how == COMPUTES) compute(LEAT_US(300));
    leat_mutex_unlock(first);
    if (how == SLEEPS) leat_sleep(LEAT_US(200));
    else leat_yield();
  }
}
/* A third one keeps both of them from ever having the second lock, so that nothing depends on the machine. */
static leat_mutex never_free;
static void check_livelock(leat_meter *m, enum manner how) {
  one_worker(1);
  leat_mutex_lock(&never_free);
  leat_scope(s);
  leat_go(s, pass, m, &left, &never_free, how);
  leat_go(s, pass, m, &right, &never_free, how);
  leat_meter_reading r = until_verdict(m, LEAT_METER_LIVELOCKED);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_mutex_unlock(&never_free);
  CHECK_EQ(r.accomplished, 0);
  CHECK_EQ(r.at_work, 2);
  CHECK(r.active >= 0.5 && r.starved + r.held < 0.5);
  if (how != SLEEPS) CHECK(r.running + r.turns >= 0.5);
}
TEST(livelocked_with_pauses) {
  static leat_meter m = LEAT_METER("m", 100, LEAT_MS(100));
  check_livelock(&m, SLEEPS);
}
TEST(livelocked_taking_turns) {
  static leat_meter m = LEAT_METER("m", 100, LEAT_MS(100));
  check_livelock(&m, YIELDS);
}
TEST(livelocked_computing) {
  static leat_meter m = LEAT_METER("m", 100, LEAT_MS(100));
  check_livelock(&m, COMPUTES);
}

/* ---- alarms ---- */

static atomic_int n_told;
static struct {
  _Atomic(enum leat_meter_verdict) verdict;
  char name[32], text[2048]; /* of the first that found livelock, which then is the verdict */
} last;
static void note(void *unused, const leat_alarm *a) {
  (void)unused;
  CHECK_EQ(a->kind, LEAT_ALARM_METER);
  CHECK(a->reading != NULL && a->goroutine == 0 && a->duration == a->reading->duration);
  n_told++;
  if (last.verdict == LEAT_METER_LIVELOCKED) return;
  snprintf(last.name, sizeof last.name, "%s", a->name);
  snprintf(last.text, sizeof last.text, "%s", a->text);
  last.verdict = a->reading->verdict;
}
TEST(an_alarm_is_raised) {
  static leat_meter m = LEAT_METER("hallway", 100, LEAT_MS(50));
  one_worker(1);
  leat_mutex_lock(&never_free);
  leat_scope(s);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.hook = note}), LEAT_OK);
  leat_go(s, pass, &m, &left, &never_free, SLEEPS);
  UNTIL(last.verdict == LEAT_METER_LIVELOCKED);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_alarms_set(NULL), LEAT_OK);
  leat_mutex_unlock(&never_free);
  CHECK_STR(last.name, "hallway");
  CHECK(strstr(last.text, "leat: alarm: meter hallway: 0 of ") == last.text);
  CHECK(strstr(last.text, ": livelocked, it runs and accomplishes next to nothing\n"));
  CHECK(strstr(last.text, "one of them: goroutine ") && strstr(last.text, " (pass), started at "));
}
/* As long as it goes on: after 1, 2, 4 ... periods, so much more seldom than there are periods. */
TEST(alarms_become_rare) {
  static leat_meter m = LEAT_METER("m", 10, LEAT_MS(10));
  one_worker(1);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.hook = note}), LEAT_OK);
  leat_go(s, take_from, &m, c);
  UNTIL(n_told >= 5);
  leat_meter_reading r = read_(&m);
  CHECK_EQ(r.verdict, LEAT_METER_WAITING);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_alarms_set(NULL), LEAT_OK);
}
TEST_GO(no_alarm_for_ok_and_idle) {
  static leat_meter m = LEAT_METER("m", 1, LEAT_MS(50)), idle = LEAT_METER("idle", 1000000, LEAT_MS(50));
  leat_scope(s);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.hook = note}), LEAT_OK);
  leat_go(s, accomplish, &m);
  leat_go(s, work_now_and_then, &idle);
  until_verdict(&m, LEAT_METER_OK);
  until_verdict(&idle, LEAT_METER_IDLE);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_alarms_set(NULL), LEAT_OK);
  CHECK(n_told == 0 || test_under_valgrind() || last.verdict > LEAT_METER_IDLE);
}

/* ---- ends and misuse ---- */

LEAT_FN(panic_at_work, leat_meter *, m) {
  leat_metered(m);
  leat_panic("at work");
}
TEST_GO(a_panic_ends_the_work) {
  static leat_meter m = LEAT_METER("m", 1, LEAT_MS(10));
  CHECK_PANICS("at work", panic_at_work, &m);
  leat_metered(&m);
  for (leat_meter_reading r; r = read_(&m), r.verdict == LEAT_METER_EARLY || r.at_work != 1;) leat_sleep(LEAT_MS(1));
}
LEAT_FN(work_for_too_short, leat_meter *, m) { leat_metered(m); }
TEST_GO(a_period_that_is_too_short) {
  static leat_meter m = LEAT_METER("brief", 1, LEAT_MS(9)), none;
  CHECK_PANICS("the period of the meter brief is shorter than 10 ms", work_for_too_short, &m);
  CHECK_PANICS("the period of the meter ? is shorter", work_for_too_short, &none);
  leat_meter_done(&none, 2); /* as a mere counter */
  CHECK_EQ(read_(&none).total, 2);
}
/* A deadlock of those at work is one. */
TEST_GO_DIES(a_meter_hides_no_deadlock, "leat: deadlock: every goroutine waits") {
  test_needs_deadlocks_found();
  static leat_meter m = LEAT_METER("m", 1, LEAT_MS(10));
  leat_scope(s);
  leat_go(s, take_from, &m, leat_chan_make(s, int, 0));
  (void)!leat_wait(s);
}
/* Many meters, many at work, coming and going on several threads, while all is sampled, read, and told of. */
LEAT_FN(come_and_go, leat_meter *, meters, int, n, unsigned, seed, int, times) {
  for (int i = 0; i < times; i++) {
    seed = seed * 1103515245 + 12345;
    leat_meter *a = &meters[(seed >> 16) % (unsigned)n], *b = &meters[(seed >> 20) % (unsigned)n];
    leat_metered(a);
    leat_metered(b);
    leat_meter_done(a, 1);
    if (i % 3 == 0) leat_yield();
    if (i % 50 == 0) leat_sleep(LEAT_US(seed >> 22 & 511));
    if (i % 7 == 0) CHECK(read_(b).verdict <= LEAT_METER_SLOW);
  }
}
TEST_GO(many_meters) {
  enum { METERS = 20 };
  leat_meter *meters = calloc(METERS, sizeof *meters); /* and their memory can be freed */
  leat_scope(s);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.hook = note}), LEAT_OK);
  for (int i = 0; i < METERS; i++) meters[i] = (leat_meter)LEAT_METER("one of many", (uint64_t)i * 1000, LEAT_MS(10));
  int times = (int)test_scale(3000);
  for (unsigned i = 0; i < 50; i++) leat_go(s, come_and_go, meters, METERS, i, times);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  uint64_t total = 0;
  for (int i = 0; i < METERS; i++) total += read_(&meters[i]).total;
  CHECK_EQ(total, 50 * (uint64_t)times);
  memset(meters, 0xa5, METERS * sizeof *meters);
  free(meters);
}
