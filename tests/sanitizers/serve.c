/* What writers, cells and permissions order, and nothing else does: all data is plain. */
#include "programs.h"
#include <pthread.h>

/* ---- writers ---- */

struct row {
  int *value; /* the sink's from the write on */
};
static long sum;
LEAT_FN_ERR(add_up, const struct row *, rows, size_t, n, long *, total) {
  for (size_t i = 0; i < n; i++) {
    *total += *rows[i].value;
    free(rows[i].value);
  }
  return LEAT_OK;
}
static int write_rows(leat_writer(struct row) out, int n) {
  for (int i = 0; i < n; i++) {
    int *value = malloc(sizeof *value);
    MUST(value != NULL);
    *value = i;
    MUST(leat_write(out, (struct row){value}) == LEAT_OK);
  }
  return LEAT_OK;
}
LEAT_FN_ERR(writes_rows, leat_writer(struct row), out, int, n) { return write_rows(out, n); }
static void *write_on_thread(void *out) {
  write_rows(*(leat_writer(struct row) *)out, 50);
  return NULL;
}
PROGRAM(a_writer) {
  pthread_t thread;
  sum = 0;
  leat_scope(s);
  leat_writer(struct row) out = leat_writer_make(s, struct row, ((leat_writer_options){.chunk = 7}), add_up, &sum);
  MUST(pthread_create(&thread, NULL, write_on_thread, &out) == 0);
  for (int i = 0; i < 5; i++) leat_go(s, writes_rows, out, 50);
  leat_blocking { pthread_join(thread, NULL); }
  MUST(leat_wait(s) == LEAT_OK && leat_flush(out) == LEAT_OK && sum == 6L * 49 * 25);
  MUST(write_rows(out, 3) == LEAT_OK && leat_writer_close(out) == LEAT_OK && sum == 6L * 49 * 25 + 3);
}
static void free_value(struct row *r) { free(r->value); }
LEAT_FN_ERR(never, const struct row *, rows, size_t, n) {
  for (size_t i = 0; i < n; i++) free(rows[i].value);
  return LEAT_FAILED;
}
PROGRAM(a_writer_that_fails) {
  leat_scope(s);
  leat_keep_going(s);
  leat_writer(struct row) out = leat_writer_make(s, struct row, ((leat_writer_options){.chunk = 2, .delay = LEAT_NEVER}), never);
  leat_writer_on_drop(out, free_value);
  for (int i = 0; i < 20; i++) {
    int *value = malloc(sizeof *value);
    MUST(value != NULL);
    *value = i;
    if (leat_write(out, (struct row){value})) free(value);
  }
  MUST(leat_writer_close(out) == LEAT_FAILED && leat_wait(s) == LEAT_FAILED);
}

/* ---- cells ---- */

typedef leat_cells(int, int *) cells;
static void free_int(int **value) { free(*value); }
LEAT_FN(reports, cells *, c, int, n) {
  for (int i = 0; i < n; i++) {
    int *value = malloc(sizeof *value);
    MUST(value != NULL);
    *value = i;
    if (leat_cell_put(c, i, value)) free(value);
  }
}
PROGRAM(cells_by_id) {
  for (int keep = LEAT_KEEP_FIRST; keep <= LEAT_KEEP_LAST; keep++) {
    cells c = {.keep = (enum leat_keep)keep, .drop = free_int};
    leat_scope(s);
    for (int i = 0; i < 4; i++) leat_go(s, reports, &c, 60);
    for (int i = 0; i < 50; i++) {
      int *value;
      MUST(leat_cell_take(&c, i, &value) == LEAT_OK && *value == i);
      free(value);
    }
    MUST(leat_wait(s) == LEAT_OK);
    leat_cells_free(&c);
  }
}

/* ---- permission ---- */

typedef leat_permission(int) permission;
static int tried[20], done[20];
LEAT_FN(tries, permission *, p, int, who) {
  for (int id = 0; id < 20; id++) {
    leat_grant grant;
    if (leat_ask(p, id, &grant)) {
      MUST(done[id] == 1); /* whoever hears that it has been done sees what was done */
      continue;
    }
    leat_defer(leat_grant_return, &grant);
    tried[id]++;
    if (who < 3) continue;
    done[id]++;
    leat_grant_use(&grant);
  }
}
PROGRAM(a_permission) {
  permission p = {0};
  leat_scope(s);
  memset(done, 0, sizeof done);
  for (int i = 0; i < 6; i++) leat_go(s, tries, &p, i);
  MUST(leat_wait(s) == LEAT_OK);
  for (int id = 0; id < 20; id++) MUST(done[id] == 1);
  leat_permission_free(&p);
}

/* ---- roll-back ---- */

LEAT_FN(set, int *, place, int, to) { *place = to; }
LEAT_FN_ERR(changes, int, n) {
  static leat_mutex lock;
  static int shared;
  for (int i = 0; i < n; i++) {
    leat_mutex_lock(&lock);
    leat_defer(leat_mutex_unlock, &lock);
    leat_rollback(r, LEAT_SECONDS(1));
    for (int k = 0; k < 30; k++) {
      int before = shared++, status = leat_undo(r, set, &shared, before);
      if (status) return status;
    }
    if (i % 2 == 0 && leat_commit(r)) return LEAT_FAILED;
  }
  return LEAT_OK;
}
PROGRAM(changes_that_are_undone) {
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, changes, 20);
  MUST(leat_wait(s) == LEAT_OK);
}
