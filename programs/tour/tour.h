/* tour.h - the programs that the Book and the Blog build their chapters on, written with leat. Each is a file that can be read alone. */
#pragma once
#include <leat/leat.h>
#include <stdio.h>

/* How long a second lasts in them, in nanoseconds: --second. */
extern int64_t second;
/* How many prime finders to fan out to: --finders. */
extern int finders;

/* Each answers a status. */
#define PROGRAM(name, variant, function, what) int function(void);
#include "programs.h"
#undef PROGRAM
