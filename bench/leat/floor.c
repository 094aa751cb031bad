/* What the machine itself takes for the things that all else is made of: the floors in bench/rows.py. */
#define _GNU_SOURCE
#include "bench.h"
#include "runtime/switch.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- atomics that nobody else uses ---- */

static int64_t compare_and_swap(int64_t n) {
  _Alignas(64) _Atomic(uint64_t) word = 0;
  int64_t start = leat_now();
  for (uint64_t i = 0; i < (uint64_t)n; i++) {
    uint64_t expected = i;
    if (!atomic_compare_exchange_strong(&word, &expected, i + 1)) wrong("word", (int64_t)expected, (int64_t)i);
  }
  return leat_now() - start;
}

/* What a lock and its unlock take at least. */
static int64_t exchange_pair(int64_t n) {
  _Alignas(64) _Atomic(uint64_t) word = 0;
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) {
    expect("word", (int64_t)atomic_exchange(&word, 1), 0);
    expect("word", (int64_t)atomic_exchange(&word, 0), 1);
  }
  return leat_now() - start;
}

/* ---- the out-of-line switch, there and back in a loop; one of the two ---- */

static void *here, *there;
static ucontext_t here_first, there_first;

static void back(void *unused) {
  (void)unused;
  swapcontext(&there_first, &here_first);
}
static void bounce(void) {
  leat_i_switch_hold(&there, back, NULL);
  for (;;) leat_i_switch(&there, here);
}
static int64_t bare_switch(int64_t n) {
  enum { STACK = 64 << 10 };
  char *stack = allocate(1, STACK);
  getcontext(&there_first);
  there_first.uc_stack = (stack_t){.ss_sp = stack, .ss_size = STACK};
  makecontext(&there_first, bounce, 0);
  swapcontext(&here_first, &there_first);
  int64_t start = leat_now();
  for (int64_t i = 0; i < (n + 1) / 2; i++) leat_i_switch(&here, there);
  int64_t took = leat_now() - start;
  free(stack);
  return took;
}

/* ---- between two threads of the system: one way of n ---- */

struct ball {
  _Alignas(64) _Atomic(uint32_t) turn;
  int64_t n;
  bool sleeps;
};
static void futex(_Atomic(uint32_t) *word, int operation, uint32_t value) { syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0); }
/* Those turns that have the parity of `first`. */
static void play(struct ball *b, uint32_t first) {
  for (uint32_t i = first; i < b->n; i += 2) {
    uint32_t turn;
    while ((turn = b->turn) != i)
      if (b->sleeps) futex(&b->turn, FUTEX_WAIT, turn);
    b->turn = i + 1;
    if (b->sleeps) futex(&b->turn, FUTEX_WAKE, 1);
  }
}
static void *play_second(void *b) {
  play(b, 1);
  return NULL;
}
static int64_t pass_ball(int64_t n, bool sleeps) {
  struct ball b = {.n = n, .sleeps = sleeps};
  pthread_t second;
  if (pthread_create(&second, NULL, play_second, &b)) wrong("thread", 0, 1);
  int64_t start = leat_now();
  play(&b, 0);
  pthread_join(second, NULL);
  int64_t took = leat_now() - start;
  expect("turn", b.turn, n);
  return took;
}
static int64_t cache_line(int64_t n) { return pass_ball(n, false); }
static int64_t futex_wake(int64_t n) { return pass_ball(n, true); }

/* ---- memory ---- */

static int64_t page_touch(int64_t n) {
  enum { PAGE = 4096, PAGES = 16384 };
  int64_t took = 0;
  for (int64_t left = n; left > 0; left -= PAGES) {
    char *memory = mmap(NULL, (size_t)PAGE * PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) wrong("memory", 0, PAGES);
    madvise(memory, (size_t)PAGE * PAGES, MADV_NOHUGEPAGE);
    int64_t start = leat_now();
    for (int64_t i = 0; i < PAGES && i < left; i++) ((volatile char *)memory)[i * PAGE] = 1;
    took += leat_now() - start;
    munmap(memory, (size_t)PAGE * PAGES);
  }
  return took;
}

static int64_t memcpy_4k(int64_t n) {
  enum { SIZE = 4096 };
  char *from = allocate(1, SIZE), *to = allocate(1, SIZE);
  memset(from, 7, SIZE);
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) {
    memcpy(to, from, SIZE);
    __asm__ volatile("" : : "r"(to) : "memory");
  }
  int64_t took = leat_now() - start;
  expect("last byte", to[SIZE - 1], 7);
  free(from);
  free(to);
  return took;
}

const struct benchmark floor_benchmarks[] = {
  COUNTED("atomic-cas", compare_and_swap),
  COUNTED("atomic-exchange-pair", exchange_pair),
  COUNTED("bare-switch", bare_switch),
  COUNTED("cache-line", cache_line),
  COUNTED("futex-wake", futex_wake),
  COUNTED("page-touch", page_touch),
  COUNTED("memcpy-4k", memcpy_4k),
  {0}};
