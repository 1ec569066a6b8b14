/* README.md's table of layers against the messages that the layers read: every option of each
 * layer is named in its row, and no row names one that there is not. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/layer.h"
#include "proto.h"
#include "testing.h"
#include "text.h"

static char *readme;

static void read_readme(void)
{
    lcl_error err;

    CHECK_OK(lcl_file_read(&readme, NULL, "README.md", 0, &err));
}

static void free_readme(void)
{
    free(readme);
}

/* ---- The table --------------------------------------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* `word` stands in text[0, length) by itself. */
static bool has_word(const char *text, size_t length, const char *word)
{
    const size_t n = strlen(word);

    for (size_t i = 0; i + n <= length; i++)
        if (strncmp(text + i, word, n) == 0 && (i == 0 || !is_word(text[i - 1])) &&
            !is_word(text[i + n]))
            return true;
    return false;
}

/* The second cell of the row of a layer type; the caller frees it. */
static char *find_options(const char *type)
{
    const char *at = strstr(readme, "\n## Layers\n"), *end;

    ck_assert_ptr_nonnull(at);
    end = strstr(at + 1, "\n## ");
    ck_assert_ptr_nonnull(end);
    while ((at = strstr(at, "\n| ")) && at < end) {
        const char *first = at + 3, *second = strstr(first, " | ");
        const char *close = strchr(first, '\n');
        at = close;
        if (second && second < close && has_word(first, (size_t)(second - first), type))
            return lcl_format("%.*s", (int)(close - second), second);
    }
    ck_abort_msg("README.md has no row of %s", type);
}

/* ---- The messages ------------------------------------------------------------------ */

/* "inner_product_param" is InnerProduct's: case and underscores do not count. */
static bool is_param_of(const char *field, const char *type)
{
    for (; *type; type++) {
        while (*field == '_')
            field++;
        if (tolower((unsigned char)*type) != *field++)
            return false;
    }
    return strcmp(field, "_param") == 0;
}

static const ProtobufCMessageDescriptor *find_param(const char *type)
{
    const ProtobufCMessageDescriptor *layer = &caffe__layer_parameter__descriptor;
    static const char *const others[][2] = {{"LSTM", "Recurrent"}, {"RNN", "Recurrent"}};

    for (size_t i = 0; i < LCL_COUNT(others); i++)
        if (strcmp(type, others[i][0]) == 0)
            type = others[i][1];
    for (unsigned i = 0; i < layer->n_fields; i++)
        if (is_param_of(layer->fields[i].name, type))
            return layer->fields[i].descriptor;
    return NULL;
}

/* ---- Every option is named --------------------------------------------------------- */

/* Options that choose nothing here (which of Caffe's libraries computes, what is logged or kept
 * in memory), and old places of what transform_param has. */
static bool needs_no_name(const char *options, const char *field)
{
    static const char *const nothing[] = {"engine", "backend", "cache_images",
                                          "debug_info", "force_encoded_color"};
    static const char *const moved[] = {"scale", "mean_file", "crop_size", "mirror"};
    bool found = false;

    for (size_t i = 0; i < LCL_COUNT(nothing); i++)
        found |= strcmp(field, nothing[i]) == 0;
    for (size_t i = 0; i < LCL_COUNT(moved) && strstr(options, "transform_param"); i++)
        found |= strcmp(field, moved[i]) == 0;
    return found;
}

static bool is_named(const char *options, const ProtobufCFieldDescriptor *field)
{
    const size_t length = strlen(options), n = strlen(field->name);

    if (has_word(options, length, field->name))
        return true;
    if (n > 2 && strchr("hw", field->name[n - 1]) && field->name[n - 2] == '_')
        return strstr(options, "/h/w") != NULL;
    if (n >= 6 && strcmp(field->name + n - 6, "filler") == 0)
        return strstr(options, "filler") != NULL;
    if (field->type != PROTOBUF_C_TYPE_ENUM)
        return false;
    const ProtobufCEnumDescriptor *values = field->descriptor;
    for (unsigned i = 0; i < values->n_values; i++)
        if (!has_word(options, length, values->values[i].name))
            return false;
    return true;
}

START_TEST(every_option_is_in_its_row)
{
    for (size_t i = 0; lcl_layer_types[i]; i++) {
        const char *type = lcl_layer_types[i]->name;
        char *options = find_options(type);
        const ProtobufCMessageDescriptor *param = find_param(type);
        for (unsigned k = 0; param && k < param->n_fields; k++)
            ck_assert_msg(needs_no_name(options, param->fields[k].name) ||
                              is_named(options, &param->fields[k]),
                          "README.md does not name %s of %s", param->fields[k].name,
                          type);
        free(options);
    }
}
END_TEST

/* ---- Every name is an option ------------------------------------------------------- */

static bool is_field(const ProtobufCMessageDescriptor *message, const char *name,
                     size_t length)
{
    return message && lcl_field_find(message, name, length);
}

/* Of the layer's own message, or of one that several layers have. */
static bool is_option(const char *type, const char *name, size_t length)
{
    const ProtobufCMessageDescriptor *const shared[] = {
        find_param(strcmp(type, "Deconvolution") == 0 || strcmp(type, "Im2col") == 0
                       ? "Convolution"
                       : type),
        &caffe__layer_parameter__descriptor, &caffe__transformation_parameter__descriptor,
        &caffe__loss_parameter__descriptor, &caffe__softmax_parameter__descriptor};
    bool found = false;

    for (size_t i = 0; i < LCL_COUNT(shared); i++)
        found |= is_field(shared[i], name, length);
    return found;
}

/* Words with an underscore in small letters are options. */
START_TEST(every_name_is_an_option)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    for (size_t i = 0; lcl_layer_types[i]; i++) {
        const char *type = lcl_layer_types[i]->name;
        char *options = find_options(type);
        for (const char *at = options; *at;) {
            const char *word = at;
            while (is_word(*at))
                at++;
            const size_t n = (size_t)(at - word);
            if (strspn(word, letters) >= n && memchr(word, '_', n) &&
                strncmp(word, "lcl_", 4) != 0)
                ck_assert_msg(is_option(type, word, n),
                              "README.md: %s has no option %.*s", type, (int)n, word);
            at += n == 0;
        }
        free(options);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("readme_layers");
    TCase *tcase = tcase_create("layers");

    tcase_add_checked_fixture(tcase, read_readme, free_readme);
    tcase_add_test(tcase, every_option_is_in_its_row);
    tcase_add_test(tcase, every_name_is_an_option);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
