/* Go's channel benchmarks (runtime/chan_test.go): the same names and shapes. A select with one case and a default is a try operation in leat,
 * as it is inside Go. */
#include "bench.h"

enum { CALLS = 1000 }; /* between two looks at how much is left to do */

static int64_t elapsed_since(int64_t start) { return leat_now() - start; }

/* ---- making ---- */

#define MAKE_CHAN(name, T) \
  static int64_t name(int64_t n) { \
    int64_t start = leat_now(); \
    for (int64_t i = 0; i < n; i++) { \
      leat_chan(T) c = leat_chan_make(NULL, T, 8); \
      OPAQUE(c); \
      leat_release(c); \
    } \
    return elapsed_since(start); \
  }
struct bytes32 {
  int64_t x[4];
};
struct bytes40 {
  int64_t x[5];
};
MAKE_CHAN(make_byte, char)
MAKE_CHAN(make_int, int64_t)
MAKE_CHAN(make_ptr, char *)
MAKE_CHAN(make_struct_0, struct none)
MAKE_CHAN(make_struct_32, struct bytes32)
MAKE_CHAN(make_struct_40, struct bytes40)

static void creation_body(struct portion *p, void *unused) {
  (void)unused;
  while (next(p)) {
    leat_chan(int64_t) c = leat_chan_make(NULL, int64_t, 1);
    int64_t v;
    must(leat_send(c, 0));
    must(leat_recv(c, &v));
    leat_release(c);
  }
}
static int64_t chan_creation(int64_t n) { return in_parallel(n, leat_workers(), creation_body, NULL); }

/* ---- without waiting ---- */

static void nonblocking_body(struct portion *p, void *environment) {
  leat_chan(int64_t) c = *(leat_chan(int64_t) *)environment;
  int64_t v;
  while (next(p)) expect("status", leat_try_recv(c, &v), LEAT_EMPTY);
}
static int64_t chan_nonblocking(int64_t n) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
  return in_parallel(n, leat_workers(), nonblocking_body, &c);
}

static void closed_body(struct portion *p, void *environment) {
  leat_chan(struct none) c = *(leat_chan(struct none) *)environment;
  struct none v;
  while (next(p)) expect("status", leat_try_recv(c, &v), LEAT_CLOSED);
}
static int64_t chan_closed(int64_t n) {
  leat_scope(s);
  leat_chan(struct none) c = leat_chan_make(s, struct none, 0);
  leat_close(c);
  return in_parallel(n, leat_workers(), closed_body, &c);
}

struct four {
  leat_chan(int64_t) c[4];
};
static void select_nonblock_body(struct portion *p, void *environment) {
  struct four *f = environment;
  int64_t v;
  while (next(p)) {
    expect("status", leat_try_recv(f->c[0], &v), LEAT_EMPTY);
    expect("status", leat_try_send(f->c[1], 0), LEAT_FULL);
    expect("status", leat_try_recv(f->c[2], &v), LEAT_EMPTY);
    int status = leat_try_send(f->c[3], 0);
    if (status) expect("status", status, LEAT_FULL);
  }
}
static int64_t select_nonblock(int64_t n) {
  leat_scope(s);
  struct four f;
  for (int i = 0; i < 4; i++) f.c[i] = leat_chan_make(s, int64_t, i / 2);
  int64_t took = in_parallel(n, leat_workers(), select_nonblock_body, &f);
  expect("length", (int64_t)leat_len(f.c[3]), n > 0);
  return took;
}

/* ---- buffered ---- */

enum { ITEMS = 100 };
static void fill_and_drain(leat_chan(int64_t) c, struct portion *p) {
  while (next(p)) {
    int64_t v;
    for (int i = 0; i < ITEMS; i++) must(leat_send(c, 0));
    for (int i = 0; i < ITEMS; i++) must(leat_recv(c, &v));
  }
}
static void uncontended_body(struct portion *p, void *unused) {
  (void)unused;
  leat_chan(int64_t) c = leat_chan_make(NULL, int64_t, ITEMS);
  fill_and_drain(c, p);
  expect("length", (int64_t)leat_len(c), 0);
  leat_release(c);
}
static int64_t chan_uncontended(int64_t n) { return in_parallel(n, leat_workers(), uncontended_body, NULL); }

static void contended_body(struct portion *p, void *environment) { fill_and_drain(*(leat_chan(int64_t) *)environment, p); }
static int64_t chan_contended(int64_t n) {
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, (size_t)(ITEMS * leat_workers()));
  int64_t took = in_parallel(n, leat_workers(), contended_body, &c);
  expect("length", (int64_t)leat_len(c), 0);
  return took;
}

static void sem_body(struct portion *p, void *environment) {
  leat_chan(struct none) c = *(leat_chan(struct none) *)environment;
  struct none v = nothing;
  while (next(p)) {
    must(leat_send(c, v));
    must(leat_recv(c, &v));
  }
}
static int64_t chan_sem(int64_t n) {
  leat_scope(s);
  leat_chan(struct none) c = leat_chan_make(s, struct none, (size_t)leat_workers());
  return in_parallel(n, leat_workers(), sem_body, &c);
}

static int64_t receive_from_closed(int64_t n) {
  leat_scope(s);
  leat_chan(struct none) c = leat_chan_make(s, struct none, (size_t)n);
  for (int64_t i = 0; i < n; i++) must(leat_send(c, nothing));
  leat_close(c);
  int64_t start = leat_now(), got = 0;
  leat_range(struct none, v, c) got++;
  int64_t took = elapsed_since(start);
  expect("values", got, n);
  return took;
}

/* ---- handing over ---- */

LEAT_FN(meet, leat_chan(int64_t), c, _Atomic(int64_t) *, rounds, int, times) {
  int64_t v = 0;
  for (int64_t i; (i = atomic_fetch_sub(rounds, 1) - 1) >= 0;)
    for (int k = 0; k < CALLS; k++) {
      if (i % 2) must(leat_send(c, 0));
      else must(leat_recv(c, &v));
      work(times);
      if (i % 2) must(leat_recv(c, &v));
      else must(leat_send(c, 0));
      work(times);
    }
}
static int64_t chan_sync_with(int64_t n, int times) {
  _Atomic(int64_t) rounds = n / CALLS / 2 * 2;
  int64_t start = leat_now();
  leat_scope(s);
  leat_chan(int64_t) c = leat_chan_make(s, int64_t, 0);
  for (int i = 0; i < 2; i++) leat_go(s, meet, c, &rounds, times);
  must(leat_wait(s));
  return elapsed_since(start);
}
static int64_t chan_sync(int64_t n) { return chan_sync_with(n, 0); }
static int64_t chan_sync_work(int64_t n) { return chan_sync_with(n, 1000); }

/* As many producers and consumers as workers; a 0 ends a consumer. */
struct market {
  leat_chan(int64_t) c;
  leat_chan(char) close; /* nobody does */
  _Atomic(int64_t) rounds, produced, consumed;
};
LEAT_FN(produce, struct market *, m, int, times) {
  int64_t produced = 0;
  while (atomic_fetch_sub(&m->rounds, 1) > 0)
    for (int k = 0; k < CALLS; k++) {
      work(times);
      must(leat_send(m->c, 1));
      produced++;
    }
  must(leat_send(m->c, 0));
  m->produced += produced;
}
LEAT_FN(consume, struct market *, m, int, times) {
  int64_t consumed = 0, v;
  for (;;) {
    must(leat_recv(m->c, &v));
    if (!v) break;
    consumed += v;
    work(times);
  }
  m->consumed += consumed;
}
static int64_t prod_cons(int64_t n, size_t capacity, int times) {
  int64_t start = leat_now();
  leat_scope(s);
  struct market m = {.c = leat_chan_make(s, int64_t, capacity), .rounds = n / CALLS};
  for (int i = 0; i < leat_workers(); i++) {
    leat_go(s, produce, &m, times);
    leat_go(s, consume, &m, times);
  }
  must(leat_wait(s));
  int64_t took = elapsed_since(start);
  expect("produced", m.produced, n / CALLS * CALLS);
  expect("consumed", m.consumed, m.produced);
  return took;
}
static int64_t prod_cons_0(int64_t n) { return prod_cons(n, 0, 0); }
static int64_t prod_cons_10(int64_t n) { return prod_cons(n, 10, 0); }
static int64_t prod_cons_100(int64_t n) { return prod_cons(n, 100, 0); }
static int64_t prod_cons_work_0(int64_t n) { return prod_cons(n, 0, 100); }
static int64_t prod_cons_work_10(int64_t n) { return prod_cons(n, 10, 100); }
static int64_t prod_cons_work_100(int64_t n) { return prod_cons(n, 100, 100); }

/* ---- select ---- */

static void select_uncontended_body(struct portion *p, void *unused) {
  (void)unused;
  leat_scope(s);
  leat_chan(int64_t) a = leat_chan_make(s, int64_t, 1), b = leat_chan_make(s, int64_t, 1);
  int64_t v;
  must(leat_send(a, 0));
  while (next(p)) switch (leat_select(leat_on_recv(a, &v), leat_on_recv(b, &v))) {
    case 0: must(leat_send(b, 0)); break;
    case 1: must(leat_send(a, 0)); break;
    default: wrong("select", leat_selected(), LEAT_OK);
    }
  expect("length", (int64_t)(leat_len(a) + leat_len(b)), 1);
}
static int64_t select_uncontended(int64_t n) { return in_parallel(n, leat_workers(), select_uncontended_body, NULL); }

struct contended {
  leat_view s;
  leat_chan(int64_t) a, b, c, done;
};
LEAT_FN(offer, struct contended *, t) {
  int64_t v;
  for (;;) {
    int which = leat_select(leat_on_send(t->a, 0), leat_on_send(t->b, 0), leat_on_send(t->c, 0), leat_on_recv(t->done, &v));
    if (which == 3) return;
    if (which < 0) must(which);
  }
}
static void sync_contended_body(struct portion *p, void *environment) {
  struct contended *t = environment;
  int64_t v;
  leat_go(t->s, offer, t);
  while (next(p)) {
    int which = leat_select(leat_on_recv(t->a, &v), leat_on_recv(t->b, &v), leat_on_recv(t->c, &v));
    if (which < 0) must(which);
  }
}
static int64_t select_sync_contended(int64_t n) {
  leat_scope(s);
  struct contended t = {s, leat_chan_make(s, int64_t, 0), leat_chan_make(s, int64_t, 0), leat_chan_make(s, int64_t, 0), leat_chan_make(s, int64_t, 0)};
  int64_t took = in_parallel(n, leat_workers(), sync_contended_body, &t);
  leat_close(t.done);
  must(leat_wait(s));
  return took;
}

static void async_contended_body(struct portion *p, void *environment) {
  struct contended *t = environment;
  int64_t v;
  must(leat_send(t->a, 0));
  while (next(p)) switch (leat_select(leat_on_recv(t->a, &v), leat_on_recv(t->b, &v))) {
    case 0: must(leat_send(t->b, 0)); break;
    case 1: must(leat_send(t->a, 0)); break;
    default: wrong("select", leat_selected(), LEAT_OK);
    }
}
static int64_t select_async_contended(int64_t n) {
  leat_scope(s);
  size_t workers = (size_t)leat_workers();
  struct contended t = {.a = leat_chan_make(s, int64_t, workers), .b = leat_chan_make(s, int64_t, workers)};
  int64_t took = in_parallel(n, leat_workers(), async_contended_body, &t);
  expect("length", (int64_t)(leat_len(t.a) + leat_len(t.b)), (int64_t)workers);
  return took;
}

/* Also waiting for an hour, and for a channel that nobody closes. */
LEAT_FN(select_produce, struct market *, m) {
  leat_scope(s);
  leat_rx(int64_t) timer = leat_after(s, LEAT_SECONDS(3600));
  int64_t produced = 0, t;
  char c;
  while (atomic_fetch_sub(&m->rounds, 1) > 0)
    for (int k = 0; k < CALLS; k++) {
      work(100);
      expect("case", leat_select(leat_on_send(m->c, 1), leat_on_recv(timer, &t), leat_on_recv(m->close, &c)), 0);
      produced++;
    }
  must(leat_send(m->c, 0));
  m->produced += produced;
}
LEAT_FN(select_consume, struct market *, m) {
  leat_scope(s);
  leat_rx(int64_t) timer = leat_after(s, LEAT_SECONDS(3600));
  int64_t consumed = 0, v, t;
  char c;
  for (;;) {
    expect("case", leat_select(leat_on_recv(m->c, &v), leat_on_recv(timer, &t), leat_on_recv(m->close, &c)), 0);
    if (!v) break;
    consumed += v;
    work(100);
  }
  m->consumed += consumed;
}
static int64_t select_prod_cons(int64_t n) {
  int64_t start = leat_now();
  leat_scope(s);
  struct market m = {.c = leat_chan_make(s, int64_t, 128), .close = leat_chan_make(s, char, 0), .rounds = n / CALLS};
  for (int i = 0; i < leat_workers(); i++) {
    leat_go(s, select_produce, &m);
    leat_go(s, select_consume, &m);
  }
  must(leat_wait(s));
  int64_t took = elapsed_since(start);
  expect("produced", m.produced, n / CALLS * CALLS);
  expect("consumed", m.consumed, m.produced);
  return took;
}

/* 1,000 goroutines that all wait for one channel, and each for one of its own. */
LEAT_FN(wait_for_two, leat_chan(char), popular, leat_chan(char), own, int64_t, n) {
  char v;
  for (int64_t i = 0; i < n; i++) expect("case", leat_select(leat_on_recv(popular, &v), leat_on_recv(own, &v)), 1);
}
static int64_t chan_popular(int64_t n) {
  enum { WAITERS = 1000 };
  int64_t start = leat_now();
  leat_scope(s);
  leat_chan(char) popular = leat_chan_make(s, char, 0);
  static leat_chan(char) own[WAITERS];
  for (int i = 0; i < WAITERS; i++) {
    own[i] = leat_chan_make(s, char, 0);
    leat_go(s, wait_for_two, popular, own[i], n);
  }
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < WAITERS; i++) must(leat_send(own[i], 1));
  must(leat_wait(s));
  return elapsed_since(start);
}

const struct benchmark go_chan_benchmarks[] = {
  COUNTED("MakeChan/Byte", make_byte),
  COUNTED("MakeChan/Int", make_int),
  COUNTED("MakeChan/Ptr", make_ptr),
  COUNTED("MakeChan/Struct/0", make_struct_0),
  COUNTED("MakeChan/Struct/32", make_struct_32),
  COUNTED("MakeChan/Struct/40", make_struct_40),
  COUNTED("ChanNonblocking", chan_nonblocking),
  COUNTED("SelectUncontended", select_uncontended),
  COUNTED("SelectSyncContended", select_sync_contended),
  COUNTED("SelectAsyncContended", select_async_contended),
  COUNTED("SelectNonblock", select_nonblock),
  COUNTED("ChanUncontended", chan_uncontended),
  COUNTED("ChanContended", chan_contended),
  COUNTED("ChanSync", chan_sync),
  COUNTED("ChanSyncWork", chan_sync_work),
  COUNTED("ChanProdCons0", prod_cons_0),
  COUNTED("ChanProdCons10", prod_cons_10),
  COUNTED("ChanProdCons100", prod_cons_100),
  COUNTED("ChanProdConsWork0", prod_cons_work_0),
  COUNTED("ChanProdConsWork10", prod_cons_work_10),
  COUNTED("ChanProdConsWork100", prod_cons_work_100),
  COUNTED("SelectProdCons", select_prod_cons),
  COUNTED("ReceiveDataFromClosedChan", receive_from_closed),
  COUNTED("ChanCreation", chan_creation),
  COUNTED("ChanSem", chan_sem),
  COUNTED("ChanPopular", chan_popular),
  COUNTED("ChanClosed", chan_closed),
  {0}};
