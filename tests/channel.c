/* Channels: order of values and of waiters, elements of any size, ends from both sides, batches, deadlines, a host's event loop.
 * What each operation does in each state is in channel_table.c.
 *
 * Scenarios are after Go's runtime/chan_test.go and test/chan (fifo, nonblock, doubleselect, zerosize), and libdill's tests/chan.c. */
#include "wait.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;

static int_chan filled(leat_view s, size_t capacity, int n) {
  int_chan c = leat_chan_make(s, int, capacity);
  for (int i = 1; i <= n; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  return c;
}

LEAT_FN(closer, int_chan, c) { leat_close(c); }
static void close_in_goroutine(int_chan c, const char *name) {
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.name = name}), closer, c);
  UNTIL(leat_failure_of(s) != NULL);
}
TEST_GO_DIES(double_close_names_goroutine_and_birthplace, "close", "close_twice", "channel.c:") {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 3);
  leat_close(c);
  close_in_goroutine(c, "close_twice");
}
TEST_GO_DIES(close_of_nil_names_goroutine_and_birthplace, "close", "nil", "close_nothing", "channel.c:") {
  close_in_goroutine(NULL, "close_nothing");
}

/* Order. */

static const size_t capacities[] = {0, 1, 2, 3, 7, 64, 1000};
enum { N_CAPACITIES = sizeof capacities / sizeof *capacities };

LEAT_FN(send_numbers, leat_tx(int), out, int, from, int, to) {
  for (int i = from; i < to; i++) CHECK_EQ(leat_send(out, i), LEAT_OK);
}

TEST_GO(values_come_first_in_first_out) {
  int n = (int)test_scale(20000);
  for (int k = 0; k < N_CAPACITIES; k++) {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, capacities[k]);
    CHECK_EQ(leat_cap(c), capacities[k]);
    leat_go(s, send_numbers, leat_tx_of(c), 0, n);
    for (int i = 0; i < n; i++) {
      int v = -1;
      CHECK_EQ(leat_recv(c, &v), LEAT_OK);
      CHECK_EQ(v, i);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

enum { N_KINDS = 6 };
LEAT_FN(waiting_receiver, leat_rx(int), c, int, kind, int *, target) {
  switch (kind) {
  case 0: CHECK_EQ(leat_recv(c, target), LEAT_OK); break;
  case 1: CHECK_EQ(leat_recv_until(c, leat_now() + LEAT_SECONDS(1000), target), LEAT_OK); break;
  case 2: CHECK_EQ(leat_select(leat_on_recv(c, target)), 0); break;
  case 3: CHECK_EQ(leat_select(leat_on_timeout(LEAT_SECONDS(1000)), leat_on_recv(c, target)), 1); break;
  case 4: CHECK_EQ(leat_recv_n(c, target, 1, NULL), LEAT_OK); break;
  case 5:
    leat_range(int, v, c) {
      *target = v;
      break;
    }
  }
}
TEST_GO(waiting_receivers_are_served_first_come_first_served) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int got[2 * N_KINDS];
  for (int i = 0; i < 2 * N_KINDS; i++) {
    leat_go(s, waiting_receiver, leat_rx_of(c), i % N_KINDS, &got[i]);
    wait_blocked("waiting_receiver", (size_t)i + 1);
  }
  for (int i = 0; i < 2 * N_KINDS; i++) CHECK_EQ(leat_try_send(c, i), LEAT_OK);
  CHECK_EQ(leat_try_send(c, 99), LEAT_FULL);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < 2 * N_KINDS; i++) CHECK_EQ(got[i], i);
}

LEAT_FN(waiting_sender, leat_tx(int), c, int, kind, int, value) {
  switch (kind) {
  case 0: CHECK_EQ(leat_send(c, value), LEAT_OK); break;
  case 1: CHECK_EQ(leat_send_until(c, leat_now() + LEAT_SECONDS(1000), value), LEAT_OK); break;
  case 2: CHECK_EQ(leat_select(leat_on_send(c, value)), 0); break;
  case 3: CHECK_EQ(leat_select(leat_on_timeout(LEAT_SECONDS(1000)), leat_on_send_from(c, &value)), 1); break;
  case 4: CHECK_EQ(leat_send_n(c, &value, 1, NULL), LEAT_OK); break;
  }
}
static void check_senders_in_order(size_t capacity) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, capacity);
  for (int i = 0; i < (int)capacity; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  for (int i = 0; i < 10; i++) {
    leat_go(s, waiting_sender, leat_tx_of(c), i % 5, (int)capacity + i);
    wait_blocked("waiting_sender", (size_t)i + 1);
  }
  for (int i = 0; i < (int)capacity + 10; i++) {
    int v = -1;
    CHECK_EQ(leat_try_recv(c, &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(waiting_senders_are_served_first_come_first_served) { check_senders_in_order(0); }
TEST_GO(waiting_senders_queue_behind_the_buffer) { check_senders_in_order(3); }

static atomic_int step;
LEAT_FN(rendezvous_sender, leat_tx(int), c) {
  CHECK_EQ(leat_send(c, 42), LEAT_OK);
  step = 1;
}
TEST_GO(an_unbuffered_send_waits_for_its_receive) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, rendezvous_sender, leat_tx_of(c));
  wait_blocked("rendezvous_sender", 1);
  CHECK_EQ(step, 0);
  CHECK_EQ(leat_len(c), 0);
  int v = 0;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 42);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(step, 1);
}

/* Elements of any size arrive whole, by every way through a channel: buffer, to a waiting receiver, from a waiting sender. */

#define SIZES(X) X(1) X(2) X(3) X(4) X(8) X(12) X(16) X(24) X(100) X(4096)
#define OF_SIZE(n) \
  typedef struct { \
    unsigned char bytes[n]; \
  } element##n; \
  static element##n pattern##n(int seed) { \
    element##n e; \
    for (int i = 0; i < n; i++) e.bytes[i] = (unsigned char)(seed * 7 + i * 13 + (i >> 8)); \
    return e; \
  } \
  static void check##n(element##n e, int seed) { \
    element##n right = pattern##n(seed); \
    CHECK(memcmp(e.bytes, right.bytes, n) == 0); \
  } \
  LEAT_FN(sender_of##n, leat_tx(element##n), c, int, seed) { CHECK_EQ(leat_send(c, pattern##n(seed)), LEAT_OK); } \
  LEAT_FN(receiver_of##n, leat_rx(element##n), c, int, seed) { \
    element##n e; \
    CHECK_EQ(leat_recv(c, &e), LEAT_OK); \
    check##n(e, seed); \
  } \
  TEST_GO(elements_of_##n##_bytes) { \
    leat_scope(s); \
    leat_chan(element##n) c = leat_chan_make(s, element##n, 3); \
    for (int round = 0; round < 5; round++) { \
      for (int i = 0; i < 3; i++) CHECK_EQ(leat_send(c, pattern##n(round + i)), LEAT_OK); \
      struct { \
        unsigned char before; \
        element##n e; \
        unsigned char after; \
      } t = {.before = 0xAA, .after = 0xBB}; \
      for (int i = 0; i < 3; i++) { \
        CHECK_EQ(leat_recv(c, &t.e), LEAT_OK); \
        check##n(t.e, round + i); \
        CHECK(t.before == 0xAA && t.after == 0xBB); \
      } \
    } \
    leat_chan(element##n) meet = leat_chan_make(s, element##n, 0); \
    for (int i = 0; i < 3; i++) { \
      struct { \
        unsigned char before; \
        element##n e; \
        unsigned char after; \
      } t; \
      memset(&t, 0xFF, sizeof t); \
      CHECK_EQ(leat_try_recv(meet, &t.e), LEAT_EMPTY); \
      for (int k = 0; k < n; k++) CHECK_EQ(t.e.bytes[k], 0); \
      CHECK(t.before == 0xFF && t.after == 0xFF); \
    } \
    leat_go(s, sender_of##n, leat_tx_of(meet), 5); \
    wait_blocked("sender_of" #n, 1); \
    element##n e; \
    CHECK_EQ(leat_try_recv(meet, &e), LEAT_OK); \
    check##n(e, 5); \
    leat_go(s, receiver_of##n, leat_rx_of(meet), 6); \
    wait_blocked("receiver_of" #n, 1); \
    CHECK_EQ(leat_try_send(meet, pattern##n(6)), LEAT_OK); \
    leat_close(meet); \
    memset(&e, 0xFF, sizeof e); \
    CHECK_EQ(leat_recv(meet, &e), LEAT_CLOSED); \
    for (int i = 0; i < n; i++) CHECK_EQ(e.bytes[i], 0); \
    CHECK_EQ(leat_wait(s), LEAT_OK); \
  }
SIZES(OF_SIZE)

/* The ends. */

static atomic_int ended;
LEAT_FN(ends_receiving, leat_rx(int), c, int, kind) {
  int v = 77;
  switch (kind % 5) {
  case 0:
    CHECK_EQ(leat_recv(c, &v), LEAT_CLOSED);
    CHECK_EQ(v, 0);
    break;
  case 1:
    CHECK_EQ(leat_select(leat_on_recv(c, &v)), 0);
    CHECK_EQ(leat_selected(), LEAT_CLOSED);
    CHECK_EQ(v, 0);
    break;
  case 2:
    leat_range(int, x, c) CHECK(x != x);
    CHECK_EQ(leat_range_end(), LEAT_CLOSED);
    break;
  case 3: {
    size_t got = 9;
    CHECK_EQ(leat_recv_n(c, &v, 1, &got), LEAT_CLOSED);
    CHECK_EQ(got, 0);
    break;
  }
  case 4: CHECK_EQ(leat_discard(c), LEAT_CLOSED); break;
  }
  ended++;
}
LEAT_FN(ends_sending, leat_tx(int), c, int, kind) {
  int value = 5;
  switch (kind % 4) {
  case 0: CHECK_EQ(leat_send(c, value), LEAT_CLOSED); break;
  case 1:
    CHECK_EQ(leat_select(leat_on_send(c, value)), 0);
    CHECK_EQ(leat_selected(), LEAT_CLOSED);
    break;
  case 2: {
    size_t sent = 9;
    CHECK_EQ(leat_send_n(c, &value, 1, &sent), LEAT_CLOSED);
    CHECK_EQ(sent, 0);
    break;
  }
  case 3: CHECK_EQ(leat_send_until(c, leat_now() + LEAT_SECONDS(1000), value), LEAT_CLOSED); break;
  }
  ended++;
}
TEST_GO(close_wakes_all_receivers) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 20; i++) leat_go(s, ends_receiving, leat_rx_of(c), i);
  wait_blocked("ends_receiving", 20);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ended, 20);
}
TEST_GO(stop_wakes_all_senders) {
  leat_scope(s);
  int_chan c = filled(s, 4, 4);
  for (int i = 0; i < 20; i++) leat_go(s, ends_sending, leat_tx_of(c), i);
  wait_blocked("ends_sending", 20);
  leat_stop(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ended, 20);
}
TEST_GO(close_wakes_waiting_senders_who_keep_their_value) {
  leat_scope(s);
  int_chan c = filled(s, 4, 4);
  for (int i = 0; i < 8; i++) leat_go(s, ends_sending, leat_tx_of(c), i);
  wait_blocked("ends_sending", 8);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  int sum = 0;
  leat_range(int, v, c) sum += v;
  CHECK_EQ(sum, 1 + 2 + 3 + 4);
}
TEST_GO(stop_wakes_waiting_receivers) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 3);
  for (int i = 0; i < 10; i++) leat_go(s, ends_receiving, leat_rx_of(c), i);
  wait_blocked("ends_receiving", 10);
  leat_stop(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

typedef struct {
  int *heap;
} owner;
static atomic_int dropped;
static void drop_owner(owner *o) {
  free(o->heap);
  dropped++;
}
static owner new_owner(void) { return (owner){malloc(sizeof(int))}; }
static leat_chan(owner) owners(leat_view s, size_t capacity, int n) {
  leat_chan(owner) c = leat_chan_make(s, owner, capacity);
  leat_on_drop(c, drop_owner);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_send(c, new_owner()), LEAT_OK);
  return c;
}
LEAT_FN(keeps_what_is_not_sent, leat_tx(owner), c) {
  owner mine = new_owner();
  CHECK_EQ(leat_send(c, mine), LEAT_CLOSED);
  free(mine.heap);
}
TEST_GO(stop_drops_what_is_buffered_and_nothing_else) {
  leat_scope(s);
  leat_chan(owner) c = owners(s, 3, 3);
  for (int i = 0; i < 4; i++) leat_go(s, keeps_what_is_not_sent, leat_tx_of(c));
  wait_blocked("keeps_what_is_not_sent", 4);
  leat_stop(c);
  CHECK_EQ(dropped, 3);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_close(c);
  CHECK_EQ(dropped, 3);
}
TEST_GO(stop_after_close_drops_what_is_left) {
  leat_scope(s);
  leat_chan(owner) c = owners(s, 3, 3);
  leat_close(c);
  owner o;
  CHECK_EQ(leat_recv(c, &o), LEAT_OK);
  free(o.heap);
  CHECK_EQ(dropped, 0);
  leat_stop(c);
  leat_stop(c);
  CHECK_EQ(dropped, 2);
}
TEST_GO(the_end_of_the_scope_drops_what_is_buffered) {
  {
    leat_scope(s);
    owners(s, 8, 5);
    CHECK_EQ(dropped, 0);
  }
  CHECK_EQ(dropped, 5);
}
TEST_GO(release_drops_what_is_buffered) {
  leat_scope(s);
  leat_chan(owner) c = owners(s, 8, 5);
  leat_release(c);
  CHECK_EQ(dropped, 5);
  leat_chan(owner) free_one = owners(NULL, 8, 2);
  leat_release(free_one);
  CHECK_EQ(dropped, 7);
}
TEST_GO(discard_gives_one_value_to_the_drop_function) {
  leat_scope(s);
  leat_chan(owner) c = owners(s, 8, 3);
  CHECK_EQ(leat_discard(c), LEAT_OK);
  CHECK_EQ(dropped, 1);
  CHECK_EQ(leat_len(c), 2);
}
TEST_GO(a_channel_without_scope_outlives_scopes) {
  int_chan c = leat_chan_make(NULL, int, 4);
  {
    leat_scope(s);
    leat_go(s, send_numbers, leat_tx_of(c), 0, 4);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_len(c), 4);
  leat_release(c);
}

LEAT_FN(owning_closer, int_chan, c, bool, becomes_owner) {
  if (becomes_owner) leat_own(c);
  leat_close(c);
}
TEST_GO(ownership_is_passed_on) {
  leat_scope(s);
  int_chan mine = leat_chan_make(s, int, 0), given = leat_chan_make(s, int, 0);
  leat_own(mine);
  leat_close(mine);
  leat_own(given);
  leat_go(s, owning_closer, given, true);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_close_by_a_non_owner_is_misuse_in_debug_builds) {
  const char *variant = getenv("VARIANT");
  bool checked = variant && strstr(variant, "debug");
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_own(c);
  leat_go(s, owning_closer, c, false);
  CHECK_EQ(leat_wait(s), checked ? LEAT_PANIC : LEAT_OK);
}

/* Batches. */

static atomic_int batch_status;
static atomic_size_t batch_sent;
LEAT_FN(batch_sender, leat_tx(int), c, int, n) {
  int items[200];
  for (int i = 0; i < n; i++) items[i] = i;
  size_t sent = 999;
  batch_status = leat_send_n(c, &items[0], (size_t)n, &sent);
  batch_sent = sent;
}
TEST_GO(a_batch_goes_through_any_capacity_in_order) {
  for (int k = 0; k < N_CAPACITIES; k++) {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, capacities[k]);
    leat_go(s, batch_sender, leat_tx_of(c), 200);
    int next = 0;
    while (next < 200) {
      int items[64];
      size_t got = 0;
      CHECK_EQ(leat_recv_n(c, items, 64, &got), LEAT_OK);
      CHECK(got >= 1 && got <= 64);
      for (size_t i = 0; i < got; i++) CHECK_EQ(items[i], next++);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(batch_status, LEAT_OK);
    CHECK_EQ(batch_sent, 200);
  }
}
TEST_GO(recv_n_takes_what_there_is_without_blocking) {
  leat_scope(s);
  int_chan c = filled(s, 8, 7);
  int items[10] = {0};
  size_t got = 0;
  CHECK_EQ(leat_recv_n(c, items, 4, &got), LEAT_OK);
  CHECK_EQ(got, 4);
  CHECK_EQ(items[3], 4);
  CHECK_EQ(leat_recv_n(c, items, 10, &got), LEAT_OK);
  CHECK_EQ(got, 3);
  CHECK_EQ(items[0], 5);
  CHECK_EQ(items[2], 7);
}
/* From every place of the ring, as many as it has, fewer, and more. */
typedef struct { char bytes[3]; } three;
TEST_GO(recv_n_goes_round_the_ring) {
  leat_scope(s);
  leat_chan(three) c = leat_chan_make(s, three, 7);
  int sent = 0, received = 0;
  for (int i = 0; i < 500; i++) {
    while (leat_try_send(c, (three){{(char)sent, 1, (char)(sent + 2)}}) == LEAT_OK) sent++;
    three items[9];
    memset(items, 0x55, sizeof items);
    size_t got = 0, most = (size_t)i % 8 + 1, n = most < 7 ? most : 7;
    CHECK_EQ(leat_recv_n(c, items, most, &got), LEAT_OK);
    CHECK_EQ(got, n);
    for (size_t k = 0; k < n; k++, received++) CHECK(items[k].bytes[0] == (char)received && items[k].bytes[1] == 1 && items[k].bytes[2] == (char)(received + 2));
    CHECK_EQ(items[n].bytes[0], 0x55);
    CHECK_EQ(leat_len(c), 7 - n);
  }
}
TEST_GO(recv_n_takes_from_waiting_senders_too) {
  leat_scope(s);
  int_chan c = filled(s, 2, 2);
  for (int i = 3; i <= 5; i++) {
    leat_go(s, waiting_sender, leat_tx_of(c), 0, i);
    wait_blocked("waiting_sender", (size_t)i - 2);
  }
  int items[10] = {0};
  size_t got = 0;
  CHECK_EQ(leat_recv_n(c, items, 10, &got), LEAT_OK);
  CHECK_EQ(got, 5);
  for (int i = 0; i < 5; i++) CHECK_EQ(items[i], i + 1);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_FN(batch_receiver, leat_rx(int), c) {
  int items[10];
  size_t got = 0;
  CHECK_EQ(leat_recv_n(c, &items[0], 10, &got), LEAT_OK);
  CHECK(got >= 1);
  CHECK_EQ(items[0], 7);
  ended++;
}
TEST_GO(recv_n_blocks_for_the_first_item_only) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 4);
  leat_go(s, batch_receiver, leat_rx_of(c));
  wait_blocked("batch_receiver", 1);
  CHECK_EQ(leat_send(c, 7), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ended, 1);
}
/* A sender of 100 is ended in the middle; what it was told it sent is what can be received. */
static void check_batch_ended(size_t capacity, int taken, void (*end)(int_chan, struct leat_scope *), int status) {
  leat_scope(all);
  int_chan c = leat_chan_make(all, int, capacity);
  leat_scope(s);
  leat_go(s, batch_sender, leat_tx_of(c), 100);
  for (int i = 0; i < taken; i++) {
    int v = -1;
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
  UNTIL(leat_len(c) == capacity && blocked_goroutines("batch_sender") == 1);
  end(c, s);
  int ignored = leat_wait(s);
  (void)ignored;
  CHECK_EQ(batch_status, status);
  CHECK_EQ(batch_sent, capacity + (size_t)taken);
  leat_shield(aside);
  if (status == LEAT_CANCELED) leat_close(c);
  int next = taken;
  leat_range(int, v, c) CHECK_EQ(v, next++);
  CHECK_EQ(next, (int)batch_sent);
}
static void end_by_close(int_chan c, struct leat_scope *s) {
  (void)s;
  leat_close(c);
}
static void end_by_cancel(int_chan c, struct leat_scope *s) {
  (void)c;
  leat_cancel(s);
}
TEST_GO(a_batch_closed_in_the_middle_counts_exactly) {
  check_batch_ended(10, 0, end_by_close, LEAT_CLOSED);
  check_batch_ended(10, 33, end_by_close, LEAT_CLOSED);
  check_batch_ended(0, 3, end_by_close, LEAT_CLOSED);
}
TEST_GO(a_batch_cancelled_in_the_middle_counts_exactly) {
  check_batch_ended(10, 0, end_by_cancel, LEAT_CANCELED);
  check_batch_ended(10, 33, end_by_cancel, LEAT_CANCELED);
  check_batch_ended(0, 3, end_by_cancel, LEAT_CANCELED);
}
static atomic_int batch_dropped;
static void count_drop(int *v) { batch_dropped += v != NULL; }
TEST_GO(a_batch_stopped_in_the_middle_counts_what_was_handed_over) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 10);
  leat_on_drop(c, count_drop);
  leat_go(s, batch_sender, leat_tx_of(c), 100);
  for (int i = 0; i < 5; i++) {
    int v;
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  }
  UNTIL(leat_len(c) == 10 && blocked_goroutines("batch_sender") == 1);
  leat_stop(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(batch_status, LEAT_CLOSED);
  CHECK_EQ(batch_sent, 15);
  CHECK_EQ(batch_dropped, 10);
}

/* Deadlines of single operations. */

TEST_GO(deadlines_are_not_early) {
  leat_scope(s);
  int_chan c = filled(s, 1, 1), e = leat_chan_make(s, int, 0);
  for (int i = 0; i < 5; i++) {
    int64_t deadline = leat_now() + LEAT_MS(3);
    CHECK_EQ(leat_send_until(c, deadline, 2), LEAT_DEADLINE);
    CHECK(leat_now() >= deadline);
    int v = 5;
    deadline = leat_now() + LEAT_MS(3);
    CHECK_EQ(leat_recv_until(e, deadline, &v), LEAT_DEADLINE);
    CHECK(leat_now() >= deadline);
    CHECK_EQ(v, 0);
  }
  CHECK_EQ(leat_len(c), 1);
  int v = 5;
  CHECK_EQ(leat_recv_until(e, leat_now() - LEAT_SECONDS(1), &v), LEAT_DEADLINE);
  CHECK_EQ(leat_send_until(c, 0, 2), LEAT_DEADLINE);
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 1);
}
TEST_GO(what_timed_out_does_not_wait_any_more) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int v;
  CHECK_EQ(leat_recv_until(c, leat_now() + LEAT_MS(1), &v), LEAT_DEADLINE);
  CHECK_EQ(leat_try_send(c, 1), LEAT_FULL);
  CHECK_EQ(leat_send_until(c, leat_now() + LEAT_MS(1), 2), LEAT_DEADLINE);
  CHECK_EQ(leat_try_recv(c, &v), LEAT_EMPTY);
}

/* Many to many: no value is lost or comes twice, and each sender's values stay in order. */

enum { MANY = 10000, SENDERS = 8, RECEIVERS = 5 };
static atomic_uchar seen[MANY];
LEAT_FN(consume, leat_rx(int), c, int, kind) {
  int last[SENDERS];
  memset(last, -1, sizeof last);
  for (;;) {
    int items[7];
    size_t got = 1;
    int status = kind == 0 ? leat_recv(c, &items[0]) : leat_recv_n(c, &items[0], 7, &got);
    if (status == LEAT_CLOSED) return;
    CHECK_EQ(status, LEAT_OK);
    for (size_t i = 0; i < got; i++) {
      CHECK_EQ(seen[items[i]]++, 0);
      int sender = items[i] / (MANY / SENDERS);
      CHECK(items[i] > last[sender]);
      last[sender] = items[i];
    }
  }
}
static void check_many_to_many(size_t capacity) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, capacity);
  for (int i = 0; i < RECEIVERS; i++) leat_go(s, consume, leat_rx_of(c), i % 2);
  int each = (int)test_scale(MANY / SENDERS);
  {
    leat_scope(senders);
    for (int i = 0; i < SENDERS; i++) leat_go(senders, send_numbers, leat_tx_of(c), i * (MANY / SENDERS), i * (MANY / SENDERS) + each);
    CHECK_EQ(leat_wait(senders), LEAT_OK);
  }
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < MANY; i++) CHECK_EQ(seen[i], i % (MANY / SENDERS) < each);
}
TEST_GO(many_to_many_unbuffered) { check_many_to_many(0); }
TEST_GO(many_to_many_capacity_1) { check_many_to_many(1); }
TEST_GO(many_to_many_capacity_16) { check_many_to_many(16); }
TEST_GO(many_to_many_capacity_1000) { check_many_to_many(1000); }

/* Go's test/chan/doubleselect and runtime's TestChanSendBarrier in one: try forms race with blocking ones. */
LEAT_FN(try_sender, leat_tx(int), c, int, from, int, to) {
  for (int i = from; i < to; i++)
    while (leat_try_send(c, i) != LEAT_OK) CHECK_EQ(leat_yield(), LEAT_OK);
}
TEST_GO(try_send_and_recv_lose_nothing) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 2);
  int each = (int)test_scale(MANY / 4);
  for (int i = 0; i < 4; i++) leat_go(s, try_sender, leat_tx_of(c), i * (MANY / 4), i * (MANY / 4) + each);
  for (int n = 0; n < 4 * each;) {
    int v = -1, status = leat_try_recv(c, &v);
    if (status == LEAT_OK) {
      CHECK_EQ(seen[v]++, 0);
      n++;
    } else {
      CHECK_EQ(status, LEAT_EMPTY);
      CHECK_EQ(leat_yield(), LEAT_OK);
    }
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* A host's own event loop. */

static int polled(int fd, int timeout) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int n = poll(&p, 1, timeout);
  CHECK(n >= 0);
  return n;
}
static void take_event(int fd) {
  uint64_t count;
  CHECK_EQ(read(fd, &count, sizeof count), sizeof count);
}
TEST(a_descriptor_polls_readable_when_there_is_something_to_receive) {
  leat_scope(s);
  int_chan c = filled(s, 8, 1);
  int fd = leat_chan_fd(c), v = 0;
  CHECK(fd >= 0);
  CHECK_EQ(leat_chan_fd(c), fd);
  CHECK_EQ(polled(fd, -1), 1); /* what was there before */
  take_event(fd);
  CHECK_EQ(leat_try_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 1);
  CHECK_EQ(leat_try_recv(c, &v), LEAT_EMPTY);
  CHECK_EQ(polled(fd, 0), 0);
  leat_go(s, send_numbers, leat_tx_of(c), 0, 100);
  for (int next = 0; next < 100;) {
    CHECK_EQ(polled(fd, -1), 1);
    take_event(fd);
    while (leat_try_recv(c, &v) == LEAT_OK) CHECK_EQ(v, next++);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_close(c);
  CHECK_EQ(polled(fd, -1), 1);
  CHECK_EQ(leat_try_recv(c, &v), LEAT_CLOSED);
}
TEST(a_descriptor_tells_of_waiting_senders) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int fd = leat_chan_fd(c), v = 0;
  CHECK(fd >= 0);
  leat_go(s, send_numbers, leat_tx_of(c), 0, 50);
  for (int next = 0; next < 50;) {
    CHECK_EQ(polled(fd, -1), 1);
    take_event(fd);
    while (leat_try_recv(c, &v) == LEAT_OK) CHECK_EQ(v, next++);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* The kernel gives out the lowest number there is, 0 too. */
TEST(a_descriptor_while_standard_input_is_closed) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 1);
  CHECK_EQ(leat_sleep(1), LEAT_OK); /* the runtime has its own descriptors */
  close(0);
  int fd = leat_chan_fd(c);
  CHECK(fd > 0);
  CHECK_EQ(leat_chan_fd(c), fd);
  CHECK_EQ(polled(fd, 0), 0);
  CHECK_EQ(leat_send(c, 1), LEAT_OK);
  CHECK_EQ(polled(fd, 0), 1);
}

/* Channels of channels (Go's test/chan/powser1 idea): handles are values like any other. */
LEAT_FN(answer, leat_rx(int_chan), requests) {
  leat_range(int_chan, reply, requests) CHECK_EQ(leat_send(reply, 42), LEAT_OK);
}
TEST_GO(channels_travel_through_channels) {
  leat_scope(s);
  leat_chan(int_chan) requests = leat_chan_make(s, int_chan, 0);
  leat_go(s, answer, leat_rx_of(requests));
  for (int i = 0; i < 10; i++) {
    int_chan reply = leat_chan_make(s, int, 0);
    CHECK_EQ(leat_send(requests, reply), LEAT_OK);
    int v = 0;
    CHECK_EQ(leat_recv(reply, &v), LEAT_OK);
    CHECK_EQ(v, 42);
    leat_release(reply);
  }
  leat_close(requests);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Who is told by a try that a channel is closed may free it, while who closed it is on the way out. */
static _Atomic(int_chan) to_close;
static atomic_bool all_closed;
static void *closes_each(void *unused) {
  for (;;) {
    int_chan c;
    while (!(c = to_close))
      if (all_closed) return unused;
    to_close = (int_chan)0;
    leat_close(c);
  }
}
TEST_GO(who_sees_a_close_may_release) {
  int64_t rounds = test_scale(100000), end = leat_now() + LEAT_SECONDS(ROUNDS_TAKE);
  pthread_t closer;
  CHECK_EQ(pthread_create(&closer, NULL, closes_each, NULL), 0);
  for (int64_t i = 0; i < rounds && leat_now() < end; i++) {
    int_chan c = leat_chan_make(NULL, int, 1);
    int v;
    to_close = c;
    if (i % 2) {
      while (leat_try_recv(c, &v) != LEAT_CLOSED) {}
    } else {
      do while (leat_select(leat_on_recv(c, &v), leat_default)) {}
      while (leat_selected() != LEAT_CLOSED);
    }
    while (to_close) {}
    leat_release(c);
  }
  all_closed = true;
  leat_blocking CHECK_EQ(pthread_join(closer, NULL), 0);
}

/* Store buffering: of two who each send on one channel and then try the other, one finds something; also if the send was another goroutine's
 * that ran on the same thread meanwhile, and the try is not the first in a row. */
typedef leat_chan(uint64_t) word_chan;
static word_chan first_chan, second_chan;
static atomic_int round_begun, round_done, sent_in;
static int found_by_other;
static void *sends_second_tries_first(void *unused) {
  (void)unused;
  for (int r = 1;; r++) {
    int begun;
    while ((begun = atomic_load_explicit(&round_begun, memory_order_acquire)) != r)
      if (begun < 0) return NULL;
    for (volatile int i = 0; i < r % 64; i++) {}
    uint64_t v;
    CHECK_EQ(leat_send(second_chan, 1), LEAT_OK);
    found_by_other = leat_try_recv(first_chan, &v);
    atomic_store_explicit(&round_done, r, memory_order_release);
  }
}
LEAT_FN(sends_first, int, r) {
  CHECK_EQ(leat_send(first_chan, 1), LEAT_OK);
  atomic_store_explicit(&sent_in, r, memory_order_release);
}
LEAT_FN(keeps_the_ring_half_full) {
  while (round_begun >= 0 && !leat_yield()) {}
}
LEAT_FN(plays_rounds, int, rounds) {
  int64_t end = leat_now() + LEAT_SECONDS(ROUNDS_TAKE);
  leat_scope(s);
  for (int r = 1; r <= rounds; r++) {
    uint64_t v;
    CHECK_EQ(leat_try_send(second_chan, 7), LEAT_OK);
    CHECK_EQ(leat_try_recv(second_chan, &v), LEAT_OK);
    CHECK_EQ(leat_try_recv(second_chan, &v), LEAT_EMPTY); /* behind a fence */
    atomic_store_explicit(&round_begun, r, memory_order_release);
    leat_go(s, sends_first, r);
    bool sent = atomic_load_explicit(&sent_in, memory_order_acquire) == r;
    int found = leat_try_recv(second_chan, &v);
    while (atomic_load_explicit(&round_done, memory_order_acquire) != r) {}
    CHECK(!sent || found == LEAT_OK || found_by_other == LEAT_OK);
    if (found_by_other != LEAT_OK) CHECK_EQ(leat_recv(first_chan, &v), LEAT_OK);
    if (found != LEAT_OK) CHECK_EQ(leat_recv(second_chan, &v), LEAT_OK);
    if (leat_now() > end) break;
  }
  round_begun = -1;
}
TEST(not_both_of_two_tries_find_nothing) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1}), LEAT_OK);
  {
    leat_scope(s);
    first_chan = leat_chan_make(s, uint64_t, 1);
    second_chan = leat_chan_make(s, uint64_t, 1);
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, sends_second_tries_first, NULL), 0);
    for (int i = 0; i < 170; i++) leat_go(s, keeps_the_ring_half_full); /* so that who is started runs at once */
    leat_go(s, plays_rounds, (int)test_scale(200000));
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(pthread_join(other, NULL), 0);
  }
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}
