/* go_random.h - the numbers of Go's math/rand with the seed 1, which is what the Book's programs draw from. Not for two goroutines at once. */
#pragma once
#include <stdint.h>

int64_t go_int(void);       /* rand.Int(): 0 to 2^63 - 1 */
int32_t go_intn(int32_t n); /* rand.Intn(n): 0 to n - 1 */
void go_restart(void);      /* from the first number again */
