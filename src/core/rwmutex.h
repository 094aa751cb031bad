/* Read-write locks, inside: see leat/rwmutex.h for what they do. */
#pragma once
#include <leat/rwmutex.h>

/* The number of the goroutine or thread that holds it to write; 0 if none does, or it has just begun to: any thread, any time. */
uint64_t leat_i_rwmutex_writer(const void *rwmutex);
