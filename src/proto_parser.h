/* What the parts of the prototxt reader share: its state, its words and its errors. */
#ifndef LCL_PROTO_PARSER_H
#define LCL_PROTO_PARSER_H

#include "proto.h"
#include "proto_token.h"

/* A message between its braces. */
typedef struct {
    const ProtobufCMessageDescriptor *type; /* NULL: not in the schema */
    size_t name;                            /* where its field's name begins */
    char close;                             /* } or > */
    size_t end;                             /* where `close` stands, once it is read */
} lcl_parser_message;

/* Reads one text. Every function below that returns a status fails at the current token
 * as Google's parser does. */
typedef struct {
    lcl_proto *doc;
    lcl_tokenizer t;
    lcl_token before; /* the token before the current one */
    lcl_unknown unknown;
    lcl_log *log;
    int depth;
    lcl_parser_message open[LCL_MAX_DEPTH]; /* the messages being read */
    const ProtobufCMessage *incomplete;     /* the first one without a required field */
    const ProtobufCFieldDescriptor *lacking;
    char shown[96]; /* of lcl_parser_show */
    lcl_error *err;

    /* What a repair wants to know about the place where the reader stopped. */
    const ProtobufCFieldDescriptor
        *field;           /* being read; NULL: a name, or an unknown one */
    lcl_token name;       /* the field's */
    size_t earlier;       /* the place of the value that the field has already, or
                             LCL_NO_PLACE */
    const char *expected; /* the symbol that should stand at the current token, or NULL */
    lcl_parser_message closed; /* the message whose end is the token before the name */
    size_t place;              /* of the error */
    lcl_token word;            /* that it marks */
} lcl_parser;

/* Reads `text`, which p->doc takes over and which has a NUL after its end. p holds zeros but
 * for unknown, log and err. p->doc is there in any case: destroy it. */
lcl_status lcl_parser_read(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                           const char *name, char *text, size_t length);

/* ---- Errors ------------------------------------------------------------------------ */

/* Fails at `place` with a mark under `word`. */
lcl_status lcl_parser_fail(lcl_parser *p, size_t place, lcl_token word,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Google's parser reports what is wrong at the token it is looking at. */
#define LCL_FAIL_AT_WORD(p, word, ...)                                                   \
    lcl_parser_fail(p, (p)->t.token.offset, word, __VA_ARGS__)
#define LCL_FAIL_HERE(p, ...) LCL_FAIL_AT_WORD(p, (p)->t.token, __VA_ARGS__)

void lcl_parser_warn(lcl_parser *p, lcl_token token, const char *what);
/* lcl_hint_character at the current token. */
bool lcl_parser_hint_character(lcl_parser *p);
/* The token's text, shortened and without control characters; until the next call. */
const char *lcl_parser_show(lcl_parser *p, lcl_token token);
/* The current one's. */
const char *lcl_parser_got(lcl_parser *p);
/* The token's text as a new string. */
char *lcl_parser_copy(const lcl_parser *p, lcl_token token);
/* The line, from 1, in which the byte lies. */
size_t lcl_parser_line(const lcl_parser *p, size_t offset);

/* ---- Words ------------------------------------------------------------------------- */

lcl_status lcl_parser_next(lcl_parser *p);
bool lcl_parser_at(const lcl_parser *p, const char *symbol);
/* Moves past `symbol` where it is there. */
lcl_status lcl_parser_skip(lcl_parser *p, const char *symbol, bool *found);
lcl_status lcl_parser_skip_separator(lcl_parser *p);
/* `hint` may be NULL. */
lcl_status lcl_parser_expect(lcl_parser *p, const char *symbol, const char *hint);
lcl_status lcl_parser_identifier(lcl_parser *p, lcl_token *word);
/* { or < of the field `name`, which is a message of `type` (NULL: not in the schema). */
lcl_status lcl_parser_open(lcl_parser *p, lcl_token name,
                           const ProtobufCMessageDescriptor *type);
/* Its counterpart. */
lcl_status lcl_parser_close(lcl_parser *p);

/* ---- Fields ------------------------------------------------------------------------ */

/* One value of any type but a message. */
typedef union {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float f;
    double d;
    protobuf_c_boolean b;
    char *string; /* malloc'd, as bytes.data is */
    ProtobufCBinaryData bytes;
} lcl_scalar;

/* The value of `field`, a field of `type`. */
lcl_status lcl_parser_scalar(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                             const ProtobufCFieldDescriptor *field, lcl_scalar *value);
/* `name`, the word just read, is no field of `type`: an error, or skipped with its value. */
lcl_status lcl_parser_unknown(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                              lcl_token name);
/* [package.name]: Caffe's messages have no extensions. */
lcl_status lcl_parser_extension(lcl_parser *p, const ProtobufCMessageDescriptor *type);

#endif
