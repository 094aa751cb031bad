/* http.h - the web as the Book's programs meet it, so that they need no network: one server answers, a host is unknown. */
#pragma once
#include <leat/leat.h>

typedef struct response {
  const char *status;
} response;
LEAT_RESULT_DEFINE(response);

leat_result(response) http_get(const char *url);
