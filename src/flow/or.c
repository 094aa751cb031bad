/* See leat/or.h.
 *
 * One goroutine that selects over all inputs. The Book's `or` makes a tree of goroutines, one for every two inputs, since Go's select
 * statement has a fixed number of cases; leat's has not. It is a service, so it does not hold up leat_wait and ends with its scope.
 * Rejected: closing the answer when the scope is cancelled. Who waits in the scope is told anyway, and for those who wait outside that is
 * not one of the signals. */
#include <leat/or.h>
#include "../core/channel.h"
#include "../core/scope.h"
#include <leat/select.h>
#include <stdlib.h>

struct inputs {
  struct leat_i_chan *answer;
  size_t n;
  void *target; /* the one case that happens has it for itself */
  leat_case cases[];
};

LEAT_FN_ERR(wait_for_any, struct inputs *, in) {
  leat_defer(free, in);
  int which = leat_select_array(in->cases, in->n);
  if (which < 0) return which; /* the scope has ended, or memory */
  struct chan *fired = chan_of(in->cases[which].leat_i_chan);
  if (leat_selected() == LEAT_OK && fired->drop) fired->drop(in->target);
  leat_i_close(in->answer, "leat_or");
  return LEAT_OK;
}

struct leat_i_chan *leat_i_or(const struct leat_scope *scope, struct leat_i_chan *const *inputs, size_t n, size_t elem, const char *birthplace) {
  const struct leat_scope *s = scope ? scope : leat_current_scope();
  size_t alive = 0, largest = 1;
  for (size_t i = 0; i < n; i++) {
    if (!inputs[i]) continue;
    alive++;
    if (chan_of(inputs[i])->elem_size > largest) largest = chan_of(inputs[i])->elem_size;
  }
  if (n == 1) return inputs[0];
  if (!alive) return NULL;
  struct leat_i_chan *answer = leat_i_chan_make(s, elem, 0, birthplace);
  size_t room = (alive * sizeof(leat_case) + sizeof(struct inputs) + 15) & ~(size_t)15;
  struct inputs *in = calloc(1, room + largest);
  if (!in) {
    leat_i_scope_fail((struct scope *)s, LEAT_NOMEM, "an or-channel could not be made", NULL, birthplace);
    return (struct leat_i_chan *)leat_i_chan_failed();
  }
  in->answer = answer;
  in->target = (char *)in + room;
  for (size_t i = 0; i < n; i++)
    if (inputs[i]) in->cases[in->n++] = (leat_case){.leat_i_chan = inputs[i], .leat_i_value = in->target, .leat_i_kind = LEAT_I_CASE_RECV};
  struct wait_for_any_leat_args args = {in};
  LEAT_I_FN_RECORD(0, wait_for_any)
  if (leat_i_go(s, &leat_i_fn0, &args, birthplace, &(leat_go_options){.name = "leat_or", .service = 1}) == LEAT_OK) return answer;
  free(in);
  return answer;
}
