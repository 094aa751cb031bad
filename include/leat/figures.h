/* leat/figures.h - Little's law for every stage of a pipeline, live: how many items are in it, how many come and go, how long they stay, what
 * part of its time it works, and what part it waits for input, or to get rid of its output; which stage is the bottleneck; and what a rate would take.
 * (Little 1961; operational analysis after Denning and Buzen 1978; the chapter "Queuing" of Cox-Buday's "Concurrency in Go".)
 *
 *   leat_measure(s);                            all stages that are made in the scope, or below, from now on
 *   ...
 *   leat_figures f[32];
 *   size_t n = leat_figures_read(s, f, 32);     at any moment
 *   puts(leat_bottleneck_of(f, n).why);
 *   leat_figures_print(s, stderr);              or all of it, as a table
 *
 * A stage waits if it waits at a channel of the pipeline. Whatever else its function waits for (a lock, a descriptor, an answer through a channel of its
 * own) it waits for on behalf of its item: it works. Waiting for a worker counts with the wait that it ends.
 *
 * A row stands for all stages that were made at one place of the program, with the same function, behind the same row: the n of leat_fan_out are one
 * with n goroutines; the pipelines that a server makes, one for each request, are one. So there are never many.
 *
 * Exact: items, waits, the time worked, what lies in buffers. The time that goroutines spent on fused stages is divided among these by a sample
 * of their rounds if they are short. Items of a batch that waits to be handed on are taken to leave it at an even pace.
 *
 * Costs: docs/figures.md. What is not measured pays nothing. */
#pragma once
#include "scope.h"
#include <stdio.h>

typedef struct leat_figures {
  uint64_t id;            /* in the scope that measures, from 1, in the order of their making */
  const char *stage;      /* "map" */
  const char *function;   /* "square"; "" without one */
  const char *birthplace; /* "main.c:12" */
  uint64_t group;         /* rows of the same number are fused: they are worked on by the same goroutines. The id of the last of them; 0: it has not begun */
  uint64_t feeder, reader; /* the row before it (the first, if there are several) and behind it; 0: none that is measured */
  int goroutines;         /* that worked on it, at most at the same time */
  bool ended;

  uint64_t in, out;       /* items */
  int64_t time;           /* nanoseconds since it began; until it ended, if it has */
  int64_t life;           /* those of its goroutines together: */
  int64_t busy;           /*   that they worked on this stage, */
  int64_t waited_in;      /*   waited for input (with what is fused with it), */
  int64_t waited_out;     /*   waited to hand their output on (with what is fused with it) */

  double l;               /* items in the stage, on average: worked on, kept back, waiting to be handed on, and in the buffer behind it */
  double lambda_in, lambda_out; /* items a second */
  double w;               /* seconds that an item is in it: l = lambda w, lambda being that of the input; of the output for a source */
  double service;         /* seconds of work on one item */
  double utilisation;     /* busy / life: 1 if it does nothing but work */
  double queue;           /* items in the buffer before it, on average */

  double leat_i_inside, leat_i_queued; /* item-nanoseconds */
  uint64_t leat_i_reserved[4];
} leat_figures;

enum leat_bottleneck_kind {
  LEAT_BOTTLENECK_UNKNOWN, /* nothing has been measured */
  LEAT_BOTTLENECK_STAGE,
  LEAT_BOTTLENECK_BEFORE,  /* what feeds the stage, from outside: the pipeline could do more */
  LEAT_BOTTLENECK_BEHIND,  /* who receives from the stage, outside */
};
typedef struct leat_bottleneck {
  enum leat_bottleneck_kind kind;
  const leat_figures *stage; /* in the array that was asked about, or NULL */
  char why[400];             /* a sentence */
} leat_bottleneck;

/* What a pipeline would be like at some rate. */
typedef struct leat_load {
  double capacity;    /* items a second that its bottleneck can do; infinity if there is no work at all */
  double utilisation; /* of the bottleneck at this rate. From 1 on it is unstable: more comes than goes, and no queue is long enough */
  double w;           /* seconds of work that an item takes through all stages */
  double l;           /* items that are worked on, on average, by Little's law: rate * w */
  int64_t room;       /* of a queue at the entrance that is full for no more than the part of arrivals asked about; -1: none is large enough */
} leat_load;

LEAT_I_BEGIN

/* Measures the stages that are made in the scope or below it from now on (where a scope below measures as well, those are that one's), until it is
 * left. LEAT_OK, also if it does already, or LEAT_NOMEM. Any thread may call any of these; NULL: the caller's innermost scope. */
int leat_measure(leat_view s);
/* How many rows there are, of which up to n are stored. Numbers of one row are of one moment but for what its goroutines do meanwhile. The strings
 * live as long as the program. 0 if the scope does not measure. */
size_t leat_figures_read(leat_view s, leat_figures *rows, size_t n);
/* What happened between two readings: later -= earlier, row by row. */
void leat_figures_subtract(leat_figures *later, size_t n, const leat_figures *earlier, size_t n_earlier);

/* The goroutines that wait least hold up all others: of what they work on, that which takes most of their time. The sentence says so, and how long those
 * before it wait to hand on and those behind it for input. */
leat_bottleneck leat_bottleneck_of(const leat_figures *rows, size_t n);
/* At so many items a second, sources taken for what they are: who sends them. What lies in buffers now, or is shed by a leat_queue, is not taken for
 * done. The room is that of a queue M/M/m/K (Erlang): arrivals at random, times
 * of work that vary a lot. `full`, for instance 0.01: the part of the arrivals that may find it full. */
leat_load leat_load_at(const leat_figures *rows, size_t n, double per_second, double full);

/* A table for people, with the bottleneck below. */
void leat_figures_print(leat_view s, FILE *out);
/* In the text format that Prometheus reads: see leat/metrics.h. */
void leat_figures_print_metrics(leat_view s, FILE *out);

LEAT_I_END
