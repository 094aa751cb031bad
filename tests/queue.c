/* Queues with policies: what is dropped and what is not, items that are too old, counts, ends at each point, a storm. */
#include "token.h"
#include "wait.h"

static void put(leat_chan(token) c, int n) { CHECK_EQ(leat_send(c, new_token(n)), LEAT_OK); }
/* The first item is out for offer when somebody has asked: the others are behind it. */
static int take(leat_rx(token) out) {
  token item;
  int status = leat_recv(out, &item);
  return status ? status : number_and_drop(item);
}

struct ends {
  leat_chan(token) in;
  leat_rx(token) out;
};
static struct ends fill(leat_view s, enum leat_queue_full full, leat_queue_counters *counters, int n) {
  leat_chan(token) in = leat_chan_make(s, token, 0);
  leat_on_drop(in, drop_token);
  leat_rx(token) out = leat_queue(s, in, ((leat_queue_options){.room = 3, .full = full, .counters = counters}));
  token none;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &none), LEAT_DEADLINE); /* it has begun */
  for (int i = 0; i < n; i++) put(in, i);
  return (struct ends){in, out};
}
TEST_GO(the_newest_are_dropped) {
  leat_scope(s);
  leat_queue_counters counters = {{0}};
  struct ends q = fill(s, LEAT_QUEUE_DROP_NEWEST, &counters, 10);
  UNTIL(leat_queue_look(&counters).shed == 7);
  CHECK_EQ(leat_queue_look(&counters).arrived, 10);
  CHECK_EQ(leat_queue_look(&counters).waiting, 3);
  leat_close(q.in);
  for (int i = 0; i < 3; i++) CHECK_EQ(take(q.out), i);
  CHECK_EQ(take(q.out), LEAT_CLOSED);
  leat_queue_figures f = leat_queue_look(&counters);
  CHECK_EQ(f.passed, 3);
  CHECK(f.lambda > 0 && f.w > 0 && f.l > 0);
  CHECK_EQ(alive, 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_oldest_are_dropped) {
  leat_scope(s);
  leat_queue_counters counters = {{0}};
  struct ends q = fill(s, LEAT_QUEUE_DROP_OLDEST, &counters, 10);
  leat_close(q.in);
  UNTIL(leat_queue_look(&counters).shed == 7);
  for (int i = 7; i < 10; i++) CHECK_EQ(take(q.out), i);
  CHECK_EQ(take(q.out), LEAT_CLOSED);
  CHECK_EQ(alive, 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_producer_waits) {
  leat_scope(s);
  leat_queue_counters counters = {{0}};
  struct ends q = fill(s, LEAT_QUEUE_BLOCK, &counters, 3);
  token one_more = new_token(3);
  CHECK_EQ(leat_send_until(q.in, leat_now() + LEAT_MS(2), one_more), LEAT_DEADLINE);
  CHECK_EQ(take(q.out), 0);
  CHECK_EQ(leat_send(q.in, one_more), LEAT_OK);
  leat_close(q.in);
  for (int i = 1; i < 4; i++) CHECK_EQ(take(q.out), i);
  CHECK_EQ(take(q.out), LEAT_CLOSED);
  CHECK_EQ(leat_queue_look(&counters).shed, 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(who_is_too_old_is_dropped) {
  leat_scope(s);
  leat_queue_counters counters = {{0}};
  leat_chan(token) in = leat_chan_make(s, token, 0);
  leat_on_drop(in, drop_token);
  leat_rx(token) out = leat_queue(s, in, ((leat_queue_options){.room = 10, .max_age = LEAT_MS(3), .counters = &counters}));
  token none;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &none), LEAT_DEADLINE);
  for (int i = 0; i < 5; i++) put(in, i);
  UNTIL(leat_queue_look(&counters).expired == 5); /* also while it is on offer, and nobody comes */
  CHECK_EQ(alive, 0);
  CHECK(leat_queue_look(&counters).w >= 0.003);
  leat_close(in);
  CHECK_EQ(take(out), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_room_by_little_s_law) {
  CHECK_EQ(leat_queue_room_for(100000, LEAT_US(100), 3), 7);
  CHECK_EQ(leat_queue_room_for(3, LEAT_SECONDS(1), 3), 0);
  CHECK_EQ(leat_queue_room_for(10, LEAT_MS(1050), 3), 8);
  CHECK_EQ(leat_queue_room_for(0, 0, 3), 0);
  CHECK_EQ(leat_queue_room_for(1e30, LEAT_SECONDS(1), 3), INT64_MAX);
  CHECK_EQ(leat_queue_room_for(-1e30, LEAT_SECONDS(1), 3), 0);
}
TEST_GO(ended_at_each_point) {
  for (int full = LEAT_QUEUE_BLOCK; full <= LEAT_QUEUE_DROP_OLDEST; full++)
    for (int point = 0; point < 12; point++) {
      leat_scope(s);
      struct ends q = fill(s, (enum leat_queue_full)full, NULL, point % 4);
      if (point % 4 == 2) CHECK_EQ(take(q.out), 0);
      if (point < 4) leat_cancel(s);
      else if (point < 8) leat_stop(q.out);
      int status = leat_wait(s); /* otherwise it gives the output up */
      CHECK_EQ(status, point < 4 ? LEAT_CANCELED : LEAT_OK);
    }
  UNTIL(alive == 0);
}
TEST_GO(nothing_waits_in_a_queue_that_has_ended) {
  leat_queue_counters counters = {{0}};
  {
    leat_scope(s);
    struct ends q = fill(s, LEAT_QUEUE_BLOCK, &counters, 3);
    CHECK_EQ(take(q.out), 0);
    UNTIL(leat_queue_look(&counters).passed == 1);
    CHECK_EQ(leat_queue_look(&counters).waiting, 2);
  }
  leat_queue_figures f = leat_queue_look(&counters);
  CHECK_EQ(f.arrived, 3);
  CHECK_EQ(f.passed + f.shed + f.expired, 1);
  CHECK_EQ(f.waiting, 0);
  CHECK_EQ(alive, 0);
}
LEAT_FN(produce, leat_chan(token), in, int, n) {
  for (int i = 0; i < n; i++) put(in, i);
  leat_close(in);
}
TEST_GO(storm) {
  int n = (int)test_scale(20000) + 10;
  for (int full = LEAT_QUEUE_BLOCK; full <= LEAT_QUEUE_DROP_OLDEST; full++) {
    leat_scope(s);
    leat_queue_counters counters = {{0}};
    leat_chan(token) in = leat_chan_make(s, token, 2);
    leat_on_drop(in, drop_token);
    leat_rx(token) out = leat_queue(s, in, ((leat_queue_options){.room = 4, .full = (enum leat_queue_full)full, .max_age = full == 1 ? LEAT_US(20) : 0, .counters = &counters}));
    leat_go(s, produce, in, n);
    int last = -1, got = 0;
    leat_range(token, item, out) {
      int v = number_and_drop(item);
      CHECK(v > last);
      last = v;
      got++;
    }
    leat_queue_figures f = leat_queue_look(&counters);
    CHECK_EQ(f.arrived, n);
    CHECK_EQ(f.passed, got);
    CHECK_EQ(f.passed + f.shed + f.expired, n);
    if (full == LEAT_QUEUE_BLOCK) CHECK_EQ(got, n);
    CHECK_EQ(alive, 0);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
