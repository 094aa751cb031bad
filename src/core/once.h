/* Once, inside: see leat/once.h for what it does. */
#pragma once
#include <leat/once.h>

struct goroutine;

/* Who runs the function now, or NULL: any thread, any time, also from a copy of the once. */
struct goroutine *leat_i_once_owner(const leat_once *once);
