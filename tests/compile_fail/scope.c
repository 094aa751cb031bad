/* Misuses of scopes: what only the owner of a scope may do, tried through a view. Each line `//BAD text | statement` must not compile,
 * and the compiler must say `text`; see tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

int scopes(leat_view view, int *pi);
int scopes(leat_view view, int *pi) {
  leat_scope(s);
  leat_keep_going(s);
  leat_set_timeout(s, LEAT_MS(*pi));
  leat_set_deadline(s, leat_now());
  leat_cancel_because(s, "no more %d", *pi);
  leat_cancel(s);
  //BAD leat_cancel: only the scope itself | leat_cancel(view);
  //BAD leat_cancel: only the scope itself | leat_cancel(leat_current_scope());
  //BAD leat_cancel: only the scope itself | leat_cancel((const struct leat_scope *)s);
  //BAD leat_cancel: only the scope itself | leat_cancel(NULL);
  //BAD leat_cancel: only the scope itself | leat_cancel(pi);
  //BAD leat_cancel_because: only the scope itself | leat_cancel_because(view, "no more");
  //BAD leat_wait: only the scope itself | return leat_wait(view);
  //BAD leat_set_timeout: only the scope itself | leat_set_timeout(view, 1);
  //BAD leat_set_deadline: only the scope itself | leat_set_deadline(view, 1);
  //BAD leat_keep_going: only the scope itself | leat_keep_going(view);
  //WARN leat_wait | leat_wait(s);
  return leat_wait(s) ? leat_scope_status(view) : leat_scope_status(s);
}
