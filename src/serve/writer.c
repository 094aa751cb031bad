/* See leat/writer.h.
 *
 * Two chunks: one is filled under the lock by whoever writes, the other is written out meanwhile by the writer's goroutine, without the lock; then
 * they change places. A write that finds no room waits in a queue, and the goroutine copies its items for it when there is, so nobody overtakes. It
 * sleeps while there is nothing to do, and whoever makes something to do wakes it.
 *
 * Items are numbered: `accepted` and `done` are numbers, a flush waits until `done` has come to what `accepted` is now.
 *
 * The end. The goroutine runs in a shield, so that neither a chunk under way nor what is left is cut off by a cancel; a watch on its scope closes the
 * writer then, and gives the shield a deadline. However the goroutine ends, a deferred call answers all who wait.
 *
 * Rejected: a channel of items with leat_batch behind it, whose senders cannot know what became of their items, and which costs a
 * channel operation an item. Letting whoever fills a chunk write it (bufio): his cancellation would cut a chunk of others' items in the middle. */
#include "../core/panic.h"
#include "../core/scope.h"
#include "../core/time.h"
#include "../core/waiter.h"
#include "../runtime/nondet.h"
#include <errno.h>
#include <leat/io.h>
#include <leat/writer.h>
#include <stdlib.h>

static const int64_t GRACE = LEAT_SECONDS(1);
static const size_t AT_THE_END = SIZE_MAX; /* for what a close waits */

struct leat_i_writer {
  /* Set when it is made. */
  size_t size, room;
  int64_t delay, grace;
  const char *birthplace;
  int (*put)(struct leat_i_writer *w, const char *items, size_t n, size_t *written);
  int fd;
  FILE *file;
  const struct leat_i_fn *fn;
  char *args;
  size_t n_at; /* where in the arguments the number of items is; the pointer to them is the first */
  void (*drop)(void *);

  struct watch watch;

  struct lock lock; /* guards the rest */
  struct goroutine *self;
  struct leat_scope *shield; /* in which it runs */
  bool scope_ended;
  char *memory, *filling, *spare; /* both; the last NULL while it is being written */
  size_t n;              /* in `filling` */
  int64_t due;           /* of what is there */
  bool closed, over;     /* no more is accepted; the goroutine has ended */
  int status;            /* the error */
  uint64_t writes, accepted, chunks, done, flush_to;
  struct queue writers, flushers, sleeper;
};

/* ---- with the lock ---- */

static void wake_sleeper(struct leat_i_writer *w, struct goroutine **woken) {
  struct waiter *sleeper = queue_claim_first(&w->sleeper, LEAT_OK);
  if (sleeper) goroutine_collect(woken, sleeper->goroutine);
}

static void take_in(struct leat_i_writer *w, const char *items, size_t n) {
  if (!w->n) w->due = w->delay <= 0 ? INT64_MIN : w->delay == LEAT_NEVER ? LEAT_NEVER : leat_i_deadline_after(w->delay);
  quietly memcpy(w->filling + w->n * w->size, items, n * w->size);
  w->n += n;
  w->accepted += n;
}

/* Takes in what waits and fits. What is more than a chunk comes in pieces. Invariant, but for the moment between somebody's giving up and what he does
 * then: the first that waits does not fit. So of an entry that has not parked yet this takes no last piece, if it has been called before that came. */
static void admit(struct leat_i_writer *w, struct goroutine **woken) {
  struct waiter *e;
  while (!w->closed && (e = queue_first(&w->writers))) {
    size_t space = w->room - w->n, n = e->count < space ? e->count : space;
    bool is_large = e->index, all = n == e->count;
    if (!all && (!is_large || !n)) return;
    if (all && !queue_claim(e, LEAT_OK)) continue;
    take_in(w, e->elem, n);
    e->elem += n * w->size;
    e->count -= n;
    if (!all) continue;
    w->writes++;
    goroutine_collect(woken, e->goroutine);
  }
}

static void answer_all(struct queue *q, int status, struct goroutine **woken) {
  struct waiter *e;
  while ((e = queue_claim_first(q, status))) goroutine_collect(woken, e->goroutine);
}

static void answer_flushes(struct leat_i_writer *w, struct goroutine **woken) {
  struct waiter *e;
  while ((e = queue_first(&w->flushers)) && e->count <= w->done)
    if (queue_claim(e, LEAT_OK)) goroutine_collect(woken, e->goroutine);
}

static int closed_as(const struct leat_i_writer *w) { return w->status ? w->status : LEAT_CLOSED; }

static void close_it(struct leat_i_writer *w, struct goroutine **woken) {
  w->closed = true;
  answer_all(&w->writers, closed_as(w), woken);
  wake_sleeper(w, woken);
}

/* ---- the goroutine ---- */

static bool is_due(const struct leat_i_writer *w) {
  if (!w->n) return false;
  return w->n == w->room || w->closed || queue_first(&w->writers) || w->flush_to > w->accepted - w->n || w->due == INT64_MIN ||
         (w->due != LEAT_NEVER && w->due <= leat_i_nondet_clock());
}

/* With the lock, which it takes again. */
static void sleep_until(struct leat_i_writer *w, struct goroutine *self, int64_t time) {
  struct waiter me = {.goroutine = self};
  queue_push(&w->sleeper, &me);
  int status = leat_i_park(self, &(struct park){.reason = WAIT_WRITES, .object = w, .lock = &w->lock, .deadline = time});
  lock_take(&w->lock);
  queue_remove(&me);
  if (status == LEAT_NOMEM) w->due = INT64_MIN; /* no timer: then now */
}

/* Until it is closed and all is down, or there is an error. */
static int write_chunks(struct leat_i_writer *w) {
  int status = LEAT_OK;
  lock_take(&w->lock);
  while (!status && (w->n || !w->closed)) {
    struct goroutine *woken = NULL;
    if (!is_due(w)) {
      sleep_until(w, leat_i_self(), w->n ? w->due : LEAT_NEVER);
      continue;
    }
    char *chunk = w->filling;
    size_t n = w->n, written = 0;
    w->filling = w->spare;
    w->spare = NULL;
    w->n = 0;
    w->chunks++;
    admit(w, &woken);
    lock_drop(&w->lock);
    leat_i_ready_in_order(woken);
    happens_after(w);
    status = w->put(w, chunk, n, &written);
    happens_before(&w->done);
    woken = NULL;
    lock_take(&w->lock);
    w->spare = chunk;
    w->done += written;
    answer_flushes(w, &woken);
    if (status) {
      if (status == LEAT_CANCELED || status == LEAT_DEADLINE) status = LEAT_FAILED; /* which is no answer to a cancel here */
      w->status = status;
      w->closed = true; /* who waits is answered at the end, when the scope has failed */
    }
    if (woken) {
      lock_drop(&w->lock);
      leat_i_ready_in_order(woken);
      lock_take(&w->lock);
    }
  }
  uint64_t accepted = w->accepted, lost = accepted - w->done;
  lock_drop(&w->lock);
  if (!status || leat_i_self()->error) return status;
  return leat_fail(status, "%llu of %llu items that a writer had accepted were not written%s", (unsigned long long)lost, (unsigned long long)accepted,
                   leat_scope_status(leat_current_scope()) ? " in the time it had when its scope ended" : "");
}

/* The scope's failure comes first: whoever is answered finds it there. */
static void has_ended(struct leat_i_writer *w) {
  struct goroutine *self = leat_i_self(), *woken = NULL;
  lock_take(&w->lock);
  w->self = NULL;
  w->closed = true;
  if (!w->status && self->panicking) w->status = LEAT_PANIC;
  if (!w->status && w->done < w->accepted) w->status = LEAT_FAILED;
  int status = w->status;
  lock_drop(&w->lock);
  if (status) leat_i_scope_fail(self->base, status, self->error ? NULL : "a writer's sink ended its goroutine", self, self->birthplace);
  lock_take(&w->lock);
  w->over = true;
  answer_all(&w->writers, closed_as(w), &woken);
  answer_all(&w->flushers, status, &woken);
  lock_drop(&w->lock);
  leat_i_ready_in_order(woken);
  free(w->memory);
}

static void drop_rest(struct leat_i_writer *w) {
  lock_take(&w->lock);
  w->closed = true;
  lock_drop(&w->lock);
  happens_after(w);
  for (size_t i = 0; w->drop && i < w->n; i++) w->drop(w->filling + i * w->size);
}

static void limit(struct leat_i_writer *w, struct leat_scope *shield) {
  if (leat_i_scope_set_deadline((struct scope *)shield, leat_i_deadline_after(w->grace), NULL)) leat_i_scope_cancel((struct scope *)shield, LEAT_NOMEM, NULL);
}

static void scope_ended(struct watch *watch, struct cancel *c) {
  struct leat_i_writer *w = (struct leat_i_writer *)((char *)watch - offsetof(struct leat_i_writer, watch));
  lock_take(&w->lock);
  struct leat_scope *shield = w->shield;
  w->scope_ended = true;
  close_it(w, &c->woken);
  lock_drop(&w->lock);
  if (shield) limit(w, shield);
}

static void stop_watching(struct leat_i_writer *w) { leat_i_unwatch(&w->watch); }

LEAT_FN_ERR(write_out, struct leat_i_writer *, w) {
  leat_defer(has_ended, w);
  leat_defer(drop_rest, w);
  leat_shield(shield);
  leat_defer(stop_watching, w);
  lock_take(&w->lock);
  w->self = leat_i_self();
  w->shield = shield;
  bool limited = w->scope_ended;
  lock_drop(&w->lock);
  if (limited) limit(w, shield);
  return write_chunks(w);
}

/* ---- sinks ---- */

static int put_to_fd(struct leat_i_writer *w, const char *items, size_t n, size_t *written) { return leat_io_write_all(w->fd, items, n, LEAT_NEVER, written); }

static int put_to_file(struct leat_i_writer *w, const char *items, size_t n, size_t *written) {
  size_t wrote = fwrite(items, 1, n, w->file);
  if (wrote < n || fflush(w->file)) return LEAT_SYSTEM(errno); /* how much of it is down, stdio does not say */
  *written = n;
  return LEAT_OK;
}

static int put_to_function(struct leat_i_writer *w, const char *items, size_t n, size_t *written) {
  memcpy(w->args, &items, sizeof items);
  memcpy(w->args + w->n_at, &n, sizeof n);
  int status = w->fn->thunk(w->args);
  if (!status) *written = n;
  return status;
}

/* ---- making ---- */

static struct leat_i_writer *no_memory(struct scope *s, const char *birthplace) {
  static struct leat_i_writer failed = {.closed = true, .over = true, .status = LEAT_NOMEM};
  leat_i_scope_fail(s, LEAT_NOMEM, "a writer could not be made", NULL, birthplace);
  return &failed;
}

static struct leat_i_writer *make(const struct leat_scope *view, struct leat_i_writer spec, const leat_writer_options *o, const char *name) {
  struct scope *s = (struct scope *)(view ? view : leat_current_scope());
  struct leat_i_writer *w = leat_i_scope_alloc(s, sizeof *w);
  if (!w) return no_memory(s, spec.birthplace);
  *w = spec;
  w->room = o->chunk ? o->chunk : w->size < 4096 ? 4096 / w->size : 1;
  w->delay = o->delay;
  w->grace = o->grace > 0 ? o->grace : GRACE;
  w->watch.fire = scope_ended;
  size_t bytes;
  bool too_large = __builtin_mul_overflow(w->room, 2 * w->size, &bytes);
  w->filling = w->memory = too_large ? NULL : malloc(bytes);
  if (!w->memory) return no_memory(s, spec.birthplace);
  w->spare = w->memory + bytes / 2;
  struct write_out_leat_args args = {w};
  LEAT_I_FN_RECORD(0, write_out)
  int status = leat_i_watch(&w->watch, s);
  if (!status && (status = leat_i_go((const struct leat_scope *)s, &leat_i_fn0, &args, w->birthplace, &(leat_go_options){.name = name, .service = 1}))) leat_i_unwatch(&w->watch);
  if (status) {
    w->closed = w->over = true;
    w->status = status == LEAT_NOMEM ? LEAT_NOMEM : LEAT_OK; /* of a scope that has ended: LEAT_CLOSED */
    free(w->memory);
  }
  return w;
}

struct leat_i_writer *leat_i_writer_make(const struct leat_scope *s, size_t size, const leat_writer_options *options, const struct leat_i_fn *fn, const void *args, size_t n_at, const char *birthplace) {
  happens_call();
  struct scope *scope = (struct scope *)(s ? s : leat_current_scope());
  char *own = leat_i_scope_alloc(scope, fn->size);
  if (!own) return no_memory(scope, birthplace);
  memcpy(own, args, fn->size);
  return make(s, (struct leat_i_writer){.size = size, .put = put_to_function, .fn = fn, .args = own, .n_at = n_at, .birthplace = birthplace}, options, fn->name);
}

struct leat_i_writer *leat_i_writer_to_fd(const struct leat_scope *s, int fd, const leat_writer_options *options, const char *birthplace) {
  happens_call();
  return make(s, (struct leat_i_writer){.size = 1, .put = put_to_fd, .fd = fd, .birthplace = birthplace}, options, "writer");
}

struct leat_i_writer *leat_i_writer_to_file(const struct leat_scope *s, FILE *file, const leat_writer_options *options, const char *birthplace) {
  happens_call();
  return make(s, (struct leat_i_writer){.size = 1, .put = put_to_file, .file = file, .birthplace = birthplace}, options, "writer");
}

void leat_i_writer_on_drop(struct leat_i_writer *w, void (*drop)(void *)) {
  lock_take(&w->lock);
  w->drop = drop;
  lock_drop(&w->lock);
}

/* ---- writing ---- */

/* With the lock. The sleeper is made ready before the lock is dropped, since who is in a queue must have parked; it waits for the lock a moment. */
static void rouse(struct leat_i_writer *w) {
  struct goroutine *woken = NULL;
  wake_sleeper(w, &woken);
  leat_i_ready_in_order(woken);
}

static void not_in_its_sink(struct leat_i_writer *w, const struct goroutine *self, const char *operation) {
  if (likely(self != w->self)) return;
  lock_drop(&w->lock);
  leat_i_panic("%s in the sink of that writer (made at %s): it would wait for itself", operation, w->birthplace);
}

/* With the lock, which is dropped. */
static int wait_in(struct queue *q, struct leat_i_writer *w, struct waiter *e, int64_t deadline, bool masked) {
  rouse(w);
  return leat_i_queue_wait(q, e, &(struct queue_wait){.reason = WAIT_WRITER, .object = w, .lock = &w->lock, .deadline = deadline, .masked = masked});
}

static void admit_those_behind(struct leat_i_writer *w) {
  struct goroutine *woken = NULL;
  lock_take(&w->lock);
  admit(w, &woken);
  lock_drop(&w->lock);
  leat_i_ready_in_order(woken);
}

int leat_i_write(struct leat_i_writer *w, const void *items, size_t n, int64_t deadline, size_t *accepted) {
  happens_call();
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (accepted) *accepted = 0;
  if (unlikely(status)) return leat_i_cancelled(self, status);
  happens_read(items, n * w->size);
  happens_before(w);
  lock_take(&w->lock);
  if (unlikely(w->closed)) {
    status = closed_as(w);
    lock_drop(&w->lock);
    return wait_answer(self, status);
  }
  struct goroutine *woken = NULL;
  if (unlikely(queue_first(&w->writers))) admit(w, &woken); /* somebody may just have given up before them */
  if (likely(n <= w->room - w->n && !queue_first(&w->writers))) {
    bool is_first = !w->n && n;
    take_in(w, items, n);
    w->writes++;
    if (w->n == w->room || (is_first && w->delay != LEAT_NEVER)) wake_sleeper(w, &woken);
    lock_drop(&w->lock);
    leat_i_ready_in_order(woken);
    if (accepted) *accepted = n;
    self->ignored = 0;
    leat_i_operation(self);
    return LEAT_OK;
  }
  leat_i_ready_in_order(woken);
  not_in_its_sink(w, self, "leat_write");
  struct waiter e = {.goroutine = self, .elem = (char *)(uintptr_t)items, .count = n, .index = n > w->room};
  queue_push(&w->writers, &e);
  admit(w, &woken); /* a piece of it, perhaps: nobody is woken */
  status = wait_in(&w->writers, w, &e, deadline, false);
  if (status) admit_those_behind(w);
  if (accepted) *accepted = n - e.count;
  return wait_answer(self, status);
}

/* With the lock, which is dropped: waits until so many are down. */
static int wait_until_down(struct leat_i_writer *w, struct goroutine *self, uint64_t count, int64_t deadline, bool masked) {
  if (w->over || w->done >= count) {
    int status = w->status;
    lock_drop(&w->lock);
    return status;
  }
  struct waiter e = {.goroutine = self, .count = count};
  return wait_in(&w->flushers, w, &e, deadline, masked);
}

int leat_i_flush(struct leat_i_writer *w, int64_t deadline) {
  happens_call();
  struct goroutine *self = leat_i_self();
  int status = leat_i_scope_interrupts(self->scope);
  if (unlikely(status)) return leat_i_cancelled(self, status);
  lock_take(&w->lock);
  not_in_its_sink(w, self, "leat_flush");
  if (w->flush_to < w->accepted) w->flush_to = w->accepted;
  status = wait_until_down(w, self, w->accepted, deadline, false);
  happens_after(&w->done);
  return wait_answer(self, status);
}

static int close_and_wait(struct leat_i_writer *w, struct goroutine *self, int64_t deadline, bool masked) {
  struct goroutine *woken = NULL;
  lock_take(&w->lock);
  not_in_its_sink(w, self, "leat_writer_close");
  if (!w->closed) close_it(w, &woken);
  leat_i_ready_in_order(woken);
  int status = wait_until_down(w, self, AT_THE_END, deadline, masked);
  happens_after(&w->done);
  return status;
}

int leat_i_writer_close(struct leat_i_writer *w) {
  happens_call();
  return close_and_wait(w, leat_i_self(), LEAT_NEVER, true);
}

int leat_i_writer_close_until(struct leat_i_writer *w, int64_t deadline) {
  happens_call();
  struct goroutine *self = leat_i_self();
  if (!leat_i_scope_interrupts(self->scope)) return wait_answer(self, close_and_wait(w, self, deadline, false));
  int status = close_and_wait(w, self, INT64_MIN, false);
  return status == LEAT_DEADLINE ? leat_i_cancelled(self, leat_i_scope_interrupts(self->scope)) : status;
}

leat_writer_figures leat_i_writer_look(struct leat_i_writer *w) {
  lock_take(&w->lock);
  uint64_t left = w->accepted - w->done;
  leat_writer_figures f = {.writes = w->writes, .items = w->accepted, .chunks = w->chunks, .written = w->done, .bytes = w->done * w->size,
                           .waiting = w->over ? 0 : left, .lost = w->over ? left : 0};
  lock_drop(&w->lock);
  return f;
}
