/* Symbols of addresses: functions, lines, inlined frames, modules that were loaded late, addresses of nobody; on small stacks, by many
 * threads at a time. */
#define _GNU_SOURCE
#include "wait.h"

#include "inspect/symbol.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>

enum { MOST = 8 };
struct seen {
  int n;
  char text[MOST][256], function[MOST][64];
  int line[MOST];
};

static void keep(void *environment, const struct symbol *s) {
  struct seen *seen = environment;
  if (seen->n == MOST) return;
  leat_i_symbol_text(s, seen->text[seen->n], sizeof seen->text[0]);
  snprintf(seen->function[seen->n], sizeof seen->function[0], "%s", s->function ? s->function : "");
  seen->line[seen->n++] = s->line;
}

static struct seen look_at(uintptr_t pc) {
  struct seen seen = {0};
  leat_i_symbolize(pc, keep, &seen);
  CHECK(seen.n > 0);
  return seen;
}

/* Where lines are known at all: libbacktrace was found. */
static bool lines_are_known(void) { return look_at((uintptr_t)&look_at).line[0] > 0; }

static uintptr_t pc;

enum { ITS_LINE = __LINE__ + 1 };
__attribute__((noinline)) static int a_static_function(int x) {
  __asm__ volatile("" ::: "memory");
  return x + 1;
}

TEST(a_static_function_has_name_file_and_line) {
  if (!lines_are_known()) TEST_SKIP("no libbacktrace");
  CHECK_EQ(a_static_function(1), 2);
  struct seen s = look_at((uintptr_t)&a_static_function);
  CHECK_STR(s.function[0], "a_static_function");
  CHECK(strstr(s.text[0], "a_static_function (symbol.c:") == s.text[0]);
  CHECK(s.line[0] >= ITS_LINE && s.line[0] <= ITS_LINE + 3); /* the first instruction may be of any of its lines */
}

__attribute__((noinline)) static void take_pc(void) {
  pc = (uintptr_t)__builtin_return_address(0);
}
static __attribute__((always_inline)) inline void inlined(void) { take_pc(); }
static __attribute__((always_inline)) inline void inlined_too(void) { inlined(); }
static __attribute__((noinline)) int not_inlined(void) {
  inlined_too();
  return a_static_function(1);
}

TEST(inlined_frames_come_innermost_first) {
  if (!lines_are_known()) TEST_SKIP("no libbacktrace");
  not_inlined();
  struct seen s = look_at(pc - 1);
  CHECK_EQ(s.n, 3);
  CHECK_STR(s.function[0], "inlined");
  CHECK_STR(s.function[1], "inlined_too");
  CHECK_STR(s.function[2], "not_inlined");
}

TEST(an_address_of_nobody_is_shown_as_it_is) {
  CHECK_STR(look_at(0x10).text[0], "0x10");
  CHECK_STR(look_at(UINTPTR_MAX).text[0], "0xffffffffffffffff");
}

TEST(an_offset_is_the_same_however_the_program_was_loaded) {
  uint32_t a = 0, b = 0, c = 0;
  uintptr_t offset = leat_i_module_offset((uintptr_t)&take_pc, &a);
  CHECK_EQ(leat_i_module_offset((uintptr_t)&take_pc + 1, &b), offset + 1);
  CHECK(a == b && offset < 1 << 30);
  CHECK_EQ(leat_i_module_offset(0x10, &c), 0x10);
  CHECK(c != a);
}

TEST(text_is_cut_to_the_buffer) {
  struct symbol s = {"function", "/a/long/path/file.c", 12, "program", 3};
  char small[12];
  leat_i_symbol_text(&s, small, sizeof small);
  CHECK_STR(small, "function (f");
}

TEST(a_module_that_was_loaded_after_the_first_look) {
  look_at((uintptr_t)&take_pc);
  void *lib = dlopen("libm.so.6", RTLD_NOW);
  if (!lib) TEST_SKIP("no shared libm to load here");
  void *f = dlsym(lib, "cbrt");
  CHECK(f != NULL);
  struct seen s = look_at((uintptr_t)f);
  CHECK(strstr(s.text[0], "cbrt") != NULL);
  dlclose(lib);
}

static void *looks(void *unused) {
  for (int i = 0; i < 20; i++) look_at((uintptr_t)&take_pc + (uintptr_t)i);
  return unused;
}
TEST(many_threads_look_at_a_time) {
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, looks, NULL) == 0);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
}

static char *frames_here(void) {
  void *frames[32];
  uintptr_t pcs[32];
  int n = backtrace(frames, 32);
  for (int i = 0; i < n; i++) pcs[i] = (uintptr_t)frames[i];
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  leat_i_print_frames(out, "    ", pcs, n);
  fclose(out);
  return text;
}

LEAT_FN_ERR(prints_its_frames) {
  char *text = frames_here();
  bool found = strstr(text, "    at frames_here (symbol.c:") != NULL && strstr(text, "\n    at prints_its_frames (symbol.c:") != NULL;
  if (!found) fprintf(stderr, "%s\n", text);
  free(text);
  return found ? LEAT_OK : LEAT_FAILED;
}
TEST_GO(frames_of_a_goroutine_on_a_small_stack) {
  if (!lines_are_known()) TEST_SKIP("no libbacktrace");
  leat_scope(s);
  leat_go_with(s, ((leat_go_options){.stack = 8 * 1024}), prints_its_frames);
  leat_go(s, prints_its_frames);
  CHECK_EQ(leat_wait(s), LEAT_OK);
  CHECK_EQ(prints_its_frames(), LEAT_OK);
}
