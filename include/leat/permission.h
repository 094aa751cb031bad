/* leat/permission.h - asking whether one may: for each id exactly one is permitted, and a duplicate is not even made (Cox-Buday's "Concurrency in Go", on
 * duplicated messages: the child asks its parent before it sends).
 *
 *   static leat_permission(int64_t) to_send = {.most = 1000};          the parent's, for messages with such ids; a zeroed one has granted nothing
 *
 *   leat_grant grant;                                                   the child
 *   if (leat_ask(&to_send, id, &grant)) return;                         LEAT_CLOSED: another has sent it
 *   leat_defer(leat_grant_return, &grant);                              not used after all: the next who asks gets it
 *   if (leat_send(out, message) == LEAT_OK) leat_grant_use(&grant);     it has been sent: nobody else will
 *
 * While one has the grant, and has neither used nor returned it, others who ask for the same id wait: he may yet fail. A parent who wants that nobody does
 * it asks himself, and uses the grant.
 *
 * Memory: an id that was used is remembered, until there are more than `most` and it is the oldest of those; after that it would be granted again. Ids
 * take up to 64 bytes and are compared byte by byte, strings (char *) as strings. A string that is an id must stay as it is while its grant is out. */
#pragma once
#include "duplicate.h"

/* Fields, to be set before it is used: size_t most: how many ids are remembered; 0: 1024. It must not be copied. Where it is passed on, name the type: typedef
 * leat_permission(int64_t) send_permission. Any goroutine or thread may use it. */
#define leat_permission(K) \
  struct { \
    size_t most; \
    __typeof__(K) *leat_i_id; /* never set: it tells macros the type */ \
    struct leat_i_permission leat_i_permission; \
  }
struct leat_i_permission {
  uint64_t leat_i_space[20];
};

/* The right to do it, once. It must stay where it is while it is out. */
typedef struct leat_grant {
  uint64_t leat_i_space[14] __attribute__((__aligned__(16)));
} leat_grant;

/* int leat_ask(permission, id, leat_grant *grant), leat_ask_until(permission, id, deadline, grant), leat_try_ask(permission, id, grant) [must be looked at]:
 * LEAT_OK: *grant is out, and nobody else has this id's. Otherwise there is no grant: LEAT_CLOSED: it has been used. LEAT_CANCELED or LEAT_DEADLINE when the
 * caller's scope has ended, or at the deadline, with another still having it; LEAT_FULL in this case for leat_try_ask, which does not wait. LEAT_NOMEM. */
#define leat_ask(permission, id, grant) LEAT_I_ASK(__COUNTER__, "leat_ask", leat_i_ask, permission, id, LEAT_NEVER, grant)
#define leat_ask_until(permission, id, deadline, grant) LEAT_I_ASK(__COUNTER__, "leat_ask_until", leat_i_ask, permission, id, deadline, grant)
#define leat_try_ask(permission, id, grant) LEAT_I_ASK(__COUNTER__, "leat_try_ask", leat_i_try_ask, permission, id, 0, grant)
/* A call, and not a statement in braces, so that the compiler says when its answer is not looked at. */
#define LEAT_I_ASK(N, op, fn, permission, id, deadline, grant) \
  fn(LEAT_I_PERMISSION(N, op, permission), (__typeof__(*(permission)->leat_i_id)[1]){LEAT_I_ID(N, op, *(permission)->leat_i_id, id)}, \
     LEAT_I_ID_TYPE(*(permission)->leat_i_id), (deadline), (grant))
#define LEAT_I_PERMISSION(N, op, permission) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (permission); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_p, N)->leat_i_permission), struct leat_i_permission), op ": the first argument is not a pointer to a leat_permission"); \
    _Static_assert(sizeof(*LEAT_I_CAT(leat_i_p, N)->leat_i_id) <= 64, op ": an id takes more than 64 bytes"); \
    (void *)LEAT_I_CAT(leat_i_p, N); \
  })
#define LEAT_I_ID(N, op, like, id) \
  __extension__({ \
    LEAT_I_BIND_ID(N, op, like, id) \
    LEAT_I_CAT(leat_i_k, N); \
  })

/* void leat_permission_free(permission): its memory; nobody may use it meanwhile, and no grant may be out. It then has granted nothing. */
#define leat_permission_free(permission) leat_i_permission_free(LEAT_I_PERMISSION(__COUNTER__, "leat_permission_free", permission))

LEAT_I_BEGIN
/* It has been done: all who ask for this id, now and later, get LEAT_CLOSED. Misuse if the grant is not out. */
void leat_grant_use(leat_grant *grant);
/* It has not been done: somebody who waits gets it. Nothing for one that was used or returned, and none for a leat_ask that failed, so leat_defer(leat_grant_return,
 * &grant) is right whatever follows. Neither blocks. */
void leat_grant_return(leat_grant *grant);

int leat_i_ask(void *permission, const void *id, struct leat_i_id_type type, int64_t deadline, leat_grant *grant) __attribute__((__warn_unused_result__));
int leat_i_try_ask(void *permission, const void *id, struct leat_i_id_type type, int64_t unused, leat_grant *grant) __attribute__((__warn_unused_result__));
void leat_i_permission_free(void *permission);
LEAT_I_END
