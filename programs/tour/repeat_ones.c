/* Ten of endlessly many: repeat is asked for no more than take wants (the Book, "Some Handy Generators"). */
#include "tour.h"

int repeat_ones(void) {
  leat_scope(s);
  leat_range(int, number, leat_take(s, leat_repeat(s, int, 1), 10)) printf("%d ", number);
  printf("\n");
  return leat_wait(s);
}
