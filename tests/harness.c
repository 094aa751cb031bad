/* The runner of harness.h. The parent forks and executes itself for each test,
 * catches stdout and stderr in two temporary files (which, unlike a pipe, hold
 * any amount and end when the test ends, whatever it has left running), waits
 * with a limit, and judges. It prints
 *
 *     ok NAME
 *     not ok NAME (why)       followed by the output, indented
 *     skip NAME # why
 *
 * usage: TEST [--list | --run NAME | FILTER...]    a filter is a part of a name
 *
 * In the environment: TEST_SECONDS (the limit of a test, 60),
 * TEST_TIME_SCALE and TEST_COUNT_SCALE (for what runs slowly),
 * TEST_EXEC_PREFIX (a command that each test is run under, such as valgrind),
 * TEST_WRAPPER (that command's short name, for the tests to ask).
 */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STATUS_FAILED = 1,
    STATUS_SKIPPED = 77,
    SECONDS_TO_DUMP = 5,          /* between SIGABRT and SIGKILL */
    LIMIT_AT_MOST = 400,          /* seconds, however slow the wrapper: a few hangs must not take the whole run's time */
    OUTPUT_LIMIT = 64 << 20,      /* a test that writes more is stopped */
    OUTPUT_SHOWN = 64 << 10,
    PREFIX_WORDS = 32,
};

static const char skip_mark[] = "test skipped: ";

static struct test *first_test, **last_link = &first_test;

static char self[PATH_MAX];
static sigset_t waited_signals, original_signals;

void test_add(struct test *t) {
    *last_link = t;
    last_link = &t->next;
}

/* In the process of a test. */

static int64_t env_number(const char *name, int64_t otherwise) {
    const char *text = getenv(name);
    int64_t n = text ? strtoll(text, NULL, 10) : 0;
    return n > 0 ? n : otherwise;
}

_Noreturn static void end_test(int status) {
    fflush(stdout);
    fflush(stderr);
    _exit(status);
}

_Noreturn void test_fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
    end_test(STATUS_FAILED);
}

_Noreturn void test_skip(const char *why) {
    fprintf(stderr, "%s%s\n", skip_mark, why);
    end_test(STATUS_SKIPPED);
}

void test_check_eq(const char *file, int line, const char *a_text, const char *b_text,
                   long long a, long long b) {
    if (a == b)
        return;
    fprintf(stderr, "%s:%d: check failed: %s == %s (%lld and %lld)\n", file, line, a_text, b_text,
            a, b);
    end_test(STATUS_FAILED);
}

void test_check_str(const char *file, int line, const char *a_text, const char *b_text,
                    const char *a, const char *b) {
    if (a && b ? strcmp(a, b) == 0 : a == b)
        return;
    fprintf(stderr, "%s:%d: check failed: %s equals %s\n  \"%s\"\n  \"%s\"\n", file, line, a_text,
            b_text, a ? a : "(null)", b ? b : "(null)");
    end_test(STATUS_FAILED);
}

int64_t test_scale(int64_t n) {
    int64_t scaled = n / env_number("TEST_COUNT_SCALE", 1);
    return scaled > 0 ? scaled : 1;
}

#ifndef __has_feature
#define __has_feature(x) 0
#endif

bool test_under_asan(void) {
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
    return true;
#else
    return false;
#endif
}

bool test_under_tsan(void) {
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
}

static bool wrapped_in(const char *name) {
    const char *wrapper = getenv("TEST_WRAPPER");
    return wrapper && strcmp(wrapper, name) == 0;
}

bool test_under_valgrind(void) { return wrapped_in("valgrind"); }
bool test_under_qemu(void) { return wrapped_in("qemu"); }

void test_needs_deadlocks_found(void) {
    if (test_under_tsan() || test_under_qemu()) test_skip("TSan and qemu-user have threads of their own, so no deadlock is claimed");
}

static void make_tmpdir(char path[PATH_MAX]) {
    const char *base = getenv("TMPDIR");
    snprintf(path, PATH_MAX, "%s/leat-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        exit(STATUS_FAILED);
    }
}

const char *test_tmpdir(void) {
    /* The parent makes and removes it; after `--run` by hand it is kept. */
    static char by_hand[PATH_MAX];
    const char *given = getenv("TEST_TMPDIR");
    if (given)
        return given;
    if (!*by_hand)
        make_tmpdir(by_hand);
    return by_hand;
}

static int run_here(const char *name) {
    for (struct test *t = first_test; t; t = t->next) {
        if (strcmp(t->name, name) == 0) {
            t->body();
            return 0;
        }
    }
    fprintf(stderr, "no test is named %s\n", name);
    return 2;
}

/* In the parent. */

struct run {
    pid_t pid;
    int status;
    int64_t limit;  /* in seconds */
    bool timed_out;
    bool too_much_output;
    FILE *out, *err;
    char tmpdir[PATH_MAX];
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void find_self(const char *argv0) {
    /* Under an emulator /proc/self/exe may be the emulator. */
    if (!strchr(argv0, '/') || !realpath(argv0, self)) {
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = 0;
    }
}

_Noreturn static void become_test(const struct test *t, const struct run *r) {
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &original_signals, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);  /* nohup, and a shell that runs this in the background, have some ignored */
    dup2(fileno(r->out), STDOUT_FILENO);
    dup2(fileno(r->err), STDERR_FILENO);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    close(null);
    fcntl(fileno(r->out), F_SETFD, FD_CLOEXEC);
    fcntl(fileno(r->err), F_SETFD, FD_CLOEXEC);
    setenv("TEST_TMPDIR", r->tmpdir, 1);
    if (t->dying_texts)
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});

    char *argv[PREFIX_WORDS + 4];
    int argc = 0;
    const char *prefix = getenv("TEST_EXEC_PREFIX");
    char *words = strdup(prefix ? prefix : "");
    for (char *word = strtok(words, " "); word && argc < PREFIX_WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc++] = self;
    argv[argc++] = (char *)"--run";
    argv[argc++] = (char *)t->name;
    argv[argc] = NULL;
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

static void remove_tmpdir(const char *path) {
    if (rmdir(path) == 0 || errno == ENOENT)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("sh", "sh", "-c", "chmod -R u+rwX -- \"$1\"; rm -rf -- \"$1\"", "sh", path,
               (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

static void interrupted(struct run *r, int sig) {
    kill(-r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    remove_tmpdir(r->tmpdir);
    fflush(stdout);
    _exit(128 + sig);
}

static bool writes_too_much(const struct run *r) {
    struct stat out, err;
    return fstat(fileno(r->out), &out) == 0 && fstat(fileno(r->err), &err) == 0 &&
           out.st_size + err.st_size > OUTPUT_LIMIT;
}

/* True once the test has ended; false if it runs on after so many seconds, or
 * writes without end. */
static bool wait_for(struct run *r, double seconds) {
    double end = now() + seconds;
    while (waitpid(r->pid, &r->status, WNOHANG) == 0) {
        if (!r->too_much_output && writes_too_much(r)) {
            r->too_much_output = true;
            return false;
        }
        if (now() > end)
            return false;
        struct timespec tick = {.tv_nsec = 100 * 1000 * 1000};
        int sig = sigtimedwait(&waited_signals, NULL, &tick);
        if (sig == SIGINT || sig == SIGTERM)
            interrupted(r, sig);
    }
    return true;
}

static void run_test(const struct test *t, struct run *r) {
    r->out = tmpfile();
    r->err = tmpfile();
    if (!r->out || !r->err) {
        perror("tmpfile");
        exit(STATUS_FAILED);
    }
    make_tmpdir(r->tmpdir);
    fflush(stdout);
    r->pid = fork();
    if (r->pid < 0) {
        perror("fork");
        exit(STATUS_FAILED);
    }
    if (r->pid == 0)
        become_test(t, r);
    setpgid(r->pid, r->pid);

    r->limit = env_number("TEST_SECONDS", 60) * env_number("TEST_TIME_SCALE", 1);
    if (r->limit > LIMIT_AT_MOST) r->limit = LIMIT_AT_MOST;
    if (!wait_for(r, (double)r->limit)) {
        r->timed_out = !r->too_much_output;
        kill(-r->pid, SIGABRT);
        if (!wait_for(r, SECONDS_TO_DUMP)) {
            kill(-r->pid, SIGKILL);
            waitpid(r->pid, &r->status, 0);
        }
    }
    kill(-r->pid, SIGKILL);  /* what it has left running */
    remove_tmpdir(r->tmpdir);
}

/* The end of what a test has written, to be freed. */
static char *read_tail(FILE *f) {
    char *text = calloc(1, OUTPUT_SHOWN + 1);
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) > OUTPUT_SHOWN)
        fseek(f, -OUTPUT_SHOWN, SEEK_END);
    else
        rewind(f);
    size_t n = fread(text, 1, OUTPUT_SHOWN, f);
    for (size_t i = 0; i < n; i++) {
        if (!text[i])
            text[i] = '?';
    }
    return text;
}

static void print_indented(char *text) {
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        printf("    %s\n", line);
}

/* Why a dying test has not died as it should, or NULL. */
static const char *wrong_death(const struct test *t, const char *err, char *buffer, size_t size) {
    static const char *const reports[] = {
        "ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error: "};
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        if (strstr(err, reports[i]))
            return "a sanitizer has reported";
    }
    for (const char *const *text = t->dying_texts; *text; text++) {
        if (!strstr(err, *text)) {
            snprintf(buffer, size, "stderr lacks \"%s\"", *text);
            return buffer;
        }
    }
    return NULL;
}

static const char *verdict(const struct test *t, const struct run *r, const char *err,
                           char *buffer, size_t size) {
    bool well = WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;
    if (r->timed_out) {
        snprintf(buffer, size, "timed out after %lld s", (long long)r->limit);
        return buffer;
    }
    if (r->too_much_output)
        return "wrote without end";
    if (t->dying_texts)
        return well ? "ended well, and should not" : wrong_death(t, err, buffer, size);
    if (well)
        return NULL;
    if (WIFSIGNALED(r->status))
        snprintf(buffer, size, "killed by signal %d, %s", WTERMSIG(r->status),
                 strsignal(WTERMSIG(r->status)));
    else
        snprintf(buffer, size, "exit status %d", WEXITSTATUS(r->status));
    return buffer;
}

static bool skipped(const struct run *r, const char *err) {
    const char *mark = strstr(err, skip_mark);
    return mark && WIFEXITED(r->status) && WEXITSTATUS(r->status) == STATUS_SKIPPED;
}

/* The exit status that the whole run deserves for this test. */
static int judge(const struct test *t, struct run *r) {
    char *err = read_tail(r->err), *out = read_tail(r->out);
    int failed = 0;
    if (skipped(r, err)) {
        const char *why = strstr(err, skip_mark) + strlen(skip_mark);
        printf("skip %s # %.*s\n", t->name, (int)strcspn(why, "\n"), why);
    } else {
        char buffer[256];
        const char *why = verdict(t, r, err, buffer, sizeof buffer);
        if (why) {
            printf("not ok %s (%s)\n", t->name, why);
            print_indented(out);
            print_indented(err);
            failed = 1;
        } else {
            printf("ok %s\n", t->name);
        }
    }
    free(err);
    free(out);
    fclose(r->out);
    fclose(r->err);
    return failed;
}

static bool wanted(const char *name, char **filters) {
    if (!*filters)
        return true;
    for (; *filters; filters++) {
        if (strstr(name, *filters))
            return true;
    }
    return false;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--run") == 0)
        return run_here(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (struct test *t = first_test; t; t = t->next)
            puts(t->name);
        return 0;
    }

    find_self(argv[0]);
    sigemptyset(&waited_signals);
    sigaddset(&waited_signals, SIGCHLD);
    sigaddset(&waited_signals, SIGINT);
    sigaddset(&waited_signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &waited_signals, &original_signals);

    int failed = 0;
    for (struct test *t = first_test; t; t = t->next) {
        if (wanted(t->name, argv + 1)) {
            struct run r = {0};
            run_test(t, &r);
            failed |= judge(t, &r);
        }
    }
    return failed;
}
