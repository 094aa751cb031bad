/* Traps that other systems fell into, one test each. Where they are told: design section 5, and what users of libdill, libmill, Photon,
 * brpc, Boost.Fiber, libgo, neco, qthreads, libgoc and Go reported (the numbers are issues of those projects).
 *
 * A trap that costs time instead of a wrong answer is tested by work that would not end within the harness's limit, or by trying again
 * until this machine lets the good case be seen. "A library that works statically and crashes as a shared object" is suites/dlopen. */
#define _GNU_SOURCE
#include "wait.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;
static atomic_int ran;

static int64_t cpu_time(void) {
  struct rusage u;
  CHECK_EQ(getrusage(RUSAGE_SELF, &u), 0);
  return LEAT_SECONDS(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + LEAT_US(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

LEAT_FN(run_once) { ran++; }
LEAT_FN(wait_for_close, leat_rx(int), c) {
  int v;
  CHECK_EQ(leat_recv(c, &v), LEAT_CLOSED);
  ran++;
}

/* Photon: a select that polls and yields instead of waiting burns a CPU. */
LEAT_FN(selects, leat_rx(int), a, leat_rx(int), b) {
  int v;
  CHECK_EQ(leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v), leat_on_timeout(LEAT_SECONDS(1000))), 1);
  ran++;
}
static void check_idle_is_idle(void) {
  leat_sleep(LEAT_MS(50)); /* spinning ends after a bounded time */
  int64_t cpu = cpu_time(), start = leat_now();
  leat_sleep(LEAT_MS(500));
  CHECK(cpu_time() - cpu < (leat_now() - start) / 4);
}
TEST_GO(a_select_that_waits_uses_no_cpu) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  for (int i = 0; i < 100; i++) leat_go(s, selects, leat_rx_of(a), leat_rx_of(b));
  wait_blocked("selects", 100);
  check_idle_is_idle();
  leat_close(b);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 100);
}
/* Nor do idle workers, or a runtime that has been used. */
TEST(an_idle_runtime_uses_no_cpu) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 8}), LEAT_OK);
  leat_scope(s);
  for (int i = 0; i < 100; i++) leat_go(s, run_once);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  check_idle_is_idle();
}

/* Photon: a closed, empty channel never becomes ready in select. */
TEST_GO(a_closed_empty_channel_is_ready_in_select) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 4), never = leat_chan_make(s, int, 0);
  leat_close(c);
  int v = 7;
  CHECK_EQ(leat_select(leat_on_recv(never, &v), leat_on_recv(c, &v)), 1);
  CHECK_EQ(leat_selected(), LEAT_CLOSED);
}

/* Photon: a select-receive that does not register is never met by an unbuffered sender. */
TEST_GO(a_select_receive_is_registered) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  leat_go(s, selects, leat_rx_of(a), leat_rx_of(b));
  wait_blocked("selects", 1);
  CHECK_EQ(leat_try_send(b, 1), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* libgoc: a waker spins until the sleeper is really parked. With eight workers on one CPU that is slow: the sleeper needs the CPU on
 * which its waker spins. */
LEAT_FN(bounce, leat_rx(int), in, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++) {
    int v = -1;
    CHECK_EQ(leat_recv(in, &v), LEAT_OK);
    CHECK_EQ(v, i);
    CHECK_EQ(leat_send(out, i), LEAT_OK);
  }
}
LEAT_FN(serve_ball, leat_rx(int), in, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++) {
    int v = -1;
    CHECK_EQ(leat_send(out, i), LEAT_OK);
    CHECK_EQ(leat_recv(in, &v), LEAT_OK);
    CHECK_EQ(v, i);
  }
}
TEST(a_waker_does_not_spin_for_its_sleeper) {
  cpu_set_t set;
  CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &set)) cpu++;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 8}), LEAT_OK); /* on one CPU */
  leat_scope(s);
  int n = (int)test_scale(10000);
  for (int i = 0; i < 16; i++) {
    int_chan to = leat_chan_make(s, int, 0), from = leat_chan_make(s, int, 0);
    leat_go(s, bounce, leat_rx_of(to), leat_tx_of(from), n);
    leat_go(s, serve_ball, leat_rx_of(from), leat_tx_of(to), n);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Photon's work-stealing fix: a sleeper stolen while it is still in the sleep queue runs twice, or its wake-up hits somebody else. The
 * time-out and the value come as close together as can be. */
LEAT_FN(value_or_timeout, leat_rx(int), c, atomic_int *, got) {
  int v = -1;
  int status = leat_recv_until(c, leat_now() + LEAT_US(30), &v);
  CHECK(status == LEAT_OK || status == LEAT_DEADLINE);
  if (status == LEAT_OK) ++*got;
  ran++;
}
LEAT_FN(value_in_time, leat_tx(int), c, atomic_int *, given) {
  leat_sleep(LEAT_US(25));
  int status = leat_send_until(c, leat_now() + LEAT_US(20), 1);
  CHECK(status == LEAT_OK || status == LEAT_DEADLINE);
  if (status == LEAT_OK) ++*given;
  ran++;
}
TEST_GO(a_sleeper_is_woken_once) {
  static atomic_int got, given;
  int rounds = (int)test_scale(300) + 3;
  for (int i = 1; i <= rounds; i++) {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 0);
    for (int k = 0; k < 50; k++) {
      leat_go(s, value_or_timeout, leat_rx_of(c), &got);
      leat_go(s, value_in_time, leat_tx_of(c), &given);
    }
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(ran, 100 * i);
    CHECK_EQ(got, given);
  }
}

/* Photon #1093: waking through a freed stack. Goroutines end as soon as they are woken, by a timer, a close and a cancel at once, and
 * their stacks are used again at once. */
LEAT_FN(ends_when_woken, leat_rx(int), c, int, i) {
  int v;
  leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_US(i % 50)));
  ran++;
}
TEST_GO(a_late_waker_finds_nobody) {
  int rounds = (int)test_scale(500) + 5;
  for (int i = 1; i <= rounds; i++) {
    leat_scope(s);
    int_chan c = leat_chan_make(s, int, 0);
    for (int k = 0; k < 40; k++) leat_go(s, ends_when_woken, leat_rx_of(c), k);
    leat_sleep(LEAT_US(20));
    leat_close(c);
    if (i % 2) leat_cancel(s);
    CHECK_EQ(leat_wait(s), i % 2 ? LEAT_CANCELED : LEAT_OK);
    CHECK_EQ(ran, 40 * i);
  }
}

/* Photon: a worker published before its idle loop exists is given work that it never sees. */
TEST(a_new_worker_takes_work_at_once) {
  int rounds = (int)test_scale(200) + 10;
  for (int i = 1; i <= rounds; i++) {
    CHECK_EQ(leat_runtime_start(&(leat_options){.workers = i % 8 + 1}), LEAT_OK);
    leat_scope(s);
    for (int k = 0; k < 20; k++) leat_go(s, run_once);
    CHECK_EQ(leat_set_workers((i + 3) % 8 + 1), LEAT_OK);
    for (int k = 0; k < 20; k++) leat_go(s, run_once);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(ran, 40 * i);
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
}

/* brpc PR 1358: starting deadlocks when all local queues are full. neco #10: starting costs more the more are runnable; were each start
 * as slow as the number that is there, this would take days. */
LEAT_FN(start_many, leat_view, s, int, n) {
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, run_once), LEAT_OK);
}
TEST(starting_never_waits_for_room) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 1, .max_threads = 1}), LEAT_OK);
  leat_scope(s);
  int n = (int)test_scale(200000);
  leat_go(s, start_many, s, n);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, n);
}
TEST_GO(starting_costs_no_more_when_many_are_there) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int n = (int)test_scale(200000);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, wait_for_close, leat_rx_of(c)), LEAT_OK);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, n);
}

/* libdill #178: a ceiling near 30,000 coroutines, where the kernel's limit of mappings is. */
TEST_GO(no_ceiling_at_thirty_thousand) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int n = (int)test_scale(80000);
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, wait_for_close, leat_rx_of(c)), LEAT_OK);
  CHECK_EQ(leat_scope_goroutines(s), n);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Boost.Fiber #217: static state forbids a second runtime, or a restart. Objects without scope live on across it. */
TEST(a_restart_starts_afresh) {
  int_chan c = leat_chan_make(NULL, int, 10);
  for (int i = 1; i <= 10; i++) {
    leat_scope(s);
    leat_go(s, run_once);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    CHECK_EQ(leat_send(c, i), LEAT_OK);
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
  CHECK_EQ(leat_len(c), 10);
  leat_release(c);
  CHECK_EQ(ran, 10);
}

/* Go #20351: select with a channel that all share collapses (583 ns to 45 us with 64 goroutines). */
LEAT_FN(selects_shared, leat_rx(char), done, leat_chan(int), own, int, n) {
  for (int i = 0; i < n; i++) {
    char x;
    int v;
    CHECK_EQ(leat_select(leat_on_recv(done, &x), leat_on_send(own, i)), 1);
    CHECK_EQ(leat_select(leat_on_recv(done, &x), leat_on_recv(own, &v)), 1);
  }
  ran++;
}
TEST_GO(selects_that_share_a_channel) {
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  int n = (int)test_scale(5000);
  for (int i = 0; i < 64; i++) leat_go(s, selects_shared, leat_rx_of(done), leat_chan_make(s, int, 1), n);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 64);
}

/* Huge pages make stacks of 4 KiB cost 2 MiB. */
static long resident_kb(void) {
  long size, resident;
  FILE *f = fopen("/proc/self/statm", "r");
  CHECK(f != NULL && fscanf(f, "%ld %ld", &size, &resident) == 2);
  fclose(f);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}
LEAT_FN(arrive_and_wait, leat_rx(int), c) {
  int v;
  ran++;
  CHECK_EQ(leat_recv(c, &v), LEAT_CLOSED);
}
TEST_GO(a_small_stack_costs_little) {
  int n = 4000;
  if (test_scale(n) != n) TEST_SKIP("instrumentation costs more than the stacks");
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  long before = resident_kb();
  for (int i = 0; i < n; i++) CHECK_EQ(leat_go(s, arrive_and_wait, leat_rx_of(c)), LEAT_OK);
  UNTIL(ran == n);
  long each = (resident_kb() - before) * 1024 / n;
  printf("%ld bytes each\n", each);
  CHECK(each < 10000);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Photon #1044: a silent NULL when stacks run out. Here it is a status, and what is there goes on. */
static atomic_int started;
TEST(running_out_of_address_space_is_a_status) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind() || test_under_qemu()) TEST_SKIP("needs a limit on address space");
  leat_scope(s);
  leat_keep_going(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 10; i++) leat_go(s, arrive_and_wait, leat_rx_of(c));
  UNTIL(ran == 10);
  long size = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  CHECK(f != NULL && fscanf(f, "%ld", &size) == 1);
  fclose(f);
  rlim_t now = (rlim_t)size * (rlim_t)sysconf(_SC_PAGESIZE);
  CHECK_EQ(setrlimit(RLIMIT_AS, &(struct rlimit){now + (200 << 20), RLIM_INFINITY}), 0);
  int status = LEAT_OK;
  for (started = 10; status == LEAT_OK; started++) {
    CHECK(started < 100000000);
    status = leat_go(s, arrive_and_wait, leat_rx_of(c));
  }
  CHECK_EQ(status, LEAT_NOMEM);
  CHECK_EQ(leat_go_with(s, ((leat_go_options){.stack = (size_t)1 << 40}), arrive_and_wait, leat_rx_of(c)), LEAT_NOMEM);
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_NOMEM); /* recorded, should the caller not have looked */
  CHECK_EQ(ran, started - 1);
}

/* libgo #277: waking takes 100 ms when all workers sleep. It must be seen to be fast once. */
static atomic_llong woken_at;
LEAT_FN(note_wake, leat_rx(int), c) {
  int v;
  while (leat_recv(c, &v) == LEAT_OK) woken_at = leat_now();
}
TEST(an_idle_runtime_wakes_quickly) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go(s, note_wake, leat_rx_of(c));
  for (;;) { /* until it has been fast once */
    wait_blocked("note_wake", 1);
    usleep(20000);
    woken_at = 0;
    int64_t sent_at = leat_now();
    CHECK_EQ(leat_send(c, 1), LEAT_OK);
    while (woken_at == 0) usleep(100);
    if (woken_at - sent_at < LEAT_MS(5)) break;
  }
  leat_close(c);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
/* The same for one worker that must be woken for a second runnable goroutine. */
LEAT_FN(spins_until, atomic_int *, flag) {
  while (!*flag) {}
}
LEAT_FN(sets, atomic_int *, flag) { *flag = 1; }
TEST(a_sleeping_worker_is_woken_for_a_second_goroutine) {
  static atomic_int flag;
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 2, .max_threads = 2}), LEAT_OK);
  int rounds = (int)test_scale(300) + 10;
  for (int i = 0; i < rounds; i++) {
    flag = 0;
    leat_scope(s);
    leat_go(s, spins_until, &flag);
    if (i % 10 == 0) leat_sleep(LEAT_US(200));
    leat_go(s, sets, &flag);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}

/* brpc #1776: the address of a thread-local is kept across a switch. The library's own are read right after every kind of wake-up. */
LEAT_FN(migrates, leat_chan(int), c, int, rounds) {
  uint64_t id = leat_goroutine_id();
  const char *name = leat_goroutine_name();
  leat_view scope = leat_current_scope();
  for (int i = 0; i < rounds; i++) {
    int v;
    CHECK(leat_select(leat_on_recv(c, &v), leat_on_send(c, 1), leat_on_timeout(LEAT_US(50))) >= 0);
    CHECK_EQ(leat_goroutine_id(), id);
    CHECK_EQ(leat_yield(), LEAT_OK);
    CHECK(leat_goroutine_name() == name);
    if (i % 32 == 0) leat_sleep(LEAT_US(1));
    CHECK(leat_current_scope() == scope);
  }
  ran++;
}
TEST(the_current_goroutine_is_found_on_every_thread) {
  CHECK_EQ(leat_runtime_start(&(leat_options){.workers = 6}), LEAT_OK);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  for (int i = 0; i < 24; i++) leat_go(s, migrates, c, (int)test_scale(3000));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 24);
}

/* Photon #137: crashes beside other threads, which allocate, sleep, take signals and end. */
static void on_signal(int number) { (void)number; }
static atomic_int stop_threads;
static void *lives_beside(void *p) {
  while (!stop_threads) {
    free(malloc(1000));
    pthread_kill(pthread_self(), SIGUSR1);
    usleep(10);
  }
  return p;
}
static void *short_life(void *p) {
  CHECK_EQ(leat_send(*(int_chan *)p, 1), LEAT_OK);
  return NULL;
}
TEST_GO(other_threads_live_beside_it) {
  signal(SIGUSR1, on_signal);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, lives_beside, NULL), 0);
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  int n = (int)test_scale(300) + 10;
  for (int i = 0; i < n; i++) {
    pthread_t t;
    int v = 0;
    CHECK_EQ(pthread_create(&t, NULL, short_life, &c), 0);
    leat_go(s, run_once);
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    CHECK_EQ(pthread_join(t, NULL), 0);
  }
  stop_threads = 1;
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, n);
}

/* A pthread mutex held across a switch: the next goroutine on the thread blocks it, and the mutex is for ever locked. */
static pthread_mutex_t pthread_mutex = PTHREAD_MUTEX_INITIALIZER;
static void only_where_it_is_checked(void) {
  const char *variant = getenv("VARIANT");
  if (!variant || !strstr(variant, "debug")) TEST_SKIP("this build does not check");
}
LEAT_FN(receives_with_a_lock, leat_rx(int), c) {
  int v;
  CHECK_EQ(pthread_mutex_lock(&pthread_mutex), 0);
  leat_recv(c, &v);
  CHECK_EQ(pthread_mutex_unlock(&pthread_mutex), 0);
  ran++;
}
TEST_GO_DIES(a_goroutine_that_blocks_with_a_pthread_mutex_is_reported, "gives up its thread while it holds the pthread mutex at 0x", "at receives_with_a_lock") {
  only_where_it_is_checked();
  leat_scope(s);
  leat_go(s, receives_with_a_lock, leat_rx_of(leat_chan_make(s, int, 0)));
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO_DIES(so_is_one_that_yields, "gives up its thread while it holds the pthread mutex at 0x") {
  only_where_it_is_checked();
  CHECK_EQ(pthread_mutex_trylock(&pthread_mutex), 0);
  leat_yield();
}
LEAT_FN(ends_with_a_lock, pthread_mutex_t *, m) { CHECK_EQ(pthread_mutex_lock(m), 0); }
TEST_GO_DIES(so_is_one_that_ends, "gives up its thread while it holds the pthread mutex at 0x", "in goroutine", "(ends_with_a_lock)") {
  only_where_it_is_checked();
  leat_scope(s);
  leat_go(s, ends_with_a_lock, &pthread_mutex);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static void *receives_in_a_thread(void *c) {
  int v;
  CHECK_EQ(pthread_mutex_lock(&pthread_mutex), 0);
  CHECK_EQ(leat_recv(*(int_chan *)c, &v), LEAT_OK);
  CHECK_EQ(pthread_mutex_unlock(&pthread_mutex), 0);
  return NULL;
}
TEST_GO(who_has_a_thread_for_itself_may_hold_one) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_go_with(s, ((leat_go_options){.pinned = 1}), receives_with_a_lock, leat_rx_of(c));
  wait_blocked("receives_with_a_lock", 1);
  CHECK_EQ(leat_send(c, 1), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, receives_in_a_thread, &c), 0);
  CHECK_EQ(leat_send(c, 1), LEAT_OK);
  CHECK_EQ(pthread_join(t, NULL), 0);
  /* So may all between two switches, in any order. */
  pthread_mutex_t others[20];
  for (int i = 0; i < 20; i++) {
    pthread_mutex_init(&others[i], NULL);
    CHECK_EQ(i % 2 ? pthread_mutex_lock(&others[i]) : pthread_mutex_trylock(&others[i]), 0);
  }
  CHECK_EQ(pthread_mutex_trylock(&others[0]), EBUSY);
  for (int i = 0; i < 20; i++) CHECK_EQ(pthread_mutex_unlock(&others[i * 7 % 20]), 0);
  leat_yield();
  CHECK_EQ(ran, 1);
}

/* Go #28017: a send on a closed channel crashes the program. */
TEST_GO(a_send_on_a_closed_channel_is_a_status) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 1);
  leat_close(c);
  CHECK_EQ(leat_send(c, 1), LEAT_CLOSED);
}

/* Go #12989, #19702: the goroutine leak of an early return, impossible to write here. */
LEAT_FN(slow_answer, leat_tx(int), out, int, i) { leat_send(out, i); }
static int first_answer(void) {
  leat_scope(s);
  int_chan answers = leat_chan_make(s, int, 0);
  for (int i = 0; i < 5; i++) leat_go(s, slow_answer, leat_tx_of(answers), i);
  int v = -1;
  leat_recv(answers, &v);
  return v; /* four are still sending */
}
TEST_GO(an_early_return_leaks_no_goroutine) {
  for (int i = 0; i < 1000; i++) {
    int v = first_answer();
    CHECK(v >= 0 && v < 5);
    CHECK_EQ(blocked_goroutines("slow_answer"), 0);
  }
}

/* Go #40026, context verbosity: a deep callee is cancelled though nobody passes it anything. */
static int deep_callee(int depth) {
  if (depth > 0) return deep_callee(depth - 1);
  return leat_sleep(LEAT_SECONDS(1000));
}
LEAT_FN_ERR(calls_deep) { return deep_callee(50); }
TEST_GO(cancellation_needs_no_parameter) {
  leat_scope(s);
  leat_go(s, calls_deep);
  wait_blocked("calls_deep", 1);
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
}

/* libgoc: the prime sieve and others fall with the number of workers. Whatever their number, work is conserved and ends. */
LEAT_FN(relay, leat_rx(int), in, leat_tx(int), out) {
  leat_range(int, v, in) {
    if (leat_send(out, v)) break;
  }
  leat_close(out);
}
LEAT_FN(serve_and_close, leat_tx(int), out, int, n) {
  for (int i = 0; i < n; i++) CHECK_EQ(leat_send(out, i), LEAT_OK);
  leat_close(out);
}
TEST(more_workers_than_cpus) {
  static const int workers[] = {1, 2, 8, 32};
  for (int k = 0; k < 4; k++) {
    CHECK_EQ(leat_runtime_start(&(leat_options){.workers = workers[k]}), LEAT_OK);
    {
      leat_scope(s);
      int_chan first = leat_chan_make(s, int, 0), link = first;
      for (int i = 0; i < 50; i++) {
        int_chan next = leat_chan_make(s, int, 0);
        leat_go(s, relay, leat_rx_of(link), leat_tx_of(next));
        link = next;
      }
      int n = (int)test_scale(2000);
      leat_go(s, serve_and_close, leat_tx_of(first), n);
      int i = 0;
      leat_range(int, v, link) CHECK_EQ(v, i++);
      CHECK_EQ(i, n);
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  }
}
