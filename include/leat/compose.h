/* leat/compose.h - stages of one's own, and stages as values (leat/stage.h says what all stages have in common).
 *
 * Of other stages: an ordinary function. LEAT_PIPELINE declares it so that it can be a value, too.
 *   LEAT_PIPELINE(multiply, int, int, s, in, int, by) { return leat_map(s, in, times, by); }
 *   leat_rx(int) out = multiply(s, multiply(s, in, 2), 3);
 *
 * Of a goroutine: a function that receives and sends.
 *   LEAT_STAGE(pairs, int, int, in, out) {
 *     int a, b, status;
 *     while (!(status = leat_recv(in, &a)) && !(status = leat_recv(in, &b)))
 *       if ((status = leat_send(out, a + b))) break;
 *     return status;
 *   }
 *   leat_rx(int) out = leat_stage(s, in, pairs);
 * It begins when its output is asked for, and closes it at its end. It runs in a scope of its own, which is cancelled when its output is
 * stopped, so it needs no care but to return what its operations answer: LEAT_CLOSED and the end of the scope are a regular end, anything
 * else fails the scope. It gives up its input when it returns. It owns what it received and did not send.
 *
 * As values. leat_pipe(In, Out) is a stage with its arguments bound, which can be stored, passed and composed:
 *   leat_pipe(int, int) twice = leat_pipe_of(s, times, 2), steps[] = {twice, leat_pipe_of(s, pairs), leat_compose(s, int, twice, twice)};
 *   leat_rx(int) out = leat_through(s, in, steps[i]);
 * A value lives as long as the scope it was made in; what was made with it may outlive it. */
#pragma once
#include "stage.h"

/* LEAT_PIPELINE(name, In, Out, scope, in, parameters...) { return a leat_rx(Out); } defines leat_rx(Out) name(leat_view scope, leat_rx(In) in,
 * parameters...). */
#define LEAT_PIPELINE(name, In, Out, s, ...) LEAT_I_PIPELINE(LEAT_I_COUNT(__VA_ARGS__), name, In, Out, s, __VA_ARGS__)
#define LEAT_I_PIPELINE(n, name, In, Out, s, ...) \
  static __attribute__((__unused__)) leat_rx(Out) name(const struct leat_scope *s, LEAT_I_CAT(LEAT_I_ITEM_, n)(leat_rx(In), __VA_ARGS__)); \
  LEAT_I_FUN_TYPES(n, name, In, Out, __VA_ARGS__); \
  typedef __typeof__(Out) name##_leat_pipe_out; \
  static __attribute__((__unused__)) struct leat_i_chan *name##_leat_pipe(const struct leat_scope *leat_i_s, struct leat_i_chan *leat_i_in, const void *leat_i_args, const char *leat_i_place) { \
    const struct name##_leat_args leat_i_a = *(const struct name##_leat_args *)leat_i_args; \
    (void)leat_i_a, (void)leat_i_place; \
    return __extension__ LEAT_I_RAW(name(leat_i_s, LEAT_I_CAT(LEAT_I_VALUES_, n)((leat_rx(In))leat_i_in))); \
  } \
  static leat_rx(Out) name(const struct leat_scope *s, LEAT_I_CAT(LEAT_I_ITEM_, n)(leat_rx(In), __VA_ARGS__))

/* LEAT_STAGE(name, In, Out, in, out, parameters...) { ...; return status; } and leat_rx(Out) leat_stage(scope, in, name, args...). */
struct leat_i_body {
  int (*run)(struct leat_i_chan *in, struct leat_i_chan *out, const void *args);
  size_t in, out, args;
  const char *name;
  void (*drop)(void *);
};
#define LEAT_STAGE(name, In, Out, in, ...) LEAT_I_STAGE_BODY(LEAT_I_COUNT(__VA_ARGS__), name, In, Out, in, __VA_ARGS__)
#define LEAT_I_STAGE_BODY(n, name, In, Out, in, ...) \
  static __attribute__((__unused__)) int name(leat_rx(In) in, LEAT_I_CAT(LEAT_I_ITEM_, n)(leat_tx(Out), __VA_ARGS__)); \
  LEAT_I_FUN_TYPES(n, name, In, Out, __VA_ARGS__); \
  typedef __typeof__(Out) name##_leat_pipe_out; \
  static __attribute__((__unused__)) int name##_leat_run(struct leat_i_chan *leat_i_in, struct leat_i_chan *leat_i_out, const void *leat_i_args) { \
    const struct name##_leat_args leat_i_a = *(const struct name##_leat_args *)leat_i_args; \
    (void)leat_i_a; \
    return __extension__ name((leat_rx(In))leat_i_in, LEAT_I_CAT(LEAT_I_VALUES_, n)((leat_tx(Out))leat_i_out)); \
  } \
  static __attribute__((__unused__)) const struct leat_i_body name##_leat_body = {name##_leat_run, sizeof(In), sizeof(Out), sizeof(struct name##_leat_args), #name, LEAT_I_DROP_OF(Out)}; \
  static __attribute__((__unused__)) struct leat_i_chan *name##_leat_pipe(const struct leat_scope *leat_i_s, struct leat_i_chan *leat_i_in, const void *leat_i_args, const char *leat_i_place) { \
    return leat_i_body_stage(leat_i_s, leat_i_in, &name##_leat_body, leat_i_args, leat_i_place); \
  } \
  static int name(leat_rx(In) in, LEAT_I_CAT(LEAT_I_ITEM_, n)(leat_tx(Out), __VA_ARGS__))
#define leat_stage(s, in, ...) LEAT_I_PIPED(__COUNTER__, s, in, "leat_stage", __VA_ARGS__)
#define LEAT_I_PIPED(N, s, in, op, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, op); \
    LEAT_I_FUNCTION_OF(N, op, __VA_ARGS__) \
    (leat_rx(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe_out))) \
      LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe)(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })

/* leat_pipe(In, Out) leat_pipe_of(scope, name, args...): of a function declared with LEAT_MAP, LEAT_EFFECT, LEAT_FILTER (a filter), LEAT_FOLD
 * (a scan from zero), LEAT_FLAT_MAP, LEAT_MAP_RESULT, LEAT_PIPELINE or LEAT_STAGE. leat_pipe(In, Out2)
 * leat_compose(scope, In, first, second): first a leat_pipe(In, X), second a leat_pipe(X, Out2). */
#define leat_pipe(In, Out) __typeof__(leat_rx(Out) (*)(struct leat_i_pipe *, leat_rx(In)))
struct leat_i_pipe;
typedef struct leat_i_chan *leat_i_piper(const struct leat_scope *s, struct leat_i_chan *in, const void *args, const char *birthplace);
#define leat_pipe_of(s, ...) LEAT_I_PIPE_OF(__COUNTER__, s, __VA_ARGS__)
#define LEAT_I_PIPE_OF(N, s, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_pipe_of"); \
    LEAT_I_CAT(LEAT_I_BIND_, LEAT_I_COUNT(__VA_ARGS__))(N, "leat_pipe_of", __VA_ARGS__) \
    (leat_pipe(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_in), LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe_out))) \
      leat_i_pipe_of(LEAT_I_CAT(leat_i_s, N), LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe), &LEAT_I_CAT(leat_i_a, N), sizeof LEAT_I_CAT(leat_i_a, N)); \
  })
#define LEAT_I_PIPE_OUT(p) LEAT_I_ELEM((p)((void *)0, (void *)0))
#define LEAT_I_PIPE_TAKES(p, T) LEAT_I_SAME(__typeof__(p), leat_pipe(T, LEAT_I_PIPE_OUT(p)))
#define leat_through(s, in, pipe) LEAT_I_THROUGH(__COUNTER__, s, in, pipe)
#define LEAT_I_THROUGH(N, s, in, pipe) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_through"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (pipe); \
    _Static_assert(LEAT_I_PIPE_TAKES(LEAT_I_CAT(leat_i_p, N), LEAT_I_ITEM(N)), "leat_through: the pipe does not take this channel's element type"); \
    (leat_rx(LEAT_I_PIPE_OUT(LEAT_I_CAT(leat_i_p, N)))) leat_i_through(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), (const struct leat_i_pipe *)LEAT_I_CAT(leat_i_p, N), LEAT_I_HERE); \
  })
#define leat_compose(s, In, first, second) LEAT_I_COMPOSE(__COUNTER__, s, In, first, second)
#define LEAT_I_COMPOSE(N, s, In, first, second) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_compose"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (first); \
    __auto_type LEAT_I_CAT(leat_i_q, N) = (second); \
    _Static_assert(LEAT_I_PIPE_TAKES(LEAT_I_CAT(leat_i_p, N), __typeof__(In)), "leat_compose: the first pipe does not take this type"); \
    _Static_assert(LEAT_I_PIPE_TAKES(LEAT_I_CAT(leat_i_q, N), LEAT_I_PIPE_OUT(LEAT_I_CAT(leat_i_p, N))), "leat_compose: the second pipe does not take what the first gives"); \
    (leat_pipe(In, LEAT_I_PIPE_OUT(LEAT_I_CAT(leat_i_q, N)))) leat_i_compose( \
      LEAT_I_CAT(leat_i_s, N), (const struct leat_i_pipe *)LEAT_I_CAT(leat_i_p, N), (const struct leat_i_pipe *)LEAT_I_CAT(leat_i_q, N)); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_body_stage(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_body *body, const void *args, const char *birthplace);
struct leat_i_pipe *leat_i_pipe_of(const struct leat_scope *s, leat_i_piper *piper, const void *args, size_t size);
struct leat_i_pipe *leat_i_compose(const struct leat_scope *s, const struct leat_i_pipe *first, const struct leat_i_pipe *second);
struct leat_i_chan *leat_i_through(const struct leat_scope *s, struct leat_i_chan *in, const struct leat_i_pipe *pipe, const char *birthplace);
LEAT_I_END
