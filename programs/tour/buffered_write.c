/* Batches save time where each operation has its price, whatever its size (the Book, "Queuing"): a byte at a time to a file, and in batches. */
#include "tour.h"

LEAT_SLICE_DEFINE(char);
enum { N = 500000, BATCH = 4096 };

static int write_bytes(int fd) {
  leat_scope(s);
  leat_range(char, byte, leat_take(s, leat_repeat(s, char, 0), N)) {
    int status = leat_io_write_all(fd, &byte, 1, LEAT_NEVER, NULL);
    if (status) return status;
  }
  return leat_wait(s);
}

static int write_batches(int fd) {
  leat_scope(s);
  leat_range(leat_slice(char), bytes, leat_batch(s, leat_take(s, leat_repeat(s, char, 0), N), char, BATCH, LEAT_NEVER)) {
    int status = leat_io_write_all(fd, bytes.items, bytes.n, LEAT_NEVER, NULL);
    leat_slice_free(&bytes);
    if (status) return status;
  }
  return leat_wait(s);
}

static int measure(const char *name, int (*perform_write)(int fd)) {
  FILE *file = tmpfile();
  if (!file) return LEAT_FAILED;
  int64_t start = leat_now();
  int status = perform_write(fileno(file));
  printf("Benchmark%-16s %8d %10.1f ns/op\n", name, N, (double)(leat_now() - start) / N);
  fclose(file);
  return status;
}

int buffered_write(void) {
  int status = measure("UnbufferedWrite", write_bytes);
  return status ? status : measure("BufferedWrite", write_batches);
}
