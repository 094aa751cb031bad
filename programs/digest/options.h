/* options.h - the command line. */
#pragma once
#include "format.h"
#include "pipeline.h"
#include "walk.h"

struct options {
  enum mode mode;
  int jobs; /* 0: not said */
  bool fail_fast, summary, no_progress;

  struct style style;
  struct walk walk; /* operands and all that decides what is found below them */

  bool check; /* then the operands are lists */
  bool ignore_missing, quiet, status_only, strict, warn;
};

/* Fills o. Answers -1 to go on, else the exit status: help or version were asked for and printed, or something was wrong and was said. */
int options_parse(struct options *o, int argc, char **argv);
void options_end(struct options *o);
