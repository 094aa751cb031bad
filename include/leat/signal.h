/* leat/signal.h - asynchronous signals as values on a channel (after Go's os/signal).
 *
 *   leat_rx(int) interrupts = leat_signals(s, SIGINT, SIGTERM);
 *
 * From the call until the scope ends the named signals are caught for the whole process and sent on the channel (capacity 64; what a slow
 * receiver lets pile up beyond that is dropped); then the former disposition is restored. Several subscriptions may name the same signal:
 * each gets it. Out of memory or descriptors, the channel's operations answer LEAT_NOMEM. Signals a process cannot catch, and those that
 * report faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL), are refused with a panic. */
#pragma once
#include "typed.h"
#include <signal.h>

#define leat_signals(s, ...) \
  (__extension__(leat_rx(int))leat_i_signals((s), (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

LEAT_I_BEGIN
struct leat_i_chan *leat_i_signals(const struct leat_scope *s, const int *numbers, size_t n);
LEAT_I_END
