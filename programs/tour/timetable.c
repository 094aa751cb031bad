/* See timetable.h. */
#include "timetable.h"
#include "tour.h"
#include <stdarg.h>
#include <string.h>

enum { ROWS = 32, COLUMNS = 6 };
static char cells[ROWS][COLUMNS][16];
static int64_t start;

void timetable_start(void) {
  memset(cells, 0, sizeof cells);
  start = leat_now();
}

int timetable_row(void) { return (int)((leat_now() - start) / second); }

int timetable_wait(int row) { return leat_sleep_until(start + row * second); }

void timetable_put(int row, int column, const char *format, ...) {
  va_list values;
  va_start(values, format);
  if (row < ROWS) vsnprintf(cells[row][column], sizeof cells[row][column], format, values);
  va_end(values);
}

static bool used(int column) {
  for (int r = 0; r < ROWS; r++)
    if (*cells[r][column]) return true;
  return false;
}

void timetable_print(const char *const *heads, int columns) {
  int last = 0;
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < columns; c++)
      if (*cells[r][c]) last = r;
  for (int r = -1; r <= last; r++) {
    for (int c = 0; c < columns; c++)
      if (used(c)) printf("%-*s", c < columns - 1 ? 12 : 0, r < 0 ? heads[c] : cells[r][c]);
    printf("\n");
  }
}
