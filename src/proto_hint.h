/* What to tell somebody whose prototxt was rejected. Each sets err->hint where it knows
 * something; the error itself was filled before. */
#ifndef LCL_PROTO_HINT_H
#define LCL_PROTO_HINT_H

#include "proto.h"

/* What to write for a character that looks like an ASCII one: "" where it is invisible, NULL
 * where it looks like none. */
const char *lcl_plain_form(uint32_t code, char full_width[2]);
/* `word`, no field of `type`, is one of other messages, files or versions of Caffe. */
bool lcl_field_elsewhere(const ProtobufCMessageDescriptor *type, const char *word);

/* Foreign comments, typographic quotes, full-width punctuation, byte order marks and the
 * like at `offset`. False where there is nothing of the kind. */
bool lcl_hint_character(const char *text, size_t length, size_t offset, lcl_error *err);
/* `word` is not a field of the type. */
void lcl_hint_field(const ProtobufCMessageDescriptor *type, const char *word,
                    lcl_error *err);
/* `word` is not a value of the enum field `field` of `type`. */
void lcl_hint_enum(const ProtobufCMessageDescriptor *type,
                   const ProtobufCFieldDescriptor *field, const char *word,
                   lcl_error *err);
/* `word` is not true or false. */
void lcl_hint_bool(const ProtobufCMessageDescriptor *type, const char *word,
                   lcl_error *err);
/* An unquoted `word` where a string belongs. */
void lcl_hint_string(const ProtobufCMessageDescriptor *type,
                     const ProtobufCFieldDescriptor *field, const char *word,
                     lcl_error *err);

#endif
