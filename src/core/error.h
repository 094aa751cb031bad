/* Errors, inside: see leat/error.h. */
#pragma once
#include <leat/error.h>
#include <stdarg.h>

/* leat_error_new for those who have a va_list. The stack begins with the caller's caller, less `skip` frames. */
leat_error *leat_i_error_vnew(const char *place, int status, int skip, const char *format, va_list args);
/* Without a stack, as a goroutine that returned a mere status has none to show. */
leat_error *leat_i_error_plain(int status, const char *message);
/* file:line where it was made, NULL if that is not known. */
const char *leat_i_error_place(const leat_error *e);
