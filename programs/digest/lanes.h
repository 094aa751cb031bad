/* lanes.h - digests the files of batches side by side, sixteen at a time, in one goroutine.
 *
 * Each lane has a file open and a piece of it in memory; a round runs all lanes as far as the shortest piece goes, then the lanes that are
 * through read on, or take the next file. Batches are finished in any order. */
#pragma once
#include "hasher.h"
#include "input.h"
#include "md5_lanes.h"

enum { LANE_ROOM = 32 * 1024 };

struct lane {
  struct batch *batch; /* NULL: the lane is free */
  struct file *file;
  struct input in;
  bool open, ended; /* ended: all of it, with its padding, is in memory */
  uint64_t length;
  size_t at, blocks; /* where the blocks that are ready start in the buffer, and how many there are */
  size_t rest;       /* bytes behind them that do not make up a block */
};

struct lanes {
  struct counters *counters;
  int (*give)(void *env, struct batch *b); /* owns the batch from then on; anything but LEAT_OK ends the work */
  void *env;

  struct batch *next; /* its files from next_file on wait for a lane */
  uint32_t next_file;
  struct lane *alone; /* what it has open is no regular file: it waits until all others are free */
  bool short_of_descriptors;
  int busy;
  struct lane lane[MD5_LANES];
  struct md5_lanes state;
  uint8_t *buffer; /* a room for each lane */
  struct hasher hasher; /* for what is no regular file */
  uint64_t files, bytes; /* done, but not in the counters yet */
};

/* give takes each batch that is done. LEAT_OK or LEAT_NOMEM. */
int lanes_start(struct lanes *l, struct counters *counters, int (*give)(void *env, struct batch *b), void *env);
void lanes_end(struct lanes *l); /* also frees the batches that are not done */
static inline bool lanes_hungry(const struct lanes *l) { return !l->next && l->busy < MD5_LANES; }
static inline bool lanes_idle(const struct lanes *l) { return !l->next && l->busy == 0; }
void lanes_take(struct lanes *l, struct batch *b); /* owns it; when hungry */
/* LEAT_OK, what give answered, or the status of the scope when that ended first. */
int lanes_round(struct lanes *l);
