/* See fault.h.
 *
 * What has gone wrong may be anything, also a lock that was held or a heap that was destroyed. So what can be said safely is said first: who,
 * and the bare addresses, by write(2) and from the thread's own stack. Then the names, which need the loader's lock and memory of their own
 * (libbacktrace maps it, it does not call malloc). If that faults in turn, the second fault ends it; if it hangs, an alarm does.
 *
 * A handler that was there before is left its signal, except for a goroutine's stack overflow, of which it can know nothing: a host may
 * have good use for SIGSEGV, and sanitizers know more than this report. */
#define _GNU_SOURCE
#include "fault.h"
#include "../runtime/report.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/stack.h"
#include "memory.h"
#include "symbol.h"
#include "unwind.h"
#include <leat/status.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIGNAL_STACK = 64 * 1024, FRAMES = 48, TEXT = 1024, SECONDS = 20 };

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { FAULTS = sizeof faults / sizeof *faults };
static LEAT_OWN struct sigaction before[FAULTS];
static bool installed;

/* A text that is put together and then written at once. */
struct text {
  size_t n;
  char bytes[TEXT];
};

static void put(struct text *t, const char *s) {
  while (*s && t->n < TEXT) t->bytes[t->n++] = *s++;
}

static void put_number(struct text *t, uint64_t n, unsigned base) {
  char digits[24], *d = digits + sizeof digits - 1;
  *d = 0;
  do *--d = "0123456789abcdef"[n % base];
  while (n /= base);
  if (base == 16) put(t, "0x");
  put(t, d);
}

static void flush(struct text *t) {
  for (size_t done = 0; done < t->n;) {
    ssize_t wrote = write(STDERR_FILENO, t->bytes + done, t->n - done);
    if (wrote <= 0) break;
    done += (size_t)wrote;
  }
  t->n = 0;
}

static void put_who(struct text *t, const struct goroutine *g) {
  char who[TEXT / 2];
  put(t, g ? leat_i_describe(g, who, sizeof who) : "a thread that is not leat's");
}

_Noreturn void leat_i_report_overflow(const struct goroutine *g) {
  struct text t = {0};
  put(&t, "leat: stack overflow: ");
  put_who(&t, g);
  put(&t, " used up its stack of ");
  put_number(&t, (uint64_t)(g->stack_high - g->stack_low + 1023) / 1024, 10);
  put(&t, " KiB; give it a larger one with leat_go_with(scope, ((leat_go_options){.stack = ...}), ...) or LEAT_STACK\n");
  flush(&t);
  signal(SIGABRT, SIG_DFL);
  abort();
}

static const char *name_of(int number) {
  switch (number) {
  case SIGSEGV: return "SIGSEGV";
  case SIGBUS: return "SIGBUS";
  case SIGFPE: return "SIGFPE";
  case SIGILL: return "SIGILL";
  }
  return "SIGABRT";
}

/* Of the main goroutine, whose stack is the thread's: just below it, where the kernel keeps others away. */
static bool is_below_stack(const siginfo_t *info, const struct goroutine *g) {
  enum { NEAR = 1024 * 1024, WITHIN = 64 * 1024 };
  const char *at = info->si_addr;
  return info->si_signo == SIGSEGV && g && g->stack_low && at >= g->stack_low - NEAR && at < g->stack_low + WITHIN;
}

static void put_reason(struct text *t, const siginfo_t *info, const struct goroutine *g) {
  if (info->si_code == SI_TKILL && info->si_pid == getpid()) {
    put(t, info->si_signo == SIGABRT ? " (abort was called)" : " (raised by the process itself)");
  } else if (info->si_code <= 0) {
    put(t, " (sent by process ");
    put_number(t, (uint64_t)info->si_pid, 10);
    put(t, ")");
  } else if (info->si_signo == SIGFPE && info->si_code == FPE_INTDIV) {
    put(t, " (division by zero)");
  } else if (info->si_signo == SIGFPE || info->si_signo == SIGILL) {
    put(t, info->si_signo == SIGILL ? " (illegal instruction)" : " (arithmetic)");
  } else if (is_below_stack(info, g)) {
    put(t, " (stack overflow: the thread's stack of ");
    put_number(t, (uint64_t)(g->stack_high - g->stack_low + 1023) / 1024, 10);
    put(t, " KiB is used up)");
  } else {
    put(t, info->si_code == SEGV_ACCERR && info->si_signo == SIGSEGV ? " (no right to address " : " (bad address ");
    put_number(t, (uintptr_t)info->si_addr, 16);
    put(t, ")");
  }
}

static void print_symbol(void *environment, const struct symbol *s) {
  struct text *t = environment;
  char line[TEXT / 2];
  leat_i_symbol_text(s, line, sizeof line);
  put(t, "    at ");
  put(t, line);
  put(t, "\n");
  flush(t);
}

static void report(const siginfo_t *info, const void *context) {
  struct text t = {0};
  struct worker *w = leat_i_worker();
  const struct goroutine *g = w ? load_relaxed(&w->current) : leat_i_foreign_known();
  put(&t, "leat: ");
  put(&t, name_of(info->si_signo));
  put_reason(&t, info, g);
  put(&t, " in ");
  put_who(&t, g);
  put(&t, "\n");
  for (int i = 0; g && i < ANCESTORS && g->ancestors[i].name; i++) {
    const struct ancestor *a = &g->ancestors[i];
    struct goroutine as_one = {.kind = a->id ? KIND_GOROUTINE : KIND_FOREIGN, .id = a->id, .name = a->name, .birthplace = a->birthplace};
    put(&t, "  by ");
    put_who(&t, &as_one);
    put(&t, "\n");
  }
  flush(&t);
  uintptr_t pcs[FRAMES];
  int n = leat_i_unwind_context(context, pcs, FRAMES);
  put(&t, "  at addresses");
  for (int i = 0; i < n; i++) {
    put(&t, " ");
    put_number(&t, pcs[i] - 1, 16);
    if (t.n > TEXT - 32) flush(&t);
  }
  put(&t, "\n");
  flush(&t);
  for (int i = 0; i < n; i++) leat_i_symbolize(pcs[i] - 1, print_symbol, &t);
}

static void end_if_it_hangs(void) {
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  signal(SIGALRM, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
  alarm(SECONDS);
}

/* On the alternate stack, where there is one. */
static void on_fault(int number, siginfo_t *info, void *context) {
  static _Atomic(pid_t) reporter;
  bool in_guard = false, is_address = (number == SIGSEGV || number == SIGBUS) && info->si_code > 0;
  const struct goroutine *g = is_address ? leat_i_stack_find(info->si_addr, &in_guard) : NULL;
  if (g && in_guard) leat_i_report_overflow(g);
  int i = 0;
  while (faults[i] != number) i++;
  const struct sigaction *old = &before[i];
  if (old->sa_flags & SA_SIGINFO) {
    old->sa_sigaction(number, info, context);
    return;
  }
  if (old->sa_handler == SIG_IGN && info->si_code <= 0) return;
  if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
    old->sa_handler(number);
    return;
  }
  pid_t nobody = 0, self = gettid();
  if (cas_seq(&reporter, &nobody, self)) {
    end_if_it_hangs();
    report(info, context);
  } else if (nobody == self) {
    struct text t = {0};
    put(&t, "leat: another fault while this one was reported\n");
    flush(&t);
  } else {
    for (;;) pause(); /* the thread that reports ends the process */
  }
  sigaction(number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
  if (info->si_code <= 0) raise(number);
  /* Else the instruction is tried again, and now ends the process as it would have. */
}

void leat_i_fault_handlers_install(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < FAULTS; i++) sigaction(faults[i], &action, &before[i]);
  installed = true;
}

void leat_i_fault_handlers_remove(void) {
  for (int i = 0; installed && i < FAULTS; i++) sigaction(faults[i], &before[i], NULL);
  installed = false;
}

void *leat_i_signal_stack_install(void) {
  stack_t old;
  if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE)) return NULL; /* a sanitizer's */
  void *stack = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return NULL;
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = SIGNAL_STACK}, NULL);
  return stack;
}

void leat_i_signal_stack_remove(void *stack) {
  if (!stack) return;
  sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
  munmap(stack, SIGNAL_STACK);
}
