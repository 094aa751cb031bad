/* A reader of JSON that says where a value ends, or NULL if it is none. */
#pragma once
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static inline const char *json_value(const char *s);
static inline const char *json_string(const char *s) {
  if (*s++ != '"') return NULL;
  for (; *s != '"'; s++) {
    unsigned char c = (unsigned char)*s;
    if (c < 32) return NULL;
    if (c == '\\') {
      s++;
      if (*s == 'u') {
        for (int i = 1; i <= 4; i++)
          if (!isxdigit((unsigned char)s[i])) return NULL;
        s += 4;
      } else if (!strchr("\"\\/bfnrt", *s)) return NULL;
    } else if (c >= 0x80) {
      int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : -1;
      if (more < 0) return NULL;
      for (; more; more--)
        if (((unsigned char)*++s & 0xc0) != 0x80) return NULL;
    }
  }
  return s + 1;
}
static inline const char *json_list(const char *s, char end, bool keys) {
  if (*++s == end) return s + 1;
  for (;; s++) {
    if (keys) {
      s = json_string(s);
      if (!s || *s++ != ':') return NULL;
    }
    s = json_value(s);
    if (!s || (*s != ',' && *s != end)) return NULL;
    if (*s == end) return s + 1;
  }
}
static inline const char *json_value(const char *s) {
  if (*s == '"') return json_string(s);
  if (*s == '{') return json_list(s, '}', true);
  if (*s == '[') return json_list(s, ']', false);
  if (strncmp(s, "true", 4) == 0) return s + 4;
  if (strncmp(s, "false", 5) == 0) return s + 5;
  size_t n = strspn(s, "-0123456789");
  return n ? s + n : NULL;
}
