/* All stages, each at every point where it can be made to end: cancelled before, during and after each item, its consumer gone, its producer failing
 * or silent; measured or not. Nothing is left behind: no goroutine, no channel (AddressSanitizer looks for those), and of the items, which are counted, none. A stage
 * whose macro is not used here fails tests/suites/docs; one that a program writes itself is the entry `own`. */
#include "token.h"
#include "wait.h"
#include <fcntl.h>

typedef leat_rx(token) stream;
LEAT_SLICE_DEFINE(token);
LEAT_INDEXED_DEFINE(token);
LEAT_RESULT_DEFINE(token);

static void copy(token *to, const token *from) { *to = new_token(*from->cell); }
static int compare(const token *a, const token *b) { return *a->cell - *b->cell; }

/* Sources. */

enum how { ENDS, FAILS, FALLS_SILENT };
struct source {
  enum how how;
  int next, n;
};
LEAT_GENERATOR(tokens, token, item, struct source *, source) {
  if (source->next == source->n) {
    if (source->how == ENDS) return LEAT_CLOSED;
    if (source->how == FAILS) return leat_fail(LEAT_FAILED, "as planned");
    return leat_sleep(LEAT_SECONDS(3600));
  }
  *item = new_token(source->next++);
  return LEAT_OK;
}
LEAT_FN_ERR(produce, leat_tx(token), out, struct source *, source) {
  leat_defer_close(out);
  for (;;) {
    token t = {NULL};
    int status = tokens(&t, source);
    if (status) return status == LEAT_CLOSED ? LEAT_OK : status;
    if ((status = leat_send(out, t))) {
      drop_token(&t);
      return status == LEAT_CLOSED ? LEAT_OK : status;
    }
  }
}
static stream from(leat_view s, struct source *source, int way) {
  static int pipelines;
  if (pipelines++ % 2) CHECK_EQ(leat_measure(s), LEAT_OK); /* every second one */
  if (way == 0 && source->how != FALLS_SILENT) { /* in its function it could not be interrupted */
    stream out = leat_generate(s, tokens, source);
    leat_on_drop(out, drop_token);
    return out;
  }
  leat_chan(token) c = leat_chan_make(s, token, way == 2 ? 3 : 0);
  leat_on_drop(c, drop_token);
  if (source->how == FALLS_SILENT) {
    leat_service(s, produce, leat_tx_of(c), source);
  } else {
    leat_go(s, produce, leat_tx_of(c), source);
  }
  return leat_rx_of(c);
}

/* Stages from tokens to tokens. */

LEAT_MAP(renewed, token, token, t) { return new_token(number_and_drop(t)); }
LEAT_EFFECT(seen, token, token, t) { return t; }
LEAT_FILTER(odd, token, t) { return *t.cell % 2; }
LEAT_FILTER(small, token, t, int, limit) { return *t.cell < limit; }
LEAT_MAP(number_of, token, int64_t, t) { return *t.cell; }
LEAT_MAP(rest_of, token, int, t, int, by) { return *t.cell % by; }
LEAT_FLAT_MAP(doubled, token, token, t, out) {
  leat_emit(out, new_token(*t.cell));
  leat_emit(out, t);
}
LEAT_FLAT_MAP(items_of, leat_slice(token), token, slice, out) {
  for (size_t i = 0; i < slice.n; i++) leat_emit(out, slice.items[i]);
  slice.n = 0;
  leat_slice_free(&slice);
}
LEAT_MAP(value_of, leat_indexed(token), token, i) { return i.value; }
LEAT_ZIP(second, token, a, token, b, token) {
  drop_token(&a);
  return b;
}
LEAT_MAP(as_result, token, leat_result(token), t) { return leat_ok(token, t); }
LEAT_MAP_RESULT(checked, token, token, t) { return leat_ok(token, t); }
LEAT_MAP(of_result, leat_result(token), token, r) {
  CHECK(!r.error);
  return r.value;
}
LEAT_STAGE(own, token, token, in, out) {
  token t;
  int status;
  while (!(status = leat_recv(in, &t)))
    if ((status = leat_send(out, t))) {
      drop_token(&t);
      break;
    }
  return status;
}
static stream with_drop(stream c) {
  leat_on_drop(c, drop_token);
  return c;
}
LEAT_STAGE(second_dropped, token, token, in, out, stream, other) {
  token t, u;
  int status;
  while (!(status = leat_recv(in, &t))) {
    if (!(status = leat_recv(other, &u))) drop_token(&u);
    if (status || (status = leat_send(out, t))) {
      drop_token(&t);
      break;
    }
  }
  return status;
}
LEAT_PIPELINE(pipeline, token, token, s, in, int, n) { return leat_take(s, with_drop(leat_map(s, in, seen)), n); }

#define STAGE(name, ...) \
  static stream name##_stage(leat_view s, stream in) { \
    (void)s; \
    return __VA_ARGS__; \
  }
STAGE(map, with_drop(leat_map(s, in, renewed)))
STAGE(effect, with_drop(leat_map(s, in, seen)))
STAGE(effects, with_drop(leat_map(s, with_drop(leat_map(s, in, seen)), seen)))
STAGE(filter, leat_filter(s, in, odd))
STAGE(take, leat_take(s, in, 5))
STAGE(take_while, leat_take_while(s, in, small, 5))
STAGE(skip, leat_skip(s, in, 3))
STAGE(skip_while, leat_skip_while(s, in, small, 3))
STAGE(first, leat_first(s, in))
STAGE(last, leat_last(s, in))
STAGE(buffer, leat_buffer(s, in, 4))
STAGE(fused, leat_take(s, leat_filter(s, with_drop(leat_map(s, leat_skip(s, in, 2), renewed)), odd), 3))
STAGE(distinct, leat_distinct_by(s, in, 3, rest_of, 5))
STAGE(flat_map, with_drop(leat_flat_map(s, in, doubled)))
static void drop_indexed(leat_indexed(token) *i) { drop_token(&i->value); }
static stream enumerate_stage(leat_view s, stream in) {
  leat_rx(leat_indexed(token)) numbered = leat_enumerate(s, in, token);
  leat_on_drop(numbered, drop_indexed);
  return with_drop(leat_map(s, numbered, value_of));
}
static void drop_result(leat_result(token) *r) {
  if (!r->error) drop_token(&r->value);
  leat_error_release(r->error);
}
static stream results_stage(leat_view s, stream in) {
  leat_rx(leat_result(token)) results = leat_map(s, in, as_result);
  leat_on_drop(results, drop_result);
  results = leat_map_result(s, results, checked);
  leat_on_drop(results, drop_result);
  return with_drop(leat_map(s, results, of_result));
}
static stream merge_stage(leat_view s, stream in) {
  stream outs[2] = {leat_filter(s, in, odd), leat_map(s, in, seen)};
  with_drop(outs[1]);
  return leat_merge(s, outs[0], outs[1]);
}
static stream tee_stage(leat_view s, stream in) {
  stream outs[3];
  CHECK_EQ(leat_tee_with(s, in, outs, 3, copy), LEAT_OK);
  return leat_merge_array(s, outs, 3);
}
static stream tee_of_which_one_is_read_stage(leat_view s, stream in) {
  stream outs[3];
  CHECK_EQ(leat_tee_with(s, in, outs, 3, copy), LEAT_OK);
  leat_stop(outs[0]);
  leat_stop(outs[2]);
  return outs[1];
}
static stream zip_stage(leat_view s, stream in) {
  stream outs[2];
  CHECK_EQ(leat_tee_with(s, in, outs, 2, copy), LEAT_OK);
  return with_drop(leat_zip(s, outs[0], leat_buffer(s, outs[1], 2), second));
}
static stream split_stage(leat_view s, stream in) {
  stream outs[3];
  CHECK_EQ(leat_split(s, in, outs, 3, rest_of, 3), LEAT_OK);
  return leat_merge_array(s, outs, 3);
}
static stream partition_stage(leat_view s, stream in) {
  stream yes, no;
  CHECK_EQ(leat_partition(s, in, &yes, &no, odd), LEAT_OK);
  leat_stop(no);
  return yes;
}
LEAT_MAP(stream_of, token, stream, t, leat_view, s) {
  stream out = leat_filled(s, &t, 1);
  leat_on_drop(out, drop_token);
  return out;
}
STAGE(bridge, with_drop(leat_bridge(s, leat_map(s, in, stream_of, s))))
static stream or_done_stage(leat_view s, stream in) { return leat_or_done(s, in, leat_chan_make(s, char, 0)); }
static stream or_done_by_a_stage_stage(leat_view s, stream in) { return leat_or_done(s, in, leat_first(s, leat_rx_of(leat_chan_make(s, char, 0)))); }
static stream or_done_that_ends_stage(leat_view s, stream in) { return leat_or_done(s, in, leat_after(s, LEAT_US(30))); }
/* Sources: each item of the input is replaced by a stream of one. */
LEAT_MAP(token_of, int, token, n) { return new_token(n); }
LEAT_MAP(token_of_line, leat_result(leat_line), token, r) {
  if (!r.error) free(r.value);
  leat_error_release(r.error);
  return new_token(0);
}
LEAT_SOURCE(token_like, token, int, n) { return new_token(n); }
static const int up_to_20[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
LEAT_MAP(values_of, token, stream, t, leat_view, s) { return with_drop(leat_map(s, leat_values(s, int, number_and_drop(t)), token_of)); }
LEAT_MAP(array_of, token, stream, t, leat_view, s) { return with_drop(leat_map(s, leat_array(s, up_to_20 + number_and_drop(t) % 20, 1), token_of)); }
LEAT_MAP(numbers_of, token, stream, t, leat_view, s) {
  int n = number_and_drop(t);
  return with_drop(leat_map(s, leat_numbers(s, int, n, n + 1), token_of));
}
LEAT_MAP(repeat_of, token, stream, t, leat_view, s) { return leat_first(s, with_drop(leat_map(s, leat_repeat(s, int, number_and_drop(t)), token_of))); }
LEAT_MAP(repeat_fn_of, token, stream, t, leat_view, s) { return leat_first(s, with_drop(leat_repeat_fn(s, token_like, number_and_drop(t)))); }
LEAT_MAP(line_of, token, stream, t, leat_view, s) {
  number_and_drop(t);
  return with_drop(leat_map(s, leat_first(s, leat_lines(s, "/proc/self/stat")), token_of_line));
}
STAGE(values, with_drop(leat_bridge(s, leat_map(s, in, values_of, s))))
STAGE(array, with_drop(leat_bridge(s, leat_map(s, in, array_of, s))))
STAGE(numbers, with_drop(leat_bridge(s, leat_map(s, in, numbers_of, s))))
STAGE(repeat, with_drop(leat_bridge(s, leat_map(s, in, repeat_of, s))))
STAGE(repeat_fn, with_drop(leat_bridge(s, leat_map(s, in, repeat_fn_of, s))))
STAGE(lines, with_drop(leat_bridge(s, leat_map(s, in, line_of, s))))
static stream lines_of_stage(leat_view s, stream in) {
  static int nothing = -1;
  if (nothing < 0) nothing = open("/dev/null", O_RDONLY);
  return leat_merge(s, in, with_drop(leat_map(s, leat_lines_of(s, nothing), token_of_line)));
}
LEAT_FOLD(latest, token, acc, token, t) { return (void)acc, t; } /* what was given before is not ours any more */
STAGE(scan, with_drop(leat_scan(s, in, (token){NULL}, latest)))
STAGE(distinct_items, leat_distinct(s, in, 3))
LEAT_MAP(plain_number, token, int, t) { return number_and_drop(t); }
static stream tee_of_plain_items_stage(leat_view s, stream in) {
  leat_rx(int) outs[2];
  CHECK_EQ(leat_tee(s, leat_map(s, in, plain_number), outs, 2), LEAT_OK);
  leat_stop(outs[1]);
  return with_drop(leat_map(s, outs[0], token_of));
}
STAGE(fan_out, with_drop(leat_fan_out(s, in, 3, seen)))
STAGE(parallel_map, with_drop(leat_parallel_map(s, in, 3, 4, renewed)))
STAGE(parallel_map_in_batches, with_drop(leat_parallel_map(s, in, 2, 8, renewed)))
STAGE(batch, with_drop(leat_flat_map(s, leat_batch(s, in, token, 3, LEAT_NEVER), items_of)))
STAGE(batch_by_time, with_drop(leat_flat_map(s, leat_batch(s, in, token, 3, 1), items_of)))
STAGE(windows, with_drop(leat_flat_map(s, leat_windows(s, in, token, 2, 2), items_of)))
STAGE(sampled_windows, with_drop(leat_flat_map(s, leat_windows(s, in, token, 2, 3), items_of)))
STAGE(sort_window, leat_sort_window(s, in, 2, compare))
STAGE(reorder, leat_reorder(s, in, 0, 2, number_of))
STAGE(reorder_late, leat_reorder(s, in, 3, 2, number_of))
STAGE(debounce, leat_debounce(s, in, 0))
STAGE(debounce_long, leat_debounce(s, in, LEAT_SECONDS(1000)))
STAGE(throttle, leat_throttle(s, in, 0))
STAGE(throttle_long, leat_throttle(s, in, LEAT_SECONDS(1000)))
STAGE(sample, leat_sample(s, in, 1000))
STAGE(last_by, leat_last_by(s, in, 2, LEAT_NEVER, rest_of, 5))
STAGE(last_by_time, leat_last_by(s, in, 100, LEAT_US(20), rest_of, 5))
STAGE(queue, leat_queue(s, in, ((leat_queue_options){.room = 2})))
STAGE(queue_newest, leat_queue(s, in, ((leat_queue_options){.room = 2, .full = LEAT_QUEUE_DROP_NEWEST})))
STAGE(queue_oldest, leat_queue(s, in, ((leat_queue_options){.room = 2, .full = LEAT_QUEUE_DROP_OLDEST, .max_age = LEAT_US(20)})))
static leat_limiter quick = LEAT_LIMITER({.n = 1, .per = 100, .burst = 2});
STAGE(limited, leat_limited(s, in, &quick))
STAGE(own, with_drop(leat_stage(s, in, own)))
static stream own_of_two_inputs_stage(leat_view s, stream in) {
  stream outs[2];
  CHECK_EQ(leat_tee_with(s, in, outs, 2, copy), LEAT_OK);
  return with_drop(leat_stage(s, outs[0], second_dropped, leat_buffer(s, outs[1], 2)));
}
STAGE(pipeline, with_drop(pipeline(s, in, 4)))
static stream piped_stage(leat_view s, stream in) {
  leat_pipe(token, token) p = leat_compose(s, token, leat_pipe_of(s, odd), leat_pipe_of(s, odd));
  return leat_through(s, in, p);
}

static const struct {
  const char *name;
  stream (*make)(leat_view s, stream in);
} all[] = {
#define ENTRY(name) {#name, name##_stage}
  ENTRY(values), ENTRY(array), ENTRY(numbers), ENTRY(repeat), ENTRY(repeat_fn), ENTRY(lines), ENTRY(lines_of), ENTRY(scan), ENTRY(distinct_items), ENTRY(tee_of_plain_items),
  ENTRY(map), ENTRY(effect), ENTRY(effects), ENTRY(filter), ENTRY(take), ENTRY(take_while), ENTRY(skip), ENTRY(skip_while), ENTRY(first), ENTRY(last), ENTRY(buffer), ENTRY(fused), ENTRY(distinct),
  ENTRY(flat_map), ENTRY(enumerate), ENTRY(results), ENTRY(merge), ENTRY(tee), ENTRY(tee_of_which_one_is_read), ENTRY(zip), ENTRY(split), ENTRY(partition), ENTRY(bridge), ENTRY(or_done), ENTRY(or_done_by_a_stage),
  ENTRY(or_done_that_ends), ENTRY(fan_out), ENTRY(parallel_map), ENTRY(parallel_map_in_batches), ENTRY(batch), ENTRY(batch_by_time), ENTRY(windows), ENTRY(sampled_windows), ENTRY(sort_window), ENTRY(reorder), ENTRY(reorder_late),
  ENTRY(debounce), ENTRY(debounce_long), ENTRY(throttle), ENTRY(throttle_long), ENTRY(sample), ENTRY(last_by), ENTRY(last_by_time), ENTRY(queue), ENTRY(queue_newest), ENTRY(queue_oldest), ENTRY(limited), ENTRY(own), ENTRY(own_of_two_inputs), ENTRY(pipeline), ENTRY(piped),
};
enum { STAGES = sizeof all / sizeof *all, ITEMS = 9 };

/* Reads up to n items; how many there were. */
static int read_items(stream out, int n) {
  token t;
  int got = 0;
  while (got < n && leat_recv(out, &t) == LEAT_OK) {
    CHECK(*t.cell >= 0);
    drop_token(&t);
    got++;
  }
  return got;
}
static size_t goroutines(void) {
  leat_metrics m;
  leat_metrics_read(&m);
  return m.started - m.ended;
}
static void check_nothing_is_left(size_t goroutines_before, const char *stage, const char *what) {
  if (alive != 0 || goroutines() != goroutines_before) fprintf(stderr, "%s: %d items, %zu goroutines left (%s)\n", stage, (int)alive, goroutines() - goroutines_before, what);
  CHECK_EQ(alive, 0);
  CHECK_EQ(goroutines(), goroutines_before);
}

TEST_GO(read_to_the_end) {
  for (int i = 0; i < STAGES; i++)
    for (int way = 0; way < 3; way++)
      for (int n = 0; n <= ITEMS; n += 3) {
        struct source source = {.n = n};
        size_t before = goroutines();
        {
          leat_scope(s);
          int got = read_items(all[i].make(s, from(s, &source, way)), INT32_MAX);
          CHECK(got <= 3 * n);
          CHECK_EQ(leat_wait(s), LEAT_OK);
        }
        check_nothing_is_left(before, all[i].name, "read to the end");
      }
}
TEST_GO(the_consumer_goes_away) {
  for (int i = 0; i < STAGES; i++)
    for (int way = 0; way < 3; way++)
      for (int read = 0; read < ITEMS; read++) {
        struct source source = {.n = 2 * ITEMS};
        size_t before = goroutines();
        {
          leat_scope(s);
          read_items(all[i].make(s, from(s, &source, way)), read);
          CHECK_EQ(leat_wait(s), LEAT_OK);
        }
        check_nothing_is_left(before, all[i].name, "consumer gone");
      }
}
TEST_GO(the_consumer_of_a_silent_source_goes_away) {
  for (int i = 0; i < STAGES; i++)
    for (int n = 0; n < ITEMS; n += 2) {
      struct source source = {.how = FALLS_SILENT, .n = n};
      size_t before = goroutines();
      {
        leat_scope(s);
        stream out = all[i].make(s, from(s, &source, 1));
        token t;
        while (leat_recv_until(out, leat_now() + LEAT_US(200), &t) == LEAT_OK) drop_token(&t);
        CHECK_EQ(leat_wait(s), LEAT_OK);
      }
      check_nothing_is_left(before, all[i].name, "consumer gone, source silent");
    }
}
LEAT_FN(read_and_drop, stream, in, int, n) { read_items(in, n); }
TEST_GO(cancelled_anywhere) {
  int most = (int)test_scale(40) + 10;
  for (int i = 0; i < STAGES; i++)
    for (int way = 0; way < 3; way++)
      for (int steps = 0; steps < most; steps++) {
        struct source source = {.n = 1 << 20};
        size_t before = goroutines();
        {
          leat_scope(s);
          stream out = all[i].make(s, from(s, &source, way));
          leat_go(s, read_and_drop, out, INT32_MAX);
          for (int k = 0; k < steps; k++) leat_yield();
          leat_cancel(s);
          CHECK_EQ(leat_wait(s), LEAT_CANCELED);
        }
        check_nothing_is_left(before, all[i].name, "cancelled");
      }
}
TEST_GO(cancelled_after_each_item) {
  for (int i = 0; i < STAGES; i++)
    for (int way = 0; way < 3; way++)
      for (int read = 0; read < ITEMS; read++) {
        struct source source = {.n = 2 * ITEMS};
        size_t before = goroutines();
        {
          leat_scope(s);
          stream out = all[i].make(s, from(s, &source, way));
          read_items(out, read);
          leat_cancel(s);
          token t;
          CHECK_EQ(leat_recv(out, &t), LEAT_CANCELED);
        }
        check_nothing_is_left(before, all[i].name, "cancelled after an item");
      }
}
TEST_GO(the_producer_fails) {
  leat_set_log(NULL, NULL);
  for (int i = 0; i < STAGES; i++)
    for (int way = 0; way < 3; way++)
      for (int n = 0; n < ITEMS; n++) {
        struct source source = {.how = FAILS, .n = n};
        size_t before = goroutines();
        {
          leat_scope(s);
          read_items(all[i].make(s, from(s, &source, way)), INT32_MAX);
          int status = leat_wait(s);
          bool as_planned = status == LEAT_FAILED || (status == LEAT_OK && source.next < n + 1); /* fails, unless the stage had enough before */
          if (!as_planned) fprintf(stderr, "%s: %s after %d of %d, input %d\n", all[i].name, leat_status_text(status), source.next, n, way);
          CHECK(as_planned);
        }
        check_nothing_is_left(before, all[i].name, "producer failed");
      }
}
TEST_GO(never_read) {
  for (int i = 0; i < STAGES; i++)
    for (int way = 0; way < 3; way++) {
      struct source source = {.n = ITEMS};
      size_t before = goroutines();
      {
        leat_scope(s);
        all[i].make(s, from(s, &source, way));
        CHECK_EQ(leat_wait(s), LEAT_OK);
      }
      check_nothing_is_left(before, all[i].name, "never read");
      {
        leat_scope(s);
        source.next = 0;
        all[i].make(s, from(s, &source, way));
      }
      check_nothing_is_left(before, all[i].name, "never read, not waited for");
    }
}
TEST_GO(one_behind_the_other) {
  for (int i = 0; i < STAGES; i++)
    for (int j = 0; j < STAGES; j++) {
      struct source source = {.n = ITEMS};
      size_t before = goroutines();
      {
        leat_scope(s);
        read_items(all[j].make(s, all[i].make(s, from(s, &source, 0))), (i + j) % ITEMS);
        CHECK_EQ(leat_wait(s), LEAT_OK);
      }
      check_nothing_is_left(before, all[j].name, all[i].name);
    }
}

/* Ends. */

LEAT_FOLD(sum_of, long, acc, token, t) { return acc + number_and_drop(t); }
LEAT_MAP(key_of, token, int, t) { return *t.cell % 5; }
LEAT_SINK(consume, token, t) { drop_token(&t); }
static int fold_end(stream in) {
  long sum = 0;
  return leat_fold(in, &sum, sum_of);
}
static int count_end(stream in) {
  int64_t n;
  return leat_count(in, &n);
}
static int collect_end(stream in) {
  token *items;
  size_t n;
  int status = leat_collect(in, &items, &n);
  for (size_t i = 0; i < n; i++) drop_token(&items[i]);
  free(items);
  return status;
}
static int collect_results_end(stream in) {
  token *items;
  size_t n;
  leat_error *e;
  leat_rx(leat_result(token)) results = leat_map(leat_current_scope(), in, as_result);
  leat_on_drop(results, drop_result);
  int status = leat_collect_results(results, &items, &n, 1, &e);
  for (size_t i = 0; i < n; i++) drop_token(&items[i]);
  free(items);
  leat_error_release(e);
  return status;
}
static int collect_table_end(stream in) {
  leat_table(int, token) table = {0};
  int status = leat_collect_table(in, &table, key_of);
  int *key;
  token *t;
  for (size_t i = 0; leat_table_next(&table, &i, &key, &t);) drop_token(t);
  leat_table_free(&table);
  return status;
}
static int fold_table_end(stream in) {
  leat_table(int, long) table = {0};
  int status = leat_fold_table(in, &table, key_of, sum_of);
  leat_table_free(&table);
  return status;
}
static int for_each_end(stream in) { return leat_for_each(leat_current_scope(), in, consume); }

static const struct {
  const char *name;
  int (*run)(stream in);
} ends[] = {
#define END(name) {#name, name##_end}
  END(fold), END(count), END(collect), END(collect_results), END(collect_table), END(fold_table), END(for_each),
};
enum { ENDS_OF_STREAMS = sizeof ends / sizeof *ends };
TEST_GO(ends_at_the_end_of_the_stream) {
  for (int i = 0; i < ENDS_OF_STREAMS; i++)
    for (int way = 0; way < 3; way++)
      for (int n = 0; n <= ITEMS; n++) {
        struct source source = {.n = n};
        size_t before = goroutines();
        {
          leat_scope(s);
          CHECK_EQ(ends[i].run(from(s, &source, way)), LEAT_OK);
          CHECK_EQ(leat_wait(s), LEAT_OK);
        }
        check_nothing_is_left(before, ends[i].name, "to the end");
      }
}
LEAT_FN_ERR(run_end, int, i, stream, in) {
  int status = ends[i].run(in);
  return status == LEAT_CANCELED ? LEAT_OK : status;
}
TEST_GO(ends_whose_producer_fails) {
  leat_set_log(NULL, NULL);
  for (int i = 0; i < ENDS_OF_STREAMS; i++)
    for (int way = 0; way < 3; way++)
      for (int n = 0; n <= ITEMS; n++) {
        struct source source = {.how = FAILS, .n = n};
        size_t before = goroutines();
        {
          leat_scope(s);
          leat_go(s, run_end, i, from(s, &source, way));
          CHECK_EQ(leat_wait(s), LEAT_FAILED);
        }
        check_nothing_is_left(before, ends[i].name, "producer failed");
      }
}
TEST_GO(ends_cancelled_anywhere) {
  int most = (int)test_scale(40) + 10;
  for (int i = 0; i < ENDS_OF_STREAMS; i++)
    for (int way = 0; way < 4; way++)
      for (int steps = 0; steps < most; steps++) {
        struct source source = {.how = way == 3 ? FALLS_SILENT : ENDS, .n = way == 3 ? steps % ITEMS : 1 << 20};
        size_t before = goroutines();
        {
          leat_scope(s);
          leat_go(s, run_end, i, from(s, &source, way % 3));
          for (int k = 0; k < steps; k++) leat_yield();
          leat_cancel(s);
          CHECK_EQ(leat_wait(s), LEAT_CANCELED);
        }
        check_nothing_is_left(before, ends[i].name, "cancelled");
      }
}
