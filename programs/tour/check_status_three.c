/* Who receives the errors can count them (the Book, "Error Handling", third program). The stages end when their output is not wanted any more. */
#include "http.h"
#include "tour.h"

LEAT_EFFECT(check_status, const char *, leat_result(response), url) { return http_get(url); }

int check_status_three(void) {
  leat_scope(s);
  int errors = 0;
  leat_rx(const char *) urls = leat_values(s, const char *, "a", "https://www.google.com", "b", "c", "d");
  leat_range(leat_result(response), r, leat_map(s, urls, check_status)) {
    if (!r.error) {
      printf("Response: %s\n", r.value.status);
      continue;
    }
    printf("error: %s\n", leat_error_message(r.error));
    leat_error_release(r.error);
    if (++errors >= 3) {
      printf("Too many errors, breaking!\n");
      break;
    }
  }
  return leat_wait(s);
}
