/* How errors are written: everything for the log, as text and as JSON. See leat/error.h and error.h. Names and lines of the stack are looked up
 * here, when somebody wants to read them. */
#define _GNU_SOURCE
#include "error.h"
#include "../inspect/symbol.h"
#include <inttypes.h>
#include <leat/time.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void write_escaped(FILE *out, const char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '\n') fputs("\\n", out);
    else if (c < 32 || c == 127) fprintf(out, "\\x%02x", c);
    else fputc(c, out);
  }
}

static void write_time(FILE *out, int64_t ns) {
  int64_t seconds = ns / LEAT_SECONDS(1);
  struct tm t;
  time_t whole = (time_t)seconds;
  if (!ns || !gmtime_r(&whole, &t)) fputs("at an unknown time", out);
  else fprintf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, ns % LEAT_SECONDS(1));
}

static const char *machine(char *buffer, size_t size) {
  if (gethostname(buffer, size) != 0) return "unknown";
  buffer[size - 1] = 0;
  return buffer;
}

static void write_origin(FILE *out, const char *indent, const char *deeper, const struct origin *o) {
  if (!o->goroutine && !*o->name) fprintf(out, "%sin a thread that is not leat's\n", indent);
  else fprintf(out, "%sin goroutine %" PRIu64 " (%s)%s%s\n", indent, o->goroutine, o->name, o->birthplace ? ", started at " : "", o->birthplace ? o->birthplace : "");
  for (int i = 0; i < ANCESTORS && o->ancestors[i].name; i++) {
    const struct ancestor *a = &o->ancestors[i];
    if (o->stacks) leat_i_print_frames(out, deeper, o->stacks->frames[i], o->stacks->n_frames[i]);
    if (a->id) fprintf(out, "%sby goroutine %" PRIu64 " (%s)%s%s\n", indent, a->id, a->name, a->birthplace ? ", started at " : "", a->birthplace ? a->birthplace : "");
    else fprintf(out, "%sby %s\n", indent, a->name);
  }
}

static void write_stack(FILE *out, const char *indent, const leat_error *e) {
  char deeper[16];
  snprintf(deeper, sizeof deeper, "%s  ", indent);
  leat_i_print_frames(out, deeper, e->frames, e->n_frames);
  write_origin(out, indent, deeper, &e->origin);
}

void leat_error_log_stack(const leat_error *e, FILE *out) {
  if (e) write_stack(out, "  ", error_innermost(e));
}

/* One error's own facts, then those of what it holds. */
static void write_layer(FILE *out, const leat_error *e, int levels) {
  for (; e; e = e->inner) {
    fputs("  ", out);
    if (e->module) fprintf(out, "%s: ", e->module);
    write_escaped(out, *e->message ? e->message : leat_status_text(e->status));
    fprintf(out, " (%s)\n", leat_status_text(e->status));
    if (e->user) {
      fputs("    shown as: ", out);
      write_escaped(out, e->user);
      fputc('\n', out);
    }
    if (e->kind) fprintf(out, "    kind: %s\n", e->kind->name);
    for (size_t i = 0; i < e->n_fields; i++) {
      fputs("    ", out);
      write_escaped(out, e->fields[i].key);
      fputs(": ", out);
      write_escaped(out, e->fields[i].value);
      fputc('\n', out);
    }
    if (e->place) fprintf(out, "    %s %s\n", e->inner ? "wrapped at" : "made at", e->place);
    if (!e->inner && !e->n_members) write_stack(out, "    ", e);
    for (size_t i = 0; levels && i < e->n_members; i++) write_layer(out, e->members[i], levels - 1);
  }
}

struct writing {
  const leat_error *e;
  FILE *out;
};

static void write_log(void *writing) {
  struct writing *w = writing;
  const leat_error *first = error_innermost(w->e);
  char host[256];
  fprintf(w->out, "[logID: %s] ", first->id);
  write_time(w->out, first->time);
  fputc(' ', w->out);
  write_escaped(w->out, leat_error_user(w->e));
  fprintf(w->out, "\n  machine %s, process %d, %s, hash %016" PRIx64 "\n", machine(host, sizeof host), (int)getpid(),
          leat_error_is_transitory(w->e) ? "transitory" : "permanent", leat_error_hash(w->e));
  write_layer(w->out, w->e, ERROR_LEVELS);
}

void leat_error_log(const leat_error *e, FILE *out) {
  if (e) leat_i_with_room(write_log, &(struct writing){e, out});
  else fputs("[logID: -] no error\n", out);
}

/* ---- JSON ---- */

/* The length of the UTF-8 sequence at s, 0 if there is none that is valid. */
static int utf8_length(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  int n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : s[0] >= 0xe0 && s[0] <= 0xef ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
  for (int i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  bool too_long = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
  bool no_character = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
  return too_long || no_character ? 0 : n;
}

static void json_string(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    int n = utf8_length(s);
    if (n == 0) {
      fputs("\\ufffd", out);
      s++;
      continue;
    }
    if (*s == '"' || *s == '\\') fprintf(out, "\\%c", *s);
    else if (*s < 32 || *s == 127) fprintf(out, "\\u%04x", *s);
    else fwrite(s, 1, (size_t)n, out);
    s += n;
  }
  fputc('"', out);
}

static void json_member(FILE *out, const char *key, const char *value) {
  if (!value) return;
  fprintf(out, ",\"%s\":", key);
  json_string(out, value);
}

struct json_frames {
  FILE *out;
  int n;
};

static void json_frame(void *environment, const struct symbol *s) {
  struct json_frames *f = environment;
  fprintf(f->out, "%s{\"offset\":\"0x%" PRIxPTR "\"", f->n++ ? "," : "", s->offset);
  json_member(f->out, "module", s->module);
  json_member(f->out, "function", s->function);
  json_member(f->out, "file", s->file);
  if (s->file) fprintf(f->out, ",\"line\":%d", s->line);
  fputc('}', f->out);
}

static void json_frames(FILE *out, const uintptr_t *frames, int n) {
  struct json_frames f = {out, 0};
  fputs(",\"stack\":[", out);
  for (int i = 0; i < n; i++) leat_i_symbolize(frames[i] - 1, json_frame, &f);
  fputc(']', out);
}

static void json_stack(FILE *out, const leat_error *e) {
  json_frames(out, e->frames, e->n_frames);
  fprintf(out, ",\"goroutine\":%" PRIu64, e->origin.goroutine);
  json_member(out, "goroutine_name", e->origin.name);
  json_member(out, "goroutine_started_at", e->origin.birthplace);
  fputs(",\"started_by\":[", out);
  for (int i = 0; i < ANCESTORS && e->origin.ancestors[i].name; i++) {
    const struct ancestor *a = &e->origin.ancestors[i];
    fprintf(out, "%s{\"goroutine\":%" PRIu64, i ? "," : "", a->id);
    json_member(out, "goroutine_name", a->name);
    json_member(out, "goroutine_started_at", a->birthplace);
    if (e->origin.stacks) json_frames(out, e->origin.stacks->frames[i], e->origin.stacks->n_frames[i]);
    fputc('}', out);
  }
  fputc(']', out);
}

/* The members of an object, which the caller has begun; it answers how many objects are to be ended. */
static void json_layers(FILE *out, const leat_error *e, int levels) {
  size_t open = 0;
  for (; e; e = e->inner) {
    if (open++) fputs(",\"inner\":{", out);
    fprintf(out, "\"status\":%d", e->status);
    json_member(out, "status_text", leat_status_text(e->status));
    json_member(out, "message", e->message);
    json_member(out, "module", e->module);
    json_member(out, "kind", e->kind ? e->kind->name : NULL);
    json_member(out, "user", e->user);
    json_member(out, "place", e->place);
    if (e->n_fields) {
      fputs(",\"fields\":[", out); /* not an object: keys may come twice */
      for (size_t i = 0; i < e->n_fields; i++) {
        fprintf(out, "%s{\"key\":", i ? "," : "");
        json_string(out, e->fields[i].key);
        json_member(out, "value", e->fields[i].value);
        fputc('}', out);
      }
      fputc(']', out);
    }
    if (!e->inner && !e->n_members) json_stack(out, e);
    if (levels && e->n_members) {
      fputs(",\"members\":[", out);
      for (size_t i = 0; i < e->n_members; i++) {
        fputs(i ? ",{" : "{", out);
        json_layers(out, e->members[i], levels - 1);
        fputc('}', out);
      }
      fputc(']', out);
    }
  }
  while (open-- > 1) fputc('}', out);
}

static void write_json(void *writing) {
  struct writing *w = writing;
  FILE *out = w->out;
  const leat_error *first = error_innermost(w->e);
  char host[256];
  fputs("{\"log_id\":", out);
  json_string(out, first->id);
  fputs(",\"time\":\"", out);
  write_time(out, first->time);
  fputc('"', out);
  json_member(out, "machine", machine(host, sizeof host));
  fprintf(out, ",\"process\":%d,\"transitory\":%s,\"hash\":\"%016" PRIx64 "\",", (int)getpid(), leat_error_is_transitory(w->e) ? "true" : "false", leat_error_hash(w->e));
  json_layers(out, w->e, ERROR_LEVELS);
  fputs("}\n", out);
}

void leat_error_log_json(const leat_error *e, FILE *out) {
  if (e) leat_i_with_room(write_json, &(struct writing){e, out});
  else fputs("{\"status\":0}\n", out);
}
