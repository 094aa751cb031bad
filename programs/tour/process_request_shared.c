/* The fifth program of the Book's "The context Package". One module puts the values in, another takes them out (response.c);
 * neither includes the other, both include the keys. */
#include "request_keys.h"
#include "response.h"
#include "tour.h"

LEAT_CONTEXT_KEY_DEFINE(request_user_id, const char *);
LEAT_CONTEXT_KEY_DEFINE(request_auth_token, const char *);

static void process(const char *user, const char *token) {
  leat_scope(s);
  handle_response(with_request_auth_token(with_request_user_id(s, user), token));
}

int process_request_shared(void) {
  process("jane", "abc123");
  return LEAT_OK;
}
