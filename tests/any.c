/* Values of any type, and the Book's generic pipeline. */
#include "wait.h"

typedef struct { double x, y, z; } vector;
typedef struct { int id; } user;
typedef const char *text;
LEAT_RESULT_DEFINE(int);
LEAT_RESULT_DEFINE(text);
LEAT_RESULT_DEFINE(vector);
LEAT_ANY_ASSERT(to_int, int)
LEAT_ANY_ASSERT(to_text, text)
LEAT_ANY_ASSERT(to_vector, vector)

TEST(a_value_and_its_type) {
  leat_any a = leat_any_of(int, 5), v = leat_any_of(vector, (vector){1, 2, 3}), none = {0};
  CHECK_EQ(*leat_any_get(int, &a), 5);
  CHECK(!leat_any_get(long, &a));
  CHECK(!leat_any_get(unsigned, &a));
  CHECK(leat_any_is(int32_t, &a)); /* a name of int */
  CHECK(leat_any_get(vector, &v)->z == 3);
  CHECK(!leat_any_get(user, &v));
  CHECK_STR(leat_any_type(&a), "int");
  CHECK_STR(leat_any_type(&v), "vector");
  CHECK_STR(leat_any_type(&none), "nothing");
  CHECK(!leat_any_get(int, &none));
  leat_any s = leat_any_of(const char *, "hello"), d = leat_any_of(double, 1);
  CHECK_STR(*leat_any_get(const char *, &s), "hello");
  CHECK(leat_any_is(text, &s));
  CHECK(*leat_any_get(double, &d) == 1.0);
}

/* Iam.Iam.I... */
TEST_GO(the_generic_pipeline_of_the_book) {
  leat_scope(s);
  char message[100] = "message: ";
  leat_range(leat_result(text), r, leat_map(s, leat_take(s, leat_repeat(s, leat_any, leat_any_of(const char *, "I"), leat_any_of(const char *, "am.")), 5), to_text)) {
    CHECK(!r.error);
    strcat(message, r.value);
  }
  CHECK_STR(strcat(message, "..."), "message: Iam.Iam.I...");
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
TEST_GO(a_failed_assertion_is_an_error_that_names_both_types) {
  leat_scope(s);
  int *values;
  size_t n;
  leat_error *e;
  CHECK_EQ(leat_collect_results(leat_map(s, leat_values(s, leat_any, leat_any_of(int, 1), leat_any_of(vector, (vector){0}), leat_any_of(int, 2)), to_int), &values, &n, 0, &e), LEAT_INVALID);
  CHECK_EQ(n, 2);
  CHECK_EQ(values[1], 2);
  CHECK(strstr(leat_error_message(e), "vector") && strstr(leat_error_message(e), "int"));
  CHECK(leat_error_is(e, &leat_any_mismatch));
  free(values);
  leat_error_release(e);
  CHECK_EQ(leat_wait(s), LEAT_OK);
}
