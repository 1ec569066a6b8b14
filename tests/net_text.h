/* For tests of nets: nets from text, and what they log. */
#ifndef LCL_NET_TEXT_H
#define LCL_NET_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/net.h"
#include "testing.h"

/* Places in messages read "net.prototxt:line:column". */
static inline lcl_proto *parse_net(const char *text)
{
    lcl_proto *p = NULL;
    lcl_error err;

    CHECK_OK(lcl_proto_parse_text(&p, &caffe__net_parameter__descriptor, "net.prototxt",
                                  text, strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return p;
}

/* A log into memory. */
typedef struct {
    FILE *stream;
    char *text;
    size_t size;
    lcl_log *log;
} memory_log;

static inline void open_log(memory_log *m)
{
    m->stream = open_memstream(&m->text, &m->size);
    m->log = lcl_log_create(m->stream);
}

/* Ends the log; the text without the lines' prefixes. free() it. */
static inline char *close_log(memory_log *m)
{
    char *to, *line;

    lcl_log_destroy(m->log);
    fclose(m->stream);
    to = line = m->text;
    while (*line) {
        char *end = strchr(line, '\n'), *prefix = strstr(line, "] ");
        size_t n;
        if (prefix && prefix < end && strchr("IWE", *line))
            line = prefix + 2;
        n = (size_t)(end + 1 - line);
        memmove(to, line, n);
        to += n;
        line = end + 1;
    }
    *to = '\0';
    return m->text;
}

#endif
