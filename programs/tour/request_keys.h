/* request_keys.h - what is known of a request, wherever its context goes: the package "centered around data types" that the Book arrives at. */
#pragma once
#include <leat/leat.h>

LEAT_CONTEXT_KEY_DECLARE(request_user_id, const char *);
LEAT_CONTEXT_KEY_DECLARE(request_auth_token, const char *);
