/* Rate limiting (the Book, "Rate Limiting"): twenty goroutines call an API at once, which lets one through each second; or with several tiers, two a
 * second and ten a minute, whichever is stricter at the time. */
#include "tour.h"

LEAT_FN(call, leat_limiter *, api, const char *, what, int64_t, start) {
  if (leat_limiter_wait(api, 1)) return;
  printf("%5.1f s  %s\n", (double)(leat_now() - start) / (double)second, what);
}

static int run(leat_limiter *api) {
  leat_scope(s);
  int64_t start = leat_now();
  for (int i = 0; i < 10; i++) leat_go(s, call, api, "ReadFile", start);
  for (int i = 0; i < 10; i++) leat_go(s, call, api, "ResolveAddress", start);
  int status = leat_wait(s);
  printf("Done.\n");
  return status;
}

int rate_limit(void) {
  leat_limiter api = LEAT_LIMITER({.n = 1, .per = second, .burst = 1});
  return run(&api);
}

int rate_limit_tiers(void) {
  leat_limiter api = LEAT_LIMITER({.n = 2, .per = second, .burst = 1}, {.n = 10, .per = 60 * second, .burst = 10});
  return run(&api);
}
