/* Batches, windows and order. */
#include "token.h"
#include "wait.h"

LEAT_SLICE_DEFINE(int);
typedef leat_slice(int) ints;

static int compare(const int *a, const int *b) { return *a / 10 - *b / 10; } /* the last digit tells equal ones apart */
LEAT_MAP(number_of, int, int64_t, n) { return n; }
LEAT_MAP(backwards, int, int, n, int, from) { return from - 10 * n; }

static void expect_slice(leat_rx(ints) in, int first, size_t n) {
  ints s;
  CHECK_EQ(leat_recv(in, &s), LEAT_OK);
  CHECK_EQ(s.n, n);
  for (size_t i = 0; i < n; i++) CHECK_EQ(s.items[i], first + (int)i);
  leat_slice_free(&s);
  CHECK(!s.items && !s.n);
}
static void expect_end(leat_rx(ints) in) {
  ints s;
  CHECK_EQ(leat_recv(in, &s), LEAT_CLOSED);
}
#define EXPECT(in, ...) \
  do { \
    const int expected[] = {__VA_ARGS__}; \
    size_t at = 0; \
    leat_range(int, v, in) { \
      CHECK(at < sizeof expected / sizeof(int)); \
      CHECK_EQ(v, expected[at]); \
      at++; \
    } \
    CHECK_EQ(at, sizeof expected / sizeof(int)); \
  } while (0)

TEST_GO(batches_by_count) {
  leat_scope(s);
  leat_rx(ints) b = leat_batch(s, leat_numbers(s, int, 0, 10), int, 4, LEAT_NEVER);
  expect_slice(b, 0, 4);
  expect_slice(b, 4, 4);
  expect_slice(b, 8, 2);
  expect_end(b);
  b = leat_batch(s, leat_numbers(s, int, 0, 0), int, 4, LEAT_NEVER);
  expect_end(b);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(batches_by_time) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 10);
  leat_rx(ints) b = leat_batch(s, c, int, 4, LEAT_MS(3));
  for (int i = 0; i < 6; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  int64_t start = leat_now();
  expect_slice(b, 0, 4);
  expect_slice(b, 4, 2);
  CHECK(leat_now() - start >= LEAT_MS(3));
  CHECK_EQ(leat_send(c, 6), LEAT_OK);
  expect_slice(b, 6, 1);
  leat_close(c);
  expect_end(b);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(batches_by_time_of_a_stream_that_never_rests) {
  enum { N = 300000 };
  static int items[N];
  leat_scope(s);
  int n = 0;
  size_t all = 0;
  leat_range(ints, b, leat_batch(s, leat_filled(s, items, N), int, N, LEAT_US(100))) {
    n++;
    all += b.n;
    leat_slice_free(&b);
  }
  CHECK_EQ(all, N);
  CHECK(n > 3);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(windows) {
  leat_scope(s);
  leat_rx(ints) w = leat_windows(s, leat_numbers(s, int, 0, 6), int, 3, 1);
  for (int i = 0; i < 4; i++) expect_slice(w, i, 3);
  expect_end(w);
  w = leat_windows(s, leat_numbers(s, int, 0, 7), int, 3, 3);
  expect_slice(w, 0, 3);
  expect_slice(w, 3, 3);
  expect_slice(w, 6, 1);
  expect_end(w);
  w = leat_windows(s, leat_numbers(s, int, 0, 12), int, 2, 5);
  expect_slice(w, 0, 2);
  expect_slice(w, 5, 2);
  expect_slice(w, 10, 2);
  expect_end(w);
  w = leat_windows(s, leat_numbers(s, int, 0, 5), int, 3, 2);
  expect_slice(w, 0, 3);
  expect_slice(w, 2, 3);
  expect_end(w);
  w = leat_windows(s, leat_numbers(s, int, 0, 2), int, 3, 1);
  expect_end(w);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_sorting_window) {
  leat_scope(s);
  EXPECT(leat_sort_window(s, leat_values(s, int, 20, 10, 30, 21, 50, 40, 31), 2, compare), 10, 20, 21, 30, 31, 40, 50);
  EXPECT(leat_sort_window(s, leat_values(s, int, 3, 2, 1), 0, compare), 3, 2, 1);
  EXPECT(leat_sort_window(s, leat_values(s, int, 12, 11, 13, 1, 2), 10, compare), 1, 2, 12, 11, 13); /* equal ones as they came */
  static int many[1000];
  for (int i = 0; i < 1000; i++) many[i] = 10 * (i ^ 7);
  int i = 0;
  leat_range(int, v, leat_sort_window(s, leat_array(s, many, 1000), 7, compare)) CHECK_EQ(v, 10 * i++);
  CHECK_EQ(i, 1000);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static atomic_int comparisons, panics_at;
static int compare_tokens(const token *a, const token *b) {
  if (comparisons++ == panics_at) leat_panic("at %d", panics_at);
  return *b->cell - *a->cell;
}
LEAT_FN(drop_all, leat_rx(token), in) {
  leat_range(token, t, in) drop_token(&t);
}
TEST_GO(a_sorting_window_whose_function_panics) {
  leat_set_log(NULL, NULL);
  bool panicked = true;
  for (panics_at = 0; panicked; panics_at++) {
    leat_scope(s);
    leat_chan(token) c = leat_chan_make(s, token, 20);
    leat_on_drop(c, drop_token);
    for (int i = 0; i < 20; i++) CHECK_EQ(leat_send(c, new_token(i)), LEAT_OK);
    leat_close(c);
    comparisons = 0;
    leat_go(s, drop_all, leat_sort_window(s, c, 5, compare_tokens));
    int status = leat_wait(s);
    panicked = status == LEAT_PANIC;
    CHECK(panicked || status == LEAT_OK);
    CHECK_EQ(alive, 0);
  }
  CHECK(panics_at > 40);
}
TEST_GO(a_reorder_buffer) {
  leat_scope(s);
  EXPECT(leat_reorder(s, leat_values(s, int, 2, 0, 1, 4, 3), 0, 3, number_of), 0, 1, 2, 3, 4);
  EXPECT(leat_reorder(s, leat_values(s, int, 0, 2, 3, 4, 1, 5), 0, 2, number_of), 0, 2, 3, 4, 5); /* 1 was given up */
  EXPECT(leat_reorder(s, leat_values(s, int, 5, 5, 6, 4, 7), 5, 4, number_of), 5, 6, 7);          /* doubles, and of before */
  EXPECT(leat_reorder(s, leat_values(s, int, 9, 8), 5, 4, number_of), 8, 9);                      /* what is left at the end */
  EXPECT(leat_reorder(s, leat_values(s, int, 2, 1, 0), 0, 0, number_of), 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* "As many as come" is a number that no memory is large enough for. */
TEST_GO(bounds_that_bound_nothing) {
  leat_scope(s);
  size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 4 + 1, SIZE_MAX / 16 + 1};
  for (int i = 0; i < 5; i++) {
    leat_rx(ints) b = leat_batch(s, leat_numbers(s, int, 0, 1000), int, sizes[i], LEAT_SECONDS(1000));
    expect_slice(b, 0, 1000);
    expect_end(b);
    b = leat_windows(s, leat_numbers(s, int, 0, 1000), int, sizes[i], sizes[i]);
    expect_slice(b, 0, 1000);
    expect_end(b);
    int next = 0;
    leat_range(int, v, leat_sort_window(s, leat_map(s, leat_numbers(s, int, 0, 100), backwards, 990), sizes[i], compare)) CHECK_EQ(v, 10 * next++);
    CHECK_EQ(next, 100);
    next = 0;
    leat_range(int, v, leat_reorder(s, leat_map(s, leat_numbers(s, int, 0, 100), backwards, 990), 0, sizes[i], number_of)) CHECK_EQ(v, 10 * next++);
    CHECK_EQ(next, 100);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static void nothing(int *n) { (void)n; }
LEAT_FN(overlap_owned, leat_view, s) {
  leat_rx(int) in = leat_values(s, int, 1);
  leat_on_drop(in, nothing);
  leat_windows(s, in, int, 2, 1);
}
LEAT_FN(no_step, leat_view, s) { leat_windows(s, leat_values(s, int, 1), int, 2, 0); }
TEST_GO(misuse) {
  leat_scope(s);
  CHECK_PANICS("cannot be in several windows", overlap_owned, s);
  CHECK_PANICS("a step of no items", no_step, s);
}
