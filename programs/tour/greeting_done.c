/* Two branches of a call tree, which a done channel could stop (the Book, "The context Package", first program). */
#include "tour.h"
#include <string.h>

static int locale(leat_rx(char) done, const char **name) {
  char nothing;
  switch (leat_select(leat_on_recv(done, &nothing), leat_on_timeout(60 * second))) {
  case 1: *name = "EN/US"; return LEAT_OK;
  default: return LEAT_CANCELED;
  }
}

static int generate(leat_rx(char) done, const char *word, const char **text) {
  const char *name;
  int status = locale(done, &name);
  if (status) return status;
  if (strcmp(name, "EN/US")) return leat_fail(LEAT_INVALID, "unsupported locale");
  *text = word;
  return LEAT_OK;
}

LEAT_FN_ERR(print_greeting, leat_rx(char), done) {
  const char *greeting;
  int status = generate(done, "hello", &greeting);
  if (status == LEAT_OK) printf("%s world!\n", greeting);
  return status;
}

LEAT_FN_ERR(print_farewell, leat_rx(char), done) {
  const char *farewell;
  int status = generate(done, "goodbye", &farewell);
  if (status == LEAT_OK) printf("%s world!\n", farewell);
  return status;
}

int greeting_done(void) {
  leat_scope(s);
  leat_chan(char) done = leat_chan_make(s, char, 0);
  leat_defer_close(done);
  leat_go(s, print_greeting, leat_rx_of(done));
  leat_go(s, print_farewell, leat_rx_of(done));
  return leat_wait(s);
}
