/* See leat/signal.h.
 *
 * The handler only counts and writes an eventfd, both async-signal-safe; a service goroutine of the subscribing scope waits for that
 * descriptor and sends the numbers on. Subscriptions lie in a fixed table that is never freed, so a handler that is running on another
 * thread while a subscription ends reads valid memory. */
#define _GNU_SOURCE
#include "../runtime/atomics.h"
#include "../runtime/happens.h"
#include "../runtime/lock.h"
#include "../inspect/memory.h"
#include "channel.h"
#include "panic.h"
#include "scope.h"
#include <errno.h>
#include <leat/io.h>
#include <leat/signal.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SUBSCRIPTIONS = 64, SIGNALS = 65, QUEUE = 64 };

struct subscription {
  _Atomic(uint64_t) wanted; /* bit n - 1 for signal n; 0: the entry is free, or ending */
  _Atomic(uint32_t) pending[SIGNALS];
  _Atomic(int) fd;
  _Atomic(int) handling; /* handlers that are just using fd */
  bool in_use; /* guarded by the lock */
};
static struct subscription table[SUBSCRIPTIONS];
static struct lock lock;
static uint32_t users[SIGNALS]; /* guarded by the lock */
static LEAT_OWN struct sigaction former[SIGNALS];

static uint64_t bit(int number) { return UINT64_C(1) << (number - 1); }

static void on_signal(int number) {
  int saved = errno;
  for (int i = 0; i < SUBSCRIPTIONS; i++) {
    if (!(load_acquire(&table[i].wanted) & bit(number))) continue;
    add_seq(&table[i].handling, 1);
    if (load_seq(&table[i].wanted) & bit(number)) { /* then unsubscribe waits for us */
      add(&table[i].pending[number], 1);
      uint64_t one = 1;
      ssize_t ignored = 0;
      quietly ignored = write(load_relaxed(&table[i].fd), &one, sizeof one);
      (void)ignored;
    }
    sub_seq(&table[i].handling, 1);
  }
  errno = saved;
}

static struct subscription *subscribe(uint64_t wanted, int fd) {
  struct subscription *s = NULL;
  lock_take(&lock);
  for (int i = 0; i < SUBSCRIPTIONS && !s; i++)
    if (!table[i].in_use) s = &table[i];
  if (s) {
    s->in_use = true;
    for (int n = 1; n < SIGNALS; n++) store_relaxed(&s->pending[n], 0);
    store_relaxed(&s->fd, fd);
    store_release(&s->wanted, wanted);
    /* Valgrind loses track of the interrupted stack when threads change while a handler runs on another one (tried: false reports). */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | (RUNNING_ON_VALGRIND ? 0 : SA_ONSTACK)};
    sigemptyset(&action.sa_mask);
    for (int n = 1; n < SIGNALS; n++)
      if (wanted & bit(n) && users[n]++ == 0) sigaction(n, &action, &former[n]);
  }
  lock_drop(&lock);
  return s;
}

static void unsubscribe(struct subscription *s) {
  lock_take(&lock);
  uint64_t wanted = exchange_seq(&s->wanted, 0);
  for (int n = 1; n < SIGNALS; n++)
    if (wanted & bit(n) && --users[n] == 0) sigaction(n, &former[n], NULL);
  lock_drop(&lock);
  while (load_seq(&s->handling)) sched_yield(); /* the number is about to be somebody else's descriptor */
  leat_io_close(load_relaxed(&s->fd));
  lock_take(&lock);
  s->in_use = false; /* only now: whoever gets the entry stores his own descriptor */
  lock_drop(&lock);
}

LEAT_FN(deliver_signals, struct subscription *, s, leat_tx(int), out) {
  leat_defer(unsubscribe, s);
  uint64_t count;
  while (leat_io_read(load_relaxed(&s->fd), &count, sizeof count) == (ssize_t)sizeof count) {
    for (int n = 1; n < SIGNALS; n++) {
      uint32_t k = load_relaxed(&s->pending[n]) ? exchange(&s->pending[n], 0) : 0;
      if (k > QUEUE) k = QUEUE; /* more than it holds would be dropped in any case */
      while (k--)
        if (leat_try_send(out, n) == LEAT_CANCELED) return;
    }
  }
}

struct leat_i_chan *leat_i_signals(const struct leat_scope *scope, const int *numbers, size_t n) {
  uint64_t wanted = 0;
  for (size_t i = 0; i < n; i++) {
    int k = numbers[i];
    if (k < 1 || k >= SIGNALS || k == SIGKILL || k == SIGSTOP || k == SIGSEGV || k == SIGBUS || k == SIGFPE || k == SIGILL)
      leat_i_panic("leat_signals: signal %d cannot be received on a channel: it is none, cannot be caught, or reports a fault (see leat/panic.h)", k);
    wanted |= bit(k);
  }
  const struct leat_scope *s = scope ? scope : leat_current_scope();
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct subscription *entry = fd >= 0 ? subscribe(wanted, fd) : NULL;
  if (!entry) {
    if (fd >= 0) close(fd);
    return (struct leat_i_chan *)leat_i_chan_failed();
  }
  leat_chan(int) out = leat_chan_make(s, int, QUEUE);
  if (leat_go_with(s, ((leat_go_options){.name = "signals", .service = 1}), deliver_signals, entry, leat_tx_of(out)) == LEAT_OK)
    return __extension__ LEAT_I_RAW(out);
  unsubscribe(entry);
  return (struct leat_i_chan *)leat_i_chan_failed();
}
