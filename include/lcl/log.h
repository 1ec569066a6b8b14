/* Caffe's log: lines that Caffe's log parsers read, and a progress line for people. */
#ifndef LCL_LOG_H
#define LCL_LOG_H

#include <stdbool.h>
#include <stdio.h>

/* Where log lines go. A NULL log is silent: libraries and tests pass NULL. */
typedef struct lcl_log lcl_log;

/* Lines go to `stream` (borrowed), each with Caffe's prefix
 * "I1124 02:10:01.600001 12345 solver.c:293] ". */
lcl_log *lcl_log_create(FILE *stream);
void lcl_log_destroy(lcl_log *log);

/* One line, severity 'I', 'W' or 'E'; embedded newlines are kept as they are. Thread-safe. */
void lcl_log_write(lcl_log *log, char severity, const char *file, int line,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A line that stays at the bottom of a terminal until the next call; NULL clears it.
 * Does nothing where the stream is not a terminal. */
void lcl_log_progress(lcl_log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True where lcl_log_progress shows something. */
bool lcl_log_is_terminal(const lcl_log *log);

#define LCL_LOG(log, ...) lcl_log_write(log, 'I', __FILE__, __LINE__, __VA_ARGS__)
#define LCL_WARN(log, ...) lcl_log_write(log, 'W', __FILE__, __LINE__, __VA_ARGS__)

#endif
