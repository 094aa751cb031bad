/* Alarms: each kind is raised by what it is about, tells who it is, and is not raised by what only looks like it. */
#include "wait.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;

/* What the hook was told, by goroutine's name. */
enum { MOST = 256 };
static struct told {
  enum leat_alarm_kind kind;
  char name[32], place[64];
  uint64_t goroutine, others;
  int64_t duration;
  int thread;
  char text[2048];
} told[MOST];
static atomic_int n_told;

static void note(void *environment, const leat_alarm *a) {
  CHECK(environment == &told);
  int n = n_told;
  if (n == MOST) return;
  struct told *t = &told[n];
  *t = (struct told){.kind = a->kind, .goroutine = a->goroutine, .others = a->others, .duration = a->duration, .thread = a->thread};
  snprintf(t->name, sizeof t->name, "%s", a->name);
  snprintf(t->place, sizeof t->place, "%s", a->birthplace);
  snprintf(t->text, sizeof t->text, "%s", a->text);
  n_told = n + 1;
}
/* How many about this goroutine, of this kind; the last of them. */
static int told_of(enum leat_alarm_kind kind, const char *name, const struct told **last) {
  int n = 0, all = n_told;
  for (int i = 0; i < all; i++)
    if (told[i].kind == kind && strcmp(told[i].name, name) == 0) {
      n++;
      if (last) *last = &told[i];
    }
  return n;
}
static bool any(enum leat_alarm_kind kind) {
  for (int i = 0, all = n_told; i < all; i++)
    if (told[i].kind == kind) return true;
  return false;
}
static void set(int64_t starving, int64_t overrun, int64_t stuck) {
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.starving = starving, .overrun = overrun, .stuck = stuck, .hook = note, .environment = &told}), LEAT_OK);
}
static void one_worker(int threads) { CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = threads}), LEAT_OK); }
static bool traces_are_taken(void) { return !test_under_tsan() && !test_under_valgrind(); }

static atomic_bool end;
static atomic_int volatile_work;
static void work_a_bit(void) { volatile_work++; }

/* ---- overrun ---- */

LEAT_FN(crunch) {
  while (!end) work_a_bit();
}
LEAT_FN(crunch_politely) {
  while (!end && leat_checkpoint() == LEAT_OK) work_a_bit();
}
TEST(an_overrun_is_told) {
  one_worker(1);
  leat_scope(s);
  const struct told *t = NULL;
  set(0, LEAT_MS(30), 0);
  int64_t start = leat_now();
  leat_go(s, crunch);
  UNTIL(told_of(LEAT_ALARM_OVERRUN, "crunch", &t));
  int64_t lasted = leat_now() - start;
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(t->duration >= LEAT_MS(30) && t->duration <= lasted);
  CHECK(t->goroutine != 0 && t->thread > 0);
  CHECK(strstr(t->place, "alarm.c:"));
  CHECK(strstr(t->text, "leat: alarm: goroutine ") == t->text && strstr(t->text, " (crunch), started at ") && strstr(t->text, "without leat_checkpoint"));
  if (traces_are_taken()) CHECK(strstr(t->text, "\n    at ") != NULL);
}
/* As it goes on: again after twice, four times ... the period, so the durations told of double. */
TEST(it_is_told_again_when_it_has_doubled) {
  one_worker(1);
  leat_scope(s);
  set(0, LEAT_MS(20), 0);
  leat_go(s, crunch);
  UNTIL(told_of(LEAT_ALARM_OVERRUN, "crunch", NULL) >= 3);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < n_told; i++) CHECK(i == 0 || told[i].duration >= LEAT_MS(20) << i);
}
/* Nobody waits for its worker, and yet a goroutine that passes checkpoints, or does operations, is none. The one beside it, on its own worker,
 * tells when that has been long enough. */
LEAT_FN(operate, int_chan, c) {
  int v;
  while (!end) CHECK_EQ(leat_send(c, 1), LEAT_OK), CHECK_EQ(leat_recv(c, &v), LEAT_OK);
}
TEST(checkpoints_and_operations_end_it) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 3, .max_threads = 3}), LEAT_OK);
  leat_scope(s);
  set(0, LEAT_MS(400), LEAT_MS(400));
  int_chan c = leat_chan_make(s, int, 1);
  leat_go(s, crunch_politely);
  leat_go(s, operate, c);
  leat_go(s, crunch);
  UNTIL(told_of(LEAT_ALARM_OVERRUN, "crunch", NULL) >= 2);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  if (!test_under_valgrind() && !test_under_qemu()) { /* where a thread may not be run for long */
    CHECK_EQ(told_of(LEAT_ALARM_OVERRUN, "crunch_politely", NULL), 0);
    CHECK_EQ(told_of(LEAT_ALARM_OVERRUN, "operate", NULL), 0);
  }
}
/* Also when another thread has taken over, and everything else has come to rest. */
TEST(an_overrun_of_one_that_was_taken_over) {
  one_worker(2);
  leat_scope(s);
  set(0, LEAT_SECONDS(2), 0);
  leat_go(s, crunch);
  UNTIL(told_of(LEAT_ALARM_OVERRUN, "crunch", NULL) >= 1);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_main_goroutine_overruns) {
  set(0, LEAT_MS(30), 0);
  while (!told_of(LEAT_ALARM_OVERRUN, "main", NULL)) work_a_bit();
}
static void hook_that_sets(void *result, const leat_alarm *a) {
  (void)a;
  *(atomic_int *)result = leat_alarms_set(NULL);
}
static atomic_int result;
TEST(a_hook_cannot_set_alarms) {
  one_worker(1);
  leat_scope(s);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.overrun = LEAT_MS(10), .hook = hook_that_sets, .environment = &result}), LEAT_OK);
  leat_go(s, crunch);
  UNTIL(result != 0);
  CHECK_EQ(result, LEAT_INVALID);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* The hook may use leat; and once they are unset no hook is called. */
static int_chan told_through;
static void hook_that_sends(void *unused, const leat_alarm *a) {
  (void)unused;
  leat_send(told_through, (int)a->kind);
}
TEST(a_hook_may_send) {
  one_worker(2);
  leat_scope(s);
  int v;
  told_through = leat_chan_make(s, int, 100);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.overrun = LEAT_MS(10), .hook = hook_that_sends}), LEAT_OK);
  leat_go(s, crunch);
  CHECK_EQ(leat_recv(told_through, &v), LEAT_OK);
  CHECK_EQ(v, LEAT_ALARM_OVERRUN);
  CHECK_EQ(leat_alarms_set(NULL), LEAT_OK);
  while (leat_try_recv(told_through, &v) == LEAT_OK) {}
  CHECK_EQ(leat_recv_until(told_through, leat_now() + LEAT_MS(50), &v), LEAT_DEADLINE);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* ---- stuck ---- */

LEAT_FN(read_without_leat, int, fd) {
  char byte;
  while (read(fd, &byte, 1) != 1) {}
}
LEAT_FN(read_marked, int, fd) {
  char byte;
  leat_blocking CHECK_EQ(read(fd, &byte, 1), 1);
}
TEST(a_stuck_goroutine_is_told) {
  one_worker(2);
  leat_scope(s);
  const struct told *t = NULL;
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  set(0, LEAT_MS(20), LEAT_MS(40));
  leat_go(s, read_without_leat, ends[0]);
  UNTIL(told_of(LEAT_ALARM_STUCK, "read_without_leat", &t));
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(t->duration >= LEAT_MS(40));
  CHECK(t->thread > 0);
  CHECK(strstr(t->text, "blocked in a call for") && strstr(t->text, "leat_blocking"));
  CHECK(strstr(t->text, "\n    at ") == NULL); /* it was not interrupted */
  CHECK_EQ(told_of(LEAT_ALARM_OVERRUN, "read_without_leat", NULL), 0); /* it computes nothing */
}
TEST(with_its_stack_on_request) {
  if (!traces_are_taken()) TEST_SKIP("no traces of running goroutines here");
  one_worker(2);
  leat_scope(s);
  const struct told *t = NULL;
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.stuck = LEAT_MS(10), .trace_stuck = 1, .hook = note, .environment = &told}), LEAT_OK);
  leat_go(s, read_without_leat, ends[0]);
  UNTIL(told_of(LEAT_ALARM_STUCK, "read_without_leat", &t) && strstr(t->text, "\n    at "));
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(strstr(t->text, "read_without_leat (") || strstr(t->text, "at read"));
}
/* While the process has come to rest otherwise, and its worker's share was taken over. */
TEST(a_stuck_one_alone) {
  one_worker(2);
  leat_scope(s);
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  set(0, 0, LEAT_SECONDS(2));
  leat_go(s, read_without_leat, ends[0]);
  while (!told_of(LEAT_ALARM_STUCK, "read_without_leat", NULL)) usleep(1000);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(marked_calls_pinned_goroutines_and_parked_ones_are_not_stuck) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2, .max_threads = 6}), LEAT_OK);
  leat_scope(s);
  int ends[2], more[2];
  char two[2] = "xx";
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(pipe(more), 0);
  set(0, LEAT_MS(10), LEAT_MS(10));
  leat_go(s, read_marked, ends[0]);
  leat_go_with(s, ((leat_go_options){.pinned = 1, .name = "pinned"}), read_without_leat, ends[0]);
  leat_go(s, read_without_leat, more[0]); /* it shows when that has been long enough */
  UNTIL(told_of(LEAT_ALARM_STUCK, "read_without_leat", NULL) >= 3);
  CHECK_EQ(write(ends[1], two, 2), 2);
  CHECK_EQ(write(more[1], two, 1), 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(told_of(LEAT_ALARM_STUCK, "read_marked", NULL), 0);
  CHECK_EQ(told_of(LEAT_ALARM_STUCK, "pinned", NULL), 0);
}

/* ---- starving ---- */

LEAT_FN(wait_for_a_turn) {}
TEST(a_starving_goroutine_is_told) {
  one_worker(1);
  leat_scope(s);
  const struct told *t = NULL;
  set(LEAT_MS(50), 0, 0);
  leat_go(s, crunch);
  int64_t start = leat_now();
  leat_go(s, wait_for_a_turn);
  while (!told_of(LEAT_ALARM_STARVING, "wait_for_a_turn", &t)) usleep(1000);
  int64_t lasted = leat_now() - start;
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(t->duration >= LEAT_MS(50) && t->duration <= lasted);
  CHECK_EQ(t->thread, 0);
  CHECK_EQ(t->others, 0);
  CHECK(strstr(t->text, " (wait_for_a_turn), started at ") && strstr(t->text, ", could run and has not for "));
  CHECK(strstr(t->text, "running: goroutine ") && strstr(t->text, " (crunch)")); /* who has the worker */
}
TEST(many_that_starve_are_one_alarm) {
  one_worker(1);
  leat_scope(s);
  set(LEAT_MS(20), 0, 0);
  leat_go(s, crunch);
  for (int i = 0; i < 1000; i++) leat_go(s, wait_for_a_turn);
  uint64_t of = 0; /* those that became runnable at one tick of the coarse clock are told of at once */
  while (of < 900) {
    usleep(1000);
    of = 0;
    for (int i = 0, all = n_told; i < all; i++) of += 1 + told[i].others;
  }
  CHECK(n_told < 100);
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* One that has yielded, and one that was woken. */
LEAT_FN(yield_for_ever) {
  while (!end) CHECK_EQ(leat_yield(), LEAT_OK);
}
static atomic_int received;
LEAT_FN(receive, int_chan, c) {
  int v;
  while (leat_recv(c, &v) == LEAT_OK) received++;
}
/* It may have to give way as it sends, and the receiver run: then once more. */
LEAT_FN(wake_and_crunch, int_chan, c) {
  for (int sent = 0; !end; work_a_bit())
    if (received == sent && leat_try_send(c, 1) == LEAT_OK) sent++;
  leat_close(c);
}
TEST(those_that_yielded_and_those_that_were_woken_starve_too) {
  one_worker(1);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  set(LEAT_MS(50), 0, 0);
  leat_go(s, receive, c);
  wait_blocked("receive", 1);
  leat_go(s, yield_for_ever);
  leat_go(s, wake_and_crunch, c);
  const struct told *t = NULL;
  bool both = false;
  while (!both) {
    usleep(1000);
    int received = told_of(LEAT_ALARM_STARVING, "receive", &t);
    both = (received && t->others) || (received && told_of(LEAT_ALARM_STARVING, "yield_for_ever", NULL)) ||
           (told_of(LEAT_ALARM_STARVING, "yield_for_ever", &t) && t->others);
  }
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(told_of(LEAT_ALARM_STARVING, "receive", NULL) + told_of(LEAT_ALARM_STARVING, "yield_for_ever", NULL) == n_told);
}
/* Many that take turns: each waits for a while, none as long as the period. */
TEST(turns_are_no_starvation) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2, .max_threads = 2}), LEAT_OK);
  leat_scope(s);
  set(LEAT_SECONDS(2), 0, 0);
  for (int i = 0; i < 20; i++) leat_go(s, yield_for_ever);
  for (int i = 0; i < 4; i++) leat_go(s, crunch_politely);
  leat_sleep(LEAT_MS(200));
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  if (!test_under_valgrind()) CHECK(!any(LEAT_ALARM_STARVING));
}
/* ---- without a hook, options, ends ---- */

static char logged[8192];
static pthread_mutex_t logged_lock = PTHREAD_MUTEX_INITIALIZER;
static void log_line(void *unused, const char *line) {
  (void)unused;
  pthread_mutex_lock(&logged_lock);
  strncat(logged, line, sizeof logged - strlen(logged) - 2);
  strcat(logged, "\n");
  pthread_mutex_unlock(&logged_lock);
}
static bool has_logged(const char *text) {
  pthread_mutex_lock(&logged_lock);
  bool has = strstr(logged, text) != NULL;
  pthread_mutex_unlock(&logged_lock);
  return has;
}
TEST(without_a_hook_they_are_logged) {
  one_worker(1);
  leat_set_log(log_line, NULL);
  leat_scope(s);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.overrun = LEAT_MS(20)}), LEAT_OK);
  leat_go(s, crunch);
  UNTIL(has_logged("leat: alarm: goroutine ") && has_logged("(crunch), started at "));
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(the_environment_sets_them) {
  setenv("LEAT_ALARMS", "30ms", 1);
  one_worker(1);
  leat_set_log(log_line, NULL);
  leat_scope(s);
  leat_go(s, crunch);
  UNTIL(has_logged("(crunch), started at ") && has_logged("has been running for"));
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST(what_the_environment_says_may_be_nonsense) {
  setenv("LEAT_ALARMS", "1ms", 1);
  one_worker(1);
  leat_scope(s);
  leat_go(s, wait_for_a_turn);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(periods_that_are_too_short) {
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.overrun = LEAT_MS(9)}), LEAT_INVALID);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.starving = -1}), LEAT_INVALID);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){.stuck = LEAT_NEVER}), LEAT_INVALID);
  CHECK_EQ(leat_alarms_set(&(leat_alarm_options){0}), LEAT_OK);
  CHECK_EQ(leat_alarms_set(NULL), LEAT_OK);
}
TEST(unset_without_a_runtime) { CHECK_EQ(leat_alarms_set(NULL), LEAT_OK); }
TEST(they_end_with_the_runtime) {
  for (int i = 0; i < 3; i++) {
    end = false;
    n_told = 0;
    one_worker(1);
    {
      leat_scope(s);
      set(LEAT_MS(10), LEAT_MS(10), LEAT_MS(10));
      leat_go(s, crunch);
      UNTIL(n_told > 0);
      leat_metrics m;
      leat_metrics_read(&m);
      CHECK(m.alarms[LEAT_ALARM_OVERRUN] + m.alarms[LEAT_ALARM_STARVING] > 0);
      end = true;
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
  n_told = 0;
  end = false;
  one_worker(1);
  leat_scope(s);
  leat_go(s, crunch);
  leat_sleep(LEAT_MS(50));
  end = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(n_told, 0);
}
/* Alarms cost the total-deadlock report nothing. */
LEAT_FN(wait_for_ever, int_chan, c) {
  int v;
  leat_recv(c, &v);
}
TEST_GO_DIES(a_deadlock_is_still_reported, "leat: deadlock: every goroutine waits") {
  test_needs_deadlocks_found();
  leat_scope(s);
  set(LEAT_SECONDS(1), LEAT_SECONDS(1), LEAT_SECONDS(1));
  leat_go(s, wait_for_ever, leat_chan_make(s, int, 0));
  (void)!leat_wait(s);
}

/* ---- hard use ---- */

/* Goroutines come and go, compute and wait, while everything is looked at; alarms are set and unset. */
LEAT_FN(live_briefly, int_chan, c, unsigned, seed) {
  int v;
  for (unsigned i = 0; i < 20; i++) {
    seed = seed * 1103515245 + 12345;
    if (seed >> 16 & 1) leat_try_send(c, 1);
    else leat_recv_until(c, leat_now() + LEAT_US(seed >> 17 & 255), &v);
    for (int64_t until = leat_now() + (seed >> 20) * 10; leat_now() < until;) work_a_bit();
    if (i % 8 == 0) leat_blocking usleep(10);
  }
}
static atomic_int hard_told;
static void count_told(void *unused, const leat_alarm *a) {
  (void)unused;
  hard_told += a->text[0] == 'l';
}
TEST_GO(alarms_while_all_runs) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 3);
  for (int round = 0; round < (int)test_scale(40) + 2; round++) {
    int64_t p = LEAT_MS(10 + round % 3 * 5);
    CHECK_EQ(leat_alarms_set(round % 5 == 4 ? NULL : &(leat_alarm_options){.starving = p, .overrun = p, .stuck = p, .trace_stuck = 1, .hook = count_told}), LEAT_OK);
    leat_scope(lives);
    for (unsigned i = 0; i < 50; i++) leat_go(lives, live_briefly, c, i);
    CHECK_EQ(leat_wait(lives), LEAT_OK);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
