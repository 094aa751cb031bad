/* Dumps, inside: see leat/dump.h for what they show, and sight.h for how a goroutine is looked at.
 *
 * Nothing is written, and no symbol looked up, while a goroutine is looked at: that may block, or read files. Symbols are looked up once for
 * each address: goroutines are many, places where they wait are few. */
#pragma once
#include <leat/dump.h>
#include <stdint.h>
#include <stdio.h>

struct sight;

/* leat_dump_with, to where reports go (report.h). */
void leat_i_dump_report(enum leat_dump_style style);

/* "goroutine 7 (produce), started at main.c:12". */
void leat_i_print_who(FILE *out, const struct sight *s);

/* The part of its trace that is for a person: how it gives up its thread, how it asks for a dump, and how it began, is not. */
struct span {
  int first, end;
};
struct span leat_i_shown_frames(const struct sight *s);

enum { DURATION_TEXT = 32 };
/* "3.21 s", "2 h 5 min"; of a negative one the amount. */
const char *leat_i_duration_text(int64_t ns, char text[DURATION_TEXT]);
