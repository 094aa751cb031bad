/* Replicated requests: ten handlers get the request, the first answer is taken, and the others are cancelled (the Book, "Replicated Requests"). */
#include "go_random.h"
#include "tour.h"

LEAT_FN_ERR(handle, int *, answer, int, id, const int *, loads) {
  int64_t start = leat_now();
  int status = leat_sleep(loads[id] * second);
  if (status) printf("%d should have taken %ds, and was cancelled after %.0fs\n", id, loads[id], (double)(leat_now() - start) / (double)second);
  else printf("%d took %ds\n", id, loads[id]);
  *answer = id;
  return status;
}

int replicated(void) {
  int loads[10], answer;
  for (int i = 0; i < 10; i++) loads[i] = 1 + go_intn(5);
  int first = leat_replicate(&answer, 10, handle, loads);
  if (first < 0) return first;
  printf("Received an answer from #%d\n", answer);
  return LEAT_OK;
}
