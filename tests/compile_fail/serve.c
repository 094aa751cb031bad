/* Misuses of queues, limiters, heartbeats and replicas. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right. */
#include <leat/leat.h>

LEAT_FN_ERR(fetch, int *, answer, int, replica, const char *, path) { return (void)path, *answer = replica, LEAT_OK; }
LEAT_FN(fetch_blindly, int *, answer, int, replica) { *answer = replica; }
LEAT_FN_ERR(fetch_anywhere, int *, answer, double, replica) { return *answer = (int)replica, LEAT_OK; }

void serve(leat_view s, leat_rx(int) ints, leat_rx(double) doubles, leat_tx(int) tx, leat_limiter *limiter, leat_heartbeat *h);
void serve(leat_view s, leat_rx(int) ints, leat_rx(double) doubles, leat_tx(int) tx, leat_limiter *limiter, leat_heartbeat *h) {
  leat_queue_options options = {.room = 5};
  leat_rx(int) queued = leat_queue(s, ints, options), limited = leat_limited(s, ints, limiter);
  //BAD leat_queue: needs | leat_queue(s, tx, options);
  //BAD leat_queue: the first argument | leat_queue(ints, ints, options);
  //BAD leat_limited: needs | leat_limited(s, tx, limiter);
  //BAD leat_limited: the first argument | leat_limited(ints, ints, limiter);
  //BAD leat_limited: an argument does not have the type leat_limiter * | leat_limited(s, ints, &options);

  int n = 0;
  double x = 0;
  leat_rx(leat_pulse) pulses = leat_pulses(h);
  if (leat_beat_recv(h, ints, &n) || leat_beat_send(h, tx, n) || leat_heartbeat_watch(pulses, 5) || leat_heartbeat_expect(pulses, 5)) return;
  //BAD leat_beat_recv: the pointer is not | (void)leat_beat_recv(h, ints, &x);
  //BAD leat_beat_recv: needs | (void)leat_beat_recv(h, tx, &n);
  //BAD leat_beat_recv: an argument does not have the type leat_heartbeat * | (void)leat_beat_recv(s, ints, &n);
  //BAD leat_beat_send: the value does not have | (void)leat_beat_send(h, tx, "1");
  //BAD leat_beat_send: needs | (void)leat_beat_send(h, ints, 1);
  //BAD leat_heartbeat_watch: these are not the pulses | (void)leat_heartbeat_watch(ints, 5);
  //BAD leat_heartbeat_expect: these are not the pulses | (void)leat_heartbeat_expect(doubles, 5);

  if (leat_replicate(&n, 3, fetch, "/") < 0 || leat_hedge(&n, 3, 5, fetch, "/") < 0 || leat_replicate_with(&n, ((leat_replicas){.n = 3}), fetch, "/") < 0) return;
  //BAD leat_replicate: | (void)leat_replicate(&x, 3, fetch, "/");
  //BAD leat_replicate: argument 3 | (void)leat_replicate(&n, 3, fetch, 5);
  //BAD leat_replicate: the function takes another number | (void)leat_replicate(&n, 3, fetch);
  //BAD leat_replicate: the function answers no status | (void)leat_replicate(&n, 3, fetch_blindly);
  //BAD leat_replicate: the function | (void)leat_replicate(&n, 3, fetch_anywhere);
  //BAD leat_hedge: | (void)leat_hedge(&x, 3, 5, fetch, "/");
  //BAD leat_hedge: the function takes another number | (void)leat_hedge(&n, 3, 5, fetch);
  //BAD leat_replicate_with: | (void)leat_replicate_with(&x, ((leat_replicas){.n = 3}), fetch, "/");

  (void)doubles, (void)queued, (void)limited, (void)fetch_blindly, (void)fetch_anywhere, (void)x;
}
