/* Misuses of waitgroups, once, semaphores and events. Each line `//BAD text | statement` must not compile, and the compiler must say
 * `text`; see tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>

LEAT_FN(work, int, n, const char *, text) { printf("%d %s\n", n, text); }
struct config {
  int level;
};
LEAT_ONCE_VALUE(config, struct config *) { return calloc(1, sizeof(struct config)); }
LEAT_ONCE_VALUE(hook, void (*)(int)) { return NULL; }
LEAT_ONCE_FUNC(set_up) { puts("up"); }
//BAD  | LEAT_ONCE_VALUE(array, int[3]) { return 0; }
//BAD  | LEAT_ONCE_VALUE(text, struct config) { return "text"; }

int uses(leat_view s, leat_waitgroup *group, leat_once *once, leat_semaphore *semaphore, leat_event *event, FILE *file, int *pi);
int uses(leat_view s, leat_waitgroup *group, leat_once *once, leat_semaphore *semaphore, leat_event *event, FILE *file, int *pi) {
  if (leat_waitgroup_go(group, s, work, 1, "one")) return 1;
  leat_once_do(once, fclose, file);
  if (leat_once_do_until(once, free, pi, LEAT_NEVER)) return 1;
  if (leat_semaphore_acquire(semaphore, 1) || leat_event_wait_cancellable(event)) return 1;
  set_up();
  (void)hook();
  //BAD leat_waitgroup_go: the first argument is not | return leat_waitgroup_go(s, s, work, 1, "one");
  //BAD leat_waitgroup_go: the first argument is not | return leat_waitgroup_go(event, s, work, 1, "one");
  //BAD leat_waitgroup_go: the first argument is not a scope | return leat_waitgroup_go(group, group, work, 1, "one");
  //BAD leat_waitgroup_go: the function takes another number | return leat_waitgroup_go(group, s, work, 1);
  //BAD leat_waitgroup_go: argument 1 | return leat_waitgroup_go(group, s, work, "one", "one");
  //BAD leat_once_do: the first argument is not | leat_once_do(group, free, pi);
  //BAD leat_once_do: the function does not take | leat_once_do(once, fclose, pi);
  //BAD leat_once_do: the argument of the function is not a pointer | leat_once_do(once, fclose, 1);
  //BAD leat_once_do_until: the function does not take | return leat_once_do_until(once, fclose, pi, LEAT_NEVER);
  //WARN warn_unused_result | leat_once_do_until(once, free, pi, LEAT_NEVER);
  //WARN warn_unused_result | leat_once_do_cancellable(once, free, pi);
  //WARN warn_unused_result | leat_waitgroup_wait_until(group, 1);
  //WARN warn_unused_result | leat_semaphore_acquire(semaphore, 1);
  //WARN warn_unused_result | leat_semaphore_try_acquire(semaphore, 1);
  //WARN warn_unused_result | leat_waitgroup_wait_cancellable(group);
  //WARN warn_unused_result | leat_event_wait_cancellable(event);
  //WARN incompatible | leat_semaphore_release(event, 1);
  return config()->level;
}
