/* A select in progress, inside: see select.c. A goroutine that waits in one has it as what it waits for. */
#pragma once
#include <leat/select.h>

struct select {
  leat_case *cases;
  size_t n;
  struct waiter *waiters; /* one a case */
  /* What is locked: */
  struct chan **locks;    /* the channels, each once: */
  size_t n_locks;
  size_t n_plain;         /* first those whose plain lock is held, by address */
  struct lock *section;   /* or NULL: covers the others, which are reserved for the worker (then `locks` may be empty) */
  int64_t deadline;
  int deadline_index;     /* -1: none */
};
