/* Leaks, inside: see leat/leak.h. Everything that can leak is stamped with the epoch it was made in; a mark begins a new one. */
#pragma once
#include "../runtime/atomics.h"
#include <stdint.h>

extern _Atomic(uint32_t) leat_i_epoch;
static inline uint32_t leak_epoch(void) { return load_relaxed(&leat_i_epoch); }

/* The end of the body of LEAT_MAIN: lists what is left, if LEAT_LEAKS asks for it. */
void leat_i_leaks_at_exit(void);
