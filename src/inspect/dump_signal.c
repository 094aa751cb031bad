/* See dump_signal.h. */
#define _GNU_SOURCE
#include "dump_signal.h"
#include "../runtime/atomics.h"
#include "../runtime/nondet.h"
#include "../runtime/runtime.h"
#include "dump.h"
#include "memory.h"
#include "threads.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what is below, but for the words that the handler uses */
static int caught;                                       /* the signal, or 0 */
static LEAT_OWN struct sigaction former;
static pthread_t thread;
static _Atomic(uint32_t) running, asked, stopping; /* asked counts */

/* `former` is written before this is installed, and kept when it is not any more: one that came just before may still be here. */
static void on_signal(int number, siginfo_t *info, void *context) {
  int saved = errno;
  add_seq(&asked, 1);
  leat_i_nondet_wake(&asked, 1);
  if (former.sa_flags & SA_SIGINFO) former.sa_sigaction(number, info, context);
  else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) former.sa_handler(number);
  errno = saved;
}

static enum leat_dump_style style_asked(void) {
  const char *text = getenv("LEAT_DUMP");
  if (text && strcmp(text, "grouped") == 0) return LEAT_DUMP_GROUPED;
  if (text && strcmp(text, "brief") == 0) return LEAT_DUMP_BRIEF;
  return LEAT_DUMP_FULL;
}

static void *dump_when_asked(void *done_before) {
  leat_i_thread_ours();
  for (uint32_t done = (uint32_t)(uintptr_t)done_before; !load_seq(&stopping);) {
    leat_i_nondet_sleep(&asked, done, LEAT_NEVER);
    if (load_seq(&asked) == done || load_seq(&stopping)) continue;
    done = load_seq(&asked); /* those that come while it is written get one more, together */
    leat_i_dump_report(style_asked());
  }
  leat_i_thread_ours_no_more();
  return NULL;
}

static int start_thread(void) {
  if (load_relaxed(&running)) return LEAT_OK;
  if (!leat_i_nondet_threads()) return LEAT_INVALID;
  sigset_t all, before;
  store_seq(&stopping, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int error = pthread_create(&thread, NULL, dump_when_asked, (void *)(uintptr_t)load_seq(&asked));
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error) return LEAT_NOMEM;
  store_release(&running, 1);
  return LEAT_OK;
}

/* Only if it is still this one that is there. */
static void put_back(void) {
  struct sigaction now;
  if (caught && sigaction(caught, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_signal) sigaction(caught, &former, NULL);
  caught = 0;
}

static bool cannot_be_caught(int number) {
  return number < 0 || number > SIGRTMAX || number == SIGKILL || number == SIGSTOP || number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
}

static int install(int number) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigemptyset(&action.sa_mask);
  int status = start_thread();
  if (status) return status;
  if (sigaction(number, NULL, &former) || sigaction(number, &action, NULL)) return LEAT_INVALID; /* two that libc keeps for itself */
  caught = number;
  return LEAT_OK;
}

int leat_dump_on_signal(int number) {
  if (cannot_be_caught(number)) return LEAT_INVALID;
  int status = number ? leat_i_runtime_ensure() : LEAT_OK;
  if (status) return status;
  pthread_mutex_lock(&lock);
  put_back();
  if (number) status = install(number);
  pthread_mutex_unlock(&lock);
  return status;
}

int leat_i_dump_threads(void) { return (int)load_acquire(&running); }

void leat_i_dump_signal_stop(void) {
  pthread_mutex_lock(&lock);
  put_back();
  if (exchange(&running, 0)) {
    store_seq(&stopping, 1);
    add_seq(&asked, 1);
    leat_i_nondet_wake(&asked, 1);
    pthread_join(thread, NULL);
  }
  pthread_mutex_unlock(&lock);
}

void leat_i_dump_signal_forget(void) { put_back(); }
