/* Misuses of leat_pool. Each line `//BAD text | statement` must not compile, and the compiler must say `text`; see
 * tests/suites/compile_fail. The rest of the file is right and compiles without a warning. */
#include <leat/leat.h>

struct buffer {
  char bytes[100];
};
struct link;
typedef leat_pool(struct buffer) buffer_pool;
int dial(struct link **link, void *environment);
void hang_up(struct link *link, void *environment);
int make_buffer(struct buffer **buffer, void *environment);

struct server {
  buffer_pool buffers;
  leat_pool(char[4096]) pages;
};

int uses(struct server *server, buffer_pool *pool, struct buffer *buffer, int *pi, char **text, void *any);
int uses(struct server *server, buffer_pool *pool, struct buffer *buffer, int *pi, char **text, void *any) {
  static leat_pool(int *) pointers = {.limit = 3};
  int **pointer;
  char(*page)[4096];
  if (leat_pool_get(pool, &buffer)) return 1;
  if (leat_pool_get_until(&server->buffers, &buffer, LEAT_NEVER)) return 1;
  if (leat_pool_try_get(&pointers, &pointer) || leat_pool_get(&server->pages, &page)) return 1;
  leat_pool_put(pool, buffer);
  leat_pool_discard(&pointers, pointer);
  leat_pool_put(&server->pages, page);
  leat_pool_clear(pool);
  leat_pool_free(&server->pages);
  (void)leat_pool_len(pool);
  //BAD leat_pool_get: the target is not | return leat_pool_get(pool, &pi);
  //BAD leat_pool_get: the target is not | return leat_pool_get(pool, buffer);
  //BAD leat_pool_get_until: the target is not | return leat_pool_get_until(&pointers, text, LEAT_NEVER);
  //BAD leat_pool_try_get: the target is not | return leat_pool_try_get(pool, &any);
  //BAD leat_pool | return leat_pool_get(buffer, &buffer);
  //BAD leat_pool | return leat_pool_get(*pool, &buffer);
  //BAD leat_pool_put: the object is not | leat_pool_put(pool, pi);
  //BAD leat_pool_put: the object is not | leat_pool_put(pool, any);
  //BAD leat_pool_put: the object is not | leat_pool_put(pool, &buffer);
  //BAD leat_pool_put: the object is not | leat_pool_put(&pointers, pi);
  //BAD leat_pool_put: the object is not | leat_pool_put(pool, (const struct buffer *)buffer);
  //BAD leat_pool_discard: the object is not | leat_pool_discard(&server->pages, text);
  //BAD leat_pool | leat_pool_clear(pi);
  //BAD leat_pool | leat_pool_free(buffer);
  //WARN warn_unused_result | leat_pool_get(pool, &buffer);
  //WARN warn_unused_result | leat_pool_try_get(pool, &buffer);
  (void)pi, (void)text, (void)any;
  return 0;
}
static leat_pool(struct link) links = {.make = dial, .drop = hang_up, .limit = 20};
//WARN incompatible | static leat_pool(struct link) wrong = {.make = make_buffer};
size_t idle_links(void);
size_t idle_links(void) { return leat_pool_len(&links); }
