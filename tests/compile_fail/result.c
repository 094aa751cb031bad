/* Misuses of results. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

typedef struct { int x; } point;
LEAT_RESULT_DEFINE(int);
LEAT_RESULT_DEFINE(point);

int results_misused(leat_chan(leat_result(int)) results);
int results_misused(leat_chan(leat_result(int)) results) {
  leat_on_drop(results, leat_result_drop(int));
  //BAD leat_send: the value does not have | return leat_send(results, 1);
  //BAD leat_send: the value does not have | return leat_send(results, leat_ok(point, (point){1}));
  //BAD leat_result_long | return leat_send(results, leat_ok(long, 1));
  //BAD leat_on_drop: not a void function | leat_on_drop(results, leat_result_drop(point));
  return leat_send(results, leat_ok(int, 1)) || leat_send(results, leat_err(int, leat_error_new(LEAT_FAILED, "no")));
}
