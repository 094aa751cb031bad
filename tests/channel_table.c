/* What every operation does on every state of a channel: one line is one cell.
 *
 * The table is the Notes' (nil, open, closed x read, write, close) with leat's deviations: a send on a closed channel answers LEAT_CLOSED
 * instead of panicking, and the receiving end may end the channel too (stop). The cells that are compile errors are in compile_fail/. */
#include "wait.h"

#define UNUSED __attribute__((unused))
enum { BLOCKS = 1, NONE = -77 };

typedef leat_chan(int) int_chan;

static int_chan filled(leat_view s, size_t capacity, int n) {
  int_chan c = leat_chan_make(s, int, capacity);
  for (int i = 1; i <= n; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  return c;
}
static int_chan nil(leat_view s UNUSED) { return NULL; }
static int_chan unbuffered(leat_view s) { return filled(s, 0, 0); }
static int_chan empty(leat_view s) { return filled(s, 4, 0); }
static int_chan nonempty(leat_view s) { return filled(s, 4, 2); }
static int_chan full(leat_view s) { return filled(s, 4, 4); }
static int_chan closed_unbuffered(leat_view s) {
  int_chan c = unbuffered(s);
  leat_close(c);
  return c;
}
static int_chan closed_empty(leat_view s) {
  int_chan c = empty(s);
  leat_close(c);
  return c;
}
static int_chan closed_drained(leat_view s) {
  int_chan c = nonempty(s);
  leat_close(c);
  int v;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  return c;
}
static int_chan closed_nonempty(leat_view s) {
  int_chan c = nonempty(s);
  leat_close(c);
  return c;
}
static int_chan stopped(leat_view s) {
  int_chan c = nonempty(s);
  leat_stop(c);
  return c;
}
static int_chan stopped_closed(leat_view s) {
  int_chan c = stopped(s);
  leat_close(c);
  return c;
}
static int_chan no_memory(leat_view s) { return leat_chan_make(s, int, SIZE_MAX / 2); }

/* What an operation answers, and the value that it left behind. */
typedef int operation(int_chan c, int *value);

static int op_send(int_chan c, int *value UNUSED) { return leat_send(c, 100); }
static int op_send_until(int_chan c, int *value UNUSED) { return leat_send_until(c, LEAT_NEVER, 100); }
static int op_try_send(int_chan c, int *value UNUSED) {
  int status = leat_try_send(c, 100);
  return status;
}
static int op_select_send(int_chan c, int *value UNUSED) {
  int chosen = leat_select(leat_on_send(c, 100));
  return chosen == 0 ? leat_selected() : chosen;
}
static int op_send_one_of_n(int_chan c, int *value UNUSED) {
  const int items[] = {100};
  size_t sent = 9;
  int status = leat_send_n(c, &items[0], 1, &sent);
  CHECK_EQ(sent, status == LEAT_OK);
  return status;
}
static int op_recv(int_chan c, int *value) { return leat_recv(c, value); }
static int op_recv_until(int_chan c, int *value) { return leat_recv_until(c, LEAT_NEVER, value); }
static int op_try_recv(int_chan c, int *value) { return leat_try_recv(c, value); }
static int op_select_recv(int_chan c, int *value) {
  int chosen = leat_select(leat_on_recv(c, value));
  return chosen == 0 ? leat_selected() : chosen;
}
static int op_recv_one_of_n(int_chan c, int *value) {
  size_t got = 9;
  int status = leat_recv_n(c, value, 1, &got);
  CHECK_EQ(got, status == LEAT_OK);
  return status;
}
static int op_discard(int_chan c, int *value UNUSED) { return leat_discard(c); }
static int op_range(int_chan c, int *value) {
  leat_range(int, v, c) {
    *value = v;
    return LEAT_OK;
  }
  return leat_range_end();
}
static int op_select_default(int_chan c, int *value) {
  switch (leat_select(leat_on_recv(c, value), leat_default)) {
  case 0: return leat_selected();
  case 1: return LEAT_EMPTY;
  default: return LEAT_FAILED;
  }
}
static int op_len(int_chan c, int *value) {
  *value = (int)leat_len(c);
  return LEAT_OK;
}
static int op_cap(int_chan c, int *value) {
  *value = (int)leat_cap(c);
  return LEAT_OK;
}
static int op_stop(int_chan c, int *value UNUSED) {
  leat_stop(c);
  return LEAT_OK;
}

LEAT_FN(closer, int_chan, c) { leat_close(c); }
static int op_close(int_chan c, int *value UNUSED) { /* misuse is a panic; here its scope's failure */
  leat_scope(s);
  leat_go(s, closer, c);
  int status = leat_wait(s);
  if (status != LEAT_OK) CHECK(strstr(leat_failure_of(s)->message, "clos") != NULL);
  return status;
}

struct cell {
  const char *name;
  int line;
  int_chan (*state)(leat_view);
  operation *op;
  int status; /* or BLOCKS */
  int value;  /* left in the target; NONE: untouched */
  int length; /* afterwards */
};
#define CELL(state, op, ...) {#state " x " #op, __LINE__, state, op_##op, __VA_ARGS__}

static void check_cells(const struct cell *cells, size_t n) {
  for (const struct cell *cell = cells; cell < cells + n; cell++) {
    leat_scope(s);
    int_chan c = cell->state(s);
    int value = NONE, status;
    {
      leat_scope(limit);
      if (cell->status == BLOCKS) CHECK_EQ(leat_set_timeout(limit, LEAT_MS(10)), LEAT_OK);
      status = cell->op(c, &value);
    }
    if (status != (cell->status == BLOCKS ? LEAT_DEADLINE : cell->status) || value != cell->value || (int)leat_len(c) != cell->length) {
      char text[200];
      snprintf(text, sizeof text, "%s: status %d, value %d, length %zu; wanted %d, %d, %d", cell->name, status, value, leat_len(c), cell->status,
               cell->value, cell->length);
      test_fail(__FILE__, cell->line, text);
    }
  }
}
#define TABLE(name, ...) \
  TEST_GO(table_##name) { \
    static const struct cell cells[] = {__VA_ARGS__}; \
    check_cells(cells, sizeof cells / sizeof *cells); \
  }

TABLE(nil,
      CELL(nil, send, BLOCKS, NONE, 0),
      CELL(nil, send_until, BLOCKS, NONE, 0),
      CELL(nil, select_send, BLOCKS, NONE, 0),
      CELL(nil, send_one_of_n, BLOCKS, NONE, 0),
      CELL(nil, try_send, LEAT_FULL, NONE, 0),
      CELL(nil, recv, BLOCKS, 0, 0),
      CELL(nil, recv_until, BLOCKS, 0, 0),
      CELL(nil, discard, BLOCKS, NONE, 0),
      CELL(nil, range, BLOCKS, NONE, 0),
      CELL(nil, try_recv, LEAT_EMPTY, 0, 0),
      CELL(nil, select_default, LEAT_EMPTY, NONE, 0),
      CELL(nil, len, LEAT_OK, 0, 0),
      CELL(nil, cap, LEAT_OK, 0, 0),
      CELL(nil, close, LEAT_PANIC, NONE, 0))

TABLE(unbuffered,
      CELL(unbuffered, send, BLOCKS, NONE, 0),
      CELL(unbuffered, send_until, BLOCKS, NONE, 0),
      CELL(unbuffered, select_send, BLOCKS, NONE, 0),
      CELL(unbuffered, send_one_of_n, BLOCKS, NONE, 0),
      CELL(unbuffered, try_send, LEAT_FULL, NONE, 0),
      CELL(unbuffered, recv, BLOCKS, 0, 0),
      CELL(unbuffered, recv_until, BLOCKS, 0, 0),
      CELL(unbuffered, discard, BLOCKS, NONE, 0),
      CELL(unbuffered, range, BLOCKS, NONE, 0),
      CELL(unbuffered, try_recv, LEAT_EMPTY, 0, 0),
      CELL(unbuffered, select_default, LEAT_EMPTY, NONE, 0),
      CELL(unbuffered, len, LEAT_OK, 0, 0),
      CELL(unbuffered, cap, LEAT_OK, 0, 0),
      CELL(unbuffered, close, LEAT_OK, NONE, 0),
      CELL(unbuffered, stop, LEAT_OK, NONE, 0))

TABLE(empty,
      CELL(empty, send, LEAT_OK, NONE, 1),
      CELL(empty, send_until, LEAT_OK, NONE, 1),
      CELL(empty, select_send, LEAT_OK, NONE, 1),
      CELL(empty, send_one_of_n, LEAT_OK, NONE, 1),
      CELL(empty, try_send, LEAT_OK, NONE, 1),
      CELL(empty, recv, BLOCKS, 0, 0),
      CELL(empty, recv_until, BLOCKS, 0, 0),
      CELL(empty, discard, BLOCKS, NONE, 0),
      CELL(empty, range, BLOCKS, NONE, 0),
      CELL(empty, try_recv, LEAT_EMPTY, 0, 0),
      CELL(empty, select_default, LEAT_EMPTY, NONE, 0),
      CELL(empty, len, LEAT_OK, 0, 0),
      CELL(empty, cap, LEAT_OK, 4, 0),
      CELL(empty, close, LEAT_OK, NONE, 0),
      CELL(empty, stop, LEAT_OK, NONE, 0))

TABLE(nonempty,
      CELL(nonempty, send, LEAT_OK, NONE, 3),
      CELL(nonempty, select_send, LEAT_OK, NONE, 3),
      CELL(nonempty, send_one_of_n, LEAT_OK, NONE, 3),
      CELL(nonempty, try_send, LEAT_OK, NONE, 3),
      CELL(nonempty, recv, LEAT_OK, 1, 1),
      CELL(nonempty, recv_until, LEAT_OK, 1, 1),
      CELL(nonempty, select_recv, LEAT_OK, 1, 1),
      CELL(nonempty, recv_one_of_n, LEAT_OK, 1, 1),
      CELL(nonempty, discard, LEAT_OK, NONE, 1),
      CELL(nonempty, range, LEAT_OK, 1, 1),
      CELL(nonempty, try_recv, LEAT_OK, 1, 1),
      CELL(nonempty, select_default, LEAT_OK, 1, 1),
      CELL(nonempty, len, LEAT_OK, 2, 2),
      CELL(nonempty, cap, LEAT_OK, 4, 2),
      CELL(nonempty, close, LEAT_OK, NONE, 2),
      CELL(nonempty, stop, LEAT_OK, NONE, 0))

TABLE(full,
      CELL(full, send, BLOCKS, NONE, 4),
      CELL(full, send_until, BLOCKS, NONE, 4),
      CELL(full, select_send, BLOCKS, NONE, 4),
      CELL(full, send_one_of_n, BLOCKS, NONE, 4),
      CELL(full, try_send, LEAT_FULL, NONE, 4),
      CELL(full, recv, LEAT_OK, 1, 3),
      CELL(full, try_recv, LEAT_OK, 1, 3),
      CELL(full, select_recv, LEAT_OK, 1, 3),
      CELL(full, recv_one_of_n, LEAT_OK, 1, 3),
      CELL(full, discard, LEAT_OK, NONE, 3),
      CELL(full, range, LEAT_OK, 1, 3),
      CELL(full, len, LEAT_OK, 4, 4),
      CELL(full, cap, LEAT_OK, 4, 4),
      CELL(full, close, LEAT_OK, NONE, 4),
      CELL(full, stop, LEAT_OK, NONE, 0))

#define ENDED(state, capacity) \
  CELL(state, send, LEAT_CLOSED, NONE, 0), \
  CELL(state, send_until, LEAT_CLOSED, NONE, 0), \
  CELL(state, select_send, LEAT_CLOSED, NONE, 0), \
  CELL(state, send_one_of_n, LEAT_CLOSED, NONE, 0), \
  CELL(state, try_send, LEAT_CLOSED, NONE, 0), \
  CELL(state, recv, LEAT_CLOSED, 0, 0), \
  CELL(state, recv_until, LEAT_CLOSED, 0, 0), \
  CELL(state, select_recv, LEAT_CLOSED, 0, 0), \
  CELL(state, discard, LEAT_CLOSED, NONE, 0), \
  CELL(state, range, LEAT_CLOSED, NONE, 0), \
  CELL(state, try_recv, LEAT_CLOSED, 0, 0), \
  CELL(state, select_default, LEAT_CLOSED, 0, 0), \
  CELL(state, len, LEAT_OK, 0, 0), \
  CELL(state, cap, LEAT_OK, capacity, 0), \
  CELL(state, stop, LEAT_OK, NONE, 0)

TABLE(closed_unbuffered, ENDED(closed_unbuffered, 0), CELL(closed_unbuffered, close, LEAT_PANIC, NONE, 0))
TABLE(closed_empty, ENDED(closed_empty, 4), CELL(closed_empty, close, LEAT_PANIC, NONE, 0))
TABLE(closed_drained, ENDED(closed_drained, 4), CELL(closed_drained, close, LEAT_PANIC, NONE, 0))
TABLE(stopped, ENDED(stopped, 4), CELL(stopped, close, LEAT_OK, NONE, 0))
TABLE(stopped_closed, ENDED(stopped_closed, 4), CELL(stopped_closed, close, LEAT_PANIC, NONE, 0))

TABLE(closed_nonempty,
      CELL(closed_nonempty, send, LEAT_CLOSED, NONE, 2),
      CELL(closed_nonempty, select_send, LEAT_CLOSED, NONE, 2),
      CELL(closed_nonempty, send_one_of_n, LEAT_CLOSED, NONE, 2),
      CELL(closed_nonempty, try_send, LEAT_CLOSED, NONE, 2),
      CELL(closed_nonempty, recv, LEAT_OK, 1, 1),
      CELL(closed_nonempty, recv_until, LEAT_OK, 1, 1),
      CELL(closed_nonempty, select_recv, LEAT_OK, 1, 1),
      CELL(closed_nonempty, recv_one_of_n, LEAT_OK, 1, 1),
      CELL(closed_nonempty, discard, LEAT_OK, NONE, 1),
      CELL(closed_nonempty, range, LEAT_OK, 1, 1),
      CELL(closed_nonempty, try_recv, LEAT_OK, 1, 1),
      CELL(closed_nonempty, select_default, LEAT_OK, 1, 1),
      CELL(closed_nonempty, len, LEAT_OK, 2, 2),
      CELL(closed_nonempty, cap, LEAT_OK, 4, 2),
      CELL(closed_nonempty, close, LEAT_PANIC, NONE, 2),
      CELL(closed_nonempty, stop, LEAT_OK, NONE, 0))

TEST_GO(no_memory_is_a_status_of_every_operation) {
  static operation *const blocking[] = {op_send, op_send_until, op_select_send, op_recv, op_recv_until, op_select_recv, op_discard, op_range};
  leat_scope(s);
  int_chan c = no_memory(s);
  CHECK(c != NULL);
  int value = 5;
  for (size_t i = 0; i < sizeof blocking / sizeof *blocking; i++) CHECK_EQ(blocking[i](c, &value), LEAT_NOMEM);
  CHECK_EQ(leat_try_send(c, 1), LEAT_NOMEM);
  CHECK_EQ(leat_try_recv(c, &value), LEAT_NOMEM);
  CHECK_EQ(value, 0);
}

