/* leat/parallel.h - one stage on several goroutines (leat/stage.h says what all stages have in common).
 *
 * Worth it where an item costs much more than its way through two channels (a microsecond), or where functions wait. */
#pragma once
#include "compose.h"
#include "transform.h"

/* leat_rx(Out) leat_fan_out(scope, in, n, name, args...): n instances of a stage, each in its goroutine, that share the input and the output; results
 * come as they are ready. name: whatever leat_pipe_of takes. n = leat_cpus() for functions that compute. */
#define leat_fan_out(s, in, n, ...) LEAT_I_FAN_OUT(__COUNTER__, s, in, n, __VA_ARGS__)
#define LEAT_I_FAN_OUT(N, s, in, n, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_fan_out"); \
    size_t LEAT_I_CAT(leat_i_n, N) = (n); \
    LEAT_I_FUNCTION_OF(N, "leat_fan_out", __VA_ARGS__) \
    (leat_rx(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe_out))) \
      leat_i_fan_out(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), LEAT_I_CAT(leat_i_n, N), LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe), &LEAT_I_CAT(leat_i_a, N), \
                     sizeof(LEAT_I_ITEM(N)), sizeof(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_pipe_out)), LEAT_I_HERE); \
  })

/* leat_rx(Out) leat_parallel_map(scope, in, n, window, fn, args...): fn of each item, on n goroutines, in the order of the input. At most `window`
 * items (n at least) are worked on or wait for an earlier one: so far it may run ahead of what is taken. A quick LEAT_MAP function is given several items
 * in a row; make the window several times n then. LEAT_MAP, LEAT_EFFECT or LEAT_MAP_RESULT. */
#define leat_parallel_map(s, in, n, window, ...) LEAT_I_PARALLEL_MAP(__COUNTER__, s, in, n, window, __VA_ARGS__)
#define LEAT_I_PARALLEL_MAP(N, s, in, n, window, ...) \
  __extension__({ \
    LEAT_I_STAGE_OF(N, s, in, "leat_parallel_map"); \
    size_t LEAT_I_CAT(leat_i_n, N) = (n), LEAT_I_CAT(leat_i_w, N) = (window); \
    LEAT_I_MAPS("leat_parallel_map", LEAT_I_FIRST(__VA_ARGS__)); \
    LEAT_I_FUNCTION_OF(N, "leat_parallel_map", __VA_ARGS__) \
    (leat_rx(LEAT_I_CAT(LEAT_I_FIRST(__VA_ARGS__), _leat_out))) leat_i_parallel_map(LEAT_I_CAT(leat_i_s, N), LEAT_I_RAW_IN(N), LEAT_I_CAT(leat_i_n, N), LEAT_I_CAT(leat_i_w, N), \
                                                                             LEAT_I_FUN(LEAT_I_FIRST(__VA_ARGS__), as_map), &LEAT_I_CAT(leat_i_a, N), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_fan_out(const struct leat_scope *s, struct leat_i_chan *in, size_t n, leat_i_piper *piper, const void *args, size_t size, size_t out_size, const char *birthplace);
struct leat_i_chan *leat_i_parallel_map(const struct leat_scope *s, struct leat_i_chan *in, size_t n, size_t window, const struct leat_i_fun *fun, const void *args, const char *birthplace);
LEAT_I_END
