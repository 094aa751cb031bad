/* sums.h - the sink for digesting: keeps all digests until the end, then prints them sorted by path. */
#pragma once
#include "format.h"
#include "report.h"

struct sums {
  struct report *report;
  struct batch **batches;
  size_t count, room;
  size_t errors;
  bool out_of_memory;
};

void sums_take(void *env, struct batch *b);
bool sums_failure(void *env, const struct batch *b);
bool sums_print(struct sums *s, struct out *out, const struct style *style); /* false: out of memory */
void sums_end(struct sums *s);
