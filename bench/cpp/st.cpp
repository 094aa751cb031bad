// The benchmarks of bench/leat on State Threads: one thread of the system, no channels, no select. Debian builds it without epoll.
#include "bench.hpp"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <st.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const int stack_size = 64 << 10;

static st_thread_t go(void *(*f)(void *), void *arg, bool joinable) {
  st_thread_t t = st_thread_create(f, arg, joinable, stack_size);
  expect("thread", t != nullptr, true);
  return t;
}

static int64_t spawn_1000(int64_t n) {
  static int64_t marks;
  std::vector<st_thread_t> all;
  marks = 0;
  const int64_t start = now();
  for (int64_t left = n; left > 0; left -= 1000) {
    for (int64_t i = 0; i < 1000 && i < left; i++) all.push_back(go([](void *) -> void * { return ++marks, nullptr; }, nullptr, true));
    for (auto t : all) st_thread_join(t, nullptr);
    all.clear();
  }
  const int64_t took = now() - start;
  expect("marks", marks, n);
  return took;
}

struct locked {
  st_mutex_t m = st_mutex_new();
  int64_t each, count = 0;
};
static int64_t mutex(int64_t n, int threads) {
  locked l;
  l.each = up(n, threads);
  const int64_t start = now();
  std::vector<st_thread_t> all;
  for (int k = 0; k < threads; k++)
    all.push_back(go([](void *arg) -> void * {
      auto *l = static_cast<locked *>(arg);
      for (int64_t i = 0; i < l->each; i++) {
        st_mutex_lock(l->m);
        l->count++;
        st_mutex_unlock(l->m);
      }
      return nullptr;
    }, &l, true));
  for (auto t : all) st_thread_join(t, nullptr);
  const int64_t took = now() - start;
  expect("count", l.count, threads * l.each);
  st_mutex_destroy(l.m);
  return took;
}

struct game {
  st_cond_t turn[2] = {st_cond_new(), st_cond_new()};
  int64_t n = 0, end;
};
struct player {
  game *g;
  int me;
};
static int64_t cond_ping_pong(int64_t n) {
  game g;
  g.end = 2 * n;
  player players[2] = {{&g, 0}, {&g, 1}};
  const int64_t start = now();
  st_thread_t all[2];
  for (int k = 0; k < 2; k++)
    all[k] = go([](void *arg) -> void * {
      auto [g, me] = *static_cast<player *>(arg);
      while (g->n < g->end) {
        while (g->n % 2 != me && g->n < g->end) st_cond_wait(g->turn[me]);
        if (g->n < g->end) g->n++;
        st_cond_signal(g->turn[!me]);
      }
      return nullptr;
    }, &players[k], true);
  for (auto t : all) st_thread_join(t, nullptr);
  const int64_t took = now() - start;
  expect("turns", g.n, g.end);
  return took;
}

static int64_t there, gone;
static double sleepers(int64_t *check) {
  const int64_t n = 100000, start = now();
  for (int64_t i = 0; i < n; i++)
    go([](void *) -> void * {
      st_usleep(100000);
      gone++;
      return nullptr;
    }, nullptr, false);
  while (gone < n) st_usleep(1000);
  *check = gone;
  return double(now() - start) / 1e6 - 100;
}

static double parked(int64_t *check) {
  const int64_t n = 100000;
  static st_cond_t gate;
  gate = st_cond_new();
  const double before = memory("VmRSS") + memory("VmPTE");
  for (int64_t i = 0; i < n; i++)
    go([](void *) -> void * {
      there++;
      st_cond_wait(gate);
      gone++;
      return nullptr;
    }, nullptr, false);
  while (there < n) st_usleep(1000);
  const double bytes = (memory("VmRSS") + memory("VmPTE") - before) / double(n);
  st_cond_broadcast(gate);
  while (gone < n) st_usleep(1000);
  *check = gone;
  return bytes;
}

static void *echo(void *arg) {
  auto fd = static_cast<st_netfd_t>(arg);
  char buffer[4096];
  for (ssize_t n; (n = st_read(fd, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0;)
    if (st_write(fd, buffer, size_t(n), ST_UTIME_NO_TIMEOUT) != n) break;
  st_netfd_close(fd);
  return nullptr;
}
static double serve(int64_t *) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  expect("listening", bind(fd, reinterpret_cast<sockaddr *>(&address), size) || listen(fd, SOMAXCONN), 0);
  getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size);
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  st_netfd_t listener = st_netfd_open_socket(fd);
  for (;;) {
    st_netfd_t connection = st_accept(listener, nullptr, nullptr, ST_UTIME_NO_TIMEOUT);
    expect("connection", connection != nullptr, true);
    const int on = 1;
    setsockopt(st_netfd_fileno(connection), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    go(echo, connection, false);
  }
}

int main(int argc, char **argv) {
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (argc > 1) {
    st_set_eventsys(ST_EVENTSYS_POLL);
    expect("st_init", st_init(), 0);
  }
  run_benchmark({
    {"spawn-1000", spawn_1000},
    {"mutex", [](int64_t n) { return mutex(n, 1); }},
    {"mutex-4", [](int64_t n) { return mutex(n, 4); }},
    {"cond-ping-pong", cond_ping_pong},
    {"sleep-100k", nullptr, "ms", sleepers},
    {"parked-100k", nullptr, "B", parked},
    {"tcp-echo-50", nullptr, "", serve},
    {"tcp-echo-10000", nullptr, "", serve},
  }, argc, argv);
}
