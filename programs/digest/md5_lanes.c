/* md5_lanes.c - see md5_lanes.h. Padding, and the choice of a kernel. */
#include "md5_lanes.h"
#include <stdatomic.h>
#include <string.h>

typedef void kernel(uint32_t *const state[4], const uint8_t *const *data, size_t blocks);
kernel md5_kernel_1, md5_kernel_4, md5_kernel_8, md5_kernel_16;

struct choice {
  kernel *run;
  int few; /* so few lanes are faster one by one */
  const char *set;
};
static const struct choice choices[] = {
#ifdef MD5_X86
  {md5_kernel_16, 1, "AVX-512"}, {md5_kernel_8, 2, "AVX2"},
#endif
  {md5_kernel_4, 3, "128 bit"},
};

static const struct choice *choose(void) {
  static _Atomic(const struct choice *) chosen; /* whoever comes first looks; all find the same */
  const struct choice *c = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (c) return c;
  c = choices;
#ifdef MD5_X86
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512f")) c++;
  if (!__builtin_cpu_supports("avx2")) c = &choices[2];
#endif
  atomic_store_explicit(&chosen, c, memory_order_relaxed);
  return c;
}

const char *md5_lanes_set(void) { return choose()->set; }

void md5_lanes_start(struct md5_lanes *s, int lane) {
  static const uint32_t initial[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (int i = 0; i < 4; i++) s->word[i][lane] = initial[i];
}

void md5_lanes_run(struct md5_lanes *s, const uint8_t *const data[MD5_LANES], size_t blocks) {
  const struct choice *c = choose();
  const uint8_t *all[MD5_LANES], *any = NULL;
  int n = 0;
  for (int i = 0; i < MD5_LANES; i++)
    if (data[i]) any = data[i], n++;
  if (n > c->few) {
    for (int i = 0; i < MD5_LANES; i++) all[i] = data[i] ? data[i] : any;
    c->run((uint32_t *const[4]){s->word[0], s->word[1], s->word[2], s->word[3]}, all, blocks);
    return;
  }
  for (int i = 0; i < MD5_LANES; i++)
    if (data[i]) md5_kernel_1((uint32_t *const[4]){&s->word[0][i], &s->word[1][i], &s->word[2][i], &s->word[3][i]}, &data[i], blocks);
}

size_t md5_lanes_pad(uint8_t tail[2 * MD5_BLOCK], uint64_t length) {
  size_t used = length % MD5_BLOCK, blocks = used < MD5_BLOCK - sizeof(uint64_t) ? 1 : 2;
  uint64_t bits = length * 8;
  tail[used] = 0x80;
  memset(tail + used + 1, 0, blocks * MD5_BLOCK - used - 1);
  memcpy(tail + blocks * MD5_BLOCK - sizeof bits, &bits, sizeof bits);
  return blocks;
}

void md5_lanes_digest(const struct md5_lanes *s, int lane, uint8_t digest[16]) {
  for (int i = 0; i < 4; i++) memcpy(digest + 4 * i, &s->word[i][lane], 4);
}
