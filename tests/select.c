/* Select: readiness, default, timeouts, nil and closed cases, meeting other selects, uniform and ordered choice, run-time arrays, use in
 * C's own control flow, and conservation of values under load.
 *
 * Scenarios are after Go's test/chan/select*.go, doubleselect.go and runtime/chan_test.go (TestSelectFairness, TestSelectDuplicateChannel,
 * TestSelectStress, TestMultiConsumer), libdill's tests/choose.c, and the Book's "The for-select Loop". */
#include "wait.h"

typedef leat_chan(int) int_chan;

static int_chan holding(leat_view s, int value) {
  int_chan c = leat_chan_make(s, int, 1);
  CHECK_EQ(leat_send(c, value), LEAT_OK);
  return c;
}
static int_chan closed(leat_view s) {
  int_chan c = leat_chan_make(s, int, 0);
  leat_close(c);
  return c;
}

TEST_GO(default_is_the_answer_only_if_nothing_is_ready) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 1), full = holding(s, 1);
  int v = 7;
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_send(full, 2), leat_default), 2);
  CHECK_EQ(leat_select(leat_default, leat_on_recv(c, &v)), 0);
  CHECK_EQ(v, 7);
  CHECK_EQ(leat_select(leat_default), 0);
  CHECK_EQ(leat_select(leat_on_send(c, 5), leat_default), 0);
  CHECK_EQ(leat_select(leat_default, leat_on_recv(c, &v)), 1);
  CHECK_EQ(v, 5);
  CHECK_EQ(leat_selected(), LEAT_OK);
}

TEST_GO(a_nil_channel_is_never_ready) {
  leat_scope(s);
  int_chan nil = NULL, c = holding(s, 3);
  int v = 0, other = 9;
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(leat_select(leat_on_recv(nil, &other), leat_on_send(nil, 1), leat_on_recv(c, &v)), 2);
    CHECK_EQ(v, 3);
    CHECK_EQ(other, 9);
    CHECK_EQ(leat_send(c, 3), LEAT_OK);
  }
  CHECK_EQ(leat_select(leat_on_recv(nil, &other), leat_on_send(nil, 1), leat_default), 2);
  CHECK_EQ(leat_select(leat_on_recv(nil, &other), leat_on_timeout(LEAT_MS(2))), 1);
}

/* A case that is switched off by setting its channel to nil: the merge of two streams. */
LEAT_FN(count_up, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++) CHECK_EQ(leat_send(out, i), LEAT_OK);
  leat_close(out);
}
TEST_GO(a_case_is_disabled_by_nil) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 4);
  leat_go(s, count_up, leat_tx_of(a), 50);
  leat_go(s, count_up, leat_tx_of(b), 100);
  int from_a = 0, from_b = 0;
  while (a || b) {
    int v;
    switch (leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v))) {
    case 0:
      if (leat_selected() == LEAT_CLOSED) a = NULL;
      else CHECK_EQ(v, from_a++);
      break;
    case 1:
      if (leat_selected() == LEAT_CLOSED) b = NULL;
      else CHECK_EQ(v, from_b++);
      break;
    default: CHECK(false);
    }
  }
  CHECK_EQ(from_a, 50);
  CHECK_EQ(from_b, 100);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

TEST_GO(a_closed_channel_is_always_ready) {
  leat_scope(s);
  int_chan c = closed(s), quiet = leat_chan_make(s, int, 0), full_and_closed = holding(s, 8);
  leat_close(full_and_closed);
  int v = 7;
  for (int i = 0; i < 100; i++) {
    v = 7;
    CHECK_EQ(leat_select(leat_on_recv(quiet, &v), leat_on_recv(c, &v)), 1);
    CHECK_EQ(leat_selected(), LEAT_CLOSED);
    CHECK_EQ(v, 0);
    CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_default), 0);
    CHECK_EQ(leat_select(leat_on_send(c, 1), leat_default), 0);
    CHECK_EQ(leat_selected(), LEAT_CLOSED);
    CHECK_EQ(leat_select(leat_on_recv(quiet, &v), leat_on_send(full_and_closed, 1)), 1);
    CHECK_EQ(leat_selected(), LEAT_CLOSED);
  }
  CHECK_EQ(leat_select(leat_on_recv(full_and_closed, &v)), 0);
  CHECK_EQ(leat_selected(), LEAT_OK);
  CHECK_EQ(v, 8);
}

TEST_GO(targets_of_cases_that_did_not_happen_are_untouched) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = holding(s, 4);
  int x = 1, y = 2;
  CHECK_EQ(leat_select(leat_on_recv(a, &x), leat_on_recv(b, &y)), 1);
  CHECK_EQ(x, 1);
  CHECK_EQ(y, 4);
}

/* Meetings on an unbuffered channel: whoever comes first is parked, so that try forms prove it is registered. */

static atomic_int selected;
LEAT_FN(select_receiver, leat_rx(int), c, leat_rx(int), never) {
  int v = 0, w = 0;
  CHECK_EQ(leat_select(leat_on_recv(never, &w), leat_on_recv(c, &v)), 1);
  selected = v;
}
LEAT_FN(select_sender, leat_tx(int), c, leat_rx(int), never) {
  int w = 0;
  CHECK_EQ(leat_select(leat_on_recv(never, &w), leat_on_send(c, 43)), 1);
}
TEST_GO(a_sender_meets_a_waiting_select_receive) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0), never = leat_chan_make(s, int, 0);
  leat_go(s, select_receiver, leat_rx_of(c), leat_rx_of(never));
  wait_blocked("select_receiver", 1);
  CHECK_EQ(leat_try_send(c, 42), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(selected, 42);
  CHECK_EQ(leat_try_send(never, 1), LEAT_FULL); /* the other case waits no more */
}
TEST_GO(a_receiver_meets_a_waiting_select_send) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0), never = leat_chan_make(s, int, 0);
  leat_go(s, select_sender, leat_tx_of(c), leat_rx_of(never));
  wait_blocked("select_sender", 1);
  int v = 0;
  CHECK_EQ(leat_try_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 43);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(select_meets_select) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0), never = leat_chan_make(s, int, 0);
  leat_go(s, select_receiver, leat_rx_of(c), leat_rx_of(never));
  wait_blocked("select_receiver", 1);
  CHECK_EQ(leat_select(leat_on_send(c, 44), leat_default), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(selected, 44);
  leat_go(s, select_sender, leat_tx_of(c), leat_rx_of(never));
  wait_blocked("select_sender", 1);
  int v = 0;
  CHECK_EQ(leat_select(leat_default, leat_on_recv(c, &v)), 1);
  CHECK_EQ(v, 43);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(select_waiter, leat_rx(int), a, leat_tx(int), b, int, want, int, want_status) {
  int v = 77;
  CHECK_EQ(leat_select(leat_on_recv(a, &v), leat_on_send(b, 1)), want);
  CHECK_EQ(leat_selected(), want_status);
  if (want == 0) CHECK_EQ(v, 0);
}
TEST_GO(close_and_stop_wake_a_waiting_select) {
  leat_scope(s);
  for (int want = 0; want < 2; want++) {
    int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
    leat_go(s, select_waiter, leat_rx_of(a), leat_tx_of(b), want, LEAT_CLOSED);
    wait_blocked("select_waiter", 1);
    if (want == 0) leat_close(a);
    else leat_stop(b);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* Time. */

TEST_GO(a_timeout_is_a_case_and_not_early) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int v = 7;
  int64_t start = leat_now();
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_MS(5))), 1);
  CHECK(leat_now() >= start + LEAT_MS(5));
  int64_t deadline = leat_now() + LEAT_MS(5);
  CHECK_EQ(leat_select(leat_on_deadline(deadline), leat_on_recv(c, &v)), 0);
  CHECK(leat_now() >= deadline);
  CHECK_EQ(v, 7);
  CHECK_EQ(leat_select(leat_on_timeout(LEAT_SECONDS(1000)), leat_on_timeout(LEAT_MS(1)), leat_on_deadline(LEAT_NEVER)), 1); /* the first */
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_timeout(0)), 1);
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_deadline(1)), 1);
  CHECK_EQ(leat_try_send(c, 1), LEAT_FULL);
}
TEST_GO(a_ready_case_comes_before_a_timeout_to_come) {
  leat_scope(s);
  int_chan c = holding(s, 5);
  int v = 0;
  CHECK_EQ(leat_select(leat_on_timeout(LEAT_SECONDS(1000)), leat_on_recv(c, &v)), 1);
  CHECK_EQ(v, 5);
}

/* Choice. */

/* Chi-square of counts that should be equal, against a bound that a fair choice passes but once in more than a million runs. */
static void check_uniform(const int *counts, int n, int rounds) {
  double expected = (double)rounds / n, chi = 0;
  for (int i = 0; i < n; i++) chi += (counts[i] - expected) * (counts[i] - expected) / expected;
  double df = n - 1, excess = chi - df - 20;
  if (excess < 0 || excess * excess < 36 * 2 * df) return;
  for (int i = 0; i < n; i++) fprintf(stderr, "case %d: %d times\n", i, counts[i]);
  fprintf(stderr, "chi-square %f with %d cases\n", chi, n);
  CHECK(!"uniform");
}

TEST_GO(the_choice_among_ready_receives_is_uniform) {
  leat_scope(s);
  int_chan c[4];
  int counts[4] = {0}, rounds = (int)test_scale(8000) + 2000;
  for (int i = 0; i < 4; i++) c[i] = closed(s);
  int v;
  for (int i = 0; i < rounds; i++) counts[leat_select(leat_on_recv(c[0], &v), leat_on_recv(c[1], &v), leat_on_recv(c[2], &v), leat_on_recv(c[3], &v))]++;
  check_uniform(counts, 4, rounds);
}
TEST_GO(the_choice_among_ready_sends_and_receives_is_uniform) {
  leat_scope(s);
  int_chan sink = leat_chan_make(s, int, 2), source = leat_chan_make(s, int, 2), nil = NULL;
  int counts[4] = {0}, rounds = (int)test_scale(8000) + 2000;
  int v;
  for (int i = 0; i < rounds; i++) { /* one value in each */
    while (leat_len(sink) > 1) CHECK_EQ(leat_recv(sink, &v), LEAT_OK);
    while (leat_len(source) < 1) CHECK_EQ(leat_send(source, 1), LEAT_OK);
    counts[leat_select(leat_on_send(sink, 1), leat_on_recv(nil, &v), leat_on_recv(source, &v), leat_on_recv(nil, &v))]++;
  }
  CHECK_EQ(counts[1] + counts[3], 0);
  int of_two[2] = {counts[0], counts[2]};
  check_uniform(of_two, 2, rounds);
}
TEST_GO(the_choice_among_many_is_uniform) {
  enum { N = 64 };
  leat_scope(s);
  leat_case cases[N];
  int counts[N] = {0}, rounds = (int)test_scale(20000) + 6400, v;
  for (int i = 0; i < N; i++) cases[i] = leat_on_recv(closed(s), &v);
  for (int i = 0; i < rounds; i++) counts[leat_select_array(cases, N)]++;
  check_uniform(counts, N, rounds);
}
TEST_GO(the_ordered_form_takes_the_first_ready) {
  leat_scope(s);
  int_chan high = holding(s, 1), low = holding(s, 2);
  int v = 0;
  for (int i = 0; i < 1000; i++) {
    CHECK_EQ(leat_select_ordered(leat_on_recv(high, &v), leat_on_recv(low, &v)), 0);
    CHECK_EQ(leat_send(high, 1), LEAT_OK);
  }
  CHECK_EQ(leat_recv(high, &v), LEAT_OK);
  CHECK_EQ(leat_select_ordered(leat_on_recv(high, &v), leat_on_recv(low, &v), leat_default), 1);
  CHECK_EQ(leat_select_ordered(leat_on_recv(high, &v), leat_on_recv(low, &v), leat_default), 2);
  leat_case cases[] = {leat_on_recv(high, &v), leat_on_send(low, 3), leat_on_send(high, 4)};
  CHECK_EQ(leat_select_array_ordered(cases, 3), 1);
  CHECK_EQ(leat_select_array_ordered(cases, 3), 2);
  CHECK_EQ(leat_select_array_ordered(cases, 3), 0);
  CHECK_EQ(v, 4);
}

/* Cases made at run time. */

LEAT_FN(hand_over, leat_tx(int), c, int, value) { CHECK_EQ(leat_send(c, value), LEAT_OK); }
LEAT_FN(take_one, leat_rx(int), c, int, value) {
  int v = 0;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, value);
}
static void check_array(int n) {
  leat_scope(s);
  int_chan *c = calloc((size_t)n, sizeof *c);
  leat_case *cases = calloc((size_t)n + 1, sizeof *cases); /* the last stays zeroed: never ready */
  leat_defer(free, c);
  leat_defer(free, cases);
  int v = 0;
  for (int i = 0; i < n; i++) {
    c[i] = leat_chan_make(s, int, 0);
    cases[i] = i % 2 ? leat_on_send(c[i], i) : leat_on_recv(c[i], &v);
  }
  const int indices[] = {0, n / 3, n / 2, n - 1};
  for (int k = 0; k < 4; k++) {
    int i = indices[k];
    if (i % 2) leat_go(s, take_one, leat_rx_of(c[i]), i);
    else leat_go(s, hand_over, leat_tx_of(c[i]), i);
    if (k % 2) wait_blocked(i % 2 ? "take_one" : "hand_over", 1); /* once ready before, once after we are parked */
    CHECK_EQ(leat_select_array(cases, (size_t)n + 1), i);
    if (i % 2 == 0) CHECK_EQ(v, i);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST_GO(an_array_of_1_case) { check_array(1); }
TEST_GO(an_array_of_2_cases) { check_array(2); }
TEST_GO(an_array_of_64_cases) { check_array(64); }
TEST_GO(an_array_of_1000_cases) { check_array(1000); }

TEST_GO(no_case_at_all_blocks_until_the_scope_ends) {
  leat_scope(s);
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(5)), LEAT_OK);
  CHECK_EQ(leat_select_array(NULL, 0), LEAT_DEADLINE);
  leat_case zeroed = {0};
  leat_shield(t);
  CHECK_EQ(leat_set_timeout(t, LEAT_MS(5)), LEAT_OK);
  CHECK_EQ(leat_select_array(&zeroed, 1), LEAT_DEADLINE);
}

typedef struct {
  char bytes[100];
} big;
typedef struct {
  int64_t a, b;
} pair;
TEST_GO(values_of_any_size_can_be_sent) {
  leat_scope(s);
  leat_chan(big) c = leat_chan_make(s, big, 1);
  leat_chan(pair) d = leat_chan_make(s, pair, 1);
  big b = {"hello"}, back = {""};
  CHECK_EQ(leat_select(leat_on_send_from(c, &b)), 0);
  CHECK_EQ(leat_select(leat_on_recv(c, &back)), 0);
  CHECK_STR(back.bytes, "hello");
  pair p;
  CHECK_EQ(leat_select(leat_on_send(d, (pair){1, 2})), 0);
  CHECK_EQ(leat_select(leat_on_recv(d, &p)), 0);
  CHECK(p.a == 1 && p.b == 2);
}
TEST_GO(a_case_copies_its_value) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 2);
  int value = 5, v;
  leat_case send = leat_on_send(c, value);
  value = 6;
  CHECK_EQ(leat_select_array(&send, 1), 0);
  CHECK_EQ(leat_select_array(&send, 1), 0);
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 5);
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 5);
}

/* One channel in several cases. */

TEST_GO(a_select_does_not_meet_itself) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int v = 7;
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_send(c, 1), leat_on_timeout(LEAT_MS(1))), 2);
    CHECK_EQ(leat_select(leat_on_send(c, 1), leat_on_recv(c, &v), leat_default), 2);
  }
  CHECK_EQ(v, 7);
}
LEAT_FN(both_ways, leat_chan(int), c, int, rounds) {
  int v;
  for (int i = 0; i < rounds; i++) CHECK(leat_select(leat_on_recv(c, &v), leat_on_send(c, i)) >= 0);
}
TEST_GO(two_that_send_and_receive_on_one_channel_meet_each_other) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int rounds = (int)test_scale(20000); /* each meeting is one round of both */
  leat_go(s, both_ways, c, rounds);
  leat_go(s, both_ways, c, rounds);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_channel_in_two_cases_gives_a_value_once) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int rounds = (int)test_scale(4000) + 1000;
  leat_go(s, count_up, leat_tx_of(c), rounds);
  for (int i = 0; i < rounds; i++) {
    int x = -1, y = -1;
    int chosen = leat_select(leat_on_recv(c, &x), leat_on_recv(c, &y));
    CHECK_EQ(chosen == 0 ? x : y, i);
    CHECK_EQ(chosen == 0 ? y : x, -1);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The Book's three for-select loops. */

LEAT_FN(send_strings, leat_tx(const char *), out) {
  static const char *const strings[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) {
    switch (leat_select(leat_on_send(out, strings[i]))) {
    case 0: continue;
    default: return;
    }
  }
  leat_close(out);
}
TEST_GO(for_select_sending_iteration_variables) {
  leat_scope(s);
  leat_chan(const char *) out = leat_chan_make(s, const char *, 0);
  leat_go(s, send_strings, leat_tx_of(out));
  char all[8] = "";
  leat_range(const char *, text, out) strcat(all, text);
  CHECK_STR(all, "abc");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static atomic_long work_done;
LEAT_FN(work_until_done, leat_rx(char), done) {
  char c;
  for (;;) {
    switch (leat_select(leat_on_recv(done, &c), leat_default)) {
    case 0: return;
    case 1: break;
    default: CHECK(false);
    }
    work_done++;
  }
}
TEST_GO(for_select_waiting_to_be_stopped) {
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  leat_go(s, work_until_done, leat_rx_of(done));
  UNTIL(work_done > 100);
  leat_close(done);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(work_in_default, leat_rx(int), quiet) {
  int v;
  for (;;) {
    switch (leat_select(leat_on_recv(quiet, &v), leat_default)) {
    case LEAT_CANCELED: return; /* no done channel: the scope is seen by every select */
    case 0: CHECK(false); break;
    default: work_done++;
    }
  }
}
TEST_GO(for_select_with_default_sees_the_scope_end) {
  leat_scope(s);
  leat_go(s, work_in_default, leat_rx_of(leat_chan_make(s, int, 0)));
  UNTIL(work_done > 100);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}

static int in_control_flow(int_chan c, int *continued, int *broke) {
  for (int i = 0; i < 100; i++) {
    int v = 0;
    switch (leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_SECONDS(1000)))) {
    case 0:
      if (leat_selected() == LEAT_CLOSED) return i;
      if (v % 2) continue;
      ++*broke;
      break;
    default: return -1;
    }
    ++*continued;
  }
  return -2;
}
TEST_GO(break_continue_and_return_mean_what_they_mean_in_c) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, count_up, leat_tx_of(c), 10);
  int after_break = 0, broke = 0;
  CHECK_EQ(in_control_flow(c, &after_break, &broke), 10);
  CHECK_EQ(broke, 5);
  CHECK_EQ(after_break, 5);
  if (leat_select(leat_on_recv(c, &broke)) == 0 && leat_selected() == LEAT_CLOSED) after_break = -1;
  CHECK_EQ(after_break, -1);
}

/* Cancellation. */

static atomic_int select_status;
LEAT_FN(select_cancelled, leat_rx(int), c) {
  int v = 7;
  select_status = leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_SECONDS(1000)));
}
TEST_GO(a_cancelled_scope_wakes_a_select) {
  leat_scope(s);
  leat_go(s, select_cancelled, leat_rx_of(leat_chan_make(s, int, 0)));
  wait_blocked("select_cancelled", 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  CHECK_EQ(select_status, LEAT_CANCELED);
}
TEST_GO(cancellation_is_looked_at_before_readiness) {
  leat_scope(outer);
  int_chan full = holding(outer, 1), room = leat_chan_make(outer, int, 1);
  {
    leat_scope(s);
    leat_cancel(s);
    int v = 7;
    for (int i = 0; i < 20; i++) CHECK_EQ(leat_select(leat_on_recv(full, &v), leat_on_send(room, 2)), LEAT_CANCELED);
    CHECK_EQ(leat_select(leat_on_recv(full, &v), leat_default), LEAT_CANCELED);
  }
  CHECK_EQ(leat_len(full), 1);
  CHECK_EQ(leat_len(room), 0);
}
TEST_GO(a_deadline_of_the_scope_ends_a_select) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int v;
  CHECK_EQ(leat_set_timeout(s, LEAT_MS(5)), LEAT_OK);
  CHECK_EQ(leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_SECONDS(1000))), LEAT_DEADLINE);
}

/* Load: nothing is lost or doubled, nobody hangs. */

enum { N_SHARED = 4, N_EACH = 16 };
static atomic_long sent_sum, received_sum, sent_count, received_count;
LEAT_FN(select_all_senders, leat_tx(int) *, c, int, from, int, n) {
  for (int i = 0; i < n; i++) {
    leat_case cases[N_SHARED];
    for (int k = 0; k < N_SHARED; k++) cases[k] = leat_on_send(c[k], from + i);
    CHECK(leat_select_array(cases, N_SHARED) >= 0);
    CHECK_EQ(leat_selected(), LEAT_OK);
    sent_sum += from + i;
    sent_count++;
  }
}
LEAT_FN(select_all_receivers, leat_rx(int) *, c) {
  leat_case cases[N_SHARED];
  int v;
  for (int k = 0; k < N_SHARED; k++) cases[k] = leat_on_recv(c[k], &v);
  for (;;) {
    CHECK(leat_select_array(cases, N_SHARED) >= 0);
    if (leat_selected() == LEAT_CLOSED) return;
    received_sum += v;
    received_count++;
  }
}
static void check_conservation(size_t capacity) {
  leat_scope(s);
  leat_tx(int) tx[N_SHARED];
  leat_rx(int) rx[N_SHARED];
  int_chan c[N_SHARED];
  for (int k = 0; k < N_SHARED; k++) {
    c[k] = leat_chan_make(s, int, capacity);
    tx[k] = leat_tx_of(c[k]);
    rx[k] = leat_rx_of(c[k]);
  }
  int n = (int)test_scale(3000);
  for (int i = 0; i < N_EACH; i++) leat_go(s, select_all_receivers, &rx[0]);
  {
    leat_scope(senders);
    for (int i = 0; i < N_EACH; i++) leat_go(senders, select_all_senders, &tx[0], i * n, n);
    CHECK_EQ(leat_wait(senders), LEAT_OK);
  }
  for (int k = 0; k < N_SHARED; k++) UNTIL(leat_len(c[k]) == 0);
  for (int k = 0; k < N_SHARED; k++) leat_close(c[k]);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(sent_count, (long)n * N_EACH);
  CHECK_EQ(received_count, sent_count);
  CHECK_EQ(received_sum, sent_sum);
}
TEST_GO(many_selects_share_unbuffered_channels) { check_conservation(0); }
TEST_GO(many_selects_share_buffered_channels) { check_conservation(3); }

/* Locks taken in the order of the cases would deadlock here. */
LEAT_FN(crossing, leat_chan(int), first, leat_chan(int), second, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    int v, w;
    switch (leat_select(leat_on_send(first, i), leat_on_send(second, i), leat_on_recv(first, &v), leat_on_recv(second, &w))) {
    case 0:
    case 1: sent_count++; break;
    case 2:
    case 3: received_count++; break;
    default: CHECK(false);
    }
  }
}
TEST_GO(selects_over_the_same_channels_in_opposite_order) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  int rounds = (int)test_scale(50000);
  leat_go(s, crossing, a, b, rounds);
  leat_go(s, crossing, b, a, rounds);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(sent_count, rounds);
  CHECK_EQ(received_count, rounds);
}

/* After Go's TestSelectStress, and runtime issue 10136: a select that loses a race must leave nothing behind on its other channels. */
LEAT_FN(losing_select, leat_rx(int), a, leat_rx(int), b, int, n) {
  for (int i = 0; i < n; i++) {
    int v = -1;
    int chosen = leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v), leat_on_timeout(LEAT_US(20)));
    CHECK(chosen >= 0);
    if (chosen < 2) received_count++;
  }
}
LEAT_FN(timed_sender, leat_tx(int), c, int, n) {
  for (int i = 0; i < n; i++)
    if (leat_send_until(c, leat_now() + LEAT_US(20), i) == LEAT_OK) sent_count++;
}
TEST_GO(timeouts_race_with_meetings) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  int n = (int)test_scale(5000);
  for (int i = 0; i < 4; i++) {
    leat_go(s, losing_select, leat_rx_of(a), leat_rx_of(b), n);
    leat_go(s, timed_sender, leat_tx_of(i % 2 ? a : b), n);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(sent_count, received_count);
  CHECK_EQ(leat_try_send(a, 1), LEAT_FULL);
  CHECK_EQ(leat_try_send(b, 1), LEAT_FULL);
}
