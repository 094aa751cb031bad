/* Ten primes, found in the slowest way there is; and the same with several goroutines that search (the Book, "Fan-Out, Fan-In"). The stage that is
 * fanned out does not change. The Book's program looks at the number before each random one. */
#include "go_random.h"
#include "tour.h"

LEAT_SOURCE(candidate, int) { return go_intn(50000000) - 1; }

LEAT_FILTER(is_prime, int, n) {
  for (int divisor = 2; divisor < n; divisor++) {
    if (n % divisor == 0) return false;
    if (divisor % 65536 == 0 && leat_checkpoint()) return false; /* others want the CPU; or nobody wants the answer any more */
  }
  return n > 1;
}

static int search(int n, bool print, double *seconds) {
  leat_scope(s);
  int64_t start = leat_now();
  go_restart();
  leat_rx(int) candidates = leat_repeat_fn(s, candidate);
  leat_rx(int) found = n > 1 ? leat_fan_out(s, candidates, (size_t)n, is_prime) : leat_filter(s, candidates, is_prime);
  leat_range(int, prime, leat_take(s, found, 10))
    if (print) printf("\t%d\n", prime);
  *seconds = (double)(leat_now() - start) / 1e9;
  return leat_wait(s);
}

int primes(void) {
  double took, alone = 0;
  if (finders > 1) {
    int status = search(1, false, &alone);
    if (status) return status;
    printf("Spinning up %d prime finders.\n", finders);
  }
  printf("Primes:\n");
  int status = search(finders, true, &took);
  printf("Search took: %.3fs\n", took);
  if (finders > 1) printf("One finder took: %.3fs, which is %.2f times that, on %d CPUs\n", alone, alone / took, leat_cpus());
  return status;
}
