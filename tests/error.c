/* Errors: what they hold, the tree they make, references. Their stacks: error_stack.c; how they are written, and malformed ones: error_log.c; as failures
 * of goroutines: error_failure.c.
 *
 * Go's errors/{errors,wrap,join}_test.go, and what covers them here. A kind takes the place of a sentinel value and of a type, so what Go asks
 * of values that cannot be compared, or that match by a method of their own, has no counterpart:
 *   TestNewEqual, TestErrorMethod   new_errors_differ_and_say_what_they_were_told
 *   TestIs                          is
 *   TestAs, TestAsType              as, as_finds_the_first
 *   TestAsValidation                does not compile: compile_fail/error.c; the payload's type is the kind's
 *   TestUnwrap                      unwrap, null_is_no_error
 *   TestJoinReturnsNil              join_of_none_is_none
 *   TestJoin                        join (one alone is itself here, and the members of a join that is joined become the new one's)
 *   TestJoinErrorMethod             join
 *   Benchmark...                    no tests */
#define _GNU_SOURCE
#include "error.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

LEAT_ERROR_KIND(not_found);
LEAT_ERROR_KIND(other_kind);
struct path_error {
  char path[32];
  int number;
};
LEAT_ERROR_KIND_OF(path_failed, struct path_error);

static leat_error *of_kind(const leat_error_kind *kind, const char *message) {
  return leat_error_make(((leat_error_spec){.kind = kind}), "%s", message);
}

/* ---- what an error holds ---- */

TEST(new_errors_differ_and_say_what_they_were_told) {
  leat_error *a = leat_error_new(LEAT_FAILED, "abc"), *b = leat_error_new(LEAT_FAILED, "abc");
  CHECK(a != b);
  CHECK(strcmp(leat_error_log_id(a), leat_error_log_id(b)) != 0);
  CHECK_STR(leat_error_message(a), "abc");
  CHECK_EQ(leat_error_status(a), LEAT_FAILED);
  CHECK_STR(leat_error_module(a), "");
  CHECK_STR(leat_error_user(a), "abc");
  leat_error_release(a);
  leat_error_release(b);
}

TEST(null_is_no_error) {
  CHECK_EQ(leat_error_status(NULL), LEAT_OK);
  CHECK_STR(leat_error_message(NULL), "");
  CHECK_STR(leat_error_log_id(NULL), "");
  CHECK(leat_error_wrap(NULL, "m", "message") == NULL);
  CHECK(leat_error_retain(NULL) == NULL);
  CHECK(leat_error_inner(NULL) == NULL && leat_error_members(NULL) == 0 && leat_error_member(NULL, 0) == NULL);
  CHECK(!leat_error_is(NULL, &not_found) && leat_error_as(NULL, path_failed) == NULL);
  CHECK(leat_error_has_status(NULL, LEAT_OK) && !leat_error_has_status(NULL, LEAT_FAILED));
  CHECK(!leat_error_well_formed(NULL, NULL) && !leat_error_is_transitory(NULL) && leat_error_hash(NULL) == 0);
  CHECK(leat_error_field_of(NULL, "key") == NULL);
  CHECK_EQ(leat_fail_with(NULL), LEAT_OK);
  leat_error_release(NULL);
  char *log = text_of(NULL, leat_error_log), *json = text_of(NULL, leat_error_log_json);
  CHECK_STR(log, "[logID: -] no error\n");
  CHECK_STR(json, "{\"status\":0}\n");
  free(log);
  free(json);
}

TEST(a_long_message) {
  char long_text[3000];
  memset(long_text, 'x', sizeof long_text);
  long_text[sizeof long_text - 1] = 0;
  leat_error *e = leat_error_new(LEAT_FAILED, "%s%s", long_text, "end");
  CHECK_EQ(strlen(leat_error_message(e)), sizeof long_text + 2);
  CHECK(strcmp(leat_error_message(e) + sizeof long_text - 1, "end") == 0);
  leat_error_release(e);
}

static int64_t wall_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

TEST_GO(the_time_is_that_of_the_event) {
  int64_t before = wall_clock();
  leat_error *e = leat_error_new(LEAT_FAILED, "inner");
  int64_t after = wall_clock(), time = leat_error_time(e);
  CHECK(before <= time && time <= after);
  UNTIL(wall_clock() > after);
  e = leat_error_wrap(e, "m", "outer");
  CHECK_EQ(leat_error_time(e), time);
  char date[32], whole[64];
  time_t seconds = (time_t)(time / 1000000000);
  struct tm t;
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &t));
  snprintf(whole, sizeof whole, "] %s.%09ldZ outer\n", date, (long)(time % 1000000000));
  CHECK_LOG(e, whole);
  leat_error_release(e);
}

TEST(machine_process_and_place_are_in_the_log) {
  char host[256], machine[300];
  CHECK(gethostname(host, sizeof host) == 0);
  snprintf(machine, sizeof machine, "machine %s, process %d,", host, (int)getpid());
  leat_error *e = leat_error_new(LEAT_SYSTEM(ENOENT), "here");
  CHECK_LOG(e, machine, "here (No such file or directory)", "made at ", "error.c:", "in a thread that is not leat's");
  CHECK_EQ(leat_error_goroutine(e), 0);
  leat_error_release(e);
}

TEST(fields_and_the_line_for_the_user) {
  char key[] = "path", value[] = "/x\ny";
  leat_error_field fields[] = {{key, value}, {"count", "3"}, {"empty", NULL}, {NULL, NULL}};
  leat_error *e = leat_error_make(((leat_error_spec){.status = LEAT_CLOSED, .fields = fields, .user = "Sorry."}), "what %d", 1);
  key[0] = value[0] = '?'; /* they were copied */
  CHECK_STR(leat_error_field_of(e, "path"), "/x\ny");
  e = leat_error_wrap(e, "m", "wrapped");
  CHECK_STR(leat_error_field_of(e, "count"), "3");
  CHECK_STR(leat_error_field_of(e, "empty"), "");
  CHECK(leat_error_field_of(e, "other") == NULL);
  CHECK_STR(leat_error_user(e), "wrapped");
  CHECK_STR(leat_error_user(leat_error_inner(e)), "Sorry.");
  CHECK_LOG(e, "path: /x\\ny\n", "count: 3\n", "shown as: Sorry.\n", "m: wrapped (closed)\n", "what 1 (closed)\n");
  leat_error_release(e);
}

TEST(transitory_or_not) {
  leat_error *lasting = leat_error_new(LEAT_SYSTEM(ENOENT), "a"), *passing = leat_error_new(LEAT_SYSTEM(ETIMEDOUT), "b");
  CHECK(!leat_error_is_transitory(lasting) && leat_error_is_transitory(passing));
  lasting = leat_error_wrap(lasting, "m", "x");
  passing = leat_error_wrap(passing, "m", "y");
  CHECK(!leat_error_is_transitory(lasting) && leat_error_is_transitory(passing));
  passing = leat_error_make(((leat_error_spec){.inner = passing, .transience = LEAT_PERMANENT}), "it will stay so");
  lasting = leat_error_make(((leat_error_spec){.inner = lasting, .transience = LEAT_TRANSITORY}), "somebody is at it");
  CHECK(leat_error_is_transitory(lasting) && !leat_error_is_transitory(passing));
  passing = leat_error_wrap(passing, "n", "z");
  CHECK(!leat_error_is_transitory(passing));
  leat_error *both = leat_error_wrap(leat_error_join(leat_error_retain(lasting), leat_error_new(LEAT_FULL, "c")), "m", "w");
  CHECK(leat_error_is_transitory(both)); /* as all of them are */
  both = leat_error_join(both, passing);
  CHECK(!leat_error_is_transitory(both));
  leat_error_release(lasting);
  leat_error_release(both);
}

struct ids {
  char id[1000][32];
};
static void *makes_errors(void *argument) {
  struct ids *ids = argument;
  for (int i = 0; i < 1000; i++) {
    leat_error *e = leat_error_wrap(leat_error_new(LEAT_FAILED, "%d", i), "m", "outer");
    snprintf(ids->id[i], sizeof ids->id[i], "%s", leat_error_log_id(e));
    CHECK_STR(leat_error_log_id(leat_error_inner(e)), ids->id[i]);
    leat_error_release(e);
  }
  return NULL;
}
static int by_text(const void *a, const void *b) { return strcmp(a, b); }
TEST(log_ids_are_unique_and_printable_and_stay_with_the_event) {
  static struct ids ids[4];
  pthread_t threads[4];
  leat_error_set_frames(0);
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, makes_errors, &ids[i]) == 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  qsort(ids, 4000, 32, by_text);
  char(*all)[32] = (char(*)[32])ids;
  for (int i = 1; i < 4000; i++) CHECK(strcmp(all[i - 1], all[i]) != 0);
  for (int i = 0; i < 4000; i++) {
    CHECK(strlen(all[i]) > 10);
    for (char *c = all[i]; *c; c++) CHECK(isalnum((unsigned char)*c) || *c == '-');
  }
}

/* Well under a microsecond, but for the stack: nobody may look. */
TEST_GO(making_one_is_cheap) {
  if (test_scale(1000) < 1000) TEST_SKIP("not at full speed");
  leat_error_set_frames(0);
  int64_t best = LEAT_SECONDS(1);
  for (int k = 0; k < 200; k++) {
    int64_t start = leat_now();
    for (int i = 0; i < 1000; i++) leat_error_release(leat_error_new(LEAT_FAILED, "cannot open %s: %d", "/x", i));
    int64_t each = (leat_now() - start) / 1000;
    if (each < best) best = each;
  }
  if (best >= 1000) fprintf(stderr, "%d ns\n", (int)best);
  CHECK(best < 1000);
}

/* ---- the tree ---- */

TEST(is) {
  leat_error *one = of_kind(&not_found, "1"), *a = leat_error_wrap(leat_error_retain(one), "m", "wrap 2"), *b = leat_error_wrap(leat_error_retain(a), "m", "wrap 3");
  leat_error *three = of_kind(&other_kind, "3"), *plain = leat_error_new(LEAT_FAILED, "1");
  struct {
    leat_error *e;
    const leat_error_kind *kind;
    bool match;
  } cases[] = {
    {NULL, &not_found, false}, {one, NULL, false}, {one, &not_found, true}, {a, &not_found, true}, {b, &not_found, true},
    {one, &other_kind, false}, {a, &other_kind, false}, {b, &other_kind, false}, {plain, &not_found, false},
    {leat_error_join(leat_error_retain(one), leat_error_retain(three)), &not_found, true},
    {leat_error_join(leat_error_retain(three), leat_error_retain(one)), &not_found, true},
    {leat_error_join(leat_error_retain(three), leat_error_retain(b)), &not_found, true},
    {leat_error_join(leat_error_retain(b), leat_error_retain(three)), &other_kind, true},
    {leat_error_join(leat_error_retain(plain), leat_error_retain(plain)), &not_found, false},
    {leat_error_wrap(leat_error_join(leat_error_retain(plain), leat_error_wrap(leat_error_retain(b), "m", "x")), "n", "y"), &not_found, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (leat_error_is(cases[i].e, cases[i].kind) != cases[i].match) fprintf(stderr, "case %zu\n", i);
    CHECK_EQ(leat_error_is(cases[i].e, cases[i].kind), cases[i].match);
    if (i >= 9) leat_error_release(cases[i].e);
  }
  leat_error_release(one);
  leat_error_release(a);
  leat_error_release(b);
  leat_error_release(three);
  leat_error_release(plain);
}

TEST(has_status) {
  leat_error *e = leat_error_wrap(leat_error_new(LEAT_SYSTEM(ENOENT), "x"), "m", "y");
  CHECK_EQ(leat_error_status(e), LEAT_SYSTEM(ENOENT));
  e = leat_error_make(((leat_error_spec){.status = LEAT_INVALID, .inner = e}), "z");
  CHECK_EQ(leat_error_status(e), LEAT_INVALID);
  CHECK(leat_error_has_status(e, LEAT_INVALID) && leat_error_has_status(e, LEAT_SYSTEM(ENOENT)) && !leat_error_has_status(e, LEAT_CLOSED));
  leat_error_release(e);
}

TEST(as) {
  leat_error *e = leat_error_typed(path_failed, ((struct path_error){"/a", 1}), "cannot open %s", "/a");
  CHECK_STR(leat_error_as(e, path_failed)->path, "/a");
  e = leat_error_wrap(e, "m", "outer");
  CHECK_EQ(leat_error_as(e, path_failed)->number, 1);
  CHECK(leat_error_is(e, &path_failed));
  e = leat_error_join(of_kind(&not_found, "x"), e, leat_error_typed(path_failed, ((struct path_error){"/b", 2}), "y"));
  CHECK_STR(leat_error_as(e, path_failed)->path, "/a"); /* the first */
  leat_error_release(e);
  leat_error *without = of_kind(&path_failed, "of the kind, and no payload");
  CHECK(leat_error_is(without, &path_failed) && leat_error_as(without, path_failed) == NULL);
  leat_error_release(without);
}

static leat_error *other(void) { return of_kind(&other_kind, "other"); }
static leat_error *of_path(const char *path) {
  struct path_error p = {.number = 0};
  snprintf(p.path, sizeof p.path, "%s", path);
  return leat_error_typed(path_failed, p, "%s", path);
}
TEST(as_finds_the_first) {
  struct {
    leat_error *e;
    const char *path; /* NULL: there is none */
  } cases[] = {
    {NULL, NULL},
    {other(), NULL},
    {leat_error_wrap(other(), "m", "x"), NULL},
    {of_path("/a"), "/a"},
    {leat_error_wrap(leat_error_wrap(of_path("/a"), "m", "x"), "n", "y"), "/a"},
    {leat_error_join(other(), of_path("/a")), "/a"},
    {leat_error_join(of_path("/a"), other()), "/a"},
    {leat_error_join(of_path("/a"), of_path("/b")), "/a"},
    {leat_error_join(leat_error_join(other(), of_path("/a")), of_path("/b")), "/a"},
    {leat_error_join(leat_error_wrap(leat_error_join(other(), of_path("/a")), "m", "x"), of_path("/b")), "/a"},
    {leat_error_join(other(), leat_error_wrap(of_path("/a"), "m", "x")), "/a"},
    {leat_error_join(other(), other()), NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct path_error *found = leat_error_as(cases[i].e, path_failed);
    if ((found != NULL) != (cases[i].path != NULL)) fprintf(stderr, "case %zu\n", i);
    CHECK_EQ(found != NULL, cases[i].path != NULL);
    if (found) CHECK_STR(found->path, cases[i].path);
    leat_error_release(cases[i].e);
  }
}

TEST(unwrap) {
  leat_error *one = leat_error_new(LEAT_FAILED, "1"), *a = leat_error_wrap(leat_error_retain(one), "m", "wrap");
  CHECK(leat_error_inner(one) == NULL);
  CHECK(leat_error_inner(a) == one);
  leat_error *b = leat_error_wrap(a, "m", "wrap again");
  CHECK(leat_error_inner(b) == a && leat_error_inner(leat_error_inner(b)) == one);
  leat_error *both = leat_error_join(b, one);
  CHECK(leat_error_inner(both) == NULL); /* as in Go: it has several */
  leat_error_release(both);
}

TEST(join_of_none_is_none) {
  CHECK(leat_error_join(NULL) == NULL);
  CHECK(leat_error_join(NULL, NULL) == NULL);
  CHECK(leat_error_join_n(NULL, 0) == NULL);
}

TEST(join) {
  leat_error *one = leat_error_new(LEAT_CLOSED, "err1"), *two = leat_error_new(LEAT_FULL, "err2");
  leat_error *alone = leat_error_join(NULL, leat_error_retain(one), NULL);
  CHECK(alone == one);
  leat_error_release(alone);
  leat_error *both = leat_error_join(leat_error_retain(one), NULL, leat_error_retain(two));
  CHECK_EQ(leat_error_members(both), 2);
  CHECK(leat_error_member(both, 0) == one && leat_error_member(both, 1) == two && leat_error_member(both, 2) == NULL);
  CHECK_STR(leat_error_message(both), "err1\nerr2");
  CHECK_EQ(leat_error_status(both), LEAT_CLOSED);
  CHECK_STR(leat_error_log_id(both), leat_error_log_id(one));
  leat_error *all = leat_error_join(both, leat_error_new(LEAT_EMPTY, "err3"));
  CHECK_EQ(leat_error_members(all), 3);
  CHECK_STR(leat_error_message(all), "err1\nerr2\nerr3");
  CHECK_LOG(all, "err1 (closed)", "err2 (full)", "err3 (empty)");
  leat_error_release(all);
  leat_error_release(one);
  leat_error_release(two);
}

LEAT_FN(builds_a_deep_tree) {
  leat_error_set_frames(0);
  int n = (int)test_scale(100000);
  leat_error *chain = of_kind(&not_found, "0");
  for (int i = 0; i < n; i++) chain = leat_error_wrap(chain, "m", "%d", i);
  CHECK(leat_error_is(chain, &not_found));
  leat_error_release(chain);
  leat_error *deep = of_kind(&not_found, "0");
  for (int i = 0; i < 3000; i++) deep = leat_error_wrap(leat_error_join(leat_error_new(LEAT_FAILED, "other"), deep), "m", "%d", i);
  CHECK(!leat_error_is(deep, &not_found)); /* too deep, and no stack is used up in looking */
  free(text_of(deep, leat_error_log));
  free(text_of(deep, leat_error_log_json));
  leat_error_release(deep);
}
TEST_GO(a_deep_tree_on_a_small_stack) {
  leat_scope(s);
  leat_go(s, builds_a_deep_tree);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}

TEST(without_memory_there_is_still_an_error) {
  if (test_under_asan() || test_under_tsan() || test_under_valgrind()) TEST_SKIP("such a malloc is taken for a mistake");
  static const leat_error_kind huge = {"huge", SIZE_MAX / 2};
  leat_error *e = leat_error_make(((leat_error_spec){.kind = &huge, .payload = &huge}), "never made");
  CHECK_EQ(leat_error_status(e), LEAT_NOMEM);
  CHECK(leat_error_is_transitory(e));
  CHECK_STR(leat_error_log_id(e), "out-of-memory");
  CHECK(leat_error_retain(e) == e);
  leat_error_release(e);
  leat_error_release(e);
  leat_error_release(e); /* it is nobody's */
  leat_error *inner = leat_error_new(LEAT_CLOSED, "the inner one");
  CHECK(leat_error_make(((leat_error_spec){.kind = &huge, .payload = &huge, .inner = inner}), "never made") == inner);
  inner = leat_error_wrap(inner, "m", "usable");
  e = leat_error_wrap(e, "m", "around the static one");
  CHECK_LOG(e, "out of memory", "around");
  leat_error_release(inner);
  leat_error_release(e);
}

/* ---- references ---- */

LEAT_FN(passes_errors_on, leat_rx(leat_error *), in, leat_tx(leat_error *), out) {
  leat_range(leat_error *, e, in) {
    leat_error *kept = leat_error_retain(e);
    if (leat_send(out, e)) leat_error_release(e);
    CHECK(leat_error_is(kept, &not_found));
    leat_error_release(kept);
  }
  leat_close(out);
}
static void release_target(leat_error **e) { leat_error_release(*e); }
TEST_GO(errors_pass_through_goroutines) {
  int n = (int)test_scale(20000);
  leat_scope(s);
  leat_chan(leat_error *) a = leat_chan_make(s, leat_error *, 4), b = leat_chan_make(s, leat_error *, 4);
  leat_on_drop(a, release_target);
  leat_on_drop(b, release_target);
  leat_go(s, passes_errors_on, leat_rx_of(a), leat_tx_of(b));
  leat_error *shared = leat_error_wrap(of_kind(&not_found, "shared"), "m", "outer");
  for (int sent = 0, received = 0; received < n;) {
    leat_error *e = NULL, *next = sent < n ? leat_error_retain(shared) : NULL;
    switch (sent < n ? leat_select(leat_on_send(a, next), leat_on_recv(b, &e)) : leat_select(leat_on_recv(b, &e), leat_default)) {
    case 0:
      if (next) {
        sent++;
        continue;
      }
      break;
    case 1:
      leat_error_release(next);
      if (!e) leat_yield();
      break;
    default: CHECK(false);
    }
    if (!e) continue;
    CHECK(e == shared);
    leat_error_release(e);
    received++;
  }
  leat_error_release(shared);
  leat_close(a);
  leat_error *e;
  CHECK_EQ(leat_recv(b, &e), LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
