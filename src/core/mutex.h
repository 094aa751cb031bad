/* Mutexes, inside: see leat/mutex.h for what they do. */
#pragma once
#include <leat/mutex.h>

/* The number of the goroutine or thread that holds it, 0 if it is free: any thread, any time. It is exact: the number is what locks. */
uint64_t leat_i_mutex_owner(const void *mutex);
