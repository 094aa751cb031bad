/* Runs: chains of stages that work as one. See fuse.c. */
#pragma once
#include "stage.h"

/* Runs the stage and all upstream that it can absorb, until it ends or its scope does; ends them. The status that ended it, LEAT_CLOSED for a
 * regular end. */
int leat_i_run(struct stage *last);
/* The same for a stage that takes all items and has no output, in the goroutine of the caller; it lies in the caller's frame. */
int leat_i_run_here(struct stage *end);
