/* sums.c - see sums.h. Nothing is printed before everything is known: who interrupts the program, or has it stop at an error, gets no part
 * of a result that could be taken for the whole. */
#include "sums.h"
#include <stdlib.h>
#include <string.h>

struct line {
  const char *path;
  const uint8_t *md5;
};

void sums_take(void *env, struct batch *b) {
  struct sums *s = env;
  for (uint32_t i = 0; i < b->count; i++) s->errors += report_file(s->report, b, &b->files[i]);
  if (s->count == s->room) {
    size_t room = s->room * 2 + 256;
    struct batch **batches = realloc(s->batches, room * sizeof *batches);
    if (!batches) {
      s->out_of_memory = true;
      batch_free(b);
      return;
    }
    s->batches = batches;
    s->room = room;
  }
  s->batches[s->count++] = b;
}

bool sums_failure(void *env, const struct batch *b) {
  struct sums *s = env;
  for (uint32_t i = 0; i < b->count; i++)
    if (report_file(s->report, b, &b->files[i])) {
      s->errors++;
      return true;
    }
  return false;
}

static int by_path(const void *a, const void *b) { return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path); }

bool sums_print(struct sums *s, struct out *out, const struct style *style) {
  size_t count = 0, n = 0;
  bool sorted = true;
  for (size_t i = 0; i < s->count; i++) count += s->batches[i]->count;
  struct line *lines = malloc((count + 1) * sizeof *lines);
  if (!lines || s->out_of_memory) {
    free(lines);
    return false;
  }
  for (size_t i = 0; i < s->count; i++) {
    const struct batch *b = s->batches[i];
    for (const struct file *f = b->files; f < b->files + b->count; f++) {
      if (f->error || f->kind > FILE_NAMED) continue;
      lines[n] = (struct line){batch_path(b, f), f->md5};
      if (n > 0 && by_path(&lines[n - 1], &lines[n]) > 0) sorted = false;
      n++;
    }
  }
  if (!sorted) qsort(lines, n, sizeof *lines, by_path); /* several operands, not given in order */
  for (size_t i = 0; i < n; i++) out_sum(out, style, lines[i].path, lines[i].md5);
  free(lines);
  return true;
}

void sums_end(struct sums *s) {
  for (size_t i = 0; i < s->count; i++) batch_free(s->batches[i]);
  free(s->batches);
}
