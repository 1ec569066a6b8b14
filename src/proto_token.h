/* The words of a prototxt: Google's text-format tokenizer, with its verdicts. */
#ifndef LCL_PROTO_TOKEN_H
#define LCL_PROTO_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

typedef enum {
    LCL_TOKEN_END,
    LCL_TOKEN_IDENTIFIER,
    LCL_TOKEN_INTEGER, /* decimal, 0x... or 0... */
    LCL_TOKEN_FLOAT,
    LCL_TOKEN_STRING, /* with its quotes */
    LCL_TOKEN_SYMBOL, /* any other character */
} lcl_token_kind;

typedef struct {
    lcl_token_kind kind;
    size_t offset, length; /* its bytes in the text */
} lcl_token;

typedef struct {
    const char *text;
    size_t length;
    size_t next;         /* where the next token is looked for */
    lcl_token token;     /* the current one */
    const char *error;   /* what is wrong with it, or NULL */
    size_t error_offset; /* where */
} lcl_tokenizer;

/* Moves on to the next token. False where it has an error. */
bool lcl_tokenizer_next(lcl_tokenizer *t);

bool lcl_token_is(const lcl_tokenizer *t, const char *word);
/* The value of an integer token; false where it is more than max. */
bool lcl_token_integer(const lcl_tokenizer *t, uint64_t max, uint64_t *value);
/* The value of an integer or float token. */
double lcl_token_double(const lcl_tokenizer *t);
/* Appends the bytes that a string token stands for. */
void lcl_token_string(const lcl_tokenizer *t, lcl_text *out);

#endif
