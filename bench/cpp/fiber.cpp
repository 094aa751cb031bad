// The benchmarks of bench/leat on Boost.Fiber. With one worker: its round robin, and stacks from a pool; with more, its shared_work scheduler,
// and stacks from malloc, as the pool is not for several threads. Neither has guards. There is no select.
#include "bench.hpp"
#include <atomic>
#include <boost/fiber/all.hpp>
#include <thread>

namespace fibers = boost::fibers;
using fiber = fibers::fiber;
using unbuffered = fibers::unbuffered_channel<int64_t>;
using buffered = fibers::buffered_channel<int64_t>;

static const size_t stack_size = 64 << 10;

template <class F> fiber go(F &&f) {
  static thread_local fibers::pooled_fixedsize_stack pool(stack_size);
  if (workers() == 1) return fiber(std::allocator_arg, pool, std::forward<F>(f));
  return fiber(std::allocator_arg, fibers::fixedsize_stack(stack_size), std::forward<F>(f));
}
static void join(std::vector<fiber> &all) {
  for (auto &f : all) f.join();
  all.clear();
}
template <class C> void send(C &c, int64_t v) { expect("status", int(c.push(v)), int(fibers::channel_op_status::success)); }

static int64_t yield(int64_t n) {
  struct alignas(64) cell { int64_t n = 0; };
  std::vector<cell> count(100);
  const int64_t each = up(n, 100), start = now();
  std::vector<fiber> all;
  for (auto &c : count)
    all.push_back(go([&c, each] {
      for (; c.n < each; c.n++) boost::this_fiber::yield();
    }));
  join(all);
  const int64_t took = now() - start;
  for (auto &c : count) expect("count", c.n, each);
  return took;
}

static int64_t start_and_join(int64_t n, int64_t batch) {
  std::vector<uint32_t> marks(batch);
  std::vector<fiber> all;
  const int64_t start = now();
  for (int64_t left = n; left > 0; left -= batch) {
    for (int64_t i = 0; i < batch && i < left; i++) all.push_back(go([&marks, i] { marks[i]++; }));
    join(all);
  }
  const int64_t took = now() - start;
  int64_t sum = 0;
  for (auto m : marks) sum += m;
  expect("marks", sum, n);
  return took;
}

static int64_t ping_pong(int64_t n) {
  unbuffered ping, pong;
  fiber echo = go([&] {
    for (int64_t v : ping) send(pong, v + 1);
  });
  int64_t v = 0, start = now();
  for (int64_t i = 0; i < n; i++) {
    send(ping, v);
    v = pong.value_pop();
  }
  const int64_t took = now() - start;
  expect("value", v, n);
  ping.close();
  echo.join();
  return took;
}

template <class C> int64_t many(int64_t n, int n_senders, int n_receivers, C &c) {
  const int64_t each = up(n, n_senders), start = now();
  std::vector<int64_t> sums(n_receivers);
  std::vector<fiber> senders, receivers;
  for (auto &sum : sums)
    receivers.push_back(go([&c, &sum] {
      int64_t own = 0;
      for (int64_t v : c) own += v;
      sum = own;
    }));
  for (int k = 0; k < n_senders; k++)
    senders.push_back(go([&c, k, each] {
      for (int64_t i = k * each; i < (k + 1) * each; i++) send(c, i);
    }));
  join(senders);
  c.close();
  join(receivers);
  const int64_t took = now() - start;
  int64_t sum = 0;
  for (auto s : sums) sum += s;
  expect("sum", sum, sum_below(n_senders * each));
  return took;
}
static int64_t over_unbuffered(int64_t n, int n_senders, int n_receivers) {
  unbuffered c;
  return many(n, n_senders, n_receivers, c);
}
static int64_t over_128(int64_t n, int n_senders, int n_receivers) {
  buffered c(128);
  return many(n, n_senders, n_receivers, c);
}
static int64_t pairs(int64_t n, int64_t (*pair)(int64_t, int, int)) {
  const int64_t each = up(n, workers()), start = now();
  std::vector<fiber> all;
  for (int i = 0; i < workers(); i++) all.push_back(go([=] { pair(each, 1, 1); }));
  join(all);
  return now() - start;
}

static int64_t ring(int64_t n) {
  const int nodes = 1000;
  const int64_t laps = up(n, nodes);
  std::vector<unbuffered> c(nodes);
  std::vector<fiber> all;
  for (int k = 1; k < nodes; k++)
    all.push_back(go([&c, k, laps] {
      for (int64_t i = 0; i < laps; i++) send(c[k], c[k - 1].value_pop() + 1);
    }));
  int64_t v = 0, start = now();
  for (int64_t i = 0; i < laps; i++) {
    send(c[0], v + 1);
    v = c[nodes - 1].value_pop();
  }
  const int64_t took = now() - start;
  expect("value", v, laps * nodes);
  join(all);
  return took;
}

static double sieve(int64_t *check) {
  const int primes = 1000;
  std::vector<unbuffered> c(primes + 1);
  const int64_t start = now();
  go([&c] {
    for (int64_t i = 2; c[0].push(i) == fibers::channel_op_status::success; i++) {}
  }).detach();
  for (int k = 0; k < primes; k++) {
    const int64_t prime = *check = c[k].value_pop();
    go([&c, k, prime] {
      for (int64_t i : c[k])
        if (i % prime && c[k + 1].push(i) != fibers::channel_op_status::success) return;
    }).detach();
  }
  const double took = double(now() - start) / 1e6;
  std::printf("sieve-1000 ms %.6g %lld\n", took, (long long)*check);
  std::fflush(stdout);
  _exit(0); // the filters still use the channels
}

static int64_t pipeline(int64_t n) {
  unbuffered repeated, taken;
  const int64_t start = now();
  fiber repeat = go([&] {
    while (repeated.push(1) == fibers::channel_op_status::success) {}
  });
  fiber take = go([&] {
    for (int64_t i = 0; i < n; i++) send(taken, repeated.value_pop());
    taken.close();
    repeated.close();
  });
  int64_t sum = 0;
  for (int64_t v : taken) sum += v;
  const int64_t took = now() - start;
  expect("sum", sum, n);
  take.join();
  repeat.join();
  return took;
}

static int64_t mutex(int64_t n, int goroutines) {
  fibers::mutex m;
  const int64_t each = up(n, goroutines), start = now();
  int64_t count = 0;
  std::vector<fiber> all;
  for (int k = 0; k < goroutines; k++)
    all.push_back(go([&] {
      for (int64_t i = 0; i < each; i++) {
        m.lock();
        count++;
        m.unlock();
      }
    }));
  join(all);
  const int64_t took = now() - start;
  expect("count", count, goroutines * each);
  return took;
}

static int64_t cond_ping_pong(int64_t n) {
  fibers::mutex m;
  fibers::condition_variable turn[2];
  int64_t count = 0, start = now();
  std::vector<fiber> all;
  for (int me = 0; me < 2; me++)
    all.push_back(go([&, me] {
      std::unique_lock<fibers::mutex> lock(m);
      while (count < 2 * n) {
        while (count % 2 != me && count < 2 * n) turn[me].wait(lock);
        if (count < 2 * n) count++;
        turn[!me].notify_one();
      }
    }));
  join(all);
  const int64_t took = now() - start;
  expect("turns", count, 2 * n);
  return took;
}

static double sleepers(int64_t *check) {
  std::atomic<int64_t> done{0};
  std::vector<fiber> all;
  const int64_t start = now();
  for (int i = 0; i < 100000; i++)
    all.push_back(go([&done] {
      boost::this_fiber::sleep_for(std::chrono::milliseconds(100));
      done++;
    }));
  join(all);
  *check = done;
  return double(now() - start) / 1e6 - 100;
}

static double parked(int64_t n, int64_t *check) {
  std::atomic<int64_t> parked{0}, closed{0};
  unbuffered c;
  std::vector<fiber> all;
  all.reserve(n);
  const double before = memory("VmRSS") + memory("VmPTE");
  for (int64_t i = 0; i < n; i++)
    all.push_back(go([&] {
      parked++;
      int64_t v;
      if (c.pop(v) == fibers::channel_op_status::closed) closed++;
    }));
  while (parked < n) boost::this_fiber::sleep_for(std::chrono::milliseconds(20));
  const double bytes = (memory("VmRSS") + memory("VmPTE") - before) / double(n);
  c.close();
  join(all);
  *check = closed;
  return bytes;
}

int main(int argc, char **argv) {
  if (workers() > 1 && argc > 1) {
    static std::atomic<int> ready{0};
    for (int i = 1; i < workers(); i++)
      std::thread([] {
        fibers::use_scheduling_algorithm<fibers::algo::shared_work>();
        ready++;
        fibers::mutex m;
        std::unique_lock<fibers::mutex> lock(m);
        fibers::condition_variable().wait(lock); // for ever: this thread runs other fibers
      }).detach();
    fibers::use_scheduling_algorithm<fibers::algo::shared_work>();
    while (ready < workers() - 1) std::this_thread::yield();
  }
  run_benchmark({
    {"yield", yield},
    {"spawn-1000", [](int64_t n) { return start_and_join(n, 1000); }},
    {"ping-pong", ping_pong},
    {"one-way", [](int64_t n) { return over_unbuffered(n, 1, 1); }},
    {"spsc-128", [](int64_t n) { return over_128(n, 1, 1); }},
    {"mpmc-4x4-128", [](int64_t n) { return over_128(n, 4, 4); }},
    {"fan-in-100", [](int64_t n) { return over_unbuffered(n, 100, 1); }},
    {"fan-out-100", [](int64_t n) { return over_unbuffered(n, 1, 100); }},
    {"pairs-0", [](int64_t n) { return pairs(n, over_unbuffered); }},
    {"pairs-128", [](int64_t n) { return pairs(n, over_128); }},
    {"ring-1000", ring},
    {"sieve-1000", nullptr, "ms", sieve},
    {"pipeline", pipeline},
    {"mutex", [](int64_t n) { return mutex(n, 1); }},
    {"mutex-4", [](int64_t n) { return mutex(n, 4); }},
    {"cond-ping-pong", cond_ping_pong},
    {"sleep-100k", nullptr, "ms", sleepers},
    {"parked-100k", nullptr, "B", [](int64_t *check) { return parked(100000, check); }},
  }, argc, argv);
}
