/* Errors, inside: see leat/error.h. */
#pragma once
#include "../runtime/ancestry.h"
#include <leat/error.h>
#include <stdarg.h>
#include <stddef.h>

enum { ERROR_ID_ROOM = 32, ERROR_LEVELS = 64 /* of joins in a row, below which a tree is not looked at */ };

/* The goroutine an error was made on, and how that came to run. */
struct origin {
  uint64_t goroutine; /* 0: a plain thread */
  const char *name, *birthplace;
  struct ancestor ancestors[ANCESTORS];
  struct start_stacks *stacks; /* or NULL; owned */
};

struct leat_error {
  _Atomic(uint32_t) references;
  int status;
  uint8_t transience; /* enum leat_transience */
  leat_error *inner;
  leat_error *next_dead; /* while it is being freed */
  const char *module, *place;
  const leat_error_kind *kind;
  const void *payload;
  const leat_error_field *fields;
  size_t n_fields, n_members;
  leat_error **members;
  const char *message, *user;

  /* Where and when; not of those that have an inner error or members. */
  int64_t time;
  struct origin origin;
  int n_frames;
  const uintptr_t *frames;
  char id[ERROR_ID_ROOM];

  max_align_t space[];
};

/* Where it all began. */
static inline const leat_error *error_innermost(const leat_error *e) {
  for (;;) {
    if (e->inner) e = e->inner;
    else if (e->n_members) e = e->members[0];
    else return e;
  }
}

/* leat_error_new for those who have a va_list. The stack begins with the caller's caller, less `skip` frames. */
leat_error *leat_i_error_vnew(const char *place, int status, int skip, const char *format, va_list args);
/* Without a stack, as a goroutine that returned a mere status has none to show. */
leat_error *leat_i_error_plain(int status, const char *message);
/* file:line where it was made, NULL if that is not known. */
const char *leat_i_error_place(const leat_error *e);
