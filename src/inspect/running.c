/* See running.h. */
#define _GNU_SOURCE
#include "running.h"
#include "../runtime/nondet.h"
#include "memory.h"
#include "unwind.h"
#include <errno.h>
#include <leat/status.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int64_t PATIENCE = LEAT_MS(50) /* threads may be many, and the machine busy */;

/* One at a time. Whoever moves the state from ASKED owns the rest: the handler, to TAKEN, or the asker who gives up, to NOT_ASKED. */
enum { NOT_ASKED, ASKED, TAKEN, DONE };
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static LEAT_OWN struct {
  _Atomic(uint32_t) state;
  _Atomic(int) thread;
  const struct goroutine *g;
  uintptr_t *pcs;
  int max, n;
} request;

static bool is_on_stack(const struct goroutine *g, const char *here) { return here >= g->stack_low && here < g->stack_high; }

static char *interrupted_stack(const void *context) {
  const ucontext_t *u = context;
#if defined(__x86_64__)
  return (char *)u->uc_mcontext.gregs[REG_RSP];
#else
  return (char *)u->uc_mcontext.sp;
#endif
}

static void on_request(int number, siginfo_t *info, void *context) {
  (void)number;
  int saved = errno;
  uint32_t asked = ASKED;
  if (info->si_code == SI_TKILL && load_acquire(&request.thread) == (int)syscall(SYS_gettid) && cas(&request.state, &asked, TAKEN)) {
    struct worker *w = leat_i_worker();
    bool runs = w && load_relaxed(&w->current) == request.g && is_on_stack(request.g, interrupted_stack(context)); /* and is not being put down */
    request.n = runs ? leat_i_unwind_context(context, request.pcs, request.max) : 0;
    store_seq(&request.state, DONE);
    leat_i_nondet_wake(&request.state, 1);
  }
  errno = saved;
}

static int ask(const struct goroutine *g, int thread, uintptr_t *pcs, int max) {
  request.g = g;
  request.pcs = pcs;
  request.max = max;
  store_relaxed(&request.thread, thread);
  store_seq(&request.state, ASKED);
  if (syscall(SYS_tgkill, getpid(), thread, SIGURG)) return 0;
  int64_t until = leat_i_nondet_clock() + PATIENCE;
  for (uint32_t state; (state = load_seq(&request.state)) != DONE;) {
    if (state == ASKED && leat_i_nondet_clock() >= until && cas(&request.state, &state, NOT_ASKED)) return 0;
    leat_i_nondet_sleep(&request.state, state, state == ASKED ? until : LEAT_NEVER);
  }
  return request.n;
}

int leat_i_unwind_running(const struct goroutine *g, struct worker *w, uintptr_t *pcs, int max) {
#ifdef LEAT_TSAN
  return (void)ask, (void)g, (void)w, (void)pcs, (void)max, 0; /* it puts signals off for as long as a goroutine computes */
#endif
  int thread = load_acquire(&w->thread_id), n = 0;
  if (!thread) return 0;
  pthread_mutex_lock(&one_at_a_time);
  struct sigaction action = {.sa_sigaction = on_request, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART}, before;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGURG, NULL, &before) == 0 && (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) && sigaction(SIGURG, &action, NULL) == 0) {
    n = ask(g, thread, pcs, max);
    sigaction(SIGURG, &before, NULL);
  }
  pthread_mutex_unlock(&one_at_a_time);
  return n;
}
