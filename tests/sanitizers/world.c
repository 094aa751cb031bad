/* Time, descriptors, signals, threads' own state. */
#include "programs.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

LEAT_FN(tick_and_count, leat_rx(int64_t), ticks, const int *, started, int *, count) {
  for (int i = 0; i < 3; i++) {
    int64_t at;
    MUST(leat_recv(ticks, &at) == LEAT_OK && *started == 1);
    ++*count;
  }
}
PROGRAM(a_tick_shows_what_the_starter_did) {
  leat_scope(s);
  int started = 0, count = 0;
  leat_chan(leat_rx(int64_t)) c = leat_chan_make(s, leat_rx(int64_t), 0);
  (void)c;
  started = 1;
  leat_timer *t = leat_ticker_start(s, LEAT_MS(1));
  leat_go(s, tick_and_count, leat_timer_chan(t), &started, &count);
  MUST(leat_wait(s) == LEAT_OK && count == 3);
  leat_timer_release(t);
}

static leat_timer *shared_timer;
static int reset_by;
LEAT_FN(await_reset, leat_rx(int64_t), fired) {
  int64_t at;
  MUST(leat_recv(fired, &at) == LEAT_OK && reset_by == 2);
}
PROGRAM(timers_are_reset_and_stopped) {
  leat_scope(s);
  shared_timer = leat_timer_start(s, LEAT_SECONDS(100));
  leat_go(s, await_reset, leat_timer_chan(shared_timer));
  leat_yield();
  reset_by = 2;
  MUST(leat_timer_reset(shared_timer, LEAT_MS(1)));
  MUST(leat_wait(s) == LEAT_OK && !leat_timer_stop(shared_timer));
}

LEAT_FN(sleep_a_little, int, ms, int *, slept) {
  MUST(leat_sleep(LEAT_MS(ms)) == LEAT_OK);
  *slept = ms;
}
PROGRAM(sleepers) {
  int slept[10] = {0};
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, sleep_a_little, i % 4, &slept[i]);
  MUST(leat_wait(s) == LEAT_OK);
  for (int i = 0; i < 10; i++) MUST(slept[i] == i % 4);
  int64_t at;
  MUST(leat_select(leat_on_recv(leat_after(s, LEAT_MS(1)), &at), leat_on_timeout(LEAT_SECONDS(100))) == 0);
}

/* What is written to a pipe was done before it is read. */
static int before_pipe;
LEAT_FN(write_to_pipe, int, fd) {
  before_pipe = 11;
  MUST(leat_io_write_all(fd, "hello", 5, LEAT_NEVER, NULL) == LEAT_OK);
  leat_io_close(fd);
}
PROGRAM(a_pipe) {
  int fds[2];
  char buffer[16];
  size_t got = 0;
  ssize_t n;
  leat_scope(s);
  MUST(pipe2(fds, O_CLOEXEC) == 0);
  leat_go(s, write_to_pipe, fds[1]);
  while ((n = leat_io_read(fds[0], buffer + got, sizeof buffer - got)) > 0) got += (size_t)n;
  MUST(got == 5 && before_pipe == 11 && memcmp(buffer, "hello", 5) == 0);
  leat_io_close(fds[0]);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(echo, int, fd) {
  char buffer[64];
  ssize_t n;
  while ((n = leat_io_read(fd, buffer, sizeof buffer)) > 0) MUST(leat_io_write_all(fd, buffer, (size_t)n, LEAT_NEVER, NULL) == LEAT_OK);
  leat_io_close(fd);
}
LEAT_FN(accept_all, int, listening, int, clients) {
  leat_scope(s);
  while (clients--) {
    int fd = leat_io_accept(listening, NULL, NULL, LEAT_NEVER);
    MUST(fd >= 0);
    leat_go(s, echo, fd);
  }
  MUST(leat_wait(s) == LEAT_OK);
}
LEAT_FN(talk, struct sockaddr_in, address, int, number) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MUST(fd >= 0 && leat_io_connect(fd, (struct sockaddr *)&address, sizeof address, LEAT_NEVER) == LEAT_OK);
  for (int i = 0; i < 5; i++) {
    char out[16], in[16];
    int n = snprintf(out, sizeof out, "%d:%d", number, i);
    MUST(leat_io_write_all(fd, out, (size_t)n, LEAT_NEVER, NULL) == LEAT_OK);
    MUST(leat_io_read(fd, in, sizeof in) == n && memcmp(in, out, (size_t)n) == 0);
  }
  leat_io_close(fd);
}
PROGRAM(an_echo_server) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MUST(bind(listening, (struct sockaddr *)&address, length) == 0 && listen(listening, 10) == 0);
  MUST(getsockname(listening, (struct sockaddr *)&address, &length) == 0);
  leat_scope(s);
  leat_go(s, accept_all, listening, 4);
  for (int i = 0; i < 4; i++) leat_go(s, talk, address, i);
  MUST(leat_wait(s) == LEAT_OK);
  leat_io_close(listening);
}

static atomic_int reads_begun;
LEAT_FN(read_for_ever, int, fd, const int *, why) {
  char c;
  reads_begun++;
  ssize_t n = leat_io_read(fd, &c, 1);
  MUST(n == LEAT_CLOSED && *why == 3);
}
PROGRAM(a_close_wakes_who_reads) {
  int fds[2], why = 0;
  leat_scope(s);
  reads_begun = 0;
  MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  leat_go(s, read_for_ever, fds[0], &why);
  while (!reads_begun) leat_yield();
  leat_sleep(LEAT_MS(30)); /* until it waits */
  why = 3;
  leat_io_close(fds[0]);
  MUST(leat_wait(s) == LEAT_OK);
  leat_io_close(fds[1]);
}

LEAT_FN(set_errno, int, value) {
  for (int i = 0; i < 20; i++) {
    MUST(open("/nonexistent/file", O_RDONLY) < 0 && errno == ENOENT);
    errno = value;
    leat_yield();
  }
}
PROGRAM(goroutines_share_a_threads_errno) {
  leat_scope(s);
  for (int i = 0; i < 8; i++) leat_go(s, set_errno, i);
  MUST(leat_wait(s) == LEAT_OK);
}

static _Thread_local int mark;
LEAT_FN(mark_thread, int, value) {
  mark = value;
  for (int i = 0; i < 10; i++) {
    leat_sleep(LEAT_US(100));
    MUST(mark == value);
  }
}
PROGRAM(pinned_goroutines_have_a_thread) {
  leat_scope(s);
  leat_go_options pinned = {.pinned = 1};
  for (int i = 1; i <= 3; i++) MUST(leat_go_with(s, pinned, mark_thread, i) == LEAT_OK);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(block_the_thread, int *, done) {
  leat_blocking { usleep(2000); }
  usleep(15000); /* unmarked */
  *done = 1;
}
PROGRAM(threads_are_blocked) {
  int done[4] = {0};
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, block_the_thread, &done[i]);
  MUST(leat_wait(s) == LEAT_OK && done[0] + done[1] + done[2] + done[3] == 4);
}

LEAT_FN(compute, long *, result) {
  long sum = 0;
  for (int i = 0; i < 20000 && leat_checkpoint() == LEAT_OK; i++) sum += i;
  *result = sum;
}
PROGRAM(the_number_of_workers_changes) {
  long results[6];
  int before = leat_workers();
  leat_scope(s);
  for (int i = 0; i < 6; i++) leat_go(s, compute, &results[i]);
  MUST(leat_set_workers(3) == LEAT_OK);
  leat_yield();
  MUST(leat_set_workers(before) == LEAT_OK);
  MUST(leat_wait(s) == LEAT_OK);
  for (int i = 0; i < 6; i++) MUST(results[i] == 199990000);
}

static __attribute__((noinline)) int use_stack(int n) {
  volatile char large[3000];
  for (int i = 0; i < 3000; i += 100) large[i] = (char)n;
  return large[n * 100];
}
LEAT_FN(use_stack_until_cancelled, int, n) {
  while (leat_sleep(LEAT_US(10)) == LEAT_OK) use_stack(n);
}
PROGRAM(signals_on_a_channel) {
  leat_scope(s);
  leat_rx(int) signals = leat_signals(s, SIGUSR1, SIGUSR2);
  int number = 0;
  leat_go(s, use_stack_until_cancelled, 1);
  for (int i = 0; i < 20; i++) {
    kill(getpid(), SIGUSR1);
    MUST(use_stack(i) == i);
    MUST(leat_recv_until(signals, leat_now() + LEAT_SECONDS(20), &number) == LEAT_OK && number == SIGUSR1);
    MUST(use_stack(i) == i);
  }
}

LEAT_FN(lock_and_count, pthread_mutex_t *, mutex, long *, counter) {
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(mutex); /* not held across a call that blocks */
    ++*counter;
    pthread_mutex_unlock(mutex);
    leat_yield();
  }
}
PROGRAM(a_pthread_mutex_and_an_atomic) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  long counter = 0;
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, lock_and_count, &mutex, &counter);
  MUST(leat_wait(s) == LEAT_OK && counter == 200);
}

static int published;
static atomic_bool is_published;
LEAT_FN(publish, int, value) {
  published = value;
  atomic_store_explicit(&is_published, true, memory_order_release);
}
PROGRAM(an_atomic_flag_publishes) {
  leat_scope(s);
  is_published = false;
  leat_go(s, publish, 8);
  while (!atomic_load_explicit(&is_published, memory_order_acquire)) leat_yield();
  MUST(published == 8);
}

PROGRAM(a_dump_while_others_run) {
  long result;
  int slept;
  leat_scope(s);
  leat_go(s, compute, &result);
  leat_go(s, sleep_a_little, 1, &slept);
  FILE *f = fopen("/dev/null", "w");
  leat_dump(f);
  fclose(f);
  MUST(leat_wait(s) == LEAT_OK);
}
