/* response.h - handles responses; knows of a request only what its context holds. */
#pragma once
#include <leat/leat.h>

void handle_response(leat_view ctx);
