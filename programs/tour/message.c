/* Stages that do not care for the type of what passes through them, and one that asserts it (the Book, "Some Handy Generators"). With typed
 * stages no such assertion is needed. */
#include "tour.h"

typedef const char *string;
LEAT_RESULT_DEFINE(string);
LEAT_ANY_ASSERT(to_string, string)

int message(void) {
  leat_scope(s);
  leat_rx(leat_any) tokens = leat_repeat(s, leat_any, leat_any_of(string, "I"), leat_any_of(string, "am."));
  printf("message: ");
  leat_range(leat_result(string), token, leat_map(s, leat_take(s, tokens, 5), to_string)) {
    if (token.error) return leat_fail_with(token.error);
    printf("%s", token.value);
  }
  printf("...\n");
  return leat_wait(s);
}
