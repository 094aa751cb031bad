/* Little's law: L = lambda W. What is in a stable system, on average, is what arrives in a unit of time, times how long each stays (the Book,
 * "Queuing"). Its two questions; and a pipeline of three stages, to see it hold: how long requests stay they tell themselves, how many are inside
 * the figures of the stages. */
#include "tour.h"

enum { STAGES = 3, REQUESTS = 12 };

LEAT_SOURCE(arrive, int64_t) { return leat_now(); }

LEAT_EFFECT(stage, int64_t, int64_t, arrived) {
  leat_sleep(second / STAGES);
  return arrived;
}

static int measure(double *l, double *lambda, double *w) {
  leat_scope(s);
  leat_measure(s);
  leat_rx(int64_t) requests = leat_take(s, leat_repeat_fn(s, arrive), REQUESTS);
  for (int i = 0; i < STAGES; i++) requests = leat_map(s, requests, stage);
  int64_t start = leat_now(), stayed = 0;
  leat_range(int64_t, arrived, requests) stayed += leat_now() - arrived;
  double took = (double)(leat_now() - start);
  *w = (double)stayed / REQUESTS / (double)second;
  *lambda = REQUESTS / (took / (double)second);
  leat_figures rows[2 + STAGES];
  size_t n = leat_figures_read(s, rows, 2 + STAGES);
  *l = 0;
  for (size_t i = 0; i < n; i++) *l += rows[i].l * (double)rows[i].time / took;
  return leat_wait(s);
}

int little(void) {
  double l = STAGES, w = 1, lambda = l / w;
  printf("3 stages, each with a request, which stays %.0f s: they can handle %.0f requests per second\n", w, lambda);
  w = 0.0001, lambda = 100000, l = lambda * w;
  printf("%.0f requests per second that stay %.4f s are %.0f in the system: beside 3 stages, a queue of %.0f\n", lambda, w, l, l - STAGES);
  int status = measure(&l, &lambda, &w);
  printf("measured: %.2f per second stay %.2f s, and %.2f are inside; lambda W is %.2f\n", lambda, w, l, lambda * w);
  return status;
}
