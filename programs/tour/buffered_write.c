/* Batches save time where each operation has its price, whatever its size (the Book, "Queuing"): a byte at a time to a file, and through a
 * buffer. */
#include "tour.h"

enum { N = 500000 };

static int write_bytes(int fd) {
  leat_scope(s);
  leat_range(char, byte, leat_take(s, leat_repeat(s, char, 0), N)) {
    int status = leat_io_write_all(fd, &byte, 1, LEAT_NEVER, NULL);
    if (status) return status;
  }
  return leat_wait(s);
}

static int write_buffered(int fd) {
  leat_scope(s);
  leat_writer(char) file = leat_writer_to_fd(s, fd, ((leat_writer_options){.delay = LEAT_NEVER}));
  leat_range(char, byte, leat_take(s, leat_repeat(s, char, 0), N)) {
    int status = leat_write(file, byte);
    if (status) return status;
  }
  return leat_writer_close(file);
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
  return status ? status : measure("BufferedWrite", write_buffered);
}
