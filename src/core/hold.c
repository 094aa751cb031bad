/* Shares in stage outputs: a stage goes on while somebody may read what it makes. Who makes an output holds a share of it, in the block that he owns
 * or else as a goroutine; it passes to the stage that reads it, or to a goroutine that is handed the channel as an argument, and is given up at the end
 * of the block or the goroutine that has it. The lists are their holder's own: no lock guards them. */
#include "scope.h"
#include "../runtime/scheduler.h"
#include "channel.h"
#include <stdlib.h>
#include <string.h>

static void hold_add(struct hold **list, struct chan *c) {
  struct hold *h = malloc(sizeof *h);
  if (!h) { /* a share that nobody can give up: then nothing stops it but its scope's end */
    add(&c->users, 1);
    return;
  }
  leat_i_chan_use(c);
  *h = (struct hold){*list, c};
  *list = h;
}

void leat_i_hold_output(struct scope *s, struct chan *output) {
  struct goroutine *self = leat_i_self();
  if (s->kind != SCOPE_BLOCK) s = s->home;
  atomic_fetch_or(&output->flags, CHAN_OUTPUT);
  if (s->owner != self && self->stage) { /* a stage's function makes it */
    add(&output->users, 1);
    atomic_fetch_or(&output->flags, CHAN_ADRIFT);
    return;
  }
  hold_add(s->owner == self ? &s->held : &self->holds, output);
}

static struct hold **find_hold(struct hold **list, const struct chan *c) {
  for (; *list; list = &(*list)->next)
    if ((*list)->chan == c) return list;
  return NULL;
}

static bool take_share(struct hold **list, struct chan *c) {
  struct hold **place = find_hold(list, c), *h;
  if (!place) return false;
  h = *place;
  *place = h->next;
  free(h); /* the share itself lives on: it is now the stage's */
  return true;
}

bool leat_i_hold_pass(struct chan *c) {
  struct goroutine *self = leat_i_self();
  for (struct scope *s = self->scope; s && s->owner == self; s = s->parent)
    if (take_share(&s->held, c)) return true;
  return take_share(&self->holds, c);
}

void leat_i_hold_hand_on(const struct hold *list, struct hold **to, const void *args, size_t size) {
  for (const struct hold *h = list; h; h = h->next)
    for (size_t at = 0; at + sizeof(void *) <= size; at += sizeof(void *))
      if (memcmp((const char *)args + at, &h->chan, sizeof(void *)) == 0) {
        hold_add(to, h->chan);
        break;
      }
}

void leat_i_holds_release(struct hold **list) {
  while (*list) {
    struct hold *h = *list;
    *list = h->next;
    leat_i_chan_unuse(h->chan);
    free(h);
  }
}
