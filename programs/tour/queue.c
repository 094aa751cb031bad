/* A short stage before a long one, and what a buffer between them changes: both tables of the Book ("Queuing"). The whole takes as long; but the
 * short stage is done sooner, as it is blocked no more. */
#include "timetable.h"
#include "tour.h"

enum { TIME, ITERATION, LONG, BUFFER, SHORT, COLUMNS };

/* Works for some seconds on each value. */
LEAT_STAGE(sleep_for, int, int, in, out, int, seconds, int, column) {
  int zero, status;
  while ((status = leat_recv(in, &zero)) == LEAT_OK) {
    int row = timetable_row(), ready = row + seconds;
    for (; row < ready; row++) timetable_put(row, column, "%ds", ready - row);
    timetable_wait(ready);
    if ((status = leat_send(out, zero))) break;
    for (; row < timetable_row(); row++) timetable_put(row, column, "(blocked)");
  }
  timetable_put(timetable_row(), column, "(close)");
  return status;
}

LEAT_FN(watch, leat_rx(int), buffer) {
  for (int row = 0; timetable_wait(row) == LEAT_OK && leat_sleep(second / 2) == LEAT_OK; row++)
    timetable_put(row, BUFFER, "%zu/%zu", leat_len(buffer), leat_cap(buffer));
}

static int run(bool buffered) {
  leat_scope(s);
  leat_rx(int) zeros = leat_take(s, leat_repeat(s, int, 0), 3);
  leat_rx(int) out = leat_stage(s, zeros, sleep_for, 1, SHORT);
  if (buffered) {
    out = leat_buffer(s, out, 2);
    leat_service(s, watch, out);
  }
  int row = 0, i = 0;
  leat_range(int, zero, leat_stage(s, out, sleep_for, 4, LONG)) {
    for (; row < timetable_row(); row++) timetable_put(row, ITERATION, "%d", i);
    i += 1 + zero;
  }
  timetable_put(row, ITERATION, "%d", i);
  for (int t = 0; t <= row; t++) timetable_put(t, TIME, "%d", t);
  return leat_wait(s);
}

static int print(bool buffered) {
  timetable_start();
  int status = run(buffered);
  timetable_print((const char *const[]){"Time(t)", "i", "Long stage", "Buffer", "Short stage"}, COLUMNS);
  return status;
}

int queue(void) { return print(false); }

int queue_buffer(void) { return print(true); }
