/* A loop around a condition (Notes, "Cond"; the Book, "The sync Package"): a queue with room for two. Who is woken looks again whether there is
 * room; others may have been quicker. */
#include "tour.h"

static leat_mutex lock;
static leat_cond room;
static int length;

LEAT_FN(remove_from_queue, int64_t, delay) {
  leat_sleep(delay);
  leat_locked(&lock) {
    length--;
    printf("Removed from queue\n");
  }
  leat_cond_signal(&room);
}

int cond_loop(void) {
  leat_scope(s);
  for (int i = 0; i < 10; i++) {
    int status = LEAT_OK;
    leat_mutex_lock(&lock);
    while (length == 2 && !(status = leat_cond_wait(&room, &lock))) {}
    if (!status) {
      printf("Adding to the queue\n");
      length++;
      leat_go(s, remove_from_queue, second);
    }
    leat_mutex_unlock(&lock);
    if (status) return status;
  }
  return leat_wait(s);
}
