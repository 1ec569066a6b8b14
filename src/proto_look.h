/* Looks ahead in a faulty prototxt: what a piece of text would be, were it written right. */
#ifndef LCL_PROTO_LOOK_H
#define LCL_PROTO_LOOK_H

#include "proto.h"

/* A text, and the messages that are open where one looks. */
typedef struct {
    const char *text; /* has a NUL after its end */
    size_t length;
    const ProtobufCMessageDescriptor *open[LCL_MAX_DEPTH + 1]; /* [0]: the document */
    int depth;
} lcl_look;

/* The type of the innermost message; NULL where the schema does not have it. */
const ProtobufCMessageDescriptor *lcl_look_type(const lcl_look *l);

/* The ASCII character at `offset`, or the one that the character there looks like; NUL for
 * others and at the end. *n: its bytes, at least 1. */
char lcl_look_at(const lcl_look *l, size_t offset, size_t *n);
/* Past the blanks of the line. */
size_t lcl_look_past_blanks(const lcl_look *l, size_t offset);
size_t lcl_look_line_end(const lcl_look *l, size_t offset);
/* Bytes of the word at `offset`. */
size_t lcl_look_word(const lcl_look *l, size_t offset);
/* Bytes of the number at `offset`, without a sign and the letters behind it. */
size_t lcl_look_number(const lcl_look *l, size_t start);

/* The value of an enum, bool or number field that `word` is or is a misspelling of; NULL
 * where it is none, and for other fields. */
const char *lcl_look_spelt(const ProtobufCFieldDescriptor *field, const char *word);
/* The word at `offset`, where a value of an enum or bool `field` stands, has a field of the
 * innermost message glued to it, as in MAXkernel_size: the bytes of the value, else 0. */
size_t lcl_look_glued(const lcl_look *l, const ProtobufCFieldDescriptor *field,
                      size_t offset);
/* The value at `offset` is of the kind that the field takes. *end: behind it, or behind the
 * { of a message. */
bool lcl_look_value(const lcl_look *l, const ProtobufCFieldDescriptor *field,
                    size_t offset, size_t *end);

/* The field of the innermost message that the word at `offset` is a misspelling of, or NULL:
 * one that takes the value behind it. */
const ProtobufCFieldDescriptor *lcl_look_misspelt(const lcl_look *l, size_t offset,
                                                  size_t *slips);
/* A field of the innermost message, its value, and something that may follow: a field
 * again, a closing brace, a note or the line's end. *slips: 0 where its name is right. */
bool lcl_look_field(const lcl_look *l, size_t offset, size_t *slips);
/* The end of the word at `offset` is the name of such a field, which begins at *start. */
bool lcl_look_field_within(const lcl_look *l, size_t offset, size_t *start);
/* Fields, a closing brace, a note or the line's end. */
bool lcl_look_goes_on(const lcl_look *l, size_t offset);

#endif
