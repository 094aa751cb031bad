/* Misuses of errors. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

struct position { int line, column; };
LEAT_ERROR_KIND(missing);
LEAT_ERROR_KIND_OF(bad_line, struct position);
LEAT_ERROR_KIND_OF(too_long, const char *);
typedef struct { int x; } point;

LEAT_FN_ERROR(reads, int, n) { return n ? leat_error_typed(too_long, "the line", "a line is too long") : NULL; }

int errors(leat_view view);
int errors(leat_view view) {
  leat_error *e = leat_error_typed(bad_line, ((struct position){1, 2}), "line %d", 1);
  leat_assert(e != NULL);
  leat_assert(leat_error_is(e, &bad_line), "%s", leat_error_message(e));
  leat_go(view, reads, 1);
  //BAD leat_error_typed: the value is not the payload of this kind | e = leat_error_typed(bad_line, 7, "line");
  //BAD leat_error_typed: the value is not the payload of this kind | e = leat_error_typed(bad_line, ((point){1}), "line");
  //BAD leat_error_typed: the value is not the payload of this kind | e = leat_error_typed(too_long, 1, "line");
  //BAD missing | e = leat_error_typed(missing, 1, "line");
  //BAD missing | return leat_error_as(e, missing) != NULL;
  //BAD leat_go: argument 1 does not have | leat_go(view, reads, "one");
  //WARN unused | leat_error_new(LEAT_FAILED, "lost");
  const struct position *at = leat_error_as(e, bad_line);
  int line = at ? at->line : 0;
  leat_error_release(e);
  return line;
}
