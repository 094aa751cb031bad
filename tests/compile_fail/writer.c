/* Misuses of writers, cells, permissions and roll-back. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

struct row { int id; };
LEAT_FN_ERR(insert, const struct row *, rows, size_t, n, int, db) { return (void)rows, (void)n, db; }
LEAT_FN_ERR(insert_writable, struct row *, rows, size_t, n) { return (void)rows, (void)n, 0; }
LEAT_FN_ERR(insert_int, const struct row *, rows, int, n) { return (void)rows, n; }
LEAT_FN(insert_without_status, const struct row *, rows, size_t, n) { (void)rows, (void)n; }
LEAT_MAP(id_of, struct row, int, r) { return r.id; }
LEAT_FN(undo, struct row *, r, int, n) { r->id = n; }
void drop_row(struct row *r);
void drop_int(int *n);

int serve(leat_view s, leat_rx(struct row) in, leat_rx(int) ints, FILE *file, struct row row, double d, void *none);
int serve(leat_view s, leat_rx(struct row) in, leat_rx(int) ints, FILE *file, struct row row, double d, void *none) {
  int status;
  size_t n;
  leat_writer_options options = {.chunk = 5};
  leat_writer(struct row) w = leat_writer_make(s, struct row, options, insert, 1);
  leat_writer(char) text = leat_writer_to_fd(s, 1, ((leat_writer_options){.delay = LEAT_MS(1)}));
  text = leat_writer_to_file(s, file, options);
  leat_writer_on_drop(w, drop_row);
  if ((status = leat_write(w, row)) || (status = leat_write_n(w, &row, 1, &n)) || (status = leat_write_n(text, "text", 4, NULL))) return status;
  if ((status = leat_write_until(text, 1, 'c')) || (status = leat_flush(w)) || (status = leat_writer_close(text))) return status;
  //BAD leat_writer_make: the first parameter | leat_writer_make(s, int, options, insert, 1);
  //BAD leat_writer_make: the first parameter | leat_writer_make(s, struct row, options, insert_writable);
  //BAD leat_writer_make: the second parameter | leat_writer_make(s, struct row, options, insert_int);
  //BAD leat_writer_make: the function answers no status | leat_writer_make(s, struct row, options, insert_without_status);
  //BAD leat_writer_make: the function takes another number | leat_writer_make(s, struct row, options, insert);
  //BAD leat_writer_make: argument 3 | leat_writer_make(s, struct row, options, insert, "1");
  //BAD leat_write: the value does not have | leat_write(w, 1);
  //BAD leat_write: the value does not have | leat_write(text, "text");
  //BAD leat_write_n: the pointer is not to | leat_write_n(w, "text", 4, NULL);
  //BAD leat_writer_on_drop: not a void function | leat_writer_on_drop(w, drop_int);
  //BAD leat_flush: this is no writer | return leat_flush(in);
  //WARN warn_unused_result | leat_flush(w);
  //WARN warn_unused_result | leat_writer_close(w);

  leat_rx(struct row) last = leat_last_by(s, in, 10, LEAT_MS(1), id_of);
  leat_cells(int, struct row) cells = {.most = 5, .keep = LEAT_KEEP_LAST, .drop = drop_row};
  if ((status = leat_cell_put(&cells, 1, row)) || (status = leat_cell_take(&cells, 1, &row))) return status;
  //BAD leat_last_by: the stage function does not take | leat_last_by(s, ints, 10, LEAT_MS(1), id_of);
  //BAD leat_cell_put: the value does not have | leat_cell_put(&cells, 1, 1);
  //BAD leat_cell_put: the id does not have | leat_cell_put(&cells, "1", row);
  //BAD leat_cell_take: the target is not | leat_cell_take(&cells, 1, &status);
  //BAD leat_i_cells | leat_cell_take(&row, 1, &row);

  leat_permission(int) permission = {.most = 5};
  leat_grant grant;
  if ((status = leat_ask(&permission, 1, &grant)) || (status = leat_try_ask(&permission, 1, &grant))) return status;
  leat_defer(leat_grant_return, &grant);
  //BAD leat_ask: the id does not have | status = leat_ask(&permission, "1", &grant);
  //WARN warn_unused_result | leat_ask(&permission, 1, &grant);
  //WARN warn_unused_result | leat_try_ask(&permission, 1, &grant);

  leat_rollback(r, LEAT_MS(1));
  if ((status = leat_undo(r, undo, &row, 1)) || (status = leat_at_commit(r, undo, &row, 1))) return status;
  //BAD leat_undo: the function takes another number | leat_undo(r, undo, &row);
  //BAD leat_undo: argument 1 | leat_undo(r, undo, &d, 1);
  //BAD leat_undo: the first argument is no leat_rollback | leat_undo(none, undo, &row, 1);
  //WARN warn_unused_result | leat_commit(r);
  //WARN warn_unused_result | leat_undo_all(r);
  (void)last, (void)ints, (void)d, (void)none;
  return leat_commit(r);
}
