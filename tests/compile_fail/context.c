/* Misuses of contexts: above all, what only the owner of a context may do, tried through a view. See tests/suites/compile_fail. */
#include <leat/leat.h>

LEAT_CONTEXT_KEY(user_id, int);
LEAT_CONTEXT_KEY(user_name, const char *);
static void drop_text(char **text) { *text = NULL; }
LEAT_CONTEXT_KEY_OWNED(owned_text, char *, drop_text);
LEAT_CONTEXT_KEY_DECLARE(elsewhere, double);
LEAT_CONTEXT_KEY_DEFINE(elsewhere, double);
void drop_number(int *number);
typedef int row[3];
//BAD user_row: the element type is an array | LEAT_CONTEXT_KEY(user_row, row);
//BAD user_void: void has no values | LEAT_CONTEXT_KEY(user_void, void);
//BAD user_const: the element type is an array, a function, const | LEAT_CONTEXT_KEY(user_const, const int);
//BAD owned: drop_number is not a void function of a pointer to the key | LEAT_CONTEXT_KEY_OWNED(owned, char *, drop_number);
//BAD owned: drop_text is not a void function of a pointer to the key | LEAT_CONTEXT_KEY_OWNED(owned, const char *, drop_text);
//BAD redefinition | LEAT_CONTEXT_KEY(user_id, int);

LEAT_FN(clean_up, int, number) { (void)number; }

int contexts(leat_view view, int *pi, leat_chan(int) c);
int contexts(leat_view view, int *pi, leat_chan(int) c) {
  struct leat_scope *ctx = leat_with_timeout_because(leat_with_cancel(view), LEAT_MS(*pi), "slow: %d", *pi);
  leat_view value = with_owned_text(with_user_name(with_user_id(ctx, 5), "jane"), NULL);
  leat_hook *hook = leat_after_cancel(value, clean_up, 1);
  leat_follow(ctx, leat_background());
  leat_rx(char) done = leat_done(value), any = leat_or(ctx, done, c, leat_rx_of(c));
  const char *name = user_name_of(value, &name) ? name : NULL;
  (void)name;
  (void)leat_set_value(ctx, user_id, 5);
  (void)leat_or_array(ctx, char, &done, 1);
  (void)with_elsewhere(leat_without_cancel(leat_with_deadline_because(leat_with_deadline(NULL, 1), 1, "late")), 1.5);
  //BAD leat_cancel: only the scope itself | leat_cancel(value);
  //BAD leat_cancel: only the scope itself | leat_cancel(with_user_id(ctx, 1));
  //BAD leat_cancel: only the scope itself | leat_cancel(leat_background());
  //BAD leat_wait: only the scope itself | return leat_wait(value);
  //BAD leat_set_timeout: only the scope itself | leat_set_timeout(value, 1);
  //BAD leat_set_deadline_because: only the scope itself | leat_set_deadline_because(view, 1, "late");
  //BAD leat_keep_going: only the scope itself | leat_keep_going(value);
  //BAD leat_context_release: only the scope itself | leat_context_release(value);
  //BAD leat_context_release: only the scope itself | leat_context_release(view);
  //BAD leat_defer: the function does not take this pointer | leat_defer(leat_context_release, view);
  //BAD leat_follow: only the scope itself | leat_follow(view, ctx);
  //BAD leat_follow: the second argument is not a scope | leat_follow(ctx, pi);
  //BAD leat_set_value: only the scope itself | leat_set_value(view, user_id, 1);
  //BAD leat_set_value: the value does not have the key | leat_set_value(ctx, user_id, "one");
  //BAD leat_set_value: the value does not have the key | leat_set_value(ctx, user_name, 1);
  //BAD leat_with_cancel: the first argument is not a scope | leat_with_cancel(pi);
  //BAD leat_with_timeout: the first argument is not a scope | leat_with_timeout(c, 1);
  //BAD leat_without_cancel: the first argument is not a scope | leat_without_cancel(*pi);
  //BAD leat_after_cancel: the first argument is not a scope | leat_after_cancel(pi, clean_up, 1);
  //BAD leat_after_cancel: argument 1 does not have the parameter | leat_after_cancel(ctx, clean_up, "one");
  //BAD leat_after_cancel: the function takes another number of arguments | leat_after_cancel(ctx, clean_up);
  //BAD leat_send: needs a channel or a sending view | leat_send(leat_done(ctx), 'x');
  //BAD leat_close: needs a channel or a sending view | leat_close(leat_done(ctx));
  //BAD leat_recv: the pointer is not to the channel | leat_recv(leat_done(ctx), pi);
  //BAD leat_or: the first argument is not a scope | leat_or(pi, done, done);
  //BAD leat_or: needs a channel or a receiving view | leat_or(ctx, done, leat_tx_of(c));
  //BAD leat_or: needs a channel or a receiving view | leat_or(ctx, leat_tx_of(c));
  //BAD leat_or_array: the third argument is not an array of leat_rx | leat_or_array(ctx, int, &done, 1);
  //BAD leat_or_array: the third argument is not an array of leat_rx | leat_or_array(ctx, int, &c, 1);
  //WARN incompatible pointer type | const char *wrong; (void)user_id_of(ctx, &wrong);
  //WARN incompatible pointer type | (void)with_user_name(ctx, pi);
  leat_hook_stop(hook);
  return any ? 1 : 0;
}
