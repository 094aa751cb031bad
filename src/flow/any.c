/* See leat/any.h. A type is a string; the same one is mostly at the same address, and is then not compared. */
#include <leat/any.h>
#include <string.h>

LEAT_ERROR_KIND_DEFINE(leat_any_mismatch);

bool leat_i_any_same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

const char *leat_any_type(const leat_any *a) { return a->leat_i_type ? a->leat_i_type : "nothing"; }

leat_error *leat_i_any_error(const leat_any *a, const char *wanted, const char *birthplace) {
  return leat_i_error_make(birthplace, (leat_error_spec){.status = LEAT_INVALID, .kind = &leat_any_mismatch}, "the value is of type %s, not %s", leat_any_type(a), wanted);
}
