/* What a goroutine waits for, described. The goroutine may be woken meanwhile, and what it waited for be freed: it is read through the
 * kernel, which does not fault, and what was read counts only if the goroutine still waits afterwards (the caller looks). */
#pragma once
#include "../runtime/goroutine.h"

enum { OBJECT_TEXT = 160 };

extern const char *const leat_i_wait_texts[WAIT_REASONS]; /* by enum wait_reason */

/* "sending on a channel 0x55d0c8a12a40 (made at main.c:20, 8 of 8)"; what is in brackets only with `look`. */
void leat_i_describe_wait(enum wait_reason reason, const void *object, bool look, char text[OBJECT_TEXT]);

/* Copies memory that may be gone. False if it cannot be read, or the kernel does not let us. */
bool leat_i_read_memory(void *to, const void *from, size_t size);
