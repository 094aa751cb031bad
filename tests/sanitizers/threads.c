/* A program with a main and threads of its own. */
#define PROGRAMS_OWN_MAIN
#include "programs.h"
#include <pthread.h>

static leat_chan(int *) to_goroutines, to_threads;

LEAT_FN(double_and_return, int, unused) {
  (void)unused;
  leat_range(int *, p, to_goroutines) {
    *p *= 2;
    MUST(leat_send(to_threads, p) == LEAT_OK);
  }
}
static void *use_goroutines(void *unused) {
  for (int i = 1; i <= 30; i++) {
    int *p = malloc(sizeof *p);
    *p = i;
    MUST(leat_send(to_goroutines, p) == LEAT_OK && leat_recv(to_threads, &p) == LEAT_OK);
    MUST(*p % 2 == 0);
    free(p);
  }
  return unused;
}
static void exchange_with_goroutines(size_t capacity) {
  pthread_t threads[3];
  leat_scope(s);
  to_goroutines = leat_chan_make(s, int *, capacity);
  to_threads = leat_chan_make(s, int *, capacity);
  for (int i = 0; i < 4; i++) leat_go(s, double_and_return, i);
  for (int i = 0; i < 3; i++) MUST(pthread_create(&threads[i], NULL, use_goroutines, NULL) == 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  leat_close(to_goroutines);
  MUST(leat_wait(s) == LEAT_OK);
}
PROGRAM(threads_and_goroutines_exchange_pointers) {
  exchange_with_goroutines(0);
  exchange_with_goroutines(1);
  exchange_with_goroutines(4);
}

LEAT_FN(store, int *, place, int, value) { *place = value; }
static void *start_goroutines(void *result) {
  int values[5], *sum = result;
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, store, &values[i], i);
  MUST(leat_wait(s) == LEAT_OK);
  for (int i = 0; i < 5; i++) *sum += values[i];
  int v;
  MUST(leat_select(leat_on_recv(leat_chan_make(s, int, 0), &v), leat_on_timeout(LEAT_MS(1))) == 1);
  MUST(leat_sleep(LEAT_MS(1)) == LEAT_OK);
  return NULL;
}
PROGRAM(threads_start_goroutines) {
  pthread_t threads[3];
  int sums[3] = {0};
  for (int i = 0; i < 3; i++) MUST(pthread_create(&threads[i], NULL, start_goroutines, &sums[i]) == 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  MUST(sums[0] == 10 && sums[1] == 10 && sums[2] == 10);
}

static void *tick(void *result) {
  int64_t at;
  leat_timer *t = leat_timer_start(NULL, LEAT_MS(2));
  *(int *)result = 1;
  MUST(leat_recv(leat_timer_chan(t), &at) == LEAT_OK);
  leat_timer_release(t);
  return NULL;
}
PROGRAM(a_thread_waits_for_a_timer) {
  pthread_t thread;
  int result = 0;
  MUST(pthread_create(&thread, NULL, tick, &result) == 0);
  pthread_join(thread, NULL);
  MUST(result == 1);
}

LEAT_FN(wait_with_memory, leat_rx(int), never) {
  char *text[2];
  int v;
  text[0] = strdup("only the stack of a parked goroutine has this"); /* and that is no leak */
  text[1] = text[0] + 1;
  leat_recv(never, &v);
  puts(text[1]);
  free(text[0]);
}
PROGRAM(goroutines_are_parked_at_exit) {
  leat_chan(int) never = leat_chan_make(NULL, int, 0);
  for (int i = 0; i < 3; i++) leat_go(NULL, wait_with_memory, leat_rx_of(never));
  leat_sleep(LEAT_MS(5));
}

int main(void) {
  for (int round = 0; round < 3; round++) {
    for (struct program *p = programs; p; p = p->next) {
      if (p == &goroutines_are_parked_at_exit_program && round < 2) continue;
      fprintf(stderr, "running %s\n", p->name);
      p->body();
    }
    if (round < 2) MUST(leat_runtime_stop() == LEAT_OK);
  }
  return 0;
}
