/* Channels, select and stages. */
#include "programs.h"
#include <poll.h>

enum { N = 100 };
typedef struct {
  int n;
  char text[60];
} record;

LEAT_FN(send_pointers, leat_tx(int *), out, int, n) {
  leat_defer_close(out);
  for (int i = 1; i <= n; i++) {
    int *p = malloc(sizeof *p);
    *p = i;
    if (leat_send(out, p)) {
      free(p);
      return;
    }
  }
}
LEAT_FN(add_pointers, leat_rx(int *), in, long *, sum) {
  leat_range(int *, p, in) {
    *sum += *p;
    free(p);
  }
}
static void hand_over_pointers(size_t capacity) {
  leat_scope(s);
  leat_chan(int *) c = leat_chan_make(s, int *, capacity);
  long sums[3] = {0};
  leat_go(s, send_pointers, leat_tx_of(c), N);
  for (int i = 0; i < 3; i++) leat_go(s, add_pointers, leat_rx_of(c), &sums[i]);
  MUST(leat_wait(s) == LEAT_OK);
  MUST(sums[0] + sums[1] + sums[2] == N * (N + 1) / 2);
}
PROGRAM(pointers_through_an_unbuffered_channel) { hand_over_pointers(0); }
PROGRAM(pointers_through_a_buffer_of_one) { hand_over_pointers(1); }
PROGRAM(pointers_through_a_buffer) { hand_over_pointers(7); }

LEAT_FN(send_records, leat_tx(record), out, record *, from) {
  for (int i = 0; i < N; i++) {
    from->n = i;
    snprintf(from->text, sizeof from->text, "record %d", i);
    MUST(leat_send(out, *from) == LEAT_OK);
  }
  leat_close(out);
}
PROGRAM(large_values_are_copied) {
  leat_scope(s);
  leat_chan(record) c = leat_chan_make(s, record, 3);
  record from;
  int seen = 0;
  char expected[60];
  leat_go(s, send_records, leat_tx_of(c), &from);
  leat_range(record, r, c) {
    snprintf(expected, sizeof expected, "record %d", seen);
    MUST(r.n == seen && strcmp(r.text, expected) == 0);
    seen++;
  }
  MUST(seen == N && leat_wait(s) == LEAT_OK);
}

/* A channel of capacity 1 as a mutex: taking a token out comes before the next put into its place has ended. */
LEAT_FN(count_in_turn, leat_chan(char), turn, long *, counter) {
  char c;
  for (int i = 0; i < N; i++) {
    MUST(leat_send(turn, 1) == LEAT_OK);
    ++*counter;
    MUST(leat_recv(turn, &c) == LEAT_OK);
  }
}
PROGRAM(a_buffered_channel_as_a_mutex) {
  leat_scope(s);
  leat_chan(char) turn = leat_chan_make(s, char, 1);
  long counter = 0;
  for (int i = 0; i < 4; i++) leat_go(s, count_in_turn, turn, &counter);
  MUST(leat_wait(s) == LEAT_OK && counter == 4 * N);
}

/* An unbuffered send ends after what the receiver did before it came. */
LEAT_FN(prepare_and_receive, leat_rx(char), c, int *, prepared) {
  char v;
  *prepared = 42;
  MUST(leat_recv(c, &v) == LEAT_OK);
}
PROGRAM(the_sender_sees_what_the_receiver_did) {
  for (int i = 0; i < 20; i++) {
    leat_scope(s);
    leat_chan(char) c = leat_chan_make(s, char, 0);
    int prepared = 0;
    leat_go(s, prepare_and_receive, leat_rx_of(c), &prepared);
    if (i % 2) leat_yield();
    MUST(leat_send(c, 1) == LEAT_OK && prepared == 42);
    MUST(leat_wait(s) == LEAT_OK);
  }
}

LEAT_FN(read_when_closed, leat_rx(char), closed, const int *, data) {
  char c;
  MUST(leat_recv(closed, &c) == LEAT_CLOSED && *data == 7);
}
PROGRAM(a_close_tells_everybody) {
  leat_scope(s);
  leat_chan(char) closed = leat_chan_make(s, char, 0);
  int data = 0;
  for (int i = 0; i < 5; i++) leat_go(s, read_when_closed, leat_rx_of(closed), &data);
  leat_yield();
  data = 7;
  leat_close(closed);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(send_until_stopped, leat_tx(int *), out, const int *, why) {
  for (;;) {
    int *p = malloc(sizeof *p);
    *p = 1;
    if (leat_send(out, p) == LEAT_OK) continue;
    free(p); /* still ours */
    MUST(*why == 5);
    return;
  }
}
static int dropped;
static void drop_pointer(int **p) {
  dropped += **p;
  free(*p);
}
PROGRAM(a_stop_tells_senders_and_drops_what_is_left) {
  leat_scope(s);
  leat_chan(int *) c = leat_chan_make(s, int *, 4);
  int why = 0, *p;
  leat_on_drop(c, drop_pointer);
  for (int i = 0; i < 3; i++) leat_go(s, send_until_stopped, leat_tx_of(c), &why);
  for (int i = 0; i < 10; i++) {
    MUST(leat_recv(c, &p) == LEAT_OK);
    free(p);
  }
  why = 5;
  leat_stop(c);
  MUST(leat_wait(s) == LEAT_OK && dropped <= 4);
}

LEAT_FN(send_batches, leat_tx(record), out, int, batches) {
  record items[10];
  for (int b = 0; b < batches; b++) {
    for (int i = 0; i < 10; i++) items[i] = (record){.n = b * 10 + i};
    size_t sent;
    MUST(leat_send_n(out, &items[0], 10, &sent) == LEAT_OK && sent == 10);
  }
  leat_close(out);
}
static void batches(size_t capacity) {
  leat_scope(s);
  leat_chan(record) c = leat_chan_make(s, record, capacity);
  record items[7];
  size_t got;
  int next = 0;
  leat_go(s, send_batches, leat_tx_of(c), 10);
  while (leat_recv_n(c, &items[0], 7, &got) == LEAT_OK)
    for (size_t i = 0; i < got; i++) MUST(items[i].n == next++);
  MUST(next == 100 && leat_wait(s) == LEAT_OK);
}
PROGRAM(batches_of_values) {
  batches(0);
  batches(3);
  batches(100);
}

struct request {
  int n;
  leat_tx(int) answer;
};
LEAT_FN(serve, leat_rx(struct request), requests) {
  leat_range(struct request, r, requests) MUST(leat_send(r.answer, r.n * r.n) == LEAT_OK);
}
LEAT_FN(ask, leat_tx(struct request), server, int, n) {
  leat_scope(s);
  leat_chan(int) answer = leat_chan_make(s, int, 0);
  int v;
  MUST(leat_send(server, ((struct request){n, leat_tx_of(answer)})) == LEAT_OK);
  MUST(leat_recv(answer, &v) == LEAT_OK && v == n * n);
}
PROGRAM(requests_carry_a_channel_for_the_answer) {
  leat_scope(s);
  leat_chan(struct request) server = leat_chan_make(s, struct request, 2);
  leat_go(s, serve, leat_rx_of(server));
  {
    leat_scope(clients);
    for (int i = 0; i < 20; i++) leat_go(clients, ask, leat_tx_of(server), i);
    MUST(leat_wait(clients) == LEAT_OK);
  }
  leat_close(server);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_FN(select_both_ways, leat_chan(int *), a, leat_chan(int *), b, long *, sum) {
  for (int i = 0; i < N; i++) {
    int *out = malloc(sizeof *out), *in = NULL;
    *out = 1;
    switch (leat_select(leat_on_send(a, out), leat_on_recv(b, &in), leat_on_send(b, out), leat_on_recv(a, &in))) {
    case 1:
    case 3:
      *sum += *in;
      free(in);
      free(out);
      break;
    case LEAT_CANCELED: free(out); return;
    default: break;
    }
  }
}
static void free_pointer(int **p) { free(*p); }
PROGRAM(selects_meet) {
  for (size_t capacity = 0; capacity < 3; capacity += 2) {
    leat_scope(s);
    leat_chan(int *) a = leat_chan_make(s, int *, capacity), b = leat_chan_make(s, int *, capacity);
    leat_on_drop(a, free_pointer);
    leat_on_drop(b, free_pointer);
    long sums[4] = {0};
    for (int i = 0; i < 4; i++) leat_go(s, select_both_ways, a, b, &sums[i]);
    leat_sleep(LEAT_MS(20)); /* the last may find no partner */
    leat_cancel(s);
    MUST(leat_wait(s) == LEAT_CANCELED);
  }
}

LEAT_FN(produce, leat_tx(int), out, int, from, int, to) {
  leat_defer_close(out);
  for (int i = from; i < to; i++)
    if (leat_send(out, i)) return;
}
PROGRAM(select_over_an_array_and_a_nil_channel) {
  leat_scope(s);
  leat_chan(int) c[3];
  leat_case cases[4];
  int values[3], open = 3, sum = 0;
  for (int i = 0; i < 3; i++) {
    c[i] = leat_chan_make(s, int, (size_t)i);
    leat_go(s, produce, leat_tx_of(c[i]), i * 10, i * 10 + 10);
  }
  while (open) {
    for (int i = 0; i < 3; i++) cases[i] = leat_on_recv(c[i], &values[i]);
    cases[3] = leat_on_timeout(LEAT_SECONDS(100));
    int i = leat_select_array(cases, 4);
    MUST(i >= 0 && i < 3);
    if (leat_selected() == LEAT_CLOSED) {
      c[i] = NULL;
      open--;
    } else {
      sum += values[i];
    }
  }
  MUST(sum == 435 && leat_wait(s) == LEAT_OK);
}

LEAT_FN(fill, leat_tx(int), out) {
  for (int i = 0; i < 50; i++)
    while (leat_try_send(out, i) == LEAT_FULL) leat_yield();
  leat_close(out);
}
PROGRAM(tries_and_deadlines) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 2);
  int v, sum = 0, status;
  MUST(leat_recv_until(c, leat_now() + LEAT_MS(1), &v) == LEAT_DEADLINE);
  leat_go(s, fill, leat_tx_of(c));
  while ((status = leat_try_recv(c, &v)) != LEAT_CLOSED) {
    if (status == LEAT_OK) sum += v;
    else leat_yield();
  }
  MUST(sum == 49 * 25 && leat_send_until(c, leat_now() + LEAT_MS(1), 1) == LEAT_CLOSED);
  MUST(leat_wait(s) == LEAT_OK);
}

LEAT_MAP(square, int, int, n) { return n * n; }
LEAT_MAP(enlarge, int, record, n) { return (record){.n = n}; }
LEAT_FILTER(even, record, r) { return r.n % 2 == 0; }
static long summed;
LEAT_SINK(sum_up, record, r) { summed += r.n; }
PROGRAM(stages) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 0);
  summed = 0;
  leat_go(s, produce, leat_tx_of(c), 1, 1000);
  leat_for_each(s, leat_take(s, leat_filter(s, leat_map(s, leat_map(s, leat_rx_of(c), square), enlarge), even), 3), sum_up);
  MUST(leat_wait(s) == LEAT_OK && summed == 4 + 16 + 36);
}

LEAT_FN(generate, leat_tx(int), out) {
  for (int i = 2; leat_send(out, i) == LEAT_OK; i++) {}
}
LEAT_FN(sieve, leat_rx(int), in, leat_tx(int), out, int, prime) {
  leat_range(int, v, in)
    if (v % prime && leat_send(out, v)) return;
}
PROGRAM(a_prime_sieve) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 0);
  int prime = 0;
  leat_go(s, generate, leat_tx_of(c));
  for (int i = 0; i < 15; i++) {
    MUST(leat_recv(c, &prime) == LEAT_OK);
    leat_chan(int) next = leat_chan_make(s, int, 0);
    leat_go(s, sieve, leat_rx_of(c), leat_tx_of(next), prime);
    c = next;
  }
  MUST(prime == 47);
}

PROGRAM(a_hosts_event_loop) {
  leat_scope(s);
  leat_chan(int) c = leat_chan_make(s, int, 4);
  int fd = leat_chan_fd(c), v, sum = 0, status = LEAT_EMPTY;
  MUST(fd >= 0);
  leat_go(s, produce, leat_tx_of(c), 0, 20);
  while (status != LEAT_CLOSED) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t count;
    leat_blocking { poll(&p, 1, 1000); }
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
    while ((status = leat_try_recv(c, &v)) == LEAT_OK) sum += v;
  }
  MUST(sum == 190 && leat_wait(s) == LEAT_OK);
}
