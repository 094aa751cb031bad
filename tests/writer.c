/* Batching writers: when chunks go down and how large they are, order, flushes, errors and what becomes of what was accepted, ends at each point, storms. */
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* A sink that keeps what it is given, and can be held up, or made to fail. */
struct sink {
  leat_event gate; /* it waits for this if `held` */
  atomic_bool held;
  atomic_int calls, fail_at; /* the call with this number, from 1, fails */
  atomic_size_t n;
  size_t sizes[1000];
  int items[200000];
};
LEAT_FN_ERR(keep, const int *, items, size_t, n, struct sink *, sink) {
  int call = ++sink->calls;
  if (call <= 1000) sink->sizes[call - 1] = n;
  if (sink->held) {
    int status = leat_event_wait_cancellable(&sink->gate);
    if (status) return status;
  }
  if (call == sink->fail_at) return leat_fail(LEAT_SYSTEM(ENOSPC), "no room for chunk %d", call);
  CHECK(sink->n + n <= 200000);
  memcpy(sink->items + sink->n, items, n * sizeof *items);
  sink->n += n;
  return LEAT_OK;
}
static void hold(struct sink *k) {
  leat_event_reset(&k->gate);
  k->held = true;
}
/* Its first chunk is under way, and stays so: what is written now lies behind it. */
static void hold_first(struct sink *k, leat_writer(int) w, int first) {
  hold(k);
  CHECK_EQ(leat_write(w, first), LEAT_OK);
  UNTIL(k->calls == 1);
}
static void let_go(struct sink *k) {
  k->held = false;
  leat_event_set(&k->gate);
}
static void free_sink(struct sink *k) { free(k); }
#define SINK(k) \
  struct sink *k = calloc(1, sizeof *k); \
  leat_defer(free_sink, k)
static leat_writer(int) writer_to(leat_view s, struct sink *k, size_t chunk, int64_t delay) {
  return leat_writer_make(s, int, ((leat_writer_options){.chunk = chunk, .delay = delay}), keep, k);
}
static void check_numbers(const struct sink *k, int n) {
  CHECK_EQ(k->n, n);
  for (int i = 0; i < n; i++) CHECK_EQ(k->items[i], i);
}

/* When. */

TEST_GO(a_full_chunk_goes_down) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 4, LEAT_NEVER);
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_write(w, i), LEAT_OK);
  UNTIL(k->n == 8);
  CHECK_EQ(leat_writer_look(w).waiting, 2);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 10);
  CHECK_EQ(k->sizes[0], 4);
  CHECK_EQ(k->sizes[1], 4);
  CHECK_EQ(k->sizes[2], 2);
  leat_writer_figures f = leat_writer_look(w);
  CHECK_EQ(f.writes, 10);
  CHECK_EQ(f.items, 10);
  CHECK_EQ(f.chunks, 3);
  CHECK_EQ(f.written, 10);
  CHECK_EQ(f.bytes, 40);
  CHECK_EQ(f.waiting, 0);
  CHECK_EQ(f.lost, 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(nothing_lies_longer_than_it_may) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 100, LEAT_MS(5));
  int late = 0; /* the second, on a machine that is too slow */
  for (int i = 0; i < 3; i++) {
    int64_t start = leat_now();
    CHECK_EQ(leat_write(w, 2 * i), LEAT_OK);
    CHECK_EQ(leat_write(w, 2 * i + 1), LEAT_OK);
    late += leat_now() - start >= LEAT_MS(5);
    UNTIL(k->n == 2 * (size_t)i + 2);
    CHECK(leat_now() - start >= LEAT_MS(5));
  }
  CHECK(k->calls >= 3 && k->calls <= 3 + late);
  check_numbers(k, 6);
}
TEST_GO(what_gathers_meanwhile_goes_together) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 100, 0);
  hold_first(k, w, 0);
  for (int i = 1; i < 50; i++) CHECK_EQ(leat_write(w, i), LEAT_OK);
  let_go(k);
  UNTIL(k->n == 50);
  CHECK_EQ(k->calls, 2);
  check_numbers(k, 50);
}
TEST_GO(a_flush_has_it_down) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 100, LEAT_NEVER);
  CHECK_EQ(leat_flush(w), LEAT_OK); /* nothing */
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(leat_write(w, i), LEAT_OK);
    if (i % 7 == 0) {
      CHECK_EQ(leat_flush(w), LEAT_OK);
      CHECK_EQ(k->n, i + 1);
    }
  }
  CHECK_EQ(leat_flush(w), LEAT_OK);
  CHECK_EQ(leat_flush(w), LEAT_OK);
  CHECK_EQ(k->calls, 8);
  check_numbers(k, 50);
}
LEAT_FN(flush_it, leat_writer(int), w, atomic_int *, done) {
  CHECK_EQ(leat_flush(w), LEAT_OK);
  ++*done;
}
TEST_GO(a_flush_waits_for_no_more_than_was_there) {
  SINK(k);
  leat_scope(s);
  static atomic_int done;
  leat_writer(int) w = writer_to(s, k, 2, LEAT_NEVER);
  hold(k);
  CHECK_EQ(leat_write(w, 0), LEAT_OK);
  leat_go(s, flush_it, w, &done);
  UNTIL(k->calls == 1);
  CHECK_EQ(leat_write(w, 1), LEAT_OK); /* never flushed */
  CHECK_EQ(leat_flush_until(w, leat_now() + LEAT_MS(2)), LEAT_DEADLINE);
  CHECK_EQ(done, 0);
  let_go(k);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(done, 1);
}
LEAT_FN(flush_and_say, leat_writer(int), w, atomic_int *, status) { *status = leat_flush(w); }
TEST_GO(a_flush_can_be_cancelled) {
  SINK(k);
  leat_scope(s);
  static atomic_int status;
  leat_writer(int) w = writer_to(s, k, 2, LEAT_NEVER);
  hold(k);
  CHECK_EQ(leat_write(w, 0), LEAT_OK);
  {
    leat_scope(t);
    leat_go(t, flush_and_say, w, &status);
    UNTIL(k->calls == 1);
    wait_blocked("flush_and_say", 1);
  }
  CHECK_EQ(status, LEAT_CANCELED);
  let_go(k);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 1);
}

/* Order, and room. */

TEST_GO(a_write_is_not_split) {
  SINK(k);
  leat_scope(s);
  const int items[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
  leat_writer(int) w = writer_to(s, k, 5, LEAT_NEVER);
  size_t accepted;
  CHECK_EQ(leat_write_n(w, items, 3, &accepted), LEAT_OK);
  CHECK_EQ(accepted, 3);
  CHECK_EQ(leat_write_n(w, items + 3, 4, NULL), LEAT_OK); /* does not fit any more: what is there goes */
  CHECK_EQ(leat_write_n(w, items + 7, 0, &accepted), LEAT_OK);
  CHECK_EQ(leat_write_n(w, items + 7, 15, &accepted), LEAT_OK); /* more than a chunk: in pieces */
  CHECK_EQ(accepted, 15);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 22);
  CHECK_EQ(k->sizes[0], 3);
  CHECK_EQ(k->sizes[1], 5);
}
LEAT_FN(write_numbered, leat_writer(int), w, int, n, atomic_int *, order) {
  int status = leat_write(w, n);
  if (!status) ++*order;
}
TEST_GO(who_finds_no_room_waits_first_come_first_served) {
  SINK(k);
  leat_scope(s);
  static atomic_int done;
  leat_writer(int) w = writer_to(s, k, 1, 0);
  hold_first(k, w, 0);
  CHECK_EQ(leat_write(w, 1), LEAT_OK);
  for (int i = 2; i < 12; i++) {
    leat_go(s, write_numbered, w, i, &done);
    wait_blocked("write_numbered", (size_t)i - 1);
  }
  CHECK_EQ(leat_write_until(w, leat_now() + LEAT_MS(1), 99), LEAT_DEADLINE);
  CHECK_EQ(leat_write_until(w, 1, 99), LEAT_DEADLINE);
  CHECK_EQ(done, 0);
  let_go(k);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 12);
}
LEAT_FN(write_some, leat_writer(int), w, int, first, size_t, n, atomic_int *, status, atomic_size_t *, accepted) {
  int items[20];
  size_t took;
  for (size_t i = 0; i < n; i++) items[i] = first + (int)i;
  *status = leat_write_n(w, items, n, &took);
  *accepted = took;
}
TEST_GO(who_gives_up_has_written_nothing_and_those_behind_move_up) {
  SINK(k);
  leat_scope(s);
  static atomic_int first, second;
  static atomic_size_t taken_first, taken_second;
  leat_writer(int) w = writer_to(s, k, 4, LEAT_NEVER);
  const int items[] = {0, 1, 2, 3, 4, 5};
  hold(k);
  CHECK_EQ(leat_write_n(w, items, 4, NULL), LEAT_OK);
  UNTIL(k->calls == 1);
  CHECK_EQ(leat_write_n(w, items + 4, 2, NULL), LEAT_OK);
  first = second = 1;
  {
    leat_scope(t);
    leat_go(t, write_some, w, 100, 3, &first, &taken_first); /* would need 3 of 2 */
    wait_blocked("write_some", 1);
    leat_go(s, write_some, w, 6, 2, &second, &taken_second);  /* fits, behind it */
    wait_blocked("write_some", 2);
    CHECK_EQ(second, 1);
  }
  CHECK_EQ(first, LEAT_CANCELED);
  CHECK_EQ(taken_first, 0);
  UNTIL(second == LEAT_OK);
  let_go(k);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 8);
}
TEST_GO(of_a_large_write_a_part_may_be_accepted_and_is_written) {
  SINK(k);
  leat_scope(s);
  static atomic_int status;
  static atomic_size_t accepted;
  leat_writer(int) w = writer_to(s, k, 4, LEAT_NEVER);
  hold(k);
  {
    leat_scope(t);
    leat_go(t, write_some, w, 0, 20, &status, &accepted);
    UNTIL(k->calls == 1);
    wait_blocked("write_some", 1);
  }
  CHECK_EQ(status, LEAT_CANCELED);
  CHECK_EQ(accepted, 8); /* both chunks */
  let_go(k);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 8);
  CHECK_EQ(leat_writer_look(w).items, 8);
}

/* Ends. */

TEST_GO(after_the_close_no_more_is_accepted) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 100, LEAT_NEVER);
  CHECK_EQ(leat_write(w, 0), LEAT_OK);
  for (int i = 0; i < 3; i++) CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 1);
  CHECK_EQ(leat_write(w, 1), LEAT_CLOSED);
  CHECK_EQ(leat_flush(w), LEAT_OK); /* all is down */
  CHECK_EQ(leat_writer_close_until(w, 1), LEAT_OK);
}
LEAT_FN(write_and_say, leat_writer(int), w, int, n, atomic_int *, status) { *status = leat_write(w, n); }
TEST_GO(a_close_does_not_let_in_who_waits) {
  SINK(k);
  leat_scope(s);
  static atomic_int status;
  leat_writer(int) w = writer_to(s, k, 1, LEAT_NEVER);
  hold_first(k, w, 0);
  CHECK_EQ(leat_write(w, 1), LEAT_OK);
  leat_go(s, write_and_say, w, 2, &status);
  wait_blocked("write_and_say", 1);
  CHECK_EQ(leat_writer_close_until(w, leat_now() + LEAT_MS(1)), LEAT_DEADLINE);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(status, LEAT_CLOSED);
  let_go(k);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 2);
}
TEST_GO(a_close_is_a_join) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 10, LEAT_NEVER);
  CHECK_EQ(leat_write(w, 0), LEAT_OK);
  hold(k);
  {
    leat_scope(t);
    leat_cancel(t);
    CHECK_EQ(leat_write(w, 1), LEAT_CANCELED);
    CHECK_EQ(leat_flush(w), LEAT_CANCELED);
    CHECK_EQ(leat_writer_close_until(w, LEAT_NEVER), LEAT_CANCELED);
    let_go(k);
    CHECK_EQ(leat_writer_close(w), LEAT_OK);
  }
  check_numbers(k, 1);
}
TEST_GO(what_was_accepted_is_written_when_the_scope_is_left) {
  for (int point = 0; point < 12; point++) {
    SINK(k);
    int n = point % 6;
    {
      leat_scope(s);
      leat_writer(int) w = writer_to(s, k, 3, LEAT_NEVER);
      for (int i = 0; i < n; i++) CHECK_EQ(leat_write(w, i), LEAT_OK);
      if (point >= 6) {
        leat_cancel(s);
        CHECK_EQ(leat_write(w, 99), LEAT_CANCELED);
        CHECK_EQ(leat_wait(s), LEAT_CANCELED);
      }
    }
    check_numbers(k, n);
  }
}
TEST_GO(one_who_is_in_no_such_scope_gets_closed) {
  SINK(k);
  leat_scope(s);
  {
    leat_scope(t);
    leat_writer(int) w = writer_to(t, k, 10, LEAT_NEVER);
    CHECK_EQ(leat_write(w, 0), LEAT_OK);
    leat_cancel(t);
    leat_shield(apart);
    CHECK_EQ(leat_write(w, 1), LEAT_CLOSED);
    CHECK_EQ(leat_flush(w), LEAT_OK);
    check_numbers(k, 1);
  }
}
TEST_GO(made_in_a_scope_that_has_ended) {
  SINK(k);
  leat_scope(s);
  leat_cancel(s);
  leat_writer(int) w = writer_to(s, k, 10, 0);
  {
    leat_shield(apart);
    CHECK_EQ(leat_write(w, 1), LEAT_CLOSED);
    CHECK_EQ(leat_flush(w), LEAT_OK);
  }
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
TEST_GO(a_chunk_under_way_is_not_cut_off) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, 1, 0);
  hold_first(k, w, 0);
  CHECK_EQ(leat_write(w, 1), LEAT_OK);
  leat_cancel(s);
  for (int i = 0; i < 20; i++) pause_a_moment();
  CHECK_EQ(k->n, 0);
  let_go(k);
  CHECK_EQ(leat_writer_close(w), LEAT_OK);
  check_numbers(k, 2);
}
static atomic_int dropped;
static void count_dropped(int *item) { dropped += *item; }
TEST_GO(what_takes_longer_than_the_grace_is_an_error) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = leat_writer_make(s, int, ((leat_writer_options){.chunk = 2, .grace = LEAT_MS(5)}), keep, k);
  leat_writer_on_drop(w, count_dropped);
  hold_first(k, w, 1);
  CHECK_EQ(leat_write(w, 10), LEAT_OK);
  CHECK_EQ(leat_write(w, 100), LEAT_OK);
  leat_cancel(s);
  CHECK_EQ(leat_writer_close(w), LEAT_FAILED);
  CHECK_EQ(dropped, 110); /* the sink had the first */
  CHECK_EQ(leat_writer_look(w).lost, 3);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK(strstr(leat_failure_of(s)->message, "3 of 3 items that a writer had accepted were not written in the time it had") != NULL);
}

/* Errors. */

TEST_GO(an_error_reaches_all) {
  SINK(k);
  leat_scope(s);
  static atomic_int writing, flushing;
  leat_keep_going(s);
  k->fail_at = 2;
  leat_writer(int) w = writer_to(s, k, 2, 0);
  leat_writer_on_drop(w, count_dropped);
  hold_first(k, w, 0);
  const int items[] = {10, 100};
  CHECK_EQ(leat_write_n(w, items, 2, NULL), LEAT_OK);
  leat_go(s, write_and_say, w, 1000, &writing);
  wait_blocked("write_and_say", 1);
  leat_go(s, flush_and_say, w, &flushing);
  wait_blocked("flush_and_say", 1);
  leat_event_set(&k->gate); /* the first goes well, and lets the third in; the second fails */
  CHECK_EQ(leat_wait(s), LEAT_SYSTEM(ENOSPC));
  CHECK_EQ(writing, LEAT_OK);
  CHECK_EQ(flushing, LEAT_SYSTEM(ENOSPC));
  CHECK_EQ(leat_write(w, 1), LEAT_SYSTEM(ENOSPC));
  CHECK_EQ(leat_flush(w), LEAT_SYSTEM(ENOSPC));
  CHECK_EQ(leat_writer_close(w), LEAT_SYSTEM(ENOSPC));
  CHECK_STR(leat_failure_of(s)->message, "no room for chunk 2");
  CHECK_EQ(dropped, 1000);
  CHECK_EQ(leat_writer_look(w).lost, 3);
  CHECK_EQ(leat_writer_look(w).written, 1);
}
TEST_GO(an_error_ends_the_waiting_of_who_is_not_in) {
  SINK(k);
  leat_scope(s);
  static atomic_int writing;
  leat_keep_going(s);
  k->fail_at = 1;
  leat_writer(int) w = writer_to(s, k, 1, 0);
  hold_first(k, w, 0);
  CHECK_EQ(leat_write(w, 1), LEAT_OK);
  leat_go(s, write_and_say, w, 2, &writing);
  wait_blocked("write_and_say", 1);
  leat_event_set(&k->gate);
  CHECK_EQ(leat_wait(s), LEAT_SYSTEM(ENOSPC));
  CHECK_EQ(writing, LEAT_SYSTEM(ENOSPC));
}
LEAT_FN_ERR(panic_at, const int *, items, size_t, n) {
  (void)n;
  leat_assert(*items != 3, "a three");
  return LEAT_OK;
}
TEST_GO(a_panic_in_the_sink_reaches_all) {
  leat_scope(s);
  leat_writer(int) w = leat_writer_make(s, int, ((leat_writer_options){.chunk = 1}), panic_at);
  for (int i = 0; i < 4; i++) leat_write(w, i);
  {
    leat_shield(apart);
    CHECK_EQ(leat_flush(w), LEAT_PANIC);
  }
  CHECK_EQ(leat_writer_close(w), LEAT_PANIC);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "a three") != NULL);
}
LEAT_FN_ERR(end_itself, const int *, items, size_t, n) {
  (void)items, (void)n;
  leat_goexit();
}
TEST_GO(a_sink_that_ends_its_goroutine_has_lost_what_was_accepted) {
  leat_scope(s);
  leat_writer(int) w = leat_writer_make(s, int, ((leat_writer_options){.chunk = 1}), end_itself);
  CHECK_EQ(leat_write(w, 1), LEAT_OK);
  CHECK_EQ(leat_writer_close(w), LEAT_FAILED);
  CHECK_EQ(leat_writer_look(w).lost, 1);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
}
static leat_writer(int) own;
LEAT_FN_ERR(flush_own, const int *, items, size_t, n) {
  (void)items, (void)n;
  return leat_flush(own);
}
TEST_GO(to_wait_for_itself_is_misuse) {
  leat_scope(s);
  leat_keep_going(s);
  own = leat_writer_make(s, int, ((leat_writer_options){.chunk = 1}), flush_own);
  CHECK_EQ(leat_write(own, 1), LEAT_OK);
  CHECK_EQ(leat_writer_close(own), LEAT_PANIC);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK(strstr(leat_failure_of(s)->message, "leat_flush in the sink of that writer") != NULL);
}
TEST_GO(too_large_a_chunk_is_out_of_memory) {
  SINK(k);
  leat_scope(s);
  leat_writer(int) w = writer_to(s, k, SIZE_MAX / 2, 0);
  {
    leat_shield(apart);
    CHECK_EQ(leat_write(w, 1), LEAT_NOMEM);
    CHECK_EQ(leat_flush(w), LEAT_NOMEM);
  }
  CHECK_EQ(leat_writer_close(w), LEAT_NOMEM);
  CHECK_EQ(leat_wait(s), LEAT_NOMEM);
}

/* Descriptors and files. */

static int open_in_tmpdir(char *path, size_t size) {
  snprintf(path, size, "%s/out", test_tmpdir());
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(fd >= 0);
  return fd;
}
static char *contents(const char *path, size_t *n) {
  FILE *f = fopen(path, "r");
  CHECK(f != NULL);
  char *text = calloc(1, 4000000);
  *n = fread(text, 1, 3999999, f);
  fclose(f);
  return text;
}
enum { LOGGERS = 6 };
static int lines_each;
LEAT_FN_ERR(log_lines, leat_writer(char), out, int, who) {
  char line[100];
  for (int i = 0; i < lines_each; i++) {
    int n = snprintf(line, sizeof line, "%d %d %.*s\n", who, i, i % 40, "........................................");
    int status = leat_write_n(out, line, (size_t)n, NULL);
    if (status) return status;
  }
  return LEAT_OK;
}
/* All lines are whole, and each logger's in order. */
static void check_lines(const char *path, int loggers) {
  size_t n;
  int next[LOGGERS + 1] = {0}, lines = 0;
  char *text = contents(path, &n), *rest = text;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    int who, i;
    CHECK_EQ(sscanf(line, "%d %d", &who, &i), 2);
    CHECK(who >= 0 && who <= LOGGERS);
    CHECK_EQ(i, next[who]++);
    char whole[100];
    snprintf(whole, sizeof whole, "%d %d %.*s", who, i, i % 40, "........................................");
    CHECK_STR(line, whole);
    lines++;
  }
  CHECK_EQ(lines, loggers * lines_each);
  free(text);
}
TEST_GO(many_log_lines_to_a_descriptor) {
  char path[300];
  int fd = open_in_tmpdir(path, sizeof path);
  lines_each = (int)test_scale(3000) + 20;
  leat_scope(s);
  leat_writer(char) out = leat_writer_to_fd(s, fd, ((leat_writer_options){.delay = LEAT_MS(10)}));
  for (int i = 0; i < LOGGERS; i++) leat_go(s, log_lines, out, i);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_writer_close(out), LEAT_OK);
  check_lines(path, LOGGERS);
  leat_writer_figures f = leat_writer_look(out);
  CHECK_EQ(f.writes, LOGGERS * lines_each);
  CHECK_EQ(f.bytes, lseek(fd, 0, SEEK_END));
  CHECK(f.chunks < f.writes);
  leat_io_close(fd);
}
static void *thread_logs(void *out) {
  CHECK_EQ(log_lines(*(leat_writer(char) *)out, LOGGERS), LEAT_OK);
  return NULL;
}
TEST_GO(many_and_a_plain_thread_log_lines_to_a_file) {
  char path[300];
  snprintf(path, sizeof path, "%s/out", test_tmpdir());
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  lines_each = (int)test_scale(3000) + 20;
  {
    pthread_t thread;
    leat_scope(s);
    leat_writer(char) out = leat_writer_to_file(s, file, ((leat_writer_options){.chunk = 1000}));
    CHECK_EQ(pthread_create(&thread, NULL, thread_logs, &out), 0);
    for (int i = 0; i < LOGGERS; i++) leat_go(s, log_lines, out, i);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    pthread_join(thread, NULL);
    CHECK_EQ(leat_flush(out), LEAT_OK);
    check_lines(path, LOGGERS + 1); /* it is there without fclose */
  }
  fclose(file);
}
TEST_GO(a_descriptor_that_is_slow) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  enum { N = 300000 };
  char *text = malloc(N), *got = malloc(N);
  for (int i = 0; i < N; i++) text[i] = (char)('a' + i % 23);
  {
    leat_scope(s);
    leat_writer(char) out = leat_writer_to_fd(s, ends[1], ((leat_writer_options){.chunk = 10000}));
    size_t accepted, n = 0;
    CHECK_EQ(leat_write_n_until(out, leat_now() + LEAT_MS(10), text, N, &accepted), LEAT_DEADLINE); /* the pipe is full */
    CHECK(accepted > 0 && accepted < N);
    CHECK_EQ(leat_writer_close_until(out, 1), LEAT_DEADLINE);
    while (n < accepted) {
      ssize_t k = leat_io_read(ends[0], got + n, accepted - n);
      CHECK(k > 0);
      n += (size_t)k;
    }
    CHECK_EQ(leat_writer_close(out), LEAT_OK);
    CHECK_EQ(memcmp(text, got, n), 0);
    CHECK_EQ(leat_writer_look(out).bytes, n);
  }
  free(text);
  free(got);
  leat_io_close(ends[0]);
  leat_io_close(ends[1]);
}
TEST_GO(nobody_reads_and_the_scope_is_left) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  static char text[200000];
  leat_scope(outer);
  leat_scope(s);
  leat_writer(char) out = leat_writer_to_fd(s, ends[1], ((leat_writer_options){.chunk = 100000, .grace = LEAT_MS(5)}));
  size_t accepted;
  leat_write_n_until(out, leat_now() + LEAT_MS(10), text, sizeof text, &accepted);
  leat_cancel(s);
  CHECK_EQ(leat_writer_close(out), LEAT_FAILED);
  leat_writer_figures f = leat_writer_look(out);
  CHECK(f.written > 0 && f.lost > 0);
  CHECK_EQ(f.written + f.lost, accepted);
  int in_pipe = 0;
  static char got[200000];
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  for (ssize_t k; (k = read(ends[0], got, sizeof got)) > 0;) in_pipe += (int)k;
  CHECK_EQ(in_pipe, f.written); /* it knows to the byte */
  leat_io_close(ends[0]);
  leat_io_close(ends[1]);
}
TEST_GO(a_full_disk) {
  int fd = open("/dev/full", O_WRONLY);
  if (fd < 0) TEST_SKIP("there is no /dev/full");
  FILE *file = fdopen(dup(fd), "w");
  for (int i = 0; i < 2; i++) {
    leat_scope(s);
    leat_keep_going(s);
    leat_writer(char) out = i ? leat_writer_to_file(s, file, ((leat_writer_options){.chunk = 3})) : leat_writer_to_fd(s, fd, ((leat_writer_options){.chunk = 3}));
    CHECK_EQ(leat_write_n(out, "ab", 2, NULL), LEAT_OK);
    CHECK_EQ(leat_flush(out), LEAT_SYSTEM(ENOSPC));
    CHECK_EQ(leat_writer_close(out), LEAT_SYSTEM(ENOSPC));
    CHECK_EQ(leat_wait(s), LEAT_SYSTEM(ENOSPC));
    CHECK_STR(leat_failure_of(s)->message, "2 of 2 items that a writer had accepted were not written");
  }
  fclose(file);
  leat_io_close(fd);
}

/* Storms: what was accepted is down once, in each writer's order, whoever gives up and however it ends. */

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}
struct storm {
  leat_writer(int) w;
  atomic_int accepted[16];
};
LEAT_FN(storm_writer, struct storm *, t, int, who, int, n, uint32_t, seed) {
  int items[30], number = 0;
  for (int i = 0; i < n; i++) {
    size_t count = next_random(&seed) % 30, accepted;
    for (size_t k = 0; k < count; k++) items[k] = who << 20 | (number + (int)k);
    int64_t deadline = next_random(&seed) % 3 ? LEAT_NEVER : leat_now() + next_random(&seed) % 20000;
    int status = leat_write_n_until(t->w, deadline, items, count, &accepted);
    if (status && count <= 20) CHECK_EQ(accepted, 0);
    number += (int)accepted;
    t->accepted[who] = number;
    if (status == LEAT_CANCELED || status == LEAT_CLOSED) return;
    if (next_random(&seed) % 16 == 0 && (status = leat_flush(t->w)) && status != LEAT_CANCELED) CHECK_EQ(status, LEAT_OK);
    if (next_random(&seed) % 8 == 0) leat_yield();
  }
}
static void storm(int workers, int64_t delay, bool leave) {
  SINK(k);
  struct storm t = {0};
  uint32_t seed = (uint32_t)workers * 7 + (uint32_t)delay;
  CHECK_EQ(leat_set_workers(workers), LEAT_OK);
  {
    leat_scope(writers_scope);
    t.w = writer_to(writers_scope, k, 20, delay);
    leat_scope(s);
    leat_scope(unlucky);
    for (int i = 0; i < 12; i++) leat_go(i % 3 ? s : unlucky, storm_writer, &t, i, (int)test_scale(300) + 5, next_random(&seed));
    for (uint32_t i = next_random(&seed) % 50; i; i--) leat_yield();
    leat_cancel(unlucky);
    if (leave) {
      leat_cancel(writers_scope);
      leat_shield(apart);
      for (int i = 0; i < 20; i++) leat_write(t.w, 15 << 20); /* not accepted any more */
    } else {
      CHECK_EQ(leat_wait(s), LEAT_OK);
      CHECK_EQ(leat_writer_close(t.w), LEAT_OK);
      CHECK_EQ(leat_writer_look(t.w).lost, 0);
    }
  }
  int next[16] = {0};
  for (size_t i = 0; i < k->n; i++) CHECK_EQ(k->items[i] & 0xfffff, next[k->items[i] >> 20]++);
  for (int i = 0; i < 16; i++) CHECK_EQ(next[i], t.accepted[i]);
}
TEST_GO(storms) {
  const int worker_counts[] = {1, 2, 8};
  const int64_t delays[] = {0, LEAT_US(20), LEAT_MS(1)};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) storm(worker_counts[i], delays[j], false), storm(worker_counts[i], delays[j], true);
}

/* In contexts. */

LEAT_FN(write_in, leat_view, ctx, struct sink *, k, int, n) {
  leat_writer(int) w = writer_to(ctx, k, 4, LEAT_NEVER);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_write(w, i), LEAT_OK);
}
TEST_GO(the_end_of_a_context_writes_what_was_accepted) {
  for (int way = 0; way < 3; way++) {
    SINK(k);
    {
      leat_scope(s);
      struct leat_scope *ctx = leat_with_cancel(s);
      leat_go(s, write_in, ctx, k, 6);
      CHECK_EQ(leat_wait(s), LEAT_OK);
      if (way == 1) leat_cancel(ctx);
      if (way == 2) leat_set_deadline(ctx, 1);
      if (way) UNTIL(k->n == 6);
    }
    check_numbers(k, 6);
  }
}
