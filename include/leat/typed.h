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
 * An assignment between handles of different types, or passing one in a plain call, is judged by C alone: gcc before 14 and clang before
 * 16 only warn. -Werror=incompatible-pointer-types makes it an error there too.
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

/* The value of an argument, as __auto_type can take it: the comma makes a value of a bit-field. */
#define LEAT_I_VALUE(x) ((void)0, (x))

/* Is `x = value` allowed where x has type To, as the language's own assignment without a diagnostic? Classes as gcc and clang number
 * them: 5 pointer, 12 struct, 13 union. For pointers the type of a conditional expression decides: it equals To only if nothing but a
 * qualifier is added. A void * fits every pointer, a const void * every pointer to const: such a pointer together with a void * makes
 * a const void *. */
#define LEAT_I_CLASS(x) __builtin_classify_type(x)
#define LEAT_I_AS_POINTER(x) __builtin_choose_expr(LEAT_I_CLASS(x) == 5, (x), (void *)0)
#define LEAT_I_POINTER_FITS(To, v) \
  (LEAT_I_SAME(__typeof__(v), void *) || \
   LEAT_I_SAME(__typeof__(1 ? LEAT_I_AS_POINTER(*(To *)0) : \
                              __builtin_choose_expr(LEAT_I_SAME(__typeof__(v), void *), (void *)0, LEAT_I_AS_POINTER(v))), To) || \
   (LEAT_I_SAME(__typeof__(v), const void *) && \
    LEAT_I_SAME(__typeof__(1 ? __builtin_choose_expr(LEAT_I_SAME(__typeof__(v), const void *), LEAT_I_AS_POINTER(*(To *)0), (void *)0) : *(void **)0), const void *)))
#define LEAT_I_FITS(To, v) \
  (LEAT_I_CLASS(*(To *)0) == 5     ? LEAT_I_CLASS(v) == 5 && LEAT_I_POINTER_FITS(To, v) \
   : LEAT_I_CLASS(*(To *)0) >= 12 ? LEAT_I_SAME(__typeof__(v), To) \
                                   : LEAT_I_CLASS(v) < 12 && LEAT_I_CLASS(v) != 5)

/* Rejects, with advice, what cannot be an element: what is no longer the same type when its value is taken. */
#define LEAT_I_ELEMENT(T, op) \
  _Static_assert(!LEAT_I_SAME(T, void), op ": void has no values; for a pure signal use char"); \
  _Static_assert(LEAT_I_SAME(__typeof__(T) *, __typeof__(LEAT_I_VALUE(*(__typeof__(T) *)0)) *), \
                 op ": the element type is an array, a function, const, volatile or _Atomic; put an array into a struct, take a pointer to a " \
                    "function, and use the plain type for the others: values in a channel are copies")

/* Binds an argument whose type does not depend on a channel's. */
#define LEAT_I_BOUND(N, local, op, T, argument) \
  __auto_type LEAT_I_CAT(local, N) = LEAT_I_VALUE(argument); \
  _Static_assert(LEAT_I_FITS(__typeof__(T), LEAT_I_CAT(local, N)), op ": an argument does not have the type " #T)

/* The drop function that a channel of T has from the start: that of results (leat/result.h), whose errors nobody else would release. A type cannot be
 * asked whether it has a member, but here its name is at hand. One that has got another name by a typedef is not recognised. */
#define LEAT_I_TEXT(...) #__VA_ARGS__
#define LEAT_I_DROP_OF(...) (__builtin_strncmp(LEAT_I_TEXT(__VA_ARGS__), "struct leat_result_", 19) == 0 ? leat_i_drop_result : NULL)
LEAT_I_BEGIN
void leat_i_drop_result(void *result);
LEAT_I_END

/* Binds the scope that a macro was given to leat_i_s<N>. */
#define LEAT_I_BIND_SCOPE(N, s, op) \
  __auto_type LEAT_I_CAT(leat_i_s, N) = (s); \
  _Static_assert(LEAT_I_FITS(const struct leat_scope *, LEAT_I_CAT(leat_i_s, N)), op ": the first argument is not a scope")
