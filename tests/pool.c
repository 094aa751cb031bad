/* Pools: the cache (reuse, trimming, moving between workers), the fixed number (blocking, order, failures of make, discard), misuse, memory,
 * plain threads, and storms.
 *
 * Go's sync/pool_test.go, and what covers it here:
 *   TestPool            what_was_put_is_found_again, what_is_not_used_is_dropped_after_a_while
 *   TestPoolNew         make_is_called_when_there_is_nothing
 *   TestPoolGC          what_is_not_used_is_dropped_after_a_while: nothing that was dropped is held on to, or a sanitizer would see it
 *   TestPoolRelease     clear_drops_all
 *   TestPoolStress      storms_of_a_cache_on_1_2_and_8_workers
 *   TestPoolDequeue     nothing_is_lost_or_doubled
 *   TestPoolChain       the same: there is one kind of part
 *   TestNilPool         does not apply: the type of a pool is checked, a null pointer to one is the caller's fault as anywhere in C
 *   Benchmark...        no tests; bench/compare has them */
#include "wait.h"

#include <pthread.h>

static const int worker_counts[] = {1, 2, 8};
static atomic_int made, dropped, got, answer;

struct thing {
  int number;
  atomic_int users;
};
typedef leat_pool(struct thing) thing_pool;

static int make_thing(struct thing **t, void *unused) {
  (void)unused;
  *t = calloc(1, sizeof **t);
  (*t)->number = ++made;
  return LEAT_OK;
}
static void drop_thing(struct thing *t, void *unused) {
  (void)unused;
  CHECK_EQ(t->users, 0);
  dropped++;
  free(t);
}
#define THINGS(...) {.make = make_thing, .drop = drop_thing, __VA_ARGS__}

static struct thing *must_get(thing_pool *p) {
  struct thing *t;
  CHECK_EQ(leat_pool_get(p, &t), LEAT_OK);
  CHECK_EQ(t->users++, 0);
  return t;
}
static void put_back(thing_pool *p, struct thing *t) {
  CHECK_EQ(--t->users, 0);
  leat_pool_put(p, t);
}
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

/* The cache. */

TEST_GO(what_was_put_is_found_again) {
  thing_pool p = THINGS();
  struct thing *t[100];
  for (int i = 0; i < 100; i++) t[i] = must_get(&p);
  CHECK_EQ(made, 100);
  CHECK_EQ(leat_pool_len(&p), 0);
  for (int i = 0; i < 100; i++) put_back(&p, t[i]);
  CHECK_EQ(leat_pool_len(&p), 100);
  for (int i = 0; i < 100; i++) t[i] = must_get(&p);
  CHECK_EQ(made, 100);
  for (int i = 0; i < 100; i++) put_back(&p, t[i]);
  CHECK_EQ(dropped, 0);
  leat_pool_free(&p);
  CHECK_EQ(dropped, 100);
  put_back(&p, must_get(&p)); /* it is a pool again */
  leat_pool_free(&p);
  CHECK_EQ(dropped, 101);
}
TEST_GO(make_is_called_when_there_is_nothing) {
  static thing_pool p = THINGS(); /* and a static one needs no free */
  struct thing *t[4];
  for (int i = 0; i < 4; i++) CHECK_EQ((t[i] = must_get(&p))->number, i + 1);
  put_back(&p, t[3]);
  CHECK(must_get(&p) == t[3]);
  CHECK_EQ(made, 4);
  for (int i = 0; i < 4; i++) put_back(&p, t[i]);
}
TEST_GO(a_zeroed_pool_gives_zeroed_memory) {
  struct odd {
    char bytes[100];
  } *o;
  struct wide {
    _Alignas(64) int64_t n[9];
  } *w[20];
  leat_pool(struct odd) odds = {0};
  leat_pool(struct wide) wides = {0};
  leat_pool(int[1000]) arrays = {0};
  leat_pool(const char *) words = {0};
  CHECK_EQ(leat_pool_get(&odds, &o), LEAT_OK);
  for (size_t i = 0; i < sizeof *o; i++) CHECK_EQ(o->bytes[i], 0);
  o->bytes[7] = 1;
  leat_pool_put(&odds, o);
  CHECK_EQ(leat_pool_get(&odds, &o), LEAT_OK);
  CHECK_EQ(o->bytes[7], 1); /* as it was put */
  leat_pool_put(&odds, o);
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(leat_pool_try_get(&wides, &w[i]), LEAT_OK);
    CHECK_EQ((uintptr_t)w[i] % 64, 0);
    CHECK_EQ(w[i]->n[8], 0);
  }
  for (int i = 0; i < 20; i++) leat_pool_put(&wides, w[i]);
  int(*array)[1000];
  const char **word;
  CHECK_EQ(leat_pool_get(&arrays, &array), LEAT_OK);
  (*array)[999] = 1;
  leat_pool_put(&arrays, array);
  CHECK_EQ(leat_pool_get_until(&words, &word, LEAT_NEVER), LEAT_OK);
  *word = "word";
  leat_pool_discard(&words, word);
  leat_pool_free(&odds);
  leat_pool_free(&wides);
  leat_pool_free(&arrays);
  leat_pool_free(&words);
}
static int fails_to_make(struct thing **t, void *status) {
  *t = (struct thing *)status;
  return *(int *)status;
}
TEST_GO(a_failure_to_make_is_the_answer) {
  int status = LEAT_SYSTEM(111);
  struct thing *t = (struct thing *)&status;
  thing_pool cache = {.make = fails_to_make, .drop = drop_thing, .environment = &status};
  thing_pool limited = {.make = fails_to_make, .drop = drop_thing, .environment = &status, .limit = 1};
  CHECK_EQ(leat_pool_get(&cache, &t), LEAT_SYSTEM(111));
  CHECK(t == NULL);
  for (int i = 0; i < 3; i++) { /* each time the right to make one is given back */
    t = (struct thing *)&status;
    CHECK_EQ(leat_pool_get(&limited, &t), LEAT_SYSTEM(111));
    CHECK(t == NULL);
  }
  leat_pool_put(&cache, t); /* NULL is nothing */
  leat_pool_put(&limited, t);
  leat_pool_discard(&limited, t);
  CHECK_EQ(leat_pool_len(&cache), 0);
  leat_pool_free(&cache);
  leat_pool_free(&limited);
}
TEST_GO(the_cache_does_not_mind_cancellation) {
  thing_pool p = THINGS();
  leat_scope(s);
  leat_cancel(s);
  put_back(&p, must_get(&p));
  put_back(&p, must_get(&p));
  CHECK_EQ(made, 1);
  leat_pool_free(&p);
}
TEST_GO(clear_drops_all) {
  thing_pool p = THINGS();
  struct thing *t[200], *out = must_get(&p);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 200; i++) t[i] = must_get(&p);
    for (int i = 0; i < 200; i++) put_back(&p, t[i]);
    leat_pool_clear(&p);
    CHECK_EQ(leat_pool_len(&p), 0);
    CHECK_EQ(dropped, 200 * (round + 1));
  }
  put_back(&p, out); /* which was out meanwhile */
  CHECK_EQ(leat_pool_len(&p), 1);
  leat_pool_free(&p);
}
TEST_GO(discard_drops_one) {
  thing_pool p = THINGS();
  struct thing *t = must_get(&p);
  t->users = 0;
  leat_pool_discard(&p, t);
  CHECK_EQ(dropped, 1);
  CHECK_EQ(leat_pool_len(&p), 0);
  leat_pool_free(&p);
}
/* A thousand were needed once, two are needed all the time. */
TEST_GO(what_is_not_used_is_dropped_after_a_while) {
  enum { N = 1000, NEEDED = 3 };
  thing_pool p = THINGS();
  struct thing *t[N], *needed[NEEDED];
  CHECK_EQ(leat_set_workers(1), LEAT_OK);
  for (int i = 0; i < N; i++) t[i] = must_get(&p);
  for (int i = 0; i < N; i++) put_back(&p, t[i]);
  int64_t start = leat_now();
  while (leat_pool_len(&p) > 2 * NEEDED) {
    for (int i = 0; i < NEEDED; i++) needed[i] = must_get(&p);
    for (int i = 0; i < NEEDED; i++) put_back(&p, needed[i]);
    CHECK_EQ(made, N); /* what is needed stays */
    leat_yield();
  }
  CHECK(leat_now() - start >= LEAT_MS(900)); /* not at the first look */
  CHECK(dropped >= N - 2 * NEEDED);
  leat_pool_free(&p);
  CHECK_EQ(dropped, N);
}
static thing_pool dropping; /* whose drop function uses it */
static void drop_that_puts(struct thing *t, void *unused) {
  struct thing *other;
  if (made < 4 && leat_pool_try_get(&dropping, &other) == LEAT_OK) leat_pool_put(&dropping, other);
  drop_thing(t, unused);
}
TEST_GO(drop_may_use_the_pool) {
  dropping.make = make_thing;
  dropping.drop = drop_that_puts;
  put_back(&dropping, must_get(&dropping));
  leat_pool_clear(&dropping);
  leat_pool_clear(&dropping);
  CHECK(dropped >= 1);
}

/* Many goroutines, that move between workers while they hold one, and threads. Each object has one user at a time. */
LEAT_FN(cache_user, thing_pool *, p, int, n, uint32_t, seed) {
  enum { MOST = 5 };
  struct thing *t[MOST];
  for (int i = 0; i < n; i++) {
    uint32_t k = next_random(&seed) % MOST + 1;
    for (uint32_t j = 0; j < k; j++) {
      t[j] = must_get(p);
      if (next_random(&seed) % 2) leat_yield();
    }
    for (uint32_t j = 0; j < k; j++) {
      if (next_random(&seed) % 2) leat_yield();
      put_back(p, t[j]);
    }
    if (next_random(&seed) % 256 == 0) leat_pool_clear(p);
  }
}
struct of_thread {
  thing_pool *pool;
  int n;
  uint32_t seed;
};
static void *cache_thread(void *arg) {
  struct of_thread *a = arg;
  for (int i = 0; i < a->n; i++) put_back(a->pool, must_get(a->pool));
  return NULL;
}
TEST_GO(storms_of_a_cache_on_1_2_and_8_workers) {
  int n = (int)test_scale(500) + 5;
  for (int k = 0; k < 3; k++) {
    CHECK_EQ(leat_set_workers(worker_counts[k]), LEAT_OK);
    thing_pool p = THINGS();
    pthread_t threads[2];
    struct of_thread of_thread = {&p, n, 0};
    uint32_t seed = (uint32_t)k;
    leat_scope(s);
    for (int i = 0; i < 10; i++) leat_go(s, cache_user, &p, n, next_random(&seed));
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, cache_thread, &of_thread), 0);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(leat_pool_len(&p), made - dropped);
    leat_pool_free(&p);
    CHECK_EQ(made, dropped);
  }
}
/* After TestPoolDequeue: one puts, others take; all arrive, each once. */
typedef leat_pool(int) int_pool;
LEAT_FN(take_all, int_pool *, p, atomic_char *, seen, atomic_int *, left) {
  while (*left > 0) {
    int *number;
    CHECK_EQ(leat_pool_get(p, &number), LEAT_OK);
    if (*number) { /* else it was made for want of another */
      CHECK_EQ(seen[*number]++, 0);
      --*left;
    } else {
      leat_yield();
    }
    free(number);
  }
}
TEST_GO(nothing_is_lost_or_doubled) {
  int n = (int)test_scale(20000) + 100;
  int_pool p = {0};
  atomic_int left = n;
  atomic_char *seen = calloc((size_t)n + 1, sizeof *seen);
  leat_scope(s);
  CHECK_EQ(leat_set_workers(4), LEAT_OK);
  for (int i = 0; i < 5; i++) leat_go(s, take_all, &p, seen, &left);
  for (int i = 1; i <= n; i++) {
    int *number = malloc(sizeof *number);
    *number = i;
    leat_pool_put(&p, number); /* what was not got from it may be put, too */
    if (i % 100 == 0) leat_yield();
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 1; i <= n; i++) CHECK_EQ(seen[i], 1);
  leat_pool_free(&p);
  free(seen);
}
TEST(threads_alone_can_use_it) {
  thing_pool p = THINGS();
  pthread_t threads[3];
  struct of_thread of_thread = {&p, (int)test_scale(3000), 0};
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, cache_thread, &of_thread), 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  leat_pool_free(&p);
  CHECK_EQ(made, dropped);
}

/* A fixed number. */

LEAT_FN(get_one, thing_pool *, p) {
  struct thing *t = must_get(p);
  got++;
  put_back(p, t);
}
LEAT_FN(get_one_until, thing_pool *, p, int64_t, deadline) {
  struct thing *t = (struct thing *)p;
  answer = leat_pool_get_until(p, &t, deadline);
  CHECK((t == NULL) == (answer != LEAT_OK));
  got++;
}
TEST_GO(no_more_than_the_limit_are_made_and_only_when_they_are_needed) {
  thing_pool p = THINGS(.limit = 3);
  struct thing *t[3], *none;
  for (int round = 0; round < 3; round++) put_back(&p, must_get(&p));
  CHECK_EQ(made, 1);
  for (int i = 0; i < 3; i++) t[i] = must_get(&p);
  CHECK_EQ(made, 3);
  CHECK_EQ(leat_pool_try_get(&p, &none), LEAT_EMPTY);
  CHECK(none == NULL);
  int64_t start = leat_now();
  CHECK_EQ(leat_pool_get_until(&p, &none, start + LEAT_MS(5)), LEAT_DEADLINE);
  CHECK(leat_now() >= start + LEAT_MS(5));
  CHECK_EQ(leat_pool_get_until(&p, &none, 1), LEAT_DEADLINE);
  for (int i = 0; i < 3; i++) put_back(&p, t[i]);
  CHECK_EQ(leat_pool_len(&p), 3);
  CHECK_EQ(leat_pool_get_until(&p, &t[0], 1), LEAT_OK); /* there is one: the time does not matter */
  leat_pool_put(&p, t[0]);
  leat_pool_free(&p);
  CHECK_EQ(dropped, 3);
}
LEAT_FN(take_turn, thing_pool *, p, int, number) {
  struct thing *t = must_get(p);
  CHECK_EQ(got, number); /* nobody else has it now */
  got++;
  put_back(p, t);
}
TEST_GO(first_come_first_served) {
  thing_pool p = THINGS(.limit = 1);
  struct thing *t = must_get(&p);
  leat_scope(s);
  for (int i = 0; i < 30; i++) {
    leat_go(s, take_turn, &p, i);
    wait_blocked("take_turn", (size_t)i + 1);
  }
  put_back(&p, t);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(got, 30);
  CHECK_EQ(made, 1);
  leat_pool_free(&p);
}
TEST_GO(a_cancel_ends_the_wait) {
  thing_pool p = THINGS(.limit = 1);
  struct thing *t = must_get(&p), *none;
  leat_scope(s);
  {
    leat_scope(unlucky);
    leat_go(unlucky, get_one_until, &p, LEAT_NEVER);
    wait_blocked("get_one_until", 1);
    leat_go(s, get_one, &p);
    wait_blocked("(get_one)", 1);
    leat_cancel(unlucky);
    CHECK_EQ(leat_wait(unlucky), LEAT_CANCELED);
    CHECK_EQ(answer, LEAT_CANCELED);
    CHECK_EQ(leat_pool_get(&p, &none), LEAT_CANCELED);
    CHECK_EQ(leat_pool_try_get(&p, &none), LEAT_CANCELED);
  }
  put_back(&p, t);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(got, 2);
  leat_pool_free(&p);
}
TEST_GO(discard_lets_another_be_made) {
  thing_pool p = THINGS(.limit = 1);
  struct thing *t = must_get(&p);
  leat_scope(s);
  leat_go(s, get_one, &p);
  wait_blocked("get_one", 1);
  t->users = 0;
  leat_pool_discard(&p, t);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(made, 2);
  CHECK_EQ(dropped, 1);
  leat_pool_free(&p);
}
static leat_event may_fail;
static int fails_slowly(struct thing **t, void *unused) {
  (void)t, (void)unused;
  made++;
  leat_event_wait(&may_fail);
  return LEAT_FAILED;
}
TEST_GO(a_failure_to_make_lets_the_next_one_try) {
  thing_pool p = {.make = fails_slowly, .drop = drop_thing, .limit = 1};
  leat_scope(s);
  for (int i = 0; i < 5; i++) leat_go(s, get_one_until, &p, LEAT_NEVER);
  wait_blocked("get_one_until", 5);
  CHECK_EQ(made, 1);
  leat_event_set(&may_fail);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(made, 5);
  CHECK_EQ(answer, LEAT_FAILED);
  leat_pool_free(&p);
}
static int panics(struct thing **t, void *unused) {
  (void)t, (void)unused;
  if (made++ < 3) leat_panic("no luck");
  return make_thing(t, unused);
}
TEST_GO(a_panic_in_make_lets_the_next_one_try) {
  thing_pool p = {.make = panics, .drop = drop_thing, .limit = 1};
  leat_scope(s);
  leat_keep_going(s);
  for (int i = 0; i < 5; i++) leat_go(s, get_one, &p);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(got, 2);
  leat_pool_free(&p);
}
static void drop_panics(struct thing *t, void *unused) {
  drop_thing(t, unused);
  leat_panic("no luck");
}
LEAT_FN(get_and_discard, thing_pool *, p) {
  struct thing *t = must_get(p);
  t->users = 0;
  leat_pool_discard(p, t);
}
TEST_GO(a_panic_in_drop_lets_another_be_made) {
  thing_pool p = {.make = make_thing, .drop = drop_panics, .limit = 1};
  leat_scope(s);
  leat_keep_going(s);
  for (int i = 0; i < 5; i++) leat_go(s, get_and_discard, &p);
  CHECK_EQ(leat_wait(s), LEAT_PANIC);
  CHECK_EQ(dropped, 5);
  leat_pool_free(&p);
}

/* Misuse. */

static int makes_nothing(struct thing **t, void *unused) {
  (void)t, (void)unused;
  return LEAT_OK;
}
LEAT_FN(put_one, thing_pool *, p, struct thing *, t) { leat_pool_put(p, t); }
LEAT_FN(discard_one, thing_pool *, p, struct thing *, t) { leat_pool_discard(p, t); }
LEAT_FN(free_it, thing_pool *, p) { leat_pool_free(p); }
#define PANICS(text, ...) \
  do { \
    leat_scope(s); \
    leat_go(s, __VA_ARGS__); \
    CHECK_EQ(leat_wait(s), LEAT_PANIC); \
    CHECK(strstr(leat_failure_of(s)->message, text) != NULL); \
  } while (0)
TEST_GO(putting_more_than_is_out_is_misuse) {
  thing_pool p = THINGS(.limit = 2);
  struct thing one = {0};
  PANICS("leat_pool_put: none of the objects", put_one, &p, &one);
  PANICS("leat_pool_discard: none of the objects", discard_one, &p, &one);
  put_back(&p, must_get(&p));
  PANICS("leat_pool_put: none of the objects", put_one, &p, &one);
  leat_pool_free(&p);
}
TEST_GO(freeing_a_pool_whose_objects_are_out_is_misuse) {
  thing_pool p = THINGS(.limit = 2);
  struct thing *t = must_get(&p);
  PANICS("1 objects of the pool", free_it, &p);
  put_back(&p, t);
  leat_pool_free(&p);
}
TEST_GO(a_make_that_makes_nothing_is_misuse) {
  thing_pool p = {.make = makes_nothing, .drop = drop_thing};
  PANICS("answered LEAT_OK, and no object", get_one, &p);
  leat_pool_free(&p);
}
TEST_GO(putting_twice_is_misuse_in_debug_builds) {
  const char *variant = getenv("VARIANT");
  if (!variant || !strstr(variant, "debug")) TEST_SKIP("this build does not check");
  thing_pool cache = THINGS(), limited = THINGS(.limit = 3);
  struct thing *in_cache = must_get(&cache), *in_limited = must_get(&limited), *out = must_get(&limited);
  for (int i = 0; i < 20; i++) put_back(&cache, must_get(&cache));
  put_back(&cache, in_cache);
  put_back(&limited, in_limited);
  PANICS("put twice", put_one, &cache, in_cache);
  PANICS("put twice", put_one, &limited, in_limited);
  PANICS("put twice", discard_one, &cache, in_cache);
  put_back(&limited, out);
  leat_pool_free(&cache);
  leat_pool_free(&limited);
}

/* Storms: never more than the limit exist, each has one user, all waits end. */
LEAT_FN(limited_user, thing_pool *, p, int, n, uint32_t, seed) {
  for (int i = 0; i < n; i++) {
    struct thing *t;
    int status;
    switch (next_random(&seed) % 4) {
    case 0: status = leat_pool_try_get(p, &t); break;
    case 1: status = leat_pool_get_until(p, &t, leat_now() + next_random(&seed) % 100000); break;
    default: status = leat_pool_get(p, &t);
    }
    CHECK((status == LEAT_OK) == (t != NULL));
    if (status == LEAT_CANCELED) return;
    if (status) continue;
    CHECK_EQ(t->users++, 0);
    CHECK(made - dropped <= (int)p->limit);
    for (uint32_t k = next_random(&seed) % 3; k; k--) leat_yield();
    t->users--;
    if (next_random(&seed) % 8) leat_pool_put(p, t);
    else leat_pool_discard(p, t);
    if (next_random(&seed) % 64 == 0) leat_pool_clear(p);
  }
}
static void *limited_thread(void *arg) {
  struct of_thread *a = arg;
  limited_user(a->pool, a->n, a->seed);
  return NULL;
}
TEST_GO(storms_of_a_fixed_number_on_1_2_and_8_workers) {
  int n = (int)test_scale(300) + 5;
  for (int k = 0; k < 6; k++) {
    CHECK_EQ(leat_set_workers(worker_counts[k / 2]), LEAT_OK);
    thing_pool p = THINGS(.limit = (size_t)(1 + k % 2 * 3));
    uint32_t seed = (uint32_t)k;
    pthread_t threads[2];
    struct of_thread of_thread = {&p, n, 77};
    leat_scope(s);
    leat_scope(unlucky);
    for (int i = 0; i < 12; i++) leat_go(i % 3 ? s : unlucky, limited_user, &p, n, next_random(&seed));
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, limited_thread, &of_thread), 0);
    for (int i = 0; i < 20; i++) leat_yield();
    leat_cancel(unlucky);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(leat_wait(unlucky), LEAT_CANCELED);
    CHECK_EQ(leat_pool_len(&p), made - dropped);
    leat_pool_free(&p);
    CHECK_EQ(made, dropped);
  }
}

/* A part's first object is taken and put while another thread clears the same place. */
static thing_pool cleared = THINGS();
static atomic_bool stop_clearing;
static void *clears_all_the_time(void *unused) {
  (void)unused;
  while (!stop_clearing) leat_pool_clear(&cleared);
  return NULL;
}
LEAT_FN(takes_and_puts, int, times) {
  for (int i = 0; i < times; i++) {
    struct thing *t = must_get(&cleared);
    for (volatile int k = 0; k < i % 2000; k++) {}
    put_back(&cleared, t);
    for (volatile int k = 0; k < i % 50; k++) {}
  }
}
TEST_GO(nothing_is_lost_to_who_clears_meanwhile) {
  pthread_t clearer;
  CHECK_EQ(pthread_create(&clearer, NULL, clears_all_the_time, NULL), 0);
  {
    leat_scope(s);
    leat_go(s, takes_and_puts, (int)test_scale(100000));
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  stop_clearing = true;
  leat_blocking CHECK_EQ(pthread_join(clearer, NULL), 0);
  leat_pool_free(&cleared);
  CHECK_EQ(made, dropped);
}
