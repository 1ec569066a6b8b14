/* Prints messages as text, as Caffe logs them. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto.h"
#include "text.h"

static void print_escaped(lcl_text *out, const uint8_t *bytes, size_t n)
{
    static const char special[] = "\n\r\t\"'\\", letters[] = "nrt\"'\\";

    lcl_text_add(out, "\"");
    for (size_t i = 0; i < n; i++) {
        const char *found = bytes[i] ? strchr(special, bytes[i]) : NULL;
        if (found)
            lcl_text_printf(out, "\\%c", letters[found - special]);
        else if (bytes[i] >= ' ' && bytes[i] < 0x7f)
            lcl_text_add_bytes(out, &bytes[i], 1);
        else
            lcl_text_printf(out, "\\%03o", bytes[i]);
    }
    lcl_text_add(out, "\"");
}

/* The shorter of two precisions that reads back as the same value. */
static void print_double(lcl_text *out, double value, bool is_float)
{
    char text[32];
    int precision = is_float ? FLT_DIG : DBL_DIG;

    if (isnan(value)) {
        lcl_text_add(out, "nan");
        return;
    }
    snprintf(text, sizeof text, "%.*g", precision, value);
    if (is_float ? (double)strtof(text, NULL) != value : strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.*g", precision + (is_float ? 3 : 2), value);
    lcl_text_add(out, text);
}

static void print_enum(lcl_text *out, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);

    if (found)
        lcl_text_add(out, found->name);
    else
        lcl_text_printf(out, "%d", value);
}

static void print_scalar(lcl_text *out, const ProtobufCFieldDescriptor *field,
                         const void *value)
{
    const ProtobufCBinaryData *bytes = value;
    const char *string;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        lcl_text_printf(out, "%d", *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        lcl_text_printf(out, "%u", *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        lcl_text_printf(out, "%lld", (long long)*(const int64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        lcl_text_printf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_FLOAT: print_double(out, *(const float *)value, true); break;
    case PROTOBUF_C_TYPE_DOUBLE: print_double(out, *(const double *)value, false); break;
    case PROTOBUF_C_TYPE_BOOL:
        lcl_text_add(out, *(const protobuf_c_boolean *)value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(out, field->descriptor, *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_BYTES: print_escaped(out, bytes->data, bytes->len); break;
    default:
        memcpy(&string, value, sizeof string);
        print_escaped(out, (const uint8_t *)string, strlen(string));
    }
}

static void print_message(lcl_text *out, const ProtobufCMessage *message, int indent)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        size_t n = lcl_field_count(message, field);
        for (size_t j = 0; j < n; j++) {
            const void *value = lcl_field_value(message, field, j);
            lcl_text_printf(out, "%*s%s", indent, "", field->name);
            if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                lcl_text_add(out, " {\n");
                print_message(out, *(ProtobufCMessage *const *)value, indent + 2);
                lcl_text_printf(out, "%*s}\n", indent, "");
            } else {
                lcl_text_add(out, ": ");
                print_scalar(out, field, value);
                lcl_text_add(out, "\n");
            }
        }
    }
}

char *lcl_proto_print(const ProtobufCMessage *message)
{
    locale_t before = lcl_c_locale_enter();
    lcl_text out = {0};

    lcl_text_add(&out, "");
    print_message(&out, message, 0);
    lcl_c_locale_leave(before);
    return out.text;
}
