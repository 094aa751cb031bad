/* See leat/error.h and error.h; how errors are written is in error_log.c.
 *
 * An error is one block: the struct, then its strings, frames, fields, payload or members. Making one costs the message's formatting, one
 * malloc, one look at the clock, and the unwinding of the stack; the rest (names, lines, hash, date, machine) is worked out when it is
 * asked for. Only the innermost error has a stack, a time and a log ID of its own: what wraps it tells of the same event.
 *
 * Rejected: a stack for each layer (they repeat each other); the log ID as a random number for each (a counter after one random number
 * for each process is as unique, sorts, and is shorter to read out); a payload with a destructor (an error may be released anywhere, also
 * where the code of a destructor must not run). */
#define _GNU_SOURCE
#include "error.h"
#include "../inspect/symbol.h"
#include "../inspect/unwind.h"
#include "../runtime/nondet.h"
#include "../runtime/report.h"
#include "../runtime/worker.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 64, DEFAULT_FRAMES = 32, FORMATTED = 256, ID_LETTERS = 10 };

/* What is answered when there is no memory for an error. */
static leat_error no_memory = {.references = 1, .status = LEAT_NOMEM, .transience = LEAT_TRANSITORY, .origin = {.name = ""}, .message = "out of memory while an error was made", .id = "out-of-memory"};

static _Atomic(int) frames_wanted = DEFAULT_FRAMES;
void leat_error_set_frames(int n) { store_relaxed(&frames_wanted, n < 0 ? 0 : n > MOST_FRAMES ? MOST_FRAMES : n); }

/* ---- making ---- */

static void new_id(char *id) {
  static _Atomic(uint64_t) process, count;
  uint64_t prefix = load_relaxed(&process);
  if (!prefix) {
    uint64_t none = 0, fresh = (leat_i_nondet_entropy() >> (64 - 5 * ID_LETTERS)) | 1;
    prefix = cas(&process, &none, fresh) ? fresh : none;
  }
  for (int i = 0; i < ID_LETTERS; i++, prefix >>= 5) *id++ = "0123456789abcdefghjkmnpqrstvwxyz"[prefix & 31];
  *id++ = '-';
  char digits[24];
  int n = 0;
  uint64_t number = add(&count, 1) + 1;
  do digits[n++] = (char)('0' + number % 10);
  while (number /= 10);
  while (n) *id++ = digits[--n];
  *id = 0;
}

/* The frames from the caller of the three functions of this file on that lead here, less `skip`. */
static __attribute__((noinline)) int capture(uintptr_t *pcs, int skip) {
  int wanted = load_relaxed(&frames_wanted);
  int n = wanted ? leat_i_unwind_here(pcs, wanted, skip + 3) : 0;
  __asm__ volatile("" : "+r"(n)); /* a call, not a jump: this function is one of the three */
  return n;
}

static void origin_here(struct origin *o) {
  struct worker *w = leat_i_worker();
  struct goroutine *g = w ? w->current : NULL; /* not leat_i_self: making an error does not attach a plain thread */
  if (!g || g->kind == KIND_IDLE) {
    *o = (struct origin){.name = ""};
    return;
  }
  *o = (struct origin){.goroutine = g->id, .name = g->name ? g->name : "", .birthplace = g->birthplace};
  memcpy(o->ancestors, g->ancestors, sizeof o->ancestors);
  o->stacks = g->start_stacks;
}

struct parts {
  leat_error_spec spec;
  const char *place, *message;
  size_t message_size, n_fields, fields_size;
  uintptr_t frames[MOST_FRAMES];
  int n_frames;
  leat_error **members; /* taken over */
  size_t n_members;
};

static char *put(char **at, const void *bytes, size_t size) {
  char *here = *at;
  if (size) memcpy(here, bytes, size);
  *at += (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
  return here;
}

static char *put_string(char **at, const char *text) {
  char *here = *at;
  size_t size = strlen(text) + 1;
  memcpy(here, text, size);
  *at += size;
  return here;
}

/* The aligned parts come first, then the strings. */
static leat_error *assemble(const struct parts *p) {
  const leat_error_spec *s = &p->spec;
  bool first = !s->inner && !p->n_members;
  struct origin origin = {.name = ""};
  if (first) origin_here(&origin);
  size_t payload = s->kind && s->payload ? s->kind->leat_i_size : 0, aligned = 4 * _Alignof(max_align_t);
  size_t size = aligned + payload + p->n_fields * sizeof(leat_error_field) + p->n_members * sizeof(leat_error *) + (size_t)p->n_frames * sizeof(uintptr_t);
  size += p->message_size + p->fields_size + (s->user ? strlen(s->user) + 1 : 0) + strlen(origin.name) + 1;
  leat_error *e = malloc(sizeof *e + size);
  if (!e) return NULL;
  memset(e, 0, sizeof *e);
  store_relaxed(&e->references, 1);
  e->status = s->status ? s->status : s->inner ? s->inner->status : p->n_members ? p->members[0]->status : LEAT_FAILED;
  e->transience = (uint8_t)s->transience;
  e->inner = s->inner;
  e->module = s->module;
  e->place = p->place;
  e->kind = s->kind;
  char *at = (char *)e->space;
  if (payload) e->payload = put(&at, s->payload, payload);
  e->members = (leat_error **)put(&at, p->members, p->n_members * sizeof(leat_error *));
  e->n_members = p->n_members;
  e->frames = (const uintptr_t *)put(&at, p->frames, (size_t)p->n_frames * sizeof(uintptr_t));
  e->n_frames = p->n_frames;
  leat_error_field *fields = (leat_error_field *)put(&at, s->fields, p->n_fields * sizeof(leat_error_field));
  for (size_t i = 0; i < p->n_fields; i++) fields[i] = (leat_error_field){put_string(&at, s->fields[i].key), put_string(&at, s->fields[i].value ? s->fields[i].value : "")};
  e->fields = fields;
  e->n_fields = p->n_fields;
  e->message = at;
  memcpy(at, p->message, p->message_size);
  at += p->message_size;
  if (s->user) e->user = put_string(&at, s->user);
  if (first) {
    e->origin = origin;
    e->origin.name = put_string(&at, origin.name);
    leat_i_start_stacks_retain(origin.stacks);
    e->time = leat_i_nondet_wall_clock();
    new_id(e->id);
  }
  return e;
}

static __attribute__((noinline)) leat_error *make(const char *place, int skip, const leat_error_spec *spec, const char *format, va_list args) {
  char buffer[FORMATTED], *text = buffer;
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(buffer, sizeof buffer, format, args);
  if (length >= FORMATTED && vasprintf(&text, format, again) < 0) {
    text = buffer;
    length = FORMATTED - 1;
  }
  va_end(again);
  struct parts p;
  p.spec = *spec;
  p.place = place;
  p.message = length < 0 ? format : text; /* a format that printf does not take */
  p.message_size = length < 0 ? strlen(format) + 1 : (size_t)length + 1;
  p.members = NULL;
  p.n_members = p.n_fields = p.fields_size = 0;
  for (const leat_error_field *f = spec->fields; f && f->key; f++) {
    p.n_fields++;
    p.fields_size += strlen(f->key) + strlen(f->value ? f->value : "") + 2;
  }
  p.n_frames = spec->inner ? 0 : capture(p.frames, skip);
  leat_error *e = assemble(&p);
  if (text != buffer) free(text);
  return e ? e : spec->inner ? spec->inner : &no_memory;
}

leat_error *leat_i_error_new(const char *place, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_error *e = make(place, 0, &(leat_error_spec){.status = status}, format, args);
  va_end(args);
  return e;
}

leat_error *leat_i_error_wrap(const char *place, leat_error *inner, const char *module, const char *format, ...) {
  if (!inner) return NULL;
  va_list args;
  va_start(args, format);
  leat_error *e = make(place, 0, &(leat_error_spec){.inner = inner, .module = module}, format, args);
  va_end(args);
  return e;
}

leat_error *leat_i_error_make(const char *place, leat_error_spec spec, const char *format, ...) {
  va_list args;
  va_start(args, format);
  leat_error *e = make(place, 0, &spec, format, args);
  va_end(args);
  return e;
}

leat_error *leat_i_error_vnew(const char *place, int status, int skip, const char *format, va_list args) {
  return make(place, skip, &(leat_error_spec){.status = status}, format, args);
}

leat_error *leat_i_error_plain(int status, const char *message) {
  struct parts p = {.spec = {.status = status}, .message = message, .message_size = strlen(message) + 1};
  leat_error *e = assemble(&p);
  return e ? e : &no_memory;
}

static bool is_plain_join(const leat_error *e) { return e->n_members && !e->inner; }

leat_error *leat_error_join_n(leat_error *const *errors, size_t n) {
  size_t members = 0, message_size = 0, given = 0;
  leat_error *only = NULL;
  for (size_t i = 0; i < n; i++) {
    if (!errors[i]) continue;
    given++;
    only = errors[i];
    members += is_plain_join(only) ? only->n_members : 1;
    message_size += strlen(only->message) + 1;
  }
  if (given < 2) return only;
  leat_error **all = malloc(members * sizeof *all + message_size);
  if (!all) goto no_memory;
  char *message = (char *)(all + members), *at = message;
  size_t k = 0;
  for (size_t i = 0; i < n; i++) {
    leat_error *e = errors[i];
    if (!e) continue;
    if (is_plain_join(e))
      for (size_t m = 0; m < e->n_members; m++) all[k++] = leat_error_retain(e->members[m]);
    else all[k++] = leat_error_retain(e);
    at = stpcpy(at, e->message);
    *at++ = '\n';
  }
  at[-1] = 0;
  struct parts p = {.message = message, .message_size = message_size, .members = all, .n_members = members};
  leat_error *joined = assemble(&p);
  if (!joined)
    for (size_t m = 0; m < members; m++) leat_error_release(all[m]);
  free(all);
  if (joined) {
    for (size_t i = 0; i < n; i++) leat_error_release(errors[i]);
    return joined;
  }
no_memory: /* the first must do */
  only = NULL;
  for (size_t i = 0; i < n; i++) {
    if (!only) only = errors[i];
    else leat_error_release(errors[i]);
  }
  return only;
}

leat_error *leat_error_retain(const leat_error *e) {
  if (e && e != &no_memory) add(&((leat_error *)e)->references, 1);
  return (leat_error *)e;
}

static void drop(leat_error *e, leat_error **dead) {
  if (!e || e == &no_memory || sub(&e->references, 1) != 1) return;
  e->next_dead = *dead;
  *dead = e;
}

void leat_i_drop_result(void *result) { leat_error_release(*(leat_error **)result); }

/* Without recursion: chains may be long, stacks are small. */
void leat_error_release(leat_error *e) {
  leat_error *dead = NULL;
  drop(e, &dead);
  while ((e = dead)) {
    dead = e->next_dead;
    drop(e->inner, &dead);
    for (size_t i = 0; i < e->n_members; i++) drop(e->members[i], &dead);
    leat_i_start_stacks_release(e->origin.stacks);
    free(e);
  }
}

/* ---- reading ---- */

typedef bool matching(const leat_error *e, const void *what);

/* The first in the tree that matches. */
static const leat_error *find(const leat_error *e, matching *matches, const void *what, int levels) {
  for (; e; e = e->inner) {
    if (matches(e, what)) return e;
    for (size_t i = 0; levels && i < e->n_members; i++) {
      const leat_error *found = find(e->members[i], matches, what, levels - 1);
      if (found) return found;
    }
  }
  return NULL;
}

static bool of_kind(const leat_error *e, const void *kind) { return e->kind == kind; }
static bool of_status(const leat_error *e, const void *status) { return e->status == *(const int *)status; }
static bool of_kind_with_payload(const leat_error *e, const void *kind) { return e->kind == kind && e->payload; }

bool leat_error_is(const leat_error *e, const leat_error_kind *kind) { return kind && find(e, of_kind, kind, ERROR_LEVELS); }
bool leat_error_has_status(const leat_error *e, int status) { return e ? find(e, of_status, &status, ERROR_LEVELS) != NULL : status == LEAT_OK; }
const void *leat_i_error_as(const leat_error *e, const leat_error_kind *kind) {
  const leat_error *found = find(e, of_kind_with_payload, kind, ERROR_LEVELS);
  return found ? found->payload : NULL;
}

static const leat_error_field *field_here(const leat_error *e, const char *key) {
  for (size_t i = 0; i < e->n_fields; i++)
    if (strcmp(e->fields[i].key, key) == 0) return &e->fields[i];
  return NULL;
}
static bool has_field(const leat_error *e, const void *key) { return field_here(e, key) != NULL; }
const char *leat_error_field_of(const leat_error *e, const char *key) {
  const leat_error *found = find(e, has_field, key, ERROR_LEVELS);
  return found ? field_here(found, key)->value : NULL;
}

const leat_error *leat_error_inner(const leat_error *e) { return e ? e->inner : NULL; }
size_t leat_error_members(const leat_error *e) { return e ? e->n_members : 0; }
const leat_error *leat_error_member(const leat_error *e, size_t i) { return i < leat_error_members(e) ? e->members[i] : NULL; }

int leat_error_status(const leat_error *e) { return e ? e->status : LEAT_OK; }
const char *leat_error_message(const leat_error *e) { return e ? e->message : ""; }
const char *leat_error_module(const leat_error *e) { return e && e->module ? e->module : ""; }
const char *leat_error_user(const leat_error *e) { return e && e->user ? e->user : leat_error_message(e); }
const char *leat_error_log_id(const leat_error *e) { return e ? error_innermost(e)->id : ""; }
int64_t leat_error_time(const leat_error *e) { return e ? error_innermost(e)->time : 0; }
const char *leat_i_error_place(const leat_error *e) { return e ? error_innermost(e)->place : NULL; }
uint64_t leat_error_goroutine(const leat_error *e) { return e ? error_innermost(e)->origin.goroutine : 0; }

/* Where trying again later is worth a try. */
static bool status_is_transitory(int status) {
  switch (status) {
  case LEAT_DEADLINE:
  case LEAT_FULL:
  case LEAT_EMPTY:
  case LEAT_NOMEM: return true;
  }
  switch (leat_errno_of(status)) {
  case EAGAIN:
  case EINTR:
  case EBUSY:
  case ENOMEM:
  case ENOBUFS:
  case EMFILE:
  case ENFILE:
  case ENOSPC:
  case ETIMEDOUT:
  case ECONNREFUSED:
  case ECONNRESET:
  case ECONNABORTED:
  case EHOSTUNREACH:
  case EHOSTDOWN:
  case ENETUNREACH:
  case ENETDOWN:
  case ENETRESET: return true;
  }
  return false;
}

static bool is_transitory(const leat_error *e, int levels) {
  for (; e; e = e->inner) {
    if (e->transience != LEAT_TRANSIENCE_BY_STATUS) return e->transience == LEAT_TRANSITORY;
    if (e->inner) continue;
    if (!levels || !e->n_members) return status_is_transitory(e->status);
    for (size_t i = 0; i < e->n_members; i++)
      if (!is_transitory(e->members[i], levels - 1)) return false;
    return true;
  }
  return false;
}
bool leat_error_is_transitory(const leat_error *e) { return is_transitory(e, ERROR_LEVELS); }

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n) { /* FNV-1a */
  for (const unsigned char *b = bytes; n--; b++) h = (h ^ *b) * UINT64_C(1099511628211);
  return h;
}
static uint64_t hash_text(uint64_t h, const char *text) { return text ? hash_bytes(h, text, strlen(text) + 1) : h; }

/* Of where frames lie in their modules and of the places that the sources name; of nothing that differs from run to run. */
uint64_t leat_error_hash(const leat_error *e) {
  if (!e) return 0;
  const leat_error *first = error_innermost(e);
  uint64_t h = hash_text(UINT64_C(14695981039346656037), first->place);
  for (int i = 0; i < first->n_frames; i++) {
    uint32_t module;
    uint64_t offset = leat_i_module_offset(first->frames[i], &module);
    h = hash_bytes(hash_bytes(h, &module, sizeof module), &offset, sizeof offset);
  }
  h = hash_text(h, first->origin.birthplace);
  for (int i = 0; i < ANCESTORS; i++) h = hash_text(h, first->origin.ancestors[i].birthplace);
  return h;
}

bool leat_error_well_formed(const leat_error *e, const char *module) {
  return e && e->module && *leat_error_user(e) && (!module || strcmp(e->module, module) == 0);
}

/* ---- for the user ---- */

static struct lock hook_lock;
static void (*bug_hook)(void *, const leat_error *);
static void *bug_environment;

void leat_error_set_bug_hook(void (*hook)(void *, const leat_error *), void *environment) {
  lock_take(&hook_lock);
  bug_hook = hook;
  bug_environment = environment;
  lock_drop(&hook_lock);
}

bool leat_error_show(const leat_error *e, const char *module, FILE *out) {
  bool well_formed = leat_error_well_formed(e, module);
  fprintf(out, "[%s] ", e ? leat_error_log_id(e) : "-");
  if (well_formed) {
    for (const char *c = leat_error_user(e); *c; c++) fputc((unsigned char)*c < 32 || *c == 127 ? ' ' : *c, out);
    fputs(leat_error_is_transitory(e) ? " (this may pass: please try again later)\n" : "\n", out);
    return true;
  }
  fputs("There was an unexpected issue; please report this as a bug.\n", out);
  lock_take(&hook_lock);
  void (*hook)(void *, const leat_error *) = bug_hook;
  void *environment = bug_environment;
  lock_drop(&hook_lock);
  if (hook) hook(environment, e);
  return false;
}
