/* input.c - see input.h. */
#include "input.h"
#include <errno.h>
#include <fcntl.h>
#include <leat/leat.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors that goroutines hold across a yield. While there are any, running out of descriptors passes. */
static atomic_int held;

/* Each of these reads errno right after the call and is not inlined, so that no address of errno outlives a switch. */
static __attribute__((noinline)) int sys_openat(int dir, const char *path, int flags) {
  int fd = openat(dir, path, flags | O_CLOEXEC | O_NOCTTY);
  return fd < 0 ? -errno : fd;
}
static __attribute__((noinline)) ssize_t sys_read(int fd, void *buffer, size_t size) {
  ssize_t n;
  do n = read(fd, buffer, size);
  while (n < 0 && errno == EINTR);
  if (n >= 0) return n;
  return errno == ECANCELED ? -EIO : -errno; /* ECANCELED means something else here */
}

/* Opens a path that is longer than PATH_MAX from directory to directory. */
static __attribute__((noinline)) int open_long(const char *path, int flags) {
  int dir = AT_FDCWD;
  size_t left = strlen(path);
  while (left >= PATH_MAX) {
    char part[PATH_MAX];
    const char *slash = memrchr(path, '/', PATH_MAX - 1);
    if (!slash) break; /* a single component that long: the kernel will say so */
    size_t length = (size_t)(slash - path) + 1;
    memcpy(part, path, length);
    part[length] = '\0';
    int next = sys_openat(dir, part, O_PATH | O_DIRECTORY);
    if (dir >= 0) close(dir);
    if (next < 0) return next;
    dir = next;
    path += length;
    left -= length;
  }
  int fd = sys_openat(dir, path, flags);
  if (dir >= 0) close(dir);
  return fd;
}

int input_open_path(const char *path, int flags, bool patient) {
  for (;;) {
    int fd = sys_openat(AT_FDCWD, path, flags);
    if (fd == -ENAMETOOLONG) fd = open_long(path, flags);
    if (fd != -EMFILE && fd != -ENFILE) return fd;
    if (!patient || atomic_load(&held) == 0 || leat_sleep(LEAT_MS(1))) return fd;
  }
}

int input_open(struct input *in, const char *path, bool follow, int64_t size, bool patient) {
  *in = (struct input){.regular = true, .restore_flags = -1, .size = size};
  /* O_NONBLOCK: if a FIFO has taken the file's place since it was seen, opening it must not wait for a writer. */
  in->fd = input_open_path(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW), patient);
  return in->fd < 0 ? in->fd : 0;
}

int input_open_named(struct input *in, const char *path, bool patient) {
  *in = (struct input){.restore_flags = -1, .size = -1};
  bool standard = strcmp(path, "-") == 0;
  in->fd = standard ? STDIN_FILENO : input_open_path(path, O_RDONLY | O_NONBLOCK, patient);
  if (in->fd < 0) return in->fd;
  struct stat st;
  if (fstat(in->fd, &st) != 0) st = (struct stat){.st_mode = S_IFREG, .st_size = -1}; /* reading will say what is wrong */
  in->regular = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
  if (S_ISREG(st.st_mode)) in->size = st.st_size;
  in->wait_for_writer = !standard && S_ISFIFO(st.st_mode);
  /* leat makes it non-blocking, but standard input is shared with other processes, which would not expect that for longer than needed. */
  if (standard && !in->regular) in->restore_flags = fcntl(in->fd, F_GETFL);
  return 0;
}

static int error_of(int status) {
  if (status == LEAT_CANCELED || status == LEAT_DEADLINE) return ECANCELED;
  int error = leat_errno_of(status);
  return error ? error : EIO;
}

ssize_t input_read(struct input *in, void *buffer, size_t size) {
  if (!in->regular) {
    int status = in->wait_for_writer ? leat_io_wait_read(in->fd, LEAT_NEVER) : LEAT_OK;
    in->wait_for_writer = false;
    ssize_t n = status ? status : leat_io_read(in->fd, buffer, size);
    return n < 0 ? -error_of((int)n) : n;
  }
  return sys_read(in->fd, buffer, size);
}

int input_pause(struct input *in) {
  if (!in->held) {
    in->held = true;
    atomic_fetch_add(&held, 1);
  }
  return leat_checkpoint();
}

void input_close(struct input *in) {
  if (in->restore_flags >= 0) fcntl(in->fd, F_SETFL, in->restore_flags);
  if (in->fd > STDERR_FILENO) {
    if (in->regular) close(in->fd);
    else leat_io_close(in->fd);
  }
  if (in->held) atomic_fetch_sub(&held, 1);
}
