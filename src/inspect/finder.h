/* The finder, inside: see leat/finder.h, and waits.h for how it finds. */
#pragma once
#include <stdio.h>

/* Starts a thread that looks now and then, if the options or the environment ask for it. */
void leat_i_finder_start(unsigned milliseconds, int fatal);
void leat_i_finder_stop(void);
int leat_i_finder_threads(void); /* 0 or 1 */
void leat_i_finder_print(FILE *out);
/* Calls visit for the memory in which it keeps what it has told. */
void leat_i_finder_memory(void (*visit)(const void *low, const void *high, void *environment), void *environment);
