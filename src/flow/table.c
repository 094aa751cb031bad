/* See leat/table.h.
 *
 * Entries lie in an array in the order of addition; an index of twice as many places finds them by hash, with linear probing. A removed entry keeps
 * its place in both, with a mark, until the array is full: then all that are left are moved together, into a larger array if less than half
 * were removed. The hash is FNV-1a over 64 bits with a final mix; it is not meant to withstand an adversary. */
#include <leat/table.h>
#include <stdlib.h>
#include <string.h>

enum { REMOVED = 1 };
struct entry {
  uint64_t hash; /* its lowest bit says REMOVED */
  char data[];
};

static size_t aligned(size_t n) { return (n + 15) & ~(size_t)15; }
static size_t value_at(const struct leat_i_table *t) { return aligned(t->key_size); }
static size_t entry_size(const struct leat_i_table *t) { return 16 + value_at(t) + aligned(t->value_size); }
static struct entry *entry(const struct leat_i_table *t, size_t i) { return (struct entry *)(void *)(t->entries + i * entry_size(t)); }
static char *key_of(struct entry *e) { return (char *)e + 16; }
static void *value_of(const struct leat_i_table *t, struct entry *e) { return (char *)e + 16 + value_at(t); }

static uint64_t hash_of(const struct leat_i_table *t, const void *key) {
  const unsigned char *bytes = key;
  size_t n = t->key_size;
  if (t->text) {
    const char *text = *(const char *const *)key;
    bytes = (const unsigned char *)text;
    n = text ? strlen(text) : 0;
  }
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < n; i++) h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
  h ^= h >> 32;
  h *= UINT64_C(0xd6e8feb86659fd93);
  return (h ^ h >> 32) & ~(uint64_t)REMOVED;
}

static bool same(const struct leat_i_table *t, const void *a, const void *b) {
  if (!t->text) return memcmp(a, b, t->key_size) == 0;
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  return x == y || (x && y && strcmp(x, y) == 0);
}

static struct entry *find(const struct leat_i_table *t, const void *key, uint64_t hash) {
  if (!t->slots) return NULL;
  for (size_t at = hash >> 1 & (t->slots - 1); t->index[at]; at = (at + 1) & (t->slots - 1)) {
    struct entry *e = entry(t, t->index[at] - 1);
    if (e->hash == hash && same(t, key_of(e), key)) return e;
  }
  return NULL;
}

static void enter(struct leat_i_table *t, size_t i) {
  size_t at = entry(t, i)->hash >> 1 & (t->slots - 1);
  while (t->index[at]) at = (at + 1) & (t->slots - 1);
  t->index[at] = (uint32_t)i + 1;
}

static bool make_room(struct leat_i_table *t) {
  size_t room = t->n * 2 < t->room ? t->room : t->room ? 2 * t->room : 8, size = entry_size(t);
  if (room > UINT32_MAX / 2) return false;
  char *entries = malloc(room * size);
  uint32_t *index = calloc(2 * room, sizeof *index);
  if (!entries || !index) {
    free(entries);
    free(index);
    return false;
  }
  size_t kept = 0;
  for (size_t i = t->first; i < t->used; i++)
    if (!(entry(t, i)->hash & REMOVED)) memcpy(entries + kept++ * size, entry(t, i), size);
  free(t->entries);
  free(t->index);
  t->entries = entries;
  t->index = index;
  t->room = room;
  t->slots = 2 * room;
  t->first = 0;
  t->used = kept;
  for (size_t i = 0; i < kept; i++) enter(t, i);
  return true;
}

void *leat_i_table_get(const struct leat_i_table *t, const void *key) {
  struct entry *e = t->n ? find(t, key, hash_of(t, key)) : NULL;
  return e ? value_of(t, e) : NULL;
}

void *leat_i_table_put(struct leat_i_table *t, const void *key) {
  uint64_t hash = hash_of(t, key);
  struct entry *e = find(t, key, hash);
  if (e) return value_of(t, e);
  if (t->used == t->room && !make_room(t)) return NULL;
  char *text = t->text && *(const char *const *)key ? strdup(*(const char *const *)key) : NULL;
  if (t->text && *(const char *const *)key && !text) return NULL;
  e = memset(entry(t, t->used), 0, entry_size(t));
  e->hash = hash;
  memcpy(key_of(e), t->text ? (const void *)&text : key, t->key_size);
  enter(t, t->used++);
  t->n++;
  return value_of(t, e);
}

static void discard(struct leat_i_table *t, struct entry *e) {
  if (t->text) free(*(char **)(void *)key_of(e));
  e->hash |= REMOVED;
  t->n--;
}

bool leat_i_table_remove(struct leat_i_table *t, const void *key) {
  struct entry *e = find(t, key, hash_of(t, key));
  if (!e) return false;
  discard(t, e);
  return true;
}

bool leat_i_table_remove_first(struct leat_i_table *t) {
  while (t->first < t->used && entry(t, t->first)->hash & REMOVED) t->first++;
  if (t->first == t->used) return false;
  discard(t, entry(t, t->first++));
  return true;
}

size_t leat_i_table_len(const struct leat_i_table *t) { return t->n; }

bool leat_i_table_next(const struct leat_i_table *t, size_t *i, void **key, void **value) {
  size_t at = *i > t->first ? *i : t->first;
  while (at < t->used && entry(t, at)->hash & REMOVED) at++;
  if (at >= t->used) return false;
  *key = key_of(entry(t, at));
  *value = value_of(t, entry(t, at));
  *i = at + 1;
  return true;
}

void leat_i_table_free(struct leat_i_table *t) {
  while (t->text && leat_i_table_remove_first(t)) {}
  free(t->entries);
  free(t->index);
  *t = (struct leat_i_table){.key_size = t->key_size, .value_size = t->value_size, .text = t->text};
}
