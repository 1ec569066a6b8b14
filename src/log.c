/* Log lines with Caffe's prefix and a progress line below them; see include/lcl/log.h. */
#define _DEFAULT_SOURCE /* syscall */
#include "lcl/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

struct lcl_log {
    FILE *stream; /* borrowed */
    bool is_terminal;
    pthread_mutex_t mutex;
    char *progress; /* shown at the bottom, or NULL */
};

lcl_log *lcl_log_create(FILE *stream)
{
    lcl_log *log = lcl_alloc(1, sizeof *log);

    log->stream = stream;
    log->is_terminal = isatty(fileno(stream)) == 1;
    pthread_mutex_init(&log->mutex, NULL);
    return log;
}

void lcl_log_destroy(lcl_log *log)
{
    if (!log)
        return;
    lcl_log_progress(log, NULL);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

bool lcl_log_is_terminal(const lcl_log *log)
{
    return log && log->is_terminal;
}

static void log_hide_progress(lcl_log *log)
{
    if (log->progress)
        fputs("\r\033[K", log->stream);
}

/* Cut to the terminal's width: a wrapped line could not be overwritten. */
static void log_show_progress(lcl_log *log)
{
    struct winsize size = {0};
    int width = 80;

    if (!log->progress)
        return;
    if (ioctl(fileno(log->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        width = size.ws_col;
    fprintf(log->stream, "%.*s", width - 1, log->progress);
}

static void log_prefix(lcl_text *t, char severity, const char *file, int line)
{
    const char *slash = strrchr(file, '/');
    struct timespec now;
    struct tm local;

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    lcl_text_printf(t, "%c%02d%02d %02d:%02d:%02d.%06ld %5ld %s:%d] ", severity,
                    local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min,
                    local.tm_sec, now.tv_nsec / 1000, (long)syscall(SYS_gettid),
                    slash ? slash + 1 : file, line);
}

void lcl_log_write(lcl_log *log, char severity, const char *file, int line,
                   const char *format, ...)
{
    lcl_text t = {0};
    va_list args;

    if (!log)
        return;
    log_prefix(&t, severity, file, line);
    va_start(args, format);
    lcl_text_vprintf(&t, format, args);
    va_end(args);
    lcl_text_add(&t, "\n");

    pthread_mutex_lock(&log->mutex);
    log_hide_progress(log);
    fwrite(t.text, 1, t.length, log->stream);
    log_show_progress(log);
    fflush(log->stream);
    pthread_mutex_unlock(&log->mutex);
    free(t.text);
}

void lcl_log_progress(lcl_log *log, const char *format, ...)
{
    lcl_text t = {0};
    va_list args;

    if (!lcl_log_is_terminal(log))
        return;
    if (format) {
        va_start(args, format);
        lcl_text_vprintf(&t, format, args);
        va_end(args);
    }
    pthread_mutex_lock(&log->mutex);
    log_hide_progress(log);
    free(log->progress);
    log->progress = t.text;
    log_show_progress(log);
    fflush(log->stream);
    pthread_mutex_unlock(&log->mutex);
}
