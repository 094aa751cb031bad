/* What belongs to a request goes along in its context (the Book, "The context Package", fourth program). Where Go's keys may be any
 * value, and collide, a key here is a declaration of its own, and its values have a type. */
#include "tour.h"

LEAT_CONTEXT_KEY(user_id, const char *);
LEAT_CONTEXT_KEY(auth_token, const char *);

static void handle_response(leat_view ctx) {
  const char *user, *token;
  if (user_id_of(ctx, &user) && auth_token_of(ctx, &token)) printf("handling response for %s (%s)\n", user, token);
}

static void process(const char *user, const char *token) {
  leat_scope(s); /* memory goes with the request */
  leat_view ctx = with_user_id(s, user);
  ctx = with_auth_token(ctx, token);
  handle_response(ctx);
}

int process_request(void) {
  process("jane", "abc123");
  return LEAT_OK;
}
