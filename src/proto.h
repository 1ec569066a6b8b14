/* What the files of the proto module share: the document, its table of places, and access
 * to the fields of a message by descriptor. */
#ifndef LCL_PROTO_INTERNAL_H
#define LCL_PROTO_INTERNAL_H

#include <locale.h>
#include <stdarg.h>

#include "lcl/proto.h"

#define LCL_NO_PLACE SIZE_MAX
#define LCL_MAX_DEPTH 100 /* messages inside messages */

/* A field of a message (field 0: the message itself) was read from this byte of the text.
 */
typedef struct {
    const void *message; /* NULL: a free slot */
    uint32_t field;
    size_t offset; /* LCL_NO_PLACE: not known */
} lcl_place;

struct lcl_proto {
    ProtobufCMessage *root;
    char *name;
    char *text; /* the source; NULL where there was none */
    size_t length;
    lcl_place *places; /* hash table, a power of two long */
    size_t n_places, capacity;
    ProtobufCMessage **retired; /* replaced by an upgrade; their places stay valid */
    size_t n_retired;
};

/* The byte where a field (0: the message) was first read, or LCL_NO_PLACE. */
size_t lcl_proto_place(const lcl_proto *p, const void *message, uint32_t field);
/* Keeps the first place of a field. */
void lcl_proto_set_place(lcl_proto *p, const void *message, uint32_t field,
                         size_t offset);
/* Takes a message out of use; it is freed with p. */
void lcl_proto_retire(lcl_proto *p, ProtobufCMessage *message);

/* A letter, digit or underscore. */
bool lcl_is_word(char c);
/* Length of the UTF-8 character at text (*code tells which), 0 where there is none. */
size_t lcl_utf8_decode(const char *text, size_t length, uint32_t *code);
/* Line and column of a byte as Google's parser counts: from 1, tabs go to multiples of 8.
 */
void lcl_text_position(const char *text, size_t offset, size_t *line, size_t *column);
/* Fills err->excerpt with the line of `offset` and a mark under `width` bytes. */
void lcl_text_excerpt(const char *text, size_t length, size_t offset, size_t width,
                      lcl_error *err);

/* The field of that name (`length` bytes), or NULL. */
const ProtobufCFieldDescriptor *lcl_field_find(const ProtobufCMessageDescriptor *type,
                                               const char *name, size_t length);
/* Bytes of one value of the field. */
size_t lcl_field_size(const ProtobufCFieldDescriptor *field);
void *lcl_field_at(const ProtobufCMessage *message,
                   const ProtobufCFieldDescriptor *field);
/* Number of values: of a repeated field any, else 0 or 1. */
size_t lcl_field_count(const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field);
/* The i-th value (a pointer to it). */
void *lcl_field_value(const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, size_t i);
/* Room for one more value, zeroed, to be filled by the caller: the next of a repeated
 * field, else the field's own, which is then set. */
void *lcl_field_add(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* "Convolution" for the old layer type "CONVOLUTION"; NULL where there is no such type.
 */
const char *lcl_v1_type_name(const char *old);

/* Numbers are read and printed with a point whatever the program's locale: use between
 * these two calls. */
locale_t lcl_c_locale_enter(void);
void lcl_c_locale_leave(locale_t before);

#endif
