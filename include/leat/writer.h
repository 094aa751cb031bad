/* leat/writer.h - a batching writer: many goroutines write, and what they write goes down in chunks (Go's bufio.Writer, for many at a time and with a
 * limit to how long something may lie; the chapter "Queuing" of Cox-Buday's "Concurrency in Go" calls it chunking).
 *
 *   leat_writer(char) log = leat_writer_to_fd(s, fd, ((leat_writer_options){.delay = LEAT_MS(10)}));
 *   if (leat_write_n(log, line, length, NULL)) return;                 copied; written when there is a chunk of it, or after 10 ms
 *   int status = leat_flush(log);                                      what was written before is down
 *   int status = leat_writer_close(log);                               all is, and the writer has ended
 *
 *   LEAT_FN_ERR(insert, const struct row *, rows, size_t, n, struct db *, db) { ... }            one transaction for many rows
 *   leat_writer(struct row) out = leat_writer_make(s, struct row, ((leat_writer_options){.chunk = 500}), insert, db);
 *   leat_write(out, row);
 *
 * A chunk goes down when it is full, when its first item has waited for `delay`, and when a flush, a close or a write that has no room wants it; one
 * at a time, by a goroutine of the writer's scope, while the next is being filled. Order: items go down in the order in which the writes
 * were accepted, and those of one leat_write_n together: not split over chunks unless they are more than a chunk, never mixed with others'. When both
 * chunks are full writers wait, first come, first served.
 *
 * Nothing is lost without a word. LEAT_OK from a write means accepted. What was accepted is written, also when the scope is cancelled or left:
 * then the writer accepts no more, and has `grace` to write the rest. What cannot be written is an error: every write, flush and close
 * from then on answers it, those under way too, and the writer's scope fails with it. Items that no sink was given go to the drop function.
 * The writer is a service: leat_wait does not wait for it. So close it after leat_wait, or in the block around the one whose goroutines write.
 *
 * Any goroutine or thread may call any of these, but for those that wait, which the sink itself must not call on its own writer: misuse. A writer lives
 * as long as its scope. */
#pragma once
#include "goroutine.h"
#include "scope.h"
#include <stdio.h>

struct leat_i_writer;
#define leat_writer(T) __typeof__(__typeof__(T)(*)(struct leat_i_writer *))

typedef struct leat_writer_options {
  size_t chunk;  /* items, at most; 0: as many as take 4096 bytes. There is memory for two of them */
  int64_t delay; /* nanoseconds that an item may lie; 0: it goes as soon as what is under way is down; LEAT_NEVER: until there is a chunk */
  int64_t grace; /* nanoseconds for what is left when the scope ends; 0: a second */
  uint64_t leat_i_reserved[3];
} leat_writer_options;

typedef struct leat_writer_figures {
  uint64_t writes, items;  /* accepted so far */
  uint64_t chunks;         /* that were begun */
  uint64_t written, bytes; /* items that are down, and their size */
  uint64_t waiting;        /* accepted and not yet down */
  uint64_t lost;           /* accepted, and will not be: there was an error */
} leat_writer_figures;

/* leat_writer(T) leat_writer_make(scope, T, options, fn, arguments...): fn is called with each chunk. A LEAT_FN_ERR function whose first parameters are
 * a const T * and a size_t; up to six more follow. It runs in a shield that ends `grace` after the scope; any status but LEAT_OK is the error. The
 * items are its own from then on; their array is not.
 * leat_writer(char) leat_writer_to_fd(scope, fd, options): with leat_io_write (leat/io.h), as often as it takes; fd is not closed.
 * leat_writer(char) leat_writer_to_file(scope, FILE *, options): with fwrite, and fflush for each chunk. Its descriptor must not be one that leat_io_
 * functions are used on.
 * The options stand in parentheses, or in a variable. Never NULL: out of memory, all operations answer LEAT_NOMEM, and the scope has failed with that. */
#define leat_writer_make(s, T, options, ...) LEAT_I_WRITER_MAKE(__COUNTER__, LEAT_I_COUNT(__VA_ARGS__), s, T, options, __VA_ARGS__)
#define LEAT_I_WRITER_MAKE(N, n, s, T, options, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_writer_make"); \
    LEAT_I_ELEMENT(T, "leat_writer_make"); \
    leat_writer_options LEAT_I_CAT(leat_i_o, N) = options; \
    const __typeof__(T) *LEAT_I_CAT(leat_i_p, N) = NULL; \
    _Static_assert(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_fails), "leat_writer_make: the function answers no status: declare it with LEAT_FN_ERR"); \
    _Static_assert(LEAT_I_SAME(LEAT_I_SINK_PARAMETER(LEAT_I_FIRST(__VA_ARGS__), 1), __typeof__(LEAT_I_CAT(leat_i_p, N))), \
                   "leat_writer_make: the first parameter of the function is not a pointer to constant items"); \
    _Static_assert(LEAT_I_SAME(LEAT_I_SINK_PARAMETER(LEAT_I_FIRST(__VA_ARGS__), 2), size_t), "leat_writer_make: the second parameter of the function is not a size_t"); \
    LEAT_I_CAT(LEAT_I_SINK_, n)(N, "leat_writer_make", LEAT_I_CAT(leat_i_p, N), __VA_ARGS__) \
    LEAT_I_FN_RECORD(N, LEAT_I_FIRST(__VA_ARGS__)) \
    (leat_writer(T)) leat_i_writer_make(LEAT_I_CAT(leat_i_s, N), sizeof(T), &LEAT_I_CAT(leat_i_o, N), &LEAT_I_CAT(leat_i_fn, N), &LEAT_I_CAT(leat_i_a, N), \
                                        __builtin_offsetof(__typeof__(LEAT_I_CAT(leat_i_a, N)), leat_i_2), LEAT_I_HERE); \
  })
#define LEAT_I_SINK_PARAMETER(fn, i) __typeof__(((struct LEAT_I_CAT(fn, _leat_args) *)0)->leat_i_##i)
#define LEAT_I_SINK_1(N, op, p, fn) LEAT_I_BIND_3(N, op, fn, p, (size_t)0)
#define LEAT_I_SINK_2(N, op, p, fn, a) LEAT_I_BIND_4(N, op, fn, p, (size_t)0, a)
#define LEAT_I_SINK_3(N, op, p, fn, a, b) LEAT_I_BIND_5(N, op, fn, p, (size_t)0, a, b)
#define LEAT_I_SINK_4(N, op, p, fn, a, b, c) LEAT_I_BIND_6(N, op, fn, p, (size_t)0, a, b, c)
#define LEAT_I_SINK_5(N, op, p, fn, a, b, c, d) LEAT_I_BIND_7(N, op, fn, p, (size_t)0, a, b, c, d)
#define LEAT_I_SINK_6(N, op, p, fn, a, b, c, d, e) LEAT_I_BIND_8(N, op, fn, p, (size_t)0, a, b, c, d, e)
#define LEAT_I_SINK_7(N, op, p, fn, a, b, c, d, e, f) LEAT_I_BIND_9(N, op, fn, p, (size_t)0, a, b, c, d, e, f)

#define leat_writer_to_fd(s, fd, options) LEAT_I_WRITER_TO(__COUNTER__, "leat_writer_to_fd", leat_i_writer_to_fd, s, fd, options)
#define leat_writer_to_file(s, file, options) LEAT_I_WRITER_TO(__COUNTER__, "leat_writer_to_file", leat_i_writer_to_file, s, file, options)
#define LEAT_I_WRITER_TO(N, op, make, s, where, options) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, op); \
    leat_writer_options LEAT_I_CAT(leat_i_o, N) = options; \
    (leat_writer(char)) make(LEAT_I_CAT(leat_i_s, N), (where), &LEAT_I_CAT(leat_i_o, N), LEAT_I_HERE); \
  })

/* int leat_write(w, value), leat_write_until(w, deadline, value): one item. int leat_write_n(w, const T *items, size_t n, size_t *accepted),
 * leat_write_n_until(w, deadline, items, n, accepted): n items, which are copied; accepted may be NULL. They block while there is no room. LEAT_OK;
 * LEAT_CANCELED or LEAT_DEADLINE when the caller's scope has ended, LEAT_DEADLINE at the deadline; LEAT_CLOSED after a close, and when the writer's
 * scope has ended; or the error of an earlier chunk. Nothing was accepted then, but of more than a chunk perhaps a part: *accepted says how many. */
#define leat_write(w, ...) LEAT_I_WRITE(__COUNTER__, "leat_write", w, LEAT_NEVER, (__VA_ARGS__))
#define leat_write_until(w, deadline, ...) LEAT_I_WRITE(__COUNTER__, "leat_write_until", w, deadline, (__VA_ARGS__))
#define LEAT_I_WRITE(N, op, w, deadline, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_w, N) = (w); \
    LEAT_I_IS_WRITER(LEAT_I_CAT(leat_i_w, N), op); \
    int64_t LEAT_I_CAT(leat_i_d, N) = (deadline); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(LEAT_I_ELEM(LEAT_I_CAT(leat_i_w, N)), LEAT_I_CAT(leat_i_x, N)), op ": the value does not have the writer's element type"); \
    LEAT_I_ELEM(LEAT_I_CAT(leat_i_w, N)) LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_i_write((struct leat_i_writer *)LEAT_I_CAT(leat_i_w, N), &LEAT_I_CAT(leat_i_v, N), 1, LEAT_I_CAT(leat_i_d, N), NULL); \
  })
#define leat_write_n(w, items, n, accepted) LEAT_I_WRITE_N(__COUNTER__, "leat_write_n", w, LEAT_NEVER, items, n, accepted)
#define leat_write_n_until(w, deadline, items, n, accepted) LEAT_I_WRITE_N(__COUNTER__, "leat_write_n_until", w, deadline, items, n, accepted)
#define LEAT_I_WRITE_N(N, op, w, deadline, items, n, accepted) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_w, N) = (w); \
    LEAT_I_IS_WRITER(LEAT_I_CAT(leat_i_w, N), op); \
    int64_t LEAT_I_CAT(leat_i_d, N) = (deadline); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (items); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), LEAT_I_ELEM(LEAT_I_CAT(leat_i_w, N)) *) || \
                     LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), const LEAT_I_ELEM(LEAT_I_CAT(leat_i_w, N)) *), \
                   op ": the pointer is not to the writer's element type"); \
    leat_i_write((struct leat_i_writer *)LEAT_I_CAT(leat_i_w, N), LEAT_I_CAT(leat_i_p, N), (n), LEAT_I_CAT(leat_i_d, N), (accepted)); \
  })

/* int leat_flush(w), leat_flush_until(w, deadline) [must be looked at]: blocks until what was accepted before is down: LEAT_OK, that a sink has taken it (of
 * a descriptor: the kernel; it is no fsync). The error, or as leat_write.
 * int leat_writer_close(w) [must be looked at]: no more is accepted; blocks until all that was is down, and the writer has ended. LEAT_OK, or the error. Again it
 * answers the same. It is a join: it waits on in a cancelled scope. leat_writer_close_until(w, deadline) does not: LEAT_CANCELED, LEAT_DEADLINE: it is closed, and
 * still at it. */
#define leat_flush(w) leat_i_flush(LEAT_I_WRITER(__COUNTER__, "leat_flush", w), LEAT_NEVER)
#define leat_flush_until(w, deadline) leat_i_flush(LEAT_I_WRITER(__COUNTER__, "leat_flush_until", w), (deadline))
#define leat_writer_close(w) leat_i_writer_close(LEAT_I_WRITER(__COUNTER__, "leat_writer_close", w))
#define leat_writer_close_until(w, deadline) leat_i_writer_close_until(LEAT_I_WRITER(__COUNTER__, "leat_writer_close_until", w), (deadline))

/* leat_writer_figures leat_writer_look(w). */
#define leat_writer_look(w) leat_i_writer_look(LEAT_I_WRITER(__COUNTER__, "leat_writer_look", w))

/* void leat_writer_on_drop(w, void (*drop)(T *)): called for each item that was accepted, and that no sink was given because of an error. Set it before
 * items are written. */
#define leat_writer_on_drop(w, drop) LEAT_I_WRITER_ON_DROP(__COUNTER__, w, drop)
#define LEAT_I_WRITER_ON_DROP(N, w, drop) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_w, N) = (w); \
    LEAT_I_IS_WRITER(LEAT_I_CAT(leat_i_w, N), "leat_writer_on_drop"); \
    __auto_type LEAT_I_CAT(leat_i_f, N) = (drop); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_f, N)), void (*)(LEAT_I_ELEM(LEAT_I_CAT(leat_i_w, N)) *)), \
                   "leat_writer_on_drop: not a void function of a pointer to the writer's element type"); \
    leat_i_writer_on_drop((struct leat_i_writer *)LEAT_I_CAT(leat_i_w, N), (void (*)(void *))LEAT_I_CAT(leat_i_f, N)); \
  })

#define LEAT_I_IS_WRITER(w, op) _Static_assert(LEAT_I_SAME(__typeof__(w), leat_writer(LEAT_I_ELEM(w))), op ": this is no writer")
#define LEAT_I_WRITER(N, op, w) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_w, N) = (w); \
    LEAT_I_IS_WRITER(LEAT_I_CAT(leat_i_w, N), op); \
    (struct leat_i_writer *)LEAT_I_CAT(leat_i_w, N); \
  })

LEAT_I_BEGIN
struct leat_i_writer *leat_i_writer_make(const struct leat_scope *s, size_t size, const leat_writer_options *options, const struct leat_i_fn *fn, const void *args, size_t n_at, const char *birthplace);
struct leat_i_writer *leat_i_writer_to_fd(const struct leat_scope *s, int fd, const leat_writer_options *options, const char *birthplace);
struct leat_i_writer *leat_i_writer_to_file(const struct leat_scope *s, FILE *file, const leat_writer_options *options, const char *birthplace);
void leat_i_writer_on_drop(struct leat_i_writer *w, void (*drop)(void *));
int leat_i_write(struct leat_i_writer *w, const void *items, size_t n, int64_t deadline, size_t *accepted);
int leat_i_flush(struct leat_i_writer *w, int64_t deadline) __attribute__((__warn_unused_result__));
int leat_i_writer_close(struct leat_i_writer *w) __attribute__((__warn_unused_result__));
int leat_i_writer_close_until(struct leat_i_writer *w, int64_t deadline) __attribute__((__warn_unused_result__));
leat_writer_figures leat_i_writer_look(struct leat_i_writer *w);
LEAT_I_END
