/* Results that come twice: the last of each key in a stream; cells that keep the first or the last report, how many they remember, waiting for them, storms. */
#include "token.h"
#include "wait.h"

#include <pthread.h>

/* leat_last_by. What becomes of items at each end is in stages.c. */

typedef struct { int key, value; } report;
LEAT_MAP(key_of, report, int, r) { return r.key; }
static void expect(leat_rx(report) out, int key, int value) {
  report r;
  CHECK_EQ(leat_recv(out, &r), LEAT_OK);
  CHECK_EQ(r.key, key);
  CHECK_EQ(r.value, value);
}
static leat_chan(report) reports(leat_view s, const report *from, size_t n) {
  leat_chan(report) c = leat_chan_make(s, report, n);
  for (size_t i = 0; i < n; i++) CHECK_EQ(leat_send(c, from[i]), LEAT_OK);
  return c;
}
TEST_GO(of_each_key_the_last_in_the_order_of_the_first) {
  leat_scope(s);
  const report all[] = {{1, 10}, {2, 20}, {1, 11}, {3, 30}, {2, 21}, {1, 12}};
  leat_chan(report) in = reports(s, all, 6);
  leat_close(in);
  leat_rx(report) out = leat_last_by(s, in, 10, LEAT_NEVER, key_of);
  expect(out, 1, 12);
  expect(out, 2, 21);
  expect(out, 3, 30);
  report r;
  CHECK_EQ(leat_recv(out, &r), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_oldest_makes_room) {
  leat_scope(s);
  const report all[] = {{1, 10}, {2, 20}, {1, 11}, {3, 30}, {1, 12}};
  leat_chan(report) in = reports(s, all, 5);
  leat_rx(report) out = leat_last_by(s, in, 2, LEAT_NEVER, key_of);
  expect(out, 1, 11);
  expect(out, 2, 20); /* for {1, 12}, which is new now */
  leat_close(in);
  expect(out, 3, 30);
  expect(out, 1, 12);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(it_waits_so_long_and_no_longer) {
  leat_scope(s);
  leat_chan(report) in = leat_chan_make(s, report, 3); /* if one is due before all are sent, who sends is not to wait for the stage, as that waits for him */
  leat_rx(report) out = leat_last_by(s, in, 10, LEAT_MS(5), key_of);
  report none;
  CHECK_EQ(leat_recv_until(out, leat_now() + 1, &none), LEAT_DEADLINE); /* it has begun */
  int64_t start = leat_now();
  CHECK_EQ(leat_send(in, (report){1, 10}), LEAT_OK);
  CHECK_EQ(leat_send(in, (report){2, 20}), LEAT_OK);
  CHECK_EQ(leat_send(in, (report){1, 11}), LEAT_OK);
  int got = 0, value_of_1 = 0;
  for (report r; got < 2 && leat_recv(out, &r) == LEAT_OK; got++)
    if (r.key == 1) value_of_1 = r.value;
  CHECK_EQ(got, 2);
  CHECK(value_of_1 == 11 || leat_now() - start > LEAT_MS(5)); /* 10, if the sends took longer than that */
  CHECK(leat_now() - start >= LEAT_MS(5));
  CHECK_EQ(leat_send(in, (report){1, 12}), LEAT_OK); /* new again */
  UNTIL(leat_try_recv(out, &none) == LEAT_OK);
  leat_close(in);
}
TEST_GO(it_waits_no_longer_in_a_stream_that_never_rests) {
  enum { N = 300000 };
  static report all[N];
  leat_scope(s);
  leat_rx(report) in = leat_filled(s, all, N);
  int64_t n;
  CHECK_EQ(leat_count(leat_last_by(s, in, 10, LEAT_US(100), key_of), &n), LEAT_OK);
  CHECK(n > 3);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
LEAT_MAP(first_word, const char *, const char *, text) { return text; }
TEST_GO(keys_that_are_strings) {
  leat_scope(s);
  char a[] = "same", b[] = "same";
  leat_rx(const char *) out = leat_last_by(s, leat_values(s, const char *, a, "other", b), 10, LEAT_NEVER, first_word);
  const char *text;
  CHECK_EQ(leat_recv(out, &text), LEAT_OK);
  CHECK(text == b);
  CHECK_EQ(leat_recv(out, &text), LEAT_OK);
  CHECK_STR(text, "other");
  CHECK_EQ(leat_recv(out, &text), LEAT_CLOSED);
}
typedef struct { int key; char bytes[5000]; } large;
LEAT_MAP(key_of_large, large, int, l) { return l.key; }
TEST_GO(large_items) {
  leat_scope(s);
  leat_chan(large) in = leat_chan_make(s, large, 10);
  static large l;
  for (int i = 0; i < 10; i++) {
    l = (large){i % 3, {0}};
    l.bytes[4999] = (char)i;
    CHECK_EQ(leat_send(in, l), LEAT_OK);
  }
  leat_close(in);
  leat_rx(large) out = leat_last_by(s, in, 10, LEAT_NEVER, key_of_large);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(leat_recv(out, &l), LEAT_OK);
    CHECK_EQ(l.bytes[4999], i == 0 ? 9 : 6 + i);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Cells. */

typedef leat_cells(int, token) cells;
static int put(cells *c, int id, int n) {
  token t = new_token(n);
  int status = leat_cell_put(c, id, t);
  if (status) drop_token(&t);
  return status;
}
static int taken(cells *c, int id) {
  token t;
  int status = leat_cell_try_take(c, id, &t);
  CHECK((status == LEAT_OK) == (t.cell != NULL));
  return status ? status : number_and_drop(t);
}
TEST_GO(the_first_report_wins) {
  cells c = {.drop = drop_token};
  CHECK_EQ(taken(&c, 1), LEAT_EMPTY);
  CHECK_EQ(put(&c, 1, 10), LEAT_OK);
  CHECK_EQ(put(&c, 2, 20), LEAT_OK);
  CHECK_EQ(put(&c, 1, 11), LEAT_CLOSED);
  CHECK_EQ(taken(&c, 1), 10);
  CHECK_EQ(taken(&c, 1), LEAT_CLOSED);
  CHECK_EQ(put(&c, 1, 12), LEAT_CLOSED); /* it is known yet */
  leat_cells_free(&c);
  CHECK_EQ(alive, 0);
  CHECK_EQ(put(&c, 1, 13), LEAT_OK);
  leat_cells_free(&c);
  CHECK_EQ(alive, 0);
}
TEST_GO(the_last_report_wins_until_it_is_taken) {
  cells c = {.keep = LEAT_KEEP_LAST, .drop = drop_token};
  for (int i = 10; i < 14; i++) CHECK_EQ(put(&c, 1, i), LEAT_OK);
  CHECK_EQ(alive, 1);
  CHECK_EQ(taken(&c, 1), 13);
  CHECK_EQ(put(&c, 1, 14), LEAT_CLOSED);
  leat_cells_free(&c);
  CHECK_EQ(alive, 0);
}
TEST_GO(memory_is_bounded) {
  cells c = {.most = 3, .drop = drop_token};
  for (int id = 0; id < 3; id++) CHECK_EQ(put(&c, id, id), LEAT_OK);
  CHECK_EQ(put(&c, 3, 3), LEAT_FULL);
  CHECK_EQ(put(&c, 2, 3), LEAT_CLOSED);
  CHECK_EQ(taken(&c, 1), 1);
  CHECK_EQ(put(&c, 3, 3), LEAT_OK); /* 1 is forgotten */
  CHECK_EQ(put(&c, 1, 1), LEAT_FULL);
  CHECK_EQ(taken(&c, 0), 0);
  CHECK_EQ(put(&c, 1, 1), LEAT_OK); /* for a new one */
  for (int id = 100; id < 1100; id++) {
    CHECK_EQ(taken(&c, id == 100 ? 1 : id - 1), id == 100 ? 1 : id - 1);
    CHECK_EQ(put(&c, id, id), LEAT_OK);
  }
  leat_cells_free(&c);
  CHECK_EQ(alive, 0);
}
TEST_GO(ids_that_are_strings) {
  leat_cells(const char *, double) c = {0};
  char a[] = "same", b[] = "same";
  double d;
  CHECK_EQ(leat_cell_put(&c, a, 1), LEAT_OK);
  CHECK_EQ(leat_cell_put(&c, b, 2), LEAT_CLOSED);
  memset(a, 'x', 4); /* it has a copy */
  CHECK_EQ(leat_cell_take(&c, "same", &d), LEAT_OK);
  CHECK(d == 1);
  leat_cells_free(&c);
}
LEAT_FN(take_one, cells *, c, int, id, atomic_int *, answer) {
  token t;
  int status = leat_cell_take(c, id, &t);
  *answer = status ? status : number_and_drop(t);
}
TEST_GO(a_take_waits_for_its_id) {
  static atomic_int answers[3];
  cells c = {.drop = drop_token};
  leat_scope(s);
  leat_go(s, take_one, &c, 1, &answers[0]);
  leat_go(s, take_one, &c, 2, &answers[1]);
  leat_go(s, take_one, &c, 1, &answers[2]);
  wait_blocked("take_one", 3);
  CHECK_EQ(put(&c, 3, 30), LEAT_OK);
  CHECK_EQ(put(&c, 1, 10), LEAT_OK);
  UNTIL(answers[0] && answers[2]);
  CHECK_EQ(answers[0] + answers[2], 10 + LEAT_CLOSED); /* one has it, and the other hears so */
  CHECK_EQ(answers[1], 0);
  CHECK_EQ(put(&c, 2, 20), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(answers[1], 20);
  leat_cells_free(&c);
  CHECK_EQ(alive, 0);
}
TEST_GO(a_take_ends_with_its_scope_and_at_its_deadline) {
  static atomic_int answer;
  cells c = {.drop = drop_token};
  token t;
  CHECK_EQ(leat_cell_take_until(&c, 1, leat_now() + LEAT_MS(1), &t), LEAT_DEADLINE);
  CHECK_EQ(leat_cell_take_until(&c, 1, 1, &t), LEAT_DEADLINE);
  {
    leat_scope(s);
    leat_go(s, take_one, &c, 1, &answer);
    wait_blocked("take_one", 1);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(answer, LEAT_CANCELED);
    CHECK_EQ(put(&c, 1, 10), LEAT_OK);
    CHECK_EQ(leat_cell_take(&c, 1, &t), LEAT_CANCELED); /* before it is looked at */
    CHECK(t.cell == NULL);
    CHECK_EQ(leat_cell_try_take(&c, 1, &t), LEAT_CANCELED);
  }
  CHECK_EQ(taken(&c, 1), 10);
  leat_cells_free(&c);
  CHECK_EQ(alive, 0);
}

/* Storms: each id gives one value, whoever reports and whoever gives up. */

enum { IDS = 300 };
static atomic_int got[IDS], accepted[IDS];
struct storm {
  cells c;
  enum leat_keep keep;
};
LEAT_FN(report_all, struct storm *, t, int, who) {
  for (int i = 0; i < IDS; i++) {
    int id = (i * 7 + who * 31) % IDS, status = put(&t->c, id, id * 100 + who);
    CHECK(status == LEAT_OK || status == LEAT_CLOSED);
    if (!status) accepted[id]++;
    if (i % 5 == who % 5) leat_yield();
  }
}
LEAT_FN(take_all, struct storm *, t, int, who) {
  for (int i = 0; i < IDS; i++) {
    token value;
    int id = (i * 11 + who) % IDS, status = leat_cell_take_until(&t->c, id, i % 4 ? LEAT_NEVER : leat_now() + LEAT_US(20), &value);
    if (status == LEAT_CANCELED) return;
    if (status) continue;
    CHECK_EQ(number_and_drop(value) / 100, id);
    got[id]++;
  }
}
static void *thread_reports(void *t) {
  report_all(t, 50);
  return NULL;
}
static void storm(int workers, enum leat_keep keep) {
  struct storm t = {.c = {.keep = keep, .drop = drop_token}};
  pthread_t thread;
  CHECK_EQ(leat_set_workers(workers), LEAT_OK);
  for (int i = 0; i < IDS; i++) got[i] = accepted[i] = 0;
  {
    leat_scope(s);
    leat_scope(unlucky);
    for (int i = 0; i < 3; i++) leat_go(unlucky, take_all, &t, i);
    for (int i = 0; i < 3; i++) leat_go(s, take_all, &t, i);
    CHECK_EQ(pthread_create(&thread, NULL, thread_reports, &t), 0);
    for (int i = 0; i < 6; i++) leat_go(s, report_all, &t, i);
    for (int i = 0; i < 20; i++) leat_yield();
    leat_cancel(unlucky);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    pthread_join(thread, NULL);
  }
  for (int id = 0; id < IDS; id++) {
    got[id] += taken(&t.c, id) >= 0;
    CHECK_EQ(got[id], 1);
    if (keep == LEAT_KEEP_FIRST) CHECK_EQ(accepted[id], 1);
  }
  leat_cells_free(&t.c);
  CHECK_EQ(alive, 0);
}
TEST_GO(storms) {
  const int worker_counts[] = {1, 2, 8};
  for (int64_t k = test_scale(10) + 1; k; k--)
    for (int i = 0; i < 3; i++) storm(worker_counts[i], LEAT_KEEP_FIRST), storm(worker_counts[i], LEAT_KEEP_LAST);
}
