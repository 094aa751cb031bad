/* The typed macros as C sees them: they take a user's variables and macros of any name, evaluate each argument once (from left to right,
 * but for those that are plain calls underneath), can stand in each other's arguments and wherever C allows an expression or a statement, and carry values of any type that can be
 * assigned. What must not compile is in compile_fail; other ways to compile this file are in suites/headers. */
#include "harness.h"

#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From here on, what leat's macros call by a plain name is something else. */
#define unused @
#define cleanup @
#define format @
#define aligned @
#define fn @
#define arg @
#define closure @
#define none @
#define a1 @
#define service @
#define thunk @
#define kernel @
#define batch @

typedef struct { int x, y; } point;
typedef struct { double celsius; char city[40]; } weather;
typedef union { int i; double d; } number;
typedef struct { unsigned small : 3; int minus : 5; bool yes : 1; } bits;
typedef double (*binary)(double, double);
enum color { RED, GREEN = 70000 };
struct unknown;

LEAT_MAP(square, int, int, n) { return n * n; }
LEAT_MAP(half, int, double, n) { return n / 2.0; }
LEAT_MAP(name_length, const char *, size_t, text) { return strlen(text); }
LEAT_MAP(swap, const point, point, p) { return (point){p.y, p.x}; }
LEAT_FILTER(even, int, n) { return n % 2 == 0; }
static int summed;
LEAT_SINK(sum_up, int, n) { summed += n; }

/* A filled channel of ints 1, 2, 3, ... n, closed. */
static leat_chan(int) numbers(leat_view s, int n) {
  leat_chan(int) c = leat_chan_make(s, int, (size_t)n);
  for (int i = 1; i <= n; i++) CHECK_EQ(leat_send(c, i), LEAT_OK);
  leat_close(c);
  return c;
}

static int recv_int(leat_rx(int) c) {
  int v = -1;
  CHECK_EQ(leat_recv(c, &v), LEAT_OK);
  return v;
}

/* Names. */

TEST_GO(a_users_variables_may_have_any_name) {
  leat_scope(scope);
  leat_chan(int) chan = leat_chan_make(scope, int, 100);
  leat_chan(int) out = chan;
  int c = 1, v = 2, s = 3, x = 4, p = 5, k = 6, n = 7, d = 8, r = 9, m = 10, o = 11, N = 12, T = 13, In = 14, once = 15, value = 16,
      target = 17, deadline = 18, op = 19, name = 20, options = 21, items = 22, count = 23, can = 24, view = 25, result = 26, make = 27,
      qualifier = 28, capacity = 29, function = 30, pointer = 31, leat_i_c = 32, leat_i_x = 33, leat_i_v = 34, leat_i_once = 35;
  int all = c + v + s + x + p + k + n + d + r + m + o + N + T + In + once + value + target + deadline + op + name + options + items + count +
            can + view + result + make + qualifier + capacity + function + pointer + leat_i_c + leat_i_x + leat_i_v + leat_i_once;
  int *each[] = {&c, &v, &s, &x, &p, &k, &n, &d, &r, &m, &o, &N, &T, &In, &once, &value, &target, &deadline, &op, &name, &options, &items,
                 &count, &can, &view, &result, &make, &qualifier, &capacity, &function, &pointer, &leat_i_c, &leat_i_x, &leat_i_v, &leat_i_once};
  leat_send(chan, c); leat_send(chan, v); leat_send(chan, s); leat_send(chan, x); leat_send(chan, p); leat_send(chan, k); leat_send(chan, n);
  leat_send(chan, d); leat_send(chan, r); leat_send(chan, m); leat_send(chan, o); leat_send(chan, N); leat_send(chan, T); leat_send(chan, In);
  leat_send(chan, once); leat_try_send(chan, value); leat_try_send(chan, target); leat_send_until(chan, deadline + leat_now(), deadline);
  leat_send(chan, op); leat_send(chan, name); leat_send(chan, options); leat_send_n(chan, &items, 1, NULL); leat_send(chan, count);
  leat_send(chan, can); leat_send(chan, view); leat_send(chan, result); leat_send(chan, make); leat_send(chan, qualifier);
  leat_send(chan, capacity); leat_send(chan, function); leat_send(chan, pointer);
  leat_select(leat_on_send(chan, leat_i_c)); leat_select(leat_on_send(chan, leat_i_x)); leat_select(leat_on_send(chan, leat_i_v));
  leat_select(leat_on_send_from(chan, &leat_i_once));
  for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
    *each[i] = 0;
    CHECK_EQ(leat_recv(out, each[i]), LEAT_OK);
    all -= *each[i];
  }
  CHECK_EQ(all, 0);
}

TEST_GO(handles_may_have_any_name) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 4), v = c, x = c, p = c, leat_i_c = c, once = c;
  int got = 0;
  leat_send(c, 1), leat_send(v, 2), leat_send(x, 3), leat_send(p, 4);
  leat_close(leat_i_c);
  leat_range(int, r, once) got = 10 * got + r;
  CHECK_EQ(got, 1234);
}

TEST_GO(a_range_may_use_its_own_name) {
  leat_scope(s);
  leat_chan(leat_rx(int)) k = leat_chan_make(s, leat_rx(int), 2);
  leat_send(k, leat_rx_of(numbers(s, 2)));
  leat_send(k, leat_rx_of(numbers(s, 3)));
  leat_close(k);
  int sum = 0;
  leat_range(leat_rx(int), k, k) leat_range(int, k, k) sum = 10 * sum + k;
  CHECK_EQ(sum, 12123);
}

#define SEND_TWO(c, a, b) (leat_send(c, a) ? LEAT_INVALID : leat_send(c, b))
#define SUM_OF_BOTH(sum, a, b) leat_range(int, v, a) sum += v; leat_range(int, v, b) sum += v
TEST_GO(a_users_macro_may_use_one_twice_on_a_line) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 4), d = leat_chan_make(s, int, 4);
  int sum = 0;
  CHECK_EQ(SEND_TWO(c, SEND_TWO(d, 1, 2), SEND_TWO(d, 3, 4)), LEAT_OK);
  leat_close(c); leat_close(d);
  SUM_OF_BOTH(sum, c, d);
  CHECK_EQ(sum, 10);
}

/* Evaluation. */

static char order[64];
static int step(char what) {
  size_t n = strlen(order);
  CHECK(n + 1 < sizeof order);
  order[n] = what;
  return 0;
}
#define STEP(what, value) (step(what), (value))
static void check_steps(const char *expected) {
  CHECK_STR(order, expected);
  memset(order, 0, sizeof order);
}
static void check_steps_in_any_order(const char *expected) {
  CHECK_EQ(strlen(order), strlen(expected));
  for (const char *what = expected; *what; what++) CHECK(strchr(order, *what) != NULL);
  memset(order, 0, sizeof order);
}

LEAT_FN(three, int, a, const char *, b, leat_tx(int), c) { (void)a, (void)b, (void)c; }
LEAT_FN(no_arguments) {}

TEST_GO(arguments_are_evaluated_once_from_left_to_right) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(STEP('s', s), int, STEP('n', 9));
  check_steps("sn");
  leat_chan(int) full = leat_chan_make(s, int, 0);
  leat_tx(int) tx = leat_tx_of(STEP('c', c));
  leat_rx(int) rx = leat_rx_of(STEP('c', c));
  check_steps("cc");
  int v, many[3] = {1, 2, 3};
  size_t n = 0;
  leat_send(STEP('c', c), STEP('v', 1));
  check_steps("cv");
  leat_send_until(STEP('c', tx), STEP('d', LEAT_NEVER), STEP('v', 2));
  check_steps("cdv");
  CHECK_EQ(leat_try_send(STEP('c', full), STEP('v', 1)), LEAT_FULL);
  check_steps("cv");
  leat_recv(STEP('c', c), STEP('t', &v));
  check_steps("ct");
  leat_recv_until(STEP('c', rx), STEP('d', LEAT_NEVER), STEP('t', &v));
  check_steps("cdt");
  CHECK_EQ(leat_try_recv(STEP('c', c), STEP('t', &v)), LEAT_EMPTY);
  check_steps("ct");
  leat_send_n(STEP('c', c), STEP('i', many), STEP('n', 3), STEP('m', &n));
  check_steps("cinm");
  leat_recv_n(STEP('c', c), STEP('i', many), STEP('n', 2), STEP('m', &n));
  check_steps("cinm");
  leat_discard(STEP('c', c));
  leat_len(STEP('l', c)), leat_cap(STEP('m', c)), leat_share(STEP('s', c)), leat_on_drop(STEP('o', c), STEP('f', NULL));
  check_steps("clmsof");
  leat_send(c, 5);
  leat_close(STEP('c', c));
  leat_range(int, r, STEP('r', c)) CHECK_EQ(STEP('b', r), 5);
  leat_stop(STEP('s', c));
  check_steps("crbs");
  leat_select(leat_on_send(STEP('c', full), STEP('v', 1)), leat_on_recv(STEP('d', full), STEP('t', &v)), leat_on_send_from(STEP('e', full), STEP('p', &v)),
              leat_on_timeout(STEP('o', 0)), leat_on_deadline(STEP('n', LEAT_NEVER)));
  check_steps("cvdtepon");
  leat_go(STEP('s', s), three, STEP('1', 1), STEP('2', "2"), STEP('3', tx));
  check_steps("s123");
  leat_go_with(STEP('s', s), STEP('o', ((leat_go_options){.name = "named"})), three, STEP('1', 1), STEP('2', "2"), STEP('3', tx));
  check_steps_in_any_order("so123");
  leat_join(leat_spawn(STEP('s', s), three, STEP('1', 1), STEP('2', "2"), STEP('3', tx)));
  leat_call(leat_bind(three, STEP('1', 1), STEP('2', "2"), STEP('3', tx)));
  check_steps("s123123");
  leat_rx(int) stages = leat_take(STEP('t', s), leat_filter(STEP('f', s), leat_map(STEP('m', s), STEP('c', numbers(s, 3)), square), even), STEP('n', 2));
  check_steps("tfmcn");
  leat_for_each(STEP('s', s), STEP('c', stages), sum_up);
  check_steps("sc");
  {
    leat_defer(STEP('f', free), STEP('p', NULL));
    leat_defer_call(three, STEP('1', 1), STEP('2', "2"), STEP('3', tx));
    leat_defer_close(STEP('c', leat_chan_make(s, int, 0)));
    check_steps("fp123c");
  }
  leat_set_timeout(STEP('s', s), STEP('t', LEAT_SECONDS(1000)));
  check_steps_in_any_order("st");
  leat_set_deadline(STEP('s', s), STEP('t', LEAT_NEVER));
  check_steps_in_any_order("st");
  leat_keep_going(STEP('k', s));
  CHECK_EQ(leat_wait(STEP('w', s)), LEAT_OK);
  leat_cancel_because(STEP('c', s), STEP('f', "%d"), STEP('a', 1));
  leat_cancel(STEP('d', s));
  check_steps_in_any_order("kwcfad");
}

/* Each macro in the arguments of others and of itself. */
TEST_GO(macros_nest_in_each_others_arguments) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, (size_t)(4 + leat_send(leat_chan_make(s, int, 1), 4)));
  leat_chan(int *) targets = leat_chan_make(s, int *, leat_cap(c));
  int a = 0, b = 0, *target = NULL;
  CHECK_EQ(leat_send(c, leat_send(c, leat_send(c, 1) + 2) + 3), LEAT_OK);
  CHECK_EQ(leat_send(targets, ({ leat_recv(c, &a); leat_send(targets, &a); &b; })), LEAT_OK);
  CHECK_EQ(a, 1);
  CHECK_EQ(leat_recv(({ leat_recv(targets, &target); CHECK(target == &a); c; }), ({ leat_recv(targets, &target); target; })), LEAT_OK);
  CHECK_EQ(b, 2);
  CHECK_EQ(leat_recv_until(leat_rx_of(c), leat_now() + LEAT_SECONDS(9) + leat_send(c, 4), &a + leat_send(c, 5)), LEAT_OK);
  CHECK_EQ(a, 3);
  switch (leat_select(leat_on_recv(c, ({ CHECK_EQ(leat_select(leat_on_recv(c, &a), leat_default), 0); &b; })),
                      leat_on_send(targets, leat_select(leat_default) ? NULL : NULL), leat_on_timeout(leat_send(c, 6)))) {
  case 0: CHECK_EQ(b, 5); break;
  case 1: CHECK_EQ(recv_int(leat_rx_of(c)), 5); break;
  default: CHECK(false);
  }
  CHECK_EQ(a, 4);
  leat_close(({ leat_close(c); targets; }));
  leat_go(({ leat_go(s, no_arguments); s; }), three, leat_call(leat_bind(three, leat_send(c, 1), "b", NULL)), "b", leat_tx_of(({ leat_go(s, no_arguments); c; })));
  leat_call(leat_bind(three, leat_call(leat_bind(no_arguments)), "b", leat_tx_of(c)));
  summed = 0;
  leat_for_each(s, leat_take(s, leat_filter(s, leat_map(s, leat_take(s, leat_map(s, numbers(s, 100), square), leat_len(c) + 9), square), even), 3), sum_up);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(summed, 16 + 256 + 1296);
}

/* Statements. */

TEST_GO(macros_need_no_braces) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 9);
  int sum = 0;
  for (int i = 0; i < 4; i++)
    if (i % 2) leat_send(c, i);
    else leat_try_send(c, 10 * i);
  if (sum) leat_close(c);
  else if (!sum) leat_close(c);
  else leat_stop(c);
  if (sum == 0) leat_range(int, v, c) if (v % 2) sum += v;
  else sum += 100 * v;
  else sum = -1;
  CHECK_EQ(sum, 2004);
  if (sum < 0) leat_go(s, no_arguments);
  else leat_blocking if (sum) sum = 1;
  else sum = 2;
  CHECK_EQ(sum, 1);
  do leat_send(c, 1); while (leat_send(c, 1) == LEAT_OK);
  while (leat_recv(c, &sum) == LEAT_OK) leat_stop(c);
}

static int first_of(leat_rx(int) c) {
  leat_range(int, v, c) return v;
  return -1;
}
TEST_GO(break_continue_return_and_goto_mean_what_they_mean) {
  leat_scope(s);
  leat_rx(int) c = leat_rx_of(numbers(s, 9));
  int seen = 0;
  CHECK_EQ(first_of(c), 1);
  leat_range(int, v, c) {
    if (v == 2) continue;
    seen = 10 * seen + v;
    if (v == 4) break;
  }
  CHECK_EQ(seen, 34);
  leat_range(int, v, c) if (v == 6) goto out;
out:
  switch (leat_recv(c, &seen)) {
  case LEAT_OK:
    leat_range(int, v, c) {
      if (v == 8) break; /* out of the range, not the switch */
    }
    CHECK_EQ(seen, 7);
    break;
  default: CHECK(false);
  }
  for (int i = 0;; i++) {
    switch (leat_select(leat_on_recv(c, &seen), leat_default)) {
    case 0: if (leat_selected() == LEAT_OK) continue; break;
    default: CHECK(false);
    }
    CHECK_EQ(i, 1);
    break;
  }
}

/* Types of elements. */

/* Sends both values, each then arrives as it was. */
#define CHECK_CARRIES(T, equal, first, ...) \
  do { \
    leat_scope(carries); \
    leat_chan(T) carrier = leat_chan_make(carries, T, 2); \
    __typeof__(T) sent[2] = {first, __VA_ARGS__}, got[2]; \
    CHECK_EQ(leat_send(carrier, first), LEAT_OK); \
    CHECK_EQ(leat_send(carrier, __VA_ARGS__), LEAT_OK); \
    CHECK_EQ(leat_recv(carrier, &got[0]), LEAT_OK); \
    leat_close(carrier); \
    leat_range(T, value, carrier) got[1] = value; \
    CHECK(equal(got[0], sent[0]) && equal(got[1], sent[1])); \
    CHECK_EQ(leat_send_n(leat_chan_make(carries, T, 2), sent, 2, NULL), LEAT_OK); \
  } while (0)
#define SAME(a, b) ((a) == (b))
#define SAME_POINT(a, b) ((a).x == (b).x && (a).y == (b).y)
#define SAME_CITY(a, b) (!strcmp((a).city, (b).city))
#define SAME_NUMBER(a, b) ((a).d == (b).d)
static double add(double a, double b) { return a + b; }
static double subtract(double a, double b) { return a - b; }

TEST_GO(elements_of_every_kind) {
  static int cells[3], other[3];
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 0);
  leat_rx(leat_tx(point)) deep = leat_rx_of(leat_chan_make(s, leat_tx(point), 0));
  const int constant = 7;
  volatile short changing = 8;
  static _Atomic int atomic = 9;
  CHECK_CARRIES(int, SAME, constant, changing);
  CHECK_CARRIES(int, SAME, atomic, 'x');
  CHECK_CARRIES(char, SAME, 'a', 66);
  CHECK_CARRIES(signed char, SAME, -1, 66);
  CHECK_CARRIES(short, SAME, -1, 66);
  CHECK_CARRIES(unsigned long long, SAME, 1, ~0ull);
  CHECK_CARRIES(bool, SAME, true, 1 < 2);
  CHECK_CARRIES(bool, SAME, 2, false);
  CHECK_CARRIES(enum color, SAME, RED, GREEN);
  CHECK_CARRIES(float, SAME, 1, 0.5);
  CHECK_CARRIES(double, SAME, 'a', 1.5f);
  CHECK_CARRIES(long double, SAME, 1, 1.1L);
  CHECK_CARRIES(double _Complex, SAME, 1, 1.5);
  CHECK_CARRIES(number, SAME_NUMBER, ((number){.d = 1}), (number){.d = 2});
  CHECK_CARRIES(point, SAME_POINT, ((point){1, 2}), (point){3, 4});
  CHECK_CARRIES(weather, SAME_CITY, ((weather){21.5, "Austin"}), (weather){-3, "Leipzig, Halle"});
  CHECK_CARRIES(int *, SAME, &cells[1], cells);
  CHECK_CARRIES(const int *, SAME, cells, &constant);
  CHECK_CARRIES(void *, SAME, cells, NULL);
  CHECK_CARRIES(const void *, SAME, &constant, "text");
  CHECK_CARRIES(struct unknown *, SAME, NULL, (struct unknown *)cells);
  CHECK_CARRIES(int(*)[3], SAME, &cells, &other);
  CHECK_CARRIES(binary, SAME, add, &subtract);
  CHECK_CARRIES(double (*)(double, double), SAME, add, NULL);
  CHECK_CARRIES(leat_chan(int), SAME, c, NULL);
  CHECK_CARRIES(leat_rx(leat_tx(point)), SAME, NULL, deep);
  leat_chan(const char *) texts = leat_chan_make(s, const char *, 3);
  char text[] = "text";
  CHECK_EQ(leat_send(texts, "literal") | leat_send(texts, text) | leat_send(texts, (const void *)text), LEAT_OK);
  leat_close(texts);
  size_t length = 0;
  leat_range(size_t, n, leat_map(s, texts, name_length)) length += n;
  CHECK_EQ(length, 7 + 4 + 4);
  leat_chan(int *) pointers = leat_chan_make(s, int *, 3);
  CHECK_EQ(leat_send(pointers, cells) | leat_send(pointers, (void *)cells) | leat_send(pointers, memset(cells, 0, sizeof cells)), LEAT_OK);
  leat_on_drop(pointers, NULL);
}

TEST_GO(bit_fields_are_values) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 9);
  bits b = {.small = 7, .minus = -16, .yes = true};
  leat_send(c, b.small);
  leat_try_send(c, b.minus);
  leat_select(leat_on_send(c, b.minus));
  leat_go(s, three, b.minus, "", NULL);
  CHECK_EQ(leat_call(leat_bind(three, b.small, "", NULL)), LEAT_OK);
  leat_chan(bool) flags = leat_chan_make(s, bool, 1);
  bool flag = false;
  leat_send(flags, b.yes);
  leat_recv(flags, &flag);
  CHECK(flag);
  CHECK_EQ(recv_int(leat_rx_of(c)), 7);
  CHECK_EQ(recv_int(leat_rx_of(c)), -16);
  CHECK_EQ(recv_int(leat_rx_of(c)), -16);
}

TEST_GO(channels_of_channels) {
  leat_scope(s);
  leat_chan(leat_chan(leat_tx(int))) deep = leat_chan_make(s, leat_chan(leat_tx(int)), 1);
  leat_chan(leat_tx(int)) middle = leat_chan_make(s, leat_tx(int), 1), m = NULL;
  leat_chan(int) ints = leat_chan_make(s, int, 1);
  leat_tx(int) in = NULL;
  CHECK_EQ(leat_send(deep, middle), LEAT_OK);
  CHECK_EQ(leat_send(middle, leat_tx_of(ints)), LEAT_OK);
  CHECK_EQ(leat_recv(deep, &m), LEAT_OK);
  CHECK_EQ(leat_recv(m, &in), LEAT_OK);
  CHECK_EQ(leat_send(in, 42), LEAT_OK);
  CHECK_EQ(recv_int(leat_rx_of(ints)), 42);
}

/* Handles as parameters, results, members, elements of arrays, through qualifiers and typedefs. */
typedef leat_chan(int) int_chan;
struct worker { leat_rx(int) jobs; leat_tx(double) results[2]; };
static leat_rx(int) reader_of(const struct worker *w) { return w->jobs; }
TEST_GO(handles_are_ordinary_values) {
  leat_scope(s);
  const int_chan c = numbers(s, 3);
  const struct worker w = {.jobs = leat_rx_of(c), .results = {leat_tx_of(leat_chan_make(s, double, 1)), NULL}};
  leat_chan(int) const *at = &c;
  int_chan volatile changing = c;
  CHECK_EQ(recv_int(reader_of(&w)), 1);
  CHECK_EQ(recv_int(leat_rx_of(*at)), 2);
  CHECK_EQ(leat_len(changing), 1);
  leat_range(int, v, changing) CHECK_EQ(leat_send(w.results[0], v), LEAT_OK);
  CHECK(w.results[1] == NULL && w.jobs == leat_rx_of(*at));
}

/* Goroutines: none to eight parameters, of every kind; a bound function is a value. */

static char log_text[256];
#define LOG(...) snprintf(log_text + strlen(log_text), sizeof log_text - strlen(log_text), __VA_ARGS__)
LEAT_FN(f0) { LOG("f0;"); }
LEAT_FN_ERR(e1, int, a) { return LOG("e%d;", a) > 0 ? a : 0; }
LEAT_FN(f2, int, a, point, b) { LOG("%d(%d,%d);", a, b.x, b.y); }
LEAT_FN(f3, const int, a, const point, b, const char *const, c) { LOG("%d%d%s;", a, b.y, c); }
LEAT_FN(f4, int[3], a, const char[], b, int[2][2], c, char *[], d) { LOG("%d%s%d%s;", a[2], b, c[1][0], d[0]); }
LEAT_FN(f5, binary, a, double(double, double), b, int (*)(const char *), c, leat_rx(int), d, leat_chan(leat_tx(point)), e) {
  LOG("%g%g%d%d;", a(1, 2), b(1, 2), c == puts, d == NULL && e == NULL);
}
LEAT_FN(f6, bool, a, enum color, b, number, c, char, d, float, e, double _Complex, f) { LOG("%d%d%g%c%g%g;", a, b, c.d, d, (double)e, (double)f); }
LEAT_FN(f7, char, a, short, b, long, c, unsigned char, d, unsigned long long, e, long double, f, struct unknown *, g) {
  LOG("%c%d%ld%d%llu%Lg%d;", a, b, c, d, e, f, g == NULL);
}
LEAT_FN(f8, int, s, int, o, int, leat_i_r, int, leat_i_p, int, k, int, N, int, v1, int, a) { LOG("%d%d%d%d%d%d%d%d;", s, o, leat_i_r, leat_i_p, k, N, v1, a); }
LEAT_FN(f_bound, const leat_closure *, k, leat_view, w, struct leat_scope *, s) { leat_call(*k); LOG("%d;", w == s); }

static void run_each(struct leat_scope *s, int how) {
  /* 0: as a goroutine, 1: bound and called, 2: called as the function it is */
  static int cells[3] = {1, 2, 3}, table[2][2] = {{1, 2}, {3, 4}};
  static char word[] = "w", *words[] = {word, NULL};
  const point p = {4, 5};
#define RUN(f, ...) \
  switch (how) { \
  case 0: leat_join(leat_spawn(s, f, __VA_ARGS__)); break; \
  case 1: leat_call(leat_bind(f, __VA_ARGS__)); break; \
  case 2: f(__VA_ARGS__); break; \
  }
  switch (how) {
  case 0: leat_join(leat_spawn(s, f0)); break;
  case 1: leat_call(leat_bind(f0)); break;
  case 2: f0(); break;
  }
  RUN(e1, 0);
  RUN(f2, 'a' - 'b', ((point){1, 2}));
  RUN(f2, 'c' - 'a', p);
  RUN(f3, 1, p, "c");
  RUN(f4, cells, "b", table, words);
  RUN(f5, add, subtract, puts, NULL, NULL);
  RUN(f5, &add, &subtract, &puts, NULL, NULL);
  RUN(f6, 2, GREEN, ((number){.d = 1}), 'd', 1.5, 2);
  RUN(f7, 'a', -2, 3, 4, 5, 6, NULL);
  RUN(f8, 1, 2, 3, 4, 5, 6, 7, 8);
  leat_closure bound = leat_bind(f8, 8, 7, 6, 5, 4, 3, 2, 1);
  RUN(f_bound, &bound, s, s);
}
TEST_GO(goroutines_of_none_to_eight_parameters) {
  leat_scope(s);
  for (int how = 0; how < 3; how++) {
    memset(log_text, 0, sizeof log_text);
    run_each(s, how);
    CHECK_STR(log_text, "f0;e0;-1(1,2);2(4,5);15c;3b3w;3-111;3-111;1700001d1.52;a-234561;12345678;87654321;1;");
  }
}

TEST_GO(bound_functions_are_values) {
  leat_scope(s);
  leat_keep_going(s);
  memset(log_text, 0, sizeof log_text);
  leat_closure all[3] = {leat_bind(e1, 1), leat_bind(f2, 2, ((point){3, 4}))};
  all[2] = all[0];
  for (int i = 2; i >= 0; i--) CHECK_EQ(leat_call(all[i]), i == 1 ? 0 : 1);
  CHECK_EQ(leat_go_closure(s, all[0]), LEAT_OK);
  CHECK_EQ(leat_wait(s), 1);
  CHECK_STR(log_text, "e1;2(3,4);e1;e1;");
}

/* A goroutine gets copies: what the caller's variables become is its own affair. */
static int seen;
LEAT_FN(look, point, p, int, n, leat_rx(int), start) {
  recv_int(start);
  seen = p.x * 100 + p.y * 10 + n;
}
TEST_GO(arguments_are_copied) {
  leat_scope(s);
  leat_chan(int) start = leat_chan_make(s, int, 0);
  point p = {1, 2};
  int n = 3;
  leat_go(s, look, p, n, leat_rx_of(start));
  p = (point){7, 7}, n = 7;
  leat_send(start, 0);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(seen, 123);
}

/* Stages. */
TEST_GO(stages_take_qualified_and_structured_items) {
  leat_scope(s);
  leat_chan(point) points = leat_chan_make(s, point, 2);
  leat_send(points, (point){1, 2}), leat_send(points, (point){3, 4});
  leat_close(points);
  int got = 0;
  leat_range(point, p, leat_map(s, leat_map(s, leat_map(s, points, swap), swap), swap)) got = 100 * got + 10 * p.x + p.y;
  CHECK_EQ(got, 2143);
  CHECK_EQ(square(4) + (int)half(3) + even(2), 18); /* the functions are functions */
  double sum = 0;
  leat_range(double, d, leat_map(s, numbers(s, 3), half)) sum += d;
  CHECK(sum == 3.0);
  bool any = false;
  leat_range(bool, b, leat_map(s, numbers(s, 3), even)) any |= b;
  CHECK(any);
}
