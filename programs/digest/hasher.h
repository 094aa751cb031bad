/* hasher.h - the digest of a file: one hasher a goroutine, which keeps an OpenSSL context and a read buffer for file after file. */
#pragma once
#include "batch.h"
#include "input.h"

enum { HASHER_ROOM = 128 * 1024 };

struct hasher {
  struct evp_md_ctx_st *context;
  unsigned char *buffer;
  size_t room;
  struct counters *counters;
  uint64_t files, bytes; /* digested, but not in the counters yet */
};

/* Once, before the first hasher, on the main goroutine (looking an algorithm up takes more stack than a goroutine should spend). NULL, or
 * why MD5 cannot be had. */
const char *hasher_global_start(void);
void hasher_global_end(void);

/* room: bytes to read at a time. false: out of memory. */
bool hasher_start(struct hasher *h, struct counters *counters, size_t room);
void hasher_end(struct hasher *h);

/* Reads one file (all files) of a batch and fills in digest or error. LEAT_OK, or the status of the caller's scope when that ended first. */
int hasher_file(struct hasher *h, struct batch *b, struct file *f);
int hasher_batch(struct hasher *h, struct batch *b);
/* The same for what is left of an open file. */
int hasher_input(struct hasher *h, struct input *in, struct file *f);
