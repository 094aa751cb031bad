/* What a stage costs that takes values of any type and has them asserted, and one that is typed (the Book, "Some Handy Generators"): each time a
 * million times "a" through repeat, take and, the generic one, to_string. Typed stages fuse into a loop. */
#include "tour.h"

enum { N = 1000000 };
typedef const char *string;
LEAT_RESULT_DEFINE(string);
LEAT_ANY_ASSERT(to_string, string)

static int generic_stages(int64_t *n) {
  leat_scope(s);
  return leat_count(leat_map(s, leat_take(s, leat_repeat(s, leat_any, leat_any_of(string, "a")), N), to_string), n);
}

static int typed_stages(int64_t *n) {
  leat_scope(s);
  return leat_count(leat_take(s, leat_repeat(s, string, "a"), N), n);
}

/* As both would be if each stage were a goroutine: a value costs what its ways through two channels do. */
static int unfused_stages(int64_t *n) {
  leat_scope(s);
  return leat_count(leat_buffer(s, leat_take(s, leat_buffer(s, leat_repeat(s, string, "a"), 1), N), 1), n);
}

static int measure(const char *name, int (*run)(int64_t *)) {
  int64_t n = 0, start = leat_now();
  int status = run(&n);
  printf("Benchmark%-9s %8lld %10.1f ns/op\n", name, (long long)n, (double)(leat_now() - start) / N);
  return status;
}

int generic(void) {
  int status = measure("Generic", generic_stages);
  if (!status) status = measure("Typed", typed_stages);
  return status ? status : measure("Unfused", unfused_stages);
}
