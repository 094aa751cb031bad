/* The threads of the process, and which of them are leat's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The calling thread is one of leat's own that are no workers, until it says the contrary. */
void leat_i_thread_ours(void);
void leat_i_thread_ours_no_more(void);

struct thread {
  int tid;
  uintptr_t sp; /* 0: it runs, or nobody knows */
};
/* Calls visit for every thread but the calling one and leat's own; false if that cannot be known. */
bool leat_i_threads_each(void (*visit)(const struct thread *t, void *environment), void *environment);
/* Calls visit for the stacks of those of leat's own threads that are no workers. */
void leat_i_threads_ours_stacks(void (*visit)(char *low, char *high, void *environment), void *environment);
/* The entries of a directory in /proc that are numbers; false if it cannot be read. Takes no memory from malloc. */
bool leat_i_numbers_in(const char *path, void (*visit)(int number, void *environment), void *environment);
