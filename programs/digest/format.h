/* format.h - how things look: checksum lines, names in messages, byte counts, and the buffer before standard output. */
#pragma once
#include "batch.h"

/* write(2) of all of it, waiting where the descriptor does not block: standard output and error may be one open file with a standard input
 * that leat has made non-blocking. 0 or the errno value. */
int write_all(int fd, const char *bytes, size_t n);

/* Standard output. Collects whole lines and writes them out together; the first error is kept, and what follows it is thrown away. */
struct out {
  char *buffer;
  size_t used;
  int error; /* errno value */
  bool each_line; /* on a terminal: do not hold lines back */
};
bool out_start(struct out *o);
int out_end(struct out *o); /* writes the rest; 0 or the errno value of the first error */

struct style {
  bool tag;    /* MD5 (name) = digest */
  bool zero;   /* lines end in NUL, and names are not escaped */
  bool binary; /* '*' before the name */
};
void out_sum(struct out *o, const struct style *style, const char *path, const uint8_t *md5);

/* "path: verdict", escaped as md5sum --check does it: only if there is a newline in the path. */
void out_verdict(struct out *o, const char *path, const char *verdict);

/* A name as GNU programs quote it in their messages: 'a b' or 'new'$'\n''line', and bare where no shell would mind. Free it. */
char *quote(const char *name);

/* 999 bytes, 1.0 kB, 12.3 MB, ... in text, which is returned. */
const char *format_bytes(char text[32], uint64_t bytes);
