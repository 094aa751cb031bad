/* The way of each value through multiply, add and multiply, and when their channels are closed: both tables of the Book ("Best Practices for
 * Constructing Pipelines"). So that there is something to see, each stage works on a value for one row of the table. */
#include "timetable.h"
#include "tour.h"

enum { ITERATION, GENERATOR, MULTIPLY, ADD, MULTIPLY_AGAIN, VALUE, COLUMNS };
static const char *const heads[COLUMNS] = {"Iteration", "Generator", "Multiply", "Add", "Multiply", "Value"};

static void enter(int column, int value) { timetable_put(timetable_row(), column, "%d", value); }
static void leave(int column) { timetable_put(timetable_row(), column, "(closed)"); }
static int work(void) { return timetable_wait(timetable_row() + 1); }

LEAT_FN(generate, leat_rx(char), done, leat_tx(int), out) {
  leat_defer_close(out);
  char nothing;
  for (int i = 1; i <= 4; i++) {
    enter(GENERATOR, i);
    if (work() || leat_send(out, i)) return;
    if (i == 4 || leat_try_recv(done, &nothing) != LEAT_EMPTY) break;
    work();
  }
  leave(GENERATOR);
}

LEAT_STAGE(multiply_and_add, int, int, in, out, int, column, int, factor, int, summand) {
  int value, status;
  while ((status = leat_recv(in, &value)) == LEAT_OK) {
    enter(column, value);
    work();
    if ((status = leat_send(out, value * factor + summand))) break;
  }
  leave(column);
  return status;
}

static int run(bool stop_after_first) {
  leat_scope(s);
  timetable_start();
  leat_chan(char) done = leat_chan_make(s, char, 0);
  leat_chan(int) values = leat_chan_make(s, int, 0);
  leat_go(s, generate, leat_rx_of(done), leat_tx_of(values));
  leat_rx(int) multiplied = leat_stage(s, leat_rx_of(values), multiply_and_add, MULTIPLY, 2, 0);
  leat_rx(int) added = leat_stage(s, multiplied, multiply_and_add, ADD, 1, 1);
  int row = 0, iteration = 0;
  leat_range(int, value, leat_stage(s, added, multiply_and_add, MULTIPLY_AGAIN, 2, 0)) {
    int now = timetable_row();
    if (!stop_after_first || iteration == 0) {
      enter(VALUE, value);
      for (; row <= now; row++) timetable_put(row, ITERATION, "%d", iteration);
    }
    if (iteration++ == 0 && stop_after_first) {
      leat_close(done);
      timetable_put(now + 1, ITERATION, "close(done)");
    }
    work();
  }
  if (stop_after_first) timetable_put(timetable_row(), VALUE, "(exit range)");
  int status = leat_wait(s);
  timetable_print(heads, COLUMNS);
  return status;
}

int pipeline_table(void) { return run(false); }

int pipeline_table_done(void) { return run(true); }
