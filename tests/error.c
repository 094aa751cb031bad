/* Errors: what they hold, the tree they make, how they are written, malformed ones, errors as failures of goroutines.
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
 *   Benchmark...                    no tests
 * The three layers main, intermediate, lowlevel are after Cox-Buday's "Concurrency in Go". */
#define _GNU_SOURCE
#include "wait.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

LEAT_ERROR_KIND(not_found);
LEAT_ERROR_KIND(other_kind);
struct path_error {
  char path[32];
  int number;
};
LEAT_ERROR_KIND_OF(path_failed, struct path_error);

static __attribute__((noinline)) char *text_of(const leat_error *e, void (*write)(const leat_error *, FILE *)) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  write(e, out);
  fclose(out);
  return text;
}

static void check_log(const leat_error *e, const char *const *texts) {
  char *log = text_of(e, leat_error_log);
  for (; *texts; texts++)
    if (!strstr(log, *texts)) {
      fprintf(stderr, "%s\n  has no \"%s\"\n", log, *texts);
      CHECK(false);
    }
  free(log);
}
#define CHECK_LOG(e, ...) check_log(e, (const char *const[]){__VA_ARGS__, NULL})

static leat_error *of_kind(const leat_error_kind *kind, const char *message) {
  return leat_error_make(((leat_error_spec){.kind = kind}), "%s", message);
}

/* A reader of JSON that says yes or no. */

static const char *json_value(const char *s);
static const char *json_string(const char *s) {
  if (*s++ != '"') return NULL;
  for (; *s != '"'; s++) {
    unsigned char c = (unsigned char)*s;
    if (c < 32) return NULL;
    if (c == '\\') {
      s++;
      if (*s == 'u') {
        for (int i = 1; i <= 4; i++)
          if (!isxdigit((unsigned char)s[i])) return NULL;
        s += 4;
      } else if (!strchr("\"\\/bfnrt", *s)) return NULL;
    } else if (c >= 0x80) {
      int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : -1;
      if (more < 0) return NULL;
      for (; more; more--)
        if (((unsigned char)*++s & 0xc0) != 0x80) return NULL;
    }
  }
  return s + 1;
}
static const char *json_list(const char *s, char end, bool keys) {
  if (*++s == end) return s + 1;
  for (;; s++) {
    if (keys) {
      s = json_string(s);
      if (!s || *s++ != ':') return NULL;
    }
    s = json_value(s);
    if (!s || (*s != ',' && *s != end)) return NULL;
    if (*s == end) return s + 1;
  }
}
static const char *json_value(const char *s) {
  if (*s == '"') return json_string(s);
  if (*s == '{') return json_list(s, '}', true);
  if (*s == '[') return json_list(s, ']', false);
  if (strncmp(s, "true", 4) == 0) return s + 4;
  if (strncmp(s, "false", 5) == 0) return s + 5;
  size_t n = strspn(s, "-0123456789");
  return n ? s + n : NULL;
}
static void check_json(const leat_error *e, const char *holds) {
  char *json = text_of(e, leat_error_log_json);
  const char *end = *json == '{' ? json_value(json) : NULL;
  if (!end || strcmp(end, "\n") != 0 || !strstr(json, holds)) fprintf(stderr, "%s", json);
  CHECK(end && strcmp(end, "\n") == 0);
  CHECK(strstr(json, holds) != NULL);
  free(json);
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

/* ---- the stack ---- */

static __attribute__((noinline)) leat_error *fails_here(int n) {
  return leat_error_new(LEAT_FAILED, "%d", n);
}
static __attribute__((noinline)) leat_error *fails_there(int n) {
  return leat_error_new(LEAT_FAILED, "%d", n);
}

static bool names_are_known(void) {
  leat_error *e = fails_here(0);
  char *log = text_of(e, leat_error_log_stack);
  bool known = strstr(log, "at fails_here (error.c:") != NULL;
  free(log);
  leat_error_release(e);
  return known;
}

LEAT_FN(grandchild, leat_tx(leat_error *), out) {
  leat_error *e = fails_here(1);
  if (leat_send(out, e)) leat_error_release(e);
}
LEAT_FN(child, leat_tx(leat_error *), out) {
  leat_scope(s);
  leat_go(s, grandchild, out);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_stack_goes_on_through_the_starts_of_goroutines) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 1);
  leat_go(s, child, leat_tx_of(c));
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  char *log = text_of(e, leat_error_log_stack); /* its goroutine has ended */
  char *own = strstr(log, "at fails_here (error.c:"), *grand = strstr(log, " (grandchild), started at "), *parent = strstr(log, "by goroutine"), *main_one = strstr(log, " (main)");
  if (!grand || !parent || !main_one) fprintf(stderr, "%s", log);
  if (names_are_known()) CHECK(own && own < grand && strstr(own, "at grandchild (error.c:") > own);
  CHECK(grand && grand < parent && parent < main_one);
  CHECK(strstr(parent, " (child), started at ") && strstr(parent, " (child), started at ") < main_one);
  CHECK(strstr(leat_error_message(e), "goroutine") == NULL); /* none of it is in the message */
  free(log);
  CHECK(leat_error_goroutine(e) != 0 && leat_error_goroutine(e) != leat_goroutine_id());
  e = leat_error_wrap(e, "m", "wrapped elsewhere");
  CHECK_LOG(e, " (grandchild), started at ", "by goroutine");
  leat_error_release(e);
}

static void *sends_from_a_thread(void *argument) {
  leat_chan(leat_error *) *out = argument;
  leat_error *e = fails_here(2);
  CHECK_EQ(leat_send(*out, e), LEAT_OK);
  return NULL;
}
TEST_GO(errors_of_plain_threads) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, sends_from_a_thread, &c) == 0);
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  pthread_join(thread, NULL);
  CHECK_LOG(e, "in a thread that is not leat's");
  leat_error_release(e);
}
static void *starts_a_goroutine(void *argument) {
  leat_scope(s);
  leat_chan(leat_error *) *out = argument;
  leat_go(s, grandchild, leat_tx_of(*out));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  return NULL;
}
TEST_GO(a_goroutine_that_a_plain_thread_has_started) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 1);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, starts_a_goroutine, &c) == 0);
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  pthread_join(thread, NULL);
  CHECK_LOG(e, "(grandchild)", "by a thread that is not leat's");
  leat_error_release(e);
}

TEST(the_hash_groups_what_happened_at_one_place) {
  if (!names_are_known()) TEST_SKIP("the stack cannot be unwound");
  uint64_t hashes[3];
  volatile int three = 3; /* so that there is one call and not three */
  for (int i = 0; i < three; i++) {
    leat_error *e = fails_here(i);
    hashes[i] = leat_error_hash(e);
    e = leat_error_wrap(e, "m", "outer");
    CHECK(leat_error_hash(e) == hashes[i]);
    leat_error_release(e);
  }
  CHECK(hashes[0] == hashes[1] && hashes[1] == hashes[2]);
  leat_error *e = fails_there(0), *f = fails_here(0);
  CHECK(leat_error_hash(e) != hashes[0]);
  CHECK(leat_error_hash(f) != hashes[0]); /* called from another line */
  leat_error_release(e);
  leat_error_release(f);
}

TEST(a_hash_to_be_printed) {
  leat_error *e = fails_here(0);
  fprintf(stderr, "hash of %p: %016llx\n", (void *)(uintptr_t)&fails_here, (unsigned long long)leat_error_hash(e));
  leat_error_release(e);
}
static void hash_of_a_run(char *address, char *hash) {
  FILE *run = popen("exec \"$TEST_SELF\" --run a_hash_to_be_printed 2>&1", "r");
  CHECK(run && fscanf(run, "hash of %31[^:]: %31s", address, hash) == 2);
  pclose(run);
}
TEST(the_hash_is_the_same_in_every_run) {
  if (test_under_qemu() || test_under_valgrind() || test_under_tsan()) TEST_SKIP("runs itself, at addresses that differ");
  char self[4096] = {0}, addresses[2][32], hashes[2][32];
  CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  setenv("TEST_SELF", self, 1);
  hash_of_a_run(addresses[0], hashes[0]);
  hash_of_a_run(addresses[1], hashes[1]);
  CHECK_STR(hashes[0], hashes[1]);
}

/* With the stacks of the starts. */
LEAT_FN(last_of_three, leat_tx(leat_error *), out) { CHECK_EQ(leat_send(out, fails_here(3)), LEAT_OK); }
static __attribute__((noinline)) void starts_the_last(leat_view s, leat_tx(leat_error *) out) { leat_go(s, last_of_three, out); }
LEAT_FN(second_of_three, leat_tx(leat_error *), out) {
  leat_scope(s);
  starts_the_last(s, out);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static __attribute__((noinline)) void starts_the_second(leat_view s, leat_tx(leat_error *) out) { leat_go(s, second_of_three, out); }
static void check_start_stacks(bool kept) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 1);
  starts_the_second(s, leat_tx_of(c));
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  char *log = text_of(e, leat_error_log_stack);
  char *inner = strstr(log, "at starts_the_last (error.c:"), *middle = strstr(log, "(second_of_three), started at "), *outer = strstr(log, "at starts_the_second (error.c:");
  if (kept != (inner && middle && outer && inner < middle && middle < outer)) fprintf(stderr, "%s", log);
  CHECK_EQ(inner != NULL, kept);
  CHECK_EQ(outer != NULL, kept);
  if (kept) CHECK(inner < middle && middle < outer);
  free(log);
  check_json(e, "\"started_by\":[{");
  leat_error_release(e);
}
LEAT_FN_ERR(starts_the_next, int, left) { return left ? leat_go(NULL, starts_the_next, left - 1) : LEAT_OK; }
TEST(the_stacks_of_the_starts_are_kept_on_request) {
  leat_options options = {.start_stacks = 1};
  bool known = names_are_known();
  if (!known) TEST_SKIP("no libbacktrace");
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  check_start_stacks(false);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  CHECK_EQ(leat_runtime_start(&options), LEAT_OK);
  check_start_stacks(true);
  {
    leat_scope(s);
    leat_go(s, starts_the_next, (int)test_scale(1000)); /* a chain in which none outlives the next */
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  setenv("LEAT_START_STACKS", "1", 1);
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  check_start_stacks(true);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}

TEST(stacks_can_be_switched_off) {
  leat_error_set_frames(0);
  leat_error *e = fails_here(1);
  char *log = text_of(e, leat_error_log_stack);
  CHECK(strstr(log, "fails_here") == NULL && strstr(log, "    at") == NULL);
  free(log);
  CHECK(leat_error_hash(e) != 0);
  CHECK_LOG(e, "made at ", "error.c:");
  leat_error_release(e);
  leat_error_set_frames(1000);
  e = fails_here(1);
  leat_error_release(e);
}

/* ---- JSON ---- */

TEST(json_is_valid_whatever_the_bytes) {
  char every[256];
  for (int i = 0; i < 255; i++) every[i] = (char)(i + 1);
  every[255] = 0;
  leat_error *e = leat_error_make(((leat_error_spec){.fields = (leat_error_field[]){{every, every}, {"key", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"}, {NULL, NULL}}, .user = every}), "%s", every);
  check_json(e, "\"message\":\"\\u0001");
  check_json(e, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  leat_error_release(e);
  const char *broken[] = {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xff", "a\xc3"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    e = leat_error_new(LEAT_FAILED, "<%s>", broken[i]);
    check_json(e, "\\ufffd");
    leat_error_release(e);
  }
}

TEST_GO(json_of_a_tree) {
  leat_error *e = leat_error_join(leat_error_typed(path_failed, ((struct path_error){"/a", 1}), "a"), leat_error_wrap(leat_error_new(LEAT_SYSTEM(ENOENT), "b"), "m", "c"));
  e = leat_error_wrap(e, "outer", "top");
  check_json(e, "\"inner\":{\"status\":-9");
  check_json(e, "\"members\":[{");
  check_json(e, "\"kind\":\"path_failed\"");
  check_json(e, "\"module\":\"outer\"");
  check_json(e, "\"goroutine_name\":\"main\"");
  check_json(e, leat_error_log_id(e));
  leat_error_release(e);
}

/* ---- for the user ---- */

static const leat_error *reported;
static int reports;
static void note_report(void *environment, const leat_error *e) {
  reported = e;
  reports += *(int *)environment;
}
static char *shown(const leat_error *e, const char *module, bool well_formed) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  CHECK_EQ(leat_error_show(e, module, out), well_formed);
  fclose(out);
  return text;
}
static void check_shown(const leat_error *e, const char *module, bool well_formed, const char *line) {
  char right[256], *text = shown(e, module, well_formed);
  snprintf(right, sizeof right, "[%s] %s\n", e ? leat_error_log_id(e) : "-", line);
  CHECK_STR(text, right);
  free(text);
}

TEST(malformed_means_bug) {
  static const char bug[] = "There was an unexpected issue; please report this as a bug.";
  int one = 1;
  leat_error_set_bug_hook(note_report, &one);
  leat_error *e = leat_error_new(LEAT_SYSTEM(ENOENT), "stat /x: no such file");
  check_shown(e, "jobs", false, bug);
  CHECK(reported == e);
  check_shown(e, NULL, false, bug);
  e = leat_error_wrap(e, "files", "cannot read the table");
  check_shown(e, "files", true, "cannot read the table");
  check_shown(e, NULL, true, "cannot read the table");
  check_shown(e, "jobs", false, bug); /* it comes from below, and jobs let it through */
  CHECK_EQ(reports, 3);
  e = leat_error_wrap(e, "jobs", "cannot run it,\nreally");
  check_shown(e, "jobs", true, "cannot run it, really");
  e = leat_error_make(((leat_error_spec){.inner = e}), "wrapped by nobody");
  check_shown(e, "jobs", false, bug);
  e = leat_error_wrap(e, "jobs", "%s", "");
  check_shown(e, "jobs", false, bug); /* wrapped, and says nothing */
  check_shown(NULL, "jobs", false, bug);
  CHECK(reported == NULL && reports == 6);
  leat_error *both = leat_error_join(leat_error_wrap(leat_error_new(LEAT_FAILED, "x"), "jobs", "y"), e);
  check_shown(both, "jobs", false, bug);
  both = leat_error_make(((leat_error_spec){.inner = both, .module = "jobs", .user = "The job failed.", .transience = LEAT_TRANSITORY}), "two jobs failed: %d", 2);
  check_shown(both, "jobs", true, "The job failed. (this may pass: please try again later)");
  leat_error_release(both);
  leat_error_set_bug_hook(NULL, NULL);
}

/* Three layers: main calls intermediate, which calls lowlevel. */
static leat_error *is_globally_executable(const char *path, bool *is) {
  struct stat info;
  if (stat(path, &info) != 0) {
    int number = errno;
    return leat_error_wrap(leat_error_new(LEAT_SYSTEM(number), "%s", strerror(number)), "lowlevel", "stat %s: %s", path, strerror(number));
  }
  *is = (info.st_mode & 0100) != 0;
  return NULL;
}
static leat_error *run_job(const char *id, bool fixed) {
  static const char binary[] = "/bad/job/binary";
  bool executable = false;
  leat_error *e = is_globally_executable(binary, &executable);
  if (e && !fixed) return e; /* the mistake: lowlevel's error leaves intermediate as it came */
  if (e) return leat_error_wrap(e, "intermediate", "cannot run job \"%s\": requisite binaries not available", id);
  return leat_error_wrap(leat_error_new(LEAT_FAILED, "%s is not executable", binary), "intermediate", "cannot run job \"%s\": requisite binaries are not executable", id);
}
static void three_layers(bool fixed, char **user, char **log) {
  leat_error *e = run_job("1", fixed);
  *user = shown(e, "intermediate", fixed);
  *log = text_of(e, leat_error_log);
  leat_error_release(e);
}
TEST(three_layers_with_a_mistake_and_without) {
  char *user, *log;
  three_layers(false, &user, &log);
  char *id = strndup(user + 1, strcspn(user, "]") - 1), first_words[64];
  snprintf(first_words, sizeof first_words, "[logID: %s] ", id);
  CHECK_STR(strchr(user, ']'), "] There was an unexpected issue; please report this as a bug.\n");
  CHECK(strncmp(log, first_words, strlen(first_words)) == 0);
  CHECK(strstr(log, "lowlevel: stat /bad/job/binary: No such file or directory") != NULL);
  CHECK(strstr(log, "intermediate") == NULL);
  free(user);
  free(log);
  free(id);
  three_layers(true, &user, &log);
  CHECK_STR(strchr(user, ']'), "] cannot run job \"1\": requisite binaries not available\n");
  char *outer = strstr(log, "  intermediate: cannot run job"), *inner = strstr(log, "  lowlevel: stat /bad/job/binary");
  CHECK(outer && inner && outer < inner);
  if (names_are_known()) CHECK(strstr(log, "at is_globally_executable (error.c:") != NULL);
  free(user);
  free(log);
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

/* ---- as failures of goroutines ---- */

LEAT_FN_ERROR(returns_an_error, const char *, what) { return what ? leat_error_make(((leat_error_spec){.status = LEAT_INVALID, .kind = &not_found}), "%s", what) : NULL; }
LEAT_FN_ERR(fails_with_an_error) { return leat_fail_with(leat_error_wrap(leat_error_new(LEAT_SYSTEM(EIO), "disk"), "m", "cannot read")); }
LEAT_FN_ERR(fails_with_a_status) { return LEAT_FULL; }
LEAT_FN_ERR(fails_with_a_message, int, n) { return leat_fail(LEAT_FAILED, "number %d", n); }
LEAT_FN_ERROR_DECLARE(defined_below, int, n);

TEST_GO(the_error_comes_out_at_the_scope) {
  leat_scope(s);
  CHECK(leat_error_of(s) == NULL);
  leat_go(s, returns_an_error, NULL);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(leat_error_of(s) == NULL);
  leat_go(s, returns_an_error, "not here");
  CHECK_EQ(leat_wait(s), LEAT_INVALID);
  const leat_failure *f = leat_failure_of(s);
  CHECK(leat_error_is(f->error, &not_found) && f->error == leat_error_of(s));
  CHECK_STR(f->message, "not here");
  CHECK_EQ(leat_error_goroutine(f->error), f->goroutine);
  CHECK_LOG(f->error, "(returns_an_error), started at ", "by goroutine", "(main)");
}
TEST_GO(by_leat_fail_with_and_leat_fail) {
  {
    leat_scope(s);
    leat_go(s, fails_with_an_error);
    CHECK_EQ(leat_wait(s), LEAT_SYSTEM(EIO));
    CHECK(leat_error_well_formed(leat_error_of(s), "m"));
  }
  leat_scope(s);
  leat_go(s, fails_with_a_message, 3);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_error_message(leat_error_of(s)), "number 3");
  if (names_are_known()) CHECK_LOG(leat_error_of(s), "at fails_with_a_message (error.c:");
}
TEST_GO(a_mere_status_has_an_error_too) {
  leat_scope(s);
  leat_go(s, fails_with_a_status);
  CHECK_EQ(leat_wait(s), LEAT_FULL);
  CHECK_EQ(leat_error_status(leat_error_of(s)), LEAT_FULL);
  CHECK_STR(leat_failure_of(s)->message, "");
  CHECK_LOG(leat_error_of(s), "full (full)", "(fails_with_a_status)");
}
TEST_GO(of_a_task) {
  leat_scope(s);
  leat_keep_going(s);
  leat_task *good = leat_spawn(s, returns_an_error, NULL), *bad = leat_spawn(s, defined_below, 5), *worse = leat_spawn(s, fails_with_a_status);
  CHECK_EQ(leat_join(good), LEAT_OK);
  CHECK(leat_task_error(good) == NULL);
  CHECK_EQ(leat_join(bad), LEAT_FAILED);
  CHECK_STR(leat_error_message(leat_task_error(bad)), "5 below");
  CHECK_EQ(leat_join(worse), LEAT_FULL);
  CHECK(leat_task_error(worse) == NULL);
}
LEAT_FN_ERROR_DEFINE(defined_below, int, n) { return leat_error_new(LEAT_FAILED, "%d below", n); }

LEAT_FN_ERR(passes_the_status_on) {
  leat_scope(s);
  leat_go(s, returns_an_error, "from below");
  return leat_wait(s);
}
LEAT_FN_ERR(passes_it_on_again) {
  leat_scope(s);
  leat_go(s, passes_the_status_on);
  return leat_wait(s);
}
LEAT_FN_ERR(returns_another) {
  {
    leat_scope(s);
    leat_go(s, returns_an_error, "from below");
    CHECK_EQ(leat_wait(s), LEAT_INVALID);
  }
  return LEAT_CLOSED;
}
TEST_GO(who_answers_with_leat_wait_passes_the_error_on) {
  {
    leat_scope(s);
    leat_go(s, passes_it_on_again);
    CHECK_EQ(leat_wait(s), LEAT_INVALID);
    CHECK(leat_error_is(leat_error_of(s), &not_found));
    CHECK_STR(leat_failure_of(s)->name, "passes_it_on_again");
    CHECK_LOG(leat_error_of(s), "(returns_an_error)", "(passes_the_status_on)");
  }
  leat_scope(s);
  leat_go(s, returns_another);
  CHECK_EQ(leat_wait(s), LEAT_CLOSED);
  CHECK(!leat_error_is(leat_error_of(s), &not_found));
}

/* It is returning it that fails the goroutine: what was made and not returned is no part of what it does return. */
LEAT_FN_ERR(does_not_return_it, int, status) {
  (void)leat_fail(LEAT_INVALID, "dealt with here");
  return status;
}
TEST_GO(a_leat_fail_that_is_not_returned_is_forgotten) {
  leat_scope(s);
  leat_keep_going(s);
  leat_task *ok = leat_spawn(s, does_not_return_it, LEAT_OK), *closed = leat_spawn(s, does_not_return_it, LEAT_CLOSED);
  CHECK_EQ(leat_wait(s), LEAT_CLOSED);
  CHECK_EQ(leat_error_status(leat_error_of(s)), LEAT_CLOSED);
  CHECK_STR(leat_failure_of(s)->message, "");
  CHECK_STR(leat_task_message(closed), "");
  CHECK_EQ(leat_join(ok), LEAT_OK);
  CHECK(leat_task_error(ok) == NULL);
}

LEAT_FN_ERR(fails_in_a_deferred_call) {
  leat_defer_call(fails_with_an_error);
  return leat_fail(LEAT_FAILED, "the body's own");
}
static void fail_plainly(const char *why) { leat_fail(LEAT_INVALID, "%s", why); }
LEAT_FN_ERR(fails_in_a_deferred_function) {
  leat_defer(fail_plainly, "the deferred function's");
  return leat_fail(LEAT_FAILED, "the body's own");
}
LEAT_FN_ERR(only_its_deferred_call_fails) {
  leat_defer_call(fails_with_an_error);
  return LEAT_OK;
}
TEST_GO(what_a_deferred_call_fails_with_is_nobodys) {
  leat_scope(s);
  leat_go(s, only_its_deferred_call_fails);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  leat_go(s, fails_in_a_deferred_call);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->message, "the body's own");
}
TEST_GO(what_a_deferred_function_fails_with_is_nobodys_either) {
  leat_scope(s);
  leat_go(s, fails_in_a_deferred_function);
  CHECK_EQ(leat_wait(s), LEAT_FAILED);
  CHECK_STR(leat_failure_of(s)->message, "the body's own");
}

LEAT_FN_ERR(fails_often, int, n) { return n % 3 ? leat_fail(LEAT_FAILED, "%d", n) : leat_fail_with(leat_error_wrap(leat_error_new(LEAT_CLOSED, "%d", n), "m", "outer")); }
TEST_GO(many_fail_at_a_time) {
  leat_error_set_frames(4);
  for (int round = 0; round < (int)test_scale(300); round++) {
    leat_scope(s);
    leat_task *tasks[8];
    for (int i = 0; i < 8; i++) tasks[i] = leat_spawn(s, fails_often, i);
    for (int i = 0; i < 8; i++) {
      int status = leat_join(tasks[i]);
      CHECK(status == LEAT_FAILED || status == LEAT_CLOSED || status == LEAT_CANCELED);
    }
    CHECK(leat_wait(s) != LEAT_OK);
    CHECK(leat_error_of(s) != NULL);
  }
}
