/* Faults, which cannot be contained: a stack overflow, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT. They end the process with a report on stderr
 * that names the goroutine, how it came to run, and shows its stack; then by the signal, as without leat, so that there may be a core dump. */
#pragma once
#include "../runtime/goroutine.h"

/* On request (leat_options.fault_handlers) and under LEAT_MAIN; for the whole process. */
void leat_i_fault_handlers_install(void);
void leat_i_fault_handlers_remove(void);

/* The alternate stack on which a thread's handlers run; NULL if it has one already. */
void *leat_i_signal_stack_install(void);
void leat_i_signal_stack_remove(void *stack);

_Noreturn void leat_i_report_overflow(const struct goroutine *g);
