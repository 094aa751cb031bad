/* See leat/compose.h. A pipe is a function that makes the stage, with its arguments; or two pipes. */
#include "stage.h"
#include <leat/compose.h>

static int run_user_body(struct stage *g) {
  const struct leat_i_body *body = (const struct leat_i_body *)g->step.state;
  return body->run((struct leat_i_chan *)g->in, (struct leat_i_chan *)g->out, g->own);
}

struct leat_i_chan *leat_i_body_stage(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_body *body, const void *args, const char *birthplace) {
  happens_call();
  static const struct stage_kind kind = {.name = "stage", .body = run_user_body};
  struct stage *g = leat_i_stage_make(&(struct stage_spec){.kind = &kind, .scope = s, .in = in, .name = body->name, .in_size = body->in, .out_size = body->out, .own = body->args,
                                                           .birthplace = birthplace});
  if (g) {
    g->step.state = (void *)(uintptr_t)body;
    leat_i_stage_args(g, args, body->args);
    g->out->drop = body->drop;
  }
  return leat_i_stage_output(g);
}

struct leat_i_pipe {
  leat_i_piper *piper; /* NULL: a composition */
  const struct leat_i_pipe *first, *second;
  _Alignas(16) char args[];
};

static struct leat_i_pipe *make(const struct leat_scope *s, size_t size) {
  struct scope *scope = (struct scope *)(s ? s : leat_current_scope());
  struct leat_i_pipe *p = leat_i_scope_alloc(scope, sizeof *p + size);
  if (!p) leat_i_scope_fail(scope, LEAT_NOMEM, "a pipe could not be made", NULL, NULL);
  return p;
}

struct leat_i_pipe *leat_i_pipe_of(const struct leat_scope *s, leat_i_piper *piper, const void *args, size_t size) {
  happens_call();
  struct leat_i_pipe *p = make(s, size);
  if (!p) return NULL;
  p->piper = piper;
  memcpy(p->args, args, size);
  return p;
}

struct leat_i_pipe *leat_i_compose(const struct leat_scope *s, const struct leat_i_pipe *first, const struct leat_i_pipe *second) {
  happens_call();
  struct leat_i_pipe *p = first && second ? make(s, 0) : NULL;
  if (!p) return NULL;
  p->first = first;
  p->second = second;
  return p;
}

struct leat_i_chan *leat_i_through(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_pipe *pipe, const char *birthplace) {
  happens_call();
  if (!pipe) return (struct leat_i_chan *)leat_i_chan_failed(); /* the scope has failed with it */
  if (pipe->piper) return pipe->piper(s, in, pipe->args, birthplace);
  return leat_i_through(s, leat_i_through(s, in, pipe->first, birthplace), pipe->second, birthplace);
}
