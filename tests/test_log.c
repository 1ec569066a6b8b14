/* Log lines as Caffe's parsers read them, whole lines from several threads, and the
 * progress line of a terminal. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/log.h"
#include "testing.h"

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;

    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int rc = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    return rc == 0;
}

/* What was written to `stream` so far. */
static char *content(FILE *stream)
{
    static char text[200000];

    rewind(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    return text;
}

START_TEST(test_prefix)
{
    FILE *stream = tmpfile();
    lcl_log *log = lcl_log_create(stream);

    lcl_log_write(log, 'I', "/some/folder/solver.c", 293, "Iteration %d, lr = %g", 100,
                  0.01);
    ck_assert_msg(matches(content(stream),
                          "^I[01][0-9][0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\."
                          "[0-9]{6} [ 0-9]{4,}[0-9] solver\\.c:293\\] "
                          "Iteration 100, lr = 0\\.01\n$"),
                  "%s", content(stream));
    LCL_WARN(log, "two\nlines");
    ck_assert_msg(
        matches(content(stream), "\nW[^]]* test_log\\.c:[0-9]+\\] two\nlines\n$"), "%s",
        content(stream));
    ck_assert(!lcl_log_is_terminal(log));
    lcl_log_progress(log, "never seen");
    ck_assert_ptr_null(strstr(content(stream), "never seen"));
    lcl_log_destroy(log);
    fclose(stream);
}
END_TEST

START_TEST(test_silent_log)
{
    LCL_LOG(NULL, "nobody hears %d", 1);
    lcl_log_progress(NULL, "nor this");
    ck_assert(!lcl_log_is_terminal(NULL));
    lcl_log_destroy(NULL);
}
END_TEST

#define N_THREADS 4
#define N_LINES 200

static void *write_lines(void *log)
{
    for (int i = 0; i < N_LINES; i++)
        LCL_LOG(log, "abcdefghijklmnopqrstuvwxyz %d", i);
    return NULL;
}

START_TEST(test_threads_do_not_mix_lines)
{
    FILE *stream = tmpfile();
    lcl_log *log = lcl_log_create(stream);
    pthread_t threads[N_THREADS];
    int n = 0;

    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, log), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (char *line = strtok(content(stream), "\n"); line; line = strtok(NULL, "\n"), n++)
        ck_assert_msg(matches(line, "^I[^]]*\\] abcdefghijklmnopqrstuvwxyz [0-9]+$"),
                      "%s", line);
    ck_assert_int_eq(n, N_THREADS * N_LINES);
    lcl_log_destroy(log);
    fclose(stream);
}
END_TEST

/* What the terminal got since the last call; it comes with a delay, and in pieces. */
static char *screen(int terminal)
{
    static char text[4096];
    struct pollfd ready = {.fd = terminal, .events = POLLIN};
    size_t n = 0;

    while (n < sizeof text - 1 && poll(&ready, 1, 100) == 1) {
        ssize_t got = read(terminal, text + n, sizeof text - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
    return text;
}

START_TEST(test_progress_stays_below_the_lines)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    FILE *stream;
    lcl_log *log;
    const char *seen;

    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    fcntl(terminal, F_SETFL, O_NONBLOCK);
    stream = fopen(ptsname(terminal), "w");
    ck_assert_ptr_nonnull(stream);
    log = lcl_log_create(stream);
    ck_assert(lcl_log_is_terminal(log));

    lcl_log_progress(log, "%d %%", 10);
    ck_assert_str_eq(screen(terminal), "10 %");
    lcl_log_progress(log, "%d %%", 20);
    ck_assert_str_eq(screen(terminal), "\r\033[K20 %");
    LCL_LOG(log, "a line");
    seen = screen(terminal);
    ck_assert_msg(matches(seen, "^\r\033\\[KI[^]]*\\] a line\r\n20 %$"), "%s", seen);
    lcl_log_progress(log, NULL);
    ck_assert_str_eq(screen(terminal), "\r\033[K");
    LCL_LOG(log, "alone");
    ck_assert(matches(screen(terminal), "^I[^]]*\\] alone\r\n$"));
    lcl_log_progress(log, "%0300d", 0);
    ck_assert_uint_lt(strlen(screen(terminal)), 300);
    lcl_log_destroy(log);
    ck_assert_str_eq(screen(terminal), "\r\033[K");
    fclose(stream);
    close(terminal);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *t = tcase_create("log");

    tcase_add_test(t, test_prefix);
    tcase_add_test(t, test_silent_log);
    tcase_add_test(t, test_threads_do_not_mix_lines);
    tcase_add_test(t, test_progress_stays_below_the_lines);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
