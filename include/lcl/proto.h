/* Caffe's messages: text and binary files to protobuf-c structs and back, with the place
 * in the file that each field came from, and Caffe's upgrades of old files. */
#ifndef LCL_PROTO_H
#define LCL_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caffe.pb-c.h"
#include "lcl/error.h"
#include "lcl/log.h"

/* A message with all it contains, and a table from (message, field) to file:line:column.
 */
typedef struct lcl_proto lcl_proto;

/* What to do with fields that Caffe's schema does not have. */
typedef enum { LCL_UNKNOWN_IS_ERROR, LCL_UNKNOWN_IS_WARNED } lcl_unknown;

/* Reads a prototxt. Errors carry file:line:column, the line with a caret, what was
 * expected and a suggestion. Missing required fields are errors, as in Caffe. `log` may
 * be NULL. */
lcl_status lcl_proto_read_text(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                               const char *path, lcl_unknown unknown, lcl_log *log,
                               lcl_error *err);
/* The same from memory; `name` stands for the path in messages. */
lcl_status lcl_proto_parse_text(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                                const char *name, const char *text, size_t length,
                                lcl_unknown unknown, lcl_log *log, lcl_error *err);
/* Reads a binary message (.caffemodel, .solverstate, .binaryproto). Lengths that overrun
 * the file and messages that would unpack to far more memory than the file has are
 * errors. */
lcl_status lcl_proto_read_binary(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                                 const char *path, lcl_error *err);
lcl_status lcl_proto_parse_binary(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                                  const char *name, const void *bytes, size_t size,
                                  lcl_error *err);
/* Takes ownership of a message built in memory (malloc'd throughout). */
lcl_proto *lcl_proto_adopt(ProtobufCMessage *root, const char *name);
/* A deep copy of `message`, which lies in p, as a document of its own with its places. */
lcl_proto *lcl_proto_copy(const lcl_proto *p, const ProtobufCMessage *message);
void lcl_proto_destroy(lcl_proto *p);

/* The message, owned by p. Its type is what was asked for when reading, so cast it:
 * (Caffe__NetParameter *)lcl_proto_root(p). */
ProtobufCMessage *lcl_proto_root(const lcl_proto *p);
/* The path or name it was read from. */
const char *lcl_proto_name(const lcl_proto *p);

/* "file:line:col" of `message` (field NULL) or of its first `field`; the file's name
 * alone where the place is not known (binary files, messages made in memory). */
void lcl_proto_where(const lcl_proto *p, const void *message, const char *field,
                     char *out, size_t size);
/* `made` came from where `origin` came from (upgrades, inserted layers). */
void lcl_proto_derive(lcl_proto *p, const void *made, const void *origin);
/* lcl_fail at the place of message/field, with the source line and caret. */
lcl_status lcl_proto_fail(const lcl_proto *p, const void *message, const char *field,
                          lcl_error *err, lcl_status status, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Caffe's text dump of a message (protobuf's DebugString): set fields only, in the order
 * of their numbers, two spaces a level, one field a line. free() it. */
char *lcl_proto_print(const ProtobufCMessage *message);
/* The message, of whatever schema, in binary; free(*out). */
lcl_status lcl_proto_encode(uint8_t **out, size_t *size, const ProtobufCMessage *message,
                            lcl_error *err);

/* Writes it to a file as lcl_file_write does: whole or not at all. */
lcl_status lcl_proto_write(const ProtobufCMessage *message, const char *path,
                           lcl_error *err);

/* Caffe's upgrades of old nets in Caffe's order: V0 and V1 layers, data transformation
 * fields, input/input_dim/input_shape, BatchNorm's lr_mult. Each change is a log line. */
lcl_status lcl_proto_upgrade_net(lcl_proto *p, lcl_log *log, lcl_error *err);
bool lcl_proto_net_needs_upgrade(const lcl_proto *p);
/* solver_type to type; fills a missing snapshot_prefix from the file's name. */
lcl_status lcl_proto_upgrade_solver(lcl_proto *p, lcl_log *log, lcl_error *err);
/* The first of the two only. */
lcl_status lcl_proto_upgrade_solver_type(lcl_proto *p, lcl_log *log, lcl_error *err);

/* New zeroed and initialised message for a tree that a lcl_proto owns or will adopt. */
void *lcl_proto_new(const ProtobufCMessageDescriptor *type);
/* Frees a message with all it contains (not one owned by a lcl_proto). */
void lcl_proto_free(ProtobufCMessage *message);

/* The values of a blob message whatever its form (data or double_data; shape or the four
 * legacy dimensions): shape[0..*n_axes), floats in *values (free() it where *owned). */
lcl_status lcl_blob_proto_values(const Caffe__BlobProto *blob, bool diff,
                                 const float **values, size_t *count, float **owned,
                                 lcl_error *err);
lcl_status lcl_blob_proto_shape(const Caffe__BlobProto *blob, int *n_axes, int shape[32],
                                lcl_error *err);

#endif
