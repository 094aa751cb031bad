/* The finder: who is stuck, how sure that is, and above all who is not. Whole programs, with and without a bug, are in tests/bugs.
 *
 * What a goroutine once had in its registers and frames can be found there later, so who is to have forgotten a channel has ended. */
#include "wait.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

typedef leat_chan(int) int_chan;
enum { NOT_FOUND = -1 };

struct search {
  const char *name;
  int verdict, n;
  char why[256], doing[64], made[128];
};

static void compare(void *environment, const leat_stuck *s) {
  struct search *search = environment;
  if (strcmp(s->name, search->name) != 0) return;
  search->n++;
  search->verdict = s->verdict;
  snprintf(search->why, sizeof search->why, "%s", s->why);
  snprintf(search->doing, sizeof search->doing, "%s", s->doing);
  snprintf(search->made, sizeof search->made, "%s", s->made);
}

static struct search look_for(const char *name) {
  struct search s = {.name = name, .verdict = NOT_FOUND};
  CHECK(leat_find_stuck(compare, &s) >= 0);
  return s;
}
/* qemu-user shows in /proc the memory of the emulator, in which much more refers to everything: then hardly anybody is found. */
#define SEES_MEMORY \
  if (test_under_qemu()) TEST_SKIP("qemu-user shows its own memory in /proc")
static int verdict_on(const char *name) { return look_for(name).verdict; }

LEAT_FN(receiver, int_chan, c) {
  int v;
  leat_recv(c, &v);
}
LEAT_FN(sender, int_chan, c) { leat_send(c, 1); }
LEAT_FN(sleeper) { leat_sleep(LEAT_SECONDS(1000)); }

/* Starts one that waits on a channel that nobody else has. */
LEAT_FN(start_lost_receiver, leat_view, s) { leat_go(s, receiver, leat_chan_make(s, int, 0)); }
static void lose_receiver(leat_view s) {
  leat_scope(inner);
  leat_go(inner, start_lost_receiver, s);
  CHECK_EQ(leat_wait(inner), LEAT_OK);
  wait_blocked("receiver", 1);
}

TEST_GO(an_idle_program_has_nobody_stuck) {
  leat_scope(s);
  leat_go(s, sleeper);
  wait_blocked("sleeper", 1);
  CHECK_EQ(leat_find_stuck(NULL, NULL), 0);
}

TEST_GO(a_channel_that_nobody_else_has) {
  SEES_MEMORY;
  leat_scope(s);
  lose_receiver(s);
  struct search found = look_for("receiver");
  CHECK_EQ(found.verdict, LEAT_SUSPECTED); /* main may leave the scope */
  CHECK_STR(found.doing, "receiving from a channel");
  CHECK(strstr(found.made, "finder.c:"));
  CHECK(strstr(found.why, "only a cancellation"));
}

TEST_GO(the_callers_own_channels_do_not_count) {
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0), full = leat_chan_make(s, int, 1);
  leat_send(full, 1);
  leat_go(s, receiver, c);
  leat_go(s, sender, full);
  wait_blocked("receiver", 1);
  wait_blocked("sender", 1);
  CHECK_EQ(leat_find_stuck(NULL, NULL), 0);
  leat_send(c, 1);
  leat_discard(full);
}

static leat_task *tasks[2];
LEAT_FN(joiner, int, other, int_chan, start) {
  int v;
  leat_recv(start, &v);
  (void)leat_join(tasks[other]);
}
/* Ends the process of the test: the goroutines cannot be joined. */
TEST_DIES(a_join_cycle_is_certain, "found 2, certain") {
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK);
  int_chan start = leat_chan_make(NULL, int, 2);
  for (int i = 0; i < 2; i++) tasks[i] = leat_spawn(NULL, joiner, 1 - i, start);
  leat_send(start, 1);
  leat_send(start, 1);
  UNTIL(blocked_goroutines("joining a task") == 2);
  UNTIL(verdict_on("joiner") == LEAT_CERTAIN);
  struct search found = look_for("joiner");
  CHECK_EQ(found.n, 2);
  CHECK(strstr(found.why, "is stuck, too"));
  fprintf(stderr, "found %d, %s\n", found.n, found.verdict == LEAT_CERTAIN ? "certain" : "suspected");
  _exit(3);
}

/* ---- who is not stuck: somebody has a way to what is waited for ---- */

struct holder {
  char before[24];
  int_chan c;
  struct holder *next;
  char after[2000];
};

static atomic_int go_on;
LEAT_FN(holds_pointer, void *, p) {
  leat_sleep(LEAT_SECONDS(1000));
  struct holder *h = p;
  leat_send(h->c, 1);
}
LEAT_FN(owns, struct holder *, h) {
  leat_sleep(LEAT_SECONDS(1000));
  leat_send(h->c, 1);
  for (struct holder *next; h; h = next) {
    next = h->next;
    free(h);
  }
}

static void has_a_way(leat_view s) {
  wait_blocked("receiver", 1);
  leat_go(s, sleeper);
  wait_blocked("sleeper", 1);
  CHECK_EQ(verdict_on("receiver"), NOT_FOUND);
}

/* Makes a channel for a receiver, and gives it to fn; the maker forgets it by ending. */
#define MAKER(name, ...) \
  LEAT_FN(name, leat_view, s) { \
    int_chan c = leat_chan_make(s, int, 0); \
    leat_go(s, receiver, c); \
    __VA_ARGS__ \
  }
static void let_make(leat_closure maker) {
  leat_scope(inner);
  leat_go_closure(inner, maker);
  CHECK_EQ(leat_wait(inner), LEAT_OK);
}

MAKER(make_heap, struct holder *h = calloc(1, sizeof *h); h->c = c; leat_go(s, owns, h);)
TEST_GO(a_struct_on_the_heap) {
  leat_scope(s);
  let_make(leat_bind(make_heap, s));
  has_a_way(s);
}

/* What has been freed before still has malloc's link in its first word. */
static void *given_again(size_t size) {
  void *volatile one = malloc(size), *volatile two = malloc(size);
  CHECK(one && two);
  free(two);
  free(one);
  return malloc(size);
}
LEAT_FN(keeps, int_chan *, held) {
  leat_sleep(LEAT_SECONDS(1000));
  leat_send(held[4], 1);
  free(held);
}
MAKER(make_again, int_chan *held = given_again(300); held[4] = c; leat_go(s, keeps, held);)
TEST_GO(a_block_of_the_heap_that_was_another_before) {
  leat_scope(s);
  let_make(leat_bind(make_again, s));
  wait_blocked("receiver", 1);
  CHECK_EQ(verdict_on("receiver"), NOT_FOUND);
}

LEAT_FN(holds_middle, char *, middle) {
  leat_sleep(LEAT_SECONDS(1000));
  struct holder *h = (void *)(middle - 1000);
  leat_send(h->c, 1);
  free(h);
}
MAKER(make_middle, struct holder *h = calloc(1, sizeof *h); h->c = c; leat_go(s, holds_middle, (char *)h + 1000);)
TEST_GO(a_pointer_into_the_middle) {
  leat_scope(s);
  let_make(leat_bind(make_middle, s));
  has_a_way(s);
}

MAKER(make_chain, struct holder *first = calloc(1, sizeof *first); struct holder *at = first;
      for (int i = 0; i < 100; i++) at = at->next = calloc(1, sizeof *at);
      at->c = c; leat_go(s, owns, first);)
TEST_GO(a_long_chain) {
  leat_scope(s);
  let_make(leat_bind(make_chain, s));
  has_a_way(s);
}

LEAT_FN(owns_table, struct holder **, place) {
  leat_sleep(LEAT_SECONDS(1000));
  leat_send((*place)->c, 1);
  free(*place);
  free(place - 777777);
}
MAKER(make_large, struct holder **many = calloc(1 << 20, sizeof *many); many[777777] = calloc(1, sizeof **many); many[777777]->c = c;
      leat_go(s, owns_table, many + 777777);)
TEST_GO(a_block_of_a_mapping_of_its_own) {
  leat_scope(s);
  let_make(leat_bind(make_large, s));
  has_a_way(s);
}

static struct holder global;
LEAT_FN(uses_global) {
  leat_sleep(LEAT_SECONDS(1000));
  leat_send(global.c, 1);
}
MAKER(make_global, global.c = c; leat_go(s, uses_global);)
TEST_GO(a_global) {
  leat_scope(s);
  let_make(leat_bind(make_global, s));
  has_a_way(s);
}

typedef leat_chan(int_chan) chan_chan;
LEAT_FN(reads_messages, chan_chan, in) {
  int_chan c;
  leat_sleep(LEAT_SECONDS(1000));
  leat_recv(in, &c);
  leat_send(c, 1);
}
MAKER(make_message, chan_chan box = leat_chan_make(s, int_chan, 4); leat_send(box, NULL); leat_discard(box); leat_send(box, c); leat_go(s, reads_messages, box);)
TEST_GO(a_message_that_waits_in_a_buffer) {
  leat_scope(s);
  let_make(leat_bind(make_message, s));
  has_a_way(s);
}

LEAT_FN(sends_channel, chan_chan, box, int_chan, c) { leat_send(box, c); }
MAKER(make_sending, chan_chan box = leat_chan_make(s, int_chan, 0); leat_go(s, sends_channel, box, c); leat_go(s, reads_messages, box);)
TEST_GO(a_message_that_somebody_waits_to_send) {
  leat_scope(s);
  let_make(leat_bind(make_sending, s));
  wait_blocked("sends_channel", 1);
  has_a_way(s);
  CHECK_EQ(verdict_on("sends_channel"), NOT_FOUND);
}

LEAT_FN(keeps_struct, int_chan, c) {
  struct holder on_stack = {.c = c};
  leat_scope(inner);
  c = NULL;
  leat_go(inner, holds_pointer, &on_stack);
  (void)!leat_wait(inner);
}
MAKER(make_on_stack, leat_go(s, keeps_struct, c);)
TEST_GO(a_struct_on_the_stack_of_one_who_waits) {
  leat_scope(s);
  let_make(leat_bind(make_on_stack, s));
  wait_blocked("keeps_struct", 1);
  has_a_way(s);
}

LEAT_FN(receives_time, leat_rx(int64_t), c) {
  int64_t v;
  leat_recv(c, &v);
}
LEAT_FN(make_timer, leat_view, s, bool, stop) {
  leat_timer *t = leat_timer_start(s, LEAT_SECONDS(1000));
  leat_go(s, receives_time, leat_timer_chan(t));
  if (stop) leat_timer_stop(t);
}
TEST_GO(an_armed_timer) {
  leat_scope(s);
  let_make(leat_bind(make_timer, s, false));
  wait_blocked("receives_time", 1);
  CHECK_EQ(verdict_on("receives_time"), NOT_FOUND);
}
TEST_GO(a_stopped_timer) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_timer, s, true));
  wait_blocked("receives_time", 1);
  UNTIL(verdict_on("receives_time") == LEAT_SUSPECTED); /* a word of another thread's may look like a way for a moment */
}

LEAT_FN(waits_until, int_chan, c) {
  int v;
  leat_recv_until(c, leat_now() + LEAT_SECONDS(1000), &v);
}
LEAT_FN(selects_with_timeout, int_chan, c) {
  int v;
  leat_select(leat_on_recv(c, &v), leat_on_timeout(LEAT_SECONDS(1000)));
}
LEAT_FN(under_deadline, int_chan, c) {
  leat_scope(s);
  leat_set_timeout(s, LEAT_SECONDS(1000));
  int v;
  leat_recv(c, &v);
}
LEAT_FN(make_timed, leat_view, s) {
  leat_go(s, waits_until, leat_chan_make(s, int, 0));
  leat_go(s, selects_with_timeout, leat_chan_make(s, int, 0));
  leat_go(s, under_deadline, leat_chan_make(s, int, 0));
}
TEST_GO(time_ends_the_wait) {
  leat_scope(s);
  let_make(leat_bind(make_timed, s));
  wait_blocked("waits_until", 1);
  wait_blocked("selects_with_timeout", 1);
  wait_blocked("under_deadline", 1);
  CHECK_EQ(leat_find_stuck(NULL, NULL), 0);
}

LEAT_FN(reads_pipe, int, fd, int_chan, c) {
  char byte;
  if (leat_io_read(fd, &byte, 1) == 1) leat_send(c, 1);
}
static int fds[2];
MAKER(make_reader, leat_go(s, reads_pipe, fds[0], c);)
TEST_GO(who_waits_for_a_descriptor_may_send) {
  CHECK_EQ(pipe(fds), 0);
  leat_scope(s);
  let_make(leat_bind(make_reader, s));
  wait_blocked("reads_pipe", 1);
  has_a_way(s);
}

/* The only pointer is in the kernel. */
MAKER(make_epoll, struct holder *h = calloc(1, sizeof *h); h->c = c; struct epoll_event e = {.events = EPOLLIN}; e.data.ptr = h;
      CHECK_EQ(epoll_ctl(fds[1], EPOLL_CTL_ADD, fds[0], &e), 0);)
LEAT_FN(event_loop, int, fd) {
  struct epoll_event e;
  if (leat_io_wait_read(fd, LEAT_NEVER) != LEAT_OK || epoll_wait(fd, &e, 1, 0) != 1) return;
  leat_send(((struct holder *)e.data.ptr)->c, 1);
  free(e.data.ptr);
  go_on = 1;
}
TEST_GO(the_data_of_an_epoll_entry) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  fds[0] = ends[0];
  fds[1] = epoll_create1(0);
  leat_scope(s);
  leat_go(s, event_loop, fds[1]);
  let_make(leat_bind(make_epoll, s));
  has_a_way(s);
  CHECK_EQ(write(ends[1], "", 1), 1);
  UNTIL(go_on);
}

static void *thread_sends(void *argument) {
  while (!go_on) usleep(1000);
  leat_send((int_chan)(uintptr_t)argument, 1);
  return NULL;
}
static void *thread_computes(void *argument) {
  while (!go_on) {}
  leat_send((int_chan)(uintptr_t)argument, 1);
  return NULL;
}
static void *(*thread_function)(void *);
static pthread_t plain_thread;
MAKER(make_thread, pthread_create(&plain_thread, NULL, thread_function, (void *)(uintptr_t)c);)
/* It may have the channel in a register only, which nobody sees: then there may be a suspicion. */
static void thread_has_a_way(void *(*fn)(void *)) {
  leat_scope(s);
  thread_function = fn;
  let_make(leat_bind(make_thread, s));
  wait_blocked("receiver", 1);
  CHECK(verdict_on("receiver") != LEAT_CERTAIN);
  go_on = 1;
  leat_blocking { pthread_join(plain_thread, NULL); }
}
TEST_GO(a_plain_thread_that_has_not_used_leat_yet) { thread_has_a_way(thread_sends); }
TEST_GO(a_plain_thread_that_computes) { thread_has_a_way(thread_computes); }

/* ---- scopes and contexts ---- */

LEAT_FN(waits_for_done, leat_rx(char), done) { leat_discard(done); }
LEAT_FN(make_done, leat_view, s, leat_view, ctx) { leat_go(s, waits_for_done, leat_done(ctx)); }
TEST_GO(the_done_channel_of_a_context_that_can_be_cancelled) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  let_make(leat_bind(make_done, s, (leat_view)ctx));
  wait_blocked("waits_for_done", 1);
  CHECK_EQ(verdict_on("waits_for_done"), NOT_FOUND);
  leat_cancel(ctx);
}

LEAT_FN(closes, int_chan, c) { leat_close(c); }
MAKER(make_hook, leat_after_cancel(s, closes, c);)
TEST_GO(a_function_that_a_cancellation_starts) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  let_make(leat_bind(make_hook, (leat_view)ctx));
  wait_blocked("receiver", 1);
  struct search found = look_for("receiver");
  CHECK(found.verdict == NOT_FOUND);
}

LEAT_FN(service_receiver, int_chan, c) { leat_range(int, v, c) (void)v; }
LEAT_FN(make_service, leat_view, s) { leat_service(s, service_receiver, leat_chan_make(s, int, 0)); }
TEST_GO(a_service_is_meant_to_end_by_cancellation) {
  leat_scope(s);
  let_make(leat_bind(make_service, s));
  wait_blocked("service_receiver", 1);
  CHECK_EQ(verdict_on("service_receiver"), NOT_FOUND);
}

LEAT_FN(joins_two, leat_view, outer) {
  leat_scope(s);
  leat_go(s, sleeper);
  leat_go(s, start_lost_receiver, s);
  (void)outer;
  (void)!leat_wait(s);
}
TEST_GO(a_join_needs_all_of_them) {
  SEES_MEMORY;
  leat_scope(s);
  leat_go(s, joins_two, s);
  wait_blocked("joins_two", 1);
  wait_blocked("receiver", 1);
  CHECK_EQ(verdict_on("joins_two"), LEAT_SUSPECTED);
  CHECK_EQ(verdict_on("sleeper"), NOT_FOUND);
}

/* ---- what may end a wait that no cancellation ends ---- */

/* The main goroutine of the tests knows the event too, but not by its address. */
static uintptr_t hidden;
static leat_event *fresh_event(void) {
  leat_event *e = calloc(1, sizeof *e);
  hidden = ~(uintptr_t)e;
  return e;
}
LEAT_FN(waits_for_event, leat_event *, e) {
  leat_event_wait(e);
  free(e);
}
static int verdict_on_event(void) {
  wait_blocked("waits_for_event", 1);
  int verdict = verdict_on("waits_for_event");
  leat_event_set((leat_event *)~hidden);
  return verdict;
}
/* Sanitizers do not list the blocks there are, and have threads of their own: then nothing like this is certain. */
static int certain(void) { return test_under_tsan() || test_under_asan() ? LEAT_SUSPECTED : LEAT_CERTAIN; }
/* While a thread is still on its way to sleep it is only a suspicion. */
static void becomes_certain(const char *name) { UNTIL(verdict_on(name) == certain()); }
static void event_becomes_certain(void) {
  wait_blocked("waits_for_event", 1);
  becomes_certain("waits_for_event");
  leat_event_set((leat_event *)~hidden);
}

LEAT_FN(make_event, leat_view, s) { leat_go(s, waits_for_event, fresh_event()); }
TEST_GO(an_event_that_nobody_has_is_certain) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_event, s));
  event_becomes_certain();
}

struct __attribute__((__packed__)) packed {
  char before;
  leat_event *e;
};
LEAT_FN(owns_packed, struct packed *, p) {
  leat_sleep(LEAT_SECONDS(1000));
  free(p);
}
LEAT_FN(make_packed, leat_view, s, uintptr_t, tag) {
  struct packed *p = calloc(1, sizeof *p);
  leat_go(s, owns_packed, p);
  wait_blocked("owns_packed", 1); /* it has its frames before there is an event: else one might lie on this goroutine's, with the event still in it */
  leat_event *e = fresh_event();
  p->e = (leat_event *)((uintptr_t)e | tag);
  leat_go(s, waits_for_event, e);
}
TEST_GO(a_pointer_in_a_packed_struct) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_packed, s, 0));
  CHECK_EQ(verdict_on_event(), LEAT_SUSPECTED);
}
TEST_GO(a_pointer_with_a_tag) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_packed, s, (uintptr_t)0x5a << 56 | 3));
  CHECK_EQ(verdict_on_event(), LEAT_SUSPECTED);
}

LEAT_FN(make_sent, leat_view, s) {
  leat_event *e = fresh_event();
  CHECK_EQ(write(fds[1], &e, sizeof e), sizeof e);
  leat_go(s, waits_for_event, e);
}
TEST_GO(a_pointer_on_its_way_through_a_pipe) {
  leat_scope(s);
  CHECK_EQ(pipe(fds), 0);
  let_make(leat_bind(make_sent, s));
  CHECK(verdict_on_event() != LEAT_CERTAIN);
}

static __thread leat_event *volatile of_thread;
LEAT_FN(make_thread_local, leat_view, s) { leat_go(s, waits_for_event, of_thread = fresh_event()); }
TEST_GO(a_thread_local_variable) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_thread_local, s));
  CHECK_EQ(verdict_on_event(), certain() == LEAT_CERTAIN ? NOT_FOUND : LEAT_SUSPECTED);
}

LEAT_FN(sets_event, leat_event *, e) { leat_event_set(e); }
LEAT_FN(make_function_timer, leat_view, s, bool, stop) {
  leat_event *e = fresh_event();
  leat_timer *t = leat_timer_func(s, LEAT_SECONDS(1000), leat_bind(sets_event, e));
  leat_go(s, waits_for_event, e);
  if (stop) leat_timer_stop(t);
}
TEST_GO(a_function_that_a_timer_starts) {
  leat_scope(s);
  let_make(leat_bind(make_function_timer, s, false));
  CHECK_EQ(verdict_on_event(), NOT_FOUND);
}
TEST_GO(a_function_whose_timer_is_stopped) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_function_timer, s, true));
  event_becomes_certain();
}

/* ---- locks: who holds them ---- */

struct pair {
  leat_mutex first, second;
  leat_event meet[2];
};
LEAT_FN(locks, struct pair *, p, int, i) {
  leat_mutex *mine = i ? &p->second : &p->first, *other = i ? &p->first : &p->second;
  leat_mutex_lock(mine);
  leat_event_set(&p->meet[i]);
  leat_event_wait(&p->meet[!i]);
  leat_mutex_lock(other);
  leat_mutex_unlock(other);
  if (i) leat_mutex_unlock(mine); /* the other's the test unlocks */
}
LEAT_FN(make_inversion, leat_view, s) {
  struct pair *p = calloc(1, sizeof *p);
  hidden = ~(uintptr_t)p;
  for (int i = 0; i < 2; i++) leat_go(s, locks, p, i);
}
TEST_GO(an_inversion_of_locks_names_who_holds_them) {
  SEES_MEMORY;
  leat_scope(s);
  let_make(leat_bind(make_inversion, s));
  wait_blocked("locks", 2);
  becomes_certain("locks");
  struct search found = look_for("locks");
  CHECK_EQ(found.n, 2);
  CHECK(strstr(found.why, certain() == LEAT_CERTAIN ? "(locks), which holds it, is stuck, too" : "stuck"));
  struct pair *volatile p = (struct pair *)~hidden;
  found = look_for("locks");
  CHECK_EQ(found.verdict, LEAT_SUSPECTED); /* now the caller could unlock */
  leat_mutex_unlock(&p->first);
  while (leat_scope_goroutines(s)) leat_yield();
  free(p);
}

LEAT_FN(wants, leat_mutex *, m) {
  leat_mutex_lock(m);
  leat_mutex_unlock(m);
}
LEAT_FN(holds, leat_mutex *, m) { leat_locked(m) leat_sleep(LEAT_SECONDS(1000)); }
TEST_GO(a_holder_who_goes_on) {
  static leat_mutex m;
  leat_scope(s);
  leat_go(s, holds, &m);
  wait_blocked("holds", 1);
  leat_go(s, wants, &m);
  wait_blocked("wants", 1);
  CHECK_EQ(verdict_on("wants"), NOT_FOUND);
}
TEST_GO(the_caller_as_holder) {
  leat_mutex m = {0};
  leat_scope(s);
  leat_mutex_lock(&m);
  leat_go(s, wants, &m);
  wait_blocked("wants", 1);
  CHECK_EQ(verdict_on("wants"), NOT_FOUND);
  leat_mutex_unlock(&m);
}
static void *holds_on_a_thread(void *m) {
  leat_mutex_lock(m);
  go_on = 1;
  while (go_on != 2) usleep(1000);
  leat_mutex_unlock(m);
  return NULL;
}
TEST_GO(a_plain_thread_as_holder) {
  static leat_mutex m;
  leat_scope(s);
  pthread_t t;
  pthread_create(&t, NULL, holds_on_a_thread, &m);
  UNTIL(go_on);
  leat_go(s, wants, &m);
  wait_blocked("wants", 1);
  CHECK_EQ(verdict_on("wants"), NOT_FOUND);
  go_on = 2;
  leat_blocking { pthread_join(t, NULL); }
}

LEAT_FN(writes, leat_rwmutex *, m) { leat_write_locked(m) {} }
TEST_GO(readers_are_not_known_so_whoever_has_a_way_may_be_one) {
  leat_rwmutex m = {0};
  leat_scope(s);
  leat_rwmutex_rlock(&m);
  leat_go(s, writes, &m);
  wait_blocked("writes", 1);
  CHECK_EQ(verdict_on("writes"), NOT_FOUND);
  leat_rwmutex_runlock(&m);
}

LEAT_FN(counted, leat_waitgroup *, g, int_chan, c) {
  int v;
  (void)g;
  leat_recv(c, &v);
}
LEAT_FN(waits_for_group, leat_waitgroup *, g) { leat_waitgroup_wait(g); }
TEST_GO(a_group_of_whom_one_is_stuck) {
  leat_waitgroup group = {0};
  leat_scope(s);
  int_chan c = leat_chan_make(s, int, 0);
  leat_waitgroup_go(&group, s, counted, &group, c);
  leat_waitgroup_go(&group, s, sleeper);
  leat_go(s, waits_for_group, &group);
  wait_blocked("counted", 1);
  wait_blocked("waits_for_group", 1);
  CHECK_EQ(verdict_on("waits_for_group"), NOT_FOUND); /* the caller may send to `counted` */
  leat_send(c, 1);
  leat_cancel(s);
}

/* ---- the world ---- */

/* Goroutines that run all the time are stopped and go on, and those that wait for each other are never suspected. */
static atomic_long rounds;
LEAT_FN(ping, int_chan, a, int_chan, b) {
  int v;
  while (leat_recv(a, &v) == LEAT_OK && leat_send(b, v) == LEAT_OK) rounds++;
}
LEAT_FN(pong, int_chan, a, int_chan, b) {
  int v = 1;
  while (leat_send(a, v) == LEAT_OK && leat_recv(b, &v) == LEAT_OK) {}
}
LEAT_FN(computes, int, unused) {
  while (leat_checkpoint() == LEAT_OK) unused++;
}
TEST_GO(those_who_talk_are_not_stuck) {
  leat_scope(s);
  for (int i = 0; i < 8; i++) {
    int_chan a = leat_chan_make(s, int, i % 3), b = leat_chan_make(s, int, i % 2);
    leat_go(s, ping, a, b);
    leat_go(s, pong, a, b);
  }
  leat_go(s, computes, 0);
  for (int i = 0; i < (int)test_scale(300); i++) {
    long before = rounds;
    CHECK_EQ(leat_find_stuck(NULL, NULL), 0);
    UNTIL(rounds > before); /* they go on */
  }
  leat_cancel(s);
}

static void *look_often(void *unused) {
  for (int i = 0; i < (int)test_scale(200); i++) CHECK_EQ(leat_find_stuck(NULL, NULL), 0);
  return unused;
}
TEST_GO(several_look_at_the_same_time) {
  leat_scope(s);
  int_chan a = leat_chan_make(s, int, 0), b = leat_chan_make(s, int, 0);
  leat_go(s, ping, a, b);
  leat_go(s, pong, a, b);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, look_often, NULL);
  for (int i = 0; i < (int)test_scale(200); i++) CHECK_EQ(leat_find_stuck(NULL, NULL), 0);
  for (int i = 0; i < 2; i++) {
    leat_blocking { pthread_join(threads[i], NULL); }
  }
  leat_cancel(s);
}

/* The heap changes while it is looked at. */
LEAT_FN(churn) {
  void *kept[64] = {0};
  for (unsigned i = 0; leat_checkpoint() == LEAT_OK; i++) {
    free(kept[i % 64]);
    kept[i % 64] = malloc(i * 37 % 5000);
  }
  for (int i = 0; i < 64; i++) free(kept[i]);
}
static void *churn_on_a_thread(void *unused) {
  void *kept[64] = {0};
  unsigned large = test_under_asan() ? 150000 : 300000; /* larger ones ASan unmaps while it is asked about them, and crashes: docs/sanitizers.md */
  for (unsigned i = 0; !go_on; i++) {
    free(kept[i % 64]);
    kept[i % 64] = malloc(i * 41 % (i % 1000 ? 3000 : large));
  }
  for (int i = 0; i < 64; i++) free(kept[i]);
  return unused;
}
TEST_GO(a_heap_that_changes) {
  leat_scope(s);
  let_make(leat_bind(make_chain, s));
  for (int i = 0; i < 3; i++) leat_go(s, churn);
  pthread_t t;
  pthread_create(&t, NULL, churn_on_a_thread, NULL);
  for (int i = 0; i < (int)test_scale(300); i++) CHECK_EQ(verdict_on("receiver"), NOT_FOUND);
  go_on = 1;
  leat_blocking { pthread_join(t, NULL); }
  leat_cancel(s);
}

/* ---- reports ---- */

static atomic_int heard;
static void hear(void *unused, const char *line) {
  (void)unused;
  if (strstr(line, "perhaps stuck: goroutine") && strstr(line, "(receiver), started at") && strstr(line, "receiving from a channel") && strstr(line, "made at")) heard++;
}
static int lose_one(int argc, char **argv) {
  (void)argc, (void)argv;
  leat_scope(s);
  lose_receiver(s);
  UNTIL(heard);
  leat_sleep(LEAT_MS(50));
  return 0;
}
TEST(now_and_then_if_the_environment_asks) {
  SEES_MEMORY;
  leat_set_log(hear, NULL);
  setenv("LEAT_FIND_STUCK", "0.01", 1);
  CHECK_EQ(leat_i_run_main(lose_one, 0, NULL), 0);
  CHECK_EQ(heard, 1); /* once */
}
TEST(now_and_then_if_the_options_ask) {
  SEES_MEMORY;
  leat_set_log(hear, NULL);
  CHECK_EQ(leat_runtime_start(&(leat_options){.find_stuck = 10}), LEAT_OK);
  leat_go(NULL, start_lost_receiver, leat_current_scope());
  UNTIL(heard);
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
  CHECK_EQ(leat_runtime_start(NULL), LEAT_OK); /* and again without */
  CHECK_EQ(leat_runtime_stop(), LEAT_OK);
}
TEST_DIES(a_certain_one_ends_the_process_if_that_is_asked, "leat: stuck: goroutine", "(joiner)", "is stuck, too") {
  CHECK_EQ(leat_runtime_start(&(leat_options){.find_stuck = 10, .stuck_is_fatal = 1}), LEAT_OK);
  int_chan start = leat_chan_make(NULL, int, 2);
  for (int i = 0; i < 2; i++) tasks[i] = leat_spawn(NULL, joiner, 1 - i, start);
  leat_send(start, 1);
  leat_send(start, 1);
  leat_sleep(LEAT_SECONDS(1000)); /* and not in turns: what runs while the finder looks leaves it in doubt */
}
TEST_GO(text) {
  SEES_MEMORY;
  leat_scope(s);
  lose_receiver(s);
  char *out = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&out, &size);
  CHECK_EQ(leat_print_stuck(f), 1);
  fclose(f);
  CHECK(strstr(out, "leat: perhaps stuck: goroutine ") && strstr(out, " (receiver), started at ") && strstr(out, ", receiving from a channel 0x"));
  free(out);
}
TEST(a_total_deadlock_is_still_noticed) { /* by the runtime, though the finder has a thread */
  test_needs_deadlocks_found();
  int status = 0;
  if (fork() == 0) {
    setenv("LEAT_FIND_STUCK", "1000", 1);
    freopen("/dev/null", "w", stderr);
    leat_runtime_start(NULL);
    int v;
    leat_recv(leat_chan_make(NULL, int, 0), &v);
    _exit(0);
  }
  wait(&status);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 2);
}
