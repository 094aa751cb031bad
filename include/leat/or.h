/* leat/or.h - the or-channel: any number of signals made one (after the Book, "The or-channel").
 *
 *   leat_rx(char) stop = leat_or(s, leat_done(request), leat_done(server), leat_after(s, LEAT_SECONDS(5)));
 *
 * The answer is closed as soon as one of the inputs is closed or written to; of an input that is written to, one value is taken, and goes to
 * its drop function. Then, or when the scope ends, nothing is left that waits; leat_wait does not wait for it. The other inputs are left as
 * they are.
 *
 * leat_or(scope, inputs...): up to sixteen channels or receiving views, of any element types. Of none it is the nil channel, which never
 * fires. A single input is the answer itself, with its own element type. A nil input never fires.
 * leat_or_array(scope, T, inputs, n): the same of an array of leat_rx(T); the answer is a leat_rx(T).
 *
 * The answer belongs to the scope, as channels do; out of memory it answers LEAT_NOMEM, and the scope has failed with that. With a NULL scope:
 * the caller's innermost one. The inputs must live until the scope is left. It is no user of them: a stage's output that nobody else was given (leat/stage.h)
 * is stopped by leat_wait, and then the answer is closed. Any thread may call it. For the end of the caller's own scope no
 * or-channel is needed: that is in every operation already. Waiting once is a leat_select; to end goroutines by several contexts,
 * leat_follow is simpler. */
#pragma once
#include "channel.h"
#include "goroutine.h"

#define leat_or(...) LEAT_I_CAT(LEAT_I_OR_, LEAT_I_COUNT(__VA_ARGS__))(__COUNTER__, __VA_ARGS__)
#define LEAT_I_OR_1(N, s) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_or"); \
    (void)LEAT_I_CAT(leat_i_s, N); \
    (leat_rx(char)) NULL; \
  })
#define LEAT_I_OR_2(N, s, c) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_or"); \
    (void)LEAT_I_CAT(leat_i_s, N); \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_or"); \
    (leat_rx(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)))) LEAT_I_CAT(leat_i_c, N); \
  })
#define LEAT_I_OR_MANY(N, s, ...) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_or"); \
    struct leat_i_chan *LEAT_I_CAT(leat_i_c, N)[] = {__VA_ARGS__}; \
    (leat_rx(char)) leat_i_or(LEAT_I_CAT(leat_i_s, N), LEAT_I_CAT(leat_i_c, N), sizeof LEAT_I_CAT(leat_i_c, N) / sizeof *LEAT_I_CAT(leat_i_c, N), sizeof(char), LEAT_I_HERE); \
  })
#define LEAT_I_OR_3(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_2(__VA_ARGS__))
#define LEAT_I_OR_4(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_3(__VA_ARGS__))
#define LEAT_I_OR_5(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_4(__VA_ARGS__))
#define LEAT_I_OR_6(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_5(__VA_ARGS__))
#define LEAT_I_OR_7(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_6(__VA_ARGS__))
#define LEAT_I_OR_8(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_7(__VA_ARGS__))
#define LEAT_I_OR_9(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_8(__VA_ARGS__))
#define LEAT_I_OR_10(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_9(__VA_ARGS__))
#define LEAT_I_OR_11(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_10(__VA_ARGS__))
#define LEAT_I_OR_12(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_11(__VA_ARGS__))
#define LEAT_I_OR_13(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_12(__VA_ARGS__))
#define LEAT_I_OR_14(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_13(__VA_ARGS__))
#define LEAT_I_OR_15(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_14(__VA_ARGS__))
#define LEAT_I_OR_16(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_15(__VA_ARGS__))
#define LEAT_I_OR_17(N, s, ...) LEAT_I_OR_MANY(N, s, LEAT_I_INPUTS_16(__VA_ARGS__))
#define LEAT_I_INPUT(N, c) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_or"); \
    LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)); \
  })
#define LEAT_I_INPUTS_1(c) LEAT_I_INPUT(__COUNTER__, c)
#define LEAT_I_INPUTS_2(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_1(__VA_ARGS__)
#define LEAT_I_INPUTS_3(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_2(__VA_ARGS__)
#define LEAT_I_INPUTS_4(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_3(__VA_ARGS__)
#define LEAT_I_INPUTS_5(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_4(__VA_ARGS__)
#define LEAT_I_INPUTS_6(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_5(__VA_ARGS__)
#define LEAT_I_INPUTS_7(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_6(__VA_ARGS__)
#define LEAT_I_INPUTS_8(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_7(__VA_ARGS__)
#define LEAT_I_INPUTS_9(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_8(__VA_ARGS__)
#define LEAT_I_INPUTS_10(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_9(__VA_ARGS__)
#define LEAT_I_INPUTS_11(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_10(__VA_ARGS__)
#define LEAT_I_INPUTS_12(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_11(__VA_ARGS__)
#define LEAT_I_INPUTS_13(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_12(__VA_ARGS__)
#define LEAT_I_INPUTS_14(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_13(__VA_ARGS__)
#define LEAT_I_INPUTS_15(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_14(__VA_ARGS__)
#define LEAT_I_INPUTS_16(c, ...) LEAT_I_INPUT(__COUNTER__, c), LEAT_I_INPUTS_15(__VA_ARGS__)

#define leat_or_array(s, T, inputs, n) LEAT_I_OR_ARRAY(__COUNTER__, s, T, inputs, n)
#define LEAT_I_OR_ARRAY(N, s, T, inputs, n) \
  __extension__({ \
    LEAT_I_BIND_SCOPE(N, s, "leat_or_array"); \
    LEAT_I_ELEMENT(T, "leat_or_array"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (inputs); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), leat_rx(T) *) || LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), leat_rx(T) const *), \
                   "leat_or_array: the third argument is not an array of leat_rx of the element type"); \
    (leat_rx(T)) leat_i_or(LEAT_I_CAT(leat_i_s, N), (struct leat_i_chan *const *)LEAT_I_CAT(leat_i_p, N), (n), sizeof(T), LEAT_I_HERE); \
  })

LEAT_I_BEGIN
struct leat_i_chan *leat_i_or(const struct leat_scope *s, struct leat_i_chan *const *inputs, size_t n, size_t elem, const char *birthplace);
LEAT_I_END
