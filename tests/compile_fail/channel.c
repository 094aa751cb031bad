/* Misuses of channels. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>
#include <stdlib.h>

typedef struct { int x, y; } point;
typedef struct { double celsius; char city[16]; } weather;
struct unknown;

void drop_int(int *i);
void drop_double(double *d);

void channels(struct leat_scope *s, int n, const int k, size_t count, int *pi, const int *pk, double *pd, point p, weather w,
              const void *pv, const char *text, int array[3], double doubles[3]);
void channels(struct leat_scope *s, int n, const int k, size_t count, int *pi, const int *pk, double *pd, point p, weather w,
              const void *pv, const char *text, int array[3], double doubles[3]) {
  /* Making one. */
  leat_chan(int) ints = leat_chan_make(s, int, 8);
  leat_chan(point) points = leat_chan_make(leat_current_scope(), point, 0);
  leat_chan(int *) pointers = leat_chan_make(NULL, int *, 0);
  leat_chan(char *) strings = leat_chan_make(s, char *, 0);
  leat_chan(const char *) texts = leat_chan_make(s, const char *, 0);
  leat_chan(leat_rx(int)) requests = leat_chan_make(s, leat_rx(int), 0);
  leat_tx(int) in = leat_tx_of(ints);
  leat_rx(int) out = leat_rx_of(ints);
  //BAD leat_chan_make: void | leat_chan_make(s, void, 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, int[3], 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, const int, 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, int *const, 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, const point, 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, volatile int, 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, _Atomic int, 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, _Atomic(int *), 0);
  //BAD leat_chan_make: the element type | leat_chan_make(s, int(int), 0);
  //BAD leat_chan_make | leat_chan_make(s, struct unknown, 0);
  //BAD leat_chan_make: the first argument | leat_chan_make(ints, int, 0);
  //BAD leat_chan_make: the first argument | leat_chan_make(8, int, 0);

  /* Views. */
  //BAD leat_tx_of: | leat_tx_of(out);
  //BAD leat_tx_of: | leat_tx_of(in);
  //BAD leat_rx_of: | leat_rx_of(in);
  //BAD leat_rx_of: | leat_rx_of(out);
  //BAD leat_rx_of | leat_rx_of(n);

  /* Sending: the value, and the direction. */
  leat_send(ints, n);
  leat_send(in, 'a');
  leat_send(in, k);
  leat_send(in, 1.5);
  //BAD leat_send: the value | leat_send(ints, "text");
  //BAD leat_send: the value | leat_send(ints, pi);
  //BAD leat_send: the value | leat_send(ints, NULL);
  //BAD leat_send: the value | leat_send(ints, p);
  //BAD leat_send: the value | leat_send(ints, ints);
  //BAD leat_send: needs | leat_send(out, n);
  //BAD leat_send: needs | leat_send(leat_rx_of(ints), n);
  //BAD leat_send | leat_send(pi, n);
  //BAD leat_send | leat_send(n, n);
  leat_send(points, (point){1, 2});
  leat_send(points, p);
  //BAD leat_send: the value | leat_send(points, n);
  //BAD leat_send: the value | leat_send(points, w);
  //BAD leat_send: the value | leat_send(points, &p);
  leat_send(pointers, pi);
  leat_send(pointers, array);
  leat_send(pointers, NULL);
  leat_send(pointers, malloc(sizeof(int)));
  //BAD leat_send: the value | leat_send(pointers, n);
  //BAD leat_send: the value | leat_send(pointers, 1);
  //BAD leat_send: the value | leat_send(pointers, 0);
  //BAD leat_send: the value | leat_send(pointers, pd);
  //BAD leat_send: the value | leat_send(pointers, pk);
  //BAD leat_send: the value | leat_send(pointers, &k);
  //BAD leat_send: the value | leat_send(pointers, (unsigned *)pi);
  //BAD leat_send: the value | leat_send(pointers, &pi);
  //BAD leat_send: the value | leat_send(pointers, pv);
  //BAD leat_send: the value | leat_send(pointers, ints);
  leat_send(strings, (char *)0);
  //BAD leat_send: the value | leat_send(strings, text);
  leat_send(texts, "text");
  leat_send(texts, (char *)malloc(1));
  leat_send(texts, pv);
  //BAD leat_send: the value | leat_send(texts, pk);
  leat_send(requests, out);
  leat_send(requests, leat_rx_of(ints));
  leat_send(requests, NULL);
  //BAD leat_send: the value | leat_send(requests, ints);
  //BAD leat_send: the value | leat_send(requests, in);
  //BAD leat_send: the value | leat_send(requests, leat_rx_of(points));
  leat_try_send(ints, n);
  //BAD leat_try_send: the value | leat_try_send(ints, pi);
  //BAD leat_try_send: needs | leat_try_send(out, n);
  leat_send_until(ints, leat_now(), n);
  //BAD leat_send_until: the value | leat_send_until(ints, leat_now(), pi);
  //BAD leat_send_until: needs | leat_send_until(out, leat_now(), n);

  /* Receiving: the target, and the direction. */
  leat_recv(ints, pi);
  leat_recv(out, &n);
  //BAD leat_recv: the pointer | leat_recv(ints, pd);
  //BAD leat_recv: the pointer | leat_recv(ints, (unsigned *)pi);
  //BAD leat_recv: the pointer | leat_recv(ints, n);
  //BAD leat_recv: the pointer | leat_recv(ints, pk);
  //BAD leat_recv: the pointer | leat_recv(ints, &k);
  //BAD leat_recv: the pointer | leat_recv(ints, (void *)pi);
  //BAD leat_recv: the pointer | leat_recv(ints, NULL);
  //BAD leat_recv: the pointer | leat_recv(points, pi);
  //BAD leat_recv: the pointer | leat_recv(texts, &strings);
  //BAD leat_recv: needs | leat_recv(in, pi);
  //BAD leat_recv: needs | leat_recv(leat_tx_of(ints), pi);
  leat_try_recv(ints, pi);
  //BAD leat_try_recv: the pointer | leat_try_recv(ints, pd);
  //BAD leat_try_recv: needs | leat_try_recv(in, pi);
  leat_recv_until(ints, leat_now(), pi);
  //BAD leat_recv_until: the pointer | leat_recv_until(ints, leat_now(), pd);
  //BAD leat_recv_until: the pointer | leat_recv_until(ints, pi, leat_now());
  //BAD leat_recv_until: needs | leat_recv_until(in, leat_now(), pi);
  leat_discard(out);
  //BAD leat_discard: needs | leat_discard(in);

  /* Ranges. */
  leat_range(int, v, out) leat_send(in, v);
  //BAD leat_range: the variable | leat_range(double, v, out) (void)v;
  //BAD leat_range: the variable | leat_range(unsigned, v, out) (void)v;
  //BAD leat_range: the variable | leat_range(const int, v, out) (void)v;
  //BAD leat_range: the variable | leat_range(point, v, out) (void)v;
  //BAD leat_range: needs | leat_range(int, v, in) (void)v;

  /* Many items. */
  leat_send_n(in, pk, 3, NULL);
  leat_send_n(in, array, 3, &count);
  //BAD leat_send_n: the pointer | leat_send_n(in, doubles, 3, NULL);
  //BAD leat_send_n: the pointer | leat_send_n(in, n, 3, NULL);
  //BAD leat_send_n: needs | leat_send_n(out, array, 3, NULL);
  //BAD leat_send_n: the last argument | leat_send_n(in, array, 3, &n);
  leat_recv_n(out, array, 3, &count);
  //BAD leat_recv_n: the pointer | leat_recv_n(out, doubles, 3, &count);
  //BAD leat_recv_n: the pointer | leat_recv_n(out, pk, 3, &count);
  //BAD leat_recv_n: needs | leat_recv_n(in, array, 3, &count);
  //BAD leat_recv_n: the last argument | leat_recv_n(out, array, 3, &n);

  /* Ends. */
  //BAD leat_close: needs | leat_close(out);
  //BAD leat_close | leat_close(n);
  //BAD leat_close | leat_close(&exit);
  //BAD leat_stop: needs | leat_stop(in);
  //BAD leat_own: needs | leat_own(out);
  leat_close(in);
  leat_stop(out);

  /* The rest. */
  leat_on_drop(ints, drop_int);
  leat_on_drop(ints, &drop_int);
  leat_on_drop(ints, NULL);
  //BAD leat_on_drop: not a void function | leat_on_drop(ints, drop_double);
  //BAD leat_on_drop: not a void function | leat_on_drop(strings, free);
  //BAD leat_on_drop: not a void function | leat_on_drop(ints, pi);
  //BAD leat_on_drop: not a void function | leat_on_drop(ints, 1);
  //BAD leat_len | leat_len(pi);
  //BAD leat_cap: this is no channel | leat_cap(&exit);
  //BAD leat_share | leat_share(n);
  //BAD leat_release | leat_release(n);
  //BAD leat_chan_fd: needs | leat_chan_fd(in);
  (void)(pd - doubles), (void)w, (void)text, (void)drop_double;
}
