/* The vector kernels of programs/digest against OpenSSL's MD5. Each kernel that this machine can run is tested, not only the one that
 * digest would choose. */
#include "../programs/digest/md5_lanes.h"
#include "harness.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

typedef void kernel(uint32_t *const state[4], const uint8_t *const *data, size_t blocks);
kernel md5_kernel_4, md5_kernel_8, md5_kernel_16;

static uint64_t seed = 1;
static uint32_t next_random(void) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(seed >> 33);
}
static void fill(uint8_t *at, size_t n) {
  for (size_t i = 0; i < n; i++) at[i] = (uint8_t)next_random();
}

static void check_digest(const struct md5_lanes *s, int lane, const uint8_t *message, size_t length) {
  uint8_t got[16], want[16];
  md5_lanes_digest(s, lane, got);
  CHECK(EVP_Digest(message, length, want, NULL, EVP_md5(), NULL) == 1);
  CHECK(memcmp(got, want, sizeof want) == 0);
}

/* Messages of so many whole blocks in all lanes, by this kernel. */
static void check_kernel(kernel *k, size_t blocks) {
  enum { MOST = 40 };
  static uint8_t message[MD5_LANES][(MOST + 2) * MD5_BLOCK];
  const uint8_t *data[MD5_LANES];
  struct md5_lanes s;
  for (int i = 0; i < MD5_LANES; i++) {
    md5_lanes_start(&s, i);
    fill(message[i], blocks * MD5_BLOCK);
    md5_lanes_pad(message[i] + blocks * MD5_BLOCK, blocks * MD5_BLOCK);
    data[i] = message[i];
  }
  k((uint32_t *const[4]){s.word[0], s.word[1], s.word[2], s.word[3]}, data, blocks + 1);
  for (int i = 0; i < MD5_LANES; i++) check_digest(&s, i, message[i], blocks * MD5_BLOCK);
}

static void check_width(kernel *k) {
  for (size_t blocks = 0; blocks < 40; blocks++) check_kernel(k, blocks);
}
TEST(four_lanes) { check_width(md5_kernel_4); }
#ifdef MD5_X86
TEST(eight_lanes) {
  if (!__builtin_cpu_supports("avx2")) TEST_SKIP("no AVX2 here");
  check_width(md5_kernel_8);
}
TEST(sixteen_lanes) {
  if (!__builtin_cpu_supports("avx512f")) TEST_SKIP("no AVX-512 here");
  check_width(md5_kernel_16);
}
#endif

/* Every length around a block's end, alone in a lane. */
TEST(padding) {
  for (size_t length = 0; length < 300; length++) {
    uint8_t message[300 + 2 * MD5_BLOCK];
    struct md5_lanes s;
    int lane = (int)(length % MD5_LANES);
    fill(message, length);
    uint8_t copy[300];
    memcpy(copy, message, length);
    md5_lanes_start(&s, lane);
    size_t whole = length / MD5_BLOCK, blocks = whole + md5_lanes_pad(message + whole * MD5_BLOCK, length);
    const uint8_t *data[MD5_LANES] = {NULL};
    data[lane] = message;
    md5_lanes_run(&s, data, blocks);
    check_digest(&s, lane, copy, length);
  }
}

/* Any number of lanes in use, which go on from where they were, so that both ways of running them continue each other's values. */
TEST(lanes_come_and_go) {
  enum { LENGTH = 200 * MD5_BLOCK };
  static uint8_t message[MD5_LANES][LENGTH + 2 * MD5_BLOCK];
  struct md5_lanes s;
  size_t at[MD5_LANES] = {0};
  for (int i = 0; i < MD5_LANES; i++) {
    fill(message[i], LENGTH);
    md5_lanes_pad(message[i] + LENGTH, LENGTH);
    md5_lanes_start(&s, i);
  }
  for (int active = MD5_LANES; active > 0;) {
    const uint8_t *data[MD5_LANES] = {NULL};
    size_t blocks = 1 + next_random() % 3, left = LENGTH / MD5_BLOCK + 1;
    for (int i = 0; i < active; i++) {
      data[i] = message[i] + at[i] * MD5_BLOCK;
      if (left - at[i] < blocks) blocks = left - at[i];
    }
    md5_lanes_run(&s, data, blocks);
    for (int i = 0; i < active; i++) at[i] += blocks;
    bool retire = next_random() % 8 == 0 || at[0] == left;
    if (retire) { /* the last lane's message goes on alone */
      int last = --active;
      const uint8_t *alone[MD5_LANES] = {NULL};
      struct md5_lanes kept = s;
      alone[last] = message[last] + at[last] * MD5_BLOCK;
      if (left > at[last]) md5_lanes_run(&kept, alone, left - at[last]);
      check_digest(&kept, last, message[last], LENGTH);
      at[last] = left;
      for (int i = 0; i < active; i++) CHECK(at[i] <= left);
    }
  }
}
