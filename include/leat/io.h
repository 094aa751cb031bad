/* leat/io.h - descriptors that block the goroutine, not the thread.
 *
 * The functions take plain descriptors and make them non-blocking on first use. Where the kernel can poll a descriptor (sockets, pipes,
 * terminals, eventfds) the goroutine parks until it is ready; where it cannot (regular files) the call blocks the thread, and if it takes
 * longer than 10 ms the runtime lets a spare thread run the other goroutines (leat_blocking does so at once). Close such a descriptor with leat_io_close, not close(2): the runtime must forget it
 * before the number can be used again, and wakes who still waits for it (LEAT_CLOSED).
 *
 * Results: the number of bytes, or a negative status: LEAT_CANCELED, LEAT_DEADLINE, LEAT_CLOSED, or LEAT_SYSTEM(errno). Never errno.
 * The _until forms take a deadline (leat_now() + duration). Any number of goroutines and threads may use one descriptor. */
#pragma once
#include "status.h"
#include <sys/socket.h>
#include <sys/types.h>

LEAT_I_BEGIN

ssize_t leat_io_read(int fd, void *buffer, size_t size); /* 0: end of file */
ssize_t leat_io_read_until(int fd, void *buffer, size_t size, int64_t deadline);
ssize_t leat_io_write(int fd, const void *data, size_t size); /* may write less, as write(2) */
ssize_t leat_io_write_until(int fd, const void *data, size_t size, int64_t deadline);
/* Writes all of it: LEAT_OK or the status that ended it, after *written bytes (may be NULL). SIGPIPE is not raised on sockets. */
int leat_io_write_all(int fd, const void *data, size_t size, int64_t deadline, size_t *written);
/* The new connection, non-blocking and close-on-exec, or a status. Address as in accept(2), may be NULL. */
int leat_io_accept(int fd, struct sockaddr *address, socklen_t *length, int64_t deadline);
int leat_io_connect(int fd, const struct sockaddr *address, socklen_t length, int64_t deadline);
/* Waits until a read (write) would not block; for libraries that do their own I/O. */
int leat_io_wait_read(int fd, int64_t deadline);
int leat_io_wait_write(int fd, int64_t deadline);
int leat_io_close(int fd); /* LEAT_OK or LEAT_SYSTEM; wakes all who wait on it with LEAT_CLOSED */

LEAT_I_END
