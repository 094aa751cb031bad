/* The test harness. A test file is a list of
 *
 *     TEST(name) { CHECK(...); }
 *
 * and each test runs in a process of its own: the executable starts itself as
 * `--run NAME`, so that a test may crash, hang, leak or leave threads behind
 * without harm to the others. `--run NAME` by hand is what a debugger wants.
 *
 *     TEST(name)              the body runs on the main thread
 *     TEST_GO(name)           the body runs as the main goroutine of a runtime
 *     TEST_DIES(name, ...)    passes only if the process ends by a signal or
 *     TEST_GO_DIES(name, ...) with a status that is not 0, and its stderr holds
 *                             every one of the texts; a report by a sanitizer
 *                             is not a death that was asked for
 *
 * A failed check ends the process of the test at once, from any thread.
 */
#ifndef LEAT_TESTS_HARNESS_H
#define LEAT_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST(name) TEST_DEFINE_(name, NULL)

#define TEST_DIES(name, ...) \
    static const char *const test_texts_##name[] = {__VA_ARGS__, NULL}; \
    TEST_DEFINE_(name, test_texts_##name)

#define TEST_GO(name) \
    TEST_GO_BODY_(name) \
    TEST(name) { test_go_(test_go_main_##name); } \
    static void test_go_body_##name(void)

#define TEST_GO_DIES(name, ...) \
    TEST_GO_BODY_(name) \
    TEST_DIES(name, __VA_ARGS__) { test_go_(test_go_main_##name); } \
    static void test_go_body_##name(void)

#define CHECK(...) \
    ((__VA_ARGS__) ? (void)0 : test_fail(__FILE__, __LINE__, #__VA_ARGS__))

/* For integers; both values are printed. */
#define CHECK_EQ(a, b) \
    test_check_eq(__FILE__, __LINE__, #a, #b, (long long)(a), (long long)(b))

#define CHECK_STR(a, b) test_check_str(__FILE__, __LINE__, #a, #b, (a), (b))

/* Ends the test; it is counted as skipped, with the reason. */
#define TEST_SKIP(why) test_skip(why)

/* n, made smaller where everything is slow (sanitizers, Valgrind, qemu). */
int64_t test_scale(int64_t n);

bool test_under_asan(void);
bool test_under_tsan(void);
bool test_under_valgrind(void);
bool test_under_qemu(void);
void test_needs_deadlocks_found(void); /* skips the test where a wrapper has threads of its own, so that leat claims no deadlock */

/* A fresh directory, removed when the test has ended. */
const char *test_tmpdir(void);

/* What the macros are made of. */

struct test {
    const char *name;
    void (*body)(void);
    const char *const *dying_texts;  /* NULL: the test must end well */
    struct test *next;
};

void test_add(struct test *t);
_Noreturn void test_fail(const char *file, int line, const char *what);
_Noreturn void test_skip(const char *why);
void test_check_eq(const char *file, int line, const char *a_text, const char *b_text,
                   long long a, long long b);
void test_check_str(const char *file, int line, const char *a_text, const char *b_text,
                    const char *a, const char *b);

#define TEST_DEFINE_(name, texts) \
    static void test_body_##name(void); \
    static struct test test_record_##name = {#name, test_body_##name, texts, NULL}; \
    __attribute__((constructor)) static void test_add_##name(void) { test_add(&test_record_##name); } \
    static void test_body_##name(void)

#define TEST_GO_BODY_(name) \
    static void test_go_body_##name(void); \
    static int test_go_main_##name(int argc, char **argv) { \
        (void)argc; \
        (void)argv; \
        test_go_body_##name(); \
        return 0; \
    }

/* From the library: starts the runtime, runs fn as its main goroutine, stops
 * the runtime and returns what fn returned. Called here and not in harness.c,
 * so that a test of other things needs no library. */
int leat_i_run_main(int (*fn)(int, char **), int argc, char **argv);

static inline void test_go_(int (*fn)(int, char **)) {
    char name[] = "test";
    char *argv[] = {name, NULL};
    CHECK_EQ(leat_i_run_main(fn, 1, argv), 0);
}

#endif
