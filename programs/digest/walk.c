/* walk.c - see walk.h.
 *
 * Order. Sorting each directory as if its subdirectories' names ended in "/" and going down in that order visits files in the byte order
 * of their whole paths, because "/" is just what stands there in the paths. So nothing is left to sort at the end but several operands.
 *
 * Cost. One stat a file, relative to the open directory; it gives the sizes, by which batches are filled evenly and the remaining time is
 * known. A directory is closed before any below it is opened: neither depth nor breadth uses up descriptors, and the only recursion is in
 * an array on the heap. */
#include "walk.h"
#include "input.h"
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRENTS_ROOM = 64 * 1024 };

struct entry {
  uint64_t head; /* the first bytes of its name, the highest first: settles most comparisons */
  int64_t size;
  uint32_t name; /* in the level's names */
  uint32_t length : 16, directory : 1, linked : 1, error : 14;
};

/* A directory on the way down. Its arrays are used again by the next directory at that depth. */
struct level {
  struct entry *entries;
  char *names;
  size_t count, room, next;
  size_t names_used, names_room;
  size_t prefix; /* how much of the path names this directory, "/" included */
  dev_t device;
  ino_t inode;
};

struct walker {
  const struct walk *walk;
  struct batcher *out;
  char *path;
  size_t path_room;
  size_t operand_prefix; /* where the part of the path below the operand starts */
  struct level *levels;
  size_t depth, levels_room;
  char *dirents;
};

/* Not inlined, so that no address of errno outlives a switch to another thread. */
static __attribute__((noinline)) int sys_stat(int dir, const char *name, struct stat *st, bool follow) {
  return fstatat(dir, name, st, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}
static __attribute__((noinline)) ssize_t sys_getdents(int dir, char *buffer) {
  ssize_t n = getdents64(dir, buffer, DIRENTS_ROOM);
  return n < 0 ? -errno : n;
}

static bool reserve(void *array, size_t *room, size_t wanted, size_t item) {
  if (wanted <= *room) return true;
  size_t more = *room * 2 > wanted ? *room * 2 : wanted + 16;
  void *p = realloc(*(void **)array, more * item);
  if (!p) return false;
  *(void **)array = p;
  *room = more;
  return true;
}

/* Sets the path to its first prefix bytes and name. */
static bool set_path(struct walker *w, size_t prefix, const char *name, size_t length) {
  if (!reserve(&w->path, &w->path_room, prefix + length + 2, 1)) return false;
  memcpy(w->path + prefix, name, length);
  w->path[prefix + length] = '\0';
  return true;
}

/* Is this to be left out? path: below the operand, without "/" at its end. */
static bool excluded(const struct walk *walk, const char *name, const char *path, bool directory) {
  for (int i = 0; i < walk->exclude_count; i++) {
    const struct exclude *x = &walk->excludes[i];
    if (x->only_directories && !directory) continue;
    if (fnmatch(x->glob, x->whole_path ? path : name, x->whole_path ? FNM_PATHNAME : 0) == 0) return true;
  }
  return false;
}

bool exclude_parse(struct exclude *x, const char *pattern) {
  size_t length = strlen(pattern);
  *x = (struct exclude){.only_directories = length > 1 && pattern[length - 1] == '/'};
  if (x->only_directories) length--;
  x->whole_path = memchr(pattern, '/', length);
  if (pattern[0] == '/') { /* says that it starts at the operand, as every pattern with a slash does */
    pattern++;
    length--;
  }
  x->glob = strndup(pattern, length);
  return x->glob;
}

static uint64_t head_of(const char *name, size_t length) {
  uint64_t head = 0;
  memcpy(&head, name, length < sizeof head ? length : sizeof head);
  return be64toh(head);
}

/* Takes one name of an open directory into its level, unless it is of no interest. */
static int take_entry(struct walker *w, struct level *l, int dir, const char *name, unsigned char type) {
  const struct walk *walk = w->walk;
  size_t length = strlen(name);
  struct stat st;
  struct entry e = {.length = length & 0xffff};
  if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]) || !walk->hidden)) return LEAT_OK;
  bool look_through = walk->follow == FOLLOW_ALL && (type == DT_LNK || type == DT_UNKNOWN);
  if (type == DT_DIR) e.directory = 1;
  else if (type == DT_REG || type == DT_UNKNOWN || look_through) {
    int error = sys_stat(dir, name, &st, look_through);
    if (error) {
      /* A link that leads nowhere is not a regular file; a file that has gone since the directory was read need not be mentioned. */
      if (error == ENOENT || (look_through && (error == ELOOP || error == ENOTDIR))) return LEAT_OK;
      e.error = (unsigned)error & 0x3fff;
    } else if (S_ISDIR(st.st_mode)) e.directory = 1;
    else if (!S_ISREG(st.st_mode)) return LEAT_OK;
    else e.size = st.st_size;
    e.linked = look_through;
  } else return LEAT_OK;

  if (walk->exclude_count > 0) {
    if (!set_path(w, l->prefix, name, length)) return LEAT_NOMEM;
    if (excluded(walk, name, w->path + w->operand_prefix, e.directory)) return LEAT_OK;
  }
  if (!reserve(&l->names, &l->names_room, l->names_used + length + 2, 1) || !reserve(&l->entries, &l->room, l->count + 1, sizeof e)) return LEAT_NOMEM;
  e.name = (uint32_t)l->names_used;
  char *own = l->names + l->names_used;
  memcpy(own, name, length);
  if (e.directory) own[length++] = '/';
  own[length] = '\0';
  e.length = length & 0xffff;
  e.head = head_of(own, length);
  l->names_used += length + 1;
  l->entries[l->count++] = e;
  return LEAT_OK;
}

static int in_order(const void *a, const void *b, void *names) {
  const struct entry *x = a, *y = b;
  if (x->head != y->head) return x->head < y->head ? -1 : 1;
  return strcmp((char *)names + x->name, (char *)names + y->name);
}

static int add(struct walker *w, enum file_kind kind, int64_t size, int error) {
  return batcher_add(w->out, w->path, strlen(w->path), kind, size, error, NULL);
}

/* Reads all of an open directory into a level, in order. *error: errno value of what went wrong with the directory itself. */
static int read_level(struct walker *w, struct level *l, int dir, int *error) {
  for (;;) {
    ssize_t n = sys_getdents(dir, w->dirents);
    if (n < 0) *error = (int)-n;
    if (n <= 0) break;
    for (char *p = w->dirents; p < w->dirents + n; p += ((struct dirent64 *)p)->d_reclen) {
      struct dirent64 *d = (struct dirent64 *)p;
      int status = take_entry(w, l, dir, d->d_name, d->d_type);
      if (status) return status;
    }
  }
  if (l->count > 0) qsort_r(l->entries, l->count, sizeof *l->entries, in_order, l->names);
  return LEAT_OK;
}

/* Goes down into the directory that the path names: the path ends in "/" or is empty. */
static int enter(struct walker *w, bool follow) {
  size_t prefix = strlen(w->path), before = w->levels_room;
  if (!reserve(&w->levels, &w->levels_room, w->depth + 1, sizeof *w->levels)) return LEAT_NOMEM;
  memset(w->levels + before, 0, (w->levels_room - before) * sizeof *w->levels);
  struct level *l = &w->levels[w->depth];
  l->count = l->next = l->names_used = 0;
  l->prefix = prefix;

  /* A "/" at the end would have the kernel follow a link that has taken the directory's place. Messages name directories without it. */
  bool slash = prefix > 1;
  if (slash) w->path[prefix - 1] = '\0';
  int dir = input_open_path(prefix ? w->path : ".", O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW), true), error = dir < 0 ? -dir : 0, status = LEAT_OK;
  if (error) return prefix ? add(w, FILE_FAILED, 0, error) : batcher_add(w->out, ".", 1, FILE_FAILED, 0, error, NULL);
  if (w->walk->follow == FOLLOW_ALL) {
    struct stat st;
    if (fstat(dir, &st) == 0) {
      l->device = st.st_dev;
      l->inode = st.st_ino;
      for (size_t i = 0; i < w->depth; i++)
        if (w->levels[i].device == st.st_dev && w->levels[i].inode == st.st_ino) {
          close(dir);
          return add(w, FILE_LOOP, 0, 0);
        }
    }
  }
  if (slash) w->path[prefix - 1] = '/';
  status = read_level(w, l, dir, &error);
  close(dir);
  if (status) return status;
  w->depth++;
  if (!error) return LEAT_OK;
  if (slash) w->path[prefix - 1] = '\0';
  status = prefix ? add(w, FILE_FAILED, 0, error) : batcher_add(w->out, ".", 1, FILE_FAILED, 0, error, NULL);
  if (slash) w->path[prefix - 1] = '/';
  return status;
}

/* Walks what enter() has begun. */
static int descend(struct walker *w) {
  int status = LEAT_OK;
  while (w->depth > 0 && !status) {
    struct level *l = &w->levels[w->depth - 1];
    if (l->next == l->count) {
      w->depth--;
      continue;
    }
    const struct entry *e = &l->entries[l->next++];
    if (!set_path(w, l->prefix, l->names + e->name, e->length)) return LEAT_NOMEM;
    if (e->directory) {
      bool follow = e->linked;
      status = batcher_feed(w->out);
      if (!status) status = leat_checkpoint();
      if (!status) status = enter(w, follow);
    } else if (e->error) status = add(w, FILE_FAILED, 0, e->error);
    else status = add(w, e->linked ? FILE_LINKED : FILE_WALKED, e->size, 0);
  }
  return status;
}

/* Is it the current directory, spelled ".", "./", "././" and so on? Then paths are printed without it. */
static bool is_here(const char *operand) {
  if (*operand != '.') return false;
  for (const char *p = operand; *p; p++)
    if (*p == '.' ? p > operand && p[-1] != '/' : *p != '/') return false;
  return true;
}

static int walk_operand(struct walker *w, const char *operand) {
  size_t length = strlen(operand);
  struct stat st;
  if (!set_path(w, 0, operand, length)) return LEAT_NOMEM;
  if (strcmp(operand, "-") == 0) return add(w, FILE_NAMED, -1, 0);
  int error = sys_stat(AT_FDCWD, operand, &st, true);
  if (error) return add(w, FILE_FAILED, 0, error);
  if (!S_ISDIR(st.st_mode)) return add(w, FILE_NAMED, S_ISREG(st.st_mode) ? st.st_size : -1, 0);

  if (w->walk->follow == FOLLOW_NEVER && sys_stat(AT_FDCWD, operand, &st, false) == 0 && S_ISLNK(st.st_mode)) return add(w, FILE_LINK, 0, 0);
  while (length > 1 && operand[length - 1] == '/') length--;
  if (is_here(operand)) length = 0;
  else if (operand[length - 1] != '/') w->path[length++] = '/';
  w->path[length] = '\0';
  w->operand_prefix = length;
  int status = enter(w, true);
  return status ? status : descend(w);
}

int walk_source(void *env, struct batcher *out) {
  struct walker w = {.walk = env, .out = out, .dirents = malloc(DIRENTS_ROOM)};
  int status = w.dirents ? LEAT_OK : LEAT_NOMEM;
  for (int i = 0; i < w.walk->count && !status; i++) status = walk_operand(&w, w.walk->operands[i]);
  for (size_t i = 0; i < w.levels_room; i++) {
    free(w.levels[i].entries);
    free(w.levels[i].names);
  }
  free(w.levels);
  free(w.dirents);
  free(w.path);
  return status;
}
