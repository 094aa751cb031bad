/* See addresses.h. */
#define _GNU_SOURCE
#include "addresses.h"
#include <sys/mman.h>

/* Where the key is, or is to be. */
static size_t place_of(const struct addresses *s, uintptr_t key) {
  size_t at = (key * UINT64_C(0x9e3779b97f4a7c15) >> 20) % s->room;
  while (s->keys[at] && s->keys[at] != key) at = (at + 1) % s->room;
  return at;
}

static bool grow(struct addresses *s) {
  struct addresses larger = {.room = s->room ? s->room * 2 : 1024, .n = s->n};
  char *p = mmap(NULL, larger.room * (sizeof *s->keys + sizeof *s->values), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return false;
  larger.keys = (uintptr_t *)(void *)p;
  larger.values = (size_t *)(void *)(p + larger.room * sizeof *s->keys);
  for (size_t i = 0; i < s->room; i++) {
    if (!s->keys[i]) continue;
    size_t at = place_of(&larger, s->keys[i]);
    larger.keys[at] = s->keys[i];
    larger.values[at] = s->values[i];
  }
  leat_i_addresses_free(s);
  *s = larger;
  return true;
}

size_t *leat_i_addresses_find(struct addresses *s, uintptr_t key, bool *fresh) {
  static size_t none;
  if (s->n * 2 >= s->room && !grow(s)) return *fresh = false, &none;
  size_t at = place_of(s, key);
  *fresh = !s->keys[at];
  if (*fresh) {
    s->keys[at] = key;
    s->n++;
  }
  return &s->values[at];
}

size_t *leat_i_addresses_get(struct addresses *s, uintptr_t key) {
  if (!s->room || !key) return NULL;
  size_t at = place_of(s, key);
  return s->keys[at] ? &s->values[at] : NULL;
}

bool leat_i_addresses_add(struct addresses *s, uintptr_t key) {
  bool fresh;
  leat_i_addresses_find(s, key, &fresh);
  return fresh;
}

void leat_i_addresses_free(struct addresses *s) {
  if (s->keys) munmap(s->keys, s->room * (sizeof *s->keys + sizeof *s->values));
  *s = (struct addresses){0};
}
