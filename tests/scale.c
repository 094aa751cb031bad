/* Scale: a million parked goroutines, each with a guard, in 4.8 KiB each; a hundred thousand cancelled at once. */
#include "wait.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;

/* A number in kB from a file of /proc. */
static long proc_kb(const char *path, const char *key) {
  char line[200];
  long kb = -1;
  FILE *f = fopen(path, "r");
  CHECK(f != NULL);
  while (fgets(line, sizeof line, f))
    if (strncmp(line, key, strlen(key)) == 0) sscanf(line + strlen(key), ": %ld", &kb);
  fclose(f);
  CHECK(kb >= 0);
  return kb;
}

/* MADV_GUARD_INSTALL came with Linux 6.13. */
static bool kernel_has_guard_markers(void) {
  void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(p != MAP_FAILED);
  bool has = madvise(p, 16384, 102) == 0;
  munmap(p, 65536);
  return has;
}

enum { MILLION = 1000000 };
static atomic_int arrived, received, deferred;

LEAT_FN(park, leat_rx(int), c) {
  int v;
  arrived++;
  if (leat_recv(c, &v) == LEAT_CLOSED) received++;
}
TEST_GO(a_million_parked_goroutines) {
  if (test_scale(MILLION) != MILLION) TEST_SKIP("A MILLION GOROUTINES ARE NOT TESTED: too slow and too large under instrumentation");
  if (!kernel_has_guard_markers()) TEST_SKIP("A MILLION GOROUTINES ARE NOT TESTED: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
  if (proc_kb("/proc/meminfo", "MemAvailable") < 7L << 20) TEST_SKIP("A MILLION GOROUTINES ARE NOT TESTED: less than 7 GB of memory are available");
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < MILLION; i++) CHECK_EQ(leat_go(s, park, leat_rx_of(c)), LEAT_OK);
  UNTIL(arrived == MILLION);
  CHECK_EQ(leat_scope_goroutines(s), MILLION);
  CHECK_EQ(received, 0);
  long rss = proc_kb("/proc/self/status", "VmRSS"), tables = proc_kb("/proc/self/status", "VmPTE");
  double each = (double)(rss + tables) * 1024 / MILLION;
  printf("%ld kB resident, %ld kB of page tables: %.0f bytes a goroutine\n", rss, tables, each);
  CHECK(each <= 4.8 * 1024);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(received, MILLION);
}

/* A million timers: half of them stopped, the others all fire, and all of it is given back. */
static atomic_int functions_run;
LEAT_FN(count_function) { functions_run++; }
TEST_GO(a_million_timers) {
  int n = (int)test_scale(MILLION), func = n / 100;
  leat_metrics m;
  leat_timer **timers = calloc((size_t)n, sizeof *timers);
  leat_defer(free, timers);
  leat_scope(s);
  long before = proc_kb("/proc/self/status", "VmRSS");
  int64_t start = leat_now();
  for (int i = 0; i < n; i++) timers[i] = leat_timer_start(s, LEAT_SECONDS(1000) + i * INT64_C(7919) % n);
  for (int i = 0; i < func; i++) leat_timer_func(s, LEAT_SECONDS(1000), leat_bind(count_function));
  int64_t armed = leat_now();
  leat_metrics_read(&m);
  CHECK_EQ(m.timers, n + func);
  long each = (proc_kb("/proc/self/status", "VmRSS") - before) * 1024 / n;
  if (n == MILLION) CHECK(each < 500);
  for (int i = 0; i < n; i += 2) CHECK(leat_timer_stop(timers[i]));
  int64_t stopped = leat_now();
  for (int i = 1; i < n; i += 2) CHECK(leat_timer_reset(timers[i], LEAT_US(i % 1000)));
  int64_t reset = leat_now(), at;
  for (int i = 1; i < n; i += 2) CHECK_EQ(leat_recv(leat_timer_chan(timers[i]), &at), LEAT_OK);
  int64_t fired = leat_now();
  printf("%ld bytes a timer; %.0f ns to arm, %.0f to stop, %.0f to reset\n", each, (double)(armed - start) / n, (double)(stopped - armed) * 2 / n, (double)(reset - stopped) * 2 / n);
  printf("%.0f ns until the last has fired and been received, each\n", (double)(fired - reset) * 2 / n);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_try_recv(leat_timer_chan(timers[i]), &at), LEAT_EMPTY);
  leat_metrics_read(&m);
  CHECK_EQ(m.timers, func);
  CHECK_EQ(functions_run, 0);
}

/* Cancels n goroutines that are blocked in every way; each must see it, and run what it deferred. */

static void count_deferred(atomic_int *count) { ++*count; }
LEAT_FN(blocked_one, int, kind, int_chan, empty, int_chan, full, int, fd) {
  int v = 7;
  char byte;
  leat_defer(count_deferred, &deferred);
  arrived++;
  switch (kind) {
  case 0:
    CHECK_EQ(leat_recv(empty, &v), LEAT_CANCELED);
    CHECK_EQ(v, 0);
    break;
  case 1: CHECK_EQ(leat_send(full, 1), LEAT_CANCELED); break;
  case 2: CHECK_EQ(leat_select(leat_on_recv(empty, &v), leat_on_send(full, 1), leat_on_timeout(LEAT_SECONDS(100000))), LEAT_CANCELED); break;
  case 3: CHECK_EQ(leat_sleep(LEAT_SECONDS(100000)), LEAT_CANCELED); break;
  case 4: CHECK_EQ(leat_io_read(fd, &byte, 1), LEAT_CANCELED); break;
  }
}
TEST_GO(a_hundred_thousand_are_cancelled) {
  int n = (int)test_scale(100000), sockets = (int)test_scale(1000);
  struct rlimit files;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int (*pairs)[2] = calloc((size_t)sockets, sizeof *pairs);
  leat_defer(free, pairs);
  for (int i = 0; i < sockets; i++)
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) != 0) sockets = i; /* as many as this system lets us have */
  CHECK(sockets > 0);
  {
    leat_scope(s);
    int_chan empty = leat_chan_make(s, int, 1), full = leat_chan_make(s, int, 1);
    CHECK_EQ(leat_send(full, 1), LEAT_OK);
    for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, blocked_one, i < sockets ? 4 : i % 4, empty, full, i < sockets ? pairs[i][0] : -1), LEAT_OK);
    UNTIL(arrived == n);
    wait_blocked("blocked_one", (size_t)n);
    CHECK_EQ(deferred, 0);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(leat_scope_goroutines(s), 0);
    CHECK_EQ(leat_len(full), 1);
    CHECK_EQ(leat_len(empty), 0);
  }
  CHECK_EQ(deferred, n);
  for (int i = 0; i < sockets; i++) {
    CHECK_EQ(leat_io_close(pairs[i][0]), LEAT_OK);
    CHECK_EQ(leat_io_close(pairs[i][1]), LEAT_OK);
  }
}

/* A tree of goroutines that each add up what those below them send is gone through in depth: few are alive at a time. */
static atomic_int alive, most_alive;
LEAT_FN(sum_of_leaves, leat_tx(int), out, int, first, int, leaves) {
  int now = ++alive, most = most_alive;
  while (now > most && !atomic_compare_exchange_weak(&most_alive, &most, now)) {}
  int sum = first;
  if (leaves > 1) {
    sum = 0;
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 0);
    for (int i = 0; i < 10; i++) CHECK_EQ(leat_go(s, sum_of_leaves, leat_tx_of(c), first + i * (leaves / 10), leaves / 10), LEAT_OK);
    for (int i = 0; i < 10; i++) {
      int v;
      CHECK_EQ(leat_recv(c, &v), LEAT_OK);
      sum = (int)((unsigned)sum + (unsigned)v);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_send(out, sum), LEAT_OK);
  alive--;
}
TEST_GO(a_tree_that_sends_upwards_has_few_alive) {
  int leaves = test_scale(100000) == 100000 ? 100000 : 1000, sum;
  unsigned expected = 0;
  for (unsigned i = 0; i < (unsigned)leaves; i++) expected += i;
  leat_set_workers(2);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, sum_of_leaves, leat_tx_of(c), 0, leaves);
  CHECK_EQ(leat_recv(c, &sum), LEAT_OK);
  CHECK_EQ((unsigned)sum, expected);
  CHECK(most_alive < 400 + leaves / 25); /* 1,600; 7,300 where the leaves that have been received from wait behind others to end */
}

/* Memory of goroutines that have ended is given back or used again: ten waves need no more than about one. */
LEAT_FN(touch_stack, leat_rx(int), c) {
  volatile char bytes[20000];
  for (int i = 0; i < 20000; i += 1000) bytes[i] = 1;
  int v = bytes[0];
  arrived++;
  leat_recv(c, &v);
}
static void wave(int n) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  arrived = 0;
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, touch_stack, leat_rx_of(c)), LEAT_OK);
  UNTIL(arrived == n);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(stacks_are_used_again) {
  int n = (int)test_scale(20000);
  wave(n);
  long after_one = proc_kb("/proc/self/status", "VmHWM");
  for (int i = 0; i < 9; i++) wave(n);
  long after_ten = proc_kb("/proc/self/status", "VmHWM");
  CHECK(after_ten < after_one * 2);
}
