/* walk.h - the source for digesting: every regular file below the operands, in the order of their paths. */
#pragma once
#include "batch.h"

enum follow { FOLLOW_NEVER, FOLLOW_OPERANDS, FOLLOW_ALL };

struct exclude {
  char *glob;
  bool whole_path;       /* held against the path below the operand, else against the name */
  bool only_directories;
};
bool exclude_parse(struct exclude *x, const char *pattern); /* false: out of memory */

struct walk {
  char **operands;
  int count;
  enum follow follow;
  bool hidden; /* include names that start with a dot */
  struct exclude *excludes;
  int exclude_count;
};

/* A source for the pipeline; env is a const struct walk. */
int walk_source(void *env, struct batcher *out);
