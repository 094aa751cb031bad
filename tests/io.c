/* Descriptors: pipes, sockets, regular files; deadlines, cancellation, closing under waiters, errors as statuses.
 *
 * Scenarios are after Go's net/timeout_test.go, net/net_test.go (TestCloseRead, TestConnClose, ...), internal/poll and os/pipe_test.go. */
#include "wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_int ran;

static void make_pipe(int ends[2]) { CHECK_EQ(pipe(ends), 0); }
static void make_pair(int ends[2]) { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }

/* Fills a pipe or socket until a write would block. */
static void fill(int fd) {
  char block[4096] = {0};
  CHECK_EQ(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
  while (write(fd, block, sizeof block) > 0) {}
  while (write(fd, block, 1) > 0) {}
}

LEAT_FN(reads, int, fd, const char *, expected) {
  char buffer[64];
  ssize_t n = leat_io_read(fd, buffer, sizeof buffer);
  CHECK_EQ(n, strlen(expected));
  CHECK(memcmp(buffer, expected, (size_t)n) == 0);
  ran++;
}
LEAT_FN(reads_status, int, fd, ssize_t, expected) {
  char buffer[64];
  CHECK_EQ(leat_io_read(fd, buffer, sizeof buffer), expected);
  ran++;
}
LEAT_FN(writes_status, int, fd, int, expected) {
  char block[4096] = {0};
  ssize_t n;
  do n = leat_io_write(fd, block, sizeof block);
  while (n > 0);
  CHECK_EQ(n, expected);
  ran++;
}

static void check_wakes_reader(void make(int[2])) {
  int ends[2];
  make(ends);
  leat_scope(s);
  leat_go(s, reads, ends[0], "hello");
  wait_blocked("reads", 1);
  CHECK_EQ(leat_io_write(ends[1], "hello", 5), 5);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1);
  char byte;
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  CHECK_EQ(leat_io_read(ends[0], &byte, 1), 0); /* end of file */
  CHECK_EQ(leat_io_read(ends[0], &byte, 1), 0);
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
}
TEST_GO(a_pipe) { check_wakes_reader(make_pipe); }
TEST_GO(a_socket_pair) { check_wakes_reader(make_pair); }
TEST_GO(end_of_file_wakes_a_reader) {
  int ends[2];
  make_pipe(ends);
  leat_scope(s);
  leat_go(s, reads_status, ends[0], 0);
  wait_blocked("reads_status", 1);
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
}
LEAT_FN(reads_all, int, fd, size_t, size) {
  size_t got = 0;
  unsigned char buffer[3000];
  for (;;) {
    ssize_t n = leat_io_read(fd, buffer, sizeof buffer);
    CHECK(n >= 0);
    if (n == 0) break;
    for (ssize_t i = 0; i < n; i++) CHECK_EQ(buffer[i], (unsigned char)((got + (size_t)i) * 31 >> 3));
    got += (size_t)n;
  }
  CHECK_EQ(got, size);
  ran++;
}
static void check_write_all(void make(int[2])) {
  int ends[2];
  make(ends);
  leat_scope(s);
  size_t size = 3000000, written = 0;
  unsigned char *data = malloc(size);
  leat_defer(free, data);
  for (size_t i = 0; i < size; i++) data[i] = (unsigned char)(i * 31 >> 3);
  leat_go(s, reads_all, ends[0], size);
  CHECK_EQ(leat_io_write_all(ends[1], data, size, LEAT_NEVER, &written), LEAT_OK);
  CHECK_EQ(written, size);
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 1);
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
}
TEST_GO(a_long_write_to_a_pipe) { check_write_all(make_pipe); }
TEST_GO(a_long_write_to_a_socket) { check_write_all(make_pair); }

TEST_GO(a_regular_file) {
  char path[4200];
  snprintf(path, sizeof path, "%s/file", test_tmpdir());
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(leat_io_write(fd, "hello world", 11), 11);
  CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
  leat_scope(s);
  leat_go(s, reads, fd, "world");
  CHECK_EQ(leat_wait(s), LEAT_OK);
  char buffer[8];
  CHECK_EQ(leat_io_read(fd, buffer, 8), 0);
  CHECK_EQ(leat_io_wait_read(fd, LEAT_NEVER), LEAT_OK);
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}
TEST_GO(an_eventfd) {
  int fd = eventfd(0, 0);
  leat_scope(s);
  uint64_t one = 1;
  leat_go(s, reads_status, fd, 8);
  wait_blocked("reads_status", 1);
  CHECK_EQ(leat_io_write(fd, &one, 8), 8);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}

/* Errors are statuses. */

TEST_GO(a_broken_pipe_is_a_status_and_no_signal) {
  int ends[2];
  make_pair(ends);
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
  CHECK_EQ(leat_io_write(ends[1], "x", 1), LEAT_SYSTEM(EPIPE));
  size_t written = 9;
  CHECK_EQ(leat_io_write_all(ends[1], "x", 1, LEAT_NEVER, &written), LEAT_SYSTEM(EPIPE));
  CHECK_EQ(written, 0);
  CHECK_EQ(leat_errno_of(LEAT_SYSTEM(EPIPE)), EPIPE);
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
}
TEST_GO(a_bad_descriptor_is_a_status) {
  char byte;
  CHECK_EQ(leat_io_read(-1, &byte, 1), LEAT_SYSTEM(EBADF));
  CHECK_EQ(leat_io_write(1000000, &byte, 1), LEAT_SYSTEM(EBADF));
  CHECK_EQ(leat_io_accept(-1, NULL, NULL, LEAT_NEVER), LEAT_SYSTEM(EBADF));
  CHECK_EQ(leat_io_wait_read(-1, LEAT_NEVER), LEAT_SYSTEM(EBADF));
  CHECK_EQ(leat_io_close(-1), LEAT_SYSTEM(EBADF));
}

/* TCP. */

static int listener(struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof *address;
  CHECK_EQ(bind(fd, (struct sockaddr *)address, length), 0);
  CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &length), 0);
  CHECK_EQ(listen(fd, 200), 0);
  return fd;
}
LEAT_FN(echo, int, fd) {
  char buffer[512];
  ssize_t n;
  while ((n = leat_io_read(fd, buffer, sizeof buffer)) > 0) CHECK_EQ(leat_io_write_all(fd, buffer, (size_t)n, LEAT_NEVER, NULL), LEAT_OK);
  CHECK_EQ(n, 0);
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}
LEAT_FN(serve, leat_view, s, int, fd) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    int connection = leat_io_accept(fd, (struct sockaddr *)&from, &length, LEAT_NEVER);
    if (connection == LEAT_CLOSED) return;
    CHECK(connection >= 0);
    CHECK_EQ(length, sizeof from);
    CHECK_EQ(from.sin_family, AF_INET);
    CHECK(fcntl(connection, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(connection, F_GETFL) & O_NONBLOCK);
    leat_go(s, echo, connection);
  }
}
LEAT_FN(talk, const struct sockaddr_in *, address, int, number, int, rounds) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  CHECK_EQ(leat_io_connect(fd, (const struct sockaddr *)address, sizeof *address, LEAT_NEVER), LEAT_OK);
  for (int i = 0; i < rounds; i++) {
    char out[64], in[64];
    int n = snprintf(out, sizeof out, "message %d of %d", i, number), got = 0;
    CHECK_EQ(leat_io_write_all(fd, out, (size_t)n, LEAT_NEVER, NULL), LEAT_OK);
    while (got < n) {
      ssize_t more = leat_io_read(fd, in + got, sizeof in - (size_t)got);
      CHECK(more > 0);
      got += (int)more;
    }
    CHECK_EQ(got, n);
    CHECK(memcmp(in, out, (size_t)n) == 0);
  }
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
  ran++;
}
TEST_GO(a_hundred_echoing_connections) {
  leat_scope(s);
  struct sockaddr_in address;
  int fd = listener(&address);
  leat_go(s, serve, s, fd);
  {
    leat_scope(clients);
    for (int i = 0; i < 100; i++) leat_go(clients, talk, &address, i, (int)test_scale(100) + 5);
    CHECK_EQ(leat_wait(clients), LEAT_OK);
  }
  CHECK_EQ(ran, 100);
  CHECK_EQ(leat_io_close(fd), LEAT_OK); /* ends the server */
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* What a short read of a TCP socket tells (poller.h) must not hide what comes without another edge: an end that came with the data, data
 * behind urgent data, and what comes between any two steps. */
static void make_tcp(int ends[2]) {
  struct sockaddr_in address;
  int fd = listener(&address);
  ends[1] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(leat_io_connect(ends[1], (struct sockaddr *)&address, sizeof address, LEAT_NEVER), LEAT_OK);
  CHECK((ends[0] = leat_io_accept(fd, NULL, NULL, LEAT_NEVER)) >= 0);
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}
TEST_GO(an_end_that_came_with_the_data) {
  for (int known = 0; known < 2; known++) {
    int ends[2];
    char buffer[64];
    make_tcp(ends);
    if (known) { /* to the poller, too */
      CHECK_EQ(leat_io_read_until(ends[0], buffer, sizeof buffer, leat_now() + LEAT_MS(1)), LEAT_DEADLINE);
      CHECK_EQ(send(ends[1], "one", 3, 0), 3);
      CHECK_EQ(leat_io_read(ends[0], buffer, sizeof buffer), 3);
    }
    CHECK_EQ(send(ends[1], "last", 4, 0), 4);
    CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
    CHECK_EQ(leat_io_read(ends[0], buffer, sizeof buffer), 4);
    CHECK_EQ(leat_io_read(ends[0], buffer, sizeof buffer), 0);
    CHECK_EQ(leat_io_read(ends[0], buffer, sizeof buffer), 0);
    CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
  }
}
TEST_GO(data_behind_urgent_data) {
  for (int known = 0; known < 2; known++) {
    int ends[2], n = 0;
    char buffer[64] = "";
    make_tcp(ends);
    if (known) CHECK_EQ(leat_io_read_until(ends[0], buffer, sizeof buffer, leat_now() + LEAT_MS(1)), LEAT_DEADLINE);
    CHECK_EQ(send(ends[1], "before", 6, 0), 6);
    CHECK_EQ(send(ends[1], "!", 1, MSG_OOB), 1);
    CHECK_EQ(send(ends[1], "behind", 6, 0), 6);
    while (n < 12) {
      ssize_t more = leat_io_read_until(ends[0], buffer + n, sizeof buffer - 1 - (size_t)n, leat_now() + LEAT_SECONDS(20));
      CHECK(more > 0);
      n += (int)more;
    }
    CHECK_EQ(strcmp(buffer, "beforebehind"), 0);
    CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
    CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  }
}
LEAT_FN(send_pieces, int, fd, unsigned, seed, int, n) {
  char piece[32];
  for (int i = 0; i < n; i++) {
    size_t size = 1 + (size_t)(rand_r(&seed) % 32);
    for (size_t k = 0; k < size; k++) piece[k] = (char)(i + (int)k);
    CHECK_EQ(leat_io_write_all(fd, piece, size, LEAT_NEVER, NULL), LEAT_OK);
    if (rand_r(&seed) % 3 == 0) CHECK_EQ(leat_yield(), LEAT_OK);
    if (rand_r(&seed) % 64 == 0) CHECK_EQ(leat_sleep(LEAT_US(rand_r(&seed) % 200)), LEAT_OK);
  }
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}
LEAT_FN(receive_pieces, int, fd, unsigned, seed, int, n) {
  unsigned sizes = seed;
  char buffer[40];
  size_t at = 0, size = 0;
  for (int i = -1;;) {
    ssize_t got = leat_io_read_until(fd, buffer, 1 + (size_t)(rand_r(&seed) % 40), leat_now() + LEAT_SECONDS(50));
    CHECK(got >= 0);
    if (!got) {
      CHECK(i == n - 1 && at == size);
      break;
    }
    for (ssize_t k = 0; k < got; k++) {
      if (at == size) {
        i++;
        at = 0;
        size = 1 + (size_t)(rand_r(&sizes) % 32);
        if (rand_r(&sizes) % 3 == 0) {}
        if (rand_r(&sizes) % 64 == 0) rand_r(&sizes);
      }
      CHECK_EQ(buffer[k], (char)(i + (int)at));
      at++;
    }
  }
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
  ran++;
}
TEST_GO(pieces_of_any_size_at_any_time) {
  leat_scope(s);
  enum { CONNECTIONS = 8 };
  for (unsigned i = 0; i < CONNECTIONS; i++) {
    int ends[2];
    make_tcp(ends);
    leat_go(s, send_pieces, ends[1], i + 1, (int)test_scale(20000) + 20);
    leat_go(s, receive_pieces, ends[0], i + 1, (int)test_scale(20000) + 20);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, CONNECTIONS);
}
TEST_GO(a_refused_connection_is_a_status) {
  struct sockaddr_in address;
  CHECK_EQ(close(listener(&address)), 0); /* nobody listens there now */
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(leat_io_connect(fd, (struct sockaddr *)&address, sizeof address, LEAT_NEVER), LEAT_SYSTEM(ECONNREFUSED));
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
}

/* Deadlines and cancellation. */

TEST_GO(deadlines_are_not_early) {
  int ends[2];
  make_pair(ends);
  fill(ends[1]);
  char byte = 0;
  size_t written = 9;
  int64_t deadline = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_io_read_until(ends[1], &byte, 1, deadline), LEAT_DEADLINE);
  CHECK(leat_now() >= deadline);
  deadline = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_io_write_until(ends[1], &byte, 1, deadline), LEAT_DEADLINE);
  CHECK(leat_now() >= deadline);
  deadline = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_io_write_all(ends[1], &byte, 1, deadline, &written), LEAT_DEADLINE);
  CHECK(leat_now() >= deadline);
  CHECK_EQ(written, 0);
  deadline = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_io_wait_read(ends[1], deadline), LEAT_DEADLINE);
  CHECK(leat_now() >= deadline);
  CHECK_EQ(leat_io_wait_write(ends[1], leat_now() - 1), LEAT_DEADLINE);
  struct sockaddr_in address;
  int fd = listener(&address);
  deadline = leat_now() + LEAT_MS(3);
  CHECK_EQ(leat_io_accept(fd, NULL, NULL, deadline), LEAT_DEADLINE);
  CHECK(leat_now() >= deadline);
  CHECK_EQ(leat_io_wait_read(ends[0], LEAT_NEVER), LEAT_OK);
  CHECK_EQ(leat_io_wait_write(ends[0], LEAT_NEVER), LEAT_OK);
  CHECK_EQ(leat_io_read_until(ends[0], &byte, 1, leat_now() + LEAT_SECONDS(1000)), 1);
}
LEAT_FN(write_all_part, int, fd, size_t *, written) {
  static char data[10000000];
  CHECK_EQ(leat_io_write_all(fd, data, sizeof data, LEAT_NEVER, written), LEAT_CANCELED);
  ran++;
}
TEST_GO(a_write_cancelled_in_the_middle_says_how_much) {
  int ends[2];
  make_pipe(ends);
  size_t written = 0;
  {
    leat_scope(s);
    leat_go(s, write_all_part, ends[1], &written);
    wait_blocked("write_all_part", 1);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(ran, 1);
  CHECK(written > 0);
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  size_t got = 0;
  static char buffer[70000];
  for (ssize_t n; (n = leat_io_read(ends[0], buffer, sizeof buffer)) > 0;) got += (size_t)n;
  CHECK_EQ(got, written);
}
LEAT_FN(accepts_status, int, fd, int, expected) {
  CHECK_EQ(leat_io_accept(fd, NULL, NULL, LEAT_NEVER), expected);
  ran++;
}
TEST_GO(cancel_wakes_all_who_wait) {
  int ends[2], full[2];
  make_pair(ends);
  make_pair(full);
  fill(full[1]);
  struct sockaddr_in address;
  int fd = listener(&address);
  {
    leat_scope(s);
    for (int i = 0; i < 5; i++) leat_go(s, reads_status, ends[0], LEAT_CANCELED);
    for (int i = 0; i < 5; i++) leat_go(s, writes_status, full[1], LEAT_CANCELED);
    leat_go(s, accepts_status, fd, LEAT_CANCELED);
    wait_blocked("reads_status", 5);
    wait_blocked("writes_status", 5);
    wait_blocked("accepts_status", 1);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  CHECK_EQ(ran, 11);
}
TEST_GO(cancellation_is_looked_at_before_readiness) {
  int ends[2];
  make_pipe(ends);
  CHECK_EQ(write(ends[1], "ab", 2), 2);
  {
    leat_scope(s);
    leat_cancel(s);
    char byte;
    CHECK_EQ(leat_io_read(ends[0], &byte, 1), LEAT_CANCELED);
    CHECK_EQ(leat_io_write(ends[1], "c", 1), LEAT_CANCELED);
  }
  char buffer[8];
  CHECK_EQ(leat_io_read(ends[0], buffer, 8), 2);
}

/* Closing. */

TEST_GO(close_wakes_all_who_wait) {
  int ends[2], full[2];
  make_pair(ends);
  make_pair(full);
  fill(full[1]);
  struct sockaddr_in address;
  int fd = listener(&address);
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, reads_status, ends[0], LEAT_CLOSED);
  for (int i = 0; i < 5; i++) leat_go(s, writes_status, full[1], LEAT_CLOSED);
  leat_go(s, accepts_status, fd, LEAT_CLOSED);
  wait_blocked("reads_status", 5);
  wait_blocked("writes_status", 5);
  wait_blocked("accepts_status", 1);
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
  CHECK_EQ(leat_io_close(full[1]), LEAT_OK);
  CHECK_EQ(leat_io_close(fd), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 11);
}
TEST_GO(a_number_used_again_is_another_descriptor) {
  leat_scope(s);
  for (int i = 0; i < 100; i++) {
    int ends[2];
    make_pipe(ends);
    leat_go(s, reads, ends[0], "again");
    if (i % 2) wait_blocked("reads", 1);
    CHECK_EQ(leat_io_write_all(ends[1], "again", 5, LEAT_NEVER, NULL), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    leat_go(s, reads_status, ends[0], LEAT_CLOSED);
    wait_blocked("reads_status", 1);
    CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
    int again[2]; /* the lowest free number is the one just closed, before its waiter has run */
    make_pipe(again);
    CHECK_EQ(again[0], ends[0]);
    CHECK_EQ(leat_io_write_all(again[1], "x", 1, LEAT_NEVER, NULL), LEAT_OK);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    char byte = 0;
    CHECK_EQ(leat_io_read(again[0], &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    CHECK_EQ(leat_io_close(again[0]), LEAT_OK);
    CHECK_EQ(leat_io_close(again[1]), LEAT_OK);
    CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  }
}

/* Many on one descriptor. */

static atomic_long bytes_read;
LEAT_FN(reads_bytes, int, fd) {
  char buffer[7];
  ssize_t n;
  while ((n = leat_io_read(fd, buffer, sizeof buffer)) > 0) bytes_read += n;
  CHECK_EQ(n, 0);
}
LEAT_FN(writes_bytes, int, fd, int, n) {
  for (int i = 0; i < n; i++) CHECK_EQ(leat_io_write_all(fd, "abcdefghijk", 11, LEAT_NEVER, NULL), LEAT_OK);
}
TEST_GO(many_readers_and_writers_of_one_descriptor) {
  int ends[2];
  make_pair(ends);
  leat_scope(s);
  int n = (int)test_scale(2000);
  for (int i = 0; i < 8; i++) leat_go(s, reads_bytes, ends[0]);
  {
    leat_scope(writers);
    for (int i = 0; i < 8; i++) leat_go(writers, writes_bytes, ends[1], n);
    CHECK_EQ(leat_wait(writers), LEAT_OK);
  }
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(bytes_read, 8L * n * 11);
}
TEST_GO(both_directions_of_one_socket_at_once) {
  int ends[2];
  make_pair(ends);
  leat_scope(s);
  int n = (int)test_scale(2000);
  leat_go(s, reads_bytes, ends[0]);
  leat_go(s, reads_bytes, ends[1]);
  {
    leat_scope(writers);
    leat_go(writers, writes_bytes, ends[0], n);
    leat_go(writers, writes_bytes, ends[1], n);
    CHECK_EQ(leat_wait(writers), LEAT_OK);
  }
  CHECK_EQ(shutdown(ends[0], SHUT_WR), 0);
  CHECK_EQ(shutdown(ends[1], SHUT_WR), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(bytes_read, 2L * n * 11);
}

/* A plain thread uses the same functions. */
TEST(on_a_plain_thread) {
  int ends[2];
  make_pipe(ends);
  char buffer[8];
  CHECK_EQ(leat_io_read_until(ends[0], buffer, 8, leat_now() + LEAT_MS(3)), LEAT_DEADLINE);
  leat_scope(s);
  leat_go(s, writes_bytes, ends[1], 3);
  int got = 0;
  while (got < 33) {
    ssize_t n = leat_io_read(ends[0], buffer, 8);
    CHECK(n > 0);
    got += (int)n;
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(leat_io_close(ends[0]), LEAT_OK);
  CHECK_EQ(leat_io_close(ends[1]), LEAT_OK);
}
