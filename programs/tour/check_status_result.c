/* An error goes the way that the result would go, to who can decide (the Book, "Error Handling", second program). */
#include "http.h"
#include "tour.h"

LEAT_EFFECT(check_status, const char *, leat_result(response), url) { return http_get(url); }

int check_status_result(void) {
  leat_scope(s);
  leat_rx(const char *) urls = leat_values(s, const char *, "https://www.google.com", "https://badhost");
  leat_range(leat_result(response), r, leat_map(s, urls, check_status)) {
    if (r.error) printf("error: %s\n", leat_error_message(r.error));
    else printf("Response: %s\n", r.value.status);
    leat_error_release(r.error);
  }
  return leat_wait(s);
}
