/* Stack traces: the caller's, a signal's, a parked goroutine's. Functions are told by where they begin, so that no symbols are needed. */
#define _GNU_SOURCE
#include "wait.h"

#include "inspect/cfi.h"
#include "inspect/unwind.h"
#include "runtime/runtime.h"
#include "runtime/stack.h"
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST = 256 };

/* A frame of its own: not inlined, not copied, not left by a jump (AFTER_CALL comes behind the call that is not to be one). */
#ifdef __clang__
#define FRAME __attribute__((noinline))
#else
#define FRAME __attribute__((noinline, noclone, noipa))
#endif
#define AFTER_CALL __asm__ volatile("" ::: "memory")

typedef void function(void);

struct trace {
  int n;
  uintptr_t pcs[MOST];
};

static bool is_in(uintptr_t pc, function *f) { return leat_i_cfi_function(pc - 1) == (uintptr_t)f; }
static int find(const struct trace *t, function *f) {
  for (int i = 0; i < t->n; i++)
    if (is_in(t->pcs[i], f)) return i;
  return -1;
}
static void show(const struct trace *t) {
  void *pcs[MOST];
  for (int i = 0; i < t->n; i++) pcs[i] = (void *)t->pcs[i];
  backtrace_symbols_fd(pcs, t->n, 2);
}
static void expect(const struct trace *t, int at, function *f) {
  if (at < t->n && is_in(t->pcs[at], f)) return;
  fprintf(stderr, "frame %d is not that of the function at %p:\n", at, (void *)(uintptr_t)f);
  show(t);
  CHECK(at < t->n && is_in(t->pcs[at], f));
}
static void expect_found(const struct trace *t, function *f) {
  if (find(t, f) < 0) show(t);
  CHECK(find(t, f) >= 0);
}

/* The caller's. */

static struct trace here, theirs;
static bool in_handler; /* where libc's may not be called the first time */
FRAME static void take(void) {
  void *pcs[MOST];
  here.n = leat_i_unwind_here(here.pcs, MOST, 0);
  theirs.n = in_handler ? 0 : backtrace(pcs, MOST);
  for (int i = 0; i < theirs.n; i++) theirs.pcs[i] = (uintptr_t)pcs[i];
}
/* As libc's trace, but for the place in take itself and what lies below the test; a sanitizer puts a frame of its own on top of that. */
static void expect_the_same(function *bottom) {
  expect(&here, 0, take);
  if (theirs.n <= 1) return; /* a static program: libc would have to load libgcc_s */
  int last = find(&here, bottom), more = find(&theirs, take);
  CHECK(last > 0 && more >= 0);
  for (int i = 1; i <= last; i++)
    if (here.pcs[i] != theirs.pcs[i + more]) {
      show(&here);
      show(&theirs);
      CHECK_EQ(here.pcs[i], theirs.pcs[i + more]);
    }
}
static volatile unsigned sink;
FRAME static unsigned deep(int n);
/* Frames of several shapes: with many registers to be saved, of variable size, large, with parameters on the stack. */
FRAME static unsigned many_registers(int n) {
  unsigned a = sink, b = sink + 1, c = sink + 2, d = sink + 3, e = sink + 4, f = sink + 5, g = sink + 6;
  unsigned r = deep(n - 1);
  return a + b * c - d + e * f - g + r;
}
FRAME static unsigned variable(int n) {
  volatile char room[(size_t)n * 7 + 1];
  room[0] = (char)n;
  unsigned r = deep(n - 1);
  return r + (unsigned)room[0];
}
FRAME static unsigned large(int n) {
  volatile char room[1500];
  room[n] = (char)n;
  unsigned r = deep(n - 1);
  return r + (unsigned)room[n];
}
FRAME static unsigned parameters(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int n) {
  unsigned r = deep(n - 1);
  AFTER_CALL;
  return r + (unsigned)(a + b + c + d + e + f + g + h + i + j);
}
/* The stack is realigned: gcc describes such a frame by expressions. */
FRAME static unsigned aligned(int n) {
  volatile char room[64] __attribute__((aligned(64))) = {0}, variable_room[(size_t)n + 1];
  variable_room[n] = room[n % 64];
  unsigned r = deep(n - 1);
  return r + (unsigned)(room[0] + variable_room[n]);
}
FRAME static unsigned deep(int n) {
  unsigned r = 0;
  if (n <= 0) take();
  else
    switch (n % 5) {
    case 0: r = many_registers(n); break;
    case 1: r = variable(n); break;
    case 2: r = large(n); break;
    case 3: r = parameters(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, n); break;
    case 4: r = aligned(n); break;
    }
  AFTER_CALL;
  return r + (unsigned)n;
}
FRAME static void recurse(void) {
  for (int n = 0; n < 40; n++)
    for (int again = 0; again < 2; again++) { /* by the tables, then by what was kept */
      sink += deep(n);
      expect_the_same(recurse);
      int frames = find(&here, recurse);
      CHECK_EQ(frames, 2 + 2 * n);
    }
}
TEST(as_libc_on_a_thread) { recurse(); }
LEAT_FN(recurses) {
  recurse();
  AFTER_CALL;
}
TEST_GO(as_libc_on_a_goroutine) {
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.stack = 256 * 1024}), recurses);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  expect_found(&here, recurse);
}
static int compare_and_trace(const void *a, const void *b) {
  take();
  return *(const int *)a - *(const int *)b;
}
FRAME static void sorts(void) {
  int values[] = {3, 1, 2};
  qsort(values, 3, sizeof values[0], compare_and_trace);
  AFTER_CALL;
}
TEST(through_a_callback_of_libc) {
  sorts();
  expect(&here, 0, take);
  expect(&here, 1, (function *)compare_and_trace);
  expect_found(&here, sorts);
  expect_the_same(sorts);
}
FRAME static int some(uintptr_t *pcs, int max, int skip) {
  int n = leat_i_unwind_here(pcs, max, skip);
  AFTER_CALL;
  return n;
}
TEST(skip_and_max) {
  uintptr_t all[MOST], few[MOST];
  for (volatile int skip = 0; skip < 2; skip++) { /* from one place, so that the addresses are the same */
    int n = some(skip ? few : all, skip ? 3 : MOST, skip);
    if (!skip) CHECK(n >= 4);
    else CHECK_EQ(n, 3);
  }
  CHECK(is_in(all[0], (function *)some));
  for (int i = 0; i < 3; i++) CHECK_EQ(few[i], all[i + 1]);
  CHECK_EQ(some(few, MOST, 1000), 0);
  CHECK_EQ(some(few, 0, 0), 0);
}
TEST(after_what_was_kept_is_forgotten) {
  for (int i = 0; i < 3; i++) {
    leat_i_cfi_refresh();
    sorts();
    expect_found(&here, sorts);
  }
}

/* Signals. */

static struct trace of_context;
FRAME static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  in_handler = true;
  take();
  of_context.n = leat_i_unwind_context(context, of_context.pcs, MOST);
}
static void catch(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  CHECK_EQ(sigaction(number, &action, NULL), 0);
}
static void use_another_stack(void) {
  static char stack[256 * 1024];
  CHECK_EQ(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL), 0);
}
FRAME static void raises(void) {
  CHECK_EQ(raise(SIGUSR1), 0);
  AFTER_CALL;
}
static void check_raised(void) {
  raises();
  expect(&here, 0, take);
  expect(&here, 1, (function *)on_signal);
  int at = find(&here, raises);
  if (at < 0) show(&here);
  CHECK(at > 2);
  int there = find(&of_context, raises);
  CHECK(there > 0);
  for (int i = 0; i < there; i++) CHECK_EQ(of_context.pcs[there - i], here.pcs[at - i]);
}
TEST(through_a_signal) {
  catch(SIGUSR1, on_signal, 0);
  check_raised();
}
TEST(through_a_signal_on_a_stack_of_its_own) {
  use_another_stack();
  catch(SIGUSR1, on_signal, SA_ONSTACK);
  check_raised();
}
LEAT_FN(raises_on_a_goroutine) { check_raised(); }
static void raise_on_a_goroutine(int flags) {
  if (test_under_tsan()) TEST_SKIP("TSan puts signals off");
  catch(SIGUSR1, on_signal, flags);
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.stack = 256 * 1024}), raises_on_a_goroutine);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(through_a_signal_on_a_goroutine) { raise_on_a_goroutine(0); }
TEST_GO(through_a_signal_on_a_workers_own_stack) { raise_on_a_goroutine(SA_ONSTACK); }

/* Wherever it is hit, in prologues and epilogues, in libc, in the table of imported functions, the trace reaches the bottom. */
static volatile int samples, wanted, strays;
static struct trace stray;
FRAME static void works(void);
/* From the end of the handler on: a repeating timer leaves a slow machine no time between two signals. */
static void tick_soon(void) { setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 500}}, NULL); }
FRAME static void on_tick(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  static struct trace t;
  if (samples == wanted) return; /* works() may have ended */
  t.n = leat_i_unwind_context(context, t.pcs, MOST);
  samples++;
  if (find(&t, works) < 0 && !strays++) stray = t;
  tick_soon();
}
FRAME static unsigned leaf(unsigned n) { return n * 3 + sink; }
FRAME static unsigned calls_leaf(unsigned n, const char *text) {
  unsigned a = leaf(n), b = leaf(a) + (unsigned)strlen(text), c = leaf(b);
  return a + b * c + (unsigned)strcmp(text, "else");
}
FRAME static void works(void) {
  for (unsigned n = 0; samples < wanted; n++) sink += calls_leaf(n, n & 1 ? "something" : "els");
}
TEST(from_wherever_a_signal_hits) {
  if (test_under_tsan()) TEST_SKIP("TSan puts signals off");
  if (test_under_valgrind()) TEST_SKIP("Valgrind delivers signals between blocks of its own");
  catch(SIGALRM, on_tick, 0);
  wanted = (int)test_scale(2000) + 20;
  tick_soon();
  works();
  if (strays) show(&stray);
  CHECK_EQ(strays, 0);
}

/* A call through a null pointer, and into code that no table describes. */

static struct trace of_fault;
static function *volatile nowhere;
FRAME static void calls_nowhere(void) {
  nowhere();
  AFTER_CALL;
}
static function *expected_caller;
static void on_null_call(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  of_fault.n = leat_i_unwind_context(context, of_fault.pcs, MOST);
  if (of_fault.n < 2 || !is_in(of_fault.pcs[1], expected_caller)) show(&of_fault);
  _exit(of_fault.n > 2 && of_fault.pcs[0] == 1 && is_in(of_fault.pcs[1], expected_caller) ? 0 : 1);
}
TEST(a_call_through_a_null_pointer) {
  expected_caller = calls_nowhere;
  use_another_stack();
  catch(SIGSEGV, on_null_call, SA_ONSTACK);
  calls_nowhere();
}

void without_tables(function *);
#if defined(__x86_64__)
__asm__(".text\n.type without_tables, @function\nwithout_tables:\n"
        "pushq %rbp\nmovq %rsp, %rbp\nsubq $48, %rsp\ncall *%rdi\nleave\nret\n.size without_tables, .-without_tables\n");
#else
__asm__(".text\n.type without_tables, %function\nwithout_tables:\n"
        "stp x29, x30, [sp, #-48]!\nmov x29, sp\nblr x0\nldp x29, x30, [sp], #48\nret\n.size without_tables, .-without_tables\n");
#endif
FRAME static void by_frame_pointer(void) {
  without_tables(take);
  AFTER_CALL;
}
TEST(code_without_tables_is_passed_by_its_frame_pointer) {
  by_frame_pointer();
  expect(&here, 0, take);
  CHECK(here.pcs[1] > (uintptr_t)without_tables && here.pcs[1] < (uintptr_t)without_tables + 64);
  expect(&here, 2, by_frame_pointer);
}

/* Parked goroutines. */

struct wanted {
  const char *name;
  struct trace *t;
};
static void unwind_if(struct goroutine *g, void *environment) {
  const struct wanted *w = environment;
  if (g->name && strcmp(g->name, w->name) == 0) w->t->n = leat_i_unwind_goroutine(g, w->t->pcs, MOST);
}
static void unwind_named(const char *name, struct trace *t) {
  t->n = 0;
  leat_i_stacks_each(unwind_if, &(struct wanted){name, t});
}

FRAME static void parks(function *f) {
  volatile char room[300];
  room[1] = 2;
  f();
  AFTER_CALL;
  room[2] = room[1];
}
static leat_chan(int) full, empty;
static int descriptors[2];
static leat_task *task;
static void in_send(void) { (void)leat_send(full, 1); }
static void in_recv(void) {
  int v;
  (void)leat_recv(empty, &v);
}
static void in_select(void) {
  int v;
  (void)leat_select(leat_on_recv(empty, &v), leat_on_send(full, 2), leat_on_timeout(LEAT_SECONDS(1000)));
}
static void in_nil(void) { (void)leat_send((leat_chan(int))NULL, 1); }
static void in_sleep(void) { (void)leat_sleep(LEAT_SECONDS(1000)); }
static void in_read(void) {
  char c;
  (void)leat_io_read(descriptors[0], &c, 1);
}
static void in_join(void) { (void)leat_join(task); }
LEAT_FN(helper) { in_recv(); }
static void in_wait(void) {
  leat_scope(s);
  leat_go(s, helper);
  CHECK(leat_wait(s) != LEAT_OK);
}
typedef function *way;
LEAT_FN(parked, way, f) { parks(f); }
TEST_GO(in_every_kind_of_wait) {
  static const struct {
    const char *name;
    way f;
  } ways[] = {{"in_send", in_send}, {"in_recv", in_recv}, {"in_select", in_select}, {"in_nil", in_nil}, {"in_sleep", in_sleep}, {"in_read", in_read}, {"in_wait", in_wait}, {"in_join", in_join}};
  leat_scope(s);
  full = leat_chan_make(s, int, 0);
  empty = leat_chan_make(s, int, 0);
  CHECK_EQ(pipe(descriptors), 0);
  task = leat_spawn(s, helper);
  struct trace t;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    leat_go_with(s, ((leat_go_options){.name = ways[i].name}), parked, ways[i].f);
    wait_blocked(ways[i].name, 1);
    unwind_named(ways[i].name, &t);
    expect_found(&t, (function *)parks);
  }
  leat_cancel(s);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  leat_io_close(descriptors[0]);
  close(descriptors[1]);
}

static void unwind_foreign_if(struct goroutine *g, void *environment) {
  struct trace *t = environment;
  if (g->kind == KIND_FOREIGN && load_relaxed(&g->reason) == WAIT_RECV) t->n = leat_i_unwind_goroutine(g, t->pcs, MOST);
}
static void unwind_main_if(struct goroutine *g, void *environment) {
  struct trace *t = environment;
  if (g->kind == KIND_MAIN) t->n = leat_i_unwind_goroutine(g, t->pcs, MOST);
}
static void *parks_a_thread(void *unused) {
  parks(in_recv);
  return unused;
}
TEST_GO(plain_threads) {
  leat_scope(s);
  empty = leat_chan_make(s, int, 0);
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, parks_a_thread, NULL), 0);
  struct trace t = {0};
  UNTIL((leat_i_foreign_each(unwind_foreign_if, &t), t.n > 0));
  expect_found(&t, (function *)parks);
  expect_found(&t, (function *)parks_a_thread);
  CHECK_EQ(leat_send(empty, 1), LEAT_OK);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}
LEAT_FN(unwinds_main, leat_tx(int), done) {
  struct trace t = {0};
  UNTIL((leat_i_foreign_each(unwind_main_if, &t), t.n > 0));
  expect_found(&t, (function *)parks);
  CHECK_EQ(leat_send(done, 1), LEAT_OK);
}
TEST_GO(the_main_goroutine) {
  leat_scope(s);
  empty = leat_chan_make(s, int, 0);
  leat_go_with(s, ((leat_go_options){.stack = 256 * 1024}), unwinds_main, leat_tx_of(empty));
  parks(in_recv);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

static atomic_bool enough;
static atomic_bool spinning;
static void spins(void) {
  spinning = true;
  while (!enough) {}
}
TEST_GO(one_that_runs_has_no_trace) {
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.name = "runs"}), parked, spins);
  struct trace t;
  UNTIL(spinning);
  unwind_named("runs", &t);
  CHECK_EQ(t.n, 0);
  enough = true;
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

/* Goroutines that park and are woken all the time, while another thread unwinds them. A trace is right or is not given: it leads from the
 * function that parks to the goroutine's first frame. */
static atomic_long tries, got;
static void check_trace(struct goroutine *g, void *environment) {
  struct trace t;
  (void)environment;
  if (!g->name || strcmp(g->name, "busy") != 0) return;
  t.n = leat_i_unwind_goroutine(g, t.pcs, MOST);
  tries++;
  if (!t.n) return;
  got++;
  expect_found(&t, (function *)parks);
  uintptr_t entry = t.pcs[t.n - 1];
  static atomic_uintptr_t first;
  uintptr_t none = 0;
  if (!atomic_compare_exchange_strong(&first, &none, entry)) CHECK_EQ(entry, none); /* the end is the same for all */
}
static void *unwinds_all(void *unused) {
  for (int64_t i = test_scale(3000) + 10; i > 0 || got < test_scale(1000) + 10; i--) leat_i_stacks_each(check_trace, NULL);
  enough = true;
  return unused;
}
static leat_chan(int) there, back;
static void pings(void) {
  int v = 0;
  while (!enough && leat_send(there, v) == LEAT_OK && leat_recv(back, &v) == LEAT_OK) {}
  leat_close(there);
}
static void pongs(void) {
  int v = 0;
  while (leat_recv(there, &v) == LEAT_OK && leat_send(back, v) == LEAT_OK) {}
}
static void yields(void) {
  while (!enough) (void)leat_yield();
}
static void sleeps(void) {
  while (!enough) (void)leat_sleep(LEAT_US(1));
}
LEAT_FN(comes_and_goes) {}
static void starts(void) {
  while (!enough) {
    leat_scope(s);
    for (int i = 0; i < 10; i++) leat_go(s, comes_and_goes);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
}
static void unwind_while(way a, way b) {
  tries = got = 0;
  enough = false;
  pthread_t thread;
  leat_scope(s);
  there = leat_chan_make(s, int, 0);
  back = leat_chan_make(s, int, 0);
  leat_go_with(s, ((leat_go_options){.name = "busy"}), parked, a);
  for (int i = 0; i < 3; i++) leat_go_with(s, ((leat_go_options){.name = "busy"}), parked, b);
  CHECK_EQ(pthread_create(&thread, NULL, unwinds_all, NULL), 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  if (getenv("TEST_VERBOSE")) printf("%ld of %ld\n", (long)got, (long)tries);
}
TEST_GO(while_they_play_ping_pong) { unwind_while(pings, pongs); }
TEST_GO(while_they_yield) { unwind_while(yields, yields); }
TEST_GO(while_they_sleep) { unwind_while(sleeps, sleeps); }
TEST_GO(while_they_start_others) { unwind_while(starts, starts); }
