/* tour NAME [MILLISECONDS] - runs one of the Book's programs; without a name it lists them. */
#include "tour.h"
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(void);
  const char *what;
} programs[] = {
  {"leak-receive", leak_receive, "a goroutine that waits for what never comes ends with its scope"},
  {"leak-send", leak_send, "a producer whose values nobody wants any more ends with its scope"},
  {"greeting-done", greeting_done, "greeting and farewell, to be stopped by a done channel; takes a minute"},
  {"greeting-context", greeting_context, "the greeting has a second; if it fails, the farewell is cancelled"},
  {"greeting-deadline", greeting_deadline, "as before, but the greeting fails at once, as it cannot be in time"},
  {"request", request, "values of a request in its context"},
  {"request-shared", request_shared, "the same, the keys shared by two modules through a header"},
};

int64_t second = LEAT_SECONDS(1);

LEAT_MAIN(argc, argv) {
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    if (argc < 2) printf("%-18s %s\n", programs[i].name, programs[i].what);
    else if (strcmp(argv[1], programs[i].name) == 0) {
      if (argc > 2) second = LEAT_MS(atoll(argv[2]));
      return programs[i].run();
    }
  }
  if (argc > 1) fprintf(stderr, "tour: there is no program %s\n", argv[1]);
  return argc < 2 ? 0 : 1;
}
