/* The hash table, and collecting into it. */
#include "wait.h"

typedef leat_table(int, long) squares;
typedef leat_table(const char *, int) ages;
typedef struct { short x, y; } point;
typedef leat_table(point, char) points;
typedef leat_table(int, int) counts;

LEAT_MAP(last_digit, int, int, n) { return n % 10; }
LEAT_FOLD(add_one, int, acc, int, n) { return (void)n, acc + 1; }
LEAT_MAP(first_word, const char *, const char *, text) { return text; }
LEAT_FOLD(longest, size_t, acc, const char *, text) { return strlen(text) > acc ? strlen(text) : acc; }

TEST(what_was_put_in_is_found) {
  squares t = {0};
  CHECK(!leat_table_get(&t, 1));
  CHECK(!leat_table_remove(&t, 1));
  for (int i = 0; i < 10000; i++) *leat_table_at(&t, i * 7) = (long)i * i;
  CHECK_EQ(leat_table_len(&t), 10000);
  for (int i = 0; i < 10000; i++) {
    CHECK_EQ(*leat_table_get(&t, i * 7), (long)i * i);
    CHECK(!leat_table_get(&t, i * 7 + 1));
  }
  CHECK_EQ(*leat_table_at(&t, 14), 4);
  for (int i = 0; i < 10000; i += 2) CHECK(leat_table_remove(&t, i * 7));
  CHECK_EQ(leat_table_len(&t), 5000);
  for (int i = 0; i < 10000; i++) CHECK_EQ(leat_table_get(&t, i * 7) != NULL, i % 2);
  for (int i = 0; i < 10000; i += 2) CHECK_EQ(*leat_table_at(&t, i * 7), 0);
  int *key, n = 0;
  long *value;
  for (size_t i = 0; leat_table_next(&t, &i, &key, &value); n++) CHECK_EQ(*key, n < 5000 ? (2 * n + 1) * 7 : (2 * n - 10000) * 7); /* in order of addition */
  CHECK_EQ(n, 10000);
  leat_table_free(&t);
  CHECK_EQ(leat_table_len(&t), 0);
  *leat_table_at(&t, 3) = 9;
  CHECK_EQ(*leat_table_get(&t, 3), 9);
  leat_table_free(&t);
}
TEST(added_and_removed_over_and_over_it_stays_small) {
  squares t = {0};
  for (int i = 0; i < 100000; i++) {
    *leat_table_at(&t, i) = i;
    if (i >= 10) CHECK(leat_table_remove(&t, i - 10));
  }
  CHECK_EQ(leat_table_len(&t), 10);
  CHECK(t.leat_i_table.room <= 64);
  leat_table_free(&t);
}
TEST(strings_are_compared_and_copied) {
  ages t = {0};
  char name[20];
  for (int i = 0; i < 100; i++) {
    snprintf(name, sizeof name, "name %d", i);
    *leat_table_at(&t, name) = i;
  }
  snprintf(name, sizeof name, "name 42");
  CHECK_EQ(*leat_table_get(&t, name), 42);
  CHECK(leat_table_remove(&t, "name 42"));
  CHECK(!leat_table_get(&t, "name 42"));
  CHECK(!leat_table_get(&t, NULL));
  *leat_table_at(&t, NULL) = 7;
  CHECK_EQ(*leat_table_get(&t, NULL), 7);
  leat_table_free(&t);
}
TEST(structs_as_keys) {
  points t = {0};
  *leat_table_at(&t, ((point){1, 2})) = 'a';
  *leat_table_at(&t, ((point){2, 1})) = 'b';
  CHECK_EQ(*leat_table_get(&t, ((point){1, 2})), 'a');
  CHECK_EQ(leat_table_len(&t), 2);
  leat_table_free(&t);
}
TEST_GO(streams_into_tables) {
  leat_scope(s);
  counts c = {0}, last = {0};
  CHECK_EQ(leat_fold_table(leat_numbers(s, int, 0, 1005), &c, last_digit, add_one), LEAT_OK);
  CHECK_EQ(leat_table_len(&c), 10);
  for (int d = 0; d < 10; d++) CHECK_EQ(*leat_table_get(&c, d), d < 5 ? 101 : 100);
  CHECK_EQ(leat_collect_table(leat_numbers(s, int, 0, 1005), &last, last_digit), LEAT_OK);
  for (int d = 0; d < 10; d++) CHECK_EQ(*leat_table_get(&last, d), d < 5 ? 1000 + d : 990 + d);
  leat_table(const char *, size_t) words = {0};
  CHECK_EQ(leat_fold_table(leat_values(s, const char *, "a", "bb", "a"), &words, first_word, longest), LEAT_OK);
  CHECK_EQ(leat_table_len(&words), 2);
  CHECK_EQ(*leat_table_get(&words, "bb"), 2);
  leat_table_free(&c);
  leat_table_free(&last);
  leat_table_free(&words);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
static atomic_int dropped;
static void drop_number(int *n) { dropped += *n >= 0; }
TEST_GO(what_is_replaced_in_a_table_is_dropped) {
  leat_scope(s);
  counts last = {0};
  leat_rx(int) in = leat_numbers(s, int, 0, 30);
  leat_on_drop(in, drop_number);
  CHECK_EQ(leat_collect_table(in, &last, last_digit), LEAT_OK);
  CHECK_EQ(dropped, 20);
  leat_table_free(&last);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
