/* leat/pool.h - objects that are used again: a cache of reusable ones (after Go's sync.Pool), and a fixed number of expensive ones (the
 * object pool of the books), typed.
 *
 *   static leat_pool(struct buffer) buffers;                            all zero: a cache; objects come zeroed from calloc, and go to free
 *   static leat_pool(struct link) links = {.make = dial, .drop = hang_up, .limit = 20};       twenty at most, made when they are needed
 *
 *   struct buffer *b;
 *   int status = leat_pool_get(&buffers, &b);
 *   if (status) return status;                          b is NULL
 *   ...
 *   leat_pool_put(&buffers, b);                         as it is: nothing resets it
 *
 * Without a limit a get never blocks: it answers an object that lies in the pool, else it makes one. With a limit it blocks while all are
 * out, first come, first served.
 *
 * How the cache is kept small: each worker has a part of its own, plain threads share one; what one does not have is taken from the others.
 * Once a second, if the pool is used at all, each part drops what it has not needed since the last time: the least number of objects that
 * lay in it. So what is not used for one to two seconds goes, and what is in use stays, however often it goes in and out. A pool that nobody
 * puts anything into any more keeps what it has until leat_pool_clear or leat_pool_free. Objects up to the limit are kept until then.
 *
 * A pool is of a type without a name: where it is passed on, name it (typedef leat_pool(struct buffer) buffer_pool). It must not be copied.
 * A static pool needs no free. Any goroutine or thread may call any of these. */
#pragma once
#include "typed.h"

/* Fields of a pool, to be set before it is used:
 *   int (*make)(T **object, void *environment)    makes one; any status but LEAT_OK is the answer of the get. It may block
 *   void (*drop)(T *object, void *environment)    unmakes one, on whatever goroutine or thread drops it. Each may use the pool
 *   void *environment                             passed to both
 *   size_t limit                                  how many there may be; 0: the pool is a cache
 * Set both of make and drop, or neither. */
#define leat_pool(T) \
  struct { \
    int (*make)(__typeof__(T) **object, void *environment); \
    void (*drop)(__typeof__(T) *object, void *environment); \
    void *environment; \
    size_t limit; \
    __typeof__(T) *leat_i_elem; /* never set: it tells macros the type */ \
    struct leat_i_pool leat_i_pool; \
  }
struct leat_i_pool {
  uint64_t leat_i_space[15];
};

/* int leat_pool_get(pool, T **object) [must be looked at]: LEAT_OK, the status of make, LEAT_NOMEM. With a limit also LEAT_CANCELED and
 * LEAT_DEADLINE when the caller's scope has ended. On any status but LEAT_OK *object is NULL.
 * leat_pool_get_until(pool, object, deadline): LEAT_DEADLINE if none came back until then.
 * leat_pool_try_get(pool, object): LEAT_EMPTY instead of blocking until one comes back. */
#define leat_pool_get(pool, object) LEAT_I_POOL_GET(__COUNTER__, "leat_pool_get", leat_i_pool_get, pool, object, LEAT_NEVER)
#define leat_pool_get_until(pool, object, deadline) LEAT_I_POOL_GET(__COUNTER__, "leat_pool_get_until", leat_i_pool_get, pool, object, deadline)
#define leat_pool_try_get(pool, object) LEAT_I_POOL_GET(__COUNTER__, "leat_pool_try_get", leat_i_pool_try_get, pool, object, 0)

/* void leat_pool_put(pool, T *object): gives it back; it goes to who has waited longest. Never blocks. NULL is nothing. With a limit, putting
 * more than is out is misuse; putting one twice is, and is found in debug builds (-Ddebug_checks=true).
 * void leat_pool_discard(pool, T *object): instead of putting back what is broken: it is dropped, and another may be made in its place. */
#define leat_pool_put(pool, object) LEAT_I_POOL_BACK(__COUNTER__, "leat_pool_put", leat_i_pool_put, pool, object)
#define leat_pool_discard(pool, object) LEAT_I_POOL_BACK(__COUNTER__, "leat_pool_discard", leat_i_pool_discard, pool, object)

/* void leat_pool_clear(pool): drops all objects that lie in it now; it can be used meanwhile.
 * void leat_pool_free(pool): the same, and its memory; nobody may use it meanwhile. After that it is a pool again. With a limit, all must be
 * back.
 * size_t leat_pool_len(pool): how many lie in it now. */
#define leat_pool_clear(pool) leat_i_pool_clear(LEAT_I_POOL(__COUNTER__, "leat_pool_clear", pool))
#define leat_pool_free(pool) leat_i_pool_free(LEAT_I_POOL(__COUNTER__, "leat_pool_free", pool))
#define leat_pool_len(pool) leat_i_pool_len(LEAT_I_POOL(__COUNTER__, "leat_pool_len", pool))

struct leat_i_pool_type { /* T, for pools without make */
  size_t size, alignment;
};

#define LEAT_I_IS_POOL(p, op) \
  _Static_assert(LEAT_I_SAME(__typeof__((p)->leat_i_pool), struct leat_i_pool), op ": the first argument is not a pointer to a leat_pool")
#define LEAT_I_POOL(N, op, pool) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (pool); \
    LEAT_I_IS_POOL(LEAT_I_CAT(leat_i_p, N), op); \
    (void *)LEAT_I_CAT(leat_i_p, N); \
  })
/* A call, and not a statement in braces, so that the compiler says when its answer is not looked at. */
#define LEAT_I_POOL_GET(N, op, fn, pool, target, deadline) \
  fn(LEAT_I_POOL(N, op, pool), LEAT_I_POOL_TARGET(N, op, pool, target), \
     &(const struct leat_i_pool_type){sizeof *(pool)->leat_i_elem, __alignof__(*(pool)->leat_i_elem)}, deadline)
#define LEAT_I_POOL_TARGET(N, op, pool, target) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_t, N) = (target); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_t, N)), __typeof__((pool)->leat_i_elem) *), \
                   op ": the target is not a pointer to a pointer to the pool's element type"); \
    (void **)LEAT_I_CAT(leat_i_t, N); \
  })
#define LEAT_I_POOL_BACK(N, op, fn, pool, object) \
  __extension__({ \
    __auto_type LEAT_I_CAT(leat_i_p, N) = (pool); \
    LEAT_I_IS_POOL(LEAT_I_CAT(leat_i_p, N), op); \
    __auto_type LEAT_I_CAT(leat_i_x, N) = (object); \
    _Static_assert(LEAT_I_SAME(__typeof__(LEAT_I_CAT(leat_i_x, N)), __typeof__(LEAT_I_CAT(leat_i_p, N)->leat_i_elem)), \
                   op ": the object is not a pointer to the pool's element type"); \
    fn(LEAT_I_CAT(leat_i_p, N), LEAT_I_CAT(leat_i_x, N)); \
  })

LEAT_I_BEGIN
int leat_i_pool_get(void *pool, void **object, const struct leat_i_pool_type *type, int64_t deadline) __attribute__((__warn_unused_result__));
int leat_i_pool_try_get(void *pool, void **object, const struct leat_i_pool_type *type, int64_t unused) __attribute__((__warn_unused_result__));
void leat_i_pool_put(void *pool, void *object);
void leat_i_pool_discard(void *pool, void *object);
void leat_i_pool_clear(void *pool);
void leat_i_pool_free(void *pool);
size_t leat_i_pool_len(void *pool);
LEAT_I_END
