/* digest.c - MD5 of every file in a tree: the Go blog's bounded.go (https://go.dev/blog/pipelines), grown up to a tool beside md5sum.
 *
 *   walk.c or check.c  ->  pipeline.c (hasher.c)  ->  sums.c or check.c  ->  format.c
 *   source of files        digests, in 3 modes        sink                   standard output
 *
 * report.c has standard error to itself while they run. This file puts them together and decides the exit status. */
#include "check.h"
#include "hasher.h"
#include "options.h"
#include "sums.h"
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A closed standard descriptor must not become the number of some file that is opened. Before the runtime opens any. */
static __attribute__((constructor)) void keep_standard_descriptors(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) _exit(EXIT_FAILURE); /* reading (writing) it still fails */
}

/* More digesters than CPUs: while some wait for the disk, others compute. Four each made a tree that is not in the page cache 1.7 times
 * as fast as one each, and cost nothing where it is; eight gained nothing more. */
enum { DIGESTERS_A_WORKER = 4 };

struct run {
  const struct options *options;
  struct job job;
  struct counters counters;
  struct report report;
  struct out out;
};

/* What the pipeline's end means; -1: go on. */
static int exit_status_of(const struct outcome *o) {
  if (o->signal) {
    fprintf(stderr, "digest: %s\n", o->signal == SIGINT ? "interrupted" : "terminated");
    return 128 + o->signal;
  }
  if (o->stopped) return EXIT_FAILURE;
  if (!o->status) return -1;
  fprintf(stderr, "digest: %s\n", o->status == LEAT_NOMEM ? "memory exhausted" : leat_status_text(o->status));
  return EXIT_FAILURE;
}

static int digest_operands(struct run *r) {
  struct sums sums = {.report = &r->report};
  struct outcome outcome;
  {
    leat_scope(s);
    report_start(s, &r->report);
    r->job.source = walk_source;
    r->job.source_env = (void *)&r->options->walk;
    r->job.take = sums_take;
    r->job.failure = sums_failure;
    r->job.sink_env = &sums;
    outcome = pipeline_run(&r->job);
    report_end(&r->report);
    int status = leat_wait(s);
    if (status) outcome.status = status;
  }
  int status = exit_status_of(&outcome);
  if (status < 0) {
    status = sums.errors ? EXIT_FAILURE : EXIT_SUCCESS;
    if (!sums_print(&sums, &r->out, &r->options->style)) {
      fputs("digest: memory exhausted\n", stderr);
      status = EXIT_FAILURE;
    }
  }
  sums_end(&sums);
  return status;
}

static int check_lists(struct run *r) {
  const struct options *o = r->options;
  struct check check = {
    .ignore_missing = o->ignore_missing,
    .quiet = o->quiet,
    .status_only = o->status_only,
    .strict = o->strict,
    .warn = o->warn,
    .out = &r->out,
    .report = &r->report,
  };
  struct outcome outcome = {0};
  bool all_well = true;
  {
    leat_scope(s);
    report_start(s, &r->report);
    r->job.source = check_source;
    r->job.take = check_take;
    r->job.failure = check_failure;
    r->job.source_env = r->job.sink_env = &check;
    for (int i = 0; i < o->walk.count && (all_well || !o->fail_fast); i++) {
      check_begin(&check, o->walk.operands[i]);
      outcome = pipeline_run(&r->job);
      if (outcome.status || outcome.signal || outcome.stopped) break;
      all_well &= check_end(&check);
    }
    report_end(&r->report);
    int status = leat_wait(s);
    if (status) outcome.status = status;
  }
  int status = exit_status_of(&outcome);
  return status >= 0 ? status : all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void print_summary(const struct counters *c, int64_t duration) {
  char text[32];
  uint64_t files = atomic_load(&c->done_files), bytes = atomic_load(&c->done_bytes);
  double seconds = (double)duration / 1e9;
  fprintf(stderr, "%llu file%s, %s, %.2f s, %.1f MB/s\n", (unsigned long long)files, files == 1 ? "" : "s", format_bytes(text, bytes), seconds,
          (double)bytes / 1e6 / seconds);
}

/* One goroutine a file may mean one descriptor a file. */
static void allow_many_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct options *o) {
  int64_t start = leat_now();
  struct run r = {.options = o};
  const char *trouble = hasher_global_start();
  if (trouble || !out_start(&r.out)) {
    fprintf(stderr, "digest: %s%s\n", trouble ? "MD5 is not available: " : "memory exhausted", trouble ? trouble : "");
    return EXIT_FAILURE;
  }
  if (o->mode == MODE_PARALLEL) allow_many_descriptors();
  bool verdicts_on_terminal = o->check && !o->status_only && isatty(STDOUT_FILENO);
  r.report.counters = &r.counters;
  r.report.show_progress = isatty(STDERR_FILENO) && !o->no_progress && !o->quiet && !verdicts_on_terminal;
  r.job = (struct job){.mode = o->mode, .digesters = o->jobs ? o->jobs : DIGESTERS_A_WORKER * leat_workers(), .fail_fast = o->fail_fast, .counters = &r.counters};

  int status = o->check ? check_lists(&r) : digest_operands(&r);
  int error = out_end(&r.out);
  if (error) {
    fprintf(stderr, "digest: write error: %s\n", strerror(error));
    status = EXIT_FAILURE;
  }
  if (o->summary && status <= EXIT_FAILURE) print_summary(&r.counters, leat_now() - start);
  hasher_global_end();
  return status;
}

LEAT_MAIN(argc, argv) {
  struct options options;
  setlocale(LC_ALL, "");
  int status = options_parse(&options, argc, argv);
  if (status < 0) status = run(&options);
  options_end(&options);
  return status;
}
