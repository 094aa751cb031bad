/* The or-channel: any number of signals made one. Scenarios after the Book, "The or-channel". */
#include "wait.h"

static atomic_int fired;
typedef leat_chan(char) char_chan;

static bool has_fired(leat_rx(char) c) {
  char x;
  int status = leat_try_recv(c, &x);
  CHECK(status == LEAT_CLOSED || status == LEAT_EMPTY);
  return status == LEAT_CLOSED;
}
static void expect_fires(leat_rx(char) c) {
  char x;
  CHECK_EQ(leat_recv(c, &x), LEAT_CLOSED);
}

TEST_GO(of_none_it_is_nil) {
  leat_scope(s);
  CHECK(leat_or(s) == NULL);
  CHECK(leat_or_array(s, int, (leat_rx(int) *)NULL, 0) == NULL);
  char_chan nil = NULL;
  CHECK(leat_or(s, nil, nil) == NULL);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}
TEST_GO(of_one_it_is_that_one) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, 1);
  leat_rx(int64_t) same = leat_or(s, c);
  CHECK(same == leat_rx_of(c));
  CHECK(leat_or_array(s, int64_t, &same, 1) == same);
  CHECK_EQ(leat_scope_goroutines(s), 0);
}
TEST_GO(it_fires_when_any_is_closed) {
  for (int n = 2; n <= 16; n++) {
    for (int which = 0; which < n; which++) {
      leat_scope(s);
      char_chan c[16];
      leat_rx(char) in[16];
      for (int i = 0; i < n; i++) in[i] = leat_rx_of(c[i] = leat_chan_make(s, char, 0));
      leat_rx(char) any = leat_or_array(s, char, in, (size_t)n);
      if (which % 2) wait_blocked("leat_or", 1);
      CHECK(!has_fired(any));
      leat_close(c[which]);
      expect_fires(any);
      UNTIL(leat_scope_goroutines(s) == 0); /* the helper has ended */
    }
  }
}
TEST_GO(it_fires_when_any_is_written_to) {
  leat_scope(s);
  leat_chan(int) a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  leat_rx(char) any = leat_or(s, a, leat_rx_of(b));
  CHECK_EQ(leat_send(b, 5), LEAT_OK); /* unbuffered: it is taken */
  expect_fires(any);
  expect_fires(any);
  UNTIL(leat_scope_goroutines(s) == 0);
  CHECK_EQ(leat_try_send(a, 1), LEAT_FULL); /* nobody waits there any more; it was not stopped either */
}
TEST_GO(it_fires_at_once_if_one_has) {
  leat_scope(s);
  char_chan a = leat_chan_make(s, char, 0), b = leat_chan_make(s, char, 0);
  leat_close(b);
  expect_fires(leat_or(s, a, b));
}
TEST_GO(all_numbers_of_inputs_as_arguments) {
  leat_scope(s);
  char_chan a = leat_chan_make(s, char, 0), nil = NULL, last = leat_chan_make(s, char, 0);
  leat_rx(char) any[] = {
    leat_or(s, a, last), leat_or(s, a, a, last), leat_or(s, nil, a, a, last), leat_or(s, a, a, a, a, last),
    leat_or(s, a, a, a, a, a, last), leat_or(s, a, a, a, a, a, a, last), leat_or(s, a, a, a, a, a, a, a, last),
    leat_or(s, a, a, a, a, a, a, a, a, last), leat_or(s, a, a, a, a, a, a, a, a, a, last), leat_or(s, a, a, a, a, a, a, a, a, a, a, last),
    leat_or(s, a, a, a, a, a, a, a, a, a, a, a, last), leat_or(s, a, a, a, a, a, a, a, a, a, a, a, a, last),
    leat_or(s, a, a, a, a, a, a, a, a, a, a, a, a, a, last), leat_or(s, a, a, a, a, a, a, a, a, a, a, a, a, a, a, last),
    leat_or(s, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, last)};
  for (size_t i = 0; i < sizeof any / sizeof *any; i++) CHECK(!has_fired(any[i]));
  leat_close(last);
  for (size_t i = 0; i < sizeof any / sizeof *any; i++) expect_fires(any[i]);
}
typedef struct { char text[100]; } large;
TEST_GO(inputs_of_different_types) {
  leat_scope(s);
  leat_chan(large) a = leat_chan_make(s, large, 0);
  leat_chan(char) b = leat_chan_make(s, char, 0);
  leat_rx(char) any = leat_or(s, leat_after(s, LEAT_SECONDS(1000)), b, a), nested = leat_or(s, leat_or(s, b, b), leat_or(s, any, any));
  CHECK_EQ(leat_send(a, (large){"a text"}), LEAT_OK);
  expect_fires(any);
  expect_fires(nested);
}
static void drop_text(char **text) {
  free(*text);
  fired++;
}
TEST_GO(a_value_that_was_taken_is_dropped) {
  leat_scope(s);
  leat_chan(char *) a = leat_chan_make(s, char *, 0), b = leat_chan_make(s, char *, 0);
  leat_on_drop(a, drop_text);
  leat_rx(char) any = leat_or(s, a, b);
  CHECK_EQ(leat_send(a, strdup("a text")), LEAT_OK);
  expect_fires(any);
  CHECK_EQ(fired, 1);
}
TEST_GO(a_thousand_inputs) {
  enum { N = 1000 };
  for (int which = 0; which < N; which += 333) {
    leat_scope(s);
    static char_chan c[N];
    static leat_rx(char) in[N];
    for (int i = 0; i < N; i++) in[i] = leat_rx_of(c[i] = leat_chan_make(s, char, 0));
    leat_rx(char) any = leat_or_array(s, char, in, N);
    wait_blocked("leat_or", 1);
    CHECK(!has_fired(any));
    leat_close(c[which]);
    expect_fires(any);
    UNTIL(leat_scope_goroutines(s) == 0);
  }
}
TEST_GO(helpers_end_with_the_scope_and_hold_up_no_wait) {
  leat_scope(outer);
  char_chan a = leat_chan_make(outer, char, 0), b = leat_chan_make(outer, char, 0);
  {
    leat_scope(s);
    for (int i = 0; i < 100; i++) leat_or(s, a, b);
    wait_blocked("leat_or", 100);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(leat_scope_goroutines(s), 100);
  }
  CHECK_EQ(leat_scope_goroutines(outer), 0);
  CHECK_EQ(leat_try_send(a, 1), LEAT_FULL);
}
TEST_GO(the_end_of_the_scope_is_no_signal) {
  leat_scope(outer);
  char_chan a = leat_chan_make(outer, char, 0), b = leat_chan_make(outer, char, 0);
  leat_scope(s);
  leat_rx(char) any = leat_or(s, a, b);
  leat_cancel(s);
  UNTIL(leat_scope_goroutines(s) == 0);
  {
    leat_shield(look);
    CHECK(!has_fired(any));
  }
  leat_or(s, a, b); /* nor can a cancelled one have more */
  CHECK_EQ(leat_scope_goroutines(s), 0);
}
TEST_GO(of_contexts) {
  for (int which = 0; which < 3; which++) {
    leat_scope(s);
    struct leat_scope *ctx[3];
    for (int i = 0; i < 3; i++) ctx[i] = leat_with_cancel(s);
    leat_rx(char) any = leat_or(s, leat_done(ctx[0]), leat_done(ctx[1]), leat_done(leat_background()), leat_done(ctx[2]));
    CHECK(!has_fired(any));
    leat_cancel(ctx[which]);
    expect_fires(any);
    for (int i = 0; i < 3; i++) CHECK_EQ(leat_scope_status(ctx[i]), i == which ? LEAT_CANCELED : LEAT_OK);
  }
}
LEAT_FN(close_or_send, char_chan, c, bool, send) {
  if (send) {
    int status = leat_send_until(c, leat_now() + LEAT_US(200), 1);
    CHECK(status == LEAT_OK || status == LEAT_DEADLINE);
  } else {
    leat_close(c);
  }
}
LEAT_FN(wait_for, leat_rx(char), any) {
  expect_fires(any);
  fired++;
}
TEST_GO(several_inputs_at_once_and_many_who_wait) {
  int rounds = (int)test_scale(300) / 3 + 5;
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    char_chan c[8];
    leat_rx(char) in[8];
    for (int k = 0; k < 8; k++) in[k] = leat_rx_of(c[k] = leat_chan_make(s, char, (size_t)(k % 2)));
    leat_rx(char) any = leat_or_array(s, char, in, 8);
    for (int k = 0; k < 4; k++) leat_go(s, wait_for, any);
    for (int k = 0; k < 8; k++) leat_go(s, close_or_send, c[k], (i + k) % 3 == 0);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(fired, 4 * (i + 1));
  }
}

/* The Book's program: channels that close after a set time; the earliest decides. Its second is 20 ms here. */
LEAT_FN(close_after, leat_tx(char), c, int64_t, duration) {
  if (leat_sleep(duration)) return;
  leat_close(c);
}
static leat_rx(char) sig(leat_view s, int64_t after) {
  leat_chan(char) c = leat_chan_make(s, char, 0);
  leat_go(s, close_after, leat_tx_of(c), after);
  return leat_rx_of(c);
}
TEST_GO(the_books_timing) {
  const int64_t second = LEAT_MS(20), minute = 60 * second, hour = 60 * minute;
  int64_t start = leat_now();
  {
    leat_scope(s);
    expect_fires(leat_or(s, sig(s, 2 * hour), sig(s, 5 * minute), sig(s, 1 * second), sig(s, 1 * hour), sig(s, 1 * minute)));
    int64_t after = leat_now() - start;
    CHECK(after >= second);
    CHECK(after < minute);
  }
  CHECK(leat_now() - start < minute); /* and nobody was waited for */
}
