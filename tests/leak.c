/* Leaks: what is made since a mark and alive is found, with its birthplace; what is gone is not. */
#include "wait.h"

typedef leat_chan(int) int_chan;

struct seen {
  int goroutines, channels, timers, contexts, others;
  char text[4096];
};

static void count(void *environment, const leat_leak *l) {
  struct seen *s = environment;
  if (strcmp(l->kind, "goroutine") == 0) s->goroutines++;
  else if (strcmp(l->kind, "channel") == 0) s->channels++;
  else if (strcmp(l->kind, "timer") == 0) s->timers++;
  else if (strcmp(l->kind, "context") == 0) s->contexts++;
  else s->others++;
  size_t n = strlen(s->text);
  snprintf(s->text + n, sizeof s->text - n, "%s %s %s %s\n", l->kind, l->name, l->birthplace, l->doing);
}

static struct seen since(leat_leak_mark mark) {
  struct seen s = {0};
  int n = leat_leak_each(mark, count, &s);
  CHECK_EQ(n, s.goroutines + s.channels + s.timers + s.contexts);
  CHECK_EQ(s.others, 0);
  return s;
}

LEAT_FN(receive_one, int_chan, c) {
  int v;
  leat_recv(c, &v);
}

TEST_GO(nothing_has_leaked_at_first) {
  CHECK_EQ(leat_leak_each(leat_leak_now(), NULL, NULL), 0);
}

TEST_GO(a_goroutine_leaks_until_it_has_ended) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_leak_mark mark = leat_leak_now();
  leat_go(s, receive_one, c);
  wait_blocked("receive_one", 1);
  struct seen seen = since(mark);
  CHECK_EQ(seen.goroutines, 1);
  CHECK_EQ(seen.channels, 0);
  CHECK(strstr(seen.text, "goroutine receive_one") && strstr(seen.text, "leak.c:") && strstr(seen.text, "receiving from a channel"));
  CHECK_EQ(since(leat_leak_now()).goroutines, 0); /* not since a later mark */
  CHECK_EQ(leat_send(c, 1), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(since(mark).goroutines, 0);
}

TEST_GO(channels_of_scopes_and_of_none) {
  leat_leak_mark mark = leat_leak_now();
  int_chan without = leat_chan_make(NULL, int, 1), other = leat_chan_make(NULL, int, 1), third = leat_chan_make(NULL, int, 1);
  {
    leat_scope(s);
    int_chan within = leat_chan_make(s, int, 1);
    {
      leat_scope(inner);
      leat_chan_make(inner, int, 0);
      CHECK_EQ(since(mark).channels, 5);
    }
    CHECK_EQ(since(mark).channels, 4);
    leat_release(within);
    CHECK_EQ(since(mark).channels, 3);
    leat_release(other); /* in the middle of the list */
    CHECK_EQ(since(mark).channels, 2);
  }
  leat_release(third);
  CHECK_EQ(since(mark).channels, 1);
  CHECK(strstr(since(mark).text, "leak.c:"));
  leat_release(without);
  CHECK_EQ(since(mark).channels, 0);
}

static void start_timer(leat_view s) { leat_timer_release(leat_timer_start(s, LEAT_SECONDS(100))); }
static void leak_timer(leat_view s) { leat_timer_start(s, LEAT_SECONDS(100)); }

TEST_GO(timers_with_the_function_that_made_them) {
  leat_leak_mark mark = leat_leak_now();
  {
    leat_scope(s);
    start_timer(s);
    CHECK_EQ(since(mark).timers, 0);
    leak_timer(s);
    leat_after(s, LEAT_SECONDS(100));
    struct seen seen = since(mark);
    CHECK_EQ(seen.timers, 2);
    CHECK_EQ(seen.channels, 0); /* a timer's channel is the timer's */
    CHECK(strstr(seen.text, "leak_timer") || strstr(seen.text, "leak+") || strstr(seen.text, "leak.c"));
  }
  CHECK_EQ(since(mark).timers, 0);
}

LEAT_FN(never_runs) {}
TEST_GO(timers_that_run_functions) {
  leat_leak_mark mark = leat_leak_now();
  {
    leat_scope(s);
    leat_timer *t = leat_timer_func(s, LEAT_SECONDS(100), leat_bind(never_runs));
    struct seen seen = since(mark);
    CHECK_EQ(seen.timers, 1);
    CHECK(strstr(seen.text, "leak.c:"));
    leat_timer_release(t);
    CHECK_EQ(since(mark).timers, 0);
    leat_timer_func(s, LEAT_SECONDS(100), leat_bind(never_runs));
  }
  CHECK_EQ(since(mark).timers, 0);
}

TEST_GO(contexts_until_they_are_released) {
  leat_scope(s);
  leat_leak_mark mark = leat_leak_now();
  struct leat_scope *ctx = leat_with_cancel(s);
  CHECK_EQ(leat_done(ctx) != NULL, 1);
  CHECK_EQ(since(mark).contexts, 1);
  CHECK_EQ(since(mark).channels, 0); /* its done channel is the context's */
  leat_context_release(ctx);
  CHECK_EQ(since(mark).contexts, 0);
}

TEST_GO(text_has_a_line_for_each) {
  leat_scope(s);
  leat_leak_mark mark = leat_leak_now();
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, receive_one, c);
  wait_blocked("receive_one", 1);
  char *text = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  CHECK_EQ(leat_leak_print(mark, f), 2);
  fclose(f);
  CHECK(strstr(text, "leat: leaked: goroutine ") && strstr(text, " (receive_one), started at "));
  CHECK(strstr(text, "leat: leaked: channel 0x"));
  free(text);
}

TEST_GO(a_test_without_leaks_passes) {
  leat_scope(outside);
  int_chan c = leat_chan_make(outside, int, 0);
  leat_go(outside, receive_one, c); /* from before the block */
  {
    LEAT_TEST_NO_LEAKS;
    leat_scope(s);
    leat_go(s, receive_one, leat_chan_make(s, int, 0));
    leat_timer_start(s, LEAT_SECONDS(100));
  }
}

static atomic_int go_on;
LEAT_FN(end_soon) {
  while (!go_on) leat_yield();
  leat_sleep(LEAT_MS(20));
}
TEST_GO(who_is_just_ending_gets_time) {
  leat_scope(outside);
  {
    LEAT_TEST_NO_LEAKS;
    leat_go(outside, end_soon);
    go_on = 1;
  }
  CHECK_EQ(leat_scope_goroutines(outside), 0);
}

TEST_GO_DIES(a_test_with_a_leak_fails, "LEAT_TEST_NO_LEAKS: 2 still alive", "(receive_one), started at", "channel 0x") {
  leat_scope(outside);
  {
    LEAT_TEST_NO_LEAKS;
    leat_go(outside, receive_one, leat_chan_make(outside, int, 0));
  }
}

TEST_DIES(on_a_plain_thread_too, "LEAT_TEST_NO_LEAKS: 1 still alive", "channel 0x") {
  LEAT_TEST_NO_LEAKS;
  leat_chan_make(NULL, int, 0);
}

static int leave_things_behind(int argc, char **argv) {
  (void)argc, (void)argv;
  leat_view root = leat_current_scope();
  leat_go(root, receive_one, leat_chan_make(NULL, int, 0));
  leat_service(root, receive_one, leat_chan_make(NULL, int, 0)); /* ends with its scope, as it is meant to */
  leat_timer_start(root, LEAT_SECONDS(100));
  wait_blocked("receive_one", 2);
  return 0;
}

static struct seen at_exit;
static void hear(void *unused, const char *line) {
  (void)unused;
  at_exit.goroutines += strstr(line, "leaked: goroutine") != NULL;
  at_exit.channels += strstr(line, "leaked: channel") != NULL;
  at_exit.timers += strstr(line, "leaked: timer") != NULL;
}

TEST(at_the_end_of_main_if_asked) {
  leat_set_log(hear, NULL);
  unsetenv("LEAT_LEAKS");
  CHECK_EQ(leat_i_run_main(leave_things_behind, 0, NULL), 0);
  CHECK_EQ(at_exit.goroutines + at_exit.channels + at_exit.timers, 0);
  setenv("LEAT_LEAKS", "1", 1);
  CHECK_EQ(leat_i_run_main(leave_things_behind, 0, NULL), 0);
  CHECK_EQ(at_exit.goroutines, 1);
  CHECK_EQ(at_exit.timers, 1);
  CHECK_EQ(at_exit.channels, 4); /* those of the first run are still there: nobody released them */
}

/* While others make and release as fast as they can, the walk of the scopes is safe, and in the end nothing is left. */
LEAT_FN(churn, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 1), free_one = leat_chan_make(NULL, int, 1);
    leat_go(s, receive_one, c);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_timer_start(ctx, LEAT_SECONDS(1));
    leat_send(c, 1);
    leat_release(free_one);
    if (leat_wait(s)) return;
  }
}
TEST_GO(stress) {
  leat_leak_mark mark = leat_leak_now();
  {
    leat_scope(s);
    for (int i = 0; i < 4; i++) leat_go(s, churn, (int)test_scale(20000));
    while (leat_scope_goroutines(s)) {
      CHECK(leat_leak_each(mark, NULL, NULL) >= 0);
      leat_yield();
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_leak_each(mark, NULL, NULL), 0);
}
