/* See go_random.h. An additive lagged Fibonacci generator (Mitchell and Reeds): each number is the sum of the ones 607 and 273 before it,
 * modulo 2^64. The first 607 come from the seed, by a Lehmer generator, exclusive-ored with what the same generator holds 7.8e12 steps after
 * it was seeded with 1. Go has these 607 numbers in a table.
 *
 * Here they are computed. The sequence obeys x^607 = x^334 + 1, x being a step; so x^n modulo that polynomial says of which of the first 607
 * numbers the one n steps later is the sum. 43 squarings get to 7.8e12, in milliseconds. */
#include "go_random.h"
#include <stdbool.h>
#include <string.h>

enum { LENGTH = 607, SHORT = 273 };
static const uint64_t steps = 7800000000000;

static uint64_t ring[LENGTH]; /* the last 607 numbers */
static int feed;              /* where the oldest is; the next one takes its place, the place below is the next to go */
static bool seeded;

static uint64_t lehmer(uint32_t *x) { return *x = (uint32_t)(*x * UINT64_C(48271) % 2147483647); }

static void fill(uint64_t *numbers, int shift) {
  uint32_t x = 1;
  for (int i = 0; i < 20; i++) lehmer(&x);
  for (int i = 0; i < LENGTH; i++) {
    uint64_t high = lehmer(&x), middle = lehmer(&x);
    numbers[i] = high << 2 * shift ^ middle << shift ^ lehmer(&x);
  }
}

/* The number n of the sequence has its place here. */
static int place(uint64_t n) { return (int)((2 * LENGTH - SHORT - 1 - n % LENGTH) % LENGTH); }

/* a = a * b modulo x^607 - x^334 - 1 */
static void multiply(uint64_t *a, const uint64_t *b) {
  uint64_t product[2 * LENGTH] = {0};
  for (int i = 0; i < LENGTH; i++)
    for (int k = 0; k < LENGTH; k++) product[i + k] += a[i] * b[k];
  for (int i = 2 * LENGTH - 1; i >= LENGTH; i--) {
    product[i - LENGTH] += product[i];
    product[i - SHORT] += product[i];
  }
  memcpy(a, product, LENGTH * sizeof *a);
}

static void seed(void) {
  uint64_t numbers[2 * LENGTH], power[LENGTH] = {1}, square[LENGTH];
  fill(ring, 10);
  for (int n = 0; n < LENGTH; n++) numbers[n] = ring[place((uint64_t)n)];
  for (int n = LENGTH; n < 2 * LENGTH; n++) numbers[n] = numbers[n - LENGTH] + numbers[n - SHORT];
  for (int bit = 42; bit >= 0; bit--) {
    memcpy(square, power, sizeof square);
    multiply(power, square);
    if (steps >> bit & 1) multiply(power, (uint64_t[LENGTH]){0, 1});
  }
  uint64_t first[LENGTH];
  fill(first, 20);
  for (int n = 0; n < LENGTH; n++) {
    uint64_t later = 0;
    for (int i = 0; i < LENGTH; i++) later += power[i] * numbers[n + i];
    int at = place(steps + (uint64_t)n);
    ring[at] = first[at] ^ later;
  }
  feed = place(0);
  seeded = true;
}

int64_t go_int(void) {
  if (!seeded) seed();
  uint64_t number = ring[feed] += ring[(feed + SHORT) % LENGTH];
  feed = feed ? feed - 1 : LENGTH - 1;
  return (int64_t)(number & INT64_MAX);
}

int32_t go_intn(int32_t n) {
  int32_t number, most = INT32_MAX - (int32_t)((UINT32_C(1) << 31) % (uint32_t)n); /* so that none is more frequent than the others */
  do number = (int32_t)(go_int() >> 32);
  while (number > most);
  return number % n;
}

void go_restart(void) { seeded = false; }
