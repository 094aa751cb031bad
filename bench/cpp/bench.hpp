// What the benchmarks of Boost.Fiber and of State Threads share: the line they print, the same as bench/leat's, and how long they run.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <unistd.h>
#include <vector>

// One that is counted does n operations and answers how many nanoseconds they took; one of fixed size answers a value in its unit and what
// it computed; a server (unit "server") prints its port and serves until it is killed.
struct benchmark {
  const char *name;
  std::function<int64_t(int64_t n)> counted;
  const char *unit = nullptr;
  std::function<double(int64_t *check)> fixed = nullptr;
};

inline void expect(const char *what, int64_t got, int64_t expected) {
  if (got == expected) return;
  std::fprintf(stderr, "%s is %lld, not %lld\n", what, (long long)got, (long long)expected);
  _exit(1);
}
inline int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
inline int64_t sum_below(int64_t n) { return n * (n - 1) / 2; }
inline int64_t up(int64_t n, int64_t by) { return (n + by - 1) / by; }
inline int workers() {
  const char *text = std::getenv("BENCH_WORKERS");
  return text ? std::max(1, std::atoi(text)) : 1;
}

// A line of /proc/self/status, in bytes.
inline double memory(const std::string &field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.compare(0, field.size(), field) == 0) return std::stod(line.substr(field.size() + 1)) * 1024;
  expect(field.c_str(), -1, 0);
  return 0;
}

inline double calibrated(const std::function<int64_t(int64_t)> &counted, int64_t goal) {
  const int64_t most = 1000000000;
  for (int64_t n = 1;;) {
    int64_t took = counted(n);
    if (took >= goal || n >= most) return double(took) / double(n);
    int64_t enough = took > 0 ? int64_t(double(goal) * double(n) / double(took) * 1.2) : n * 100;
    n = std::min(most, std::max(n + 1, std::min(n * 100, enough)));
  }
}

// program [NAME [MILLISECONDS]]; without a name, lists them. Does not return to the caller's main: what still runs ends with the process.
inline void run_benchmark(const std::vector<benchmark> &all, int argc, char **argv) {
  for (const auto &b : all) {
    if (argc < 2) std::puts(b.name);
    if (argc < 2 || std::strcmp(b.name, argv[1])) continue;
    if (b.counted) {
      std::printf("%s ns %.6g ok\n", b.name, calibrated(b.counted, (argc > 2 ? std::atoll(argv[2]) : 200) * 1000000));
    } else {
      int64_t check = 0;
      double value = b.fixed(&check);
      std::printf("%s %s %.6g %lld\n", b.name, b.unit, value, (long long)check);
    }
    std::fflush(stdout);
    _exit(0);
  }
  std::fflush(stdout);
  if (argc < 2) _exit(0);
  std::fprintf(stderr, "no benchmark %s\n", argv[1]);
  _exit(2);
}
