/* Signals as values on a channel. After Go's os/signal tests (TestSignal, TestStop, ...). */
#include "wait.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* TSan keeps a signal that arrives in a goroutine for that goroutine, its fiber, and calls the handler when it runs again: one that waits
 * for the signal itself never does. */
static void not_under_tsan(void) {
  if (test_under_tsan()) TEST_SKIP("TSan puts signals off until the goroutine that they hit runs again");
}

static volatile sig_atomic_t handled;
static void handler(int number) { handled = number; }

TEST_GO(a_signal_is_a_value) {
  not_under_tsan();
  leat_scope(s);
  leat_rx(int) signals = leat_signals(s, SIGUSR1, SIGUSR2);
  int v = 0;
  CHECK_EQ(leat_try_recv(signals, &v), LEAT_EMPTY);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  CHECK_EQ(leat_recv(signals, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR1);
  CHECK_EQ(kill(getpid(), SIGUSR2), 0);
  CHECK_EQ(leat_recv(signals, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR2);
  CHECK_EQ(leat_try_recv(signals, &v), LEAT_EMPTY);
}
static void check_raise(void) {
  leat_scope(s);
  leat_rx(int) signals = leat_signals(s, SIGUSR1);
  int v = 0;
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(leat_recv(signals, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR1);
}
TEST_GO(raised_by_the_main_goroutine) {
  not_under_tsan();
  check_raise();
}
TEST(raised_by_a_plain_thread) { check_raise(); }
LEAT_FN(waits_for, leat_rx(int), signals, int, expected) {
  int v = 0;
  CHECK_EQ(leat_recv(signals, &v), LEAT_OK);
  CHECK_EQ(v, expected);
}
TEST_GO(a_signal_wakes_a_goroutine) {
  not_under_tsan();
  leat_scope(s);
  leat_rx(int) signals = leat_signals(s, SIGTERM);
  leat_go(s, waits_for, signals, SIGTERM);
  wait_blocked("waits_for", 1);
  CHECK_EQ(kill(getpid(), SIGTERM), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(every_subscription_gets_it) {
  not_under_tsan();
  leat_scope(s);
  leat_rx(int) a = leat_signals(s, SIGUSR1, SIGUSR2), b = leat_signals(s, SIGUSR1), c = leat_signals(s, SIGUSR2);
  int v = 0;
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  CHECK_EQ(leat_recv(a, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR1);
  v = 0;
  CHECK_EQ(leat_recv(b, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR1);
  CHECK_EQ(kill(getpid(), SIGUSR2), 0);
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR2);
  CHECK_EQ(leat_try_recv(b, &v), LEAT_EMPTY);
}
static void expect_disposition(int number, void (*expected)(int)) {
  struct sigaction now;
  CHECK_EQ(sigaction(number, NULL, &now), 0);
  CHECK(now.sa_handler == expected);
}
TEST_GO(the_former_disposition_is_restored) {
  not_under_tsan();
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  {
    leat_scope(outer);
    leat_rx(int) a = leat_signals(outer, SIGUSR1, SIGHUP);
    int v = 0;
    {
      leat_scope(s);
      leat_rx(int) b = leat_signals(s, SIGUSR1, SIGUSR2);
      CHECK_EQ(kill(getpid(), SIGUSR2), 0);
      CHECK_EQ(leat_recv(b, &v), LEAT_OK);
      CHECK_EQ(v, SIGUSR2);
    }
    expect_disposition(SIGUSR2, SIG_IGN);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0); /* the outer subscription lives on */
    CHECK_EQ(leat_recv(a, &v), LEAT_OK);
    CHECK_EQ(v, SIGUSR1);
    CHECK_EQ(handled, 0);
  }
  expect_disposition(SIGUSR1, handler);
  expect_disposition(SIGHUP, SIG_DFL);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  UNTIL(handled == SIGUSR1);
}
TEST_GO(again_and_again) {
  not_under_tsan();
  for (int i = 0; i < 50; i++) {
    leat_scope(s);
    leat_rx(int) a = leat_signals(s, SIGUSR1);
    int v = 0;
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(leat_recv(a, &v), LEAT_OK);
  }
  expect_disposition(SIGUSR1, SIG_DFL);
}
LEAT_FN(subscribes_again, int, number, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    leat_rx(int) a = leat_signals(s, number);
    int v = 0;
    CHECK_EQ(kill(getpid(), number), 0);
    CHECK_EQ(leat_recv(a, &v), LEAT_OK);
    CHECK_EQ(v, number);
  }
}
TEST_GO(subscriptions_come_and_go_at_once) {
  not_under_tsan();
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, subscribes_again, SIGRTMIN + i, (int)test_scale(300) + 5);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static atomic_int calm;
static void *storm(void *unused) {
  while (!calm) pthread_kill(pthread_self(), SIGUSR1);
  return unused;
}
LEAT_FN(subscribes_in_storm, int, rounds) {
  for (int i = 0; i < rounds; i++) {
    leat_scope(s);
    int v = 0;
    CHECK_EQ(leat_recv(leat_signals(s, SIGUSR1), &v), LEAT_OK);
    CHECK_EQ(v, SIGUSR1);
  }
}
TEST_GO(subscriptions_end_in_a_storm) {
  not_under_tsan();
  if (test_under_qemu()) TEST_SKIP("it has crashed under qemu-user, and whose fault that is is not known");
  signal(SIGUSR1, SIG_IGN);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, storm, NULL), 0);
  {
    leat_scope(s);
    for (int i = 0; i < 6; i++) leat_go(s, subscribes_in_storm, (int)test_scale(300) + 5);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  calm = 1;
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
}
TEST_GO(a_slow_receiver_loses_what_piles_up) {
  not_under_tsan();
  leat_scope(s);
  leat_rx(int) a = leat_signals(s, SIGUSR1), every = leat_signals(s, SIGUSR1);
  CHECK_EQ(leat_cap(a), 64);
  int v;
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(leat_recv(every, &v), LEAT_OK);
    UNTIL(leat_len(a) == (size_t)(i < 64 ? i + 1 : 64)); /* one at a time: signals that come together are merged */
  }
  int n = 0;
  while (leat_try_recv(a, &v) == LEAT_OK) n++;
  CHECK(n >= 64 && n < 100); /* more than it holds if the last ones came to be offered only now */
}
TEST_GO(in_a_select) {
  not_under_tsan();
  leat_scope(s);
  leat_rx(int) a = leat_signals(s, SIGINT);
  int v;
  CHECK_EQ(leat_select(leat_on_recv(a, &v), leat_default), 1);
  CHECK_EQ(kill(getpid(), SIGINT), 0);
  CHECK_EQ(leat_select(leat_on_recv(a, &v), leat_on_timeout(LEAT_SECONDS(1000))), 0);
  CHECK_EQ(v, SIGINT);
}
LEAT_FN(subscribes, int, number) {
  leat_scope(s);
  leat_signals(s, number);
}
TEST_GO(faults_and_what_cannot_be_caught_are_refused) {
  not_under_tsan();
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSTOP};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    leat_scope(s);
    leat_go(s, subscribes, numbers[i]);
    CHECK_EQ(leat_wait(s), LEAT_PANIC);
  }
}
/* Waiting for a signal alone is no deadlock. */
TEST_GO(who_waits_for_a_signal_is_not_deadlocked) {
  not_under_tsan();
  leat_scope(s);
  leat_rx(int) a = leat_signals(s, SIGUSR1);
  pid_t child = fork(); /* outside of this process, so that nothing in it could wake anybody */
  if (child == 0) {
    usleep(300000);
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  int v = 0;
  CHECK_EQ(leat_recv(a, &v), LEAT_OK);
  CHECK_EQ(v, SIGUSR1);
}
