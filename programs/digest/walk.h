/* walk.h - the source for digesting: every regular file below the operands, in the order of their paths. */
#pragma once
#include "batch.h"

enum follow { FOLLOW_NEVER, FOLLOW_OPERANDS, FOLLOW_ALL };

struct walk {
  char **operands;
  int count;
  enum follow follow;
  bool hidden;           /* include names that start with a dot */
  const char **excludes; /* patterns, NULL at the end; may itself be NULL */
};

/* A source for the pipeline; env is a const struct walk. */
int walk_source(void *env, struct batcher *out);
