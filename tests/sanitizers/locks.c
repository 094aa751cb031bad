/* What locks, counters and errors order, and nothing else does: all data is plain. */
#include "programs.h"
#include <pthread.h>

/* ---- mutex ---- */

static struct {
  leat_mutex lock;
  int n;
  int *latest; /* freed by whoever puts the next one */
} account;
static void deposit(int times) {
  for (int i = 0; i < times; i++) {
    int *mine = malloc(sizeof *mine);
    MUST(mine != NULL);
    leat_locked(&account.lock) {
      *mine = ++account.n;
      free(account.latest);
      account.latest = mine;
    }
    if (i % 3 || leat_mutex_lock_until(&account.lock, leat_now() + LEAT_SECONDS(100))) continue;
    MUST(*account.latest == account.n);
    leat_mutex_unlock(&account.lock);
  }
}
LEAT_FN(deposits, int, times) { deposit(times); }
static void *deposit_on_thread(void *unused) {
  deposit(50);
  return unused;
}
PROGRAM(a_mutex) {
  pthread_t thread;
  leat_scope(s);
  MUST(pthread_create(&thread, NULL, deposit_on_thread, NULL) == 0);
  for (int i = 0; i < 6; i++) leat_go(s, deposits, 50);
  leat_blocking { pthread_join(thread, NULL); }
  MUST(leat_wait(s) == LEAT_OK && account.n == 350 && *account.latest == 350);
  free(account.latest);
}
LEAT_FN(frees_it, leat_mutex *, m) {
  leat_mutex_lock(m);
  free(m);
}
PROGRAM(who_locks_it_last_frees_it) {
  leat_scope(s);
  for (int i = 0; i < 50; i++) {
    leat_mutex *m = calloc(1, sizeof *m);
    leat_mutex_lock(m);
    leat_go(s, frees_it, m);
    if (i % 2) leat_yield();
    leat_mutex_unlock(m);
  }
  MUST(leat_wait(s) == LEAT_OK);
}

/* ---- rwmutex ---- */

static struct {
  leat_rwmutex lock;
  int *cells, size;
} table;
LEAT_FN(grows, int, times) {
  for (int i = 0; i < times; i++) {
    leat_write_locked(&table.lock) {
      int *larger = malloc(sizeof *larger * (size_t)(table.size + 1));
      MUST(larger != NULL);
      for (int k = 0; k < table.size; k++) larger[k] = table.cells[k];
      larger[table.size] = table.size + 1;
      table.size++;
      free(table.cells);
      table.cells = larger;
    }
    if (i % 4 == 0) leat_yield();
  }
}
LEAT_FN(looks, int, times) {
  for (int i = 0; i < times; i++) {
    leat_read_locked(&table.lock) {
      for (int k = 0; k < table.size; k++) MUST(table.cells[k] == k + 1);
      if (i % 8 == 0) leat_yield();
    }
    if (leat_rwmutex_try_rlock(&table.lock)) {
      MUST(!table.size || table.cells[0] == 1);
      leat_rwmutex_runlock(&table.lock);
    }
  }
}
PROGRAM(a_rwmutex) {
  leat_scope(s);
  for (int i = 0; i < 4; i++) {
    leat_go(s, looks, 40);
    if (i % 2) leat_go(s, grows, 20);
  }
  MUST(leat_wait(s) == LEAT_OK && table.size == 40);
  free(table.cells);
}

/* ---- condition ---- */

static struct {
  leat_mutex lock;
  leat_cond not_empty, not_full;
  int *items[4], n;
} queue;
LEAT_FN(puts_in, int, times) {
  for (int i = 1; i <= times; i++) {
    int *item = malloc(sizeof *item);
    *item = i;
    leat_mutex_lock(&queue.lock);
    while (queue.n == 4) MUST(leat_cond_wait(&queue.not_full, &queue.lock) == LEAT_OK);
    queue.items[queue.n++] = item;
    leat_mutex_unlock(&queue.lock);
    leat_cond_signal(&queue.not_empty);
  }
}
LEAT_FN_ERR(takes_out, int *, sum) {
  for (;;) {
    int status = LEAT_OK, *item = NULL;
    leat_locked(&queue.lock) {
      while (!queue.n && !status) status = leat_cond_wait(&queue.not_empty, &queue.lock);
      if (!status) item = queue.items[--queue.n];
    }
    if (status) return status;
    *sum += *item;
    free(item);
    leat_cond_broadcast(&queue.not_full);
  }
}
PROGRAM(a_condition) {
  int sums[3] = {0};
  {
    leat_scope(s);
    for (int i = 0; i < 3; i++) leat_service(s, takes_out, &sums[i]);
    for (int i = 0; i < 3; i++) leat_go(s, puts_in, 40);
    MUST(leat_wait(s) == LEAT_OK);
    for (bool empty = false; !empty; leat_yield()) leat_locked(&queue.lock) empty = !queue.n;
  }
  MUST(sums[0] + sums[1] + sums[2] == 3 * 40 * 41 / 2);
}

/* ---- once, event, waitgroup, semaphore ---- */

static int *configuration;
LEAT_ONCE_VALUE(config, int *) {
  configuration = malloc(sizeof *configuration);
  *configuration = 42;
  return configuration;
}
static leat_once once;
static int set_up;
static void set_it_up(int *place) { *place = 1; }
static void use_both(void) {
  MUST(*config() == 42);
  leat_once_do(&once, set_it_up, &set_up);
  MUST(set_up == 1);
}
LEAT_FN(uses_both, int, unused) {
  (void)unused;
  use_both();
}
static void *use_both_on_thread(void *unused) {
  use_both();
  return unused;
}
PROGRAM(what_is_done_once) {
  pthread_t thread;
  leat_scope(s);
  MUST(pthread_create(&thread, NULL, use_both_on_thread, NULL) == 0);
  for (int i = 0; i < 10; i++) leat_go(s, uses_both, i);
  leat_blocking { pthread_join(thread, NULL); }
  MUST(leat_wait(s) == LEAT_OK);
  free(configuration);
}

struct answer {
  leat_event ready;
  int value;
};
static void *answer_on_thread(void *answer) {
  struct answer *a = answer;
  a->value = 7;
  leat_event_set(&a->ready);
  return NULL;
}
LEAT_FN(answers, struct answer *, a) { answer_on_thread(a); }
static int ask(leat_view s, bool thread) {
  struct answer a = {.value = 0}; /* gone when this returns, which may be before the set does */
  pthread_t t;
  if (thread) {
    MUST(pthread_create(&t, NULL, answer_on_thread, &a) == 0);
    pthread_detach(t);
  } else {
    leat_go(s, answers, &a);
  }
  leat_event_wait(&a.ready);
  return a.value;
}
PROGRAM(an_event_in_the_frame_of_who_waits) {
  leat_scope(s);
  for (int i = 0; i < 60; i++) MUST(ask(s, i % 10 == 0) == 7);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(square, int *, n) { *n *= *n; }
PROGRAM(a_waitgroup) {
  int n[20];
  leat_waitgroup group = {0};
  leat_scope(s);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 20; i++) {
      n[i] = i;
      leat_waitgroup_go(&group, s, square, &n[i]);
    }
    leat_waitgroup_wait(&group);
    for (int i = 0; i < 20; i++) MUST(n[i] == i * i);
  }
}

static leat_semaphore one = LEAT_SEMAPHORE(1), all = LEAT_SEMAPHORE(4);
static int guarded, of_all;
LEAT_FN_ERR(acquires, int, times) {
  for (int i = 0; i < times; i++) {
    if (leat_semaphore_acquire(&one, 1)) return LEAT_FAILED;
    guarded++;
    leat_semaphore_release(&one, 1);
    if (leat_semaphore_acquire_until(&all, 4, leat_now() + LEAT_SECONDS(100))) return LEAT_FAILED;
    of_all++;
    leat_semaphore_release(&all, 4);
  }
  return LEAT_OK;
}
PROGRAM(a_semaphore) {
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, acquires, 30);
  MUST(leat_wait(s) == LEAT_OK && guarded == 150 && of_all == 150);
}

/* ---- pool ---- */

struct buffer {
  int uses;
  char text[32];
};
static leat_pool(struct buffer) cache, connections = {.limit = 2};
LEAT_FN_ERR(borrows, int, times) {
  for (int i = 0; i < times; i++) {
    struct buffer *b, *c;
    if (leat_pool_get(&cache, &b) || leat_pool_get(&connections, &c)) return LEAT_FAILED;
    snprintf(b->text, sizeof b->text, "%d", b->uses++);
    c->uses++;
    if (i % 4 == 0) leat_yield();
    MUST(atoi(b->text) == b->uses - 1);
    leat_pool_put(&cache, b);
    if (i % 7) leat_pool_put(&connections, c);
    else leat_pool_discard(&connections, c);
  }
  return LEAT_OK;
}
PROGRAM(pools) {
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, borrows, 30);
  MUST(leat_wait(s) == LEAT_OK);
  leat_pool_free(&cache);
  leat_pool_free(&connections);
}

/* ---- errors, panics, contexts ---- */

LEAT_ERROR_KIND_OF(bad_number, int);
LEAT_RESULT_DEFINE(int);
LEAT_FN_ERROR(fails, int, n) { return n % 3 ? NULL : leat_error_wrap(leat_error_typed(bad_number, n, "number %d", n), "locks", "cannot use it"); }
LEAT_FN(half, int, n, leat_tx(leat_result(int)), out) {
  leat_result(int) r = n % 2 ? leat_err(int, leat_error_new(LEAT_INVALID, "%d is odd", n)) : leat_ok(int, n / 2);
  if (leat_send(out, r)) leat_error_release(r.error); /* it is still ours */
}
PROGRAM(errors) {
  FILE *out = fopen("/dev/null", "w");
  for (int i = 0; i < 10; i++) {
    leat_scope(s);
    for (int n = 1; n <= 6; n++) leat_go(s, fails, n);
    MUST(leat_wait(s) == LEAT_FAILED && *leat_error_as(leat_error_of(s), bad_number) % 3 == 0);
    leat_error_log(leat_error_of(s), out);
    leat_error_log_json(leat_error_of(s), out);
  }
  fclose(out);
  leat_scope(s);
  leat_chan(leat_result(int)) results = leat_chan_make(s, leat_result(int), 2);
  leat_on_drop(results, leat_result_drop(int));
  for (int n = 0; n < 10; n++) leat_go(s, half, n, leat_tx_of(results));
  for (int n = 0; n < 8; n++) {
    leat_result(int) r;
    MUST(leat_recv(results, &r) == LEAT_OK && (r.error ? leat_error_status(r.error) == LEAT_INVALID : r.value >= 0));
    leat_error_release(r.error);
  } /* two are dropped */
}

static int reports;
static void count_reports(void *lock, const char *line) {
  if (strncmp(line, "leat: panic", 11) == 0) leat_locked((leat_mutex *)lock) reports++;
}
LEAT_FN(panics, leat_mutex *, lock, int *, n) {
  char *text = strdup("some text");
  leat_defer(free, text);
  leat_scope(s);
  leat_go(s, square, n);
  leat_locked(lock) leat_assert(*text == 'S', "%s", text);
}
PROGRAM(contained_panics) {
  static leat_mutex lock, log_lock;
  leat_set_log(count_reports, &log_lock);
  for (int i = 0; i < 10; i++) {
    int n[2] = {2, 3};
    leat_scope(s);
    for (int k = 0; k < 2; k++) leat_go(s, panics, &lock, &n[k]);
    MUST(leat_wait(s) == LEAT_PANIC && leat_error_of(s) != NULL);
    leat_locked(&lock) MUST(n[0] <= 4 && n[1] <= 9);
  }
  leat_set_log(NULL, NULL);
  MUST(reports >= 10 && reports <= 20); /* the second may be cancelled before it starts */
}

LEAT_FN(writes_at_the_end, int *, place) {
  leat_sleep(LEAT_SECONDS(100));
  *place = 1;
}
LEAT_FN(reads_then, struct leat_scope *, ctx, const int *, place) {
  MUST(leat_wait(ctx) == LEAT_CANCELED);
  MUST(*place == 1);
}
PROGRAM(a_context_that_is_released_while_others_wait_for_it) {
  for (int i = 0; i < 10; i++) {
    int place = 0;
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_go(ctx, writes_at_the_end, &place);
    for (int k = 0; k < 3; k++) leat_go(s, reads_then, ctx, &place);
    leat_sleep(LEAT_MS(1)); /* those who have not called yet would call too late */
    while (leat_scope_goroutines(s) < 4) leat_yield();
    leat_sleep(LEAT_MS(5));
    leat_context_release(ctx);
    MUST(place == 1 && leat_wait(s) == LEAT_OK);
  }
}
