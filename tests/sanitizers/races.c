/* Programs with a data race. Most run one goroutine after the other, so that only the order that leat promises counts. */
#include "programs.h"
#include <pthread.h>

#define RACE(name, function) BROKEN(name, function, "data race", NULL)

/* Lets the others run, without being ordered after what they do. */
static void let_others_run(void) {
  for (int i = 0; i < 20; i++) {
    leat_yield();
    leat_sleep(LEAT_US(200));
  }
}

static int counter;
LEAT_FN(increment, int, n) {
  while (n--) {
    counter++;
    leat_yield();
  }
}
RACE(two_increment_a_counter, "increment") {
  leat_scope(s);
  leat_go(s, increment, 3);
  leat_go(s, increment, 3);
  let_others_run();
}
LEAT_FN(increment_once, int, unused) {
  (void)unused;
  counter++;
}
RACE(one_after_the_other_on_one_stack, "increment_once") {
  leat_scope(s);
  leat_go(s, increment_once, 1);
  let_others_run(); /* it has ended, and the next gets its stack */
  leat_go(s, increment_once, 2);
  let_others_run();
}

typedef struct {
  int value;
} box;
LEAT_FN(read_box, leat_rx(box *), in) {
  leat_range(box *, b, in) MUST(b->value >= 0);
}
static void write_after_send(box *b) { b->value++; }
static void send_and_write(size_t capacity) {
  static box b;
  leat_scope(s);
  leat_chan(box *) c = leat_chan_make(s, box *, capacity);
  leat_go(s, read_box, leat_rx_of(c));
  MUST(leat_send(c, &b) == LEAT_OK);
  let_others_run();
  write_after_send(&b);
  leat_close(c);
  MUST(leat_wait(s) == LEAT_OK);
}
RACE(write_after_an_unbuffered_send, "write_after_send") { send_and_write(0); }
RACE(write_after_a_buffered_send, "write_after_send") { send_and_write(4); }

/* Both send on the same channel, and take its lock; that orders nothing. */
static int shared;
LEAT_FN(write_and_send, leat_tx(int), out, int, value) {
  MUST(leat_send(out, value) == LEAT_OK);
  shared = value;
  MUST(leat_send(out, value) == LEAT_OK);
}
RACE(two_senders_of_one_channel, "write_and_send") {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 10);
  leat_go(s, write_and_send, leat_tx_of(c), 1);
  let_others_run();
  leat_go(s, write_and_send, leat_tx_of(c), 2);
  MUST(leat_wait(s) == LEAT_OK);
}
/* A receive does not tell who sends into a free place of a buffer. */
LEAT_FN(write_and_receive, leat_rx(int), in) {
  int v;
  shared = 1;
  MUST(leat_recv(in, &v) == LEAT_OK);
}
static void read_after_send(leat_tx(int) out) {
  MUST(leat_send(out, 1) == LEAT_OK && shared >= 0);
}
RACE(a_receive_from_a_buffer_that_was_not_full, "read_after_send") {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 3);
  MUST(leat_send(c, 1) == LEAT_OK);
  leat_go(s, write_and_receive, leat_rx_of(c));
  let_others_run();
  read_after_send(leat_tx_of(c));
}
RACE(a_receiver_that_waited_at_a_buffer, "read_after_send") {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 3);
  leat_go(s, write_and_receive, leat_rx_of(c));
  let_others_run();
  read_after_send(leat_tx_of(c));
}

LEAT_FN(store, int *, place, int, value) { *place = value; }
static int read_result(const int *result) { return *result; }
RACE(read_before_the_join, "read_result") {
  int result = 0;
  leat_scope(s);
  leat_task *task = leat_spawn(s, store, &result, 5);
  let_others_run();
  MUST(read_result(&result) == 5);
  MUST(leat_join(task) == LEAT_OK);
}

struct map {
  int keys[16], values[16], n;
};
static void put(struct map *m, int key, int value) {
  m->keys[m->n] = key;
  m->values[m->n++] = value;
}
LEAT_FN(fill_map, struct map *, m, int, from) {
  for (int i = from; i < from + 4; i++) {
    put(m, i, i);
    leat_yield();
  }
}
RACE(a_map_without_a_lock, "put") {
  struct map m = {.n = 0};
  leat_scope(s);
  leat_go(s, fill_map, &m, 0);
  leat_go(s, fill_map, &m, 100);
  MUST(leat_wait(s) == LEAT_OK);
}

static bool stop_flag;
LEAT_FN(work_until_flag, int *, worked) {
  while (!*(volatile bool *)&stop_flag) {
    ++*worked;
    leat_yield();
  }
}
static void set_flag(void) { stop_flag = true; }
RACE(a_flag_to_stop_by, "work_until_flag") {
  int worked = 0;
  leat_scope(s);
  leat_go(s, work_until_flag, &worked);
  let_others_run();
  set_flag();
  MUST(leat_wait(s) == LEAT_OK && worked > 0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long balance;
LEAT_FN(deposit, int, amount) {
  for (int i = 0; i < 5; i++) {
    pthread_mutex_lock(&lock);
    balance += amount;
    pthread_mutex_unlock(&lock);
    leat_yield();
  }
}
static long read_without_lock(void) { return balance; }
RACE(a_reader_without_the_lock, "read_without_lock") {
  leat_scope(s);
  leat_go(s, deposit, 1);
  let_others_run();
  MUST(read_without_lock() >= 0);
}

static box *instance;
static box *get_instance(void) {
  if (instance) return instance;
  pthread_mutex_lock(&lock);
  if (!instance) {
    box *b = malloc(sizeof *b);
    b->value = 1;
    instance = b;
  }
  pthread_mutex_unlock(&lock);
  return instance;
}
LEAT_FN(use_instance, int, unused) {
  (void)unused;
  MUST(get_instance()->value == 1);
}
RACE(double_checked_initialisation, "get_instance") {
  leat_scope(s);
  leat_go(s, use_instance, 1);
  let_others_run();
  leat_go(s, use_instance, 2);
  MUST(leat_wait(s) == LEAT_OK);
}

static atomic_int printed;
LEAT_FN(print_number, const int *, number) {
  MUST(*number >= 0);
  printed++;
}
static void start_all(struct leat_scope *s) {
  int i;
  for (i = 0; i < 4; i++) {
    leat_go(s, print_number, &i); /* the variable, not its value */
    let_others_run();
  }
}
RACE(the_loop_variable_by_pointer, "start_all") {
  leat_scope(s);
  start_all(s);
  MUST(leat_wait(s) == LEAT_OK);
}

/* A cancellation is no order for who does not ask for it. */
LEAT_FN(write_when_cancelled, struct leat_scope *, s) {
  leat_shield(last);
  shared = 2;
  leat_cancel(s);
}
static int read_uncancelled(void) { return shared; }
RACE(a_cancel_that_was_not_looked_at, "read_uncancelled") {
  leat_scope(outer);
  leat_scope(s);
  leat_go(outer, write_when_cancelled, s);
  for (int i = 0; i < 10000; i++) sched_yield();
  leat_blocking { usleep(20000); }
  MUST(read_uncancelled() >= 0);
}

/* Timers wake many, and order none of them. */
LEAT_FN(tick_and_write, leat_rx(int64_t), ticks, int, value) {
  int64_t at;
  for (int i = 0; i < 3; i++) {
    MUST(leat_recv(ticks, &at) == LEAT_OK);
    shared = value;
  }
}
RACE(two_tickers, "tick_and_write") {
  leat_scope(s);
  leat_go(s, tick_and_write, leat_timer_chan(leat_ticker_start(s, LEAT_MS(1))), 1);
  leat_go(s, tick_and_write, leat_timer_chan(leat_ticker_start(s, LEAT_MS(2))), 2);
  MUST(leat_wait(s) == LEAT_OK);
}

/* What the library reads and writes for its caller. */
LEAT_FN(receive_into, leat_rx(int), in, int *, target) { MUST(leat_recv(in, target) == LEAT_OK); }
RACE(a_receive_into_memory_that_another_uses, "receive_into") {
  int target = 0;
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 1);
  leat_go(s, receive_into, leat_rx_of(c), &target);
  let_others_run();
  MUST(leat_send(c, 1) == LEAT_OK);
  let_others_run();
  MUST(read_result(&target) == 1);
}
LEAT_FN(send_batch_of, leat_tx(int), out, const int *, items) { MUST(leat_send_n(out, items, 3, NULL) == LEAT_OK); }
RACE(a_batch_that_another_changes, "send_batch_of") {
  static int items[3] = {1, 2, 3};
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 3);
  leat_go(s, send_batch_of, leat_tx_of(c), &items[0]);
  let_others_run();
  items[2] = 4;
  MUST(leat_wait(s) == LEAT_OK);
}
LEAT_FN(read_pipe_into, int, fd, char *, buffer) { MUST(leat_io_read(fd, buffer, 4) == 4); }
RACE(a_buffer_that_is_read_into, "read_pipe_into") {
  int fds[2];
  char buffer[4] = "";
  leat_scope(s);
  MUST(pipe(fds) == 0 && write(fds[1], "abcd", 4) == 4);
  leat_go(s, read_pipe_into, fds[0], &buffer[0]);
  let_others_run();
  MUST(buffer[0] == 'a');
  leat_io_close(fds[0]);
  close(fds[1]);
}

LEAT_FN(done_too_early, leat_waitgroup *, group, int *, result) {
  leat_waitgroup_done(group);
  *result = 1;
}
RACE(counted_back_before_the_write, "read_result") {
  leat_waitgroup group = {0};
  int result = 0;
  leat_scope(s);
  leat_waitgroup_add(&group, 1);
  leat_go(s, done_too_early, &group, &result);
  leat_waitgroup_wait(&group);
  let_others_run();
  MUST(read_result(&result) == 1);
}

static void *write_on_thread(void *place) {
  *(int *)place = 1;
  leat_yield();
  return NULL;
}
RACE(a_thread_and_a_goroutine, "write_on_thread") {
  pthread_t thread;
  int place = 0;
  leat_scope(s);
  leat_go(s, store, &place, 2);
  let_others_run();
  MUST(pthread_create(&thread, NULL, write_on_thread, &place) == 0);
  leat_blocking { pthread_join(thread, NULL); }
}

static struct {
  leat_mutex lock, another;
  leat_rwmutex rwlock;
  leat_cond changed;
  int n;
} guarded;
LEAT_FN(count_under, leat_mutex *, lock) { leat_locked(lock) guarded.n++; }
RACE(two_locks_for_one_thing, "count_under") {
  leat_scope(s);
  leat_go(s, count_under, &guarded.lock);
  let_others_run();
  leat_go(s, count_under, &guarded.another);
  let_others_run();
}
LEAT_FN(look_without_the_lock, int *, n) { *n = guarded.n; }
RACE(looking_without_the_mutex, "look_without_the_lock") {
  int n = 0;
  leat_scope(s);
  leat_go(s, look_without_the_lock, &n);
  leat_go(s, count_under, &guarded.lock);
  let_others_run();
}
LEAT_FN(count_as_a_reader, int, unused) {
  (void)unused;
  leat_read_locked(&guarded.rwlock) guarded.n++;
}
RACE(writing_under_a_read_lock, "count_as_a_reader") {
  leat_scope(s);
  leat_go(s, count_as_a_reader, 1);
  let_others_run();
  leat_go(s, count_as_a_reader, 2);
  let_others_run();
}
LEAT_FN(wait_for_change, int, n) {
  leat_mutex_lock(&guarded.lock);
  while (guarded.n == n && leat_cond_wait(&guarded.changed, &guarded.lock) == LEAT_OK) {}
  leat_mutex_unlock(&guarded.lock);
}
static void change_without_the_lock(void) { guarded.n++; }
RACE(a_condition_that_changes_without_its_lock, "change_without_the_lock") {
  leat_scope(s);
  leat_go(s, wait_for_change, guarded.n);
  let_others_run();
  change_without_the_lock();
  leat_cond_signal(&guarded.changed);
  let_others_run();
  leat_cond_signal(&guarded.changed);
}

static leat_event happened;
LEAT_FN(wait_and_read, int *, place) {
  leat_event_wait(&happened);
  MUST(*place >= 0);
}
static void write_after_set(int *place) { *place = 2; }
RACE(writing_after_the_event, "write_after_set") {
  int place = 0;
  leat_scope(s);
  leat_go(s, wait_and_read, &place);
  leat_event_set(&happened);
  let_others_run();
  write_after_set(&place);
}

static leat_pool(box) boxes;
LEAT_FN(take_one, box **, taken) {
  MUST(leat_pool_get(&boxes, taken) == LEAT_OK);
  (*taken)->value = 1;
  leat_yield();
}
static void write_after_put(box *b) { b->value = 2; }
RACE(writing_after_a_put, "write_after_put") {
  box *b, *taken = NULL;
  leat_scope(s);
  MUST(leat_pool_get(&boxes, &b) == LEAT_OK);
  leat_pool_put(&boxes, b);
  leat_go(s, take_one, &taken);
  let_others_run();
  write_after_put(b);
}

LEAT_FN(fail_and_write, int *, place) {
  leat_fail(LEAT_FAILED, "before the write");
  *place = 1;
}
RACE(reading_before_the_failure_has_been_waited_for, "read_result") {
  int place = 0;
  leat_scope(s);
  leat_go(s, fail_and_write, &place);
  let_others_run();
  MUST(read_result(&place) == 1);
}
