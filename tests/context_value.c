/* Values of contexts: keys, the way upwards, copies, owned ones.
 *
 * Of Go's context/{context,x}_test.go:
 *   TestValues                                      values_are_found_upwards
 *   TestLayersCancel, TestLayersTimeout             layers
 *   TestWithValueChecksKey                          does not compile: compile_fail/context.c; keys are not values here */
#include "context.h"

LEAT_CONTEXT_KEY(user_name, const char *);
typedef struct { double x, y; char text[40]; } record;
LEAT_CONTEXT_KEY(user_record, record);

static void expect_ids(leat_view view, int user, int other, const char *name) {
  int id = 99;
  CHECK_EQ(user_id_of(view, &id), user != 0);
  CHECK_EQ(id, user);
  CHECK_EQ(other_id_of(view, &id), other != 0);
  CHECK_EQ(id, other);
  const char *text = "untouched";
  CHECK_EQ(user_name_of(view, &text), name != NULL);
  if (name) CHECK_STR(text, name);
  else CHECK(text == NULL);
}
TEST_GO(values_are_found_upwards) {
  leat_scope(s);
  expect_ids(s, 0, 0, NULL);
  leat_view c1 = with_user_id(s, 1);
  expect_ids(c1, 1, 0, NULL);
  leat_view c2 = with_other_id(c1, 1); /* the same type and value, another key */
  expect_ids(c2, 1, 1, NULL);
  leat_view c3 = with_user_name(c2, "jane");
  expect_ids(c3, 1, 1, "jane");
  leat_view c4 = with_user_id(c3, 4); /* hides the one above */
  expect_ids(c4, 4, 1, "jane");
  expect_ids(c3, 1, 1, "jane");
  struct leat_scope *c5 = leat_without_cancel(leat_with_timeout(c4, LEAT_SECONDS(1000)));
  expect_ids(c5, 4, 1, "jane");
  leat_view c6 = with_user_name(c5, NULL); /* a value that is NULL is there, too */
  const char *text = "untouched";
  CHECK(user_name_of(c6, &text));
  CHECK(text == NULL);
  expect_ids(s, 0, 0, NULL);
}
TEST_GO(values_are_copies_of_any_type) {
  leat_scope(s);
  record r = {1.5, 2.5, "a text"}, got;
  leat_view ctx = with_user_record(s, r);
  r.x = 0;
  memset(r.text, 'x', 5);
  CHECK(user_record_of(ctx, &got));
  CHECK(got.x == 1.5 && got.y == 2.5);
  CHECK_STR(got.text, "a text");
  CHECK(!user_record_of(s, &got));
  CHECK(got.x == 0 && got.text[0] == 0);
}
LEAT_FN(ask_who, int, expected) {
  int id;
  CHECK(user_id_of(leat_current_scope(), &id));
  CHECK_EQ(id, expected);
  leat_scope(own);
  leat_shield(shielded);
  CHECK(user_id_of(NULL, &id)); /* the same: NULL is the innermost scope */
  CHECK_EQ(id, expected);
  ran++;
}
TEST_GO(a_goroutine_sees_the_values_it_runs_under) {
  leat_scope(s);
  CHECK_EQ(leat_set_value(s, user_id, 1), LEAT_OK);
  leat_go(s, ask_who, 1);
  leat_go(with_user_id(s, 2), ask_who, 2);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 2);
}
TEST_GO(values_on_a_scope_that_is_there_already) {
  leat_scope(s);
  struct leat_scope *ctx = leat_with_cancel(s);
  CHECK_EQ(leat_set_value(s, user_id, 1), LEAT_OK);
  CHECK_EQ(leat_set_value(s, user_name, "jane"), LEAT_OK);
  expect_ids(ctx, 1, 0, "jane");
  CHECK_EQ(leat_set_value(s, user_id, 3), LEAT_OK);
  CHECK_EQ(leat_set_value(ctx, other_id, 7), LEAT_OK);
  expect_ids(ctx, 3, 7, "jane");
  expect_ids(s, 3, 0, "jane");
}
LEAT_FN(read_values, leat_view, view) {
  int last = 0, id;
  while (!finished) {
    if (user_id_of(view, &id)) {
      CHECK(id >= last);
      last = id;
    }
    CHECK_EQ(leat_yield(), LEAT_OK);
  }
  ran++;
}
TEST_GO(values_are_read_while_they_are_set) {
  leat_scope(s);
  for (int i = 0; i < 4; i++) leat_go(s, read_values, s);
  for (int i = 1; i <= 500; i++) {
    CHECK_EQ(leat_set_value(s, user_id, i), LEAT_OK);
    if (i % 50 == 0) pause_a_moment();
  }
  finished = 1;
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(ran, 4);
}
static int dropped;
static void drop_text(char **text) {
  free(*text);
  dropped++;
}
LEAT_CONTEXT_KEY_OWNED(owned_text, char *, drop_text);
TEST_GO(owned_values_are_dropped_with_their_scope) {
  {
    leat_scope(s);
    struct leat_scope *ctx = leat_with_cancel(s);
    leat_view v = with_owned_text(ctx, strdup("one"));
    CHECK_EQ(leat_set_value(s, owned_text, strdup("two")), LEAT_OK);
    CHECK_EQ(leat_set_value(s, owned_text, strdup("three")), LEAT_OK);
    char *text;
    CHECK(owned_text_of(v, &text));
    CHECK_STR(text, "one");
    CHECK(owned_text_of(s, &text));
    CHECK_STR(text, "three");
    leat_context_release(ctx);
    CHECK_EQ(dropped, 1);
  }
  CHECK_EQ(dropped, 3);
}

TEST_GO(layers) {
  for (uint32_t seed = 1; seed <= 40; seed++) {
    leat_scope(s);
    uint32_t random = seed * 2654435761u;
    bool by_timeout = seed % 2;
    struct leat_scope *ends[64];
    leat_view ctx = s;
    int n_ends = 0, timers = 0, newest = 0;
    for (int i = 0; i < 30 || !n_ends || !timers || !newest; i++) {
      random = random * 1664525u + 1013904223u;
      switch (random >> 30) {
      case 0: ctx = with_user_id(ctx, newest = i + 1); break;
      case 1: ctx = ends[n_ends++ % 64] = leat_with_cancel(ctx); break;
      default:
        ctx = ends[n_ends++ % 64] = leat_with_timeout(ctx, by_timeout ? LEAT_MS(2) : LEAT_SECONDS(1000));
        timers++;
      }
      if (i > 60) break;
    }
    if (!newest) ctx = with_user_id(ctx, newest = 1000);
    expect_ids(ctx, newest, 0, NULL);
    char c;
    if (by_timeout) {
      CHECK_EQ(leat_recv(leat_done(ctx), &c), LEAT_CLOSED);
      CHECK_EQ(leat_scope_status(ctx), LEAT_DEADLINE);
    } else {
      CHECK(!is_done(ctx));
      leat_cancel(ends[(random >> 8) % (uint32_t)(n_ends < 64 ? n_ends : 64)]);
      expect_over(ctx, LEAT_CANCELED, "canceled");
    }
    expect_ids(ctx, newest, 0, NULL);
  }
}
