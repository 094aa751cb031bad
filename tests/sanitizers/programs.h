/* Small programs as users write them, with public headers only; tests/suites/sanitizers builds and runs them. A file is a list of
 *
 *   PROGRAM(name) { MUST(...); }                          a healthy one: no sanitizer says anything, and it ends well
 *   BROKEN(name, "function", "report", "report") {...}    has a fault that a sanitizer and Valgrind must report, naming the function; the
 *                                                        reports are regular expressions, NULL where none is expected
 *
 * `FILE` runs all healthy ones, in order; `FILE NAME` one; `FILE --broken` lists the others. The body of a program is the main goroutine. */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <leat/leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program {
  const char *name;
  void (*body)(void);
  const char *function, *sanitizer, *valgrind; /* of a broken one */
  struct program *next;
};
static struct program *programs, **programs_end = &programs;

#define PROGRAM(name) BROKEN(name, NULL, NULL, NULL)
#define BROKEN(name, function, sanitizer, valgrind) \
  static void name(void); \
  static struct program name##_program = {#name, name, function, sanitizer, valgrind, NULL}; \
  __attribute__((constructor)) static void add_##name(void) { \
    *programs_end = &name##_program; \
    programs_end = &name##_program.next; \
  } \
  static void name(void)

#define MUST(...) ((__VA_ARGS__) ? (void)0 : must_failed(__FILE__, __LINE__, #__VA_ARGS__))
static inline void must_failed(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  _exit(3);
}

#ifndef PROGRAMS_OWN_MAIN
LEAT_MAIN(argc, argv) {
  for (struct program *p = programs; p; p = p->next) {
    if (argc > 1 && strcmp(argv[1], "--broken") == 0) {
      if (p->function) printf("%s\t%s\t%s\t%s\n", p->name, p->function, p->sanitizer ? p->sanitizer : "", p->valgrind ? p->valgrind : "");
    } else if (argc > 1 ? strcmp(argv[1], p->name) == 0 : !p->function) {
      fprintf(stderr, "running %s\n", p->name);
      p->body();
    }
  }
  return 0;
}
#endif
