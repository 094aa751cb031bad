/* Runs: a chain is one goroutine without channels between; and nothing but speed tells it from one that is not. */
#include "wait.h"

typedef leat_rx(int) int_rx;

static atomic_int calls, producers_ended;

LEAT_MAP(add, int, int, n, int, k) { return n + k; }
LEAT_FILTER(not_divisible, int, n, int, by) { return n % by != 0; }
LEAT_EFFECT(add_seen, int, int, n, int, k) {
  calls++;
  return n + k;
}
LEAT_SOURCE(next_number, int) { return calls++; }
LEAT_FOLD(sum, long, acc, int, x) { return acc + x; }
LEAT_SINK(forget, int, n) { (void)n; }
LEAT_FN(produce, leat_tx(int), out, int, n) {
  for (int i = 0; n < 0 || i < n; i++)
    if (leat_send(out, i)) break;
  if (n >= 0) leat_close(out);
  producers_ended++;
}

/* One goroutine. */

TEST_GO(a_chain_is_one_goroutine) {
  leat_scope(s);
  int_rx out = leat_numbers(s, int, 0, 1 << 30);
  for (int i = 0; i < 50; i++) out = i % 10 ? leat_map(s, out, add, 1) : leat_filter(s, out, not_divisible, 7);
  CHECK_EQ(leat_scope_goroutines(s), 0); /* nobody has asked yet */
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), 1);
  leat_stop(out);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(effects_are_one_each_and_a_buffer_separates) {
  leat_scope(s);
  int_rx out = leat_map(s, leat_map(s, leat_map(s, leat_repeat_fn(s, next_number), add, 1), add_seen, 1), add, 1);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK_EQ(v, 3);
  CHECK_EQ(leat_scope_goroutines(s), 2);
  int_rx more = leat_map(s, leat_buffer(s, leat_map(s, leat_numbers(s, int, 0, 1 << 30), add, 1), 3), add, 1);
  CHECK_EQ(leat_recv(more, &v), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), 4);
  leat_stop(out);
  leat_stop(more);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(each_way_of_receiving_starts_it) {
  for (int way = 0; way < 7; way++) {
    leat_scope(s);
    int_rx out = leat_map(s, leat_numbers(s, int, 1, 3), add, 1);
    int v = 0;
    size_t n;
    switch (way) {
    case 0: CHECK_EQ(leat_recv(out, &v), LEAT_OK); break;
    case 1:
      CHECK_EQ(leat_try_recv(out, &v), LEAT_EMPTY);
      UNTIL(leat_try_recv(out, &v) == LEAT_OK);
      break;
    case 2: CHECK_EQ(leat_recv_n(out, &v, 1, &n), LEAT_OK); break;
    case 3: CHECK_EQ(leat_select(leat_on_recv(out, &v)), 0); break;
    case 4: UNTIL(leat_select(leat_on_recv(out, &v), leat_default) == 0); break;
    case 5:
      CHECK(leat_chan_fd(out) >= 0);
      CHECK_EQ(leat_io_wait_read(leat_chan_fd(out), LEAT_NEVER), LEAT_OK);
      CHECK_EQ(leat_try_recv(out, &v), LEAT_OK);
      break;
    case 6:
      CHECK_EQ(leat_discard(out), LEAT_OK);
      v = 2;
    }
    CHECK_EQ(v, 2);
    CHECK_EQ(leat_recv(out, &v), LEAT_OK);
    CHECK_EQ(v, 3);
    CHECK_EQ(leat_recv(out, &v), LEAT_CLOSED);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* Fused or not: the same values, in the same order. Unfused: each output is shared. */

static int_rx unfused(int_rx out) {
  leat_share(out);
  return out;
}
TEST_GO(fused_and_unfused_give_the_same) {
  for (int n = 0; n < 3000; n = 3 * n + 1) {
    leat_scope(s);
    int_rx a = leat_take(s, leat_map(s, leat_filter(s, leat_skip(s, leat_numbers(s, int, 0, 1 << 30), 5), not_divisible, 3), add, 7), n);
    int_rx b = unfused(leat_take(s, unfused(leat_map(s, unfused(leat_filter(s, unfused(leat_skip(s, unfused(leat_numbers(s, int, 0, 1 << 30)), 5)), not_divisible, 3)), add, 7)), n));
    int_rx c = leat_chan_make(s, int, 0) ? leat_take(s, leat_map(s, leat_filter(s, leat_skip(s, leat_repeat_fn(s, next_number), 5), not_divisible, 3), add, 7), n) : NULL;
    calls = 0;
    int got = 0, w, x;
    leat_range(int, v, a) {
      CHECK_EQ(leat_recv(b, &w), LEAT_OK);
      CHECK_EQ(leat_recv(c, &x), LEAT_OK);
      CHECK_EQ(v, w);
      CHECK_EQ(v, x);
      got++;
    }
    CHECK_EQ(got, n);
    CHECK_EQ(leat_recv(b, &w), LEAT_CLOSED);
    CHECK_EQ(leat_recv(c, &w), LEAT_CLOSED);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* Chains at random. */
LEAT_INDEXED_DEFINE(int);
LEAT_SLICE_DEFINE(int);
LEAT_MAP(index_added, leat_indexed(int), int, i) { return i.value + (int)i.index; }
LEAT_FILTER(is_below, int, n, int, limit) { return n < limit; }
LEAT_FOLD(sum_up_to, int, acc, int, n, int, limit) { return (acc + n) % limit; }
LEAT_MAP(rest_of, int, int, n, int, by) { return n % by; }
LEAT_EFFECT(doubled, int, int, n) { return 2 * n; }
LEAT_FLAT_MAP(counted_down, int, int, n, out) {
  for (int i = n % 50; i > 0; i--) leat_emit(out, i);
}
LEAT_FLAT_MAP(items_of, leat_slice(int), int, slice, out) {
  for (size_t i = 0; i < slice.n; i++) leat_emit(out, slice.items[i]);
  leat_slice_free(&slice);
}
LEAT_STAGE(sums_of_two, int, int, in, out) {
  int a, b, status;
  while (!(status = leat_recv(in, &a)) && !(status = leat_recv(in, &b)))
    if ((status = leat_send(out, a + b))) break;
  return status;
}
static int_rx stage_at_random(leat_view s, int_rx in, unsigned *seed) {
  int kind = rand_r(seed) % 18, n = rand_r(seed) % (rand_r(seed) % 4 ? 10 : 300) + 1;
  switch (kind) {
  case 0: return leat_map(s, in, add, n);
  case 1: return leat_map(s, in, doubled);
  case 2: return leat_filter(s, in, not_divisible, n + 1);
  case 3: return leat_take(s, in, 10 * n);
  case 4: return leat_skip(s, in, n);
  case 5: return leat_take_while(s, in, is_below, 100 * n);
  case 6: return leat_skip_while(s, in, is_below, n);
  case 7: return leat_last(s, in);
  case 8: return leat_buffer(s, in, (size_t)n);
  case 9: return leat_scan(s, in, n, sum_up_to, 1000);
  case 10: return leat_map(s, leat_enumerate(s, in, int), index_added);
  case 11: return leat_distinct(s, in, (size_t)n);
  case 12: return leat_distinct_by(s, in, (size_t)n, rest_of, 2 * n);
  case 13: return leat_parallel_map(s, in, 2, (size_t)n, add, 1);
  case 14: return leat_flat_map(s, leat_windows(s, in, int, (size_t)n + 1, (size_t)n / 2 + 1), items_of);
  case 15: return leat_stage(s, in, sums_of_two);
  default: return leat_flat_map(s, in, counted_down);
  }
}
TEST_GO(chains_at_random) {
  enum { MOST = 5000 };
  static int values[MOST];
  int64_t rounds = test_scale(500) + 20;
  for (unsigned round = 1; round <= rounds; round++) {
    int got[2] = {0};
    for (int shared = 0; shared < 2; shared++) {
      unsigned seed = round;
      leat_scope(s);
      int_rx c = leat_numbers(s, int, 0, rand_r(&seed) % 2000);
      if (rand_r(&seed) % 2) c = leat_map(s, c, doubled);
      for (int length = rand_r(&seed) % 6; length >= 0; length--) {
        if (shared) leat_share(c);
        c = stage_at_random(s, c, &seed);
      }
      leat_range(int, v, leat_take(s, c, MOST)) {
        if (shared) CHECK_EQ(v, values[got[1]]);
        values[got[shared]++] = v;
      }
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    CHECK_EQ(got[0], got[1]);
  }
}

/* Several readers of one output. */

TEST_GO(two_stages_on_one_output_share_its_items) {
  leat_scope(s);
  int_rx in = leat_map(s, leat_numbers(s, int, 0, 10000), add, 0);
  int_rx a = leat_map(s, in, add, 0), b = leat_map(s, in, add, 0);
  long total = 0;
  int v, open = 2;
  while (open) {
    switch (leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v))) {
    case 0: if (leat_selected()) a = NULL; break;
    case 1: if (leat_selected()) b = NULL; break;
    default: CHECK(0);
    }
    if (leat_selected()) open--;
    else total += v;
  }
  CHECK_EQ(total, 9999 * 5000L);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(read_late, int_rx, in) {
  int v;
  leat_recv(in, &v);
}
static int_rx part_of_another(leat_view s) {
  int_rx in = leat_map(s, leat_numbers(s, int, 0, 10000), add, 0), out = leat_map(s, in, add, 0);
  int v;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  return in;
}
LEAT_FN(map_late, int_rx, in) {
  leat_scope(s);
  leat_map(s, in, add, 1);
}
TEST_GO(a_reader_that_comes_late_is_told_why_it_cannot) {
  leat_scope(s);
  CHECK_PANICS("which is part of another stage by now", read_late, part_of_another(s));
  CHECK_PANICS("call leat_share before", map_late, part_of_another(s));
}

/* Ends. */

TEST_GO(a_consumer_that_goes_away_ends_a_run_that_waits_for_a_silent_source) {
  for (int shared = 0; shared < 2; shared++)
    for (int effect = 0; effect < 2; effect++) {
      leat_scope(s);
      leat_chan(int) silent = leat_chan_make(s, int, 0);
      if (shared) leat_share(silent);
      int_rx out = leat_map(s, silent, add, 1);
      if (effect) out = leat_map(s, leat_map(s, out, add_seen, 1), add_seen, 1);
      int v;
      CHECK_EQ(leat_recv_until(out, leat_now() + LEAT_MS(1), &v), LEAT_DEADLINE);
      wait_blocked("add", effect ? 2 : 1);
      CHECK_EQ(leat_wait(s), LEAT_OK);
      if (shared) {
        leat_go(s, produce, leat_tx_of(silent), 1); /* not stopped, and nobody has taken anything */
        CHECK_EQ(leat_recv(silent, &v), LEAT_OK);
        CHECK_EQ(leat_wait(s), LEAT_OK);
      } else {
        CHECK_EQ(leat_send(silent, 1), LEAT_CLOSED);
      }
    }
}
TEST_GO(a_reader_of_the_nil_channel_can_be_ended) {
  leat_scope(s);
  int_rx nil = NULL, out = leat_map(s, nil, add, 1);
  int v;
  CHECK_EQ(leat_recv_until(out, leat_now() + LEAT_MS(1), &v), LEAT_DEADLINE);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(stop_it, int_rx, out) { leat_stop(out); }
LEAT_FN(send_one, leat_tx(int), c) { leat_send(c, 1); }
TEST_GO(stop_races_with_everything) {
  int rounds = (int)test_scale(3000);
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    leat_chan(int) c = leat_chan_make(s, int, (size_t)i % 2);
    int_rx out = leat_map(s, leat_map(s, c, add_seen, 1), add, 1);
    leat_go(s, send_one, leat_tx_of(c));
    leat_go(s, stop_it, out);
    if (i % 3) leat_go(s, read_late, out);
    if (i % 5 == 0) leat_cancel(s);
    CHECK_EQ(leat_wait(s), i % 5 ? LEAT_OK : LEAT_CANCELED);
  }
}
TEST_GO(stopping_an_output_that_was_fused_ends_the_run) {
  leat_scope(s);
  int_rx in = leat_map(s, leat_numbers(s, int, 0, 1 << 30), add, 0), out = leat_map(s, in, add, 1);
  int v, n = 0;
  CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  leat_stop(in);
  while (leat_recv(out, &v) == LEAT_OK) n++;
  CHECK(n < 10000);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(long_chains) {
  int depth = (int)test_scale(1000);
  for (int way = 0; way < 5; way++) {
    leat_scope(s);
    int_rx out = leat_numbers(s, int, 0, 1 << 30);
    for (int i = 0; i < depth; i++) out = way == 4 ? leat_map(s, out, add_seen, 1) : way == 3 && i % 10 == 0 ? leat_buffer(s, out, 2) : leat_map(s, out, add, 1);
    int v, n = 0;
    if (way == 1) leat_stop(out); /* never started: ended one after the other */
    if (way >= 2)
      leat_range(int, x, out) {
        if (way != 3) CHECK_EQ(x, depth + n);
        if (++n == 20) break;
      }
    (void)v;
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* Batches. */

static atomic_int n_slow;
LEAT_MAP(slow, int, int, n) {
  n_slow++;
  int64_t until = leat_now() + LEAT_US(200);
  while (leat_now() < until) {}
  return n;
}
TEST_GO(a_slow_pure_function_is_not_run_far_ahead) {
  leat_scope(s);
  int_rx out = leat_map(s, leat_numbers(s, int, 0, 1 << 30), slow);
  int v;
  for (int i = 0; i < 10; i++) CHECK_EQ(leat_recv(out, &v), LEAT_OK);
  CHECK(n_slow <= 12); /* in batches that grow it would be 15 */
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(run_for_ever, int_rx, in) {
  long total = 0;
  int status = leat_fold(in, &total, sum);
  CHECK(status == LEAT_CANCELED);
}
TEST_GO(a_run_that_computes_lets_others_run_and_can_be_cancelled) {
  leat_scope(s);
  for (int i = 0; i < 8; i++) leat_go(s, run_for_ever, leat_filter(s, leat_repeat(s, int, 1, 2), not_divisible, 1)); /* gives nothing */
  for (int i = 0; i < 20; i++) CHECK_EQ(leat_sleep(LEAT_US(100)), LEAT_OK);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}
typedef struct { char bytes[200000]; } huge;
LEAT_MAP(huge_of, int, huge, n) {
  static huge h;
  h.bytes[199999] = (char)n;
  return h;
}
LEAT_MAP(end_of, huge, int, h) { return h.bytes[199999]; }
/* What an effect has received at one go it works on one by one: each time the scope may have ended. */
LEAT_SINK(ends_its_scope, int, n, int, at, struct leat_scope *, s) {
  CHECK(n <= at);
  if (n == at) leat_cancel(s);
}
LEAT_EFFECT(ends_its_scope_and_passes_on, int, int, n, int, at, struct leat_scope *, s) {
  CHECK(n <= at);
  if (n == at) leat_cancel(s);
  return n;
}
TEST_GO(an_effect_behind_a_buffer_ends_at_the_item_at_which_its_scope_does) {
  for (int at = 0; at < 40; at += 13)
    for (int way = 0; way < 3; way++) {
      leat_scope(s);
      int_rx in = leat_buffer(s, leat_numbers(s, int, 0, 100), 64);
      if (way == 0) CHECK_EQ(leat_for_each(s, in, ends_its_scope, at, s), LEAT_OK);
      if (way == 1) CHECK_EQ(leat_for_each(s, leat_take(s, in, 90), ends_its_scope, at, s), LEAT_OK); /* which counts */
      if (way == 2) leat_range(int, v, leat_buffer(s, leat_map(s, in, ends_its_scope_and_passes_on, at, s), 64)) CHECK(v < at);
      CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    }
}
LEAT_MAP(of_huge, huge, huge, h) { return h; }
LEAT_ZIP(end_of_first, huge, a, huge, b, int) { return (void)b, a.bytes[199999]; }
TEST_GO(items_larger_than_a_stack) {
  for (int way = 0; way < 6; way++) {
    leat_scope(s);
    leat_rx(huge) in = leat_map(s, leat_numbers(s, int, 0, 3), huge_of), outs[2];
    int_rx out = NULL;
    if (way == 0) out = leat_map(s, in, end_of);
    if (way == 1) out = leat_map(s, leat_merge(s, leat_map(s, in, of_huge)), end_of);
    if (way == 2) out = leat_merge(s, leat_map(s, in, end_of));
    if (way == 3) out = leat_fan_out(s, leat_map(s, in, of_huge), 1, end_of);
    if (way == 4) out = leat_parallel_map(s, in, 2, 2, end_of);
    if (way == 5) {
      CHECK_EQ(leat_tee(s, in, outs, 2), LEAT_OK);
      out = leat_zip(s, outs[0], outs[1], end_of_first);
    }
    int i = 0;
    leat_range(int, v, out) CHECK_EQ(v, i++);
    CHECK_EQ(i, 3);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
/* A stage of a scope that has been left never begins: who reads it outside finds its end. */
TEST_GO(the_reader_of_a_stage_whose_scope_has_been_left_begins) {
  for (int way = 0; way < 3; way++) {
    leat_scope(s);
    int_rx out, outs[2], numbers = leat_map(s, leat_numbers(s, int, 0, 1 << 30), add_seen, 1);
    {
      leat_scope(inner);
      if (way < 2) outs[0] = leat_map(inner, leat_map(inner, numbers, add_seen, 1), add_seen, 1);
      else CHECK_EQ(leat_tee(inner, numbers, outs, 2), LEAT_OK);
      out = leat_map(s, outs[0], add_seen, 1);
      if (way == 1) CHECK_EQ(leat_wait(inner), LEAT_OK);
    }
    int v;
    CHECK_EQ(leat_recv(out, &v), LEAT_CLOSED);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(calls, 0);
  }
}
/* A stage that has ended has let go what was above it, which may be gone with its scope. */
TEST_GO(the_reader_of_a_stage_that_has_ended_begins) {
  leat_scope(s);
  int_rx out;
  int v;
  {
    leat_scope(inner);
    int_rx shared = leat_map(inner, leat_map(inner, leat_numbers(inner, int, 0, 1 << 30), add_seen, 1), add_seen, 1);
    leat_share(shared);
    out = leat_map(s, shared, add_seen, 1);
    CHECK_EQ(leat_recv(shared, &v), LEAT_OK);
  }
  while (leat_recv(out, &v) == LEAT_OK) {}
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
