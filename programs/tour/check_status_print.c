/* A goroutine that can do no better with an error than print it (the Book, "Error Handling", first program). */
#include "http.h"
#include "tour.h"

LEAT_STAGE(check_status, const char *, response, urls, responses) {
  const char *url;
  int status;
  while ((status = leat_recv(urls, &url)) == LEAT_OK) {
    leat_result(response) r = http_get(url);
    if (r.error) {
      printf("%s\n", leat_error_message(r.error)); /* and hopes that somebody looks */
      leat_error_release(r.error);
    } else if ((status = leat_send(responses, r.value))) {
      break;
    }
  }
  return status;
}

int check_status_print(void) {
  leat_scope(s);
  leat_rx(const char *) urls = leat_values(s, const char *, "https://www.google.com", "https://badhost");
  leat_range(response, r, leat_stage(s, urls, check_status)) printf("Response: %s\n", r.status);
  return leat_wait(s);
}
