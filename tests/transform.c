/* Transforms: what each gives; that they own what they receive, to the last item, wherever they end. */
#include "token.h"
#include "wait.h"

static atomic_int ran;
static int upto;

LEAT_MAP(square, int, int, n) { return n * n; }
LEAT_MAP(times, int, int, n, int, by) { return n * by; }
LEAT_MAP(line, int, double, x, double, a, double, b) { return a * x + b; }
LEAT_EFFECT(counted, int, int, n) {
  ran++;
  return n;
}
LEAT_FILTER(even, int, n) { return n % 2 == 0; }
LEAT_FILTER(below, int, n, int, limit) { return n < limit; }
LEAT_FOLD(sum, long, acc, int, x) { return acc + x; }

#define EXPECT(T, in, ...) \
  do { \
    const T expected[] = {__VA_ARGS__}; \
    size_t at = 0; \
    leat_range(T, v, in) { \
      CHECK(at < sizeof expected / sizeof(T)); \
      CHECK(v == expected[at]); \
      at++; \
    } \
    CHECK_EQ(leat_range_end(), LEAT_CLOSED); \
    CHECK_EQ(at, sizeof expected / sizeof(T)); \
  } while (0)

TEST_GO(map_and_filter_with_parameters) {
  leat_scope(s);
  EXPECT(int, leat_map(s, leat_numbers(s, int, 1, 5), times, 2), 2, 4, 6, 8);
  EXPECT(double, leat_map(s, leat_numbers(s, int, 0, 3), line, 2, 0.5), 0.5, 2.5, 4.5);
  EXPECT(int, leat_filter(s, leat_numbers(s, int, 0, 100), below, 3), 0, 1, 2);
  EXPECT(bool, leat_map(s, leat_numbers(s, int, 0, 3), even), true, false, true);
  int limit = 3; /* bound when the stage is made */
  leat_rx(int) out = leat_filter(s, leat_numbers(s, int, 0, 100), below, limit);
  limit = 50;
  EXPECT(int, out, 0, 1, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(take_and_skip) {
  leat_scope(s);
  EXPECT(int, leat_take(s, leat_numbers(s, int, 0, 100), 3), 0, 1, 2);
  EXPECT(int, leat_first(s, leat_numbers(s, int, 5, 100)), 5);
  EXPECT(int, leat_skip(s, leat_numbers(s, int, 0, 5), 3), 3, 4);
  EXPECT(int, leat_last(s, leat_numbers(s, int, 0, 5000)), 4999);
  EXPECT(int, leat_take_while(s, leat_numbers(s, int, 0, 5000), below, 3), 0, 1, 2);
  EXPECT(int, leat_skip_while(s, leat_numbers(s, int, 0, 6), below, 3), 3, 4, 5);
  static const int mixed[] = {1, 2, 9, 1, 2};
  EXPECT(int, leat_take_while(s, leat_array(s, mixed, 5), below, 5), 1, 2);
  EXPECT(int, leat_skip_while(s, leat_array(s, mixed, 5), below, 5), 9, 1, 2);
  EXPECT(int, leat_take(s, leat_skip(s, leat_take(s, leat_numbers(s, int, 0, 1 << 30), 1 << 29), 100000), 2), 100000, 100001);
  leat_range(int, v, leat_take(s, leat_numbers(s, int, 0, 9), 0)) CHECK(v != v);
  leat_range(int, v, leat_take(s, leat_numbers(s, int, 0, 9), -1)) CHECK(v != v);
  leat_range(int, v, leat_skip(s, leat_numbers(s, int, 0, 9), INT64_MAX)) CHECK(v != v);
  leat_range(int, v, leat_last(s, leat_numbers(s, int, 0, 0))) CHECK(v != v);
  EXPECT(int, leat_skip(s, leat_numbers(s, int, 0, 2), 0), 0, 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_million_through_a_chain) {
  leat_scope(s);
  int n = (int)test_scale(1000000) / 6 * 6;
  long total = 0, expected = 0;
  for (int i = 0; i < n; i++)
    if (i % 2 == 0 && i * 3L < 2L * n) expected += 3 * i;
  CHECK_EQ(leat_fold(leat_filter(s, leat_map(s, leat_filter(s, leat_numbers(s, int, 0, n), even), times, 3), below, 2 * n), &total, sum), LEAT_OK);
  CHECK_EQ(total, expected);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

LEAT_INDEXED_DEFINE(int);
LEAT_RESULT_DEFINE(int);
LEAT_FLAT_MAP(up_to, int, int, n, out, int, times) {
  for (int k = 0; k < times; k++)
    for (int i = 0; i < n; i++) leat_emit(out, i);
}
LEAT_MAP_RESULT(halved, int, int, n) {
  ran++;
  return n % 2 ? leat_err(int, leat_error_new(LEAT_FAILED, "%d is odd", n)) : leat_ok(int, n / 2);
}
LEAT_MAP(as_result, int, leat_result(int), n) { return leat_ok(int, n); }
LEAT_FOLD(largest, int, acc, int, x) { return x > acc ? x : acc; }
LEAT_MAP(length, const char *, size_t, text) { return strlen(text); }

TEST_GO(scan_and_enumerate) {
  leat_scope(s);
  EXPECT(long, leat_scan(s, leat_numbers(s, int, 1, 6), 10, sum), 11, 13, 16, 20, 25);
  EXPECT(int, leat_scan(s, leat_values(s, int, 3, 1, 4, 1, 5), INT32_MIN, largest), 3, 3, 4, 4, 5);
  EXPECT(long, leat_last(s, leat_scan(s, leat_numbers(s, int, 0, 100000), 0, sum)), 99999L * 50000);
  int64_t i = 0;
  leat_range(leat_indexed(int), v, leat_enumerate(s, leat_numbers(s, int, 10, 5000), int)) {
    CHECK_EQ(v.index, i);
    CHECK_EQ(v.value, 10 + i);
    i++;
  }
  CHECK_EQ(i, 4990);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(flat_map) {
  leat_scope(s);
  EXPECT(int, leat_flat_map(s, leat_numbers(s, int, 0, 4), up_to, 1), 0, 0, 1, 0, 1, 2);
  EXPECT(int, leat_take(s, leat_flat_map(s, leat_numbers(s, int, 0, 1 << 30), up_to, 2), 7), 0, 0, 0, 1, 0, 1, 0);
  EXPECT(int, leat_take(s, leat_flat_map(s, leat_flat_map(s, leat_values(s, int, 3, 2), up_to, 2), up_to, 1), 5), 0, 0, 1, 0, 0);
  long total = 0;
  CHECK_EQ(leat_fold(leat_flat_map(s, leat_values(s, int, 100000), up_to, 3), &total, sum), LEAT_OK);
  CHECK_EQ(total, 3L * 99999 * 50000);
  leat_range(int, v, leat_flat_map(s, leat_numbers(s, int, 0, 100), up_to, 0)) CHECK(v != v);
  EXPECT(int, leat_take(s, leat_map(s, leat_flat_map(s, leat_values(s, int, 100), up_to, 1), counted), 2), 0, 1);
  CHECK_EQ(ran, 2); /* the third is not wanted */
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* More is wanted of it than a batch has room for, by stages between which there is work on it. */
typedef struct { int n; char bytes[1000]; } thick;
LEAT_MAP(as_thick, int, thick, n) { return (thick){.n = n}; }
LEAT_FLAT_MAP(thick_up_to, thick, thick, t, out, int, most) {
  for (int i = 0; i < most; i++) leat_emit(out, (thick){.n = t.n * most + i});
}
LEAT_MAP(one_more, thick, thick, t) { return (thick){.n = t.n + 1}; }
TEST_GO(a_flat_map_gives_no_more_at_a_time_than_there_is_room_for) {
  for (int way = 0; way < 3; way++) {
    leat_scope(s);
    leat_rx(int) in = leat_values(s, int, 1000, 1000);
    if (way == 1) in = leat_map(s, in, counted);
    if (way == 2) in = leat_buffer(s, in, 3);
    int i = 2500;
    leat_range(int, v, leat_skip(s, leat_map(s, leat_flat_map(s, in, up_to, 3), times, 7), 2500)) CHECK_EQ(v, i++ % 1000 * 7);
    CHECK_EQ(i, 6000);
    leat_rx(thick) thicks = leat_map(s, leat_numbers(s, int, 0, 3), as_thick);
    if (way == 1) leat_share(thicks);
    i = 50;
    leat_range(thick, t, leat_skip(s, leat_map(s, leat_flat_map(s, leat_map(s, leat_flat_map(s, thicks, thick_up_to, 40), one_more), thick_up_to, 1), one_more), 50)) CHECK_EQ(t.n, i++ + 2);
    CHECK_EQ(i, 120);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
TEST_GO(errors_pass_by_a_map_of_results) {
  leat_scope(s);
  int ok = 0, bad = 0;
  leat_range(leat_result(int), r, leat_map_result(s, leat_map_result(s, leat_map(s, leat_numbers(s, int, 0, 8), as_result), halved), halved)) {
    if (r.error) bad++;
    else CHECK_EQ(r.value, ok++);
    leat_error_release(r.error);
  }
  CHECK_EQ(ok, 2);
  CHECK_EQ(bad, 6);
  CHECK_EQ(ran, 8 + 4);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(distinct_remembers_so_many) {
  leat_scope(s);
  EXPECT(int, leat_distinct(s, leat_values(s, int, 1, 1, 2, 1, 3, 2), 10), 1, 2, 3);
  EXPECT(int, leat_distinct(s, leat_values(s, int, 1, 2, 3, 1, 3, 1, 2), 2), 1, 2, 3, 1, 2);
  EXPECT(int, leat_distinct(s, leat_values(s, int, 1, 1, 2), 0), 1, 1, 2);
  int64_t n;
  CHECK_EQ(leat_count(leat_distinct(s, leat_map(s, leat_numbers(s, int, 0, 100000), times, 0), 5), &n), LEAT_OK);
  CHECK_EQ(n, 1);
  char a[] = "same", b[] = "same";
  CHECK_EQ(leat_count(leat_distinct(s, leat_values(s, const char *, a, b, "other"), 5), &n), LEAT_OK);
  CHECK_EQ(n, 2);
  CHECK_EQ(leat_count(leat_distinct_by(s, leat_values(s, const char *, "a", "b", "cc"), 5, length), &n), LEAT_OK);
  CHECK_EQ(n, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Elements with a drop function: each of them is received once, or dropped once. */

LEAT_GENERATOR(tokens, token, item, int *, next) {
  if (*next == upto) return LEAT_CLOSED;
  *item = new_token((*next)++);
  return LEAT_OK;
}
LEAT_FILTER(even_token, token, t) { return *t.cell % 2 == 0; }
LEAT_FILTER(below_100, token, t) { return *t.cell < 100; }
LEAT_FILTER(below_10, token, t) { return *t.cell < 10; }
LEAT_MAP(renewed, token, token, t) { return new_token(number_and_drop(t)); }
LEAT_MAP(number_of, token, int, t) { return number_and_drop(t); }
static leat_rx(token) some_tokens(leat_view s, int *next, size_t room) {
  leat_rx(token) out = leat_generate(s, tokens, next);
  leat_on_drop(out, drop_token);
  return room ? leat_buffer(s, out, room) : out;
}
TEST_GO(every_item_is_received_or_dropped_once) {
  for (int ends = 0; ends < 4; ends++)
    for (size_t room = 0; room < 30; room += 7)
      for (int received = 0; received < 12; received++) {
        int next = 0;
        upto = ends == 1 ? 30 : INT32_MAX;
        {
          leat_scope(s);
          leat_rx(token) out = leat_skip(s, leat_filter(s, some_tokens(s, &next, room), even_token), 2);
          out = leat_take_while(s, leat_take(s, out, 50), below_100);
          out = leat_map(s, out, renewed);
          leat_on_drop(out, drop_token);
          if (ends != 2) out = leat_skip_while(s, leat_buffer(s, out, room), below_10);
          for (int i = 0; i < received; i++) {
            token t;
            int status = leat_recv(out, &t);
            if (status == LEAT_CLOSED && ends == 1) break;
            CHECK_EQ(status, LEAT_OK);
            CHECK_EQ(*t.cell, 2 * i + (ends == 2 ? 4 : 10));
            drop_token(&t);
          }
          if (ends == 3) leat_cancel(s);
          else CHECK_EQ(leat_wait(s), LEAT_OK);
        }
        CHECK_EQ(alive, 0);
      }
}
TEST_GO(last_keeps_one) {
  leat_scope(s);
  int next = 0;
  upto = 20;
  EXPECT(int, leat_map(s, leat_last(s, some_tokens(s, &next, 3)), number_of), 19);
  CHECK_EQ(alive, 0);
  next = 0;
  int64_t n;
  CHECK_EQ(leat_count(some_tokens(s, &next, 3), &n), LEAT_OK);
  CHECK_EQ(n, 20);
  CHECK_EQ(alive, 0);
  next = 0;
  leat_rx(token) unread = leat_last(s, some_tokens(s, &next, 0));
  (void)unread;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(alive, 0);
}
/* A panic in a function of a run: the item it was given is lost with it, no other. */
LEAT_MAP(panics_at, token, token, t, int, n) {
  if (*t.cell == n) {
    drop_token(&t);
    leat_panic("at %d", n);
  }
  return t;
}
LEAT_FILTER(filter_panics_at, token, t, int, n) {
  if (*t.cell == n) leat_panic("at %d", n);
  return true;
}
LEAT_MAP(half_of, token, int, t, int, n) { /* a key: it only looks at the item */
  if (*t.cell == n) leat_panic("at %d", n);
  return *t.cell / 2;
}
LEAT_FLAT_MAP(flat_panics_at, token, token, t, out, int, n) {
  if (*t.cell == n) {
    drop_token(&t);
    leat_panic("at %d", n);
  }
  leat_emit(out, new_token(*t.cell));
  leat_emit(out, t);
}
LEAT_FN(read_tokens, leat_rx(token), in) {
  leat_range(token, t, in) drop_token(&t);
}
LEAT_FN(count_tokens, leat_rx(token), in) { /* takes as many at a time as lie ready */
  int64_t n;
  int status = leat_count(in, &n);
  (void)status;
}
static leat_rx(token) panicking(leat_view s, leat_rx(token) in, int kind, int at) {
  switch (kind) {
  case 0: return leat_map(s, in, panics_at, at);
  case 1: return leat_filter(s, in, filter_panics_at, at);
  case 2: return leat_take_while(s, in, filter_panics_at, at);
  case 3: return leat_skip_while(s, in, filter_panics_at, at);
  case 4: return leat_distinct_by(s, in, 100, half_of, at);
  default: return leat_flat_map(s, in, flat_panics_at, at);
  }
}
TEST_GO(a_panic_in_a_stage_drops_what_was_in_flight) {
  for (int at = 0; at < 20; at++)
    for (int kind = 0; kind < 12; kind++) {
      leat_scope(s);
      leat_chan(token) source = leat_chan_make(s, token, 32);
      leat_on_drop(source, drop_token);
      for (int i = 0; i < 32; i++) CHECK_EQ(leat_send(source, new_token(i)), LEAT_OK);
      leat_close(source);
      leat_rx(token) out = panicking(s, leat_buffer(s, source, 32), kind % 6, at);
      leat_on_drop(out, drop_token);
      if (kind < 6) leat_go(s, read_tokens, leat_buffer(s, out, 40));
      else leat_go(s, count_tokens, out);
      CHECK_EQ(leat_wait(s), LEAT_PANIC);
      leat_stop(source);
      CHECK_EQ(alive, 0);
    }
}

/* Two effects are two goroutines; between them nothing runs ahead of order. */
TEST_GO(effects_run_item_by_item) {
  leat_scope(s);
  leat_rx(int) out = leat_map(s, leat_map(s, leat_map(s, leat_numbers(s, int, 0, 1000), square), counted), counted);
  int v;
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    CHECK_EQ(v, i * i);
    for (int k = 0; k < 5; k++) pause_a_moment();
    CHECK(ran <= 2 * (i + 1) + 3);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
