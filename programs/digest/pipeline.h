/* pipeline.h - source -> digesters -> collector, in the Blog's three forms.
 *
 * serial: no concurrency, one file after the other. parallel: a goroutine for each file, as many as there are files. bounded: a fixed
 * number of digesters that share one channel of work. All three digest the same source into the same sink. */
#pragma once
#include "report.h"

enum mode { MODE_SERIAL, MODE_PARALLEL, MODE_BOUNDED };

struct job {
  enum mode mode;
  int digesters; /* in bounded mode */
  bool fail_fast;

  /* Fills the batcher. Runs in a goroutine of its own (serial: in the caller's). LEAT_OK or the status that ended it early. */
  int (*source)(void *env, struct batcher *out);
  void *source_env;

  /* Both on the caller's goroutine. take: owns the batch; batches come in the source's order. failure: for fail_fast, looks at a batch as
   * soon as it is there; if something has failed in it, reports that and answers true, and the pipeline stops. */
  void (*take)(void *env, struct batch *b);
  bool (*failure)(void *env, const struct batch *b);
  void *sink_env;

  struct counters *counters;
};

struct outcome {
  int status; /* LEAT_OK: ran to its end. LEAT_NOMEM and other failures of the program itself */
  int signal; /* the signal that interrupted it, or 0 */
  bool stopped; /* by failure() */
};

struct outcome pipeline_run(const struct job *job);
