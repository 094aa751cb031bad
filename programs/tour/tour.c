/* tour - runs the programs of the Book and the Blog by name. */
#include "tour.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int64_t second = LEAT_SECONDS(1);
int finders = 1;

static const struct program {
  const char *name, *variant;
  int (*run)(void);
  const char *what;
} programs[] = {
#define PROGRAM(name, variant, function, what) {name, variant, function, what},
#include "programs.h"
#undef PROGRAM
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

static void list(void) {
  for (const struct program *p = programs; p < programs + PROGRAMS; p++) {
    char command[64];
    snprintf(command, sizeof command, *p->variant ? "%s --%s" : "%s", p->name, p->variant);
    printf("%-28s %s\n", command, p->what);
  }
}

static void help(void) {
  printf("usage: tour list\n"
         "       tour PROGRAM [--VARIANT] [options]\n"
         "\n"
         "Runs a program of the book \"Concurrency in Go\" or of the article \"Pipelines and cancellation\", written with leat.\n"
         "\n"
         "  list                   all programs and their variants; without --VARIANT the first one is run\n"
         "  --second MILLISECONDS  how long a second lasts in them (1000)\n"
         "  --finders N            for primes: how many goroutines search\n");
}

/* The number after an option; 0 if there is none, or it makes no sense. */
static int number(const char *text) {
  char *end;
  errno = 0;
  long n = text ? strtol(text, &end, 10) : 0;
  return !text || errno || *end || n < 1 || n > 1000000 ? 0 : (int)n;
}

static int usage(const char *problem, const char *what) {
  fprintf(stderr, "tour: %s %s; see tour --help\n", problem, what);
  return 2;
}

static int end(const char *name, int status) {
  if (status) fprintf(stderr, "tour: %s: %s\n", name, leat_status_text(status));
  bool is_written = !fflush(stdout) && !ferror(stdout);
  if (!is_written) fprintf(stderr, "tour: %s: the output could not be written\n", name);
  return status || !is_written ? 1 : 0;
}

LEAT_MAIN(argc, argv) {
  const char *name = argc > 1 ? argv[1] : "list", *variant = NULL;
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "--help")) return help(), end(argv[i], LEAT_OK);
  if (!strcmp(name, "list")) return argc > 2 ? usage("cannot understand", argv[2]) : (list(), end(name, LEAT_OK));
  for (int i = 2; i < argc; i++) {
    if (!strcmp(argv[i], "--second")) {
      if (!(second = LEAT_MS(number(argv[++i])))) return usage("no milliseconds after", "--second");
    } else if (!strcmp(argv[i], "--finders")) {
      if (!(finders = number(argv[++i]))) return usage("no number after", "--finders");
    } else if (!strncmp(argv[i], "--", 2) && !variant) {
      variant = argv[i] + 2;
    } else {
      return usage("cannot understand", argv[i]);
    }
  }
  bool is_known = false;
  for (const struct program *p = programs; p < programs + PROGRAMS; p++) {
    if (strcmp(p->name, name)) continue;
    is_known = true;
    if (!variant || !strcmp(p->variant, variant)) return end(name, p->run());
  }
  return is_known ? usage("this program has no variant", variant - 2) : usage("there is no program", name);
}
