/* Stages, inside: see leat/stage.h for what they promise.
 *
 * A stage is an object that hangs on its output channel as that channel's feeder. Making one starts nothing; the first receive does. A stage
 * whose kind has `source` or `apply` can be part of a run (fuse.h), together with the stages upstream of it. One whose kind has a `body` has
 * several inputs or outputs, or waits for time: it is a goroutine between channels, in a scope of its own, which is cancelled when nobody wants
 * its outputs any more; so all that blocks in it ends then.
 *
 * Life. IDLE until asked for; then it leads a run or a body (STARTED), or the stage below takes it into its run (ABSORBED), or its output is
 * stopped first (ENDED). Whoever changes the state away from IDLE is its owner and ends it: closes its outputs, gives up its inputs, frees
 * what the kind holds. The object itself is freed with its last output channel.
 *
 * Rejected: deciding about fusion when the stage is made (then a second reader of an output, the Book's fan-out, would find it gone); a
 * goroutine for each stage that parks until asked for (a page each, for goroutines most of which fusion then ends). */
#pragma once
#include "../core/channel.h"
#include "../core/scope.h"
#include <leat/stage.h>

struct stage;
struct station;
struct part;

/* A batch on its way through a run. Rooms are as large as the run's largest item times its longest batch. */
struct batch {
  char *items; /* in one of the rooms, or elsewhere (not to be written to then) */
  size_t n, size;       /* of one item */
  void (*drop)(void *); /* the items', or NULL */
  char *rooms[2];
  char *rest;           /* what a function that may panic has still to work on: to be dropped, if it does */
  size_t n_rest, rest_size;
  void (*rest_drop)(void *);
};
static inline char *other_room(const struct batch *b) { return b->rooms[b->items >= b->rooms[0] && b->items < b->rooms[1]]; }
/* All its items are still to be worked on, and it is empty. */
static inline void batch_set_aside(struct batch *b) {
  b->rest = b->items;
  b->n_rest = b->n;
  b->rest_size = b->size;
  b->rest_drop = b->drop;
  b->n = 0;
}
/* The items from this one on are not passed on. */
static inline void batch_drop(struct batch *b, size_t from) {
  for (size_t i = from; b->drop && i < b->n; i++) b->drop(b->items + i * b->size);
  if (from < b->n) b->n = from;
}

struct stage_kind {
  const char *name;
  bool effect, source_is_pure;
  bool at_most_one; /* upstream is asked for one item at a time, unless it is pure: more might be too many */
  bool wants_all;   /* whatever is wanted below */
  bool takes_over;  /* items are passed on as they are, and so is the drop function */
  bool keeps;       /* it says itself how many items it has, by stage_keeps */
  bool foreman;     /* its body only starts, and waits for, the goroutines that work */
  /* Up to `want` items, at least one, and LEAT_OK; or why there are none. */
  int (*source)(struct stage *g, struct batch *b, size_t want);
  void (*apply)(struct stage *g, struct batch *b);    /* or NULL: they pass as they are */
  size_t (*want)(struct stage *g, size_t below);      /* how many are wanted from upstream if so many are wanted below; 0: none ever again */
  bool (*more)(struct stage *g, struct batch *b);     /* after apply: a further part of what became of it */
  bool (*flush)(struct stage *g, struct batch *b);    /* after the last item: what is left. True if there was something */
  int (*body)(struct stage *g);
  void (*unwanted)(struct stage *g); /* it has started, and all its outputs have been stopped; what it uses must live as long as the stage */
  void (*end)(struct stage *g); /* frees what it holds, items too */
};

enum stage_state { STAGE_IDLE, STAGE_STARTED, STAGE_ABSORBED, STAGE_STOPPED /* absorbed, and its output stopped by hand */, STAGE_ENDED };

struct port {
  struct feeder feeder;
  struct stage *stage;
  struct chan *chan;
};

struct stage {
  const struct stage_kind *kind;
  const char *name, *birthplace;
  struct scope *scope;
  _Atomic(int) state;
  _Atomic(size_t) ports_open, ports_alive;
  struct stage *link; /* in work lists */
  struct chan *kept_by; /* in those: an output, whose reference is given up afterwards */
  struct chan *in;    /* one input; those with more have them in `own` */
  struct chan **inputs;
  size_t n_inputs;
  struct hold *holds; /* shares in outputs of other stages that are among its arguments */
  struct chan *out;   /* the first output; NULL for a sink */
  struct port *ports;
  size_t n_ports;
  size_t in_size, out_size;
  size_t largest; /* of its items and those above it */

  /* For runs. */
  struct stage *above, *below;
  struct wanted wanted;
  struct leat_scope *body_scope;   /* of a body that runs: cancelled when its outputs have been stopped; guarded by wanted.lock */
  _Atomic(bool) cancelling;
  leat_i_kernel *kernel;
  struct leat_i_step step;
  bool effect;
  size_t room;      /* items wanted below, for kinds with `more` */
  bool ended_well;  /* it was flushed */
  int64_t count;    /* what take, skip and the like count */

  /* If it is measured: figures.c. */
  struct station *station;
  struct part *part; /* of the run that works on it */
  int64_t kept;

  char *own;        /* of the kind: arguments and state; behind it */
};

struct stage_spec {
  const struct stage_kind *kind;
  const struct leat_scope *scope;
  struct leat_i_chan *in;
  const char *name; /* or the kind's */
  size_t in_size, out_size, capacity, own; /* in_size 0: no input, or inputs of its own */
  size_t outputs;   /* 0: one */
  bool sink;
  const char *birthplace;
};

/* NULL out of memory: then the scope has failed and the input is given up. */
struct stage *leat_i_stage_make(const struct stage_spec *spec);
/* Its output as a handle; of NULL, a channel that answers LEAT_NOMEM. */
struct leat_i_chan *leat_i_stage_output(struct stage *g);
/* A stage with a function: kernel, arguments and state are in place. */
struct stage *leat_i_stage_of_fun(const struct stage_spec *spec, const struct leat_i_fun *fun, const void *args, const void *state);
/* To the beginning of `own`, which is answered. Outputs of other stages among them are handed to this one, as to a goroutine. */
void *leat_i_stage_args(struct stage *g, const void *args, size_t size);
/* In place of spec->in, several inputs: the array is copied. */
struct stage *leat_i_stage_make_of(const struct stage_spec *spec, struct leat_i_chan *const *inputs, size_t n);
static inline struct leat_i_chan *input_of(const struct stage *g, size_t i) { return (struct leat_i_chan *)g->inputs[i]; }
static inline struct leat_i_chan *output_of(const struct stage *g, size_t i) { return (struct leat_i_chan *)g->ports[i].chan; }
/* Sends; if that fails, the item goes to the drop function. */
int leat_i_pass_on(struct leat_i_chan *out, void *item);
/* A stage whose kind keeps: it has so many items more than before. */
void leat_i_stage_keeps(struct stage *g, int64_t more);
static inline void stage_keeps(struct stage *g, int64_t more) {
  if (unlikely(g->station != NULL)) leat_i_stage_keeps(g, more);
}
static inline void stage_has(struct stage *g, size_t n) { stage_keeps(g, (int64_t)n - g->kept); }
/* Its goroutines receive from this channel, which is none of its inputs: who waits there waits for input. */
void leat_i_stage_inner(const struct stage *g, struct leat_i_chan *c);
/* For a goroutine that works for it, or on what is fused with it: functions take and give items by value, so large ones need a larger stack than usual. */
static inline size_t stage_stack(const struct stage *g) { return g->largest <= 2048 ? 0 : 64 * 1024 + 8 * g->largest; }
/* Starts a stage that is not waited for by anyone. A status. */
int leat_i_stage_start(struct stage *g);
/* An apply for kinds whose functions are kernels. */
void leat_i_apply_kernel(struct stage *g, struct batch *b);
/* Becomes a reader of the channel; panics if another stage has absorbed what feeds it. */
void leat_i_stage_read(struct chan *c, const char *reader, const char *birthplace);
/* The channel, or in place of the nil channel one that is as silent, and can be stopped. */
struct chan *leat_i_stage_input(struct scope *s, struct leat_i_chan *in, size_t size, const char *birthplace);
/* By its owner: closes, gives up, frees. */
void leat_i_stage_end(struct stage *g);
static inline struct stage *stage_of(struct feeder *f) { return ((struct port *)f)->stage; }
/* The stage that feeds the channel, or NULL. */
struct stage *leat_i_stage_feeding(const struct chan *c);
static inline void (*drop_of(const struct chan *c))(void *) { return c ? c->drop : NULL; }
