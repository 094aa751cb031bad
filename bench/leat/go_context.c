/* Go's benchmarks of package context: the same names and shapes. A context of leat belongs to a block, with whose end it is freed; in Go that
 * is left to the garbage collector. */
#include "bench.h"
#include <stdlib.h>

LEAT_CONTEXT_KEY(present, int);
LEAT_CONTEXT_KEY(missing, int);

/* ---- making and cancelling ---- */

static void build_tree(leat_view root, int depth) {
  for (int d = 0; d < depth; d++) root = leat_with_cancel(root);
}
static int64_t below_background(int64_t n, int depth) {
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) {
    leat_scope(s);
    build_tree(s, depth);
  }
  return leat_now() - start;
}
static int64_t below_open(int64_t n, int depth) {
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    build_tree(ctx, depth);
    leat_cancel(ctx);
  }
  return leat_now() - start;
}
static int64_t below_closed(int64_t n, int depth) {
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_cancel(ctx);
    build_tree(ctx, depth);
  }
  return leat_now() - start;
}
#define CANCEL_TREE(depth) \
  static int64_t background_##depth(int64_t n) { return below_background(n, depth); } \
  static int64_t open_##depth(int64_t n) { return below_open(n, depth); } \
  static int64_t closed_##depth(int64_t n) { return below_closed(n, depth); }
CANCEL_TREE(1)
CANCEL_TREE(10)
CANCEL_TREE(100)
CANCEL_TREE(1000)

static void common_parent_body(struct portion *p, void *environment) {
  leat_view shared = environment;
  int value;
  while (next(p)) {
    struct leat_scope *ctx = leat_with_cancel(shared);
    if (!present_of(ctx, &value)) wrong("value", 0, 1);
    work(100);
    leat_context_release(ctx);
    work(100);
  }
}
static int64_t common_parent_cancel(int64_t n) {
  leat_scope(s);
  return in_parallel(n, leat_workers(), common_parent_body, leat_with_cancel(with_present(s, 1)));
}

LEAT_FN(make_contexts, struct leat_scope **, contexts, int, n) {
  for (int i = 0; i < n; i++) contexts[i] = leat_with_timeout(leat_background(), LEAT_SECONDS(3600));
}
static void with_timeout_body(struct portion *p, void *unused) {
  (void)unused;
  enum { TEN = 10 };
  struct leat_scope *contexts[TEN];
  while (next(p)) {
    make_contexts(contexts, TEN);
    for (int i = 0; i < TEN; i++) leat_context_release(contexts[i]);
  }
}
static int64_t with_timeout(int64_t n, int concurrency) {
  int workers = leat_workers(), each = concurrency / workers;
  struct leat_scope **others = allocate((size_t)concurrency, sizeof *others);
  leat_scope(s);
  for (int i = 0; i < workers; i++) leat_go(s, make_contexts, others + i * each, each);
  must(leat_wait(s));
  int64_t took = in_parallel(n, workers, with_timeout_body, NULL);
  for (int i = 0; i < workers * each; i++) {
    must(leat_scope_status(others[i]));
    leat_context_release(others[i]);
  }
  free(others);
  return took;
}
static int64_t with_timeout_40(int64_t n) { return with_timeout(n, 40); }
static int64_t with_timeout_4000(int64_t n) { return with_timeout(n, 4000); }
static int64_t with_timeout_400000(int64_t n) { return with_timeout(n, 400000); }

/* ---- asking ---- */

static int64_t ask_status(int64_t n, bool cancelled) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  if (cancelled) leat_cancel(ctx);
  int expected = cancelled ? LEAT_CANCELED : LEAT_OK;
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) expect("status", leat_scope_status(ctx), expected);
  return leat_now() - start;
}
static int64_t err_ok(int64_t n) { return ask_status(n, false); }
static int64_t err_canceled(int64_t n) { return ask_status(n, true); }

static int64_t check_done(int64_t n) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  leat_cancel(ctx);
  int64_t start = leat_now();
  char c;
  for (int64_t i = 0; i < n; i++) expect("status", leat_try_recv(leat_done(ctx), &c), LEAT_CLOSED);
  return leat_now() - start;
}
static void cancel_done_body(struct portion *p, void *environment) {
  leat_view ctx = environment;
  char c;
  while (next(p)) expect("status", leat_try_recv(leat_done(ctx), &c), LEAT_EMPTY);
}
static int64_t context_cancel_done(int64_t n) {
  leat_scope(s);
  return in_parallel(n, leat_workers(), cancel_done_body, leat_with_cancel(s));
}

/* ---- values ---- */

static leat_view with_values(leat_view ctx, int depth) {
  for (int i = 0; i < depth; i++) ctx = with_present(ctx, i);
  return ctx;
}
static void look_up_missing(leat_view ctx) {
  int value;
  if (missing_of(ctx, &value)) wrong("value", value, 0);
}
LEAT_FN(look_up_and_tell, leat_view, ctx, leat_waitgroup *, group) {
  look_up_missing(ctx);
  leat_waitgroup_done(group);
}
static int64_t value_new_goroutine(int64_t n, int depth) {
  leat_scope(s);
  leat_view ctx = with_values(s, depth);
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) {
    leat_waitgroup group = {0};
    leat_waitgroup_add(&group, 1);
    must(leat_go(s, look_up_and_tell, ctx, &group));
    leat_waitgroup_wait(&group);
  }
  return leat_now() - start;
}
static int64_t value_same_goroutine(int64_t n, int depth) {
  leat_scope(s);
  leat_view ctx = with_values(s, depth);
  int64_t start = leat_now();
  for (int64_t i = 0; i < n; i++) look_up_missing(ctx);
  return leat_now() - start;
}
#define DEEP_VALUE(depth) \
  static int64_t new_##depth(int64_t n) { return value_new_goroutine(n, depth); } \
  static int64_t same_##depth(int64_t n) { return value_same_goroutine(n, depth); }
DEEP_VALUE(10)
DEEP_VALUE(20)
DEEP_VALUE(30)
DEEP_VALUE(50)
DEEP_VALUE(100)

const struct benchmark go_context_benchmarks[] = {
  COUNTED("CommonParentCancel", common_parent_cancel),
  COUNTED("WithTimeout/concurrency=40", with_timeout_40),
  COUNTED("WithTimeout/concurrency=4000", with_timeout_4000),
  COUNTED("WithTimeout/concurrency=400000", with_timeout_400000),
  COUNTED("CancelTree/depth=1/Root=Background", background_1),
  COUNTED("CancelTree/depth=1/Root=OpenCanceler", open_1),
  COUNTED("CancelTree/depth=1/Root=ClosedCanceler", closed_1),
  COUNTED("CancelTree/depth=10/Root=Background", background_10),
  COUNTED("CancelTree/depth=10/Root=OpenCanceler", open_10),
  COUNTED("CancelTree/depth=10/Root=ClosedCanceler", closed_10),
  COUNTED("CancelTree/depth=100/Root=Background", background_100),
  COUNTED("CancelTree/depth=100/Root=OpenCanceler", open_100),
  COUNTED("CancelTree/depth=100/Root=ClosedCanceler", closed_100),
  COUNTED("CancelTree/depth=1000/Root=Background", background_1000),
  COUNTED("CancelTree/depth=1000/Root=OpenCanceler", open_1000),
  COUNTED("CancelTree/depth=1000/Root=ClosedCanceler", closed_1000),
  COUNTED("CheckCanceled/Err", err_canceled),
  COUNTED("CheckCanceled/Done", check_done),
  COUNTED("ContextCancelDone", context_cancel_done),
  COUNTED("DeepValueNewGoRoutine/depth=10", new_10),
  COUNTED("DeepValueNewGoRoutine/depth=20", new_20),
  COUNTED("DeepValueNewGoRoutine/depth=30", new_30),
  COUNTED("DeepValueNewGoRoutine/depth=50", new_50),
  COUNTED("DeepValueNewGoRoutine/depth=100", new_100),
  COUNTED("DeepValueSameGoRoutine/depth=10", same_10),
  COUNTED("DeepValueSameGoRoutine/depth=20", same_20),
  COUNTED("DeepValueSameGoRoutine/depth=30", same_30),
  COUNTED("DeepValueSameGoRoutine/depth=50", same_50),
  COUNTED("DeepValueSameGoRoutine/depth=100", same_100),
  COUNTED("ErrOK", err_ok),
  COUNTED("ErrCanceled", err_canceled),
  {0}};
