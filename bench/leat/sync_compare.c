/* sync_compare: what one does in two ways, measured side by side, in nanoseconds; the table in docs/choosing.md is its output. LEAT_WORKERS
 * sets the number of workers. Each figure is the median of ROUNDS runs, which take turns so that whatever else the machine does hits all. */
#include <leat/leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, WAITERS = 100, WRITERS = 8 };

struct way {
  const char *question, *name;
  double (*run)(void); /* nanoseconds an operation */
};

static void must(int status) {
  if (status == LEAT_OK) return;
  fprintf(stderr, "sync_compare: %s\n", leat_status_text(status));
  exit(1);
}
static double since(int64_t start, int64_t n) { return (double)(leat_now() - start) / (double)n; }

/* ---- one waits for the other, in turn ---- */

struct turns {
  leat_mutex lock;
  leat_cond changed[2];
  int whose;
};
LEAT_FN(turn_by_cond, struct turns *, t, int, me, int, n) {
  leat_mutex_lock(&t->lock);
  for (int i = 0; i < n; i++) {
    while (t->whose != me) must(leat_cond_wait(&t->changed[me], &t->lock));
    t->whose = !me;
    leat_cond_signal(&t->changed[!me]);
  }
  leat_mutex_unlock(&t->lock);
}
static double turns_by_cond(void) {
  enum { N = 50000 };
  struct turns t = {.whose = 0};
  leat_scope(s);
  int64_t start = leat_now();
  leat_go(s, turn_by_cond, &t, 0, N);
  leat_go(s, turn_by_cond, &t, 1, N);
  must(leat_wait(s));
  return since(start, N);
}
LEAT_FN(turn_by_channel, leat_rx(char), mine, leat_tx(char), yours, int, n) {
  char c;
  for (int i = 0; i < n; i++) {
    must(leat_recv(mine, &c));
    must(leat_send(yours, c));
  }
}
static double turns_by_channel(void) {
  enum { N = 50000 };
  leat_scope(s);
  leat_chan(char) a = leat_chan_make(s, char, 1), b = leat_chan_make(s, char, 1);
  int64_t start = leat_now();
  must(leat_send(a, 1));
  leat_go(s, turn_by_channel, leat_rx_of(a), leat_tx_of(b), N);
  leat_go(s, turn_by_channel, leat_rx_of(b), leat_tx_of(a), N);
  must(leat_wait(s));
  return since(start, N);
}

/* ---- one tells a hundred, again and again ---- */

struct rounds {
  leat_mutex lock;
  leat_cond changed;
  int round;
  leat_waitgroup heard;
};
LEAT_FN(hear_by_cond, struct rounds *, r, int, n) {
  for (int i = 1; i <= n; i++) {
    leat_mutex_lock(&r->lock);
    while (r->round < i) must(leat_cond_wait(&r->changed, &r->lock));
    leat_mutex_unlock(&r->lock);
    leat_waitgroup_done(&r->heard);
  }
}
static double broadcast_by_cond(void) {
  enum { N = 200 };
  struct rounds r = {.round = 0};
  leat_scope(s);
  for (int i = 0; i < WAITERS; i++) leat_go(s, hear_by_cond, &r, N);
  int64_t start = leat_now();
  for (int i = 0; i < N; i++) {
    leat_waitgroup_add(&r.heard, WAITERS);
    leat_mutex_lock(&r.lock);
    r.round++;
    leat_mutex_unlock(&r.lock);
    leat_cond_broadcast(&r.changed);
    leat_waitgroup_wait(&r.heard);
  }
  double each = since(start, (int64_t)N * WAITERS);
  must(leat_wait(s));
  return each;
}
/* A closed channel is a broadcast, but only one: each round needs a new one, and a lock to find it. */
struct bulletin {
  leat_mutex lock;
  leat_chan(char) next;
  leat_waitgroup heard, ready;
};
LEAT_FN(hear_by_close, struct bulletin *, b, int, n) {
  char c;
  for (int i = 0; i < n; i++) {
    leat_mutex_lock(&b->lock);
    leat_chan(char) next = b->next;
    leat_mutex_unlock(&b->lock);
    leat_waitgroup_done(&b->ready);
    if (leat_recv(next, &c) != LEAT_CLOSED) exit(1);
    leat_waitgroup_done(&b->heard);
  }
}
static double broadcast_by_close(void) {
  enum { N = 200 };
  struct bulletin b = {.next = NULL};
  leat_scope(s);
  b.next = leat_chan_make(s, char, 0);
  leat_waitgroup_add(&b.ready, WAITERS);
  for (int i = 0; i < WAITERS; i++) leat_go(s, hear_by_close, &b, N);
  int64_t start = leat_now();
  for (int i = 0; i < N; i++) {
    leat_waitgroup_wait(&b.ready);
    leat_waitgroup_add(&b.heard, WAITERS);
    if (i + 1 < N) leat_waitgroup_add(&b.ready, WAITERS);
    leat_mutex_lock(&b.lock);
    leat_chan(char) old = b.next;
    b.next = leat_chan_make(s, char, 0);
    leat_mutex_unlock(&b.lock);
    leat_close(old);
    leat_waitgroup_wait(&b.heard);
    leat_release(old);
  }
  double each = since(start, (int64_t)N * WAITERS);
  must(leat_wait(s));
  return each;
}
LEAT_FN(hear_by_channel, leat_rx(char), mine, leat_waitgroup *, heard) {
  leat_range(char, c, mine) {
    (void)c;
    leat_waitgroup_done(heard);
  }
}
static double broadcast_by_channels(void) {
  enum { N = 200 };
  leat_scope(s);
  leat_chan(char) each[WAITERS];
  leat_waitgroup heard = {0};
  for (int i = 0; i < WAITERS; i++) leat_go(s, hear_by_channel, leat_rx_of(each[i] = leat_chan_make(s, char, 1)), &heard);
  int64_t start = leat_now();
  for (int i = 0; i < N; i++) {
    leat_waitgroup_add(&heard, WAITERS);
    for (int k = 0; k < WAITERS; k++) must(leat_send(each[k], 1));
    leat_waitgroup_wait(&heard);
  }
  double ns = since(start, (int64_t)N * WAITERS);
  for (int i = 0; i < WAITERS; i++) leat_close(each[i]);
  must(leat_wait(s));
  return ns;
}

/* ---- readers and few writers ---- */

enum { CELLS = 1000 };
struct table {
  leat_mutex mutex;
  leat_rwmutex rwmutex;
  int cells[CELLS];
};
struct reading {
  int n, length, of_100; /* how many operations, how many cells each reads, and how many in a hundred write */
};
static int look(struct table *t, int length) {
  int sum = 0;
  for (int i = 0; i < length; i++) sum += *(volatile int *)&t->cells[i];
  return sum;
}
LEAT_FN(use_mutex, struct table *, t, struct reading, r) {
  for (int i = 0; i < r.n; i++) {
    leat_mutex_lock(&t->mutex);
    if (i % 100 < r.of_100) t->cells[i % CELLS]++;
    else look(t, r.length);
    leat_mutex_unlock(&t->mutex);
  }
}
LEAT_FN(use_rwmutex, struct table *, t, struct reading, r) {
  for (int i = 0; i < r.n; i++) {
    if (i % 100 < r.of_100) {
      leat_rwmutex_lock(&t->rwmutex);
      t->cells[i % CELLS]++;
      leat_rwmutex_unlock(&t->rwmutex);
    } else {
      leat_rwmutex_rlock(&t->rwmutex);
      look(t, r.length);
      leat_rwmutex_runlock(&t->rwmutex);
    }
  }
}
static double readers(bool rw, struct reading r) {
  struct table *t = calloc(1, sizeof *t);
  leat_scope(s);
  int64_t start = leat_now();
  for (int i = 0; i < 8; i++) {
    if (rw) leat_go(s, use_rwmutex, t, r);
    else leat_go(s, use_mutex, t, r);
  }
  must(leat_wait(s));
  double each = since(start, 8 * (int64_t)r.n);
  free(t);
  return each;
}
static double short_by_mutex(void) { return readers(false, (struct reading){50000, 4, 1}); }
static double short_by_rwmutex(void) { return readers(true, (struct reading){50000, 4, 1}); }
static double long_by_mutex(void) { return readers(false, (struct reading){5000, CELLS, 1}); }
static double long_by_rwmutex(void) { return readers(true, (struct reading){5000, CELLS, 1}); }
static double half_by_mutex(void) { return readers(false, (struct reading){50000, 4, 50}); }
static double half_by_rwmutex(void) { return readers(true, (struct reading){50000, 4, 50}); }

/* ---- many writers, one reader ---- */

enum { EACH = 20000 };
LEAT_FN(write_to_channel, leat_tx(int64_t), out, int, n) {
  for (int i = 0; i < n; i++) must(leat_send(out, i));
}
static double by_channel(size_t capacity, size_t batch) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, capacity);
  int64_t start = leat_now(), sum = 0, items[128];
  for (int i = 0; i < WRITERS; i++) leat_go(s, write_to_channel, leat_tx_of(c), EACH);
  for (size_t got = 0, left = WRITERS * EACH; left; left -= got) {
    must(leat_recv_n(c, &items[0], left < batch ? left : batch, &got));
    for (size_t i = 0; i < got; i++) sum += items[i];
  }
  if (sum != (int64_t)WRITERS * EACH * (EACH - 1) / 2) exit(1);
  must(leat_wait(s));
  return since(start, WRITERS * EACH);
}
static double by_unbuffered_channel(void) { return by_channel(0, 1); }
static double by_buffered_channel(void) { return by_channel(128, 1); }
static double by_batches(void) { return by_channel(128, 128); }
/* A queue as one would write it: a ring under a lock, conditions for full and empty. */
struct queue {
  leat_mutex lock;
  leat_cond filled, emptied;
  int64_t items[128];
  unsigned head, tail;
};
LEAT_FN(write_to_queue, struct queue *, q, int, n) {
  for (int i = 0; i < n; i++) {
    leat_mutex_lock(&q->lock);
    while (q->tail - q->head == 128) must(leat_cond_wait(&q->emptied, &q->lock));
    q->items[q->tail++ % 128] = i;
    leat_mutex_unlock(&q->lock);
    leat_cond_signal(&q->filled);
  }
}
static double by_queue(void) {
  struct queue q = {.head = 0};
  leat_scope(s);
  int64_t start = leat_now(), sum = 0;
  for (int i = 0; i < WRITERS; i++) leat_go(s, write_to_queue, &q, EACH);
  for (int i = 0; i < WRITERS * EACH; i++) {
    leat_mutex_lock(&q.lock);
    while (q.tail == q.head) must(leat_cond_wait(&q.filled, &q.lock));
    sum += q.items[q.head++ % 128];
    leat_mutex_unlock(&q.lock);
    leat_cond_signal(&q.emptied);
  }
  if (sum != (int64_t)WRITERS * EACH * (EACH - 1) / 2) exit(1);
  must(leat_wait(s));
  return since(start, WRITERS * EACH);
}
/* If the reader only wants the sum, it need not see the items. */
struct total {
  leat_mutex lock;
  int64_t sum;
};
LEAT_FN(add_to_total, struct total *, t, int, n) {
  for (int i = 0; i < n; i++) {
    leat_mutex_lock(&t->lock);
    t->sum += i;
    leat_mutex_unlock(&t->lock);
  }
}
static double by_total(void) {
  struct total t = {.sum = 0};
  leat_scope(s);
  int64_t start = leat_now();
  for (int i = 0; i < WRITERS; i++) leat_go(s, add_to_total, &t, EACH);
  must(leat_wait(s));
  if (t.sum != (int64_t)WRITERS * EACH * (EACH - 1) / 2) exit(1);
  return since(start, WRITERS * EACH);
}

/* ---- alone ---- */

#define ALONE(name, prepare, ...) \
  static double name(void) { \
    enum { N = 1000000 }; \
    prepare; \
    int64_t start = leat_now(); \
    for (int i = 0; i < N; i++) { __VA_ARGS__; } \
    return since(start, N); \
  }
struct buffer {
  char bytes[1000];
};
static leat_mutex a_mutex;
static leat_rwmutex an_rwmutex;
static leat_semaphore a_semaphore = LEAT_SEMAPHORE(1);
static leat_waitgroup a_group;
static leat_event an_event;
static leat_once a_once;
static leat_pool(struct buffer) a_cache, some = {.limit = 1};
static void nothing(void *unused) { (void)unused; }
ALONE(mutex_alone, , leat_mutex_lock(&a_mutex), leat_mutex_unlock(&a_mutex))
ALONE(read_lock_alone, , leat_rwmutex_rlock(&an_rwmutex), leat_rwmutex_runlock(&an_rwmutex))
ALONE(semaphore_alone, , must(leat_semaphore_acquire(&a_semaphore, 1)), leat_semaphore_release(&a_semaphore, 1))
ALONE(waitgroup_alone, , leat_waitgroup_add(&a_group, 1), leat_waitgroup_done(&a_group), leat_waitgroup_wait(&a_group))
ALONE(event_alone, leat_event_set(&an_event), leat_event_wait(&an_event))
ALONE(once_alone, , leat_once_do(&a_once, nothing, &a_once))
ALONE(cache_alone, struct buffer *b, must(leat_pool_get(&a_cache, &b)), leat_pool_put(&a_cache, b))
ALONE(limited_alone, struct buffer *b, must(leat_pool_get(&some, &b)), leat_pool_put(&some, b))
ALONE(malloc_alone, char *volatile b, b = malloc(sizeof(struct buffer)), free(b))
ALONE(channel_alone, leat_scope(s); leat_chan(int) c = leat_chan_make(s, int, 1); int v, must(leat_send(c, i)), must(leat_recv(c, &v)))

static const struct way ways[] = {
  {"two take turns, both once", "condition", turns_by_cond},
  {"", "channels of capacity 1", turns_by_channel},
  {"one tells 100, for each", "condition, broadcast", broadcast_by_cond},
  {"", "closing a channel, a new one each time", broadcast_by_close},
  {"", "100 channels", broadcast_by_channels},
  {"1% writes, reads of 4 words", "mutex", short_by_mutex},
  {"", "rwmutex", short_by_rwmutex},
  {"1% writes, reads of 1,000 words", "mutex", long_by_mutex},
  {"", "rwmutex", long_by_rwmutex},
  {"50% writes, reads of 4 words", "mutex", half_by_mutex},
  {"", "rwmutex", half_by_rwmutex},
  {"8 writers, one reader, an item", "unbuffered channel", by_unbuffered_channel},
  {"", "channel of capacity 128", by_buffered_channel},
  {"", "the same, received in batches", by_batches},
  {"", "ring of 128, mutex, two conditions", by_queue},
  {"", "only a sum, mutex", by_total},
  {"alone, nobody else there", "mutex, lock and unlock", mutex_alone},
  {"", "rwmutex, lock to read and unlock", read_lock_alone},
  {"", "semaphore, acquire and release", semaphore_alone},
  {"", "channel of capacity 1, send and receive", channel_alone},
  {"", "waitgroup, add, done and wait", waitgroup_alone},
  {"", "event that is set, wait", event_alone},
  {"", "once that is done", once_alone},
  {"", "pool, cache: get and put", cache_alone},
  {"", "pool, limited: get and put", limited_alone},
  {"", "malloc and free", malloc_alone},
};
enum { WAYS = sizeof ways / sizeof *ways };

static int by_value(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

LEAT_FN(run_all, double (*)[ROUNDS], figures) {
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < WAYS; i++) figures[i][round] = ways[i].run();
}

LEAT_MAIN(argc, argv) {
  static double figures[WAYS][ROUNDS];
  leat_scope(s);
  leat_go(s, run_all, figures); /* not on the main goroutine, which has to run on the main thread */
  must(leat_wait(s));
  printf("%d workers, ns\n", leat_workers());
  for (int i = 0; i < WAYS; i++) {
    qsort(figures[i], ROUNDS, sizeof **figures, by_value);
    printf("%-32s %-42s %8.1f\n", ways[i].question, ways[i].name, figures[i][ROUNDS / 2]);
  }
  return 0;
}
