/* Parking: who wakes a goroutine claims it, and a cancel may come at the same moment. What parking is for, and what wakes it, is in the tests of channels, locks
 * and scopes. */
#include "wait.h"

#include "core/channel.h"
#include <leat/semaphore.h>
#include <pthread.h>
#include <sched.h>

typedef leat_chan(int) int_chan;

/* Who claims a goroutine and a cancel come at one moment: one of them has it. What was given was got, and nothing else. The giver is on a thread of its own. */
enum { GIVEN = 40 };
enum way { BY_SEND, BY_RECV, BY_RELEASE, WAYS };
static struct {
  int_chan c[GIVEN];
  leat_semaphore slots;
  bool given[GIVEN], got[GIVEN];
  atomic_int arrived, begun, n_given, done;
} race;
/* Without giving up the processor at once, or the other would be through with it all. */
static void wait_for(const atomic_int *count, int n) {
  for (int spins = 0; *count < n; spins++) {
    if (spins < 5000) cpu_relax();
    else sched_yield();
  }
}
LEAT_FN(is_given, enum way, way, int, i) {
  int v = -1;
  race.arrived++;
  int status = way == BY_SEND ? leat_recv(race.c[i], &v) : way == BY_RECV ? leat_send(race.c[i], i) : leat_semaphore_acquire(&race.slots, 1);
  CHECK(status == LEAT_OK || status == LEAT_CANCELED);
  race.got[i] = status == LEAT_OK;
  if (race.got[i] && way == BY_SEND) CHECK_EQ(v, i);
}
LEAT_FN(gives, enum way, way, int, rounds) {
  for (int round = 1; round <= rounds; round++) {
    wait_for(&race.begun, round);
    for (int i = 0; i < GIVEN; i++) {
      int v = -1;
      if (way == BY_RELEASE) leat_semaphore_release(&race.slots, 1);
      else race.given[i] = (way == BY_SEND ? leat_try_send(race.c[i], i) : leat_try_recv(race.c[i], &v)) == LEAT_OK;
      if (race.given[i] && way == BY_RECV) CHECK_EQ(v, i);
      race.n_given = i + 1;
    }
    race.done = round;
  }
}
static void check_round(enum way way, int round) {
  race.arrived = race.n_given = 0;
  if (way == BY_RELEASE) CHECK_EQ(leat_semaphore_try_acquire(&race.slots, GIVEN), LEAT_OK);
  {
    leat_scope(s);
    for (int i = 0; i < GIVEN; i++) leat_go(s, is_given, way, i);
    while (race.arrived < GIVEN) leat_yield();
    for (int i = 0; i < round % 5; i++) leat_yield(); /* most often all wait by now */
    race.begun = round;
    wait_for(&race.n_given, round % GIVEN);
    leat_cancel(s);
    CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  }
  wait_for(&race.done, round);
  int n_got = 0;
  for (int i = 0; i < GIVEN; i++) n_got += race.got[i];
  for (int i = 0; i < GIVEN && way != BY_RELEASE; i++) CHECK_EQ(race.given[i], race.got[i]);
  if (way == BY_RELEASE) CHECK_EQ(leat_semaphore_taken(&race.slots), n_got);
  if (way == BY_RELEASE && n_got) leat_semaphore_release(&race.slots, n_got);
}
static void check_race(enum way way) {
  int rounds = (int)test_scale(2000) + 20;
  leat_scope(s);
  for (int i = 0; i < GIVEN; i++) race.c[i] = leat_chan_make(s, int, 0);
  leat_semaphore_resize(&race.slots, GIVEN);
  leat_go_with(s, ((leat_go_options){.pinned = 1}), gives, way, rounds);
  for (int round = 1; round <= rounds; round++) check_round(way, round);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_cancel_races_with_senders) { check_race(BY_SEND); }
TEST_GO(a_cancel_races_with_receivers) { check_race(BY_RECV); }
TEST_GO(a_cancel_races_with_releases) { check_race(BY_RELEASE); }

/* Claims without a read-modify-write: a cancel waits for those under way, and from then on there are none. */
LEAT_FN(waits_until_cancelled, int_chan, c) {
  int v;
  CHECK_EQ(leat_recv(c, &v), LEAT_CANCELED);
}
static void *cancels(void *scope) {
  leat_cancel((struct leat_scope *)scope);
  return NULL;
}
TEST_GO(a_cancel_waits_for_claims_under_way) {
  if (load_relaxed(&leat_i_n_interrupts)) TEST_SKIP("no claim goes without a read-modify-write here");
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  struct chan *inside;
  memcpy(&inside, &c, sizeof c); /* a handle is its channel */
  leat_go(s, waits_until_cancelled, c);
  wait_blocked("waits_until_cancelled", 1);
  struct goroutine *g = queue_first(&inside->receivers)->goroutine;
  CHECK_EQ(load_seq(&g->wait) & 3, STATE_WAITING | STATE_ALONE);
  struct lock *section = section_enter(leat_i_worker()); /* here a claim looks whether a cancel goes on: not yet */
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, cancels, s), 0);
  while (!load_seq(&leat_i_n_interrupts)) sched_yield();
  for (int i = 0; i < 200; i++) sched_yield();
  CHECK(is_waiting(load_seq(&g->wait)));
  lock_drop(section);
  CHECK_EQ(leat_wait(s), LEAT_CANCELED);
  leat_blocking CHECK_EQ(pthread_join(t, NULL), 0);
  CHECK_EQ(load_seq(&leat_i_n_interrupts), 0);
}
TEST_GO(claims_while_a_cancel_goes_on) {
  leat_scope(s);
  for (int i = 0; i < GIVEN; i++) race.c[i] = leat_chan_make(s, int, 0);
  for (int i = 0; i < GIVEN; i++) leat_go(s, is_given, BY_SEND, i);
  wait_blocked("is_given", GIVEN);
  leat_i_interrupts_begin(); /* that of another scope */
  for (int i = 0; i < GIVEN; i++) CHECK_EQ(leat_try_send(race.c[i], i), LEAT_OK);
  leat_i_interrupts_end();
  CHECK_EQ(leat_wait(s), LEAT_OK);
  for (int i = 0; i < GIVEN; i++) CHECK(race.got[i]);
}
