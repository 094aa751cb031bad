/* leat/select.h - waits for the first of several channel operations (after Go's select statement).
 *
 *   switch (leat_select(leat_on_recv(ticks, &t), leat_on_send(log, line), leat_on_timeout(LEAT_MS(250)))) {
 *   case 0: ...                    the index of the case that happened, counted from 0
 *   case LEAT_CANCELED: return;    or a negative status: nothing happened
 *   }
 *
 * Among cases that are ready the choice is uniform; leat_select_ordered takes the first ready one in the order written (a priority).
 * A case on a nil channel is never ready. A case on a closed channel is always ready: the receive zeroes its target; leat_selected()
 * tells LEAT_OK from LEAT_CLOSED for the caller's last select. Blocks until a case is ready, the caller's scope is cancelled
 * (LEAT_CANCELED, LEAT_DEADLINE), or one of leat_default / leat_on_timeout / leat_on_deadline is the answer. Any thread may call it. */
#pragma once
#include "channel.h"

typedef struct leat_case {
  struct leat_i_chan *leat_i_chan;
  void *leat_i_value; /* receive: the target; send: the value, or NULL where it is in leat_i_inline */
  int64_t leat_i_deadline;
  int leat_i_kind;
  int leat_i_reserved;
  int64_t leat_i_inline[2]; /* not a union: gcc would make each case elsewhere and copy it, which stalls, 5 ns a word */
} leat_case;

enum leat_i_case_kind { LEAT_I_CASE_NONE, LEAT_I_CASE_RECV, LEAT_I_CASE_SEND, LEAT_I_CASE_DEFAULT, LEAT_I_CASE_TIMEOUT, LEAT_I_CASE_DEADLINE };

#define leat_on_recv(c, target) LEAT_I_ON_RECV(__COUNTER__, c, target)
#define LEAT_I_ON_RECV(N, c, target) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_RECV(LEAT_I_CAT(leat_i_c, N), "leat_on_recv"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (target); \
    LEAT_I_POINTS_TO_ELEM(LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_c, N), "leat_on_recv"); \
    (leat_case){.leat_i_chan = LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), .leat_i_value = LEAT_I_CAT(leat_i_p, N), .leat_i_kind = LEAT_I_CASE_RECV}; \
  })

/* leat_on_send copies a value of up to 16 bytes; leat_on_send_from takes a pointer to a value of any size, which must stay valid until the
 * select has returned. A compound literal among the arguments does not (nor as the target of leat_on_recv): name a variable. */
#define leat_on_send(c, ...) LEAT_I_ON_SEND(__COUNTER__, c, (__VA_ARGS__))
#define LEAT_I_ON_SEND(N, c, value) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_SEND(LEAT_I_CAT(leat_i_c, N), "leat_on_send"); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = LEAT_I_VALUE(value); \
    _Static_assert(LEAT_I_FITS(LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)), LEAT_I_CAT(leat_i_x, N)), \
                   "leat_on_send: the value does not have the channel's element type"); \
    LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) LEAT_I_CAT(leat_i_v, N) = LEAT_I_CAT(leat_i_x, N); \
    leat_case LEAT_I_CAT(leat_i_k, N) = {.leat_i_chan = LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), .leat_i_kind = LEAT_I_CASE_SEND}; \
    _Static_assert(sizeof(LEAT_I_CAT(leat_i_v, N)) <= sizeof(LEAT_I_CAT(leat_i_k, N).leat_i_inline), \
                   "leat_on_send: the element is larger than 16 bytes, use leat_on_send_from(channel, &value)"); \
    __builtin_memcpy(LEAT_I_CAT(leat_i_k, N).leat_i_inline, &LEAT_I_CAT(leat_i_v, N), sizeof(LEAT_I_CAT(leat_i_v, N))); \
    LEAT_I_CAT(leat_i_k, N); \
  })
#define leat_on_send_from(c, source) LEAT_I_ON_SEND_FROM(__COUNTER__, c, source)
#define LEAT_I_ON_SEND_FROM(N, c, source) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_c, N) = (c); \
    LEAT_I_CAN_SEND(LEAT_I_CAT(leat_i_c, N), "leat_on_send_from"); \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (source); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) *) || \
                     LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)), const LEAT_I_ELEM(LEAT_I_CAT(leat_i_c, N)) *), \
                   "leat_on_send_from: the pointer is not to the channel's element type"); \
    (leat_case){.leat_i_chan = LEAT_I_RAW(LEAT_I_CAT(leat_i_c, N)), .leat_i_value = (void *)(uintptr_t)LEAT_I_CAT(leat_i_p, N), .leat_i_kind = LEAT_I_CASE_SEND}; \
  })

#define leat_default ((leat_case){.leat_i_kind = LEAT_I_CASE_DEFAULT})
#define leat_on_timeout(duration) ((leat_case){.leat_i_deadline = (duration), .leat_i_kind = LEAT_I_CASE_TIMEOUT})
#define leat_on_deadline(time) ((leat_case){.leat_i_deadline = (time), .leat_i_kind = LEAT_I_CASE_DEADLINE})

#define leat_select(...) LEAT_I_SELECT(__COUNTER__, false, __VA_ARGS__)
#define leat_select_ordered(...) LEAT_I_SELECT(__COUNTER__, true, __VA_ARGS__)
#define LEAT_I_SELECT(N, ordered, ...) \
  __extension__({ \
    leat_case LEAT_I_CAT(leat_i_k, N)[] = {__VA_ARGS__}; \
    leat_i_select(LEAT_I_CAT(leat_i_k, N), sizeof LEAT_I_CAT(leat_i_k, N) / sizeof *LEAT_I_CAT(leat_i_k, N), ordered); \
  })

LEAT_I_BEGIN
/* The run-time form: any number of cases in an array, which the caller may use again. A zeroed case is never ready. */
int leat_select_array(leat_case *cases, size_t n);
int leat_select_array_ordered(leat_case *cases, size_t n);
int leat_selected(void); /* LEAT_OK or LEAT_CLOSED: how the case chosen by the caller's last select ended */
int leat_i_select(leat_case *cases, size_t n, bool ordered);
LEAT_I_END
