/* Every source of nondeterminism, behind one narrow interface: the clock, random choices, what runs next, threads, waiting for the outside.
 *
 * nondet.c answers from the real world. A simulation (built with LEAT_SIM) gives the same functions from a seed and a virtual clock, on one
 * thread, and the rest of the library does not change: nothing else in src/ reads a clock, draws a random number or sleeps in the kernel. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct epoll_event;

/* The monotonic clock, in nanoseconds. */
int64_t leat_i_nondet_clock(void);
/* UTC, in nanoseconds since 1970. */
int64_t leat_i_nondet_wall_clock(void);
/* A number that no other process has. */
uint64_t leat_i_nondet_entropy(void);

/* A number in [0, n), n >= 1. The purpose lets a simulation treat choices differently. */
enum choice { CHOOSE_CASE, CHOOSE_VICTIM, CHOOSE_NEXT };
uint32_t leat_i_nondet_choose(enum choice purpose, uint32_t n);

/* Constants in the real world, since they are asked on the hottest paths of all. Whether there may be more threads than one: workers, pinned
 * goroutines' own, the watcher. What runs next: really the goroutine woken last, for its cache's sake, then who waits longest; a simulation
 * takes any (CHOOSE_NEXT). */
#ifdef LEAT_SIM
bool leat_i_nondet_threads(void);
bool leat_i_nondet_newest_first(void);
bool leat_i_nondet_any_next(void);
#else
static inline bool leat_i_nondet_threads(void) { return true; }
static inline bool leat_i_nondet_newest_first(void) { return true; }
static inline bool leat_i_nondet_any_next(void) { return false; }
#endif

/* Waits for events on the epoll descriptor, until the time `until` (LEAT_NEVER: without end; 0: not at all). Answers their number, or a
 * negative errno. */
int leat_i_nondet_poll(int epoll, struct epoll_event *events, int n, int64_t until);

/* Sleeps in the kernel while *word == value, until the time `until`; leat_i_nondet_wake ends up to n such sleeps. */
void leat_i_nondet_sleep(_Atomic(uint32_t) *word, uint32_t value, int64_t until);
void leat_i_nondet_wake(_Atomic(uint32_t) *word, int n);
