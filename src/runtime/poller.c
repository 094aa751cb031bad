/* See poller.h. */
#define _GNU_SOURCE
#include "poller.h"
#include "nondet.h"
#include "scheduler.h"
#include <errno.h>
#include <leat/status.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 1024, CHUNKS = 4096, EVENTS = 64 };

struct fd_waiter {
  struct fd_waiter *next, **place; /* place is NULL once it is off the list */
  struct goroutine *goroutine;
};

/* What a short read says. */
enum short_read { UNKNOWN, EMPTY, NOTHING };

struct descriptor {
  struct lock lock;
  bool registered, unpollable;
  _Atomic(bool) used;
  _Atomic(uint32_t) events[2];
  _Atomic(uint32_t) empty_at; /* the count of events to read, and one; 0: never */
  _Atomic(uint8_t) short_read;
  struct fd_waiter *waiting[2];
};

static _Atomic(struct descriptor *) table[CHUNKS]; /* grows, is never freed while the runtime runs */
static int epoll_fd = -1, kick_fd = -1;
static _Atomic(int) n_waiting;

int leat_i_poller_start(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = -1};
  if (epoll_fd >= 0 && kick_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, kick_fd, &e) == 0) return LEAT_OK;
  int error = errno;
  leat_i_poller_stop();
  return LEAT_SYSTEM(error);
}

void leat_i_poller_stop(void) {
  if (epoll_fd >= 0) close(epoll_fd);
  if (kick_fd >= 0) close(kick_fd);
  epoll_fd = kick_fd = -1;
  for (int i = 0; i < CHUNKS; i++) free(exchange(&table[i], NULL));
}

static struct descriptor *descriptor_of(int fd) {
  if (fd < 0 || fd >= CHUNK * CHUNKS) return NULL;
  struct descriptor *chunk = load_acquire(&table[fd / CHUNK]);
  if (!chunk) {
    struct descriptor *made = calloc(CHUNK, sizeof *made);
    if (!made) return NULL;
    if (cas(&table[fd / CHUNK], &chunk, made)) chunk = made;
    else free(made);
  }
  return &chunk[fd % CHUNK];
}

int leat_i_poller_use(int fd, int (*prepare)(int fd)) {
  struct descriptor *e = descriptor_of(fd);
  if (!e || load_acquire(&e->used)) return LEAT_OK;
  int status = LEAT_OK;
  lock_take(&e->lock);
  if (!load_relaxed(&e->used) && (status = prepare(fd)) == LEAT_OK) store_release(&e->used, true);
  lock_drop(&e->lock);
  return status;
}

uint32_t leat_i_poller_count(int fd, enum direction d) {
  struct descriptor *e = descriptor_of(fd);
  return e ? load_acquire(&e->events[d]) : 0;
}

static enum short_read ask_kind(int fd) {
  int domain = 0, type = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size)) return NOTHING;
  return (domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM ? EMPTY : NOTHING;
}

void leat_i_poller_was_short(int fd, uint32_t count) {
  struct descriptor *e = descriptor_of(fd);
  if (!e) return;
  uint8_t unknown = UNKNOWN;
  if (load_relaxed(&e->short_read) == UNKNOWN) cas(&e->short_read, &unknown, ask_kind(fd)); /* not over what an event has said */
  if (load_relaxed(&e->short_read) == EMPTY) store_relaxed(&e->empty_at, count + 1);
}

bool leat_i_poller_is_empty(int fd, uint32_t count) {
  struct descriptor *e = descriptor_of(fd);
  return e && load_relaxed(&e->empty_at) == count + 1 && load_acquire(&e->short_read) == EMPTY;
}

static int enlist(int fd, struct descriptor *e) {
  if (e->registered) return LEAT_OK;
  if (e->unpollable) return LEAT_INVALID;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.fd = fd};
  /* Known already to epoll, it was closed behind our back, and is open elsewhere: changing it asks anew for the edge of now. */
  int failed = 0;
  quietly {
    failed = epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    if (failed && errno == EEXIST) failed = epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
  }
  if (failed) {
    e->unpollable = errno == EPERM;
    return e->unpollable ? LEAT_INVALID : LEAT_SYSTEM(errno);
  }
  e->registered = true;
  return LEAT_OK;
}

static void push(struct fd_waiter **list, struct fd_waiter *w) {
  while (*list) list = &(*list)->next; /* first come, first served; these lists are short */
  w->next = NULL;
  w->place = list;
  *list = w;
}

static void remove_waiter(struct fd_waiter *w) {
  if (!w->place) return;
  *w->place = w->next;
  if (w->next) w->next->place = w->place;
  w->place = NULL;
}

int leat_i_poller_wait(struct goroutine *self, int fd, enum direction d, uint32_t count, int64_t deadline) {
  struct descriptor *e = descriptor_of(fd);
  if (!e) return fd < 0 ? LEAT_SYSTEM(EBADF) : LEAT_NOMEM;
  lock_take(&e->lock);
  int status = enlist(fd, e);
  if (status || load_relaxed(&e->events[d]) != count) {
    lock_drop(&e->lock);
    return status;
  }
  happens_before(e); /* for who closes it */
  struct fd_waiter w = {.goroutine = self};
  push(&e->waiting[d], &w);
  add(&n_waiting, 1);
  status = leat_i_park(self, &(struct park){.reason = d == DIRECTION_READ ? WAIT_READ : WAIT_WRITE,
                                            .object = (const void *)(intptr_t)fd,
                                            .lock = &e->lock,
                                            .deadline = deadline});
  lock_take(&e->lock);
  remove_waiter(&w);
  lock_drop(&e->lock);
  sub(&n_waiting, 1);
  return status;
}

/* With the descriptor's lock: claims all who wait in one direction, onto the list. */
static void claim_all(struct descriptor *e, enum direction d, int status, struct goroutine **list) {
  while (e->waiting[d]) {
    struct fd_waiter *w = e->waiting[d];
    remove_waiter(w);
    if (!leat_i_claim(w->goroutine, status)) continue;
    if (status == LEAT_CLOSED) happens_before(w->goroutine);
    w->goroutine->link = *list;
    *list = w->goroutine;
  }
}

int leat_i_poller_close(int fd) {
  struct descriptor *e = descriptor_of(fd);
  if (!e) return close(fd);
  struct goroutine *woken = NULL;
  lock_take(&e->lock);
  happens_after(e);
  if (e->registered) quietly epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
  e->registered = e->unpollable = false;
  store_relaxed(&e->used, false);
  store_relaxed(&e->short_read, UNKNOWN);
  store_relaxed(&e->empty_at, 0);
  for (enum direction d = DIRECTION_READ; d <= DIRECTION_WRITE; d++) {
    add(&e->events[d], 1);
    claim_all(e, d, LEAT_CLOSED, &woken);
  }
  /* Under the lock: else who waits between the two registers a descriptor that is about to go, and its number stays marked as registered. */
  int result = close(fd), error = errno;
  lock_drop(&e->lock);
  leat_i_ready_list(woken);
  errno = error;
  return result;
}

static void handle(const struct epoll_event *event, struct goroutine **woken) {
  static const uint32_t wakes[2] = {EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR, EPOLLOUT | EPOLLHUP | EPOLLERR};
  struct descriptor *e = descriptor_of(event->data.fd);
  if (!e) return;
  lock_take(&e->lock);
  if (event->events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) store_release(&e->short_read, NOTHING);
  for (enum direction d = DIRECTION_READ; d <= DIRECTION_WRITE; d++) {
    if (!(event->events & wakes[d])) continue;
    add(&e->events[d], 1);
    claim_all(e, d, LEAT_OK, woken);
  }
  lock_drop(&e->lock);
}

struct goroutine *leat_i_poller_run(int64_t until) {
  struct epoll_event events[EVENTS]; /* few: it may run on a goroutine's stack */
  int n = 0;
  quietly n = leat_i_nondet_poll(epoll_fd, events, EVENTS, until);
  struct goroutine *woken = NULL;
  leat_i_count(COUNT_POLLS, 1);
  if (n > 0) leat_i_count(COUNT_POLLED, (uint64_t)n);
  for (int i = 0; i < n; i++) {
    if (events[i].data.fd != -1) {
      handle(&events[i], &woken);
    } else if (until) { /* the kick is meant for the one that sleeps; those that only look leave it to him */
      uint64_t sink;
      ssize_t ignored = 0;
      quietly ignored = read(kick_fd, &sink, sizeof sink);
      (void)ignored;
    }
  }
  return woken;
}

void leat_i_poller_kick(void) {
  uint64_t one = 1;
  ssize_t ignored = 0;
  quietly ignored = write(kick_fd, &one, sizeof one); /* fails only when it is readable already */
  (void)ignored;
}

int leat_i_poller_waiters(void) { return load_acquire(&n_waiting); }

void leat_i_poller_memory(void (*visit)(const void *low, const void *high, void *environment), void *environment) {
  visit(table, table + CHUNKS, environment);
  for (int i = 0; i < CHUNKS; i++) {
    struct descriptor *chunk = load_acquire(&table[i]);
    if (chunk) visit(chunk, chunk + CHUNK, environment);
  }
}
