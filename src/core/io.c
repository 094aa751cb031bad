/* See leat/io.h: the system call first; only if it would block, the poller (runtime/poller.h). */
#define _GNU_SOURCE
#include "../runtime/nondet.h"
#include "../runtime/poller.h"
#include "../runtime/scheduler.h"
#include "panic.h"
#include "scope.h"
#include <errno.h>
#include <fcntl.h>
#include <leat/io.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* One attempt of an operation on a descriptor: what the system call returned, or -errno. */
struct io {
  ssize_t (*attempt)(struct io *op);
  int fd;
  void *data;
  size_t size;
  struct sockaddr *address;
  socklen_t *length;
};

/* Not inlined: a compiler may keep the address of errno, which belongs to a thread, across a wait in the same function. */
static __attribute__((noinline)) int last_error(void) { return errno; }

static ssize_t result(ssize_t n) { return n < 0 ? -errno : n; }
static ssize_t do_read(struct io *op) { return result(read(op->fd, op->data, op->size)); }
static ssize_t do_accept(struct io *op) { return result(accept4(op->fd, op->address, op->length, SOCK_NONBLOCK | SOCK_CLOEXEC)); }
static ssize_t do_write(struct io *op) {
  ssize_t n = send(op->fd, op->data, op->size, MSG_NOSIGNAL);
  if (n < 0 && errno == ENOTSOCK) n = write(op->fd, op->data, op->size);
  return result(n);
}

/* Descriptors that are polled must not block. */
static int make_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return LEAT_SYSTEM(errno);
  if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return LEAT_SYSTEM(errno);
  return LEAT_OK;
}

static ssize_t ended(struct goroutine *self, int64_t status) {
  int scope_status = leat_i_scope_interrupts(self->scope);
  if (scope_status && (status == LEAT_CANCELED || status == LEAT_DEADLINE)) return leat_i_cancelled(self, scope_status);
  self->ignored = 0;
  return (ssize_t)status;
}

/* Before the first use of a descriptor. */
static int prepare(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0) return LEAT_SYSTEM(errno);
  return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode) ? LEAT_OK : make_nonblocking(fd);
}

static ssize_t run(struct io *op, enum direction d, int64_t deadline) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (status) return leat_i_cancelled(self, status);
  if ((status = leat_i_poller_use(op->fd, prepare))) return status;
  for (;;) {
    uint32_t count = leat_i_poller_count(op->fd, d); /* before the attempt: see poller.h */
    bool reads = op->attempt == do_read;
    ssize_t n = reads && leat_i_poller_is_empty(op->fd, count) ? -EAGAIN : op->attempt(op);
    if (n == -EINTR) continue;
    if (n != -EAGAIN && n != -EWOULDBLOCK) {
      if (reads && n > 0 && (size_t)n < op->size) leat_i_poller_was_short(op->fd, count);
      leat_i_operation(self);
      return ended(self, n < 0 ? LEAT_SYSTEM((int)-n) : n);
    }
    status = leat_i_poller_wait(self, op->fd, d, count, deadline);
    if (status) return ended(self, status == LEAT_INVALID ? LEAT_SYSTEM(EAGAIN) : status);
  }
}

ssize_t leat_io_read_until(int fd, void *buffer, size_t size, int64_t deadline) {
  happens_call();
  return run(&(struct io){.attempt = do_read, .fd = fd, .data = buffer, .size = size}, DIRECTION_READ, deadline);
}

ssize_t leat_io_write_until(int fd, const void *data, size_t size, int64_t deadline) {
  happens_call();
  return run(&(struct io){.attempt = do_write, .fd = fd, .data = (void *)data, .size = size}, DIRECTION_WRITE, deadline);
}

ssize_t leat_io_read(int fd, void *buffer, size_t size) {
  happens_call();
  return leat_io_read_until(fd, buffer, size, LEAT_NEVER);
}
ssize_t leat_io_write(int fd, const void *data, size_t size) {
  happens_call();
  return leat_io_write_until(fd, data, size, LEAT_NEVER);
}

int leat_io_write_all(int fd, const void *data, size_t size, int64_t deadline, size_t *written) {
  happens_call();
  size_t at = 0;
  ssize_t n = 0;
  while (at < size && (n = leat_io_write_until(fd, (const char *)data + at, size - at, deadline)) >= 0) at += (size_t)n;
  if (written) *written = at;
  return n < 0 ? (int)n : LEAT_OK;
}

int leat_io_accept(int fd, struct sockaddr *address, socklen_t *length, int64_t deadline) {
  happens_call();
  return (int)run(&(struct io){.attempt = do_accept, .fd = fd, .address = address, .length = length}, DIRECTION_READ, deadline);
}

static int wait_for(int fd, enum direction d, int64_t deadline, uint32_t count) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (status) return leat_i_cancelled(self, status);
  status = leat_i_poller_wait(self, fd, d, count, deadline);
  return (int)ended(self, status == LEAT_INVALID ? LEAT_OK : status); /* what cannot be polled is always ready */
}

/* Edges that came before the call are not known, so the kernel is asked first whether it would block at all. */
static int wait_level(int fd, enum direction d, int64_t deadline) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (status) return leat_i_cancelled(self, status);
  for (;;) {
    uint32_t count = leat_i_poller_count(fd, d);
    struct pollfd p = {.fd = fd, .events = d == DIRECTION_READ ? POLLIN : POLLOUT};
    int n = poll(&p, 1, 0);
    if (n < 0 && last_error() != EINTR) return LEAT_SYSTEM(last_error());
    if (n > 0) return p.revents & POLLNVAL ? LEAT_SYSTEM(EBADF) : LEAT_OK;
    status = wait_for(fd, d, deadline, count);
    if (status) return status;
  }
}

int leat_io_wait_read(int fd, int64_t deadline) { return wait_level(fd, DIRECTION_READ, deadline); }
int leat_io_wait_write(int fd, int64_t deadline) { return wait_level(fd, DIRECTION_WRITE, deadline); }

int leat_io_connect(int fd, const struct sockaddr *address, socklen_t length, int64_t deadline) {
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (status) return leat_i_cancelled(self, status);
  if ((status = make_nonblocking(fd))) return status;
  uint32_t count = leat_i_poller_count(fd, DIRECTION_WRITE);
  if (connect(fd, address, length) == 0) return LEAT_OK;
  if (last_error() != EINPROGRESS && last_error() != EINTR) return LEAT_SYSTEM(last_error());
  for (;;) {
    status = wait_for(fd, DIRECTION_WRITE, deadline, count);
    if (status) return status;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return LEAT_SYSTEM(last_error());
    if (error) return LEAT_SYSTEM(error);
    struct sockaddr_storage peer;
    size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0) return LEAT_OK;
    count = leat_i_poller_count(fd, DIRECTION_WRITE); /* an edge of before the connect: wait on */
  }
}

int leat_io_close(int fd) {
  happens_call();
  leat_i_self(); /* the poller runs from here on */
  return leat_i_poller_close(fd) == 0 || errno == EINTR ? LEAT_OK : LEAT_SYSTEM(last_error());
}
