/* What the tests of errors share: how one is written, as a text and as JSON, is looked into. */
#pragma once
#include "json.h"
#include "wait.h"

static __attribute__((noinline, unused)) char *text_of(const leat_error *e, void (*write)(const leat_error *, FILE *)) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  write(e, out);
  fclose(out);
  return text;
}

static inline void check_log(const leat_error *e, const char *const *texts) {
  char *log = text_of(e, leat_error_log);
  for (; *texts; texts++)
    if (!strstr(log, *texts)) {
      fprintf(stderr, "%s\n  has no \"%s\"\n", log, *texts);
      CHECK(false);
    }
  free(log);
}
#define CHECK_LOG(e, ...) check_log(e, (const char *const[]){__VA_ARGS__, NULL})
static inline void check_json(const leat_error *e, const char *holds) {
  char *json = text_of(e, leat_error_log_json);
  const char *end = *json == '{' ? json_value(json) : NULL;
  if (!end || strcmp(end, "\n") != 0 || !strstr(json, holds)) fprintf(stderr, "%s", json);
  CHECK(end && strcmp(end, "\n") == 0);
  CHECK(strstr(json, holds) != NULL);
  free(json);
}

/* Whether stacks can be unwound, and their functions have names here. */
static __attribute__((noinline, unused)) bool names_are_known(void) {
  leat_error *e = leat_error_new(LEAT_FAILED, "here");
  char *log = text_of(e, leat_error_log_stack);
  bool known = strstr(log, "at names_are_known (error.h:") != NULL;
  free(log);
  leat_error_release(e);
  return known;
}
