/* Permission: one for each id; waiting while another has it, what is used and what is given back, cancelled at each point, how many are remembered, misuse, storms. */
#include "wait.h"

#include <pthread.h>

typedef leat_permission(int) permission;

TEST_GO(one_is_granted_for_each_id) {
  permission p = {0};
  leat_grant one, two;
  CHECK_EQ(leat_ask(&p, 1, &one), LEAT_OK);
  CHECK_EQ(leat_try_ask(&p, 1, &two), LEAT_FULL);
  CHECK_EQ(leat_ask(&p, 2, &two), LEAT_OK);
  leat_grant_use(&one);
  CHECK_EQ(leat_ask(&p, 1, &one), LEAT_CLOSED);
  leat_grant_return(&one); /* nothing */
  leat_grant_return(&two);
  leat_grant_return(&two);
  CHECK_EQ(leat_ask(&p, 2, &one), LEAT_OK);
  leat_grant_use(&one);
  leat_permission_free(&p);
  CHECK_EQ(leat_ask(&p, 1, &one), LEAT_OK);
  leat_grant_return(&one);
  leat_permission_free(&p);
}
LEAT_FN(ask_and_say, permission *, p, int, id, atomic_int *, answer) {
  leat_grant grant;
  int status = leat_ask(p, id, &grant);
  if (!status) leat_grant_use(&grant);
  *answer = status ? status : 1;
}
TEST_GO(who_asks_waits_while_another_has_it) {
  for (int use = 0; use < 2; use++) {
    atomic_int answers[3] = {0, 0, 0};
    permission p = {0};
    leat_grant grant;
    leat_scope(s);
    CHECK_EQ(leat_ask(&p, 1, &grant), LEAT_OK);
    for (int i = 0; i < 3; i++) leat_go(s, ask_and_say, &p, 1, &answers[i]);
    wait_blocked("ask_and_say", 3);
    if (use) leat_grant_use(&grant);
    else leat_grant_return(&grant);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    int sum = answers[0] + answers[1] + answers[2];
    CHECK_EQ(sum, use ? 3 * LEAT_CLOSED : 1 + 2 * LEAT_CLOSED);
    leat_permission_free(&p);
  }
}
TEST_GO(asking_ends_with_the_scope_and_at_the_deadline) {
  static atomic_int answer;
  permission p = {0};
  leat_grant grant, other;
  CHECK_EQ(leat_ask(&p, 1, &grant), LEAT_OK);
  CHECK_EQ(leat_ask_until(&p, 1, leat_now() + LEAT_MS(1), &other), LEAT_DEADLINE);
  CHECK_EQ(leat_ask_until(&p, 1, 1, &other), LEAT_DEADLINE);
  leat_grant_return(&other);
  {
    leat_scope(s);
    leat_go(s, ask_and_say, &p, 1, &answer);
    wait_blocked("ask_and_say", 1);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
    CHECK_EQ(answer, LEAT_CANCELED);
    CHECK_EQ(leat_ask(&p, 2, &other), LEAT_CANCELED);
    CHECK_EQ(leat_try_ask(&p, 2, &other), LEAT_CANCELED);
  }
  leat_grant_use(&grant);
  CHECK_EQ(leat_ask_until(&p, 2, 1, &other), LEAT_OK); /* nobody has it: the time does not matter */
  leat_grant_use(&other);
  leat_permission_free(&p);
}

/* Two do the same work, of which one is cancelled, fails or panics, at each point. The message is sent once, unless neither could. */

enum { BEFORE, ASKED, SENT, POINTS };
enum { BY_CANCEL, BY_RETURN, BY_PANIC, WAYS };
static int end_at, end_by;
static atomic_int sent;
static int come_by(int point) {
  if (point != end_at) return LEAT_OK;
  if (end_by == BY_PANIC) leat_panic("at point %d", point);
  if (end_by == BY_RETURN) return LEAT_FULL;
  return leat_sleep(LEAT_SECONDS(1000)); /* until it is cancelled */
}
LEAT_FN(deliver, permission *, p, leat_tx(int), out, bool, unlucky) {
  leat_grant grant;
  if (unlucky && come_by(BEFORE)) return;
  if (leat_ask(p, 7, &grant)) return;
  leat_defer(leat_grant_return, &grant);
  if (unlucky && come_by(ASKED)) return;
  if (leat_send(out, 1)) return;
  leat_grant_use(&grant);
  sent++;
  if (unlucky) come_by(SENT);
}
TEST_GO(whoever_fails_lets_the_other_do_it) {
  for (end_by = BY_CANCEL; end_by < WAYS; end_by++)
    for (end_at = BEFORE; end_at < POINTS; end_at++) {
      permission p = {0};
      sent = 0;
      leat_scope(s);
      leat_scope(first);
      leat_chan(int) c = leat_chan_make(s, int, 2);
      leat_go(first, deliver, &p, leat_tx_of(c), true);
      if (end_by == BY_CANCEL) wait_blocked("deliver", 1);
      else if (end_at != BEFORE) UNTIL(leat_scope_goroutines(first) == 0);
      leat_go(s, deliver, &p, leat_tx_of(c), false);
      if (end_by == BY_CANCEL && end_at == ASKED) wait_blocked("deliver", 2); /* one sleeps, the other waits for its grant */
      if (end_by == BY_CANCEL) leat_cancel(first);
      int status = leat_wait(first);
      CHECK_EQ(status, end_by == BY_CANCEL ? LEAT_CANCELED : end_by == BY_PANIC ? LEAT_PANIC : LEAT_OK);
      leat_shield(apart);
      UNTIL(sent == 1);
      int v;
      CHECK_EQ(leat_recv(c, &v), LEAT_OK);
      UNTIL(leat_scope_goroutines(s) == 0);
      CHECK_EQ(leat_try_recv(c, &v), LEAT_EMPTY);
      CHECK_EQ(sent, 1);
      leat_permission_free(&p);
    }
}

/* Memory. */

TEST_GO(so_many_are_remembered) {
  permission p = {.most = 3};
  leat_grant grant, kept;
  CHECK_EQ(leat_ask(&p, -1, &kept), LEAT_OK); /* out: it is not counted, and not forgotten */
  for (int id = 0; id < 1000; id++) {
    CHECK_EQ(leat_ask(&p, id, &grant), LEAT_OK);
    leat_grant_use(&grant);
    for (int back = 0; back < 3 && back <= id; back++) CHECK_EQ(leat_ask(&p, id - back, &grant), LEAT_CLOSED);
    CHECK_EQ(leat_try_ask(&p, -1, &grant), LEAT_FULL);
  }
  CHECK_EQ(leat_ask(&p, 5, &grant), LEAT_OK); /* forgotten */
  leat_grant_return(&grant);
  leat_grant_use(&kept);
  leat_permission_free(&p);
}
TEST_GO(ids_that_are_strings_and_structs) {
  leat_permission(const char *) p = {0};
  struct id { int a, b; };
  leat_permission(struct id) q = {0};
  leat_grant grant;
  char a[] = "same", b[] = "same";
  CHECK_EQ(leat_ask(&p, a, &grant), LEAT_OK);
  leat_grant_use(&grant);
  memset(a, 'x', 4);
  CHECK_EQ(leat_ask(&p, b, &grant), LEAT_CLOSED);
  CHECK_EQ(leat_ask(&q, ((struct id){1, 2}), &grant), LEAT_OK);
  leat_grant_use(&grant);
  CHECK_EQ(leat_ask(&q, ((struct id){1, 2}), &grant), LEAT_CLOSED);
  CHECK_EQ(leat_ask(&q, ((struct id){2, 2}), &grant), LEAT_OK);
  leat_grant_use(&grant);
  leat_permission_free(&p);
  leat_permission_free(&q);
}

/* Misuse. */

LEAT_FN(use_twice, permission *, p) {
  leat_grant grant;
  CHECK_EQ(leat_ask(p, 1, &grant), LEAT_OK);
  leat_grant_use(&grant);
  leat_grant_use(&grant);
}
LEAT_FN(free_it, permission *, p) { leat_permission_free(p); }
TEST_GO(to_use_what_is_not_out_and_to_free_while_some_are_is_misuse) {
  permission p = {0};
  leat_grant grant;
  CHECK_PANICS("the grant is not out", use_twice, &p);
  CHECK_EQ(leat_ask(&p, 2, &grant), LEAT_OK);
  CHECK_PANICS("1 of its grants are out", free_it, &p);
  leat_grant_return(&grant);
  leat_permission_free(&p);
}

/* Storms: each id is used once, whoever gives it back and whoever is cancelled. */

enum { IDS = 200 };
static atomic_int used[IDS], holders[IDS];
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}
LEAT_FN(try_all, permission *, p, uint32_t, seed, bool, stays) {
  for (int i = 0; i < IDS; i++) {
    leat_grant grant;
    int id = i, status = next_random(&seed) % 3 || stays ? leat_ask(p, id, &grant) : leat_ask_until(p, id, leat_now() + next_random(&seed) % 20000, &grant);
    if (status == LEAT_CANCELED) return;
    if (status) continue;
    leat_defer(leat_grant_return, &grant);
    CHECK_EQ(holders[id]++, 0);
    leat_yield();
    holders[id]--;
    if (!stays && next_random(&seed) % 2) continue;
    used[id]++;
    leat_grant_use(&grant);
  }
}
static void *thread_tries(void *p) {
  try_all(p, 99, false);
  return NULL;
}
static void storm(int workers) {
  permission p = {0};
  pthread_t thread;
  CHECK_EQ(leat_set_workers(workers), LEAT_OK);
  for (int i = 0; i < IDS; i++) used[i] = 0;
  {
    leat_scope(s);
    leat_scope(unlucky);
    for (uint32_t i = 0; i < 3; i++) leat_go(unlucky, try_all, &p, i, false);
    CHECK_EQ(pthread_create(&thread, NULL, thread_tries, &p), 0);
    for (uint32_t i = 0; i < 5; i++) leat_go(s, try_all, &p, i + 10, i == 0);
    for (int i = 0; i < 20; i++) leat_yield();
    leat_cancel(unlucky);
    CHECK_EQ(leat_wait(s), LEAT_OK);
    pthread_join(thread, NULL);
  }
  for (int i = 0; i < IDS; i++) CHECK_EQ(used[i], 1);
  leat_permission_free(&p);
}
TEST_GO(storms) {
  for (int64_t k = test_scale(20) + 1; k; k--) storm(1), storm(2), storm(8);
}
