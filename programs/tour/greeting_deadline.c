/* As greeting_context.c, but who finds out the locale knows that it takes a minute, and looks whether there is one left: the
 * greeting fails at once (the Book, "The context Package", third program). */
#include "tour.h"
#include <string.h>

static int locale(const char **name) {
  const int64_t takes = 60 * second;
  if (leat_scope_deadline(leat_current_scope()) - leat_now() <= takes) return LEAT_DEADLINE;
  *name = "EN/US";
  return leat_sleep(takes);
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

int greeting_deadline(void) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_go(ctx, print_greeting, ctx); /* has the right to cancel */
  leat_go(ctx, print_farewell);
  return leat_wait(s);
}
