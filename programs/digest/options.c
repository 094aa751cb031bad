/* options.c - see options.h. Names, exclusions and messages are md5sum's where it has the option. */
#include "options.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
  "Usage: digest [OPTION]... [DIRECTORY or FILE]...\n"
  "  or:  digest --check [OPTION]... [LIST]...\n"
  "Print the MD5 checksums of every regular file below each DIRECTORY, and of each\n"
  "FILE, sorted by path, in md5sum's format. With no operand, digest the current\n"
  "directory. A FILE of - is standard input.\n"
  "\n"
  "What is digested:\n"
  "      --exclude=GLOB    leave out files and directories whose name matches GLOB;\n"
  "                          if GLOB has a slash, whose path below the operand\n"
  "                          matches; if it ends in one, only directories\n"
  "      --no-hidden       leave out names that start with a dot\n"
  "  -P                    follow no symbolic links to directories (default)\n"
  "  -H                    follow those that are operands\n"
  "  -L                    follow all symbolic links\n"
  "\n"
  "How it is printed:\n"
  "  -b, --binary          put '*' before each name\n"
  "  -t, --text            put a space before each name (default)\n"
  "      --tag             create BSD-style checksum lines\n"
  "  -z, --null, --zero    end each line with NUL, not newline, and do not escape\n"
  "                          names\n"
  "\n"
  "How it is done:\n"
  "  -j, --jobs=N          let N goroutines digest (default: four for each\n"
  "                          CPU, so that some can wait for the disk)\n"
  "      --mode=MODE       bounded (default): N goroutines digest; parallel: one\n"
  "                          goroutine for each file; serial: one file at a time\n"
  "      --fail-fast       stop at the first error and print no checksums\n"
  "      --no-progress     show no progress line on a terminal\n"
  "      --summary         end with a line of totals on standard error\n"
  "\n"
  "  -c, --check           read checksum lines from each LIST (default, and for -:\n"
  "                          standard input) and check them\n"
  "      --ignore-missing  do not fail or report status for missing files\n"
  "      --quiet           do not print OK for each file that matches; no progress\n"
  "      --status          print nothing, the exit status says it all\n"
  "      --strict          fail if there are improperly formatted lines\n"
  "  -w, --warn            warn of each improperly formatted line\n"
  "\n"
  "      --help            show this help\n"
  "      --version         show the version\n"
  "\n"
  "Exit status: 0 if all is well; 1 if a file could not be read or does not match,\n"
  "or on wrong usage; 130 (143) after an interrupt (termination).\n";

enum { O_TAG = 256, O_EXCLUDE, O_NO_HIDDEN, O_MODE, O_FAIL_FAST, O_NO_PROGRESS, O_SUMMARY, O_IGNORE_MISSING, O_QUIET, O_STATUS, O_STRICT, O_HELP, O_VERSION };

static const struct option long_options[] = {
  {"binary", no_argument, NULL, 'b'},
  {"check", no_argument, NULL, 'c'},
  {"exclude", required_argument, NULL, O_EXCLUDE},
  {"fail-fast", no_argument, NULL, O_FAIL_FAST},
  {"help", no_argument, NULL, O_HELP},
  {"ignore-missing", no_argument, NULL, O_IGNORE_MISSING},
  {"jobs", required_argument, NULL, 'j'},
  {"mode", required_argument, NULL, O_MODE},
  {"no-hidden", no_argument, NULL, O_NO_HIDDEN},
  {"no-progress", no_argument, NULL, O_NO_PROGRESS},
  {"null", no_argument, NULL, 'z'},
  {"quiet", no_argument, NULL, O_QUIET},
  {"status", no_argument, NULL, O_STATUS},
  {"strict", no_argument, NULL, O_STRICT},
  {"summary", no_argument, NULL, O_SUMMARY},
  {"tag", no_argument, NULL, O_TAG},
  {"text", no_argument, NULL, 't'},
  {"version", no_argument, NULL, O_VERSION},
  {"warn", no_argument, NULL, 'w'},
  {"zero", no_argument, NULL, 'z'},
  {NULL, 0, NULL, 0},
};

static int try_help(void) {
  fputs("Try 'digest --help' for more information.\n", stderr);
  return EXIT_FAILURE;
}

static int wrong(const char *what) {
  fprintf(stderr, "digest: %s\n", what);
  return try_help();
}

static int print(const char *text) {
  fputs(text, stdout);
  if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_SUCCESS;
  perror("digest: write error");
  return EXIT_FAILURE;
}

/* These answer as options_parse does. */
static int parse_mode(struct options *o, const char *text) {
  static const char *const names[] = {[MODE_SERIAL] = "serial", [MODE_PARALLEL] = "parallel", [MODE_BOUNDED] = "bounded"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(text, names[i]) == 0) {
      o->mode = (enum mode)i;
      return -1;
    }
  fprintf(stderr, "digest: invalid mode '%s': it is one of serial, parallel, bounded\n", text);
  return try_help();
}

static int parse_jobs(struct options *o, const char *text) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  if (end == text || *end || errno || n < 1 || n > 10000) {
    fprintf(stderr, "digest: invalid number of jobs '%s': it is 1 to 10000\n", text);
    return try_help();
  }
  o->jobs = (int)n;
  return -1;
}

static int add_exclude(struct walk *w, const char *pattern) {
  struct exclude *more = realloc(w->excludes, (size_t)(w->exclude_count + 1) * sizeof *more);
  if (more) w->excludes = more;
  if (more && exclude_parse(&more[w->exclude_count], pattern)) {
    w->exclude_count++;
    return -1;
  }
  fputs("digest: memory exhausted\n", stderr);
  return EXIT_FAILURE;
}

struct conflict {
  bool found;
  const char *message;
};

int options_parse(struct options *o, int argc, char **argv) {
  bool text = false, walk_option = false;
  int letter, result = -1;
  *o = (struct options){.mode = MODE_BOUNDED, .walk = {.hidden = true}};
  static char name[] = "digest";
  if (argc > 0) argv[0] = name; /* in getopt's messages */
  while (result < 0 && (letter = getopt_long(argc, argv, "bcj:twzHLP", long_options, NULL)) != -1) {
    switch (letter) {
    case 'b': o->style.binary = true, text = false; break;
    case 't': o->style.binary = false, text = true; break;
    case 'c': o->check = true; break;
    case 'j': result = parse_jobs(o, optarg); break;
    case 'w': o->warn = true, o->quiet = o->status_only = false; break;
    case 'z': o->style.zero = true; break;
    case 'H': o->walk.follow = FOLLOW_OPERANDS, walk_option = true; break;
    case 'L': o->walk.follow = FOLLOW_ALL, walk_option = true; break;
    case 'P': o->walk.follow = FOLLOW_NEVER, walk_option = true; break;
    case O_EXCLUDE: result = add_exclude(&o->walk, optarg), walk_option = true; break;
    case O_NO_HIDDEN: o->walk.hidden = false, walk_option = true; break;
    case O_MODE: result = parse_mode(o, optarg); break;
    case O_FAIL_FAST: o->fail_fast = true; break;
    case O_NO_PROGRESS: o->no_progress = true; break;
    case O_SUMMARY: o->summary = true; break;
    case O_TAG: o->style.tag = true; break;
    case O_IGNORE_MISSING: o->ignore_missing = true; break;
    case O_QUIET: o->quiet = true, o->warn = o->status_only = false; break;
    case O_STATUS: o->status_only = true, o->warn = o->quiet = false; break;
    case O_STRICT: o->strict = true; break;
    case O_HELP: return print(usage);
    case O_VERSION: return print("digest (leat) " DIGEST_VERSION "\n");
    default: return try_help();
    }
  }
  if (result >= 0) return result;

  const struct conflict conflicts[] = {
    {o->style.tag && text, "--tag does not support --text mode"},
    {o->check && o->style.zero, "the --null option is not supported when verifying checksums"},
    {o->check && o->style.tag, "the --tag option is meaningless when verifying checksums"},
    {o->check && (o->style.binary || text), "the --binary and --text options are meaningless when verifying checksums"},
    {o->check && walk_option, "the options that choose files are meaningless when verifying checksums"},
    {!o->check && o->ignore_missing, "the --ignore-missing option is meaningful only when verifying checksums"},
    {!o->check && o->status_only, "the --status option is meaningful only when verifying checksums"},
    {!o->check && o->warn, "the --warn option is meaningful only when verifying checksums"},
    {!o->check && o->strict, "the --strict option is meaningful only when verifying checksums"},
  };
  for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
    if (conflicts[i].found) return wrong(conflicts[i].message);

  static char dot[] = ".", dash[] = "-", *here[] = {dot, NULL}, *standard_input[] = {dash, NULL};
  o->walk.operands = optind < argc ? argv + optind : o->check ? standard_input : here;
  o->walk.count = optind < argc ? argc - optind : 1;
  return -1;
}

void options_end(struct options *o) {
  for (int i = 0; i < o->walk.exclude_count; i++) free(o->walk.excludes[i].glob);
  free(o->walk.excludes);
}
