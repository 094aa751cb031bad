/* The poller: which goroutines wait for which descriptor, over one edge-triggered epoll.
 *
 * A descriptor is registered once, for both directions, and has a count of events for each. Who wants to read notes the count, tries, and
 * on EAGAIN waits only if the count is still the same: an edge that came in between is never lost, and no edge costs a vain second try.
 * A read that got less than it asked for has emptied a TCP socket, so the next one need not try before there has been another edge (of three
 * system calls for a request and its answer one less). Not so once the peer has finished, or sent urgent data, at which reads stop; and not
 * on Unix sockets, where they stop at passed descriptors.
 * Numbers are reused by the kernel, so a descriptor must be closed through leat_i_poller_close. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct goroutine;
enum direction { DIRECTION_READ, DIRECTION_WRITE };

int leat_i_poller_start(void); /* LEAT_OK or a status */
void leat_i_poller_stop(void);

/* Calls prepare once for each descriptor, until it is closed; again if it failed. Answers its status. */
int leat_i_poller_use(int fd, int (*prepare)(int fd));
/* The count of events, to be passed to leat_i_poller_wait. */
uint32_t leat_i_poller_count(int fd, enum direction d);
/* A read that began at this count was short: the socket, if it is of TCP, is empty until the next event. */
void leat_i_poller_was_short(int fd, uint32_t count);
/* Whether it is, as far as is known. */
bool leat_i_poller_is_empty(int fd, uint32_t count);
/* Parks the caller until another event, LEAT_CLOSED by leat_i_poller_close, the deadline, or cancellation. LEAT_INVALID: the kernel cannot
 * poll this descriptor (a regular file). */
int leat_i_poller_wait(struct goroutine *self, int fd, enum direction d, uint32_t count, int64_t deadline);
/* Wakes all who wait, forgets the descriptor and closes it, in one step for those who come to use it meanwhile. What close(2) answered. */
int leat_i_poller_close(int fd);

/* Polls until the time (0: does not wait) and answers the list of goroutines it has claimed, to be made ready. */
struct goroutine *leat_i_poller_run(int64_t until);
/* Wakes the worker that polls. */
void leat_i_poller_kick(void);
/* How many goroutines wait for descriptors. */
int leat_i_poller_waiters(void);
/* Calls visit for the memory of the table of descriptors. */
void leat_i_poller_memory(void (*visit)(const void *low, const void *high, void *environment), void *environment);
