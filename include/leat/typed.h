/* leat/typed.h - how channels carry their element type in plain C.
 *
 * A handle is a pointer to a function type that is never called: leat_chan(T) is `T (*)(struct leat_i_both *)`. Such a type needs no
 * declaration per T, is the same type in every file, works as parameter, field and return type, and gives T back through the type of
 * the call. Three parameter tags make channel, sending view and receiving view three incompatible types.
 *
 * Rules that every macro of leat keeps:
 *  - each argument is evaluated once and expanded once. It is bound to a local at once, else nesting depth d costs 2^d;
 *  - locals are named leat_i_<word><number>, the number fresh for each use (__COUNTER__), so no argument can be captured;
 *  - where types must match there is a static assertion, which -w does not silence and which names the operation.
 *
 * Everything named leat_i_ or LEAT_I_ is private to leat. */
#pragma once
#include "status.h"

struct leat_i_chan; /* the channel behind every handle */
struct leat_scope;
struct leat_i_both;
struct leat_i_tx_only;
struct leat_i_rx_only;

/* A channel of T, its sending view and its receiving view. T: anything that can be assigned; not an array, void, const or _Atomic
 * type (wrap an array in a struct). A null handle is the nil channel, on which sends and receives block for ever. */
#define leat_chan(T) __typeof__(__typeof__(T)(*)(struct leat_i_both *))
#define leat_tx(T) __typeof__(__typeof__(T)(*)(struct leat_i_tx_only *))
#define leat_rx(T) __typeof__(__typeof__(T)(*)(struct leat_i_rx_only *))

#define LEAT_I_CAT_(a, b) a##b
#define LEAT_I_CAT(a, b) LEAT_I_CAT_(a, b)
#define LEAT_I_STR_(x) #x
#define LEAT_I_STR(x) LEAT_I_STR_(x)
#define LEAT_I_HERE __FILE__ ":" LEAT_I_STR(__LINE__)

#define LEAT_I_SAME(A, B) __builtin_types_compatible_p(A, B)
#define LEAT_I_ELEM(c) __typeof__((c)((void *)0))
#define LEAT_I_RAW(c) ((struct leat_i_chan *)(c))

#define LEAT_I_IS_BOTH(c) LEAT_I_SAME(__typeof__(c), leat_chan(LEAT_I_ELEM(c)))
#define LEAT_I_IS_TX(c) LEAT_I_SAME(__typeof__(c), leat_tx(LEAT_I_ELEM(c)))
#define LEAT_I_IS_RX(c) LEAT_I_SAME(__typeof__(c), leat_rx(LEAT_I_ELEM(c)))
#define LEAT_I_CAN_SEND(c, op) \
  _Static_assert(LEAT_I_IS_BOTH(c) || LEAT_I_IS_TX(c), op ": needs a channel or a sending view; this is a receive-only view (leat_rx) or no channel")
#define LEAT_I_CAN_RECV(c, op) \
  _Static_assert(LEAT_I_IS_BOTH(c) || LEAT_I_IS_RX(c), op ": needs a channel or a receiving view; this is a send-only view (leat_tx) or no channel")
#define LEAT_I_IS_HANDLE(c, op) _Static_assert(LEAT_I_IS_BOTH(c) || LEAT_I_IS_TX(c) || LEAT_I_IS_RX(c), op ": this is no channel")
#define LEAT_I_POINTS_TO_ELEM(p, c, op) \
  _Static_assert(LEAT_I_SAME(__typeof__(p), LEAT_I_ELEM(c) *), op ": the pointer is not to the channel's element type")

/* Is `x = value` allowed where x has type To, as the language's own assignment without a diagnostic? Classes as gcc and clang number
 * them: 5 pointer, 12 struct, 13 union. For pointers the type of a conditional expression decides: it equals To only if nothing but a
 * qualifier is added. */
#define LEAT_I_CLASS(x) __builtin_classify_type(x)
#define LEAT_I_AS_POINTER(x) __builtin_choose_expr(LEAT_I_CLASS(x) == 5, (x), (void *)0)
#define LEAT_I_POINTER_FITS(To, v) \
  (LEAT_I_SAME(__typeof__(v), void *) || LEAT_I_SAME(__typeof__(1 ? LEAT_I_AS_POINTER(*(To *)0) : LEAT_I_AS_POINTER(v)), To))
#define LEAT_I_FITS(To, v) \
  (LEAT_I_CLASS(*(To *)0) == 5     ? LEAT_I_CLASS(v) == 5 && LEAT_I_POINTER_FITS(To, v) \
   : LEAT_I_CLASS(*(To *)0) >= 12 ? LEAT_I_SAME(__typeof__(v), To) \
                                   : LEAT_I_CLASS(v) < 12 && LEAT_I_CLASS(v) != 5)

/* Rejects, with advice, what cannot be an element. */
#define LEAT_I_ELEMENT(T, op) \
  _Static_assert(!LEAT_I_SAME(T, void), op ": void has no values; for a pure signal use char"); \
  _Static_assert(!LEAT_I_SAME(__typeof__(T) *, const __typeof__(T) *), op ": the element type is const or an array; a copy needs no const, and an array goes into a struct"); \
  _Static_assert(!LEAT_I_SAME(__typeof__(T) *, _Atomic(__typeof__(T)) *), op ": the element type is _Atomic; values in a channel are copies, use the plain type")
