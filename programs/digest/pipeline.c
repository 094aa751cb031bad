/* pipeline.c - see pipeline.h.
 *
 * Where the Blog passes a done channel through every stage, the scope does it here: the collector leaves its block (the early stop), or a
 * signal cancels the scope, and every send and receive of the stages above answers LEAT_CANCELED. A stage closes its output when all its
 * sends are done; for digesters, which share one output, the goroutine that has waited for all of them closes it. */
#include "pipeline.h"
#include "lanes.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* So many batches may wait for a digester: enough for the walk to run far ahead and find out how much there is to do. */
enum { WORK_ROOM = 8192, DONE_ROOM = 256 };

/* The buffer of a goroutine for one file is no larger than the file; but sizes may be wrong (0 for all of /proc). */
enum { SMALLEST_ROOM = 4096 };

/* The last stage: puts batches back into the source's order. */
struct collector {
  const struct job *job;
  struct outcome *outcome;
  struct batch **early; /* by sequence number: here already, while one before is not. A ring; room is a power of two */
  size_t room;
  uint64_t next;
};

static bool widen(struct collector *c, uint64_t sequence) {
  size_t room = c->room ? c->room : 64;
  while (sequence - c->next >= room) room *= 2;
  if (room == c->room) return true;
  struct batch **early = calloc(room, sizeof *early);
  if (!early) return false;
  for (uint64_t i = c->next; i < c->next + c->room; i++) early[i % room] = c->early[i % c->room];
  free(c->early);
  c->early = early;
  c->room = room;
  return true;
}

/* Takes over a batch from the digesters. Anything but LEAT_OK ends the collecting. */
static int collect(struct collector *c, struct batch *b) {
  const struct job *job = c->job;
  if (job->fail_fast && job->failure(job->sink_env, b)) {
    c->outcome->stopped = true;
    batch_free(b);
    return LEAT_FAILED;
  }
  if (!widen(c, b->sequence)) {
    batch_free(b);
    return LEAT_NOMEM;
  }
  c->early[b->sequence % c->room] = b;
  for (struct batch **slot; (slot = &c->early[c->next % c->room]), (b = *slot); c->next++) {
    *slot = NULL;
    job->take(job->sink_env, b);
  }
  return LEAT_OK;
}

static void collector_end(struct collector *c) {
  for (size_t i = 0; i < c->room; i++) batch_free(c->early[i]);
  free(c->early);
}

/* Runs the source into give(). */
static int run_source(const struct job *job, int (*give)(void *, struct batch *), bool (*hungry)(void *), void *env) {
  struct batcher out = {.give = give, .hungry = hungry, .env = env, .counters = job->counters, .eager = job->fail_fast};
  int status = job->source(job->source_env, &out);
  if (!status) status = batcher_flush(&out);
  if (status == LEAT_OK) atomic_store(&job->counters->found_all, true);
  batcher_end(&out);
  return status;
}

/* --- serial --- */

struct serial {
  struct hasher hasher;
  struct collector *collector;
};

static int digest_here(void *env, struct batch *b) {
  struct serial *s = env;
  int status = hasher_batch(&s->hasher, b);
  if (!status) return collect(s->collector, b);
  batch_free(b);
  return status;
}

static int run_serial(const struct job *job, struct collector *c) {
  struct serial s = {.collector = c};
  if (!hasher_start(&s.hasher, job->counters, HASHER_ROOM)) return LEAT_NOMEM;
  int status = run_source(job, digest_here, NULL, &s);
  hasher_end(&s.hasher);
  return status;
}

/* --- parallel --- */

struct starter {
  const struct job *job;
  leat_view scope;
  leat_tx(struct batch *) done;
};

/* Digests one file; who digests a batch's last one sends the batch on. */
LEAT_FN_ERR(digest_one, const struct job *, job, struct batch *, b, uint32_t, i, leat_tx(struct batch *), done) {
  struct hasher h;
  struct file *f = &b->files[i];
  size_t room = f->size < 0 || f->size >= HASHER_ROOM ? HASHER_ROOM : f->size < SMALLEST_ROOM ? SMALLEST_ROOM : (size_t)f->size + 1;
  int status = LEAT_NOMEM;
  if (hasher_start(&h, job->counters, room)) {
    status = hasher_file(&h, b, f);
    hasher_end(&h);
  }
  if (atomic_fetch_sub(&b->unfinished, 1) > 1) return status;
  if (status || leat_send(done, b)) batch_free(b);
  return status;
}

static int digest_each(void *env, struct batch *b) {
  struct starter *s = env;
  uint32_t count = b->count;
  atomic_store(&b->unfinished, count);
  for (uint32_t i = 0; i < count; i++) {
    int status = leat_go(s->scope, digest_one, s->job, b, i, s->done);
    if (!status) continue;
    if (atomic_fetch_sub(&b->unfinished, count - i) == count - i) batch_free(b);
    return status;
  }
  return LEAT_OK;
}

LEAT_FN_ERR(walk_and_digest, const struct job *, job, leat_tx(struct batch *), done) {
  leat_scope(files);
  struct starter s = {job, files, done};
  int status = run_source(job, digest_each, NULL, &s);
  int failure = leat_wait(files);
  leat_close(done);
  return failure ? failure : status;
}

/* --- bounded --- */

static int send_work(void *env, struct batch *b) {
  leat_tx(struct batch *) *work = env;
  int status = leat_send(*work, b);
  if (status) batch_free(b);
  return status;
}
static bool no_work_left(void *env) {
  leat_tx(struct batch *) *work = env;
  return leat_len(*work) == 0;
}

LEAT_FN_ERR(produce, const struct job *, job, leat_tx(struct batch *), work) {
  int status = run_source(job, send_work, no_work_left, &work);
  leat_close(work);
  return status;
}

static int send_done(void *env, struct batch *b) {
  leat_tx(struct batch *) *done = env;
  int status = leat_send(*done, b);
  if (status) batch_free(b);
  return status;
}

LEAT_FN_ERR(digester, const struct job *, job, leat_rx(struct batch *), work, leat_tx(struct batch *), done) {
  struct lanes *l = malloc(sizeof *l);
  if (!l) return LEAT_NOMEM;
  leat_defer(free, l);
  int status = lanes_start(l, job->counters, send_done, &done);
  if (status) return status;
  leat_defer(lanes_end, l);
  while (!status) {
    if (lanes_hungry(l)) { /* at most one batch a round, so that digesters share few, large files evenly */
      struct batch *b;
      bool idle = lanes_idle(l);
      int got = idle ? leat_recv(work, &b) : leat_try_recv(work, &b);
      if (got == LEAT_OK) lanes_take(l, b);
      else if (idle) return got == LEAT_CLOSED ? LEAT_OK : got;
    }
    status = lanes_round(l);
  }
  return status;
}

LEAT_FN_ERR(digest_all, const struct job *, job, leat_rx(struct batch *), work, leat_tx(struct batch *), done) {
  leat_scope(digesters);
  for (int i = 0; i < job->digesters; i++)
    if (leat_go(digesters, digester, job, work, done)) break; /* leat_wait says why */
  int status = leat_wait(digesters);
  leat_close(done);
  return status;
}

/* --- all of them --- */

/* A signal that was ignored when the program started (nohup, a shell's background jobs) stays ignored. */
static leat_rx(int) listen_to(struct leat_scope *s, int number) {
  struct sigaction now;
  bool ignored = sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
  return ignored ? NULL : leat_signals(s, number);
}

LEAT_FN(cancel_on_signal, leat_rx(int), interrupts, leat_rx(int), terminations, struct leat_scope *, s, int *, caught) {
  int number;
  if (leat_select(leat_on_recv(interrupts, &number), leat_on_recv(terminations, &number)) < 0) return;
  *caught = number;
  signal(number, SIG_DFL); /* a second one ends the program, whatever it waits for */
  leat_cancel_because(s, "%s", strsignal(number));
}

static int run_concurrent(const struct job *job, struct leat_scope *s, struct collector *c) {
  leat_chan(struct batch *) work = leat_chan_make(s, struct batch *, WORK_ROOM), done = leat_chan_make(s, struct batch *, DONE_ROOM);
  leat_on_drop(work, batch_drop);
  leat_on_drop(done, batch_drop);
  if (job->mode == MODE_PARALLEL) leat_go(s, walk_and_digest, job, leat_tx_of(done));
  else {
    leat_go(s, produce, job, leat_tx_of(work));
    leat_go(s, digest_all, job, leat_rx_of(work), leat_tx_of(done));
  }
  leat_range(struct batch *, b, done) {
    int status = collect(c, b);
    if (status) return status; /* the scope's end cancels and joins all that still runs */
  }
  return leat_wait(s);
}

struct outcome pipeline_run(const struct job *job) {
  struct outcome outcome = {0};
  struct collector c = {.job = job, .outcome = &outcome};
  {
    leat_scope(s);
    leat_service(s, cancel_on_signal, listen_to(s, SIGINT), listen_to(s, SIGTERM), s, &outcome.signal);
    outcome.status = job->mode == MODE_SERIAL ? run_serial(job, &c) : run_concurrent(job, s, &c);
  }
  collector_end(&c);
  return outcome;
}
