/* hasher.c - see hasher.h.
 *
 * A small file costs four system calls in all: the walk's stat, then open, read, close. No second read looks for the end where the first
 * one has brought just as many bytes as the walk saw and fewer than were asked for. Sizes are only a hint: whatever they say (0 for all
 * of /proc), reading goes on until the end. */
#include "hasher.h"
#include "input.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { COUNT_EVERY = 1 << 20 };

static EVP_MD *algorithm;

const char *hasher_global_start(void) {
  algorithm = EVP_MD_fetch(NULL, "MD5", NULL);
  if (algorithm) return NULL;
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason ? reason : "unknown reason";
}
void hasher_global_end(void) { EVP_MD_free(algorithm); }

bool hasher_start(struct hasher *h, struct counters *counters, size_t room) {
  *h = (struct hasher){.counters = counters, .room = room, .context = EVP_MD_CTX_new(), .buffer = malloc(room)};
  if (h->context && h->buffer && EVP_DigestInit_ex2(h->context, algorithm, NULL)) return true;
  hasher_end(h);
  return false;
}

static void count(struct hasher *h) {
  atomic_fetch_add_explicit(&h->counters->done_files, h->files, memory_order_relaxed);
  atomic_fetch_add_explicit(&h->counters->done_bytes, h->bytes, memory_order_relaxed);
  h->files = h->bytes = 0;
}

void hasher_end(struct hasher *h) {
  count(h);
  EVP_MD_CTX_free(h->context);
  free(h->buffer);
}

int hasher_input(struct hasher *h, struct input *in, struct file *f) {
  uint64_t total = 0;
  if (!EVP_DigestInit_ex2(h->context, NULL, NULL)) return LEAT_NOMEM;
  for (;;) {
    ssize_t n = input_read(in, h->buffer, h->room);
    if (n == -ECANCELED) return LEAT_CANCELED;
    if (n < 0) {
      f->error = (uint16_t)-n;
      return LEAT_OK;
    }
    if (n == 0) break;
    EVP_DigestUpdate(h->context, h->buffer, (size_t)n);
    total += (uint64_t)n;
    h->bytes += (uint64_t)n;
    if ((size_t)n < h->room && in->regular && total == (uint64_t)in->size) break;
    if (h->bytes >= COUNT_EVERY) count(h);
    if (total == (uint64_t)n && in->regular && in->size > (int64_t)h->room) posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    int status = input_pause(in);
    if (status) return status;
  }
  EVP_DigestFinal_ex(h->context, f->md5, NULL);
  h->files++;
  return LEAT_OK;
}

int hasher_file(struct hasher *h, struct batch *b, struct file *f) {
  if (f->kind > FILE_NAMED) return LEAT_OK;
  struct input in;
  const char *path = batch_path(b, f);
  int error = f->kind == FILE_NAMED ? input_open_named(&in, path, true) : input_open(&in, path, f->kind == FILE_LINKED, f->size, true);
  if (error) {
    f->error = (uint16_t)-error;
    return LEAT_OK;
  }
  int status = hasher_input(h, &in, f);
  input_close(&in);
  return status;
}

int hasher_batch(struct hasher *h, struct batch *b) {
  int status = LEAT_OK;
  for (uint32_t i = 0; i < b->count && !status; i++) status = hasher_file(h, b, &b->files[i]);
  count(h);
  return status;
}
