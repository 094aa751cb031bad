/* leat/result.h - a value or an error, as one item for channels and return values: who produces need not know what a failure means for the
 * whole, and hands it on to who does (after the section "Error Handling" of Cox-Buday's "Concurrency in Go").
 *
 *   LEAT_RESULT_DEFINE(page);                          once, at file level, in a header that all share
 *   leat_result(page) get(const char *url);            answers leat_ok(page, value) or leat_err(page, error)
 *   leat_range(leat_result(page), r, pages) {
 *     if (!r.error) show(r.value);
 *     leat_error_release(r.error);
 *   }
 *
 * leat_result(T) is a struct tagged by T, so T is one word (a typedef for others), and it is the same type in every file. Fields: T value;
 * leat_error *error, NULL if there is a value. Whoever receives it owns the error. leat_result_drop(T) is the drop function that releases the
 * error of a result that nobody received. Channels that are made with the name leat_result(T), and outputs of stages whose function is declared
 * with it, have it from the start. Where a typedef stands instead, and where values own something too, leat_on_drop sets the right one.
 *
 * Nothing here blocks; any thread may use it. */
#pragma once
#include "error.h"

#define LEAT_RESULT_DEFINE(T) \
  struct leat_result_##T { \
    leat_error *error; /* first: leat_i_drop_result */ \
    T value; \
  }; \
  static inline __attribute__((__unused__)) void leat_result_drop_##T(struct leat_result_##T *leat_i_r) { leat_error_release(leat_i_r->error); } \
  struct leat_result_##T
#define leat_result(T) struct leat_result_##T
#define leat_result_drop(T) leat_result_drop_##T
#define leat_ok(T, ...) ((struct leat_result_##T){.value = (__VA_ARGS__), .error = NULL})
#define leat_err(T, e) ((struct leat_result_##T){.error = (e)})
