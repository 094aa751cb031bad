/* Generators: what they give, in what order; never more than was asked for and one item. */
#include "wait.h"
#include <fcntl.h>
#include <unistd.h>

typedef struct { int x, y; } point;
typedef struct { char text[3000]; } page;

static atomic_int calls;

LEAT_SOURCE(next_number, int) { return calls++; }
LEAT_SOURCE(next_multiple, long, int, of, const char *, unused) { return (void)unused, (long)of * calls++; }
LEAT_GENERATOR(count_down, int, item, int *, from) {
  calls++;
  if (!*from) return LEAT_CLOSED;
  *item = (*from)--;
  return LEAT_OK;
}
LEAT_GENERATOR(fails_after, int, item, int, n) {
  CHECK_EQ(*item, 0);
  *item = calls;
  return calls++ < n ? LEAT_OK : leat_fail(LEAT_FAILED, "no number %d", n);
}
LEAT_FOLD(sum, long, acc, int, x) { return acc + x; }
LEAT_EFFECT(as_it_is, int, int, n) { return n; }

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

TEST_GO(values_arrays_and_filled_channels) {
  leat_scope(s);
  EXPECT(int, leat_values(s, int, 1, 2, 3, 4), 1, 2, 3, 4);
  EXPECT(double, leat_values(s, double, 1, 2.5), 1, 2.5);
  EXPECT(int, leat_values(s, int, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
  point p;
  CHECK_EQ(leat_recv(leat_skip(s, leat_values(s, point, ((point){1, 2}), ((point){3, 4})), 1), &p), LEAT_OK);
  CHECK_EQ(p.x * 10 + p.y, 34);
  static const int primes[] = {2, 3, 5, 7, 11};
  EXPECT(int, leat_array(s, primes, 5), 2, 3, 5, 7, 11);
  leat_range(int, v, leat_array(s, primes, 0)) CHECK(v != v);
  leat_rx(int) filled = leat_filled(s, primes, 5);
  CHECK_EQ(leat_len(filled), 5);
  EXPECT(int, filled, 2, 3, 5, 7, 11);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_filled_channel_and_what_is_not_asked_for_need_no_goroutine) {
  leat_scope(s);
  static const int n[] = {1, 2};
  leat_filled(s, n, 2);
  leat_take(s, leat_repeat_fn(s, next_number), 10);
  CHECK_EQ(leat_scope_goroutines(s), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(calls, 0);
}
TEST_GO(repeat) {
  leat_scope(s);
  EXPECT(int, leat_take(s, leat_repeat(s, int, 1), 10), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  EXPECT(int, leat_take(s, leat_repeat(s, int, 1, 2, 3), 7), 1, 2, 3, 1, 2, 3, 1);
  long many = 0;
  CHECK_EQ(leat_fold(leat_take(s, leat_repeat(s, int, 1, 2, 3), 300000), &many, sum), LEAT_OK);
  CHECK_EQ(many, 600000);
  int i = 0;
  leat_range(char, c, leat_take(s, leat_repeat(s, char, 'a', 'b'), 5000)) CHECK_EQ(c, i++ % 2 ? 'b' : 'a');
  page hello = {"hello"};
  leat_range(page, t, leat_take(s, leat_repeat(s, page, hello), 5)) CHECK_STR(t.text, "hello");
  const char *words[3];
  i = 0;
  leat_range(const char *, w, leat_take(s, leat_repeat(s, const char *, "I", "am."), 3)) words[i++] = w;
  CHECK_STR(words[2], "I");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(numbers_of_every_width) {
  leat_scope(s);
  EXPECT(int, leat_numbers(s, int, -2, 3), -2, -1, 0, 1, 2);
  EXPECT(char, leat_numbers(s, char, 'x', 'z' + 1), 'x', 'y', 'z');
  leat_range(int, v, leat_numbers(s, int, 3, -3)) CHECK(v != v);
  leat_range(unsigned, v, leat_numbers(s, unsigned, 3, 3)) CHECK(v != v);
  int64_t n;
  CHECK_EQ(leat_count(leat_numbers(s, int8_t, -128, 127), &n), LEAT_OK);
  CHECK_EQ(n, 255);
  CHECK_EQ(leat_count(leat_numbers(s, int, INT32_MAX - 10, INT32_MAX), &n), LEAT_OK);
  CHECK_EQ(n, 10);
  int64_t next = INT64_MAX - 5000;
  leat_range(int64_t, v, leat_numbers(s, int64_t, INT64_MAX - 5000, INT64_MAX)) CHECK(v == next++);
  uint16_t small = 0;
  leat_range(uint16_t, v, leat_numbers(s, uint16_t, 0, 65535)) CHECK(v == small++);
  CHECK_EQ(small, 65535);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Demand. */

TEST_GO(behind_take_a_function_is_called_as_often_as_was_taken) {
  leat_scope(s);
  EXPECT(int, leat_take(s, leat_repeat_fn(s, next_number), 10), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  CHECK_EQ(calls, 10);
  EXPECT(long, leat_take(s, leat_repeat_fn(s, next_multiple, 3, "x"), 2), 30, 33);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_function_is_one_item_ahead_of_who_takes_them_one_by_one) {
  leat_scope(s);
  leat_rx(int) in = leat_repeat_fn(s, next_number);
  int v;
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(leat_recv(in, &v), LEAT_OK);
    CHECK_EQ(v, i);
    for (int k = 0; k < 5; k++) pause_a_moment();
    CHECK(calls >= i + 1 && calls <= i + 2);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(behind_another_effect_it_is_one_more) {
  leat_scope(s);
  leat_rx(int) in = leat_take(s, leat_map(s, leat_repeat_fn(s, next_number), as_it_is), 10);
  int64_t n;
  CHECK_EQ(leat_count(in, &n), LEAT_OK);
  CHECK_EQ(n, 10);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(calls >= 10 && calls <= 11);
}
TEST_GO(room_is_what_the_buffer_allows) {
  leat_scope(s);
  leat_rx(int) in = leat_buffer(s, leat_repeat_fn(s, next_number), 5);
  int v;
  CHECK_EQ(leat_recv(in, &v), LEAT_OK);
  UNTIL(calls == 7); /* one taken, five in the buffer, one in hand */
  for (int k = 0; k < 20; k++) pause_a_moment();
  CHECK_EQ(calls, 7);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Iterators. */

TEST_GO(a_generator_that_ends) {
  leat_scope(s);
  int from = 3;
  EXPECT(int, leat_generate(s, count_down, &from), 3, 2, 1);
  CHECK_EQ(calls, 4);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_generator_that_fails_fails_its_scope) {
  leat_scope(s);
  int n = 0;
  leat_range(int, v, leat_generate(s, fails_after, 3)) CHECK_EQ(v, n++);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK(n <= 3);
  CHECK_STR(leat_failure_of(s)->message, "no number 3");
}
TEST_GO(a_generator_that_fails_in_the_caller) {
  leat_scope(s);
  long total = 0;
  CHECK_EQ(leat_fold(leat_generate(s, fails_after, 3), &total, sum), LEAT_FAILED);
  CHECK_EQ(total, 3);
  CHECK_EQ(leat_wait(s), LEAT_OK); /* the caller has been told */
}

/* Lines. */

static const char *file_with(const char *text) {
  static char path[256];
  snprintf(path, sizeof path, "%s/lines", test_tmpdir());
  FILE *f = fopen(path, "w");
  CHECK(f != NULL);
  fputs(text, f);
  fclose(f);
  return path;
}
static void expect_lines(leat_view s, const char *text, const char *joined) {
  char got[400] = "";
  leat_range(leat_result(leat_line), r, leat_lines(s, file_with(text))) {
    CHECK(!r.error);
    snprintf(got + strlen(got), sizeof got - strlen(got), "[%s]", r.value);
    free(r.value);
  }
  CHECK_STR(got, joined);
}
TEST_GO(lines_of_a_file) {
  leat_scope(s);
  expect_lines(s, "one\ntwo\n", "[one][two]");
  expect_lines(s, "one\n\nthree", "[one][][three]");
  expect_lines(s, "", "");
  expect_lines(s, "\n", "[]");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(long_lines_and_many) {
  leat_scope(s);
  char *text = malloc(400001), *at = text;
  memset(text, 'x', 100000);
  at += 100000;
  *at++ = '\n';
  for (int i = 0; i < 20000; i++) at += sprintf(at, "%d\n", i);
  int i = -1;
  leat_range(leat_result(leat_line), r, leat_lines(s, file_with(text))) {
    if (i < 0) CHECK_EQ(strlen(r.value), 100000);
    else CHECK_EQ(atoi(r.value), i);
    i++;
    free(r.value);
  }
  CHECK_EQ(i, 20000);
  free(text);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_file_that_is_not_there_is_an_error_item) {
  leat_scope(s);
  int errors = 0;
  leat_range(leat_result(leat_line), r, leat_lines(s, "/no/such/file")) {
    CHECK_EQ(leat_error_status(r.error), LEAT_SYSTEM(2));
    CHECK(strstr(leat_error_message(r.error), "/no/such/file") != NULL);
    leat_error_release(r.error);
    errors++;
  }
  CHECK_EQ(errors, 1);
  leat_rx(leat_result(leat_line)) unread = leat_lines(s, "/no/such/file");
  (void)unread;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(close_while_it_is_read, int, fd) {
  wait_blocked("lines", 1);
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}
TEST_GO(an_error_in_the_middle_of_a_line_is_the_last_item) {
  int ends[2], lines = 0, errors = 0;
  CHECK_EQ(pipe(ends), 0);
  leat_scope(s);
  CHECK_EQ(write(ends[1], "a\nb\nunfinished", 14), 14);
  leat_go(s, close_while_it_is_read, ends[0]);
  leat_range(leat_result(leat_line), r, leat_lines_of(s, ends[0])) {
    CHECK_EQ(errors, 0);
    if (r.error) errors++;
    else lines++;
    leat_error_release(r.error);
    free(r.value);
  }
  CHECK_EQ(lines, 2);
  CHECK_EQ(errors, 1);
  close(ends[1]);
}
TEST_GO(lines_of_a_pipe_whose_writer_is_silent_end_with_their_reader) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  {
    leat_scope(s);
    CHECK_EQ(write(ends[1], "a\nb", 3), 3);
    leat_rx(leat_result(leat_line)) lines = leat_lines_of(s, ends[0]);
    leat_result(leat_line) r;
    CHECK_EQ(leat_recv(lines, &r), LEAT_OK);
    CHECK_STR(r.value, "a");
    free(r.value);
  } /* cancelled in the read */
  close(ends[1]);
  leat_io_close(ends[0]);
}
