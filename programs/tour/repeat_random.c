/* A function as a source: it is called for each item that is wanted (the Book, "Some Handy Generators"). */
#include "go_random.h"
#include "tour.h"

LEAT_SOURCE(rand_int, int64_t) { return go_int(); }

int repeat_random(void) {
  leat_scope(s);
  leat_range(int64_t, number, leat_take(s, leat_repeat_fn(s, rand_int), 10)) printf("%lld\n", (long long)number);
  return leat_wait(s);
}
