/* Advice on rejected prototxts: misspelled, misplaced and foreign words, and characters
 * that word processors and blogs put into listings. */
#include "proto_hint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

/* ---- Characters -------------------------------------------------------------------- */

static const struct {
    uint32_t code;
    const char *plain; /* what to write; "" to delete it */
} look_alikes[] = {
    {0x201c, "\""}, {0x201d, "\""}, {0x201e, "\""}, {0x2033, "\""}, {0x00ab, "\""},
    {0x00bb, "\""}, {0x2018, "'"},  {0x2019, "'"},  {0x2032, "'"},  {0x3002, "."},
    {0x3001, ","},  {0x2010, "-"},  {0x2011, "-"},  {0x2012, "-"},  {0x2013, "-"},
    {0x2014, "-"},  {0x2212, "-"},  {0x00a0, " "},  {0x2003, " "},  {0x2009, " "},
    {0x3000, " "},  {0x3010, "["},  {0x3011, "]"},  {0x200b, ""},   {0x200e, ""},
    {0xfeff, ""},
};

const char *lcl_plain_form(uint32_t code, char full_width[2])
{
    for (size_t i = 0; i < LCL_COUNT(look_alikes); i++)
        if (look_alikes[i].code == code)
            return look_alikes[i].plain;
    if (code < 0xff01 || code > 0xff5e)
        return NULL;
    full_width[0] = (char)(code - 0xff01 + '!');
    full_width[1] = '\0';
    return full_width;
}

static void hint_non_ascii(const char *text, size_t length, size_t offset, lcl_error *err)
{
    uint32_t code = 0;
    size_t n = lcl_utf8_decode(text + offset, length - offset, &code);
    char full_width[2];
    const char *plain = n ? lcl_plain_form(code, full_width) : NULL;

    if (offset == 0 && code == 0xfeff)
        lcl_hint(err, LCL_EPROTO,
                 "the file starts with a byte order mark: save it as UTF-8 without "
                 "BOM");
    else if (n == 0)
        lcl_hint(err, LCL_EPROTO,
                 "this is not UTF-8: save the file as UTF-8, and write notes after a #");
    else if (plain && *plain == '\0')
        lcl_hint(err, LCL_EPROTO, "an invisible character (U+%04X): delete it",
                 (unsigned)code);
    else if (plain && *plain == ' ')
        lcl_hint(err, LCL_EPROTO, "not an ordinary space (U+%04X): write a plain one",
                 (unsigned)code);
    else if (plain)
        lcl_hint(err, LCL_EPROTO, "write the plain %s in place of %.*s", plain, (int)n,
                 text + offset);
    else
        lcl_hint(err, LCL_EPROTO,
                 "only comments and strings hold such characters: write # before a note");
}

bool lcl_hint_character(const char *text, size_t length, size_t offset, lcl_error *err)
{
    const char *s = text + offset;
    size_t left = length - offset;

    if (left >= 2 &&
        ((s[0] == '\xff' && s[1] == '\xfe') || (s[0] == '\xfe' && s[1] == '\xff')))
        lcl_hint(err, LCL_EPROTO, "the file is UTF-16: save it as UTF-8");
    else if (left && s[0] & 0x80)
        hint_non_ascii(text, length, offset, err);
    else if (left >= 2 && s[0] == '/' && s[1] == '/')
        lcl_hint(err, LCL_EPROTO,
                 "// does not start a comment here: write # and keep the fields after "
                 "the note on lines of their own");
    else if (left >= 2 && s[0] == '/' && s[1] == '*')
        lcl_hint(err, LCL_EPROTO,
                 "/* */ is no comment here: write # before each line of the note");
    else if (left && s[0] == '~')
        lcl_hint(err, LCL_EPROTO,
                 "a stray ~, which vim shows below the end of a text: delete it");
    else if (left >= 7 &&
             (strncmp(s, "<<<<<<<", 7) == 0 || strncmp(s, "=======", 7) == 0 ||
              strncmp(s, ">>>>>>>", 7) == 0))
        lcl_hint(err, LCL_EPROTO,
                 "the mark of an unresolved merge: keep one of the two versions");
    else if (left && s[0] == '$')
        lcl_hint(err, LCL_EPROTO, "a template's placeholder: write its value");
    else
        return false;
    return true;
}

/* ---- Words ------------------------------------------------------------------------- */

/* Fields that only other versions of Caffe have. */
static const struct {
    const char *field, *owner;
} fork_fields[] = {
    {"roi_pooling_param", "the Caffe of (py-)faster-rcnn"},
    {"smooth_l1_loss_param", "the Caffe of (py-)faster-rcnn"},
    {"psroi_pooling_param", "the Caffe of R-FCN"},
    {"box_annotator_ohem_param", "the Caffe of R-FCN"},
    {"quantization_param", "Intel's Caffe"},
    {"bn_stats_batch_size", "Intel's Caffe"},
    {"multinode", "Intel's Caffe"},
    {"random_resize_param", "Intel's Caffe"},
    {"random_aspect_ratio_param", "Intel's Caffe"},
    {"warmup_iter", "Intel's Caffe"},
    {"warmup_start_lr", "Intel's Caffe"},
    {"annotated_data_param", "the Caffe of SSD"},
    {"detection_evaluate_param", "the Caffe of SSD"},
    {"detection_output_param", "the Caffe of SSD"},
    {"distort_param", "the Caffe of SSD"},
    {"emit_constraint", "the Caffe of SSD"},
    {"expand_param", "the Caffe of SSD"},
    {"multibox_loss_param", "the Caffe of SSD"},
    {"noise_param", "the Caffe of SSD"},
    {"norm_param", "the Caffe of SSD"},
    {"permute_param", "the Caffe of SSD"},
    {"prior_box_param", "the Caffe of SSD"},
    {"resize_param", "the Caffe of SSD"},
    {"video_data_param", "the Caffe of SSD"},
    {"bn_param", "the Caffe of SegNet"},
    {"dense_image_data_param", "the Caffe of SegNet"},
    {"upsample_param", "the Caffe of SegNet"},
    {"correlation_param", "the Caffe of FlowNet"},
    {"interp_param", "the Caffe of DeepLab and PSPNet"},
    {"axpy_param", "the Caffe of SENet"},
    {"shuffle_channel_param", "the Caffe of ShuffleNet"},
    {"mergecrop_param", "OpenCL Caffe"},
    {"bottom_data_type", "OpenCL Caffe"},
    {"compute_data_type", "OpenCL Caffe"},
    {"top_data_type", "OpenCL Caffe"},
    {"reduced_memory_inference", "OpenCL Caffe"},
    {"fuse_type", "OpenCL Caffe"},
};

static bool hint_fork(const char *word, lcl_error *err)
{
    for (size_t i = 0; i < LCL_COUNT(fork_fields); i++)
        if (strcmp(word, fork_fields[i].field) == 0) {
            lcl_hint(
                err, LCL_EPROTO,
                "%s is a field of %s, not of BVLC's; --allow-unknown skips it, but the "
                "layer may need it",
                word, fork_fields[i].owner);
            return true;
        }
    return false;
}

/* Adds the names of the fields of `outer` that hold messages with a field `word`; at most
 * three in all. */
static void add_homes(const ProtobufCMessageDescriptor *outer, const char *word,
                      lcl_text *homes, int *n)
{
    for (unsigned i = 0; i < outer->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &outer->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE || *n >= 3 ||
            !lcl_field_find(field->descriptor, word, strlen(word)))
            continue;
        lcl_text_printf(homes, "%s%s", *n ? ", " : "", field->name);
        ++*n;
    }
}

/* The field exists, but in other messages. */
static bool hint_home(const ProtobufCMessageDescriptor *type, const char *word,
                      lcl_error *err)
{
    static const ProtobufCMessageDescriptor *const outer[] = {
        &caffe__layer_parameter__descriptor, &caffe__net_parameter__descriptor,
        &caffe__solver_parameter__descriptor};
    static const char *const names[] = {"a layer", "the net", "the solver"};
    lcl_text homes = {0};
    int n = 0;

    add_homes(type, word, &homes, &n);
    if (n == 0)
        for (size_t i = 0; i < LCL_COUNT(outer); i++)
            if (outer[i] != type && lcl_field_find(outer[i], word, strlen(word)))
                lcl_text_printf(&homes, "%s%s", n++ ? ", " : "", names[i]);
    if (n == 0)
        add_homes(&caffe__layer_parameter__descriptor, word, &homes, &n);
    if (n > 0)
        lcl_hint(err, LCL_EPROTO, "%s belongs in %s", word, homes.text);
    free(homes.text);
    return n > 0;
}

static const char *nearest_field(const ProtobufCMessageDescriptor *type, const char *word)
{
    const char **names = lcl_alloc(type->n_fields, sizeof *names);

    for (unsigned i = 0; i < type->n_fields; i++)
        names[i] = type->fields[i].name;
    const char *nearest = lcl_nearest(word, names, type->n_fields);
    free(names);
    return nearest;
}

/* A net where a solver belongs, or the other way round. */
static bool hint_swapped(const ProtobufCMessageDescriptor *type, const char *word,
                         lcl_error *err)
{
    bool of_net =
        lcl_field_find(&caffe__net_parameter__descriptor, word, strlen(word)) != NULL;
    bool of_solver =
        lcl_field_find(&caffe__solver_parameter__descriptor, word, strlen(word)) != NULL;

    if (type == &caffe__solver_parameter__descriptor && of_net)
        lcl_hint(err, LCL_EPROTO,
                 "%s belongs in a net; is this the net's file? A solver names it: net: "
                 "\"FILE\"",
                 word);
    else if (type == &caffe__net_parameter__descriptor && of_solver)
        lcl_hint(err, LCL_EPROTO, "%s belongs in a solver; is this the solver's file?",
                 word);
    return (type == &caffe__solver_parameter__descriptor && of_net) ||
           (type == &caffe__net_parameter__descriptor && of_solver);
}

bool lcl_field_elsewhere(const ProtobufCMessageDescriptor *type, const char *word)
{
    return hint_fork(word, NULL) || hint_swapped(type, word, NULL) ||
           hint_home(type, word, NULL);
}

void lcl_hint_field(const ProtobufCMessageDescriptor *type, const char *word,
                    lcl_error *err)
{
    const char *nearest = nearest_field(type, word);

    if (hint_fork(word, err) || hint_swapped(type, word, err))
        return;
    if (nearest && strcasecmp(nearest, word) == 0)
        lcl_hint(err, LCL_EPROTO, "write %s", nearest);
    else if (!hint_home(type, word, err) && nearest)
        lcl_hint(err, LCL_EPROTO, "did you mean %s?", nearest);
}

/* `word` is a value with the next field's name glued to it: "MAXkernel_size". */
static bool hint_glued(const ProtobufCMessageDescriptor *type, const char *value,
                       const char *word, lcl_error *err)
{
    size_t n = strlen(value);

    if (strncmp(value, word, n) != 0 || word[n] == '\0' ||
        !lcl_field_find(type, word + n, strlen(word + n)))
        return false;
    lcl_hint(err, LCL_EPROTO, "did you mean %s %s? A space or new line is missing", value,
             word + n);
    return true;
}

static void add_values(lcl_text *list, const ProtobufCEnumDescriptor *type)
{
    for (unsigned i = 0; i < type->n_values; i++)
        lcl_text_printf(list, "%s%s", i ? ", " : "", type->values[i].name);
}

static const char *nearest_value(const ProtobufCEnumDescriptor *type, const char *word)
{
    const char **names = lcl_alloc(type->n_values, sizeof *names);

    for (unsigned i = 0; i < type->n_values; i++)
        names[i] = type->values[i].name;
    const char *nearest = lcl_nearest(word, names, type->n_values);
    free(names);
    return nearest;
}

void lcl_hint_enum(const ProtobufCMessageDescriptor *type,
                   const ProtobufCFieldDescriptor *field, const char *word,
                   lcl_error *err)
{
    const ProtobufCEnumDescriptor *values = field->descriptor;
    const char *nearest = nearest_value(values, word);
    lcl_text list = {0};

    for (unsigned i = 0; i < values->n_values; i++)
        if (hint_glued(type, values->values[i].name, word, err))
            return;
    add_values(&list, values);
    if (nearest && strcasecmp(nearest, word) == 0)
        lcl_hint(err, LCL_EPROTO, "write %s", nearest);
    else if (strcmp(field->name, "engine") == 0)
        lcl_hint(err, LCL_EPROTO,
                 "engine is one of %s; it makes no difference here: delete the line",
                 list.text);
    else if (nearest)
        lcl_hint(err, LCL_EPROTO, "did you mean %s? %s is one of %s", nearest,
                 field->name, list.text);
    else
        lcl_hint(err, LCL_EPROTO, "%s is one of %s", field->name, list.text);
    free(list.text);
}

void lcl_hint_bool(const ProtobufCMessageDescriptor *type, const char *word,
                   lcl_error *err)
{
    if (hint_glued(type, "true", word, err) || hint_glued(type, "false", word, err))
        return;
    bool yes = strcasecmp(word, "true") == 0 || strcasecmp(word, "yes") == 0 ||
               strcasecmp(word, "on") == 0;
    bool no = strcasecmp(word, "false") == 0 || strcasecmp(word, "no") == 0 ||
              strcasecmp(word, "off") == 0;
    lcl_hint(err, LCL_EPROTO, "write %s", yes ? "true" : no ? "false" : "true or false");
}

void lcl_hint_string(const ProtobufCMessageDescriptor *type,
                     const ProtobufCFieldDescriptor *field, const char *word,
                     lcl_error *err)
{
    const char *v1_name =
        type == &caffe__layer_parameter__descriptor && strcmp(field->name, "type") == 0
            ? lcl_v1_type_name(word)
            : NULL;

    lcl_hint(err, LCL_EPROTO, "write \"%s\"", v1_name ? v1_name : word);
}
