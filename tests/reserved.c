/* Locks that are reserved for a worker, and taken away: the lock itself, channels whose users are on changing threads, and several in one section.
 *
 * Channels keep their locks for one worker after a thousand operations, and ever longer each time that they are taken away. So here a meddler takes them away, from
 * a plain thread and at any moment, and gives them back. */
#include "wait.h"

#include "core/channel.h"
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

typedef leat_chan(int64_t) long_chan;

static void skip_where_nothing_is_reserved(void) {
  if (!load_relaxed(&leat_i_fences_are_asymmetric)) TEST_SKIP("fences are not asymmetric here");
}
static uint32_t owner_of(struct reserved_lock *l) { return load_acquire(&l->owner); }
/* The calling goroutine stays on its thread: nothing here gives it up. */
static bool take_and_drop(struct reserved_lock *l, struct worker *w) {
  struct lock *taken = leat_i_reserved_take(l, w);
  bool in_section = taken != &l->lock;
  lock_drop(taken);
  return in_section;
}
/* How often it is taken plainly until it is reserved. */
static uint32_t takes_until_reserved(struct reserved_lock *l, struct worker *w) {
  uint32_t n = 0;
  while (!take_and_drop(l, w)) n++;
  return n;
}

/* ---- the lock ---- */

TEST_GO(who_takes_it_again_and_again_owns_it) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  for (int i = 0; i < FIRST_PATIENCE; i++) {
    CHECK_EQ(owner_of(&l), 0);
    CHECK(!take_and_drop(&l, w));
  }
  CHECK_EQ(owner_of(&l), w->mark);
  for (int i = 0; i < 10; i++) CHECK(take_and_drop(&l, w));
  struct lock *quickly = reserved_take_quickly(&l, w);
  CHECK(quickly == &w->section->in);
  CHECK(is_in_section(w));
  CHECK_EQ(load_relaxed(&l.lock.taken), 0);
  lock_drop(quickly);
  CHECK(!is_in_section(w));
}

TEST_GO(by_quick_takes_too) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  int quick = 0;
  for (struct lock *taken; (taken = reserved_take_quickly(&l, w)); quick++) lock_drop(taken);
  CHECK_EQ(quick, FIRST_PATIENCE - 1); /* the one that makes it reserved is not quick */
  CHECK(!take_and_drop(&l, w));
  CHECK_EQ(owner_of(&l), w->mark);
}

/* Others in between are no row. */
static void *takes_once(void *lock) {
  take_and_drop(lock, NULL);
  return NULL;
}
static void by_another_thread(void *(*fn)(void *), void *argument) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, fn, argument), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}
TEST_GO(not_who_takes_it_in_turn_with_others) {
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < FIRST_PATIENCE - 1; i++) CHECK(!take_and_drop(&l, w));
    by_another_thread(takes_once, &l);
    CHECK_EQ(owner_of(&l), 0);
  }
}

/* As often as it likes. */
static void *takes_often(void *lock) {
  for (int i = 0; i < 5 * FIRST_PATIENCE; i++) CHECK(!take_and_drop(lock, NULL));
  return NULL;
}
TEST_GO(nor_a_plain_thread) {
  struct reserved_lock l = {0};
  by_another_thread(takes_often, &l);
  CHECK_EQ(owner_of(&l), 0);
}

/* Workers beyond those that have a section. */
TEST_GO(nor_a_worker_without_a_section) {
  struct reserved_lock l = {0};
  static struct worker beyond;
  CHECK(leat_i_section_of(100000) == NULL);
  beyond.mark = 100001;
  for (int i = 0; i < 5 * FIRST_PATIENCE; i++) {
    CHECK(!take_and_drop(&l, &beyond));
    struct lock *taken = reserved_take_quickly(&l, &beyond);
    if (taken) lock_drop(taken);
    CHECK_EQ(owner_of(&l), 0);
  }
}

/* Those with a mark of which a lock can keep a part only. */
TEST_GO(nor_does_a_worker_pass_for_another) {
  struct reserved_lock l = {0};
  static struct worker beyond;
  struct worker *w = leat_i_worker();
  beyond.mark = UINT16_MAX + 1 + w->mark;
  for (int i = 0; i < 5 * FIRST_PATIENCE; i++) {
    struct lock *taken = reserved_take_quickly(&l, &beyond);
    if (taken) lock_drop(taken);
    else CHECK(!take_and_drop(&l, &beyond));
    CHECK_EQ(owner_of(&l), 0);
  }
}

TEST_GO(patience_doubles_each_time_it_is_taken_away) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  for (uint32_t i = 0; i < 8; i++) {
    CHECK_EQ(takes_until_reserved(&l, w), (uint32_t)FIRST_PATIENCE << i);
    by_another_thread(takes_once, &l);
    CHECK_EQ(owner_of(&l), 0);
  }
  CHECK_EQ(l.doubled, 8);
}

/* Its owner takes the plain lock where it has to wait for others besides: that does not count. */
TEST_GO(the_owner_gives_it_up_by_taking_it_plainly) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  takes_until_reserved(&l, w);
  struct lock *taken = leat_i_reserved_take_plainly(&l, w);
  CHECK(taken == &l.lock);
  CHECK_EQ(owner_of(&l), 0);
  lock_drop(taken);
  CHECK_EQ(l.doubled, 0);
  CHECK_EQ(takes_until_reserved(&l, w), FIRST_PATIENCE - 1);
}

/* ---- taking away ---- */

struct visit {
  struct reserved_lock *lock;
  atomic_bool has_it, may_go;
};
static void *takes_away(void *visit) {
  struct visit *v = visit;
  struct lock *taken = leat_i_reserved_take(v->lock, NULL);
  v->has_it = true;
  while (!v->may_go) sched_yield();
  lock_drop(taken);
  return NULL;
}
static void let_others_run(void) {
  for (int i = 0; i < 200; i++) sched_yield();
}

TEST_GO(the_section_under_way_is_waited_for) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  takes_until_reserved(&l, w);
  struct visit v = {.lock = &l};
  struct lock *section = leat_i_reserved_take(&l, w);
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, takes_away, &v), 0);
  while (owner_of(&l)) sched_yield();
  let_others_run();
  CHECK(!v.has_it);
  CHECK(reserved_take_own(&l, w) == NULL); /* looks before it enters */
  lock_drop(section);
  while (!v.has_it) sched_yield();
  CHECK(reserved_is_taken(&l, w));
  CHECK(reserved_take_quickly(&l, w) == NULL);
  v.may_go = true;
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK(!reserved_is_taken(&l, w));
}

/* And not the next one: it sees that it has been taken away. */
TEST_GO(the_next_section_is_not_waited_for) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0}, other = {0};
  struct worker *w = leat_i_worker();
  takes_until_reserved(&l, w);
  takes_until_reserved(&other, w);
  struct visit v = {.lock = &l, .may_go = true};
  struct lock *section = leat_i_reserved_take(&l, w);
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, takes_away, &v), 0);
  while (owner_of(&l)) sched_yield();
  let_others_run(); /* most often it is waiting by now */
  lock_drop(section);
  section = leat_i_reserved_take(&other, w);
  CHECK(section == &w->section->in);
  while (!v.has_it) sched_yield();
  lock_drop(section);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

TEST_GO(one_that_is_reserved_for_another_passes_for_taken) {
  skip_where_nothing_is_reserved();
  struct reserved_lock l = {0};
  struct worker *w = leat_i_worker();
  static struct worker another;
  another.mark = w->mark + 1;
  CHECK(!reserved_is_taken(&l, w));
  takes_until_reserved(&l, w);
  CHECK(!reserved_is_taken(&l, w));
  CHECK(reserved_is_taken(&l, &another));
  CHECK(reserved_is_taken(&l, NULL));
}

/* ---- by many ---- */

/* By a plain thread, which holds it for a moment. The owner gets it back when it takes it the next time. */
static bool take_away(struct reserved_lock *l, const int64_t *guarded_by_it) {
  uint32_t owner = owner_of(l);
  struct lock *taken = leat_i_reserved_take_plainly(l, NULL);
  CHECK_EQ(owner_of(l), 0);
  int64_t before = guarded_by_it ? *guarded_by_it : 0;
  for (int i = 0; i < 20; i++) cpu_relax();
  if (guarded_by_it) CHECK_EQ(*guarded_by_it, before);
  l->doubled = 0;
  if (owner) {
    l->last = (uint16_t)owner;
    l->in_a_row = FIRST_PATIENCE - 1;
  }
  lock_drop(taken);
  return owner;
}

enum { LOCKS = 3, MOST_USERS = 6, PATIENT = 3 * FIRST_PATIENCE };
static struct guarded {
  struct reserved_lock lock;
  int64_t count, sections; /* what its users have done, and how often in a section */
} guarded[LOCKS];
static atomic_bool over;
static atomic_long times_taken;
static pthread_t meddler;
static long least; /* goes on until it has been taken away so often, where it is sure to be reserved */
static bool goes_on(int round, int rounds) { return round < rounds || times_taken < least; }
static void see_it_taken_away(void) { least = load_relaxed(&leat_i_fences_are_asymmetric) ? 100 : 0; }

static void use(struct guarded *g, struct worker *w) {
  struct lock *taken = leat_i_reserved_take(&g->lock, w);
  int64_t count = g->count;
  g->sections += taken != &g->lock.lock;
  CHECK_EQ(*(volatile int64_t *)&g->count, count);
  g->count = count + 1;
  lock_drop(taken);
}
static atomic_long bursts_done;
/* Bursts of one lock are longer than patience, and change between locks and users. */
LEAT_FN(uses_in_bursts, int, first, int, bursts) {
  for (int i = 0; goes_on(i, bursts); i++) {
    for (int k = 0; k < PATIENT; k++) use(&guarded[(first + i) % LOCKS], leat_i_worker());
    bursts_done++;
    leat_yield();
  }
}
static void *meddles_with_locks(void *unused) {
  for (unsigned i = 0; !over; i++) {
    struct guarded *g = &guarded[i % LOCKS];
    if (i % 64 && !owner_of(&g->lock)) cpu_relax();
    else times_taken += take_away(&g->lock, &g->count);
  }
  return unused;
}
static void end_meddling(void) {
  over = true;
  leat_blocking CHECK_EQ(pthread_join(meddler, NULL), 0);
}
static void check_bursts(int users, bool pinned, int bursts) {
  CHECK_EQ(pthread_create(&meddler, NULL, meddles_with_locks, NULL), 0);
  {
    leat_scope(s);
    for (int i = 0; i < users; i++) leat_go_with(s, ((leat_go_options){.pinned = pinned}), uses_in_bursts, i, bursts);
    CHECK_EQ(leat_wait(s), LEAT_OK);
  }
  end_meddling();
  int64_t count = 0, sections = 0;
  for (int i = 0; i < LOCKS; i++) count += guarded[i].count, sections += guarded[i].sections;
  CHECK_EQ(count, bursts_done * PATIENT);
  if (least) CHECK(sections > 0);
}
TEST_GO(locks_of_one_worker_are_taken_away) {
  see_it_taken_away();
  check_bursts(1, false, (int)test_scale(1500) + 10);
}
TEST_GO(locks_of_many_workers_are_taken_away) { check_bursts(MOST_USERS, false, (int)test_scale(200) + 10); }
TEST_GO(locks_of_pinned_goroutines_are_taken_away) { check_bursts(MOST_USERS, true, (int)test_scale(200) + 10); }

/* ---- channels ---- */

enum { CHANNELS = 4 };
static struct chan *chan_in(long_chan handle) {
  struct chan *c;
  memcpy(&c, &handle, sizeof c); /* a handle is its channel */
  return c;
}
/* With nothing in it, reserved for the worker that the caller runs on. */
static void make_own(long_chan c) {
  for (int64_t v = 0; load_relaxed(&leat_i_fences_are_asymmetric) && !reserved_is_own(&chan_in(c)->lock, leat_i_worker());) {
    CHECK_EQ(leat_send(c, v), LEAT_OK);
    CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  }
}
static long_chan own_channel(leat_view s) {
  long_chan c = leat_chan_make(s, int64_t, 1);
  make_own(c);
  return c;
}

/* Its owner's thread ends with the runtime; of the next one another thread bears that worker's number. */
LEAT_FN(makes_it_its_own, long_chan, c) {
  int64_t v;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK); /* what a worker of before, or a plain thread, has left */
  make_own(c);
  CHECK_EQ(leat_send(c, v + 1), LEAT_OK);
}
TEST(channels_outlive_the_runtime_and_their_owners) {
  long_chan c = leat_chan_make(NULL, int64_t, 1);
  int64_t v = 0;
  for (int round = 0; round < 6; round++) {
    CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
    if (round % 2) CHECK_EQ(leat_recv(c, &v), LEAT_OK);
    if (round % 2 || !round) {
      CHECK_EQ(owner_of(&chan_in(c)->lock), 0);
      CHECK_EQ(leat_send(c, v), LEAT_OK);
    }
    {
      leat_scope(s);
      leat_go(s, makes_it_its_own, c);
      CHECK_EQ(leat_wait(s), LEAT_OK);
    }
    CHECK_EQ(leat_runtime_stop(), LEAT_OK);
    if (load_relaxed(&leat_i_fences_are_asymmetric)) CHECK(owner_of(&chan_in(c)->lock));
  }
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  CHECK_EQ(v, 6);
  leat_release(c);
}

/* A select of one that is its worker's and one that is not: it gets into no queue before it has both, also if the first is taken away while it waits for the second. */
static struct {
  long_chan own, other;
  atomic_bool locked;
} held;
static bool is_anybody_there(void) { return load_acquire(&chan_in(held.own)->receivers.first) || load_acquire(&chan_in(held.other)->receivers.first); }
static void *holds_one_then_the_other(void *unused) {
  struct lock *other = leat_i_reserved_take_plainly(&chan_in(held.other)->lock, NULL);
  held.locked = true;
  let_others_run();
  CHECK(!is_anybody_there());
  struct lock *own = leat_i_reserved_take_plainly(&chan_in(held.own)->lock, NULL);
  lock_drop(other);
  let_others_run();
  CHECK(!is_anybody_there());
  lock_drop(own);
  while (!is_anybody_there()) sched_yield();
  CHECK_EQ(leat_send(held.own, 5), LEAT_OK);
  return unused;
}
static void check_select_of(bool own_first) {
  skip_where_nothing_is_reserved();
  leat_scope(s);
  held.own = own_channel(s);
  held.other = leat_chan_make(s, int64_t, 0);
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, holds_one_then_the_other, NULL), 0);
  while (!held.locked) sched_yield();
  int64_t v = 0;
  if (own_first) CHECK_EQ(leat_select(leat_on_recv(held.own, &v), leat_on_recv(held.other, &v)), 0);
  else CHECK_EQ(leat_select(leat_on_recv(held.other, &v), leat_on_recv(held.own, &v)), 1);
  CHECK_EQ(v, 5);
  leat_blocking CHECK_EQ(pthread_join(thread, NULL), 0);
}
TEST_GO(a_select_of_its_own_and_of_another) { check_select_of(true); }
TEST_GO(a_select_of_another_and_of_its_own) { check_select_of(false); }

LEAT_FN(selects_of_what_it_has_freed) {
  long_chan c = own_channel(NULL);
  int64_t v;
  leat_release(c);
  leat_select(leat_on_recv(c, &v), leat_default);
}
TEST_GO(a_freed_one_is_noticed_in_debug_builds) {
  skip_where_nothing_is_reserved();
  const char *variant = getenv("VARIANT");
  if (!variant || !strstr(variant, "debug")) TEST_SKIP("only debug builds look");
  CHECK_PANICS("leat_select on a channel that was freed", selects_of_what_it_has_freed);
}

static struct chan *meddled[CHANNELS];
static void *meddles_with_channels(void *unused) {
  for (unsigned i = 0; !over; i++) {
    struct reserved_lock *l = &meddled[i % CHANNELS]->lock;
    if (i % 64 && !owner_of(l)) cpu_relax();
    else times_taken += take_away(l, NULL);
  }
  return unused;
}
static void begin_meddling(const long_chan *c) {
  for (int i = 0; i < CHANNELS; i++) meddled[i] = chan_in(c[i]);
  CHECK_EQ(pthread_create(&meddler, NULL, meddles_with_channels, NULL), 0);
}

/* A word in and out is most often in a section. What is put in comes out, in order. */
LEAT_FN(puts_in_and_takes_out, long_chan, c, int, rounds) {
  int64_t in = 0, out = 0;
  for (int i = 0; goes_on(i, rounds); i++) {
    int64_t n = i % 7 + 1, v;
    for (int k = 0; k < n; k++) CHECK_EQ(leat_send(c, in++), LEAT_OK);
    for (int k = 0; k < n; k++) {
      CHECK_EQ(k % 2 ? leat_recv(c, &v) : leat_try_recv(c, &v), LEAT_OK);
      CHECK_EQ(v, out++);
    }
    CHECK_EQ(leat_try_recv(c, &v), LEAT_EMPTY);
    if (i % 512 == 0) leat_yield();
  }
}
TEST_GO(nothing_is_lost_where_channels_are_taken_away) {
  long_chan c[CHANNELS];
  see_it_taken_away();
  leat_scope(s);
  for (int i = 0; i < CHANNELS; i++) c[i] = leat_chan_make(s, int64_t, 8);
  begin_meddling(c);
  for (int i = 0; i < CHANNELS; i++) leat_go(s, puts_in_and_takes_out, c[i], (int)test_scale(200000) + 20000);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  end_meddling();
}

/* Pairs that wait for each other: the lock is dropped when one has left its stack. */
LEAT_FN(plays, long_chan, in, long_chan, out, int, rounds, bool, begins) {
  for (int i = 0; i < rounds; i++) {
    int64_t v = i;
    if (begins) CHECK_EQ(leat_send(out, v), LEAT_OK);
    CHECK_EQ(i % 3 ? leat_recv(in, &v) : leat_recv_until(in, leat_now() + LEAT_SECONDS(100), &v), LEAT_OK);
    CHECK_EQ(v, i);
    if (!begins) CHECK_EQ(leat_send(out, v), LEAT_OK);
  }
}
static void check_pairs(bool pinned, int rounds) {
  long_chan c[CHANNELS];
  leat_scope(s);
  for (int i = 0; i < CHANNELS; i++) c[i] = leat_chan_make(s, int64_t, (size_t)i / 2 % 2);
  begin_meddling(c);
  for (int i = 0; i < CHANNELS; i += 2) {
    leat_go_with(s, ((leat_go_options){.pinned = pinned && i == 0}), plays, c[i], c[i + 1], rounds, true);
    leat_go(s, plays, c[i + 1], c[i], rounds, false);
  }
  CHECK_EQ(leat_wait(s), LEAT_OK);
  end_meddling();
}
TEST_GO(pairs_whose_channels_are_taken_away) { check_pairs(false, (int)test_scale(200000) + 20000); }
TEST_GO(pairs_of_which_one_is_pinned) { check_pairs(true, (int)test_scale(20000) + 10000); }

/* Selects cover several channels by one section, or by some locks and a section. Tokens go round: none is lost, none doubled. */
enum { TOKENS = 6, PHASE = 4096 };
static int64_t takes_one(long_chan *c, bool of_all, int64_t timeout) {
  int64_t token = -1;
  int chosen = of_all ? leat_select(leat_on_recv(c[0], &token), leat_on_recv(c[1], &token), leat_on_recv(c[2], &token), leat_on_recv(c[3], &token))
                      : leat_select(leat_on_recv(c[0], &token), leat_on_recv(c[1], &token), leat_on_timeout(timeout));
  if (!of_all && chosen == 2) return -1;
  CHECK_EQ(leat_selected(), LEAT_OK);
  CHECK(token >= 0 && token < TOKENS);
  return token;
}
/* There is room for all tokens in each. */
LEAT_FN(passes_tokens, long_chan *, c, unsigned, seed, int, rounds) {
  for (int i = 0; goes_on(i, rounds); i++) {
    bool all = i / PHASE % 2; /* else some stay with the first two */
    int64_t token = takes_one(c, all, LEAT_US(i % 50));
    if (token < 0) continue;
    seed = seed * 1664525 + 1013904223;
    unsigned to = seed >> 16 & (all ? 3 : 1);
    CHECK(leat_select(leat_on_send(c[to], token), leat_on_send(c[to ^ 1], token), leat_default) < 2);
  }
}
static void *passes_on_a_thread(void *channels) {
  long_chan *c = channels;
  while (!over) {
    int64_t token;
    if (leat_select(leat_on_recv(c[0], &token), leat_on_recv(c[3], &token), leat_on_timeout(LEAT_US(200))) == 2) continue;
    CHECK_EQ(leat_send(c[1], token), LEAT_OK);
    usleep(50);
  }
  return NULL;
}
static void check_tokens(int users, bool thread, bool pinned, int rounds) {
  long_chan c[CHANNELS];
  pthread_t plain;
  leat_scope(s);
  for (int i = 0; i < CHANNELS; i++) c[i] = leat_chan_make(s, int64_t, TOKENS);
  for (int i = 0; i < TOKENS; i++) CHECK_EQ(leat_send(c[i % 4], i), LEAT_OK);
  begin_meddling(c);
  if (thread) CHECK_EQ(pthread_create(&plain, NULL, passes_on_a_thread, c), 0);
  {
    leat_scope(workers);
    for (int i = 0; i < users; i++) leat_go_with(workers, ((leat_go_options){.pinned = pinned && i == 0}), passes_tokens, c, (unsigned)i, rounds);
    CHECK_EQ(leat_wait(workers), LEAT_OK);
  }
  end_meddling();
  if (thread) leat_blocking CHECK_EQ(pthread_join(plain, NULL), 0);
  bool seen[TOKENS] = {false};
  for (int i = 0; i < CHANNELS; i++)
    for (int64_t token; leat_try_recv(c[i], &token) == LEAT_OK;) {
      CHECK(token >= 0 && token < TOKENS && !seen[token]);
      seen[token] = true;
    }
  for (int i = 0; i < TOKENS; i++) CHECK(seen[i]);
}
TEST_GO(one_selects_among_channels_that_are_taken_away) {
  see_it_taken_away();
  check_tokens(1, false, false, (int)test_scale(100000) + 20000);
}
TEST_GO(many_select_among_channels_that_are_taken_away) { check_tokens(3, false, false, (int)test_scale(50000) + 10000); }
TEST_GO(many_select_with_a_plain_thread) { check_tokens(3, true, true, (int)test_scale(20000) + 10000); }
