/* md5_lanes.h - MD5 (RFC 1321) of sixteen messages at once.
 *
 * MD5 is one long chain of dependent additions, so that a single message leaves most of a core idle; messages beside each other in vector
 * registers do not wait for one another. Own code, since no packaged library offers it; tests compare it with OpenSSL's. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { MD5_LANES = 16, MD5_BLOCK = 64 };

/* The chaining values, word by word, so that each row is a vector. */
struct md5_lanes {
  _Alignas(64) uint32_t word[4][MD5_LANES];
};

void md5_lanes_start(struct md5_lanes *s, int lane);
/* The same number of whole blocks for each lane whose data is not NULL; the other lanes' values are lost. */
void md5_lanes_run(struct md5_lanes *s, const uint8_t *const data[MD5_LANES], size_t blocks);
/* Writes the padding that follows a message of so many bytes, the last of which (length % MD5_BLOCK) lie at tail; answers how many blocks
 * are at tail then: 1 or 2. */
size_t md5_lanes_pad(uint8_t tail[2 * MD5_BLOCK], uint64_t length);
void md5_lanes_digest(const struct md5_lanes *s, int lane, uint8_t digest[16]);

/* Which instruction set md5_lanes_run has chosen. */
const char *md5_lanes_set(void);
