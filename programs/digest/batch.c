/* batch.c - see batch.h.
 *
 * How large a batch is: few files at first, so that all digesters have work at once, then more; never much more than a mebibyte to read,
 * so that a directory of large files is shared out evenly and no digester sits on the last of them. */
#include "batch.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_LIMIT = 4, BATCH_BYTES = 1 << 20 };

void batch_free(struct batch *b) { free(b); }
void batch_drop(struct batch **b) { batch_free(*b); }

void batcher_end(struct batcher *b) {
  free(b->text);
  b->text = NULL;
}

int batcher_flush(struct batcher *b) {
  if (b->count == 0) return LEAT_OK;
  size_t files = b->count * sizeof b->files[0], expected = b->checking ? b->count * sizeof b->expected[0] : 0;
  struct batch *batch = malloc(sizeof *batch + files + expected + b->text_used);
  if (!batch) return LEAT_NOMEM;
  char *end = (char *)batch->files + files;
  *batch = (struct batch){.sequence = b->sequence++, .count = b->count, .text = end + expected};
  if (b->checking) {
    batch->expected = (uint8_t(*)[MD5_BYTES])end;
    memcpy(batch->expected, b->expected, expected);
  }
  memcpy(batch->files, b->files, files);
  memcpy(batch->text, b->text, b->text_used);
  atomic_fetch_add_explicit(&b->counters->found_files, b->count, memory_order_relaxed);
  atomic_fetch_add_explicit(&b->counters->found_bytes, (uint64_t)b->bytes, memory_order_relaxed);
  b->count = 0;
  b->bytes = 0;
  b->text_used = 0;
  if (b->limit < BATCH_FILES) b->limit *= 2;
  return b->give(b->env, batch);
}

int batcher_feed(struct batcher *b) { return b->count > 0 && b->hungry && b->hungry(b->env) ? batcher_flush(b) : LEAT_OK; }

static bool make_room(struct batcher *b, size_t length) {
  if (b->text_room - b->text_used >= length) return true;
  size_t room = b->text_room * 2 + length + 4096;
  char *text = realloc(b->text, room);
  if (!text) return false;
  b->text = text;
  b->text_room = room;
  return true;
}

int batcher_add(struct batcher *b, const char *path, size_t length, enum file_kind kind, int64_t size, int error, const uint8_t *expected) {
  if (!make_room(b, length + 1)) return LEAT_NOMEM;
  if (b->limit == 0) b->limit = FIRST_LIMIT;
  b->files[b->count] = (struct file){.size = size, .path = (uint32_t)b->text_used, .kind = (uint8_t)kind, .error = (uint16_t)error};
  memcpy(b->text + b->text_used, path, length);
  b->text[b->text_used + length] = '\0';
  b->text_used += length + 1;
  if (expected) {
    b->checking = true;
    memcpy(b->expected[b->count], expected, MD5_BYTES);
  }
  b->count++;
  if (size > 0 && kind <= FILE_NAMED) b->bytes += size;
  bool full = b->count >= b->limit || b->bytes >= BATCH_BYTES || (error && b->eager);
  return full ? batcher_flush(b) : LEAT_OK;
}
