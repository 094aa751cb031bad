/* Texts for statuses: see leat/status.h. */
#define _GNU_SOURCE
#include <leat/status.h>
#include <string.h>

const char *leat_status_text(int status) {
  switch (status) {
  case LEAT_OK: return "ok";
  case LEAT_CLOSED: return "closed";
  case LEAT_CANCELED: return "canceled";
  case LEAT_DEADLINE: return "deadline exceeded";
  case LEAT_FULL: return "full";
  case LEAT_EMPTY: return "empty";
  case LEAT_NOMEM: return "out of memory, address space or threads";
  case LEAT_PANIC: return "panic";
  case LEAT_INVALID: return "invalid argument";
  case LEAT_FAILED: return "failed";
  }
  const char *text = status <= -1000 ? strerrordesc_np(leat_errno_of(status)) : NULL; /* static, unlike strerror's */
  return text ? text : "unknown status";
}
