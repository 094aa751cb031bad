/* format.c - see format.h. Every form here was compared with the output of coreutils 9.1. */
#include "format.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

enum { OUT_ROOM = 64 * 1024 };

bool out_start(struct out *o) {
  *o = (struct out){.buffer = malloc(OUT_ROOM), .each_line = isatty(STDOUT_FILENO)};
  return o->buffer;
}

int write_all(int fd, const char *bytes, size_t n) {
  while (n > 0) {
    ssize_t written = write(fd, bytes, n);
    if (written >= 0) {
      bytes += written;
      n -= (size_t)written;
    } else if (errno == EAGAIN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    else if (errno != EINTR) return errno;
  }
  return 0;
}

static void out_write(struct out *o) {
  if (!o->error) o->error = write_all(STDOUT_FILENO, o->buffer, o->used);
  o->used = 0;
}

int out_end(struct out *o) {
  out_write(o);
  free(o->buffer);
  return o->error;
}

static void out_bytes(struct out *o, const char *bytes, size_t n) {
  while (n > 0) {
    if (o->used == OUT_ROOM) out_write(o);
    size_t part = n < OUT_ROOM - o->used ? n : OUT_ROOM - o->used;
    memcpy(o->buffer + o->used, bytes, part);
    o->used += part;
    bytes += part;
    n -= part;
  }
}

static void out_text(struct out *o, const char *text) { out_bytes(o, text, strlen(text)); }

static void out_line_end(struct out *o, char end) {
  out_bytes(o, &end, 1);
  /* What is in the buffer now are whole lines; it is emptied while there is room for another of ordinary length, so that a process that
   * is killed has as a rule written whole lines. */
  if (o->each_line || o->used > OUT_ROOM - 8192) out_write(o);
}

static void out_escaped(struct out *o, const char *path) {
  for (;;) {
    size_t plain = strcspn(path, "\\\n\r");
    out_bytes(o, path, plain);
    path += plain;
    if (!*path) return;
    out_bytes(o, *path == '\n' ? "\\n" : *path == '\r' ? "\\r" : "\\\\", 2);
    path++;
  }
}

void out_sum(struct out *o, const struct style *style, const char *path, const uint8_t *md5) {
  static const char digits[] = "0123456789abcdef";
  char hex[2 * MD5_BYTES];
  for (int i = 0; i < MD5_BYTES; i++) {
    hex[2 * i] = digits[md5[i] >> 4];
    hex[2 * i + 1] = digits[md5[i] & 15];
  }
  bool escape = !style->zero && path[strcspn(path, "\\\n\r")];
  if (escape) out_bytes(o, "\\", 1);
  if (style->tag) out_text(o, "MD5 (");
  else {
    out_bytes(o, hex, sizeof hex);
    out_bytes(o, style->binary ? " *" : "  ", 2);
  }
  if (escape) out_escaped(o, path);
  else out_text(o, path);
  if (style->tag) {
    out_text(o, ") = ");
    out_bytes(o, hex, sizeof hex);
  }
  out_line_end(o, style->zero ? '\0' : '\n');
}

void out_verdict(struct out *o, const char *path, const char *verdict) {
  if (strchr(path, '\n')) {
    out_bytes(o, "\\", 1);
    out_escaped(o, path);
  } else out_text(o, path);
  out_text(o, ": ");
  out_text(o, verdict);
  out_line_end(o, '\n');
}

/* What a name holds, as far as quoting goes. */
struct name_class {
  bool bare;       /* no shell would mind it */
  bool in_doubles; /* has an apostrophe, and nothing that means something between double quotes */
};

/* The length of the character at s, and whether it can be shown. A byte that is no character counts as one that cannot. */
static size_t character(const char *s, size_t left, bool *printable) {
  wchar_t wide;
  mbstate_t state = {0};
  size_t n = mbrtowc(&wide, s, left, &state);
  bool valid = n > 0 && n <= left;
  *printable = valid && iswprint((wint_t)wide);
  return valid ? n : 1;
}

static struct name_class classify(const char *name, size_t length) {
  bool special = length == 0, unprintable = false, apostrophe = false, not_in_doubles = false, printable;
  if ((*name == '{' || *name == '}') && length == 1) special = true;
  if (*name == '#' || *name == '~') special = true;
  for (size_t i = 0; i < length; i += character(name + i, length - i, &printable)) {
    if (name[i] == '\'') apostrophe = true;
    if (strchr(" !\"$&'()*:;<=>?[\\^`|", name[i])) special = true;
    if (strchr("!\"$&()*;<=>?[\\^`{|}", name[i]) || (i > 0 && (name[i] == '#' || name[i] == '~'))) not_in_doubles = true;
    character(name + i, length - i, &printable);
    if (!printable) unprintable = true;
  }
  return (struct name_class){.bare = !special && !unprintable, .in_doubles = apostrophe && !unprintable && !not_in_doubles};
}

char *quote(const char *name) {
  size_t length = strlen(name);
  struct name_class class = classify(name, length);
  char *text = malloc(length * 8 + 8), *p = text; /* the longest: '$'\ooo' for one byte, and its end */
  if (!text) return NULL;
  if (class.bare) return strcpy(text, name);
  if (class.in_doubles) {
    sprintf(text, "\"%s\"", name);
    return text;
  }
  bool dollar = false; /* inside $'...' rather than '...' */
  *p++ = '\'';
  for (size_t i = 0; i < length;) {
    bool printable;
    size_t n = character(name + i, length - i, &printable);
    if (!printable) {
      if (!dollar) p = stpcpy(p, "'$'");
      dollar = true;
      for (size_t k = 0; k < n; k++) {
        static const char controls[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
        const char *control = memchr(controls, name[i + k], sizeof controls - 1);
        p += control ? sprintf(p, "\\%c", letters[control - controls]) : sprintf(p, "\\%03o", (unsigned char)name[i + k]);
      }
    } else if (name[i] == '\'') {
      p = stpcpy(p, "'\\''");
      dollar = false;
    } else {
      if (dollar) p = stpcpy(p, "''");
      dollar = false;
      p = mempcpy(p, name + i, n);
    }
    i += n;
  }
  strcpy(p, "'");
  return text;
}

const char *format_bytes(char text[32], uint64_t bytes) {
  static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = (double)bytes / 1000;
  size_t unit = 0;
  if (bytes < 1000) {
    snprintf(text, 32, "%d bytes", (int)bytes);
    return text;
  }
  for (; value >= 999.95 && unit < 5; unit++) value /= 1000;
  snprintf(text, 32, "%.1f %s", value, units[unit]);
  return text;
}
