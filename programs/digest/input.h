/* input.h - opening and reading, without tying up the program.
 *
 * Everything here answers errno values as negative numbers instead of through errno, whose address a goroutine that has changed threads
 * may not trust. Regular files are read by plain calls. All else (pipes, terminals, devices) goes through leat_io_read, which parks the
 * goroutine, so that an interrupt ends the wait. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The descriptor, or -errno. Also opens paths longer than the kernel takes in one call. When the process is out of descriptors and
 * the caller is patient (it must hold none itself), it waits for other goroutines to close theirs, if they hold any between two reads.
 * Never blocks on a FIFO without a writer. */
int input_open_path(const char *path, int flags, bool patient);

struct input {
  int fd;
  bool regular;
  bool wait_for_writer; /* of a FIFO: until one has come, a read without blocking finds an end of file */
  bool held;          /* counted among the descriptors held across a yield */
  int restore_flags;  /* of a standard input that was made non-blocking; -1: nothing to restore */
  int64_t size;       /* -1 unless regular */
};

/* 0 or -errno. "-" is standard input for input_open_named. */
int input_open(struct input *in, const char *path, bool follow, int64_t size, bool patient);
int input_open_named(struct input *in, const char *path, bool patient);
/* Between two reads of something large: lets others run. LEAT_OK, or the status of the scope that has ended. */
int input_pause(struct input *in);
/* Bytes read, 0 at the end, -errno, or -ECANCELED if the goroutine's scope ended. */
ssize_t input_read(struct input *in, void *buffer, size_t size);
void input_close(struct input *in);
