/* Where errors come from: stacks, through the starts of goroutines, and hashes of them. */
#define _GNU_SOURCE
#include "error.h"

#include <pthread.h>
#include <unistd.h>

static __attribute__((noinline)) leat_error *fails_here(int n) {
  return leat_error_new(LEAT_FAILED, "%d", n);
}
static __attribute__((noinline)) leat_error *fails_there(int n) {
  return leat_error_new(LEAT_FAILED, "%d", n);
}

LEAT_FN(grandchild, leat_tx(leat_error *), out) {
  leat_error *e = fails_here(1);
  if (leat_send(out, e)) leat_error_release(e);
}
LEAT_FN(child, leat_tx(leat_error *), out) {
  leat_scope(s);
  leat_go(s, grandchild, out);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(the_stack_goes_on_through_the_starts_of_goroutines) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 1);
  leat_go(s, child, leat_tx_of(c));
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  char *log = text_of(e, leat_error_log_stack); /* its goroutine has ended */
  char *own = strstr(log, "at fails_here (error_stack.c:"), *grand = strstr(log, " (grandchild), started at "), *parent = strstr(log, "by goroutine"), *main_one = strstr(log, " (main)");
  if (!grand || !parent || !main_one) fprintf(stderr, "%s", log);
  if (names_are_known()) CHECK(own && own < grand && strstr(own, "at grandchild (error_stack.c:") > own);
  CHECK(grand && grand < parent && parent < main_one);
  CHECK(strstr(parent, " (child), started at ") && strstr(parent, " (child), started at ") < main_one);
  CHECK(strstr(leat_error_message(e), "goroutine") == NULL); /* none of it is in the message */
  free(log);
  CHECK(leat_error_goroutine(e) != 0 && leat_error_goroutine(e) != leat_goroutine_id());
  e = leat_error_wrap(e, "m", "wrapped elsewhere");
  CHECK_LOG(e, " (grandchild), started at ", "by goroutine");
  leat_error_release(e);
}

static void *sends_from_a_thread(void *argument) {
  leat_chan(leat_error *) *out = argument;
  leat_error *e = fails_here(2);
  CHECK_EQ(leat_send(*out, e), LEAT_OK);
  return NULL;
}
TEST_GO(errors_of_plain_threads) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, sends_from_a_thread, &c) == 0);
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  pthread_join(thread, NULL);
  CHECK_LOG(e, "in a thread that is not leat's");
  leat_error_release(e);
}
static void *starts_a_goroutine(void *argument) {
  leat_scope(s);
  leat_chan(leat_error *) *out = argument;
  leat_go(s, grandchild, leat_tx_of(*out));
  CHECK_EQ(leat_wait(s), LEAT_OK);
  return NULL;
}
TEST_GO(a_goroutine_that_a_plain_thread_has_started) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 1);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, starts_a_goroutine, &c) == 0);
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  pthread_join(thread, NULL);
  CHECK_LOG(e, "(grandchild)", "by a thread that is not leat's");
  leat_error_release(e);
}

TEST(the_hash_groups_what_happened_at_one_place) {
  if (!names_are_known()) TEST_SKIP("the stack cannot be unwound");
  uint64_t hashes[3];
  volatile int three = 3; /* so that there is one call and not three */
  for (int i = 0; i < three; i++) {
    leat_error *e = fails_here(i);
    hashes[i] = leat_error_hash(e);
    e = leat_error_wrap(e, "m", "outer");
    CHECK(leat_error_hash(e) == hashes[i]);
    leat_error_release(e);
  }
  CHECK(hashes[0] == hashes[1] && hashes[1] == hashes[2]);
  leat_error *e = fails_there(0), *f = fails_here(0);
  CHECK(leat_error_hash(e) != hashes[0]);
  CHECK(leat_error_hash(f) != hashes[0]); /* called from another line */
  leat_error_release(e);
  leat_error_release(f);
}

TEST(a_hash_to_be_printed) {
  leat_error *e = fails_here(0);
  fprintf(stderr, "hash of %p: %016llx\n", (void *)(uintptr_t)&fails_here, (unsigned long long)leat_error_hash(e));
  leat_error_release(e);
}
static void hash_of_a_run(char *address, char *hash) {
  FILE *run = popen("exec \"$TEST_SELF\" --run a_hash_to_be_printed 2>&1", "r");
  CHECK(run && fscanf(run, "hash of %31[^:]: %31s", address, hash) == 2);
  pclose(run);
}
TEST(the_hash_is_the_same_in_every_run) {
  if (test_under_qemu() || test_under_valgrind() || test_under_tsan()) TEST_SKIP("runs itself, at addresses that differ");
  char self[4096] = {0}, addresses[2][32], hashes[2][32];
  CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  setenv("TEST_SELF", self, 1);
  hash_of_a_run(addresses[0], hashes[0]);
  hash_of_a_run(addresses[1], hashes[1]);
  CHECK_STR(hashes[0], hashes[1]);
}

/* With the stacks of the starts. */
LEAT_FN(last_of_three, leat_tx(leat_error *), out) { CHECK_EQ(leat_send(out, fails_here(3)), LEAT_OK); }
static __attribute__((noinline)) void starts_the_last(leat_view s, leat_tx(leat_error *) out) { leat_go(s, last_of_three, out); }
LEAT_FN(second_of_three, leat_tx(leat_error *), out) {
  leat_scope(s);
  starts_the_last(s, out);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static __attribute__((noinline)) void starts_the_second(leat_view s, leat_tx(leat_error *) out) { leat_go(s, second_of_three, out); }
static void check_start_stacks(bool kept) {
  leat_scope(s);
  leat_chan(leat_error *) c = leat_chan_make(s, leat_error *, 1);
  starts_the_second(s, leat_tx_of(c));
  leat_error *e = NULL;
  CHECK_EQ(leat_recv(c, &e), LEAT_OK);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  char *log = text_of(e, leat_error_log_stack);
  char *inner = strstr(log, "at starts_the_last (error_stack.c:"), *middle = strstr(log, "(second_of_three), started at "), *outer = strstr(log, "at starts_the_second (error_stack.c:");
  if (kept != (inner && middle && outer && inner < middle && middle < outer)) fprintf(stderr, "%s", log);
  CHECK_EQ(inner != NULL, kept);
  CHECK_EQ(outer != NULL, kept);
  if (kept) CHECK(inner < middle && middle < outer);
  free(log);
  check_json(e, "\"started_by\":[{");
  leat_error_release(e);
}
LEAT_FN_ERR(starts_the_next, int, left) { return left ? leat_go(NULL, starts_the_next, left - 1) : LEAT_OK; }
TEST(the_stacks_of_the_starts_are_kept_on_request) {
  leat_options options = {.start_stacks = 1};
  bool known = names_are_known();
  if (!known) TEST_SKIP("no libbacktrace");
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  check_start_stacks(false);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  CHECK_EQ(leat_runtime_start(&options), LEAT_OK);
  check_start_stacks(true);
  {
    leat_scope(s);
    leat_go(s, starts_the_next, (int)test_scale(1000)); /* a chain in which none outlives the next */
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  setenv("LEAT_START_STACKS", "1", 1);
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  check_start_stacks(true);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}

TEST(stacks_can_be_switched_off) {
  leat_error_set_frames(0);
  leat_error *e = fails_here(1);
  char *log = text_of(e, leat_error_log_stack);
  CHECK(strstr(log, "fails_here") == NULL && strstr(log, "    at") == NULL);
  free(log);
  CHECK(leat_error_hash(e) != 0);
  CHECK_LOG(e, "made at ", "error_stack.c:");
  leat_error_release(e);
  leat_error_set_frames(1000);
  e = fails_here(1);
  leat_error_release(e);
}
