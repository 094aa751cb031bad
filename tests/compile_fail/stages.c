/* Misuses of the vocabulary of stages: a wrong element type anywhere in a chain does not compile, and the message names the stage. Each line
 * `//BAD text | statement` must not compile, and the compiler must say `text`; see tests/suites/compile_fail. The rest of the file is right. */
#include <leat/leat.h>
#include <stdlib.h>

typedef struct { int x, y; } point;
typedef const char *text;
__extension__ typedef struct {} nothing;
LEAT_RESULT_DEFINE(int);
LEAT_RESULT_DEFINE(double);
LEAT_SLICE_DEFINE(int);
LEAT_INDEXED_DEFINE(int);
typedef leat_table(int, int) ints_by_int;
typedef leat_table(text, int) ints_by_text;
typedef leat_table(int, long) longs_by_int;

LEAT_MAP(half, int, double, n) { return n / 2.0; }
LEAT_MAP(narrowed, long, int, n) { return (int)n; }
LEAT_MAP(times, int, int, n, int, by) { return n * by; }
LEAT_MAP(from_point, int, int, n, point, p) { return n + p.x; }
LEAT_MAP(square, double, double, x) { return x * x; }
LEAT_FILTER(even, int, n) { return n % 2 == 0; }
LEAT_FOLD(sum, long, acc, int, n) { return acc + n; }
LEAT_FOLD(mean, double, acc, double, n) { return (acc + n) / 2; }
LEAT_SINK(forget, int, n) { (void)n; }
LEAT_SOURCE(five, int) { return 5; }
LEAT_GENERATOR(forever, int, item, int, n) { return *item = n, LEAT_OK; }
LEAT_FLAT_MAP(twice, int, double, n, out) {
  leat_emit(out, n);
  leat_emit(out, n / 2.0);
  //BAD leat_emit: the value does not have | leat_emit(out, "text");
}
LEAT_MAP_RESULT(checked, int, double, n) { return leat_ok(double, n); }
LEAT_MAP(key, int, int, n) { return n % 10; }
LEAT_MAP(number, int, int64_t, n) { return n; }
LEAT_ZIP(with, int, a, double, b, double) { return a + b; }
LEAT_PIPELINE(multiply, int, int, s, in, int, by) { return leat_map(s, in, times, by); }
LEAT_STAGE(pass, int, int, in, out) {
  int n, status;
  while (!(status = leat_recv(in, &n)) && !(status = leat_send(out, n))) {}
  //BAD leat_recv: needs | leat_recv(out, &n);
  //BAD leat_send: needs | leat_send(in, n);
  return status;
}
static int compare(const int *a, const int *b) { return *a - *b; }
static int compare_doubles(const double *a, const double *b) { return *a < *b; }
static void copy(int *to, const int *from) { *to = *from; }
static void copy_double(double *to, const double *from) { *to = *from; }

void stages(leat_view s, leat_rx(int) ints, leat_rx(double) doubles, leat_rx(leat_result(int)) results, leat_rx(leat_rx(int)) streams, leat_rx(leat_any) anys, leat_tx(int) tx);
void stages(leat_view s, leat_rx(int) ints, leat_rx(double) doubles, leat_rx(leat_result(int)) results, leat_rx(leat_rx(int)) streams, leat_rx(leat_any) anys, leat_tx(int) tx) {
  /* A chain of many, right as it stands. */
  leat_rx(double) chain = leat_map(s, leat_map(s, leat_distinct(s, leat_scan(s, leat_skip(s, leat_take_while(s, leat_buffer(s, ints, 5), even), 1), 0, sum), 10), narrowed), half);
  //BAD leat_map: the stage function does not take the element type of this channel: square | leat_map(s, leat_take(s, leat_filter(s, ints, even), 3), square);
  //BAD leat_filter: the stage function does not take the element type of this channel: even | leat_map(s, leat_filter(s, leat_map(s, ints, half), even), half);
  //BAD leat_map: argument 1 does not have | leat_map(s, ints, times, "2");
  //BAD leat_map: argument 1 does not have | leat_map(s, ints, from_point, 2);
  //BAD leat_map: the function takes another number of arguments | leat_map(s, ints, times);
  //BAD leat_map: the function takes another number of arguments | leat_map(s, ints, half, 1);
  //BAD leat_take_while: the stage function does not answer bool | leat_take_while(s, ints, key);
  //BAD leat_take: the items are empty | leat_take(s, (leat_rx(nothing))NULL, 1);
  //BAD leat_skip: needs | leat_skip(s, tx, 1);
  //BAD leat_skip: an argument does not have the type int64_t | leat_skip(s, ints, "1");
  //BAD leat_skip_while: the stage function does not take | leat_skip_while(s, doubles, even);
  //BAD leat_skip_while: the stage function does not answer bool | leat_skip_while(s, ints, key);
  //BAD leat_first: needs | leat_first(s, tx);
  //BAD leat_first: the first argument | leat_first(ints, ints);
  //BAD leat_last: needs | leat_last(s, tx);
  //BAD leat_last: the first argument | leat_last(doubles, ints);
  //BAD leat_buffer: needs | leat_buffer(s, tx, 1);
  //BAD leat_buffer: an argument does not have the type size_t | leat_buffer(s, ints, doubles);
  //BAD leat_distinct: needs | leat_distinct(s, tx, 5);
  //BAD leat_scan: the stage function does not take | leat_scan(s, doubles, 0, sum);
  //BAD leat_scan: the initial value | leat_scan(s, ints, "0", sum);
  //BAD leat_distinct_by: the stage function does not take | leat_distinct_by(s, doubles, 5, key);
  //BAD leat_last_by: the stage function does not take | leat_last_by(s, doubles, 5, LEAT_NEVER, key);
  //BAD leat_last_by: needs | leat_last_by(s, tx, 5, LEAT_NEVER, key);
  leat_rx(leat_indexed(int)) numbered = leat_enumerate(s, ints, int);
  //BAD leat_enumerate: the type named | leat_enumerate(s, doubles, int);
  leat_rx(double) flat = leat_flat_map(s, ints, twice);
  //BAD leat_flat_map: the stage function does not take | leat_flat_map(s, doubles, twice);
  //BAD as_flat | leat_flat_map(s, ints, half);
  leat_rx(leat_result(double)) mapped = leat_map_result(s, results, checked);
  //BAD leat_map_result: the stage function does not take | leat_map_result(s, ints, checked);

  /* Sources. */
  leat_rx(int) values = leat_values(s, int, 1, 2, 'c'), repeated = leat_repeat_fn(s, five), generated = leat_generate(s, forever, 3), from_array = leat_array(s, ((const int[]){1, 2}), 2);
  //BAD leat_values: a value does not have | leat_values(s, int, 1, "2");
  //BAD leat_values: a value does not have | leat_values(s, point, 1);
  //BAD leat_repeat: the element type is an array | leat_repeat(s, int[2], 1);
  //BAD leat_repeat: the first argument | leat_repeat(ints, int, 1);
  //BAD leat_numbers: not an integer type | leat_numbers(s, double, 1, 2);
  //BAD leat_numbers: not an integer type | leat_numbers(s, __int128, 1, 2);
  //BAD leat_repeat_fn: the function takes another number | leat_repeat_fn(s, five, 1);
  //BAD leat_array: the first argument | leat_array(ints, items, 2);
  //BAD leat_array: the second argument | leat_array(s, ints, 2);
  //BAD leat_filled: the first argument | leat_filled(ints, items, 2);
  //BAD leat_filled: the second argument | leat_filled(s, ints, 2);
  //BAD leat_lines: the first argument | leat_lines(ints, "path");
  //BAD leat_lines: an argument does not have the type const char * | leat_lines(s, 5);
  //BAD leat_lines_of: an argument does not have the type int | leat_lines_of(s, "path");
  //BAD leat_generate: argument 1 | leat_generate(s, forever, "3");

  /* Several. */
  leat_rx(int) outs[2], yes, no, merged = leat_merge(s, ints, values);
  leat_rx(double) wrong_outs[2], zipped = leat_zip(s, ints, doubles, with);
  (void)leat_tee(s, ints, outs, 2), (void)leat_tee_with(s, ints, outs, 2, copy), (void)leat_split(s, ints, outs, 2, key), (void)leat_partition(s, ints, &yes, &no, even);
  //BAD leat_merge: the inputs do not have the same | leat_merge(s, ints, doubles);
  //BAD leat_merge: needs | leat_merge(s, ints, tx);
  //BAD leat_merge_array: the second argument | leat_merge_array(s, &tx, 1);
  //BAD leat_zip: the stage function does not take | leat_zip(s, doubles, ints, with);
  //BAD leat_zip: the stage function does not take the element type of the second | leat_zip(s, ints, ints, with);
  //BAD leat_tee: the outputs are not | leat_tee(s, ints, wrong_outs, 2);
  //BAD leat_tee_with: the outputs are not | leat_tee_with(s, ints, wrong_outs, 2, copy);
  //BAD leat_tee_with: the last argument is not | leat_tee_with(s, ints, outs, 2, copy_double);
  //BAD leat_split: the outputs are not | leat_split(s, ints, wrong_outs, 2, key);
  //BAD leat_split: the stage function does not take | leat_split(s, doubles, wrong_outs, 2, key);
  //BAD leat_partition: the outputs are not | leat_partition(s, ints, wrong_outs, &no, even);
  //BAD leat_partition: the outputs are not | leat_partition(s, ints, &yes, wrong_outs, even);
  //BAD leat_partition: the stage function does not take | leat_partition(s, doubles, wrong_outs, wrong_outs, even);
  //BAD leat_split: the stage function does not answer int | leat_split(s, ints, outs, 2, half);
  //BAD leat_partition: the stage function does not answer bool | leat_partition(s, ints, &yes, &no, key);
  leat_rx(int) bridged = leat_bridge(s, streams), until = leat_or_done(s, ints, doubles);
  //BAD leat_bridge | leat_bridge(s, ints);
  //BAD leat_or_done: needs | leat_or_done(s, ints, tx);
  leat_rx(double) fanned = leat_fan_out(s, ints, 4, half), parallel = leat_parallel_map(s, ints, 4, 8, half);
  //BAD leat_fan_out: the stage function does not take | leat_fan_out(s, doubles, 4, half);
  //BAD leat_parallel_map: the stage function does not take | leat_parallel_map(s, doubles, 4, 8, half);
  //BAD leat_parallel_map: the stage function has no result | leat_parallel_map(s, ints, 4, 8, forget);

  /* Windows and time. */
  leat_rx(leat_slice(int)) batches = leat_batch(s, ints, int, 10, LEAT_NEVER), windows = leat_windows(s, ints, int, 10, 1);
  leat_rx(int) sorted = leat_sort_window(s, ints, 5, compare), ordered = leat_reorder(s, ints, 0, 5, number), slow = leat_debounce(s, ints, 5);
  //BAD leat_batch: the type named | leat_batch(s, doubles, int, 10, LEAT_NEVER);
  //BAD leat_batch: needs | leat_batch(s, tx, int, 10, LEAT_NEVER);
  //BAD leat_windows: the type named | leat_windows(s, doubles, int, 10, 1);
  //BAD leat_reorder: the stage function does not take | leat_reorder(s, doubles, 0, 5, number);
  //BAD leat_debounce: needs | leat_debounce(s, tx, 5);
  //BAD leat_debounce: an argument does not have the type int64_t | leat_debounce(s, ints, "a while");
  //BAD leat_sample: needs | leat_sample(s, tx, 5);
  //BAD leat_sample: the first argument | leat_sample(ints, ints, 5);
  //BAD leat_sort_window: not an int function | leat_sort_window(s, ints, 5, compare_doubles);
  //BAD leat_reorder: the stage function does not answer int64_t | leat_reorder(s, ints, 0, 5, key);
  //BAD leat_throttle: needs | leat_throttle(s, tx, 5);

  /* Ends. */
  long total = 0;
  int *items;
  double *wrong_items;
  size_t n;
  int64_t count;
  leat_error *e;
  ints_by_int table = {0};
  ints_by_text texts = {0};
  longs_by_int longs = {0};
  (void)leat_fold(ints, &total, sum), (void)leat_collect(ints, &items, &n), (void)leat_count(ints, &count), (void)leat_collect_results(results, &items, &n, 1, &e), (void)leat_collect_table(ints, &table, key);
  (void)leat_fold_table(ints, &longs, key, sum);
  //BAD leat_fold: the stage function does not take | leat_fold(doubles, &total, sum);
  //BAD leat_fold: what accumulates | leat_fold(ints, &n, sum);
  //BAD leat_collect: the second argument | leat_collect(ints, &wrong_items, &n);
  //BAD leat_collect_results: the second argument | leat_collect_results(results, &wrong_items, &n, 1, &e);
  //BAD leat_collect: an argument does not have the type size_t * | leat_collect(ints, &items, &count);
  //BAD leat_collect_results: an argument does not have the type leat_error ** | leat_collect_results(results, &items, &n, 1, &n);
  //BAD leat_count: needs | leat_count(tx, &count);
  //BAD leat_count: an argument does not have the type int64_t * | leat_count(ints, items);
  //BAD leat_collect_table: the key | leat_collect_table(ints, &texts, key);
  //BAD leat_collect_table: the stage function does not take | leat_collect_table(doubles, &table, key);
  //BAD leat_collect_table: the table | leat_collect_table(ints, &longs, key);
  //BAD leat_fold_table: what accumulates | leat_fold_table(ints, &table, key, sum);
  //BAD leat_fold_table: the stage function does not take | leat_fold_table(doubles, &longs, key, sum);
  //BAD leat_fold_table: the key | leat_fold_table(ints, &texts, key, sum);
  //BAD leat_for_each: the stage function does not take | leat_for_each(s, doubles, forget);
  //BAD leat_table_at: the key does not have | leat_table_at(&table, "a");
  //BAD leat_for_each: the function takes another number | leat_for_each(s, leat_buffer(s, ints, 1), forget, 1);

  /* Values. */
  leat_pipe(int, int) p = leat_pipe_of(s, multiply, 2), q = leat_pipe_of(s, pass);
  leat_pipe(int, double) r = leat_compose(s, int, p, leat_pipe_of(s, half));
  leat_rx(double) through = leat_through(s, leat_stage(s, multiply(s, ints, 2), pass), r);
  //BAD leat_through: the pipe does not take | leat_through(s, doubles, p);
  //BAD leat_compose: the second pipe does not take | leat_compose(s, int, r, q);
  //BAD leat_compose: the first pipe does not take | leat_compose(s, double, p, q);
  //BAD leat_pipe_of: argument 1 | leat_pipe_of(s, multiply, "2");
  //BAD leat_stage: the stage function does not take | leat_stage(s, doubles, pass);
  leat_any any = leat_any_of(int, 5);
  //BAD leat_any_of: the value does not have | leat_any_of(int, "5");
  //BAD leat_any_of: the value is larger | leat_any_of(struct { char c[30]; }, 5);

  (void)tx, (void)anys, (void)chain, (void)numbered, (void)flat, (void)mapped, (void)repeated, (void)generated, (void)from_array, (void)merged, (void)zipped, (void)wrong_outs, (void)bridged, (void)until;
  (void)fanned, (void)parallel, (void)batches, (void)windows, (void)sorted, (void)ordered, (void)slow, (void)wrong_items, (void)texts, (void)q, (void)through, (void)any, (void)compare_doubles, (void)copy_double, (void)longs;
}
