/* A select in progress, inside: see select.c. A goroutine that waits in one has it as what it waits for. */
#pragma once
#include <leat/select.h>

struct select {
  leat_case *cases;
  size_t n, n_locks;
  struct waiter *waiters; /* one a case */
  struct chan **locks;    /* the channels, by address, each once */
  uint32_t *order;        /* in which cases are looked at */
  int64_t deadline;
  int deadline_index, default_index; /* -1: none */
};
