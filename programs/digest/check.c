/* check.c - see check.h. The lines that are taken, the verdicts, the messages and their order are those of coreutils 9.1's md5sum, held
 * against it by tests/suites/digest. */
#include "check.h"
#include "input.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { READ_ROOM = 64 * 1024, HEX = 2 * MD5_BYTES };

void check_begin(struct check *c, const char *list) {
  c->from_stdin = strcmp(list, "-") == 0;
  c->name = c->from_stdin ? "standard input" : list;
  c->error = 0;
  c->read_error = false;
  c->bad_lines = c->good_lines = c->unreadable = c->mismatched = c->matched = 0;
}

/* --- reading lists --- */

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static bool parse_md5(const char *text, uint8_t *md5) {
  for (int i = 0; i < MD5_BYTES; i++) {
    int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
    if (low < 0) return false;
    md5[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

/* A line, or what is left of it. It ends in NUL as well, and may hold more of them. */
struct text {
  char *p, *end;
};

static void skip_blanks(struct text *t) { t->p += strspn(t->p, " \t"); }

/* In place; false for an escape that md5sum does not write. */
static bool unescape(struct text name) {
  char *to = name.p;
  for (const char *from = name.p; from < name.end; from++) {
    if (*from == '\0') return false;
    if (*from != '\\') *to++ = *from;
    else if (*++from == 'n') *to++ = '\n';
    else if (*from == 'r') *to++ = '\r';
    else if (*from == '\\') *to++ = '\\';
    else return false;
  }
  *to = '\0';
  return true;
}

/* "(name) = digest": leaves the name. */
static bool parse_tagged(struct text *t, uint8_t *md5) {
  char *close = memrchr(t->p, ')', (size_t)(t->end - t->p));
  if (*t->p != '(' || !close) return false;
  struct text digest = {close + 1, t->end};
  *close = '\0';
  *t = (struct text){t->p + 1, close};
  skip_blanks(&digest);
  if (*digest.p++ != '=') return false;
  skip_blanks(&digest);
  return digest.end - digest.p == HEX && parse_md5(digest.p, md5);
}

/* "digest  name" or "digest *name"; or, in lists of BSD's md5 -r, "digest name". Which of them it is shows in the first line, for the
 * rest as well, since otherwise a name that starts with a space would be taken for another. Leaves the name. */
static bool parse_plain(struct check *c, struct text *t, uint8_t *md5) {
  if (t->end - t->p < HEX + 2 || !parse_md5(t->p, md5)) return false;
  t->p += HEX;
  if (*t->p != ' ' && *t->p != '\t') return false;
  t->p++;
  bool one = t->end - t->p == 1 || (*t->p != ' ' && *t->p != '*');
  if (one && c->spaces == 2) return false;
  if (c->spaces == 0) c->spaces = one ? 1 : 2;
  if (c->spaces == 2) t->p++;
  return true;
}

/* The name in a line, NULL if it is no checksum line. The line is written over. */
static char *parse_line(struct check *c, struct text t, uint8_t *md5) {
  skip_blanks(&t);
  bool escaped = *t.p == '\\', tagged;
  t.p += escaped;
  tagged = strncmp(t.p, "MD5", 3) == 0;
  if (tagged) t.p += t.p[3] == ' ' ? 4 : 3;
  if (!(tagged ? parse_tagged(&t, md5) : parse_plain(c, &t, md5))) return NULL;
  if (escaped && !unescape(t)) return NULL;
  return c->from_stdin && strcmp(t.p, "-") == 0 ? NULL : t.p;
}

/* The end of the line may be written over. */
static int take_line(struct check *c, struct batcher *out, struct text line, int64_t number) {
  uint8_t md5[MD5_BYTES] = {0};
  *line.end = '\0';
  if (line.end > line.p && line.end[-1] == '\r') *--line.end = '\0';
  if (line.p == line.end || *line.p == '#') return LEAT_OK;
  const char *name = parse_line(c, line, md5);
  return name ? batcher_add(out, name, strlen(name), FILE_NAMED, -1, 0, md5) : batcher_add(out, "", 0, FILE_BAD_LINE, number, 0, md5);
}

int check_source(void *env, struct batcher *out) {
  struct check *c = env;
  struct input in;
  size_t used = 0, room = 2 * READ_ROOM;
  int64_t number = 0;
  int status = LEAT_OK;
  c->error = -input_open_named(&in, c->from_stdin ? "-" : c->name, true);
  if (c->error) return LEAT_OK;
  char *text = malloc(room + 1);
  if (!text) status = LEAT_NOMEM;
  while (!status) {
    ssize_t n = input_read(&in, text + used, room - used);
    if (n == -ECANCELED) status = LEAT_CANCELED;
    else if (n < 0) c->read_error = true;
    char *line = text, *end;
    char *search = text + used; /* what was there before has no end of line */
    if (n > 0) used += (size_t)n;
    while (!status && (end = memchr(search, '\n', used - (size_t)(search - text)))) {
      status = take_line(c, out, (struct text){line, end}, ++number);
      line = search = end + 1;
    }
    used -= (size_t)(line - text);
    memmove(text, line, used);
    if (n <= 0) {
      if (!status && used > 0) status = take_line(c, out, (struct text){text, text + used}, ++number);
      break;
    }
    if (room - used < READ_ROOM) { /* a long line */
      char *more = realloc(text, 2 * room + 1);
      if (!more) status = LEAT_NOMEM;
      else text = more, room *= 2;
    }
    if (!status) status = batcher_feed(out);
  }
  free(text);
  input_close(&in);
  return status;
}

/* --- verdicts --- */

static void say_about_list(struct check *c, const char *what) {
  char *quoted = quote(c->name);
  if (quoted) report_say(c->report, "%s: %s", quoted, what);
  free(quoted);
}

static void judge_bad_line(struct check *c, const struct file *f) {
  c->bad_lines++;
  if (!c->warn) return;
  char text[80];
  snprintf(text, sizeof text, "%lld: improperly formatted MD5 checksum line", (long long)f->size);
  say_about_list(c, text);
}

/* Counts one line of the list and prints what is to be printed; true if it is a failure. */
static bool judge(struct check *c, const struct batch *b, const struct file *f) {
  const char *path = batch_path(b, f), *verdict = NULL;
  bool failure = true;
  if (f->kind == FILE_BAD_LINE) {
    judge_bad_line(c, f);
    return c->strict;
  }
  c->good_lines++;
  if (f->error == ENOENT && c->ignore_missing) return false;
  if (f->error) {
    c->unreadable++;
    report_file(c->report, b, f);
    verdict = "FAILED open or read";
  } else if (memcmp(b->expected[f - b->files], f->md5, MD5_BYTES) != 0) {
    c->mismatched++;
    verdict = "FAILED";
  } else {
    c->matched++;
    failure = false;
    if (!c->quiet) verdict = "OK";
  }
  if (verdict && !c->status_only) out_verdict(c->out, path, verdict);
  return failure;
}

void check_take(void *env, struct batch *b) {
  for (uint32_t i = 0; i < b->count; i++) judge(env, b, &b->files[i]);
  batch_free(b);
}

static bool is_failure(const struct check *c, const struct batch *b, const struct file *f) {
  if (f->kind == FILE_BAD_LINE) return c->strict;
  if (f->error) return f->error != ENOENT || !c->ignore_missing;
  return memcmp(b->expected[f - b->files], f->md5, MD5_BYTES) != 0;
}

bool check_failure(void *env, const struct batch *b) {
  for (uint32_t i = 0; i < b->count; i++)
    if (is_failure(env, b, &b->files[i])) return judge(env, b, &b->files[i]);
  return false;
}

static void warn_of(struct check *c, uint64_t n, const char *one, const char *many) {
  if (n > 0) report_say(c->report, "WARNING: %llu %s", (unsigned long long)n, n == 1 ? one : many);
}

bool check_end(struct check *c) {
  if (c->error || c->read_error) {
    say_about_list(c, c->error ? strerror(c->error) : "read error");
    return false;
  }
  if (c->good_lines == 0) {
    say_about_list(c, "no properly formatted checksum lines found");
    return false;
  }
  if (!c->status_only) {
    warn_of(c, c->bad_lines, "line is improperly formatted", "lines are improperly formatted");
    warn_of(c, c->unreadable, "listed file could not be read", "listed files could not be read");
    warn_of(c, c->mismatched, "computed checksum did NOT match", "computed checksums did NOT match");
    if (c->ignore_missing && c->matched == 0) say_about_list(c, "no file was verified");
  }
  return c->unreadable == 0 && c->mismatched == 0 && (!c->strict || c->bad_lines == 0) && (!c->ignore_missing || c->matched > 0);
}
