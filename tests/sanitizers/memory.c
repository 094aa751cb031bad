/* Programs with a memory error. */
#include "programs.h"

static volatile int sink;

LEAT_FN(use_after_free, int, n) {
  int *p = malloc(sizeof *p * 4);
  p[0] = n;
  leat_yield();
  free(p);
  sink = p[0];
}
BROKEN(memory_after_free, "use_after_free", "heap-use-after-free", "Invalid read") {
  leat_scope(s);
  leat_go(s, use_after_free, 1);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(write_past_array, int, n) {
  char array[16];
  memset(array, 0, sizeof array);
  leat_yield();
  ((volatile char *)array)[n] = 1;
  sink = array[0];
}
BROKEN(a_local_array_overflows, "write_past_array", "stack-buffer-overflow|insufficient space", NULL) {
  leat_scope(s);
  leat_go(s, write_past_array, 16);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(write_past_block, int, n) {
  char *block = malloc(16);
  leat_defer(free, block);
  leat_yield();
  block[n] = 1;
}
BROKEN(a_heap_block_overflows, "write_past_block", "heap-buffer-overflow|insufficient space", "Invalid write") {
  leat_scope(s);
  leat_go(s, write_past_block, 16);
  MUST(leat_wait(s) == LEAT_OK);
}

static int *local_of_another;
LEAT_FN(lend_a_local, int, value) {
  volatile int local = value;
  local_of_another = (int *)&local;
  leat_yield();
}
static void use_ended_stack(void) { sink = *local_of_another; }
BROKEN(the_stack_of_a_goroutine_that_ended, "use_ended_stack", "use-after-poison|SEGV on unknown address", "Invalid read") {
  leat_scope(s);
  leat_go(s, lend_a_local, 7);
  MUST(leat_wait(s) == LEAT_OK);
  use_ended_stack();
}

LEAT_FN(lose_memory, int, n) {
  char *volatile p = malloc(1000 + (size_t)n);
  p[0] = 1;
  leat_yield();
  p = NULL;
}
BROKEN(memory_is_lost, "lose_memory", "LeakSanitizer: detected memory leaks", "definitely lost") {
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, lose_memory, i);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(keep_memory, leat_rx(int), never) {
  char *volatile p = malloc(1000);
  int v;
  leat_recv(never, &v);
  p[0] = 1; /* and the goroutine returns without a free */
}
BROKEN(memory_of_a_cancelled_goroutine_is_lost, "keep_memory", "LeakSanitizer: detected memory leaks", "definitely lost") {
  leat_scope(s);
  for (int i = 0; i < 10; i++) leat_go(s, keep_memory, leat_rx_of(leat_chan_make(s, int, 0)));
  leat_yield();
}

static leat_chan(int) outlived;
static void make_and_leave(void) {
  leat_scope(s);
  outlived = leat_chan_make(s, int, 1);
}
static void use_outlived(void) { sink = leat_send(outlived, 1); }
BROKEN(a_channel_after_its_scope, "use_outlived", "heap-use-after-free", "Invalid read") {
  make_and_leave();
  use_outlived();
}

LEAT_FN(branch_on_garbage, int, n) {
  int *p = malloc(sizeof *p * 8);
  leat_defer(free, p);
  leat_yield();
  if (p[n] == 12345) sink = 1;
}
BROKEN(a_branch_on_garbage, "branch_on_garbage", NULL, "uninitialised value") {
  leat_scope(s);
  leat_go(s, branch_on_garbage, 3);
  MUST(leat_wait(s) == LEAT_OK);
}

/* The stack had another goroutine before: what that one left there is no value. */
LEAT_FN(leave_values, int, n) {
  volatile int values[64];
  for (int i = 0; i < 64; i++) values[i] = n;
  sink = values[n];
}
LEAT_FN(find_values, int, n) {
  volatile int values[64];
  if (values[n] == 3) sink = 1;
}
BROKEN(what_another_left_on_the_stack, "find_values", NULL, "uninitialised value") {
  leat_scope(s);
  leat_go(s, leave_values, 3);
  MUST(leat_wait(s) == LEAT_OK);
  leat_go(s, find_values, 3);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(shift_too_far, int, n) { sink = 1 << n; }
BROKEN(undefined_behaviour, "shift_too_far", "runtime error: shift exponent", NULL) {
  leat_scope(s);
  leat_go(s, shift_too_far, 40);
  MUST(leat_wait(s) == LEAT_OK);
}
