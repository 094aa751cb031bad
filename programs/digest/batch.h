/* batch.h - what flows through the pipeline: batches of files, with room for their digests.
 *
 * One channel operation a file would cost more than a small file's digest, so files travel in batches. A batch is one piece of memory:
 * its header, its files, their paths one after the other, and (for --check) the digests that they should have. It has one owner at a
 * time: the source that fills it, the channel, the goroutine that digests it, the collector. Sequence numbers count from 0 without gaps,
 * in the order of the source; the collector puts batches back in that order. */
#pragma once
#include <leat/leat.h>
#include <stdatomic.h>

enum { MD5_BYTES = 16, BATCH_FILES = 64 };

enum file_kind {
  FILE_WALKED,   /* a regular file found below a directory: a link that takes its place later is not followed */
  FILE_LINKED,   /* the same, reached through a link that is to be followed */
  FILE_NAMED,    /* named by the user or in a list: read whatever it is; "-" is standard input */
  FILE_FAILED,   /* not to be read, .error says why */
  FILE_LINK,     /* an operand that is a link to a directory, not to be followed */
  FILE_LOOP,     /* a directory that a link leads back to */
  FILE_BAD_LINE, /* no file but line .size of a list, which is no checksum line */
};

struct file {
  int64_t size;   /* as the walk saw it, -1 if nobody looked */
  uint32_t path;  /* where its path starts in the batch's text */
  uint16_t error; /* errno value, 0 if the digest is there */
  uint8_t kind;
  uint8_t md5[MD5_BYTES];
};

struct batch {
  uint64_t sequence;
  uint32_t count;
  atomic_uint unfinished; /* files that goroutines of their own still work on (parallel mode) */
  uint8_t (*expected)[MD5_BYTES]; /* one a file, or NULL */
  char *text;
  struct file files[];
};

static inline const char *batch_path(const struct batch *b, const struct file *f) { return b->text + f->path; }
void batch_free(struct batch *b);
void batch_drop(struct batch **b); /* for leat_on_drop */

/* How far the work is: written by the source and the digesters, read by the progress line. */
struct counters {
  _Alignas(64) atomic_uint_fast64_t found_files, found_bytes;
  atomic_bool found_all;
  _Alignas(64) atomic_uint_fast64_t done_files, done_bytes;
};

/* Gathers files into batches and hands each full one to give(), which owns it from then on and answers a leat status; anything but
 * LEAT_OK ends the work, and every function here passes it on. */
struct batcher {
  int (*give)(void *env, struct batch *b);
  bool (*hungry)(void *env); /* is somebody waiting for work? NULL: no */
  void *env;
  struct counters *counters;
  bool eager; /* hand on an error at once */

  uint64_t sequence;
  uint32_t count, limit;
  int64_t bytes;
  bool checking;
  size_t text_used, text_room;
  char *text;
  struct file files[BATCH_FILES];
  uint8_t expected[BATCH_FILES][MD5_BYTES];
};

void batcher_end(struct batcher *b); /* frees what was not handed on */
/* Copies path. expected: NULL, or for all files of a batcher. */
int batcher_add(struct batcher *b, const char *path, size_t length, enum file_kind kind, int64_t size, int error, const uint8_t *expected);
int batcher_flush(struct batcher *b);
int batcher_feed(struct batcher *b); /* flushes if somebody waits */
