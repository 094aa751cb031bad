/* Sets of addresses, each with a number, for what looks at the heap: their memory is not of it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addresses {
  uintptr_t *keys; /* 0: none */
  size_t *values, n, room;
};

/* The number of this key, which is put there if need be: then it is fresh, and its number 0. Valid until the next key. Out of memory: not fresh, and
 * the number is nobody's. */
size_t *leat_i_addresses_find(struct addresses *s, uintptr_t key, bool *fresh);
size_t *leat_i_addresses_get(struct addresses *s, uintptr_t key); /* NULL if it is not there */
bool leat_i_addresses_add(struct addresses *s, uintptr_t key);    /* whether it is fresh */
void leat_i_addresses_free(struct addresses *s);
