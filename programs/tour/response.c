/* See response.h. */
#include "response.h"
#include "request_keys.h"
#include <stdio.h>

void handle_response(leat_view ctx) {
  const char *user, *token;
  if (request_user_id_of(ctx, &user) && request_auth_token_of(ctx, &token)) printf("handling response for %s (auth: %s)\n", user, token);
}
