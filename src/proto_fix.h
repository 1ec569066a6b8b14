/* Repairs prototxts that were pasted from web pages: `lenet-cl proto fix`. */
#ifndef LCL_PROTO_FIX_H
#define LCL_PROTO_FIX_H

#include "lcl/proto.h"
#include "text.h"

/* The names that a string field is meant to hold, such as the fillers' of
 * FillerParameter.type. */
typedef struct {
    const ProtobufCMessageDescriptor *type;
    const char *field;
    const char *(*name)(size_t i); /* the i-th of them; NULL behind the last */
} lcl_proto_names;

/* Repairs `text` (which has a NUL after its end), a message of `type`, until the reader takes it and, of a net or solver,
 * Caffe's checks do; then *fixed is the repaired text, which without faults is the same,
 * and *report has a line per repair (proto_repairs.h). Misspelt names among `known` are
 * repaired too. What cannot be repaired is the reader's error, with its place in `text`.
 * Free fixed->text and report->text, which are NULL after an error. */
lcl_status lcl_proto_fix(lcl_text *fixed, lcl_text *report,
                         const ProtobufCMessageDescriptor *type, const char *name,
                         const char *text, size_t length, const lcl_proto_names *known,
                         size_t n_known, lcl_error *err);

#endif
