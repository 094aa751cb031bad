/* bench-load NAME CONNECTIONS MILLISECONDS SERVER [ARGUMENT...]: runs an echo server, which prints `port N`, and keeps all connections busy with
 * one message of 64 bytes each at a time; prints the nanoseconds a message takes (the inverse of the throughput). Every byte that comes back
 * is checked. One thread: it must run on another CPU than the server. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, EVENTS = 1024 };

struct connection {
  int fd, got;
  uint32_t sent, number;
  char buffer[MESSAGE];
};

static pid_t server;

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
  if (server > 0) kill(server, SIGKILL);
  exit(1);
}
static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Returns its port. */
static int start_server(char **argv) {
  int out[2], port;
  if (pipe(out)) fail("pipe");
  server = fork();
  if (server < 0) fail("fork");
  if (server == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out[1], 1);
    close(out[0]);
    close(out[1]);
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
  }
  close(out[1]);
  FILE *f = fdopen(out[0], "r");
  if (!f || fscanf(f, "port %d", &port) != 1) fail("the server has not said its port");
  return port;
}

static void fill(const struct connection *c, char *message) {
  memset(message, (int)(c->number + c->sent), MESSAGE);
  memcpy(message, &c->number, sizeof c->number);
  memcpy(message + sizeof c->number, &c->sent, sizeof c->sent);
}
static void send_one(struct connection *c) {
  char message[MESSAGE];
  c->sent++;
  fill(c, message);
  if (send(c->fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE) fail("send");
}
/* True if the whole message has come back. */
static int receive(struct connection *c) {
  ssize_t n = recv(c->fd, c->buffer + c->got, (size_t)(MESSAGE - c->got), MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) fail("recv");
  c->got += (int)n;
  if (c->got < MESSAGE) return 0;
  char expected[MESSAGE];
  fill(c, expected);
  if (memcmp(c->buffer, expected, MESSAGE)) {
    errno = EPROTO;
    fail("what came back is not what was sent");
  }
  c->got = 0;
  return 1;
}

/* Each message that comes back is answered with another one until `until`, or until each connection has had `once`. Returns how many came. */
static int64_t exchange(int epoll, int n, int64_t until, int once) {
  struct epoll_event events[EVENTS];
  int64_t done = 0;
  while (once ? done < n : now() < until) {
    int ready = epoll_wait(epoll, events, EVENTS, 5000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 1) {
      errno = ready ? errno : ETIMEDOUT;
      fail("waiting for the server");
    }
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (!receive(c)) continue;
      done++;
      if (!once) send_one(c);
    }
  }
  return done;
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: bench-load NAME CONNECTIONS MILLISECONDS SERVER [ARGUMENT...]\n");
    return 2;
  }
  int n = atoi(argv[2]), port = start_server(argv + 4);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  struct connection *all = calloc((size_t)n, sizeof *all);
  int epoll = epoll_create1(0), on = 1;
  if (!all || epoll < 0) fail("epoll_create1");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (int i = 0; i < n; i++) {
    struct connection *c = &all[i];
    c->number = (uint32_t)i;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct linger reset = {1, 0}; /* no thousands of ports in TIME_WAIT for the next run */
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c})) fail("epoll_ctl");
  }
  for (int i = 0; i < n; i++) send_one(&all[i]); /* the server has accepted all of them when these are back */
  exchange(epoll, n, 0, 1);

  for (int i = 0; i < n; i++) send_one(&all[i]);
  int64_t start = now(), end = start + atoi(argv[3]) * INT64_C(1000000);
  int64_t done = exchange(epoll, n, end, 0), took = now() - start;
  if (!done) fail("nothing came back");
  printf("%s ns %.6g ok\n", argv[1], (double)took / (double)done);
  for (int i = 0; i < n; i++) close(all[i].fd);
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  return 0;
}
