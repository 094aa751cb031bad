/* leat/error.h - errors as values that say what happened, when, where, and what the user may be told (after the chapter "Error Propagation"
 * of Cox-Buday's "Concurrency in Go"; the tree of errors is after Go's package errors).
 *
 *   leat_error *e = leat_error_new(LEAT_SYSTEM(errno), "cannot stat %s", path);              what happened
 *   return leat_error_wrap(e, "jobs", "cannot run job \"%s\": no binary for it", id);        at the boundary of the module "jobs"
 *
 * An error carries a status and a message; the time it was made, in UTC; machine, process and goroutine; the stack it was made on, and from
 * there on how the call was initiated: where its goroutine was started, and the goroutine that did so; a log ID, by which a user's report is
 * found in the log; a hash of the stack, by which like errors are grouped, the same in every run of a program. None of this stands in the
 * message. It is made in well under a microsecond plus the unwinding of the stack; names and lines are looked up when somebody prints it.
 *
 * Modules. Public functions of a module wrap what they pass on, in a message for the user of that module. What reaches a user without having
 * been wrapped by the module he called is a bug: leat_error_show tells him so, without its text, and hands it to the hook for bug reports.
 *
 * Ownership. An error is immutable and counts its references; whoever has a leat_error * owns one of them, which leat_error_release gives
 * up. A const leat_error * is borrowed. What takes an error in (wrap, join, leat_fail_with, leat_result) takes the reference over.
 * NULL is no error: it has status LEAT_OK, wrapping it gives NULL, and every function here takes it. Out of memory, what would be made is
 * an error that says so, or the inner one unwrapped; never NULL.
 *
 * Any thread may call any of these; none blocks, starts the runtime or obeys cancellation. Errors pass through channels, goroutines and threads. Strings that are
 * given as `const char *` without a format (modules, names of kinds) are not copied: literals. */
#pragma once
#include "goroutine.h"
#include "scope.h"
#include <stdio.h>

typedef struct leat_error leat_error;

/* Kinds, for callers that act on an error: by identity, not by text. A kind may have a payload type.
 *   LEAT_ERROR_KIND(not_found);                             for one file; in a header each file that includes it would have a kind of its own
 *   LEAT_ERROR_KIND_OF(bad_line, struct position);
 *   LEAT_ERROR_KIND_DECLARE(not_found);                     in a header, for several files
 *   LEAT_ERROR_KIND_DECLARE_OF(bad_line, struct position);
 *   LEAT_ERROR_KIND_DEFINE(not_found);                      and in one of them
 *   LEAT_ERROR_KIND_DEFINE_OF(bad_line, struct position);
 * A payload is copied as bytes, with the error's lifetime. */
typedef struct leat_error_kind {
  const char *name;
  size_t leat_i_size;
} leat_error_kind;
#define LEAT_ERROR_KIND(name) static const leat_error_kind name __attribute__((__unused__)) = {#name, 0}
#define LEAT_ERROR_KIND_OF(name, T) typedef __typeof__(T) name##_leat_payload; static const leat_error_kind name __attribute__((__unused__)) = {#name, sizeof(T)}
#define LEAT_ERROR_KIND_DECLARE(name) extern const leat_error_kind name
#define LEAT_ERROR_KIND_DECLARE_OF(name, T) typedef __typeof__(T) name##_leat_payload; extern const leat_error_kind name
#define LEAT_ERROR_KIND_DEFINE(name) const leat_error_kind name = {#name, 0}
#define LEAT_ERROR_KIND_DEFINE_OF(name, T) const leat_error_kind name = {#name, sizeof(name##_leat_payload)}

/* Whether trying again later may help. */
enum leat_transience {
  /* As the inner error says; a join, if all its members are; at the bottom by the status: time-outs, lack of room and the like are transitory. */
  LEAT_TRANSIENCE_BY_STATUS,
  LEAT_TRANSITORY,
  LEAT_PERMANENT,
};

typedef struct leat_error_field {
  const char *key, *value;
} leat_error_field;

/* All that can be said of an error; a zeroed struct says nothing. Everything is copied but module and kind; inner is taken over. */
typedef struct leat_error_spec {
  int status;         /* 0: the inner error's; without one LEAT_FAILED */
  const char *module; /* whose boundary this is */
  leat_error *inner;
  const leat_error_kind *kind;
  const void *payload;
  const leat_error_field *fields; /* up to one whose key is NULL */
  const char *user;               /* the line for the user; NULL: the message */
  enum leat_transience transience;
  void *leat_i_reserved[3];
} leat_error_spec;

/* leat_error *leat_error_new(int status, format, ...): what happened.
 * leat_error *leat_error_wrap(leat_error *inner, const char *module, format, ...): NULL if inner is. Same status.
 * leat_error *leat_error_typed(kind, payload, format, ...): of a kind that has a payload; one with commas needs a pair of parentheses.
 * leat_error *leat_error_make(leat_error_spec, format, ...): everything else. */
#define leat_error_new(status, ...) leat_i_error_here(leat_i_error_new(LEAT_I_HERE, (status), __VA_ARGS__))
#define leat_error_wrap(inner, module, ...) leat_i_error_here(leat_i_error_wrap(LEAT_I_HERE, (inner), (module), __VA_ARGS__))
#define leat_error_make(spec, ...) leat_i_error_here(leat_i_error_make(LEAT_I_HERE, (spec), __VA_ARGS__))
#define leat_error_typed(kind, payload, ...) LEAT_I_ERROR_TYPED(__COUNTER__, kind, payload, __VA_ARGS__)
#define LEAT_I_ERROR_TYPED(N, kind_, payload_, ...) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(payload_); \
    _Static_assert(LEAT_I_FITS(kind_##_leat_payload, LEAT_I_CAT(leat_i_x, N)), "leat_error_typed: the value is not the payload of this kind"); \
    kind_##_leat_payload LEAT_I_CAT(leat_i_y, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_error_make(((leat_error_spec){.kind = &kind_, .payload = &LEAT_I_CAT(leat_i_y, N)}), __VA_ARGS__); \
  })

/* leat_error *leat_error_join(e1, e2, ...): several in one, NULLs left out; NULL if all are, the error itself if one is left. The members
 * of a join that is joined again become members of the new one. Its status is the first member's, its message all of theirs. */
#define leat_error_join(...) \
  leat_error_join_n((leat_error *[]){__VA_ARGS__}, sizeof((leat_error *[]){__VA_ARGS__}) / sizeof(leat_error *))

/* const payload * leat_error_as(e, kind): the payload of the first error of this kind in the tree, NULL if there is none; lives as long as
 * the error. */
#define leat_error_as(e, kind) ((const kind##_leat_payload *)leat_i_error_as((e), &kind))

/* LEAT_FN_ERROR(name, pairs...) { body }: as LEAT_FN_ERR (leat/goroutine.h), for a body that returns a leat_error *: what is not NULL fails
 * the scope and is found there. LEAT_FN_ERROR_DECLARE, LEAT_FN_ERROR_DEFINE: in a header and in one file. */
#define LEAT_FN_ERROR(...) LEAT_I_FN(LEAT_I_COUNT(__VA_ARGS__), leat_error *, LEAT_I_CALL_ERROR, __VA_ARGS__)
#define LEAT_FN_ERROR_DECLARE(...) LEAT_I_DECLARE(LEAT_I_COUNT(__VA_ARGS__), , leat_error *, LEAT_I_CALL_ERROR, __VA_ARGS__)
#define LEAT_FN_ERROR_DEFINE(...) LEAT_I_HEAD(LEAT_I_COUNT(__VA_ARGS__), , leat_error *, __VA_ARGS__)
#define LEAT_I_CALL_ERROR(call) leat_fail_with(call)
#define LEAT_I_CALL_ERROR_fails 1

LEAT_I_BEGIN

leat_error *leat_error_join_n(leat_error *const *errors, size_t n) __attribute__((__warn_unused_result__));
leat_error *leat_error_retain(const leat_error *e); /* one more reference; answers e */
void leat_error_release(leat_error *e);

/* The tree: the error itself, its inner one, the members of a join and so on, depth first. Below 64 joins in a row it is not looked at. */
bool leat_error_is(const leat_error *e, const leat_error_kind *kind);
bool leat_error_has_status(const leat_error *e, int status);
const leat_error *leat_error_inner(const leat_error *e); /* NULL for a join, too */
size_t leat_error_members(const leat_error *e);          /* of a join, else 0 */
const leat_error *leat_error_member(const leat_error *e, size_t i);

/* Strings live as long as the error; "" for NULL or where nothing is known. */
int leat_error_status(const leat_error *e);
const char *leat_error_message(const leat_error *e); /* its own; leat_error_log shows those of the inner ones too */
const char *leat_error_module(const leat_error *e);
const char *leat_error_user(const leat_error *e);    /* one line */
const char *leat_error_log_id(const leat_error *e);  /* the same for all that wraps an error */
const char *leat_error_field_of(const leat_error *e, const char *key); /* the outermost of this key; NULL: none */
bool leat_error_is_transitory(const leat_error *e);
int64_t leat_error_time(const leat_error *e);        /* nanoseconds since 1970, UTC: when it happened, not when it was wrapped */
uint64_t leat_error_goroutine(const leat_error *e);  /* where it happened; 0: a plain thread */
uint64_t leat_error_hash(const leat_error *e);

/* Whether the module has wrapped it: its outermost layer is that module's, and has a message. With a NULL module: any module. */
bool leat_error_well_formed(const leat_error *e, const char *module);

/* For the log: everything. As text, "[logID: ...] time message", then a line for each fact; as JSON, in one line that is valid whatever
 * bytes the error holds. */
void leat_error_log(const leat_error *e, FILE *out);
void leat_error_log_json(const leat_error *e, FILE *out);
/* For a person at the log: how the call came about, a line a frame, through the starts of goroutines. */
void leat_error_log_stack(const leat_error *e, FILE *out);

/* For the user: "[log ID] line". If the module did not wrap it, a sentence that there was an unexpected issue, and the hook gets the error,
 * which it borrows. Answers whether it was well-formed. Log it as well, in both cases. */
bool leat_error_show(const leat_error *e, const char *module, FILE *out);
void leat_error_set_bug_hook(void (*hook)(void *environment, const leat_error *e), void *environment);

/* How many frames of the stack an error keeps at most: 32 unless set, 0 to 64. 0 saves the unwinding. For the whole process. */
void leat_error_set_frames(int n);

/* `return leat_fail_with(e);` in a LEAT_FN_ERR function: fails with this error and its status, which it answers. LEAT_OK for NULL. */
int leat_fail_with(leat_error *e);
/* The error of a scope's first failure (never NULL if something failed; made from the status if the goroutine gave no more), or of a
 * task's. Borrowed: lives as long as the scope. NULL while nothing failed. */
const leat_error *leat_error_of(leat_view s);
const leat_error *leat_task_error(const leat_task *task);

leat_error *leat_i_error_new(const char *place, int status, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
leat_error *leat_i_error_wrap(const char *place, leat_error *inner, const char *module, const char *format, ...)
  __attribute__((__format__(__printf__, 4, 5)));
leat_error *leat_i_error_make(const char *place, leat_error_spec spec, const char *format, ...)
  __attribute__((__format__(__printf__, 3, 4)));
/* Keeps the call in `return leat_error_new(...);` from becoming a jump, by which the stack would lose the function it was made in. */
static inline __attribute__((__warn_unused_result__, __unused__)) leat_error *leat_i_error_here(leat_error *e) {
  __asm__ volatile("" : "+r"(e));
  return e;
}
const void *leat_i_error_as(const leat_error *e, const leat_error_kind *kind);
LEAT_I_END
