/* The greeting waits a second for the locale and no longer; without a greeting there is no farewell (the Book, "The
 * context Package", second program). No function passes a done channel: each of them runs in the context that it was called in. */
#include "tour.h"
#include <string.h>

static int locale(const char **name) {
  *name = "EN/US";
  return leat_sleep(60 * second);
}

static int generate(const char *word, const char **text) {
  const char *name;
  int status = locale(&name);
  if (status) return status;
  if (strcmp(name, "EN/US")) return leat_fail(LEAT_INVALID, "unsupported locale");
  *text = word;
  return LEAT_OK;
}

static int generate_greeting(const char **text) {
  leat_scope(s); /* affects what is called from here, and nobody else */
  leat_set_timeout(s, 1 * second);
  return generate("hello", text);
}

LEAT_FN(print_greeting, struct leat_scope *, ctx) {
  const char *greeting;
  int status = generate_greeting(&greeting);
  if (status == LEAT_OK) {
    printf("%s world!\n", greeting);
  } else {
    printf("cannot print greeting: context %s\n", leat_status_text(status));
    leat_cancel(ctx);
  }
}

LEAT_FN(print_farewell) {
  const char *farewell;
  int status = generate("goodbye", &farewell);
  if (status == LEAT_OK) printf("%s world!\n", farewell);
  else printf("cannot print farewell: context %s\n", leat_status_text(status));
}

int greeting_context(void) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, print_greeting, ctx); /* has the right to cancel */
  leat_go(ctx, print_farewell);
  return leat_wait(s);
}
