/* How errors are written: as JSON, and for the user, to whom one that is malformed means a bug. The log's text is looked at in all tests of errors.
 * The three layers main, intermediate, lowlevel are after Cox-Buday's "Concurrency in Go". */
#define _GNU_SOURCE
#include "error.h"

#include <errno.h>
#include <sys/stat.h>

struct path_error {
  char path[32];
  int number;
};
LEAT_ERROR_KIND_OF(path_failed, struct path_error);

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
  if (names_are_known()) CHECK(strstr(log, "at is_globally_executable (error_log.c:") != NULL);
  free(user);
  free(log);
}
