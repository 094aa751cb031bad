/* lanes.c - see lanes.h.
 *
 * Reading is as in hasher.c: a small file costs open, read, close, and sizes are only hints. Running out of descriptors must not make a
 * goroutine wait for itself: while lanes of its own are open, a file that cannot be opened for that reason stays at the head of its batch
 * until one of them is through. A pipe or a terminal may keep us waiting for ever, so that it is read when no lane waits behind it. */
#include "lanes.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = LANE_ROOM + 2 * MD5_BLOCK, COUNT_EVERY = 1 << 20 };

int lanes_start(struct lanes *l, struct counters *counters, int (*give)(void *env, struct batch *b), void *env) {
  *l = (struct lanes){.counters = counters, .give = give, .env = env};
  if (!hasher_start(&l->hasher, counters, HASHER_ROOM)) return LEAT_NOMEM;
  l->buffer = aligned_alloc(64, (size_t)MD5_LANES * BUFFER);
  if (l->buffer) return LEAT_OK;
  hasher_end(&l->hasher);
  return LEAT_NOMEM;
}

static void count(struct lanes *l) {
  atomic_fetch_add_explicit(&l->counters->done_files, l->files, memory_order_relaxed);
  atomic_fetch_add_explicit(&l->counters->done_bytes, l->bytes, memory_order_relaxed);
  l->files = l->bytes = 0;
}

void lanes_end(struct lanes *l) {
  count(l);
  for (int i = 0; i < MD5_LANES; i++) {
    struct lane *lane = &l->lane[i];
    if (lane->open) input_close(&lane->in);
    /* The last lane of a batch frees it; the one whose files still wait has one reference more. */
    if (lane->batch && atomic_fetch_sub(&lane->batch->unfinished, 1) == 1) batch_free(lane->batch);
  }
  if (l->next && atomic_fetch_sub(&l->next->unfinished, 1) == 1) batch_free(l->next);
  hasher_end(&l->hasher);
  free(l->buffer);
}

/* One reference less: a file is done, or all files have found a lane. */
static int let_go(struct lanes *l, struct batch *b) {
  if (atomic_fetch_sub(&b->unfinished, 1) > 1) return LEAT_OK;
  count(l);
  return l->give(l->env, b);
}

void lanes_take(struct lanes *l, struct batch *b) {
  atomic_store(&b->unfinished, 1);
  l->next = b;
  l->next_file = 0;
}

static uint8_t *buffer_of(struct lanes *l, const struct lane *lane) { return l->buffer + (size_t)(lane - l->lane) * BUFFER; }

static int finish(struct lanes *l, struct lane *lane) {
  struct batch *b = lane->batch;
  if (lane->open) input_close(&lane->in);
  lane->open = false;
  lane->batch = NULL;
  l->busy--;
  return let_go(l, b);
}

/* Reads until there is a block, or the end. */
static int read_on(struct lanes *l, struct lane *lane) {
  uint8_t *buffer = buffer_of(l, lane);
  size_t have = lane->rest;
  memmove(buffer, buffer + lane->at, have);
  while (!lane->ended && have < MD5_BLOCK) {
    size_t room = LANE_ROOM - have;
    ssize_t n = input_read(&lane->in, buffer + have, room);
    if (n < 0) {
      lane->file->error = (uint16_t)-n;
      return finish(l, lane);
    }
    have += (size_t)n;
    lane->length += (uint64_t)n;
    l->bytes += (uint64_t)n;
    lane->ended = n == 0 || ((size_t)n < room && lane->length == (uint64_t)lane->in.size);
    if (lane->length == (uint64_t)n && lane->in.size > LANE_ROOM) posix_fadvise(lane->in.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  lane->at = 0;
  lane->blocks = have / MD5_BLOCK;
  lane->rest = have % MD5_BLOCK;
  if (!lane->ended) return input_pause(&lane->in);
  lane->blocks += md5_lanes_pad(buffer + lane->blocks * MD5_BLOCK, lane->length);
  input_close(&lane->in);
  lane->open = false;
  return LEAT_OK;
}

/* Opens the next file in the lane. A file that cannot be opened is done. */
static int open_next(struct lanes *l, struct lane *lane) {
  struct batch *b = l->next;
  struct file *f = &b->files[l->next_file];
  const char *path = batch_path(b, f);
  struct input in;
  if (f->kind > FILE_NAMED) {
    l->next_file++;
    return LEAT_OK;
  }
  int error = f->kind == FILE_NAMED ? input_open_named(&in, path, l->busy == 0) : input_open(&in, path, f->kind == FILE_LINKED, f->size, l->busy == 0);
  if (l->busy > 0 && (error == -EMFILE || error == -ENFILE)) {
    l->short_of_descriptors = true;
    return LEAT_OK;
  }
  l->next_file++;
  if (error) {
    f->error = (uint16_t)-error;
    return LEAT_OK;
  }
  atomic_fetch_add(&b->unfinished, 1);
  l->busy++;
  *lane = (struct lane){.batch = b, .file = f, .in = in, .open = true};
  md5_lanes_start(&l->state, (int)(lane - l->lane));
  if (in.regular) return read_on(l, lane);
  l->alone = lane;
  return LEAT_OK;
}

static int fill(struct lanes *l, struct lane *lane) {
  int status = LEAT_OK;
  while (l->next && !lane->batch && !l->alone && !l->short_of_descriptors && !status) {
    if (l->next_file < l->next->count) {
      status = open_next(l, lane);
    } else {
      struct batch *b = l->next;
      l->next = NULL;
      status = let_go(l, b);
    }
  }
  return status;
}

/* With all other lanes free: to its end. */
static int digest_alone(struct lanes *l) {
  struct lane *lane = l->alone;
  int status = hasher_input(&l->hasher, &lane->in, lane->file);
  if (status) return status;
  l->alone = NULL;
  return finish(l, lane);
}

/* A lane that has run out of blocks: reads on, or is done. */
static int go_on(struct lanes *l, struct lane *lane) {
  if (!lane->ended) return read_on(l, lane);
  md5_lanes_digest(&l->state, (int)(lane - l->lane), lane->file->md5);
  l->files++;
  return finish(l, lane);
}

int lanes_round(struct lanes *l) {
  const uint8_t *data[MD5_LANES] = {NULL};
  size_t blocks = SIZE_MAX;
  int status = leat_checkpoint();
  l->short_of_descriptors = false;
  for (int i = 0; i < MD5_LANES && !status; i++) {
    struct lane *lane = &l->lane[i];
    while (!status && lane->batch && lane != l->alone && lane->blocks == 0) status = go_on(l, lane);
    if (!status && !lane->batch) status = fill(l, lane);
    if (!lane->batch || lane == l->alone) continue;
    data[i] = buffer_of(l, lane) + lane->at;
    if (lane->blocks < blocks) blocks = lane->blocks;
  }
  if (status) return status;
  if (l->alone && l->busy == 1) return digest_alone(l);
  if (blocks == SIZE_MAX) return LEAT_OK;
  md5_lanes_run(&l->state, data, blocks);
  if (l->bytes >= COUNT_EVERY) count(l);
  for (int i = 0; i < MD5_LANES; i++) {
    if (!data[i]) continue;
    l->lane[i].at += blocks * MD5_BLOCK;
    l->lane[i].blocks -= blocks;
  }
  return LEAT_OK;
}
