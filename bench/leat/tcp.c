/* An echo server: a goroutine a connection. bench/tcp/load.c runs it; it serves until it is killed. */
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>

LEAT_FN(echo, int, fd) {
  char buffer[4096];
  ssize_t n;
  while ((n = leat_io_read(fd, buffer, sizeof buffer)) > 0)
    if (leat_io_write_all(fd, buffer, (size_t)n, LEAT_NEVER, NULL)) break;
  must(leat_io_close(fd));
}

static double serve(int64_t *unused) {
  (void)unused;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  expect("listening", bind(listener, (struct sockaddr *)&address, size) || listen(listener, SOMAXCONN) || getsockname(listener, (struct sockaddr *)&address, &size), 0);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  leat_scope(s);
  for (;;) {
    int fd = leat_io_accept(listener, NULL, NULL, LEAT_NEVER);
    if (fd < 0) wrong("accept", fd, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    must(leat_go(s, echo, fd));
  }
}

const struct benchmark tcp_benchmarks[] = {FIXED("tcp-echo-50", "", serve), FIXED("tcp-echo-10000", "", serve), {0}};
