/* Lexical confinement of data that is not safe to share: each goroutine is given its part of the array, and knows of no other (the Book,
 * "Confinement"). */
#include "tour.h"

LEAT_FN(print_data, const char *, data, int, n) { printf("%.*s\n", n, data); }

int confinement_slices(void) {
  leat_scope(s);
  const char data[] = "golang";
  leat_go(s, print_data, data, 3);
  leat_go(s, print_data, data + 3, 3);
  return leat_wait(s);
}
