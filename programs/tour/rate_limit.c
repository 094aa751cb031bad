/* Rate limiting (the Book, "Rate Limiting"): twenty goroutines call an API at once, which lets one through each second; or with several tiers, two a
 * second and ten a minute, whichever is stricter at the time; or in several dimensions, a file also by what the disk can do, an address by what the
 * network can. */
#include "tour.h"

enum { CALLS, DISK, NETWORK };
static const leat_costs file = {.of = {[CALLS] = 1, [DISK] = 1}}, address = {.of = {[CALLS] = 1, [NETWORK] = 1}};

LEAT_FN(call, leat_limiter *, api, const char *, what, leat_costs, costs, int64_t, start) {
  if (leat_limiter_wait_costs(api, costs, LEAT_NEVER)) return;
  printf("%5.1f s  %s\n", (double)(leat_now() - start) / (double)second, what);
}

static int run(leat_limiter *api) {
  leat_scope(s);
  int64_t start = leat_now();
  for (int i = 0; i < 10; i++) leat_go(s, call, api, "ReadFile", file, start);
  for (int i = 0; i < 10; i++) leat_go(s, call, api, "ResolveAddress", address, start);
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

int rate_limit_dimensions(void) {
  leat_limiter api = LEAT_LIMITER({.n = 2, .per = second, .burst = 2}, {.n = 10, .per = 60 * second, .burst = 10},
                                  {.dimension = DISK, .n = 1, .per = second, .burst = 1}, {.dimension = NETWORK, .n = 3, .per = second, .burst = 3});
  return run(&api);
}
