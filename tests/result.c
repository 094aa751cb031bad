/* Results: values or errors in channels; those that nobody receives. The programs checkStatus are after Cox-Buday's "Concurrency in Go". */
#include "wait.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>

typedef struct response {
  char text[16];
} response;
LEAT_RESULT_DEFINE(int);
LEAT_RESULT_DEFINE(bool);
LEAT_RESULT_DEFINE(response);

TEST_GO(results_in_a_channel) {
  leat_scope(s);
  leat_chan(leat_result(int)) c = leat_chan_make(s, leat_result(int), 3);
  CHECK_EQ(leat_send(c, leat_ok(int, 7)), LEAT_OK);
  CHECK_EQ(leat_send(c, leat_err(int, leat_error_new(LEAT_FAILED, "no number"))), LEAT_OK);
  CHECK_EQ(leat_send(c, leat_err(int, leat_error_new(LEAT_FAILED, "nobody takes it"))), LEAT_OK);
  leat_result(int) r;
  CHECK_EQ(leat_recv(c, &r), LEAT_OK);
  CHECK(!r.error && r.value == 7);
  CHECK_EQ(leat_recv(c, &r), LEAT_OK);
  CHECK_STR(leat_error_message(r.error), "no number");
  CHECK_EQ(r.value, 0);
  leat_error_release(r.error);
  leat_chan(leat_result(bool)) d = leat_chan_make(s, leat_result(bool), 1);
  CHECK_EQ(leat_send(d, leat_ok(bool, true)), LEAT_OK);
  leat_result(bool) truth;
  CHECK_EQ(leat_recv(d, &truth), LEAT_OK);
  CHECK(truth.value);
}

/* Results that nobody receives give up their errors, whatever they come from, and whatever has them in its hands. */
LEAT_MAP(failed, int, leat_result(int), n) { return leat_err(int, leat_error_new(LEAT_FAILED, "%d", n)); }
LEAT_EFFECT(failed_visibly, int, leat_result(int), n) { return leat_err(int, leat_error_new(LEAT_FAILED, "%d", n)); }
LEAT_SOURCE(failure, leat_result(int)) { return leat_err(int, leat_error_new(LEAT_FAILED, "always")); }
LEAT_GENERATOR(failures, leat_result(int), item) { return *item = leat_err(int, leat_error_new(LEAT_FAILED, "always")), LEAT_OK; }
LEAT_ZIP(failed_pair, int, a, int, b, leat_result(int)) { return leat_err(int, leat_error_new(LEAT_FAILED, "%d and %d", a, b)); }
LEAT_MAP_RESULT(halved, int, int, n) { return leat_ok(int, n / 2); }
LEAT_FLAT_MAP(failed_twice, int, leat_result(int), n, out) {
  for (int i = 0; i < 2; i++) leat_emit(out, leat_err(int, leat_error_new(LEAT_FAILED, "%d", n)));
}
LEAT_STAGE(fails, int, leat_result(int), in, out) {
  int n, status;
  while (!(status = leat_recv(in, &n))) {
    leat_result(int) r = leat_err(int, leat_error_new(LEAT_FAILED, "%d", n));
    if ((status = leat_send(out, r))) {
      leat_error_release(r.error);
      break;
    }
  }
  return status;
}
LEAT_PIPELINE(fails_in_parallel, int, leat_result(int), s, in) { return leat_fan_out(s, in, 2, failed); }
static leat_rx(leat_result(int)) failing_stream(leat_view s, int kind) {
  leat_rx(int) in = leat_numbers(s, int, 0, 100);
  switch (kind) {
  case 0: return leat_map(s, in, failed);
  case 1: return leat_map(s, in, failed_visibly);
  case 2: return leat_repeat_fn(s, failure);
  case 3: return leat_generate(s, failures);
  case 4: return leat_zip(s, in, leat_values(s, int, 1, 2, 3, 4), failed_pair);
  case 5: return leat_flat_map(s, in, failed_twice);
  case 6: return leat_stage(s, in, fails);
  case 7: return leat_parallel_map(s, in, 2, 4, failed_visibly);
  case 8: return fails_in_parallel(s, in);
  default: return leat_through(s, in, leat_pipe_of(s, fails));
  }
}
LEAT_FILTER(none, leat_result(int), r) { return (void)r, false; }
static void leave_results(int kind, int read, int behind) {
  leat_scope(s);
  leat_rx(leat_result(int)) out = failing_stream(s, kind);
  if (behind == 1) out = leat_buffer(s, out, 3);
  if (behind == 2) out = leat_map_result(s, leat_buffer(s, out, 3), halved);
  if (behind == 3) out = leat_filter(s, leat_take(s, out, 5), none);
  if (behind == 4) out = leat_merge(s, leat_skip(s, out, 1), leat_last(s, leat_take(s, failing_stream(s, kind), 3)));
  leat_result(int) r;
  for (int i = 0; i < read && leat_recv(out, &r) == LEAT_OK; i++) leat_error_release(r.error);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(results_that_nobody_receives_release_their_errors) {
  size_t before = 0, errors = 0;
  for (int round = 0; round < 20; round++) {
    if (round == 10) before = mallinfo2().uordblks; /* caches are full; AddressSanitizer counts for itself */
    for (int kind = 0; kind < 10; kind++)
      for (int behind = 0; behind < 5; behind++)
        for (int read = 0; read < 3; read++) {
          leave_results(kind, read, behind);
          errors += round >= 10;
        }
    leat_scope(s);
    leat_chan(leat_result(int)) c = leat_chan_make(s, leat_result(int), 100);
    for (int i = 0; i < 100; i++) CHECK_EQ(leat_send(c, leat_err(int, leat_error_new(LEAT_FAILED, "%d", i))), LEAT_OK);
    errors += round >= 10 ? 100 : 0;
  }
  size_t after = mallinfo2().uordblks;
  if (after > before + errors * 16) fprintf(stderr, "%zu bytes for %zu errors\n", after - before, errors);
  CHECK(after <= before + errors * 16); /* one has some 300 */
}

/* The getter, without a network: known hosts answer, others fail as they would. */
static leat_result(response) get(const char *url) {
  if (strcmp(url, "https://www.google.com") == 0) return leat_ok(response, (response){"200 OK"});
  if (strncmp(url, "https://", 8) == 0) return leat_err(response, leat_error_new(LEAT_SYSTEM(EHOSTUNREACH), "Get %s: dial tcp: lookup %s: no such host", url, url + 8));
  return leat_err(response, leat_error_new(LEAT_INVALID, "Get %s: unsupported protocol scheme \"\"", url));
}

static char printed[1024];
static __attribute__((format(printf, 1, 2))) void print(const char *format, ...) {
  va_list args;
  va_start(args, format);
  size_t n = strlen(printed);
  vsnprintf(printed + n, sizeof printed - n, format, args);
  va_end(args);
}

typedef const char *url;

/* The naive one: the goroutine can only print and hope that somebody looks. */
LEAT_FN(check_status_naively, const url *, urls, leat_tx(response), out) {
  leat_defer_close(out);
  for (; *urls; urls++) {
    leat_result(response) r = get(*urls);
    if (r.error) {
      print("%s\n", leat_error_message(r.error));
      leat_error_release(r.error);
      continue;
    }
    if (leat_send(out, r.value)) return;
  }
}
TEST_GO(check_status_naive) {
  static const url urls[] = {"https://www.google.com", "https://badhost", NULL};
  leat_scope(s);
  leat_chan(response) responses = leat_chan_make(s, response, 0);
  leat_go(s, check_status_naively, urls, leat_tx_of(responses));
  leat_range(response, r, responses) print("Response: %s\n", r.text);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK(strstr(printed, "Response: 200 OK\n") && strstr(printed, "Get https://badhost: dial tcp: lookup badhost: no such host\n")); /* in either order */
}

LEAT_FN(check_status, const url *, urls, leat_tx(leat_result(response)), out) {
  leat_defer_close(out);
  for (; *urls; urls++) {
    leat_result(response) r = get(*urls);
    if (leat_send(out, r)) {
      leat_error_release(r.error);
      return;
    }
  }
}
static leat_rx(leat_result(response)) statuses(leat_view s, const url *urls) {
  leat_chan(leat_result(response)) c = leat_chan_make(s, leat_result(response), 0);
  leat_go(s, check_status, urls, leat_tx_of(c));
  return leat_rx_of(c);
}
TEST_GO(check_status_with_results) {
  static const url urls[] = {"https://www.google.com", "https://badhost", NULL};
  leat_scope(s);
  leat_range(leat_result(response), r, statuses(s, urls)) {
    if (r.error) {
      print("error: %s\n", leat_error_message(r.error));
      leat_error_release(r.error);
      continue;
    }
    print("Response: %s\n", r.value.text);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_STR(printed, "Response: 200 OK\nerror: Get https://badhost: dial tcp: lookup badhost: no such host\n");
}
TEST_GO(check_status_stops_after_three_errors) {
  static const url urls[] = {"a", "https://www.google.com", "b", "c", "d", NULL};
  int errors = 0;
  {
    leat_scope(s);
    leat_range(leat_result(response), r, statuses(s, urls)) {
      if (r.error) {
        print("error: %s\n", leat_error_message(r.error));
        leat_error_release(r.error);
        if (++errors >= 3) {
          print("Too many errors, breaking!\n");
          break;
        }
        continue;
      }
      print("Response: %s\n", r.value.text);
    }
  } /* ends the goroutine, which is about to send the fifth */
  CHECK_STR(printed, "error: Get a: unsupported protocol scheme \"\"\nResponse: 200 OK\nerror: Get b: unsupported protocol scheme \"\"\n"
                     "error: Get c: unsupported protocol scheme \"\"\nToo many errors, breaking!\n");
}
